//! What a plan says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PARTS_MAX, WHOLE};
use crate::error::{Error, Result};
use crate::id::ReceiverId;
use crate::order::input::AMOUNT_MAX;

/// Who gets how much of a payment, when, and what a refund does to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What ratios and tiers are of.
    #[serde(default)]
    pub base: Base,
    /// Who gets what, 1 to 500 parts, each receiver once. The order of the list has no effect; `rank` has.
    #[schemars(length(min = 1, max = 500))]
    pub parts: Vec<Part>,
    /// When the shares are given.
    #[serde(default)]
    pub release: ReleaseWhen,
    /// Through the channel or through the ledger.
    #[serde(default)]
    pub via: Via,
    /// What a refund does to shares.
    #[serde(default)]
    pub on_refund: OnRefund,
    /// The largest part of an order that the contract with the channel lets be shared, in millionths of the captured
    /// amount; what the channel allows by default where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub channel_cap: Option<u32>,
}

/// What ratios and tiers are of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// The captured amount.
    Gross,
    /// The captured amount without the fee.
    #[default]
    Net,
}

/// One receiver's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Who gets it.
    pub receiver_id: ReceiverId,
    /// How much.
    pub rule: Rule,
    /// Parts of a lower rank are served first; parts of one rank share what is left in proportion to their claims
    /// where it is not enough. 0 where absent.
    #[serde(default)]
    #[schemars(range(min = 0, max = 255))]
    pub rank: u8,
    /// At least this, minor units; not for a remainder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 99_999_999_999_999_i64))]
    pub min: Option<i64>,
    /// At most this, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 99_999_999_999_999_i64))]
    pub max: Option<i64>,
    /// Only of payments for which this holds; of every one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
}

/// How a part is worked out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// So many millionths of the base: 300,000 is 30 %.
    Ratio {
        /// 1 to 1,000,000.
        #[schemars(range(min = 1, max = 1_000_000))]
        millionths: u32,
    },
    /// So many minor units of the order's currency.
    Fixed {
        /// 1 to 99,999,999,999,999.
        #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
        amount: i64,
    },
    /// What the other parts leave of the net amount; several share it by weight.
    Remainder {
        /// 1 to 1,000,000; 1 where absent.
        #[serde(default = "one")]
        #[schemars(range(min = 1, max = 1_000_000))]
        weight: u32,
    },
    /// A ratio that depends on the base.
    Tier {
        /// How the bands are read.
        mode: TierMode,
        /// By rising `up_to`, the last without; 1 to 20.
        #[schemars(length(min = 1, max = 20))]
        bands: Vec<Band>,
    },
}

fn one() -> u32 {
    1
}

/// How bands are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TierMode {
    /// The ratio of the band the base lies in counts for all of it.
    Whole,
    /// Each band's ratio counts for what lies in the band.
    Graduated,
}

/// One band of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Up to and with this base, minor units; without an end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub up_to: Option<i64>,
    /// 0 to 1,000,000.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub millionths: u32,
}

/// Which payments a part is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Methods such as `alipay.qr`, or all scenes of a brand, such as `alipay.*`; any where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub methods: Vec<String>,
    /// Captured at least this, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_min: Option<i64>,
    /// Captured at most this, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_max: Option<i64>,
}

/// When shares are given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ReleaseWhen {
    /// As soon as the channel allows after the payment.
    #[default]
    AtOnce,
    /// Once the payment is settled with the merchant.
    AtSettlement,
    /// When `splits.release` says so (delivered, accepted), at the latest after so many days.
    OnRelease {
        /// Days after the payment after which it is released without a call, 1 to 180.
        #[schemars(range(min = 1, max = 180))]
        days: u16,
    },
}

/// The way shares go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// Through the channel where it can and every receiver has an account with it, else through the ledger.
    #[default]
    Auto,
    /// Through the channel or not at all.
    Channel,
    /// Credited in the ledger and paid out later.
    Ledger,
}

/// What a refund does to shares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnRefund {
    /// Each receiver gives back in proportion; all of it once all is refunded.
    #[default]
    ProRata,
    /// Receivers keep what they were given; the merchant bears the refund.
    Keep,
}

impl Condition {
    /// Whether it holds for a payment.
    pub fn holds(&self, method: &str, gross: i64) -> bool {
        let fits = |pattern: &String| match pattern.strip_suffix(".*") {
            Some(brand) => method.split('.').next() == Some(brand),
            None => pattern == method,
        };
        (self.methods.is_empty() || self.methods.iter().any(fits))
            && self.amount_min.is_none_or(|min| gross >= min)
            && self.amount_max.is_none_or(|max| gross <= max)
    }
}

