//! Pure decisions about refunds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Refund, RefundStatus};
use crate::channel::{Decline, Fault, Operation, Outcome, QueryRefund, Refund as RefundCall, Verdict};
use crate::currency::Currency;
use crate::event::{Booking, EventKind, Movement, Part};
use crate::exception::ExceptionKind;
use crate::id::{AttemptId, OrderId, RefundId};
use crate::money::Money;
use crate::order::input::Moment;
use crate::order::rules::look_for_unknown;
use crate::order::state::OrderEvent;
use crate::order::{Attempt, Metadata, Order, OrderStatus};
use crate::time::Timestamp;

/// A refund as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Refund")]
pub struct RefundView {
    /// Its id.
    pub id: RefundId,
    /// Always `refund`.
    pub object: &'static str,
    /// False in a sandbox.
    pub livemode: bool,
    /// The order.
    pub order_id: OrderId,
    /// The attempt whose money goes back.
    pub attempt_id: AttemptId,
    /// The merchant's own number.
    pub out_refund_no: String,
    /// `pending` while the outcome is not final (including when it is not known), `succeeded` or `failed`.
    pub status: PublicStatus,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// Why.
    pub reason: Option<String>,
    /// The merchant's notes.
    pub metadata: Metadata,
    /// The channel's own id.
    pub channel_refund_id: Option<String>,
    /// Why the channel declined it.
    pub decline: Option<Decline>,
    /// What is not understood about the channel's last answer.
    pub fault: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The states of a refund that matter to a merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublicStatus {
    /// Reserved and on its way; the outcome is open or not known.
    Pending,
    /// Given back.
    Succeeded,
    /// Refused by the channel; the reservation is released.
    Failed,
}

impl Refund {
    /// A refund of `money`, reserved by the caller on the order in the same commit.
    pub fn new(id: RefundId, order: &Order, attempt: &Attempt, money: Money, moment: Moment) -> Refund {
        Refund {
            id,
            version: 0,
            order_id: order.id,
            attempt_id: attempt.id,
            number: id.to_string(),
            reference: id.bare(),
            status: RefundStatus::Sending,
            money,
            reason: None,
            metadata: Metadata::new(),
            channel_id: None,
            decline: None,
            fault: None,
            queries: 0,
            created_at: moment.now,
            updated_at: moment.now,
            sequence: 0,
            due_at: moment.wall,
        }
    }

    /// The refund as the API shows it.
    pub fn view(&self, livemode: bool) -> RefundView {
        RefundView {
            id: self.id,
            object: "refund",
            livemode,
            order_id: self.order_id,
            attempt_id: self.attempt_id,
            out_refund_no: self.number.clone(),
            status: match self.status {
                RefundStatus::Succeeded => PublicStatus::Succeeded,
                RefundStatus::Failed => PublicStatus::Failed,
                _ => PublicStatus::Pending,
            },
            amount: self.money.minor(),
            currency: self.money.currency(),
            reason: self.reason.clone(),
            metadata: self.metadata.clone(),
            channel_refund_id: self.channel_id.clone(),
            decline: self.decline.clone(),
            fault: self.fault.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// A refund with the order whose money it moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Returning {
    /// The order.
    pub order: Order,
    /// The refund.
    pub refund: Refund,
}

/// What follows from news about a refund.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consequences {
    /// The refund's event, with what it books.
    pub event: Option<(EventKind, Option<Booking>)>,
    /// What a person has to see.
    pub exception: Option<(ExceptionKind, String)>,
}

impl Returning {
    /// Takes in the channel's answer about the refund, or the want of one.
    pub fn hear(&mut self, channel: &str, news: &Result<Outcome, Fault>, moment: Moment) -> Consequences {
        let mut then = Consequences::default();
        let open = self.refund.status.is_open();
        match news {
            Err(fault) => {
                self.refund.fault = Some(fault.to_string());
                if self.refund.status == RefundStatus::Sending {
                    self.refund.status = RefundStatus::Unknown;
                }
            }
            Ok(outcome) => self.believe(channel, outcome, open, &mut then),
        }
        self.refund.updated_at = moment.now;
        self.order.updated_at = moment.now;
        self.refund.due_at = match self.refund.status.is_open() {
            true => moment.due_in(look_for_unknown(self.refund.queries)),
            false => Timestamp::ZERO,
        };
        then
    }

