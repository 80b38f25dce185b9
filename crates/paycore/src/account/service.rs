//! Operations on channel accounts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ChannelAccount;
use crate::channel::{Driver, Settings};
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::ChannelAccountId;
use crate::order::input::{Moment, optional, text};
use crate::page::List;
use crate::secret::Secret;
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// A channel account as the API shows it. Secret settings are named, never shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ChannelAccount")]
pub struct ChannelAccountView {
    /// Its id.
    pub id: ChannelAccountId,
    /// Always `channel_account`.
    pub object: &'static str,
    /// Id of the channel.
    pub channel: String,
    /// A name people recognise it by.
    pub name: String,
    /// Whether new payments may use it.
    pub enabled: bool,
    /// Lower is tried first.
    pub priority: i64,
    /// Whether the other end is paycore's simulator.
    pub simulated: bool,
    /// The methods it takes.
    pub methods: Vec<String>,
    /// Settings that are not secret.
    pub settings: BTreeMap<String, String>,
    /// Names of the secret settings that are present.
    pub secrets: Vec<String>,
    /// Where the channel has to send its notifications.
    pub notify_url: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What `channel_accounts.create` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateChannelAccount {
    /// Id of the channel, such as `alipay`.
    pub channel: String,
    /// A name people recognise it by; the channel's where absent.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    /// The settings, by the keys of the channel's page. In a sandbox they may be left out: the account is then
    /// connected to paycore's simulator of the channel.
    #[serde(default)]
    pub settings: Option<BTreeMap<String, Secret>>,
    /// Lower is tried first; 100 where absent.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub priority: Option<i64>,
}

/// Connects a channel.
pub async fn create(
    engine: &Engine,
    caller: &Caller,
    input: CreateChannelAccount,
) -> Result<ChannelAccountView> {
    let moment = engine.moment(&caller.merchant);
    let driver = engine.driver(&input.channel).ok_or_else(|| {
        let known: Vec<_> = engine.drivers.iter().map(|driver| driver.profile().id).collect();
        Error::invalid("channel", format!("Known channels: {}.", known.join(", ")))
    })?;
    if driver.sandbox_only() && caller.merchant.livemode {
        let detail = "This channel moves no real money; it can be connected in a sandbox only.";
        return Err(Error::new(Code::Forbidden, detail).param("channel"));
    }
    let id = ChannelAccountId::new(moment.now, &*engine.rng);
    let (ours, theirs) = match &input.settings {
        Some(settings) => (settings_from(settings), None),
        None => {
            let (ours, theirs) = provision(engine, caller, driver, id)?;
            (ours, Some(theirs))
        }
    };
    check(engine, driver, &ours)?;
    let name = input.name.unwrap_or_else(|| driver.profile().name.to_owned());
    text("name", &name, 1, 100)?;
    let account = ChannelAccount {
        id,
        version: 0,
        channel: input.channel,
        name,
        enabled: true,
        priority: priority(input.priority)?.unwrap_or(100),
        sealed_settings: engine.seal_settings(caller.tenant(), id, &ours)?,
        sealed_simulator: theirs
            .map(|theirs| engine.seal_settings(caller.tenant(), id, &theirs))
            .transpose()?,
        created_at: moment.now,
        updated_at: moment.now,
    };
    write(engine, caller, account, "channel_accounts.create", moment).await
}

fn settings_from(settings: &BTreeMap<String, Secret>) -> Settings {
    Settings::from_pairs(settings.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())))
}

fn provision(
    engine: &Engine,
    caller: &Caller,
    driver: &'static dyn Driver,
    id: ChannelAccountId,
) -> Result<(Settings, Settings)> {
    let missing =
        || Error::new(Code::MissingParameter, "The channel's settings are required.").param("settings");
    if caller.merchant.livemode {
        return Err(missing());
    }
    let maker = driver.simulator().ok_or_else(missing)?;
    let base = engine.hub.base_url(id);
    let provision = maker.provision(&base, &*engine.keyring, &*engine.rng).map_err(Error::internal)?;
    Ok((provision.ours, provision.theirs))
}

/// Settings must be known, complete, and open: the keys in them are read once here.
fn check(engine: &Engine, driver: &'static dyn Driver, settings: &Settings) -> Result<()> {
    let fields = driver.profile().fields;
    if let Some(unknown) = settings.names().find(|name| !fields.iter().any(|field| field.key == *name)) {
        let known: Vec<_> = fields.iter().map(|field| field.key).collect();
        let detail = format!("Unknown setting; known are {}.", known.join(", "));
        return Err(Error::new(Code::UnknownParameter, detail).param(format!("settings.{unknown}")));
    }
    driver.open(settings, &*engine.keyring).map(drop).map_err(|error| {
        Error::new(Code::ChannelSettings, error.detail.clone()).param(format!("settings.{}", error.field))
    })
}

