//! Merchants and API keys.

use async_trait::async_trait;
use paycore::id::{ApiKeyId, MerchantId};
use paycore::merchant::{ApiKey, ApiKeys, Merchant, Merchants};
use paycore::store::{Page, Read};

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const INSERT: Write = Write {
    sql: "INSERT INTO merchants (id, version, name, livemode, twin_id, active, sealed_secret, clock_offset, \
          created_at) VALUES ($1, $2 + 1, $3, $4, $5, $6, $7, $8, $9)",
    types: "titititii",
    expect: Expect::OneOrStale,
};

pub(crate) const UPDATE: Write = Write {
    sql: "UPDATE merchants SET version = version + 1, name = $3, twin_id = $5, active = $6, sealed_secret = $7, \
          clock_offset = $8, created_at = $9 WHERE id = $1 AND version = $2 AND livemode = $4",
    types: INSERT.types,
    expect: Expect::OneOrStale,
};

pub(crate) const INSERT_KEY: Write = Write {
    sql: "INSERT INTO api_keys (merchant_id, id, version, name, hash, hint, scopes, expires_at, created_at) \
          VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9)",
    types: "ttittttii",
    expect: Expect::OneOrStale,
};

pub(crate) const UPDATE_KEY: Write = Write {
    sql: "UPDATE api_keys SET version = version + 1, name = $4, hint = $6, scopes = $7, expires_at = $8, \
          created_at = $9 WHERE merchant_id = $1 AND id = $2 AND version = $3 AND hash = $5",
    types: INSERT_KEY.types,
    expect: Expect::OneOrStale,
};

/// The columns of a merchant as [`merchant`] reads them.
macro_rules! merchants {
    ($($rest:literal)*) => {
        concat!("SELECT id, version, name, livemode, twin_id, active, sealed_secret, clock_offset, created_at \
                 FROM merchants ", $($rest)*)
    };
}

/// The columns of a key as [`key`] reads them.
macro_rules! keys {
    ($($rest:literal)*) => {
        concat!("SELECT merchant_id, id, version, name, hash, hint, scopes, expires_at, created_at \
                 FROM api_keys ", $($rest)*)
    };
}

/// The row of a merchant; its tenant is its id.
pub(crate) fn write(rows: &mut Rows, merchant: &Merchant) {
    let statement = if merchant.version == 0 { Statement::MerchantInsert } else { Statement::MerchantUpdate };
    rows.step(statement).int(merchant.version).text(&merchant.name).flag(merchant.livemode);
    rows.maybe_id(merchant.twin_id).flag(merchant.active).text(&merchant.sealed_secret);
    rows.int(merchant.clock_offset).time(merchant.created_at);
}

/// The row of a key.
pub(crate) fn write_key(rows: &mut Rows, key: &ApiKey) {
    let statement = if key.version == 0 { Statement::KeyInsert } else { Statement::KeyUpdate };
    rows.step(statement).id(key.id).int(key.version).text(&key.name).text(&key.hash).text(&key.hint);
    rows.json(&key.scopes).maybe_time(key.expires_at).time(key.created_at);
}

fn merchant(row: &mut Row<'_>) -> Read<(MerchantId, Merchant)> {
    let id = row.parse()?;
    let merchant = Merchant {
        id,
        version: row.int()?,
        name: row.string()?,
        livemode: row.flag()?,
        twin_id: row.maybe_parse()?,
        active: row.flag()?,
        sealed_secret: row.string()?,
        clock_offset: row.int()?,
        created_at: row.time()?,
    };
    Ok((id, merchant))
}

fn key(row: &mut Row<'_>) -> Read<(MerchantId, ApiKey)> {
    let tenant = row.parse()?;
    let key = ApiKey {
        id: row.parse()?,
        version: row.int()?,
        name: row.string()?,
        hash: row.string()?,
        hint: row.string()?,
        scopes: row.json()?,
        expires_at: row.maybe_time()?,
        created_at: row.time()?,
    };
    Ok((tenant, key))
}

#[async_trait]
impl<D: Driver> Merchants for SqlStore<D> {
    async fn merchant(&self, id: MerchantId) -> Read<Option<Merchant>> {
        self.own(Select::new(merchants!("WHERE id = $1")).bind(Value::id(id)), merchant).await
    }

    async fn merchants(&self, page: &Page) -> Read<Vec<Merchant>> {
        self.own_list(Select::new(merchants!("WHERE version > 0")).page(page), merchant).await
    }
}

#[async_trait]
impl<D: Driver> ApiKeys for SqlStore<D> {
    async fn api_key_by_hash(&self, hash: &str) -> Read<Option<(MerchantId, ApiKey)>> {
        Ok(self.all(Select::new(keys!("WHERE hash = $1")).bind(hash), key).await?.pop())
    }

    async fn api_key(&self, tenant: MerchantId, id: ApiKeyId) -> Read<Option<ApiKey>> {
        let select = Select::new(keys!("WHERE merchant_id = $1 AND id = $2"));
        self.own(select.bind(Value::id(tenant)).bind(Value::id(id)), key).await
    }

    async fn api_keys(&self, tenant: MerchantId, page: &Page) -> Read<Vec<ApiKey>> {
        let select = Select::new(keys!("WHERE merchant_id = $1")).bind(Value::id(tenant));
        self.own_list(select.page(page), key).await
    }
}
