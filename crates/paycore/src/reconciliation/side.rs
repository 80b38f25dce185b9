//! From a channel's lines and from our objects to rows that can be compared.

use rust_decimal::Decimal;

use super::bank::Deposit;
use super::matching::{Book, BookError, Entry, REFERENCE_MAX};
use super::{Kind, Standing};
use crate::agent::{AgentWithdrawal, WithdrawalStatus};
use crate::channel::{Line, LineKind};
use crate::id::{AgentWithdrawalId, Id as _, PayoutId, ReceiverId, SplitId, TEXT_LEN};
use crate::money::{Money, Rounding};
use crate::order::{Attempt, AttemptStatus, Order};
use crate::payout::{Payout, PayoutStatus};
use crate::refund::{Refund, RefundStatus};
use crate::split::reclaim::Leg;
use crate::split::reference::owner;
use crate::split::{Request, RequestStatus, Split};
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

/// Adds a line of a statement of funds that paid somebody out, gave somebody a share, or brought that back; other lines are
/// none of it. A line whose business is not known counts where it has the reference of a payout.
///
/// # Errors
/// [`BookError`] for references that are too long.
pub fn put_transfer(book: &mut Book, line: &Line) -> Result<Option<u32>, BookError> {
    let kinds = match line.kind {
        LineKind::Transfer => [Kind::Payout, Kind::PayoutReturn],
        LineKind::Other if payout_of(&line.reference).is_some() => [Kind::Payout, Kind::PayoutReturn],
        LineKind::Share => [Kind::Share, Kind::ShareReturn],
        _ => return Ok(None),
    };
    let Some(amount) = line.money.minor().checked_abs() else { return Ok(None) };
    let money = Money::new(amount, line.money.currency());
    let [out, back] = kinds;
    let kind = if line.money.is_negative() { out } else { back };
    // A channel names a share by our request, or by the payment that it is of, which several requests share.
    let is_of_payment = line.kind == LineKind::Share && !is_request(&line.reference);
    let (reference, number) = match is_of_payment {
        true => ("", line.reference.as_str()),
        false => (line.reference.as_str(), ""),
    };
    let channel_id = line.channel_id.as_str();
    book.push(&Entry { channel_id, number, ..own(kind, reference, money, line.at) }).map(Some)
}

/// Whether this is the reference of a request to share or to take back, by its form.
pub fn is_request(reference: &str) -> bool {
    reference.len() == TEXT_LEN + 2 && owner::<SplitId>(reference).is_some()
}

/// A request for shares as a row: what its receivers got together.
pub fn share<'a>(split: &'a Split, request: &'a Request, at: Timestamp) -> Entry<'a> {
    let has =
        |who: &ReceiverId| split.shares.iter().any(|share| share.receiver_id == *who && share.given > 0);
    let given = request.shares.iter().filter(|(who, _)| has(who)).map(|(_, money)| money.minor()).sum();
    let whole: i64 = request.shares.iter().map(|(_, money)| money.minor()).sum();
    let standing = of_request(request.status);
    let money = Money::new(if standing == Standing::Done { given } else { whole }, split.gross.currency());
    let channel_id = request.channel_id.as_deref().unwrap_or_default();
    Entry { standing, channel_id, ..own(Kind::Share, &request.reference, money, at) }
}

/// What a receiver gives back as a row. `channel_id` is the channel's id of the share, which some channels name it by.
pub fn share_return<'a>(leg: &'a Leg, channel_id: &'a str, at: Timestamp) -> Entry<'a> {
    let money = Money::new(leg.from_channel, leg.amount.currency());
    let standing = leg.status.map_or(Standing::Failed, of_request);
    let reference = leg.reference.as_deref().unwrap_or_default();
    Entry { standing, channel_id, ..own(Kind::ShareReturn, reference, money, at) }
}

fn of_request(status: RequestStatus) -> Standing {
    match status {
        RequestStatus::Succeeded => Standing::Done,
        RequestStatus::Failed => Standing::Failed,
        RequestStatus::Sending | RequestStatus::Unknown | RequestStatus::Pending => Standing::Open,
    }
}

/// A booking on a bank's statement as a row: what left the account was paid out, what came in brought it back. It names a
/// payout by its `reference`, or a whole batch.
pub fn booking<'a>(deposit: &'a Deposit, money: Money, reference: &'a str, batch: &'a str) -> Entry<'a> {
    let kind = if deposit.money.is_negative() { Kind::Payout } else { Kind::PayoutReturn };
    Entry { channel_id: &deposit.id, number: batch, ..own(kind, reference, money, deposit.at) }
}

/// The references that a text may hold, as banks pass them on: of the length of an id, in any case.
pub fn references(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|sign: char| !sign.is_ascii_alphanumeric())
        .filter(|word| word.len() == TEXT_LEN)
        .map(str::to_ascii_lowercase)
}

/// The payout whose reference on the wire this is, by its form.
pub fn payout_of(reference: &str) -> Option<PayoutId> {
    format!("{}_{reference}", PayoutId::PREFIX).parse().ok()
}

/// A payout of ours as a row: going out, or come back. `batch` is the reference of the file it went out with.
pub fn payout<'a>(payout: &'a Payout, kind: Kind, batch: &'a str, at: Timestamp) -> Entry<'a> {
    let standing = match (payout.status, kind) {
        (PayoutStatus::Returned, _) | (PayoutStatus::Paid, Kind::Payout) => Standing::Done,
        (PayoutStatus::Failed | PayoutStatus::Cancelled | PayoutStatus::Paid, _) => Standing::Failed,
        _ => Standing::Open,
    };
    let channel_id = payout.channel_id.as_deref().unwrap_or_default();
    Entry { standing, channel_id, number: batch, ..own(kind, &payout.reference, payout.sent(), at) }
}

/// The payment to an agent whose reference on the wire this is, by its form.
pub fn withdrawal_of(reference: &str) -> Option<AgentWithdrawalId> {
    format!("{}_{reference}", AgentWithdrawalId::PREFIX).parse().ok()
}

/// A payment to an agent as a row: what it got after tax. It is known by its own `reference`, and by the bank's number that
/// it was noted with.
pub fn withdrawal<'a>(
    withdrawal: &'a AgentWithdrawal,
    kind: Kind,
    reference: &'a str,
    at: Timestamp,
) -> Entry<'a> {
    let (standing, noted) = match (withdrawal.status, kind) {
        (WithdrawalStatus::Paid, Kind::Payout) => (Standing::Done, withdrawal.note.as_deref()),
        (WithdrawalStatus::Requested | WithdrawalStatus::Approved, _) => (Standing::Open, None),
        (WithdrawalStatus::Paid | WithdrawalStatus::Rejected, _) => (Standing::Failed, None),
    };
    let channel_id = noted.filter(|note| note.len() <= REFERENCE_MAX).unwrap_or_default();
    Entry { standing, channel_id, ..own(kind, reference, withdrawal.net, at) }
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
