//! Events: what happened, once each, in order per object. They are the outbox: webhooks are sent from them,
//! the ledger books them, and merchants pull them by `GET /v1/events`.

#[cfg(feature = "engine")]
pub mod service;
#[cfg(feature = "engine")]
mod store;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(feature = "engine")]
pub use store::{EventFilter, Events};

use crate::id::{EventId, OrderId, RefundId};
use crate::money::Money;
use crate::time::Timestamp;

/// Something that happened to one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id, also the `webhook-id` of its deliveries.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// Id of the object it happened to.
    pub object_id: String,
    /// 1, 2, 3 … per object, without gaps.
    pub sequence: i64,
    /// The whole event as JSON text, rendered once; every delivery sends these bytes.
    pub body: String,
    /// The order's own notify URL, if it has one.
    pub notify_url: Option<String>,
    /// What the ledger books for it; not stored with the event.
    pub booking: Option<Booking>,
    /// When it happened.
    pub created_at: Timestamp,
    /// Position in the merchant's stream in order of commit, given by the store; 0 before.
    pub position: i64,
    /// When the outbox worker takes it up, wall clock; zero once its deliveries exist.
    pub due_at: Timestamp,
}

/// What the ledger needs to know of an event that moved money.
#[derive(Debug, Clone, PartialEq)]
pub struct Booking {
    /// What moved: names the posting template.
    pub movement: Movement,
    /// The order it is about.
    pub order_id: Option<OrderId>,
    /// The refund it is about.
    pub refund_id: Option<RefundId>,
    /// The channel the money moved through; fills `{channel}` in the names of accounts.
    pub channel: Option<String>,
    /// Whose money it is beside the merchant's: an agent, a receiver, a bank account; fills `{party}`.
    pub party: Option<String>,
    /// The amounts, each by the name that the template's lines use. The first is the transaction's own amount. A part
    /// that is missing or zero leaves its lines out.
    pub parts: Vec<(Part, Money)>,
    /// The instant it counts for, where that is before the event.
    pub effective_at: Option<Timestamp>,
}

impl Booking {
    /// A booking of one part; more is added by the methods below.
    pub fn new(movement: Movement, part: Part, money: Money) -> Self {
        Booking {
            movement,
            order_id: None,
            refund_id: None,
            channel: None,
            party: None,
            parts: vec![(part, money)],
            effective_at: None,
        }
    }

    /// About this order.
    pub fn order(self, order: OrderId) -> Self {
        Booking { order_id: Some(order), ..self }
    }

    /// About this refund.
    pub fn refund(self, refund: RefundId) -> Self {
        Booking { refund_id: Some(refund), ..self }
    }

    /// Through this channel.
    pub fn channel(self, channel: impl Into<String>) -> Self {
        Booking { channel: Some(channel.into()), ..self }
    }

    /// For this party.
    pub fn party(self, party: impl Into<String>) -> Self {
        Booking { party: Some(party.into()), ..self }
    }

    /// Counting for an instant before the event.
    pub fn effective(self, at: Timestamp) -> Self {
        Booking { effective_at: Some(at), ..self }
    }

    /// With one more part.
    pub fn with(mut self, part: Part, money: Money) -> Self {
        self.parts.push((part, money));
        self
    }

    /// The amount of a part.
    pub fn part(&self, part: Part) -> Option<Money> {
        self.parts.iter().find(|(name, _)| *name == part).map(|(_, money)| *money)
    }
}

/// The name of an amount in a booking and in the lines of a posting template. Each part is in one currency and moves
/// from one account to another as a whole, so that what is made of parts always balances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// The whole amount that moved.
    Gross,
    /// What the merchant is charged for it, or given back.
    Fee,
    /// What the channel keeps of it, or gives back.
    Cost,
    /// Tax on the fee.
    Tax,
    /// What the merchant gets back of fees at a month's end.
    FeeBack,
    /// Tax on that.
    TaxBack,
    /// What is sold for another currency.
    Sold,
    /// What is bought for it.
    Bought,
    /// What is kept of a conversion.
    Spread,
    /// What is less than a minor unit in it.
    Rounding,
    /// What the rates have earned.
    Gain,
    /// What the rates have cost.
    Loss,
    /// What becomes available.
    Settled,
    /// What stops being available, because more was taken back than came in.
    Reclaimed,
    /// What is put into reserve.
    ReserveHeld,
    /// What comes out of reserve.
    ReserveReleased,
    /// The fee for getting money early.
    AccelerationFee,
    /// The fee for a transfer to the merchant's bank, where the merchant bears it.
    TransferFee,
}

