//! UnionPay's side of the wire: the gateways, the payer's pages, notifications with their schedule, and the daily
//! statement. Written from the same public facts as the adapter but sharing no code with it beyond the crypto
//! primitives, so that a mistake in one shows against the other. What it does differently from the real one is in the
//! README.

mod api;
mod authority;
mod bill;
mod notify;
mod payer;
mod wire;

use bytes::Bytes;
use http::{Request, Response};
use paycore::channel::Settings;
use paycore::channel::simulator::{Answer, BookLine, Maker, Notification, Provision, Simulator};
use paycore::crypto::{KeyError, Keyring};
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::secret::Secret;
use paycore::time::{Rng, Timestamp};
use serde::{Deserialize, Serialize};

use authority::Holder;
use wire::Seal;

use crate::sandbox::{Notes, Record, Records, drawn, sent};

/// Makes simulated UnionPay gateways, one per merchant.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, keyring: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let root = Holder::new("UnionPay sandbox root", keyring)?;
        let middle = Holder::new("UnionPay sandbox authority", keyring)?;
        let unionpay = Holder::new("041@8310000000083040@中国银联股份有限公司@00016493", keyring)?;
        let (mer_id, cert_id) = (drawn("777290", DIGITS, 9, rng), serial(rng));
        let merchant = Holder::new(&format!("041@{mer_id}@测试商户@00000001"), keyring)?;
        let ours = Settings::from_pairs([
            ("mer_id", mer_id.as_str()),
            ("sign_method", "01"),
            ("certificate", &middle.issue(&merchant, cert_id, false, keyring)?),
            ("private_key", merchant.keys.private.expose()),
            ("root_certificate", &root.issue(&root, 1, true, keyring)?),
            ("middle_certificate", &root.issue(&middle, 2, true, keyring)?),
            ("gateway", base_url),
        ]);
        let theirs = Settings::from_pairs([
            ("mer_id", mer_id.as_str()),
            ("sign_private_key", unionpay.keys.private.expose()),
            ("sign_certificate", &middle.issue(&unionpay, serial(rng), false, keyring)?),
            ("merchant_public_key", &merchant.keys.public),
            ("cert_id", &cert_id.to_string()),
            ("base_url", base_url),
        ]);
        Ok(Provision { ours, theirs })
    }

    fn open(&self, theirs: &Settings, keyring: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        Ok(Box::new(Gateway::open(theirs, keyring)?))
    }
}

const DIGITS: &str = "0123456789";

/// Eleven digits, as the real authority numbers its certificates.
fn serial(rng: &dyn Rng) -> u64 {
    drawn("7", DIGITS, 10, rng).parse().unwrap_or(7)
}

/// The simulated gateway of one merchant.
#[derive(Debug)]
struct Gateway {
    mer_id: String,
    base_url: String,
    seal: Seal,
    /// Every transaction by its `orderId`: payments, captures, voids and refunds alike.
    deals: Records<Deal>,
    notes: Notes,
}

/// A transaction as UnionPay keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Deal {
    order_id: String,
    txn_time: String,
    /// `txnType` and `txnSubType`.
    kind: (String, String),
    biz_type: String,
    query_id: String,
    fen: i64,
    subject: String,
    /// `orderId` of the transaction that this one changes.
    origin: Option<String>,
    back_url: Option<String>,
    front_url: Option<String>,
    expires: Option<Timestamp>,
    /// When it succeeds without anybody doing anything more.
    pays_at: Option<Timestamp>,
    done: Option<Timestamp>,
    /// The code with which it failed.
    failed: Option<String>,
}

impl Deal {
    /// What is scripted for this amount.
    fn script(&self) -> i64 {
        self.fen % 10_000
    }

    fn waits(&self) -> bool {
        self.done.is_none() && self.failed.is_none() && self.pays_at.is_none()
    }

