//! What the checkout widget in a payer's browser talks to, on any merchant's page: one order by its client secret, the
//! stream of its changes, and the widget itself. The contract is `docs/reference/checkout-api.md`.

pub mod assets;
mod card;
mod events;
mod report;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, AUTHORIZATION, CONTENT_TYPE, USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use paycore::channel::Method as PayMethod;
use paycore::checkout::{self, Checkout, Choice};
use paycore::error::{Code, Error, Result};
use paycore::id::{AttemptId, CardId, CardTokenId};
use paycore::link::rules::Opener;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::http::{App, door_answered, finished, other_methods, whole_json_body};
use crate::listen::Peer;
use crate::problem::Refused;

const PUBLISHABLE_KEY: &str = "paycore-publishable-key";
const BODY_BYTES_MAX: usize = 4 * 1024;
const ANY: HeaderValue = HeaderValue::from_static("*");

/// Adds the calls and the widget's files.
pub fn add(router: Router, app: &Arc<App>) -> Router {
    let router = router
        .route("/checkout/order", door(app, Method::GET, retrieve))
        .route("/checkout/order/pay", door(app, Method::POST, pay))
        .route("/checkout/order/release", door(app, Method::POST, release))
        .route("/checkout/order/events", door(app, Method::GET, events::stream))
        .route("/checkout/cards/delete", door(app, Method::POST, delete_card));
    assets::add(card::add(report::add(router, app), app))
}

/// A call by a browser, with the order that its secret opens.
struct Visit {
    app: Arc<App>,
    checkout: Checkout,
    opener: Opener,
    request: Request,
}

fn door<F>(app: &Arc<App>, method: Method, call: fn(Visit) -> F) -> MethodRouter
where
    F: Future<Output = Result<Response>> + Send + 'static,
{
    let app = Arc::clone(app);
    let refuse = other_methods(&[&method]);
    let handler = move |request: Request| answered(Arc::clone(&app), request, call);
    let routes = if method == Method::POST { post(handler) } else { get(handler) };
    routes.fallback(move |method: Method| {
        let refused = refuse(method.clone());
        async move { if method == Method::OPTIONS { preflight() } else { for_any_origin(refused.await) } }
    })
}

async fn answered<F>(app: Arc<App>, request: Request, call: fn(Visit) -> F) -> Response
where
    F: Future<Output = Result<Response>> + Send + 'static,
{
    let visit = Visit::of(app, request).await;
    let (merchant, answer) = match visit {
        Ok(visit) => (Some(visit.checkout.merchant.id), call(visit).await),
        Err(error) => (None, Err(error)),
    };
    let response = answer.unwrap_or_else(|error| Refused::from(error).into_response());
    for_any_origin(door_answered(response, "checkout", merchant))
}

impl Visit {
    async fn of(app: Arc<App>, request: Request) -> Result<Visit> {
        let secret = bearer(request.headers())?;
        if let Some(limiter) = &app.limiter {
            let left = limiter.take(&Sha256::digest(secret.as_bytes()).into());
            left.refused().map_or(Ok(()), Err)?;
        }
        let checkout = checkout::open(&app.engine, secret).await?;
        if !app.sandbox && !checkout.merchant.livemode {
            let detail = "The sandbox is switched off on this server; start it with `--sandbox`.";
            return Err(Error::new(Code::Forbidden, detail));
        }
        check_publishable_key(&app, request.headers(), &checkout).await?;
        let opener = Opener::of(header(request.headers(), USER_AGENT.as_str()));
        Ok(Visit { app, checkout, opener, request })
    }

    /// The address the call came from, where no proxy stands between.
    fn ip(&self) -> Option<String> {
        self.request.extensions().get::<ConnectInfo<Peer>>().map(|peer| peer.0.0.ip().to_string())
    }

