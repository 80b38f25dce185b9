//! Pure decisions about mandates: what was asked for and what was heard goes in, what is to be written comes out.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::{CreateMandate, Mandate, MandateEvent, MandateStatus};
use crate::channel::{
    Action, Decline, Fault, Method, Operation, Outcome, Payer, QueryMandate, RevokeMandate, SignMandate,
    SigningScene, Verb, Verdict,
};
use crate::currency::Currency;
use crate::error::{Code, Error, Result};
use crate::event::EventKind;
use crate::exception::ExceptionKind;
use crate::id::{ChannelAccountId, MandateId};
use crate::money::Money;
use crate::order::Metadata;
use crate::order::input::{Moment, amount, check_metadata, check_payer, number_of, text, url};
use crate::order::rules::look_for_unknown;
use crate::time::Timestamp;

const SIGN_DEFAULT: Duration = Duration::from_secs(2 * 3600);
const SIGN_MIN: Duration = Duration::from_secs(300);
const SIGN_MAX: Duration = Duration::from_secs(30 * 24 * 3600);
/// The payer may end a mandate at the channel, and the notification of it may be lost.
const LOOK_AT_ACTIVE: Duration = Duration::from_secs(24 * 3600);

/// What follows from news about a mandate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consequences {
    /// The mandate's event.
    pub event: Option<EventKind>,
    /// What a person has to see.
    pub exception: Option<(ExceptionKind, String)>,
}

impl CreateMandate {
    /// The most that a charge may take, or the first parameter that is not right.
    pub fn check(&self) -> Result<Money> {
        let limit = amount("amount_limit", self.amount_limit, self.currency)?;
        text("description", &self.description, 1, 127)?;
        if let Some(customer) = &self.customer {
            number_of("customer", customer)?;
        }
        url("return_url", self.return_url.as_deref())?;
        check_metadata(&self.metadata)?;
        check_payer(&self.payer)?;
        self.lifetime()?;
        if !self.method.by_mandate() {
            let detail =
                "This method charges by no mandate; name one that does, such as `wechatpay.mandate`.";
            return Err(Error::invalid("method", detail));
        }
        Ok(limit)
    }

    /// How long it can be signed.
    pub fn lifetime(&self) -> Result<Duration> {
        let lifetime = self.expires_in.map_or(SIGN_DEFAULT, Duration::from_secs);
        if lifetime < SIGN_MIN || lifetime > SIGN_MAX {
            return Err(Error::invalid("expires_in", "Must be 300 to 2592000 seconds."));
        }
        Ok(lifetime)
    }
}

/// Charging.
impl Mandate {
    /// The channel's id of the mandate, where an order by these methods may be charged by it.
    ///
    /// # Errors
    /// The parameter of the order that does not fit, or the mandate itself where it is not active.
    pub fn chargeable(&self, methods: &[Method], money: Money) -> Result<&str> {
        if methods != std::slice::from_ref(&self.method) {
            let detail = format!("This mandate is charged by `{}` and no other method.", self.method);
            return Err(Error::invalid("method", detail).object(self.id));
        }
        let active = self.channel_id.as_deref().filter(|_| self.status == MandateStatus::Active);
        let Some(channel_id) = active else {
            let detail =
                format!("The mandate is `{}`; only an active one can be charged.", self.status.text());
            return Err(Error::new(Code::StateNotAllowed, detail).param("mandate").object(self.id));
        };
        if money.currency() != self.currency() {
            let detail = format!("The payer agreed to charges in {}.", self.currency());
            return Err(Error::new(Code::InvalidCurrency, detail).param("currency").object(self.id));
        }
        if money.minor() > self.limit.minor() {
            let detail = format!("The payer agreed to at most {} per charge.", self.limit);
            return Err(Error::new(Code::InvalidAmount, detail).param("amount").object(self.id));
        }
        Ok(channel_id)
    }
}

/// What the channel is asked.
impl Mandate {
    /// The request that begins it. The payer is known only when it is made; what is sent again goes without.
    pub fn sign(&self, payer: Payer) -> Operation {
        Operation::SignMandate(SignMandate {
            reference: self.reference.clone(),
            started_at: self.created_at,
            method: self.method.clone(),
            scene: self.scene,
            subject: self.customer.clone().unwrap_or_else(|| self.description.clone()),
            return_url: self.return_url.clone(),
            payer,
        })
    }

