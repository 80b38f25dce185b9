//! How an order looks in the API and in events.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Attempt, AttemptCard, AttemptStatus, ClientSecret, LineItem, Metadata, Order, OrderStatus};
use crate::channel::{Action, CaptureMode, Decline, Method};
use crate::currency::Currency;
use crate::id::{AgentId, AttemptId, ChannelAccountId, MandateId, OrderId, SplitPlanId};
use crate::time::Timestamp;

/// An order. All amounts are integers in minor units of `currency`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Order")]
pub struct OrderView<'a> {
    /// Its id.
    pub id: OrderId,
    /// Always `order`.
    pub object: &'static str,
    /// False in a sandbox.
    pub livemode: bool,
    /// Where it stands.
    pub status: OrderStatus,
    /// The merchant's own number.
    pub out_trade_no: &'a str,
    /// What is to be paid.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// Reserved by an authorization.
    pub amount_authorized: i64,
    /// Taken.
    pub amount_captured: i64,
    /// Given back.
    pub amount_refunded: i64,
    /// Reserved for refunds that are not final.
    pub amount_refunding: i64,
    /// Taken back by channels because of disputes.
    pub amount_charged_back: i64,
    /// What the payer sees.
    pub subject: &'a str,
    /// Longer text.
    pub description: Option<&'a str>,
    /// What the payer may pay with.
    pub methods: &'a [Method],
    /// Whether money is taken at once.
    pub capture_method: CaptureMode,
    /// What is sold.
    pub line_items: &'a [LineItem],
    /// The merchant's notes.
    pub metadata: &'a Metadata,
    /// Where events of this order are sent besides the endpoints.
    pub notify_url: Option<&'a str>,
    /// Where the payer's browser goes afterwards.
    pub return_url: Option<&'a str>,
    /// Where the payer's browser goes who does not want to pay.
    pub cancel_url: Option<&'a str>,
    /// The plan it is shared by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_plan_id: Option<SplitPlanId>,
    /// The agent that sold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// The merchant's reference of the customer who pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<&'a str>,
    /// The mandate it is charged by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mandate: Option<MandateId>,
    /// What the payer has to do next.
    pub next_action: Option<&'a Action>,
    /// Why the last attempt was declined.
    pub decline: Option<&'a Decline>,
    /// The attempt that is running or was last.
    pub attempt_id: Option<AttemptId>,
    /// Whether a close is under way.
    pub closing: bool,
    /// When it closes by itself.
    pub expires_at: Timestamp,
    /// When the money came.
    pub paid_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What the payer's browser opens it with, see the checkout. Events do not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<&'a ClientSecret>,
    /// The page where the payer can pay it: send the browser there, or send it as a message. Events do not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkout_url: Option<&'a str>,
}

/// An attempt to pay an order.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Attempt")]
pub struct AttemptView {
    /// Its id.
    pub id: AttemptId,
    /// Always `attempt`.
    pub object: &'static str,
    /// The order.
    pub order_id: OrderId,
    /// Id of the channel.
    pub channel: String,
    /// The account with the channel.
    pub channel_account_id: ChannelAccountId,
    /// Our reference on the wire.
    pub reference: String,
    /// The channel's own id.
    pub channel_transaction_id: Option<String>,
    /// The method and scene.
    pub method: Method,
    /// Where it stands.
    pub status: AttemptStatus,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// The card it is paid with, where the method takes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<AttemptCard>,
    /// Why it was declined.
    pub decline: Option<Decline>,
    /// What is not understood about the channel's last answer.
    pub fault: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Order {
    /// The order as the API shows it.
    pub fn view(&self, livemode: bool) -> OrderView<'_> {
        let details = &self.details;
        OrderView {
            id: self.id,
            object: "order",
            livemode,
            status: self.status,
            out_trade_no: &self.number,
            amount: self.money.minor(),
            currency: self.currency(),
            amount_authorized: self.authorized,
            amount_captured: self.captured,
            amount_refunded: self.refunded,
            amount_refunding: self.refunding,
            amount_charged_back: self.charged_back,
            subject: &details.subject,
            description: details.description.as_deref(),
            methods: &self.methods,
            capture_method: self.capture,
            line_items: &details.line_items,
            metadata: &details.metadata,
            notify_url: details.notify_url.as_deref(),
            return_url: details.return_url.as_deref(),
            cancel_url: details.cancel_url.as_deref(),
            split_plan_id: details.split.as_ref().map(|split| split.plan_id),
            agent_id: details.agent_id,
            customer: details.customer.as_deref(),
            mandate: details.mandate.as_ref().map(|mandate| mandate.id),
            next_action: self.next_action.as_ref(),
            decline: self.decline.as_ref(),
            attempt_id: self.attempt_id,
            closing: self.closing,
            expires_at: self.expires_at,
            paid_at: self.paid_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
            client_secret: details.client_secret.as_ref(),
            checkout_url: details.checkout_url.as_deref(),
        }
    }
}

impl Attempt {
    /// The attempt as the API shows it.
    pub fn view(&self) -> AttemptView {
        AttemptView {
            id: self.id,
            object: "attempt",
            order_id: self.order_id,
            channel: self.channel.clone(),
            channel_account_id: self.account_id,
            reference: self.reference.clone(),
            channel_transaction_id: self.channel_id.clone(),
            method: self.method.clone(),
            status: self.status,
            amount: self.money.minor(),
            currency: self.money.currency(),
            card: self.card.clone(),
            decline: self.decline.clone(),
            fault: self.fault.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}
