//! The page behind a payment link: one address for every wallet and browser. It asks for the amount where the link has
//! none and for the way to pay, and leads to the payment page of the order that comes of it.

mod page;

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request};
use axum::response::Response;
use axum::routing::get;
use http::Method;
use http::header::USER_AGENT;
use http::request::Parts;
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
use crate::listen::Peer;
use crate::pay::html::see;
use crate::pay::texts::Texts;
use crate::pay::{form, header, parameter, sorry, texts_of};

/// Adds the page.
pub fn add(router: Router, app: &Arc<App>) -> Router {
    let (shown, chosen) = (Arc::clone(app), Arc::clone(app));
    let both = get(move |link, request| answered(Arc::clone(&shown), link, request, show))
        .post(move |link, request| answered(Arc::clone(&chosen), link, request, choose));
    router.route("/l/{link}", both.fallback(other_methods(&[&Method::GET, &Method::POST])))
}

/// Somebody who opened a link.
struct Visit {
    app: Arc<App>,
    landing: Landing,
    opener: Opener,
    look: Look,
    texts: Texts,
    /// The query to keep: the language that was asked for.
    query: String,
}

impl Visit {
    async fn of(app: Arc<App>, link: &str, request: &Parts) -> Result<Visit> {
        let id: LinkId = link.parse().map_err(|_| Error::not_found("payment link", link))?;
        let opener = Opener::of(header(&request.headers, USER_AGENT.as_str()));
        let landing = landing::open(&app.engine, id, opener).await?;
        let look = branding::look(&app.engine, landing.merchant.id).await?;
        let texts = texts_of(request).with(&look);
        let asked = parameter(request.uri.query().unwrap_or_default().as_bytes(), "locale").is_some();
        let query = if asked { format!("?locale={}", texts.tag) } else { String::new() };
        Ok(Visit { app, landing, opener, look, texts, query })
    }

    fn address(&self) -> String {
        format!("{}/l/{}", self.app.public_url, self.landing.link.id)
    }
}

async fn answered<F>(
    app: Arc<App>,
    Path(link): Path<String>,
    request: Request,
    then: fn(Visit, Request) -> F,
) -> Response
where
    F: Future<Output = Result<Response>>,
{
    let (parts, body) = request.into_parts();
    let texts = texts_of(&parts);
    let (answer, again) = match Visit::of(app, &link, &parts).await {
        Ok(visit) => {
            let again = format!("/l/{}{}", visit.landing.link.id, visit.query);
            (then(visit, Request::from_parts(parts, body)).await, Some(again))
        }
        Err(error) => (Err(error), None),
    };
    answer.unwrap_or_else(|error| sorry("link", &texts, &error, again.as_deref()))
}

/// The offer. Inside a wallet that has to tell who the payer is, the browser goes there first and comes back with a
/// code.
async fn show(visit: Visit, request: Request) -> Result<Response> {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    // WeChat says `code`, Alipay `auth_code`.
    let code = parameter(query, "code").or_else(|| parameter(query, "auth_code"));
    let landing = &visit.landing;
    if landing.link.details.single_use
        && let Some(order) = landing.last(&visit.app.engine).await?.filter(|order| order.captured > 0)
    {
        // It is paid: whoever opens it again sees that, and no way to pay once more.
        return see(&page_of(&order)?);
    }
    let asks = code.is_none() && landing.closed.is_none() && visit.opener.brand().is_some();
    if let Some(method) = landing.offers.first().filter(|_| asks)
        && let Some(there) = landing.sign_in(&visit.app.engine, method, &visit.address()).await?
    {
        return see(&there);
    }
    Ok(page::offer(landing, &visit.look, &visit.texts, code.as_deref()))
}

/// The payer's choice becomes an order.
async fn choose(visit: Visit, request: Request) -> Result<Response> {
    let ip = request.extensions().get::<ConnectInfo<Peer>>().map(|peer| peer.0.0.ip());
    let body = form(request).await?;
    let Visit { app, landing, opener, query, .. } = visit;
    let amount = match parameter(&body, "amount").filter(|text| !text.trim().is_empty()) {
        Some(text) => Some(typed(&landing, &text)?),
        None => None,
    };
    let method: Option<PayMethod> = match parameter(&body, "method") {
        Some(text) => Some(text.parse().map_err(|_| Error::invalid("method", "Is not a method."))?),
        None => landing.offers.first().cloned(),
    };
    let mut payer = Payer { ip: ip.map(|ip| ip.to_string()), ..Payer::default() };
    if let (Some(code), Some(method)) = (parameter(&body, "code"), &method) {
        payer.id = Some(landing.identify(&app.engine, method, &code).await?);
    }
    let (engine, choice) = (Arc::clone(&app.engine), Choice { amount, method, payer });
    // An order that was begun goes on to its end, even where the browser hangs up.
    let order = finished(&app, async move { landing.pay(&engine, choice).await }).await?;
    match (&order.next_action, order.status) {
        (Some(Action::Redirect { url }), OrderStatus::Pending) => see(url),
        (Some(Action::Qr { content }), OrderStatus::Pending) if opens_here(opener, &order, content) => {
            see(content)
        }
        _ => see(&format!("{}{query}", page_of(&order)?)),
    }
}

/// The order's own payment page.
fn page_of(order: &Order) -> Result<String> {
    let secret = order.details.client_secret.as_ref();
    let secret = secret.ok_or_else(|| Error::internal("an order of a link without a client secret"))?;
    Ok(format!("/pay/{}", secret.address(OrderPage::Pay)))
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
