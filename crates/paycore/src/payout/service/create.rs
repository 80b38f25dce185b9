//! Drafting, listing and reading payouts.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::rules::{self, PayoutView, approvals_wanted};
use super::super::{Bearer, Beneficiary, Payout, PayoutStatus, Route};
use super::{settlement, tell};
use crate::currency::Currency;
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::{EventKind, Movement};
use crate::exception::ExceptionKind;
use crate::id::{BeneficiaryId, PayoutId, SettlementId};
use crate::money::Money;
use crate::order::input::{amount, number_of, optional};
use crate::page::{List, ListInput};
use crate::store::{Changes, Page};
use crate::time::Timestamp;

/// How long a draft waits for its approvals.
const APPROVAL: Duration = Duration::from_secs(7 * 24 * 3600);
/// A day.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What `payouts.create` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePayout {
    /// What to pay out, minor units of the currency.
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// To whom: an approved beneficiary.
    pub beneficiary_id: BeneficiaryId,
    /// Your own number, unique for you; the payout's id where absent.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    pub out_payout_no: Option<String>,
    /// What the payout costs, minor units; none where absent.
    #[serde(default)]
    #[schemars(range(min = 0, max = 99_999_999_999_999_i64))]
    pub fee: i64,
    /// Who bears the fee.
    #[serde(default)]
    pub fee_bearer: Bearer,
    /// Shown to the beneficiary, at most 140 characters.
    #[serde(default)]
    #[schemars(length(max = 140))]
    pub memo: Option<String>,
    /// The settlement it takes up, where it does: one that is `ready`, whole and without a `fee`, for the settlement has
    /// charged the transfer already. A settlement is taken up by one payout at a time.
    #[serde(default)]
    pub settlement_id: Option<SettlementId>,
}

/// Drafts a payout and sets its money aside.
pub async fn create(engine: &Engine, caller: &Caller, input: CreatePayout) -> Result<PayoutView> {
    let mut payout = draft(engine, caller, &input).await?;
    let (merchant, moment) = (&caller.merchant, engine.moment(&caller.merchant));
    let mut changes = Changes::default();
    watch(engine, caller, &payout, &mut changes).await?;
    let booking = payout.booking(Movement::PayoutReserve);
    settlement::follow(engine, &mut changes, &payout, EventKind::PayoutCreated, merchant, moment).await?;
    tell(engine, &mut changes, &mut payout, (EventKind::PayoutCreated, Some(booking)), merchant, moment);
    let view = payout.view(merchant.livemode);
    let id = payout.id.to_string();
    changes.claim = caller.once(&id, &view, moment);
    let detail = payout.money.to_string();
    changes.audit.push(engine.audit(&caller.actor, "payouts.create", Some(id), detail, moment));
    engine.commit(caller.tenant(), changes).await.map_err(|error| Error::from(error).param("amount"))?;
    Ok(view)
}

