//! Money is conserved: over any history of a merchant, what was captured less refunds, chargebacks and fees is what was
//! paid, what waits, what is carried, what is held in reserve. The recount adds up the raw history; it knows nothing of
//! statements.
//!
//! The test takes a sample; all of it: `cargo xtask proofs histories`.

use std::collections::BTreeMap;

use paycore::calendar::{Calendar, Weekday, Zone};
use paycore::clearing::ItemKind;
use paycore::currency::Currency;
use paycore::event::Part;
use paycore::settlement::terms::Acceleration;
use paycore::settlement::{Cycle, LineKind, Payer, Period, ReserveRule, Terms, TransferFee, Trigger, rules};
use paycore::time::{SeededRng, Timestamp};

use crate::shop::Shop;

const SAMPLE: u64 = 1_500;
const DAY: i64 = 86_400_000_000;

struct Dice(SeededRng);

impl Dice {
    fn below(&self, end: i64) -> i64 {
        (self.0.next_u64() % end as u64) as i64
    }

    fn one_in(&self, chances: i64) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(of.len() as i64) as usize]
    }
}

fn random_terms(dice: &Dice) -> Terms {
    let cycles = [
        Cycle::WorkingDays { days: 0 },
        Cycle::WorkingDays { days: 1 },
        Cycle::WorkingDays { days: 3 },
        Cycle::CalendarDays { days: 0 },
        Cycle::CalendarDays { days: 2 },
        Cycle::Week { weekday: Weekday::Thursday },
        Cycle::HalfMonth,
        Cycle::Month { day: 31 },
        Cycle::Manual,
    ];
    let mut terms = Terms::usual(dice.pick(&cycles), Currency::CNY);
    terms.time_zone =
        Zone::named(dice.pick(&["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"])).unwrap();
    terms.calendar = dice.pick(Calendar::ALL);
    terms.cutoff = dice.pick(&["24:00", "22:00", "02:30", "00:01"]).parse().unwrap();
    terms.channel_cutoffs.insert("b".into(), dice.pick(&["23:00", "01:00"]).parse().unwrap());
    terms.minimum = dice.pick(&[None, Some(0), Some(50_000)]);
    terms.maximum = dice.pick(&[None, None, Some(200_000)]);
    let payer = dice.pick(&[Payer::Merchant, Payer::Platform]);
    terms.transfer_fee = TransferFee { payer, fixed: 100, basis_points: 10, maximum: Some(1_000) };
    terms.acceleration = Some(Acceleration { basis_points: 30, minimum: 50 });
    terms.channel_days.insert("a".into(), 2);
    terms.float_limit = dice.pick(&[None, None, Some(0), Some(80_000)]);
    terms.draw_after_days = dice.pick(&[None, Some(3)]);
    terms.settlement_currency = dice.pick(&[None, None, Some(Currency::USD)]);
    let rules = [
        ReserveRule::Rolling { basis_points: 1_000, days: 9 },
        ReserveRule::Fixed { amount: 60_000, basis_points: 2_500 },
        ReserveRule::Exposure { basis_points: 300, days: 12 },
    ];
    terms.reserves = rules.into_iter().filter(|_| dice.one_in(2)).collect();
    terms
}

/// What really happened to the merchant's money, minor units.
#[derive(Default, Debug)]
struct History {
    captured: i64,
    refunded: i64,
    charged_back: i64,
    fees: i64,
    paid: i64,
    unpaid: i64,
    /// The ledger's accounts of the merchant, moved by the bookings alone.
    books: BTreeMap<&'static str, i64>,
}

impl History {
    fn close(&mut self, dice: &Dice, close: &rules::Close, net: i64) {
        let statement = &close.statement;
        self.fees -= statement.amount(LineKind::AccelerationFee) + statement.amount(LineKind::TransferFee);
        // Sold for another currency, it has left this one.
        let payout = statement.paid_out();
        // Some payouts fail or come back: their money waits with the settlement until it is paid again.
        if dice.one_in(5) {
            self.unpaid += payout
        } else {
            self.paid += payout
        }
        if dice.one_in(3) {
            self.paid += std::mem::take(&mut self.unpaid);
        }
        for (part, money) in rules::booking(close, net).into_iter().flat_map(|booking| booking.parts) {
            let (from, to) = match part {
                Part::Settled => ("pending", "available"),
                Part::Reclaimed => ("available", "pending"),
                Part::ReserveHeld => ("available", "reserve"),
                Part::ReserveReleased => ("reserve", "available"),
                Part::AccelerationFee | Part::TransferFee => ("available", "income"),
                other => panic!("a settlement books no {other:?}"),
            };
            *self.books.entry(from).or_default() -= money.minor();
            *self.books.entry(to).or_default() += money.minor();
        }
        *self.books.entry("available").or_default() -= payout;
        *self.books.entry("paid").or_default() += payout;
    }

