//! The cashier page of a shop: an amount pad, a code for the payer, a box for the scanner, and how it went. The browser
//! has a cashier's key, which opens these calls and none of the API's.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use bytes::Bytes;
use fast_qr::QRBuilder;
use fast_qr::convert::svg::SvgBuilder;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method};
use paycore::cashier::{self, Till};
use paycore::currency::Currency;
use paycore::error::{Code, Error, Result};
use paycore::id::LinkId;
use paycore::order::{Order, OrderPage};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::http::{App, NOSNIFF, door_answered, finished, other_methods, page_answered, whole_json_body};
use crate::pay::html::inventory;
use crate::pay::texts::Texts;
use crate::pay::{header, parameter};
use crate::problem::Refused;

const BODY_BYTES_MAX: usize = 1024;
/// Our own script and style, nothing inline, no frames; the code is a picture in the answer.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; report-uri /checkout/report?page=cashier",
);
const SCRIPT: &str = "/cashier/assets/cashier.js";
const FILES: &[(&str, &str, &str)] = &[
    ("/cashier/assets/cashier.css", "text/css; charset=utf-8", include_str!("cashier/cashier.css")),
    (SCRIPT, "text/javascript; charset=utf-8", include_str!("cashier/cashier.js")),
];

/// Adds the page and its calls.
pub fn add(router: Router, app: &Arc<App>) -> Router {
    let router = FILES.iter().fold(router, |router, &(path, kind, text)| {
        let answer = get(move || std::future::ready(file(kind, text.into())));
        router.route(path, answer.fallback(other_methods(&[&Method::GET])))
    });
    let text = Bytes::from(page());
    let page = get(move || std::future::ready(file("text/html; charset=utf-8", text.clone())));
    router
        .route("/cashier", page.fallback(other_methods(&[&Method::GET])))
        .route("/cashier/till", door(app, Method::GET, till))
        .route("/cashier/sales", door(app, Method::GET, sales).merge(door(app, Method::POST, begin)))
        .route("/cashier/sales/{sale}", door(app, Method::GET, look))
        .route("/cashier/sales/{sale}/scan", door(app, Method::POST, scan))
        .route("/cashier/sales/{sale}/cancel", door(app, Method::POST, cancel))
}

/// The page, with the inventory of what it is made with. Whose till it is, is not known before the key is typed.
fn page() -> String {
    let inventory = inventory(&[SCRIPT.to_owned()], "/checkout/report?page=cashier", &guards());
    include_str!("cashier/cashier.html").replace("{inventory}", &inventory)
}

fn guards() -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (X_CONTENT_TYPE_OPTIONS, NOSNIFF),
    ])
}

fn file(kind: &'static str, text: Bytes) -> Response {
    let mut response = ([(CONTENT_TYPE, kind)], text).into_response();
    response.headers_mut().extend(guards());
    page_answered(response)
}

/// A call by a cashier's browser.
struct Visit {
    app: Arc<App>,
    till: Till,
    /// The sale in the address, where there is one.
    sale: Option<String>,
    /// The cashier's language.
    texts: Texts,
    request: Request,
}

fn door<F>(app: &Arc<App>, method: Method, call: fn(Visit) -> F) -> MethodRouter
where
    F: Future<Output = Result<Value>> + Send + 'static,
{
    let app = Arc::clone(app);
    let handler = move |sale: Option<Path<String>>, request: Request| {
        answered(Arc::clone(&app), sale.map(|Path(sale)| sale), request, call)
    };
    if method == Method::POST { post(handler) } else { get(handler) }
}

async fn answered<F>(app: Arc<App>, sale: Option<String>, request: Request, call: fn(Visit) -> F) -> Response
where
    F: Future<Output = Result<Value>> + Send + 'static,
{
    let visit = Visit::of(app, sale, request).await;
    let (merchant, answer) = match visit {
        Ok(visit) => (Some(visit.till.merchant().id), call(visit).await),
        Err(error) => (None, Err(error)),
    };
    let response = match answer {
        Ok(json) => ([(CONTENT_TYPE, "application/json")], json.to_string()).into_response(),
        Err(error) => Refused::from(error).into_response(),
    };
    door_answered(response, "cashier", merchant)
}

