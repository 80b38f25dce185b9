//! The provider's memory: payments, refunds, timers, notifications to send, and the scripted outcomes.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use paycore::channel::simulator::BookLine;
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::wire;

/// What the provider does with a payment of a certain amount: the last four digits of its minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Magic {
    None,
    PaysItself,
    Declines,
    Pending,
    Timeout,
    ThreeNotices,
    LateNotice,
    PaidAfterClose,
    FirstUnknown,
    NoNotice,
    RefundUnknown,
    RefundRefused,
}

impl Magic {
    pub(super) fn of(amount: i64) -> Magic {
        match amount % 10_000 {
            9000 => Magic::PaysItself,
            9001 => Magic::Declines,
            9002 => Magic::Pending,
            9003 => Magic::Timeout,
            9004 => Magic::ThreeNotices,
            9005 => Magic::LateNotice,
            9006 => Magic::PaidAfterClose,
            9007 => Magic::FirstUnknown,
            9008 => Magic::NoNotice,
            9009 => Magic::RefundUnknown,
            9010 => Magic::RefundRefused,
            _ => Magic::None,
        }
    }
}

/// Why a call is not answered with 200.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) error: &'static str,
    pub(super) message: &'static str,
}

impl Problem {
    /// Not sent at all: the connection is left to time out.
    pub(super) const SILENCE: Problem = Problem::new(StatusCode::GATEWAY_TIMEOUT, "silence", "");
    pub(super) const SYSTEM: Problem = Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "system_error",
        "the outcome is not known, ask again",
    );
    pub(super) const NOT_FOUND: Problem =
        Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such payment or refund");
    pub(super) const PAYMENT_NOT_FOUND: Problem =
        Problem::new(StatusCode::NOT_FOUND, "payment_not_found", "there is no such payment");
    pub(super) const REUSED: Problem =
        Problem::new(StatusCode::CONFLICT, "reference_reused", "the reference was used with other values");

    const fn new(status: StatusCode, error: &'static str, message: &'static str) -> Problem {
        Problem { status, error, message }
    }
    pub(super) const fn invalid(message: &'static str) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }
    pub(super) const fn not_allowed(message: &'static str) -> Problem {
        Problem::new(StatusCode::CONFLICT, "not_allowed", message)
    }
    pub(super) const fn unauthenticated(message: &'static str) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scene {
    Card,
    Qr,
    Page,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Awaiting,
    Pending,
    Authorized,
    Succeeded,
    Declined,
    Closed,
}

/// One payment with its refunds and notifications; also the record kept over restarts.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Charge {
    pub(super) reference: Box<str>,
    number: u64,
    pub(super) scene: Scene,
    pub(super) amount: i64,
    pub(super) currency: Currency,
    manual: bool,
    pub(super) subject: Box<str>,
    pub(super) return_url: Option<Box<str>>,
    pub(super) notify_url: Arc<str>,
    expires_at: Option<i64>,
    pub(super) state: State,
    /// When the money was taken or reserved.
    pub(super) at: Option<i64>,
    pub(super) code: Option<Cow<'static, str>>,
    pub(super) captured: i64,
    /// When the state changes by itself.
    settles_at: Option<i64>,
    pub(super) refunds: Vec<Refund>,
    notes: Vec<Note>,
    #[serde(skip)]
    is_dirty: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refund {
    pub(super) reference: Box<str>,
    number: u64,
    pub(super) amount: i64,
    pub(super) at: i64,
    pub(super) is_refused: bool,
}

/// A notification: what was true when it was written, and when it is sent next, if ever.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) refund: Option<usize>,
    pub(super) state: State,
    pub(super) amount: i64,
    pub(super) at: Option<i64>,
    pub(super) sent: u32,
    next: Option<i64>,
}

impl Charge {
    /// The provider's id of the payment.
    pub(super) fn id(&self) -> String {
        id(self.number)
    }

