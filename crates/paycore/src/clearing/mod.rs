//! Clearing: one item per movement of a merchant's money, priced once and never recomputed. Settlement takes the items
//! that are available and pays their net out.

pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
mod view;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use view::ItemView;

use crate::document::{Document, Index};
use crate::fee::{Applied, CardType, FeeLine};
use crate::id::{ItemId, OrderId, SettlementId};
use crate::money::{Money, MoneyError};
use crate::time::Timestamp;

/// One movement of a merchant's money with what it costs the merchant. Amounts are in one currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// What moved.
    pub kind: ItemKind,
    /// Id of what it comes from: the attempt that was paid, the refund, the dispute … A source is cleared once per kind.
    pub source: String,
    /// The order it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// The channel the money moved through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The method it was paid by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What kind of card paid, where the channel said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_type: Option<CardType>,
    /// Where the card or wallet is from, where the channel said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Positive to the merchant, negative from the merchant, before fees.
    pub gross: Money,
    /// Positive charged to the merchant, negative given back: the sum of `lines`.
    pub fee: Money,
    /// The tax within `fee`.
    pub tax: Money,
    /// What the channel keeps for itself: the sum of `cost_lines`. It is paid out of `fee`.
    pub cost: Money,
    /// How `fee` came about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<FeeLine>,
    /// How `cost` came about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cost_lines: Vec<FeeLine>,
    /// The schedule that priced it; none where none applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priced_by: Option<Applied>,
    /// The schedule of the channel's cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_by: Option<Applied>,
    /// Why it could not be priced, for people; the movement itself is never held up by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Whether somebody holds it back from settlement.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// When the money moved.
    pub captured_at: Timestamp,
    /// When it may be settled.
    pub available_at: Timestamp,
    /// The settlement it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement_id: Option<SettlementId>,
    /// The earlier settlement that it corrects, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<SettlementId>,
    /// When it was cleared; its month for tiers and minimums is that of this instant.
    pub created_at: Timestamp,
}

macro_rules! item_kinds {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// What moved.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum ItemKind { $($(#[$doc])* $name,)* }

        impl ItemKind {
            /// Every kind.
            pub const ALL: &'static [ItemKind] = &[$(ItemKind::$name,)*];
            /// The word used in the API and in numbers.
            pub fn text(self) -> &'static str { match self { $(ItemKind::$name => $text,)* } }
        }
    };
}

item_kinds! {
    /// Money came in.
    Payment "payment",
    /// Money went back to the payer.
    Refund "refund",
    /// A payer's bank took money back.
    Chargeback "chargeback",
    /// Money of a chargeback came back.
    ChargebackReversal "chargeback_reversal",
    /// A fee that belongs to no single payment: a month's true-up, a minimum.
    Fee "fee",
    /// A correction by hand.
    Adjustment "adjustment",
    /// A share went to another party.
    Share "share",
    /// A share came back.
    ShareReturn "share_return",
    /// Put into reserve.
    ReserveHold "reserve_hold",
    /// Released from reserve.
    ReserveRelease "reserve_release",
}

impl Item {
    /// An item without fees, available at once.
    pub fn new(id: ItemId, kind: ItemKind, source: impl ToString, gross: Money, at: Timestamp) -> Item {
        let zero = Money::zero(gross.currency());
        Item {
            id,
            version: 0,
            kind,
            source: source.to_string(),
            order_id: None,
            channel: None,
            method: None,
            card_type: None,
            region: None,
            gross,
            fee: zero,
            tax: zero,
            cost: zero,
            lines: Vec::new(),
            cost_lines: Vec::new(),
            priced_by: None,
            cost_by: None,
            fault: None,
            held: false,
            captured_at: at,
            available_at: at,
            settlement_id: None,
            corrects: None,
            created_at: at,
        }
    }

    /// What the merchant gets or owes: gross less fee.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn net(&self) -> Result<Money, MoneyError> {
        self.gross.checked_sub(self.fee)
    }

    /// What is left of the fee after tax and the channel's cost; negative where the price does not cover them.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn margin(&self) -> Result<Money, MoneyError> {
        self.fee.checked_sub(self.tax)?.checked_sub(self.cost)
    }

    /// Its number: unique per merchant, so that a source is cleared once.
    pub fn number(&self) -> String {
        number(self.kind, &self.source)
    }

    /// `settled`, `held` or `pending`.
    pub fn status(&self) -> &'static str {
        match (self.settlement_id, self.held) {
            (Some(_), _) => "settled",
            (None, true) => "held",
            (None, false) => "pending",
        }
    }
}

impl Document for Item {
    type Id = ItemId;
    const KIND: &'static str = "clearing_item";

    fn id(&self) -> ItemId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn set_version(&mut self, version: i64) {
        self.version = version;
    }

    fn index(&self) -> Index {
        Index {
            number: Some(self.number()),
            parent: self.settlement_id.map(|id| id.to_string()),
            at: self.available_at,
            ..Index::new(self.status())
        }
    }
}

/// The number of the item of this kind and source.
pub fn number(kind: ItemKind, source: &str) -> String {
    format!("{}:{source}", kind.text())
}
