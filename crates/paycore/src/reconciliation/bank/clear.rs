//! Deposits against batches, from the strongest evidence to the weakest. Each pass looks at all deposits as they stand
//! and accepts only explanations that are the only one and that no other deposit needs too, so that no deposit takes a
//! batch from a better one.

use std::time::Duration;

use super::subset::{CANDIDATES_MAX, Found, subset};
use super::{Batch, Deposit};
use crate::money::Money;

/// What may stand between a batch and its deposit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Fees that a bank on the way may have kept, minor units; 0 need not be named.
    pub wire_fees: Vec<i64>,
    /// A deposit comes at most so long after its batch closed.
    pub within: Duration,
    /// The most batches one deposit may be made of.
    pub batches_max: usize,
}

impl Default for Terms {
    /// No wire fee, ten days, as many batches as can be searched.
    fn default() -> Terms {
        Terms { wire_fees: Vec::new(), within: Duration::from_secs(10 * 86_400), batches_max: CANDIDATES_MAX }
    }
}

/// Why a deposit is taken for these batches, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// Its text names the batches and nothing else, and the sum agrees.
    Named,
    /// One batch of this amount, and no other.
    Amount,
    /// Batches that follow one another.
    Run,
    /// The only choice of open batches that makes up the sum.
    Choice,
    /// One batch less open refunds: the only choice of them that makes up the difference.
    LessRefunds,
}

/// A deposit explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    /// Index of the deposit.
    pub deposit: usize,
    /// Indices of the batches, ascending.
    pub batches: Vec<usize>,
    /// Indices of the refunds that were taken off besides, ascending.
    pub refunds: Vec<usize>,
    /// What a bank on the way kept, minor units.
    pub wire_fee: i64,
    /// Why.
    pub evidence: Evidence,
}

/// The result: every deposit and batch is in exactly one list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clearing {
    /// Explained deposits, by index.
    pub cleared: Vec<Cleared>,
    /// Deposits that nothing explains, by index.
    pub deposits_only: Vec<usize>,
    /// Batches that have not arrived, by index.
    pub batches_only: Vec<usize>,
}

struct Table<'a> {
    batches: &'a [Batch],
    refunds: &'a [Money],
    deposits: &'a [Deposit],
    terms: &'a Terms,
    open_batch: Vec<bool>,
    open_refund: Vec<bool>,
    open_deposit: Vec<bool>,
}

/// Clears what can be. `refunds` are those the channel may take off a deposit beyond the batches, positive amounts.
pub fn clear(batches: &[Batch], refunds: &[Money], deposits: &[Deposit], terms: &Terms) -> Clearing {
    let mut table = Table {
        batches,
        refunds,
        deposits,
        terms,
        open_batch: vec![true; batches.len()],
        open_refund: vec![true; refunds.len()],
        open_deposit: vec![true; deposits.len()],
    };
    let mut cleared = Vec::new();
    for evidence in
        [Evidence::Named, Evidence::Amount, Evidence::Run, Evidence::Choice, Evidence::LessRefunds]
    {
        cleared.extend(table.pass(evidence));
    }
    cleared.sort_unstable_by_key(|cleared: &Cleared| cleared.deposit);
    let open = |flags: &[bool]| (0..flags.len()).filter(|i| flags[*i]).collect();
    Clearing { cleared, deposits_only: open(&table.open_deposit), batches_only: open(&table.open_batch) }
}

