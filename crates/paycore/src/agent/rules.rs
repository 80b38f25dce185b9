//! What a chain of agents earns by a payment and gives back of it.

use super::{Bonus, Price, Rate};
use crate::error::{Error, Result};
use crate::split::WHOLE;
use crate::time::Timestamp;

/// How a merchant's fee is divided between the platform and a chain of agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Margins {
    /// What stays with the platform, minor units.
    pub platform: i64,
    /// What each level earns, the highest first, none of it negative, minor units.
    pub levels: Vec<i64>,
}

impl Rate {
    /// The price of a payment of `amount` minor units, half a unit rounded up, and never more than the payment.
    pub fn of(&self, amount: i64) -> i64 {
        let whole = i128::from(WHOLE);
        let part = (i128::from(amount) * i128::from(self.millionths) + whole / 2) / whole;
        let sum = part + i128::from(self.fixed);
        let raised = self.min.map_or(sum, |min| sum.max(i128::from(min)));
        let bounded = self.max.map_or(raised, |max| raised.min(i128::from(max)));
        i64::try_from(bounded.min(i128::from(amount))).expect("no more than the payment")
    }

    /// Refuses what cannot be meant.
    pub fn check(&self, at: &str) -> Result<()> {
        const MAX: i64 = 1_000_000_000;
        let plausible = |value: i64| (0..=MAX).contains(&value);
        if self.millionths > WHOLE {
            return Err(Error::invalid(
                format!("{at}.millionths"),
                "Must be 0 to 1000000; 1000000 is everything.",
            ));
        }
        if ![Some(self.fixed), self.min, self.max].into_iter().flatten().all(plausible) {
            return Err(Error::invalid(at.to_owned(), format!("Amounts must be 0 to {MAX} minor units.")));
        }
        match self.min.zip(self.max) {
            Some((min, max)) if min > max => {
                Err(Error::invalid(format!("{at}.min"), "Must not be more than `max`."))
            }
            _ => Ok(()),
        }
    }
}

/// Divides `fee` for a payment of `amount` over the chain that pays `costs`, the highest level first. A level whose cost
/// is below that of the level above it, or above the fee, earns nothing rather than less than nothing.
pub fn margins(amount: i64, costs: &[Rate], fee: i64) -> Margins {
    let mut highest = 0;
    let mut due: Vec<i64> = Vec::with_capacity(costs.len() + 1);
    for rate in costs {
        highest = rate.of(amount).max(highest);
        due.push(highest.min(fee));
    }
    due.push(fee);
    Margins { platform: due[0], levels: due.windows(2).map(|pair| pair[1] - pair[0]).collect() }
}

/// What a level must have given back of `margin` once `refunded` of `amount` went back to the payer: cut to whole minor
/// units, and exactly all of it in the end.
pub fn clawed_back(margin: i64, refunded: i64, amount: i64) -> i64 {
    if amount <= 0 {
        return 0;
    }
    let back = i128::from(margin) * i128::from(refunded.clamp(0, amount)) / i128::from(amount);
    i64::try_from(back).expect("no more than the margin")
}

/// The price that counts for a method at an instant: the most exact pattern, and of it the latest that has begun.
pub fn price_at(prices: &[Price], method: &str, at: Timestamp) -> Option<Rate> {
    let exactness = |price: &Price| match price.product.as_str() {
        "*" => Some(0),
        exact if exact == method => Some(2),
        pattern => {
            let brand = pattern.strip_suffix(".*")?;
            (method.split('.').next() == Some(brand)).then_some(1)
        }
    };
    let begun = prices.iter().filter(|price| price.from <= at);
    let fitting = begun.filter_map(|price| Some((exactness(price)?, price.from, price.rate)));
    fitting.max_by_key(|(exactness, from, _)| (*exactness, *from)).map(|(_, _, rate)| rate)
}

