//! Orders: what a merchant wants to be paid for, and the attempts to pay it.

mod checkout;
mod client_secret;
pub mod input;
pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
pub mod state;
#[cfg(feature = "engine")]
mod store;
#[cfg(feature = "engine")]
pub(crate) mod sweep;
mod view;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use checkout::{
    CheckoutAttempt, CheckoutCards, CheckoutMethod, CheckoutView, DeclineView, Form, MerchantName,
    presentable,
};
pub use client_secret::{ClientSecret, OrderPage};
pub use state::{AttemptStatus, OrderStatus};
#[cfg(feature = "engine")]
pub use store::{OrderFilter, Orders};
pub use view::{AttemptView, OrderView};

use crate::channel::{Action, CaptureMode, CardFace, Decline, Initiator, Method, Payer, Payment};
use crate::currency::Currency;
use crate::epay::Origin;
use crate::id::{AgentId, AttemptId, CardId, CardTokenId, ChannelAccountId, MandateId, OrderId};
use crate::money::Money;
use crate::split::Snapshot;
use crate::time::Timestamp;

/// A merchant's free-form notes: at most 50 keys of at most 40 characters, values of at most 500.
pub type Metadata = BTreeMap<String, String>;

/// What a merchant wants to be paid for. All amounts are in minor units of `money`'s currency.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// 0 before it is first stored, then +1 per change.
    pub version: i64,
    /// The merchant's own number (`out_trade_no`), unique per merchant.
    pub number: String,
    /// Where it stands.
    pub status: OrderStatus,
    /// What is to be paid.
    pub money: Money,
    /// Reserved by an authorization, ever.
    pub authorized: i64,
    /// Taken, ever.
    pub captured: i64,
    /// Given back, ever.
    pub refunded: i64,
    /// Reserved for refunds whose outcome is not final.
    pub refunding: i64,
    /// Taken back by channels because of disputes, what was won taken off.
    pub charged_back: i64,
    /// Whether a close was asked for and is not settled yet.
    pub closing: bool,
    /// What the payer may pay with.
    pub methods: Vec<Method>,
    /// Whether money is taken at once.
    pub capture: CaptureMode,
    /// The attempt that is running or was last.
    pub attempt_id: Option<AttemptId>,
    /// What the payer has to do next.
    pub next_action: Option<Action>,
    /// Why the last attempt was declined.
    pub decline: Option<Decline>,
    /// What the merchant said about it; none of it steers the engine.
    pub details: OrderDetails,
    /// When it closes by itself.
    pub expires_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the money came.
    pub paid_at: Option<Timestamp>,
    /// Number of events about it so far.
    pub sequence: i64,
    /// When the expiry worker looks at it next, wall clock; zero for never.
    pub due_at: Timestamp,
}

/// The descriptive part of an order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderDetails {
    /// What the payer sees.
    pub subject: String,
    /// Longer text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is sold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub line_items: Vec<LineItem>,
    /// Where events of this order are sent besides the merchant's endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_url: Option<String>,
    /// Where the payer's browser goes afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// Where the payer's browser goes who does not want to pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_url: Option<String>,
    /// The merchant's notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: Metadata,
    /// What is known of the payer; shown to nobody but the channel.
    #[serde(default, skip_serializing_if = "is_nobody")]
    pub payer: Payer,
    /// The shop that made it by the epay door, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epay: Option<Origin>,
    /// How it is shared: the plan's terms as they were when it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Box<Snapshot>>,
    /// The agent that sold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// The merchant's reference of the customer who pays, for whom cards are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The mandate it is charged by, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate: Option<Box<OrderMandate>>,
    /// What opens it to the payer's browser. Orders made before there were any have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ClientSecret>,
    /// The address of the page where it can be paid, as it was when the order was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout_url: Option<String>,
}

/// The mandate that an order is charged by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderMandate {
    /// Its id.
    pub id: MandateId,
    /// The merchant's account with the channel that it was signed with: no other can charge by it.
    pub account_id: ChannelAccountId,
    /// The channel's own id of it.
    pub channel_id: String,
}

fn is_nobody(payer: &Payer) -> bool {
    *payer == Payer::default()
}

/// One position of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineItem {
    /// What it is, 1 to 256 characters.
    pub name: String,
    /// How many, at least 1.
    pub quantity: u32,
    /// Price of one, in minor units of the order's currency, not negative.
    pub unit_amount: i64,
}

/// One attempt to pay an order through one channel account.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// 0 before it is first stored, then +1 per change.
    pub version: i64,
    /// The order it pays.
    pub order_id: OrderId,
    /// Id of the channel, such as `alipay`.
    pub channel: String,
    /// The merchant's account with it.
    pub account_id: ChannelAccountId,
    /// Our reference on the wire, unique within the account.
    pub reference: String,
    /// The method and scene.
    pub method: Method,
    /// Where it stands.
    pub status: AttemptStatus,
    /// What is to be paid.
    pub money: Money,
    /// Minor units of the capture that is being asked for, while capturing.
    pub capturing: i64,
    /// When a capture or void was last asked for.
    pub ending_at: Option<Timestamp>,
    /// The card it is paid with, where the method takes one.
    pub card: Option<AttemptCard>,
    /// The channel's own id.
    pub channel_id: Option<String>,
    /// Why it was declined.
    pub decline: Option<Decline>,
    /// The last fault, for people.
    pub fault: Option<String>,
    /// How often the channel was queried.
    pub queries: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the sweep looks at it next, wall clock; zero for never.
    pub due_at: Timestamp,
}

/// What an attempt says of its card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptCard {
    /// The token of a card that was typed for the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<CardTokenId>,
    /// The stored card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_id: Option<CardId>,
    /// Who started the payment with the stored card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiator: Option<Initiator>,
    /// What may be shown.
    #[serde(flatten)]
    pub face: CardFace,
}

impl Attempt {
    /// What the channel is told about it in every operation that follows.
    pub fn payment(&self) -> Payment {
        Payment {
            reference: self.reference.clone(),
            channel_id: self.channel_id.clone(),
            method: self.method.clone(),
            money: self.money,
            started_at: self.created_at,
            ending_at: self.ending_at,
        }
    }
}

impl Order {
    /// The currency all its amounts are in.
    pub fn currency(&self) -> Currency {
        self.money.currency()
    }

    /// An amount of this order's currency.
    pub fn amount(&self, minor: i64) -> Money {
        Money::new(minor, self.currency())
    }

    /// Minor units that may still be asked back.
    pub fn refundable(&self) -> i64 {
        self.captured - self.refunded - self.refunding - self.charged_back
    }
}
