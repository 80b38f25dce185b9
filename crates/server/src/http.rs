//! The doors of the server: every operation of the catalogue, and the few addresses that are not operations.
//! There is no handler per endpoint.

mod body;
mod doors;
mod epay;
mod finish;
mod operate;
mod trace;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use futures_util::FutureExt as _;
use http::header::{ALLOW, CACHE_CONTROL};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use paycore::catalogue::{CATALOGUE, Operation};
use paycore::engine::Engine;
use paycore::error::{Code, Error};
use paycore::id::MerchantId;
use paycore::secret::Secret;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use crate::auth::Keys;
use crate::cashier;
use crate::checkout;
use crate::landing;
use crate::limit::Limiter;
use crate::metrics::Meter;
use crate::pages;
use crate::pay;
use crate::problem::{self, Refused};

pub use trace::RequestIds;

/// The dated versions of the API this server speaks, newest first.
pub const VERSIONS: &[&str] = &["2026-11-01"];
/// The header that names a version.
pub const VERSION: HeaderName = HeaderName::from_static("paycore-version");
/// The header that names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// Doors that are not operations, as they are named in logs and metrics.
pub const OTHER_DOORS: &[&str] =
    &["notify", "epay", "sandbox", "page", "health", "metrics", "checkout", "cashier", UNMATCHED];
const UNMATCHED: &str = "unmatched";

/// Longer than any operation takes: a call to a channel is over after 15 seconds.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(35);
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Files are what they say they are.
pub(crate) const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// What all requests share.
#[derive(Debug)]
pub struct App {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Known callers.
    pub keys: Keys,
    /// How often a key may call; none without a limit.
    pub limiter: Option<Limiter>,
    /// Counts.
    pub meter: Arc<Meter>,
    /// Where the server is reached from outside, without a trailing slash.
    pub public_url: String,
    /// The largest body of a request.
    pub body_bytes_max: usize,
    /// The largest body of a request that brings a file.
    pub upload_bytes_max: usize,
    /// Whether sandbox keys and the simulated providers work.
    pub sandbox: bool,
    /// Who may read `/metrics` from afar; without it only this machine may.
    pub metrics_key: Option<Secret>,
    /// Work whose caller is gone.
    pub unfinished: TaskTracker,
    /// Names requests.
    pub request_ids: RequestIds,
    /// Cancelled when the server stops, for answers that would go on.
    pub stop: CancellationToken,
}

/// What a handler says about the request it answered, for logs and metrics.
#[derive(Debug, Clone)]
struct Told {
    operation: &'static str,
    merchant: Option<MerchantId>,
    replayed: bool,
}

impl Default for Told {
    fn default() -> Self {
        Told { operation: UNMATCHED, merchant: None, replayed: false }
    }
}

/// The connection is to be closed without an answer: a simulated provider stays silent.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the connection is closed without an answer")]
pub struct HangUp;

/// Routes requests to their doors.
#[derive(Debug, Clone)]
pub struct Doors {
    app: Arc<App>,
    router: Router,
}

impl Doors {
    /// The routes of the catalogue and the other doors.
    pub fn new(app: Arc<App>) -> Self {
        let mut paths: BTreeMap<&'static str, Vec<&'static Operation>> = BTreeMap::new();
        for operation in CATALOGUE {
            paths.entry(operation.path).or_default().push(operation);
        }
        let mut router = Router::new();
        for (path, operations) in paths {
            router = router.route(path, operations_at(&app, operations));
        }
        router = doors::add(router, &app);
        router = epay::add(router, &app);
        router = pages::add(router, &app);
        router = landing::add(router, &app);
        router = checkout::add(router, &app);
        router = pay::add(router, &app);
        router = cashier::add(router, &app);
        router = router.fallback(|| async {
            Refused::from(Error::new(
                Code::NotFound,
                "There is nothing at this address. The reference is at /docs.",
            ))
        });
        Doors { app, router }
    }

    /// Answers one request: routes it, gives errors their body, and tells log and metrics.
    pub async fn answer(&self, request: Request) -> Result<Response, HangUp> {
        let started = self.app.engine.wall();
        let about = trace::About::of(&request, &self.app.request_ids);
        let chinese = problem::prefers_chinese(request.headers());
        let running = AssertUnwindSafe(self.router.clone().call(request)).catch_unwind();
        let result = tokio::time::timeout(REQUEST_TIMEOUT, running).await;
        let mut response = match result {
            Ok(Ok(Ok(response))) => response,
            Ok(Err(_)) => Refused::from(Error::internal("a handler panicked")).into_response(),
            Err(_) => Refused::from(too_slow()).into_response(),
        };
        let told = response.extensions_mut().remove::<Told>().unwrap_or_default();
        let error = response.extensions_mut().remove::<Refused>().map(|refused| refused.0);
        if let Some(error) = &error {
            problem::render(&mut response, error, &about.request_id, &self.app.public_url, chinese);
        }
        self.dress(response.headers_mut(), &about.request_id);
        let latency = self.app.engine.wall().since(started);
        self.app.meter.request(told.operation, error.as_ref().map(|error| error.code.text()), latency);
        about.log(&told, response.status(), error.as_deref(), latency);
        if response.extensions_mut().remove::<HangUp>().is_some() { Err(HangUp) } else { Ok(response) }
    }

