//! The panel's side of the wire, in both versions: orders and refunds, the payer's pages, and notifications with their
//! schedule. Written from the same public documents as the adapter but sharing no code with it beyond the crypto
//! primitives, so that a mistake in one shows against the other. What it does differently from real panels is in the
//! README.

mod api;
mod list;
mod notify;
mod payer;
mod wire;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use paycore::channel::Settings;
use paycore::channel::simulator::{Answer, BookLine, Maker, Notification, Provision, Simulator};
use paycore::crypto::{KeyError, Keyring, Signer, Verifier};
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::secret::Secret;
use paycore::time::{Rng, Timestamp};
use serde::{Deserialize, Serialize};

use crate::sandbox::{Notes, Record, Records, drawn, sent};

/// Makes simulated panels, one per merchant. Each speaks both versions; the account is set up for version 2. For
/// version 1 take `pid` and `key` from the provider's settings.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, keyring: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let (merchant, panel) = (keyring.generate()?, keyring.generate()?);
        let (pid, key) = (drawn("1", "0123456789", 7, rng), drawn("", LETTERS, 32, rng));
        let ours = Settings::from_pairs([
            ("protocol", "v2"),
            ("gateway", base_url),
            ("pid", pid.as_str()),
            // Not used in version 2: for clients of version 1 that want to meet the same panel.
            ("key", &key),
            ("private_key", merchant.private.expose()),
            ("platform_public_key", &panel.public),
        ]);
        let theirs = Settings::from_pairs([
            ("pid", pid.as_str()),
            ("key", &key),
            ("platform_private_key", panel.private.expose()),
            ("merchant_public_key", &merchant.public),
            ("notify_method", "GET"),
            ("base_url", base_url),
        ]);
        Ok(Provision { ours, theirs })
    }

    fn open(&self, theirs: &Settings, keyring: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        Ok(Box::new(Panel::open(theirs, keyring)?))
    }
}

const LETTERS: &str = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

/// The simulated panel of one merchant.
#[derive(Debug)]
struct Panel {
    pid: String,
    key: Secret,
    base_url: String,
    /// Whether notifications are posted instead of asked for.
    posts: bool,
    signer: Box<dyn Signer>,
    merchant: Box<dyn Verifier>,
    /// By the merchant's number.
    orders: Records<Order>,
    notes: Notes,
}

/// The two versions of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Version {
    V1,
    V2,
}

/// An order as the panel keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    out_trade_no: String,
    trade_no: String,
    /// The version it was made in, which also signs its notifications.
    version: Version,
    /// Empty until the payer chose.
    kind: String,
    name: String,
    fen: i64,
    param: String,
    notify_url: String,
    return_url: Option<String>,
    created: Timestamp,
    /// When it is paid without anybody doing anything more.
    pays_at: Option<Timestamp>,
    paid: Option<Timestamp>,
    closed: Option<Timestamp>,
    refunds: Vec<Refund>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Refund {
    refund_no: String,
    out_refund_no: String,
    fen: i64,
    at: Timestamp,
}

impl Order {
    /// What is scripted for this amount.
    fn script(&self) -> i64 {
        self.fen % 10_000
    }

    fn refunded(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.fen).sum()
    }

    /// Unpaid, paid, given back in full.
    fn status(&self) -> i64 {
        match self.paid {
            None => 0,
            Some(_) if self.refunded() < self.fen => 1,
            Some(_) => 2,
        }
    }

    fn waits(&self) -> bool {
        self.paid.is_none() && self.closed.is_none()
    }
}

impl Record for Order {
    fn key(&self) -> &str {
        &self.out_trade_no
    }

    fn alarms(&self) -> [Option<Timestamp>; 2] {
        [None, self.pays_at]
    }
}

impl Panel {
    fn open(theirs: &Settings, keyring: &dyn Keyring) -> Result<Panel, KeyError> {
        let text = |field: &str| theirs.value(field).map(Secret::expose).ok_or(KeyError::Empty);
        Ok(Panel {
            pid: text("pid")?.to_owned(),
            key: theirs.value("key").ok_or(KeyError::Empty)?.clone(),
            base_url: text("base_url")?.to_owned(),
            posts: theirs.text("notify_method", "GET") == "POST",
            signer: keyring.signer(theirs.value("platform_private_key").ok_or(KeyError::Empty)?)?,
            merchant: keyring.verifier(text("merchant_public_key")?)?,
            orders: Records::default(),
            notes: Notes::default(),
        })
    }

    /// Lets everything happen that is due by `now`.
    fn advance(&mut self, now: Timestamp) {
        for (at, key) in self.orders.take_due(now) {
            let Some(order) = self.orders.get(&key).filter(|order| order.pays_at == Some(at)) else {
                continue;
            };
            // The script "paid after close" reports a payment from just before the close.
            let paid = order.closed.map_or(at, |closed| closed.minus(Duration::from_secs(1)));
            self.pay(&key, paid, at);
        }
    }

    fn pay(&mut self, key: &str, paid: Timestamp, now: Timestamp) {
        self.orders.change(key, |order| (order.paid, order.pays_at, order.closed) = (Some(paid), None, None));
        self.notify(key, now);
    }

    fn pay_later(&mut self, key: &str, at: Timestamp) {
        self.orders.change(key, |order| order.pays_at = Some(at));
        self.orders.wake(key, at);
    }

    fn close(&mut self, key: &str, now: Timestamp) {
        self.orders.change(key, |order| order.closed = Some(now));
    }
}

impl Simulator for Panel {
    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.advance(now);
        match request.uri().path().strip_prefix("/payer/") {
            Some(rest) => Answer::Reply(self.payer(request, rest, now)),
            None => self.api(request, now),
        }
    }

    fn due(&mut self, now: Timestamp) -> Vec<Notification> {
        self.advance(now);
        sent(self.notes.take_due(now), |note| self.request(note, now))
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.orders.next_due().into_iter().chain(self.notes.next_due()).min()
    }

    fn notified(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        self.notes.answered(id, response.is_some_and(notify::heard), &notify::RETRIES, now);
    }

    fn changed(&mut self) -> Vec<(String, String)> {
        let mut records = self.orders.changed("order");
        records.extend(self.notes.changed());
        records
    }

    fn restore(&mut self, key: &str, value: &str) {
        if let Some(id) = key.strip_prefix("note/") {
            self.notes.restore(id, value);
        } else {
            self.orders.restore(value);
        }
    }

    fn book(&self) -> Vec<BookLine> {
        let mut book = Vec::new();
        for order in self.orders.values() {
            let refunds = order.refunds.iter().map(|given| (Some(&given.out_refund_no), given.fen, given.at));
            let payment = order.paid.map(|at| (None, order.fen, at));
            book.extend(payment.into_iter().chain(refunds).map(|(refund, fen, at)| BookLine {
                reference: order.out_trade_no.clone(),
                refund: refund.cloned(),
                money: Money::new(fen, Currency::CNY),
                at,
            }));
        }
        book
    }
}
