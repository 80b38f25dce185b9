//! The files of the pages: styles, scripts, a merchant's colours and logo.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method};
use paycore::branding::rules::Color;
use paycore::branding::{Logo, service as branding};
use paycore::error::{Error, Result};
use paycore::id::MerchantId;

use super::html::{WATCH, color_sheet};
use super::parameter;
use crate::http::{App, other_methods, page_answered};
use crate::problem::Refused;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const FILES: &[(&str, &str, &str)] = &[
    ("/pay/assets/page.css", CSS, include_str!("page.css")),
    ("/pay/assets/page.js", JS, include_str!("page.js")),
    (WATCH, JS, include_str!("watch.js")),
    ("/pay/assets/wallet.js", JS, include_str!("wallet.js")),
    ("/pay/assets/submit.js", JS, include_str!("submit.js")),
    ("/pay/assets/print.js", JS, include_str!("print.js")),
];

/// Adds the addresses of the files.
pub(super) fn add(router: Router, app: &Arc<App>) -> Router {
    let router = FILES.iter().fold(router, |router, &(path, kind, text)| {
        let answer = get(move || std::future::ready(kept(([(CONTENT_TYPE, kind)], text).into_response())));
        router.route(path, answer.fallback(other_methods(&[&Method::GET])))
    });
    let colors = get(|request: Request| std::future::ready(colors(&request)));
    let app = Arc::clone(app);
    let logo = get(move |Path(merchant): Path<String>| {
        let app = Arc::clone(&app);
        async move { logo(&app, &merchant).await.unwrap_or_else(|error| Refused::from(error).into_response()) }
    });
    router
        .route("/pay/assets/colors.css", colors.fallback(other_methods(&[&Method::GET])))
        .route("/pay/logo/{merchant}", logo.fallback(other_methods(&[&Method::GET])))
}

/// An answer that browsers may keep for an hour.
fn kept(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    page_answered(response)
}

/// Two colours as a style sheet. They are in the address, so that a page needs no style of its own.
fn colors(request: &Request) -> Response {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let color = |name| parameter(query, name).and_then(|digits| Color::parse(&format!("#{digits}")));
    kept(([(CONTENT_TYPE, CSS)], color_sheet(color("p"), color("b"))).into_response())
}

/// A logo that was sent to us.
async fn logo(app: &App, merchant: &str) -> Result<Response> {
    let missing = || Error::not_found("logo", merchant);
    let id: MerchantId = merchant.parse().map_err(|_| missing())?;
    let Some(Logo::Image { media_type, content }) = branding::look(&app.engine, id).await?.logo else {
        return Err(missing());
    };
    let bytes = STANDARD.decode(content).map_err(Error::internal)?;
    let kind = HeaderValue::from_str(&media_type).map_err(Error::internal)?;
    Ok(kept(([(CONTENT_TYPE, kind)], bytes).into_response()))
}
