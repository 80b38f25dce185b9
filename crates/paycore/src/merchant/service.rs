//! Operations on merchants and API keys.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::{self, KeyKind};
use super::{ApiKey, Merchant, MerchantView, Scope};
use crate::currency::Currency;
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::id::{ApiKeyId, MerchantId};
use crate::idempotency::Claim;
use crate::order::input::{Moment, text};
use crate::page::{List, ListInput};
use crate::secret::Secret;
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// How long a key may work on after it was rolled.
const OVERLAP_MAX: u64 = 7 * 24 * 3600;

/// An API key as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
pub struct ApiKeyView {
    /// Its id.
    pub id: ApiKeyId,
    /// Always `api_key`.
    pub object: &'static str,
    /// A name people recognise it by.
    pub name: String,
    /// The first and last characters.
    pub hint: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// After this it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The key itself: only in the answer that creates it, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A new merchant with its first keys, shown once.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NewMerchant {
    /// The live merchant.
    pub live: MerchantView,
    /// Its sandbox.
    pub sandbox: MerchantView,
    /// A secret key for live payments.
    pub live_key: ApiKeyView,
    /// A secret key for the sandbox.
    pub test_key: ApiKeyView,
}

/// What `merchants.create` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateMerchant {
    /// The shop's name, 1 to 100 characters.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
}

/// Creates a merchant with its sandbox. The two share nothing but their names.
pub async fn create(engine: &Engine, caller: &Caller, input: CreateMerchant) -> Result<NewMerchant> {
    text("name", &input.name, 1, 100)?;
    let moment = engine.moment(&caller.merchant);
    let live_id = MerchantId::new(moment.now, &*engine.rng);
    let sandbox_id = MerchantId::new(moment.now, &*engine.rng);
    let live = merchant(engine, live_id, &input.name, Some(sandbox_id), true, moment)?;
    let sandbox = merchant(engine, sandbox_id, &input.name, Some(live_id), false, moment)?;
    let (live_row, live_key) = key(engine, KeyKind::Secret, "default", Scope::MERCHANT, true, moment);
    let (test_row, test_key) = key(engine, KeyKind::Secret, "default", Scope::MERCHANT, false, moment);
    let answer = NewMerchant {
        live: live.view(moment),
        sandbox: sandbox.view(moment),
        live_key: live_row.view(Some(&live_key)),
        test_key: test_row.view(Some(&test_key)),
    };
    put_merchant(engine, live, live_row, caller, moment).await?;
    put_merchant(engine, sandbox, test_row, caller, moment).await?;
    // The two merchants are tenants of their own; the key belongs to the caller's. A repeat that comes between
    // these commits makes a second pair, which is harmless: an unused merchant holds nothing.
    let claim = caller.once_sealed(live_id, &answer, &*engine.vault, moment)?;
    engine.commit(caller.tenant(), Changes { claim, ..Changes::default() }).await?;
    Ok(answer)
}

async fn put_merchant(
    engine: &Engine,
    merchant: Merchant,
    first: ApiKey,
    caller: &Caller,
    moment: Moment,
) -> Result<()> {
    let tenant = merchant.id;
    let mut changes = Changes::default();
    let name = merchant.name.clone();
    changes.audit.push(engine.audit(
        &caller.actor,
        "merchants.create",
        Some(tenant.to_string()),
        name,
        moment,
    ));
    changes.put(Put::Merchant(merchant)).put(Put::ApiKey(first));
    engine.commit(tenant, changes).await.map_err(Error::from)
}

fn merchant(
    engine: &Engine,
    id: MerchantId,
    name: &str,
    twin_id: Option<MerchantId>,
    livemode: bool,
    moment: Moment,
) -> Result<Merchant> {
    let secret = rules::new_webhook_secret(&*engine.rng);
    let sealed_secret = engine.vault.seal(&id.to_string(), &secret).map_err(Error::internal)?;
    Ok(Merchant {
        id,
        version: 0,
        name: name.to_owned(),
        livemode,
        twin_id,
        active: true,
        sealed_secret,
        clock_offset: 0,
        created_at: moment.wall,
    })
}

fn key(
    engine: &Engine,
    kind: KeyKind,
    name: &str,
    scopes: &[Scope],
    livemode: bool,
    moment: Moment,
) -> (ApiKey, Secret) {
    let key = rules::new_key(kind, livemode, &*engine.rng);
    let row = ApiKey {
        id: ApiKeyId::new(moment.wall, &*engine.rng),
        version: 0,
        name: name.to_owned(),
        hash: rules::hash_key(key.expose()),
        hint: rules::hint(&key),
        scopes: scopes.to_vec(),
        expires_at: None,
        created_at: moment.wall,
    };
    (row, key)
}

impl ApiKey {
    /// The key as the API shows it, with the key itself only when it is new.
    pub fn view(&self, key: Option<&Secret>) -> ApiKeyView {
        ApiKeyView {
            id: self.id,
            object: "api_key",
            name: self.name.clone(),
            hint: self.hint.clone(),
            scopes: self.scopes.clone(),
            expires_at: self.expires_at,
            created_at: self.created_at,
            key: key.map(|key| key.expose().to_owned()),
        }
    }
}