    /// The question what became of it.
    pub fn query(&self) -> Operation {
        Operation::QueryMandate(QueryMandate {
            reference: self.reference.clone(),
            channel_id: self.channel_id.clone(),
            method: self.method.clone(),
            started_at: self.created_at,
        })
    }

    /// The request that ends it.
    pub fn revocation(&self) -> Operation {
        Operation::RevokeMandate(RevokeMandate {
            reference: self.reference.clone(),
            channel_id: self.channel_id.clone(),
            method: self.method.clone(),
            started_at: self.created_at,
            reason: self.reason.clone().unwrap_or_else(|| "Ended by the merchant 商户解约".to_owned()),
        })
    }

    /// What to send after the answer to a query: the request that was to end it and did not arrive, or the one whose
    /// answer, what the payer has to do, is lost.
    pub fn again(&self, verdict: &Verdict) -> Option<Operation> {
        match (self.status, verdict) {
            (MandateStatus::Revoking, Verdict::Succeeded) => Some(self.revocation()),
            (MandateStatus::Pending, Verdict::Absent | Verdict::Pending) if self.next_action.is_none() => {
                Some(self.sign(Payer::default()))
            }
            _ => None,
        }
    }
}

/// What the channel says.
impl Mandate {
    /// Marks that it is to end. False where it is over already.
    pub fn revoke(&mut self, reason: Option<String>, moment: Moment) -> bool {
        if self.status.is_final() {
            return false;
        }
        self.reason = reason.or(self.reason.take());
        self.step(MandateEvent::Revoke, moment);
        true
    }

    /// Takes in the channel's answer to `verb`, or the want of one.
    pub fn hear(&mut self, verb: Verb, news: &Result<Outcome, Fault>, moment: Moment) -> Consequences {
        let then = match news {
            Ok(outcome) => self.believe(verb, outcome, moment),
            Err(fault) => {
                self.fault = Some(fault.to_string());
                Consequences::default()
            }
        };
        self.updated_at = moment.now;
        self.schedule(moment);
        then
    }

    fn believe(&mut self, verb: Verb, outcome: &Outcome, moment: Moment) -> Consequences {
        let known = self.channel_id.as_ref();
        if let (Some(known), Some(said)) = (known, &outcome.channel_id)
            && known != said
        {
            let detail = format!("the channel calls it {said}, and called it {known} before");
            self.fault = Some(detail.clone());
            let exception = Some((ExceptionKind::Contradiction, detail));
            return Consequences { event: None, exception };
        }
        self.fault = None;
        match &outcome.verdict {
            Verdict::Awaiting(action) => self.await_signature(action),
            Verdict::Succeeded => return self.signed(outcome, moment),
            Verdict::Declined(decline) => return self.declined(verb, decline, moment),
            Verdict::Closed => return self.over(MandateEvent::End, moment),
            // What is to end and is not there has ended. Before that it may still be signed, until its time is over.
            Verdict::Absent if self.status == MandateStatus::Revoking => {
                return self.over(MandateEvent::End, moment);
            }
            Verdict::Absent | Verdict::Pending
                if verb == Verb::QueryMandate && moment.now >= self.expires_at =>
            {
                return self.over(MandateEvent::Expire, moment);
            }
            _ => {}
        }
        Consequences::default()
    }

    fn await_signature(&mut self, action: &Action) {
        if self.status == MandateStatus::Pending {
            self.next_action = Some(action.clone());
        }
    }

    fn signed(&mut self, outcome: &Outcome, moment: Moment) -> Consequences {
        if outcome.channel_id.is_none() {
            self.fault = Some("signed, but the channel does not say by what id it is charged".to_owned());
            return Consequences::default();
        }
        // What ended before anybody signed it ends again when it is signed after all.
        let late = self.status == MandateStatus::Ended && self.channel_id.is_none();
        self.channel_id.clone_from(&outcome.channel_id);
        if late {
            self.status = MandateStatus::Revoking;
            self.queries = 0;
        } else {
            self.step(MandateEvent::Sign, moment);
        }
        if self.status != MandateStatus::Active || self.signed_at.is_some() {
            return Consequences::default();
        }
        self.signed_at = Some(outcome.at.unwrap_or(moment.now));
        self.next_action = None;
        Consequences { event: Some(EventKind::MandateActive), exception: None }
    }

