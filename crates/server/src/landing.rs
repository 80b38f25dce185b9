//! The pages behind a payment link: one address for every wallet and browser. They work without scripts but for the
//! two places where a wallet wants one: its own client library, and a form that a channel wants posted.

mod page;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, USER_AGENT,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use paycore::channel::{Action, Method as PayMethod, Payer};
use paycore::error::{Code, Error, Result};
use paycore::id::{LinkId, OrderId};
use paycore::landing::{self, Choice, Landing};
use paycore::link::rules::Opener;
use paycore::money::Money;
use paycore::order::{Order, OrderStatus};
use paycore::units::UnitRule;

use crate::http::{App, other_methods, page_answered, whole_body};
use crate::problem::{Refused, prefers_chinese};

/// A form with an amount, a method and a wallet's code.
const FORM_BYTES_MAX: usize = 4 * 1024;
/// Own scripts and styles only; forms may lead to a channel's cashier, on any https address.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
                      form-action 'self' https:; frame-ancestors 'none'";
const FORM: &str = "application/x-www-form-urlencoded";

/// Adds the pages.
pub fn add(router: Router, app: &Arc<App>) -> Router {
    let (shown, chosen, result) = (Arc::clone(app), Arc::clone(app), Arc::clone(app));
    let assets = [
        ("/l/assets/page.css", "text/css; charset=utf-8", include_str!("landing/page.css")),
        ("/l/assets/wallet.js", "text/javascript; charset=utf-8", include_str!("landing/wallet.js")),
        ("/l/assets/submit.js", "text/javascript; charset=utf-8", include_str!("landing/submit.js")),
    ];
    let router = assets.into_iter().fold(router, |router, (path, kind, text)| {
        let asset =
            get(move || std::future::ready(page_answered(([(CONTENT_TYPE, kind)], text).into_response())));
        router.route(path, asset.fallback(other_methods(&[&Method::GET])))
    });
    let both = get(move |link, request| answered(shown, link, request, show))
        .post(move |link, request| answered(chosen, link, request, choose));
    router.route("/l/{link}", both.fallback(other_methods(&[&Method::GET, &Method::POST]))).route(
        "/l/{link}/{order}",
        get(move |Path((link, order)): Path<(String, String)>, request: Request| async move {
            let (parts, _) = request.into_parts();
            let visit = match Visit::of(result, &link, &parts.headers).await {
                Ok(visit) => visit,
                Err(error) => return refused(&parts.headers, &error),
            };
            let page = status(&visit, &order).await;
            page.unwrap_or_else(|error| visit.sorry(&error))
        })
        .fallback(other_methods(&[&Method::GET])),
    )
}

/// Somebody who opened a link.
struct Visit {
    app: Arc<App>,
    landing: Landing,
    opener: Opener,
    chinese: bool,
}

impl Visit {
    async fn of(app: Arc<App>, link: &str, headers: &HeaderMap) -> Result<Visit> {
        let id: LinkId = link.parse().map_err(|_| Error::not_found("payment link", link))?;
        let opener = Opener::of(header(headers, USER_AGENT.as_str()));
        let landing = landing::open(&app.engine, id, opener).await?;
        Ok(Visit { app, landing, opener, chinese: prefers_chinese(headers) })
    }

    fn address(&self) -> String {
        format!("{}/l/{}", self.app.public_url, self.landing.link.id)
    }

    fn sorry(&self, error: &Error) -> Response {
        let again = format!("/l/{}", self.landing.link.id);
        html(error.code.status(), page::sorry(error, Some(&again), self.chinese))
    }
}

async fn answered<F>(
    app: Arc<App>,
    Path(link): Path<String>,
    request: Request,
    then: fn(Visit, Request) -> F,
) -> Response
where
    F: Future<Output = (Visit, Result<Response>)>,
{
    let (parts, body) = request.into_parts();
    match Visit::of(app, &link, &parts.headers).await {
        Ok(visit) => {
            let (visit, page) = then(visit, Request::from_parts(parts, body)).await;
            page.unwrap_or_else(|error| visit.sorry(&error))
        }
        Err(error) => refused(&parts.headers, &error),
    }
}

