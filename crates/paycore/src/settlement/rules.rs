//! What becomes of the items of a period: collected one by one, then closed into a statement.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::reserve::{self, Moves, Situation};
use super::state::SettlementEvent;
use super::statement::{Line, LineKind, Statement, Untied};
use super::terms::{Payer, ReserveKind, ReserveRule, Terms, share};
use super::{Carried, Conversion, DaySales, Plan, Reserve, Settlement, Trigger};
use crate::calendar::Date;
use crate::clearing::Item;
use crate::currency::Currency;
use crate::event::{Booking, Movement, Part};
use crate::money::{Money, MoneyError};
use crate::time::Timestamp;

/// The sums over the items of a settlement. Its size does not depend on their number, so that any number can be taken
/// one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// How many items were taken.
    pub items: u64,
    /// The lines of the statement that items make.
    pub lines: BTreeMap<LineKind, Line>,
    /// The sum of the items' net, minor units, added up apart from the lines.
    pub net: i64,
    /// The net of items that were taken before they were available.
    pub early: i64,
    /// The net of payments for which the channel's money is not there yet.
    pub unfunded: i64,
}

impl Collected {
    /// Takes in an item that is settled at `until`.
    ///
    /// # Errors
    /// [`Untied`] where it is in another currency or a sum is out of range.
    pub fn add(
        &mut self,
        item: &Item,
        terms: &Terms,
        until: Timestamp,
        currency: Currency,
    ) -> Result<(), Untied> {
        let net = item.net().map_err(|error| Untied(format!("{}: {error}", item.id)))?;
        if net.currency() != currency {
            return Err(Untied(format!("{} is in {}", item.id, net.currency())));
        }
        let sum = |sum: i64, more: i64| {
            sum.checked_add(more).ok_or_else(|| Untied("the sum is out of range".into()))
        };
        for (kind, amount) in
            [(LineKind::of(item.kind), item.gross.minor()), (LineKind::Fees, -item.fee.minor())]
        {
            if amount == 0 {
                continue;
            }
            let line = self.lines.entry(kind).or_default();
            line.count += 1;
            line.amount = sum(line.amount, amount)?;
        }
        self.items += 1;
        self.net = sum(self.net, net.minor())?;
        if item.available_at > until {
            self.early = sum(self.early, net.minor())?;
        }
        if net.is_positive() && terms.funded_at(item.captured_at, item.channel.as_deref()) > until {
            self.unfunded = sum(self.unfunded, net.minor())?;
        }
        Ok(())
    }

    fn amount(&self, kind: LineKind) -> i64 {
        self.lines.get(&kind).map_or(0, |line| line.amount)
    }
}

/// How a settlement ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Close {
    /// The statement; it ties.
    pub statement: Statement,
    /// Why nothing, or not all, is paid.
    pub carried_for: Option<Carried>,
    /// What happens to the reserve.
    pub moves: Moves,
    /// From which day on the balance is negative.
    pub negative_since: Option<Date>,
}

impl From<MoneyError> for Untied {
    fn from(error: MoneyError) -> Self {
        Untied(error.to_string())
    }
}

