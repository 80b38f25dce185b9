//! How a payment is divided, exactly and whatever the order of the parts.
//!
//! Every claim is a fraction of a minor unit with the denominator 1,000,000. Within one rank the receivers together get
//! the sum of their claims, cut to whole minor units: first each claim cut, then one unit each to those that lost most by
//! the cut. What was cut off the sum stays with the merchant.

use super::terms::{Band, Base, Part, Rule, Terms, TierMode};
use super::{OnRefund, WHOLE};
use crate::currency::Currency;
use crate::id::ReceiverId;
use crate::money::Money;

/// The payment to divide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sale<'a> {
    /// What was captured.
    pub gross: Money,
    /// What the merchant pays for it, in the same currency.
    pub fee: Money,
    /// Its method, such as `alipay.qr`.
    pub method: &'a str,
}

/// Who gets what. Together it is the net amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// The receivers' shares, none of them zero, in order of their ids.
    pub shares: Vec<(ReceiverId, Money)>,
    /// What the merchant keeps of the net amount.
    pub merchant: Money,
}

/// Why a payment is not divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The fee is in another currency, or an amount is negative.
    #[error("the fee must be in the payment's currency and neither amount negative")]
    Amounts,
}

/// What a receiver claims, in millionths of a minor unit.
struct Claim {
    receiver: ReceiverId,
    rank: u8,
    millionths: i128,
}

/// Divides a payment. Where the fee is more than the payment there is nothing to divide.
pub fn divide(terms: &Terms, sale: Sale<'_>) -> Result<Division, Unfit> {
    let currency = sale.gross.currency();
    if sale.fee.currency() != currency || sale.gross.is_negative() || sale.fee.is_negative() {
        return Err(Unfit::Amounts);
    }
    let net = sale.gross.minor() - sale.fee.minor();
    let mut left = net.max(0);
    let base = match terms.base {
        Base::Gross => sale.gross.minor(),
        Base::Net => left,
    };
    let of_this = |part: &&Part| part.when.as_ref().is_none_or(|c| c.holds(sale.method, sale.gross.minor()));
    let parts: Vec<&Part> = terms.parts.iter().filter(of_this).collect();
    let mut claims: Vec<Claim> = parts.iter().filter_map(|part| claim(part, base)).collect();
    claims.sort_by_key(|claim| (claim.rank, claim.receiver));
    let mut shares = Vec::with_capacity(parts.len());
    for rank in claims.chunk_by(|a, b| a.rank == b.rank) {
        left -= serve(rank, left, &mut shares);
    }
    left -= serve_rest(&parts, left, &mut shares);
    shares.retain(|(_, minor)| *minor > 0);
    shares.sort_unstable();
    let money = |(receiver, minor): (ReceiverId, i64)| (receiver, Money::new(minor, currency));
    let merchant = Money::new(if net < 0 { net } else { left }, currency);
    Ok(Division { shares: shares.into_iter().map(money).collect(), merchant })
}

fn claim(part: &Part, base: i64) -> Option<Claim> {
    let base = i128::from(base);
    let millionths = match &part.rule {
        Rule::Ratio { millionths } => base * i128::from(*millionths),
        Rule::Fixed { amount } => i128::from(*amount) * i128::from(WHOLE),
        Rule::Tier { mode, bands } => tier(*mode, bands, base),
        Rule::Remainder { .. } => return None,
    };
    let bound = |minor: Option<i64>| minor.map(|minor| i128::from(minor) * i128::from(WHOLE));
    let raised = bound(part.min).map_or(millionths, |min| millionths.max(min));
    let bounded = bound(part.max).map_or(raised, |max| raised.min(max));
    Some(Claim { receiver: part.receiver_id, rank: part.rank, millionths: bounded })
}