fn refused(headers: &HeaderMap, error: &Error) -> Response {
    if error.code == Code::Internal {
        return Refused::from(error.clone()).into_response();
    }
    html(error.code.status(), page::sorry(error, None, prefers_chinese(headers)))
}

/// The offer. Inside a wallet that has to tell who the payer is, the browser goes there first and comes back with a
/// code.
async fn show(visit: Visit, request: Request) -> (Visit, Result<Response>) {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    // WeChat says `code`, Alipay `auth_code`.
    let code = parameter(query, "code").or_else(|| parameter(query, "auth_code"));
    let page = async {
        let landing = &visit.landing;
        let asks = code.is_none() && landing.closed.is_none() && visit.opener.brand().is_some();
        if let Some(method) = landing.offers.first().filter(|_| asks)
            && let Some(there) = landing.sign_in(&visit.app.engine, method, &visit.address()).await?
        {
            return see(&there);
        }
        Ok(html(200, page::offer(landing, code.as_deref(), visit.chinese)))
    };
    let page = page.await;
    (visit, page)
}

/// The payer's choice becomes an order.
async fn choose(visit: Visit, request: Request) -> (Visit, Result<Response>) {
    let ip = request
        .extensions()
        .get::<axum::extract::ConnectInfo<crate::listen::Peer>>()
        .map(|peer| peer.0.0.ip());
    let page = async {
        if header(request.headers(), CONTENT_TYPE.as_str()).split(';').next() != Some(FORM) {
            return Err(Error::invalid("body", "Must be the form of the page."));
        }
        let body = whole_body(request, FORM_BYTES_MAX).await?.into_body();
        let landing = &visit.landing;
        let amount = match parameter(&body, "amount").filter(|text| !text.trim().is_empty()) {
            Some(text) => Some(typed(landing, &text)?),
            None => None,
        };
        let method: Option<PayMethod> = match parameter(&body, "method") {
            Some(text) => Some(text.parse().map_err(|_| Error::invalid("method", "Is not a method."))?),
            None => landing.offers.first().cloned(),
        };
        let mut payer = Payer { ip: ip.map(|ip| ip.to_string()), ..Payer::default() };
        if let (Some(code), Some(method)) = (parameter(&body, "code"), &method) {
            payer.id = Some(landing.identify(&visit.app.engine, method, &code).await?);
        }
        let order = landing.pay(&visit.app.engine, Choice { amount, method, payer }).await?;
        match (&order.next_action, order.status) {
            (Some(Action::Redirect { url }), OrderStatus::Pending) => see(url),
            (Some(Action::Qr { content }), OrderStatus::Pending) if opens_here(&visit, &order, content) => {
                see(content)
            }
            _ => see(&format!("/l/{}/{}", landing.link.id, order.id)),
        }
    };
    let page = page.await;
    (visit, page)
}

/// Whether this wallet opens the address in its own QR code as if it had been scanned.
fn opens_here(visit: &Visit, order: &Order, content: &str) -> bool {
    let own = order.methods.first().is_some_and(|method| visit.opener.brand() == Some(method.brand()));
    own && (content.starts_with("https://") || content.starts_with("http://"))
}

/// How the order goes, until it is paid or over.
async fn status(visit: &Visit, order: &str) -> Result<Response> {
    let id: OrderId = order.parse().map_err(|_| Error::not_found("order", order))?;
    let order = visit.landing.order(&visit.app.engine, id).await?;
    Ok(html(200, page::progress(&visit.landing, &order, visit.chinese)))
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

fn parameter(form: &[u8], name: &str) -> Option<String> {
    let mut fields = url::form_urlencoded::parse(form);
    fields.find(|(field, _)| field == name).map(|(_, value): (_, Cow<'_, str>)| value.into_owned())
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn see(url: &str) -> Result<Response> {
    let location = HeaderValue::from_str(url).map_err(|_| Error::internal("an address that is no header"))?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(LOCATION, location);
    Ok(dressed(response))
}

fn html(status: u16, text: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    dressed((status, [(CONTENT_TYPE, "text/html; charset=utf-8")], Body::from(text)).into_response())
}

fn dressed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page_answered(response)
}
