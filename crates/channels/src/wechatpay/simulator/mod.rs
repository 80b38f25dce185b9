//! WeChat Pay's side of the wire: the v3 interface, the payer's pages, sealed notifications with their schedule, and the
//! daily bills. Written from the same public documents as the adapter but sharing no code with it beyond the crypto
//! primitives, so that a mistake in one shows against the other. What it does differently from the real one is in the
//! README.

mod api;
#[path = "../../wechatpay_funds/simulator/bill.rs"]
mod bill;
mod notify;
mod payer;
#[path = "../../wechatpay_funds/simulator/transfer.rs"]
mod transfer;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::KeyInit as _;
use bytes::Bytes;
use http::{Request, Response};
use paycore::channel::Settings;
use paycore::channel::simulator::{Answer, BookLine, Maker, Notification, Provision, Simulator};
use paycore::crypto::{Decrypter, Encrypter, KeyError, Keyring, Signer, Verifier};
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::secret::Secret;
use paycore::time::{Rng, Timestamp};
use serde::{Deserialize, Serialize};

use transfer::Transfer;

use crate::sandbox::share::Shares;
use crate::sandbox::wechat_login::Logins;
use crate::sandbox::x509;
use crate::sandbox::{Notes, Record, Records, drawn, sent};

/// Makes simulated WeChat Pay platforms, one per merchant.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Maker for Sandbox {
    fn provision(&self, base_url: &str, keyring: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let (merchant, platform, root) = (keyring.generate()?, keyring.generate()?, keyring.generate()?);
        let mchid = drawn("16", "0123456789", 8, rng);
        let appid = drawn("wx", "0123456789abcdef", 16, rng);
        let serial_no = drawn("", "0123456789ABCDEF", 40, rng);
        let seal = drawn("", "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789", 32, rng);
        let key_id = drawn("PUB_KEY_ID_01", "0123456789", 20, rng);
        let both = [
            ("mchid", mchid.as_str()),
            ("appid", &appid),
            ("serial_no", &serial_no),
            ("apiv3_key", &seal),
            ("public_key_id", &key_id),
        ];
        let (mut ours, mut theirs) = (Settings::from_pairs(both), Settings::from_pairs(both));
        ours.set("private_key", merchant.private.expose());
        ours.set("gateway", base_url);
        ours.set("public_key", &*platform.public);
        let mut serial = [0; 20];
        rng.fill(&mut serial);
        serial[0] = 0x5a;
        let names = ["Sandbox Root CA", "Sandbox platform"];
        let certificate = x509::issue(keyring, &root, names, (&serial, &platform.public))?;
        let authority = x509::issue(keyring, &root, [names[0]; 2], (&[1], &root.public))?;
        theirs.set("certificate", certificate);
        theirs.set("certificate_serial", serial.map(|byte| format!("{byte:02X}")).concat());
        theirs.set("root_certificate", authority);
        theirs.set("merchant_public_key", merchant.public);
        theirs.set("platform_private_key", platform.private.expose());
        theirs.set("base_url", base_url);
        Logins::provision(&mut ours, &mut theirs, base_url, rng);
        Ok(Provision { ours, theirs })
    }

    fn open(&self, theirs: &Settings, keyring: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        Ok(Box::new(Platform::open(theirs, keyring)?))
    }
}

/// The platform as one merchant sees it.
struct Platform {
    mchid: String,
    appid: String,
    /// The merchant that ours acts for, and its app, when ours is a service provider.
    sub: Option<(String, Option<String>)>,
    serial_no: String,
    key_id: String,
    certificate: String,
    certificate_serial: String,
    /// Whether the merchant has shown that it knows the certificate and not the public key.
    by_certificate: bool,
    base_url: String,
    signer: Box<dyn Signer>,
    merchant: Box<dyn Verifier>,
    decrypter: Box<dyn Decrypter>,
    /// For the merchant alone.
    encrypter: Box<dyn Encrypter>,
    seal: Aes256Gcm,
    shares: Shares,
    logins: Logins,
    transfers: BTreeMap<String, Transfer>,
    orders: Records<Order>,
    notes: Notes,
    /// Numbers of transfers to be kept again.
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
    /// Where the payer's browser came from and returns to.
    return_url: Option<String>,
    expires: Option<Timestamp>,
    /// When it is paid without anybody doing anything more.
    pays_at: Option<Timestamp>,
    paid: Option<Timestamp>,
    closed: Option<Timestamp>,
    /// A barcode that was refused for lack of funds.
    failed: bool,
    refunds: Vec<Refund>,
    /// Whether others may get shares of it.
    #[serde(default)]
    shared: bool,
    /// Of a combined payment its parts, which are orders of their own; and of a part the payment, and whose it is.
    #[serde(default)]
    parts: Vec<String>,
    #[serde(default)]
    whole: Option<(String, String)>,
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