macro_rules! movements {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// What moved money: the kind of a transaction, and the name of its posting template.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[non_exhaustive]
        pub enum Movement { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl Movement {
            /// Every movement.
            pub const ALL: &'static [Movement] = &[$(Movement::$name,)*];
            /// The word used in the API and the database.
            pub fn text(self) -> &'static str { match self { $(Movement::$name => $text,)* } }
            /// Reads the word back.
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(Movement::$name),)* _ => None } }
        }
    };
}

movements! {
    /// Money came in through a channel.
    Payment "payment",
    /// Money went back through a channel.
    Refund "refund",
    /// Money of the merchant was put on hold.
    Hold "hold",
    /// Money on hold was released.
    HoldRelease "hold_release",
    /// Another transaction was taken back.
    Reversal "reversal",
    /// The merchant brought money in by bank transfer.
    TopUp "top_up",
    /// Money was set aside for a payout.
    PayoutReserve "payout_reserve",
    /// Money set aside for a payout is available again.
    PayoutRelease "payout_release",
    /// A payout was paid by a bank.
    PayoutPaid "payout_paid",
    /// A payout was paid by a channel.
    PayoutTransferred "payout_transferred",
    /// A bank sent a payout back.
    PayoutReturned "payout_returned",
    /// A channel took a payout back.
    PayoutTransferReturned "payout_transfer_returned",
    /// A fee that belongs to no single payment.
    Fee "fee",
    /// One currency was converted into another.
    Conversion "conversion",
    /// What stands in foreign currencies was valued anew.
    Revaluation "revaluation",
    /// Receivers got shares of a payment through its channel.
    Share "share",
    /// A receiver was credited a share.
    ShareCredit "share_credit",
    /// A share came back through its channel.
    ShareReturn "share_return",
    /// A share was taken back from a receiver's balance, or is owed since.
    ShareCharge "share_charge",
    /// An agent earned by a payment or by its volume.
    Commission "commission",
    /// An agent gave back what it had earned.
    CommissionBack "commission_back",
    /// A payment to an agent left its account, the tax withheld.
    AgentWithdrawal "agent_withdrawal",
    /// It came back because it was not paid.
    AgentWithdrawalReversal "agent_withdrawal_reversal",
    /// It was paid.
    AgentPaid "agent_paid",
    /// A channel took money back because of a dispute.
    Chargeback "chargeback",
    /// A channel gave it back.
    ChargebackReversal "chargeback_reversal",
    /// A channel charged for a dispute.
    DisputeFee "dispute_fee",
    /// Pending money became available, less what is held in reserve.
    Settlement "settlement",
    /// The channel has more than our books say: put on suspense (长款).
    SuspenseLong "suspense_long",
    /// The channel has less than our books say: put on suspense (短款).
    SuspenseShort "suspense_short",
    /// A surplus on suspense went back where it came from.
    SuspenseLongReleased "suspense_long_released",
    /// A shortage on suspense went back where it came from.
    SuspenseShortReleased "suspense_short_released",
    /// A surplus on suspense became the merchant's.
    SuspenseLongCredited "suspense_long_credited",
    /// A shortage on suspense was borne by the merchant.
    SuspenseShortCharged "suspense_short_charged",
    /// A shortage on suspense became a cost.
    SuspenseShortWrittenOff "suspense_short_written_off",
    /// The bank has more than our books say: put on suspense (长款).
    BankSuspenseLong "bank_suspense_long",
    /// The bank has less than our books say: put on suspense (短款).
    BankSuspenseShort "bank_suspense_short",
    /// A surplus at the bank on suspense went back where it came from.
    BankSuspenseLongReleased "bank_suspense_long_released",
    /// A shortage at the bank on suspense went back where it came from.
    BankSuspenseShortReleased "bank_suspense_short_released",
    /// A settlement that was published was corrected.
    SettlementCorrection "settlement_correction",
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[non_exhaustive]
        pub enum EventKind { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [EventKind] = &[$(EventKind::$name,)*];
            /// The `type` of the event in the API.
            pub fn text(self) -> &'static str { match self { $(EventKind::$name => $text,)* } }
            /// Reads the word back.
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(EventKind::$name),)* _ => None } }
        }
    };
}

