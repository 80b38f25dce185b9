//! Orders and attempts.

use async_trait::async_trait;
use paycore::channel::{CaptureMode, Method};
use paycore::id::{AttemptId, ChannelAccountId, MerchantId, OrderId};
use paycore::money::Money;
use paycore::order::{Attempt, AttemptStatus, Order, OrderFilter, OrderStatus, Orders};
use paycore::store::{Page, Read};

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const INSERT: Write = Write {
    sql: "INSERT INTO orders (merchant_id, id, version, number, status, amount, currency, authorized, captured, \
          refunded, refunding, closing, methods, capture, attempt_id, next_action, decline, details, expires_at, \
          created_at, updated_at, paid_at, sequence, due_at, charged_back) \
          VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
          $21, $22, $23, $24, $25)",
    types: "ttittitiiiiittttttiiiiiii",
    expect: Expect::OneOrStale,
};

pub(crate) const UPDATE: Write = Write {
    sql: "UPDATE orders SET version = version + 1, status = $5, amount = $6, currency = $7, authorized = $8, \
          captured = $9, refunded = $10, refunding = $11, closing = $12, methods = $13, capture = $14, \
          attempt_id = $15, next_action = $16, decline = $17, details = $18, expires_at = $19, created_at = $20, \
          updated_at = $21, paid_at = $22, sequence = $23, due_at = $24, charged_back = $25 \
          WHERE merchant_id = $1 AND id = $2 AND version = $3 AND number = $4",
    types: INSERT.types,
    expect: Expect::OneOrStale,
};

pub(crate) const INSERT_ATTEMPT: Write = Write {
    sql: "INSERT INTO attempts (merchant_id, id, version, order_id, channel, account_id, reference, method, status, \
          amount, currency, capturing, channel_id, decline, fault, queries, created_at, updated_at, due_at, ending_at, \
          card) \
          VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
          $21)",
    types: "ttittttttititttiiiiit",
    expect: Expect::OneOrStale,
};

pub(crate) const UPDATE_ATTEMPT: Write = Write {
    sql: "UPDATE attempts SET version = version + 1, channel = $5, method = $8, status = $9, amount = $10, \
          currency = $11, capturing = $12, channel_id = $13, decline = $14, fault = $15, queries = $16, \
          created_at = $17, updated_at = $18, due_at = $19, ending_at = $20, card = $21 \
          WHERE merchant_id = $1 AND id = $2 AND version = $3 AND order_id = $4 AND account_id = $6 \
          AND reference = $7",
    types: INSERT_ATTEMPT.types,
    expect: Expect::OneOrStale,
};

/// The columns of an order as [`order`] reads them.
macro_rules! orders {
    ($($rest:literal)*) => {
        concat!("SELECT merchant_id, id, version, number, status, amount, currency, authorized, captured, refunded, \
                 refunding, closing, methods, capture, attempt_id, next_action, decline, details, expires_at, \
                 created_at, updated_at, paid_at, sequence, due_at, charged_back FROM orders ", $($rest)*)
    };
}

/// The columns of an attempt as [`attempt`] reads them.
macro_rules! attempts {
    ($($rest:literal)*) => {
        concat!("SELECT merchant_id, id, version, order_id, channel, account_id, reference, method, status, amount, \
                 currency, capturing, channel_id, decline, fault, queries, created_at, updated_at, due_at, ending_at, \
                 card FROM attempts ", $($rest)*)
    };
}

pub(crate) const SCAN: &str = orders!("WHERE (merchant_id, id) > ($1, $2) ORDER BY merchant_id, id LIMIT $3");
pub(crate) const SCAN_ATTEMPTS: &str =
    attempts!("WHERE (merchant_id, id) > ($1, $2) ORDER BY merchant_id, id LIMIT $3");

/// The row of an order.
pub(crate) fn write(rows: &mut Rows, order: &Order) {
    let statement = if order.version == 0 { Statement::OrderInsert } else { Statement::OrderUpdate };
    rows.step(statement).id(order.id).int(order.version).text(&order.number).text(order.status.text());
    rows.int(order.money.minor()).text(order.currency().code());
    rows.int(order.authorized).int(order.captured).int(order.refunded).int(order.refunding);
    rows.flag(order.closing)
        .json(&order.methods)
        .text(capture_text(order.capture))
        .maybe_id(order.attempt_id);
    rows.maybe_json(order.next_action.as_ref()).maybe_json(order.decline.as_ref()).json(&order.details);
    rows.time(order.expires_at).time(order.created_at).time(order.updated_at).maybe_time(order.paid_at);
    rows.int(order.sequence).time(order.due_at).int(order.charged_back);
}