    /// 0.6 % of a payment, to the fen; kept on refunds.
    fn fee(&self) -> i64 {
        (self.fen * 6 + 500) / 1_000
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
        self.paid.is_none()
            && self.closed.is_none()
            && self.pays_at.is_none()
            && !self.failed
            && self.whole.is_none()
    }
}

impl Record for Order {
    fn key(&self) -> &str {
        &self.out_trade_no
    }

    fn alarms(&self) -> [Option<Timestamp>; 2] {
        [self.expires.filter(|_| self.paid.is_none() && self.closed.is_none()), self.pays_at]
    }
}

impl Platform {
    fn open(theirs: &Settings, keyring: &dyn Keyring) -> Result<Platform, KeyError> {
        let secret = |field: &str| theirs.value(field).ok_or(KeyError::Empty);
        let text = |field: &str| Ok(secret(field)?.expose().to_owned());
        let seal = Aes256Gcm::new_from_slice(secret("apiv3_key").map(Secret::expose)?.as_bytes());
        Ok(Platform {
            mchid: text("mchid")?,
            appid: text("appid")?,
            sub: text("sub_mchid").ok().map(|mchid| (mchid, text("sub_appid").ok())),
            serial_no: text("serial_no")?,
            key_id: text("public_key_id")?,
            certificate: text("certificate").unwrap_or_default(),
            certificate_serial: text("certificate_serial").unwrap_or_default(),
            by_certificate: false,
            base_url: text("base_url")?,
            signer: keyring.signer(secret("platform_private_key")?)?,
            merchant: keyring.verifier(secret("merchant_public_key")?.expose())?,
            seal: seal.map_err(|_| KeyError::Malformed { expected: "key of 32 bytes" })?,
            encrypter: keyring.encrypter(secret("merchant_public_key")?.expose())?,
            decrypter: keyring.decrypter(secret("platform_private_key")?)?,
            shares: Shares::default(),
            logins: Logins::open(theirs, secret("sub_appid").or(secret("appid"))?.expose()),
            transfers: BTreeMap::new(),
            orders: Records::default(),
            notes: Notes::default(),
            changed: BTreeSet::new(),
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
        for part in self.orders.get(key).map(|order| order.parts.clone()).unwrap_or_default() {
            self.orders.change(&part, |order| order.paid = Some(paid));
        }
        self.tell_payment(key, now);
    }

    fn pay_later(&mut self, key: &str, at: Timestamp) {
        self.orders.change(key, |order| order.pays_at = Some(at));
        self.orders.wake(key, at);
    }
}

impl Simulator for Platform {
    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.advance(now);
        if let Some(answer) = self.logins.handle(request, now) {
            return Answer::Reply(answer);
        }
        let Some(rest) = request.uri().path().strip_prefix("/payer/") else { return self.api(request, now) };
        Answer::Reply(self.payer(request, rest, now))
    }

    fn due(&mut self, now: Timestamp) -> Vec<Notification> {
        self.advance(now);
        sent(self.notes.take_due(now), |note| self.request(note, now))
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.orders.next_due().into_iter().chain(self.notes.next_due()).min()
    }

    fn notified(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        // Any 2xx ends a notification before its last try.
        let heard = response.is_some_and(|response| response.status().is_success());
        self.notes.answered(id, heard, &notify::RETRIES, now);
    }

    fn changed(&mut self) -> Vec<(String, String)> {
        let mut records = self.orders.changed("order");
        let transfer = |key: String| {
            let text = serde_json::to_string(self.transfers.get(&key)?).ok()?;
            Some((format!("transfer/{key}"), text))
        };
        records.extend(std::mem::take(&mut self.changed).into_iter().filter_map(transfer));
        records.extend(self.notes.changed());
        records.extend(self.shares.changed());
        records
    }

    fn restore(&mut self, key: &str, value: &str) {
        if let Some(id) = key.strip_prefix("note/") {
            self.notes.restore(id, value);
        } else if let Some(number) = key.strip_prefix("transfer/") {
            let Ok(transfer) = serde_json::from_str(value) else { return };
            self.transfers.insert(number.to_owned(), transfer);
        } else if !self.shares.restore(key, value) {
            self.orders.restore(value);
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
        self.orders.values().filter(|order| order.parts.is_empty()).flat_map(lines).collect()
    }
}