fn priority(priority: Option<i64>) -> Result<Option<i64>> {
    if priority.is_some_and(|p| !(0..=1_000_000).contains(&p)) {
        return Err(Error::invalid("priority", "Must be 0 to 1000000."));
    }
    Ok(priority)
}

async fn write(
    engine: &Engine,
    caller: &Caller,
    account: ChannelAccount,
    action: &str,
    moment: Moment,
) -> Result<ChannelAccountView> {
    let view = view(engine, caller, &account)?;
    let mut changes = Changes { claim: caller.once(account.id, &view, moment), ..Changes::default() };
    changes.audit.push(engine.audit(
        &caller.actor,
        action,
        Some(account.id.to_string()),
        account.channel.clone(),
        moment,
    ));
    changes.put(Put::ChannelAccount(account));
    engine.commit(caller.tenant(), changes).await?;
    engine.forget(caller.tenant());
    Ok(view)
}

fn view(engine: &Engine, caller: &Caller, account: &ChannelAccount) -> Result<ChannelAccountView> {
    let settings = engine.open_settings(caller.tenant(), account.id, &account.sealed_settings)?;
    let profile = engine.driver(&account.channel).map(Driver::profile);
    let is_secret = |name: &str| profile.is_none_or(|p| p.fields.iter().all(|f| f.key != name || f.secret()));
    let shown = settings.names().filter(|name| !is_secret(name));
    Ok(ChannelAccountView {
        id: account.id,
        object: "channel_account",
        channel: account.channel.clone(),
        name: account.name.clone(),
        enabled: account.enabled,
        priority: account.priority,
        simulated: account.sealed_simulator.is_some(),
        methods: profile.map_or_else(Vec::new, |p| {
            p.capabilities.iter().map(|c| format!("{}.{}", c.brand, c.scene)).collect()
        }),
        settings: shown.map(|name| (name.to_owned(), settings.text(name, "").to_owned())).collect(),
        secrets: settings.names().filter(|name| is_secret(name)).map(str::to_owned).collect(),
        notify_url: engine.notify_url(account.id),
        created_at: account.created_at,
        updated_at: account.updated_at,
    })
}

/// A channel account named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelAccountById {
    /// The account.
    pub id: ChannelAccountId,
}

/// One account.
pub async fn retrieve(
    engine: &Engine,
    caller: &Caller,
    input: ChannelAccountById,
) -> Result<ChannelAccountView> {
    let found = engine.store.channel_account(caller.tenant(), input.id).await?;
    let account = found.ok_or_else(|| Error::not_found("channel account", input.id))?;
    view(engine, caller, &account)
}

/// No parameters.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListChannelAccounts {}

/// All accounts of the merchant, by priority.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    _: ListChannelAccounts,
) -> Result<List<ChannelAccountView>> {
    let rows = engine.store.channel_accounts(caller.tenant()).await?;
    let data = rows.iter().map(|row| view(engine, caller, row)).collect::<Result<Vec<_>>>()?;
    Ok(List { object: "list", data, has_more: false, next_cursor: None })
}

/// What `channel_accounts.update` takes. Absent parameters stay as they are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateChannelAccount {
    /// The account.
    pub id: ChannelAccountId,
    /// A name people recognise it by.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    /// Whether new payments may use it.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Lower is tried first.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub priority: Option<i64>,
    /// Settings to replace; those not named stay.
    #[serde(default)]
    pub settings: Option<BTreeMap<String, Secret>>,
}

/// Changes an account.
pub async fn update(
    engine: &Engine,
    caller: &Caller,
    input: UpdateChannelAccount,
) -> Result<ChannelAccountView> {
    optional("name", input.name.as_deref(), 100)?;
    let priority = priority(input.priority)?;
    let found = engine.store.channel_account(caller.tenant(), input.id).await?;
    let mut account = found.ok_or_else(|| Error::not_found("channel account", input.id))?;
    let moment = engine.moment(&caller.merchant);
    account.name = input.name.unwrap_or(account.name);
    account.enabled = input.enabled.unwrap_or(account.enabled);
    account.priority = priority.unwrap_or(account.priority);
    if let Some(replaced) = &input.settings {
        let mut settings = engine.open_settings(caller.tenant(), account.id, &account.sealed_settings)?;
        for (key, value) in replaced {
            settings.set(key.clone(), value.expose().to_owned());
        }
        let driver = engine.driver(&account.channel).ok_or_else(|| Error::internal("unknown channel"))?;
        check(engine, driver, &settings)?;
        account.sealed_settings = engine.seal_settings(caller.tenant(), account.id, &settings)?;
    }
    account.updated_at = moment.now;
    write(engine, caller, account, "channel_accounts.update", moment).await
}