kinds! {
    /// An order exists.
    OrderCreated "order.created",
    /// The order's money is reserved.
    OrderAuthorized "order.authorized",
    /// The order is paid.
    OrderSucceeded "order.succeeded",
    /// The order was declined.
    OrderFailed "order.failed",
    /// The order was closed, expired or voided.
    OrderClosed "order.closed",
    /// Money arrived for an order that was closed or had failed; it is being given back.
    OrderLatePayment "order.late_payment",
    /// A refund was reserved and is on its way.
    RefundCreated "refund.created",
    /// A refund arrived.
    RefundSucceeded "refund.succeeded",
    /// A refund was refused by the channel.
    RefundFailed "refund.failed",
    /// A payer has signed a mandate: it can be charged.
    MandateActive "mandate.active",
    /// A mandate was revoked, or ended by the payer or the channel: nothing more can be charged.
    MandateEnded "mandate.ended",
    /// The channel refused to let a mandate be signed.
    MandateFailed "mandate.failed",
    /// A mandate was not signed in time.
    MandateExpired "mandate.expired",
    /// A payment page reported what nobody expected on it.
    PageAlertOpened "page_alert.opened",
    /// Something needs a person.
    ExceptionOpened "exception.opened",
    /// Money of the merchant was put on hold.
    HoldCreated "hold.created",
    /// A hold, or a part of it, was released.
    HoldReleased "hold.released",
    /// A hold ran out and was released.
    HoldExpired "hold.expired",
    /// A transaction was taken back by another one.
    TransactionReversed "transaction.reversed",
    /// An account was frozen or unfrozen, or its floor moved.
    LedgerAccountUpdated "ledger_account.updated",
    /// A period of the books was closed.
    PeriodClosed "period.closed",
    /// A payout was drafted.
    PayoutCreated "payout.created",
    /// A payout was looked at, or got one of several approvals.
    PayoutReviewed "payout.reviewed",
    /// A payout has the approvals it needs.
    PayoutApproved "payout.approved",
    /// A payout is on its way.
    PayoutSubmitted "payout.submitted",
    /// The beneficiary has the money.
    PayoutPaid "payout.paid",
    /// A payout was refused.
    PayoutFailed "payout.failed",
    /// A payout came back.
    PayoutReturned "payout.returned",
    /// A payout was withdrawn, rejected or not approved in time.
    PayoutCancelled "payout.cancelled",
    /// A month's fees were settled.
    FeeTruedUp "fee.trued_up",
    /// A quote was converted.
    FxQuoteConverted "fx_quote.converted",
    /// Positions in foreign currencies were valued anew.
    FxRevalued "fx.revalued",
    /// Shares of an order were given.
    SplitShared "split.shared",
    /// Shares of an order were taken back.
    ShareReturned "share_return.returned",
    /// An agent earned or gave back.
    AgentEntryBooked "agent_entry.booked",
    /// A payment to an agent was asked for, made or ended without it.
    AgentWithdrawalUpdated "agent_withdrawal.updated",
    /// A payer disputes a payment.
    DisputeOpened "dispute.opened",
    /// A dispute was answered or accepted.
    DisputeUpdated "dispute.updated",
    /// A dispute is over.
    DisputeClosed "dispute.closed",
    /// A channel charged for a dispute.
    DisputeFee "dispute.fee_charged",
    /// A settlement was closed: its statement is made.
    SettlementClosed "settlement.closed",
    /// What a settlement pays was converted into the currency of the payout.
    SettlementConverted "settlement.converted",
    /// A settlement was closed with a balance below zero: the merchant owes.
    SettlementNegative "settlement.negative",
    /// A payout takes a settlement up.
    SettlementPaying "settlement.paying",
    /// The payout of a settlement has arrived.
    SettlementPaid "settlement.paid",
    /// The payout of a settlement ended without it, or came back: it can be paid again.
    SettlementUnpaid "settlement.unpaid",
    /// A merchant has owed for 7, 14 or 30 days; payouts are paused.
    SettlementPlanOverdue "settlement_plan.overdue",
    /// A merchant owes no more; payouts go on.
    SettlementPlanRecovered "settlement_plan.recovered",
    /// A correction of a settlement waits for a second person.
    CorrectionProposed "settlement_correction.proposed",
    /// A correction of a settlement was approved and booked.
    CorrectionExecuted "settlement_correction.executed",
    /// A correction of a settlement was refused, or nobody decided in time.
    CorrectionRejected "settlement_correction.rejected",
    /// A day was compared.
    ReconciliationCompared "reconciliation.compared",
    /// Two sides disagree and somebody has to deal with it.
    BreakOpened "break.opened",
    /// A break is explained.
    BreakResolved "break.resolved",
    /// An adjustment waits for a second person.
    AdjustmentProposed "adjustment.proposed",
    /// An adjustment was approved and booked.
    AdjustmentExecuted "adjustment.executed",
    /// An adjustment was refused, or nobody decided in time.
    AdjustmentRejected "adjustment.rejected",
}
