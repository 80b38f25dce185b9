//! Idempotency keys.

use async_trait::async_trait;
use paycore::id::MerchantId;
use paycore::idempotency::{Answer, Idempotency, Record};
use paycore::store::{Read, StoreError};

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const OPEN: Write = Write {
    sql: "INSERT INTO idempotency (merchant_id, key, operation, request_hash, object_id, status, body, created_at) \
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (merchant_id, key) DO NOTHING",
    types: "tttttiti",
    expect: Expect::OneOrClaimed,
};

pub(crate) const CLOSE: Write = Write {
    sql: "UPDATE idempotency SET status = $3, body = $4 WHERE merchant_id = $1 AND key = $2 AND status IS NULL",
    types: "ttit",
    expect: Expect::OneOrClaimed,
};

/// The columns of a key as [`record`] reads them.
macro_rules! records {
    ($($rest:literal)*) => {
        concat!("SELECT merchant_id, key, operation, request_hash, object_id, status, body, created_at \
                 FROM idempotency ", $($rest)*)
    };
}

pub(crate) const SCAN: &str =
    records!("WHERE (merchant_id, key) > ($1, $2) ORDER BY merchant_id, key LIMIT $3");

/// Takes a key.
pub(crate) fn open(rows: &mut Rows, record: &Record) {
    rows.step(Statement::ClaimOpen).text(&record.key).text(&record.operation).text(&record.request_hash);
    rows.text(&record.object_id);
    match &record.answer {
        Some(answer) => rows.int(i64::from(answer.status)).text(&answer.body),
        None => rows.null().null(),
    };
    rows.time(record.created_at);
}

/// Answers a key.
pub(crate) fn close(rows: &mut Rows, key: &str, answer: &Answer) {
    rows.step(Statement::ClaimClose).text(key).int(i64::from(answer.status)).text(&answer.body);
}

/// A key with its tenant.
pub(crate) fn record(row: &mut Row<'_>) -> Read<(MerchantId, Record)> {
    let tenant = row.parse()?;
    let (key, operation, request_hash, object_id) =
        (row.string()?, row.string()?, row.string()?, row.string()?);
    let answer = match (row.maybe_int()?, row.maybe_string()?) {
        (Some(status), Some(body)) => {
            let status =
                u16::try_from(status).map_err(|_| StoreError(format!("{status} is no HTTP status")))?;
            Some(Answer { status, body })
        }
        _ => None,
    };
    Ok((tenant, Record { key, operation, request_hash, object_id, answer, created_at: row.time()? }))
}

#[async_trait]
impl<D: Driver> Idempotency for SqlStore<D> {
    async fn claim(&self, tenant: MerchantId, key: &str) -> Read<Option<Record>> {
        let select = Select::new(records!("WHERE merchant_id = $1 AND key = $2"));
        self.own(select.bind(Value::id(tenant)).bind(key), record).await
    }
}