impl Terms {
    /// Refuses what cannot be meant, naming the parameter below `at`.
    pub fn check(&self, at: &str) -> Result<()> {
        let parts = &self.parts;
        if parts.is_empty() || parts.len() > PARTS_MAX {
            return Err(Error::invalid(format!("{at}.parts"), format!("Must be 1 to {PARTS_MAX} parts.")));
        }
        let mut receivers: Vec<ReceiverId> = parts.iter().map(|part| part.receiver_id).collect();
        receivers.sort_unstable();
        if receivers.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::invalid(format!("{at}.parts"), "Each receiver may stand there once."));
        }
        for (index, part) in parts.iter().enumerate() {
            part.check(&format!("{at}.parts[{index}]"))?;
        }
        // Together more than everything is a slip of the pen, whatever minima and conditions say.
        let always = |part: &&Part| part.when.is_none();
        let sum: u64 = parts.iter().filter(always).map(Part::ratio_least).sum();
        if sum > u64::from(WHOLE) {
            let detail = format!("The ratios sum to {sum} millionths; 1000000 is everything.");
            return Err(Error::invalid(format!("{at}.parts"), detail));
        }
        if self.channel_cap.is_some_and(|cap| !(1..=WHOLE).contains(&cap)) {
            return Err(Error::invalid(format!("{at}.channel_cap"), "Must be 1 to 1000000 millionths."));
        }
        match self.release {
            ReleaseWhen::OnRelease { days } if !(1..=180).contains(&days) => {
                Err(Error::invalid(format!("{at}.release.days"), "Must be 1 to 180."))
            }
            _ => Ok(()),
        }
    }
}

impl Part {
    fn check(&self, at: &str) -> Result<()> {
        self.rule.check(&format!("{at}.rule"))?;
        let plausible = |value: Option<i64>| value.is_none_or(|minor| (0..=AMOUNT_MAX).contains(&minor));
        if !plausible(self.min) || !plausible(self.max) {
            return Err(Error::invalid(format!("{at}.min"), format!("Must be 0 to {AMOUNT_MAX}.")));
        }
        if self.min.zip(self.max).is_some_and(|(min, max)| min > max) {
            return Err(Error::invalid(format!("{at}.min"), "Must not be more than `max`."));
        }
        if self.min.is_some() && matches!(self.rule, Rule::Remainder { .. }) {
            return Err(Error::invalid(format!("{at}.min"), "A remainder has no minimum."));
        }
        Ok(())
    }

    /// The least part of the base it always claims, in millionths.
    fn ratio_least(&self) -> u64 {
        match &self.rule {
            Rule::Ratio { millionths } if self.max.is_none() => u64::from(*millionths),
            Rule::Tier { bands, .. } if self.max.is_none() => {
                bands.iter().map(|band| u64::from(band.millionths)).min().unwrap_or(0)
            }
            _ => 0,
        }
    }
}

impl Rule {
    fn check(&self, at: &str) -> Result<()> {
        let whole = |value: u32, least: u32| (least..=WHOLE).contains(&value);
        match self {
            Rule::Ratio { millionths } if !whole(*millionths, 1) => Err(Error::invalid(
                format!("{at}.millionths"),
                "Must be 1 to 1000000; 1000000 is everything.",
            )),
            Rule::Fixed { amount } if !(1..=AMOUNT_MAX).contains(amount) => {
                Err(Error::invalid(format!("{at}.amount"), format!("Must be 1 to {AMOUNT_MAX} minor units.")))
            }
            Rule::Remainder { weight } if !whole(*weight, 1) => {
                Err(Error::invalid(format!("{at}.weight"), "Must be 1 to 1000000."))
            }
            Rule::Tier { bands, .. } => check_bands(bands, &format!("{at}.bands")),
            _ => Ok(()),
        }
    }
}

fn check_bands(bands: &[Band], at: &str) -> Result<()> {
    let wrong = |detail: &'static str| Err(Error::invalid(at.to_owned(), detail));
    let Some((last, before)) = bands.split_last() else { return wrong("Must have 1 to 20 bands.") };
    if bands.len() > 20 {
        return wrong("Must have 1 to 20 bands.");
    }
    if last.up_to.is_some() || before.iter().any(|band| band.up_to.is_none_or(|end| end < 1)) {
        return wrong("Every band but the last needs `up_to`, and the last has none.");
    }
    if before.windows(2).any(|pair| pair[0].up_to >= pair[1].up_to) {
        return wrong("`up_to` must rise from band to band.");
    }
    if bands.iter().any(|band| band.millionths > WHOLE) {
        return wrong("`millionths` must be 0 to 1000000.");
    }
    Ok(())
}
