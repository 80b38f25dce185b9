//! Operations on epay keys, and what the door needs to know of a shop.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::Signing;
use super::{EpayKey, Protocol};
use crate::channel::{CaptureMode, Method, Profile};
use crate::currency::Currency;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::EpayKeyId;
use crate::merchant::Scope;
use crate::merchant::rules::hex;
use crate::order::input::text;
use crate::page::List;
use crate::secret::Secret;
use crate::store::{Changes, CommitError, Put};
use crate::time::Timestamp;

const KEYS_MAX: usize = 20;
/// How often another number is tried when one is taken.
const TRIES_MAX: usize = 8;

/// An epay key as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "EpayKey")]
pub struct EpayKeyView {
    /// Its id.
    pub id: EpayKeyId,
    /// Always `epay_key`.
    pub object: &'static str,
    /// The shop's number: what its software calls the merchant ID.
    pub pid: String,
    /// A name people recognise it by.
    pub name: String,
    /// The version of the protocol.
    pub protocol: Protocol,
    /// The address to enter as the panel's.
    pub gateway: String,
    /// Version 2: the platform's public key, which the shop verifies with.
    pub platform_public_key: Option<String>,
    /// Since when it is refused.
    pub revoked_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Version 1: the shop's key, only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Version 2: the shop's private key where none was brought along, only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<String>,
}

impl EpayKey {
    fn view(&self, engine: &Engine) -> EpayKeyView {
        EpayKeyView {
            id: self.id,
            object: "epay_key",
            pid: self.pid.clone(),
            name: self.name.clone(),
            protocol: self.protocol,
            gateway: format!("{}/", engine.public_url),
            platform_public_key: self.platform_public_key.clone(),
            revoked_at: self.revoked_at,
            created_at: self.created_at,
            key: None,
            private_key: None,
        }
    }
}

/// What `epay_keys.create` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateEpayKey {
    /// A name you recognise the shop by, 1 to 100 characters.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// `v2` (RSA) wherever the shop software has it; `v1` (MD5, weak) where it has not.
    pub protocol: Protocol,
    /// Version 2: the shop's RSA public key, PEM or base64; where absent a pair is made and its private half shown once.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub public_key: Option<String>,
}

/// What is secret in a new key and whom it is shown to.
struct Material {
    sealed: Secret,
    platform_public_key: Option<String>,
    shop_public_key: Option<String>,
    key: Option<String>,
    private_key: Option<String>,
}

/// Makes a key for a shop. The answer shows what the shop needs, once.
pub async fn create(engine: &Engine, caller: &Caller, input: CreateEpayKey) -> Result<EpayKeyView> {
    text("name", &input.name, 1, 100)?;
    if engine.store.epay_keys(caller.tenant()).await?.iter().filter(|key| key.revoked_at.is_none()).count()
        >= KEYS_MAX
    {
        return Err(Error::new(Code::StateNotAllowed, format!("At most {KEYS_MAX} keys.")));
    }
    let moment = engine.moment(&caller.merchant);
    let id = EpayKeyId::new(moment.now, &*engine.rng);
    let material = material(engine, &input)?;
    let sealed_key =
        engine.vault.seal(&format!("{}/{id}", caller.tenant()), &material.sealed).map_err(Error::internal)?;
    let mut key = EpayKey {
        id,
        version: 0,
        pid: String::new(),
        name: input.name,
        protocol: input.protocol,
        sealed_key,
        platform_public_key: material.platform_public_key,
        shop_public_key: material.shop_public_key,
        revoked_at: None,
        created_at: moment.now,
    };
    for _ in 0..TRIES_MAX {
        key.pid = pid(engine);
        let view = EpayKeyView {
            key: material.key.clone(),
            private_key: material.private_key.clone(),
            ..key.view(engine)
        };
        let claim = caller.once_sealed(id, &view, &*engine.vault, moment)?;
        let mut changes = Changes { claim, ..Changes::default() };
        let detail = format!("{} {}", key.pid, key.protocol.text());
        changes.audit.push(engine.audit(
            &caller.actor,
            "epay_keys.create",
            Some(id.to_string()),
            detail,
            moment,
        ));
        changes.put(Put::EpayKey(key.clone()));
        match engine.commit(caller.tenant(), changes).await {
            Ok(()) => return Ok(view),
            Err(CommitError::Duplicate("pid")) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::internal("no free number was found"))
}

fn material(engine: &Engine, input: &CreateEpayKey) -> Result<Material> {
    if input.protocol == Protocol::V1 {
        if input.public_key.is_some() {
            return Err(Error::invalid("public_key", "Only version 2 has public keys."));
        }
        let key = random_hex(engine);
        let (sealed, key) = (Secret::new(key.clone()), Some(key));
        return Ok(Material {
            sealed,
            key,
            platform_public_key: None,
            shop_public_key: None,
            private_key: None,
        });
    }
    let platform = engine.keyring.generate().map_err(Error::internal)?;
    let (shop_public_key, private_key) = match &input.public_key {
        Some(given) => {
            engine
                .keyring
                .verifier(given)
                .map_err(|error| Error::invalid("public_key", error.to_string()))?;
            (given.clone(), None)
        }
        None => {
            let pair = engine.keyring.generate().map_err(Error::internal)?;
            (pair.public, Some(pair.private.expose().to_owned()))
        }
    };
    Ok(Material {
        sealed: platform.private,
        platform_public_key: Some(platform.public),
        shop_public_key: Some(shop_public_key),
        key: None,
        private_key,
    })
}

/// Nine digits that do not begin with zero: shop software keeps them as a number.
fn pid(engine: &Engine) -> String {
    let mut random = [0u8; 8];
    engine.rng.fill(&mut random);
    (100_000_000 + u64::from_be_bytes(random) % 900_000_000).to_string()
}

/// 128 random bits as hex.
fn random_hex(engine: &Engine) -> String {
    let mut random = [0u8; 16];
    engine.rng.fill(&mut random);
    hex(&random)
}

/// No parameters.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEpayKeys {}

/// All keys, newest first, without what is secret.
pub async fn list(engine: &Engine, caller: &Caller, _: ListEpayKeys) -> Result<List<EpayKeyView>> {
    let rows = engine.store.epay_keys(caller.tenant()).await?;
    let data = rows.iter().map(|row| row.view(engine)).collect();
    Ok(List { object: "list", data, has_more: false, next_cursor: None })
}

/// A key named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EpayKeyById {
    /// The key.
    pub id: EpayKeyId,
}

