//! What a payer meets who opens a payment link: the offer, the order it becomes, and how that went. The payer is not
//! known and proves nothing but the link; every order is made in the merchant's name with the link's own price.

use std::sync::Arc;

use crate::channel::{Method, Payer, barcode};
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::LinkId;
use crate::link::Link;
use crate::link::rules::{self, Opener};
use crate::merchant::{Merchant, Scope};
use crate::money::Money;
use crate::order::input::CreateOrder;
use crate::order::{Order, OrderStatus, service as orders};
use crate::sign_in;

/// More orders than a link that is paid once ever makes: each try that fails or expires is one.
const TRIES_MAX: usize = 100;
/// An order made by a payer at a counter or from a message is paid soon or not at all.
const LIFETIME: u64 = 15 * 60;

/// A link as a payer sees it.
#[derive(Debug)]
pub struct Landing {
    /// The link.
    pub link: Link,
    /// Whose it is.
    pub merchant: Arc<Merchant>,
    /// What is offered, best first. Empty where nothing works here.
    pub offers: Vec<Method>,
    /// Why it cannot be paid, for the payer to read.
    pub closed: Option<&'static str>,
}

/// What the payer decided.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// What was typed, minor units; none where the link has a price.
    pub amount: Option<i64>,
    /// One of the methods that were offered.
    pub method: Option<Method>,
    /// What is known of the payer.
    pub payer: Payer,
}

/// Opens a link. One that does not exist is `NotFound`.
pub async fn open(engine: &Engine, id: LinkId, opener: Opener) -> Result<Landing> {
    let tenant = engine.store.link_tenant(id).await?;
    let tenant = tenant.ok_or_else(|| Error::not_found("payment link", id))?;
    let merchant = engine.merchant(tenant).await?;
    let link = engine.store.link(tenant, id).await?;
    let link = link.ok_or_else(|| Error::not_found("payment link", id))?;
    let now = engine.moment(&merchant).now;
    // `known` leaves out what has to name the payer where the account cannot ask who that is.
    let (mut available, mut known): (Vec<Method>, Vec<Method>) = Default::default();
    for open in engine.accounts(tenant).await?.iter().filter(|open| open.account.enabled) {
        let asks = sign_in::address(engine, open, "https://pay.example/", now)?.is_some();
        let rows = open.channel.as_ref().map_or(&[][..], |channel| channel.profile().capabilities);
        for row in rows.iter().filter(|row| row.currencies.contains(link.currency)) {
            let method: Option<Method> = format!("{}.{}", row.brand, row.scene).parse().ok();
            let Some(method) = method.filter(|method| !available.contains(method)) else { continue };
            known.extend(Some(method.clone()).filter(|method| asks || !rules::names_payer(method)));
            available.push(method);
        }
    }
    let mut offers = rules::offers(&link, opener, &known);
    if offers.is_empty() {
        // Better tried than not offered at all.
        offers = rules::offers(&link, opener, &available);
    }
    let active =
        if merchant.active { Ok(()) } else { Err("This shop takes no payments. 该商户暂停收款。") };
    let closed = active.and_then(|()| rules::payable(&link, now)).err();
    Ok(Landing { link, merchant, offers, closed })
}

impl Landing {
    fn caller(&self) -> Caller {
        let scopes: Arc<[Scope]> = [Scope::OrdersRead, Scope::OrdersWrite].into();
        let actor = self.link.id.to_string();
        Caller { merchant: Arc::clone(&self.merchant), actor, scopes, claim: None }
    }

    /// Where the payer's browser has to go first so that the wallet tells who the payer is; none where the method
    /// needs no payer or its channel cannot tell.
    pub async fn sign_in(
        &self,
        engine: &Engine,
        method: &Method,
        return_url: &str,
    ) -> Result<Option<String>> {
        sign_in::first(engine, &self.merchant, (method, self.link.currency), return_url).await
    }

    /// Who the payer is, from the code the wallet sent along.
    pub async fn identify(&self, engine: &Engine, method: &Method, code: &str) -> Result<String> {
        sign_in::identify(engine, &self.merchant, (method, self.link.currency), code).await
    }

