//! What no row may be, whatever the engine says: the in-memory twin of the schema's constraints.

use crate::id::MerchantId;
use crate::idempotency::Claim;
use crate::ledger::rules::is_balanced;
use crate::order::{Attempt, Order};
use crate::refund::Refund;
use crate::store::{Changes, CommitError, Put};

/// What can be told from the changes alone, before anything is read.
pub(super) fn check(tenant: MerchantId, changes: &Changes) -> Result<(), CommitError> {
    require(changes.transactions.iter().all(is_balanced), "a journal is not balanced")?;
    let strange = |put: &Put| matches!(put, Put::Merchant(merchant) if merchant.id != tenant);
    require(!changes.puts.iter().any(strange), "a merchant is its own tenant")?;
    let back = |put: &Put| matches!(put, Put::HastenDue(by) if *by < 0);
    require(!changes.puts.iter().any(back), "due times only move earlier")?;
    // PostgreSQL cannot hold the character, so no store may.
    require(!texts(changes).iter().any(|text| text.contains('\0')), "a text holds a NUL character")
}

/// The rule holds, or the changes are broken.
pub(super) fn require(holds: bool, rule: &str) -> Result<(), CommitError> {
    if holds { Ok(()) } else { Err(CommitError::Broken(rule.to_owned())) }
}

pub(super) fn order(order: &Order) -> Result<(), CommitError> {
    require(order.money.is_positive(), "orders.amount")?;
    require(
        [order.authorized, order.captured, order.refunded, order.refunding, order.charged_back]
            .iter()
            .all(|n| *n >= 0),
        "orders.sums",
    )?;
    require(order.captured <= order.authorized, "orders.captured")?;
    // Written as a difference, which cannot overflow: none of the numbers is negative.
    require(order.charged_back <= order.captured - order.refunded, "orders.charged_back")?;
    require(order.refunding <= order.captured - order.refunded - order.charged_back, "orders.refunded")?;
    require(order.sequence >= 0 && order.due_at.micros() >= 0, "orders.counters")
}

pub(super) fn attempt(attempt: &Attempt) -> Result<(), CommitError> {
    require(attempt.money.is_positive() && attempt.capturing >= 0, "attempts.amount")?;
    require(attempt.queries >= 0 && attempt.due_at.micros() >= 0, "attempts.counters")
}

pub(super) fn refund(refund: &Refund) -> Result<(), CommitError> {
    require(refund.money.is_positive(), "refunds.amount")?;
    require(refund.queries >= 0 && refund.sequence >= 0 && refund.due_at.micros() >= 0, "refunds.counters")
}

/// Every text that is stored as it is (texts inside JSON are escaped there).
fn texts(changes: &Changes) -> Vec<&str> {
    let mut texts: Vec<&str> = changes.puts.iter().flat_map(put_texts).flatten().collect();
    match &changes.claim {
        Some(Claim::Open(record)) => {
            texts.extend([&*record.key, &record.operation, &record.request_hash, &record.object_id]);
            texts.extend(record.answer.as_ref().map(|answer| &*answer.body));
        }
        Some(Claim::Close { key, answer }) => texts.extend([&**key, &answer.body]),
        None => {}
    }
    for transaction in &changes.transactions {
        texts.extend(transaction.entries.iter().map(|entry| &*entry.account));
    }
    for event in &changes.events {
        texts.extend([&*event.object_id, &event.body]);
        texts.extend(event.notify_url.as_deref());
    }
    for audit in &changes.audit {
        texts.extend([&*audit.actor, &audit.action, &audit.detail]);
        texts.extend(audit.object_id.as_deref());
    }
    texts
}

fn put_texts(put: &Put) -> [Option<&str>; 5] {
    match put {
        Put::Order(row) => [Some(&row.number), None, None, None, None],
        Put::Attempt(row) => [
            Some(&row.channel),
            Some(&row.reference),
            Some(row.method.as_str()),
            row.channel_id.as_deref(),
            row.fault.as_deref(),
        ],
        Put::Refund(row) => [
            Some(&row.number),
            Some(&row.reference),
            row.reason.as_deref(),
            row.channel_id.as_deref(),
            row.fault.as_deref(),
        ],
        Put::Merchant(row) => [Some(&row.name), Some(&row.sealed_secret), None, None, None],
        Put::ApiKey(row) => [Some(&row.name), Some(&row.hash), Some(&row.hint), None, None],
        Put::EpayKey(row) => [
            Some(&row.pid),
            Some(&row.name),
            Some(&row.sealed_key),
            row.platform_public_key.as_deref(),
            row.shop_public_key.as_deref(),
        ],
        Put::ChannelAccount(row) => [
            Some(&row.channel),
            Some(&row.name),
            Some(&row.sealed_settings),
            row.sealed_simulator.as_deref(),
            None,
        ],
        Put::Endpoint(row) => {
            [Some(&row.url), Some(&row.sealed_secret), row.sealed_previous.as_deref(), None, None]
        }
        Put::Delivery(row) => [Some(&row.url), None, None, None, None],
        Put::Exception(row) => {
            [Some(&row.object_id), Some(&row.detail), row.resolution.as_deref(), None, None]
        }
        // The subject and the notes are in JSON, whose NUL characters are escaped.
        Put::Link(_) => [None; 5],
        Put::Document(row) => {
            [Some(&row.id), Some(&row.status), row.number.as_deref(), row.parent.as_deref(), Some(&row.body)]
        }
        Put::Sandbox(row) => [Some(&row.key), Some(&row.value), None, None, None],
        Put::AccountTerms(row) => [Some(&row.account), None, None, None, None],
        Put::Books(_) | Put::EventDispatched(_) | Put::HastenDue(_) => [None; 5],
    }
}
