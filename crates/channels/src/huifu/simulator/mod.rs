//! Huifu's side of the wire: the JSON interface, the payer's pages and signed notifications with their schedule. Written
//! from the same public documents as the adapter but sharing no code with it beyond the crypto primitives, so that a
//! mistake in one shows against the other. What it does differently from the real one is in the README.

mod api;
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
use paycore::time::{Rng, Timestamp};
use serde::{Deserialize, Serialize};

use crate::sandbox::{Notes, Record, Records, sent};

/// Makes simulated Huifus, one per merchant.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, keyring: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let (merchant, acquirer) = (keyring.generate()?, keyring.generate()?);
        let mut random = [0; 9];
        rng.fill(&mut random);
        let digits: String = random.iter().map(|byte| char::from(b'0' + byte % 10)).collect();
        let both = [("sys_id", format!("6666000{digits}")), ("product_id", "YYZY".to_owned())];
        let (mut ours, mut theirs) = (Settings::from_pairs(both.clone()), Settings::from_pairs(both));
        ours.set("private_key", merchant.private.expose());
        ours.set("huifu_public_key", acquirer.public);
        ours.set("wx_appid", format!("wx{digits}"));
        ours.set("gateway", base_url);
        theirs.set("merchant_public_key", merchant.public);
        theirs.set("huifu_private_key", acquirer.private.expose());
        theirs.set("base_url", base_url);
        Ok(Provision { ours, theirs })
    }

    fn open(&self, theirs: &Settings, keyring: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        Ok(Box::new(Acquirer::open(theirs, keyring)?))
    }
}

/// The acquirer as one merchant sees it.
struct Acquirer {
    sys_id: String,
    product_id: String,
    base_url: String,
    signer: Box<dyn Signer>,
    merchant: Box<dyn Verifier>,
    /// By the number of the request; its date is kept with it.
    orders: Records<Order>,
    notes: Notes,
}

/// A payment as the acquirer keeps it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Order {
    number: String,
    date: String,
    id: String,
    trade_type: String,
    description: String,
    fen: i64,
    notify_url: Option<String>,
    expires: Option<Timestamp>,
    /// When it is paid without anybody doing anything more.
    pays_at: Option<Timestamp>,
    paid: Option<Timestamp>,
    closed: Option<Timestamp>,
    /// A barcode that was refused for lack of funds.
    failed: bool,
    refunds: Vec<Refund>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Refund {
    number: String,
    date: String,
    id: String,
    fen: i64,
    at: Timestamp,
}

impl Order {
    /// What is scripted for this amount.
    fn script(&self) -> i64 {
        self.fen % 10_000
    }

    fn state(&self) -> (&'static str, &'static str) {
        match (self.paid, self.closed) {
            (Some(_), _) => ("S", "处理成功"),
            (None, Some(_)) => ("F", "订单已关闭"),
            _ if self.failed => ("F", "用户余额不足"),
            _ => ("P", "处理中"),
        }
    }

    /// Whether the payer may still decide.
    fn open(&self) -> bool {
        self.paid.is_none() && self.closed.is_none() && self.pays_at.is_none() && !self.failed
    }
}

impl Record for Order {
    fn key(&self) -> &str {
        &self.number
    }

    fn alarms(&self) -> [Option<Timestamp>; 2] {
        [self.expires.filter(|_| self.paid.is_none() && self.closed.is_none()), self.pays_at]
    }
}

impl Acquirer {
    fn open(theirs: &Settings, keyring: &dyn Keyring) -> Result<Acquirer, KeyError> {
        let secret = |field: &str| theirs.value(field).ok_or(KeyError::Empty);
        let text = |field: &str| Ok(secret(field)?.expose().to_owned());
        Ok(Acquirer {
            sys_id: text("sys_id")?,
            product_id: text("product_id")?,
            base_url: text("base_url")?,
            signer: keyring.signer(secret("huifu_private_key")?)?,
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
                let paid = order.closed.map_or(at, |closed| closed.minus(Duration::from_secs(1)));
                self.pay(&key, paid, at);
            } else if order.expires == Some(at) && order.open() {
                self.orders.change(&key, |order| order.closed = Some(at));
            }
        }
    }

    fn pay(&mut self, key: &str, paid: Timestamp, now: Timestamp) {
        self.orders.change(key, |order| (order.paid, order.pays_at, order.closed) = (Some(paid), None, None));
        self.tell_payment(key, now);
    }

    fn pay_later(&mut self, key: &str, at: Timestamp) {
        self.orders.change(key, |order| order.pays_at = Some(at));
        self.orders.wake(key, at);
    }
}

impl Simulator for Acquirer {
    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.advance(now);
        let Some(rest) = request.uri().path().strip_prefix("/payer/") else { return self.api(request, now) };
        Answer::Reply(self.payer(request, rest, now))
    }

    fn due(&mut self, now: Timestamp) -> Vec<Notification> {
        self.advance(now);
        sent(self.notes.take_due(now), notify::request)
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.orders.next_due().into_iter().chain(self.notes.next_due()).min()
    }

    fn notified(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        let heard =
            self.notes.get(id).zip(response).is_some_and(|(note, answer)| notify::heard(note, answer));
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
        let line = |order: &Order, refund: Option<&str>, fen, at| {
            let (reference, refund) = (order.number.clone(), refund.map(str::to_owned));
            BookLine { reference, refund, money: Money::new(fen, Currency::CNY), at }
        };
        let lines = |order: &Order| {
            let given = order.refunds.iter().map(|r| line(order, Some(&r.number), r.fen, r.at));
            order.paid.map(|at| line(order, None, order.fen, at)).into_iter().chain(given).collect::<Vec<_>>()
        };
        self.orders.values().flat_map(lines).collect()
    }
}
