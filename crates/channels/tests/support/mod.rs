//! What the tests of every channel share: its recorded messages, the payment that all of them are about, and what is
//! asserted of each channel in the same way. A channel's `main.rs` includes it, names the channel as `DRIVER` and where
//! it is notified as `NOTIFY_URL`, and then holds what is particular to the provider.

#![allow(dead_code, unused_imports, reason = "each test binary uses a part of it")]

mod damage;
mod golden;
mod statement;
pub mod v3;
mod wire;

pub use std::sync::Arc;
pub use std::time::Duration;

pub use bytes::Bytes;
pub use http::{HeaderMap, HeaderName, HeaderValue};
pub use paycore::channel::simulator::{Answer, Maker, Simulator};
pub use paycore::channel::*;
pub use paycore::crypto::native::NativeKeyring;
pub use paycore::crypto::{Keyring, Scheme};
pub use paycore::currency::Currency;
pub use paycore::money::Money;
pub use paycore::time::{SeededRng, Timestamp};

pub use self::damage::*;
pub use self::golden::*;
pub use self::statement::*;
pub use self::wire::*;
use crate::{DRIVER, NOTIFY_URL};

/// The payment that everything recorded is about.
pub const REFERENCE: &str = "01kayb4h7pz8y3v5n2q6m9t4wx";
/// The refund of a part of it.
pub const REFUND: &str = "01kayc9r5d2e8f1g7h3j6k0m4n";
/// 08:10 on 23 November 2026 in Beijing, ten minutes into the day in UTC; what is signed with its time was signed five
/// seconds before.
pub const NOW: Timestamp = Timestamp::from_secs(1_795_392_600);

pub fn cny(fen: i64) -> Money {
    Money::new(fen, Currency::CNY)
}

/// Where a recorded file is.
pub fn path(name: &str) -> String {
    format!("{}/src/{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"), DRIVER.profile().id)
}

pub fn fixture(name: &str) -> Vec<u8> {
    let path = path(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).unwrap()
}

pub fn settings(name: &str) -> Settings {
    serde_json::from_slice(&fixture(name)).unwrap()
}

pub fn open(settings: &Settings) -> Arc<dyn Channel> {
    DRIVER.open(settings, &NativeKeyring).unwrap()
}

/// The account with these recorded settings.
pub fn opened(name: &str) -> Arc<dyn Channel> {
    open(&settings(name))
}

pub fn adapter() -> Arc<dyn Channel> {
    opened("ours.json")
}

/// The field that is at fault once this one of the recorded settings has another value.
pub fn field_at_fault(name: &str, field: &str, value: &str) -> Option<String> {
    let mut changed = settings(name);
    changed.set(field, value);
    DRIVER.open(&changed, &NativeKeyring).err().map(|error| error.field)
}

/// With the same randomness every time.
pub fn context(now: Timestamp) -> Context<'static> {
    Context { now, rng: Box::leak(Box::new(SeededRng::new(1))), notify_url: NOTIFY_URL }
}

/// First line, headers and body of a recorded message.
pub fn message(name: &str) -> (String, HeaderMap, Bytes) {
    let text = fixture(&format!("{name}.http"));
    let end = text.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(text[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap().to_owned();
    let header = |line: &str| -> (HeaderName, HeaderValue) {
        let (name, value) = line.split_once(": ").unwrap();
        (name.parse().unwrap(), value.parse().unwrap())
    };
    (first, lines.map(header).collect(), Bytes::from(text[end + 4..].to_vec()))
}

/// The recorded reply `reply_<name>`.
pub fn reply(name: &str) -> Reply {
    read_reply(&format!("reply_{name}"))
}

pub fn read_reply(name: &str) -> Reply {
    let (first, headers, body) = message(name);
    let mut reply = Reply::new(body);
    *reply.status_mut() = first.split(' ').nth(1).unwrap().parse().unwrap();
    *reply.headers_mut() = headers;
    reply
}

/// The recorded notification `notice_<name>`.
pub fn notice(name: &str) -> Notice {
    let (first, headers, body) = message(&format!("notice_{name}"));
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut notice = http::Request::builder().method(method).uri(path).body(body).unwrap();
    *notice.headers_mut() = headers;
    notice
}

/// A notification with this body and nothing else.
pub fn posted(body: impl Into<Bytes>) -> Notice {
    http::Request::post("/notify").body(body.into()).unwrap()
}

/// What a notification reports to the account of `ours.json`.
pub fn verify(notice: &Notice) -> Result<Vec<Report>, Fault> {
    adapter().verify(notice, &context(NOW)).map(|verified| verified.reports)
}

/// The payment of 88.88 yuan by this method, of which the provider's own number is not known yet.
pub fn payment_by(method: &str) -> Payment {
    Payment {
        reference: REFERENCE.into(),
        channel_id: None,
        method: method.parse().unwrap(),
        money: cny(8888),
        started_at: NOW,
        ending_at: None,
    }
}

/// A payer who gave whatever any scene asks for.
pub fn payer(auth_code: &str) -> Payer {
    Payer {
        id: Some("oTest0nlyPayer".into()),
        ip: Some("203.0.113.7".into()),
        auth_code: Some(auth_code.into()),
    }
}

/// How the payment is asked for.
pub fn pay_for(payment: Payment, payer: Payer) -> Pay {
    let Payment { reference, method, money, started_at, .. } = payment;
    Pay {
        reference,
        started_at,
        money,
        method,
        subject: "红茶 2 盒 + 绿茶".into(),
        description: None,
        return_url: Some("https://shop.example/done?order=42&lang=zh".into()),
        expires_at: Some(NOW.plus(Duration::from_secs(1_800))),
        capture: CaptureMode::Automatic,
        payer,
        shared: false,
        parts: Vec::new(),
        card: None,
        mandate: None,
    }
}

pub fn query_about(payment: Payment) -> Operation {
    Operation::Query(Query { payment })
}

pub fn close_about(payment: Payment) -> Operation {
    Operation::Close(Close { payment })
}

/// Gives 8.80 of the payment back.
pub fn refund_about(payment: Payment) -> Operation {
    let (captured, money) = (payment.money, Money::new(880, payment.money.currency()));
    Operation::Refund(Refund {
        reference: REFUND.into(),
        started_at: NOW,
        payment,
        part: None,
        captured,
        money,
        reason: Some("缺货 out of stock".into()),
    })
}

pub fn query_refund_about(payment: Payment) -> Operation {
    let money = Money::new(880, payment.money.currency());
    let (reference, channel_id) = (REFUND.into(), None);
    Operation::QueryRefund(QueryRefund { reference, channel_id, started_at: NOW, payment, money })
}

/// The trade statement of the day.
pub fn statement() -> Operation {
    Operation::Statement(Statement { kind: StatementKind::Trade, day: NOW })
}

/// A JSON document with the value at this pointer changed.
pub fn with(mut value: serde_json::Value, pointer: &str, to: serde_json::Value) -> serde_json::Value {
    *value.pointer_mut(pointer).unwrap() = to;
    value
}
