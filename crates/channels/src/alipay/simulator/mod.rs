//! Alipay's side of the wire: the gateway in both protocols, the payer's pages, notifications with their schedule, and
//! the daily bills.
//! Written from the same public documents as the adapter but sharing no code with it beyond the crypto primitives,
//! so that a mistake in one shows against the other. What it does differently from the real one is in the README.

#[path = "../../alipay_funds/simulator/bill.rs"]
mod bill;
mod door;
#[path = "../../alipay_funds/simulator/fund.rs"]
mod fund;
mod notify;
mod payer;
mod trade;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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

use crate::sandbox::alipay::{Serials, certificates};
use crate::sandbox::alipay_login::Logins;
use crate::sandbox::drawn;
use fund::{Hold, Share, Transfer};
use notify::Note;

/// Makes simulated Alipay gateways, one per merchant.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, keyring: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let (merchant, alipay, root) = (keyring.generate()?, keyring.generate()?, keyring.generate()?);
        let number = |prefix| drawn(prefix, "0123456789", 12, rng);
        let (app_id, seller_id) = (number("2021"), number("2088"));
        let mut aes_key = [0; 16];
        rng.fill(&mut aes_key);
        let aes_key = STANDARD.encode(aes_key);
        let publics = [&merchant.public, &alipay.public, &root.public].map(String::as_str);
        let [app_certificate, alipay_certificate, root_certificate] =
            certificates(&app_id, publics, keyring.signer(&root.private)?.as_ref())?;
        // Key mode works with the same settings; `mode` alone makes the difference.
        let ours = Settings::from_pairs([
            ("app_id", app_id.as_str()),
            ("private_key", merchant.private.expose()),
            ("mode", "certificates"),
            ("alipay_public_key", &alipay.public),
            ("app_certificate", &app_certificate),
            ("alipay_certificate", &alipay_certificate),
            ("alipay_root_certificate", &root_certificate),
            ("seller_id", &seller_id),
            ("gateway", &format!("{base_url}/gateway.do")),
            ("login_gateway", base_url),
        ]);
        let theirs = Settings::from_pairs([
            ("app_id", app_id.as_str()),
            ("seller_id", &seller_id),
            ("alipay_private_key", alipay.private.expose()),
            ("app_public_key", &merchant.public),
            ("aes_key", &aes_key),
            ("base_url", base_url),
        ]);
        Ok(Provision { ours, theirs })
    }

    fn open(&self, theirs: &Settings, keyring: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        Ok(Box::new(Gateway::open(theirs, keyring)?))
    }
}

/// The simulated gateway of one merchant.
#[derive(Debug)]
struct Gateway {
    app_id: String,
    seller_id: String,
    base_url: String,
    signer: Box<dyn Signer>,
    merchant: Box<dyn Verifier>,
    serials: Serials,
    logins: Logins,
    aes_key: Vec<u8>,
    /// How many answers v3 has given.
    answers: u64,
    /// Who may get shares.
    receivers: BTreeSet<String>,
    transfers: BTreeMap<String, Transfer>,
    trades: BTreeMap<String, Trade>,
    /// When a trade has something to do by itself.
    agenda: BTreeSet<(Timestamp, String)>,
    notes: BTreeMap<u64, Note>,
    last_note: u64,
    /// When a note is to be sent; a note on its way is not here.
    outbox: BTreeSet<(Timestamp, u64)>,
    /// Keys of records.
    changed: BTreeSet<String>,
}

/// A trade as Alipay keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Trade {
    out_trade_no: String,
    trade_no: String,
    subject: String,
    fen: i64,
    notify_url: Option<String>,
    return_url: Option<String>,
    created: Timestamp,
    expires: Option<Timestamp>,
    /// Whether anybody can know of it: a code's trade begins with the scan.
    #[serde(default)]
    begun: bool,
    /// Where it is first frozen and paid later.
    #[serde(default)]
    hold: Option<Hold>,
    /// When it is paid without anybody doing anything more.
    pays_at: Option<Timestamp>,
    paid: Option<Timestamp>,
    closed: Option<Timestamp>,
    refunds: Vec<Refund>,
    #[serde(default)]
    shares: Vec<Share>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Refund {
    request_no: String,
    fen: i64,
    at: Timestamp,
}

