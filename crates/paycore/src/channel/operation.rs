//! What a channel can be asked to do. New operations are added here; a channel that does not know one refuses it
//! in the last arm of its match, so that no existing channel changes.

use crate::channel::{Card, Method};
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
    /// Let others have a share of a payment (分账).
    Share(Share),
    /// Ask what became of a share.
    QueryShare(QueryShare),
    /// End the sharing of a payment: what is left is the merchant's.
    Release(Release),
    /// Take a share back from a receiver.
    ReturnShare(ReturnShare),
    /// Ask what became of a return.
    QueryReturn(QueryReturn),
    /// Make somebody a possible receiver of shares.
    BindReceiver(Receiver),
    /// Undo that.
    UnbindReceiver(Receiver),
    /// Pay money out of the merchant's balance to somebody.
    Transfer(Transfer),
    /// Ask what became of a transfer.
    QueryTransfer(QueryTransfer),
    /// Begin a mandate: let the payer agree to be charged without being present (委托代扣).
    SignMandate(SignMandate),
    /// Ask what became of a mandate.
    QueryMandate(QueryMandate),
    /// End a mandate.
    RevokeMandate(RevokeMandate),
    /// Fetch a statement file.
    Statement(Statement),
    /// Ask where the payer's browser has to go so that the wallet tells who the payer is.
    SignIn(SignIn),
    /// Learn who the payer is from what the wallet sent along.
    Identify(Identify),
    /// Let a device of the shop read what only it can, such as a face.
    AuthorizeDevice(Device),
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
    Share,
    QueryShare,
    Release,
    ReturnShare,
    QueryReturn,
    BindReceiver,
    UnbindReceiver,
    Transfer,
    QueryTransfer,
    SignMandate,
    QueryMandate,
    RevokeMandate,
    Statement,
    SignIn,
    Identify,
    AuthorizeDevice,
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
            Operation::Share(_) => Verb::Share,
            Operation::QueryShare(_) => Verb::QueryShare,
            Operation::Release(_) => Verb::Release,
            Operation::ReturnShare(_) => Verb::ReturnShare,
            Operation::QueryReturn(_) => Verb::QueryReturn,
            Operation::BindReceiver(_) => Verb::BindReceiver,
            Operation::UnbindReceiver(_) => Verb::UnbindReceiver,
            Operation::Transfer(_) => Verb::Transfer,
            Operation::QueryTransfer(_) => Verb::QueryTransfer,
            Operation::SignMandate(_) => Verb::SignMandate,
            Operation::QueryMandate(_) => Verb::QueryMandate,
            Operation::RevokeMandate(_) => Verb::RevokeMandate,
            Operation::Statement(_) => Verb::Statement,
            Operation::SignIn(_) => Verb::SignIn,
            Operation::Identify(_) => Verb::Identify,
            Operation::AuthorizeDevice(_) => Verb::AuthorizeDevice,
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
    /// When the attempt was made; the same however often it is sent.
    pub started_at: Timestamp,
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
    /// Whether others will have a share of it: some channels have to know beforehand.
    pub shared: bool,
    /// For a combined payment (合单): what each of several sub-merchants gets, together `money`; else empty.
    pub parts: Vec<Part>,
    /// The card, for methods that take one ([`Method::takes_card`]) and no others.
    pub card: Option<Box<Card>>,
    /// The channel's own id of the mandate to charge by, for methods that charge by one ([`Method::by_mandate`]) and no
    /// others.
    pub mandate: Option<String>,
}

/// One sub-merchant's part of a combined payment.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Our reference of the part, unique like that of a payment.
    pub reference: String,
    /// The sub-merchant's number at the channel.
    pub merchant: String,
    /// Its amount.
    pub money: Money,
    /// What the payer sees of it.
    pub subject: String,
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
    /// What the shop's scanner or face reader read: the digits of the payer's barcode (付款码), or the code that stands
    /// for a face (刷脸). Good once and for about a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 6, max = 128))]
    pub auth_code: Option<String>,
}

