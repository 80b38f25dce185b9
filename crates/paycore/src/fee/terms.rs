//! The terms of a schedule as data: rules, whom they fit, what they charge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::currency::Currency;
use crate::money::{Money, Rounding};
use crate::rate::Rate;
use crate::time::Timestamp;

/// What is charged. Rules are tried in the order of their priority; of the rules with the same `code` only the first
/// that fits a payment charges it, so that a payment has one line per code, in that order, each with its tax after it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FeeTerms")]
pub struct Terms {
    /// The rules, at most 200.
    #[schemars(length(max = 200))]
    pub rules: Vec<Rule>,
    /// How a line is rounded to whole minor units; half up where absent.
    #[serde(default)]
    pub rounding: Rounded,
    /// Whether what the rounding of the month's lines left over is settled at the month's end, so that the month is
    /// rounded once as a whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub round_by_month: bool,
    /// Minutes that the merchant's clock is ahead of UTC: where its months begin. 480, Beijing, where absent.
    #[serde(default = "beijing")]
    #[schemars(range(min = -720, max = 840))]
    pub utc_offset: i32,
    /// The least a month costs, one amount per currency; what is missing is charged at the month's end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub monthly_minimum: Vec<Money>,
    /// The most a month costs, one amount per currency; what is too much is given back at the month's end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub monthly_maximum: Vec<Money>,
}

fn beijing() -> i32 {
    crate::time::BEIJING / 60
}

/// How lines are rounded: those of [`Rounding`] that treat both signs alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FeeRounding")]
pub enum Rounded {
    /// To the nearest, a half away from zero.
    #[default]
    HalfUp,
    /// To the nearest, a half to the even neighbour.
    HalfEven,
    /// Away from zero.
    Up,
    /// Toward zero.
    Down,
}

impl From<Rounded> for Rounding {
    fn from(rounded: Rounded) -> Rounding {
        match rounded {
            Rounded::HalfUp => Rounding::HalfUp,
            Rounded::HalfEven => Rounding::HalfEven,
            Rounded::Up => Rounding::Up,
            Rounded::Down => Rounding::Down,
        }
    }
}

/// One rule: for which payments, and what it charges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FeeRule")]
pub struct Rule {
    /// Its name, unique within the terms: 1 to 40 lower-case letters, digits, `_`, `-` and `.`. A rule keeps its name
    /// over revisions, so that the month's volume is counted on.
    #[schemars(length(min = 1, max = 40))]
    pub name: String,
    /// What its line is for, written like the name; `processing` where absent.
    #[serde(default = "processing")]
    #[schemars(length(min = 1, max = 40))]
    pub code: String,
    /// Larger comes first; equal ones in the order given. 0 where absent.
    #[serde(default)]
    pub priority: i32,
    /// The payments it is for; all where absent.
    #[serde(default, rename = "match")]
    pub fits: Match,
    /// What it charges.
    pub charge: Charge,
    /// What its rate is applied to.
    #[serde(default)]
    pub base: Base,
    /// Tax on what it charges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<Tax>,
    /// What a refund gives back.
    #[serde(default)]
    pub refund: RefundPolicy,
}

fn processing() -> String {
    "processing".to_owned()
}

/// The payments a rule is for. What is empty or absent fits every payment; what is not known of a payment fits no rule
/// that asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FeeMatch")]
pub struct Match {
    /// The currency. Wanted of every rule that names amounts: they are minor units of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Ids of channels, such as `alipay`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub channels: Vec<String>,
    /// Methods, such as `alipay.qr`, or `alipay.*` for every scene and `*.qr` for every brand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub methods: Vec<String>,
    /// Kinds of card.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub card_types: Vec<CardType>,
    /// Where the card or wallet is from: ISO 3166 codes such as `CN`, or words of the contract such as `eea`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub regions: Vec<String>,
    /// The least amount, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_min: Option<i64>,
    /// The largest amount, minor units; itself included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_max: Option<i64>,
    /// Payments from this instant on: the beginning of a promotion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Payments before this instant: the end of a promotion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Kinds of card that schemes price apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CardType {
    /// Credit 贷记卡.
    Credit,
    /// Debit 借记卡.
    Debit,
    /// Prepaid 预付卡.
    Prepaid,
    /// Commercial 商务卡.
    Commercial,
}

/// How a charge is reckoned. Amounts are minor units of the rule's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "FeeCharge")]
pub enum Charge {
    /// Every payment for itself: a rate, a fixed amount, or both.
    Flat(Price),
    /// By the month's volume: the tier that the whole month reaches prices the whole month.
    Volume(Tiers),
    /// By the month's volume: each tier prices the part of the month that lies in it.
    Graduated(Tiers),
    /// A flat amount for the month, with a number of payments and an amount free; the rest for itself.
    Package(Package),
}

/// A rate, a fixed amount, or both, within limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FeePrice")]
pub struct Price {
    /// The rate, such as `"0.006"` for 0.6 %.
    #[serde(default, skip_serializing_if = "Rate::is_zero_ref")]
    pub rate: Rate,
    /// On top of it, per payment.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fixed: i64,
    /// The least per payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// The most per payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
}

fn is_zero(minor: &i64) -> bool {
    *minor == 0
}

/// Tiers by the month's volume. Payments are charged provisionally, and the month's end settles the difference: until
/// then nobody knows which tier the month will reach, and no payment waits for another to be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FeeTiers")]
pub struct Tiers {
    /// From the lowest on, at most 20; only the last has no end.
    #[schemars(length(min = 1, max = 20))]
    pub tiers: Vec<Tier>,
    /// The rate charged until the month is over; that of the first tier where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisional: Option<Rate>,
}

/// One tier. Its end is given by `up_to` or by `below`; the difference is the volume of exactly that amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FeeTier")]
pub struct Tier {
    /// The largest volume in it, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<i64>,
    /// The least volume no longer in it, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<i64>,
    /// Its rate.
    pub rate: Rate,
    /// Once a month when it is reached, minor units.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fixed: i64,
}

impl Tier {
    /// Where it ends, whichever way that is given.
    pub fn limit(&self) -> Option<i64> {
        self.up_to.or(self.below)
    }

    /// Whether a month of this volume ends in it or before it.
    pub fn reaches(&self, volume: i64) -> bool {
        match (self.up_to, self.below) {
            (Some(limit), _) => volume <= limit,
            (None, Some(limit)) => volume < limit,
            (None, None) => true,
        }
    }
}

/// A flat amount for the month with something free. Payments are charged as if nothing were free, and the month's end
/// gives back what was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FeePackage")]
pub struct Package {
    /// For every whole month, minor units.
    #[serde(default)]
    pub monthly: i64,
    /// So many payments of a month are free, the first ones.
    #[serde(default)]
    pub free_count: u32,
    /// So much of a month's volume is free, the first, minor units.
    #[serde(default)]
    pub free_amount: i64,
    /// What the rest costs, each payment for itself.
    #[serde(default)]
    pub then: Price,
}

/// What a rate is applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FeeBase")]
pub enum Base {
    /// The payment.
    #[default]
    Amount,
    /// What the lines before it leave of the payment, at least nothing.
    AfterFees,
}

/// Tax on a fee, a line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FeeTax")]
pub struct Tax {
    /// The rate on what the rule charges, such as `"0.06"`.
    pub rate: Rate,
}

/// What a refund gives back of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FeeRefundPolicy")]
pub enum RefundPolicy {
    /// Nothing.
    #[default]
    Keep,
    /// All of it, when the payment has gone back as a whole.
    Return,
    /// The part that goes back with the payment; all of it when the last part has gone back, to the minor unit.
    ProRata,
}
