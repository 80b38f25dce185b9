//! Pure decisions about orders and attempts: what was read and what was heard goes in, what is to be written comes
//! out. Nothing here waits, sends or looks at a clock.

use std::time::Duration;

use super::input::Moment;
use super::state::{AttemptEvent, Illegal, OrderEvent};
use super::{Attempt, AttemptStatus, Order, OrderStatus};
use crate::channel::card::masked;
use crate::channel::{Action, Decline, Fault, Operation, Outcome, Verb, Verdict};
use crate::channel::{Capture, Close, Pay, Query, Void};
use crate::event::{Booking, EventKind, Movement, Part};
use crate::exception::ExceptionKind;
use crate::money::Money;

/// An order with the attempt that something was heard about.
#[derive(Debug, Clone, PartialEq)]
pub struct Payment {
    /// The order.
    pub order: Order,
    /// One of its attempts.
    pub attempt: Attempt,
}

/// What follows from news besides the changed order and attempt.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consequences {
    /// Events of the order, to be numbered and rendered, with what each books.
    pub events: Vec<(EventKind, Option<Booking>)>,
    /// What a person has to see.
    pub exceptions: Vec<(ExceptionKind, String)>,
    /// Money that came in too late and is to be given back, already reserved on the order.
    pub give_back: Option<Money>,
}

impl Payment {
    /// Takes in the channel's answer to `verb`, or the want of one. The caller commits order and attempt
    /// together with the consequences.
    pub fn hear(&mut self, verb: Verb, news: &Result<Outcome, Fault>, moment: Moment) -> Consequences {
        let mut then = Consequences::default();
        let before = self.clone();
        // Some channels repeat what they were told.
        let masked = self.attempt.card.is_some().then(|| masked(news));
        let news = masked.as_ref().unwrap_or(news);
        let heard = match news {
            Ok(outcome) => self.believe(verb, outcome, moment, &mut then),
            Err(fault) => self.lose(fault, moment),
        };
        if let Err(illegal) = heard {
            *self = before;
            let detail = format!("{}: {illegal}; the channel said {news:?}", self.attempt.id);
            self.attempt.fault = Some("the channel contradicts itself".into());
            then = Consequences::default();
            then.exceptions.push((ExceptionKind::Contradiction, detail));
        }
        self.attempt.updated_at = moment.now;
        self.order.updated_at = moment.now;
        let over = matches!(news, Ok(Outcome { verdict: Verdict::Closed | Verdict::Declined(_), .. }));
        self.schedule(moment, over);
        then
    }

    fn lose(&mut self, fault: &Fault, _: Moment) -> Result<(), Illegal> {
        self.attempt.fault = Some(fault.to_string());
        self.attempt.status = self.attempt.status.apply(AttemptEvent::Lose)?;
        if self.attempt.status == AttemptStatus::Unknown && !self.order.status.is_final() {
            self.order.status = self.order.status.apply(OrderEvent::Process)?;
        }
        Ok(())
    }

    fn believe(
        &mut self,
        verb: Verb,
        outcome: &Outcome,
        at: Moment,
        then: &mut Consequences,
    ) -> Result<(), Illegal> {
        if let Some(detail) = self.amount_mismatch(outcome) {
            self.attempt.fault = Some(detail.clone());
            then.exceptions.push((ExceptionKind::AmountMismatch, detail));
            return Ok(());
        }
        self.attempt.fault = None;
        if outcome.channel_id.is_some() {
            self.attempt.channel_id.clone_from(&outcome.channel_id);
        }
        match &outcome.verdict {
            Verdict::Awaiting(action) => self.awaiting(action),
            Verdict::Pending => self.pending(verb),
            Verdict::Authorized => self.authorized(then),
            Verdict::Succeeded => self.succeeded(outcome, at, then),
            Verdict::Declined(decline) => self.declined(verb, decline, then),
            Verdict::Closed => self.closed(then),
            Verdict::Absent => self.absent(verb, then),
        }
    }

    /// The amount a definite answer names must be the one that was asked for.
    fn amount_mismatch(&self, outcome: &Outcome) -> Option<String> {
        let named = outcome.money?;
        let expected = match (&outcome.verdict, self.attempt.status) {
            (Verdict::Succeeded, AttemptStatus::Capturing) => self.order.amount(self.attempt.capturing),
            // What was captured in part is reported in part ever after.
            (Verdict::Succeeded, AttemptStatus::Succeeded) if self.attempt.capturing > 0 => {
                self.order.amount(self.attempt.capturing)
            }
            (Verdict::Succeeded | Verdict::Authorized, _) => self.attempt.money,
            _ => return None,
        };
        (named != expected).then(|| format!("asked for {expected}, the channel reports {named}"))
    }