    fn believe(&mut self, channel: &str, outcome: &Outcome, open: bool, then: &mut Consequences) {
        if outcome.money.is_some_and(|money| money != self.refund.money)
            && outcome.verdict == Verdict::Succeeded
        {
            let detail =
                format!("asked to return {}, the channel reports {:?}", self.refund.money, outcome.money);
            self.refund.fault = Some(detail.clone());
            then.exception = Some((ExceptionKind::AmountMismatch, detail));
            return;
        }
        let minor = self.refund.money.minor();
        match (&outcome.verdict, open) {
            (Verdict::Succeeded, true) => {
                self.refund.status = RefundStatus::Succeeded;
                self.refund.fault = None;
                self.order.refunding -= minor;
                self.order.refunded += minor;
                self.advance_order();
                then.event = Some((EventKind::RefundSucceeded, Some(self.booking(channel))));
            }
            (Verdict::Declined(decline), true) => {
                self.refund.status = RefundStatus::Failed;
                self.refund.decline = Some(decline.clone());
                self.order.refunding -= minor;
                then.event = Some((EventKind::RefundFailed, None));
                if matches!(self.order.status, OrderStatus::Closed | OrderStatus::Failed) {
                    let detail =
                        format!("{} could not be given back: {}", self.refund.money, decline.message);
                    then.exception = Some((ExceptionKind::LatePayment, detail));
                }
            }
            (Verdict::Pending, true) => {
                self.refund.status = RefundStatus::Pending;
                self.refund.fault = None;
            }
            (Verdict::Declined(_) | Verdict::Succeeded, false) if !self.agrees(&outcome.verdict) => {
                let detail =
                    format!("a refund that is `{}` is now {:?}", self.refund.status.text(), outcome.verdict);
                then.exception = Some((ExceptionKind::Contradiction, detail));
            }
            // The channel does not know it (yet): the sweep sends the same reference again.
            _ => {}
        }
        if outcome.channel_id.is_some() {
            self.refund.channel_id.clone_from(&outcome.channel_id);
        }
    }

    fn agrees(&self, verdict: &Verdict) -> bool {
        matches!(
            (verdict, self.refund.status),
            (Verdict::Succeeded, RefundStatus::Succeeded) | (Verdict::Declined(_), RefundStatus::Failed)
        )
    }

    fn advance_order(&mut self) {
        let all = self.order.refunded == self.order.captured;
        let event = if all { OrderEvent::RefundAll } else { OrderEvent::RefundPart };
        // Every state that holds captured money takes both events (the exhaustive table test shows it).
        if let Ok(status) = self.order.status.apply(event) {
            self.order.status = status;
        }
    }

    fn booking(&self, channel: &str) -> Booking {
        let booking = Booking::new(Movement::Refund, Part::Gross, self.refund.money);
        booking.order(self.order.id).refund(self.refund.id).channel(channel)
    }
}

/// The request that gives the money back; the same words every time, so that it can be sent again.
pub fn send(refund: &Refund, attempt: &Attempt, captured: Money) -> Operation {
    Operation::Refund(RefundCall {
        reference: refund.reference.clone(),
        started_at: refund.created_at,
        payment: attempt.payment(),
        part: None,
        captured,
        money: refund.money,
        reason: refund.reason.clone(),
    })
}

/// The question what became of it.
pub fn query(refund: &Refund, attempt: &Attempt) -> Operation {
    Operation::QueryRefund(QueryRefund {
        reference: refund.reference.clone(),
        channel_id: refund.channel_id.clone(),
        started_at: refund.created_at,
        payment: attempt.payment(),
        money: refund.money,
    })
}

/// What the attempt itself took: less than the order's total where a late payment came on top.
pub fn captured_by(attempt: &Attempt) -> Money {
    match attempt.capturing {
        0 => attempt.money,
        minor => Money::new(minor, attempt.money.currency()),
    }
}
