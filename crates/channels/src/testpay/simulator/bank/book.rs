//! The provider's memory on paper: records for restarts, the book, and statement files.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use paycore::channel::simulator::BookLine;
use paycore::time::Timestamp;

use super::super::charge::{Charge, Refund};
use super::Bank;

/// When it happened, its number, and the payment or refund.
type Movement<'b> = (i64, u64, &'b Charge, Option<&'b Refund>);

impl Bank {
    pub(in super::super) fn changed(&mut self) -> Vec<(String, String)> {
        let indexes = std::mem::take(&mut self.changed);
        let record = |index: u32| {
            let charge = &mut self.charges[index as usize];
            charge.is_dirty = false;
            serde_json::to_string(charge).ok().map(|json| (charge.reference.to_string(), json))
        };
        indexes.into_iter().filter_map(record).collect()
    }

    pub(in super::super) fn restore(&mut self, charge: Charge) {
        let Ok(index) = u32::try_from(self.charges.len()) else { return };
        self.number = self.number.max(charge.number);
        self.by_reference.insert(charge.reference.clone(), index);
        for (position, refund) in charge.refunds.iter().enumerate() {
            self.number = self.number.max(refund.number);
            self.refunds.insert(refund.reference.clone(), (index, position));
        }
        if let Some(at) = charge.settles_at {
            self.timers.push(Reverse((at, index)));
        }
        for (position, next) in charge.notes.iter().enumerate().filter_map(|(p, note)| Some((p, note.next?)))
        {
            self.send_at(index, position, next);
        }
        self.charges.push(charge);
    }

    /// Everything that moved, payments before their refunds.
    fn movements(&self) -> impl Iterator<Item = Movement<'_>> {
        self.charges.iter().filter(|charge| charge.captured > 0).flat_map(|charge| {
            let payment = (charge.at.unwrap_or_default(), charge.number, charge, None);
            let refunds = charge.given().map(move |refund| (refund.at, refund.number, charge, Some(refund)));
            std::iter::once(payment).chain(refunds)
        })
    }

    pub(in super::super) fn book(&self) -> Vec<BookLine> {
        let line = |(at, _, charge, refund): Movement<'_>| BookLine {
            reference: charge.reference.to_string(),
            refund: refund.map(|refund| refund.reference.to_string()),
            money: charge.money(refund.map_or(charge.captured, |refund| refund.amount)),
            at: Timestamp::from_millis(at),
        };
        self.movements().map(line).collect()
    }

    /// The CSV of everything that moved from one instant until before another, oldest first.
    pub(in super::super) fn statement(&self, from: i64, until: i64) -> String {
        let mut movements: Vec<_> = self.movements().filter(|m| (from..until).contains(&m.0)).collect();
        movements.sort_by_key(|movement| (movement.0, movement.1));
        let mut csv = "reference,refund,channel_id,kind,amount,currency,fee,at\n".to_owned();
        let (mut sums, mut counts) = (BTreeMap::new(), [0_u64; 2]);
        // Writing into a String cannot fail.
        for (at, _, charge, refund) in movements {
            let (column, kind, amount, fee) = match refund {
                Some(refund) => (1, "refund", refund.amount, 0),
                None => (0, "payment", charge.captured, fee(charge.captured)),
            };
            let sums: &mut [i64; 3] = sums.entry(charge.currency).or_default();
            sums[column] = sums[column].saturating_add(amount);
            sums[2] = sums[2].saturating_add(fee);
            counts[column] += 1;
            let (reference, currency, id) = (&charge.reference, charge.currency, charge.id());
            let refund = refund.map_or("", |refund| &refund.reference);
            let _ = writeln!(csv, "{reference},{refund},{id},{kind},{amount},{currency},{fee},{at}");
        }
        for (currency, [payments, refunds, fees]) in &sums {
            let _ = writeln!(csv, "#sum,{currency},{payments},{refunds},{fees}");
        }
        let _ = writeln!(csv, "#total,{},{}", counts[0], counts[1]);
        csv
    }
}

/// 0.6 % of a payment, cut to whole minor units.
fn fee(amount: i64) -> i64 {
    amount / 1_000 * 6 + amount % 1_000 * 6 / 1_000
}
