//! HTTP requests that arrived at the host and are meant for the engine: notifications of channels at
//! `/notify/{account}`, and in the sandbox the pages and gateways of the simulated providers. The host's own web
//! server passes them in and sends the response back; in a test there need not be any server.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response, Uri};
use paycore::channel::simulator::Answer;
use paycore::error::{Code, Error, Result};
use paycore::id::ChannelAccountId;
use serde::{Deserialize, Serialize};

use crate::instance::Instance;

/// A request that arrived.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arrived {
    method: String,
    /// Absolute, or from the path on.
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// As text.
    #[serde(default)]
    body: Option<String>,
    /// As base64, where it is not text.
    #[serde(default)]
    body_base64: Option<String>,
}

/// The response to send.
#[derive(Serialize)]
struct Sent<'a> {
    status: u16,
    headers: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

/// Hands a request to whom it is meant for, and gives the response as JSON.
pub(crate) async fn receive(instance: &Instance, input: &str) -> Result<String> {
    let arrived: Arrived = serde_json::from_str(input)
        .map_err(|error| Error::invalid("input", format!("Not a request that arrived: {error}.")))?;
    let request = request(instance, arrived)?;
    let (uri, engine) = (request.uri().clone(), &instance.engine);
    let notified = uri.path().rsplit_once("/notify/").map(|(_, account)| account.parse::<ChannelAccountId>());
    let response = match (engine.hub().addressed(&uri), notified) {
        (Some((account, path)), _) => {
            let request = moved(request, &path)?;
            match paycore::sandbox::service::handle(engine, account, &request).await? {
                Answer::Reply(response) => response,
                Answer::Silence => {
                    return Err(Error::new(Code::Unavailable, "The simulated provider keeps silent."));
                }
            }
        }
        (None, Some(Ok(account))) => paycore::notice::receive(engine, account, &request).await?,
        _ => {
            return Err(
                Error::new(Code::NotFound, "Nothing at this address is the engine's.").param("input.url")
            );
        }
    };
    sent(&response)
}

fn request(instance: &Instance, arrived: Arrived) -> Result<Request<Bytes>> {
    let wrong =
        |param: &str| Error::invalid(format!("input.{param}"), "This cannot stand in an HTTP request.");
    let body = match (arrived.body, arrived.body_base64) {
        (Some(_), Some(_)) => return Err(Error::invalid("input.body_base64", "Give one body, not two.")),
        (Some(text), None) => text.into_bytes(),
        (None, Some(base64)) => STANDARD.decode(base64).map_err(|_| wrong("body_base64"))?,
        (None, None) => Vec::new(),
    };
    let absolute = match arrived.url.strip_prefix('/') {
        Some(path) => format!("{}/{path}", instance.public_url.trim_end_matches('/')),
        None => arrived.url,
    };
    let uri: Uri = absolute.parse().map_err(|_| wrong("url"))?;
    let method = http::Method::from_bytes(arrived.method.as_bytes()).map_err(|_| wrong("method"))?;
    let mut builder = Request::builder().method(method).uri(uri);
    for (name, value) in &arrived.headers {
        builder = builder.header(name, value);
    }
    builder.body(body.into()).map_err(|_| wrong("headers"))
}

/// The same request as its receiver sees it, from its own root on.
fn moved(mut request: Request<Bytes>, path: &str) -> Result<Request<Bytes>> {
    *request.uri_mut() = path.parse().map_err(Error::internal)?;
    Ok(request)
}

fn sent(response: &Response<Bytes>) -> Result<String> {
    let text = std::str::from_utf8(response.body()).ok();
    let headers = response.headers().iter();
    let sent = Sent {
        status: response.status().as_u16(),
        headers: headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect(),
        body: text,
        body_base64: text.is_none().then(|| STANDARD.encode(response.body())),
    };
    serde_json::to_string(&sent).map_err(Error::internal)
}
