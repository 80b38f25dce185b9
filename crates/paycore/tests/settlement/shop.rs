//! A shop whose money is settled by the pure rules alone.

use paycore::clearing::{Item, ItemKind};
use paycore::currency::Currency;
use paycore::id::{ItemId, ReserveId, SettlementId, SettlementPlanId};
use paycore::money::Money;
use paycore::settlement::rules::{self, Close, Collected};
use paycore::settlement::{LineKind, Period, Plan, Reserve, Terms, Trigger};
use paycore::time::Timestamp;

/// A merchant with one plan, its items that wait, and its reserve.
pub struct Shop {
    pub plan: Plan,
    pub waiting: Vec<Item>,
    pub reserves: Vec<Reserve>,
    ids: u128,
}

impl Shop {
    pub fn new(terms: Terms, from: Timestamp) -> Shop {
        terms.check(Currency::CNY).expect("the test agrees on terms that make sense");
        let plan = Plan::new(SettlementPlanId::from_bits(1), Currency::CNY, terms, from);
        Shop { plan, waiting: Vec::new(), reserves: Vec::new(), ids: 100 }
    }

    fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }

    /// Clears a movement, as the engine does.
    pub fn clear(&mut self, kind: ItemKind, gross: i64, fee: i64, channel: Option<&str>, at: Timestamp) {
        let money = |minor| Money::new(minor, Currency::CNY);
        let mut item = Item::new(ItemId::from_bits(self.id()), kind, self.ids, money(gross), at);
        item.fee = money(fee);
        item.channel = channel.map(str::to_owned);
        let incoming = gross - fee > 0;
        item.available_at = self.plan.terms.available_at(at, channel, incoming);
        self.waiting.push(item);
    }

    /// Makes every scheduled settlement up to an instant.
    pub fn run_until(&mut self, until: Timestamp, mut each: impl FnMut(&Period, &Close)) {
        while let Some(at) = self.plan.next_run.filter(|at| *at <= until) {
            if let Some((period, close)) = self.settle(Trigger::Scheduled, at) {
                each(&period, &close);
            }
            self.plan.settled_until = Some(at);
            self.plan.next_run = self.plan.terms.next_run(at);
        }
    }

    /// Makes one settlement; none where there is nothing to do.
    pub fn settle(&mut self, trigger: Trigger, until: Timestamp) -> Option<(Period, Close)> {
        let takes = |item: &Item| trigger == Trigger::Accelerated || item.available_at <= until;
        let (taken, left): (Vec<Item>, Vec<Item>) = self.waiting.drain(..).partition(takes);
        self.waiting = left;
        let is_due = |reserve: &Reserve| reserve.left > 0 && reserve.release_at.is_some_and(|at| at <= until);
        let can_pay = self.plan.carried >= self.plan.terms.minimum(Currency::CNY) && self.plan.carried > 0;
        if taken.is_empty() && !self.reserves.iter().any(is_due) && !can_pay {
            return None;
        }
        let mut collected = Collected::default();
        for item in &taken {
            collected.add(item, &self.plan.terms, until, Currency::CNY).expect("sums fit");
        }
        let period = self.plan.terms.period(self.plan.settled_until, until);
        let held: Vec<Reserve> = self.reserves.iter().filter(|reserve| reserve.left > 0).cloned().collect();
        let close =
            rules::close(&self.plan, &collected, &held, trigger, (period.through, until)).expect("it ties");
        self.take_in(&close, period, until);
        Some((period, close))
    }

    fn take_in(&mut self, close: &Close, period: Period, until: Timestamp) {
        let settlement = SettlementId::from_bits(self.id());
        for (id, _, amount) in &close.moves.released {
            let reserve = self.reserves.iter_mut().find(|reserve| reserve.id == *id).expect("it is held");
            reserve.left -= amount;
            assert!(reserve.left >= 0, "more was released than held");
        }
        for (kind, amount, release_at) in close.moves.held.clone() {
            let id = ReserveId::from_bits(self.id());
            self.reserves.push(Reserve {
                id,
                version: 1,
                plan_id: self.plan.id,
                kind,
                settlement_id: settlement,
                money: Money::new(amount, Currency::CNY),
                left: amount,
                release_at,
                released: Vec::new(),
                created_at: until,
            });
        }
        self.reserves.retain(|reserve| reserve.left > 0);
        self.plan.closed(close, close.statement.amount(LineKind::Sales), period.through);
    }
}
