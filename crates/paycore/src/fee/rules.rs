//! Pricing one payment, and giving back what its refunds give back.

use super::terms::{Base, CardType, Charge, Match, Package, Price, RefundPolicy, Rule, Terms, Tiers};
use super::{Applied, FeeLine, Schedule, Side};
use crate::money::{Money, MoneyError, Rounding};
use crate::rate::{Exact, ONE, Rate, divide};
use crate::time::Timestamp;

/// The code of tax lines.
pub const TAX: &str = "tax";

/// What is known of a payment when it is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// What is paid, positive.
    pub money: Money,
    /// The channel.
    pub channel: &'a str,
    /// The method, such as `alipay.qr`.
    pub method: &'a str,
    /// The kind of card, where known.
    pub card_type: Option<CardType>,
    /// Where the card or wallet is from, where known.
    pub region: Option<&'a str>,
    /// When the money moved.
    pub at: Timestamp,
    /// What the rule has priced in this month before, where the caller counts that; none prices provisionally.
    pub volume: Option<Volume>,
}

/// What a rule has priced in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Volume {
    /// Payments.
    pub count: u32,
    /// Minor units.
    pub amount: i64,
}

/// Prices a payment by the schedules of one side: of those that are in effect and know the payment, the one with the
/// largest priority, and of equal ones the first given. None where none knows it, and it costs nothing.
///
/// # Errors
/// [`MoneyError::Overflow`] for amounts beyond 64 bits.
pub fn price(
    schedules: &[Schedule],
    side: Side,
    context: &Context<'_>,
) -> Result<Option<(Applied, Vec<FeeLine>)>, MoneyError> {
    let mut best: Option<(i32, Applied, Vec<FeeLine>)> = None;
    for schedule in schedules.iter().filter(|schedule| schedule.active && schedule.side == side) {
        if best.as_ref().is_some_and(|(priority, ..)| *priority >= schedule.priority) {
            continue;
        }
        let Some(revision) = schedule.at(context.at) else { continue };
        let lines = quote(&revision.terms, context)?;
        if !lines.is_empty() {
            best = Some((schedule.priority, schedule.applied(revision), lines));
        }
    }
    Ok(best.map(|(_, applied, lines)| (applied, lines)))
}

/// The lines that terms charge for a payment; none where no rule fits it.
///
/// # Errors
/// [`MoneyError::Overflow`] for amounts beyond 64 bits.
pub fn quote(terms: &Terms, context: &Context<'_>) -> Result<Vec<FeeLine>, MoneyError> {
    let mut lines: Vec<FeeLine> = Vec::new();
    let mut left = context.money;
    for rule in &terms.rules {
        if lines.iter().any(|line| line.code == rule.code && !line.tax) || !fits(&rule.fits, context) {
            continue;
        }
        let base = match rule.base {
            Base::Amount => context.money,
            Base::AfterFees => left.max(Money::zero(left.currency()))?,
        };
        let line = charged(rule, base, context.volume, terms.rounding.into())?;
        left = left.checked_sub(line.amount)?;
        let tax = tax_on(rule, &line, terms.rounding.into())?;
        lines.push(line);
        lines.extend(tax);
    }
    Ok(lines)
}

/// The sum of lines, and the tax within it.
///
/// # Errors
/// [`MoneyError`].
pub fn sum(lines: &[FeeLine], zero: Money) -> Result<(Money, Money), MoneyError> {
    lines.iter().try_fold((zero, zero), |(fee, tax), line| {
        let tax = if line.tax { tax.checked_add(line.amount)? } else { tax };
        Ok((fee.checked_add(line.amount)?, tax))
    })
}

/// Whether a rule is for a payment.
pub fn fits(wanted: &Match, context: &Context<'_>) -> bool {
    let minor = context.money.minor();
    wanted.currency.is_none_or(|currency| currency == context.money.currency())
        && wanted.amount_min.is_none_or(|least| minor >= least)
        && wanted.amount_max.is_none_or(|most| minor <= most)
        && wanted.from.is_none_or(|from| context.at >= from)
        && wanted.until.is_none_or(|until| context.at < until)
        && one_of(&wanted.channels, Some(context.channel), |channel, is| channel == is)
        && one_of(&wanted.methods, Some(context.method), |pattern, is| method_fits(pattern, is))
        && one_of(&wanted.card_types, context.card_type, |kind, is| *kind == is)
        && one_of(&wanted.regions, context.region, |region, is| region == is)
}

fn one_of<T, V: Copy>(wanted: &[T], known: Option<V>, same: impl Fn(&T, V) -> bool) -> bool {
    wanted.is_empty() || known.is_some_and(|known| wanted.iter().any(|one| same(one, known)))
}

