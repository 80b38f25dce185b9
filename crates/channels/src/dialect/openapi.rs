//! The wire of the Alipay open platform, in its two protocols: v2, a form whose sorted parameters are signed and whose
//! answer carries a signature inside, and v3, JSON over REST with signatures in headers. Both know two modes, plain
//! public keys or certificates, and may encrypt what they carry. What is asked and answered has the same words in all
//! of them, so nobody above this needs to know which is spoken.
//!
//! Whatever runs in the payer's browser or app is signed as v2 in either protocol, and notifications are v2 too.

pub(crate) mod bill;
mod certificate;
pub(crate) mod content;
pub(crate) mod declines;
mod envelope;
mod login;
mod rest;
mod seal;
mod settings;

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use encoding_rs::GB18030;
use http::{HeaderMap, Method, Request};
use paycore::channel::{Context, Fault, Notice, Refusal, Reply};
use paycore::crypto::{Scheme, Signer, Verifier};
use paycore::time::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::form::Form;
use super::reply::{beijing, same};
pub(crate) use envelope::RESERVED;
pub(crate) use login::LOGIN_GATEWAY;
pub(crate) use settings::{
    ALIPAY_CERTIFICATE, ALIPAY_PUBLIC_KEY, ALIPAY_ROOT_CERTIFICATE, APP_AUTH_TOKEN, APP_CERTIFICATE, APP_ID,
    ENCRYPT_KEY, GATEWAY, MINI_APP_ID, MODE, PRIVATE_KEY, PROTOCOL, SELLER_ID,
};

/// Clocks may be this far apart.
const CLOCKS: Duration = Duration::from_secs(15 * 60);
/// A notification is repeated for 25 hours; one more for clocks and queues.
const NOTICE_AGE_MAX: Duration = Duration::from_secs(26 * 3600);

/// What the signed text of a notification leaves out: that of a trade, and that of the newer products.
const NOTICE_RULES: [&[&str]; 2] = [&["sign", "sign_type"], &["sign"]];

/// One app at the gateway, with all its keys open.
#[derive(Debug)]
pub(crate) struct App {
    app_id: String,
    /// The address of v2, without a query.
    gateway: String,
    protocol: Protocol,
    signer: Box<dyn Signer>,
    /// The gateway's keys. In certificate mode there are two while one certificate follows another.
    theirs: Vec<TheirKey>,
    certificates: Option<Serials>,
    seal: Option<seal::Seal>,
    app_auth_token: Option<String>,
    /// Where payers' browsers go to say who they are.
    login: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    V2,
    V3,
}

/// A key that the gateway signs with.
#[derive(Debug)]
struct TheirKey {
    /// Of its certificate, in certificate mode.
    serial: Option<String>,
    verifier: Box<dyn Verifier>,
    /// The end of its certificate.
    expires: Option<Timestamp>,
}

/// What our side says of its certificates.
#[derive(Debug)]
struct Serials {
    app: String,
    root: String,
}

/// A verified answer.
#[derive(Debug)]
pub(crate) enum Answer<T> {
    /// Carried out, with what was said about it.
    Done(T),
    /// Accepted, and waiting for the payer.
    Waiting(T),
    /// Not carried out, for a reason the gateway names.
    Refused(Refused),
}

/// Why a request was not carried out.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The gateway's own code, such as `ACQ.TRADE_NOT_EXIST`.
    pub(crate) code: String,
    /// Its text.
    pub(crate) message: String,
}

impl Refused {
    fn new(code: &str, message: &str) -> Refused {
        Refused { code: code.chars().take(64).collect(), message: message.chars().take(200).collect() }
    }

    /// The code as tables hold it: v3 leaves the prefix out.
    pub(crate) fn word(&self) -> &str {
        self.code.strip_prefix("ACQ.").unwrap_or(&self.code)
    }

    /// As an answer that settles nothing.
    pub(crate) fn unknown(self) -> Fault {
        Fault::Unknown { code: self.code, message: self.message }
    }
}

impl App {
    /// A signed call of `method`, such as `alipay.trade.query`, with a JSON object as its content. The gateway reports
    /// on what it starts to `notify_url`.
    pub(crate) fn request(
        &self,
        method: &str,
        content: &Value,
        notify_url: Option<&str>,
        cx: &Context<'_>,
    ) -> Result<Request<Bytes>, Refusal> {
        match self.protocol {
            Protocol::V2 => self.form(method, content, notify_url, cx),
            Protocol::V3 => self.rest(method, content, notify_url, cx),
        }
    }

    /// The parameters of `method`, signed, as a query: for the payer's browser or app.
    pub(crate) fn order(
        &self,
        method: &str,
        content: &Value,
        addresses: (Option<&str>, Option<&str>),
        cx: &Context<'_>,
    ) -> Result<String, Refusal> {
        self.parameters(method, content, addresses, cx)
    }

    /// Where a browser takes such parameters to.
    pub(crate) fn page(&self, order: &str) -> String {
        format!("{}?{order}", self.gateway)
    }

