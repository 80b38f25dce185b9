//! The payer's page of an order that a shop made: the ways to pay, the code to scan, and what became of it. It works
//! without script. Its address holds a random token, so that nobody sees an order by guessing its number.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request};
use axum::response::Response;
use axum::routing::get;
use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, X_FRAME_OPTIONS};
use http::{HeaderName, Method as Verb};
use paycore::channel::{Action, Method, Payer};
use paycore::epay::rules;
use paycore::epay::service::{self, Shop};
use paycore::order::service::{self as payments, PayOrder};
use paycore::order::{Order, OrderStatus};
use paycore::secret::same;

use super::super::{body, other_methods};
use super::{App, No, Result, respond, told};
use crate::listen::Peer;

/// Far more than a choice has.
const CHOICE_BYTES_MAX: usize = 4_096;

type Key = (String, String, String);

pub(super) fn add(router: Router, app: &Arc<App>) -> Router {
    let methods = || other_methods(&[&Verb::GET, &Verb::POST]);
    let app = Arc::clone(app);
    let visit = move |path: Path<Key>, request| visit(Arc::clone(&app), path.0, request);
    let style = || async {
        let text = include_str!("style.css");
        told(respond(200, &[(CONTENT_TYPE, "text/css; charset=utf-8")], text), None)
    };
    router
        .route("/epay/style.css", get(style).fallback(methods()))
        .route("/epay/{pid}/{number}/{token}", get(visit.clone()).post(visit).fallback(methods()))
}

async fn visit(app: Arc<App>, key: Key, request: Request) -> Response {
    let (response, merchant) = match found(&app, &key).await {
        Ok((shop, order)) => {
            let merchant = Some(shop.caller.tenant());
            let shown = show(&app, &shop, order, request).await;
            (shown.unwrap_or_else(|no| message(&no.zh, &no.en)), merchant)
        }
        Err(no) => (message(&no.zh, &no.en), None),
    };
    told(response, merchant)
}

/// The order of an address; who does not know its token is told that there is none.
async fn found(app: &App, (pid, number, token): &Key) -> Result<(Shop, Order)> {
    let missing = || No::new("订单不存在", "There is no such order.");
    let shop = service::open(&app.engine, pid).await?.ok_or_else(missing)?;
    let order = app.engine.store().order_by_number(shop.caller.tenant(), number).await?;
    let known = |order: &Order| {
        let origin = order.details.epay.as_ref();
        origin.is_some_and(|origin| origin.pid == *pid && same(origin.token.as_bytes(), token.as_bytes()))
    };
    let order = order.filter(known).ok_or_else(missing)?;
    Ok((shop, order))
}

async fn show(app: &App, shop: &Shop, order: Order, request: Request) -> Result<Response> {
    if request.method() == Verb::POST {
        return choose(app, shop, &order, request).await;
    }
    // Who comes back from the provider waits for the result here, and is not sent there again.
    let back = request.uri().query().is_some_and(|query| query.split('&').any(|part| part == "back=1"));
    match (order.status, &order.next_action) {
        (OrderStatus::Closed | OrderStatus::Failed, _) => {
            Ok(state(&order, "订单已关闭", "This order is closed.", false))
        }
        (OrderStatus::Pending | OrderStatus::Processing, Some(Action::Redirect { url })) if !back => {
            Ok(go(302, url))
        }
        (OrderStatus::Pending | OrderStatus::Processing, Some(action)) => Ok(ask(&order, action)),
        (OrderStatus::Pending, None) => Ok(choice(&order)),
        (OrderStatus::Processing, None) => Ok(state(&order, "处理中", "In progress", true)),
        _ => done(app, shop, &order).await,
    }
}

/// The payer chose a way to pay.
async fn choose(app: &App, shop: &Shop, order: &Order, request: Request) -> Result<Response> {
    let (parts, form) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(peer)| peer.0.ip().to_string());
    let form = body::read(form, CHOICE_BYTES_MAX).await?;
    let chosen = url::form_urlencoded::parse(&form).find(|(name, _)| name == "method");
    let method: Option<Method> = chosen.and_then(|(_, value)| value.parse().ok());
    let method = method.ok_or_else(|| No::new("请选择支付方式", "Choose a way to pay."))?;
    let payer = Some(Payer { ip: peer, ..Payer::default() });
    payments::pay(&app.engine, &shop.caller, PayOrder::new(order.id, method, payer)).await?;
    Ok(go(303, parts.uri.path()))
}

