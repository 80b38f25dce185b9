//! Plans, settlements and reserves as the API shows them.

use schemars::JsonSchema;
use serde::Serialize;

use super::terms::{Payer, ReserveKind, Terms};
use super::{
    Carried, Conversion, LineKind, Period, Plan, Reserve, Settlement, SettlementStatus, Statement, Trigger,
    WaitsFor,
};
use crate::calendar::Date;
use crate::currency::Currency;
use crate::fx::Exchange;
use crate::id::{CorrectionId, FxQuoteId, MerchantId, PayoutId, ReserveId, SettlementId, SettlementPlanId};
use crate::time::Timestamp;

/// A settlement plan.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "SettlementPlan")]
pub struct PlanView {
    /// Its id.
    pub id: SettlementPlanId,
    /// Always `settlement_plan`.
    pub object: &'static str,
    /// The currency.
    pub currency: Currency,
    /// Whether it runs by itself.
    pub active: bool,
    /// What was agreed.
    pub terms: Terms,
    /// The closing balance of the last statement, minor units; negative where the merchant owes.
    pub carried: i64,
    /// The day from which on the closing balance has been negative without a break; payouts in the currency are paused
    /// while it is.
    pub negative_since: Option<Date>,
    /// How many days of that the merchant was told of last: 0, 7, 14 or 30.
    pub overdue_days: u32,
    /// What is held in reserve now.
    pub reserved: Vec<ReservedView>,
    /// The settlement that is being made.
    pub running: Option<SettlementId>,
    /// The settlement that was closed last.
    pub last_settlement: Option<SettlementId>,
    /// The next scheduled run; null where the plan is manual or paused.
    pub next_run: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// What is held in reserve, of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ReservedView {
    /// The kind.
    pub kind: ReserveKind,
    /// Minor units.
    pub amount: i64,
}

/// A settlement.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Settlement")]
pub struct SettlementView {
    /// Its id; null in a preview.
    pub id: Option<SettlementId>,
    /// Always `settlement`.
    pub object: &'static str,
    /// Its plan.
    pub plan_id: SettlementPlanId,
    /// Unique for the merchant: currency and last day of the period, such as `CNY:2026-11-30`.
    pub number: String,
    /// The currency.
    pub currency: Currency,
    /// Where it stands; null in a preview.
    pub status: Option<SettlementStatus>,
    /// What made it.
    pub trigger: Trigger,
    /// What it covers.
    pub period: Period,
    /// How far it has come.
    pub progress: Progress,
    /// The statement in `currency`, from the close on.
    pub statement: Option<StatementView>,
    /// Into what the payout is converted, and how far that is; null where it is paid in `currency`.
    pub conversion: Option<ConversionView>,
    /// What is to be paid out, minor units of `payout_currency`; 0 while it is not closed or not converted.
    pub payout: i64,
    /// The currency that is paid out.
    pub payout_currency: Currency,
    /// Why nothing, or not all, is paid out.
    pub carried_for: Option<Carried>,
    /// Who bears the fee of the transfer.
    pub transfer_fee_payer: Payer,
    /// What the transfer's purpose says.
    pub memo: String,
    /// The payout that takes it up; null while there is none, or after one that ended without it.
    pub payout_id: Option<PayoutId>,
    /// The corrections that were executed, in order; each is an entry of a later statement.
    pub corrections: Vec<CorrectionId>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// What a settlement is converted into before it is paid.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "SettlementConversion")]
pub struct ConversionView {
    /// What it is converted into.
    pub currency: Currency,
    /// What it waits for; null once it is converted. It is tried again by itself, about every minute.
    pub waits_for: Option<WaitsFor>,
    /// The quote that it was converted by; null while it waits, and in a preview.
    pub quote_id: Option<FxQuoteId>,
    /// What it came to, with the rate to twelve places; in a preview what it would come to now. Null while it waits.
    pub exchange: Option<Exchange>,
    /// The statement in the currency of the payout: it begins and ends with zero. Null while it waits.
    pub statement: Option<StatementView>,
    /// When it was converted; null while it waits, and in a preview.
    pub converted_at: Option<Timestamp>,
}

/// How many of the items have been taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Progress {
    /// Items taken.
    pub done: u64,
    /// Items there were when it was begun; never below `done`.
    pub total: u64,
}

/// What became of a balance: `opening` and all lines make `closing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Statement")]
pub struct StatementView {
    /// Carried from the previous statement, minor units; negative where the merchant owed.
    pub opening: i64,
    /// The lines that are not empty, in the order of the page.
    pub lines: Vec<LineView>,
    /// Carried into the next statement, minor units.
    pub closing: i64,
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "StatementLine")]
pub struct LineView {
    /// What it sums up.
    pub line: LineKind,
    /// How many movements it sums up.
    pub count: u64,
    /// Minor units; positive to the merchant, negative from the merchant.
    pub amount: i64,
}

