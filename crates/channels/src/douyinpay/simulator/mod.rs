//! Douyin Pay's side of the wire: the interface, sealed notifications with their schedule, and the platform's
//! certificate, which clients may also download. Written from the provider's own libraries but sharing no code with the
//! adapter beyond the crypto primitives. What it does differently from the real one is in the README.

mod api;
mod certificate;
mod wire;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::KeyInit as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use paycore::channel::Settings;
use paycore::channel::simulator::{Answer, Maker, Provision, Simulator};
use paycore::crypto::{KeyError, Keyring, Signer, Verifier};
use paycore::secret::Secret;
use paycore::time::{Rng, Timestamp};
use serde_json::Value;

use crate::sandbox::{Book, Note, Order, Platform, Provider, Refund, drawn};

/// Makes simulated Douyin Pay platforms, one per merchant.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, keyring: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let (merchant, platform) = (keyring.generate()?, keyring.generate()?);
        let mchid = drawn("6020", "0123456789", 12, rng);
        let appid = drawn("aw", "0123456789abcdefghijklmnopqrstuvwxyz", 14, rng);
        let serial_no = drawn("4", "0123456789ABCDEF", 15, rng);
        let seal = drawn("", "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789", 32, rng);
        let mut serial = [0; 8];
        rng.fill(&mut serial);
        let signer = keyring.signer(&platform.private)?;
        let public = STANDARD.decode(&platform.public);
        let public = public.map_err(|_| KeyError::Malformed { expected: "public key in base64" })?;
        let certificate = certificate::issue(serial, &public, &*signer)?;
        let both = [
            ("mchid", mchid.as_str()),
            ("appid", &appid),
            ("serial_no", &serial_no),
            ("encrypt_key", &seal),
            ("platform_certificate", &certificate.pem),
        ];
        let (mut ours, mut theirs) = (Settings::from_pairs(both), Settings::from_pairs(both));
        ours.set("private_key", merchant.private.expose());
        ours.set("gateway", base_url);
        theirs.set("platform_serial", certificate.serial);
        theirs.set("merchant_public_key", merchant.public);
        theirs.set("platform_private_key", platform.private.expose());
        theirs.set("base_url", base_url);
        Ok(Provision { ours, theirs })
    }

    fn open(&self, theirs: &Settings, keyring: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        Ok(Box::new(Platform::new(Gateway::open(theirs, keyring)?)))
    }
}

/// What the platform knows of one merchant.
struct Gateway {
    mchid: String,
    appid: String,
    serial_no: String,
    platform_serial: String,
    certificate: String,
    base_url: String,
    signer: Box<dyn Signer>,
    merchant: Box<dyn Verifier>,
    seal: Aes256Gcm,
}

impl Gateway {
    fn open(theirs: &Settings, keyring: &dyn Keyring) -> Result<Gateway, KeyError> {
        let secret = |field: &str| theirs.value(field).ok_or(KeyError::Empty);
        let text = |field: &str| Ok(secret(field)?.expose().to_owned());
        let seal = Aes256Gcm::new_from_slice(secret("encrypt_key").map(Secret::expose)?.as_bytes());
        Ok(Gateway {
            mchid: text("mchid")?,
            appid: text("appid")?,
            serial_no: text("serial_no")?,
            platform_serial: text("platform_serial")?,
            certificate: text("platform_certificate")?,
            base_url: text("base_url")?,
            signer: keyring.signer(secret("platform_private_key")?)?,
            merchant: keyring.verifier(secret("merchant_public_key")?.expose())?,
            seal: seal.map_err(|_| KeyError::Malformed { expected: "key of 32 bytes" })?,
        })
    }
}

impl Provider for Gateway {
    const NAMES: [&'static str; 2] = ["抖音支付", "Douyin Pay"];
    const COLOUR: &'static str = "#c2183c";
    const RETRIES: &'static [u64] =
        &[15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600];

    fn api(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.answer(book, request, now)
    }

    fn news(&self, order: &Order, refund: Option<&Refund>) -> Value {
        refund.map_or_else(|| self.shown(order), |refund| self.told(order, refund))
    }

    fn request(&self, note: &Note, now: Timestamp) -> Option<Request<Bytes>> {
        self.sealed(note, now)
    }

    /// Any 2xx.
    fn heard(&self, response: &Response<Bytes>) -> bool {
        response.status().is_success()
    }
}