/// `alipay.qr` by name, `alipay.*` whatever the scene, `*.qr` whatever the brand.
fn method_fits(pattern: &str, method: &str) -> bool {
    if pattern == method {
        return true;
    }
    let (Some((brand, scene)), Some((is_brand, is_scene))) =
        (pattern.split_once('.'), method.split_once('.'))
    else {
        return false;
    };
    (brand == "*" || brand == is_brand) && (scene == "*" || scene == is_scene)
}

/// A charge before it is rounded, with the rate and the fixed amount it comes from.
struct Charged {
    rate: Rate,
    fixed: i64,
    exact: Exact,
}

fn charged(
    rule: &Rule,
    base: Money,
    volume: Option<Volume>,
    rounding: Rounding,
) -> Result<FeeLine, MoneyError> {
    let line = |charged: &Charged, amount: i64, residue: Rate, provisional: bool| FeeLine {
        code: rule.code.clone(),
        rule: rule.name.clone(),
        base: base.minor(),
        rate: charged.rate,
        fixed: charged.fixed,
        amount: Money::new(amount, base.currency()),
        residue,
        refund: rule.refund,
        tax: false,
        provisional,
    };
    let minor = base.minor();
    let (charged, provisional) = match &rule.charge {
        Charge::Flat(price) => (price_of(price, minor)?, false),
        Charge::Package(package) => (package_price(package, minor, volume)?, true),
        Charge::Volume(tiers) => (by_volume(tiers, minor, volume), true),
        Charge::Graduated(tiers) => match volume {
            None => (by_volume(tiers, minor, None), true),
            Some(before) => {
                let (charged, amount, residue) = marginal(tiers, before.amount, minor, rounding)?;
                return Ok(line(&charged, amount, residue, true));
            }
        },
    };
    let (amount, residue) = charged.exact.round(rounding)?;
    Ok(line(&charged, amount, residue, provisional))
}

/// What a price comes to, within its limits.
fn price_of(price: &Price, minor: i64) -> Result<Charged, MoneyError> {
    let mut exact = Exact::of(minor, price.rate).checked_add(Exact::whole(price.fixed))?;
    if let Some(min) = price.min {
        exact = exact.max(Exact::whole(min));
    }
    if let Some(max) = price.max {
        exact = exact.min(Exact::whole(max));
    }
    Ok(Charged { rate: price.rate, fixed: price.fixed, exact })
}

/// What a payment of a package costs after so much of the month.
pub(super) fn package_due(
    package: &Package,
    minor: i64,
    before: Volume,
    rounding: Rounding,
) -> Result<i64, MoneyError> {
    Ok(package_price(package, minor, Some(before))?.exact.round(rounding)?.0)
}

fn package_price(package: &Package, minor: i64, volume: Option<Volume>) -> Result<Charged, MoneyError> {
    let Some(before) = volume else { return price_of(&package.then, minor) };
    let free_amount = (package.free_amount - before.amount).clamp(0, minor.max(0));
    let free = before.count < package.free_count || (free_amount == minor && package.free_amount > 0);
    if free {
        return Ok(Charged { rate: Rate::ZERO, fixed: 0, exact: Exact::ZERO });
    }
    price_of(&package.then, minor - free_amount)
}

/// By the rate of the tier that the month has reached with this payment, or the provisional one.
fn by_volume(tiers: &Tiers, minor: i64, volume: Option<Volume>) -> Charged {
    let rate = match volume {
        Some(before) => tier_rate(tiers, before.amount.saturating_add(minor)),
        None => provisional(tiers),
    };
    Charged { rate, fixed: 0, exact: Exact::of(minor, rate) }
}

/// The rate charged while the month is open.
fn provisional(tiers: &Tiers) -> Rate {
    tiers.provisional.or(tiers.tiers.first().map(|tier| tier.rate)).unwrap_or_default()
}

/// The rate of the tier in which a month of this volume ends.
pub fn tier_rate(tiers: &Tiers, volume: i64) -> Rate {
    let tier = tiers.tiers.iter().find(|tier| tier.reaches(volume)).or(tiers.tiers.last());
    tier.map(|tier| tier.rate).unwrap_or_default()
}

/// What this payment adds to the month's graduated fee: the difference of two rounded sums, so that the lines of a month
/// always sum to its fee.
fn marginal(
    tiers: &Tiers,
    before: i64,
    minor: i64,
    rounding: Rounding,
) -> Result<(Charged, i64, Rate), MoneyError> {
    let after = before.checked_add(minor).ok_or(MoneyError::Overflow)?;
    let (low, high) = (graduated(tiers, before)?, graduated(tiers, after)?);
    let exact = high.checked_sub(low)?;
    let amount = high.round(rounding)?.0.checked_sub(low.round(rounding)?.0).ok_or(MoneyError::Overflow)?;
    // Between two sums that are each off by less than one lies less than one beyond the other's rounding.
    let residue = exact.checked_sub(Exact::whole(amount))?.round(Rounding::Down)?;
    let charged = Charged { rate: tier_rate(tiers, after), fixed: 0, exact };
    Ok((charged, amount, residue.1))
}

