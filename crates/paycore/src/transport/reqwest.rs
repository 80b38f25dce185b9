//! The transport of a real installation: HTTPS by `reqwest` with rustls and aws-lc, behind the guard.
//!
//! One call is one exchange. There are no redirects, no proxies from the environment, no cookies, no compression
//! and no retries; one deadline covers everything from the name to the last byte of the body.

#[cfg(test)]
mod tests;

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, ClientBuilder};

use super::guard::{Blocked, GuardPolicy};
use super::{ReplyLimit, Transport, TransportError};
use crate::channel::{Identity, Reply};

/// The largest body of a reply, unless the request allows more: channels answer in kilobytes.
pub const REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;
const HEADER_LIST_BYTES_MAX: u32 = 64 * 1024;
/// Connections are kept open this long for the next call to the same host: less than servers do, so that a call
/// seldom meets one that is being closed.
const IDLE: Duration = Duration::from_secs(20);
const IDLE_PER_HOST_MAX: usize = 64;

/// Sends requests over the network, to addresses the policy permits.
#[derive(Clone)]
pub struct ReqwestTransport {
    client: Client,
    policy: GuardPolicy,
    names: Arc<dyn Names>,
    /// The certificate authorities to trust instead of the machine's.
    roots: Option<Vec<Certificate>>,
}

impl std::fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReqwestTransport").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// The HTTP client could not be set up: the machine's certificates or the given ones cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the HTTPS client could not be set up: {0}")]
pub struct SetupError(String);

impl ReqwestTransport {
    /// A transport that trusts the certificate authorities of the machine, or Mozilla's list where the machine
    /// has none (a container with nothing but this program).
    pub fn new(policy: GuardPolicy) -> Result<Self, SetupError> {
        let names: Arc<dyn Names> = Arc::new(SystemNames);
        if let Ok(client) = builder(&policy, Arc::clone(&names)).build() {
            return Ok(ReqwestTransport { client, policy, names, roots: None });
        }
        ReqwestTransport::with(policy, mozilla_roots().map_err(setup)?, names)
    }

    /// A transport that trusts only these certificate authorities, in PEM: for a private network, or for a channel
    /// whose certificates nobody else signs.
    pub fn with_roots(policy: GuardPolicy, pem: &[u8]) -> Result<Self, SetupError> {
        let roots = Certificate::from_pem_bundle(pem).map_err(setup)?;
        ReqwestTransport::with(policy, roots, Arc::new(SystemNames))
    }

    fn with(policy: GuardPolicy, roots: Vec<Certificate>, names: Arc<dyn Names>) -> Result<Self, SetupError> {
        let client = builder(&policy, Arc::clone(&names)).tls_certs_only(roots.clone()).build();
        Ok(ReqwestTransport { client: client.map_err(setup)?, policy, names, roots: Some(roots) })
    }

    /// A client that shows this certificate. Such calls are few (refunds of channels of an older kind), so that
    /// none is kept: a key stays in memory no longer than its call.
    fn showing(&self, identity: &Identity) -> Result<Client, TransportError> {
        let unfit = |_| TransportError::Forbidden("the client certificate or its key cannot be read".into());
        let shown = reqwest::Identity::from_pem(identity.pem().expose().as_bytes()).map_err(unfit)?;
        let builder = builder(&self.policy, Arc::clone(&self.names)).identity(shown);
        let builder = match &self.roots {
            Some(roots) => builder.tls_certs_only(roots.clone()),
            None => builder,
        };
        builder.build().map_err(unfit)
    }

    async fn exchange(&self, request: http::Request<Bytes>) -> Result<Reply, TransportError> {
        let url = self.policy.admit(request.uri()).map_err(blocked)?;
        let (parts, body) = request.into_parts();
        let client = match parts.extensions.get::<Identity>() {
            Some(identity) => self.showing(identity)?,
            None => self.client.clone(),
        };
        let limit = parts.extensions.get::<ReplyLimit>().map_or(REPLY_BYTES_MAX, |limit| limit.0);
        let mut outgoing = reqwest::Request::new(parts.method, url);
        *outgoing.headers_mut() = parts.headers;
        *outgoing.body_mut() = (!body.is_empty()).then(|| body.into());
        let mut incoming = client.execute(outgoing).await.map_err(broken)?;
        let body = whole_body(&mut incoming, limit).await?;
        let mut reply = Reply::new(body);
        *reply.status_mut() = incoming.status();
        *reply.version_mut() = incoming.version();
        *reply.headers_mut() = std::mem::take(incoming.headers_mut());
        Ok(reply)
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: http::Request<Bytes>, timeout: Duration) -> Result<Reply, TransportError> {
        tokio::time::timeout(timeout, self.exchange(request)).await.unwrap_or(Err(TransportError::Timeout))
    }
}

fn builder(policy: &GuardPolicy, names: Arc<dyn Names>) -> ClientBuilder {
    let resolver = Guarded { policy: policy.clone(), names };
    Client::builder()
        .tls_backend_rustls()
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .dns_resolver(Arc::new(resolver))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .http2_max_header_list_size(HEADER_LIST_BYTES_MAX)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
}

fn mozilla_roots() -> Result<Vec<Certificate>, reqwest::Error> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| Certificate::from_der(der)).collect()
}

fn setup(error: reqwest::Error) -> SetupError {
    SetupError(causes(&error).last().map_or_else(String::new, ToString::to_string))
}

/// Reads the body to its end, or gives up where it grows too large. What the reply announces is not believed.
async fn whole_body(incoming: &mut reqwest::Response, limit: usize) -> Result<Bytes, TransportError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = incoming.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > limit {
            return Err(TransportError::Broken(format!("the reply is larger than {limit} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// What went wrong, in words that hold neither the address nor anything of the reply: they end up in logs that
/// merchants read.
fn broken(error: reqwest::Error) -> TransportError {
    if let Some(reason) = causes(&error).find_map(|cause| cause.downcast_ref::<Blocked>()) {
        return blocked(*reason);
    }
    if error.is_connect() {
        return TransportError::Connect;
    }
    if error.is_timeout() {
        return TransportError::Timeout;
    }
    let text = if error.is_body() || error.is_decode() {
        "the reply ended before it was complete"
    } else {
        "the connection was closed or the reply is not HTTP"
    };
    TransportError::Broken(text.into())
}

fn blocked(reason: Blocked) -> TransportError {
    TransportError::Forbidden(reason.to_string())
}

type Cause<'a> = &'a (dyn StdError + 'static);

/// An error and everything that led to it, outermost first.
fn causes<'a>(error: Cause<'a>) -> impl Iterator<Item = Cause<'a>> {
    std::iter::successors(Some(error), |cause| (*cause).source())
}

/// Asks for the addresses of a name.
#[async_trait]
trait Names: Send + Sync {
    async fn addresses(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The machine's own resolver.
struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.collect())
    }
}

/// Resolves a name once per connection and hands on only permitted addresses: the client connects to these and
/// asks nobody again.
struct Guarded {
    policy: GuardPolicy,
    names: Arc<dyn Names>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, names) = (self.policy.clone(), Arc::clone(&self.names));
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await?;
            let addresses: Addrs = Box::new(policy.permitted(found)?.into_iter());
            Ok(addresses)
        })
    }
}
