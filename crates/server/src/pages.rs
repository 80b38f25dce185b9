//! What people look at: the start page, the API reference and the list of error codes. Everything is in this
//! program; nothing is loaded from elsewhere.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_FRAME_OPTIONS};
use http::{HeaderValue, Method};
use paycore::error::{Code, Error};

use crate::http::{App, other_methods, page_answered};
use crate::openapi;

/// Scripts and styles of our own files only, nothing inline, no frames.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const HTML: &str = "text/html; charset=utf-8";
const FRESH: HeaderValue = HeaderValue::from_static("no-cache");

/// Adds the pages.
pub fn add(router: Router, app: &Arc<App>) -> Router {
    let start = include_str!("docs/start.html").replace("{sandbox}", if app.sandbox { "" } else { "hidden" });
    let pages = [
        ("/", HTML, start),
        ("/docs", HTML, include_str!("docs/reference.html").to_owned()),
        (
            "/docs/reference.js",
            "text/javascript; charset=utf-8",
            include_str!("docs/reference.js").to_owned(),
        ),
        ("/docs/style.css", "text/css; charset=utf-8", include_str!("docs/style.css").to_owned()),
        ("/docs/errors", HTML, errors()),
        ("/openapi.json", "application/json", openapi::text()),
    ];
    pages.into_iter().fold(router, |router, (path, kind, text)| {
        let text = Bytes::from(text);
        let page = get(move || std::future::ready(page(kind, text.clone())));
        router.route(path, page.fallback(other_methods(&[&Method::GET])))
    })
}

fn page(kind: &'static str, text: Bytes) -> Response {
    let mut response = ([(CONTENT_TYPE, kind)], text).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, FRESH);
    page_answered(response)
}

/// Every error code with its meaning: where `doc_url` leads.
fn errors() -> String {
    let mut rows = String::new();
    for code in Code::ALL {
        let retry = if Error::new(*code, "").retryable() { "yes 是" } else { "no 否" };
        let _ = writeln!(
            rows,
            "<tr id=\"{text}\"><td><code>{text}</code></td><td>{status}</td><td>{title}<br><span lang=\"zh\">{zh}</span></td>\
             <td>{explanation}</td><td>{retry}</td></tr>",
            text = code.text(),
            status = code.status(),
            title = escape(code.title()),
            zh = escape(code.title_zh()),
            explanation = escape(&openapi::explanation(*code)),
        );
    }
    include_str!("docs/errors.html").replace("{rows}", &rows)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
