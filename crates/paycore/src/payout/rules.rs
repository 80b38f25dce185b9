//! Pure decisions about payouts.

use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Approval, Batch, Bearer, Beneficiary, Payout, PayoutEvent, PayoutStatus, Route};
use crate::channel::{AccountKind, Fault, Operation, Outcome, QueryTransfer, Receiver, Transfer, Verdict};
use crate::currency::Currency;
use crate::event::{Booking, EventKind, Movement, Part};
use crate::exception::ExceptionKind;
use crate::id::{BatchId, BeneficiaryId, PayoutId, ReconciliationId};
use crate::money::Money;
use crate::order::input::Moment;
use crate::order::rules::look_for_unknown;
use crate::settlement::state::SettlementEvent;
use crate::time::Timestamp;

/// From this many major units a payout needs two approvals and is told to people who watch.
pub const LARGE: i64 = 50_000;
/// From this many major units a day the merchant's payouts are told to people who watch.
pub const LARGE_DAY: i64 = 100_000;

/// Why a payout does not take a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The state does not allow it.
    #[error("the payout is `{0}`")]
    State(&'static str),
    /// The same person again.
    #[error("`{0}` has had a hand in it already; somebody else has to do this")]
    SamePerson(String),
    /// What was approved is not what would be sent.
    #[error("the payout changed after it was approved")]
    Changed,
    /// The time for approvals is over.
    #[error("it had to be approved earlier; draft it again")]
    TooLate,
}

/// How many approvals an amount needs.
pub fn approvals_wanted(money: Money) -> u32 {
    if money.minor() >= major(LARGE, money.currency()) { 2 } else { 1 }
}

/// So many major units in minor units; the most there is where that does not fit.
pub fn major(units: i64, currency: Currency) -> i64 {
    let factor =
        10_i64.checked_pow(u32::from(currency.exponent())).and_then(|factor| units.checked_mul(factor));
    factor.unwrap_or(i64::MAX)
}

impl Payout {
    /// What is set aside for it: the amount, and the fee where the merchant bears it.
    pub fn reserved(&self) -> Money {
        match self.bearer {
            Bearer::Merchant => Money::new(self.money.minor() + self.fee, self.money.currency()),
            Bearer::Beneficiary => self.money,
        }
    }

    /// What the beneficiary gets.
    pub fn sent(&self) -> Money {
        match self.bearer {
            Bearer::Merchant => self.money,
            Bearer::Beneficiary => Money::new(self.money.minor() - self.fee, self.money.currency()),
        }
    }

