//! The audit trail.

use async_trait::async_trait;
use paycore::audit::{Audit, Audits};
use paycore::id::MerchantId;
use paycore::store::{Page, Read};

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const INSERT: Write = Write {
    sql: "INSERT INTO audits (merchant_id, id, actor, action, object_id, detail, created_at) \
          VALUES ($1, $2, $3, $4, $5, $6, $7)",
    types: "tttttti",
    expect: Expect::OneOrStale,
};

/// The row of an audit.
pub(crate) fn insert(rows: &mut Rows, audit: &Audit) {
    rows.step(Statement::AuditInsert).id(audit.id).text(&audit.actor).text(&audit.action);
    rows.maybe_text(audit.object_id.as_deref()).text(&audit.detail).time(audit.created_at);
}

fn audit(row: &mut Row<'_>) -> Read<(MerchantId, Audit)> {
    let tenant = row.parse()?;
    let audit = Audit {
        id: row.parse()?,
        actor: row.string()?,
        action: row.string()?,
        object_id: row.maybe_string()?,
        detail: row.string()?,
        created_at: row.time()?,
    };
    Ok((tenant, audit))
}

#[async_trait]
impl<D: Driver> Audits for SqlStore<D> {
    async fn audits(&self, tenant: MerchantId, page: &Page) -> Read<Vec<Audit>> {
        let select = Select::new(
            "SELECT merchant_id, id, actor, action, object_id, detail, created_at FROM audits WHERE merchant_id = $1",
        );
        self.own_list(select.bind(Value::id(tenant)).page(page), audit).await
    }
}