fn tier(mode: TierMode, bands: &[Band], base: i128) -> i128 {
    let end = |band: &Band| band.up_to.map_or(i128::MAX, i128::from);
    match mode {
        TierMode::Whole => {
            let band = bands.iter().find(|band| base <= end(band));
            band.map_or(0, |band| base * i128::from(band.millionths))
        }
        TierMode::Graduated => {
            let mut from = 0;
            let mut sum = 0;
            for band in bands {
                let to = base.min(end(band));
                sum += (to - from).max(0) * i128::from(band.millionths);
                from = from.max(to);
            }
            sum
        }
    }
}

/// Serves one rank from what is left and says how much it took.
fn serve(rank: &[Claim], left: i64, shares: &mut Vec<(ReceiverId, i64)>) -> i64 {
    let wanted: i128 = rank.iter().map(|claim| claim.millionths).sum();
    let enough = wanted <= i128::from(left) * i128::from(WHOLE);
    let fractions = |claim: &Claim| match enough {
        true => (claim.receiver, claim.millionths, 1),
        // Each gets `left * claim / wanted`: the claims are the weights.
        false => (claim.receiver, claim.millionths, left),
    };
    let (whole, divisor) =
        if enough { (wanted / i128::from(WHOLE), i128::from(WHOLE)) } else { (i128::from(left), wanted) };
    largest_remainder(rank.iter().map(fractions), divisor, whole, shares)
}

/// Serves the remainders from what is left and says how much they took.
fn serve_rest(parts: &[&Part], left: i64, shares: &mut Vec<(ReceiverId, i64)>) -> i64 {
    let weight = |part: &Part| match part.rule {
        Rule::Remainder { weight } => i128::from(weight),
        _ => 0,
    };
    let mut rest: Vec<&Part> = parts.iter().copied().filter(|part| weight(part) > 0).collect();
    rest.sort_by_key(|part| part.receiver_id);
    let total: i128 = rest.iter().map(|part| weight(part)).sum();
    if total == 0 {
        return 0;
    }
    let mut given = Vec::with_capacity(rest.len());
    let fractions = rest.iter().map(|part| (part.receiver_id, weight(part), left));
    largest_remainder(fractions, total, i128::from(left), &mut given);
    for ((_, minor), part) in given.iter_mut().zip(&rest) {
        *minor = part.max.map_or(*minor, |max| (*minor).min(max));
    }
    shares.extend(given.iter().copied());
    given.iter().map(|(_, minor)| minor).sum()
}

/// Gives `whole` units to fractions `weight * times / divisor` that sum to it or to less than one unit more, and says
/// how many it gave. Of those that lost equally by the cut, the larger weight and then the lower id comes first.
fn largest_remainder(
    fractions: impl Iterator<Item = (ReceiverId, i128, i64)>,
    divisor: i128,
    whole: i128,
    shares: &mut Vec<(ReceiverId, i64)>,
) -> i64 {
    let start = shares.len();
    let mut losses = Vec::new();
    for (receiver, weight, times) in fractions {
        let exact = weight * i128::from(times);
        shares.push((receiver, minor(exact / divisor)));
        losses.push((exact % divisor, weight, receiver, shares.len() - 1));
    }
    let cut: i128 = shares[start..].iter().map(|(_, minor)| i128::from(*minor)).sum();
    losses.sort_by_key(|(lost, weight, receiver, _)| (-lost, -weight, *receiver));
    let over = usize::try_from(whole - cut).expect("cutting loses less than one unit each");
    for (_, _, _, place) in &losses[..over] {
        shares[*place].1 += 1;
    }
    minor(whole)
}

fn minor(units: i128) -> i64 {
    i64::try_from(units).expect("a part of an amount is no larger than the largest amount")
}

/// What a receiver must have given back of `share` once `refunded` of `gross` went back to the payer: cut to whole
/// minor units, so that receivers never give back more than their part, and exactly all of it in the end.
pub fn reclaimable(share: Money, refunded: i64, gross: i64, policy: OnRefund) -> Money {
    let currency: Currency = share.currency();
    if policy == OnRefund::Keep || gross <= 0 {
        return Money::zero(currency);
    }
    let refunded = i128::from(refunded.clamp(0, gross));
    Money::new(minor(i128::from(share.minor()) * refunded / i128::from(gross)), currency)
}