    pub(super) fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// What is taken, or as long as nothing is taken, what was asked for.
    pub(super) fn stated_amount(&self) -> i64 {
        if self.state == State::Succeeded { self.captured } else { self.amount }
    }

    fn refunded(&self) -> i64 {
        self.refunds.iter().filter(|refund| !refund.is_refused).map(|refund| refund.amount).sum()
    }
}

impl Refund {
    pub(super) fn id(&self) -> String {
        id(self.number)
    }
}

fn id(number: u64) -> String {
    format!("tp{number:012}")
}

/// How long after a close the provider says that it was paid before, in milliseconds.
const PAID_AFTER_CLOSE: i64 = 5_000;
/// Position of the note in the low bits of its id, of the charge above.
const NOTE_BITS: u32 = 24;

/// Everything the provider knows about one merchant.
#[derive(Default)]
pub(super) struct Bank {
    charges: Vec<Charge>,
    by_reference: HashMap<Box<str>, u32>,
    refunds: HashMap<Box<str>, (u32, usize)>,
    timers: BinaryHeap<Reverse<(i64, u32)>>,
    outbox: BinaryHeap<Reverse<(i64, u64)>>,
    changed: Vec<u32>,
    number: u64,
    notify_url: Option<Arc<str>>,
}

impl Bank {
    /// The charge at an index that `find` or `create` gave; charges are never removed.
    pub(super) fn charge(&self, index: u32) -> &Charge {
        &self.charges[index as usize]
    }

    /// A charge about to change, which goes into the next list of changes.
    fn touch(&mut self, index: u32) -> &mut Charge {
        let charge = &mut self.charges[index as usize];
        if !charge.is_dirty {
            charge.is_dirty = true;
            self.changed.push(index);
        }
        charge
    }

    /// Finds a charge by reference; one that nobody paid in time is closed by now.
    pub(super) fn find(&mut self, reference: &str, now: i64) -> Option<u32> {
        let index = *self.by_reference.get(reference)?;
        let charge = self.charge(index);
        if charge.state == State::Awaiting && charge.expires_at.is_some_and(|at| at <= now) {
            self.touch(index).state = State::Closed;
        }
        Some(index)
    }

    pub(super) fn find_refund(&self, payment: &str, reference: &str) -> Option<(u32, usize)> {
        let found = *self.refunds.get(reference)?;
        (&*self.charge(found.0).reference == payment).then_some(found)
    }

    /// A new charge, or the one that has this reference already and is the same.
    pub(super) fn create(&mut self, new: wire::NewCharge<'_>, now: i64) -> Result<(u32, bool), Problem> {
        let manual = new.capture == wire::CaptureMode::Manual;
        if let Some(index) = self.find(&new.reference, now) {
            let known = self.charge(index);
            let same = (known.amount, known.currency, known.scene, known.manual)
                == (new.amount, new.currency, new.method, manual);
            return if same { Ok((index, false)) } else { Err(Problem::REUSED) };
        }
        new.check()?;
        let index = u32::try_from(self.charges.len()).map_err(|_| Problem::SYSTEM)?;
        let charge = Charge {
            reference: new.reference.as_ref().into(),
            number: self.next_number(),
            scene: new.method,
            amount: new.amount,
            currency: new.currency,
            manual,
            subject: new.subject.as_ref().into(),
            return_url: new.return_url.as_deref().map(Box::from),
            notify_url: self.shared(&new.notify_url),
            expires_at: new.expires_at,
            state: State::Awaiting,
            at: None,
            code: None,
            captured: 0,
            settles_at: None,
            refunds: Vec::new(),
            notes: Vec::new(),
            is_dirty: false,
        };
        self.by_reference.insert(charge.reference.clone(), index);
        self.charges.push(charge);
        self.touch(index);
        self.begin(index, now);
        Ok((index, true))
    }

