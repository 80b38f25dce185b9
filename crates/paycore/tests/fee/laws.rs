//! Laws that hold whatever the terms and amounts are.

use paycore::clearing::rules::{self as clearing, OtherMovement};
use paycore::clearing::{Item, ItemKind};
use paycore::currency::Currency;
use paycore::fee::report::trial;
use paycore::fee::rules::{self, Reversal, Volume};
use paycore::fee::{Schedule, Side, Terms};
use paycore::fx::rules::{FxError, cross, exchange, value};
use paycore::fx::{FxRate, FxSide, Pair};
use paycore::id::{FxRateId, ItemId};
use paycore::money::Money;
use paycore::rate::Rate;
use paycore::time::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::{cny, paid, terms, total};

const NOW: Timestamp = Timestamp::from_secs(1_794_000_000);

fn any_rate(most: i64) -> impl Strategy<Value = Rate> {
    (0..=most).prop_map(|millionths| Rate::from_units(millionths * 1_000_000))
}

/// Terms of three codes with tax, all given back in proportion.
fn returned(policy: &'static str) -> impl Strategy<Value = Terms> {
    (any_rate(50_000), any_rate(50_000), 0..500_i64, any_rate(200_000), prop::bool::ANY).prop_map(
        move |(rate, other, fixed, tax, up)| {
            terms(json!({"rounding": if up { "up" } else { "half_up" }, "rules": [
                {"name": "a", "code": "interchange", "refund": policy, "charge": {"kind": "flat", "rate": rate}},
                {"name": "b", "code": "markup", "refund": policy, "match": {"currency": "CNY"},
                 "tax": {"rate": tax}, "charge": {"kind": "flat", "rate": other, "fixed": fixed}},
                {"name": "c", "code": "scheme", "refund": policy, "base": "after_fees",
                 "charge": {"kind": "flat", "rate": other}},
            ]}))
        },
    )
}

fn item(minor: i64) -> Item {
    let kind = if minor > 0 { ItemKind::Payment } else { ItemKind::Refund };
    let item = Item::new(ItemId::from_bits(1), kind, "source", cny(minor), NOW);
    Item { channel: Some("alipay".into()), method: Some("alipay.qr".into()), ..item }
}