    /// SHA-256 in hex over what a person approves: whom, how much, by which account, for what.
    pub fn effect_of(&self, beneficiary: &Beneficiary) -> String {
        let facts = [
            self.reference.as_str(),
            &self.money.to_string(),
            &self.sent().to_string(),
            &self.reserved().to_string(),
            &self.memo,
            &beneficiary.id.to_string(),
            &beneficiary.name,
            &beneficiary.sealed_account,
        ];
        let mut hash = Sha256::new();
        for fact in facts {
            // Each with its length, so that no two lists of facts give the same bytes.
            hash.update((fact.len() as u64).to_be_bytes());
            hash.update(fact.as_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Takes an event in.
    pub fn step(&mut self, event: PayoutEvent, moment: Moment) -> Result<(), Refused> {
        self.status = self.status.apply(event).ok_or(Refused::State(self.status.text()))?;
        self.updated_at = moment.now;
        Ok(())
    }

    /// Somebody other than the author looked at it.
    pub fn review(&mut self, by: &str, moment: Moment) -> Result<(), Refused> {
        self.other_than(by, false)?;
        self.step(PayoutEvent::Review, moment)?;
        self.reviewed_by = Some(by.to_owned());
        Ok(())
    }

    /// One approval; true where it was the last that is needed. The reviewer may approve, the author may not, nobody
    /// twice.
    pub fn approve(&mut self, by: &str, effect: &str, moment: Moment) -> Result<bool, Refused> {
        if self.status != PayoutStatus::Reviewed {
            return Err(Refused::State(self.status.text()));
        }
        if moment.now > self.approve_by {
            return Err(Refused::TooLate);
        }
        self.other_than(by, true)?;
        if effect != self.effect {
            return Err(Refused::Changed);
        }
        self.approvals.push(Approval { by: by.to_owned(), at: moment.now, effect: effect.to_owned() });
        self.updated_at = moment.now;
        let enough = self.approvals.len() >= self.approvals_wanted as usize;
        if enough {
            self.step(PayoutEvent::Approve, moment)?;
        }
        Ok(enough)
    }

    fn other_than(&self, by: &str, or_approver: bool) -> Result<(), Refused> {
        let approved = or_approver && self.approvals.iter().any(|approval| approval.by == by);
        if by == self.created_by || approved {
            return Err(Refused::SamePerson(by.to_owned()));
        }
        Ok(())
    }

    /// About to go out: what was approved must be what is sent.
    pub fn submit(&mut self, beneficiary: &Beneficiary, moment: Moment) -> Result<(), Refused> {
        let effect = self.effect_of(beneficiary);
        if self.effect != effect || self.approvals.iter().any(|approval| approval.effect != effect) {
            return Err(Refused::Changed);
        }
        self.step(PayoutEvent::Submit, moment)?;
        self.due_at = Timestamp::ZERO;
        Ok(())
    }

    /// What the ledger books for it: the amount set aside, given free, sent, or come back.
    pub fn booking(&self, movement: Movement) -> Booking {
        let fee = Money::new(self.fee, self.money.currency());
        let movement = match (movement, &self.channel) {
            (Movement::PayoutPaid, Some(_)) => Movement::PayoutTransferred,
            (Movement::PayoutReturned, Some(_)) => Movement::PayoutTransferReturned,
            _ => movement,
        };
        let booking = match movement {
            Movement::PayoutPaid | Movement::PayoutTransferred => {
                Booking::new(movement, Part::Gross, self.sent()).with(Part::Fee, fee)
            }
            Movement::PayoutReturned | Movement::PayoutTransferReturned => {
                Booking::new(movement, Part::Gross, self.sent())
            }
            _ => Booking::new(movement, Part::Gross, self.reserved()),
        };
        Booking { channel: self.channel.clone(), ..booking.party("main") }
    }

    /// Takes in the channel's answer, or the want of one. The caller commits the payout with what follows.
    pub fn hear(&mut self, news: &Result<Outcome, Fault>, moment: Moment) -> Consequences {
        let mut then = Consequences::default();
        match news {
            Err(fault) => {
                self.fault = Some(fault.to_string());
                if self.status.is_out() {
                    // Both states take it.
                    let _ = self.step(PayoutEvent::Lose, moment);
                }
            }
            Ok(outcome) => self.believe(outcome, moment, &mut then),
        }
        self.due_at = match self.status.is_out() {
            true => moment.due_in(look_for_unknown(self.queries)),
            false => Timestamp::ZERO,
        };
        then
    }

    fn believe(&mut self, outcome: &Outcome, moment: Moment, then: &mut Consequences) {
        let other = outcome.money.filter(|money| *money != self.sent());
        if let (Verdict::Succeeded, Some(money)) = (&outcome.verdict, other) {
            let detail = format!("{} was to be paid, the channel reports {money}", self.sent());
            self.fault = Some(detail.clone());
            then.exception = Some((ExceptionKind::AmountMismatch, detail));
            return;
        }
        let before = self.status;
        match &outcome.verdict {
            Verdict::Succeeded if before.is_out() => {
                self.status = PayoutStatus::Paid;
                self.fault = None;
                then.event = Some((EventKind::PayoutPaid, self.booking(Movement::PayoutPaid)));
            }
            Verdict::Declined(decline) if before.is_out() => {
                self.status = PayoutStatus::Failed;
                self.decline = Some(decline.clone());
                then.event = Some((EventKind::PayoutFailed, self.booking(Movement::PayoutRelease)));
            }
            Verdict::Closed if before.is_out() => {
                self.status = PayoutStatus::Failed;
                then.event = Some((EventKind::PayoutFailed, self.booking(Movement::PayoutRelease)));
            }
            Verdict::Pending if before.is_out() => self.status = PayoutStatus::Submitted,
            // The channel took it back after it had paid: as a bank does.
            Verdict::Declined(decline) if before == PayoutStatus::Paid => {
                self.status = PayoutStatus::Returned;
                self.decline = Some(decline.clone());
                then.event = Some((EventKind::PayoutReturned, self.booking(Movement::PayoutReturned)));
            }
            Verdict::Succeeded if before != PayoutStatus::Paid => {
                let detail = format!("a payout that is `{}` was paid by the channel", before.text());
                then.exception = Some((ExceptionKind::Contradiction, detail));
            }
            // Absent: a request may still be on its way; the same reference is sent again.
            _ => {}
        }
        if outcome.channel_id.is_some() {
            self.channel_id.clone_from(&outcome.channel_id);
        }
        self.updated_at = moment.now;
    }
}

/// What follows from news about a payout.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consequences {
    /// The payout's event with what it books.
    pub event: Option<(EventKind, Booking)>,
    /// What a person has to see.
    pub exception: Option<(ExceptionKind, String)>,
}

/// What an event of a payout means for the settlement that it takes up: the step, and the settlement's own event.
pub fn settles(kind: EventKind) -> Option<(SettlementEvent, EventKind)> {
    match kind {
        EventKind::PayoutCreated => Some((SettlementEvent::Pay, EventKind::SettlementPaying)),
        EventKind::PayoutPaid => Some((SettlementEvent::Arrive, EventKind::SettlementPaid)),
        EventKind::PayoutFailed | EventKind::PayoutReturned | EventKind::PayoutCancelled => {
            Some((SettlementEvent::Return, EventKind::SettlementUnpaid))
        }
        _ => None,
    }
}

/// The transfer that pays it; the same words every time, so that it can be sent again.
pub fn transfer(payout: &Payout, beneficiary: &Beneficiary, account: &str) -> Option<Operation> {
    let Route::Channel { account_kind, .. } = beneficiary.route else { return None };
    let kind = match account_kind {
        super::PayeeKind::Merchant => AccountKind::Merchant,
        super::PayeeKind::Open => AccountKind::Open,
        super::PayeeKind::User => AccountKind::User,
        super::PayeeKind::Login => AccountKind::Login,
        super::PayeeKind::Bank => AccountKind::Bank,
    };
    let name = Some(beneficiary.name.clone());
    Some(Operation::Transfer(Transfer {
        reference: payout.reference.clone(),
        started_at: payout.created_at,
        payee: Receiver { kind, account: account.to_owned(), name, relation: None },
        money: payout.sent(),
        title: payout.memo.clone(),
        purpose: None,
        facts: Vec::new(),
    }))
}

/// The question what became of it.
pub fn query(payout: &Payout) -> Operation {
    Operation::QueryTransfer(QueryTransfer {
        reference: payout.reference.clone(),
        channel_id: payout.channel_id.clone(),
        started_at: payout.created_at,
        money: payout.sent(),
    })
}

/// The end of an account: what people know it by.
pub fn hint(account: &str) -> String {
    let end: Vec<char> = account.chars().rev().take(4).collect();
    let shown = if account.chars().count() > 6 { end.into_iter().rev().collect() } else { String::new() };
    format!("…{shown}")
}

/// A payout as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Payout")]
pub struct PayoutView {
    /// Its id.
    pub id: PayoutId,
    /// Always `payout`.
    pub object: &'static str,
    /// False in a sandbox.
    pub livemode: bool,
    /// The merchant's own number.
    pub out_payout_no: String,
    /// Where it stands.
    pub status: PayoutStatus,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// What it costs, minor units.
    pub fee: i64,
    /// Who bears the fee.
    pub fee_bearer: Bearer,
    /// What the beneficiary gets, minor units.
    pub amount_sent: i64,
    /// To whom.
    pub beneficiary_id: BeneficiaryId,
    /// Shown to the beneficiary.
    pub memo: String,
    /// The settlement it pays.
    pub settlement_id: Option<String>,
    /// What an approval names, so that it approves this and nothing else.
    pub effect: String,
    /// Who drafted it.
    pub created_by: String,
    /// Who reviewed it.
    pub reviewed_by: Option<String>,
    /// Who approved it.
    pub approvals: Vec<Approval>,
    /// How many approvals it needs.
    pub approvals_wanted: u32,
    /// The batch file it went out with.
    pub batch_id: Option<BatchId>,
    /// The channel's or bank's own id.
    pub channel_payout_id: Option<String>,
    /// Why it was declined.
    pub decline: Option<crate::channel::Decline>,
    /// What is not understood about the last answer.
    pub fault: Option<String>,
    /// The run of the reconciliation that found it on a statement.
    pub reconciled: Option<ReconciliationId>,
    /// The run that found its return.
    pub return_reconciled: Option<ReconciliationId>,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Payout {
    /// The payout as the API shows it.
    pub fn view(&self, livemode: bool) -> PayoutView {
        PayoutView {
            id: self.id,
            object: "payout",
            livemode,
            out_payout_no: self.number.clone(),
            status: self.status,
            amount: self.money.minor(),
            currency: self.money.currency(),
            fee: self.fee,
            fee_bearer: self.bearer,
            amount_sent: self.sent().minor(),
            beneficiary_id: self.beneficiary_id,
            memo: self.memo.clone(),
            settlement_id: self.settlement_id.clone(),
            effect: self.effect.clone(),
            created_by: self.created_by.clone(),
            reviewed_by: self.reviewed_by.clone(),
            approvals: self.approvals.clone(),
            approvals_wanted: self.approvals_wanted,
            batch_id: self.batch_id,
            channel_payout_id: self.channel_id.clone(),
            decline: self.decline.clone(),
            fault: self.fault.clone(),
            reconciled: self.reconciled,
            return_reconciled: self.return_reconciled,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// A batch as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "PayoutBatch")]
pub struct BatchView {
    /// Its id.
    pub id: BatchId,
    /// Always `payout_batch`.
    pub object: &'static str,
    /// The payouts, in the order of the file.
    pub payouts: Vec<PayoutId>,
    /// The sum of the file, minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// SHA-256 of the file in hex.
    pub sha256: String,
    /// The file, an ISO 20022 `pain.001.001.09` message; only where one batch is retrieved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Batch {
    /// The batch as the API shows it.
    pub fn view(&self, file: Option<String>) -> BatchView {
        BatchView {
            id: self.id,
            object: "payout_batch",
            payouts: self.payouts.clone(),
            amount: self.money.minor(),
            currency: self.money.currency(),
            sha256: self.sha256.clone(),
            file,
            created_at: self.created_at,
        }
    }
}
