//! The hosted payment page: one order, in the merchant's looks, for every browser. It works in forms and links alone;
//! where scripts run, the checkout widget takes over. Its address is made from the client secret and does not tell it.

mod assets;
pub mod html;
pub mod receipt;
pub mod texts;
pub mod view;
pub(crate) mod visit;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use paycore::branding::{Look, service as branding};
use paycore::channel::Action;
use paycore::checkout::{self, Checkout, Choice};
use paycore::error::{Code, Error, Result};
use paycore::order::OrderPage;
use sha2::{Digest as _, Sha256};

use self::html::{Sheet, see};
use self::texts::Texts;
use self::view::{Page, Stage};
use self::visit::{Browser, Visit, answered, go_on};
use crate::http::{App, finished, other_methods, whole_body};

/// A form with a method and what it follows, or with an amount and a wallet's code.
pub(crate) const FORM_BYTES_MAX: usize = 4 * 1024;
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Adds the pages.
pub fn add(router: Router, app: &Arc<App>) -> Router {
    let (shown, chosen, given_up) = (Arc::clone(app), Arc::clone(app), Arc::clone(app));
    let page = get(move |address, request| answered(Arc::clone(&shown), address, request, show))
        .post(move |address, request| answered(Arc::clone(&chosen), address, request, choose));
    let release = post(move |address, request| answered(Arc::clone(&given_up), address, request, release));
    let router = router
        .route("/pay/{address}", page.fallback(other_methods(&[&Method::GET, &Method::POST])))
        .route("/pay/{address}/release", release.fallback(other_methods(&[&Method::POST])));
    assets::add(receipt::add(router, app), app)
}

/// A browser on a page of an order.
pub(crate) struct OrderVisit {
    pub(crate) browser: Browser,
    pub(crate) checkout: Checkout,
    pub(crate) look: Look,
    pub(crate) texts: Texts,
    address: String,
}

impl Visit for OrderVisit {
    const PAGE: &'static str = "pay";

    async fn open(browser: Browser, address: String) -> Result<OrderVisit> {
        OrderVisit::of(browser, OrderPage::Pay, address).await
    }

    fn here(&self) -> String {
        format!("{}{}", self.path(), self.browser.query)
    }
}

impl OrderVisit {
    pub(crate) async fn of(browser: Browser, page: OrderPage, address: String) -> Result<OrderVisit> {
        let app = &browser.app;
        if let Some(limiter) = &app.limiter {
            let left = limiter.take(&Sha256::digest(address.as_bytes()).into());
            left.refused().map_or(Ok(()), Err)?;
        }
        let checkout = checkout::open_page(&app.engine, page, &address).await?;
        if !app.sandbox && !checkout.merchant.livemode {
            let detail = "The sandbox is switched off on this server; start it with `--sandbox`.";
            return Err(Error::new(Code::Forbidden, detail));
        }
        let look = branding::look(&app.engine, checkout.merchant.id).await?;
        let texts = browser.texts.clone().with(&look);
        Ok(OrderVisit { browser, checkout, look, texts, address })
    }

    fn path(&self) -> String {
        format!("/pay/{}", self.address)
    }

    /// Where the browser has to go before it is shown how to pay, so that its wallet tells who the payer is.
    async fn sign_in(&self) -> Result<Option<String>> {
        let Browser { app, opener, .. } = &self.browser;
        if Stage::of(&self.checkout.view(&app.engine, *opener)) != Stage::Choose {
            return Ok(None);
        }
        let back = format!("{}{}", app.public_url, self.here());
        self.checkout.sign_in(&app.engine, *opener, &back).await
    }

