//! What a payer's browser may do with an order: look at it, choose a method, give an attempt up for another. It proves
//! itself by the order's client secret and can say nothing about the price.

use std::sync::Arc;
use std::time::Duration;

use crate::channel::{Method, Payer};
use crate::currency::Currency;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::{AttemptId, CardId, CardTokenId};
use crate::link::rules::{Opener, names_payer};
use crate::merchant::{Merchant, Scope};
use crate::order::service::PayOrder;
use crate::order::{Attempt, CheckoutView, ClientSecret, Order, OrderPage, presentable, service as orders};
use crate::sign_in;
use crate::vault::service::{self as vault, CardById};
use crate::vault::{CardTokenView, StoredCard, TypedCard};

/// How long after the order's expiry its payer may still look how it went.
const OPEN_AFTER_EXPIRY: Duration = Duration::from_secs(24 * 3600);

/// An order that a client secret opened.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// The order.
    pub order: Order,
    /// Its last attempt.
    pub attempt: Option<Attempt>,
    /// The cards that are kept for its customer.
    pub cards: Vec<StoredCard>,
    /// Whose it is.
    pub merchant: Arc<Merchant>,
}

/// What the payer chose.
#[derive(Debug, Clone)]
pub struct Choice {
    /// One of the order's methods.
    pub method: Method,
    /// The last attempt the browser knows of; a payment starts only where there is no later one.
    pub after: Option<AttemptId>,
    /// The address the payer's browser calls from.
    pub ip: Option<String>,
    /// The card that was typed.
    pub card_token: Option<CardTokenId>,
    /// One of the customer's stored cards.
    pub card: Option<CardId>,
    /// The version of the text by which the typed card may be kept.
    pub save: Option<String>,
    /// What the wallet sent the browser back with from [`Checkout::sign_in`]: good once, to learn who the payer is.
    pub code: Option<String>,
}

/// Opens the order of a client secret. One that is wrong in any way is `Unauthenticated`.
pub async fn open(engine: &Engine, secret: &str) -> Result<Checkout> {
    let unknown = || {
        let detail =
            "This client secret is not known here, or it has expired. Take `client_secret` of the order.";
        Error::new(Code::Unauthenticated, detail)
    };
    let (tenant, id) = ClientSecret::claim(secret).ok_or_else(unknown)?;
    let order = engine.store.order(tenant, id).await?.ok_or_else(unknown)?;
    if !order.details.client_secret.as_ref().is_some_and(|own| own.opens(secret)) {
        return Err(unknown());
    }
    let merchant = engine.merchant(tenant).await?;
    if engine.moment(&merchant).now > order.expires_at.plus(OPEN_AFTER_EXPIRY) {
        return Err(unknown());
    }
    read(engine, merchant, order).await
}

/// Opens the order of a page's address, as `open` does. One that is wrong in any way is `NotFound`.
pub async fn open_page(engine: &Engine, page: OrderPage, address: &str) -> Result<Checkout> {
    let unknown = || Error::new(Code::NotFound, "There is no such payment, or its page has expired.");
    let (tenant, id) = OrderPage::claim(address).ok_or_else(unknown)?;
    let order = engine.store.order(tenant, id).await?.ok_or_else(unknown)?;
    if !order.details.client_secret.as_ref().is_some_and(|own| own.shows(page, address)) {
        return Err(unknown());
    }
    let merchant = engine.merchant(tenant).await?;
    // A receipt is kept for as long as its order.
    if page == OrderPage::Pay && engine.moment(&merchant).now > order.expires_at.plus(OPEN_AFTER_EXPIRY) {
        return Err(unknown());
    }
    read(engine, merchant, order).await
}

async fn read(engine: &Engine, merchant: Arc<Merchant>, order: Order) -> Result<Checkout> {
    let attempt = match order.attempt_id {
        Some(id) => engine.store.attempt(merchant.id, id).await?,
        None => None,
    };
    let cards = match order.keeps_cards() {
        Some(customer) => vault::of_customer(engine, merchant.id, customer).await?,
        None => Vec::new(),
    };
    Ok(Checkout { order, attempt, cards, merchant })
}

