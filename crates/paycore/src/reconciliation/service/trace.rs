//! One payment three ways: by our books, by the channel's file, by the bank.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gather;
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::id::{AttemptId, BreakId, OrderId, ReconciliationId};
use crate::money::Money;
use crate::order::AttemptStatus;
use crate::page::List;
use crate::reconciliation::RunStatus;
use crate::reconciliation::run::{Deposited, Reconciliation, Scope};
use crate::time::{BEIJING, Timestamp};

/// What `reconciliations.trace` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceOrder {
    /// The order.
    pub id: OrderId,
}

/// What the channel's file says of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtChannel {
    /// Its day is not compared yet.
    NotCompared,
    /// Its line agrees.
    Matched,
    /// It is in the pool.
    Broken,
}

/// A payment three ways.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ThreeWay {
    /// The attempt that was paid.
    pub attempt_id: AttemptId,
    /// By our books: how much.
    #[serde(flatten)]
    pub money: Money,
    /// By our books: when.
    pub paid_at: Timestamp,
    /// By the channel's file.
    pub channel: AtChannel,
    /// The run of its day.
    pub reconciliation_id: Option<ReconciliationId>,
    /// Its break, where it is in one.
    pub break_id: Option<BreakId>,
    /// The bank entry that brought the day's money; null before it did.
    pub bank: Option<Deposited>,
}

/// Every payment of an order, three ways.
pub async fn trace(engine: &Engine, caller: &Caller, input: TraceOrder) -> Result<List<ThreeWay>> {
    let tenant = caller.tenant();
    let order = engine.store.order(tenant, input.id).await?;
    let order = order.ok_or_else(|| Error::not_found("order", input.id))?;
    let mut data = Vec::new();
    for attempt in engine.store.attempts(tenant, order.id).await? {
        if attempt.status != AttemptStatus::Succeeded {
            continue;
        }
        let paid_at = order.paid_at.unwrap_or(attempt.updated_at);
        let day = paid_at.to_civil(BEIJING).date().to_string();
        let number = Reconciliation::number(Scope::Trade, Some(attempt.account_id), &day);
        let run: Option<Reconciliation> = engine.document_by_number(tenant, &number).await?;
        let object = attempt.id.to_string();
        let pool = gather::pool(engine, tenant, &attempt.account_id.to_string(), Scope::Trade).await?;
        let of = |found: &crate::reconciliation::pool::Break| {
            found.ours.as_ref().is_some_and(|ours| ours.object_id.as_deref() == Some(&object))
        };
        let broken = pool.iter().find(|found| of(found)).map(|found| found.id);
        let compared = run.as_ref().is_some_and(|run| run.status == RunStatus::Compared);
        let channel = match (broken, compared) {
            (Some(_), _) => AtChannel::Broken,
            (None, true) => AtChannel::Matched,
            (None, false) => AtChannel::NotCompared,
        };
        let net = |run: &Reconciliation| {
            run.summary
                .nets
                .iter()
                .find(|net| net.money.currency() == order.currency())
                .and_then(|net| net.deposit)
        };
        data.push(ThreeWay {
            attempt_id: attempt.id,
            money: attempt.money,
            paid_at,
            channel,
            reconciliation_id: run.as_ref().map(|run| run.id),
            break_id: broken,
            bank: run.as_ref().and_then(net),
        });
    }
    Ok(List { object: "list", data, has_more: false, next_cursor: None })
}