/// Closes a settlement: takes the reserve in and out, decides what is paid and what is carried, and proves that the
/// statement ties.
///
/// # Errors
/// [`Untied`]; nothing is paid on figures that do not fit together.
pub fn close(
    plan: &Plan,
    collected: &Collected,
    held: &[Reserve],
    trigger: Trigger,
    (day, until): (Date, Timestamp),
) -> Result<Close, Untied> {
    let money = |minor: i64| Money::new(minor, plan.currency);
    let from_items: i128 = collected.lines.values().map(|line| i128::from(line.amount)).sum();
    if from_items != i128::from(collected.net) {
        return Err(Untied(format!("the items make {}, their lines {from_items}", collected.net)));
    }
    let mut lines = Lines(collected.lines.clone());
    let early_fee = acceleration_fee(plan, collected, trigger)?;
    let before = money(plan.carried).checked_add(money(collected.net))?.checked_sub(money(early_fee))?;
    lines.add(LineKind::AccelerationFee, -early_fee, 1);
    let sales = money(collected.amount(LineKind::Sales));
    let moves = reserve::moves(plan, held, Situation { day, until, sales, balance: before.minor() })?;
    lines.add(LineKind::ReserveHeld, -moves.held_sum(), moves.held.len());
    lines.add(LineKind::ReserveReleased, moves.released_sum(), moves.released.len());
    let payable = before.checked_sub(money(moves.held_sum()))?.checked_add(money(moves.released_sum()))?;
    let (payout, transfer_fee, carried_for) = payout(plan, payable, collected.unfunded)?;
    lines.add(LineKind::TransferFee, -transfer_fee.minor(), 1);
    lines.add(paid_by(&plan.terms), -payout.minor(), 1);
    let closing = payable.checked_sub(payout)?.checked_sub(transfer_fee)?;
    let statement = Statement {
        currency: plan.currency,
        opening: plan.carried,
        lines: lines.0,
        closing: closing.minor(),
    };
    statement.check()?;
    let negative_since = closing.is_negative().then(|| plan.negative_since.unwrap_or(day));
    Ok(Close { statement, carried_for, moves, negative_since })
}

/// The line that what is paid leaves by: as it is, or sold for the currency of the payout.
const fn paid_by(terms: &Terms) -> LineKind {
    match terms.settlement_currency {
        Some(_) => LineKind::Converted,
        None => LineKind::Payout,
    }
}

/// Lines that are being put together; empty ones are left out.
struct Lines(BTreeMap<LineKind, Line>);

impl Lines {
    fn add(&mut self, kind: LineKind, amount: i64, count: usize) {
        if amount != 0 {
            let line = self.0.entry(kind).or_default();
            line.amount += amount;
            line.count += count as u64;
        }
    }
}

/// What getting everything now costs: a share of what was not available yet, at least the minimum.
fn acceleration_fee(plan: &Plan, collected: &Collected, trigger: Trigger) -> Result<i64, MoneyError> {
    let Some(terms) = plan.terms.acceleration.filter(|_| trigger == Trigger::Accelerated) else {
        return Ok(0);
    };
    if collected.early <= 0 {
        return Ok(0);
    }
    let fee = share(Money::new(collected.early, plan.currency), terms.basis_points)?.minor();
    Ok(fee.max(terms.minimum).min(collected.early))
}

/// What is paid of a balance, what the transfer costs the merchant, and why the rest is carried.
fn payout(plan: &Plan, payable: Money, unfunded: i64) -> Result<(Money, Money, Option<Carried>), MoneyError> {
    let zero = Money::zero(plan.currency);
    let nothing = |why| Ok((zero, zero, Some(why)));
    if payable.is_negative() {
        return nothing(Carried::Negative);
    }
    if plan.terms.hold.is_some() {
        return nothing(Carried::Hold);
    }
    let minimum = plan.terms.minimum(plan.currency);
    if payable.is_zero() {
        return Ok((zero, zero, None));
    }
    if payable.minor() < minimum {
        return nothing(Carried::Minimum);
    }
    let (amount, why) = limited(plan, payable.minor(), unfunded);
    let fee = match plan.terms.transfer_fee.payer {
        Payer::Merchant => plan.terms.transfer_fee.of(Money::new(amount, plan.currency))?,
        Payer::Platform => zero,
    };
    let payout = Money::new(amount, plan.currency).checked_sub(fee)?;
    if amount < minimum || !payout.is_positive() {
        return nothing(why.unwrap_or(Carried::Minimum));
    }
    Ok((payout, fee, why))
}

/// What the maximum and the float leave of a balance, and which of them cut it.
fn limited(plan: &Plan, payable: i64, unfunded: i64) -> (i64, Option<Carried>) {
    let too_early = plan.terms.float_limit.map_or(0, |limit| (unfunded - limit).max(0));
    let mut amount = (payable - too_early).max(0);
    let mut why = (amount < payable).then_some(Carried::Float);
    if let Some(maximum) = plan.terms.maximum.filter(|maximum| *maximum < amount) {
        (amount, why) = (maximum, Some(Carried::Maximum));
    }
    (amount, why)
}

