//! The page behind a payment link: one address for every wallet and browser. It asks for the amount where the link has
//! none and for the way to pay, and leads to the payment page of the order that comes of it.

mod page;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use http::Method;
use paycore::branding::{Look, service as branding};
use paycore::channel::{Action, Method as PayMethod, Payer};
use paycore::error::{Code, Error, Result};
use paycore::id::LinkId;
use paycore::landing::{self, Choice, Landing};
use paycore::link::rules::Opener;
use paycore::money::Money;
use paycore::order::{Order, OrderPage, OrderStatus};
use paycore::units::UnitRule;

use crate::http::{App, finished, other_methods};
use crate::pay::html::see;
use crate::pay::texts::Texts;
use crate::pay::visit::{Browser, Visit, answered, go_on};
use crate::pay::{form, parameter};

/// Adds the page.
pub fn add(router: Router, app: &Arc<App>) -> Router {
    let (shown, chosen) = (Arc::clone(app), Arc::clone(app));
    let both = get(move |link, request| answered(Arc::clone(&shown), link, request, show))
        .post(move |link, request| answered(Arc::clone(&chosen), link, request, choose));
    router.route("/l/{link}", both.fallback(other_methods(&[&Method::GET, &Method::POST])))
}

/// A browser on the page of a link.
struct LinkVisit {
    browser: Browser,
    landing: Landing,
    look: Look,
    texts: Texts,
}

impl Visit for LinkVisit {
    const PAGE: &'static str = "link";

    async fn open(browser: Browser, address: String) -> Result<LinkVisit> {
        let id: LinkId = address.parse().map_err(|_| Error::not_found("payment link", &address))?;
        let landing = landing::open(&browser.app.engine, id, browser.opener).await?;
        let look = branding::look(&browser.app.engine, landing.merchant.id).await?;
        let texts = browser.texts.clone().with(&look);
        Ok(LinkVisit { browser, landing, look, texts })
    }

    fn here(&self) -> String {
        format!("/l/{}{}", self.landing.link.id, self.browser.query)
    }
}

impl LinkVisit {
    /// Where the browser has to go before it is shown the offer, so that its wallet tells who the payer is.
    async fn sign_in(&self) -> Result<Option<String>> {
        let (app, open) = (&self.browser.app, self.landing.closed.is_none());
        let Some(method) = self.landing.offers.first().filter(|_| open) else { return Ok(None) };
        let back = format!("{}{}", app.public_url, self.here());
        self.landing.sign_in(&app.engine, method, &back).await
    }
}

/// The offer.
async fn show(visit: LinkVisit, request: Request) -> Result<Response> {
    let LinkVisit { browser, landing, look, texts } = &visit;
    if landing.link.details.single_use
        && let Some(order) = landing.last(&browser.app.engine).await?.filter(|order| order.captured > 0)
    {
        // It is paid: whoever opens it again sees that, and no way to pay once more.
        return see(&page_of(&order, browser)?);
    }
    if browser.may_be_asked(&request)
        && let Some(there) = visit.sign_in().await?
    {
        return see(&there);
    }
    Ok(page::offer(landing, look, texts, browser.code.as_deref()))
}

/// The payer's choice becomes an order.
async fn choose(visit: LinkVisit, request: Request) -> Result<Response> {
    let body = form(request).await?;
    let LinkVisit { browser, landing, .. } = visit;
    let app = &browser.app;
    let amount = match parameter(&body, "amount").filter(|text| !text.trim().is_empty()) {
        Some(text) => Some(typed(&landing, &text)?),
        None => None,
    };
    let method: Option<PayMethod> = match parameter(&body, "method") {
        Some(text) => Some(text.parse().map_err(|_| Error::invalid("method", "Is not a method."))?),
        None => landing.offers.first().cloned(),
    };
    let mut payer = Payer { ip: browser.ip.clone(), ..Payer::default() };
    if let (Some(code), Some(method)) = (parameter(&body, "code"), &method) {
        payer.id = Some(landing.identify(&app.engine, method, &code).await?);
    }
    let (engine, choice) = (Arc::clone(&app.engine), Choice { amount, method, payer });
    // An order that was begun goes on to its end, even where the browser hangs up.
    let order = finished(app, async move { landing.pay(&engine, choice).await }).await?;
    match (&order.next_action, order.status) {
        (Some(Action::Qr { content }), OrderStatus::Pending)
            if opens_here(browser.opener, &order, content) =>
        {
            see(content)
        }
        _ => go_on(&order, &page_of(&order, &browser)?),
    }
}

/// The order's own payment page.
fn page_of(order: &Order, browser: &Browser) -> Result<String> {
    let secret = order.details.client_secret.as_ref();
    let secret = secret.ok_or_else(|| Error::internal("an order of a link without a client secret"))?;
    Ok(format!("/pay/{}{}", secret.address(OrderPage::Pay), browser.query))
}

/// Whether this wallet opens the address in its own QR code as if it had been scanned.
fn opens_here(opener: Opener, order: &Order, content: &str) -> bool {
    let own = order.methods.first().is_some_and(|method| opener.brand() == Some(method.brand()));
    own && (content.starts_with("https://") || content.starts_with("http://"))
}

/// What the payer typed, such as `12.34`, with full-width digits and the sign of the currency forgiven.
fn typed(landing: &Landing, text: &str) -> Result<i64> {
    let plain: String = text
        .trim()
        .trim_start_matches(['¥', '￥', '$', '€', '£'])
        .chars()
        .map(|c| match c {
            '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
            '．' | '。' => '.',
            other => other,
        })
        .filter(|c| !matches!(c, ' ' | ',' | '，'))
        .collect();
    let money: Option<Money> =
        UnitRule::Decimal { places: None }.from_wire(&plain, landing.link.currency).ok();
    money.map(|money| money.minor()).ok_or_else(|| {
        Error::new(Code::InvalidAmount, "Type an amount such as 12.34. 请输入金额，例如 12.34。")
            .param("amount")
    })
}
