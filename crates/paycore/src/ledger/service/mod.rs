//! Operations on the ledger.

pub mod accounts;
pub mod holds;
pub mod periods;
pub mod seals;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balance, Basis, Entry, Transaction, TransactionFilter, rules};
use crate::currency::Currency;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventKind, Movement};
use crate::id::{EventId, MerchantId, OrderId, RefundId, TransactionId};
use crate::order::input::text;
use crate::page::{List, ListInput};
use crate::store::{Changes, CommitError};
use crate::time::Timestamp;

/// A transaction as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Transaction")]
pub struct TransactionView {
    /// Its id.
    pub id: TransactionId,
    /// Always `transaction`.
    pub object: &'static str,
    /// What moved.
    pub kind: Movement,
    /// Minor units, positive.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// The event it books.
    pub event_id: EventId,
    /// The order, where it is about one.
    pub order_id: Option<OrderId>,
    /// The refund, for refunds.
    pub refund_id: Option<RefundId>,
    /// The transaction that it takes back.
    pub reverses: Option<TransactionId>,
    /// Its entries; debits equal credits.
    pub entries: Vec<Entry>,
    /// The instant it counts for.
    pub effective_at: Timestamp,
    /// When it was booked.
    pub created_at: Timestamp,
}

impl Transaction {
    /// The transaction as the API shows it.
    pub fn view(&self) -> TransactionView {
        TransactionView {
            id: self.id,
            object: "transaction",
            kind: self.kind,
            amount: self.money.minor(),
            currency: self.money.currency(),
            event_id: self.event_id,
            order_id: self.order_id,
            refund_id: self.refund_id,
            reverses: self.reverses,
            entries: self.entries.clone(),
            effective_at: self.effective_at,
            created_at: self.created_at,
        }
    }
}

/// Which transactions to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTransactions {
    /// Only about this order.
    #[serde(default)]
    pub order_id: Option<OrderId>,
    /// Only of this kind.
    #[serde(default)]
    pub kind: Option<Movement>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this transaction.
    #[serde(default)]
    pub starting_after: Option<TransactionId>,
    /// Only rows listed before this transaction.
    #[serde(default)]
    pub ending_before: Option<TransactionId>,
}

/// Transactions, newest first.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    input: ListTransactions,
) -> Result<List<TransactionView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter = TransactionFilter { order_id: input.order_id, kind: input.kind };
    let rows = engine.store.transactions(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(page.list(rows.iter().map(Transaction::view).collect(), |view| view.id.to_string()))
}

/// A transaction named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransactionById {
    /// The transaction.
    pub id: TransactionId,
}

/// One transaction.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: TransactionById) -> Result<TransactionView> {
    let found = engine.store.transaction(caller.tenant(), input.id).await?;
    found.map(|row| row.view()).ok_or_else(|| Error::not_found("transaction", input.id))
}

/// Which instant to look at.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListBalances {
    /// As they stood at this instant, its own bookings included; now where absent.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// With `at`: what the books said then (`booked`), or what they say about then (`effective`).
    #[serde(default)]
    pub basis: Basis,
}

/// All balances, by account and currency.
pub async fn balances(engine: &Engine, caller: &Caller, input: ListBalances) -> Result<List<Balance>> {
    let data = balances_of(engine, caller.tenant(), input.at, input.basis).await?;
    Ok(List { object: "list", data, has_more: false, next_cursor: None })
}

/// The balances as they are, or as they were.
async fn balances_of(
    engine: &Engine,
    tenant: MerchantId,
    at: Option<Timestamp>,
    basis: Basis,
) -> Result<Vec<Balance>> {
    Ok(match at {
        Some(at) => engine.store.balances_at(tenant, at, basis).await?,
        None => engine.store.balances(tenant).await?,
    })
}

/// A transaction to take back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReverseTransaction {
    /// The transaction.
    pub id: TransactionId,
    /// Why, 1 to 500 characters.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
    /// The instant the reversal counts for: now where absent, never later, and not in a closed period.
    #[serde(default)]
    pub effective_at: Option<Timestamp>,
}

/// Takes a transaction back, once, by another one with the same entries the other way.
///
/// # Errors
/// `state_not_allowed` where it only follows an order, a refund or a hold, is a reversal, or was taken back before.
pub async fn reverse(engine: &Engine, caller: &Caller, input: ReverseTransaction) -> Result<TransactionView> {
    text("reason", &input.reason, 1, 500)?;
    let moment = engine.moment(&caller.merchant);
    if input.effective_at.is_some_and(|at| at > moment.now) {
        return Err(Error::invalid("effective_at", "Must not be in the future."));
    }
    let found = engine.store.transaction(caller.tenant(), input.id).await?;
    let found = found.ok_or_else(|| Error::not_found("transaction", input.id))?;
    let not_allowed = |why: String| Error::new(Code::StateNotAllowed, why).object(found.id);
    let event = EventId::new(moment.now, &*engine.rng);
    let reversal = rules::reverse(&found, event, input.effective_at, moment.now, &*engine.rng)
        .map_err(|error| not_allowed(format!("This cannot be reversed: {error}.")))?;
    let view = reversal.view();
    let object = reversal.id.to_string();
    let mut changes = Changes { claim: caller.once(reversal.id, &view, moment), ..Changes::new() };
    let (kind, livemode) = (EventKind::TransactionReversed, caller.merchant.livemode);
    let body = engine.event(kind, object.clone(), 1, &view, livemode, moment);
    changes.events.push(Event { id: event, ..body });
    changes.audit.push(engine.audit(
        &caller.actor,
        "transactions.reverse",
        Some(object),
        input.reason,
        moment,
    ));
    changes.transactions.push(reversal);
    match engine.commit(caller.tenant(), changes).await {
        Ok(()) => Ok(view),
        Err(CommitError::Duplicate("reverses")) => Err(not_allowed("It was reversed before.".into())),
        Err(error) => Err(error.into()),
    }
}

impl Engine {
    /// What stands on one account; zeros where nothing was booked on it.
    pub async fn balance(&self, tenant: MerchantId, account: &str, currency: Currency) -> Result<Balance> {
        let balances = self.store.balances(tenant).await?;
        let found = balances.into_iter().find(|row| row.account == account && row.currency == currency);
        Ok(found.unwrap_or_else(|| Balance::empty(account, currency)))
    }
}