/// The payment an operation is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Payment {
    /// Our reference of the attempt.
    pub reference: String,
    /// The channel's own id, where known.
    pub channel_id: Option<String>,
    /// The method and scene it was started with.
    pub method: Method,
    /// The amount that was asked for.
    pub money: Money,
    /// When the attempt was made, as its [`Pay`] said.
    pub started_at: Timestamp,
    /// When its capture or void was made, once there is one; the same however often that is sent.
    pub ending_at: Option<Timestamp>,
}

/// Ask what became of a payment. The answer is checked against what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Which.
    pub payment: Payment,
}

/// Close an unpaid payment.
#[derive(Debug, Clone, PartialEq)]
pub struct Close {
    /// Which.
    pub payment: Payment,
}

/// Take authorized money, all or part of it. At most once per payment.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// The authorization.
    pub payment: Payment,
    /// What to take now.
    pub money: Money,
}

/// Give an authorization back.
#[derive(Debug, Clone, PartialEq)]
pub struct Void {
    /// The authorization.
    pub payment: Payment,
}

/// Give captured money back, all or part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Refund {
    /// Our reference of the refund; sending the same one again must never refund twice.
    pub reference: String,
    /// When the refund was made; the same however often it is sent.
    pub started_at: Timestamp,
    /// The payment.
    pub payment: Payment,
    /// Our reference of the part, of a combined payment.
    pub part: Option<String>,
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
    /// The channel's own id of the refund, where known.
    pub channel_id: Option<String>,
    /// When the refund was made, as its [`Refund`] said.
    pub started_at: Timestamp,
    /// The payment.
    pub payment: Payment,
    /// What should be given back.
    pub money: Money,
}

/// Who may get a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// What `account` is.
    pub kind: AccountKind,
    /// The account.
    pub account: String,
    /// The name of its owner, where the channel checks it.
    pub name: Option<String>,
    /// How it stands to the merchant, in the channel's word (`SUPPLIER`, `STORE`, …), where the channel asks.
    pub relation: Option<String>,
}

/// What identifies somebody at a channel.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountKind {
    /// A merchant's number.
    Merchant,
    /// A person as the merchant's app knows it: an openid.
    Open,
    /// A person's own number at the channel.
    User,
    /// What a person signs in with: telephone number or mail address.
    Login,
    /// A bank account.
    Bank,
}

/// Give shares of a captured payment to receivers.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Our reference of the share; sending the same one again must never share twice.
    pub reference: String,
    /// The payment.
    pub payment: Payment,
    /// Who gets how much.
    pub shares: Vec<(Receiver, Money)>,
    /// Shown to the receivers.
    pub description: String,
    /// Whether the rest is released to the merchant with it.
    pub last: bool,
}

/// Ask what became of a share.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryShare {
    /// Our reference of the share.
    pub reference: String,
    /// The channel's own id, where known.
    pub channel_id: Option<String>,
    /// The payment.
    pub payment: Payment,
}

/// End the sharing of a payment.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Our reference of the release.
    pub reference: String,
    /// The payment.
    pub payment: Payment,
    /// Why, for the record.
    pub description: String,
}

/// Take a share back.
#[derive(Debug, Clone, PartialEq)]
pub struct ReturnShare {
    /// Our reference of the return; sending the same one again must never take twice.
    pub reference: String,
    /// Our reference of the share.
    pub share: String,
    /// The payment.
    pub payment: Payment,
    /// From whom.
    pub receiver: Receiver,
    /// How much.
    pub money: Money,
    /// Why, for the receiver.
    pub description: String,
}

/// Ask what became of a return.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryReturn {
    /// Our reference of the return.
    pub reference: String,
    /// Our reference of the share.
    pub share: String,
    /// The payment.
    pub payment: Payment,
    /// How much was to be taken.
    pub money: Money,
}

/// Pay money out to somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct Transfer {
    /// Our reference; sending the same one again must never pay twice.
    pub reference: String,
    /// When it was made; the same however often it is sent.
    pub started_at: Timestamp,
    /// To whom.
    pub payee: Receiver,
    /// How much.
    pub money: Money,
    /// Shown to the payee.
    pub title: String,
    /// Why the money is paid, in the channel's word, where it asks for one.
    pub purpose: Option<String>,
    /// What the channel wants reported about the purpose: name and value.
    pub facts: Vec<(String, String)>,
}

