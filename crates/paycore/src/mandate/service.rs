//! Operations on mandates, and what is asked and told about them later.

use schemars::JsonSchema;
use serde::Deserialize;

pub use super::CreateMandate;
use super::rules::Consequences;
use super::{Mandate, MandateStatus, MandateView};
use crate::channel::{Fault, Outcome, Report, Step, Verb};
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine, OpenAccount, RETRIES_MAX, decided_afresh};
use crate::error::{Code, Error, Result};
use crate::exception::ExceptionKind;
use crate::id::{Id as _, MandateId, MerchantId};
use crate::merchant::Merchant;
use crate::money::Money;
use crate::order::input::{Moment, number_of, optional};
use crate::order::rules::LOOKS_BEFORE_EXCEPTION;
use crate::page::{List, ListInput};
use crate::store::{Changes, CommitError, Put};
use crate::time::Timestamp;

/// How long an answer of the channel may take before the sweep asks.
const ANSWER: std::time::Duration = std::time::Duration::from_secs(40);

/// Begins a mandate. It is durable before the channel hears of it.
pub async fn create(engine: &Engine, caller: &Caller, input: CreateMandate) -> Result<MandateView> {
    let limit = input.check()?;
    let (merchant, payer) = (&caller.merchant, input.payer.clone());
    if !merchant.active {
        return Err(Error::new(Code::Forbidden, "This merchant may not take payments."));
    }
    let open = route(engine, caller, &input).await?;
    let moment = engine.moment(merchant);
    let mut mandate = begun(engine, input, limit, &open, moment)?;
    let operation = mandate.sign(payer);
    // What the channel cannot say is refused before anything is written.
    let step = engine.encode(&open, &operation, moment.now)?;
    let mut changes = Changes::default();
    let object = Some(mandate.id.to_string());
    changes.audit.push(engine.audit(&caller.actor, "mandates.create", object, String::new(), moment));
    if let Step::Done(outcome) = step {
        let then = mandate.hear(Verb::SignMandate, &Ok(outcome), moment);
        apply(engine, merchant, &mut mandate, then, &mut changes).await?;
        let view = mandate.view(merchant.livemode);
        changes.claim = caller.once(mandate.id, &view, moment);
        engine.commit(caller.tenant(), changes).await?;
        return Ok(view);
    }
    changes.claim = caller.open(mandate.id, moment);
    changes.put(Put::document(&mandate));
    engine.commit(caller.tenant(), changes).await?;
    mandate.version += 1;
    let news = engine.exchange(&open, &operation, step, moment.now).await;
    let mandate = settle(engine, merchant, Some(caller), mandate, Verb::SignMandate, &news).await?;
    Ok(mandate.view(merchant.livemode))
}

/// The first account by priority whose channel lets mandates for this method be signed.
async fn route(engine: &Engine, caller: &Caller, input: &CreateMandate) -> Result<OpenAccount> {
    let accounts = engine.accounts(caller.tenant()).await?;
    let fits = |open: &&OpenAccount| {
        let profile = open.channel.as_ref().map(|channel| channel.profile());
        let row = profile.and_then(|profile| profile.capability(&input.method, input.currency));
        open.account.enabled && row.is_some_and(|row| row.verbs.contains(&Verb::SignMandate))
    };
    accounts.iter().find(fits).cloned().ok_or_else(|| {
        let detail = format!(
            "No enabled channel account takes mandates for `{}` in {}. See GET /v1/channel_accounts.",
            input.method, input.currency
        );
        Error::new(Code::NoChannel, detail).param("method")
    })
}

fn begun(
    engine: &Engine,
    input: CreateMandate,
    limit: Money,
    open: &OpenAccount,
    moment: Moment,
) -> Result<Mandate> {
    let expires_at = moment.now.plus(input.lifetime()?);
    let id = MandateId::new(moment.now, &*engine.rng);
    Ok(Mandate {
        id,
        version: 0,
        reference: id.bare(),
        status: MandateStatus::Pending,
        method: input.method,
        scene: input.scene,
        channel: open.account.channel.clone(),
        account_id: open.account.id,
        limit,
        description: input.description,
        customer: input.customer,
        return_url: input.return_url,
        metadata: input.metadata,
        next_action: None,
        channel_id: None,
        reason: None,
        decline: None,
        fault: None,
        queries: 0,
        expires_at,
        created_at: moment.now,
        updated_at: moment.now,
        signed_at: None,
        ended_at: None,
        sequence: 0,
        due_at: moment.due_in(ANSWER),
    })
}

