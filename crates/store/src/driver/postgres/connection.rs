//! One connection and its prepared statements.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

use super::errors::store_error;
use crate::error::OpenError;
use crate::read::{Select, Value};

/// What the client library says.
pub(super) type Error = tokio_postgres::Error;
type Parameters<'a> = [&'a (dyn ToSql + Sync)];

/// An open connection. Requests of several tasks are sent one after the other without waiting for answers.
pub(super) struct Connection {
    client: Client,
    prepared: Mutex<HashMap<String, Statement>>,
}

impl Connection {
    pub(super) async fn open(config: &Config) -> Result<Connection, Error> {
        let (client, io) = config.connect(NoTls).await?;
        // The task ends with the client or with the server; whoever uses the client then sees it closed.
        tokio::spawn(async move { drop(io.await) });
        client
            .batch_execute(
                "SET default_transaction_isolation = 'read committed'; SET statement_timeout = '30s'",
            )
            .await?;
        Ok(Connection { client, prepared: Mutex::default() })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs statements without values.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Error> {
        self.client.batch_execute(sql).await
    }

    /// Runs a statement that is not worth preparing.
    pub(super) async fn execute(&self, sql: &str, parameters: &Parameters<'_>) -> Result<u64, Error> {
        self.client.execute(sql, parameters).await
    }

    /// Runs a prepared statement and counts the rows it touched.
    pub(super) async fn run(&self, statement: &Statement, parameters: &Parameters<'_>) -> Result<u64, Error> {
        self.client.execute(statement, parameters).await
    }

    /// Runs a prepared statement that returns rows.
    pub(super) async fn rows(
        &self,
        statement: &Statement,
        parameters: &Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        self.client.query(statement, parameters).await
    }

    /// Prepares a statement whose values have these types.
    pub(super) async fn prepare(&self, sql: &str, types: &[Type]) -> Result<Statement, Error> {
        self.client.prepare_typed(sql, types).await
    }

    /// Reads, with the statement prepared once per connection.
    pub(super) async fn query(&self, select: &Select) -> Result<Vec<Row>, Error> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(&*select.sql).cloned();
        let statement = match known {
            Some(statement) => statement,
            None => {
                let types: Vec<Type> = select.values.iter().map(Value::postgres_type).collect();
                let statement = self.prepare(&select.sql, &types).await?;
                let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
                prepared.insert(select.sql.to_string(), statement.clone());
                statement
            }
        };
        let values: Vec<&(dyn ToSql + Sync)> = select.values.iter().map(|value| value as _).collect();
        self.rows(&statement, &values).await
    }
}

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        OpenError::Store(store_error(error))
    }
}

impl Value {
    fn postgres_type(&self) -> Type {
        match self {
            Value::Int(_) => Type::INT8,
            Value::Text(_) => Type::TEXT,
        }
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Int(value) => value.to_sql(ty, out),
            Value::Text(value) => value.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::TEXT)
    }

    to_sql_checked!();
}