proptest! {
    #[test]
    fn the_lines_of_an_item_are_its_gross_less_its_net(terms in returned("keep"), minor in 1..10_i64.pow(12)) {
        let cost = Schedule { side: Side::Cost, ..trial(terms.clone()) };
        let item = clearing::priced(item(minor), &[trial(terms), cost]);
        prop_assert_eq!(item.fault.clone(), None);
        prop_assert_eq!(total(&item.lines), minor - item.net().unwrap().minor());
        prop_assert_eq!(total(&item.cost_lines), item.cost.minor());
        let margin = item.fee.minor() - item.tax.minor() - item.cost.minor();
        prop_assert_eq!(item.margin().unwrap(), cny(margin));
    }

    #[test]
    fn a_payment_refunded_in_any_parts_gives_back_exactly_its_fee(
        terms in prop_oneof![returned("pro_rata"), returned("return")],
        parts in prop::collection::vec(1..100_000_i64, 1..12),
    ) {
        let whole: i64 = parts.iter().sum();
        let schedules = [trial(terms.clone()), Schedule { side: Side::Cost, ..trial(terms) }];
        let payment = clearing::priced(item(whole), &schedules);
        let (mut returned, mut fee, mut cost, mut residue) = (0, payment.fee.minor(), payment.cost.minor(), 0);
        residue += payment.lines.iter().map(|line| line.residue.units()).sum::<i64>();
        for part in parts {
            let refund = clearing::refunded(item(-part), &payment, returned);
            prop_assert_eq!(refund.fault.clone(), None);
            returned += part;
            fee += refund.fee.minor();
            cost += refund.cost.minor();
            residue += refund.lines.iter().map(|line| line.residue.units()).sum::<i64>();
            prop_assert!((0..=payment.fee.minor()).contains(&fee), "never more back than was charged");
        }
        prop_assert_eq!((fee, cost, residue), (0, 0, 0));
    }

    #[test]
    fn what_is_kept_is_kept(terms in returned("keep"), whole in 2..10_000_i64) {
        let payment = clearing::priced(item(whole), &[trial(terms)]);
        let refund = clearing::refunded(item(-whole), &payment, 0);
        prop_assert_eq!((refund.fee, refund.lines.len()), (cny(0), 0));
    }

    #[test]
    fn a_larger_payment_never_costs_less(terms in returned("keep"), minor in 1..10_i64.pow(10), more in 0..1_000_i64) {
        let first = |minor: i64| rules::quote(&terms, &paid(minor)).unwrap()[0].amount.minor();
        prop_assert!(first(minor) <= first(minor + more));
    }

    #[test]
    fn graduated_lines_of_a_month_sum_to_the_month(
        rates in prop::collection::vec(any_rate(50_000), 3),
        payments in prop::collection::vec(1..300_000_i64, 1..20),
    ) {
        let terms = terms(json!({"rules": [{"name": "a", "match": {"currency": "CNY"}, "charge": {
            "kind": "graduated",
            "tiers": [{"below": 100_000, "rate": rates[0]}, {"up_to": 500_000, "rate": rates[1], "fixed": 7},
                      {"rate": rates[2]}],
        }}]}));
        let quote = |amount: i64, minor: i64| {
            let mut context = paid(minor);
            context.volume = Some(Volume { count: 0, amount });
            total(&rules::quote(&terms, &context).unwrap())
        };
        let (mut volume, mut sum) = (0, 0);
        for payment in payments {
            sum += quote(volume, payment);
            volume += payment;
        }
        prop_assert_eq!(sum, quote(0, volume));
    }

    #[test]
    fn reversing_more_than_was_paid_is_refused(whole in 1..1_000_i64, before in 0..1_000_i64, part in -5..1_000_i64) {
        let lines = rules::quote(&terms(json!({"rules": []})), &paid(whole)).unwrap();
        let allowed = part > 0 && before + part <= whole;
        prop_assert_eq!(rules::reverse(&lines, Reversal { whole, before, part }).is_ok(), allowed);
    }
}

#[test]
fn what_others_take_and_give_changes_the_net_by_its_amount() {
    for (movement, net) in [
        (OtherMovement::In(ItemKind::ChargebackReversal), 500),
        (OtherMovement::Out(ItemKind::Chargeback), -500),
        (OtherMovement::ChannelFee, -500),
    ] {
        let item = movement.cleared(item(500)).unwrap();
        assert_eq!((item.net().unwrap(), item.margin().unwrap()), (cny(net), cny(0)), "{movement:?}");
    }
}

fn rate(base: Currency, quote: Currency, mid: i64, spread: i64) -> FxRate {
    FxRate {
        id: FxRateId::from_bits(1),
        version: 0,
        pair: Pair { base, quote },
        mid: Rate::from_units(mid),
        spread: Rate::from_units(spread),
        source: "a law".into(),
        at: NOW,
        max_age: 300,
    }
}

