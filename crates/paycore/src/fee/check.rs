//! Whether terms can be kept: what is refused here never has to be asked when money moves.

use super::terms::{Charge, Match, Package, Price, RefundPolicy, Rule, Terms, Tier, Tiers};
use crate::error::{Error, Result};
use crate::money::Money;
use crate::order::input::AMOUNT_MAX;
use crate::rate::Rate;

const RULES_MAX: usize = 200;
const TIERS_MAX: usize = 20;
const NAME_LEN_MAX: usize = 40;
const VALUES_MAX: usize = 50;

/// Terms in the order in which their rules are tried, or what is wrong with them: the parameter begins with `terms`.
///
/// # Errors
/// [`Error`] naming the parameter and what it has to be.
pub fn terms(mut terms: Terms) -> Result<Terms> {
    if terms.rules.len() > RULES_MAX {
        return Err(Error::invalid("terms.rules", format!("At most {RULES_MAX} rules.")));
    }
    if !(-720..=840).contains(&terms.utc_offset) {
        return Err(Error::invalid("terms.utc_offset", "Must be -720 to 840 minutes."));
    }
    per_currency("terms.monthly_minimum", &terms.monthly_minimum)?;
    per_currency("terms.monthly_maximum", &terms.monthly_maximum)?;
    for (index, one) in terms.rules.iter().enumerate() {
        let path = format!("terms.rules[{index}]");
        rule(&path, one)?;
        if terms.rules[..index].iter().any(|other| other.name == one.name) {
            return Err(Error::invalid(format!("{path}.name"), "Another rule has this name."));
        }
    }
    terms.rules.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
    Ok(terms)
}

fn per_currency(path: &str, amounts: &[Money]) -> Result<()> {
    for (index, money) in amounts.iter().enumerate() {
        amount(&format!("{path}[{index}].amount"), money.minor())?;
        if amounts[..index].iter().any(|other| other.currency() == money.currency()) {
            return Err(Error::invalid(format!("{path}[{index}]"), "One amount per currency."));
        }
    }
    Ok(())
}

fn rule(path: &str, rule: &Rule) -> Result<()> {
    name(&format!("{path}.name"), &rule.name)?;
    name(&format!("{path}.code"), &rule.code)?;
    if rule.code == super::rules::TAX {
        return Err(Error::invalid(format!("{path}.code"), "`tax` is the code of tax lines; take another."));
    }
    fits(&format!("{path}.match"), &rule.fits)?;
    if let Some(tax) = rule.tax {
        fraction(&format!("{path}.tax.rate"), tax.rate)?;
    }
    let charge = format!("{path}.charge");
    match &rule.charge {
        Charge::Flat(one) => price(&charge, one)?,
        Charge::Volume(of) | Charge::Graduated(of) => tiers(&charge, of)?,
        Charge::Package(of) => package(&charge, of, rule.refund)?,
    }
    if names_amounts(rule) && rule.fits.currency.is_none() {
        let detail = "A rule that names amounts needs the currency they are in.";
        return Err(Error::invalid(format!("{path}.match.currency"), detail));
    }
    Ok(())
}

fn names_amounts(rule: &Rule) -> bool {
    let priced = |price: &Price| price.fixed != 0 || price.min.is_some() || price.max.is_some();
    let charged = match &rule.charge {
        Charge::Flat(price) => priced(price),
        Charge::Volume(_) | Charge::Graduated(_) => true,
        Charge::Package(package) => package.monthly != 0 || package.free_amount != 0 || priced(&package.then),
    };
    charged || rule.fits.amount_min.is_some() || rule.fits.amount_max.is_some()
}

