//! Exceptions that wait for a person.

use async_trait::async_trait;
use paycore::exception::{Exception, ExceptionKind, Exceptions};
use paycore::id::{ExceptionId, MerchantId};
use paycore::store::{Page, Read};

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const INSERT: Write = Write {
    sql: "INSERT INTO exceptions (merchant_id, id, version, kind, object_id, detail, resolved_at, resolution, \
          created_at) VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9)",
    types: "ttitttiti",
    expect: Expect::OneOrStale,
};

pub(crate) const UPDATE: Write = Write {
    sql: "UPDATE exceptions SET version = version + 1, detail = $6, resolved_at = $7, resolution = $8, \
          created_at = $9 WHERE merchant_id = $1 AND id = $2 AND version = $3 AND kind = $4 AND object_id = $5",
    types: INSERT.types,
    expect: Expect::OneOrStale,
};

/// The columns of an exception as [`exception`] reads them.
macro_rules! exceptions {
    ($($rest:literal)*) => {
        concat!("SELECT merchant_id, id, version, kind, object_id, detail, resolved_at, resolution, created_at \
                 FROM exceptions ", $($rest)*)
    };
}

/// The row of an exception.
pub(crate) fn write(rows: &mut Rows, exception: &Exception) {
    let statement =
        if exception.version == 0 { Statement::ExceptionInsert } else { Statement::ExceptionUpdate };
    rows.step(statement).id(exception.id).int(exception.version).text(exception.kind.text());
    rows.text(&exception.object_id).text(&exception.detail).maybe_time(exception.resolved_at);
    rows.maybe_text(exception.resolution.as_deref()).time(exception.created_at);
}

fn exception(row: &mut Row<'_>) -> Read<(MerchantId, Exception)> {
    let tenant = row.parse()?;
    let exception = Exception {
        id: row.parse()?,
        version: row.int()?,
        kind: row.word(ExceptionKind::parse)?,
        object_id: row.string()?,
        detail: row.string()?,
        resolved_at: row.maybe_time()?,
        resolution: row.maybe_string()?,
        created_at: row.time()?,
    };
    Ok((tenant, exception))
}

#[async_trait]
impl<D: Driver> Exceptions for SqlStore<D> {
    async fn exception(&self, tenant: MerchantId, id: ExceptionId) -> Read<Option<Exception>> {
        let select = Select::new(exceptions!("WHERE merchant_id = $1 AND id = $2"));
        self.own(select.bind(Value::id(tenant)).bind(Value::id(id)), exception).await
    }

    async fn open_exception(
        &self,
        tenant: MerchantId,
        kind: ExceptionKind,
        object_id: &str,
    ) -> Read<Option<Exception>> {
        let select = Select::new(exceptions!(
            "WHERE merchant_id = $1 AND kind = $2 AND object_id = $3 AND resolved_at IS NULL"
        ));
        self.own(select.bind(Value::id(tenant)).bind(kind.text()).bind(object_id), exception).await
    }

    async fn exceptions(&self, tenant: MerchantId, open: bool, page: &Page) -> Read<Vec<Exception>> {
        let select = Select::new(exceptions!("WHERE merchant_id = $1")).bind(Value::id(tenant));
        let select = if open { select.then(" AND resolved_at IS NULL") } else { select };
        self.own_list(select.page(page), exception).await
    }
}