/// Which mandates to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListMandates {
    /// Only those of this customer, by your own reference.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    pub customer: Option<String>,
    /// Only in this state.
    #[serde(default)]
    pub status: Option<MandateStatus>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this mandate.
    #[serde(default)]
    pub starting_after: Option<MandateId>,
    /// Only rows listed before this mandate.
    #[serde(default)]
    pub ending_before: Option<MandateId>,
}

/// Mandates, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListMandates) -> Result<List<MandateView>> {
    if let Some(customer) = &input.customer {
        number_of("customer", customer)?;
    }
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let status = input.status.map(|status| status.text().to_owned());
    let filter = DocumentFilter { parent: input.customer, status, until: None };
    let rows: Vec<Mandate> = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    let views = rows.iter().map(|mandate| mandate.view(caller.merchant.livemode)).collect();
    Ok(page.list(views, |view: &MandateView| view.id.to_string()))
}

/// A mandate named by its id alone.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MandateById {
    /// The mandate.
    pub id: MandateId,
}

/// One mandate.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: MandateById) -> Result<MandateView> {
    let mandate: Mandate = engine.document(caller.tenant(), input.id).await?;
    Ok(mandate.view(caller.merchant.livemode))
}

/// What `mandates.revoke` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeMandate {
    /// The mandate.
    pub id: MandateId,
    /// Why, for the channel's record, at most 100 characters.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub reason: Option<String>,
}

/// Ends a mandate. From here on nobody is charged by it; until the channel has confirmed that it has ended, it is
/// `revoking`. Doing it again changes nothing.
pub async fn revoke(engine: &Engine, caller: &Caller, input: RevokeMandate) -> Result<MandateView> {
    optional("reason", input.reason.as_deref(), 100)?;
    decided_afresh(|| revoke_once(engine, caller, &input)).await
}

async fn revoke_once(engine: &Engine, caller: &Caller, input: &RevokeMandate) -> Result<MandateView> {
    let mut mandate: Mandate = engine.document(caller.tenant(), input.id).await?;
    let (merchant, moment) = (&caller.merchant, engine.moment(&caller.merchant));
    let mut changes = Changes::default();
    let object = Some(mandate.id.to_string());
    changes.audit.push(engine.audit(&caller.actor, "mandates.revoke", object, String::new(), moment));
    if !mandate.revoke(input.reason.clone(), moment) {
        let view = mandate.view(merchant.livemode);
        changes.claim = caller.once(mandate.id, &view, moment);
        engine.commit(caller.tenant(), changes).await?;
        return Ok(view);
    }
    let open = engine.account(caller.tenant(), mandate.account_id).await?;
    let operation = mandate.revocation();
    let step = engine.encode(&open, &operation, moment.now)?;
    mandate.due_at = moment.due_in(ANSWER);
    changes.claim = caller.open(mandate.id, moment);
    changes.put(Put::document(&mandate));
    engine.commit(caller.tenant(), changes).await?;
    mandate.version += 1;
    let news = engine.exchange(&open, &operation, step, moment.now).await;
    let mandate = settle(engine, merchant, Some(caller), mandate, Verb::RevokeMandate, &news).await?;
    Ok(mandate.view(merchant.livemode))
}

