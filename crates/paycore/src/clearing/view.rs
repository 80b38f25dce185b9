//! Clearing items as the API shows them.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Item, ItemKind};
use crate::currency::Currency;
use crate::fee::{Applied, CardType, FeeLine};
use crate::id::{ItemId, OrderId, SettlementId};
use crate::time::Timestamp;

/// A clearing item as the API shows it. Amounts are minor units of `currency`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ClearingItem")]
pub struct ItemView {
    /// Its id.
    pub id: ItemId,
    /// Always `clearing_item`.
    pub object: &'static str,
    /// What moved.
    pub kind: ItemKind,
    /// `pending`, `held` or `settled`.
    pub status: &'static str,
    /// Id of what it comes from: the attempt that was paid, the refund, the dispute …
    pub source: String,
    /// The order.
    pub order_id: Option<OrderId>,
    /// The channel.
    pub channel: Option<String>,
    /// The method.
    pub method: Option<String>,
    /// What kind of card paid.
    pub card_type: Option<CardType>,
    /// Where the card or wallet is from.
    pub region: Option<String>,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Positive to the merchant, negative from the merchant.
    pub gross: i64,
    /// Positive charged, negative given back; tax included.
    pub fee: i64,
    /// The tax within it.
    pub tax: i64,
    /// What the channel keeps.
    pub cost: i64,
    /// `gross` less `fee`.
    pub net: i64,
    /// How the fee came about.
    pub lines: Vec<FeeLine>,
    /// How the cost came about.
    pub cost_lines: Vec<FeeLine>,
    /// The schedule that priced it.
    pub priced_by: Option<Applied>,
    /// The schedule of its cost.
    pub cost_by: Option<Applied>,
    /// Why it could not be priced.
    pub fault: Option<String>,
    /// When the money moved.
    pub captured_at: Timestamp,
    /// When it may be settled.
    pub available_at: Timestamp,
    /// The settlement it is part of.
    pub settlement_id: Option<SettlementId>,
    /// The earlier settlement that it corrects.
    pub corrects: Option<SettlementId>,
    /// When it was cleared.
    pub created_at: Timestamp,
}

impl Item {
    /// The item as the API shows it.
    pub fn view(&self) -> ItemView {
        ItemView {
            id: self.id,
            object: "clearing_item",
            kind: self.kind,
            status: self.status(),
            source: self.source.clone(),
            order_id: self.order_id,
            channel: self.channel.clone(),
            method: self.method.clone(),
            card_type: self.card_type,
            region: self.region.clone(),
            currency: self.gross.currency(),
            gross: self.gross.minor(),
            fee: self.fee.minor(),
            tax: self.tax.minor(),
            cost: self.cost.minor(),
            net: self.gross.minor().saturating_sub(self.fee.minor()),
            lines: self.lines.clone(),
            cost_lines: self.cost_lines.clone(),
            priced_by: self.priced_by,
            cost_by: self.cost_by,
            fault: self.fault.clone(),
            captured_at: self.captured_at,
            available_at: self.available_at,
            settlement_id: self.settlement_id,
            corrects: self.corrects,
            created_at: self.created_at,
        }
    }
}