    /// What happens to a charge without a payer: a card pays at once, some amounts pay themselves.
    fn begin(&mut self, index: u32, now: i64) {
        let charge = self.charge(index);
        let is_late = charge.expires_at.is_some_and(|at| at <= now);
        match (charge.scene, Magic::of(charge.amount)) {
            (Scene::Card, _) if is_late => self.decline(index, "expired"),
            (Scene::Card, _) => self.pay(index, now),
            (_, Magic::PaysItself) => self.settle_later(index, now + 1_000),
            (_, Magic::Timeout) => self.succeed(index, now, now),
            _ => {}
        }
    }

    /// The payer's "pay" on a charge that waits.
    pub(super) fn pay(&mut self, index: u32, now: i64) {
        match Magic::of(self.charge(index).amount) {
            Magic::Declines => self.decline(index, "insufficient_funds"),
            Magic::Pending => {
                self.touch(index).state = State::Pending;
                self.settle_later(index, now + 30_000);
            }
            _ => self.succeed(index, now, now),
        }
        if self.charge(index).scene != Scene::Card && self.charge(index).state == State::Declined {
            self.notify(index, None, now);
        }
    }

    /// The payer's "cancel" on a charge that waits.
    pub(super) fn cancel(&mut self, index: u32, now: i64) {
        self.decline(index, "payer_cancelled");
        self.notify(index, None, now);
    }

    fn decline(&mut self, index: u32, code: &'static str) {
        let charge = self.touch(index);
        charge.state = State::Declined;
        charge.code = Some(Cow::Borrowed(code));
    }

    /// Takes or reserves the money as of `at`, which is `now` unless the news is late.
    fn succeed(&mut self, index: u32, at: i64, now: i64) {
        let charge = self.touch(index);
        (charge.state, charge.captured) =
            if charge.manual { (State::Authorized, 0) } else { (State::Succeeded, charge.amount) };
        charge.at = Some(at);
        self.notify(index, None, now);
    }

    fn settle_later(&mut self, index: u32, at: i64) {
        self.touch(index).settles_at = Some(at);
        self.timers.push(Reverse((at, index)));
    }

    /// Everything that happens by itself until now.
    pub(super) fn settle(&mut self, now: i64) {
        while let Some(&Reverse((at, index))) = self.timers.peek().filter(|timer| timer.0.0 <= now) {
            self.timers.pop();
            if self.charge(index).settles_at != Some(at) {
                continue;
            }
            self.touch(index).settles_at = None;
            match self.charge(index).state {
                State::Awaiting if self.charge(index).expires_at.is_none_or(|end| at < end) => {
                    self.pay(index, at)
                }
                State::Pending => self.succeed(index, at, at),
                // It was paid a moment before the close, which was five seconds ago.
                State::Closed => self.succeed(index, at - PAID_AFTER_CLOSE - 1, at),
                _ => {}
            }
        }
    }

    /// Closes a charge that waits; any other is left as it is and its state is the answer.
    pub(super) fn close(&mut self, index: u32, now: i64) -> Result<(), Problem> {
        if self.charge(index).state == State::Awaiting {
            let charge = self.touch(index);
            charge.state = State::Closed;
            charge.settles_at = None;
            if Magic::of(charge.amount) == Magic::PaidAfterClose {
                self.settle_later(index, now + PAID_AFTER_CLOSE);
            }
        }
        Ok(())
    }

    /// Takes all or part of an authorization, once; the rest is released.
    pub(super) fn capture(&mut self, index: u32, money: Money, now: i64) -> Result<(), Problem> {
        let charge = self.charge(index);
        let fits = money.currency() == charge.currency && (1..=charge.amount).contains(&money.minor());
        match charge.state {
            State::Authorized if fits => {}
            State::Authorized => return Err(Problem::not_allowed("it is more than was authorized")),
            State::Succeeded if charge.manual && charge.money(charge.captured) == money => return Ok(()),
            _ => return Err(Problem::not_allowed("the payment is not authorized or was captured")),
        }
        let charge = self.touch(index);
        charge.state = State::Succeeded;
        charge.captured = money.minor();
        charge.at = Some(now);
        self.notify(index, None, now);
        Ok(())
    }

