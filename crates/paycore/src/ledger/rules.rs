//! Posting templates as data, and the one function that books an event.

use super::{Entry, Side, Transaction, TransactionKind};
use crate::event::{Booking, Event, Movement};
use crate::id::TransactionId;
use crate::time::Rng;

/// One line of a template: which side of which account gets the event's amount.
struct Line {
    side: Side,
    account: &'static str,
    per_channel: bool,
}

/// Money came in: the channel owes us, we owe the merchant.
const PAYMENT: &[Line] = &[
    Line { side: Side::Debit, account: "channel_receivable", per_channel: true },
    Line { side: Side::Credit, account: "merchant_pending", per_channel: false },
];

/// Money went back: we owe the merchant less, the channel owes us less.
const REFUND: &[Line] = &[
    Line { side: Side::Debit, account: "merchant_pending", per_channel: false },
    Line { side: Side::Credit, account: "channel_receivable", per_channel: true },
];

/// The transaction of an event, or nothing for events that move no money.
pub fn book(event: &Event, rng: &dyn Rng) -> Option<Transaction> {
    let booking: &Booking = event.booking.as_ref()?;
    let (kind, template) = match booking.movement {
        Movement::Payment => (TransactionKind::Payment, PAYMENT),
        Movement::Refund => (TransactionKind::Refund, REFUND),
    };
    Some(Transaction {
        id: TransactionId::new(event.created_at, rng),
        kind,
        event_id: event.id,
        order_id: booking.order_id,
        refund_id: booking.refund_id,
        money: booking.money,
        created_at: event.created_at,
        entries: template.iter().map(|line| entry(line, booking)).collect(),
    })
}

fn entry(line: &Line, booking: &Booking) -> Entry {
    let account = match line.per_channel {
        true => format!("{}:{}", line.account, booking.channel),
        false => line.account.to_owned(),
    };
    Entry { account, side: line.side, money: booking.money }
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

    #[test]
    fn every_template_is_balanced_whatever_the_amount() {
        for template in [PAYMENT, REFUND] {
            let debits = template.iter().filter(|line| line.side == Side::Debit).count();
            assert_eq!(debits * 2, template.len());
            assert!(template.len() >= 2);
        }
    }
}
