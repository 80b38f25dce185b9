//! Documents.

use async_trait::async_trait;
use paycore::document::{DocumentFilter, Documents, Record};
use paycore::id::MerchantId;
use paycore::store::{Page, Read};

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const INSERT: Write = Write {
    sql: "INSERT INTO documents (merchant_id, id, version, kind, number, parent, status, at, due_at, body) \
          VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9, $10)",
    types: "ttittttiit",
    expect: Expect::OneOrStale,
};

pub(crate) const UPDATE: Write = Write {
    sql: "UPDATE documents SET version = version + 1, parent = $6, status = $7, at = $8, due_at = $9, body = $10 \
          WHERE merchant_id = $1 AND id = $2 AND version = $3 AND kind = $4 AND coalesce(number, '') = \
          coalesce($5, '')",
    types: INSERT.types,
    expect: Expect::OneOrStale,
};

/// The columns of a document as [`document`] reads them.
macro_rules! documents {
    ($($rest:literal)*) => {
        concat!("SELECT merchant_id, id, version, kind, number, parent, status, at, due_at, body FROM documents ",
                $($rest)*)
    };
}

pub(crate) const SCAN: &str =
    documents!("WHERE (merchant_id, id) > ($1, $2) ORDER BY merchant_id, id LIMIT $3");

/// The row of a document.
pub(crate) fn write(rows: &mut Rows, document: &Record) {
    let statement = if document.version == 0 { Statement::DocumentInsert } else { Statement::DocumentUpdate };
    rows.step(statement).text(&document.id).int(document.version).text(&document.kind);
    rows.maybe_text(document.number.as_deref()).maybe_text(document.parent.as_deref());
    rows.text(&document.status).time(document.at).time(document.due_at).text(&document.body);
}

/// A document with its tenant.
pub(crate) fn document(row: &mut Row<'_>) -> Read<(MerchantId, Record)> {
    let tenant = row.parse()?;
    let (id, version, kind) = (row.string()?, row.int()?, row.string()?);
    let (number, parent, status) = (row.maybe_string()?, row.maybe_string()?, row.string()?);
    let (at, due_at, body) = (row.time()?, row.time()?, row.string()?);
    Ok((tenant, Record { kind, id, version, number, parent, status, at, due_at, body }))
}

#[async_trait]
impl<D: Driver> Documents for SqlStore<D> {
    async fn document(&self, tenant: MerchantId, kind: &str, id: &str) -> Read<Option<Record>> {
        let select = Select::new(documents!("WHERE merchant_id = $1 AND kind = $2 AND id = $3"));
        self.own(select.bind(Value::id(tenant)).bind(kind).bind(id), document).await
    }

    async fn document_by_number(&self, tenant: MerchantId, kind: &str, number: &str) -> Read<Option<Record>> {
        let select = Select::new(documents!("WHERE merchant_id = $1 AND kind = $2 AND number = $3"));
        self.own(select.bind(Value::id(tenant)).bind(kind).bind(number), document).await
    }

    async fn documents(
        &self,
        tenant: MerchantId,
        kind: &str,
        filter: &DocumentFilter,
        page: &Page,
    ) -> Read<Vec<Record>> {
        let select = Select::new(documents!("WHERE merchant_id = $1 AND kind = $2"));
        let select = select.bind(Value::id(tenant)).bind(kind);
        let select = select.and(" AND parent = ", filter.parent.as_deref());
        let select = select.and(" AND status = ", filter.status.as_deref());
        let select = select.and(" AND at <= ", filter.until.map(|until| until.micros()));
        self.own_list(select.page(page), document).await
    }
}
