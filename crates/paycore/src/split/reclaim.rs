//! Taking shares back when the payer gets money back. The refund does not wait for it, and both are tracked: one
//! [`ShareReturn`] for each refund or chargeback. The money comes, in this order, from what was not given yet, from the
//! receiver through the channel, from the receiver's balance with us, and what is missing the receiver owes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compile::Limits;
use super::rules::reclaimable;
use super::{ReceiverAccount, RequestStatus, Share, Split, Via};
use crate::id::{OrderId, ReceiverId, ReconciliationId, ShareReturnId, SplitId};
use crate::money::Money;
use crate::order::Order;
use crate::order::input::Moment;
use crate::time::Timestamp;

/// What one refund or chargeback takes back from the receivers of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShareReturn {
    /// Its id.
    pub id: ShareReturnId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// The order.
    pub order_id: OrderId,
    /// The split, once it was looked up.
    pub split_id: Option<SplitId>,
    /// Id of the refund or dispute; each takes back once.
    pub source: String,
    /// What went back to the payer.
    pub money: Money,
    /// Whether every leg is settled.
    pub finished: bool,
    /// What each receiver gives back.
    pub legs: Vec<Leg>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Number of events about it so far.
    pub sequence: i64,
    /// How often the worker looked at it.
    pub looks: i64,
    /// When the worker looks next, wall clock; zero for never.
    pub due_at: Timestamp,
}

/// What one receiver gives back, and from where. The four parts sum to `amount`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leg {
    /// Who.
    pub receiver_id: ReceiverId,
    /// Its account with the channel.
    pub account: Option<ReceiverAccount>,
    /// All of it.
    pub amount: Money,
    /// From the share that was not given yet, minor units.
    pub from_unfrozen: i64,
    /// Taken back through the channel, minor units.
    pub from_channel: i64,
    /// From the receiver's balance with us, minor units.
    pub from_balance: i64,
    /// What the receiver owes since then, minor units.
    pub owed: i64,
    /// Our reference of the request to the channel, where there is one.
    pub reference: Option<String>,
    /// Our reference of the share on the wire.
    pub share_reference: Option<String>,
    /// Where the request stands.
    pub status: Option<RequestStatus>,
    /// The last fault or the reason of a decline, for people.
    pub fault: Option<String>,
    /// The run that has found it on the channel's statement of funds.
    #[serde(default)]
    pub reconciled: Option<ReconciliationId>,
}

impl ShareReturn {
    /// What a refund or chargeback of an order starts, to be committed with it; nothing where the order is not shared.
    pub fn of(
        id: ShareReturnId,
        order: &Order,
        source: String,
        money: Money,
        at: Moment,
    ) -> Option<ShareReturn> {
        let shared = order.details.split.is_some() && money.is_positive();
        shared.then(|| ShareReturn {
            id,
            version: 0,
            order_id: order.id,
            split_id: None,
            source,
            money,
            finished: false,
            legs: Vec::new(),
            created_at: at.now,
            updated_at: at.now,
            sequence: 0,
            looks: 0,
            due_at: at.wall,
        })
    }

    /// Whether a request to the channel is open.
    pub fn is_open(&self) -> bool {
        self.legs.iter().any(|leg| leg.status.is_some_and(RequestStatus::is_open))
    }
}

/// Works out what a refund or chargeback of `money` takes back, and notes it on the split, so that the next one takes the
/// rest and no more. Only while nothing of the split is open at the channel.
pub fn take_back(split: &mut Split, money: Money, by_channel: impl Fn(&Share) -> bool) -> Vec<Leg> {
    let before: Vec<i64> = split.shares.iter().map(|share| share.cancelled).collect();
    split.refunded = (split.refunded + money.minor()).min(split.gross.minor());
    split.cancel_refunded();
    let (refunded, gross, policy) = (split.refunded, split.gross.minor(), split.terms.on_refund);
    let mut legs = Vec::new();
    for (share, cancelled_before) in split.shares.iter_mut().zip(before) {
        let unfrozen = share.cancelled - cancelled_before;
        let given = Money::new(share.given, share.amount.currency());
        // What was cancelled before the rest was given counts: together it is the part of the whole share.
        let due = reclaimable(share.amount, refunded, gross, policy).minor() - share.cancelled;
        let back = (due - share.reclaimed).clamp(0, given.minor() - share.reclaimed);
        if unfrozen + back == 0 {
            continue;
        }
        share.reclaimed += back;
        let channel = split.via == Some(Via::Channel) && back > 0 && by_channel(share);
        let amount = Money::new(unfrozen + back, share.amount.currency());
        legs.push(Leg {
            receiver_id: share.receiver_id,
            account: share.account.clone(),
            amount,
            from_unfrozen: unfrozen,
            from_channel: if channel { back } else { 0 },
            from_balance: 0,
            owed: if channel { 0 } else { back },
            reference: None,
            share_reference: None,
            status: channel.then_some(RequestStatus::Sending),
            fault: None,
            reconciled: None,
        });
    }
    legs
}

/// Whether a channel can take this share back.
pub fn returnable(limits: &Limits, share: &Share, paid_at: Timestamp, now: Timestamp) -> bool {
    let within = now.since(paid_at).as_secs() < u64::from(limits.return_days) * 86_400;
    within && share.account.as_ref().is_some_and(|account| limits.returns.contains(&account.kind))
}

impl Leg {
    /// What has to come from the receiver itself is taken from its balance as far as that goes; the rest is owed.
    pub fn charge(&mut self, balance: i64) {
        let wanted = self.from_balance + self.owed;
        self.from_balance = wanted.min(balance.max(0));
        self.owed = wanted - self.from_balance;
    }

    /// The channel will not take it back: the receiver's balance and debt have to serve.
    pub fn declined(&mut self, reason: String, balance: i64) {
        self.status = Some(RequestStatus::Failed);
        self.fault = Some(reason);
        self.owed += self.from_channel;
        self.from_channel = 0;
        self.charge(balance);
    }
}
