//! The card fields: the page of the frame that payers type their card into, and the door that takes it in. The frame is
//! of this server's own origin, so that the merchant's page and the widget outside never see a digit.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method};
use paycore::channel::card::number::{ANY, BRANDS};
use paycore::error::{Code, Error, Result};
use paycore::vault::TypedCard;
use serde_json::{Value, json};
use url::Url;

use super::{BODY_BYTES_MAX, Visit, header};
use crate::http::{App, NOSNIFF, door_answered, other_methods, whole_json_body};
use crate::pay::html::inventory;
use crate::problem::Refused;

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
/// Where the frame's page reports what it did not expect. It does not know whose order it is for.
const REPORT: &str = "/checkout/report?page=card";
const PAGE: &str = include_str!("card/frame.html");

/// The texts of the fields by language.
static TEXTS: LazyLock<BTreeMap<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("card/texts.json")).expect("a tested file of texts"));

/// Adds the frame's page with its files, and the door for what is typed.
pub(super) fn add(router: Router, app: &Arc<App>) -> Router {
    let files = [
        ("/checkout/card.js", "text/javascript; charset=utf-8", include_str!("card/frame.js")),
        ("/checkout/card.css", "text/css; charset=utf-8", include_str!("card/frame.css")),
    ];
    let router = files.into_iter().fold(router, |router, (path, kind, text)| {
        let file = get(move || {
            let file = ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text).into_response();
            std::future::ready(door_answered(file, "checkout", None))
        });
        router.route(path, file.fallback(other_methods(&[&Method::GET])))
    });
    let (framed, taken) = (Arc::clone(app), Arc::clone(app));
    let page = get(move |request: Request| std::future::ready(frame(&framed, &request)));
    let tokens = post(move |request: Request| tokens(Arc::clone(&taken), request));
    router
        .route("/checkout/card", page.fallback(other_methods(&[&Method::GET])))
        .route("/checkout/tokens", tokens.fallback(other_methods(&[&Method::POST])))
}

/// The page of the frame, for one embedding origin.
fn frame(app: &App, request: &Request) -> Response {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let value = |wanted: &str| {
        url::form_urlencoded::parse(query).find(|(name, _)| name == wanted).map(|(_, value)| value)
    };
    let parent = value("parent").unwrap_or_default();
    let response = match embedder(app, &parent) {
        Ok(parent) => page(&parent, &value("locale").unwrap_or_default()),
        Err(error) => Refused::from(error).into_response(),
    };
    door_answered(response, "checkout", None)
}

fn page(parent: &str, locale: &str) -> Response {
    let guards = guards(parent);
    let (language, texts) = texts(locale);
    let direction = if language == "ar" { "rtl" } else { "ltr" };
    let say = |key: &str| escape(texts[key].as_str().unwrap_or_default());
    let html = [
        ("{language}", language.to_owned()),
        ("{direction}", direction.to_owned()),
        ("{parent}", escape(parent)),
        ("{brands}", escape(&brands().to_string())),
        ("{texts}", escape(&texts.to_string())),
        ("{title}", say("title")),
        ("{number}", say("number")),
        ("{expiry}", say("expiry")),
        ("{expiry_form}", say("expiry_form")),
        ("{cvc}", say("cvc")),
        ("{inventory}", inventory(&["/checkout/card.js".to_owned()], REPORT, &guards)),
    ];
    let html = html.iter().fold(PAGE.to_owned(), |page, (place, text)| page.replace(place, text));
    let mut response = ([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    response.headers_mut().extend(guards);
    response
}

/// What the browser holds the frame to.
fn guards(parent: &str) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([
        (CACHE_CONTROL, NO_CACHE),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (RESOURCE_POLICY, HeaderValue::from_static("cross-origin")),
        (X_CONTENT_TYPE_OPTIONS, NOSNIFF),
    ]);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; report-uri {REPORT}; frame-ancestors {parent}"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers
}

/// The origin of the page that embeds the frame, written as a browser writes it.
fn embedder(app: &App, parent: &str) -> Result<String> {
    let wrong = || {
        let detail = "Must be the origin of the embedding page, such as `https://shop.example`.";
        Error::invalid("parent", detail)
    };
    let origin = Url::parse(parent).map_err(|_| wrong())?.origin().ascii_serialization();
    let secure = origin.starts_with("https://");
    let local = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    let local = local
        .iter()
        .any(|host| origin.strip_prefix(host).is_some_and(|port| port.is_empty() || port.starts_with(':')));
    // A server without TLS is one that somebody tries out.
    let tried_out = origin.starts_with("http://") && (local || app.public_url.starts_with("http://"));
    // Nothing that means something in a policy: a host may hold more signs than one thinks.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:/[]".contains(&byte);
    if origin != parent || !(secure || tried_out) || !origin.bytes().all(plain) {
        return Err(wrong());
    }
    Ok(origin)
}

/// What the page checks numbers by: from the one table, so that page and server never differ.
fn brands() -> Value {
    let brands = BRANDS.iter().map(|brand| {
        let (min, max) = brand.lengths;
        json!({"name": brand.name, "ranges": brand.ranges, "min": min, "max": max, "cvc": brand.cvc_len})
    });
    json!({"brands": brands.collect::<Vec<_>>(), "min": ANY.0, "max": ANY.1})
}

/// The texts for a language tag: of the tag itself, else of its language, else English.
fn texts(tag: &str) -> (&'static str, &'static Value) {
    let language = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let exact = TEXTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag));
    let near = || TEXTS.iter().find(|(known, _)| language(known) == language(tag));
    let (language, texts) =
        exact.or_else(near).or_else(|| TEXTS.get_key_value("en")).expect("there is English");
    (language, texts)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Takes a card in. Only the frame's own page may call: no other origin is let in, and none may read the answer.
