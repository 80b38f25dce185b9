//! The settings of one account with a panel, read once.

use paycore::channel::{Settings, SettingsError};
use paycore::crypto::{Keyring, Signer, Verifier};
use paycore::secret::Secret;
use url::{Host, Url};

use crate::dialect::settings::{gateway, rsa_keys};

/// One merchant's account with a panel, its keys open.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) pid: String,
    /// Without a trailing slash.
    pub(super) gateway: String,
    pub(super) keys: Keys,
}

/// What signs, and with it the version of the protocol. Neither version ever accepts the other's signatures.
#[derive(Debug)]
pub(super) enum Keys {
    /// The key that is appended to the text before it is hashed.
    V1(Secret),
    /// Our private key and the panel's public key.
    V2 { signer: Box<dyn Signer>, verifier: Box<dyn Verifier> },
}

impl Account {
    pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Account, SettingsError> {
        let version = settings.require("protocol")?.expose().trim();
        let gateway = gateway("gateway", settings.require("gateway")?.expose())?;
        let pid = settings.require("pid")?.expose().trim().to_owned();
        let in_pid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if pid.len() > 32 || !pid.bytes().all(in_pid) {
            return Err(SettingsError::new("pid", "must be at most 32 letters, digits, `-` or `_`"));
        }
        let keys = match version {
            "v1" => Keys::V1(hash_key(settings, &gateway)?),
            "v2" => {
                let (signer, verifier) = rsa_keys(settings, keyring, ("private_key", "platform_public_key"))?;
                Keys::V2 { signer, verifier }
            }
            _ => return Err(SettingsError::new("protocol", "must be v1 or v2")),
        };
        Ok(Account { pid, gateway: gateway.trim_end_matches('/').to_owned(), keys })
    }
}

/// The key of version 1. Its replies are not signed and its queries carry the key itself, so that only the connection
/// protects them: without https the version is refused, except towards this machine.
fn hash_key(settings: &Settings, gateway: &str) -> Result<Secret, SettingsError> {
    let text = settings.require("key")?.expose().trim();
    if !(8..=256).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SettingsError::new("key", "must be 8 to 256 ASCII characters without spaces"));
    }
    let url = Url::parse(gateway).map_err(|_| SettingsError::new("gateway", "must be an address"))?;
    let near = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !near {
        return Err(SettingsError::new("gateway", "must be https for v1, whose replies are not signed"));
    }
    Ok(Secret::new(text))
}
