//! Fees and exchange against an oracle that reckons with rational numbers, a table of cases worked by hand, and laws
//! that hold for any terms.
//!
//! `tests/fee/oracle.py` makes the cases. A sample of them is kept in `tests/fee/vectors.jsonl`; `tests/fee/README.md`
//! has the command for a million.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

#[path = "fee/golden.rs"]
mod golden;
#[path = "fee/laws.rs"]
mod laws;
#[path = "fee/oracle.rs"]
mod oracle;

use paycore::currency::Currency;
use paycore::fee::rules::Context;
use paycore::fee::{FeeLine, Terms, check};
use paycore::money::Money;
use paycore::time::Timestamp;
use serde_json::Value;

/// The terms of a JSON text, checked.
fn terms(json: Value) -> Terms {
    check::terms(serde_json::from_value(json).unwrap()).unwrap()
}

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

/// A payment by Alipay's QR code of which nothing else is known.
fn paid(minor: i64) -> Context<'static> {
    Context {
        money: cny(minor),
        channel: "alipay",
        method: "alipay.qr",
        card_type: None,
        region: None,
        at: Timestamp::from_secs(1_794_000_000),
        volume: None,
    }
}

fn total(lines: &[FeeLine]) -> i64 {
    lines.iter().map(|line| line.amount.minor()).sum()
}
