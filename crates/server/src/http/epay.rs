//! The epay door (易支付): shop software that speaks the protocol of payment panels takes payments here when its one
//! address is changed. Both versions; what comes in becomes ordinary orders and refunds of the merchant whose key it is.
//!
//! The shop is believed only after its signature; answers and errors are in the protocol's own form, always with HTTP
//! status 200, which is all its clients understand.

mod answers;
mod cashier;
mod orders;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Method;
use paycore::epay::Protocol;
use paycore::epay::rules::{self, Parameters};
use paycore::epay::service::{self, Shop};
use paycore::error::{Code, Error};
use paycore::id::MerchantId;
use paycore::time::Timestamp;
use sha2::{Digest as _, Sha256};

use super::finish::Finish;
use super::{App, Told, body, other_methods};
use crate::limit::Left;
use crate::listen::Peer;
use answers::{Answer, Members};

/// How far the time of a signed request may be from ours.
const CLOCKS: Duration = Duration::from_secs(300);
/// Far more than any request has.
const PARAMETERS_MAX: usize = 64;

/// What a shop asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// The payer's browser comes with an order and wants a page.
    Submit,
    /// The shop's server comes with an order and wants to know where the payer goes.
    Create,
    Query,
    Refund,
    RefundQuery,
    Close,
    Info,
    Orders,
    /// Version 1 names what it wants in `act`.
    Act,
}

const PATHS: &[(&str, Protocol, Ask)] = &[
    ("/submit.php", Protocol::V1, Ask::Submit),
    ("/mapi.php", Protocol::V1, Ask::Create),
    ("/api.php", Protocol::V1, Ask::Act),
    ("/api/pay/submit", Protocol::V2, Ask::Submit),
    ("/api/pay/create", Protocol::V2, Ask::Create),
    ("/api/pay/query", Protocol::V2, Ask::Query),
    ("/api/pay/refund", Protocol::V2, Ask::Refund),
    ("/api/pay/refundquery", Protocol::V2, Ask::RefundQuery),
    ("/api/pay/close", Protocol::V2, Ask::Close),
    ("/api/merchant/info", Protocol::V2, Ask::Info),
    ("/api/merchant/orders", Protocol::V2, Ask::Orders),
];

pub(super) fn add(router: Router, app: &Arc<App>) -> Router {
    let router = PATHS.iter().fold(router, |router, (path, protocol, ask)| {
        let app = Arc::clone(app);
        let call = move |request| answer(Arc::clone(&app), *protocol, *ask, request);
        router
            .route(path, get(call.clone()).post(call).fallback(other_methods(&[&Method::GET, &Method::POST])))
    });
    cashier::add(router, app)
}

/// Why a shop does not get what it asked for, in both languages.
#[derive(Debug, Clone)]
struct No {
    zh: String,
    en: String,
}

impl No {
    fn new(zh: impl Into<String>, en: impl Into<String>) -> No {
        No { zh: zh.into(), en: en.into() }
    }

    fn text(&self) -> String {
        format!("{} {}", self.zh, self.en)
    }
}

impl From<Error> for No {
    fn from(error: Error) -> No {
        if error.code == Code::Internal {
            tracing::error!(error = ?error, "the epay door failed");
        }
        No::new(error.code.title_zh(), error.detail.into_owned())
    }
}

impl From<paycore::store::StoreError> for No {
    fn from(error: paycore::store::StoreError) -> No {
        Error::from(error).into()
    }
}

type Result<T, E = No> = std::result::Result<T, E>;

/// One request, read but not believed.
struct Asked {
    protocol: Protocol,
    ask: Ask,
    parameters: Parameters,
    peer: IpAddr,
}

impl Asked {
    /// A parameter without the space around it; empty where it is missing.
    fn given(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", |value| value.trim())
    }
}

/// Answers one request of a shop or of a payer that a shop sent.
async fn answer(app: Arc<App>, protocol: Protocol, ask: Ask, request: Request) -> Response {
    let mut merchant = None;
    let answer = match read(&app, protocol, ask, request).await {
        Err(no) => Answer::refused(protocol, ask == Ask::Submit, &no, None, app.engine.wall()),
        Ok(asked) => match believe(&app, &asked).await {
            Err(no) => Answer::refused(protocol, ask == Ask::Submit, &no, None, app.engine.wall()),
            Ok(shop) => {
                merchant = Some(shop.caller.tenant());
                carry_out(&app, Arc::new(shop), Arc::new(asked)).await
            }
        },
    };
    told(answer.into_response(), merchant)
}

fn told(mut response: Response, merchant: Option<MerchantId>) -> Response {
    response.extensions_mut().insert(Told { operation: "epay", merchant, ..Told::default() });
    response
}

