//! Antom's side of the wire: the calls, the cashier, and signed notifications on their schedule. Written from the
//! public documents but sharing no code with the adapter beyond the crypto primitives. What it does differently from
//! the real one is in the README.

mod api;
mod wire;

use bytes::Bytes;
use http::{Request, Response};
use paycore::channel::Settings;
use paycore::channel::simulator::{Answer, Maker, Provision, Simulator};
use paycore::crypto::{KeyError, Keyring, Signer, Verifier};
use paycore::time::{Rng, Timestamp};
use serde_json::Value;

use crate::sandbox::{Book, Note, Order, Platform, Provider, Refund, drawn};

/// Makes simulated gateways, one per merchant.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, keyring: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let (merchant, antom) = (keyring.generate()?, keyring.generate()?);
        let client_id = drawn("SANDBOX_5Y", "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", 18, rng);
        let ours = [
            ("client_id", client_id.as_str()),
            ("private_key", merchant.private.expose()),
            ("antom_public_key", &antom.public),
            ("settlement_currency", "USD"),
            ("gateway", base_url),
        ];
        let theirs = [
            ("client_id", client_id.as_str()),
            ("merchant_public_key", &merchant.public),
            ("antom_private_key", antom.private.expose()),
            ("base_url", base_url),
        ];
        Ok(Provision { ours: Settings::from_pairs(ours), theirs: Settings::from_pairs(theirs) })
    }

    fn open(&self, theirs: &Settings, keyring: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        let secret = |field: &str| theirs.value(field).ok_or(KeyError::Empty);
        Ok(Box::new(Platform::new(Gateway {
            client_id: secret("client_id")?.expose().to_owned(),
            base_url: secret("base_url")?.expose().to_owned(),
            signer: keyring.signer(secret("antom_private_key")?)?,
            merchant: keyring.verifier(secret("merchant_public_key")?.expose())?,
        })))
    }
}

/// What the gateway knows of one merchant.
struct Gateway {
    client_id: String,
    base_url: String,
    signer: Box<dyn Signer>,
    merchant: Box<dyn Verifier>,
}

impl Provider for Gateway {
    const NAMES: [&'static str; 2] = ["安通环球", "Antom"];
    const COLOUR: &'static str = "#1255cc";
    const RETRIES: &'static [u64] = &[120, 600, 600, 3_600, 7_200, 21_600, 54_000];

    fn api(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.answer(book, request, now)
    }

    fn news(&self, order: &Order, refund: Option<&Refund>) -> Value {
        refund.map_or_else(|| api::payment_news(order), |refund| api::refund_news(order, refund))
    }

    fn request(&self, note: &Note, now: Timestamp) -> Option<Request<Bytes>> {
        self.notification(note, now)
    }

    /// A 200 that says so.
    fn heard(&self, response: &Response<Bytes>) -> bool {
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        response.status() == 200 && body["result"]["resultStatus"] == "S"
    }
}
