//! What a cashier does at the till: begin a sale, show its code or scan the payer's, see how it went. Each sale is a
//! payment link that is paid once, so that however it is paid, and however often the browser asks again, it is charged
//! once.

use std::sync::Arc;

use crate::currency::Currency;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::LinkId;
use crate::landing::{self, Landing};
use crate::link::rules::Opener;
use crate::link::service as links;
use crate::link::service::{CreateLink, LinkView, UpdateLink};
use crate::merchant::Scope;
use crate::merchant::service::authenticate;
use crate::order::service::{ListOrders, OrderById};
use crate::order::{Metadata, Order, OrderStatus, service as orders};

/// The note that tells who took a payment: an order's metadata has the id of the cashier's key under this key.
pub const NOTE: &str = "cashier";
/// A payer at the till pays soon or not at all.
const LIFETIME: u64 = 15 * 60;
/// How many payments a cashier sees.
const SALES: usize = 20;

/// A cashier who is signed in.
#[derive(Debug, Clone)]
pub struct Till {
    caller: Caller,
}

/// Signs in with a cashier's key.
pub async fn open(engine: &Engine, key: &str) -> Result<Till> {
    let known =
        if key.starts_with("ck_") && key.len() <= 128 { authenticate(engine, key).await? } else { None };
    let caller = known.filter(|caller| caller.scopes.contains(&Scope::Cashier)).ok_or_else(|| {
        let detail = "This sign-in is not known, or it was ended. Ask for a new one. 登录无效或已停用，请重新获取登录链接。";
        Error::new(Code::Unauthenticated, detail)
    })?;
    let scopes: Arc<[Scope]> = [Scope::OrdersRead, Scope::OrdersWrite].into();
    Ok(Till { caller: Caller { scopes, ..caller } })
}

impl Till {
    /// Whose till it is.
    pub fn merchant(&self) -> &crate::merchant::Merchant {
        &self.caller.merchant
    }

    /// Begins a sale: its address is the code to show.
    pub async fn begin(&self, engine: &Engine, amount: i64, currency: Currency) -> Result<LinkView> {
        let metadata: Metadata = [(NOTE.to_owned(), self.caller.actor.clone())].into();
        let input = CreateLink {
            amount: Some(amount),
            currency,
            amount_max: None,
            subject: self.caller.merchant.name.clone(),
            single_use: true,
            methods: Vec::new(),
            notify_url: None,
            return_url: None,
            metadata,
            expires_in: Some(LIFETIME),
        };
        links::create(engine, &self.caller, input).await
    }

    /// Charges the payer's barcode (付款码) for a sale.
    pub async fn scan(&self, engine: &Engine, sale: LinkId, auth_code: &str) -> Result<Order> {
        Box::pin(self.sale(engine, sale).await?.scan(engine, auth_code)).await
    }

    /// How a sale stands: its last order, if there is one yet.
    pub async fn look(&self, engine: &Engine, sale: LinkId) -> Result<Option<Order>> {
        self.sale(engine, sale).await?.last(engine).await
    }

    /// Gives a sale up: its code ends, and what was begun is closed. The answer says what became of it, since a payer
    /// may have been faster.
    pub async fn cancel(&self, engine: &Engine, sale: LinkId) -> Result<Option<Order>> {
        let landing = self.sale(engine, sale).await?;
        let off = UpdateLink { id: sale, enabled: Some(false), subject: None };
        links::update(engine, &self.caller, off).await?;
        match landing.last(engine).await? {
            Some(order) if matches!(order.status, OrderStatus::Pending | OrderStatus::Processing) => {
                orders::close(engine, &self.caller, OrderById { id: order.id }).await.map(Some)
            }
            ended => Ok(ended),
        }
    }

    /// This cashier's last payments, newest first.
    pub async fn sales(&self, engine: &Engine) -> Result<Vec<Order>> {
        let input = ListOrders { limit: Some(100), ..ListOrders::default() };
        let (_, mut rows) = orders::list(engine, &self.caller, input).await?;
        rows.retain(|order| order.details.metadata.get(NOTE) == Some(&self.caller.actor));
        rows.truncate(SALES);
        Ok(rows)
    }

    /// A sale of this cashier's.
    async fn sale(&self, engine: &Engine, id: LinkId) -> Result<Landing> {
        let unknown = || Error::not_found("sale", id);
        let landing = landing::open(engine, id, Opener::Desk).await?;
        let own = landing.link.details.metadata.get(NOTE) == Some(&self.caller.actor);
        if own && landing.merchant.id == self.caller.tenant() { Ok(landing) } else { Err(unknown()) }
    }
}