/// Ask what became of a transfer.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryTransfer {
    /// Our reference.
    pub reference: String,
    /// The channel's own id, where known.
    pub channel_id: Option<String>,
    /// When it was made, as its [`Transfer`] said.
    pub started_at: Timestamp,
    /// How much was to be paid.
    pub money: Money,
}

/// Begin a mandate: a payer's standing agreement to be charged without being present (委托代扣). The answer is usually
/// awaiting an action of the payer; that it was signed is notified as [`Subject::Mandate`](crate::channel::Subject), or
/// queried. `reference` is ours; asking again with the same one must never make a second mandate.
#[derive(Debug, Clone, PartialEq)]
pub struct SignMandate {
    /// Our reference: ASCII letters and digits, at most 32.
    pub reference: String,
    /// When it was begun; the same however often it is sent.
    pub started_at: Timestamp,
    /// The method that charges by it, such as `wechatpay.mandate`.
    pub method: Method,
    /// Where the payer signs.
    pub scene: SigningScene,
    /// What the payer reads as the account that agrees, at most 127 characters.
    pub subject: String,
    /// Where the payer's browser goes afterwards, where the channel can.
    pub return_url: Option<String>,
    /// What is known of the payer.
    pub payer: Payer,
}

/// Where a payer signs a mandate, in the words that methods have for their scenes.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SigningScene {
    /// On a page inside the wallet's own browser.
    #[default]
    Jsapi,
    /// From a page in another browser of the phone.
    H5,
    /// From an app on the phone.
    App,
    /// From a mini program of the wallet.
    Mini,
}

/// Ask what became of a mandate. Succeeded: it is active, and the outcome's `channel_id` is its own id at the channel,
/// to charge by. Declined: it was signed and has ended. Pending: nobody has signed it yet.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryMandate {
    /// Our reference of the mandate.
    pub reference: String,
    /// The channel's own id, where known.
    pub channel_id: Option<String>,
    /// The method that charges by it.
    pub method: Method,
    /// When it was begun, as its [`SignMandate`] said.
    pub started_at: Timestamp,
}

/// End a mandate, so that nobody is charged by it any more. Closed, or declined as in a query: it has ended. Succeeded: the
/// channel says that it is active all the same.
#[derive(Debug, Clone, PartialEq)]
pub struct RevokeMandate {
    /// Our reference of the mandate.
    pub reference: String,
    /// The channel's own id, where known.
    pub channel_id: Option<String>,
    /// The method that charges by it.
    pub method: Method,
    /// When it was begun, as its [`SignMandate`] said.
    pub started_at: Timestamp,
    /// Why, for the channel's record, at most 127 characters.
    pub reason: String,
}

/// Fetch a statement file. Its steps end with [`Step::File`](crate::channel::Step::File).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// Which of the channel's files.
    pub kind: StatementKind,
    /// Any instant of the day it is about, in the channel's time zone.
    pub day: Timestamp,
}

/// Ask where the payer's browser has to go. The answer is awaiting a redirect, without a call; the wallet sends the
/// browser back to `return_url` with the parameters `code` (of Alipay `auth_code`) and `state` added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// An absolute https address (http only in a sandbox) with no such parameters of its own.
    pub return_url: String,
    /// Comes back as it is: letters and digits, at most 64.
    pub state: String,
}

/// Learn who the payer is. The outcome's `channel_id` is the [`Payer::id`] to pay with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identify {
    /// The code the wallet sent along, good once and for a few minutes.
    pub code: String,
}

/// A device of the shop that reads what only it can, such as the payer's face (刷脸), once the provider lets it. The answer
/// is awaiting the parameters for the device's own client, which are good for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The merchant's number of the shop: 1 to 32 ASCII characters.
    pub store: String,
    /// The shop's name, as the device may show it, at most 128 characters.
    pub store_name: String,
    /// The merchant's number of the device: 1 to 32 ASCII characters.
    pub device: String,
    /// What the device's client said of itself (WeChat's `rawdata`): 1 to 2,048 ASCII characters.
    pub challenge: String,
}

/// The kinds of statement files.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StatementKind {
    /// Payments and refunds.
    Trade,
    /// Everything that changed the merchant's balance.
    Funds,
}