    fn declined(&mut self, verb: Verb, decline: &Decline, moment: Moment) -> Consequences {
        let event = if verb == Verb::SignMandate { MandateEvent::Fail } else { MandateEvent::End };
        let before = self.status;
        let then = self.over(event, moment);
        if self.status != before {
            self.decline = Some(decline.clone());
        }
        then
    }

    fn over(&mut self, event: MandateEvent, moment: Moment) -> Consequences {
        let before = self.status;
        self.step(event, moment);
        if self.status == before || !self.status.is_final() {
            return Consequences::default();
        }
        self.next_action = None;
        self.ended_at = Some(moment.now);
        let event = match self.status {
            MandateStatus::Failed => EventKind::MandateFailed,
            MandateStatus::Expired => EventKind::MandateExpired,
            _ => EventKind::MandateEnded,
        };
        Consequences { event: Some(event), exception: None }
    }

    fn step(&mut self, event: MandateEvent, moment: Moment) {
        if let Some(next) = self.status.apply(event) {
            self.status = next;
            self.queries = 0;
            self.updated_at = moment.now;
        }
    }

    /// Sets when a worker looks next.
    fn schedule(&mut self, moment: Moment) {
        const WAITING: [u64; 5] = [5, 10, 30, 60, 300];
        let delay = match self.status {
            MandateStatus::Pending => {
                let looks = usize::try_from(self.queries).unwrap_or(0).min(WAITING.len() - 1);
                let left = self.expires_at.since(moment.now).max(Duration::from_secs(1));
                let patient =
                    if moment.now < self.expires_at { left } else { look_for_unknown(self.queries) };
                patient.min(Duration::from_secs(WAITING[looks]))
            }
            MandateStatus::Revoking => look_for_unknown(self.queries),
            MandateStatus::Active => LOOK_AT_ACTIVE,
            _ => {
                self.due_at = Timestamp::ZERO;
                return;
            }
        };
        self.due_at = moment.due_in(delay);
    }
}

/// A mandate as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Mandate")]
pub struct MandateView {
    /// Its id.
    pub id: MandateId,
    /// Always `mandate`.
    pub object: &'static str,
    /// False in a sandbox.
    pub livemode: bool,
    /// Where it stands.
    pub status: MandateStatus,
    /// The method that charges by it.
    pub method: Method,
    /// Where the payer signs.
    pub scene: SigningScene,
    /// Id of the channel.
    pub channel: String,
    /// The account with the channel.
    pub channel_account_id: ChannelAccountId,
    /// Our reference on the wire.
    pub reference: String,
    /// The channel's own id, once it was signed.
    pub channel_mandate_id: Option<String>,
    /// ISO 4217 code of every charge.
    pub currency: Currency,
    /// The most that one charge may take, minor units.
    pub amount_limit: i64,
    /// What it is for.
    pub description: String,
    /// The merchant's reference of the customer who signs.
    pub customer: Option<String>,
    /// Where the payer's browser goes afterwards.
    pub return_url: Option<String>,
    /// The merchant's notes.
    pub metadata: Metadata,
    /// What the payer has to do to sign it.
    pub next_action: Option<Action>,
    /// Why the channel refused it, or how it ended there.
    pub decline: Option<Decline>,
    /// What is not understood about the channel's last answer.
    pub fault: Option<String>,
    /// Until when it can be signed.
    pub expires_at: Timestamp,
    /// When it became active.
    pub signed_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Mandate {
    /// The mandate as the API shows it.
    pub fn view(&self, livemode: bool) -> MandateView {
        MandateView {
            id: self.id,
            object: "mandate",
            livemode,
            status: self.status,
            method: self.method.clone(),
            scene: self.scene,
            channel: self.channel.clone(),
            channel_account_id: self.account_id,
            reference: self.reference.clone(),
            channel_mandate_id: self.channel_id.clone(),
            currency: self.currency(),
            amount_limit: self.limit.minor(),
            description: self.description.clone(),
            customer: self.customer.clone(),
            return_url: self.return_url.clone(),
            metadata: self.metadata.clone(),
            next_action: self.next_action.clone(),
            decline: self.decline.clone(),
            fault: self.fault.clone(),
            expires_at: self.expires_at,
            signed_at: self.signed_at,
            ended_at: self.ended_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}
