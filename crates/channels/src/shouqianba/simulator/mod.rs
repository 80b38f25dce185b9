//! Shouqianba's side of the wire: the interface, the page inside WeChat and signed notifications. Written from the public
//! documents but sharing no code with the adapter beyond the crypto primitives. What it does differently from the real one
//! is in the README.

mod api;
mod page;
mod wire;

use bytes::Bytes;
use http::{Request, Response};
use paycore::channel::Settings;
use paycore::channel::simulator::{Answer, Maker, Provision, Simulator};
use paycore::crypto::{KeyError, Keyring, Signer};
use paycore::time::{Rng, Timestamp};
use serde_json::Value;

use crate::sandbox::{Book, Note, Order, Platform, Provider, Refund, drawn};

/// Makes simulated Shouqianba gateways, one per terminal.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, keyring: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let platform = keyring.generate()?;
        let terminal_sn = drawn("1000", "0123456789", 14, rng);
        let terminal_key = drawn("", "0123456789abcdef", 32, rng);
        let both = [("terminal_sn", terminal_sn.as_str()), ("terminal_key", &terminal_key)];
        let (mut ours, mut theirs) = (Settings::from_pairs(both), Settings::from_pairs(both));
        ours.set("public_key", platform.public);
        ours.set("gateway", base_url);
        ours.set("wap_gateway", format!("{base_url}/qr/gateway"));
        theirs.set("platform_private_key", platform.private.expose());
        theirs.set("base_url", base_url);
        Ok(Provision { ours, theirs })
    }

    fn open(&self, theirs: &Settings, keyring: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        let secret = |field: &str| theirs.value(field).ok_or(KeyError::Empty);
        let text = |field: &str| Ok(secret(field)?.expose().to_owned());
        Ok(Box::new(Platform::new(Gateway {
            terminal_sn: text("terminal_sn")?,
            terminal_key: text("terminal_key")?,
            base_url: text("base_url")?,
            signer: keyring.signer(secret("platform_private_key")?)?,
        })))
    }
}

/// What the gateway knows of one terminal.
struct Gateway {
    terminal_sn: String,
    terminal_key: String,
    base_url: String,
    signer: Box<dyn Signer>,
}

impl Provider for Gateway {
    const NAMES: [&'static str; 2] = ["收钱吧", "Shouqianba"];
    const COLOUR: &'static str = "#9a5b00";
    const RETRIES: &'static [u64] = &[1, 5, 30, 600];

    fn api(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        if request.uri().path() == "/qr/gateway" {
            self.page(book, request, now)
        } else {
            self.answer(book, request, now)
        }
    }

    fn news(&self, order: &Order, _: Option<&Refund>) -> Value {
        self.shown(order)
    }

    fn request(&self, note: &Note, _: Timestamp) -> Option<Request<Bytes>> {
        self.noted(note)
    }

    /// The word itself.
    fn heard(&self, response: &Response<Bytes>) -> bool {
        response.status().is_success() && response.body().as_ref() == b"success"
    }
}
