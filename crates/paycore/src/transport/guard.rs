//! Where this program may connect to. Addresses of channels, webhook endpoints and notify URLs are typed by
//! merchants, so none of them may lead into the operator's own network (server-side request forgery).
//!
//! The guard judges twice, and never asks twice: a URL before anything happens (scheme, user information, port,
//! and the host where it is an address in any spelling), and every address that a name resolves to at the moment
//! of connecting. The connection then goes to the very addresses that were judged, so that a name server which
//! answers differently the second time (DNS rebinding) gains nothing.

mod network;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

pub use network::{Network, NetworkError};

/// What the operator permits beyond https to public addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuardPolicy {
    /// Networks that may be called although they are not public, such as the operator's own receivers or, on a
    /// development machine, `127.0.0.0/8`.
    pub allow: Vec<Network>,
    /// Whether plain http will do: for sandboxes and development.
    pub http: bool,
}

/// Why an address may not be called. The text says nothing about what would have answered there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// Not an absolute URL with a host.
    #[error("it is not a complete web address")]
    Malformed,
    /// Neither https nor http.
    #[error("only https may be called")]
    Scheme,
    /// Plain http where the policy wants https.
    #[error("it must be https")]
    Plain,
    /// `user:password@` in front of the host.
    #[error("it must not hold a user name or password")]
    UserInfo,
    /// Port 0.
    #[error("port 0 cannot be called")]
    Port,
    /// A private, local or otherwise special address, or a name that leads to nothing else.
    #[error("it leads to an address that is not public")]
    Address,
}

impl GuardPolicy {
    /// Reads an address and judges it as far as that is possible without asking for its name. An IP address in
    /// place of a name is judged here, in whatever spelling, because nobody will resolve it. What is returned is
    /// to be called, not the text it was read from: the two may differ in spelling.
    pub fn admit(&self, uri: &http::Uri) -> Result<Url, Blocked> {
        let url = Url::parse(&uri.to_string()).map_err(|_| Blocked::Malformed)?;
        self.check_url(&url)?;
        Ok(url)
    }

    fn check_url(&self, url: &Url) -> Result<(), Blocked> {
        match url.scheme() {
            "https" => {}
            "http" if self.http => {}
            "http" => return Err(Blocked::Plain),
            _ => return Err(Blocked::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Blocked::UserInfo);
        }
        if url.port() == Some(0) {
            return Err(Blocked::Port);
        }
        match url.host() {
            Some(Host::Ipv4(address)) => self.check_address(address.into()),
            Some(Host::Ipv6(address)) => self.check_address(address.into()),
            Some(Host::Domain(name)) if !name.trim_matches('.').is_empty() => Ok(()),
            _ => Err(Blocked::Malformed),
        }
    }

    /// Judges one address: public, or in a network the operator allows.
    pub fn check_address(&self, address: IpAddr) -> Result<(), Blocked> {
        let allowed =
            network::is_public(address) || self.allow.iter().any(|network| network.contains(address));
        if allowed { Ok(()) } else { Err(Blocked::Address) }
    }

    /// Of the addresses a name resolved to, those that may be connected to. No address at all is an empty list;
    /// only forbidden ones are an error.
    pub fn permitted(&self, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Blocked> {
        let any = !found.is_empty();
        let left: Vec<_> =
            found.into_iter().filter(|address| self.check_address(address.ip()).is_ok()).collect();
        if any && left.is_empty() { Err(Blocked::Address) } else { Ok(left) }
    }
}
