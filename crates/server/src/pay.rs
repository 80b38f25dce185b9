//! The hosted payment page: one order, in the merchant's looks, for every browser. It works in forms and links alone;
//! where scripts run, the checkout widget takes over. Its address is made from the client secret and does not tell it.

mod assets;
pub mod html;
pub mod receipt;
pub mod texts;
pub mod view;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, Method};
use paycore::branding::{Look, service as branding};
use paycore::channel::Action;
use paycore::checkout::{self, Checkout, Choice};
use paycore::error::{Code, Error, Result};
use paycore::link::rules::Opener;
use paycore::order::{OrderPage, OrderStatus};
use sha2::{Digest as _, Sha256};

use self::html::{Sheet, escape, see};
use self::texts::Texts;
use self::view::{Page, Stage};
use crate::http::{App, finished, other_methods, whole_body};
use crate::listen::Peer;
use crate::problem::Refused;

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
pub(crate) struct Visit {
    pub(crate) app: Arc<App>,
    pub(crate) checkout: Checkout,
    pub(crate) look: Look,
    pub(crate) texts: Texts,
    pub(crate) query: String,
    address: String,
    opener: Opener,
    plain: bool,
    ip: Option<String>,
}

impl Visit {
    pub(crate) async fn of(app: Arc<App>, page: OrderPage, address: &str, request: &Parts) -> Result<Visit> {
        if let Some(limiter) = &app.limiter {
            let left = limiter.take(&Sha256::digest(address.as_bytes()).into());
            left.refused().map_or(Ok(()), Err)?;
        }
        let checkout = checkout::open_page(&app.engine, page, address).await?;
        if !app.sandbox && !checkout.merchant.livemode {
            let detail = "The sandbox is switched off on this server; start it with `--sandbox`.";
            return Err(Error::new(Code::Forbidden, detail));
        }
        let look = branding::look(&app.engine, checkout.merchant.id).await?;
        let texts = texts_of(request).with(&look);
        let query = request.uri.query().unwrap_or_default().as_bytes();
        let plain = parameter(query, "plain").is_some();
        let locale = parameter(query, "locale").map(|_| format!("locale={}", texts.tag));
        let kept: Vec<String> = locale.into_iter().chain(plain.then(|| "plain=1".to_owned())).collect();
        let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
        let ip = request.extensions.get::<ConnectInfo<Peer>>().map(|peer| peer.0.0.ip().to_string());
        let opener = Opener::of(header(&request.headers, USER_AGENT.as_str()));
        Ok(Visit { app, checkout, look, texts, query, address: address.to_owned(), opener, plain, ip })
    }

    fn here(&self) -> String {
        format!("/pay/{}", self.address)
    }

    /// The page as the order is now.
    fn page(&self, checkout: &Checkout, trouble: Option<Code>) -> Response {
        let view = checkout.view(&self.app.engine, self.opener);
        let stage = Stage::of(&view);
        let widget =
            !self.plain && html::widget().is_some() && checkout.order.details.client_secret.is_some();
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
            here: &self.here(),
            query: &self.query,
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

async fn answered<F>(
    app: Arc<App>,
    Path(address): Path<String>,
    request: Request,
    then: fn(Visit, Request) -> F,
) -> Response
where
    F: Future<Output = Result<Response>>,
{
    let (parts, body) = request.into_parts();
    let texts = texts_of(&parts);
    let page = match Visit::of(app, OrderPage::Pay, &address, &parts).await {
        Ok(visit) => then(visit, Request::from_parts(parts, body)).await,
        Err(error) => Err(error),
    };
    page.unwrap_or_else(|error| sorry("pay", &texts, &error, None))
}

async fn show(visit: Visit, _: Request) -> Result<Response> {
    Ok(visit.page(&visit.checkout, None))
}

/// Starts the payment by the chosen method. The form says which attempt it follows, so that a form that is posted twice
/// starts one.
async fn choose(visit: Visit, request: Request) -> Result<Response> {
    let form = form(request).await?;
    let method = parameter(&form, "method").and_then(|text| text.parse().ok());
    let method = method.ok_or_else(|| Error::invalid("method", "Is not a method."))?;
    let after = match parameter(&form, "after").filter(|text| !text.is_empty()) {
        Some(text) => {
            Some(text.parse().map_err(|_| Error::invalid("after", "Is not the id of an attempt."))?)
        }
        None => None,
    };
    let choice = Choice { method, after, ip: visit.ip.clone(), card_token: None, card: None, save: None };
    let (engine, checkout) = (Arc::clone(&visit.app.engine), visit.checkout.clone());
    let work = async move { checkout.pay(&engine, choice).await };
    match finished(&visit.app, work).await {
        Ok(checkout) => go_on(&visit, &checkout),
        Err(error) => trouble(&visit, error).await,
    }
}

/// Gives the attempt up that the form names, for another.
async fn release(visit: Visit, request: Request) -> Result<Response> {
    let form = form(request).await?;
    let attempt = parameter(&form, "attempt_id").and_then(|text| text.parse().ok());
    let attempt = attempt.ok_or_else(|| Error::invalid("attempt_id", "Is not the id of an attempt."))?;
    let (engine, checkout) = (Arc::clone(&visit.app.engine), visit.checkout.clone());
    let work = async move { checkout.release(&engine, attempt).await };
    match finished(&visit.app, work).await {
        Ok(_) => see(&format!("{}{}", visit.here(), visit.query)),
        Err(error) => trouble(&visit, error).await,
    }
}

/// To the channel's own page where the payment goes on there, and back to ours otherwise.
fn go_on(visit: &Visit, checkout: &Checkout) -> Result<Response> {
    match (&checkout.order.next_action, checkout.order.status) {
        (Some(Action::Redirect { url }), OrderStatus::Pending) => see(url),
        _ => see(&format!("{}{}", visit.here(), visit.query)),
    }
}

/// The page again, with what went wrong on top of it.
async fn trouble(visit: &Visit, error: Error) -> Result<Response> {
    if error.code == Code::Internal {
        return Err(error);
    }
    let now = visit.checkout.again(&visit.app.engine).await?;
    Ok(visit.page(&now, Some(error.code)))
}

/// Something that cannot be done, said to the payer.
pub(crate) fn sorry(page: &'static str, texts: &Texts, error: &Error, again: Option<&str>) -> Response {
    if error.code == Code::Internal {
        return Refused::from(error.clone()).into_response();
    }
    let title = if texts.chinese() { error.code.title_zh() } else { error.code.title() };
    let mut body = format!(
        "<section class=\"Pay\"><h1 class=\"Title\">{}</h1><p class=\"bad\" role=\"alert\">{}</p>",
        escape(title),
        escape(&error.detail)
    );
    if let Some(again) = again {
        body.push_str(&html::button(again, texts.say("retry"), false));
    }
    body.push_str("</section>");
    let look = Look::default();
    let sheet = Sheet {
        page,
        title,
        texts,
        merchant: None,
        look: &look,
        widget: false,
        refresh: None,
        script: None,
        body,
    };
    sheet.answer(error.code.status())
}

/// The language of a request.
pub(crate) fn texts_of(request: &Parts) -> Texts {
    let query = request.uri.query().unwrap_or_default().as_bytes();
    Texts::of(&request.headers, parameter(query, "locale").as_deref())
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