impl Checkout {
    /// The order as this browser is told.
    pub fn view(&self, engine: &Engine, opener: Opener) -> CheckoutView<'_> {
        let now = engine.moment(&self.merchant).now;
        self.order.checkout_view(self.attempt.as_ref(), &self.cards, &self.merchant, opener, now)
    }

    /// The order as it is now.
    pub async fn again(&self, engine: &Engine) -> Result<Checkout> {
        let order = engine.store.order(self.merchant.id, self.order.id).await?;
        let order = order.ok_or_else(|| Error::not_found("order", self.order.id))?;
        read(engine, Arc::clone(&self.merchant), order).await
    }

    /// Whether nothing the payer sees can change any more.
    pub fn is_over(&self) -> bool {
        self.order.status.is_final() && !self.attempt.as_ref().is_some_and(|last| last.status.is_open())
    }

    /// Starts the payment, unless one was started that this browser does not know of: the answer is then the order
    /// as it is, so that a repeat, a second click and a second tab change nothing.
    pub async fn pay(self, engine: &Engine, choice: Choice) -> Result<Checkout> {
        if self.order.attempt_id != choice.after {
            return Ok(self);
        }
        let after = choice.after;
        match Box::pin(self.start(engine, choice)).await {
            Ok(order) => read(engine, self.merchant, order).await,
            Err(error) => {
                let now = self.again(engine).await?;
                if now.order.attempt_id == after { Err(error) } else { Ok(now) }
            }
        }
    }

    async fn start(&self, engine: &Engine, choice: Choice) -> Result<Order> {
        let payer = self.payer(engine, &choice).await?;
        let Choice { method, card, card_token, save, .. } = choice;
        let input = PayOrder { card, card_token, save, ..PayOrder::new(self.order.id, method, Some(payer)) };
        orders::pay(engine, &self.caller(), input).await
    }

    /// Who pays: whom the merchant named, or whom the wallet names now.
    async fn payer(&self, engine: &Engine, choice: &Choice) -> Result<Payer> {
        let mut payer = self.order.details.payer.clone();
        payer.ip = choice.ip.clone().or(payer.ip);
        if let Some(code) = choice.code.as_deref().filter(|_| names_payer(&choice.method)) {
            let told = sign_in::identify(engine, &self.merchant, self.by(&choice.method), code).await;
            // A code is good once. The page's second try goes on as whom its first one named.
            payer.id = match (told, payer.id) {
                (Ok(told), _) => Some(told),
                (Err(_), Some(known)) => Some(known),
                (Err(error), None) => return Err(error),
            };
        }
        Ok(payer)
    }

    /// Where this browser has to go first so that the wallet it belongs to tells who pays; none where no method needs
    /// to know, where the merchant has said it, or where the channel cannot tell.
    pub async fn sign_in(&self, engine: &Engine, opener: Opener, return_url: &str) -> Result<Option<String>> {
        // After the first attempt it may be another person who has the page open.
        let known = self.order.details.payer.id.is_some() && self.order.attempt_id.is_none();
        let named = |method: &&Method| names_payer(method) && presentable(method, opener);
        match self.order.methods.iter().find(named).filter(|_| !known) {
            Some(method) => sign_in::first(engine, &self.merchant, self.by(method), return_url).await,
            None => Ok(None),
        }
    }

    fn by<'m>(&self, method: &'m Method) -> (&'m Method, Currency) {
        (method, self.order.currency())
    }

    /// Gives an attempt up for another one; see `orders::release`.
    pub async fn release(self, engine: &Engine, attempt: AttemptId) -> Result<Checkout> {
        let order = orders::release(engine, &self.caller(), self.order.id, attempt).await?;
        read(engine, self.merchant, order).await
    }

    /// Takes in a card that was typed for this order.
    pub async fn tokenize(&self, engine: &Engine, card: TypedCard) -> Result<CardTokenView> {
        Ok(vault::tokenize(engine, &self.merchant, &self.order, card).await?.view())
    }

    /// Deletes one of the customer's stored cards. One that is not the customer's does not exist here.
    pub async fn delete_card(self, engine: &Engine, id: CardId) -> Result<Checkout> {
        if !self.cards.iter().any(|card| card.id == id) {
            return Err(Error::not_found("card", id).param("card_id"));
        }
        vault::delete(engine, &self.caller(), CardById { id }).await?;
        self.again(engine).await
    }

    fn caller(&self) -> Caller {
        let scopes: Arc<[Scope]> = [Scope::Checkout].into();
        Caller { scopes, actor: self.order.id.to_string(), ..Caller::merchant(Arc::clone(&self.merchant)) }
    }
}
