//! QQ wallet's side of the wire: the XML interface, signed notifications with their schedule, and the daily bill. Written
//! from the same public documents as the adapter but sharing no code with it beyond the crypto primitives, so that a
//! mistake in one shows against the other. What it does differently from the real one is in the README.

mod api;
mod bill;
mod wire;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use paycore::channel::Settings;
use paycore::channel::simulator::{Answer, Maker, Provision, Simulator};
use paycore::crypto::{KeyError, Keyring};
use paycore::time::{Rng, Timestamp};
use serde_json::Value;

use crate::sandbox::xml::Fields;
use crate::sandbox::{Book, Note, Order, Platform, Provider, Refund, drawn};

/// Makes simulated QQ wallets, one per merchant.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, _: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
        let mch_id = drawn("14", "0123456789", 8, rng);
        let (key, password) = (drawn("", letters, 32, rng), drawn("", letters, 16, rng));
        let both = [
            ("mch_id", mch_id.as_str()),
            ("key", &key),
            ("appid", &drawn("11", "0123456789", 8, rng)),
            ("op_user_id", &mch_id),
            ("op_user_passwd", &password),
        ];
        let (mut ours, mut theirs) = (Settings::from_pairs(both), Settings::from_pairs(both));
        ours.set("app_key", drawn("", "0123456789abcdef", 32, rng));
        ours.set("gateway", base_url);
        theirs.set("base_url", base_url);
        Ok(Provision { ours, theirs })
    }

    fn open(&self, theirs: &Settings, _: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        Ok(Box::new(Platform::new(Wallet::open(theirs)?)))
    }
}

/// What the wallet knows of one merchant.
struct Wallet {
    mch_id: String,
    appid: String,
    key: String,
    operator: (String, String),
    base_url: String,
}

impl Wallet {
    fn open(theirs: &Settings) -> Result<Wallet, KeyError> {
        let text = |field: &str| Ok(theirs.value(field).ok_or(KeyError::Empty)?.expose().to_owned());
        Ok(Wallet {
            mch_id: text("mch_id")?,
            appid: text("appid")?,
            key: text("key")?,
            operator: (text("op_user_id")?, text("op_user_passwd")?),
            base_url: text("base_url")?,
        })
    }
}

impl Provider for Wallet {
    const NAMES: [&'static str; 2] = ["QQ 钱包", "QQ Wallet"];
    const COLOUR: &'static str = "#0b6bcb";
    const RETRIES: &'static [u64] = &[15, 15, 30, 180, 1_800, 1_800, 1_800, 1_800, 3_600];

    fn api(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.answer(book, request, now)
    }

    /// Of payments alone.
    fn news(&self, order: &Order, _: Option<&Refund>) -> Value {
        let mut told = api::shown(order);
        // Of a payment that was closed in between, too, the notification tells that it was paid.
        told.insert("trade_state".to_owned(), "SUCCESS".to_owned());
        told.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
    }

    /// The same document at every try.
    fn request(&self, note: &Note, _: Timestamp) -> Option<Request<Bytes>> {
        let told: Fields = serde_json::from_value(note.content.clone()).ok()?;
        let request = Request::post(&note.url).header(CONTENT_TYPE, "text/xml; charset=utf-8");
        request.body(self.document(told, note.created).into()).ok()
    }

    /// Only the word for success ends a notification before its last try.
    fn heard(&self, response: &Response<Bytes>) -> bool {
        let text = String::from_utf8_lossy(response.body()).replace("<![CDATA[", "").replace("]]>", "");
        response.status().is_success() && text.contains("<return_code>SUCCESS</return_code>")
    }

    fn statement(&self, book: &Book, from: Timestamp, until: Timestamp) -> Option<Bytes> {
        Some(self.bill(book, from, until).into())
    }
}