    fn dress(&self, headers: &mut HeaderMap, request_id: &str) {
        if let Ok(value) = HeaderValue::from_str(request_id) {
            headers.insert(REQUEST_ID, value);
        }
        headers.insert(VERSION, HeaderValue::from_static(VERSIONS[0]));
        headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
        if self.app.public_url.starts_with("https://") {
            headers.insert(http::header::STRICT_TRANSPORT_SECURITY, HSTS);
        }
    }
}

fn too_slow() -> Error {
    let detail = "This took too long; what was begun goes on. Repeat the request with the same Idempotency-Key to \
                  learn its outcome.";
    Error::new(Code::Unavailable, detail)
}

/// The handlers of the operations that share a path.
fn operations_at(app: &Arc<App>, operations: Vec<&'static Operation>) -> MethodRouter {
    let methods: Vec<&Method> = operations.iter().map(|operation| &operation.method).collect();
    let mut routes = MethodRouter::new().fallback(other_methods(&methods));
    for operation in operations {
        let filter =
            MethodFilter::try_from(operation.method.clone()).expect("the catalogue has ordinary methods");
        let app = Arc::clone(app);
        routes =
            routes.merge(on(filter, move |request| operate::operate(Arc::clone(&app), operation, request)));
    }
    routes
}

/// What answers the methods a path does not have: OPTIONS with those it has, anything else with an error.
pub(crate) fn other_methods(
    methods: &[&Method],
) -> impl Fn(Method) -> std::future::Ready<Response> + Clone + use<> {
    let mut allowed: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    allowed.push("OPTIONS");
    let allowed = allowed.join(", ");
    move |method| {
        std::future::ready(if method == Method::OPTIONS {
            options(&allowed)
        } else {
            problem::method_not_allowed(&allowed)
        })
    }
}

/// A request with its whole body, read within a limit.
pub(crate) async fn whole_body(
    request: Request,
    max: usize,
) -> paycore::error::Result<http::Request<bytes::Bytes>> {
    let (parts, body) = request.into_parts();
    Ok(http::Request::from_parts(parts, body::read(body, max).await?))
}

/// The same of a request whose body has to be JSON.
pub(crate) async fn whole_json_body(
    request: Request,
    max: usize,
) -> paycore::error::Result<http::Request<bytes::Bytes>> {
    body::require_json(request.headers())?;
    whole_body(request, max).await
}

/// Runs work to its end, even where the caller hangs up.
pub(crate) async fn finished<T: Send + 'static>(
    app: &App,
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    finish::Finish::new(work, app.unfinished.clone()).await
}

/// Names the door of a page, for logs and metrics.
pub(crate) fn page_answered(response: Response) -> Response {
    door_answered(response, "page", None)
}

/// Names the door that answered, one of [`OTHER_DOORS`], and whose data it showed.
pub(crate) fn door_answered(
    mut response: Response,
    operation: &'static str,
    merchant: Option<MerchantId>,
) -> Response {
    response.extensions_mut().insert(Told { operation, merchant, replayed: false });
    response
}

fn options(allowed: &str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(value) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use paycore::transport::system::SystemRng;

    use super::*;

    fn doors(router: Router) -> Doors {
        let app = App {
            engine: Arc::new(Engine::sandbox(paycore_channels::REGISTRY)),
            keys: Keys::default(),
            limiter: None,
            meter: Arc::new(Meter::new(OTHER_DOORS).unwrap()),
            public_url: "https://pay.example".into(),
            body_bytes_max: 1_024,
            upload_bytes_max: 2_048,
            sandbox: true,
            metrics_key: None,
            unfinished: TaskTracker::new(),
            request_ids: RequestIds::new(&SystemRng),
            stop: CancellationToken::new(),
        };
        Doors { app: Arc::new(app), router }
    }

    async fn ask(doors: &Doors) -> (Response, serde_json::Value) {
        let request = Request::builder().uri("/").body(Body::empty()).unwrap();
        let (parts, body) = doors.answer(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (Response::from_parts(parts, Body::empty()), serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn a_panic_becomes_a_problem_that_says_nothing_of_it() {
        let panics = Router::new().route("/", get(|| async { panic!("row 7 of the vault") as Response }));
        let (response, problem) = ask(&doors(panics)).await;
        assert_eq!((response.status().as_u16(), &problem["code"]), (500, &"internal".into()));
        assert!(!problem.to_string().contains("vault"), "{problem}");
        assert_eq!(response.headers()["strict-transport-security"], HSTS);
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_is_told_to_be_asked_again() {
        let hangs = Router::new().route("/", get(|| async { std::future::pending::<Response>().await }));
        let (response, problem) = ask(&doors(hangs)).await;
        assert_eq!((response.status().as_u16(), &problem["code"]), (503, &"unavailable".into()));
        assert_eq!(
            (&problem["retryable"], &response.headers()["retry-after"]),
            (&true.into(), &"1".parse().unwrap())
        );
    }

    #[tokio::test]
    async fn a_silent_provider_closes_the_connection() {
        let silent = Router::new().route(
            "/",
            get(|| async {
                let mut response = StatusCode::NO_CONTENT.into_response();
                response.extensions_mut().insert(HangUp);
                response
            }),
        );
        let request = Request::builder().uri("/").body(Body::empty()).unwrap();
        assert!(doors(silent).answer(request).await.is_err());
    }
}