/// Refuses prices that cannot be meant.
pub fn check_prices(param: &str, prices: &[Price]) -> Result<()> {
    if prices.len() > 500 {
        return Err(Error::invalid(param.to_owned(), "At most 500 prices."));
    }
    for (index, price) in prices.iter().enumerate() {
        let at = format!("{param}[{index}]");
        let brand = price.product.strip_suffix(".*").unwrap_or("");
        let word = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let exact = price.product.split_once('.').is_some_and(|(a, b)| word(a) && word(b));
        if price.product != "*" && !word(brand) && !exact {
            let detail = "Must be a method such as `card.credit`, a brand such as `alipay.*`, or `*`.";
            return Err(Error::invalid(format!("{at}.product"), detail));
        }
        price.rate.check(&format!("{at}.rate"))?;
        let twice = |other: &Price| other.product == price.product && other.from == price.from;
        if prices[..index].iter().any(twice) {
            return Err(Error::invalid(at, "Two prices of one product begin at the same instant."));
        }
    }
    Ok(())
}

/// The bonus on a month's volume, half a unit rounded up; none of a volume that is not positive.
pub fn bonus(bonus: &Bonus, volume: i64) -> i64 {
    if volume <= 0 {
        return 0;
    }
    let band = bonus.bands.iter().rev().find(|band| volume >= band.from);
    let rate = band.map_or(Rate::default(), |band| Rate { millionths: band.millionths, ..Rate::default() });
    rate.of(volume)
}

/// Refuses bands that cannot be meant.
pub fn check_bonus(bonus: &Bonus) -> Result<()> {
    let bands = &bonus.bands;
    let rising = bands.windows(2).all(|pair| pair[0].from < pair[1].from);
    let plausible = bands.iter().all(|band| band.from >= 0 && band.millionths <= WHOLE);
    if bands.is_empty() || bands.len() > 20 || !rising || !plausible {
        let detail = "Must be 1 to 20 bands by rising `from`, with `millionths` from 0 to 1000000.";
        return Err(Error::invalid("bonus.bands", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::BonusBand;
    use super::*;

    fn rate(millionths: u32) -> Rate {
        Rate { millionths, ..Rate::default() }
    }

    #[test]
    fn the_worked_chain_pays_each_level_the_difference_of_the_prices() {
        // 100.00 at 0.6 %, costs 0.3 % and 0.45 %: the platform keeps 0.30, the levels earn 0.15 each.
        let chain = margins(10_000, &[rate(3_000), rate(4_500)], 60);
        assert_eq!(chain, Margins { platform: 30, levels: vec![15, 15] });
        let inverted = margins(10_000, &[rate(5_000), rate(4_000)], 60);
        assert_eq!(inverted, Margins { platform: 50, levels: vec![0, 10] });
        let cheap = margins(10_000, &[rate(8_000), rate(9_000)], 60);
        assert_eq!(cheap, Margins { platform: 60, levels: vec![0, 0] });
    }

    #[test]
    fn the_most_exact_pattern_counts_and_of_it_the_latest_that_has_begun() {
        let price = |product: &str, from: i64, millionths: u32| Price {
            product: product.into(),
            from: Timestamp::from_secs(from),
            rate: rate(millionths),
        };
        let prices = [
            price("*", 0, 1),
            price("card.*", 0, 2),
            price("card.credit", 0, 3),
            price("card.credit", 100, 4),
            price("card.debit", 100, 5),
        ];
        let at = |method: &str, secs: i64| {
            price_at(&prices, method, Timestamp::from_secs(secs)).map(|rate| rate.millionths)
        };
        assert_eq!(at("alipay.qr", 50), Some(1));
        assert_eq!(at("card.debit", 99), Some(2));
        assert_eq!(at("card.debit", 100), Some(5));
        assert_eq!((at("card.credit", 99), at("card.credit", 100)), (Some(3), Some(4)));
        assert_eq!(price_at(&prices[2..], "alipay.qr", Timestamp::from_secs(500)), None);
    }

    #[test]
    fn a_bonus_is_of_the_band_the_volume_lies_in() {
        let bands =
            vec![BonusBand { from: 1_000, millionths: 1_000 }, BonusBand { from: 10_000, millionths: 2_000 }];
        let scheme = Bonus { bands };
        let earned = [-5, 999, 1_000, 9_999, 10_000].map(|volume| bonus(&scheme, volume));
        assert_eq!(earned, [0, 0, 1, 10, 20]);
    }
}