    fn awaiting(&mut self, action: &Action) -> Result<(), Illegal> {
        self.attempt.status = self.attempt.status.apply(AttemptEvent::Await)?;
        if self.attempt.status == AttemptStatus::Awaiting && !self.order.status.is_final() {
            self.order.status = self.order.status.apply(OrderEvent::Await)?;
            self.order.next_action = Some(action.clone());
        }
        Ok(())
    }

    fn pending(&mut self, verb: Verb) -> Result<(), Illegal> {
        // The payment exists, but the answer that says what the payer has to do was lost. It stays unknown, and
        // the sweep sends the same request again for that answer.
        let unanswered = matches!(self.attempt.status, AttemptStatus::Sending | AttemptStatus::Unknown);
        let event = if unanswered && verb != Verb::Pay { AttemptEvent::Lose } else { AttemptEvent::Pend };
        self.attempt.status = self.attempt.status.apply(event)?;
        let working = matches!(self.attempt.status, AttemptStatus::Pending | AttemptStatus::Unknown);
        if working && !self.order.status.is_final() {
            self.order.status = self.order.status.apply(OrderEvent::Process)?;
        }
        Ok(())
    }

    fn authorized(&mut self, then: &mut Consequences) -> Result<(), Illegal> {
        let before = self.attempt.status;
        self.attempt.status = before.apply(AttemptEvent::Authorize)?;
        if self.attempt.status != AttemptStatus::Authorized || before == AttemptStatus::Authorized {
            return Ok(());
        }
        self.order.status = self.order.status.apply(OrderEvent::Authorize)?;
        self.order.authorized = self.attempt.money.minor();
        self.order.next_action = None;
        then.events.push((EventKind::OrderAuthorized, None));
        Ok(())
    }

    fn succeeded(&mut self, outcome: &Outcome, at: Moment, then: &mut Consequences) -> Result<(), Illegal> {
        let before = self.attempt.status;
        self.attempt.status = before.apply(AttemptEvent::Succeed)?;
        if before == AttemptStatus::Succeeded {
            return Ok(());
        }
        let taken = match before {
            AttemptStatus::Capturing => self.order.amount(self.attempt.capturing),
            _ => self.attempt.money,
        };
        let booking = Booking::new(Movement::Payment, Part::Gross, taken).order(self.order.id);
        let booking = Some(booking.channel(self.attempt.channel.clone()));
        let late = self.order.status.is_final();
        if late {
            self.late(taken, booking, then);
        } else {
            self.order.status = self.order.status.apply(OrderEvent::Pay)?;
            self.order.attempt_id = Some(self.attempt.id);
            then.events.push((EventKind::OrderSucceeded, booking));
        }
        self.order.captured += taken.minor();
        self.order.authorized = self.order.authorized.max(self.order.captured);
        self.order.paid_at.get_or_insert(outcome.at.unwrap_or(at.now));
        self.order.next_action = None;
        self.order.closing = false;
        Ok(())
    }

    /// Money for an order that no longer wants it (closed, failed, or paid by another attempt) goes straight back.
    fn late(&mut self, taken: Money, booking: Option<Booking>, then: &mut Consequences) {
        if self.order.captured > 0 {
            let detail = format!("{} paid the order a second time with {taken}", self.attempt.id);
            then.exceptions.push((ExceptionKind::DoublePayment, detail));
        }
        self.order.refunding += taken.minor();
        then.give_back = Some(taken);
        then.events.push((EventKind::OrderLatePayment, booking));
    }

    fn declined(&mut self, verb: Verb, decline: &Decline, then: &mut Consequences) -> Result<(), Illegal> {
        let before = self.attempt.status;
        // A channel that will not close, capture or void has said nothing about the payment itself.
        if verb == Verb::Close {
            self.attempt.fault = Some(format!("not closed: {} {}", decline.code, decline.message));
            return Ok(());
        }
        self.attempt.status = before.apply(AttemptEvent::Decline)?;
        self.attempt.decline = Some(decline.clone());
        if self.attempt.status != AttemptStatus::Declined || before == AttemptStatus::Declined {
            return Ok(());
        }
        self.order.decline = Some(decline.clone());
        self.order.next_action = None;
        if self.order.status.is_final() {
            return Ok(());
        }
        if self.order.closing {
            return self.end(then);
        }
        // Another card may do where this one did not.
        let another = self.order.methods.len() > 1 || self.attempt.method.takes_card();
        let event = if another { OrderEvent::Reopen } else { OrderEvent::Fail };
        self.order.status = self.order.status.apply(event)?;
        if !another {
            then.events.push((EventKind::OrderFailed, None));
        }
        Ok(())
    }