    /// The page as the order is now.
    fn page(&self, checkout: &Checkout, trouble: Option<Code>) -> Response {
        let view = checkout.view(&self.browser.app.engine, self.browser.opener);
        let stage = Stage::of(&view);
        let widget =
            !self.browser.plain && html::widget().is_some() && checkout.order.details.client_secret.is_some();
        let secret = checkout.order.details.client_secret.as_ref();
        let receipt = secret.map(|secret| format!("/receipt/{}", secret.address(OrderPage::Receipt)));
        let page = Page {
            checkout,
            view: &view,
            look: &self.look,
            texts: &self.texts,
            widget,
            trouble,
            receipt: receipt.unwrap_or_default(),
            path: &self.path(),
            query: &self.browser.query,
            code: self.browser.code.as_deref(),
        };
        // What a wallet or a channel needs a script for, the widget does itself.
        let script = match view.next_action.filter(|_| stage == Stage::Act && !widget) {
            Some(Action::Client { .. }) => Some("wallet"),
            Some(Action::Form { .. }) => Some("submit"),
            _ => None,
        };
        let title = format!(
            "{} · {}",
            self.texts.fill("pay", &checkout.order.money.display()),
            checkout.merchant.name
        );
        let sheet = Sheet {
            page: "pay",
            title: &title,
            texts: &self.texts,
            merchant: Some(&checkout.merchant),
            look: &self.look,
            widget,
            refresh: stage.refresh().filter(|_| script.is_none()),
            script,
            body: page.body(),
        };
        sheet.answer(trouble.map_or(200, Code::status))
    }
}

async fn show(visit: OrderVisit, request: Request) -> Result<Response> {
    if visit.browser.may_be_asked(&request)
        && let Some(there) = visit.sign_in().await?
    {
        return see(&there);
    }
    Ok(visit.page(&visit.checkout, None))
}

/// Starts the payment by the chosen method. The form says which attempt it follows, so that a form that is posted twice
/// starts one.
async fn choose(visit: OrderVisit, request: Request) -> Result<Response> {
    let form = form(request).await?;
    let method = parameter(&form, "method").and_then(|text| text.parse().ok());
    let method = method.ok_or_else(|| Error::invalid("method", "Is not a method."))?;
    let after = match parameter(&form, "after").filter(|text| !text.is_empty()) {
        Some(text) => {
            Some(text.parse().map_err(|_| Error::invalid("after", "Is not the id of an attempt."))?)
        }
        None => None,
    };
    let code = parameter(&form, "code");
    let coded = code.is_some();
    let ip = visit.browser.ip.clone();
    let choice = Choice { method, after, ip, card_token: None, card: None, save: None, code };
    let app = &visit.browser.app;
    let (engine, checkout) = (Arc::clone(&app.engine), visit.checkout.clone());
    let work = async move { checkout.pay(&engine, choice).await };
    match finished(app, work).await {
        Ok(checkout) => go_on(&checkout.order, &visit.here()),
        // The code may be spent: another try begins with another one.
        Err(error) if coded => Err(error),
        Err(error) => trouble(&visit, error).await,
    }
}

/// Gives the attempt up that the form names, for another.
async fn release(visit: OrderVisit, request: Request) -> Result<Response> {
    let form = form(request).await?;
    let attempt = parameter(&form, "attempt_id").and_then(|text| text.parse().ok());
    let attempt = attempt.ok_or_else(|| Error::invalid("attempt_id", "Is not the id of an attempt."))?;
    let app = &visit.browser.app;
    let (engine, checkout) = (Arc::clone(&app.engine), visit.checkout.clone());
    let work = async move { checkout.release(&engine, attempt).await };
    match finished(app, work).await {
        Ok(_) => see(&visit.here()),
        Err(error) => trouble(&visit, error).await,
    }
}

/// The page again, with what went wrong on top of it.
async fn trouble(visit: &OrderVisit, error: Error) -> Result<Response> {
    if error.code == Code::Internal {
        return Err(error);
    }
    let now = visit.checkout.again(&visit.browser.app.engine).await?;
    Ok(visit.page(&now, Some(error.code)))
}

/// The body of a form of ours.
pub(crate) async fn form(request: Request) -> Result<bytes::Bytes> {
    if header(request.headers(), CONTENT_TYPE.as_str()).split(';').next() != Some(FORM) {
        return Err(Error::invalid("body", "Must be the form of the page."));
    }
    Ok(whole_body(request, FORM_BYTES_MAX).await?.into_body())
}

/// A field of a form or of a query.
pub(crate) fn parameter(form: &[u8], name: &str) -> Option<String> {
    let mut fields = url::form_urlencoded::parse(form);
    fields.find(|(field, _)| field == name).map(|(_, value): (_, Cow<'_, str>)| value.into_owned())
}

/// A header as text.
pub(crate) fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
