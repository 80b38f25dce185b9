//! The one function that books an event.

use super::posting::Templates;
use super::{Entry, Side, Transaction};
use crate::event::{Booking, Event, Movement};
use crate::id::{EventId, TransactionId};
use crate::time::{Rng, Timestamp};

/// The transaction of an event, or nothing for events that move no money.
pub fn book(event: &Event, templates: &Templates, rng: &dyn Rng) -> Option<Transaction> {
    let booking: &Booking = event.booking.as_ref()?;
    let (_, money) = *booking.parts.first()?;
    Some(Transaction {
        id: TransactionId::new(event.created_at, rng),
        kind: booking.movement,
        event_id: event.id,
        order_id: booking.order_id,
        refund_id: booking.refund_id,
        money,
        created_at: event.created_at,
        effective_at: booking.effective_at.unwrap_or(event.created_at).min(event.created_at),
        reverses: None,
        entries: templates.entries(booking),
    })
}

/// What is booked because something else happened, and is put right there: taking only its booking back would leave the
/// two apart.
const FOLLOWING: &[Movement] = &[Movement::Payment, Movement::Refund, Movement::Hold, Movement::HoldRelease];

/// Why a transaction cannot be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReversalError {
    /// What it books stands in an order, a refund or a hold: that is changed, and the books follow.
    #[error("a {} follows what it books; change that, and the books follow", .0.text())]
    Follows(Movement),
    /// A reversal stands for good.
    #[error("a reversal is not taken back; book what is right")]
    Reversal,
}

/// The transaction that takes another one back: the same entries with sides exchanged.
///
/// # Errors
/// [`ReversalError`] where the transaction only follows something else, or is a reversal itself.
pub fn reverse(
    transaction: &Transaction,
    event: EventId,
    effective_at: Option<Timestamp>,
    now: Timestamp,
    rng: &dyn Rng,
) -> Result<Transaction, ReversalError> {
    match transaction.kind {
        Movement::Reversal => return Err(ReversalError::Reversal),
        kind if FOLLOWING.contains(&kind) => return Err(ReversalError::Follows(kind)),
        _ => {}
    }
    Ok(Transaction {
        id: TransactionId::new(now, rng),
        kind: Movement::Reversal,
        event_id: event,
        reverses: Some(transaction.id),
        created_at: now,
        effective_at: effective_at.unwrap_or(now).min(now),
        entries: turned(transaction),
        ..transaction.clone()
    })
}

/// A transaction's entries with their sides exchanged.
fn turned(transaction: &Transaction) -> Vec<Entry> {
    let other = |side| if side == Side::Debit { Side::Credit } else { Side::Debit };
    transaction.entries.iter().map(|entry| Entry { side: other(entry.side), ..entry.clone() }).collect()
}

/// Whether a transaction may be stored: at least two entries, all positive, debits equal to credits in every
/// currency. The store refuses a commit for which this is not so, in release builds too.
pub fn is_balanced(transaction: &Transaction) -> bool {
    let mut sums: Vec<(crate::currency::Currency, i128)> = Vec::with_capacity(2);
    for entry in &transaction.entries {
        if !entry.money.is_positive() {
            return false;
        }
        let signed = match entry.side {
            Side::Debit => i128::from(entry.money.minor()),
            Side::Credit => -i128::from(entry.money.minor()),
        };
        match sums.iter_mut().find(|(currency, _)| *currency == entry.money.currency()) {
            Some((_, sum)) => *sum += signed,
            None => sums.push((entry.money.currency(), signed)),
        }
    }
    transaction.entries.len() >= 2 && sums.iter().all(|(_, sum)| *sum == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventKind, Part};
    use crate::money::Money;
    use crate::time::SeededRng;

    fn booked(booking: Booking) -> Transaction {
        let event = Event {
            id: EventId::from_bits(1),
            kind: EventKind::OrderSucceeded,
            object_id: "ord_1".into(),
            sequence: 1,
            body: String::new(),
            notify_url: None,
            booking: Some(booking),
            created_at: Timestamp::from_secs(1),
            position: 0,
            due_at: Timestamp::ZERO,
        };
        book(&event, &Templates::builtin(), &SeededRng::new(1)).unwrap()
    }

    fn cny(minor: i64) -> Money {
        Money::new(minor, crate::currency::Currency::CNY)
    }

    #[test]
    fn a_payment_of_100_leaves_the_merchant_99_60_the_platform_0_30_and_the_channel_0_10() {
        let booking = Booking::new(Movement::Payment, Part::Gross, cny(10_000)).channel("alipay");
        let transaction = booked(booking.with(Part::Fee, cny(40)).with(Part::Cost, cny(10)));
        let balance = |account: &str| -> i64 {
            let own = transaction.entries.iter().filter(|entry| entry.account == account);
            own.map(
                |entry| if entry.side == Side::Credit { entry.money.minor() } else { -entry.money.minor() },
            )
            .sum()
        };
        assert!(is_balanced(&transaction));
        assert_eq!(balance("merchant_pending"), 9_960);
        assert_eq!((balance("fee_income"), balance("channel_cost")), (40, -10));
        assert_eq!(balance("channel_receivable:alipay"), -9_990);
    }

    #[test]
    fn a_part_that_is_missing_or_zero_leaves_no_entry() {
        let booking = Booking::new(Movement::Refund, Part::Gross, cny(5)).channel("alipay");
        assert_eq!(booked(booking.clone()).entries.len(), 2);
        assert_eq!(booked(booking.with(Part::Fee, cny(0))).entries.len(), 2);
    }

    #[test]
    fn a_reversal_has_the_same_entries_the_other_way_and_is_not_reversed_itself() {
        let booking = Booking::new(Movement::Payment, Part::Gross, cny(10_000)).channel("alipay");
        let payment = booked(booking.with(Part::Fee, cny(40)));
        let (event, now, rng) = (EventId::from_bits(9), Timestamp::from_secs(9), SeededRng::new(2));
        let take_back = |row: &Transaction| reverse(row, event, None, now, &rng);
        assert_eq!(take_back(&payment), Err(ReversalError::Follows(Movement::Payment)));
        let reversal = Transaction { kind: Movement::Reversal, ..payment.clone() };
        assert_eq!(take_back(&reversal), Err(ReversalError::Reversal));
        let top_up = booked(Booking::new(Movement::TopUp, Part::Gross, cny(700)).party("main"));
        let back = take_back(&top_up).unwrap();
        assert!(is_balanced(&back));
        assert_eq!((back.reverses, back.kind, back.event_id), (Some(top_up.id), Movement::Reversal, event));
        let sums = |entries: &[Entry]| {
            let mut signed = std::collections::BTreeMap::new();
            for entry in entries {
                let sign = if entry.side == Side::Debit { 1 } else { -1 };
                *signed.entry(entry.account.clone()).or_insert(0) += sign * entry.money.minor();
            }
            signed
        };
        let both: Vec<Entry> = top_up.entries.into_iter().chain(back.entries).collect();
        assert!(sums(&both).values().all(|sum| *sum == 0));
    }

    #[test]
    fn every_template_is_balanced_whatever_the_amounts() {
        for movement in Movement::ALL {
            for part in crate::ledger::templates::template(*movement).lines.iter().map(|line| line.part) {
                let booking = Booking::new(*movement, part, cny(7)).channel("c").party("p");
                assert!(is_balanced(&booked(booking)), "{movement:?} {part:?}");
            }
        }
    }
}