    /// Verifies and reads the answer to `method`. An error whose signature is missing comes back as a fault with its
    /// text: whoever sits on the line could have written it, so it decides nothing.
    pub(crate) fn answer<T: DeserializeOwned>(
        &self,
        method: &str,
        reply: &Reply,
        cx: &Context<'_>,
    ) -> Result<Answer<T>, Fault> {
        match self.protocol {
            Protocol::V2 => self.framed(method, reply, cx),
            Protocol::V3 => self.rested(reply, cx),
        }
    }

    /// Verifies a notification and that it is meant for this app, and now.
    pub(crate) fn notice<'n>(&self, notice: &'n Notice, cx: &Context<'_>) -> Result<Form<'n>, Fault> {
        if notice.method() != Method::POST {
            return Err(Fault::Unexpected("a notification is a POST".into()));
        }
        let form = Form::read(notice.body())?;
        if form.field("sign_type") != Some("RSA2") {
            return Err(Fault::Signature);
        }
        let signature = decoded(form.field("sign").unwrap_or_default())?;
        // Notifications hardly ever name the certificate; then any of the gateway's may be it.
        let mut keys = self.keys(form.field("alipay_cert_sn"), cx.now);
        let signed = keys.any(|key| {
            let by = |rule: &&[&str]| key.verify(Scheme::RsaSha256, &form.signed_text(rule), &signature);
            NOTICE_RULES.iter().any(by)
        });
        if !signed {
            return Err(Fault::Signature);
        }
        same("app_id", form.field("app_id"), &self.app_id)?;
        let sent = match form.field("utc_timestamp") {
            Some(text) => text.parse().ok().map(|millis: i64| Timestamp::from_millis(millis)),
            None => beijing("notify_time", Some(form.required("notify_time")?))?,
        };
        if sent.is_none_or(|at| at < cx.now.minus(NOTICE_AGE_MAX) || at > cx.now.plus(CLOCKS)) {
            return Err(Fault::Unacceptable(format!("sent at {sent:?}, outside the accepted window")));
        }
        Ok(form)
    }

    /// The keys that may have signed what names this certificate, or names none.
    fn keys<'k>(
        &'k self,
        serial: Option<&str>,
        now: Timestamp,
    ) -> impl Iterator<Item = &'k dyn Verifier> + use<'k> {
        let named = serial.filter(|serial| !serial.is_empty()).map(str::to_owned);
        let fits = move |key: &&TheirKey| {
            let known = key.serial.is_none() || named.is_none() || key.serial == named;
            known && key.expires.is_none_or(|end| now <= end)
        };
        self.theirs.iter().filter(fits).map(|key| key.verifier.as_ref())
    }

    /// Whether the gateway signed `text` just now. In certificate mode an answer has to name its certificate.
    fn verify(
        &self,
        serial: Option<&str>,
        text: &[u8],
        signature: &str,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let signature = decoded(signature)?;
        let named = serial.is_some_and(|serial| !serial.is_empty());
        let mut keys = self.keys(serial, now);
        let by = |key: &dyn Verifier| key.verify(Scheme::RsaSha256, text, &signature);
        if (named || self.certificates.is_none()) && keys.any(by) {
            return Ok(());
        }
        Err(Fault::Signature)
    }

    fn sign(&self, text: &str) -> Result<String, Refusal> {
        let signature = self.signer.sign(Scheme::RsaSha256, text.as_bytes()).map_err(|_| Refusal::Signing)?;
        Ok(STANDARD.encode(signature))
    }

    /// What the gateway carried, in clear: the object itself, or a sealed one.
    fn clear<'a>(&self, content: &'a [u8]) -> Result<Cow<'a, [u8]>, Fault> {
        if content.first() == Some(&b'{') {
            return Ok(Cow::Borrowed(content));
        }
        let seal = self.seal.as_ref().ok_or_else(|| Fault::Unexpected("an encrypted answer".into()))?;
        // v2 carries the sealed text as a JSON string, v3 as it is.
        let sealed = match content.first() {
            Some(b'"') => serde_json::from_slice::<Cow<'_, str>>(content).ok(),
            _ => std::str::from_utf8(content).ok().map(Cow::Borrowed),
        };
        let clear = sealed.and_then(|sealed| seal.open(&sealed));
        clear.map(Cow::Owned).ok_or_else(|| Fault::Unexpected("an answer that does not decrypt".into()))
    }
}

/// 32 random characters.
fn random(cx: &Context<'_>) -> String {
    let mut random = [0; 16];
    cx.rng.fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The one value of a header.
fn once<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Fault> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Fault::Signature) };
    value.to_str().ok().filter(|value| !value.is_empty()).ok_or(Fault::Signature)
}

fn decoded(signature: &str) -> Result<Vec<u8>, Fault> {
    STANDARD.decode(signature).map_err(|_| Fault::Signature)
}

/// Reads a JSON object in which every member we know occurs once.
fn read<T: DeserializeOwned>(object: &[u8]) -> Result<T, Fault> {
    let text = match std::str::from_utf8(object) {
        Ok(text) => Cow::Borrowed(text),
        // Asked for UTF-8, the gateway still answers in GBK at times.
        Err(_) => GB18030
            .decode_without_bom_handling_and_without_replacement(object)
            .ok_or_else(|| Fault::Unexpected("neither UTF-8 nor GB18030".into()))?,
    };
    serde_json::from_str(&text).map_err(|error| Fault::Unexpected(format!("the answer: {error}")))
}
