//! Deposits made from batches: one to one, several to one, with refunds and a wire fee taken off.

use crate::currency::Currency;
use crate::money::Money;
use crate::reconciliation::bank::{Batch, Deposit};
use crate::time::{SeededRng, Timestamp};

/// A bank's side and what is true of it.
#[derive(Debug, Clone, Default)]
pub struct Deposits {
    /// What the channel owes.
    pub batches: Vec<Batch>,
    /// What it may take off besides.
    pub refunds: Vec<Money>,
    /// What arrived.
    pub deposits: Vec<Deposit>,
    /// Of every deposit its batches.
    pub batches_of: Vec<Vec<usize>>,
    /// Of every deposit the refunds that were taken off.
    pub refunds_of: Vec<Vec<usize>>,
    /// Of every deposit the wire fee.
    pub wire_fee_of: Vec<i64>,
}

/// The wire fee that is taken off some of the deposits.
pub const WIRE_FEE: i64 = 1_500;

/// So many days with one batch each, two refunds at hand every third day, a batch that never arrives and a deposit from
/// nowhere now and then.
pub fn deposits(days: u32, seed: u64) -> Deposits {
    let rng = SeededRng::new(seed);
    let below = |limit: u64| i64::try_from(rng.next_u64() % limit).expect("small");
    let mut made = Deposits::default();
    let mut day = 0;
    while day < i64::from(days) {
        let run = 1 + below(4);
        let mut batches = Vec::new();
        for _ in 0..run {
            let at = Timestamp::from_secs(1_795_968_000 + day * 86_400);
            batches.push(made.batches.len());
            let net = Money::new(50_000_000 + below(3_000_000_000), Currency::CNY);
            made.batches.push(Batch { id: format!("ST{day:06}"), net, at });
            day += 1;
        }
        let arrived = Timestamp::from_secs(1_795_968_000 + day * 86_400);
        if below(20) == 0 {
            continue;
        }
        let refunds = refunds(&mut made, &below);
        let wire_fee = if below(2) == 0 { WIRE_FEE } else { 0 };
        let gross: i64 = batches.iter().map(|i| made.batches[*i].net.minor()).sum();
        let off: i64 = refunds.iter().map(|i| made.refunds[*i].minor()).sum();
        let text = if below(4) == 0 { made.batches[batches[0]].id.clone() } else { String::new() };
        let money = Money::new(gross - off - wire_fee, Currency::CNY);
        made.deposits.push(Deposit { id: format!("D{day}"), money, at: arrived, text });
        made.batches_of.push(batches);
        made.refunds_of.push(refunds);
        made.wire_fee_of.push(wire_fee);
        if below(25) == 0 {
            stray(&mut made, arrived, below(1_000_000_000));
        }
    }
    made
}

/// Every third deposit has two refunds taken off.
fn refunds(made: &mut Deposits, below: &impl Fn(u64) -> i64) -> Vec<usize> {
    if below(3) > 0 {
        return Vec::new();
    }
    let first = made.refunds.len();
    made.refunds.extend((0..2).map(|_| Money::new(1_000 + below(9_000_000), Currency::CNY)));
    vec![first, first + 1]
}

fn stray(made: &mut Deposits, at: Timestamp, amount: i64) {
    let money = Money::new(1 + amount, Currency::CNY);
    made.deposits.push(Deposit { id: "stray".into(), money, at, text: "unknown sender".into() });
    made.batches_of.push(Vec::new());
    made.refunds_of.push(Vec::new());
    made.wire_fee_of.push(0);
}
