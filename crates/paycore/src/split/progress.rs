//! How a split goes on: what its requests say, and what they lead to.

use super::reference::numbered;
use super::{Request, RequestKind, RequestStatus, Snapshot, Split, SplitStatus, Via};
use crate::channel::{Fault, Operation, Outcome, Payment, QueryShare, Release, Share as ShareCall, Verdict};
use crate::id::{ReceiverId, SplitId};
use crate::money::Money;
use crate::order::input::Moment;
use crate::order::{Attempt, Order};
use crate::time::Timestamp;

/// Shown to receivers.
const DESCRIPTION: &str = "分账 profit sharing";

/// The split of an order that was paid just now, to be committed with the payment.
pub fn begin(id: SplitId, order: &Order, attempt: &Attempt, moment: Moment) -> Option<Split> {
    let snapshot: &Snapshot = order.details.split.as_deref()?;
    Some(Split {
        id,
        version: 0,
        order_id: order.id,
        attempt_id: attempt.id,
        account_id: attempt.account_id,
        channel: attempt.channel.clone(),
        method: attempt.method.clone(),
        plan_id: snapshot.plan_id,
        plan_revision: snapshot.revision,
        terms: snapshot.terms.clone(),
        status: SplitStatus::Waiting,
        via: None,
        detail: None,
        frozen: snapshot.flagged,
        gross: order.amount(order.captured),
        fee: order.amount(0),
        refunded: 0,
        shares: Vec::new(),
        requests: Vec::new(),
        released: false,
        paid_at: order.paid_at.unwrap_or(moment.now),
        created_at: moment.now,
        updated_at: moment.now,
        sequence: 0,
        looks: 0,
        due_at: moment.wall,
    })
}

/// What an answer about a request changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// What receivers got by it, together.
    pub given: Money,
    /// Whether the request is final now and was not before.
    pub settled: bool,
}

impl Split {
    /// Gives a new request its place and its reference. The caller commits it before anything is sent.
    pub fn request(&mut self, kind: RequestKind, shares: Vec<(ReceiverId, Money)>) {
        let reference = numbered(&self.id.bare(), self.requests.len() + 1);
        let (status, channel_id, fault, reconciled) = (RequestStatus::Sending, None, None, None);
        self.requests.push(Request { reference, kind, shares, status, channel_id, fault, reconciled });
        self.status = SplitStatus::Sharing;
    }

    /// The operation of a request; the same words every time.
    pub fn operation(&self, request: &Request, payment: Payment) -> Operation {
        let reference = request.reference.clone();
        if request.kind == RequestKind::Release {
            return Operation::Release(Release { reference, payment, description: DESCRIPTION.into() });
        }
        let account = |who: &ReceiverId| {
            let share = self.shares.iter().find(|share| share.receiver_id == *who);
            share.and_then(|share| share.account.as_ref()).map(super::ReceiverAccount::receiver)
        };
        let named = request.shares.iter().filter_map(|(who, money)| Some((account(who)?, *money)));
        let shares = named.collect();
        Operation::Share(ShareCall {
            reference,
            payment,
            shares,
            description: DESCRIPTION.into(),
            last: false,
        })
    }

    /// The question what became of a request.
    pub fn query(&self, request: &Request, payment: Payment) -> Operation {
        let (reference, channel_id) = (request.reference.clone(), request.channel_id.clone());
        Operation::QueryShare(QueryShare { reference, channel_id, payment })
    }

    /// Takes in the channel's answer about a request, or the want of one. What is final stays as it is.
    pub fn hear(&mut self, index: usize, news: &Result<Outcome, Fault>) -> Heard {
        let nothing = Heard { given: Money::zero(self.gross.currency()), settled: false };
        let request = &mut self.requests[index];
        if !request.status.is_open() {
            return nothing;
        }
        let outcome = match news {
            Ok(outcome) => outcome,
            Err(fault) => {
                request.fault = Some(fault.to_string());
                if request.status == RequestStatus::Sending {
                    request.status = RequestStatus::Unknown;
                }
                return nothing;
            }
        };
        if outcome.channel_id.is_some() {
            request.channel_id.clone_from(&outcome.channel_id);
        }
        match &outcome.verdict {
            Verdict::Succeeded => {
                request.status = RequestStatus::Succeeded;
                request.fault = None;
            }
            Verdict::Declined(decline) => {
                request.status = RequestStatus::Failed;
                request.fault = Some(format!("{} {}", decline.code, decline.message));
            }
            Verdict::Pending => {
                request.status = RequestStatus::Pending;
                return nothing;
            }
            // Not known (yet): the same reference is sent again.
            _ => return nothing,
        }
        Heard { given: self.settle(index, outcome), settled: true }
    }

