//! The one handler of all operations: authenticate, limit, decode, call, encode.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::RequestPartsExt as _;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use paycore::catalogue::{Input, Operation, Reply};
use paycore::engine::Caller;
use paycore::error::{Code, Error, Result};
use paycore::merchant::Scope;

use super::body;
use super::finish::Finish;
use super::{App, Told, VERSION, VERSIONS};
use crate::limit::Left;
use crate::problem::Refused;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Answers one request for one operation.
pub(super) async fn operate(app: Arc<App>, operation: &'static Operation, request: Request) -> Response {
    let mut told = Told { operation: operation.name, ..Told::default() };
    let mut left = None;
    let bytes = wants_bytes(request.headers());
    let result = run(&app, operation, request, &mut told, &mut left).await;
    let mut response = match result {
        Ok(reply) if bytes => file(&reply).unwrap_or_else(|| answer(reply, &mut told)),
        Ok(reply) => answer(reply, &mut told),
        Err(error) => Refused::from(error).into_response(),
    };
    if let (Some(limiter), Some(left)) = (&app.limiter, left) {
        limiter.tell(left, response.headers_mut());
    }
    response.extensions_mut().insert(told);
    response
}

/// A file as itself, with its name.
fn file(reply: &Reply) -> Option<Response> {
    #[derive(serde::Deserialize)]
    struct File {
        file_name: String,
        media_type: String,
        content: String,
    }
    let file: File = serde_json::from_str(&reply.body).ok()?;
    let mut response = Response::new(Body::from(STANDARD.decode(&file.content).ok()?));
    let disposition = format!("attachment; filename=\"{}\"", file.file_name);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_str(&file.media_type).ok()?);
    response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_str(&disposition).ok()?);
    Some(response)
}

/// Whether the caller wants the bytes of a file rather than JSON that holds them.
fn wants_bytes(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).is_some_and(|accepted| accepted == "application/octet-stream")
}

fn answer(reply: Reply, told: &mut Told) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    if reply.replayed {
        told.replayed = true;
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

async fn run(
    app: &Arc<App>,
    operation: &'static Operation,
    request: Request,
    told: &mut Told,
    left: &mut Option<Left>,
) -> Result<Reply> {
    let (mut parts, body) = request.into_parts();
    version(&parts.headers)?;
    let (hash, caller) = app.keys.caller(&app.engine, &parts.headers).await?;
    told.merchant = Some(caller.tenant());
    *left = app.limiter.as_ref().map(|limiter| limiter.take(&hash));
    if let Some(refused) = left.and_then(Left::refused) {
        return Err(refused);
    }
    if !app.sandbox && !caller.merchant.livemode {
        let detail =
            "The sandbox is switched off on this server; start it with `--sandbox` or use a live key.";
        return Err(Error::new(Code::Forbidden, detail));
    }
    let body = match parts.method {
        Method::GET | Method::HEAD => Bytes::new(),
        _ if operation.takes_file => body::read(body, app.upload_bytes_max).await?,
        _ => body::read(body, app.body_bytes_max).await?,
    };
    if !body.is_empty() {
        body::require_json(&parts.headers)?;
    }
    let path = path(operation, &mut parts).await?;
    let call = Call { caller, body, path, query: query(&parts), key: idempotency_key(&parts.headers)? };
    invoke(app, operation, call).await
}

/// One call, ready to run.
struct Call {
    caller: Caller,
    body: Bytes,
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    key: Option<String>,
}

async fn invoke(app: &Arc<App>, operation: &'static Operation, call: Call) -> Result<Reply> {
    let shared = Arc::clone(app);
    let work = async move {
        let input = Input { body: &call.body, path: call.path, query: call.query };
        let running = operation.invoke(&shared.engine, call.caller, input, call.key.as_deref());
        let result = AssertUnwindSafe(running).catch_unwind().await;
        result.unwrap_or_else(|_| Err(Error::internal("the operation panicked")))
    };
    if !operation.mutates {
        return work.await;
    }
    let result = Finish::new(work, app.unfinished.clone()).await;
    if result.is_ok() && matches!(operation.scope, Scope::Settings | Scope::Platform) {
        app.keys.forget();
    }
    result
}

/// The version the caller wants must be one there is.
fn version(headers: &HeaderMap) -> Result<()> {
    let Some(wanted) = headers.get(VERSION) else { return Ok(()) };
    if VERSIONS.iter().any(|known| wanted == known) {
        return Ok(());
    }
    let detail = format!("Known versions: {}.", VERSIONS.join(", "));
    Err(Error::new(Code::VersionUnknown, detail).param("Paycore-Version"))
}

async fn path(operation: &Operation, parts: &mut Parts) -> Result<Vec<(String, String)>> {
    if !operation.path.contains('{') {
        return Ok(Vec::new());
    }
    let Path(path) = parts
        .extract::<Path<Vec<(String, String)>>>()
        .await
        .map_err(|_| Error::new(Code::NotFound, "There is nothing at this address."))?;
    Ok(path)
}

fn query(parts: &Parts) -> Vec<(String, String)> {
    let Some(query) = parts.uri.query() else { return Vec::new() };
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let wrong = |detail| Error::new(Code::IdempotencyKeyInvalid, detail).param("Idempotency-Key");
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(key), None) => {
            let text = key.to_str().map_err(|_| wrong("Must be printable ASCII characters."))?;
            Ok(Some(text.to_owned()))
        }
        _ => Err(wrong("Send one Idempotency-Key, not several.")),
    }
}
