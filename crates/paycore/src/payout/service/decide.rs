//! What people decide about a payout: review, approval, withdrawal, and what a bank said.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::rules::{PayoutView, Refused};
use super::super::{Beneficiary, Payout, PayoutEvent};
use super::create::PayoutById;
use super::{send, settlement, tell};
use crate::engine::{Caller, Engine, RETRIES_MAX};
use crate::error::{Error, Result};
use crate::event::{Booking, EventKind, Movement};
use crate::id::PayoutId;
use crate::order::input::{Moment, optional};
use crate::store::{Changes, CommitError};

/// What follows from a decision: the event, and what it books.
type Told = (EventKind, Option<Booking>);

/// Marks a draft as looked at; its author may not.
pub async fn review(engine: &Engine, caller: &Caller, input: PayoutById) -> Result<PayoutView> {
    let decide = |payout: &mut Payout, moment: Moment| {
        payout.review(&caller.actor, moment)?;
        Ok((EventKind::PayoutReviewed, None))
    };
    let payout = decided(engine, caller, input.id, ("payouts.review", ""), decide).await?;
    Ok(payout.view(caller.merchant.livemode))
}

/// What `payouts.approve` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovePayout {
    /// The payout.
    pub id: PayoutId,
    /// Its `effect` as you saw it: you approve this and nothing else.
    #[schemars(length(min = 64, max = 64))]
    pub effect: String,
}

/// Approves a payout. With the last approval it needs, a payout by channel is sent; one by bank waits for its batch.
pub async fn approve(engine: &Engine, caller: &Caller, input: ApprovePayout) -> Result<PayoutView> {
    if input.effect.len() != 64 || !input.effect.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::invalid("effect", "Give the payout's `effect`: 64 hexadecimal digits."));
    }
    let payout: Payout = engine.document(caller.tenant(), input.id).await?;
    settlement::not_paused(engine, caller.tenant(), payout.money.currency()).await?;
    settlement::not_paused_behind(engine, caller.tenant(), &payout).await?;
    let decide = |payout: &mut Payout, moment: Moment| {
        let enough = payout.approve(&caller.actor, &input.effect, moment)?;
        Ok((if enough { EventKind::PayoutApproved } else { EventKind::PayoutReviewed }, None))
    };
    let mut payout = decided(engine, caller, input.id, ("payouts.approve", &input.effect), decide).await?;
    if payout.status == super::super::PayoutStatus::Approved && payout.channel.is_some() {
        payout = send::submit(engine, &caller.merchant, payout).await?;
    }
    Ok(payout.view(caller.merchant.livemode))
}

/// What `payouts.cancel` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelPayout {
    /// The payout.
    pub id: PayoutId,
    /// Why, at most 256 characters.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub reason: Option<String>,
}

/// Withdraws or rejects a payout that did not go out; its money is available again.
pub async fn cancel(engine: &Engine, caller: &Caller, input: CancelPayout) -> Result<PayoutView> {
    optional("reason", input.reason.as_deref(), 256)?;
    let reason = input.reason.unwrap_or_default();
    let decide = |payout: &mut Payout, moment: Moment| cancelled(payout, &reason, moment);
    let payout = decided(engine, caller, input.id, ("payouts.cancel", &reason), decide).await?;
    Ok(payout.view(caller.merchant.livemode))
}

/// The step of a withdrawal.
pub(super) fn cancelled(payout: &mut Payout, reason: &str, moment: Moment) -> Result<Told, Refused> {
    payout.step(PayoutEvent::Cancel, moment)?;
    payout.due_at = crate::time::Timestamp::ZERO;
    payout.fault = (!reason.is_empty()).then(|| reason.to_owned());
    Ok((EventKind::PayoutCancelled, Some(payout.booking(Movement::PayoutRelease))))
}

/// What a bank said of a payout that went out with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BankWord {
    /// It is booked.
    Paid,
    /// It was refused; nothing left the account.
    Failed,
    /// It was booked and came back.
    Returned,
}

/// What `payouts.settle` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettlePayout {
    /// The payout.
    pub id: PayoutId,
    /// What the bank said.
    pub result: BankWord,
    /// The bank's own number of the booking.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub bank_reference: Option<String>,
    /// The bank's reason, for what it refused or sent back.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub reason: Option<String>,
}

/// Takes in what a bank said. A channel is asked instead, so its payouts cannot be settled by hand.
pub async fn settle(engine: &Engine, caller: &Caller, input: SettlePayout) -> Result<PayoutView> {
    optional("reason", input.reason.as_deref(), 256)?;
    optional("bank_reference", input.bank_reference.as_deref(), 64)?;
    let decide = |payout: &mut Payout, moment: Moment| {
        if payout.channel.is_some() {
            return Err(Refused::State("carried by a channel, which is asked itself"));
        }
        let (event, kind, movement) = match input.result {
            BankWord::Paid => (PayoutEvent::Pay, EventKind::PayoutPaid, Movement::PayoutPaid),
            BankWord::Failed => (PayoutEvent::Fail, EventKind::PayoutFailed, Movement::PayoutRelease),
            BankWord::Returned => (PayoutEvent::Return, EventKind::PayoutReturned, Movement::PayoutReturned),
        };
        payout.step(event, moment)?;
        payout.fault.clone_from(&input.reason);
        if input.bank_reference.is_some() {
            payout.channel_id.clone_from(&input.bank_reference);
        }
        Ok((kind, Some(payout.booking(movement))))
    };
    let detail = input.bank_reference.clone().unwrap_or_default();
    let payout = decided(engine, caller, input.id, ("payouts.settle", &detail), decide).await?;
    Ok(payout.view(caller.merchant.livemode))
}

/// Reads, decides and commits, again where the payout changed meanwhile.
async fn decided(
    engine: &Engine,
    caller: &Caller,
    id: PayoutId,
    (action, detail): (&'static str, &str),
    decide: impl Fn(&mut Payout, Moment) -> Result<Told, Refused>,
) -> Result<Payout> {
    let (tenant, merchant) = (caller.tenant(), &caller.merchant);
    for _ in 0..RETRIES_MAX {
        let moment = engine.moment(merchant);
        let mut payout: Payout = engine.document(tenant, id).await?;
        let told = decide(&mut payout, moment).map_err(|refused| Error::from(refused).object(id))?;
        let mut changes = Changes::default();
        settlement::follow(engine, &mut changes, &payout, told.0, merchant, moment).await?;
        tell(engine, &mut changes, &mut payout, told, merchant, moment);
        changes.claim = caller.once(id, &payout.view(merchant.livemode), moment);
        let audit = engine.audit(&caller.actor, action, Some(id.to_string()), detail.to_owned(), moment);
        changes.audit.push(audit);
        match engine.commit(tenant, changes).await {
            Ok(()) => {
                payout.version += 1;
                return Ok(payout);
            }
            Err(CommitError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(CommitError::Stale.into())
}

/// The beneficiary of a payout as it is now.
pub(super) async fn beneficiary_of(
    engine: &Engine,
    tenant: crate::id::MerchantId,
    payout: &Payout,
) -> Result<Beneficiary> {
    engine.document(tenant, payout.beneficiary_id).await
}
