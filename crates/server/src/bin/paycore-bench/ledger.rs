//! The ledger in memory: transfers per second with half the traffic on one account, beside a loop that only adds
//! amounts and remembers ids.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use paycore::currency::Currency;
use paycore::ledger::Side;
use paycore::ledger::machine::{Account, Action, Leg, Limit, Machine, Transfer, UpTo};

use crate::table::Row;

const ACCOUNTS: u128 = 100_000;
const TRANSFERS: u64 = 2_000_000;
const BATCH: usize = 8_000;
/// The machine and the bare loop take turns; the middle of each is reported.
const ROUNDS: usize = 3;

/// One row.
pub fn measure() -> Row {
    let transfers: Vec<Transfer> = (1..=TRANSFERS).map(transfer).collect();
    let mut rates = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        rates.0.push(through_machine(&transfers));
        rates.1.push(through_loop(&transfers));
    }
    rates.0.sort_unstable();
    rates.1.sort_unstable();
    let (machine, bare) = (rates.0[ROUNDS / 2], rates.1[ROUNDS / 2]);
    Row {
        what: "ledger in memory, half of the transfers on one account".to_owned(),
        measured: format!("{machine} transfers/s"),
        limit: format!("bare loop {bare}/s"),
        result: format!("{} %", machine * 100 / bare.max(1)),
        target: ">= 1000000 transfers/s".to_owned(),
    }
}

/// Every transfer has an id from outside and a random partner; every other one credits the first account.
fn transfer(number: u64) -> Transfer {
    let mixed = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let debit = mixed % (ACCOUNTS - 1) + 2;
    let credit = if number.is_multiple_of(2) { 1 } else { (mixed >> 64) % (ACCOUNTS - 1) + 2 };
    let credit = if credit == debit { 1 } else { credit };
    let amount = 1 + (number % 9_999) as i64;
    Transfer {
        id: mixed,
        action: Action::Move(Leg { debit, credit, amount, up_to: UpTo::Exact }),
        linked: false,
    }
}

fn through_machine(transfers: &[Transfer]) -> u64 {
    let mut machine = Machine::default();
    for id in 1..=ACCOUNTS {
        let limit = Limit::None;
        machine.open(Account { id, tenant: 1, currency: Currency::CNY, code: 1, side: Side::Credit, limit });
    }
    let start = Instant::now();
    let applied: usize = transfers
        .chunks(BATCH)
        .map(|batch| machine.apply(batch).into_iter().filter(|code| code.stands()).count())
        .sum();
    let rate = rate(transfers.len(), start);
    assert_eq!(applied, transfers.len(), "every transfer of the bench stands");
    rate
}

/// The least that a ledger does: remember the id, find both accounts, add to both.
fn through_loop(transfers: &[Transfer]) -> u64 {
    let places: HashMap<u128, usize> = (1..=ACCOUNTS).zip(0..).collect();
    let mut sums = vec![(0_i64, 0_i64); places.len()];
    let mut seen: HashMap<u128, usize> = HashMap::new();
    let start = Instant::now();
    for (at, transfer) in transfers.iter().enumerate() {
        let Action::Move(leg) = transfer.action else { continue };
        if seen.insert(transfer.id, at).is_none() {
            sums[places[&leg.debit]].0 += leg.amount;
            sums[places[&leg.credit]].1 += leg.amount;
        }
    }
    let rate = rate(transfers.len(), start);
    black_box(sums);
    rate
}

fn rate(count: usize, start: Instant) -> u64 {
    let micros = start.elapsed().as_micros().max(1);
    u64::try_from(count as u128 * 1_000_000 / micros).unwrap_or(u64::MAX)
}
