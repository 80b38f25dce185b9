//! Operations on cards.

mod reseal;

use schemars::JsonSchema;
use serde::Deserialize;

pub use reseal::{Tally, reseal_all};

use super::rules::{Ended, Owner, TOKENS_MAX, check_customer, fingerprint, key_binding};
use super::{
    CardStatus, CardToken, CardView, FingerprintKey, Keep, ProvisionedToken, StoredCard, TokenStatus,
    TypedCard,
};
use crate::crypto::Vault;
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::{CardId, CardTokenId, FingerprintKeyId, MerchantId, random_text};
use crate::merchant::Merchant;
use crate::order::{Order, OrderStatus};
use crate::page::{List, ListInput};
use crate::secret::Secret;
use crate::store::{Changes, CommitError, Page, Put};

/// Stored cards of one customer that are shown to the customer.
const SHOWN_MAX: usize = 20;

impl Engine {
    /// The vault's two keys to a merchant's sealed cards: what opens them, and what they are bound to.
    pub(crate) fn cards_of(&self, merchant: &Merchant) -> (&dyn Vault, Owner) {
        (&*self.vault, Owner { tenant: merchant.id, livemode: merchant.livemode })
    }
}

/// Takes a card in that was typed for an order. The number is sealed before it is written; the security code stays in
/// memory.
///
/// # Errors
/// Of the card's parameters, none of which repeats what was typed; `StateNotAllowed` where the order takes no card now;
/// `RateLimited` after too many cards.
pub async fn tokenize(
    engine: &Engine,
    merchant: &Merchant,
    order: &Order,
    input: TypedCard,
) -> Result<CardToken> {
    let moment = engine.moment(merchant);
    let typed = input.check(moment.now)?;
    let wants = order.methods.iter().any(crate::channel::Method::takes_card);
    if !wants || order.status != OrderStatus::Pending || order.closing {
        let detail = "The order takes no card now.";
        return Err(Error::new(Code::StateNotAllowed, detail).object(order.id));
    }
    let page = Page { limit: TOKENS_MAX, after: None, before: None };
    let typed_before: Vec<CardToken> =
        engine.documents(merchant.id, &DocumentFilter::of(order.id), &page).await?;
    if typed_before.len() >= TOKENS_MAX {
        let detail = "Too many cards were typed for this order; create another order.";
        return Err(Error::new(Code::RateLimited, detail).object(order.id));
    }
    let key = fingerprint_key(engine, merchant).await?;
    let print = fingerprint(&key, &typed.number)?;
    let id = CardTokenId::new(moment.now, &*engine.rng);
    let token = CardToken::new((id, order.id), &typed, print, engine.cards_of(merchant), moment)?;
    let mut changes = Changes::default();
    changes.put(Put::document(&token));
    engine.commit(merchant.id, changes).await?;
    if let Some(cvc) = typed.cvc {
        let until = moment.due(token.expires_at);
        engine.cvcs.keep(id, cvc, until, moment.wall);
    }
    Ok(token)
}

/// The merchant's key, made with the first card.
async fn fingerprint_key(engine: &Engine, merchant: &Merchant) -> Result<Secret> {
    let found = async || engine.document_by_number(merchant.id, FingerprintKey::NUMBER).await;
    let key: FingerprintKey = match found().await? {
        Some(key) => key,
        None => match new_key(engine, merchant).await {
            // Somebody else made it at the same moment: there is one key only.
            Err(CommitError::Duplicate(_)) => {
                found().await?.ok_or_else(|| Error::internal("a fingerprint key that vanished"))?
            }
            made => made?,
        },
    };
    engine.vault.open(&key_binding(merchant.id), &key.sealed).map_err(Error::internal)
}

async fn new_key(engine: &Engine, merchant: &Merchant) -> Result<FingerprintKey, CommitError> {
    let now = engine.moment(merchant).now;
    let secret = Secret::new(random_text(&*engine.rng) + &random_text(&*engine.rng));
    let sealed = engine.vault.seal(&key_binding(merchant.id), &secret);
    let sealed = sealed.map_err(|error| CommitError::Broken(error.to_string()))?;
    let id = FingerprintKeyId::new(now, &*engine.rng);
    let key = FingerprintKey { id, version: 0, sealed, created_at: now };
    let mut changes = Changes::default();
    changes.put(Put::document(&key));
    engine.commit(merchant.id, changes).await?;
    Ok(key)
}

/// Which stored cards to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCards {
    /// Only those of this customer, by your own reference.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    pub customer: Option<String>,
    /// Only in this state.
    #[serde(default)]
    pub status: Option<CardStatus>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this card.
    #[serde(default)]
    pub starting_after: Option<CardId>,
    /// Only rows listed before this card.
    #[serde(default)]
    pub ending_before: Option<CardId>,
}

