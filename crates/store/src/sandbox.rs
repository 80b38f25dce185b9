//! The records of simulated providers.

use async_trait::async_trait;
use paycore::id::{ChannelAccountId, MerchantId};
use paycore::sandbox::{SandboxRecord, Sandboxes};
use paycore::store::Read;

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const PUT: Write = Write {
    sql: "INSERT INTO sandbox_records (merchant_id, account_id, key, value) VALUES ($1, $2, $3, $4) \
          ON CONFLICT (merchant_id, account_id, key) DO UPDATE SET value = excluded.value",
    types: "tttt",
    expect: Expect::OneOrStale,
};

/// The row of a record.
pub(crate) fn write(rows: &mut Rows, record: &SandboxRecord) {
    rows.step(Statement::SandboxPut).id(record.account_id).text(&record.key).text(&record.value);
}

fn record(row: &mut Row<'_>) -> Read<(MerchantId, SandboxRecord)> {
    let tenant = row.parse()?;
    Ok((tenant, SandboxRecord { account_id: row.parse()?, key: row.string()?, value: row.string()? }))
}

#[async_trait]
impl<D: Driver> Sandboxes for SqlStore<D> {
    async fn sandbox_records(
        &self,
        tenant: MerchantId,
        account: ChannelAccountId,
    ) -> Read<Vec<SandboxRecord>> {
        let select = Select::new(
            "SELECT merchant_id, account_id, key, value FROM sandbox_records \
             WHERE merchant_id = $1 AND account_id = $2 ORDER BY key",
        );
        self.own_list(select.bind(Value::id(tenant)).bind(Value::id(account)), record).await
    }

    async fn sandbox_accounts(&self) -> Read<Vec<(MerchantId, ChannelAccountId)>> {
        let select = Select::new(
            "SELECT merchant_id, id FROM channel_accounts WHERE sealed_simulator IS NOT NULL ORDER BY merchant_id, id",
        );
        self.all(select, |row| Ok((row.parse()?, row.parse()?))).await
    }
}
