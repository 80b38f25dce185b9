//! What a channel can be asked to do. New operations are added here; a channel that does not know one refuses it
//! in the last arm of its match, so that no existing channel changes.

use crate::channel::Method;
use crate::money::Money;
use crate::time::Timestamp;

/// One request to a channel.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// Start a payment.
    Pay(Pay),
    /// Ask what became of a payment.
    Query(Query),
    /// Close an unpaid payment so that it cannot be paid any more.
    Close(Close),
    /// Take authorized money.
    Capture(Capture),
    /// Give an authorization back.
    Void(Void),
    /// Give captured money back.
    Refund(Refund),
    /// Ask what became of a refund.
    QueryRefund(QueryRefund),
}

/// The name of an operation, without its data: for capability tables, logs and metrics.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the operation of the same name")]
pub enum Verb {
    Pay,
    Query,
    Close,
    Capture,
    Void,
    Refund,
    QueryRefund,
}

impl Operation {
    /// The operation's name.
    pub fn verb(&self) -> Verb {
        match self {
            Operation::Pay(_) => Verb::Pay,
            Operation::Query(_) => Verb::Query,
            Operation::Close(_) => Verb::Close,
            Operation::Capture(_) => Verb::Capture,
            Operation::Void(_) => Verb::Void,
            Operation::Refund(_) => Verb::Refund,
            Operation::QueryRefund(_) => Verb::QueryRefund,
        }
    }
}

/// Whether the money is taken at once.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMode {
    /// Taken with the payment.
    #[default]
    Automatic,
    /// Authorized now, taken by a later capture.
    Manual,
}

/// Start a payment. `reference` is ours and unique per attempt; sending the same one again must never charge twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Pay {
    /// Our reference: ASCII letters and digits, at most 32.
    pub reference: String,
    /// The amount to take.
    pub money: Money,
    /// The method and scene, such as `alipay.qr`.
    pub method: Method,
    /// What the payer sees, at most 127 characters.
    pub subject: String,
    /// Longer text, where the channel shows one.
    pub description: Option<String>,
    /// Where the payer's browser goes afterwards.
    pub return_url: Option<String>,
    /// When the payment must no longer be possible.
    pub expires_at: Option<Timestamp>,
    /// Whether to take the money at once.
    pub capture: CaptureMode,
    /// What is known of the payer.
    pub payer: Payer,
}

/// What is known of the payer. Scenes that need a part refuse an operation without it.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Payer {
    /// The payer's id at the channel, such as a WeChat openid or an Alipay buyer id, at most 128 characters; for
    /// scenes inside the wallet's own browser or mini program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub id: Option<String>,
    /// The payer's IP address as text; for scenes in an ordinary browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 45))]
    pub ip: Option<String>,
    /// The digits of the payer's barcode (付款码), as the shop's scanner read them; good for about a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 6, max = 64))]
    pub auth_code: Option<String>,
}

/// Ask what became of a payment.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Our reference of the attempt.
    pub reference: String,
    /// The channel's own id, where known.
    pub channel_id: Option<String>,
    /// The amount that was asked for, against which the answer is checked.
    pub money: Money,
}

/// Close an unpaid payment.
#[derive(Debug, Clone, PartialEq)]
pub struct Close {
    /// Our reference of the attempt.
    pub reference: String,
    /// The channel's own id, where known.
    pub channel_id: Option<String>,
    /// The amount of the payment.
    pub money: Money,
}

/// Take authorized money, all or part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// Our reference of the attempt.
    pub reference: String,
    /// The channel's own id, where known.
    pub channel_id: Option<String>,
    /// What was authorized.
    pub authorized: Money,
    /// What to take now.
    pub money: Money,
}

/// Give an authorization back.
#[derive(Debug, Clone, PartialEq)]
pub struct Void {
    /// Our reference of the attempt.
    pub reference: String,
    /// The channel's own id, where known.
    pub channel_id: Option<String>,
    /// What was authorized.
    pub money: Money,
}

/// Give captured money back, all or part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Refund {
    /// Our reference of the refund; sending the same one again must never refund twice.
    pub reference: String,
    /// Our reference of the payment's attempt.
    pub payment_reference: String,
    /// The channel's own id of the payment, where known.
    pub payment_channel_id: Option<String>,
    /// What was captured.
    pub captured: Money,
    /// What to give back now.
    pub money: Money,
    /// Shown to the payer, where the channel can.
    pub reason: Option<String>,
}

/// Ask what became of a refund.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryRefund {
    /// Our reference of the refund.
    pub reference: String,
    /// Our reference of the payment's attempt.
    pub payment_reference: String,
    /// The channel's own id of the payment, where known.
    pub payment_channel_id: Option<String>,
    /// What should be given back.
    pub money: Money,
}
