//! The one function that books an event.

use super::templates::{Line, template};
use super::{Entry, Side, Transaction};
use crate::event::{Booking, Event};
use crate::id::TransactionId;
use crate::money::Money;
use crate::time::Rng;

/// The transaction of an event, or nothing for events that move no money.
pub fn book(event: &Event, rng: &dyn Rng) -> Option<Transaction> {
    let booking: &Booking = event.booking.as_ref()?;
    let (_, money) = *booking.parts.first()?;
    let lines = template(booking.movement).lines.iter();
    let moved =
        lines.filter_map(|line| Some((line, booking.part(line.part).filter(|part| !part.is_zero())?)));
    Some(Transaction {
        id: TransactionId::new(event.created_at, rng),
        kind: booking.movement,
        event_id: event.id,
        order_id: booking.order_id,
        refund_id: booking.refund_id,
        money,
        created_at: event.created_at,
        entries: moved.flat_map(|(line, money)| entries(line, money, booking)).collect(),
    })
}

fn entries(line: &Line, money: Money, booking: &Booking) -> [Entry; 2] {
    let entry = |account, side| Entry { account: account_name(account, booking), side, money };
    [entry(line.debit, Side::Debit), entry(line.credit, Side::Credit)]
}

/// The name of an account with what the booking says in the place of the braces.
fn account_name(pattern: &str, booking: &Booking) -> String {
    let (channel, party) = (booking.channel.as_deref(), booking.party.as_deref());
    match pattern.split_once('{') {
        Some((head, "channel}")) => format!("{head}{}", channel.unwrap_or("none")),
        Some((head, _)) => format!("{head}{}", party.unwrap_or("none")),
        None => pattern.to_owned(),
    }
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
    use crate::event::{EventKind, Movement, Part};
    use crate::id::EventId;
    use crate::time::{SeededRng, Timestamp};

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
        book(&event, &SeededRng::new(1)).unwrap()
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
    fn every_template_is_balanced_whatever_the_amounts() {
        for movement in Movement::ALL {
            for part in template(*movement).lines.iter().map(|line| line.part) {
                let booking = Booking::new(*movement, part, cny(7)).channel("c").party("p");
                assert!(is_balanced(&booked(booking)), "{movement:?} {part:?}");
            }
        }
    }
}