    /// Gives an authorization back.
    pub(super) fn void(&mut self, index: u32, _now: i64) -> Result<(), Problem> {
        let charge = self.charge(index);
        match charge.state {
            State::Authorized => self.touch(index).state = State::Closed,
            State::Closed if charge.manual => {}
            _ => return Err(Problem::not_allowed("the payment is not authorized")),
        }
        Ok(())
    }

    /// A new refund, or the one that has this reference already and is the same.
    pub(super) fn refund(&mut self, new: &wire::Refund<'_>, now: i64) -> Result<(u32, usize, bool), Problem> {
        let money = new.money()?;
        if let Some(&(index, position)) = self.refunds.get(&*new.reference) {
            let charge = self.charge(index);
            let same = *charge.reference == *new.payment_reference
                && charge.money(charge.refunds[position].amount) == money;
            return if same { Ok((index, position, false)) } else { Err(Problem::REUSED) };
        }
        wire::check_reference(&new.reference)?;
        let index = self.find(&new.payment_reference, now).ok_or(Problem::PAYMENT_NOT_FOUND)?;
        let charge = self.charge(index);
        let left = charge.captured - charge.refunded();
        if money.currency() != charge.currency || !(1..=left).contains(&money.minor()) {
            return Err(Problem::not_allowed("it is more than is left of the payment"));
        }
        let is_refused = Magic::of(charge.amount) == Magic::RefundRefused;
        let number = self.next_number();
        let charge = self.touch(index);
        let position = charge.refunds.len();
        let reference: Box<str> = new.reference.as_ref().into();
        charge.refunds.push(Refund {
            reference: reference.clone(),
            number,
            amount: money.minor(),
            at: now,
            is_refused,
        });
        self.refunds.insert(reference, (index, position));
        if !is_refused {
            self.notify(index, Some(position), now);
        }
        Ok((index, position, true))
    }

    fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Nearly all charges have the same address: it is kept once.
    fn shared(&mut self, notify_url: &str) -> Arc<str> {
        let known = self.notify_url.take().filter(|known| **known == *notify_url);
        self.notify_url.insert(known.unwrap_or_else(|| notify_url.into())).clone()
    }
}

/// Notifications.
impl Bank {
    fn notify(&mut self, index: u32, refund: Option<usize>, now: i64) {
        let charge = self.charge(index);
        let (copies, first) = match Magic::of(charge.amount) {
            Magic::NoNotice => return,
            Magic::ThreeNotices if refund.is_none() => (3, now),
            Magic::LateNotice if refund.is_none() => (1, now + 3_600_000),
            _ => (1, now),
        };
        let (state, amount, at) = match refund {
            Some(position) => (State::Succeeded, charge.refunds[position].amount, Some(now)),
            None => (charge.state, charge.stated_amount(), charge.at),
        };
        for _ in 0..copies {
            let charge = self.touch(index);
            let position = charge.notes.len();
            charge.notes.push(Note { refund, state, amount, at, sent: 0, next: Some(first) });
            self.outbox.push(Reverse((first, note_id(index, position))));
        }
    }

    /// The next notification that is due, off the queue.
    pub(super) fn take_due(&mut self, now: i64) -> Option<u64> {
        let &Reverse((_, id)) = self.outbox.peek().filter(|entry| entry.0.0 <= now)?;
        self.outbox.pop();
        self.note_mut(id)?.sent += 1;
        Some(id)
    }

    pub(super) fn note(&self, id: u64) -> Option<(&Charge, &Note)> {
        let (index, position) = note_place(id);
        let charge = self.charges.get(index as usize)?;
        Some((charge, charge.notes.get(position)?))
    }

    fn note_mut(&mut self, id: u64) -> Option<&mut Note> {
        self.note(id)?;
        let (index, position) = note_place(id);
        self.touch(index).notes.get_mut(position)
    }