impl Visit {
    async fn of(app: Arc<App>, sale: Option<String>, request: Request) -> Result<Visit> {
        let key =
            header(request.headers(), AUTHORIZATION.as_str()).strip_prefix("Bearer ").unwrap_or_default();
        if let Some(limiter) = &app.limiter {
            let left = limiter.take(&Sha256::digest(key.as_bytes()).into());
            left.refused().map_or(Ok(()), Err)?;
        }
        let till = cashier::open(&app.engine, key).await?;
        if !app.sandbox && !till.merchant().livemode {
            let detail = "The sandbox is switched off on this server; start it with `--sandbox`.";
            return Err(Error::new(Code::Forbidden, detail));
        }
        let texts = Texts::of(request.headers(), None);
        Ok(Visit { app, till, sale, texts, request })
    }

    fn sale(&self) -> Result<LinkId> {
        let sale = self.sale.as_deref().unwrap_or_default();
        sale.parse().map_err(|_| Error::not_found("sale", sale))
    }

    async fn body<T: for<'de> Deserialize<'de>>(&mut self) -> Result<T> {
        let request = std::mem::take(&mut self.request);
        let request = whole_json_body(request, BODY_BYTES_MAX).await?;
        serde_json::from_slice(request.body()).map_err(|error| Error::invalid("body", error.to_string()))
    }

    fn shown(&self, order: &Order) -> Value {
        let secret = order.details.client_secret.as_ref();
        let receipt = secret.map(|secret| self.app.engine.page_url(secret, OrderPage::Receipt));
        json!({
            "status": order.status,
            "closing": order.closing,
            "amount": order.money.minor(),
            "currency": order.currency(),
            "display": order.money.display(),
            "method": order.methods.first(),
            "brand": order.methods.first().map(|method| self.texts.brand(method)),
            "number": order.number,
            "time": order.created_at.beijing(),
            "receipt_url": receipt,
        })
    }

    /// How a sale stands: `open` until somebody begins to pay.
    fn state(&self, sale: LinkId, order: Option<&Order>) -> Value {
        let mut state = order.map_or_else(|| json!({"status": "open"}), |order| self.shown(order));
        state["id"] = json!(sale);
        state
    }
}

/// Whose till it is, and how its currency is written.
async fn till(visit: Visit) -> Result<Value> {
    let query = visit.request.uri().query().unwrap_or_default().as_bytes();
    let code = parameter(query, "currency").unwrap_or_else(|| "CNY".to_owned());
    let currency = Currency::parse(&code).map_err(|_| {
        Error::new(Code::InvalidCurrency, "Must be an ISO 4217 code, such as `CNY`.").param("currency")
    })?;
    let merchant = visit.till.merchant();
    Ok(json!({
        "merchant": merchant.name,
        "livemode": merchant.livemode,
        "currency": currency,
        "symbol": currency.symbol(),
        "exponent": currency.exponent(),
    }))
}

/// What `begin` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    amount: i64,
    currency: Currency,
}

async fn begin(mut visit: Visit) -> Result<Value> {
    let input: Begin = visit.body().await?;
    let link = visit.till.begin(&visit.app.engine, input.amount, input.currency).await?;
    let code = QRBuilder::new(link.url.as_str())
        .build()
        .map_err(|_| Error::internal("an address that is no code"))?;
    Ok(json!({"id": link.id, "status": "open", "url": link.url, "code": SvgBuilder::default().to_str(&code)}))
}

async fn look(visit: Visit) -> Result<Value> {
    let sale = visit.sale()?;
    let order = visit.till.look(&visit.app.engine, sale).await?;
    Ok(visit.state(sale, order.as_ref()))
}

/// What `scan` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scan {
    auth_code: String,
}

async fn scan(mut visit: Visit) -> Result<Value> {
    let sale = visit.sale()?;
    let input: Scan = visit.body().await?;
    let (engine, till) = (Arc::clone(&visit.app.engine), visit.till.clone());
    let work = Box::pin(async move { till.scan(&engine, sale, input.auth_code.trim()).await });
    let order = finished(&visit.app, work).await?;
    Ok(visit.state(sale, Some(&order)))
}

async fn cancel(visit: Visit) -> Result<Value> {
    let sale = visit.sale()?;
    let (engine, till) = (Arc::clone(&visit.app.engine), visit.till.clone());
    let order = finished(&visit.app, async move { till.cancel(&engine, sale).await }).await?;
    let mut state = visit.state(sale, order.as_ref());
    if order.is_none() {
        state["status"] = json!("closed");
    }
    Ok(state)
}

async fn sales(visit: Visit) -> Result<Value> {
    let rows = visit.till.sales(&visit.app.engine).await?;
    Ok(json!({"data": rows.iter().map(|order| visit.shown(order)).collect::<Vec<_>>()}))
}