proptest! {
    #[test]
    fn there_and_back_never_gains(
        mids in prop::collection::vec(1_000_000..10_i64.pow(17), 2),
        spread in 0..10_i64.pow(10),
        minor in 1..10_i64.pow(11),
        over in prop::bool::ANY,
    ) {
        let (from, to) = (Currency::CNY, Currency::KWD);
        let rates = match over {
            false => vec![rate(Currency::KWD, Currency::CNY, mids[0], spread)],
            true => vec![rate(Currency::USD, from, mids[0], spread), rate(Currency::USD, to, mids[1], spread)],
        };
        let convert = |money: Money, into: Currency| {
            let cross = cross(&rates, money.currency(), into, NOW)?;
            exchange(FxSide::Sell, money, into, &cross)
        };
        let Ok(there) = convert(cny(minor), to) else { return Ok(()) };
        prop_assert!((0..=1).contains(&there.rounding.minor()), "at most one minor unit is rounded");
        let back = convert(there.bought, from).map_or(0, |back| back.bought.minor());
        prop_assert!(back <= minor, "{back} out of {minor}");
    }

    #[test]
    fn what_is_bought_is_bought_to_the_minor_unit_and_never_below_its_price(
        mid in 1_000_000_000..10_i64.pow(16), spread in 0..10_i64.pow(10), minor in 1..10_i64.pow(9),
    ) {
        let rates = [rate(Currency::USD, Currency::JPY, mid, spread)];
        let wanted = Money::new(minor, Currency::JPY);
        let cross = cross(&rates, Currency::USD, Currency::JPY, NOW).unwrap();
        let Ok(exchange) = exchange(FxSide::Buy, wanted, Currency::USD, &cross) else { return Ok(()) };
        prop_assert_eq!(exchange.bought, wanted);
        prop_assert!(!exchange.spread.is_negative() && !exchange.rounding.is_negative());
        let sold_one_less = Money::new(exchange.sold.minor() - 1, Currency::USD);
        let less = paycore::fx::rules::exchange(FxSide::Sell, sold_one_less, Currency::JPY, &cross);
        prop_assert!(less.is_err() || less.unwrap().bought.minor() < minor, "one cent less buys less");
    }

    #[test]
    fn a_position_opened_at_the_mid_is_worth_what_rounding_left(
        mid in 10_i64.pow(10)..10_i64.pow(14), minor in 10_000..10_i64.pow(11),
    ) {
        let rates = [rate(Currency::USD, Currency::CNY, mid, 0)];
        let cross = cross(&rates, Currency::USD, Currency::CNY, NOW).unwrap();
        let exchange = exchange(FxSide::Sell, Money::new(minor, Currency::USD), Currency::CNY, &cross).unwrap();
        let held = [exchange.sold, exchange.bought.checked_neg().unwrap()];
        let (positions, total) = value(&held, Currency::CNY, &rates, NOW).unwrap();
        prop_assert_eq!(positions.len(), 2);
        prop_assert!((0..=1).contains(&total.minor()), "{total}");
    }
}

#[test]
fn a_stale_rate_is_refused_and_a_missing_one_says_so() {
    let usd = rate(Currency::USD, Currency::CNY, 7 * 10_i64.pow(12), 0);
    let later = NOW.plus(std::time::Duration::from_secs(300));
    let (from, to) = (Currency::USD, Currency::CNY);
    let rates = [usd];
    assert!(cross(&rates, from, to, NOW).is_ok());
    assert_eq!(cross(&rates, from, to, later), Err(FxError::Stale { from, to }));
    let before = NOW.minus(std::time::Duration::from_secs(1));
    assert_eq!(cross(&rates, from, to, before), Err(FxError::Stale { from, to }), "a rate of the future");
    let to = Currency::EUR;
    assert_eq!(cross(&rates, from, to, NOW), Err(FxError::NoRate { from, to }));
    assert_eq!(cross(&rates, from, from, NOW), Err(FxError::SameCurrency));
}

#[test]
fn a_rate_between_two_currencies_goes_before_a_way_over_a_third() {
    let rates = [
        rate(Currency::USD, Currency::CNY, 7 * 10_i64.pow(12), 0),
        rate(Currency::EUR, Currency::USD, 10_i64.pow(12), 0),
        rate(Currency::EUR, Currency::CNY, 8 * 10_i64.pow(12), 5 * 10_i64.pow(9)),
    ];
    let direct = cross(&rates, Currency::EUR, Currency::CNY, NOW).unwrap();
    assert_eq!((direct.mid, direct.rates.len()), (Rate::from_units(8 * 10_i64.pow(12)), 1));
    let over = cross(&rates[..2], Currency::EUR, Currency::CNY, NOW).unwrap();
    assert_eq!((over.mid, over.rates.len()), (Rate::from_units(7 * 10_i64.pow(12)), 2));
}

#[test]
fn a_thousand_yen_at_a_twentieth_are_fifty_yuan() {
    let rates = [rate(Currency::JPY, Currency::CNY, 5 * 10_i64.pow(10), 10_i64.pow(10))];
    let cross = cross(&rates, Currency::JPY, Currency::CNY, NOW).unwrap();
    let done = exchange(FxSide::Sell, Money::new(1_000, Currency::JPY), Currency::CNY, &cross).unwrap();
    assert_eq!((done.bought, done.spread, done.rounding), (cny(4_950), cny(50), cny(0)));
}
