//! Refunds.

use async_trait::async_trait;
use paycore::id::{ChannelAccountId, MerchantId, RefundId};
use paycore::refund::{Refund, RefundFilter, RefundStatus, Refunds};
use paycore::store::{Page, Read};

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const INSERT: Write = Write {
    sql: "INSERT INTO refunds (merchant_id, id, version, order_id, attempt_id, number, reference, status, amount, \
          currency, reason, metadata, channel_id, decline, fault, queries, created_at, updated_at, sequence, due_at) \
          VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
    types: "ttitttttittttttiiiii",
    expect: Expect::OneOrStale,
};

pub(crate) const UPDATE: Write = Write {
    sql: "UPDATE refunds SET version = version + 1, status = $8, amount = $9, currency = $10, reason = $11, \
          metadata = $12, channel_id = $13, decline = $14, fault = $15, queries = $16, created_at = $17, \
          updated_at = $18, sequence = $19, due_at = $20 \
          WHERE merchant_id = $1 AND id = $2 AND version = $3 AND order_id = $4 AND attempt_id = $5 \
          AND number = $6 AND reference = $7",
    types: INSERT.types,
    expect: Expect::OneOrStale,
};

/// The columns of a refund as [`refund`] reads them.
macro_rules! refunds {
    ($($rest:literal)*) => {
        concat!("SELECT merchant_id, id, version, order_id, attempt_id, number, reference, status, amount, currency, \
                 reason, metadata, channel_id, decline, fault, queries, created_at, updated_at, sequence, due_at \
                 FROM refunds ", $($rest)*)
    };
}

pub(crate) const SCAN: &str =
    refunds!("WHERE (merchant_id, id) > ($1, $2) ORDER BY merchant_id, id LIMIT $3");

/// The row of a refund.
pub(crate) fn write(rows: &mut Rows, refund: &Refund) {
    let statement = if refund.version == 0 { Statement::RefundInsert } else { Statement::RefundUpdate };
    rows.step(statement).id(refund.id).int(refund.version).id(refund.order_id).id(refund.attempt_id);
    rows.text(&refund.number).text(&refund.reference).text(refund.status.text());
    rows.int(refund.money.minor()).text(refund.money.currency().code()).maybe_text(refund.reason.as_deref());
    rows.json(&refund.metadata).maybe_text(refund.channel_id.as_deref()).maybe_json(refund.decline.as_ref());
    rows.maybe_text(refund.fault.as_deref()).int(refund.queries);
    rows.time(refund.created_at).time(refund.updated_at).int(refund.sequence).time(refund.due_at);
}

/// A refund with its tenant.
pub(crate) fn refund(row: &mut Row<'_>) -> Read<(MerchantId, Refund)> {
    let (tenant, id, version) = (row.parse()?, row.parse()?, row.int()?);
    let refund = Refund {
        id,
        version,
        order_id: row.parse()?,
        attempt_id: row.parse()?,
        number: row.string()?,
        reference: row.string()?,
        status: row.word(RefundStatus::parse)?,
        money: row.money()?,
        reason: row.maybe_string()?,
        metadata: row.json()?,
        channel_id: row.maybe_string()?,
        decline: row.maybe_json()?,
        fault: row.maybe_string()?,
        queries: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
        sequence: row.int()?,
        due_at: row.time()?,
    };
    Ok((tenant, refund))
}

#[async_trait]
impl<D: Driver> Refunds for SqlStore<D> {
    async fn refund(&self, tenant: MerchantId, id: RefundId) -> Read<Option<Refund>> {
        let select = Select::new(refunds!("WHERE merchant_id = $1 AND id = $2"));
        self.own(select.bind(Value::id(tenant)).bind(Value::id(id)), refund).await
    }

    async fn refund_by_reference(
        &self,
        tenant: MerchantId,
        account: ChannelAccountId,
        reference: &str,
    ) -> Read<Option<Refund>> {
        let select = Select::new(refunds!(
            "WHERE merchant_id = $1 AND reference = $2 AND EXISTS (SELECT 1 FROM attempts \
             WHERE attempts.merchant_id = refunds.merchant_id AND attempts.id = refunds.attempt_id \
             AND attempts.account_id = $3)"
        ));
        self.own(select.bind(Value::id(tenant)).bind(reference).bind(Value::id(account)), refund).await
    }

    async fn refund_by_number(&self, tenant: MerchantId, number: &str) -> Read<Option<Refund>> {
        let select = Select::new(refunds!("WHERE merchant_id = $1 AND number = $2"));
        self.own(select.bind(Value::id(tenant)).bind(number), refund).await
    }

    async fn refunds(&self, tenant: MerchantId, filter: &RefundFilter, page: &Page) -> Read<Vec<Refund>> {
        let select = Select::new(refunds!("WHERE merchant_id = $1")).bind(Value::id(tenant));
        let select = select.and(" AND order_id = ", filter.order_id.map(Value::id));
        self.own_list(select.page(page), refund).await
    }
}
