//! Payment links.

use async_trait::async_trait;
use paycore::id::{LinkId, MerchantId};
use paycore::link::{Link, Links};
use paycore::store::{Page, Read};

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const INSERT: Write = Write {
    sql: "INSERT INTO links (merchant_id, id, version, amount, currency, enabled, details, expires_at, created_at) \
          VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9)",
    types: "ttiititii",
    expect: Expect::OneOrStale,
};

pub(crate) const UPDATE: Write = Write {
    sql: "UPDATE links SET version = version + 1, enabled = $6, details = $7, expires_at = $8, created_at = $9 \
          WHERE merchant_id = $1 AND id = $2 AND version = $3 AND coalesce(amount, 0) = coalesce($4, 0) \
          AND currency = $5",
    types: INSERT.types,
    expect: Expect::OneOrStale,
};

/// The columns of a link as [`link`] reads them.
macro_rules! links {
    ($($rest:literal)*) => {
        concat!("SELECT merchant_id, id, version, amount, currency, enabled, details, expires_at, created_at \
                 FROM links ", $($rest)*)
    };
}

/// The row of a link.
pub(crate) fn write(rows: &mut Rows, link: &Link) {
    let statement = if link.version == 0 { Statement::LinkInsert } else { Statement::LinkUpdate };
    rows.step(statement).id(link.id).int(link.version).maybe_int(link.amount).id(link.currency);
    rows.flag(link.enabled).json(&link.details).maybe_time(link.expires_at).time(link.created_at);
}

fn link(row: &mut Row<'_>) -> Read<(MerchantId, Link)> {
    let tenant = row.parse()?;
    let link = Link {
        id: row.parse()?,
        version: row.int()?,
        amount: row.maybe_int()?,
        currency: row.parse()?,
        enabled: row.flag()?,
        details: row.json()?,
        expires_at: row.maybe_time()?,
        created_at: row.time()?,
    };
    Ok((tenant, link))
}

#[async_trait]
impl<D: Driver> Links for SqlStore<D> {
    async fn link(&self, tenant: MerchantId, id: LinkId) -> Read<Option<Link>> {
        let select = Select::new(links!("WHERE merchant_id = $1 AND id = $2"));
        self.own(select.bind(Value::id(tenant)).bind(Value::id(id)), link).await
    }

    async fn link_tenant(&self, id: LinkId) -> Read<Option<MerchantId>> {
        let select = Select::new("SELECT merchant_id FROM links WHERE id = $1").bind(Value::id(id));
        Ok(self.all(select, |row| row.parse()).await?.pop())
    }

    async fn links(&self, tenant: MerchantId, page: &Page) -> Read<Vec<Link>> {
        let select = Select::new(links!("WHERE merchant_id = $1")).bind(Value::id(tenant));
        self.own_list(select.page(page), link).await
    }
}
