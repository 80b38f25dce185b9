//! Operations on settlement plans.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::currency::Currency;
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::{MerchantId, SettlementPlanId};
use crate::merchant::Merchant;
use crate::order::input::Moment;
use crate::page::{List, ListInput};
use crate::settlement::view::PlanView;
use crate::settlement::{Plan, Terms};
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// What `settlement_plans.create` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePlan {
    /// Whose money it settles; a live merchant or a sandbox.
    pub merchant_id: MerchantId,
    /// ISO 4217 code of the currency it settles, such as `CNY`. A merchant has one plan per currency.
    pub currency: Currency,
    /// What was agreed.
    pub terms: Terms,
}

/// Creates the settlement plan of a currency. Payments that are cleared from now on are available by it.
pub async fn create(engine: &Engine, caller: &Caller, input: CreatePlan) -> Result<PlanView> {
    input.terms.check(input.currency)?;
    let (merchant, moment) = merchant(engine, input.merchant_id).await?;
    let id = SettlementPlanId::new(moment.now, &*engine.rng);
    let mut plan = Plan::new(id, input.currency, input.terms, moment.now);
    write(engine, caller, &merchant, &mut plan, "settlement_plans.create", moment).await
}

/// What `settlement_plans.update` takes. Absent parameters stay as they are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePlan {
    /// The plan.
    pub id: SettlementPlanId,
    /// Whose it is.
    pub merchant_id: MerchantId,
    /// The new terms, whole. They hold for what is cleared from now on; the next run comes as they say.
    #[serde(default)]
    pub terms: Option<Terms>,
    /// Whether it runs by itself.
    #[serde(default)]
    pub active: Option<bool>,
}

/// Changes a settlement plan.
pub async fn update(engine: &Engine, caller: &Caller, input: UpdatePlan) -> Result<PlanView> {
    let (merchant, moment) = merchant(engine, input.merchant_id).await?;
    let mut plan: Plan = engine.document(merchant.id, input.id).await?;
    if let Some(terms) = input.terms {
        terms.check(plan.currency)?;
        // A cut-off that has passed without its run is not forgotten: the run comes at once, under the new terms.
        let late = plan.next_run.filter(|next| *next <= moment.now);
        plan.next_run = late.or_else(|| terms.next_run(moment.now));
        plan.terms = terms;
    }
    plan.active = input.active.unwrap_or(plan.active);
    write(engine, caller, &merchant, &mut plan, "settlement_plans.update", moment).await
}

/// The merchant an operator's operation is about, and the instant there.
pub(super) async fn merchant(engine: &Engine, id: MerchantId) -> Result<(Arc<Merchant>, Moment)> {
    let merchant = engine.merchant(id).await.map_err(|error| match error.code {
        Code::NotFound => error.param("merchant_id"),
        _ => error,
    })?;
    let moment = engine.moment(&merchant);
    Ok((merchant, moment))
}

/// The key of the call is the operator's and not this merchant's, so that it is not taken here: a merchant has one plan
/// per currency and the plan has its version, which makes a repeated call harmless.
async fn write(
    engine: &Engine,
    caller: &Caller,
    merchant: &Merchant,
    plan: &mut Plan,
    action: &str,
    moment: Moment,
) -> Result<PlanView> {
    plan.schedule(moment);
    let mut changes = Changes::default();
    let terms = serde_json::to_string(&plan.terms).expect("terms have text keys");
    let detail = format!("active {}, {terms}", plan.active);
    changes.audit.push(engine.audit(&caller.actor, action, Some(plan.id.to_string()), detail, moment));
    changes.put(Put::document(&*plan));
    engine.commit(merchant.id, changes).await?;
    engine.forget(merchant.id);
    Ok(plan.view())
}

/// Which settlement plans to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPlans {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this plan.
    #[serde(default)]
    pub starting_after: Option<SettlementPlanId>,
    /// Only rows listed before this plan.
    #[serde(default)]
    pub ending_before: Option<SettlementPlanId>,
}

/// Settlement plans, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListPlans) -> Result<List<PlanView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let rows: Vec<Plan> =
        engine.documents(caller.tenant(), &DocumentFilter::default(), &page.fetch()).await?;
    Ok(page.list(rows.iter().map(Plan::view).collect(), |view: &PlanView| view.id.to_string()))
}

/// A settlement plan named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanById {
    /// The plan.
    pub id: SettlementPlanId,
}

/// One settlement plan.
pub async fn plan(engine: &Engine, caller: &Caller, input: PlanById) -> Result<PlanView> {
    let plan: Plan = engine.document(caller.tenant(), input.id).await?;
    Ok(plan.view())
}

impl Plan {
    /// Puts the plan into the workers' queue for its next run or its next notice of a debt, or takes it out.
    pub(super) fn schedule(&mut self, moment: Moment) {
        let run = self.next_run.filter(|_| self.active);
        let next = [run, self.next_notice()].into_iter().flatten().min();
        self.due_at = match (self.open, next) {
            // What was begun is finished, whatever became of the plan.
            (Some(_), _) => moment.wall,
            (None, Some(next)) => moment.due(next),
            (None, None) => Timestamp::ZERO,
        };
    }
}

impl From<crate::settlement::Untied> for Error {
    fn from(untied: crate::settlement::Untied) -> Self {
        Error::internal(untied)
    }
}