/// The first start of an installation: an operator's key, and one merchant with its sandbox and their keys, unless
/// the installation has a merchant already. A first start that was cut off is gone through again; what it left is
/// an operator or half a merchant whose keys nobody has seen.
pub async fn first_start(engine: &Engine, name: &str) -> Result<Option<FirstStart>> {
    let page = ListInput::new::<MerchantId>(Some(10), None, None)?;
    let rows = engine.store.merchants(&page.fetch()).await?;
    let complete = |row: &Merchant| rows.iter().any(|other| Some(other.id) == row.twin_id);
    if rows.iter().any(complete) {
        return Ok(None);
    }
    let wall = engine.wall();
    let moment = Moment { now: wall, wall };
    let (row, operator_key) = key(engine, KeyKind::Secret, "operator", &[Scope::Platform], true, moment);
    let operator = match rows.iter().find(|row| row.twin_id.is_none()) {
        Some(operator) => {
            let mut changes = Changes::default();
            changes.put(Put::ApiKey(row));
            engine.commit(operator.id, changes).await?;
            operator.clone()
        }
        None => new_operator(engine, row, moment).await?,
    };
    let caller = operator_caller(operator);
    let merchant = create(engine, &caller, CreateMerchant { name: name.to_owned() }).await?;
    Ok(Some(FirstStart { operator_key, merchant }))
}

async fn new_operator(engine: &Engine, key: ApiKey, moment: Moment) -> Result<Merchant> {
    let id = MerchantId::new(moment.wall, &*engine.rng);
    let operator = merchant(engine, id, "Operator", None, true, moment)?;
    let caller = operator_caller(operator.clone());
    put_merchant(engine, operator.clone(), key, &caller, moment).await?;
    Ok(operator)
}

fn operator_caller(operator: Merchant) -> Caller {
    let scopes = [Scope::Platform].into();
    Caller { actor: "first start".into(), scopes, ..Caller::merchant(Arc::new(operator)) }
}

/// What the first start made; the keys are shown once.
#[derive(Debug)]
pub struct FirstStart {
    /// For creating merchants.
    pub operator_key: Secret,
    /// The first merchant.
    pub merchant: NewMerchant,
}

/// Who calls with this key, if anybody may.
pub async fn authenticate(engine: &Engine, key: &str) -> Result<Option<Caller>> {
    let Some((tenant, row)) = engine.store.api_key_by_hash(&rules::hash_key(key)).await? else {
        return Ok(None);
    };
    let merchant = engine.merchant(tenant).await?;
    let live = rules::is_live(key);
    let expired = row.expires_at.is_some_and(|at| at <= engine.wall());
    if expired || live != merchant.livemode {
        return Ok(None);
    }
    Ok(Some(Caller { merchant, actor: row.id.to_string(), scopes: row.scopes.into(), claim: None }))
}

/// No parameters.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The caller's own merchant.
pub async fn me(engine: &Engine, caller: &Caller, _: Nothing) -> Result<MerchantView> {
    let row = engine.store.merchant(caller.tenant()).await?;
    let row = row.ok_or_else(|| Error::not_found("merchant", caller.tenant()))?;
    Ok(row.view(engine.moment(&row)))
}

/// A part of a list of merchants.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListMerchants {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this merchant.
    #[serde(default)]
    pub starting_after: Option<MerchantId>,
    /// Only rows listed before this merchant.
    #[serde(default)]
    pub ending_before: Option<MerchantId>,
}

/// All merchants of the installation, newest first; for its operator.
pub async fn list(engine: &Engine, _: &Caller, input: ListMerchants) -> Result<List<MerchantView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let wall = engine.wall();
    let rows = engine.store.merchants(&page.fetch()).await?;
    let views = rows.iter().map(|row| row.view(Moment { now: wall, wall })).collect();
    Ok(page.list(views, |view| view.id.to_string()))
}

/// What `api_keys.create` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApiKey {
    /// A name people recognise it by, 1 to 100 characters.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// What it may do; never more than the key that creates it.
    pub scopes: Vec<Scope>,
    /// Makes a publishable key (`pk_…`), which may stand in a page. Its only scope is `checkout`.
    #[serde(default)]
    pub publishable: bool,
}

/// Makes a key. It is shown in this answer only.
pub async fn create_key(engine: &Engine, caller: &Caller, input: CreateApiKey) -> Result<ApiKeyView> {
    text("name", &input.name, 1, 100)?;
    let allowed = |scope: &Scope| match input.publishable {
        true => *scope == Scope::Checkout,
        false => caller.scopes.contains(scope),
    };
    if input.scopes.is_empty() || !input.scopes.iter().all(allowed) {
        return Err(Error::invalid("scopes", "Name at least one scope; none beyond those of your own key."));
    }
    let moment = engine.moment(&caller.merchant);
    let kind = if input.publishable { KeyKind::Publishable } else { KeyKind::Secret };
    let (row, key) = key(engine, kind, &input.name, &input.scopes, caller.merchant.livemode, moment);
    let view = row.view(Some(&key));
    let claim = caller.once_sealed(row.id, &view, &*engine.vault, moment)?;
    store_key(engine, caller, row, claim, "api_keys.create", moment).await?;
    Ok(view)
}