/// Paid: on to the shop, with what proves it.
async fn done(app: &App, shop: &Shop, order: &Order) -> Result<Response> {
    let origin = order.details.epay.as_ref().filter(|origin| !origin.return_url.is_empty());
    let Some(origin) = origin else { return Ok(state(order, "支付成功", "Paid", false)) };
    let attempt = match order.attempt_id {
        Some(id) => app.engine.store().attempt(shop.caller.tenant(), id).await?,
        None => None,
    };
    let kind = rules::kind(origin, attempt.as_ref());
    let parameters = rules::paid(origin, order, &kind, &shop.signing, app.engine.wall());
    Ok(go(302, &rules::with_query(&origin.return_url, &parameters)))
}

fn go(status: u16, to: &str) -> Response {
    respond(status, &[(LOCATION, to)], "")
}

/// A page with one message.
pub(super) fn message(zh: &str, en: &str) -> Response {
    let content = format!("<h1>{}</h1><p class=note>{}</p>", escape(zh), escape(en));
    html(&content, false, None)
}

fn state(order: &Order, zh: &str, en: &str, again: bool) -> Response {
    html(&format!("{}<p class=state>{zh} · {en}</p>", head(order)), again, None)
}

/// The ways to pay.
fn choice(order: &Order) -> Response {
    let mut buttons = String::new();
    for method in &order.methods {
        let name = match method.brand() {
            "alipay" => "支付宝 Alipay",
            "wechatpay" => "微信支付 WeChat Pay",
            "qq" => "QQ 钱包 QQ Wallet",
            "unionpay" => "云闪付 UnionPay",
            other => other,
        };
        let _ = write!(buttons, "<button name=method value=\"{method}\">{}</button>", escape(name));
    }
    html(&format!("{}<form method=post>{buttons}</form>", head(order)), false, None)
}

/// What the payer has to do.
fn ask(order: &Order, action: &Action) -> Response {
    let head = head(order);
    match action {
        Action::Qr { content } => {
            let code = QRBuilder::new(content.as_str()).ecl(ECL::M).build().ok();
            let code = code.map(|code| SvgBuilder::default().margin(4).to_str(&code)).unwrap_or_default();
            let note = "<p class=note>请用手机扫码支付 · Scan with your phone</p>";
            html(&format!("{head}<div class=code>{code}</div>{note}"), true, None)
        }
        Action::Redirect { url } => {
            let link = format!("<p><a class=quiet href=\"{}\">继续支付 Continue to pay</a></p>", escape(url));
            html(&format!("{head}<p class=state>等待支付结果 · Waiting for the result</p>{link}"), true, None)
        }
        Action::Form { url, fields } => {
            let mut form = format!("<form method=post action=\"{}\">", escape(url));
            for (name, value) in fields {
                let (name, value) = (escape(name), escape(value));
                let _ = write!(form, "<input type=hidden name=\"{name}\" value=\"{value}\">");
            }
            html(&format!("{head}{form}<button>继续支付 Continue to pay</button></form>"), false, Some(url))
        }
        _ => html(&format!("{head}<p class=state>请在应用内支付 · Pay in the app</p>"), true, None),
    }
}

fn head(order: &Order) -> String {
    let (name, sum) = (escape(&order.details.subject), rules::yuan(order.money));
    format!("<h1>{name}</h1><p class=sum>¥{sum}</p>")
}

/// A page that asks again every few seconds where `again` is set, and may post to the site of `posts_to`.
fn html(content: &str, again: bool, posts_to: Option<&str>) -> Response {
    let site =
        posts_to.and_then(|url| url::Url::parse(url).ok()).map(|url| url.origin().ascii_serialization());
    let policy = format!(
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' {}",
        site.unwrap_or_default()
    );
    let refresh = if again { "<meta http-equiv=refresh content=3>" } else { "" };
    let page = include_str!("page.html").replace("{refresh}", refresh).replace("{content}", content);
    let headers: [(HeaderName, &str); 4] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, policy.trim_end()),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    respond(200, &headers, page)
}

fn escape(text: &str) -> String {
    let escapes = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
    escapes.iter().fold(text.to_owned(), |text, (sign, escaped)| text.replace(*sign, escaped))
}