    fn show(&self, checkout: &Checkout) -> Response {
        let json = serde_json::to_vec(&checkout.view(&self.app.engine, self.opener));
        let json = json.expect("a view is a plain struct with string keys");
        ([(CONTENT_TYPE, "application/json")], json).into_response()
    }
}

/// The client secret of a request.
fn bearer(headers: &HeaderMap) -> Result<&str> {
    let secret = header(headers, AUTHORIZATION.as_str()).strip_prefix("Bearer ");
    secret.filter(|secret| secret.starts_with("cs_")).ok_or_else(|| {
        let detail = "Send the order's client secret as `Authorization: Bearer cs_…`.";
        Error::new(Code::Unauthenticated, detail)
    })
}

/// A publishable key gives nothing, but one of another merchant is a mistake in the page that is better told.
async fn check_publishable_key(app: &App, headers: &HeaderMap, checkout: &Checkout) -> Result<()> {
    let key = header(headers, PUBLISHABLE_KEY);
    if key.is_empty() {
        return Ok(());
    }
    let caller = app.keys.publishable(&app.engine, key).await?;
    if caller.is_some_and(|caller| caller.tenant() == checkout.merchant.id) {
        return Ok(());
    }
    let detail = "This publishable key is not one of the merchant whose order this is.";
    Err(Error::new(Code::Unauthenticated, detail).param("Paycore-Publishable-Key"))
}

async fn retrieve(visit: Visit) -> Result<Response> {
    Ok(visit.show(&visit.checkout))
}

/// What `pay` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pay {
    method: PayMethod,
    #[serde(default)]
    after: Option<AttemptId>,
    #[serde(default)]
    card_token: Option<CardTokenId>,
    #[serde(default)]
    card: Option<CardId>,
    #[serde(default)]
    save: Option<String>,
    #[serde(default)]
    code: Option<String>,
}

async fn pay(mut visit: Visit) -> Result<Response> {
    let ip = visit.ip();
    let Pay { method, after, card_token, card, save, code } = body(&mut visit).await?;
    let choice = Choice { method, after, ip, card_token, card, save, code };
    let (engine, checkout) = (Arc::clone(&visit.app.engine), visit.checkout.clone());
    let work = async move { checkout.pay(&engine, choice).await };
    let checkout = finished(&visit.app, work).await?;
    Ok(visit.show(&checkout))
}

/// What `delete_card` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeleteCard {
    card_id: CardId,
}

async fn delete_card(mut visit: Visit) -> Result<Response> {
    let input: DeleteCard = body(&mut visit).await?;
    let (engine, checkout) = (Arc::clone(&visit.app.engine), visit.checkout.clone());
    let checkout =
        finished(&visit.app, async move { checkout.delete_card(&engine, input.card_id).await }).await?;
    Ok(visit.show(&checkout))
}

/// What `release` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    attempt_id: AttemptId,
}

async fn release(mut visit: Visit) -> Result<Response> {
    let input: Release = body(&mut visit).await?;
    let (engine, checkout) = (Arc::clone(&visit.app.engine), visit.checkout.clone());
    let work = async move { checkout.release(&engine, input.attempt_id).await };
    let checkout = finished(&visit.app, work).await?;
    Ok(visit.show(&checkout))
}

async fn body<T: for<'de> Deserialize<'de>>(visit: &mut Visit) -> Result<T> {
    let request = std::mem::take(&mut visit.request);
    let request = whole_json_body(request, BODY_BYTES_MAX).await?;
    serde_json::from_slice(request.body()).map_err(|error| Error::invalid("body", error.to_string()))
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Merchants' pages are anywhere. Nothing here knows a cookie, so that another origin gains nothing by calling.
fn for_any_origin(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("request-id, retry-after"));
    response
}

fn preflight() -> Response {
    let mut response = for_any_origin(StatusCode::NO_CONTENT.into_response());
    let headers = response.headers_mut();
    let allowed = "authorization, content-type, last-event-id, paycore-publishable-key";
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    door_answered(response, "checkout", None)
}