    /// Settles the shares of a request that is final and says how much was given.
    fn settle(&mut self, index: usize, outcome: &Outcome) -> Money {
        let request = &self.requests[index];
        let mut given = 0;
        for (who, money) in &request.shares {
            let Some(share) = self.shares.iter_mut().find(|share| share.receiver_id == *who) else {
                continue;
            };
            let account = share.account.as_ref().map(|account| account.account.as_str());
            let own = outcome.shares.iter().find(|said| Some(said.account.as_str()) == account);
            let verdict = own.map_or(&outcome.verdict, |said| &said.verdict);
            share.settled = true;
            match verdict {
                Verdict::Declined(decline) => {
                    share.reason = Some(format!("{} {}", decline.code, decline.message).trim().to_owned());
                }
                _ => {
                    share.given = money.minor();
                    share.reason = None;
                    given += money.minor();
                }
            }
        }
        Money::new(given, self.gross.currency())
    }

    /// The shares that are still to be given, by place.
    pub fn to_give(&self) -> Vec<usize> {
        (0..self.shares.len()).filter(|place| self.shares[*place].open() > 0).collect()
    }

    /// Whether a receiver was declined by the channel, so that a person has to say how it goes on.
    pub fn declined(&self) -> bool {
        self.shares.iter().any(|share| share.settled && share.given == 0 && share.reason.is_some())
    }

    /// Whether the channel would not release the rest.
    pub fn release_refused(&self) -> bool {
        let last = self.requests.last();
        last.is_some_and(|request| {
            request.kind == RequestKind::Release && request.status == RequestStatus::Failed
        })
    }

    /// Puts the declined shares back among those that are to be given.
    pub fn retry(&mut self) {
        for share in &mut self.shares {
            if share.settled && share.given == 0 && share.reason.is_some() {
                share.settled = false;
            }
        }
        if self.release_refused() {
            self.requests.pop();
        }
        self.cancel_refunded();
        self.status = SplitStatus::Held;
        self.released = true;
        self.detail = None;
    }

    /// Credits what is to be given in the ledger: each receiver and its amount.
    pub fn credit(&mut self) -> Vec<(ReceiverId, Money)> {
        let places = self.to_give();
        let currency = self.gross.currency();
        places
            .into_iter()
            .map(|place| {
                let share = &mut self.shares[place];
                share.given = share.open();
                share.settled = true;
                share.reason = None;
                (share.receiver_id, Money::new(share.given, currency))
            })
            .collect()
    }

    /// Whether the rest still has to be released at the channel. What went back to the payer in full needs none.
    pub fn needs_release(&self) -> bool {
        let asked = |request: &Request| {
            request.kind == RequestKind::Release && request.status != RequestStatus::Failed
        };
        self.frozen && self.refunded < self.gross.minor() && !self.requests.iter().any(asked)
    }

    /// Ends it, or blocks it where a receiver was declined or the rest was not released.
    pub fn conclude(&mut self) {
        let unreleased =
            self.requests.last().filter(|_| self.release_refused()).and_then(|last| last.fault.clone());
        let declined = self.shares.iter().find_map(|share| match share.settled && share.given == 0 {
            true => share.reason.clone(),
            false => None,
        });
        self.detail = declined.or(unreleased).or(self.detail.take());
        self.status = match self.declined() || self.needs_release() {
            true => SplitStatus::Blocked,
            false => SplitStatus::Finished,
        };
        self.due_at = Timestamp::ZERO;
    }

    /// Notes the way the shares go and why.
    pub fn route(&mut self, via: Via, detail: Option<String>) {
        self.via = Some(via);
        self.detail = detail;
    }
}
