//! The hash chain over a merchant's journal: `h(i) = SHA-256(h(i-1) ‖ row(i))`, in order of booking, where `row(i)` is
//! the canonical text of a transaction with its entries and `h(0)` is 32 zero bytes.
//!
//! Seals keep the hashes apart from the journal, some hundred rows each. Whoever edits, adds, takes away or swaps rows
//! that are sealed is found to the row; whoever cuts off the end together with its seals is found by a hash that
//! somebody outside has kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Side, Transaction};
use crate::document::{Document, Index};
use crate::id::{MerchantId, SealId, TransactionId};
use crate::time::Timestamp;

/// At most so many rows stand in one seal.
pub const ROWS_MAX: usize = 500;

/// A hash of the chain, in JSON as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Hash([u8; 32]);

/// Some rows of the chain, following the rows of the seal before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seal {
    /// Its id.
    pub id: SealId,
    /// Kept by the store.
    #[serde(skip)]
    pub version: i64,
    /// 1, 2, 3 … per merchant, without gaps.
    pub number: i64,
    /// The position in the merchant's stream of events up to which everything booked is sealed.
    pub through: i64,
    /// The last hash of the seal before; zeros in the first.
    pub previous: Hash,
    /// The rows in order of booking.
    pub rows: Vec<SealedRow>,
    /// The hash of the last row: what an auditor keeps outside.
    pub hash: Hash,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One row of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SealedRow {
    /// The transaction.
    pub transaction_id: TransactionId,
    /// Its hash, over the hash before it and the transaction's canonical text.
    pub hash: Hash,
}

impl Hash {
    /// The hash of a row that follows this one.
    #[must_use]
    pub fn then(self, canonical: &str) -> Hash {
        Hash(Sha256::new().chain_update(self.0).chain_update(canonical).finalize().into())
    }
}

impl Seal {
    /// Seals rows, each with its position, after the last seal there is; none where there are no rows. The id is made
    /// from the number: seals sort by it, and of two workers that seal the same rows one is refused.
    pub fn after(
        last: Option<&Seal>,
        tenant: MerchantId,
        rows: &[(i64, Transaction)],
        now: Timestamp,
    ) -> Option<Seal> {
        let previous = last.map(|seal| seal.hash).unwrap_or_default();
        let (through, _) = rows.last()?;
        let mut hash = previous;
        let sealed = rows.iter().map(|(_, transaction)| {
            hash = hash.then(&canonical(tenant, transaction));
            SealedRow { transaction_id: transaction.id, hash }
        });
        let rows = sealed.collect();
        let number = last.map_or(1, |seal| seal.number + 1);
        let id = SealId::from_bits(number.unsigned_abs().into());
        Some(Seal { id, version: 0, number, through: *through, previous, rows, hash, created_at: now })
    }
}

impl Document for Seal {
    type Id = SealId;
    const KIND: &'static str = "ledger_seal";

    fn id(&self) -> SealId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }

    fn index(&self) -> Index {
        Index { number: Some(self.number.to_string()), at: self.created_at, ..Index::new("sealed") }
    }
}

/// What of a transaction goes into its hash: a JSON array without spaces of the merchant, the id, the movement, the
/// event, the order or null, the refund or null, the transaction it reverses or null, the effective and the booking
/// instant in microseconds, and the entries as arrays of side, account, minor units and currency.
pub fn canonical(tenant: MerchantId, transaction: &Transaction) -> String {
    let entries: Vec<_> = transaction
        .entries
        .iter()
        .map(|entry| {
            let side = match entry.side {
                Side::Debit => "debit",
                Side::Credit => "credit",
            };
            (side, &entry.account, entry.money.minor(), entry.money.currency().code())
        })
        .collect();
    let row = (
        (tenant, transaction.id, transaction.kind.text(), transaction.event_id),
        (transaction.order_id, transaction.refund_id, transaction.reverses),
        (transaction.effective_at.micros(), transaction.created_at.micros()),
        entries,
    );
    serde_json::to_string(&row).expect("texts and numbers only")
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Hash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a hash is 64 hexadecimal digits in lower case";
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 64 || !text.as_bytes().iter().all(is_digit) {
            return Err(WRONG);
        }
        let mut hash = Hash::default();
        for (byte, pair) in hash.0.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| WRONG)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| WRONG)?;
        }
        Ok(hash)
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Hash {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hash".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}
