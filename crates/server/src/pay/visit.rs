//! A browser on a page of ours: what it says of itself, and how every page is opened and answered.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, Request};
use axum::response::{IntoResponse, Response};
use http::Method;
use http::header::USER_AGENT;
use http::request::Parts;
use paycore::branding::Look;
use paycore::channel::Action;
use paycore::error::{Code, Error, Result};
use paycore::link::rules::Opener;
use paycore::order::{Order, OrderStatus};

use super::html::{self, Sheet, escape, see};
use super::texts::Texts;
use super::{header, parameter};
use crate::http::App;
use crate::listen::Peer;
use crate::problem::Refused;

/// What a request says of the browser that sent it.
pub(crate) struct Browser {
    pub(crate) app: Arc<App>,
    /// The payer's language.
    pub(crate) texts: Texts,
    /// Whose browser it is.
    pub(crate) opener: Opener,
    /// The address it calls from.
    pub(crate) ip: Option<String>,
    /// The query that goes from page to page: the language that was asked for, and whether scripts are unwanted.
    pub(crate) query: String,
    /// Whether the page is wanted without the widget.
    pub(crate) plain: bool,
    /// What a wallet sent it back with, to learn who the payer is.
    pub(crate) code: Option<String>,
}

impl Browser {
    fn of(app: Arc<App>, request: &Parts) -> Browser {
        let query = request.uri.query().unwrap_or_default().as_bytes();
        let texts = Texts::of(&request.headers, parameter(query, "locale").as_deref());
        let plain = parameter(query, "plain").is_some();
        let locale = parameter(query, "locale").map(|_| format!("locale={}", texts.tag));
        let kept: Vec<String> = locale.into_iter().chain(plain.then(|| "plain=1".to_owned())).collect();
        Browser {
            app,
            texts,
            opener: Opener::of(header(&request.headers, USER_AGENT.as_str())),
            ip: request.extensions.get::<ConnectInfo<Peer>>().map(|peer| peer.0.0.ip().to_string()),
            query: if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) },
            plain,
            // WeChat says `code`, Alipay `auth_code`.
            code: parameter(query, "code").or_else(|| parameter(query, "auth_code")),
        }
    }

    /// Whether this is when its wallet is asked who the payer is: before the page is shown, and once. Who asks for the
    /// headers alone wants those of the page itself.
    pub(crate) fn may_be_asked(&self, request: &Request) -> bool {
        self.code.is_none() && self.opener.brand().is_some() && request.method() != Method::HEAD
    }
}

/// What an address of a page opens.
pub(crate) trait Visit: Sized + Send {
    /// The page, as reports name it.
    const PAGE: &'static str;

    /// Opens what the end of the address names, for this browser.
    fn open(browser: Browser, address: String) -> impl Future<Output = Result<Self>> + Send;

    /// The page's own address on this server, with the query to keep.
    fn here(&self) -> String;
}

/// Opens a page and does what was asked for on it. What goes wrong is said on a page too.
pub(crate) async fn answered<V, F>(
    app: Arc<App>,
    Path(address): Path<String>,
    request: Request,
    then: fn(V, Request) -> F,
) -> Response
where
    V: Visit,
    F: Future<Output = Result<Response>> + Send,
{
    let (parts, body) = request.into_parts();
    let browser = Browser::of(app, &parts);
    let texts = browser.texts.clone();
    let (answer, again) = match V::open(browser, address).await {
        Ok(visit) => {
            let again = visit.here();
            (then(visit, Request::from_parts(parts, body)).await, Some(again))
        }
        Err(error) => (Err(error), None),
    };
    answer.unwrap_or_else(|error| sorry(V::PAGE, &texts, &error, again.as_deref()))
}

/// To the channel's own page where the payment goes on there, and to a page of ours otherwise.
pub(crate) fn go_on(order: &Order, ours: &str) -> Result<Response> {
    match (&order.next_action, order.status) {
        (Some(Action::Redirect { url }), OrderStatus::Pending) => see(url),
        _ => see(ours),
    }
}

/// Something that cannot be done, said to the payer, with another try where there is one.
fn sorry(page: &'static str, texts: &Texts, error: &Error, again: Option<&str>) -> Response {
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
