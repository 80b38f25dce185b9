//! The rows of one paid order, taken from a real one, with new ids for every copy.

use paycore::engine::Engine;
use paycore::event::Event;
use paycore::event::EventFilter;
use paycore::id::{AttemptId, EventId, MerchantId, OrderId, TransactionId};
use paycore::idempotency::{Answer, Claim, Record};
use paycore::ledger::{Transaction, TransactionFilter};
use paycore::merchant::service::authenticate;
use paycore::order::{Attempt, Order};
use paycore::store::{Changes, Page, Put};
use paycore::time::Timestamp;
use paycore::transport::system::SystemRng;

use crate::Failure;
use crate::compare::ORDER;

/// What one order leaves behind.
pub struct Rows {
    pub tenant: MerchantId,
    order: Order,
    attempt: Attempt,
    events: Vec<Event>,
    transactions: Vec<Transaction>,
    answer: Answer,
}

impl Rows {
    /// Makes a real order and reads its rows back.
    pub async fn sample(engine: &Engine, key: &str) -> Result<Rows, Failure> {
        let text = |error: paycore::error::Error| error.to_string();
        let caller = authenticate(engine, key).await.map_err(text)?.ok_or("the key is not known")?;
        let tenant = caller.tenant();
        let operation = paycore::catalogue::find("orders.create").ok_or("no such operation")?;
        let input = paycore::catalogue::Input::json(ORDER.as_bytes());
        let reply = operation.invoke(engine, caller, input, Some("sample")).await.map_err(text)?;
        let view: serde_json::Value = serde_json::from_str(&reply.body)?;
        let id: OrderId = view["id"].as_str().ok_or("no id")?.parse()?;
        let store = engine.store();
        let order = store.order(tenant, id).await?.ok_or("no order")?;
        let attempt = store.attempts(tenant, id).await?.pop().ok_or("no attempt")?;
        let page = Page { limit: 10, after: None, before: None };
        let events = store.events(tenant, &EventFilter::default(), 0, 10).await?;
        let transactions = store.transactions(tenant, &TransactionFilter::default(), &page).await?;
        let answer = Answer { status: 200, body: reply.body };
        Ok(Rows { tenant, order, attempt, events, transactions, answer })
    }

    /// The same rows of another order.
    pub fn another(&self, now: Timestamp) -> Changes {
        let (mut order, mut attempt) = (self.order.clone(), self.attempt.clone());
        (order.id, order.version) = (OrderId::new(now, &SystemRng), 0);
        order.number = order.id.to_string();
        (attempt.id, attempt.version, attempt.order_id) = (AttemptId::new(now, &SystemRng), 0, order.id);
        attempt.reference = attempt.id.bare();
        attempt.channel_id.clone_from(&Some(attempt.reference.clone()));
        order.attempt_id = Some(attempt.id);
        let mut changes = Changes::new();
        for event in &self.events {
            let (id, object_id) = (EventId::new(now, &SystemRng), order.number.clone());
            changes.events.push(Event { id, object_id, due_at: now, ..event.clone() });
        }
        for transaction in &self.transactions {
            let (id, order_id) = (TransactionId::new(now, &SystemRng), Some(order.id));
            let event_id = changes.events.last().map_or(transaction.event_id, |event| event.id);
            changes.transactions.push(Transaction { id, order_id, event_id, ..transaction.clone() });
        }
        changes.claim = Some(Claim::Open(Record {
            key: order.number.clone(),
            operation: "orders.create".into(),
            request_hash: "0".repeat(64),
            object_id: order.number.clone(),
            answer: Some(self.answer.clone()),
            created_at: now,
        }));
        changes.put(Put::Order(order)).put(Put::Attempt(attempt));
        changes
    }
}
