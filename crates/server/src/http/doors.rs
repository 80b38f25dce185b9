//! The addresses that are not operations: notifications of channels, the simulated providers, health, metrics.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use paycore::channel::simulator::Answer;
use paycore::error::{Code, Error, Result};
use paycore::id::ChannelAccountId;
use paycore::secret::same;
use paycore::time::Timestamp;

use super::{App, HangUp, Told, other_methods, whole_body};
use crate::listen::Peer;
use crate::problem::Refused;

/// Statements of a provider about a payment are small, but not as small as ours.
const NOTICE_BYTES_MAX: usize = 256 * 1024;
/// How long a provider that stays silent keeps the connection: longer than any channel call waits.
const SILENCE: Duration = Duration::from_secs(30);
/// 2026-01-01: a clock before this was never set.
const CLOCK_MIN: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

pub(super) fn add(router: Router, app: &Arc<App>) -> Router {
    let (notify_app, ready_app, metrics_app) = (Arc::clone(app), Arc::clone(app), Arc::clone(app));
    let notify = move |path, request| notify(Arc::clone(&notify_app), path, request);
    let router = router
        .route(
            "/notify/{account}",
            get(notify.clone()).post(notify).fallback(other_methods(&[&Method::GET, &Method::POST])),
        )
        .route("/healthz", get(health).fallback(other_methods(&[&Method::GET])))
        .route("/readyz", get(move || ready(Arc::clone(&ready_app))).fallback(other_methods(&[&Method::GET])))
        .route(
            "/metrics",
            get(move |peer, headers| metrics(Arc::clone(&metrics_app), peer, headers))
                .fallback(other_methods(&[&Method::GET])),
        );
    if !app.sandbox {
        return router;
    }
    let app = Arc::clone(app);
    let sandbox = move |request| sandbox(Arc::clone(&app), request);
    router.route("/sandbox/{account}", any(sandbox.clone())).route("/sandbox/{account}/{*path}", any(sandbox))
}

fn told(mut response: Response, operation: &'static str) -> Response {
    response.extensions_mut().insert(Told { operation, ..Told::default() });
    response
}

/// A notification of a channel: acknowledged only after what it says is durable.
async fn notify(app: Arc<App>, Path(account): Path<String>, request: Request) -> Response {
    let response = match receive(&app, &account, request).await {
        Ok(response) => response.map(Body::from),
        // Whatever failed on our side: the channel is to send it again.
        Err(error) if error.code == Code::Internal => {
            Refused::from(Error { code: Code::Unavailable, ..error }).into_response()
        }
        Err(error) => Refused::from(error).into_response(),
    };
    told(response, "notify")
}

async fn receive(app: &App, account: &str, request: Request) -> Result<http::Response<Bytes>> {
    let account: ChannelAccountId =
        account.parse().map_err(|_| Error::not_found("channel account", account))?;
    let notice = whole_body(request, NOTICE_BYTES_MAX).await?;
    paycore::notice::receive(&app.engine, account, &notice).await
}

/// A simulated provider: its API, and the pages its payers see.
async fn sandbox(app: Arc<App>, request: Request) -> Response {
    let response = match simulate(&app, request).await {
        Ok(Answer::Reply(response)) => response.map(Body::from),
        Ok(Answer::Silence) => {
            tokio::time::sleep(SILENCE).await;
            let mut response = StatusCode::NO_CONTENT.into_response();
            response.extensions_mut().insert(HangUp);
            response
        }
        Err(error) => Refused::from(error).into_response(),
    };
    told(response, "sandbox")
}

async fn simulate(app: &App, mut request: Request) -> Result<Answer> {
    let missing = || Error::new(Code::NotFound, "There is no simulated provider at this address.");
    let (account, relative) = relative(request.uri()).ok_or_else(missing)?;
    *request.uri_mut() = relative;
    let request = whole_body(request, NOTICE_BYTES_MAX).await?;
    paycore::sandbox::service::handle(&app.engine, account, &request).await
}

/// The account of `/sandbox/{account}/…` and the rest of the address, as the provider sees it.
fn relative(uri: &Uri) -> Option<(ChannelAccountId, Uri)> {
    let rest = uri.path_and_query()?.as_str().strip_prefix("/sandbox/")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (account, rest) = rest.split_at(end);
    let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    Some((account.parse().ok()?, rest.parse().ok()?))
}

/// Alive: the process answers.
async fn health() -> Response {
    told(([(CONTENT_TYPE, TEXT)], "ok\n").into_response(), "health")
}

/// Ready: a payment could be taken now.
async fn ready(app: Arc<App>) -> Response {
    let sane = app.engine.wall() > CLOCK_MIN;
    let response = match app.engine.store().ready().await {
        Ok(()) if sane => ([(CONTENT_TYPE, TEXT)], "ready\n").into_response(),
        Ok(()) => Refused::from(Error::new(Code::Unavailable, "The clock of this machine is not set."))
            .into_response(),
        Err(error) => Refused::from(Error::from(error)).into_response(),
    };
    told(response, "health")
}

/// Metrics, for this machine or for whoever has the key.
async fn metrics(app: Arc<App>, ConnectInfo(peer): ConnectInfo<Peer>, headers: HeaderMap) -> Response {
    let allowed = match &app.metrics_key {
        Some(key) => headers
            .get(AUTHORIZATION)
            .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
            .is_some_and(|given| same(given, key.expose().as_bytes())),
        None => {
            peer.0.ip().is_loopback()
                && !headers.contains_key("x-forwarded-for")
                && !headers.contains_key("forwarded")
        }
    };
    let response = if allowed {
        ([(CONTENT_TYPE, TEXT)], app.meter.render(&app.engine).await).into_response()
    } else {
        let detail =
            "Metrics are shown to this machine only, or to whoever sends the `metrics_key` of the settings.";
        Refused::from(Error::new(Code::Forbidden, detail)).into_response()
    };
    told(response, "metrics")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulator_sees_addresses_below_its_own() {
        let id = "cha_01jd7xk3fz5v9b8m2q4r6t8w0y";
        for (tail, expected) in
            [("", "/"), ("/", "/"), ("/gateway.do?a=b%20c", "/gateway.do?a=b%20c"), ("?a=b", "/?a=b")]
        {
            let uri: Uri = format!("/sandbox/{id}{tail}").parse().unwrap();
            let (account, relative) = relative(&uri).unwrap();
            assert_eq!((account.to_string().as_str(), relative.to_string().as_str()), (id, expected));
        }
        assert!(relative(&"/sandbox/nobody/x".parse().unwrap()).is_none());
    }
}
