//! Runs, breaks, adjustments and bank statements as the API shows them.

use schemars::JsonSchema;
use serde::Serialize;

use super::adjustment::{Adjustment, Effect};
use super::explain::{Words, advice, explain};
use super::pool::{Break, Facts, Resolution, Suspended};
use super::rules::{Age, Remedy, remedy};
use super::run::{Progress, Reconciliation, Scope, StatementFile, Summary};
use super::statement::{BankEntry, BankStatement};
use super::{BreakStatus, Class, RunStatus};
use crate::currency::Currency;
use crate::id::{AdjustmentId, BankStatementId, BreakId, ChannelAccountId, ReconciliationId};
use crate::proposal::ProposalStatus;
use crate::time::Timestamp;

/// A run as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Reconciliation")]
pub struct ReconciliationView {
    /// Its id.
    pub id: ReconciliationId,
    /// Always `reconciliation`.
    pub object: &'static str,
    /// What is compared with what.
    pub scope: Scope,
    /// The channel account; null for a bank and for our own books.
    pub account_id: Option<ChannelAccountId>,
    /// Id of the channel; `bank` for a bank, empty for our own books.
    pub channel: String,
    /// The day by the channel's calendar.
    pub day: String,
    /// Where it stands.
    pub status: RunStatus,
    /// Why the last file was refused, or why there is none yet.
    pub fault: Option<String>,
    /// The files, oldest first; the last one counts.
    pub files: Vec<StatementFile>,
    /// How far it has come.
    pub progress: Progress,
    /// What it found.
    pub summary: Summary,
    /// Whether the following day is compared by itself once it is over.
    pub daily: bool,
    /// When it was first asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Reconciliation {
    /// The run as the API shows it.
    pub fn view(&self) -> ReconciliationView {
        ReconciliationView {
            id: self.id,
            object: "reconciliation",
            scope: self.scope,
            account_id: self.account_id,
            channel: self.channel.clone(),
            day: self.day.clone(),
            status: self.status,
            fault: self.fault.clone(),
            files: self.files.clone(),
            progress: self.progress,
            summary: self.summary.clone(),
            daily: self.daily,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// A break as the API shows it: everything that is needed to understand it, on one screen.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Break")]
pub struct BreakView {
    /// Its id.
    pub id: BreakId,
    /// Always `break`.
    pub object: &'static str,
    /// The run that found it.
    pub reconciliation_id: ReconciliationId,
    /// What was compared.
    pub scope: Scope,
    /// The channel account; null for a bank and for our own books.
    pub account_id: Option<ChannelAccountId>,
    /// Id of the channel; `bank` for payouts by bank, empty for our own books.
    pub channel: String,
    /// Where it stands.
    pub status: BreakStatus,
    /// The gravest difference.
    pub class: Class,
    /// Its name in both languages.
    pub class_name: Words,
    /// All differences, gravest first.
    pub differences: Vec<Class>,
    /// What differs, in words.
    pub explanation: Words,
    /// What to do about it.
    pub proposal: Remedy,
    /// The same in words.
    pub advice: Words,
    /// Our side.
    pub ours: Option<Facts>,
    /// The channel's side.
    pub theirs: Option<Facts>,
    /// What the missing side may be; only a person can say.
    pub candidate: Option<Facts>,
    /// What stands on a suspense account because of it.
    pub suspended: Option<Suspended>,
    /// Whole days since it was found.
    pub age_days: u64,
    /// In which group of ages that is.
    pub age: Age,
    /// How often it was looked at again.
    pub looks: u32,
    /// How it was explained.
    pub resolution: Option<Resolution>,
    /// When it was found.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Break {
    /// The break as the API shows it at this instant.
    pub fn view(&self, now: Timestamp) -> BreakView {
        let (age_days, age) = Age::of(self.created_at, now);
        BreakView {
            id: self.id,
            object: "break",
            reconciliation_id: self.reconciliation_id,
            scope: self.scope,
            account_id: self.account_id,
            channel: self.channel.clone(),
            status: self.status,
            class: self.class,
            class_name: Words { en: self.class.name().into(), zh: self.class.name_zh().into() },
            differences: self.differences.classes().collect(),
            explanation: explain(self),
            proposal: remedy(self),
            advice: advice(self),
            ours: self.ours.clone(),
            theirs: self.theirs.clone(),
            candidate: self.candidate.clone(),
            suspended: self.suspended,
            age_days,
            age,
            looks: self.looks,
            resolution: self.resolution.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// An adjustment as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Adjustment")]
pub struct AdjustmentView {
    /// Its id.
    pub id: AdjustmentId,
    /// Always `adjustment`.
    pub object: &'static str,
    /// The break.
    pub break_id: BreakId,
    /// Where it stands.
    pub status: ProposalStatus,
    /// What is booked.
    pub effect: Effect,
    /// Whether it clears a surplus (长款) rather than a shortage (短款).
    pub is_long: bool,
    /// Minor units, positive.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// Why.
    pub reason: String,
    /// Hex SHA-256 over the break, the effect and the amount: what is approved and what is executed.
    pub effect_hash: String,
    /// The key that proposed it.
    pub maker: String,
    /// The key that decided.
    pub checker: Option<String>,
    /// What was said on deciding.
    pub decision: Option<String>,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When it can no longer be approved.
    pub expires_at: Timestamp,
}

impl Adjustment {
    /// The adjustment as the API shows it.
    pub fn view(&self) -> AdjustmentView {
        let proposal = self.proposal.clone();
        AdjustmentView {
            id: self.id,
            object: "adjustment",
            break_id: self.break_id,
            status: proposal.status,
            effect: self.effect,
            is_long: self.is_long,
            amount: self.money.minor(),
            currency: self.money.currency(),
            reason: proposal.reason,
            effect_hash: proposal.effect_hash,
            maker: proposal.maker,
            checker: proposal.checker,
            decision: proposal.decision,
            created_at: proposal.created_at,
            decided_at: proposal.decided_at,
            expires_at: proposal.expires_at,
        }
    }
}

/// A bank statement as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "BankStatement")]
pub struct BankStatementView {
    /// Its id.
    pub id: BankStatementId,
    /// Always `bank_statement`.
    pub object: &'static str,
    /// The channel account whose money arrives there.
    pub account_id: ChannelAccountId,
    /// Hex SHA-256 of the file.
    pub sha256: String,
    /// Credits that come from the channel, with what each was explained by.
    pub entries: Vec<BankEntry>,
    /// Entries that are none of the channel's.
    pub others: u64,
    /// When it was taken in.
    pub created_at: Timestamp,
}

impl BankStatement {
    /// The statement as the API shows it.
    pub fn view(&self) -> BankStatementView {
        BankStatementView {
            id: self.id,
            object: "bank_statement",
            account_id: self.account_id,
            sha256: self.sha256.clone(),
            entries: self.entries.clone(),
            others: self.others,
            created_at: self.created_at,
        }
    }
}
