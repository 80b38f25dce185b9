//! Prefixed, time-ordered identifiers: `ord_01jd7…`, a prefix that names the kind and 128 bits in lower-case
//! Crockford base 32, of which the first 48 are milliseconds since the epoch. Sorting ids sorts by time.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::{Rng, Timestamp};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of an id after its prefix and underscore.
pub const TEXT_LEN: usize = 26;

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The prefix is missing or belongs to another kind.
    #[error("an id that starts with `{expected}_` is wanted")]
    Prefix {
        /// The prefix wanted, without the underscore.
        expected: &'static str,
    },
    /// What follows the prefix is not 26 characters of base 32.
    #[error("the part after `{prefix}_` must be 26 characters of lower-case base 32")]
    Body {
        /// The prefix of the kind.
        prefix: &'static str,
    },
}

/// 128 bits, the first 48 of them the time in milliseconds, the others random.
fn fresh(now: Timestamp, rng: &dyn Rng) -> u128 {
    let mut random = [0u8; 16];
    rng.fill(&mut random);
    let millis = u128::try_from(now.millis()).unwrap_or(0) & ((1 << 48) - 1);
    (millis << 80) | (u128::from_be_bytes(random) & ((1 << 80) - 1))
}

fn render(bits: u128) -> [u8; TEXT_LEN] {
    let mut text = [0u8; TEXT_LEN];
    for (position, slot) in text.iter_mut().rev().enumerate() {
        *slot = ALPHABET[((bits >> (5 * position)) & 31) as usize];
    }
    text
}

/// 128 random bits as 26 characters of base 32, for tokens that are guessed by nobody.
pub fn random_text(rng: &dyn Rng) -> String {
    let mut random = [0u8; 16];
    rng.fill(&mut random);
    text_of(random)
}

/// 128 bits as 26 characters of base 32.
pub fn text_of(bits: [u8; 16]) -> String {
    String::from_utf8_lossy(&render(u128::from_be_bytes(bits))).into_owned()
}

fn parse(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    // 26 characters hold 130 bits: a first character above 7 would overflow 128.
    if bytes.len() != TEXT_LEN || bytes[0] > b'7' {
        return None;
    }
    bytes.iter().try_fold(0u128, |bits, byte| {
        let value = ALPHABET.iter().position(|letter| letter == byte)?;
        Some((bits << 5) | value as u128)
    })
}

/// What all kinds of id have in common, for code that is generic over them.
pub trait Id: Copy + Eq + Ord + fmt::Display + fmt::Debug + FromStr<Err = IdError> + Send + Sync {
    /// The prefix without the underscore, such as `ord`.
    const PREFIX: &'static str;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl Id for $name {
            const PREFIX: &'static str = $prefix;
        }

        impl $name {
            /// A new id for this instant.
            pub fn new(now: Timestamp, rng: &dyn Rng) -> Self {
                Self(fresh(now, rng))
            }

            /// An id with exactly these bits, for well-known rows and tests.
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// The 26 characters after the prefix: letters and digits only, so that it serves as a
            /// reference on wires that take nothing else.
            pub fn bare(&self) -> String {
                String::from_utf8_lossy(&render(self.0)).into_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(std::str::from_utf8(&render(self.0)).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let body = text
                    .strip_prefix(concat!($prefix, "_"))
                    .ok_or(IdError::Prefix { expected: $prefix })?;
                parse(body).map(Self).ok_or(IdError::Body { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "pattern": concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$"),
                    "examples": [concat!($prefix, "_01jd7xk3fz5v9b8m2q4r6t8w0y")],
                })
            }
        }
    )*};
}