/// Reads the parameters of the address and of the form. One that stands there twice with different values is refused:
/// which of them was signed would be a guess.
async fn read(app: &App, protocol: Protocol, ask: Ask, request: Request) -> Result<Asked> {
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<Peer>>();
    let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.0.ip());
    let body = body::read(body, app.body_bytes_max).await?;
    let query = Bytes::copy_from_slice(parts.uri.query().unwrap_or_default().as_bytes());
    let mut parameters = Parameters::new();
    for part in [&query, &body] {
        for (name, value) in url::form_urlencoded::parse(part) {
            let known = parameters.entry(name.into_owned()).or_insert_with(|| value.to_string());
            if *known != *value {
                return Err(No::new("参数重复", "A parameter stands there twice."));
            }
            if parameters.len() > PARAMETERS_MAX {
                return Err(No::new("参数过多", "Too many parameters."));
            }
        }
    }
    Ok(Asked { protocol, ask, parameters, peer })
}

/// Finds the shop and verifies that it is the shop. Who has no key and who signs wrongly is told the same.
async fn believe(app: &App, asked: &Asked) -> Result<Shop> {
    let stranger = || No::new("商户不存在或签名错误", "The pid is not known or the signature is wrong.");
    let shop = service::open(&app.engine, asked.given("pid")).await?.ok_or_else(stranger)?;
    let limiter = app.limiter.as_ref();
    let left = limiter.map(|limiter| limiter.take(&Sha256::digest(format!("epay/{}", shop.key.pid)).into()));
    if left.and_then(Left::refused).is_some() {
        return Err(No::new("请求过于频繁，请稍后再试", "Too many requests."));
    }
    let by_key = asked.ask == Ask::Act && shop.signing.is_key(asked.given("key"));
    if shop.key.protocol != asked.protocol || !(by_key || shop.signing.verifies(&asked.parameters)) {
        return Err(stranger());
    }
    if rules::ambiguous(&asked.parameters) {
        return Err(No::new("参数中含有歧义字符", "A value reads as another parameter."));
    }
    if asked.protocol == Protocol::V2 {
        let sent = asked.given("timestamp").parse().map(Timestamp::from_secs);
        let now = app.engine.wall();
        if !sent.is_ok_and(|at| (now.minus(CLOCKS)..=now.plus(CLOCKS)).contains(&at)) {
            return Err(No::new("时间戳已过期", "The timestamp is not of now."));
        }
    }
    if !app.sandbox && !shop.caller.merchant.livemode {
        return Err(No::new("沙箱未开启", "The sandbox is switched off on this server."));
    }
    Ok(shop)
}

/// Does what the shop asks. It is finished although the shop hangs up.
async fn carry_out(app: &Arc<App>, shop: Arc<Shop>, asked: Arc<Asked>) -> Answer {
    let (shared, for_work, what) = (Arc::clone(app), Arc::clone(&shop), Arc::clone(&asked));
    let work = async move {
        let result = AssertUnwindSafe(dispatch(&shared, &for_work, &what)).catch_unwind().await;
        result.unwrap_or_else(|_| Err(No::from(Error::internal("the epay door panicked"))))
    };
    let result = Finish::new(work, app.unfinished.clone()).await;
    let (page, now) = (asked.ask == Ask::Submit, app.engine.wall());
    match result {
        Ok(Done::Page(url)) => Answer::Go(url),
        Ok(Done::Members(members)) => Answer::done(asked.protocol, members, &shop.signing, now),
        Err(no) => Answer::refused(asked.protocol, page, &no, Some(&shop.signing), now),
    }
}

/// What a request came to.
enum Done {
    /// The payer goes there.
    Page(String),
    /// The shop is told this.
    Members(Members),
}

async fn dispatch(app: &App, shop: &Shop, asked: &Asked) -> Result<Done> {
    let ask = match (asked.ask, asked.given("act")) {
        (Ask::Act, "order") => Ask::Query,
        (Ask::Act, "refund") => Ask::Refund,
        (Ask::Act, "query") => Ask::Info,
        (Ask::Act, "orders") => Ask::Orders,
        (Ask::Act, _) => return Err(No::new("不支持的 act", "This act is not known.")),
        (ask, _) => ask,
    };
    let members = match ask {
        Ask::Submit => return orders::submit(app, shop, asked).await.map(Done::Page),
        Ask::Create => orders::create(app, shop, asked).await?,
        Ask::Query => orders::query(app, shop, asked).await?,
        Ask::Refund => orders::refund(app, shop, asked).await?,
        Ask::RefundQuery => orders::refund_query(app, shop, asked).await?,
        Ask::Close => orders::close(app, shop, asked).await?,
        Ask::Orders => orders::list(app, shop, asked).await?,
        Ask::Info | Ask::Act => orders::info(shop),
    };
    Ok(Done::Members(members))
}

/// A response with a body of some kind.
fn respond(status: u16, headers: &[(http::HeaderName, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    for (name, value) in headers {
        if let Ok(value) = http::HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