async fn tokens(app: Arc<App>, request: Request) -> Response {
    let (merchant, answer) = match same_origin(&app, request.headers()) {
        Ok(()) => match Visit::of(app, request).await {
            Ok(visit) => (Some(visit.checkout.merchant.id), take(visit).await),
            Err(error) => (None, Err(error)),
        },
        Err(error) => (None, Err(error)),
    };
    let response = answer.unwrap_or_else(|error| Refused::from(error).into_response());
    door_answered(response, "checkout", merchant)
}

async fn take(visit: Visit) -> Result<Response> {
    let Visit { app, checkout, request, .. } = visit;
    let request = whole_json_body(request, BODY_BYTES_MAX).await?;
    // What is wrong with the JSON is not repeated: the words of a JSON reader quote what they stumble over.
    let wrong = || {
        let detail = "Must be an object with `number`, `exp_month`, `exp_year` and `cvc`; see the checkout's interface.";
        Error::invalid("body", detail)
    };
    if !request.body().trim_ascii_start().starts_with(b"{") {
        return Err(wrong());
    }
    let card: TypedCard = serde_json::from_slice(request.body()).map_err(|_| wrong())?;
    let token = checkout.tokenize(&app.engine, card).await?;
    let json = serde_json::to_vec(&token).map_err(Error::internal)?;
    Ok(([(CONTENT_TYPE, "application/json")], json).into_response())
}

/// Whether the call comes from a page of this server, as only a browser says it.
fn same_origin(app: &App, headers: &HeaderMap) -> Result<()> {
    let (origin, site) = (header(headers, ORIGIN.as_str()), header(headers, "sec-fetch-site"));
    let public = Url::parse(&app.public_url).map(|url| url.origin().ascii_serialization());
    let host = header(headers, HOST.as_str());
    let addressed = origin.split_once("://").is_some_and(|(_, name)| !name.is_empty() && name == host);
    let ours = addressed || public.is_ok_and(|public| public == origin);
    if ours && matches!(site, "" | "same-origin") {
        return Ok(());
    }
    Err(Error::new(Code::Forbidden, "Cards are taken from the card fields of this server only."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_text() {
        let english: Vec<&String> = TEXTS["en"].as_object().unwrap().keys().collect();
        assert_eq!(TEXTS.len(), 10);
        for (language, texts) in TEXTS.iter() {
            let texts = texts.as_object().unwrap();
            assert_eq!(texts.keys().collect::<Vec<_>>(), english, "{language}");
            assert!(texts.values().all(|text| text.as_str().is_some_and(|text| !text.is_empty())));
        }
    }

    #[test]
    fn a_tag_finds_the_nearest_language() {
        for (tag, language) in
            [("zh-CN", "zh-CN"), ("zh", "zh-CN"), ("pt", "pt-BR"), ("de-AT", "de"), ("xx", "en"), ("", "en")]
        {
            assert_eq!(texts(tag).0, language, "{tag}");
        }
    }
}