async fn store_key(
    engine: &Engine,
    caller: &Caller,
    row: ApiKey,
    claim: Option<Claim>,
    action: &str,
    moment: Moment,
) -> Result<()> {
    let mut changes = Changes { claim, ..Changes::default() };
    changes.audit.push(engine.audit(
        &caller.actor,
        action,
        Some(row.id.to_string()),
        row.name.clone(),
        moment,
    ));
    changes.put(Put::ApiKey(row));
    engine.commit(caller.tenant(), changes).await.map_err(Error::from)
}

/// What `cashiers.create` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCashier {
    /// A name people recognise it by, such as the till's: 1 to 100 characters.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// What the till takes money in.
    pub currency: Currency,
}

/// A cashier: a key for the cashier page, with the address that signs in with it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Cashier")]
pub struct CashierView {
    /// Always `cashier`.
    pub object: &'static str,
    /// Its key; `api_keys.revoke` and `api_keys.roll` end it.
    pub key: ApiKeyView,
    /// Open this on the till's device once. Whoever has it can take payments, and nothing else.
    pub url: String,
}

/// Makes a cashier. Its key and address are shown in this answer only.
pub async fn create_cashier(engine: &Engine, caller: &Caller, input: CreateCashier) -> Result<CashierView> {
    text("name", &input.name, 1, 100)?;
    let moment = engine.moment(&caller.merchant);
    let livemode = caller.merchant.livemode;
    let (row, key) = key(engine, KeyKind::Cashier, &input.name, &[Scope::Cashier], livemode, moment);
    let url = engine.cashier_url(input.currency, &key);
    let view = CashierView { object: "cashier", key: row.view(Some(&key)), url };
    let claim = caller.once_sealed(row.id, &view, &*engine.vault, moment)?;
    store_key(engine, caller, row, claim, "cashiers.create", moment).await?;
    Ok(view)
}

/// What `api_keys.roll` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollApiKey {
    /// The key to replace.
    pub id: ApiKeyId,
    /// Seconds for which the old key works on, 0 to 604,800; 0 where absent.
    #[serde(default)]
    #[schemars(range(max = 604_800))]
    pub overlap: u64,
}

/// Replaces a key by a new one with the same scopes; the old one expires after the overlap.
pub async fn roll_key(engine: &Engine, caller: &Caller, input: RollApiKey) -> Result<ApiKeyView> {
    if input.overlap > OVERLAP_MAX {
        return Err(Error::invalid("overlap", format!("Must be at most {OVERLAP_MAX} seconds.")));
    }
    let found = engine.store.api_key(caller.tenant(), input.id).await?;
    let mut old = found.ok_or_else(|| Error::not_found("API key", input.id))?;
    let moment = engine.moment(&caller.merchant);
    let kind = KeyKind::of(&old.hint);
    let (row, key) = key(engine, kind, &old.name, &old.scopes, caller.merchant.livemode, moment);
    let end = moment.wall.plus(Duration::from_secs(input.overlap));
    old.expires_at = Some(old.expires_at.map_or(end, |at| at.min(end)));
    let view = row.view(Some(&key));
    let claim = caller.once_sealed(row.id, &view, &*engine.vault, moment)?;
    let mut changes = Changes { claim, ..Changes::default() };
    changes.audit.push(engine.audit(
        &caller.actor,
        "api_keys.roll",
        Some(old.id.to_string()),
        row.id.to_string(),
        moment,
    ));
    changes.put(Put::ApiKey(old)).put(Put::ApiKey(row));
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}

/// A key named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyById {
    /// The key.
    pub id: ApiKeyId,
}

/// Ends a key at once.
pub async fn revoke_key(engine: &Engine, caller: &Caller, input: ApiKeyById) -> Result<ApiKeyView> {
    let found = engine.store.api_key(caller.tenant(), input.id).await?;
    let mut row = found.ok_or_else(|| Error::not_found("API key", input.id))?;
    let moment = engine.moment(&caller.merchant);
    row.expires_at = Some(row.expires_at.map_or(moment.wall, |at| at.min(moment.wall)));
    let view = row.view(None);
    let claim = caller.once(row.id, &view, moment);
    store_key(engine, caller, row, claim, "api_keys.revoke", moment).await?;
    Ok(view)
}

/// A part of a list of keys.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListApiKeys {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this key.
    #[serde(default)]
    pub starting_after: Option<ApiKeyId>,
    /// Only rows listed before this key.
    #[serde(default)]
    pub ending_before: Option<ApiKeyId>,
}

/// The merchant's keys, newest first, without the keys themselves.
pub async fn list_keys(engine: &Engine, caller: &Caller, input: ListApiKeys) -> Result<List<ApiKeyView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let rows = engine.store.api_keys(caller.tenant(), &page.fetch()).await?;
    Ok(page.list(rows.iter().map(|row| row.view(None)).collect(), |view| view.id.to_string()))
}
