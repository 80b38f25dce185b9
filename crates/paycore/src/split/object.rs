//! The objects: plans, receivers, and the split of one order. Each is kept whole, as one document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::{Division, reclaimable};
use super::{RequestStatus, ShareReturn, Snapshot, SplitStatus, Terms, Via};
use crate::channel::{AccountKind, Method, Receiver as ChannelReceiver};
use crate::document::{Index, document};
use crate::id::{
    AttemptId, ChannelAccountId, OrderId, ReceiverId, ReconciliationId, ShareReturnId, SplitId, SplitPlanId,
};
use crate::money::Money;
use crate::time::Timestamp;

/// A plan by which orders are shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SplitPlan {
    /// Its id.
    pub id: SplitPlanId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// What people call it, 1 to 100 characters.
    pub name: String,
    /// 1, 2, 3 …: which edition of its terms this is.
    pub revision: u32,
    /// The terms.
    pub terms: Terms,
    /// Whether new orders may use it.
    pub enabled: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Somebody who may get shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receiver {
    /// Its id; also the party of its accounts in the ledger.
    pub id: ReceiverId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// What people call it, 1 to 100 characters.
    pub name: String,
    /// Its accounts with channels, at most one for each channel.
    pub accounts: Vec<ReceiverAccount>,
    /// The merchant's channel accounts at which it is bound as a possible receiver.
    #[serde(default)]
    pub bound: Vec<ChannelAccountId>,
    /// Whether new plans and splits may name it.
    pub enabled: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A receiver's account with a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiverAccount {
    /// Id of the channel, such as `wechatpay`.
    pub channel: String,
    /// What `account` is.
    pub kind: AccountKind,
    /// The account, 1 to 64 characters.
    #[schemars(length(min = 1, max = 64))]
    pub account: String,
    /// The owner's name, where the channel checks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub owner: Option<String>,
    /// How it stands to the merchant, in the channel's word, such as `SUPPLIER`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub relation: Option<String>,
}

impl ReceiverAccount {
    /// As the channel is told.
    pub fn receiver(&self) -> ChannelReceiver {
        ChannelReceiver {
            kind: self.kind,
            account: self.account.clone(),
            name: self.owner.clone(),
            relation: self.relation.clone(),
        }
    }
}

/// The sharing of one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Split {
    /// Its id.
    pub id: SplitId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// The order; it has one split.
    pub order_id: OrderId,
    /// The attempt that was paid.
    pub attempt_id: AttemptId,
    /// The account with the channel it was paid through.
    pub account_id: ChannelAccountId,
    /// Id of the channel.
    pub channel: String,
    /// The method it was paid by.
    pub method: Method,
    /// The plan.
    pub plan_id: SplitPlanId,
    /// The edition of the plan.
    pub plan_revision: u32,
    /// The terms as they were when the order was made.
    pub terms: Terms,
    /// Where it stands.
    pub status: SplitStatus,
    /// The way the shares go, once it is decided: `channel` or `ledger`.
    pub via: Option<Via>,
    /// Why it did not go the other way or is blocked, for people.
    pub detail: Option<String>,
    /// Whether the channel froze the money for sharing, so that the rest has to be released.
    pub frozen: bool,
    /// What was captured.
    pub gross: Money,
    /// What the merchant pays for the payment.
    pub fee: Money,
    /// What went back to the payer so far (refunds and chargebacks that this split has taken in), minor units.
    pub refunded: i64,
    /// The shares, in order of the receivers' ids.
    pub shares: Vec<Share>,
    /// The requests to the channel, in order.
    pub requests: Vec<Request>,
    /// Whether a call released it.
    pub released: bool,
    /// When the order was paid.
    pub paid_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Number of events about it so far.
    pub sequence: i64,
    /// How often the worker looked at what is open.
    pub looks: i64,
    /// When the worker looks next, wall clock; zero for never.
    pub due_at: Timestamp,
}

/// One receiver's share of an order. `amount - cancelled` is given; `given - reclaimed` stays with the receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// Who.
    pub receiver_id: ReceiverId,
    /// Its account with the channel, as it was when the share was sent.
    pub account: Option<ReceiverAccount>,
    /// The whole share.
    pub amount: Money,
    /// What a refund took before it was given, minor units.
    pub cancelled: i64,
    /// What the receiver was given, minor units.
    pub given: i64,
    /// What was taken back from the receiver or is being taken back, minor units.
    pub reclaimed: i64,
    /// Whether its outcome is final.
    pub settled: bool,
    /// Why the channel declined it.
    pub reason: Option<String>,
}

impl Share {
    /// What is still to be given, minor units.
    pub fn open(&self) -> i64 {
        match self.settled {
            true => 0,
            false => self.amount.minor() - self.cancelled,
        }
    }
}

/// A request to the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Our reference on the wire.
    pub reference: String,
    /// What it asks for.
    pub kind: RequestKind,
    /// Who gets how much by it; the same however often it is sent.
    pub shares: Vec<(ReceiverId, Money)>,
    /// Where it stands.
    pub status: RequestStatus,
    /// The channel's own id.
    pub channel_id: Option<String>,
    /// The last fault or the reason of a decline, for people.
    pub fault: Option<String>,
    /// The run that has found it on the channel's statement of funds.
    #[serde(default)]
    pub reconciled: Option<ReconciliationId>,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// Shares for its receivers.
    Share,
    /// The end of the sharing: the rest is the merchant's.
    Release,
}

fn enabled(enabled: bool) -> &'static str {
    if enabled { "enabled" } else { "disabled" }
}

document!(SplitPlan, SplitPlanId, "split_plan", |plan| Index::new(enabled(plan.enabled)));
document!(Receiver, ReceiverId, "receiver", |receiver| Index::new(enabled(receiver.enabled)));
document!(Split, SplitId, "split", |split| Index {
    number: Some(split.order_id.to_string()),
    parent: Some(split.plan_id.to_string()),
    status: split.status.text(),
    at: split.paid_at,
    due_at: split.due_at,
});
document!(ShareReturn, ShareReturnId, "share_return", |back| Index {
    number: Some(back.source.clone()),
    parent: Some(back.order_id.to_string()),
    status: if back.finished { "finished" } else { "pending" },
    at: back.created_at,
    due_at: back.due_at,
});

impl SplitPlan {
    /// The plan as a new order keeps it.
    pub fn snapshot(self) -> Snapshot {
        Snapshot { plan_id: self.id, revision: self.revision, terms: self.terms, flagged: false }
    }
}

impl Split {
    /// Takes in how the payment is divided, after what was refunded meanwhile.
    pub fn divided(&mut self, division: Division) {
        self.shares = division
            .shares
            .into_iter()
            .map(|(receiver_id, amount)| Share {
                receiver_id,
                account: None,
                amount,
                cancelled: 0,
                given: 0,
                reclaimed: 0,
                settled: false,
                reason: None,
            })
            .collect();
        self.cancel_refunded();
        self.status = SplitStatus::Held;
    }

    /// Takes what was refunded off the shares that are not given yet.
    pub fn cancel_refunded(&mut self) {
        let (refunded, gross, policy) = (self.refunded, self.gross.minor(), self.terms.on_refund);
        for share in self.shares.iter_mut().filter(|share| !share.settled) {
            share.cancelled = reclaimable(share.amount, refunded, gross, policy).minor();
        }
    }

    /// Whether anything is with the channel whose outcome is not final.
    pub fn is_open(&self) -> bool {
        self.requests.iter().any(|request| request.status.is_open())
    }
}