    /// The order of this payer: a new one, or, of a link that is paid once, the one there is.
    pub async fn pay(&self, engine: &Engine, choice: Choice) -> Result<Order> {
        if let Some(why) = self.closed {
            return Err(Error::new(Code::StateNotAllowed, why).object(self.link.id));
        }
        let Some(money) = rules::charge(&self.link, choice.amount) else {
            return Err(Error::new(Code::InvalidAmount, "This amount cannot be paid here.").param("amount"));
        };
        let method = match choice.method {
            Some(method) if self.offers.contains(&method) => method,
            Some(_) => return Err(Error::invalid("method", "This method is not offered here.")),
            None => match self.offers.first() {
                Some(first) => first.clone(),
                None => return Err(Error::new(Code::NoChannel, "Nothing is offered here.")),
            },
        };
        Box::pin(self.make(engine, money, method, choice.payer)).await
    }

    /// Charges the barcode (付款码) that a scanner read, in the place of whatever else this link was being paid by. A
    /// repeat of the same scan is the same order.
    pub async fn scan(&self, engine: &Engine, auth_code: &str) -> Result<Order> {
        if let Some(why) = self.closed {
            return Err(Error::new(Code::StateNotAllowed, why).object(self.link.id));
        }
        let Some(money) = rules::charge(&self.link, None) else {
            return Err(Error::internal("a sale without an amount"));
        };
        let brand = barcode::brand(auth_code);
        let brand = brand.map_err(|error| Error::invalid("auth_code", error.to_string()))?;
        let method = format!("{brand}.barcode").parse();
        let method = method.map_err(|_| Error::internal("a brand that makes no method"))?;
        let payer = Payer { auth_code: Some(auth_code.to_owned()), ..Payer::default() };
        Box::pin(self.make(engine, money, method, payer)).await
    }

    async fn make(&self, engine: &Engine, money: Money, method: Method, payer: Payer) -> Result<Order> {
        let details = &self.link.details;
        let mut metadata = details.metadata.clone();
        metadata.insert(rules::NOTE.to_owned(), self.link.id.to_string());
        // What was scanned is paid within a minute or taken back.
        let lifetime = if method.at_the_till() { None } else { Some(LIFETIME) };
        let input = CreateOrder {
            amount: money.minor(),
            currency: money.currency(),
            subject: details.subject.clone(),
            out_trade_no: None,
            method: Some(method),
            methods: Vec::new(),
            capture_method: Default::default(),
            description: None,
            line_items: Vec::new(),
            notify_url: details.notify_url.clone(),
            return_url: details.return_url.clone(),
            cancel_url: Some(engine.link_url(self.link.id)),
            metadata,
            payer,
            expires_in: lifetime,
            split_plan_id: None,
            agent_id: None,
            customer: None,
            mandate: None,
            epay: None,
        };
        if self.link.details.single_use {
            Box::pin(self.pay_once(engine, input)).await
        } else {
            orders::create(engine, &self.caller(), input).await
        }
    }

    /// Orders of a link that is paid once are numbered; a number is taken once, whoever is faster.
    async fn pay_once(&self, engine: &Engine, input: CreateOrder) -> Result<Order> {
        let caller = self.caller();
        for n in 1..=TRIES_MAX {
            let number = rules::number(&self.link, n);
            let mut found = engine.store.order_by_number(caller.tenant(), &number).await?;
            if found.is_none() {
                let input = CreateOrder { out_trade_no: Some(number.clone()), ..input.clone() };
                match orders::create(engine, &caller, input).await {
                    Err(error) if error.code == Code::DuplicateNumber => {
                        found = engine.store.order_by_number(caller.tenant(), &number).await?;
                    }
                    made => return made,
                }
            }
            let Some(order) = found else { continue };
            if rules::is_spent(order.status) {
                continue;
            }
            let same = input.method.as_ref().is_some_and(|method| order.methods.contains(method));
            if same || !matches!(order.status, OrderStatus::Pending | OrderStatus::Processing) {
                return Ok(order);
            }
            // Another wallet: what the first was shown must not be payable any more.
            let closed = orders::close(engine, &caller, orders::OrderById { id: order.id }).await?;
            if !rules::is_spent(closed.status) {
                return Ok(closed);
            }
        }
        let detail = "This payment link was tried too often. 该收款码尝试次数过多。";
        Err(Error::new(Code::StateNotAllowed, detail).object(self.link.id))
    }

    /// The last order of a link that is paid once, if there is one yet.
    pub async fn last(&self, engine: &Engine) -> Result<Option<Order>> {
        let mut last = None;
        for n in 1..=TRIES_MAX {
            let number = rules::number(&self.link, n);
            match engine.store.order_by_number(self.merchant.id, &number).await? {
                Some(order) => last = Some(order),
                None => break,
            }
        }
        Ok(last)
    }
}
