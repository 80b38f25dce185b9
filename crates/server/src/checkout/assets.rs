//! The widget's files, taken into this program when it was built.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use paycore::error::{Code, Error};
use sha2::{Digest as _, Sha256};

use super::{for_any_origin, header};
use crate::http::{door_answered, other_methods};
use crate::problem::Refused;

/// Name and content of each file in `crates/server/dist` at the time of the build.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/widget.rs"));

/// The files that are served, with their types.
const SERVED: &[(&str, &str)] = &[
    ("paycore.js", "text/javascript; charset=utf-8"),
    ("paycore.wasm", "application/wasm"),
    ("paycore.d.ts", "text/plain; charset=utf-8"),
    ("integrity.json", "application/json"),
    ("paycore.ar.json", "application/json"),
    ("paycore.de.json", "application/json"),
    ("paycore.en.json", "application/json"),
    ("paycore.es.json", "application/json"),
    ("paycore.fr.json", "application/json"),
    ("paycore.ja.json", "application/json"),
    ("paycore.ko.json", "application/json"),
    ("paycore.pt-BR.json", "application/json"),
    ("paycore.zh-CN.json", "application/json"),
    ("paycore.zh-TW.json", "application/json"),
];
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The content of a file of the widget, if this program was built with it.
pub fn file(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, content)| *content)
}

/// What tells this build of the widget from any other: in the addresses that may be kept for ever.
pub fn build_hash() -> Option<String> {
    let hash = Sha256::digest(file("integrity.json")?);
    Some(paycore::merchant::rules::hex(&hash[..8]))
}

/// Adds the addresses of the files.
pub(super) fn add(router: Router) -> Router {
    let hash = build_hash();
    SERVED.iter().fold(router, |router, &(name, kind)| {
        let at = |router: Router, path: String, cache: &'static str| {
            let answer = get(move |request: Request| std::future::ready(answer(name, kind, cache, &request)));
            router.route(&path, answer.fallback(other_methods(&[&Method::GET])))
        };
        let router = at(router, format!("/checkout/{name}"), "no-cache");
        match &hash {
            Some(hash) => {
                at(router, format!("/checkout/{hash}/{name}"), "public, max-age=31536000, immutable")
            }
            None => router,
        }
    })
}

fn answer(name: &str, kind: &'static str, cache: &'static str, request: &Request) -> Response {
    let response = match file(name) {
        Some(content) => {
            let headers = request.headers();
            let packed = file(&format!("{name}.gz")).filter(|_| takes_gzip(headers));
            served(content, packed, kind, cache, headers)
        }
        None => {
            let detail = "This server was built without the checkout widget: run `cargo xtask wasm`, then build it again.";
            Refused::from(Error::new(Code::NotFound, detail)).into_response()
        }
    };
    for_any_origin(door_answered(response, "checkout", None))
}

fn served(
    content: &'static [u8],
    packed: Option<&'static [u8]>,
    kind: &'static str,
    cache: &'static str,
    asked: &HeaderMap,
) -> Response {
    let tag = format!("\"{}\"", paycore::merchant::rules::hex(&Sha256::digest(content)[..8]));
    let mut response = if header(asked, IF_NONE_MATCH.as_str()).contains(&tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Bytes::from_static(packed.unwrap_or(content)).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    if packed.is_some() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = header(headers, ACCEPT_ENCODING.as_str());
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next() == Some("gzip") && parts.next().is_none_or(|weight| weight != "q=0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (accepted, takes) in
            [("gzip, deflate, br", true), ("br;q=1.0, gzip;q=0.8", true), ("gzip;q=0", false), ("", false)]
        {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accepted))]);
            assert_eq!(takes_gzip(&headers), takes, "{accepted}");
        }
    }

    #[test]
    fn a_file_that_is_known_is_not_sent_again() {
        let none = HeaderMap::new();
        let first = served(b"abc", None, "text/plain", "no-cache", &none);
        let asked = HeaderMap::from_iter([(IF_NONE_MATCH, first.headers()[ETAG].clone())]);
        assert_eq!(served(b"abc", None, "text/plain", "no-cache", &asked).status(), 304);
        assert_eq!(served(b"abd", None, "text/plain", "no-cache", &asked).status(), 200);
    }
}