async fn draft(engine: &Engine, caller: &Caller, input: &CreatePayout) -> Result<Payout> {
    let money = amount("amount", input.amount, input.currency)?;
    optional("memo", input.memo.as_deref(), 140)?;
    if let Some(number) = &input.out_payout_no {
        number_of("out_payout_no", number)?;
    }
    let too_much = input.fee_bearer == Bearer::Beneficiary && input.fee >= input.amount;
    if input.fee < 0 || input.fee > crate::order::input::AMOUNT_MAX || too_much {
        return Err(Error::new(Code::InvalidAmount, "The fee must be smaller than the amount.").param("fee"));
    }
    let beneficiary: Beneficiary = engine
        .document(caller.tenant(), input.beneficiary_id)
        .await
        .map_err(|error| error.param("beneficiary_id"))?;
    if !beneficiary.is_payable() {
        let detail = "Somebody other than its author has to approve this beneficiary first.";
        return Err(Error::new(Code::StateNotAllowed, detail).param("beneficiary_id").object(beneficiary.id));
    }
    if let Some(id) = input.settlement_id {
        settlement::payable(engine, caller, id, input).await?;
    }
    settlement::not_paused(engine, caller.tenant(), money.currency()).await?;
    let channel = match beneficiary.route {
        Route::Channel { channel_account_id, .. } => {
            Some(engine.account(caller.tenant(), channel_account_id).await?.account.channel.clone())
        }
        Route::Bank { .. } => None,
    };
    let moment = engine.moment(&caller.merchant);
    let id = PayoutId::new(moment.now, &*engine.rng);
    let mut payout = Payout {
        id,
        version: 0,
        number: input.out_payout_no.clone().unwrap_or_else(|| id.to_string()),
        reference: id.bare(),
        status: PayoutStatus::Draft,
        money,
        fee: input.fee,
        bearer: input.fee_bearer,
        beneficiary_id: beneficiary.id,
        channel,
        memo: input.memo.clone().unwrap_or_default(),
        settlement_id: input.settlement_id.map(|id| id.to_string()),
        effect: String::new(),
        created_by: caller.actor.clone(),
        reviewed_by: None,
        approvals: Vec::new(),
        approvals_wanted: approvals_wanted(money),
        approve_by: moment.now.plus(APPROVAL),
        batch_id: None,
        channel_id: None,
        decline: None,
        fault: None,
        queries: 0,
        created_at: moment.now,
        updated_at: moment.now,
        sequence: 0,
        reconciled: None,
        return_reconciled: None,
        due_at: moment.due_in(APPROVAL),
    };
    payout.effect = payout.effect_of(&beneficiary);
    Ok(payout)
}

/// Large payouts, and many on one day, are shown to a person. They are not stopped by it: the approvals are what
/// stops them.
async fn watch(engine: &Engine, caller: &Caller, payout: &Payout, changes: &mut Changes) -> Result<()> {
    let moment = engine.moment(&caller.merchant);
    let currency = payout.money.currency();
    let since = moment.now.minus(DAY);
    let mut day = payout.money.minor();
    let mut page = Page { limit: 500, after: None, before: None };
    loop {
        let rows: Vec<Payout> = engine.documents(caller.tenant(), &DocumentFilter::default(), &page).await?;
        let recent = rows.iter().take_while(|row| row.created_at >= since);
        let counted = recent.clone().filter(|row| row.money.currency() == currency);
        let counted = counted.filter(|row| row.status != PayoutStatus::Cancelled);
        day = counted.fold(day, |sum, row| sum.saturating_add(row.money.minor()));
        match rows.last().filter(|last| rows.len() == page.limit && last.created_at >= since) {
            Some(last) => page.after = Some(last.id.to_string()),
            None => break,
        }
    }
    let single = payout.money.minor() >= rules::major(rules::LARGE, currency);
    if single || day >= rules::major(rules::LARGE_DAY, currency) {
        let detail = format!("{} to be paid out, {} within a day", payout.money, Money::new(day, currency));
        let id = payout.id.to_string();
        engine.exception(changes, ExceptionKind::LargePayout, id, detail, &caller.merchant, moment);
    }
    Ok(())
}

/// A payout named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutById {
    /// The payout.
    pub id: PayoutId,
}

/// One payout.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: PayoutById) -> Result<PayoutView> {
    let payout: Payout = engine.document(caller.tenant(), input.id).await?;
    Ok(payout.view(caller.merchant.livemode))
}

/// Which payouts to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPayouts {
    /// Only those that stand here.
    #[serde(default)]
    pub status: Option<PayoutStatus>,
    /// Only those of this settlement.
    #[serde(default)]
    pub settlement_id: Option<SettlementId>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this payout.
    #[serde(default)]
    pub starting_after: Option<PayoutId>,
    /// Only rows listed before this payout.
    #[serde(default)]
    pub ending_before: Option<PayoutId>,
}

/// Payouts, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListPayouts) -> Result<List<PayoutView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter = DocumentFilter {
        parent: input.settlement_id.map(|id| id.to_string()),
        status: input.status.map(|status| status.text().to_owned()),
        until: None::<Timestamp>,
    };
    let rows: Vec<Payout> = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    let views = rows.iter().map(|row| row.view(caller.merchant.livemode)).collect();
    Ok(page.list(views, |view| view.id.to_string()))
}