impl Settlement {
    /// Takes in how it ends: it is paid, waits to be converted into the settlement currency of the terms first, or is carried.
    ///
    /// # Errors
    /// [`Untied`] where it is closed already, or pays by a line that the currency does not go with.
    pub fn close(
        &mut self,
        close: &Close,
        settlement_currency: Option<Currency>,
        now: Timestamp,
    ) -> Result<(), Untied> {
        let statement = &close.statement;
        let event = match (statement.amount(LineKind::Payout), statement.amount(LineKind::Converted)) {
            (0, 0) => SettlementEvent::CloseToCarry,
            (_, 0) => SettlementEvent::CloseToPay,
            (..) => SettlementEvent::CloseToConvert,
        };
        self.status = self.status.apply(event).map_err(|illegal| Untied(illegal.to_string()))?;
        if event == SettlementEvent::CloseToConvert {
            let into = settlement_currency.ok_or_else(|| Untied("it is converted into nothing".into()))?;
            self.conversion = Some(Conversion { into, waits_for: None, done: None });
        }
        self.carried_for = close.carried_for;
        self.closed_at = Some(now);
        self.statement = Some(statement.clone());
        Ok(())
    }
}

impl Plan {
    /// Takes in what a close left behind: the balance, the reserve, the sales an exposure reserve looks back on.
    pub fn closed(&mut self, close: &Close, sales: i64, day: Date) {
        self.carried = close.statement.closing;
        self.negative_since = close.negative_since;
        if self.negative_since.is_none() {
            self.overdue_days = 0;
        }
        for (kind, amount, _) in &close.moves.held {
            *self.reserved.entry(*kind).or_default() += amount;
        }
        for (_, kind, amount) in &close.moves.released {
            *self.reserved.entry(*kind).or_default() -= amount;
        }
        self.reserved.retain(|_, amount| *amount != 0);
        match self.terms.reserve(ReserveKind::Exposure) {
            Some(ReserveRule::Exposure { days, .. }) => {
                let from = day.plus_days(-i32::try_from(days).unwrap_or(i32::MAX));
                self.recent_sales.retain(|sales| sales.day > from);
                self.recent_sales.push(DaySales { day, amount: sales });
            }
            _ => self.recent_sales.clear(),
        }
    }

    /// For how many days the balance has been negative on a day.
    pub fn days_negative(&self, day: Date) -> i32 {
        self.negative_since.map_or(0, |since| day.since(since).max(0))
    }
}

/// By how much a settlement lowers what is available; negative where it raises it.
pub fn drawn(close: &Close, net: i64) -> i64 {
    let fees =
        close.statement.amount(LineKind::AccelerationFee) + close.statement.amount(LineKind::TransferFee);
    close.moves.held_sum() - close.moves.released_sum() - net - fees
}

/// What the ledger books when a settlement is closed: pending becomes available, the reserve goes out and in, and fees
/// are earned. The payout itself is booked with the payout. Nothing is booked where nothing moved.
pub fn booking(close: &Close, net: i64) -> Option<Booking> {
    let statement = &close.statement;
    let parts = [
        (Part::Settled, net),
        (Part::Reclaimed, -net),
        (Part::ReserveHeld, close.moves.held_sum()),
        (Part::ReserveReleased, close.moves.released_sum()),
        (Part::AccelerationFee, -statement.amount(LineKind::AccelerationFee)),
        (Part::TransferFee, -statement.amount(LineKind::TransferFee)),
    ];
    let money = |minor| Money::new(minor, statement.currency);
    let mut parts = parts.into_iter().filter(|(_, minor)| *minor > 0);
    let (part, minor) = parts.next()?;
    let first = Booking::new(Movement::Settlement, part, money(minor));
    Some(parts.fold(first, |booking, (part, minor)| booking.with(part, money(minor))))
}
