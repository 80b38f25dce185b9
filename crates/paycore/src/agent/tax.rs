//! Tax withheld from what an agent is paid.

use super::Withholding;
use crate::currency::Currency;
use crate::error::{Code, Error, Result};
use crate::money::Money;
use crate::split::WHOLE;

/// One band of the advance withholding on income from services (劳务报酬所得预扣率表, State Taxation Administration
/// announcement 2018 no. 61, table 2): the part of the taxable income, less a quick deduction.
struct Band {
    /// Up to and with this taxable income, minor units.
    up_to: i64,
    millionths: u32,
    quick: i64,
}

/// Up to 4,000.00 a month 800.00 are free, above it a fifth is.
const FREE_UP_TO: i64 = 400_000;
const FREE: i64 = 80_000;
const SERVICES_CN: &[Band] = &[
    Band { up_to: 2_000_000, millionths: 200_000, quick: 0 },
    Band { up_to: 5_000_000, millionths: 300_000, quick: 200_000 },
    Band { up_to: i64::MAX, millionths: 400_000, quick: 700_000 },
];

/// What is withheld from `money`, where `earlier` was paid in the same month already: what the month's sum would bear, less
/// what the earlier part bore, so that paying in parts saves nothing. Half a unit is rounded up.
pub fn withheld(withholding: &Withholding, earlier: i64, money: Money) -> Result<Money> {
    let sum = earlier.checked_add(money.minor()).filter(|sum| *sum >= 0 && earlier >= 0);
    let sum = sum.ok_or_else(|| Error::internal("a month's income that is no amount"))?;
    let tax = match withholding {
        Withholding::None => 0,
        Withholding::Flat { millionths } => part(sum, *millionths) - part(earlier, *millionths),
        Withholding::ServicesCn if money.currency() != Currency::CNY => {
            let detail = "This agent's withholding is defined for CNY only.";
            return Err(Error::new(Code::InvalidCurrency, detail).param("currency"));
        }
        Withholding::ServicesCn => services_cn(sum) - services_cn(earlier),
    };
    Ok(Money::new(tax, money.currency()))
}

fn services_cn(income: i64) -> i64 {
    let taxable = match income <= FREE_UP_TO {
        true => (income - FREE).max(0),
        false => income - part(income, 200_000),
    };
    let band = SERVICES_CN.iter().find(|band| taxable <= band.up_to);
    band.map_or(0, |band| part(taxable, band.millionths) - band.quick)
}

fn part(minor: i64, millionths: u32) -> i64 {
    let whole = i128::from(WHOLE);
    let part = (i128::from(minor) * i128::from(millionths) + whole / 2) / whole;
    i64::try_from(part).expect("no more than the amount")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tax(earlier: i64, minor: i64) -> i64 {
        withheld(&Withholding::ServicesCn, earlier, Money::new(minor, Currency::CNY)).unwrap().minor()
    }

    #[test]
    fn services_bear_what_the_table_says() {
        // Income 800, 2,000, 4,000, 25,000, 50,000 and 100,000 yuan, worked by hand from the announcement.
        let incomes = [80_000, 200_000, 400_000, 2_500_000, 5_000_000, 10_000_000];
        assert_eq!(incomes.map(|income| tax(0, income)), [0, 24_000, 64_000, 400_000, 1_000_000, 2_500_000]);
    }

    #[test]
    fn paying_in_parts_saves_nothing() {
        let parts = [300_000, 99_999, 1, 4_000_000, 5_600_000];
        let mut earlier = 0;
        let mut sum = 0;
        for part in parts {
            sum += tax(earlier, part);
            earlier += part;
        }
        assert_eq!(sum, tax(0, earlier));
    }

    #[test]
    fn the_same_part_of_everything_and_no_other_currency_for_the_table() {
        let flat = Withholding::Flat { millionths: 10_000 };
        assert_eq!(withheld(&flat, 0, Money::new(149, Currency::CNY)).unwrap().minor(), 1);
        assert_eq!(withheld(&flat, 149, Money::new(1, Currency::CNY)).unwrap().minor(), 1);
        let dollars = Money::new(100, Currency::USD);
        assert_eq!(withheld(&Withholding::ServicesCn, 0, dollars).unwrap_err().code, Code::InvalidCurrency);
    }
}
