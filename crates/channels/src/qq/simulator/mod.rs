//! QQ wallet's side of the wire: the XML interface, the payer's pages, signed notifications with their schedule, and the
//! daily bill. Written from the same public documents as the adapter but sharing no code with it beyond the crypto
//! primitives, so that a mistake in one shows against the other. What it does differently from the real one is in the
//! README.

mod api;
mod bill;
mod notify;
mod payer;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use paycore::channel::Settings;
use paycore::channel::simulator::{Answer, BookLine, Maker, Notification, Provision, Simulator};
use paycore::crypto::{KeyError, Keyring};
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::{Rng, Timestamp};
use serde::{Deserialize, Serialize};

use notify::Note;

/// Makes simulated QQ wallets, one per merchant.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, _: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
        let mch_id = drawn("14", "0123456789", 8, rng);
        let (key, password) = (drawn("", letters, 32, rng), drawn("", letters, 16, rng));
        let both = [
            ("mch_id", mch_id.as_str()),
            ("key", &key),
            ("appid", &drawn("11", "0123456789", 8, rng)),
            ("op_user_id", &mch_id),
            ("op_user_passwd", &password),
        ];
        let (mut ours, mut theirs) = (Settings::from_pairs(both), Settings::from_pairs(both));
        ours.set("app_key", drawn("", "0123456789abcdef", 32, rng));
        ours.set("gateway", base_url);
        theirs.set("base_url", base_url);
        Ok(Provision { ours, theirs })
    }

    fn open(&self, theirs: &Settings, _: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        Ok(Box::new(Wallet::open(theirs)?))
    }
}

/// Characters drawn from an alphabet, after a given beginning.
fn drawn(prefix: &str, alphabet: &str, count: usize, rng: &dyn Rng) -> String {
    let alphabet = alphabet.as_bytes();
    let mut random = vec![0; count];
    rng.fill(&mut random);
    let picked = random.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()]));
    prefix.chars().chain(picked).collect()
}

/// The wallet as one merchant sees it.
struct Wallet {
    mch_id: String,
    appid: String,
    key: String,
    operator: (String, String),
    base_url: String,
    orders: BTreeMap<String, Order>,
    /// When an order has something to do by itself.
    agenda: BTreeSet<(Timestamp, String)>,
    notes: BTreeMap<u64, Note>,
    last_note: u64,
    /// When a note is to be sent; a note on its way is not here.
    outbox: BTreeSet<(Timestamp, u64)>,
    /// Keys of records.
    changed: BTreeSet<String>,
}

/// An order as the platform keeps it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Order {
    out_trade_no: String,
    transaction_id: String,
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
    out_refund_no: String,
    refund_id: String,
    fen: i64,
    at: Timestamp,
}

impl Order {
    /// What is scripted for this amount.
    fn script(&self) -> i64 {
        self.fen % 10_000
    }

    fn barcode(&self) -> bool {
        self.trade_type == "MICROPAY"
    }

    fn state(&self) -> (&'static str, &'static str) {
        match (self.paid, self.closed) {
            (Some(_), _) if self.refunds.is_empty() => ("SUCCESS", "支付成功"),
            (Some(_), _) => ("REFUND", "转入退款"),
            (None, Some(_)) if self.barcode() => ("REVOKED", "订单已撤销"),
            (None, Some(_)) => ("CLOSED", "订单已关闭"),
            _ if self.failed => ("PAYERROR", "余额不足，支付失败"),
            _ if self.barcode() => ("USERPAYING", "需要用户输入支付密码"),
            _ => ("NOTPAY", "订单未支付"),
        }
    }

    /// Whether the payer may still decide.
    fn open(&self) -> bool {
        self.paid.is_none() && self.closed.is_none() && self.pays_at.is_none() && !self.failed
    }
}

impl Wallet {
    fn open(theirs: &Settings) -> Result<Wallet, KeyError> {
        let text = |field: &str| Ok(theirs.value(field).ok_or(KeyError::Empty)?.expose().to_owned());
        Ok(Wallet {
            mch_id: text("mch_id")?,
            appid: text("appid")?,
            key: text("key")?,
            operator: (text("op_user_id")?, text("op_user_passwd")?),
            base_url: text("base_url")?,
            orders: BTreeMap::new(),
            agenda: BTreeSet::new(),
            notes: BTreeMap::new(),
            last_note: 0,
            outbox: BTreeSet::new(),
            changed: BTreeSet::new(),
        })
    }