/// Ends a key at once: its shop is refused, and is not told of its orders any more.
pub async fn revoke(engine: &Engine, caller: &Caller, input: EpayKeyById) -> Result<EpayKeyView> {
    let found = engine.store.epay_key(caller.tenant(), input.id).await?;
    let mut key = found.ok_or_else(|| Error::not_found("epay key", input.id))?;
    let moment = engine.moment(&caller.merchant);
    key.revoked_at.get_or_insert(moment.now);
    let view = key.view(engine);
    let mut changes = Changes { claim: caller.once(key.id, &view, moment), ..Changes::default() };
    let id = Some(key.id.to_string());
    changes.audit.push(engine.audit(&caller.actor, "epay_keys.revoke", id, key.pid.clone(), moment));
    changes.put(Put::EpayKey(key));
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}

/// A shop at the door: who it acts as, and what it signs with.
#[derive(Debug)]
pub struct Shop {
    /// The merchant, with what a shop may do.
    pub caller: Caller,
    /// Its key.
    pub key: EpayKey,
    /// The key, open.
    pub signing: Signing,
}

/// The shop with this number, unless its key was revoked.
pub async fn open(engine: &Engine, pid: &str) -> Result<Option<Shop>> {
    let digits = (1..=20).contains(&pid.len()) && pid.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Ok(None);
    }
    let Some((tenant, key)) = engine.store.epay_key_by_pid(pid).await? else { return Ok(None) };
    if key.revoked_at.is_some() {
        return Ok(None);
    }
    let merchant = engine.merchant(tenant).await?;
    let signing = Signing::open(tenant, &key, &*engine.vault, &*engine.keyring)
        .ok_or_else(|| Error::internal("an epay key cannot be opened"))?;
    let scopes = [Scope::OrdersRead, Scope::OrdersWrite, Scope::RefundsWrite].into();
    let caller = Caller { merchant, actor: key.id.to_string(), scopes, claim: None };
    Ok(Some(Shop { caller, key, signing }))
}

/// For each brand, what the first enabled account by priority that knows it takes in CNY: the first of these scenes.
pub async fn methods(
    engine: &Engine,
    caller: &Caller,
    brands: &[&str],
    scenes: &[&str],
) -> Result<Vec<Method>> {
    let accounts = engine.accounts(caller.tenant()).await?;
    let enabled = accounts.iter().filter(|open| open.account.enabled);
    let profiles: Vec<_> = enabled.filter_map(|open| Some(open.channel.as_ref()?.profile())).collect();
    let first = |brand: &&str| {
        let mut methods = profiles.iter().flat_map(|profile| {
            scenes.iter().filter_map(move |scene| Some((profile, format!("{brand}.{scene}").parse().ok()?)))
        });
        let takes = |(profile, method): &(&&Profile, Method)| {
            let capability = profile.capability(method, Currency::CNY);
            capability.is_some_and(|capability| capability.captures.contains(&CaptureMode::Automatic))
        };
        methods.find(takes).map(|(_, method)| method)
    };
    Ok(brands.iter().filter_map(first).collect())
}

/// A token for the payer's page of a new order.
pub fn token(engine: &Engine) -> String {
    random_hex(engine)
}
