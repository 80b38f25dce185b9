//! Allinpay's side of the wire: the gateway and its notifications. Written from the public libraries but sharing no code
//! with the adapter beyond the crypto primitives. What it does differently from the real one is in the README.

mod api;
mod bill;
mod wire;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use paycore::channel::Settings;
use paycore::channel::simulator::{Answer, Maker, Provision, Simulator};
use paycore::crypto::{KeyError, Keyring, Scheme, Signer, Verifier};
use paycore::secret::Secret;
use paycore::time::{Rng, Timestamp};
use serde_json::{Value, json};

use crate::sandbox::{Book, Note, Order, Platform, Provider, Refund, drawn};

/// Makes simulated Allinpay gateways, one per merchant. They sign with SM2; the other kinds are played for settings made
/// by hand.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, keyring: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let (merchant, platform) = (keyring.generate_sm2()?, keyring.generate_sm2()?);
        let (cusid, appid) = (drawn("9905810", "0123456789", 8, rng), drawn("00", "0123456789", 6, rng));
        let sub_appid = drawn("wx", "0123456789abcdef", 16, rng);
        let both =
            [("cusid", cusid.as_str()), ("appid", &appid), ("sign_type", "SM2"), ("sub_appid", &sub_appid)];
        let (mut ours, mut theirs) = (Settings::from_pairs(both), Settings::from_pairs(both));
        ours.set("private_key", merchant.private.expose());
        ours.set("platform_public_key", platform.public);
        ours.set("gateway", format!("{base_url}/apiweb"));
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
    cusid: String,
    appid: String,
    sign_type: String,
    sub_appid: String,
    base_url: String,
    proof: Proof,
}

/// How both ends sign.
enum Proof {
    Keys(Scheme, Box<dyn Signer>, Box<dyn Verifier>),
    Md5(Secret),
}

impl Gateway {
    fn open(theirs: &Settings, keyring: &dyn Keyring) -> Result<Gateway, KeyError> {
        let secret = |field: &str| theirs.value(field).ok_or(KeyError::Empty);
        let text = |field: &str| Ok(secret(field)?.expose().to_owned());
        let sign_type = theirs.text("sign_type", "RSA").to_owned();
        let proof = if sign_type == "MD5" {
            Proof::Md5(secret("md5_key")?.clone())
        } else {
            let scheme = if sign_type == "SM2" { Scheme::Sm2Sm3 } else { Scheme::RsaSha1 };
            let signer = keyring.signer(secret("platform_private_key")?)?;
            Proof::Keys(scheme, signer, keyring.verifier(secret("merchant_public_key")?.expose())?)
        };
        Ok(Gateway {
            cusid: text("cusid")?,
            appid: text("appid")?,
            sign_type,
            sub_appid: theirs.text("sub_appid", "").to_owned(),
            base_url: text("base_url")?,
            proof,
        })
    }
}

impl Provider for Gateway {
    const NAMES: [&'static str; 2] = ["通联支付", "Allinpay"];
    const COLOUR: &'static str = "#0a4da2";
    const RETRIES: &'static [u64] = &[120, 300, 600, 1_800, 3_600, 7_200, 14_400];

    fn api(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.answer(book, request, now)
    }

    fn news(&self, order: &Order, refund: Option<&Refund>) -> Value {
        let (number, id, fen) = refund.map_or((&order.reference, &order.id, order.fen), |refund| {
            (&refund.reference, &refund.id, refund.fen)
        });
        let at = refund.map(|refund| refund.at).or(order.paid);
        let at = at.map(Timestamp::beijing_compact).unwrap_or_default();
        json!({
            "acct": "sandboxPayer", "accttype": "99", "appid": self.appid, "chnlid": "205299480",
            "chnltrxid": format!("4200{id}"), "cmid": "709229030", "cusid": self.cusid, "cusorderid": number,
            "initamt": fen.to_string(), "outtrxid": number, "paytime": at, "signtype": self.sign_type,
            "termauthno": "OTHERS", "termrefnum": format!("4200{id}"), "termtraceno": "0",
            "trxamt": fen.to_string(), "trxcode": api::code(order, refund.is_some()),
            "trxdate": at.get(..8).unwrap_or_default(), "trxid": id, "trxstatus": "0000",
        })
    }

    fn request(&self, note: &Note, _: Timestamp) -> Option<Request<Bytes>> {
        self.noted(note)
    }

    fn statement(&self, book: &Book, from: Timestamp, until: Timestamp) -> Option<Bytes> {
        Some(self.bill(book, from, until).into())
    }

    /// A body of `success`.
    fn heard(&self, response: &Response<Bytes>) -> bool {
        response.status() == StatusCode::OK && response.body().as_ref() == b"success"
    }
}