/// The fee of a month of this volume where each tier prices what lies in it.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub fn graduated(tiers: &Tiers, volume: i64) -> Result<Exact, MoneyError> {
    let mut sum = Exact::ZERO;
    let mut from = 0;
    for tier in &tiers.tiers {
        if volume <= from {
            break;
        }
        let to = tier.limit().unwrap_or(volume).min(volume);
        sum = sum.checked_add(Exact::of(to - from, tier.rate))?.checked_add(Exact::whole(tier.fixed))?;
        from = to;
    }
    Ok(sum)
}

/// The fee of a month of this volume where the tier it ends in prices all of it.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub fn volume(tiers: &Tiers, volume: i64) -> Result<Exact, MoneyError> {
    if volume <= 0 {
        return Ok(Exact::ZERO);
    }
    let tier = tiers.tiers.iter().find(|tier| tier.reaches(volume)).or(tiers.tiers.last());
    let Some(tier) = tier else { return Ok(Exact::ZERO) };
    Exact::of(volume, tier.rate).checked_add(Exact::whole(tier.fixed))
}

/// The tax line of a line, if its rule has tax.
pub(super) fn tax_on(rule: &Rule, line: &FeeLine, rounding: Rounding) -> Result<Option<FeeLine>, MoneyError> {
    let Some(tax) = rule.tax else { return Ok(None) };
    let (amount, residue) = Exact::of(line.amount.minor(), tax.rate).round(rounding)?;
    Ok(Some(FeeLine {
        code: TAX.to_owned(),
        rule: rule.name.clone(),
        base: line.amount.minor(),
        rate: tax.rate,
        fixed: 0,
        amount: Money::new(amount, line.amount.currency()),
        residue,
        refund: rule.refund,
        tax: true,
        provisional: false,
    }))
}

/// Which part of a payment goes back, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reversal {
    /// What was paid, positive.
    pub whole: i64,
    /// What had gone back before.
    pub before: i64,
    /// What goes back now, positive.
    pub part: i64,
}

/// The lines that a refund gives back of a payment's lines, negative. However a payment goes back in parts, what is given
/// back of a line is in all the line itself: each part gives the rounded sum so far less what was given before.
///
/// # Errors
/// [`MoneyError::Overflow`], also where more would go back than was paid.
pub fn reverse(lines: &[FeeLine], reversal: Reversal) -> Result<Vec<FeeLine>, MoneyError> {
    let after = reversal.before.checked_add(reversal.part).ok_or(MoneyError::Overflow)?;
    if reversal.before < 0 || reversal.part <= 0 || after > reversal.whole {
        return Err(MoneyError::Overflow);
    }
    let last = after == reversal.whole;
    let given = lines.iter().filter(|line| match line.refund {
        RefundPolicy::Keep => false,
        RefundPolicy::Return => last,
        RefundPolicy::ProRata => true,
    });
    given.map(|line| given_back(line, reversal, after)).collect()
}

fn given_back(line: &FeeLine, reversal: Reversal, after: i64) -> Result<FeeLine, MoneyError> {
    let before = match line.refund {
        RefundPolicy::ProRata => reversal.before,
        _ => 0,
    };
    let (rounded, exact) = share(line, after, reversal.whole);
    let (rounded_before, exact_before) = share(line, before, reversal.whole);
    let amount = i64::try_from(rounded - rounded_before).map_err(|_| MoneyError::Overflow)?;
    let residue = i128::from(amount) * i128::from(ONE) - (exact - exact_before);
    Ok(FeeLine {
        base: -reversal.part,
        fixed: 0,
        amount: Money::new(-amount, line.amount.currency()),
        residue: Rate::from_units(i64::try_from(residue).map_err(|_| MoneyError::Overflow)?),
        ..line.clone()
    })
}

/// The share `part / whole` of a line: rounded half up, and in 10^-12 minor units with the line's own residue.
fn share(line: &FeeLine, part: i64, whole: i64) -> (i128, i128) {
    let product = i128::from(line.amount.minor()) * i128::from(part);
    let whole = i128::from(whole);
    let below = (product % whole) * i128::from(ONE) / whole;
    let residue = i128::from(line.residue.units()) * i128::from(part) / whole;
    (divide(product, whole, Rounding::HalfUp), (product / whole) * i128::from(ONE) + below + residue)
}
