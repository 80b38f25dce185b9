//! Channel accounts.

use async_trait::async_trait;
use paycore::account::{ChannelAccount, ChannelAccounts};
use paycore::id::{ChannelAccountId, MerchantId};
use paycore::store::Read;

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const INSERT: Write = Write {
    sql: "INSERT INTO channel_accounts (merchant_id, id, version, channel, name, enabled, priority, \
          sealed_settings, sealed_simulator, created_at, updated_at) \
          VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9, $10, $11)",
    types: "ttittiittii",
    expect: Expect::OneOrStale,
};

pub(crate) const UPDATE: Write = Write {
    sql: "UPDATE channel_accounts SET version = version + 1, name = $5, enabled = $6, priority = $7, \
          sealed_settings = $8, sealed_simulator = $9, created_at = $10, updated_at = $11 \
          WHERE merchant_id = $1 AND id = $2 AND version = $3 AND channel = $4",
    types: INSERT.types,
    expect: Expect::OneOrStale,
};

/// The columns of an account as [`account`] reads them.
macro_rules! accounts {
    ($($rest:literal)*) => {
        concat!("SELECT merchant_id, id, version, channel, name, enabled, priority, sealed_settings, \
                 sealed_simulator, created_at, updated_at FROM channel_accounts ", $($rest)*)
    };
}

/// The row of an account.
pub(crate) fn write(rows: &mut Rows, account: &ChannelAccount) {
    let statement = if account.version == 0 { Statement::AccountInsert } else { Statement::AccountUpdate };
    rows.step(statement).id(account.id).int(account.version).text(&account.channel).text(&account.name);
    rows.flag(account.enabled).int(account.priority).text(&account.sealed_settings);
    rows.maybe_text(account.sealed_simulator.as_deref()).time(account.created_at).time(account.updated_at);
}

fn account(row: &mut Row<'_>) -> Read<(MerchantId, ChannelAccount)> {
    let tenant = row.parse()?;
    let account = ChannelAccount {
        id: row.parse()?,
        version: row.int()?,
        channel: row.string()?,
        name: row.string()?,
        enabled: row.flag()?,
        priority: row.int()?,
        sealed_settings: row.string()?,
        sealed_simulator: row.maybe_string()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    };
    Ok((tenant, account))
}

#[async_trait]
impl<D: Driver> ChannelAccounts for SqlStore<D> {
    async fn channel_account(
        &self,
        tenant: MerchantId,
        id: ChannelAccountId,
    ) -> Read<Option<ChannelAccount>> {
        let select = Select::new(accounts!("WHERE merchant_id = $1 AND id = $2"));
        self.own(select.bind(Value::id(tenant)).bind(Value::id(id)), account).await
    }

    async fn channel_accounts(&self, tenant: MerchantId) -> Read<Vec<ChannelAccount>> {
        let select = Select::new(accounts!("WHERE merchant_id = $1 ORDER BY priority, id"));
        self.own_list(select.bind(Value::id(tenant)), account).await
    }

    async fn channel_account_tenant(&self, id: ChannelAccountId) -> Read<Option<MerchantId>> {
        let select =
            Select::new("SELECT merchant_id FROM channel_accounts WHERE id = $1").bind(Value::id(id));
        Ok(self.all(select, |row| row.parse()).await?.pop())
    }
}
