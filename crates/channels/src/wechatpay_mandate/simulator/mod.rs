//! WeChat Pay's side of mandates: the page on which a payer signs or refuses a contract, the contract's calls, charges that
//! are accepted first and carried out then, and the notifications of both. Written from the same public documents as the
//! adapter but sharing no code with it beyond the crypto primitives, so that a mistake in one shows against the other. What
//! it does differently from the real one is in the README.

mod api;
mod contract;

use bytes::Bytes;
use http::{Request, Response};
use paycore::channel::Settings;
use paycore::channel::simulator::{Answer, BookLine, Maker, Notification, Provision, Simulator};
use paycore::crypto::{KeyError, Keyring};
use paycore::time::{Rng, Timestamp};
use serde_json::Value;

use crate::sandbox::v2::Merchant;
use crate::sandbox::xml::Fields;
use crate::sandbox::{Book, Note, Order, Platform, Provider, Refund, drawn};
use contract::Contracts;

/// Makes simulated platforms with one plan each, one per merchant.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, _: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
        let both = [
            ("mch_id", drawn("16", "0123456789", 8, rng)),
            ("appid", drawn("wx", "0123456789abcdef", 16, rng)),
            ("key", drawn("", letters, 32, rng)),
            ("plan_id", drawn("1", "0123456789", 5, rng)),
        ];
        let (mut ours, mut theirs) = (Settings::from_pairs(both.clone()), Settings::from_pairs(both));
        ours.set("gateway", base_url);
        theirs.set("base_url", base_url);
        Ok(Provision { ours, theirs })
    }

    fn open(&self, theirs: &Settings, _: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        let text = |field: &str| Ok(theirs.value(field).ok_or(KeyError::Empty)?.expose().to_owned());
        let (mch_id, appid, key) = (text("mch_id")?, text("appid")?, text("key")?);
        let merchant = Merchant { mch_id, appid, key, sub: None };
        let contracts = Contracts::new(merchant.clone(), text("plan_id")?, text("base_url")?);
        Ok(Box::new(Papay { contracts, orders: Platform::new(Charges { merchant, active: Vec::new() }) }))
    }
}

/// The platform as one merchant sees it: contracts, and charges by them.
struct Papay {
    contracts: Contracts,
    orders: Platform<Charges>,
}

/// What charges are checked against.
struct Charges {
    merchant: Merchant,
    /// The numbers of the contracts that are signed and have not ended.
    active: Vec<String>,
}

impl Provider for Charges {
    const NAMES: [&'static str; 2] = ["微信支付", "WeChat Pay"];
    const COLOUR: &'static str = "#07873f";
    const RETRIES: &'static [u64] = &[15, 15, 30, 180, 1_800, 1_800, 1_800, 1_800, 3_600];

    fn api(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.answer(book, request, now)
    }

    /// Refunds are not notified.
    fn news(&self, order: &Order, _: Option<&Refund>) -> Value {
        let mut told = api::shown(order);
        told.extend(api::understood("SUCCESS"));
        // Of a charge that was given back since, too, the notification tells that it was carried out.
        told.insert("trade_state".into(), "SUCCESS".into());
        told.into_iter().map(|(name, value)| (name, Value::from(value))).collect()
    }

    fn request(&self, note: &Note, _: Timestamp) -> Option<Request<Bytes>> {
        let told = note.content.as_object()?.iter();
        let told: Fields = told.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect();
        let (head, body) = self.merchant.signed(told, false, note.created).into_parts();
        let mut request = Request::post(&note.url).body(body).ok()?;
        *request.headers_mut() = head.headers;
        Some(request)
    }

    /// Only the word for success ends a notification before its last try.
    fn heard(&self, response: &Response<Bytes>) -> bool {
        let text = String::from_utf8_lossy(response.body()).replace("<![CDATA[", "").replace("]]>", "");
        response.status().is_success() && text.contains("<return_code>SUCCESS</return_code>")
    }
}

impl Papay {
    /// Has the merchant told of what became of contracts, and charges checked against them.
    fn tell(&mut self) {
        for (url, told, at) in self.contracts.take_news() {
            self.orders.announce(url, told, at);
        }
        self.orders.provider_mut().active = self.contracts.active();
    }
}

impl Simulator for Papay {
    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let answer = self.contracts.handle(request, now);
        self.tell();
        answer.unwrap_or_else(|| self.orders.handle(request, now))
    }

    fn client(&mut self, parameters: &[(String, String)], now: Timestamp) -> Option<Answer> {
        let answer = self.contracts.client(parameters, now);
        self.tell();
        answer
    }

    fn due(&mut self, now: Timestamp) -> Vec<Notification> {
        self.orders.due(now)
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.orders.next_due()
    }

    fn notified(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        self.orders.notified(id, response, now);
    }

    fn changed(&mut self) -> Vec<(String, String)> {
        let mut records = self.orders.changed();
        records.extend(self.contracts.changed());
        records
    }

    fn restore(&mut self, key: &str, value: &str) {
        if self.contracts.restore(key, value) {
            self.tell();
        } else {
            self.orders.restore(key, value);
        }
    }

    fn book(&self) -> Vec<BookLine> {
        self.orders.book()
    }

    fn statement(&mut self, from: Timestamp, until: Timestamp) -> Option<Bytes> {
        let bill = self.orders.provider().merchant.bill(self.orders.orders(), from, until);
        Some(bill.into())
    }
}
