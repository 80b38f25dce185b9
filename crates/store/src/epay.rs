//! Keys of shops behind the epay door.

use async_trait::async_trait;
use paycore::epay::{EpayKey, EpayKeys, Protocol};
use paycore::id::{EpayKeyId, MerchantId};
use paycore::store::Read;

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const INSERT: Write = Write {
    sql: "INSERT INTO epay_keys (merchant_id, id, version, pid, name, protocol, sealed_key, platform_public_key, \
          shop_public_key, revoked_at, created_at) VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9, $10, $11)",
    types: "ttittttttii",
    expect: Expect::OneOrStale,
};

pub(crate) const UPDATE: Write = Write {
    sql: "UPDATE epay_keys SET version = version + 1, name = $5, sealed_key = $7, platform_public_key = $8, \
          shop_public_key = $9, revoked_at = $10, created_at = $11 \
          WHERE merchant_id = $1 AND id = $2 AND version = $3 AND pid = $4 AND protocol = $6",
    types: INSERT.types,
    expect: Expect::OneOrStale,
};

/// The columns of a key as [`key`] reads them.
macro_rules! keys {
    ($($rest:literal)*) => {
        concat!("SELECT merchant_id, id, version, pid, name, protocol, sealed_key, platform_public_key, \
                 shop_public_key, revoked_at, created_at FROM epay_keys ", $($rest)*)
    };
}

/// The row of a key.
pub(crate) fn write(rows: &mut Rows, key: &EpayKey) {
    let statement = if key.version == 0 { Statement::EpayKeyInsert } else { Statement::EpayKeyUpdate };
    rows.step(statement).id(key.id).int(key.version).text(&key.pid).text(&key.name);
    rows.text(key.protocol.text()).text(&key.sealed_key).maybe_text(key.platform_public_key.as_deref());
    rows.maybe_text(key.shop_public_key.as_deref()).maybe_time(key.revoked_at).time(key.created_at);
}

fn key(row: &mut Row<'_>) -> Read<(MerchantId, EpayKey)> {
    let tenant = row.parse()?;
    let key = EpayKey {
        id: row.parse()?,
        version: row.int()?,
        pid: row.string()?,
        name: row.string()?,
        protocol: row.word(Protocol::parse)?,
        sealed_key: row.string()?,
        platform_public_key: row.maybe_string()?,
        shop_public_key: row.maybe_string()?,
        revoked_at: row.maybe_time()?,
        created_at: row.time()?,
    };
    Ok((tenant, key))
}

#[async_trait]
impl<D: Driver> EpayKeys for SqlStore<D> {
    async fn epay_key_by_pid(&self, pid: &str) -> Read<Option<(MerchantId, EpayKey)>> {
        Ok(self.all(Select::new(keys!("WHERE pid = $1")).bind(pid), key).await?.pop())
    }

    async fn epay_key(&self, tenant: MerchantId, id: EpayKeyId) -> Read<Option<EpayKey>> {
        let select = Select::new(keys!("WHERE merchant_id = $1 AND id = $2"));
        self.own(select.bind(Value::id(tenant)).bind(Value::id(id)), key).await
    }

    async fn epay_keys(&self, tenant: MerchantId) -> Read<Vec<EpayKey>> {
        let select = Select::new(keys!("WHERE merchant_id = $1 ORDER BY id DESC")).bind(Value::id(tenant));
        self.own_list(select, key).await
    }
}
