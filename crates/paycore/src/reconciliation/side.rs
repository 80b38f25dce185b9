//! From a channel's lines and from our objects to rows that can be compared.

use rust_decimal::Decimal;

use super::matching::{Book, BookError, Entry};
use super::{Kind, Standing};
use crate::channel::{Line, LineKind};
use crate::money::{Money, Rounding};
use crate::order::{Attempt, AttemptStatus, Order};
use crate::refund::{Refund, RefundStatus};
use crate::time::Timestamp;

/// Adds a line of a statement of trades; lines of other kinds than payments and refunds are none of it.
///
/// # Errors
/// [`BookError`] for references that are too long.
pub fn put_line(book: &mut Book, line: &Line) -> Result<Option<u32>, BookError> {
    let entry = match line.kind {
        LineKind::Payment => Entry {
            kind: Kind::Payment,
            standing: Standing::Done,
            channel_id: &line.channel_id,
            reference: &line.reference,
            number: "",
            money: line.money,
            fee: Some(line.fee.minor()),
            at: line.at,
        },
        // The channel's id on a refund's line is the payment's, which several refunds share.
        LineKind::Refund => Entry {
            kind: Kind::Refund,
            standing: Standing::Done,
            channel_id: "",
            reference: line.refund_reference.as_deref().unwrap_or_default(),
            number: &line.reference,
            money: line.money,
            fee: Some(line.fee.minor()),
            at: line.at,
        },
        _ => return Ok(None),
    };
    book.push(&entry).map(Some)
}

/// A payment of ours as a row.
pub fn payment<'a>(order: &'a Order, attempt: &'a Attempt, rate: Option<Decimal>) -> Entry<'a> {
    let is_part = attempt.status == AttemptStatus::Succeeded && attempt.capturing > 0;
    let money = if is_part { order.amount(attempt.capturing) } else { attempt.money };
    Entry {
        kind: Kind::Payment,
        standing: standing(attempt.status),
        channel_id: attempt.channel_id.as_deref().unwrap_or_default(),
        reference: &attempt.reference,
        number: &order.number,
        money,
        fee: rate.and_then(|rate| expected_fee(money, rate)),
        at: order.paid_at.unwrap_or(attempt.updated_at),
    }
}

/// A refund of ours as a row; `number` is the one that the provider knows it by.
pub fn refund<'a>(refund: &Refund, number: &'a str, attempt: &'a Attempt) -> Entry<'a> {
    let standing = match refund.status {
        RefundStatus::Succeeded => Standing::Done,
        RefundStatus::Failed => Standing::Failed,
        _ => Standing::Open,
    };
    Entry {
        kind: Kind::Refund,
        standing,
        channel_id: "",
        reference: number,
        number: &attempt.reference,
        money: refund.money,
        fee: None,
        at: refund.updated_at,
    }
}

/// A movement of our own books as a row: one object, one amount.
pub fn own(kind: Kind, object_id: &str, money: Money, at: Timestamp) -> Entry<'_> {
    Entry {
        kind,
        standing: Standing::Done,
        channel_id: "",
        reference: object_id,
        number: "",
        money,
        fee: None,
        at,
    }
}

fn standing(status: AttemptStatus) -> Standing {
    match status {
        AttemptStatus::Succeeded => Standing::Done,
        status if status.is_open() => Standing::Open,
        _ => Standing::Failed,
    }
}

/// What the channel keeps at an agreed rate, half a unit rounded up.
fn expected_fee(money: Money, rate: Decimal) -> Option<i64> {
    money.apply_rate(rate, Rounding::HalfUp).ok().map(Money::minor)
}