    pub(super) fn acknowledge(&mut self, id: u64) {
        if let Some(note) = self.note_mut(id) {
            note.next = None;
        }
    }

    pub(super) fn send_again(&mut self, id: u64, now: i64, waits: &[Duration]) {
        let Some(note) = self.note_mut(id) else { return };
        let wait = waits.get((note.sent as usize).saturating_sub(1));
        note.next = wait.and_then(|wait| i64::try_from(wait.as_millis()).ok()).map(|wait| now + wait);
        if let Some(next) = note.next {
            self.outbox.push(Reverse((next, id)));
        }
    }

    pub(super) fn next_due(&self) -> Option<i64> {
        let timer = self.timers.peek().map(|entry| entry.0.0);
        let note = self.outbox.peek().map(|entry| entry.0.0);
        timer.into_iter().chain(note).min()
    }
}

fn note_id(index: u32, position: usize) -> u64 {
    (u64::from(index) << NOTE_BITS) | position as u64
}

fn note_place(id: u64) -> (u32, usize) {
    ((id >> NOTE_BITS) as u32, (id & ((1 << NOTE_BITS) - 1)) as usize)
}

/// Records and the book.
impl Bank {
    pub(super) fn changed(&mut self) -> Vec<(String, String)> {
        let indexes = std::mem::take(&mut self.changed);
        let record = |index: u32| {
            let charge = &mut self.charges[index as usize];
            charge.is_dirty = false;
            serde_json::to_string(charge).ok().map(|json| (charge.reference.to_string(), json))
        };
        indexes.into_iter().filter_map(record).collect()
    }

    pub(super) fn restore(&mut self, charge: Charge) {
        let Ok(index) = u32::try_from(self.charges.len()) else { return };
        let last = charge.refunds.iter().map(|refund| refund.number).max().unwrap_or(charge.number);
        self.number = self.number.max(charge.number).max(last);
        self.by_reference.insert(charge.reference.clone(), index);
        for (position, refund) in charge.refunds.iter().enumerate() {
            self.refunds.insert(refund.reference.clone(), (index, position));
        }
        if let Some(at) = charge.settles_at {
            self.timers.push(Reverse((at, index)));
        }
        for (position, note) in charge.notes.iter().enumerate() {
            if let Some(next) = note.next {
                self.outbox.push(Reverse((next, note_id(index, position))));
            }
        }
        self.charges.push(charge);
    }

    pub(super) fn book(&self) -> Vec<BookLine> {
        let mut lines = Vec::new();
        for charge in &self.charges {
            let line = |refund: Option<&Refund>, amount, at| BookLine {
                reference: charge.reference.to_string(),
                refund: refund.map(|refund| refund.reference.to_string()),
                money: charge.money(amount),
                at: Timestamp::from_millis(at),
            };
            if charge.captured > 0 {
                lines.push(line(None, charge.captured, charge.at.unwrap_or_default()));
            }
            let given = charge.refunds.iter().filter(|refund| !refund.is_refused);
            lines.extend(given.map(|refund| line(Some(refund), refund.amount, refund.at)));
        }
        lines
    }

    /// The CSV of everything that moved from one instant until before another, oldest first.
    pub(super) fn statement(&self, from: i64, until: i64) -> String {
        let mut statement = wire::Statement::new();
        let mut lines: Vec<(i64, u64, &Charge, Option<&Refund>)> = Vec::new();
        for charge in self.charges.iter().filter(|charge| charge.captured > 0) {
            lines.push((charge.at.unwrap_or_default(), charge.number, charge, None));
            let given = charge.refunds.iter().filter(|refund| !refund.is_refused);
            lines.extend(given.map(|refund| (refund.at, refund.number, charge, Some(refund))));
        }
        lines.retain(|line| (from..until).contains(&line.0));
        lines.sort_by_key(|line| (line.0, line.1));
        for (at, _, charge, refund) in lines {
            statement.line(charge, refund, at);
        }
        statement.finish()
    }
}
