//! Lakala's side of the wire: the aggregated collection interface and signed notifications. Written from the public
//! libraries but sharing no code with the adapter beyond the crypto primitives. What it does differently from the real
//! one is in the README.

mod api;
mod wire;

use bytes::Bytes;
use http::{Request, Response};
use paycore::channel::Settings;
use paycore::channel::simulator::{Answer, Maker, Provision, Simulator};
use paycore::crypto::{KeyError, Keyring, Signer, Verifier};
use paycore::time::{Rng, Timestamp};
use serde_json::{Value, json};

use crate::sandbox::{Book, Note, Order, Platform, Provider, Refund, drawn};

/// Makes simulated Lakala gateways, one per merchant.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, keyring: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let (merchant, platform) = (keyring.generate()?, keyring.generate()?);
        let appid = drawn("OP", "0123456789", 8, rng);
        let serial_no = drawn("00", "0123456789abcdef", 16, rng);
        let platform_serial = drawn("01", "0123456789abcdef", 14, rng);
        let merchant_no = drawn("8222900", "0123456789", 8, rng);
        let term_no = drawn("A", "0123456789", 7, rng);
        let sub_appid = drawn("wx", "0123456789abcdef", 16, rng);
        let both = [
            ("appid", appid.as_str()),
            ("serial_no", &serial_no),
            ("merchant_no", &merchant_no),
            ("term_no", &term_no),
            ("sub_appid", &sub_appid),
        ];
        let (mut ours, mut theirs) = (Settings::from_pairs(both), Settings::from_pairs(both));
        ours.set("private_key", merchant.private.expose());
        ours.set("platform_key", platform.public);
        ours.set("request_ip", "203.0.113.10");
        ours.set("gateway", base_url);
        theirs.set("platform_serial", platform_serial);
        theirs.set("merchant_public_key", merchant.public);
        theirs.set("platform_private_key", platform.private.expose());
        theirs.set("base_url", base_url);
        Ok(Provision { ours, theirs })
    }

    fn open(&self, theirs: &Settings, keyring: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        Ok(Box::new(Platform::new(Gateway::open(theirs, keyring)?)))
    }
}

/// What the gateway knows of one merchant.
struct Gateway {
    appid: String,
    serial_no: String,
    platform_serial: String,
    merchant_no: String,
    term_no: String,
    sub_appid: String,
    base_url: String,
    signer: Box<dyn Signer>,
    merchant: Box<dyn Verifier>,
}

impl Gateway {
    fn open(theirs: &Settings, keyring: &dyn Keyring) -> Result<Gateway, KeyError> {
        let secret = |field: &str| theirs.value(field).ok_or(KeyError::Empty);
        let text = |field: &str| Ok(secret(field)?.expose().to_owned());
        Ok(Gateway {
            appid: text("appid")?,
            serial_no: text("serial_no")?,
            platform_serial: text("platform_serial")?,
            merchant_no: text("merchant_no")?,
            term_no: text("term_no")?,
            sub_appid: text("sub_appid")?,
            base_url: text("base_url")?,
            signer: keyring.signer(secret("platform_private_key")?)?,
            merchant: keyring.verifier(secret("merchant_public_key")?.expose())?,
        })
    }
}

impl Provider for Gateway {
    const NAMES: [&'static str; 2] = ["拉卡拉", "Lakala"];
    const COLOUR: &'static str = "#0b6bb0";
    const RETRIES: &'static [u64] = &[15, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600];

    fn api(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.answer(book, request, now)
    }

    fn news(&self, order: &Order, _: Option<&Refund>) -> Value {
        json!({
            "merchant_no": self.merchant_no, "out_trade_no": order.reference, "trade_no": order.id,
            "log_no": &order.id[8..], "acc_trade_no": format!("4200{}", order.id), "trade_status": "SUCCESS",
            "trade_state_desc": "交易成功", "account_type": order.wallet, "settle_term_no": self.term_no,
            "total_amount": order.fen.to_string(), "payer_amount": order.fen.to_string(),
            "trade_time": order.paid.map(Timestamp::beijing_compact), "user_id1": "", "user_id2": "sandboxPayer",
        })
    }

    fn request(&self, note: &Note, now: Timestamp) -> Option<Request<Bytes>> {
        self.noted(note, now)
    }

    /// A body that says so.
    fn heard(&self, response: &Response<Bytes>) -> bool {
        let body = serde_json::from_slice::<Value>(response.body()).unwrap_or_default();
        response.status().is_success() && body["code"] == "SUCCESS"
    }
}