/// Stored cards, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListCards) -> Result<List<CardView>> {
    if let Some(customer) = &input.customer {
        check_customer("customer", customer)?;
    }
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let status = input.status.map(|status| status.text().to_owned());
    let filter = DocumentFilter { parent: input.customer, status, until: None };
    let rows: Vec<StoredCard> = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(page.list(rows.iter().map(StoredCard::view).collect(), |view| view.id.to_string()))
}

/// A stored card named by its id alone.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardById {
    /// The card.
    pub id: CardId,
}

/// One stored card.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: CardById) -> Result<CardView> {
    Ok(engine.document::<StoredCard>(caller.tenant(), input.id).await?.view())
}

/// Deletes a stored card: its number is gone, what remains says that it was there. Doing it again changes nothing.
pub async fn delete(engine: &Engine, caller: &Caller, input: CardById) -> Result<CardView> {
    let mut card: StoredCard = engine.document(caller.tenant(), input.id).await?;
    let moment = engine.moment(&caller.merchant);
    card.delete(moment.now);
    let view = card.view();
    let mut changes = Changes { claim: caller.once(card.id, &view, moment), ..Changes::default() };
    let object = Some(card.id.to_string());
    changes.audit.push(engine.audit(&caller.actor, "cards.delete", object, String::new(), moment));
    changes.put(Put::document(&card));
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}

/// The cards that a customer may pay with, newest first.
pub(crate) async fn of_customer(
    engine: &Engine,
    tenant: MerchantId,
    customer: &str,
) -> Result<Vec<StoredCard>> {
    let filter = DocumentFilter {
        parent: Some(customer.to_owned()),
        status: Some(CardStatus::Active.text().to_owned()),
        until: None,
    };
    engine.documents(tenant, &filter, &Page { limit: SHOWN_MAX, after: None, before: None }).await
}

/// Keeps a network token with a card, for the program that asked a network for it: no channel of this build provisions
/// tokens by itself. Payments of the card through that account carry it from now on.
///
/// # Errors
/// Not found, where the card is not this merchant's; `StateNotAllowed` where it was deleted.
pub async fn provision(
    engine: &Engine,
    caller: &Caller,
    id: CardId,
    token: ProvisionedToken,
) -> Result<CardView> {
    engine.account(caller.tenant(), token.account_id).await?;
    let mut card: StoredCard = engine.document(caller.tenant(), id).await?;
    if card.status == CardStatus::Deleted {
        return Err(Error::new(Code::StateNotAllowed, "The card was deleted.").object(id));
    }
    let (vault, owner) = engine.cards_of(&caller.merchant);
    card.provision(&token, vault, owner)?;
    let mut changes = Changes::default();
    let moment = engine.moment(&caller.merchant);
    let object = Some(id.to_string());
    changes.audit.push(engine.audit(&caller.actor, "cards.provision", object, String::new(), moment));
    changes.put(Put::document(&card));
    engine.commit(caller.tenant(), changes).await?;
    Ok(card.view())
}

/// Looks at a token whose time has come: once it is decided its number is wiped, and kept for the customer where that
/// was agreed.
pub(crate) async fn due(engine: &Engine, tenant: MerchantId, id: CardTokenId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let mut token: CardToken = engine.document(tenant, id).await?;
    let attempt = match token.attempt_id {
        Some(attempt) => engine.store.attempt(tenant, attempt).await?,
        None => None,
    };
    let moment = engine.moment(&merchant);
    let mut changes = Changes::default();
    match token.end(attempt.map(|attempt| attempt.status), moment) {
        Ended::NotYet => {}
        Ended::Wiped => token.sealed = None,
        Ended::Kept(keep) => {
            changes.put(Put::document(&kept(engine, &merchant, &token, keep).await?));
            token.sealed = None;
        }
    }
    if token.status == TokenStatus::Over {
        engine.cvcs.forget(id);
    }
    changes.put(Put::document(&token));
    // Somebody used or ended it meanwhile, or the card changed: it comes again.
    engine.commit_or_yield(tenant, changes).await
}

/// The stored card that a token becomes: a new one, or the customer's card with the same number.
async fn kept(engine: &Engine, merchant: &Merchant, token: &CardToken, keep: Keep) -> Result<StoredCard> {
    let known = of_customer(engine, merchant.id, &keep.customer).await?;
    if let Some(mut card) = known.into_iter().find(|card| card.fingerprint == token.fingerprint) {
        card.renew(token, keep.consent);
        return Ok(card);
    }
    let now = engine.moment(merchant).now;
    StoredCard::keep(CardId::new(now, &*engine.rng), token, keep, engine.cards_of(merchant), now)
}
