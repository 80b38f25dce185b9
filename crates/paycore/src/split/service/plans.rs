//! Operations on plans.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::channel::Method;
use crate::currency::Currency;
use crate::document::{DocumentFilter, Shown};
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::{MerchantId, ReceiverId, SplitPlanId};
use crate::money::Money;
use crate::order::input::{AMOUNT_MAX, amount, optional, text};
use crate::page::{List, ListInput};
use crate::split::rules::{Sale, divide};
use crate::split::{Receiver, SplitPlan, Terms};
use crate::store::Changes;

/// A new plan.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePlan {
    /// What people call it.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// The terms.
    pub terms: Terms,
}

/// Makes a plan by which orders can be shared.
pub async fn create_plan(engine: &Engine, caller: &Caller, input: CreatePlan) -> Result<Shown<SplitPlan>> {
    text("name", &input.name, 1, 100)?;
    input.terms.check("terms")?;
    check(engine, caller.tenant(), &input.terms).await?;
    let moment = engine.moment(&caller.merchant);
    let plan = SplitPlan {
        id: SplitPlanId::new(moment.now, &*engine.rng),
        version: 0,
        name: input.name,
        revision: 1,
        terms: input.terms,
        enabled: true,
        created_at: moment.now,
        updated_at: moment.now,
    };
    engine.save(caller, "split_plans.create", plan, Changes::default()).await
}

async fn check(engine: &Engine, tenant: MerchantId, terms: &Terms) -> Result<()> {
    for (index, part) in terms.parts.iter().enumerate() {
        let param = format!("terms.parts[{index}].receiver_id");
        let found = engine.document::<Receiver>(tenant, part.receiver_id).await;
        let receiver = found.map_err(|error| error.param(param.clone()))?;
        if !receiver.enabled {
            return Err(Error::invalid(param, "This receiver is switched off."));
        }
    }
    Ok(())
}

/// A plan named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanById {
    /// The plan.
    pub id: SplitPlanId,
}

/// One plan.
pub async fn retrieve_plan(engine: &Engine, caller: &Caller, input: PlanById) -> Result<Shown<SplitPlan>> {
    engine.document(caller.tenant(), input.id).await.map(Shown::of)
}

/// Which plans to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPlans {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this plan.
    #[serde(default)]
    pub starting_after: Option<SplitPlanId>,
    /// Only rows listed before this plan.
    #[serde(default)]
    pub ending_before: Option<SplitPlanId>,
}

/// Plans, newest first.
pub async fn list_plans(
    engine: &Engine,
    caller: &Caller,
    input: ListPlans,
) -> Result<List<Shown<SplitPlan>>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let rows = engine.documents(caller.tenant(), &DocumentFilter::default(), &page.fetch()).await?;
    Ok(Shown::list(&page, rows))
}

/// What to change of a plan. What is absent stays.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePlan {
    /// The plan.
    pub id: SplitPlanId,
    /// What people call it.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    /// New terms: the plan's next edition. Orders that were made keep theirs.
    #[serde(default)]
    pub terms: Option<Terms>,
    /// Whether new orders may use it.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// Changes a plan for the orders to come.
pub async fn update_plan(engine: &Engine, caller: &Caller, input: UpdatePlan) -> Result<Shown<SplitPlan>> {
    optional("name", input.name.as_deref(), 100)?;
    input.terms.as_ref().map_or(Ok(()), |terms| terms.check("terms"))?;
    let mut plan: SplitPlan = engine.document(caller.tenant(), input.id).await?;
    plan.name = input.name.unwrap_or(plan.name);
    if let Some(terms) = input.terms {
        check(engine, caller.tenant(), &terms).await?;
        plan.revision += 1;
        plan.terms = terms;
    }
    plan.enabled = input.enabled.unwrap_or(plan.enabled);
    plan.updated_at = engine.moment(&caller.merchant).now;
    engine.save(caller, "split_plans.update", plan, Changes::default()).await
}

/// A payment to divide for show.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// The plan.
    pub id: SplitPlanId,
    /// What would be captured, minor units.
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// What the merchant would pay for it, minor units; 0 where absent.
    #[serde(default)]
    #[schemars(range(min = 0, max = 99_999_999_999_999_i64))]
    pub fee: i64,
    /// The method it would be paid by.
    pub method: Method,
}

/// How a payment would be divided. The shares and what the merchant keeps sum to the net amount.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "SplitPreview")]
pub struct PreviewView {
    /// Always `split_preview`.
    pub object: &'static str,
    /// The edition of the plan.
    pub plan_revision: u32,
    /// ISO 4217.
    pub currency: Currency,
    /// Who would get how much, by id.
    pub shares: Vec<PreviewShare>,
    /// What the merchant would keep, minor units; negative where the fee is more than the payment.
    pub merchant_amount: i64,
}

/// One receiver's share.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PreviewShare {
    /// Who.
    pub receiver_id: ReceiverId,
    /// Minor units.
    pub amount: i64,
}

/// Divides a payment for show; nothing is kept.
pub async fn preview(engine: &Engine, caller: &Caller, input: Preview) -> Result<PreviewView> {
    let gross = amount("amount", input.amount, input.currency)?;
    if !(0..=AMOUNT_MAX).contains(&input.fee) {
        let detail = format!("Must be 0 to {AMOUNT_MAX} minor units.");
        return Err(Error::new(Code::InvalidAmount, detail).param("fee"));
    }
    let plan: SplitPlan = engine.document(caller.tenant(), input.id).await?;
    let sale = Sale { gross, fee: Money::new(input.fee, input.currency), method: input.method.as_str() };
    let division = divide(&plan.terms, sale).map_err(Error::internal)?;
    let share = |(receiver_id, money): &(ReceiverId, Money)| PreviewShare {
        receiver_id: *receiver_id,
        amount: money.minor(),
    };
    Ok(PreviewView {
        object: "split_preview",
        plan_revision: plan.revision,
        currency: input.currency,
        shares: division.shares.iter().map(share).collect(),
        merchant_amount: division.merchant.minor(),
    })
}
