//! The bank's side of the wire: the gateway, the payer's wallet as a page, and notifications with their schedule.
//! Written from the same public sources as the adapter but sharing no code with it beyond the crypto primitives, so that
//! a mistake in one shows against the other. What it cannot know of the real one is in the README.

mod api;
mod notify;
mod payer;
mod wire;

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

/// Makes simulated gateways of the bank, one per merchant.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, keyring: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let (merchant, bank) = (keyring.generate_sm2()?, keyring.generate_sm2()?);
        let (merchant_id, app_id) = (drawn("3089991", DIGITS, 8, rng), drawn("8ab74856", DIGITS, 24, rng));
        let secret = drawn("", DIGITS, 32, rng);
        let ours = Settings::from_pairs([
            ("operator", "cmb"),
            ("merchant_id", merchant_id.as_str()),
            ("cashier_id", "N003525149"),
            ("app_id", &app_id),
            ("app_secret", &secret),
            ("private_key", merchant.private.expose()),
            ("operator_public_key", &bank.public),
            ("gateway", base_url),
        ]);
        let theirs = Settings::from_pairs([
            ("merchant_id", merchant_id.as_str()),
            ("app_id", &app_id),
            ("app_secret", &secret),
            ("operator_private_key", bank.private.expose()),
            ("merchant_public_key", &merchant.public),
            ("base_url", base_url),
        ]);
        Ok(Provision { ours, theirs })
    }

    fn open(&self, theirs: &Settings, keyring: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        Ok(Box::new(Bank::open(theirs, keyring)?))
    }
}

const DIGITS: &str = "0123456789";

/// The simulated gateway of one merchant.
#[derive(Debug)]
struct Bank {
    merchant_id: String,
    app_id: String,
    app_secret: Secret,
    base_url: String,
    signer: Box<dyn Signer>,
    merchant: Box<dyn Verifier>,
    orders: Records<Order>,
    notes: Notes,
}

/// An order as the bank keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    order_id: String,
    cmb_order_id: String,
    goods: String,
    kind: String,
    fen: i64,
    notify_url: String,
    created: Timestamp,
    expires: Timestamp,
    /// When it is paid without anybody doing anything more.
    pays_at: Option<Timestamp>,
    paid: Option<Timestamp>,
    closed: Option<Timestamp>,
    refunds: Vec<Refund>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Refund {
    order_id: String,
    cmb_order_id: String,
    fen: i64,
    notify_url: String,
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

    fn state(&self) -> &'static str {
        match (self.paid, self.closed) {
            (Some(_), _) if self.refunds.is_empty() => "S",
            (Some(_), _) => "R",
            (None, Some(_)) => "C",
            (None, None) => "P",
        }
    }

    fn waits(&self) -> bool {
        self.paid.is_none() && self.closed.is_none()
    }
}

impl Record for Order {
    fn key(&self) -> &str {
        &self.order_id
    }

    fn alarms(&self) -> [Option<Timestamp>; 2] {
        [Some(self.expires).filter(|_| self.waits()), self.pays_at]
    }
}

impl Bank {
    fn open(theirs: &Settings, keyring: &dyn Keyring) -> Result<Bank, KeyError> {
        let secret = |field: &str| theirs.value(field).ok_or(KeyError::Empty);
        let text = |field: &str| secret(field).map(|value| value.expose().to_owned());
        Ok(Bank {
            merchant_id: text("merchant_id")?,
            app_id: text("app_id")?,
            app_secret: secret("app_secret")?.clone(),
            base_url: text("base_url")?,
            signer: keyring.signer(secret("operator_private_key")?)?,
            merchant: keyring.verifier(secret("merchant_public_key")?.expose())?,
            orders: Records::default(),
            notes: Notes::default(),
        })
    }

    /// Lets everything happen that is due by `now`.
    fn advance(&mut self, now: Timestamp) {
        for (at, key) in self.orders.take_due(now) {
            let Some(order) = self.orders.get(&key) else { continue };
            if order.pays_at == Some(at) {
                // The script "paid after close" reports a payment from just before the close.
                let paid = order.closed.map_or(at, |closed| closed.minus(std::time::Duration::from_secs(1)));
                self.pay(&key, paid, at);
            } else if order.expires == at && order.waits() && order.pays_at.is_none() {
                self.close(&key, at);
            }
        }
    }

    fn pay(&mut self, key: &str, paid: Timestamp, now: Timestamp) {
        self.orders.change(key, |order| (order.paid, order.pays_at, order.closed) = (Some(paid), None, None));
        self.notify(key, None, now);
    }

    fn pay_later(&mut self, key: &str, at: Timestamp) {
        self.orders.change(key, |order| order.pays_at = Some(at));
        self.orders.wake(key, at);
    }

    fn close(&mut self, key: &str, now: Timestamp) {
        self.orders.change(key, |order| order.closed = Some(now));
    }
}

impl Simulator for Bank {
    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.advance(now);
        let path = request.uri().path();
        if let Some(interface) = path.strip_prefix("/polypay/v1.0/mchorders/") {
            return self.api(interface, request, now);
        }
        match path.strip_prefix("/payer/") {
            Some(rest) => Answer::Reply(self.payer(request.method(), rest, now)),
            None => Answer::Reply(payer::trouble("404", "没有这个页面 · No such page")),
        }
    }

    fn due(&mut self, now: Timestamp) -> Vec<Notification> {
        self.advance(now);
        sent(self.notes.take_due(now), |note| self.request(note))
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.orders.next_due().into_iter().chain(self.notes.next_due()).min()
    }

    fn notified(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        let heard = response.is_some_and(|response| self.acknowledged(response));
        self.notes.answered(id, heard, &notify::RETRIES, now);
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
            let refunds = order.refunds.iter().map(|refund| (Some(&refund.order_id), refund.fen, refund.at));
            let payment = order.paid.map(|at| (None, order.fen, at));
            book.extend(payment.into_iter().chain(refunds).map(|(refund, fen, at)| BookLine {
                reference: order.order_id.clone(),
                refund: refund.cloned(),
                money: Money::new(fen, Currency::CNY),
                at,
            }));
        }
        book
    }
}
