//! Reserves: what a settlement holds back, and what it gives back of earlier ones.

use super::terms::{ReserveKind, ReserveRule, Terms, share};
use super::{Plan, Reserve};
use crate::calendar::Date;
use crate::id::ReserveId;
use crate::money::{Money, MoneyError};
use crate::time::Timestamp;

/// What one settlement does to the reserve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// What it holds back, and until when: one entry per kind, all positive.
    pub held: Vec<(ReserveKind, i64, Option<Timestamp>)>,
    /// What it gives back of which reserve, all positive.
    pub released: Vec<(ReserveId, ReserveKind, i64)>,
}

impl Moves {
    /// The sum of what is held back, minor units.
    pub fn held_sum(&self) -> i64 {
        self.held.iter().map(|(_, amount, _)| amount).sum()
    }

    /// The sum of what is given back, minor units.
    pub fn released_sum(&self) -> i64 {
        self.released.iter().map(|(.., amount)| amount).sum()
    }
}

/// What a settlement has to do with the reserve.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    /// Its last day.
    pub day: Date,
    /// The instant of the run.
    pub until: Timestamp,
    /// Its sales, gross.
    pub sales: Money,
    /// What the merchant would have before anything is held or given back, minor units.
    pub balance: i64,
}

/// Decides what is held and what is given back. `held` are the plan's reserves that still hold something, in any order.
///
/// First what is due is given back; then each rule takes its part of what is there, never more. A debt as old as the
/// terms allow is taken from the reserve, oldest first.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub fn moves(plan: &Plan, held: &[Reserve], now: Situation) -> Result<Moves, MoneyError> {
    let mut open: Vec<(&Reserve, i64)> = held.iter().map(|reserve| (reserve, reserve.left)).collect();
    open.sort_by_key(|(reserve, _)| (reserve.created_at, reserve.id));
    let mut moves = Moves::default();
    let targets = exposure_target(plan, now)?;
    for kind in [ReserveKind::Rolling, ReserveKind::Fixed, ReserveKind::Exposure] {
        release_due(plan, kind, targets, now, &mut open, &mut moves);
    }
    let mut left = now.balance.saturating_add(moves.released_sum());
    if left < 0 && is_old(plan, now.day) {
        draw(-left, &mut open, &mut moves);
        return Ok(moves);
    }
    for rule in &plan.terms.reserves {
        let standing = standing(&open, rule.kind());
        let (wanted, release_at) = wanted(*rule, &plan.terms, standing, targets, now)?;
        let amount = wanted.min(left).max(0);
        if amount > 0 {
            moves.held.push((rule.kind(), amount, release_at));
            left -= amount;
        }
    }
    Ok(moves)
}

/// What an exposure reserve should hold after this settlement; zero without one.
fn exposure_target(plan: &Plan, now: Situation) -> Result<i64, MoneyError> {
    let Some(ReserveRule::Exposure { basis_points, days }) = plan.terms.reserve(ReserveKind::Exposure) else {
        return Ok(0);
    };
    let from = now.day.plus_days(-i32::try_from(days).unwrap_or(i32::MAX));
    let earlier =
        plan.recent_sales.iter().filter(|sales| sales.day > from).map(|sales| sales.amount).sum::<i64>();
    let sales = Money::new(earlier, now.sales.currency()).checked_add(now.sales)?;
    Ok(share(sales, basis_points)?.minor().max(0))
}

/// Gives back what has no reason to be held any longer.
fn release_due(
    plan: &Plan,
    kind: ReserveKind,
    target: i64,
    now: Situation,
    open: &mut [(&Reserve, i64)],
    moves: &mut Moves,
) {
    let excess = match plan.terms.reserve(kind) {
        Some(ReserveRule::Rolling { .. }) => 0,
        Some(ReserveRule::Fixed { amount, .. }) => standing(open, kind) - amount,
        Some(ReserveRule::Exposure { .. }) => standing(open, kind) - target,
        // What was held for a time stays for that time when the rule is gone; the others have lost their reason.
        None if kind == ReserveKind::Rolling => 0,
        None => standing(open, kind),
    };
    let mut excess = excess.max(0);
    for (reserve, left) in open.iter_mut().filter(|(reserve, _)| reserve.kind == kind) {
        let is_due = reserve.release_at.is_some_and(|at| at <= now.until);
        let amount = if is_due { *left } else { (*left).min(excess) };
        if amount > 0 {
            excess -= amount.min(excess);
            *left -= amount;
            moves.released.push((reserve.id, kind, amount));
        }
    }
}

fn standing(open: &[(&Reserve, i64)], kind: ReserveKind) -> i64 {
    open.iter().filter(|(reserve, _)| reserve.kind == kind).map(|(_, left)| left).sum()
}

fn wanted(
    rule: ReserveRule,
    terms: &Terms,
    standing: i64,
    target: i64,
    now: Situation,
) -> Result<(i64, Option<Timestamp>), MoneyError> {
    Ok(match rule {
        ReserveRule::Rolling { basis_points, days } => {
            let until = now.day.plus_days(i32::try_from(days).unwrap_or(i32::MAX));
            (share(now.sales, basis_points)?.minor(), Some(terms.day_end(until)))
        }
        ReserveRule::Fixed { amount, basis_points } => {
            ((amount - standing).min(share(now.sales, basis_points)?.minor()), None)
        }
        ReserveRule::Exposure { .. } => (target - standing, None),
    })
}

/// Whether a debt is so old that the reserve pays for it.
fn is_old(plan: &Plan, day: Date) -> bool {
    let after = i32::try_from(plan.terms.draw_after_days()).unwrap_or(i32::MAX);
    plan.negative_since.is_some_and(|since| day.since(since) >= after)
}

fn draw(mut debt: i64, open: &mut [(&Reserve, i64)], moves: &mut Moves) {
    for (reserve, left) in open.iter_mut() {
        let amount = (*left).min(debt);
        if amount > 0 {
            debt -= amount;
            *left -= amount;
            match moves.released.iter_mut().find(|(id, ..)| *id == reserve.id) {
                Some((.., released)) => *released += amount,
                None => moves.released.push((reserve.id, reserve.kind, amount)),
            }
        }
    }
}