ids! {
    /// A merchant: the tenant every row belongs to.
    MerchantId "mer";
    /// An API key (the name of the key, never the key itself).
    ApiKeyId "key";
    /// A channel account: one merchant's contract with one channel.
    ChannelAccountId "cha";
    /// An order.
    OrderId "ord";
    /// One attempt to pay an order through a channel.
    AttemptId "att";
    /// A refund.
    RefundId "ref";
    /// An event.
    EventId "evt";
    /// A webhook endpoint.
    EndpointId "whe";
    /// The delivery of one event to one endpoint.
    DeliveryId "dlv";
    /// A transaction: one balanced journal of the ledger.
    TransactionId "txn";
    /// An exception that waits for a person.
    ExceptionId "exc";
    /// A payment link.
    LinkId "lnk";
    /// What a merchant's payment pages look like.
    BrandingId "brd";
    /// Something on a payment page that nobody expected there.
    PageAlertId "pga";
    /// A row of the audit trail.
    AuditId "aud";
    /// An epay key: what a shop that speaks 易支付 identifies itself with.
    EpayKeyId "epk";
    /// One HTTP request, for support and logs.
    RequestId "req";
    /// An amount on hold in the ledger.
    HoldId "hld";
    /// A closed period of a merchant's books.
    PeriodId "prd";
    /// A seal over a part of a merchant's journal.
    SealId "sea";
    /// Somebody money may be paid out to.
    BeneficiaryId "ben";
    /// Money paid out.
    PayoutId "pyt";
    /// A file of payouts for a bank.
    BatchId "pyb";
    /// A clearing item: one movement of a merchant's money.
    ItemId "itm";
    /// A settlement: one batch of items with its statement.
    SettlementId "stl";
    /// A fee schedule.
    FeeScheduleId "fsc";
    /// A rate of exchange.
    FxRateId "fxr";
    /// A quote of exchange.
    FxQuoteId "fxq";
    /// A revaluation of what stands in foreign currencies.
    FxRevaluationId "fxv";
    /// A plan by which orders are shared.
    SplitPlanId "spl";
    /// Somebody who may get shares.
    ReceiverId "rcv";
    /// The sharing of one order.
    SplitId "spt";
    /// What one refund or chargeback takes back of an order's shares.
    ShareReturnId "shr";
    /// An agent.
    AgentId "agt";
    /// A payment that an agent sold, or what was taken back of one.
    AgentSaleId "asl";
    /// One movement on an agent's account.
    AgentEntryId "agn";
    /// An agent's month.
    AgentStatementId "ags";
    /// A payment to an agent.
    AgentWithdrawalId "agw";
    /// A dispute.
    DisputeId "dsp";
    /// A file of evidence.
    EvidenceId "evd";
    /// A settlement plan: how one currency of a merchant is settled.
    SettlementPlanId "stp";
    /// A reserve: money held back from a settlement.
    ReserveId "rsv";
    /// A correction of a settlement that was published.
    CorrectionId "stc";
    /// A run of the reconciliation of one day.
    ReconciliationId "rcn";
    /// A break that a reconciliation found.
    BreakId "brk";
    /// An adjustment of the books because of a break.
    AdjustmentId "adj";
    /// A bank's statement.
    BankStatementId "bks";
    /// A card that was typed for one order.
    CardTokenId "tok";
    /// A card that is kept for a customer.
    CardId "card";
    /// A mandate: a payer's agreement to be charged without being present.
    MandateId "mdt";
    /// The key of a merchant's fingerprints of cards.
    FingerprintKeyId "fpk";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SeededRng;

    #[test]
    fn an_id_reads_back_what_it_prints() {
        let id = OrderId::new(Timestamp::from_millis(1_763_855_921_000), &SeededRng::new(7));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(serde_json::from_value::<OrderId>(serde_json::to_value(id).unwrap()).unwrap(), id);
    }

    #[test]
    fn ids_sort_by_time() {
        let rng = SeededRng::new(7);
        let earlier = OrderId::new(Timestamp::from_millis(1_000), &rng);
        let later = OrderId::new(Timestamp::from_millis(1_001), &rng);
        assert!(earlier < later && earlier.to_string() < later.to_string());
    }

    #[test]
    fn another_kind_or_a_damaged_body_is_refused() {
        let id = OrderId::from_bits(5).to_string();
        assert_eq!(id.replace("ord_", "ref_").parse::<OrderId>(), Err(IdError::Prefix { expected: "ord" }));
        for damaged in
            [format!("{id}0"), id[..29].to_owned(), id.replace("ord_0", "ord_8"), id.replace("5", "u")]
        {
            assert_eq!(damaged.parse::<OrderId>(), Err(IdError::Body { prefix: "ord" }), "{damaged}");
        }
    }
}