    /// Lets everything happen that is due by `now`.
    fn advance(&mut self, now: Timestamp) {
        let later = self.agenda.split_off(&(now.plus(Duration::from_micros(1)), String::new()));
        for (at, key) in std::mem::replace(&mut self.agenda, later) {
            let Some(order) = self.orders.get(&key) else { continue };
            if order.pays_at == Some(at) {
                // The script "paid after close" reports a payment from just before the close.
                let paid = order.closed.map_or(at, |closed| closed.minus(Duration::from_secs(1)));
                self.pay(&key, paid, at);
            } else if order.expires == Some(at) && order.open() {
                self.change(&key, |order| order.closed = Some(at));
            }
        }
    }

    fn pay(&mut self, key: &str, paid: Timestamp, now: Timestamp) {
        self.change(key, |order| (order.paid, order.pays_at, order.closed) = (Some(paid), None, None));
        self.tell_payment(key, now);
    }

    fn pay_later(&mut self, key: &str, at: Timestamp) {
        self.change(key, |order| order.pays_at = Some(at));
        self.agenda.insert((at, key.to_owned()));
    }

    fn change(&mut self, key: &str, change: impl FnOnce(&mut Order)) {
        if let Some(order) = self.orders.get_mut(key) {
            change(order);
            self.changed.insert(format!("order/{key}"));
        }
    }

    fn put(&mut self, order: Order) {
        let expires = order.expires.filter(|_| order.paid.is_none() && order.closed.is_none());
        let at = expires.into_iter().chain(order.pays_at);
        self.agenda.extend(at.map(|at| (at, order.out_trade_no.clone())));
        self.orders.insert(order.out_trade_no.clone(), order);
    }
}

impl Simulator for Wallet {
    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.advance(now);
        let Some(rest) = request.uri().path().strip_prefix("/payer/") else { return self.api(request, now) };
        Answer::Reply(self.payer(request, rest, now))
    }

    fn due(&mut self, now: Timestamp) -> Vec<Notification> {
        self.advance(now);
        self.take_due(now)
    }

    fn next_due(&self) -> Option<Timestamp> {
        let (agenda, outbox) = (self.agenda.first(), self.outbox.first());
        agenda.map(|(at, _)| *at).into_iter().chain(outbox.map(|(at, _)| *at)).min()
    }

    fn notified(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        self.answered(id, response, now);
    }

    fn changed(&mut self) -> Vec<(String, String)> {
        let record = |key: String| {
            // A note that is done with is kept as `null`.
            let text = match key.split_once('/')? {
                ("order", order) => serde_json::to_string(self.orders.get(order)?),
                (_, id) => serde_json::to_string(&self.notes.get(&id.parse().ok()?)),
            };
            Some((key, text.ok()?))
        };
        std::mem::take(&mut self.changed).into_iter().filter_map(record).collect()
    }

    fn restore(&mut self, key: &str, value: &str) {
        if let Some(id) = key.strip_prefix("note/") {
            self.last_note = self.last_note.max(id.parse().unwrap_or(0));
            let Ok(Some(note)) = serde_json::from_str::<Option<Note>>(value) else { return };
            self.outbox.insert((note.at, note.id));
            self.notes.insert(note.id, note);
        } else if let Ok(order) = serde_json::from_str::<Order>(value) {
            self.put(order);
        }
    }

    fn statement(&mut self, from: Timestamp, until: Timestamp) -> Option<Bytes> {
        Some(self.bill(from, until).into())
    }

    fn book(&self) -> Vec<BookLine> {
        let line = |order: &Order, refund: Option<&str>, fen, at| {
            let (reference, refund) = (order.out_trade_no.clone(), refund.map(str::to_owned));
            BookLine { reference, refund, money: Money::new(fen, Currency::CNY), at }
        };
        let lines = |order: &Order| {
            let given = order.refunds.iter().map(|r| line(order, Some(&r.out_refund_no), r.fen, r.at));
            order.paid.map(|at| line(order, None, order.fen, at)).into_iter().chain(given).collect::<Vec<_>>()
        };
        self.orders.values().flat_map(lines).collect()
    }
}