    fn is_payment(&self) -> bool {
        matches!(self.kind.0.as_str(), "01" | "02")
    }
}

impl Record for Deal {
    fn key(&self) -> &str {
        &self.order_id
    }

    fn alarms(&self) -> [Option<Timestamp>; 2] {
        [self.expires.filter(|_| self.waits()), self.pays_at]
    }
}

impl Gateway {
    fn open(theirs: &Settings, keyring: &dyn Keyring) -> Result<Gateway, KeyError> {
        let text = |field: &str| theirs.value(field).map(Secret::expose).ok_or(KeyError::Empty);
        Ok(Gateway {
            mer_id: text("mer_id")?.to_owned(),
            base_url: text("base_url")?.to_owned(),
            seal: Seal::open(theirs, keyring)?,
            deals: Records::default(),
            notes: Notes::default(),
        })
    }

    /// Lets everything happen that is due by `now`.
    fn advance(&mut self, now: Timestamp) {
        for (at, key) in self.deals.take_due(now) {
            let Some(deal) = self.deals.get(&key) else { continue };
            if deal.pays_at == Some(at) {
                self.finish(&key, at);
            } else if deal.expires == Some(at) && deal.waits() {
                self.deals.change(&key, |deal| deal.failed = Some("69".to_owned()));
            }
        }
    }

    fn finish(&mut self, key: &str, at: Timestamp) {
        self.deals.change(key, |deal| (deal.done, deal.pays_at) = (Some(at), None));
        self.notify(key, at);
    }

    fn pay_later(&mut self, key: &str, at: Timestamp) {
        self.deals.change(key, |deal| deal.pays_at = Some(at));
        self.deals.wake(key, at);
    }

    /// The payment at the beginning of a chain of transactions.
    fn payment_of<'a>(&'a self, deal: &'a Deal) -> &'a Deal {
        let mut first = deal;
        while let Some(before) = first.origin.as_ref().and_then(|key| self.deals.get(key)) {
            first = before;
        }
        first
    }
}

impl Simulator for Gateway {
    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.advance(now);
        let path = request.uri().path();
        if let Some(rest) = path.strip_prefix("/payer/") {
            return Answer::Reply(self.payer(request.method(), rest, now));
        }
        match path.strip_prefix("/gateway/api/").and_then(|name| name.strip_suffix(".do")) {
            Some(name) => self.api(name, request, now),
            None if path == "/filedownload" => self.api("filedownload", request, now),
            None => Answer::Reply(payer::trouble("404", "没有这个页面 · No such page")),
        }
    }

    fn due(&mut self, now: Timestamp) -> Vec<Notification> {
        self.advance(now);
        sent(self.notes.take_due(now), |note| self.request(note))
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.deals.next_due().into_iter().chain(self.notes.next_due()).min()
    }

    fn notified(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        self.notes.answered(id, response.is_some_and(notify::heard), &notify::RETRIES, now);
    }

    fn changed(&mut self) -> Vec<(String, String)> {
        let mut records = self.deals.changed("deal");
        records.extend(self.notes.changed());
        records
    }

    fn restore(&mut self, key: &str, value: &str) {
        if let Some(id) = key.strip_prefix("note/") {
            self.notes.restore(id, value);
        } else {
            self.deals.restore(value);
        }
    }

    fn statement(&mut self, from: Timestamp, until: Timestamp) -> Option<Bytes> {
        Some(self.bill(from, until).into())
    }

    fn book(&self) -> Vec<BookLine> {
        let line = |deal: &Deal| {
            let refund = match deal.kind.0.as_str() {
                "01" | "03" => None,
                "04" => Some(deal.order_id.clone()),
                _ => return None,
            };
            let reference = self.payment_of(deal).order_id.clone();
            Some(BookLine { reference, refund, money: Money::new(deal.fen, Currency::CNY), at: deal.done? })
        };
        self.deals.values().filter_map(line).collect()
    }
}