impl Table<'_> {
    /// One pass: what each open deposit could be, then those that do not need the same.
    fn pass(&mut self, evidence: Evidence) -> Vec<Cleared> {
        let open = (0..self.deposits.len()).filter(|deposit| self.open_deposit[*deposit]);
        let found: Vec<Cleared> = open.filter_map(|deposit| self.explain(deposit, evidence)).collect();
        let rivals = |one: &Cleared| {
            let touches = |other: &&Cleared| {
                other.deposit != one.deposit
                    && (other.batches.iter().any(|batch| one.batches.contains(batch))
                        || other.refunds.iter().any(|refund| one.refunds.contains(refund)))
            };
            found.iter().filter(touches).count()
        };
        let sole: Vec<Cleared> = found.iter().filter(|one| rivals(one) == 0).cloned().collect();
        for one in &sole {
            self.open_deposit[one.deposit] = false;
            one.batches.iter().for_each(|batch| self.open_batch[*batch] = false);
            one.refunds.iter().for_each(|refund| self.open_refund[*refund] = false);
        }
        sole
    }

    fn explain(&self, deposit: usize, evidence: Evidence) -> Option<Cleared> {
        let candidates = self.candidates(deposit);
        let (batches, refunds) = match evidence {
            Evidence::Named => (self.named(deposit, &candidates)?, Vec::new()),
            Evidence::Amount => {
                let single = candidates.iter().map(|batch| vec![*batch]);
                (self.sole(deposit, single)?, Vec::new())
            }
            Evidence::Run => (self.sole(deposit, self.runs(&candidates))?, Vec::new()),
            Evidence::Choice => (self.choice(deposit, &candidates)?, Vec::new()),
            Evidence::LessRefunds => self.less_refunds(deposit, &candidates)?,
        };
        let taken = self.net(&batches)? - self.given(&refunds);
        let kept = taken - i128::from(self.deposits[deposit].money.minor());
        Some(Cleared { deposit, batches, refunds, wire_fee: i64::try_from(kept).ok()?, evidence })
    }

    /// Open batches of the currency that closed before the deposit and not too long ago, in order of time.
    fn candidates(&self, deposit: usize) -> Vec<usize> {
        let deposit = &self.deposits[deposit];
        // A bank that gives only the day books at its start.
        let latest = deposit.at.plus(Duration::from_secs(86_400));
        let fits = |batch: &Batch| {
            batch.net.currency() == deposit.money.currency()
                && batch.at <= latest
                && deposit.at.since(batch.at) <= self.terms.within
        };
        let open = (0..self.batches.len()).filter(|i| self.open_batch[*i] && fits(&self.batches[*i]));
        let mut found: Vec<usize> = open.collect();
        found.sort_by_key(|i| (self.batches[*i].at, &self.batches[*i].id));
        found
    }

    /// What a deposit may come to before a wire fee was kept.
    fn targets(&self, deposit: usize) -> Vec<i64> {
        let arrived = self.deposits[deposit].money.minor();
        let fees = self.terms.wire_fees.iter().filter_map(|fee| arrived.checked_add(*fee));
        fees.chain([arrived]).collect()
    }

    fn net(&self, batches: &[usize]) -> Option<i128> {
        (!batches.is_empty()).then(|| batches.iter().map(|i| i128::from(self.batches[*i].net.minor())).sum())
    }

    fn given(&self, refunds: &[usize]) -> i128 {
        refunds.iter().map(|i| i128::from(self.refunds[*i].minor())).sum()
    }

    fn fits(&self, deposit: usize, batches: &[usize]) -> bool {
        self.net(batches).is_some_and(|net| self.targets(deposit).iter().any(|t| i128::from(*t) == net))
    }

    fn named(&self, deposit: usize, candidates: &[usize]) -> Option<Vec<usize>> {
        let text = &self.deposits[deposit].text;
        let is_named = |i: &&usize| !self.batches[**i].id.is_empty() && text.contains(&self.batches[**i].id);
        let named: Vec<usize> = candidates.iter().filter(is_named).copied().collect();
        self.fits(deposit, &named).then_some(named)
    }

    /// The only one of several choices that fits.
    fn sole(&self, deposit: usize, choices: impl Iterator<Item = Vec<usize>>) -> Option<Vec<usize>> {
        let mut fitting = choices.filter(|choice| self.fits(deposit, choice));
        let one = fitting.next()?;
        fitting.next().is_none().then_some(one)
    }

    fn runs<'c>(&'c self, candidates: &'c [usize]) -> impl Iterator<Item = Vec<usize>> + 'c {
        let most = self.terms.batches_max.min(candidates.len());
        (2..=most).flat_map(move |len| candidates.windows(len).map(<[usize]>::to_vec))
    }

    fn choice(&self, deposit: usize, candidates: &[usize]) -> Option<Vec<usize>> {
        let amounts: Vec<i64> = candidates.iter().map(|i| self.batches[*i].net.minor()).collect();
        match subset(&amounts, &self.targets(deposit)) {
            Found::One(chosen) if chosen.len() <= self.terms.batches_max => {
                Some(chosen.into_iter().map(|position| candidates[position]).collect())
            }
            _ => None,
        }
    }

    fn less_refunds(&self, deposit: usize, candidates: &[usize]) -> Option<(Vec<usize>, Vec<usize>)> {
        let currency = self.deposits[deposit].money.currency();
        let open = |i: &usize| self.open_refund[*i] && self.refunds[*i].currency() == currency;
        let refunds: Vec<usize> = (0..self.refunds.len()).filter(open).collect();
        let amounts: Vec<i64> = refunds.iter().map(|i| self.refunds[*i].minor()).collect();
        let mut only = None;
        let choices = candidates.iter().map(|batch| vec![*batch]).chain(self.runs(candidates));
        for batches in choices {
            let net = i64::try_from(self.net(&batches)?).ok()?;
            let gaps: Vec<i64> = self
                .targets(deposit)
                .iter()
                .filter_map(|t| net.checked_sub(*t))
                .filter(|gap| *gap > 0)
                .collect();
            match subset(&amounts, &gaps) {
                Found::None => {}
                Found::One(chosen) if only.is_none() => {
                    only = Some((batches, chosen.into_iter().map(|position| refunds[position]).collect()));
                }
                _ => return None,
            }
        }
        only
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::currency::Currency;
    use crate::time::Timestamp;

    fn batch(day: i64, net: i64) -> Batch {
        let at = Timestamp::from_secs(day * 86_400);
        Batch { id: format!("B{day:03}"), net: Money::new(net, Currency::CNY), at }
    }

    fn deposit(day: i64, amount: i64, text: &str) -> Deposit {
        let at = Timestamp::from_secs(day * 86_400);
        Deposit { id: format!("D{day}"), money: Money::new(amount, Currency::CNY), at, text: text.into() }
    }

    fn check(batches: &[Batch], refunds: &[i64], deposits: &[Deposit]) -> Clearing {
        let terms = Terms { wire_fees: vec![1_500], ..Terms::default() };
        let refunds: Vec<Money> = refunds.iter().map(|r| Money::new(*r, Currency::CNY)).collect();
        clear(batches, &refunds, deposits, &terms)
    }

    type Shown<'a> = (usize, &'a [usize], &'a [usize], i64, Evidence);

    fn shown(found: &Clearing) -> Vec<Shown<'_>> {
        let each = |c: &'_ Cleared| (c.deposit, c.wire_fee, c.evidence);
        found
            .cleared
            .iter()
            .map(|c| (each(c).0, c.batches.as_slice(), c.refunds.as_slice(), each(c).1, each(c).2))
            .collect()
    }

    #[test]
    fn a_deposit_is_one_batch_a_run_of_them_or_a_choice_less_the_wire_fee() {
        let batches = [batch(1, 100_001), batch(2, 200_020), batch(3, 400_400), batch(4, 800_003)];
        for (amount, chosen, fee, evidence) in [
            (200_020, &[1][..], 0, Evidence::Amount),
            (198_520, &[1], 1_500, Evidence::Amount),
            (600_420, &[1, 2], 0, Evidence::Run),
            (898_504, &[0, 3], 1_500, Evidence::Choice),
        ] {
            let found = check(&batches, &[], &[deposit(5, amount, "")]);
            assert_eq!(shown(&found), [(0, chosen, &[][..], fee, evidence)], "{amount}");
        }
    }

    #[test]
    fn refunds_taken_off_on_the_way_are_found() {
        let batches = [batch(1, 100_001), batch(2, 200_020)];
        let found = check(&batches, &[777, 1_234, 5_000], &[deposit(3, 200_020 - 777 - 1_234 - 1_500, "")]);
        assert_eq!(shown(&found), [(0, &[1][..], &[0, 1][..], 1_500, Evidence::LessRefunds)]);
        assert_eq!(found.batches_only, [0]);
    }

    #[test]
    fn two_explanations_are_none() {
        let batches = [batch(1, 500), batch(2, 500)];
        let found = check(&batches, &[], &[deposit(3, 500, "")]);
        assert_eq!((found.cleared.len(), found.deposits_only.as_slice()), (0, &[0][..]));
        let named = check(&batches, &[], &[deposit(3, 500, "settlement B002")]);
        assert_eq!(shown(&named), [(0, &[1][..], &[][..], 0, Evidence::Named)]);
    }

    #[test]
    fn two_deposits_do_not_take_the_same_batch() {
        let found = check(&[batch(1, 500)], &[], &[deposit(2, 500, ""), deposit(3, 500, "")]);
        assert_eq!((found.cleared.len(), found.batches_only.as_slice()), (0, &[0][..]));
    }

    #[test]
    fn a_batch_of_another_currency_or_time_is_no_candidate() {
        let far = [batch(1, 500)];
        assert_eq!(check(&far, &[], &[deposit(30, 500, "")]).cleared, []);
        let foreign = Batch { net: Money::new(500, Currency::HKD), ..batch(1, 0) };
        assert_eq!(check(&[foreign], &[], &[deposit(2, 500, "")]).cleared, []);
    }
}
