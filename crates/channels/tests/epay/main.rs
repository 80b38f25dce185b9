//! The epay channel in both versions: golden requests and recorded replies, forged and damaged notifications, the adapter
//! against its simulator, and version 1 through the conformance suite.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
mod notices;
mod version1;

use std::sync::Arc;

use bytes::Bytes;
use paycore::channel::{
    CaptureMode, Channel, Close, Context, Driver, Notice, Operation, Pay, Payer, Payment, Query, QueryRefund,
    Refund, Reply, Settings,
};
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::{SeededRng, Timestamp};
use paycore_channels::epay::Epay;

const REFERENCE: &str = "01kayb4h7pz8y3v5n2q6m9t4wx";
const REFUND: &str = "01kayc9r5d2e8f1g7h3j6k0m4n";
const TRADE_NO: &str = "2026112308003300001";
const NOTIFY_URL: &str = "https://shop.example/notify/cha_1";
/// 08:10 on 23 November 2026 in Beijing, ten minutes into the day in UTC.
const NOW: Timestamp = Timestamp::from_secs(1_795_392_600);

fn cny(fen: i64) -> Money {
    Money::new(fen, Currency::CNY)
}

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/src/epay/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn settings(name: &str) -> Settings {
    serde_json::from_slice(&fixture(name)).unwrap()
}

/// An account of version 1 or 2.
fn adapter(version: u8) -> Arc<dyn Channel> {
    Epay.open(&settings(&format!("ours_v{version}.json")), &NativeKeyring).unwrap()
}

fn context(now: Timestamp) -> Context<'static> {
    static RNG: SeededRng = SeededRng::new(1);
    Context { now, rng: &RNG, notify_url: NOTIFY_URL }
}

/// Head and body of a recorded message.
fn parts(name: &str) -> (String, Vec<u8>) {
    let text = fixture(&format!("{name}.http"));
    let end = text.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    (String::from_utf8(text[..end].to_vec()).unwrap(), text[end + 4..].to_vec())
}

fn reply(name: &str) -> Reply {
    let (head, body) = parts(name);
    let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
    http::Response::builder().status(status).body(Bytes::from(body)).unwrap()
}

fn notice(name: &str) -> Notice {
    let (head, body) = parts(name);
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    http::Request::builder().method(method).uri(path).body(Bytes::from(body)).unwrap()
}

fn pay(method: &str) -> Pay {
    Pay {
        reference: REFERENCE.into(),
        started_at: NOW,
        money: cny(8888),
        method: method.parse().unwrap(),
        subject: "红茶 2 盒 + 绿茶 & more".into(),
        description: None,
        return_url: Some("https://shop.example/done?order=42&lang=zh".into()),
        expires_at: Some(NOW.plus(std::time::Duration::from_secs(1_800))),
        capture: CaptureMode::Automatic,
        payer: Payer { ip: Some("203.0.113.7".into()), ..Payer::default() },
        shared: false,
        parts: Vec::new(),
        card: None,
        mandate: None,
    }
}

fn pay_by(method: &str) -> Operation {
    Operation::Pay(pay(method))
}

fn payment(fen: i64) -> Payment {
    Payment {
        reference: REFERENCE.into(),
        channel_id: None,
        method: "alipay.qr".parse().unwrap(),
        money: cny(fen),
        started_at: NOW,
        ending_at: None,
    }
}

fn query() -> Operation {
    Operation::Query(Query { payment: payment(8888) })
}

fn close() -> Operation {
    Operation::Close(Close { payment: payment(8888) })
}

fn refund() -> Operation {
    Operation::Refund(Refund {
        reference: REFUND.into(),
        started_at: NOW,
        payment: payment(8888),
        part: None,
        captured: cny(8888),
        money: cny(880),
        reason: Some("缺货 out of stock".into()),
    })
}

fn query_refund() -> Operation {
    Operation::QueryRefund(QueryRefund {
        reference: REFUND.into(),
        channel_id: None,
        started_at: NOW,
        payment: payment(8888),
        money: cny(880),
    })
}
