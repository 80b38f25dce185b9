//! What the provider keeps of a payment.

use std::borrow::Cow;
use std::sync::Arc;

use paycore::currency::Currency;
use paycore::money::Money;
use serde::{Deserialize, Serialize};

/// What the last four digits of an amount make the provider do; the README says it in words.
pub(super) mod script {
    pub(crate) const PAYS_ITSELF: i64 = 9000;
    pub(crate) const DECLINES: i64 = 9001;
    pub(crate) const PENDING: i64 = 9002;
    pub(crate) const TIMEOUT: i64 = 9003;
    pub(crate) const THREE_NOTICES: i64 = 9004;
    pub(crate) const LATE_NOTICE: i64 = 9005;
    pub(crate) const PAID_AFTER_CLOSE: i64 = 9006;
    pub(crate) const FIRST_UNKNOWN: i64 = 9007;
    pub(crate) const NO_NOTICE: i64 = 9008;
    pub(crate) const REFUND_UNKNOWN: i64 = 9009;
    pub(crate) const REFUND_REFUSED: i64 = 9010;
    pub(crate) const DISPUTE_WON: i64 = 9011;
    pub(crate) const DISPUTE_LOST: i64 = 9012;
    pub(crate) const DISPUTE_WON_IN_PART: i64 = 9013;
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
    pub(super) number: u64,
    pub(super) scene: Scene,
    pub(super) amount: i64,
    pub(super) currency: Currency,
    pub(super) manual: bool,
    pub(super) subject: Box<str>,
    pub(super) return_url: Option<Box<str>>,
    pub(super) notify_url: Arc<str>,
    pub(super) expires_at: Option<i64>,
    pub(super) state: State,
    /// When the money was taken or reserved.
    pub(super) at: Option<i64>,
    pub(super) code: Option<Cow<'static, str>>,
    pub(super) captured: i64,
    /// When the state changes by itself.
    pub(super) settles_at: Option<i64>,
    pub(super) refunds: Vec<Refund>,
    pub(super) notes: Vec<Note>,
    #[serde(skip)]
    pub(super) is_dirty: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refund {
    pub(super) reference: Box<str>,
    pub(super) number: u64,
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
    pub(super) next: Option<i64>,
    /// What it says of a dispute, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dispute: Option<Dispute>,
}

/// A dispute of a payment, of all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Dispute {
    Opened,
    Won,
    Lost,
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

    /// What the amount makes the provider do.
    pub(super) fn script(&self) -> i64 {
        self.amount % 10_000
    }

    /// When the dispute that the amount asks for is opened and until when it is to be answered, if it asks for one.
    pub(super) fn disputed(&self) -> Option<(i64, i64)> {
        const SECOND: i64 = 1_000;
        const ANSWER: i64 = 7 * 86_400 * SECOND;
        let asks = (script::DISPUTE_WON..=script::DISPUTE_WON_IN_PART).contains(&self.script());
        let opened = self.at.filter(|_| asks && self.state == State::Succeeded)? + SECOND;
        Some((opened, opened + ANSWER))
    }

    /// The refunds that were given.
    pub(super) fn given(&self) -> impl Iterator<Item = &Refund> {
        self.refunds.iter().filter(|refund| !refund.is_refused)
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
