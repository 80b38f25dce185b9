//! Settlement in another currency by the pure rules, against rational arithmetic that knows nothing of them: what is sold,
//! what that is worth, what is kept and what is paid, over random rates, spreads and currencies.

use paycore::currency::Currency;
use paycore::fx::{FxRate, Pair};
use paycore::id::{FxQuoteId, FxRateId, SettlementId, SettlementPlanId};
use paycore::money::Money;
use paycore::rate::{ONE, Rate};
use paycore::settlement::conversion::sale;
use paycore::settlement::{Line, LineKind, Settlement, Statement, WaitsFor};
use paycore::time::Timestamp;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_secs(1_000);

/// A fraction of whole numbers, the denominator above zero.
#[derive(Debug, Clone, Copy)]
struct Fraction(i128, i128);

impl Fraction {
    fn times(self, other: Fraction) -> Fraction {
        let reduced = |a: i128, b: i128| {
            let by = gcd(a, b);
            (a / by, b / by)
        };
        let (a, d) = reduced(self.0, other.1);
        let (c, b) = reduced(other.0, self.1);
        Fraction(a * c, b * d)
    }

    fn floor(self) -> i128 {
        self.0.div_euclid(self.1)
    }

    /// Cut to the twelve places of a rate.
    fn to_places(self) -> Fraction {
        Fraction(self.times(Fraction(i128::from(ONE), 1)).floor(), i128::from(ONE))
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs().max(1) } else { gcd(b, a % b) }
}

/// What an amount in minor units is at a rate in minor units of the other currency.
fn at(minor: i64, rate: Fraction, from: Currency, to: Currency) -> Fraction {
    let scale = |currency: Currency| 10_i128.pow(u32::from(currency.exponent()));
    Fraction(i128::from(minor), 1).times(rate).times(Fraction(scale(to), scale(from)))
}

fn settlement(sold: i64, from: Currency, into: Currency) -> Settlement {
    let lines = [
        (LineKind::Sales, Line { count: 1, amount: sold }),
        (LineKind::Converted, Line { count: 1, amount: -sold }),
    ];
    let statement = Statement { currency: from, opening: 0, lines: lines.into(), closing: 0 };
    let json = serde_json::json!({
        "id": SettlementId::from_bits(1), "plan_id": SettlementPlanId::from_bits(1), "number": "X:1970-01-01",
        "currency": from, "status": "converting", "trigger": "manual",
        "period": {"after": null, "until": NOW, "through": "1970-01-01", "pay_on": "1970-01-01", "provisional": false},
        "collected": {"items": 1, "lines": {}, "net": sold, "early": 0, "unfunded": 0}, "conversion": {"into": into},
        "statement": statement, "items_expected": 1, "transfer_fee_payer": "platform", "sequence": 0, "created_at": NOW,
    });
    serde_json::from_value(json).unwrap()
}

fn currencies() -> impl Strategy<Value = (Currency, Currency)> {
    let code = || prop::sample::select(vec!["CNY", "USD", "JPY", "KWD", "HKD"]);
    let known = |code: &str| code.parse::<Currency>().unwrap();
    (code(), code())
        .prop_filter("two currencies", |(a, b)| a != b)
        .prop_map(move |(a, b)| (known(a), known(b)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_paid_is_what_fractions_say_and_both_statements_tie(
        (from, into) in currencies(),
        sold in 1_i64..=10_000_000_000,
        mid in 100_000_000_i64..=2_000_000_000_000_000,
        spread in 0_i64..500_000_000_000,
        inverted in any::<bool>(),
    ) {
        let pair = if inverted { Pair { base: into, quote: from } } else { Pair { base: from, quote: into } };
        let (mid, spread) = (Rate::from_units(mid), Rate::from_units(spread));
        let source = String::new();
        let (id, version, at_time, max_age) = (FxRateId::from_bits(1), 1, NOW, 60);
        let rates = [FxRate { id, version, pair, mid, spread, source, at: at_time, max_age }];
        let mut made = settlement(sold, from, into);
        let result = sale(FxQuoteId::from_bits(1), made.sold(), into, (&rates[..], sold), NOW).unwrap();

        let one = i128::from(ONE);
        let price = Fraction(i128::from(mid.units()), one);
        let price = if inverted { Fraction(price.1, price.0).to_places() } else { price };
        let offered = price.times(Fraction(one - i128::from(spread.units()), one)).to_places();
        let (worth, bought) = (at(sold, price, from, into).floor(), at(sold, offered, from, into).floor());
        let fits = worth <= i128::from(i64::MAX);
        prop_assert_eq!(result.is_ok(), bought > 0 && fits, "{:?}", result);
        made.converted(result.as_ref().map_err(|why| *why), NOW).unwrap();
        prop_assert_eq!(made.check_conversion(), Ok(()));
        let conversion = made.conversion.as_ref().unwrap();
        let Some(done) = conversion.done else {
            prop_assert_eq!((conversion.waits_for, made.payout()), (Some(WaitsFor::Rate), Money::zero(into)));
            return Ok(());
        };
        let second = done.statement();
        let line = |kind| i128::from(second.amount(kind));
        prop_assert_eq!(second.check(), Ok(()));
        prop_assert_eq!(line(LineKind::Proceeds), worth);
        prop_assert_eq!((line(LineKind::Payout), i128::from(made.payout().minor())), (-bought, bought));
        prop_assert_eq!(worth + line(LineKind::Spread) + line(LineKind::Rounding), bought);
        prop_assert!((-1..=0).contains(&line(LineKind::Rounding)), "at most one minor unit is lost to rounding");
        prop_assert_eq!(made.statement.as_ref().unwrap().check(), Ok(()));
    }
}