    fn closed(&mut self, then: &mut Consequences) -> Result<(), Illegal> {
        let before = self.attempt.status;
        self.attempt.status = before.apply(AttemptEvent::Close)?;
        if before == self.attempt.status || self.order.status.is_final() {
            return Ok(());
        }
        self.order.next_action = None;
        // Somebody gave this attempt up for another; the order waits on.
        if before == AttemptStatus::Closing && !self.order.closing {
            self.order.status = self.order.status.apply(OrderEvent::Reopen)?;
            return Ok(());
        }
        self.end(then)
    }

    /// The channel does not know the reference. Before the payer came that is what some channels say of a good
    /// QR code; while closing it means there is nothing to close; after a lost request it may still arrive, so
    /// the sweep sends the same reference again.
    fn absent(&mut self, verb: Verb, then: &mut Consequences) -> Result<(), Illegal> {
        match self.attempt.status {
            AttemptStatus::Closing => self.closed(then),
            AttemptStatus::Awaiting if verb == Verb::Close => self.closed(then),
            AttemptStatus::Succeeded | AttemptStatus::Authorized | AttemptStatus::Capturing => {
                Err(Illegal { state: self.attempt.status.text(), event: "absent" })
            }
            _ => Ok(()),
        }
    }

    /// Ends an order that was not paid.
    fn end(&mut self, then: &mut Consequences) -> Result<(), Illegal> {
        self.order.status = self.order.status.apply(OrderEvent::Close)?;
        self.order.closing = false;
        then.events.push((EventKind::OrderClosed, None));
        Ok(())
    }

    /// Sets when the workers look next. `over`: the channel itself said that nothing can be paid any more.
    fn schedule(&mut self, moment: Moment, over: bool) {
        let next = match self.attempt.status {
            AttemptStatus::Closed if !over => self.look_after_close(moment),
            _ => next_look(&self.attempt),
        };
        self.attempt.due_at = next.map_or(crate::time::Timestamp::ZERO, |delay| moment.due_in(delay));
        if self.order.status.is_final() {
            self.order.due_at = crate::time::Timestamp::ZERO;
        }
    }

    /// A payment that the channel did not know when it was closed may be made all the same by who holds its link, and
    /// the notification of it may be lost. It is asked about again whenever the attempt's age has doubled, for the
    /// last time a day after the order's end.
    fn look_after_close(&self, moment: Moment) -> Option<Duration> {
        let end = self.order.expires_at.plus(LOOK_AFTER_END);
        if moment.now >= end {
            return None;
        }
        let age = moment.now.since(self.attempt.created_at).max(FIRST_LOOK_AFTER_CLOSE);
        Some(age.min(end.since(moment.now)))
    }

    /// The next request to the channel that the sweep should make about this attempt, if any.
    pub fn next_operation(&self) -> Option<Operation> {
        let expired_or_closing = self.order.closing;
        match self.attempt.status {
            AttemptStatus::Closing => Some(self.close()),
            AttemptStatus::Awaiting | AttemptStatus::Pending if expired_or_closing => Some(self.close()),
            AttemptStatus::Authorized | AttemptStatus::Succeeded | AttemptStatus::Declined => None,
            _ => Some(self.query()),
        }
    }

    /// What to send again after a query said that the channel does not know the reference, or knows it while the
    /// answer to it is lost, or still holds an authorization that was to be captured or voided.
    pub fn again(&self, verdict: &Verdict) -> Option<Operation> {
        match (self.attempt.status, verdict) {
            (AttemptStatus::Sending | AttemptStatus::Unknown, Verdict::Absent | Verdict::Pending) => {
                Some(self.pay())
            }
            (AttemptStatus::Capturing, Verdict::Authorized) => Some(self.capture()),
            (AttemptStatus::Voiding, Verdict::Authorized) => Some(self.void()),
            _ => None,
        }
    }

    /// The request that starts this attempt; the same words every time, so that it can be sent again. A card is put in
    /// by the service, which can open it.
    pub fn pay(&self) -> Operation {
        let details = &self.order.details;
        Operation::Pay(Pay {
            reference: self.attempt.reference.clone(),
            started_at: self.attempt.created_at,
            money: self.attempt.money,
            method: self.attempt.method.clone(),
            subject: details.subject.clone(),
            description: details.description.clone(),
            // Without a page of the merchant's own the payer comes back to ours, which says how it went.
            return_url: details.return_url.clone().or_else(|| details.checkout_url.clone()),
            expires_at: Some(self.order.expires_at),
            capture: self.order.capture,
            payer: details.payer.clone(),
            shared: details.split.as_ref().is_some_and(|split| split.flagged),
            parts: Vec::new(),
            card: None,
            mandate: details.mandate.as_ref().map(|mandate| mandate.channel_id.clone()),
        })
    }