/// Takes news in and commits, deciding again from the fresh row when it changed meanwhile. `answer` names the caller whose
/// idempotency key this answers.
async fn settle(
    engine: &Engine,
    merchant: &Merchant,
    answer: Option<&Caller>,
    mut read: Mandate,
    verb: Verb,
    news: &Result<Outcome, Fault>,
) -> Result<Mandate> {
    for _ in 0..RETRIES_MAX {
        let mut mandate = read.clone();
        let then = mandate.hear(verb, news, engine.moment(merchant));
        let mut changes = Changes::default();
        apply(engine, merchant, &mut mandate, then, &mut changes).await?;
        changes.claim = answer.and_then(|caller| caller.close(&mandate.view(merchant.livemode)));
        match engine.commit(merchant.id, changes).await {
            Ok(()) => {
                mandate.version += 1;
                return Ok(mandate);
            }
            Err(CommitError::Stale) => read = engine.document(merchant.id, read.id).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(CommitError::Stale.into())
}

/// Turns consequences into rows, the mandate's own among them.
async fn apply(
    engine: &Engine,
    merchant: &Merchant,
    mandate: &mut Mandate,
    then: Consequences,
    changes: &mut Changes,
) -> Result<()> {
    let moment = engine.moment(merchant);
    if let Some((kind, detail)) = then.exception {
        warn(engine, merchant, mandate.id, (kind, detail), changes).await?;
    }
    if let Some(kind) = then.event {
        mandate.sequence += 1;
        let subject = (mandate.id.to_string(), mandate.sequence);
        let view = mandate.view(merchant.livemode);
        changes.events.push(engine.object_event(kind, subject, &view, None, merchant, moment));
    }
    changes.put(Put::document(mandate));
    Ok(())
}

async fn warn(
    engine: &Engine,
    merchant: &Merchant,
    id: MandateId,
    (kind, detail): (ExceptionKind, String),
    changes: &mut Changes,
) -> Result<()> {
    let object = id.to_string();
    if engine.store.open_exception(merchant.id, kind, &object).await?.is_none() {
        engine.exception(changes, kind, object, detail, merchant, engine.moment(merchant));
    }
    Ok(())
}

/// Looks at a mandate whose time has come: asks what became of it, and sends again what did not arrive.
pub(crate) async fn due(engine: &Engine, tenant: MerchantId, id: MandateId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let mut mandate: Mandate = engine.document(tenant, id).await?;
    if mandate.status.is_final() {
        return park(engine, &merchant, mandate).await;
    }
    let open = engine.account(tenant, mandate.account_id).await?;
    mandate.queries += 1;
    if mandate.queries == LOOKS_BEFORE_EXCEPTION && mandate.fault.is_some() {
        let detail = format!("{id} is `{}` after {} looks", mandate.status.text(), mandate.queries);
        let mut changes = Changes::default();
        warn(engine, &merchant, id, (ExceptionKind::Unresolved, detail), &mut changes).await?;
        engine.commit(tenant, changes).await?;
    }
    let now = engine.moment(&merchant).now;
    let news = engine.ask(&open, &mandate.query(), now).await;
    let mandate = settle(engine, &merchant, None, mandate, Verb::QueryMandate, &news).await?;
    let Ok(outcome) = news else { return Ok(()) };
    let Some(again) = mandate.again(&outcome.verdict) else { return Ok(()) };
    let news = engine.ask(&open, &again, now).await;
    settle(engine, &merchant, None, mandate, again.verb(), &news).await.map(drop)
}

async fn park(engine: &Engine, merchant: &Merchant, mut mandate: Mandate) -> Result<()> {
    mandate.due_at = Timestamp::ZERO;
    let mut changes = Changes::default();
    changes.put(Put::document(&mandate));
    engine.commit_or_yield(merchant.id, changes).await
}

/// Takes in a verified report about a mandate; false where no mandate of this account has the reference, a fault where
/// it is not believed.
pub(crate) async fn report(
    engine: &Engine,
    merchant: &Merchant,
    open: &OpenAccount,
    report: Report,
) -> Result<Result<bool, Fault>> {
    // The reference of a mandate is its id without the prefix.
    let Ok(id) = format!("{}_{}", MandateId::PREFIX, report.reference).parse::<MandateId>() else {
        return Ok(Ok(false));
    };
    let found = engine.find_document::<Mandate>(merchant.id, id).await?;
    let Some(mandate) = found.filter(|mandate| mandate.account_id == open.account.id) else {
        return Ok(Ok(false));
    };
    let mut news = Ok(report.outcome);
    if open.confirms() {
        news = engine.ask(open, &mandate.query(), engine.moment(merchant).now).await;
        if let Err(fault) = news {
            return Ok(Err(fault));
        }
    }
    let before = mandate.clone();
    let mut dry = mandate.clone();
    let then = dry.hear(Verb::QueryMandate, &news, engine.moment(merchant));
    // What is said again is acknowledged and changes nothing.
    if dry.status != before.status || dry.channel_id != before.channel_id || then != Consequences::default() {
        settle(engine, merchant, None, mandate, Verb::QueryMandate, &news).await?;
    }
    Ok(match then.exception {
        Some((_, detail)) => Err(Fault::Unacceptable(detail)),
        None => Ok(true),
    })
}
