//! The signing of WeChat Pay API v3 and of the gateways made after it: a request is signed as lines in its
//! `Authorization` header, a reply or notification as lines in headers of its own, and what a notification holds is
//! sealed with AES-256-GCM. The gateways differ in the names.

mod answer;
mod client;
mod combine;
mod deed;
mod file;
mod keys;
mod merchant;
mod notice;
mod share;
mod trade;
mod transfer;

use std::time::Duration;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::KeyInit;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, Method, Request};
use paycore::channel::{Context, Fault, Refusal};
use paycore::crypto::{Encryption, Scheme, Signer};
use paycore::time::Timestamp;

pub(crate) use answer::{Answer, Refused, instant, read};
pub(crate) use client::client;
pub(crate) use combine::{
    CLOSING_PARTS, COMBINED, Combined, PARTS, PARTS_MAX, ask_combined, asked_refund, close_combined, combine,
    cost_of_part, found_combined,
};
pub(crate) use deed::{
    Doubt, FIRST, NO_ORDER, absent, carried, declined, done, doubt, not_sent, ours, refusal,
};
pub(crate) use file::{Located, SealedFiles, file, sealed_file, unpacked};
pub(crate) use keys::{PlatformKey, platform, word};
pub(crate) use merchant::{Merchant, Sub, fen, reference};
pub(crate) use notice::{Announcement, acknowledgement, rejection};
pub(crate) use share::{Moved, share_reply, share_request};
pub(crate) use trade::{Given, Trade, refund_state, trade_state};
pub(crate) use transfer::{Paid, ask_transfer, pay_out, transfer_state};

/// Clocks may differ by less than this.
const WINDOW: Duration = Duration::from_secs(300);

/// What one gateway calls things.
#[derive(Debug)]
pub(crate) struct Names {
    /// The first word of the `Authorization` header.
    pub(crate) authorization: &'static str,
    /// The headers that are signed or name the key, lower-case.
    pub(crate) timestamp: &'static str,
    pub(crate) nonce: &'static str,
    pub(crate) signature: &'static str,
    pub(crate) serial: &'static str,
    /// A header that names the algorithm, and the only one that is believed in it.
    pub(crate) signature_type: Option<(&'static str, &'static str)>,
    /// How a signature begins that the gateway sends to see whether we look.
    pub(crate) probe: Option<&'static str>,
}

/// One merchant at such a gateway, with all keys open.
pub(crate) struct Identity {
    pub(crate) names: &'static Names,
    pub(crate) mchid: String,
    /// Of the merchant's own certificate.
    pub(crate) serial_no: String,
    pub(crate) signer: Box<dyn Signer>,
    /// The gateway's keys. There are two while a merchant moves from one to the other; the first is asked for.
    pub(crate) platform: Vec<PlatformKey>,
    pub(crate) seal: Aes256Gcm,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("mchid", &self.mchid).finish_non_exhaustive()
    }
}

impl Identity {
    /// Opens the seal with a key of exactly 32 bytes.
    pub(crate) fn seal(key: &[u8]) -> Option<Aes256Gcm> {
        Aes256Gcm::new_from_slice(key).ok()
    }

    /// A signed request. The path with its query is signed as it stands below `base`: a proxy in between may add a
    /// prefix that the gateway never sees.
    pub(crate) fn request(
        &self,
        base: &str,
        method: Method,
        path: &str,
        body: String,
        cx: &Context<'_>,
    ) -> Result<Request<Bytes>, Refusal> {
        let (timestamp, nonce) = (cx.now.secs().to_string(), nonce(cx));
        let signature = self.sign(&[method.as_str(), path, &timestamp, &nonce, &body])?;
        let (scheme, mchid, serial) = (self.names.authorization, &self.mchid, &self.serial_no);
        let authorization = format!(
            "{scheme} mchid=\"{mchid}\",nonce_str=\"{nonce}\",signature=\"{signature}\",\
             timestamp=\"{timestamp}\",serial_no=\"{serial}\""
        );
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{base}{path}"))
            .header(AUTHORIZATION, authorization)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("paycore/", env!("CARGO_PKG_VERSION")));
        if let Some(key) = self.current(cx.now) {
            request = request.header(self.names.serial, &key.serial);
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request.body(body.into()).map_err(|_| Refusal::Signing)
    }

    /// The gateway's key that we ask for: the first that is in force.
    fn current(&self, now: Timestamp) -> Option<&PlatformKey> {
        self.platform.iter().find(|key| key.counts(now))
    }

    /// What only the gateway shall read, such as the name of a person, for the key that [`Identity::request`] names.
    pub(crate) fn encrypt(&self, clear: &str, cx: &Context<'_>) -> Result<String, Refusal> {
        let key = self.current(cx.now).ok_or(Refusal::Signing)?;
        let sealed = key.encrypter.encrypt(Encryption::RsaOaepSha1, clear.as_bytes());
        sealed.map(|sealed| STANDARD.encode(sealed)).map_err(|_| Refusal::Signing)
    }

    /// The base64 of our signature over these lines, each with a line feed.
    pub(crate) fn sign(&self, lines: &[&str]) -> Result<String, Refusal> {
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        let signature = self.signer.sign(Scheme::RsaSha256, text.as_bytes()).map_err(|_| Refusal::Signing)?;
        Ok(STANDARD.encode(signature))
    }

    /// Whether a reply or notification comes from the gateway, and from now.
    pub(crate) fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Fault> {
        let names = self.names;
        let timestamp = once(headers, names.timestamp)?;
        let (nonce, signature) = (once(headers, names.nonce)?, once(headers, names.signature)?);
        let serial = once(headers, names.serial)?;
        if names.probe.is_some_and(|probe| signature.starts_with(probe)) {
            return Err(Fault::Signature);
        }
        if let Some((kind, believed)) = names.signature_type
            && headers.contains_key(kind)
            && once(headers, kind)? != believed
        {
            return Err(Fault::Signature);
        }
        let mut keys = self.platform.iter().filter(|key| key.counts(now));
        let key = keys.find(|key| key.serial == serial).ok_or(Fault::Signature)?;
        let signature = STANDARD.decode(signature).map_err(|_| Fault::Signature)?;
        let mut text = Vec::with_capacity(body.len() + 64);
        for line in [timestamp.as_bytes(), nonce.as_bytes(), body] {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        if !key.verifier.verify(Scheme::RsaSha256, &text, &signature) {
            return Err(Fault::Signature);
        }
        in_time(timestamp, now)
    }
}

/// Whether seconds of the epoch, in digits, are those of now.
pub(crate) fn in_time(timestamp: &str, now: Timestamp) -> Result<(), Fault> {
    let sent = timestamp.parse().ok().filter(|_| timestamp.bytes().all(|byte| byte.is_ascii_digit()));
    let sent = sent.map(Timestamp::from_secs);
    let apart = sent.map(|sent| sent.since(now).max(now.since(sent)));
    if apart.is_none_or(|apart| apart >= WINDOW) {
        return Err(Fault::Unacceptable(format!("signed at {timestamp:?}, not now")));
    }
    Ok(())
}

/// 32 random characters.
pub(crate) fn nonce(cx: &Context<'_>) -> String {
    let mut random = [0; 16];
    cx.rng.fill(&mut random);
    random.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The value of a header that has to be there exactly once.
pub(crate) fn once<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Fault> {
    let mut values = headers.get_all(name).iter();
    let (value, None) = (values.next(), values.next()) else { return Err(Fault::Signature) };
    let value = value.and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
    value.ok_or(Fault::Signature)
}
