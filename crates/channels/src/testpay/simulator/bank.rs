//! The provider's decisions: payments, refunds, and what happens by itself.

mod book;
mod notes;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use paycore::money::Money;

use super::charge::{Charge, Refund, Scene, State, script};
use super::wire::{self, Problem};
use crate::sandbox::issuer;

/// How long after a close the provider says that it was paid before, in milliseconds.
const PAID_AFTER_CLOSE: i64 = 5_000;

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
        let (manual, scene) = (new.capture == wire::CaptureMode::Manual, new.scene());
        if let Some(index) = self.find(&new.reference, now) {
            let known = self.charge(index);
            let same = (known.amount, known.currency, known.scene, known.manual)
                == (new.amount, new.currency, scene, manual);
            return if same { Ok((index, false)) } else { Err(Problem::REUSED) };
        }
        new.check()?;
        let index = u32::try_from(self.charges.len()).map_err(|_| Problem::SYSTEM)?;
        let charge = Charge {
            reference: new.reference.as_ref().into(),
            number: self.next_number(),
            scene,
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
        match new.card.as_ref().and_then(issuer::Card::refusal) {
            Some(code) => self.decline(index, code),
            None => self.begin(index, now),
        }
        Ok((index, true))
    }

    /// What happens to a charge without a payer: a card pays at once, some amounts pay themselves.
    fn begin(&mut self, index: u32, now: i64) {
        let charge = self.charge(index);
        let is_late = charge.expires_at.is_some_and(|at| at <= now);
        match (charge.scene, charge.script()) {
            (Scene::Card, _) if is_late => self.decline(index, "expired"),
            (Scene::Card, _) => self.pay(index, now),
            (_, script::PAYS_ITSELF) => self.settle_later(index, now + 1_000),
            (_, script::TIMEOUT) => self.succeed(index, now, now),
            _ => {}
        }
    }

    /// The payer's "pay" on a charge that waits.
    pub(super) fn pay(&mut self, index: u32, now: i64) {
        match self.charge(index).script() {
            script::DECLINES => self.decline(index, "insufficient_funds"),
            script::PENDING => {
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
            if charge.script() == script::PAID_AFTER_CLOSE {
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
    pub(super) fn void(&mut self, index: u32) -> Result<(), Problem> {
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
        let left = charge.captured - charge.given().map(|refund| refund.amount).sum::<i64>();
        if money.currency() != charge.currency || !(1..=left).contains(&money.minor()) {
            return Err(Problem::not_allowed("it is more than is left of the payment"));
        }
        let is_refused = charge.script() == script::REFUND_REFUSED;
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
