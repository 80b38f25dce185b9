//! What a channel is and can do, as data: the conformance suite, the docs page, the console form, routing and the
//! bindings all read this and nothing else.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::channel::{CaptureMode, StatementKind, Verb};
use crate::currency::Currency;
use crate::units::UnitRule;

/// The facts about a channel.
#[derive(Debug)]
pub struct Profile {
    /// Stable id and folder name, such as `alipay`.
    pub id: &'static str,
    /// English name.
    pub name: &'static str,
    /// Chinese name.
    pub name_zh: &'static str,
    /// What it can do.
    pub capabilities: &'static [Capability],
    /// What it can do apart from payments: transfers, receivers, telling who a payer is.
    pub verbs: &'static [Verb],
    /// The statement files it can be asked for.
    pub statements: &'static [StatementKind],
    /// How it writes amounts.
    pub units: UnitRule,
    /// Which references it takes.
    pub references: References,
    /// The settings of an account, in the order a form shows them.
    pub fields: &'static [Field],
    /// Public documentation this adapter was written from.
    pub sources: &'static [&'static str],
}

impl Profile {
    /// The capability for a method and currency, if there is one.
    pub fn capability(&self, method: &Method, currency: Currency) -> Option<&'static Capability> {
        self.capabilities.iter().find(|c| method.is(c.brand, c.scene) && c.currencies.contains(currency))
    }
}

/// One row of the capability table.
#[derive(Debug)]
pub struct Capability {
    /// What the payer knows it as, such as `alipay`.
    pub brand: &'static str,
    /// How it is presented, such as `qr` or `page`.
    pub scene: &'static str,
    /// Currencies it takes.
    pub currencies: Currencies,
    /// ISO 3166 alpha-2 countries of the payers; empty means any.
    pub countries: &'static [&'static str],
    /// What can be done with a payment of this kind, and with the mandate where it charges by one.
    pub verbs: &'static [Verb],
    /// Capture modes it offers.
    pub captures: &'static [CaptureMode],
    /// How many parts a combined payment may have; 0 where it cannot be combined.
    pub parts_max: usize,
}

/// A set of currencies.
#[derive(Debug, Clone, Copy)]
pub enum Currencies {
    /// Every ISO 4217 currency.
    Any,
    /// Only these.
    Only(&'static [Currency]),
}

impl Currencies {
    /// One of the set: CNY where it holds that.
    pub fn usual(&self) -> Currency {
        match self {
            Currencies::Only(list) if !list.contains(&Currency::CNY) => {
                list.first().copied().unwrap_or(Currency::CNY)
            }
            _ => Currency::CNY,
        }
    }

    /// Whether the set holds `currency`.
    pub fn contains(&self, currency: Currency) -> bool {
        match self {
            Currencies::Any => true,
            Currencies::Only(list) => list.contains(&currency),
        }
    }
}

/// Which references a channel takes: always ASCII letters and digits, between these lengths.
#[derive(Debug, Clone, Copy)]
pub struct References {
    /// Shortest.
    pub min: usize,
    /// Longest.
    pub max: usize,
}

/// One setting of a channel account.
#[derive(Debug)]
pub struct Field {
    /// The key, snake_case.
    pub key: &'static str,
    /// What is typed.
    pub kind: FieldKind,
    /// Whether an account works without it.
    pub required: bool,
    /// English label.
    pub label: &'static str,
    /// Chinese label.
    pub label_zh: &'static str,
    /// English help: where to find the value.
    pub help: &'static str,
    /// Chinese help.
    pub help_zh: &'static str,
}

impl Field {
    /// Whether the value must never be shown again.
    pub fn secret(&self) -> bool {
        matches!(self.kind, FieldKind::Secret | FieldKind::PrivateKey)
    }
}

/// What is typed into a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// One line of text.
    Text,
    /// A secret line of text.
    Secret,
    /// An http or https address.
    Url,
    /// A private key, PEM or base64 DER.
    PrivateKey,
    /// A public key or certificate.
    PublicKey,
}

/// A payment method with its scene: `alipay.qr`, `alipay.page`, `card.web`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method(Cow<'static, str>);

/// A text that is not `brand.scene` in lower-case letters, digits and underscores.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a method is written `brand.scene`, such as `alipay.qr`")]
pub struct MethodError;

impl Method {
    /// The part before the dot.
    pub fn brand(&self) -> &str {
        self.0.split_once('.').map_or("", |(brand, _)| brand)
    }

    /// The part after the dot.
    pub fn scene(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, scene)| scene)
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the shop reads something off the payer (付款码, 刷脸), who stands there until it is decided.
    pub fn at_the_till(&self) -> bool {
        matches!(self.scene(), "barcode" | "face")
    }

    /// Whether it is paid with a card whose number we are told: the brand is no wallet but cards themselves.
    pub fn takes_card(&self) -> bool {
        self.brand() == "card"
    }

    /// Whether it charges by a mandate (委托代扣), without the payer.
    pub fn by_mandate(&self) -> bool {
        self.scene() == "mandate"
    }

    /// Whether it is this brand and scene.
    pub fn is(&self, brand: &str, scene: &str) -> bool {
        self.0.split_once('.') == Some((brand, scene))
    }
}

impl FromStr for Method {
    type Err = MethodError;
    fn from_str(text: &str) -> Result<Self, MethodError> {
        let word = |w: &str| {
            !w.is_empty()
                && w.len() <= 32
                && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        match text.split_once('.') {
            Some((brand, scene)) if word(brand) && word(scene) => Ok(Method(Cow::Owned(text.to_owned()))),
            _ => Err(MethodError),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Method {
    fn schema_name() -> Cow<'static, str> {
        "Method".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[a-z0-9_]{1,32}\\.[a-z0-9_]{1,32}$", "examples": ["alipay.qr"]})
    }
}