    /// The question what became of this attempt.
    pub fn query(&self) -> Operation {
        Operation::Query(Query { payment: self.attempt.payment() })
    }

    /// The request that closes this attempt.
    pub fn close(&self) -> Operation {
        Operation::Close(Close { payment: self.attempt.payment() })
    }

    /// The request that captures what `attempt.capturing` says.
    pub fn capture(&self) -> Operation {
        Operation::Capture(Capture {
            payment: self.attempt.payment(),
            money: self.order.amount(self.attempt.capturing),
        })
    }

    /// The request that gives the authorization back.
    pub fn void(&self) -> Operation {
        Operation::Void(Void { payment: self.attempt.payment() })
    }
}

/// How long until the next look at an attempt, growing with the number of looks so far. An attempt whose outcome
/// is unknown is asked about at least every half minute for a day, so that a channel that comes back is heard
/// within that; a payer who is scanning a code is given a little more time.
pub fn next_look(attempt: &Attempt) -> Option<Duration> {
    const WAITING: &[u64] = &[5, 10, 15, 30, 30, 60];
    const AT_THE_TILL: &[u64] = &[2, 3, 5, 5, 5, 10];
    match attempt.status {
        AttemptStatus::Succeeded
        | AttemptStatus::Declined
        | AttemptStatus::Closed
        | AttemptStatus::Authorized => None,
        // The payer types the password while the shop's next customer waits.
        AttemptStatus::Pending if attempt.method.at_the_till() => Some(nth(AT_THE_TILL, attempt.queries)),
        AttemptStatus::Awaiting | AttemptStatus::Pending => Some(nth(WAITING, attempt.queries)),
        _ => Some(look_for_unknown(attempt.queries)),
    }
}

/// How long after closing what the channel did not know it is asked again.
const FIRST_LOOK_AFTER_CLOSE: Duration = Duration::from_secs(15 * 60);
/// How long after the order's end such a payment is asked about.
const LOOK_AFTER_END: Duration = Duration::from_secs(24 * 3_600);
/// After this many looks at something unknown (about an hour) a person is told; the looks go on.
pub const LOOKS_BEFORE_EXCEPTION: i64 = 120;
/// After this many looks (about a day) they become hourly.
const LOOKS_DENSE: i64 = 2_880;

/// How long until the next look at an attempt or refund whose outcome is unknown.
pub fn look_for_unknown(looks: i64) -> Duration {
    const UNKNOWN: &[u64] = &[2, 4, 8, 16, 30];
    match looks < LOOKS_DENSE {
        true => nth(UNKNOWN, looks),
        false => Duration::from_secs(3_600),
    }
}

fn nth(seconds: &[u64], looks: i64) -> Duration {
    let place = usize::try_from(looks).unwrap_or(0).min(seconds.len() - 1);
    Duration::from_secs(seconds[place])
}

/// Closes an order that has no open attempt.
pub fn close_idle(order: &mut Order, moment: Moment) -> Result<(EventKind, Option<Booking>), Illegal> {
    order.status = order.status.apply(OrderEvent::Close)?;
    order.closing = false;
    order.next_action = None;
    order.updated_at = moment.now;
    order.due_at = crate::time::Timestamp::ZERO;
    Ok((EventKind::OrderClosed, None))
}

/// Whether giving this attempt up changes anything: it is open, and nobody gave it or the order up before.
pub fn may_release(order: &Order, attempt: &Attempt) -> bool {
    let ended = matches!(attempt.status, AttemptStatus::Closing | AttemptStatus::Authorized);
    attempt.status.is_open() && !ended && !order.closing && !order.status.is_final()
}

/// Whether an order may start an attempt now.
pub fn may_start(order: &Order, last: Option<&Attempt>) -> Result<(), &'static str> {
    if last.is_some_and(|attempt| attempt.status.is_open()) {
        return Err("An attempt is still open; its outcome has to be known before another may start.");
    }
    match order.status {
        OrderStatus::Pending if !order.closing => Ok(()),
        OrderStatus::Pending => Err("The order is being closed."),
        _ => Err("Only a pending order can be paid."),
    }
}