impl Trade {
    fn new(created: Timestamp) -> Trade {
        Trade {
            out_trade_no: String::new(),
            trade_no: String::new(),
            subject: String::new(),
            fen: 0,
            notify_url: None,
            return_url: None,
            created,
            expires: None,
            begun: false,
            hold: None,
            pays_at: None,
            paid: None,
            closed: None,
            refunds: Vec::new(),
            shares: Vec::new(),
        }
    }

    /// What is scripted for this amount.
    fn script(&self) -> i64 {
        self.fen % 10_000
    }

    fn refunded(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.fen).sum()
    }

    fn status(&self) -> &'static str {
        match (self.paid, self.closed) {
            (None, None) => "WAIT_BUYER_PAY",
            (Some(_), _) if self.refunded() < self.fen => "TRADE_SUCCESS",
            _ => "TRADE_CLOSED",
        }
    }

    fn waits(&self) -> bool {
        let frozen = self.hold.as_ref().is_some_and(|hold| hold.frozen.is_some());
        self.paid.is_none() && self.closed.is_none() && !frozen
    }
}

impl Gateway {
    fn open(theirs: &Settings, keyring: &dyn Keyring) -> Result<Gateway, KeyError> {
        let text = |field: &str| theirs.value(field).map(Secret::expose).ok_or(KeyError::Empty);
        Ok(Gateway {
            app_id: text("app_id")?.to_owned(),
            seller_id: text("seller_id")?.to_owned(),
            base_url: text("base_url")?.to_owned(),
            signer: keyring.signer(theirs.value("alipay_private_key").ok_or(KeyError::Empty)?)?,
            merchant: keyring.verifier(text("app_public_key")?)?,
            serials: Serials::new(),
            logins: Logins::new(text("app_id")?),
            aes_key: STANDARD.decode(theirs.text("aes_key", "")).unwrap_or_default(),
            answers: 0,
            receivers: BTreeSet::new(),
            transfers: BTreeMap::new(),
            trades: BTreeMap::new(),
            agenda: BTreeSet::new(),
            notes: BTreeMap::new(),
            last_note: 0,
            outbox: BTreeSet::new(),
            changed: BTreeSet::new(),
        })
    }

    /// Lets everything happen that is due by `now`.
    fn advance(&mut self, now: Timestamp) {
        while self.agenda.first().is_some_and(|(at, _)| *at <= now) {
            let Some((at, key)) = self.agenda.pop_first() else { break };
            let Some(trade) = self.trades.get_mut(&key) else { continue };
            if trade.pays_at == Some(at) {
                // The script "paid after close" reports a payment from just before the close.
                let paid = trade.closed.map_or(at, |closed| closed.minus(std::time::Duration::from_secs(1)));
                self.pay(&key, paid, at);
            } else if trade.expires == Some(at) && trade.waits() && trade.pays_at.is_none() {
                self.close(&key, at);
                self.notify(&key, None, at);
            }
        }
    }

    fn pay(&mut self, key: &str, paid: Timestamp, now: Timestamp) {
        self.change(key, |trade| {
            (trade.pays_at, trade.closed) = (None, None);
            match &mut trade.hold {
                Some(hold) => hold.frozen = Some(paid),
                None => (trade.begun, trade.paid) = (true, Some(paid)),
            }
        });
        self.notify(key, None, now);
    }

    fn pay_later(&mut self, key: &str, at: Timestamp) {
        self.change(key, |trade| trade.pays_at = Some(at));
        self.agenda.insert((at, key.to_owned()));
    }

    fn close(&mut self, key: &str, now: Timestamp) {
        self.change(key, |trade| trade.closed = Some(now));
    }