    fn check(&self, shop: &Shop, seed: u64) {
        let waiting: i64 = shop.waiting.iter().map(|item| item.gross.minor() - item.fee.minor()).sum();
        let reserved: i64 = shop.reserves.iter().map(|reserve| reserve.left).sum();
        let left = self.captured - self.refunded - self.charged_back - self.fees - self.paid - self.unpaid;
        assert_eq!(left - waiting - reserved - shop.plan.carried, 0, "seed {seed}: {self:?}");
        assert_eq!(
            shop.plan.reserved.values().sum::<i64>(),
            reserved,
            "seed {seed}: the plan's sum of reserves"
        );
        let book = |name: &str| self.books.get(name).copied().unwrap_or(0);
        assert_eq!(book("available"), shop.plan.carried, "seed {seed}: the books and the statements");
        assert_eq!(book("reserve"), reserved, "seed {seed}: the books and the reserves");
        assert_eq!(book("pending"), waiting, "seed {seed}: the books and the items");
    }
}

/// A payment of which something is left to give back.
struct Sold {
    left: i64,
}

fn one_day(dice: &Dice, shop: &mut Shop, sold: &mut Vec<Sold>, history: &mut History, midnight: i64) {
    for _ in 0..dice.below(4) {
        let at = Timestamp::from_micros(midnight + dice.below(DAY));
        let channel = dice.pick(&[Some("a"), Some("b"), None]);
        let (kind, gross, fee) = match dice.below(10) {
            0..=5 => {
                let gross = 1 + dice.below(90_000);
                sold.push(Sold { left: gross });
                history.captured += gross;
                (ItemKind::Payment, gross, gross * 6 / 1_000)
            }
            6 | 7 if !sold.is_empty() => {
                let at = dice.below(sold.len() as i64) as usize;
                let back = 1 + dice.below(sold[at].left.max(1));
                let back = back.min(sold[at].left);
                sold[at].left -= back;
                history.refunded += back;
                (ItemKind::Refund, -back, -dice.below(3))
            }
            8 if !sold.is_empty() => {
                let at = dice.below(sold.len() as i64) as usize;
                let back = std::mem::take(&mut sold[at].left);
                history.charged_back += back;
                (ItemKind::Chargeback, -back, 1_500)
            }
            _ => (ItemKind::Fee, 0, dice.below(500)),
        };
        history.fees += fee;
        *history.books.entry("pending").or_default() += gross - fee;
        shop.clear(kind, gross, fee, channel, at);
    }
}

fn one_history(seed: u64) -> usize {
    let dice = Dice(SeededRng::new(seed));
    let start = "2026-01-20T00:00:00Z".parse::<Timestamp>().unwrap().micros() + dice.below(280) * DAY;
    let mut shop = Shop::new(random_terms(&dice), Timestamp::from_micros(start));
    let (mut sold, mut history, mut statements) = (Vec::new(), History::default(), 0);
    for day in 0..45 {
        let midnight = start + day * DAY;
        one_day(&dice, &mut shop, &mut sold, &mut history, midnight);
        let until = Timestamp::from_micros(midnight + DAY);
        let mut closes: Vec<(Period, rules::Close)> = Vec::new();
        shop.run_until(until, |period, close| closes.push((*period, close.clone())));
        if dice.one_in(9) {
            let trigger = dice.pick(&[Trigger::Manual, Trigger::Accelerated]);
            closes.extend(shop.settle(trigger, until));
        }
        if dice.one_in(15) {
            shop.plan.terms.hold = dice.pick(&[None, Some("a person looks at it")]).map(str::to_owned);
        }
        for (_, close) in &closes {
            let s = &close.statement;
            let outside = [
                LineKind::ReserveHeld,
                LineKind::ReserveReleased,
                LineKind::AccelerationFee,
                LineKind::TransferFee,
                LineKind::Converted,
                LineKind::Payout,
            ];
            let net =
                s.lines.iter().filter(|(kind, _)| !outside.contains(kind)).map(|(_, line)| line.amount).sum();
            history.close(&dice, close, net);
        }
        statements += closes.len();
        history.check(&shop, seed);
    }
    statements
}

#[test]
fn no_cent_is_lost_or_made_over_random_histories() {
    let histories =
        std::env::var("PAYCORE_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(SAMPLE);
    let statements: usize = (1..=histories).map(one_history).sum();
    println!("{histories} histories, {statements} statements");
    assert!(statements as u64 > histories * 5, "{statements} statements say too little");
}
