//! Operations on the ledger.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balance, Entry, Transaction, TransactionFilter};
use crate::currency::Currency;
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::event::Movement;
use crate::id::{EventId, OrderId, RefundId, TransactionId};
use crate::page::{List, ListInput};
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
    /// Its entries; debits equal credits.
    pub entries: Vec<Entry>,
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
            entries: self.entries.clone(),
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
    let filter = TransactionFilter { order_id: input.order_id };
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

/// No parameters.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListBalances {}

/// All balances, by account and currency.
pub async fn balances(engine: &Engine, caller: &Caller, _: ListBalances) -> Result<List<Balance>> {
    let data = engine.store.balances(caller.tenant()).await?;
    Ok(List { object: "list", data, has_more: false, next_cursor: None })
}
