//! Operations on receivers.

use schemars::JsonSchema;
use serde::Deserialize;

use super::work::bind;
use crate::document::{DocumentFilter, Shown};
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::id::ReceiverId;
use crate::order::input::{optional, text};
use crate::page::{List, ListInput};
use crate::split::{Receiver, ReceiverAccount};
use crate::store::Changes;

/// A new receiver.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateReceiver {
    /// What people call it.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// Its accounts with channels, at most one for each; without one it gets its shares through the ledger.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub accounts: Vec<ReceiverAccount>,
}

/// Makes a receiver. It is bound at the channel before its first share.
pub async fn create_receiver(
    engine: &Engine,
    caller: &Caller,
    input: CreateReceiver,
) -> Result<Shown<Receiver>> {
    text("name", &input.name, 1, 100)?;
    check(engine, caller, &input.accounts).await?;
    let moment = engine.moment(&caller.merchant);
    let receiver = Receiver {
        id: ReceiverId::new(moment.now, &*engine.rng),
        version: 0,
        name: input.name,
        accounts: input.accounts,
        bound: Vec::new(),
        enabled: true,
        created_at: moment.now,
        updated_at: moment.now,
    };
    engine.save(caller, "receivers.create", receiver, Changes::default()).await
}

async fn check(engine: &Engine, caller: &Caller, accounts: &[ReceiverAccount]) -> Result<()> {
    if accounts.len() > 20 {
        return Err(Error::invalid("accounts", "At most 20 accounts."));
    }
    for (index, account) in accounts.iter().enumerate() {
        let at = format!("accounts[{index}]");
        text(&format!("{at}.account"), &account.account, 1, 64)?;
        optional(&format!("{at}.owner"), account.owner.as_deref(), 64)?;
        optional(&format!("{at}.relation"), account.relation.as_deref(), 32)?;
        if engine.driver(&account.channel).is_none() {
            return Err(Error::invalid(format!("{at}.channel"), "This build has no such channel."));
        }
        if accounts[..index].iter().any(|other| other.channel == account.channel) {
            return Err(Error::invalid(format!("{at}.channel"), "One account for each channel."));
        }
        if itself(engine, caller, account).await? {
            let detail = "This is your own account with the channel; what others do not get is yours anyway.";
            return Err(Error::invalid(format!("{at}.account"), detail));
        }
    }
    Ok(())
}

/// Whether a merchant would share with itself: the account is a setting of its own channel account.
async fn itself(engine: &Engine, caller: &Caller, account: &ReceiverAccount) -> Result<bool> {
    let tenant = caller.tenant();
    for open in engine.accounts(tenant).await?.iter().filter(|open| open.account.channel == account.channel) {
        let settings = engine.open_settings(tenant, open.account.id, &open.account.sealed_settings)?;
        let own = |key: &str| settings.text(key, "") == account.account;
        if ["mchid", "sub_mchid", "pid", "merchant_id"].into_iter().any(own) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A receiver named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiverById {
    /// The receiver.
    pub id: ReceiverId,
}

/// One receiver.
pub async fn retrieve_receiver(
    engine: &Engine,
    caller: &Caller,
    input: ReceiverById,
) -> Result<Shown<Receiver>> {
    engine.document(caller.tenant(), input.id).await.map(Shown::of)
}

/// Which receivers to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListReceivers {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this receiver.
    #[serde(default)]
    pub starting_after: Option<ReceiverId>,
    /// Only rows listed before this receiver.
    #[serde(default)]
    pub ending_before: Option<ReceiverId>,
}

/// Receivers, newest first.
pub async fn list_receivers(
    engine: &Engine,
    caller: &Caller,
    input: ListReceivers,
) -> Result<List<Shown<Receiver>>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let rows = engine.documents(caller.tenant(), &DocumentFilter::default(), &page.fetch()).await?;
    Ok(Shown::list(&page, rows))
}

/// What to change of a receiver. What is absent stays.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateReceiver {
    /// The receiver.
    pub id: ReceiverId,
    /// What people call it.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    /// Its accounts with channels, all of them.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub accounts: Option<Vec<ReceiverAccount>>,
    /// Whether new plans and splits may name it.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Bind it now at the channels of its accounts, instead of with its first share.
    #[serde(default)]
    pub bind: bool,
}

/// Changes a receiver, and binds it at its channels where asked.
pub async fn update_receiver(
    engine: &Engine,
    caller: &Caller,
    input: UpdateReceiver,
) -> Result<Shown<Receiver>> {
    optional("name", input.name.as_deref(), 100)?;
    if let Some(accounts) = &input.accounts {
        check(engine, caller, accounts).await?;
    }
    let mut receiver: Receiver = engine.document(caller.tenant(), input.id).await?;
    receiver.name = input.name.unwrap_or(receiver.name);
    if let Some(accounts) = input.accounts {
        receiver.accounts = accounts;
        receiver.bound.clear();
    }
    receiver.enabled = input.enabled.unwrap_or(receiver.enabled);
    let moment = engine.moment(&caller.merchant);
    if input.bind {
        for open in engine.accounts(caller.tenant()).await?.iter().filter(|open| open.account.enabled) {
            if receiver.accounts.iter().any(|account| account.channel == open.account.channel) {
                bind(engine, open, &mut receiver, moment).await?;
            }
        }
    }
    receiver.updated_at = moment.now;
    engine.save(caller, "receivers.update", receiver, Changes::default()).await
}