    fn change(&mut self, key: &str, change: impl FnOnce(&mut Trade)) {
        if let Some(trade) = self.trades.get_mut(key) {
            change(trade);
            self.changed.insert(format!("trade/{key}"));
        }
    }

    fn keep(&mut self, trade: Trade) {
        let key = trade.out_trade_no.clone();
        self.schedule(&trade);
        self.trades.insert(key.clone(), trade);
        self.change(&key, |_| {});
    }

    fn schedule(&mut self, trade: &Trade) {
        for at in [trade.expires.filter(|_| trade.waits()), trade.pays_at].into_iter().flatten() {
            self.agenda.insert((at, trade.out_trade_no.clone()));
        }
    }
}

impl Simulator for Gateway {
    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.advance(now);
        if let Some(page) = self.logins.handle(request, now) {
            return Answer::Reply(page);
        }
        let path = request.uri().path();
        match (path.strip_prefix("/payer/"), path.strip_prefix("/bill/")) {
            (Some(rest), _) => Answer::Reply(self.payer(request.method(), rest, now)),
            (_, Some(rest)) => Answer::Reply(self.download(rest, now)),
            _ if path == "/gateway.do" => self.form(request, now),
            _ if path.starts_with("/v3/") => self.rest(request, now),
            _ => Answer::Reply(payer::trouble("404", "没有这个页面 · No such page")),
        }
    }

    fn client(&mut self, parameters: &[(String, String)], now: Timestamp) -> Option<Answer> {
        let (_, order) = parameters.iter().find(|(name, _)| name == "orderStr")?;
        let request = Request::get(format!("/gateway.do?{order}")).body(Bytes::new()).ok()?;
        Some(self.handle(&request, now))
    }

    fn due(&mut self, now: Timestamp) -> Vec<Notification> {
        self.advance(now);
        self.take_due(now)
    }

    fn next_due(&self) -> Option<Timestamp> {
        let agenda = self.agenda.first().map(|(at, _)| *at);
        agenda.into_iter().chain(self.outbox.first().map(|(at, _)| *at)).min()
    }

    fn notified(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        self.answered(id, response, now);
    }

    fn changed(&mut self) -> Vec<(String, String)> {
        let record = |key: String| {
            // A note that is done with is kept as `null`.
            let text = match key.split_once('/') {
                Some(("trade", trade)) => serde_json::to_string(&self.trades.get(trade)),
                Some(("transfer", transfer)) => serde_json::to_string(&self.transfers.get(transfer)),
                Some(("receivers", _)) => serde_json::to_string(&self.receivers),
                Some((_, id)) => {
                    serde_json::to_string(&id.parse().ok().and_then(|id: u64| self.notes.get(&id)))
                }
                None => return None,
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
        } else if let (Some(transfer), Ok(kept)) =
            (key.strip_prefix("transfer/"), serde_json::from_str(value))
        {
            self.transfers.insert(transfer.to_owned(), kept);
        } else if key == "receivers/all" {
            self.receivers = serde_json::from_str(value).unwrap_or_default();
        } else if let Ok(trade) = serde_json::from_str::<Trade>(value) {
            self.schedule(&trade);
            self.trades.insert(trade.out_trade_no.clone(), trade);
        }
    }

    fn statement(&mut self, from: Timestamp, until: Timestamp) -> Option<Bytes> {
        Some(self.bill("trade", from, until).into())
    }

    fn book(&self) -> Vec<BookLine> {
        let mut book = Vec::new();
        for trade in self.trades.values() {
            let refunds =
                trade.refunds.iter().map(|refund| (Some(&refund.request_no), refund.fen, refund.at));
            let payment = trade.paid.map(|at| (None, trade.fen, at));
            book.extend(payment.into_iter().chain(refunds).map(|(refund, fen, at)| BookLine {
                reference: trade.out_trade_no.clone(),
                refund: refund.cloned(),
                money: Money::new(fen, Currency::CNY),
                at,
            }));
        }
        book
    }
}