fn fits(path: &str, wanted: &Match) -> Result<()> {
    for (field, values) in
        [("channels", &wanted.channels), ("methods", &wanted.methods), ("regions", &wanted.regions)]
    {
        let fine = |value: &String| (1..=64).contains(&value.len()) && !value.contains(char::is_control);
        if values.len() > VALUES_MAX || !values.iter().all(fine) {
            let detail = format!("At most {VALUES_MAX} texts of 1 to 64 characters.");
            return Err(Error::invalid(format!("{path}.{field}"), detail));
        }
    }
    let is_method = |value: &&String| value.split('.').count() == 2;
    if let Some(bad) = wanted.methods.iter().find(|value| !is_method(value)) {
        let detail = format!("`{bad}` is not a method such as `alipay.qr`, `alipay.*` or `*.qr`.");
        return Err(Error::invalid(format!("{path}.methods"), detail));
    }
    optional(&format!("{path}.amount_min"), wanted.amount_min)?;
    optional(&format!("{path}.amount_max"), wanted.amount_max)?;
    ordered(&format!("{path}.amount_max"), wanted.amount_min, wanted.amount_max)?;
    match (wanted.from, wanted.until) {
        (Some(from), Some(until)) if until <= from => {
            Err(Error::invalid(format!("{path}.until"), "Must be after `from`."))
        }
        _ => Ok(()),
    }
}

fn price(path: &str, price: &Price) -> Result<()> {
    fraction(&format!("{path}.rate"), price.rate)?;
    amount(&format!("{path}.fixed"), price.fixed)?;
    optional(&format!("{path}.min"), price.min)?;
    optional(&format!("{path}.max"), price.max)?;
    ordered(&format!("{path}.max"), price.min, price.max)
}

fn package(path: &str, package: &Package, refund: RefundPolicy) -> Result<()> {
    amount(&format!("{path}.monthly"), package.monthly)?;
    amount(&format!("{path}.free_amount"), package.free_amount)?;
    price(&format!("{path}.then"), &package.then)?;
    if refund != RefundPolicy::Keep {
        let detail =
            "The payments of a package are not given back: whether one was free shows at the month's end.";
        return Err(Error::invalid(path.replace("charge", "refund"), detail));
    }
    Ok(())
}

fn tiers(path: &str, tiers: &Tiers) -> Result<()> {
    if !(1..=TIERS_MAX).contains(&tiers.tiers.len()) {
        return Err(Error::invalid(format!("{path}.tiers"), format!("1 to {TIERS_MAX} tiers.")));
    }
    if let Some(rate) = tiers.provisional {
        fraction(&format!("{path}.provisional"), rate)?;
    }
    let last = tiers.tiers.len() - 1;
    let mut from = 0;
    for (index, one) in tiers.tiers.iter().enumerate() {
        let path = format!("{path}.tiers[{index}]");
        from = tier(&path, one, from, index == last)?;
    }
    Ok(())
}

/// Checks one tier, and says where it ends.
fn tier(path: &str, tier: &Tier, from: i64, last: bool) -> Result<i64> {
    fraction(&format!("{path}.rate"), tier.rate)?;
    amount(&format!("{path}.fixed"), tier.fixed)?;
    match (tier.up_to, tier.below, last) {
        (None, None, true) => Ok(i64::MAX),
        (Some(limit), None, false) | (None, Some(limit), false) if limit > from && limit <= AMOUNT_MAX => {
            Ok(limit)
        }
        _ => {
            let detail = "Every tier but the last ends either `up_to` or `below` an amount above the one before; \
                          the last has no end.";
            Err(Error::invalid(path, detail))
        }
    }
}

fn name(path: &str, text: &str) -> Result<()> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.');
    if (1..=NAME_LEN_MAX).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(());
    }
    let detail = format!("1 to {NAME_LEN_MAX} lower-case letters, digits, `_`, `-` and `.`.");
    Err(Error::invalid(path, detail))
}

/// A fee takes a part of the amount, at most all of it.
fn fraction(path: &str, rate: Rate) -> Result<()> {
    if (Rate::ZERO..=Rate::ONE).contains(&rate) {
        return Ok(());
    }
    Err(Error::invalid(path, "Must be \"0\" to \"1\": 0.6 % is \"0.006\"."))
}

fn amount(path: &str, minor: i64) -> Result<()> {
    if (0..=AMOUNT_MAX).contains(&minor) {
        return Ok(());
    }
    Err(Error::invalid(path, format!("Must be 0 to {AMOUNT_MAX} minor units.")))
}

fn optional(path: &str, minor: Option<i64>) -> Result<()> {
    minor.map_or(Ok(()), |minor| amount(path, minor))
}

fn ordered(path: &str, min: Option<i64>, max: Option<i64>) -> Result<()> {
    match (min, max) {
        (Some(min), Some(max)) if max < min => Err(Error::invalid(path, "Must not be below the minimum.")),
        _ => Ok(()),
    }
}