/// The row of an attempt.
pub(crate) fn write_attempt(rows: &mut Rows, attempt: &Attempt) {
    let statement = if attempt.version == 0 { Statement::AttemptInsert } else { Statement::AttemptUpdate };
    rows.step(statement).id(attempt.id).int(attempt.version).id(attempt.order_id).text(&attempt.channel);
    rows.id(attempt.account_id).text(&attempt.reference).text(attempt.method.as_str());
    rows.text(attempt.status.text()).int(attempt.money.minor()).text(attempt.money.currency().code());
    rows.int(attempt.capturing).maybe_text(attempt.channel_id.as_deref());
    rows.maybe_json(attempt.decline.as_ref()).maybe_text(attempt.fault.as_deref()).int(attempt.queries);
    rows.time(attempt.created_at).time(attempt.updated_at).time(attempt.due_at).maybe_time(attempt.ending_at);
    rows.maybe_json(attempt.card.as_ref());
}

/// An order with its tenant.
pub(crate) fn order(row: &mut Row<'_>) -> Read<(MerchantId, Order)> {
    let (tenant, id, version) = (row.parse()?, row.parse()?, row.int()?);
    let (number, status, money) = (row.string()?, row.word(OrderStatus::parse)?, row.money()?);
    let order = Order {
        id,
        version,
        number,
        status,
        money,
        authorized: row.int()?,
        captured: row.int()?,
        refunded: row.int()?,
        refunding: row.int()?,
        closing: row.flag()?,
        methods: row.json()?,
        capture: row.word(capture)?,
        attempt_id: row.maybe_parse()?,
        next_action: row.maybe_json()?,
        decline: row.maybe_json()?,
        details: row.json()?,
        expires_at: row.time()?,
        created_at: row.time()?,
        updated_at: row.time()?,
        paid_at: row.maybe_time()?,
        sequence: row.int()?,
        due_at: row.time()?,
        charged_back: row.int()?,
    };
    Ok((tenant, order))
}

/// An attempt with its tenant.
pub(crate) fn attempt(row: &mut Row<'_>) -> Read<(MerchantId, Attempt)> {
    let (tenant, id, version) = (row.parse()?, row.parse()?, row.int()?);
    let (order_id, channel, account_id) = (row.parse()?, row.string()?, row.parse()?);
    let (reference, method, status) =
        (row.string()?, row.parse::<Method>()?, row.word(AttemptStatus::parse)?);
    let money: Money = row.money()?;
    let attempt = Attempt {
        id,
        version,
        order_id,
        channel,
        account_id,
        reference,
        method,
        status,
        money,
        capturing: row.int()?,
        channel_id: row.maybe_string()?,
        decline: row.maybe_json()?,
        fault: row.maybe_string()?,
        queries: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
        due_at: row.time()?,
        ending_at: row.maybe_time()?,
        card: row.maybe_json()?,
    };
    Ok((tenant, attempt))
}

fn capture_text(mode: CaptureMode) -> &'static str {
    match mode {
        CaptureMode::Automatic => "automatic",
        CaptureMode::Manual => "manual",
    }
}

fn capture(text: &str) -> Option<CaptureMode> {
    [CaptureMode::Automatic, CaptureMode::Manual].into_iter().find(|mode| capture_text(*mode) == text)
}

#[async_trait]
impl<D: Driver> Orders for SqlStore<D> {
    async fn order(&self, tenant: MerchantId, id: OrderId) -> Read<Option<Order>> {
        let select = Select::new(orders!("WHERE merchant_id = $1 AND id = $2"));
        self.own(select.bind(Value::id(tenant)).bind(Value::id(id)), order).await
    }

    async fn order_by_number(&self, tenant: MerchantId, number: &str) -> Read<Option<Order>> {
        let select = Select::new(orders!("WHERE merchant_id = $1 AND number = $2"));
        self.own(select.bind(Value::id(tenant)).bind(number), order).await
    }

    async fn orders(&self, tenant: MerchantId, filter: &OrderFilter, page: &Page) -> Read<Vec<Order>> {
        let select = Select::new(orders!("WHERE merchant_id = $1")).bind(Value::id(tenant));
        let select = select
            .and(" AND status = ", filter.status.map(OrderStatus::text))
            .and(" AND number = ", filter.number.as_deref());
        self.own_list(select.page(page), order).await
    }

    async fn attempt(&self, tenant: MerchantId, id: AttemptId) -> Read<Option<Attempt>> {
        let select = Select::new(attempts!("WHERE merchant_id = $1 AND id = $2"));
        self.own(select.bind(Value::id(tenant)).bind(Value::id(id)), attempt).await
    }

    async fn attempt_by_reference(
        &self,
        tenant: MerchantId,
        account: ChannelAccountId,
        reference: &str,
    ) -> Read<Option<Attempt>> {
        let select = Select::new(attempts!("WHERE merchant_id = $1 AND account_id = $2 AND reference = $3"));
        self.own(select.bind(Value::id(tenant)).bind(Value::id(account)).bind(reference), attempt).await
    }

    async fn attempts(&self, tenant: MerchantId, order: OrderId) -> Read<Vec<Attempt>> {
        let select = Select::new(attempts!("WHERE merchant_id = $1 AND order_id = $2 ORDER BY id"));
        self.own_list(select.bind(Value::id(tenant)).bind(Value::id(order)), attempt).await
    }
}