/// Money held back.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Reserve")]
pub struct ReserveView {
    /// Its id.
    pub id: ReserveId,
    /// Always `reserve`.
    pub object: &'static str,
    /// The plan it belongs to.
    pub plan_id: SettlementPlanId,
    /// The rule that held it.
    pub kind: ReserveKind,
    /// The settlement it was held from.
    pub settlement_id: SettlementId,
    /// How much was held, minor units.
    pub amount: i64,
    /// How much is still held, minor units.
    pub left: i64,
    /// The currency.
    pub currency: Currency,
    /// When it is released; null where it is not a matter of time.
    pub release_at: Option<Timestamp>,
    /// What it was released into.
    pub released: Vec<ReleaseView>,
    /// When it was held.
    pub created_at: Timestamp,
}

/// A release from reserve.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ReleaseView {
    /// The settlement that got it.
    pub settlement_id: SettlementId,
    /// Minor units.
    pub amount: i64,
}

/// A settlement that is being made, or was.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "SettlementRun")]
pub struct RunView {
    /// The settlement it makes.
    pub settlement_id: SettlementId,
    /// Always `settlement_run`.
    pub object: &'static str,
    /// The settlement's number.
    pub number: String,
    /// Whether it has come to its end.
    pub finished: bool,
    /// Items taken.
    pub done: u64,
    /// Items there were when it was begun; never below `done`.
    pub total: u64,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
}

impl Plan {
    /// The plan as the API shows it.
    pub fn view(&self) -> PlanView {
        let reserved =
            self.reserved.iter().map(|(kind, amount)| ReservedView { kind: *kind, amount: *amount });
        PlanView {
            id: self.id,
            object: "settlement_plan",
            currency: self.currency,
            active: self.active,
            terms: self.terms.clone(),
            carried: self.carried,
            negative_since: self.negative_since,
            overdue_days: self.overdue_days,
            reserved: reserved.collect(),
            running: self.open,
            last_settlement: self.last,
            next_run: self.next_run,
            created_at: self.created_at,
        }
    }
}

impl Settlement {
    /// The settlement as the API shows it.
    pub fn view(&self, merchant: MerchantId) -> SettlementView {
        SettlementView {
            id: Some(self.id),
            object: "settlement",
            plan_id: self.plan_id,
            number: self.number.clone(),
            currency: self.currency,
            status: Some(self.status),
            trigger: self.trigger,
            period: self.period,
            progress: self.progress(),
            statement: self.statement.as_ref().map(Statement::view),
            conversion: self.conversion.as_ref().map(Conversion::view),
            payout: self.payout().minor(),
            payout_currency: self.payout().currency(),
            carried_for: self.carried_for,
            transfer_fee_payer: self.transfer_fee_payer,
            memo: self.memo(merchant),
            payout_id: self.payout_id,
            corrections: self.corrections.clone(),
            created_at: self.created_at,
            closed_at: self.closed_at,
        }
    }

    /// The same before it exists.
    pub fn preview(&self, merchant: MerchantId) -> SettlementView {
        let view = self.view(merchant);
        let unsaid = |view| ConversionView { quote_id: None, converted_at: None, ..view };
        SettlementView { id: None, status: None, conversion: view.conversion.map(unsaid), ..view }
    }

    /// How the making of it stands.
    pub fn run(&self) -> RunView {
        let Progress { done, total } = self.progress();
        RunView {
            settlement_id: self.id,
            object: "settlement_run",
            number: self.number.clone(),
            finished: self.status != SettlementStatus::Collecting,
            done,
            total,
            started_at: self.created_at,
            finished_at: self.closed_at,
        }
    }

    fn progress(&self) -> Progress {
        Progress { done: self.collected.items, total: self.items_expected.max(self.collected.items) }
    }
}

impl Conversion {
    /// The conversion as the API shows it.
    pub fn view(&self) -> ConversionView {
        ConversionView {
            currency: self.into,
            waits_for: self.waits_for,
            quote_id: self.done.map(|done| done.quote_id),
            exchange: self.done.map(|done| done.exchange),
            statement: self.done.map(|done| done.statement().view()),
            converted_at: self.done.map(|done| done.at),
        }
    }
}

impl Statement {
    /// The statement as the API shows it.
    pub fn view(&self) -> StatementView {
        let lines = self.lines.iter();
        let lines =
            lines.map(|(kind, line)| LineView { line: *kind, count: line.count, amount: line.amount });
        StatementView { opening: self.opening, lines: lines.collect(), closing: self.closing }
    }
}

impl Reserve {
    /// The reserve as the API shows it.
    pub fn view(&self) -> ReserveView {
        let released = self.released.iter();
        let released = released.map(|(id, amount)| ReleaseView { settlement_id: *id, amount: *amount });
        ReserveView {
            id: self.id,
            object: "reserve",
            plan_id: self.plan_id,
            kind: self.kind,
            settlement_id: self.settlement_id,
            amount: self.money.minor(),
            left: self.left,
            currency: self.money.currency(),
            release_at: self.release_at,
            released: released.collect(),
            created_at: self.created_at,
        }
    }
}
