//! Allinpay: golden requests and recorded replies signed by other implementations in each of the three ways, and forged,
//! damaged and misdirected messages.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
mod statement;
mod tamper;

use std::sync::Arc;

use bytes::Bytes;
use paycore::channel::{
    CaptureMode, Channel, Close, Context, Driver, Notice, Operation, Pay, Payer, Payment, Query, QueryRefund,
    Refund, Reply, Settings,
};
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::{Rng, Timestamp};
use paycore_channels::allinpay::Allinpay;

const REFERENCE: &str = "01kayb4h7pz8y3v5n2q6m9t4wx";
const REFUND: &str = "01kayc9r5d2e8f1g7h3j6k0m4n";
const TRXID: &str = "261123112233445566";
const NOTIFY_URL: &str = "https://pay.example/notify/allinpay/cha_1";
/// 08:10 on 23 November 2026 in Beijing, ten minutes into the day in UTC.
const NOW: Timestamp = Timestamp::from_secs(1_795_392_600);

fn cny(fen: i64) -> Money {
    Money::new(fen, Currency::CNY)
}

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/src/allinpay/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn settings(name: &str) -> Settings {
    serde_json::from_slice(&fixture(name)).unwrap()
}

fn adapter() -> Arc<dyn Channel> {
    adapter_of("ours.json")
}

fn adapter_of(name: &str) -> Arc<dyn Channel> {
    Allinpay.open(&settings(name), &NativeKeyring).unwrap()
}

/// Not random, so that requests can be compared.
struct Zeros;

impl Rng for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn context() -> Context<'static> {
    Context { now: NOW, rng: &Zeros, notify_url: NOTIFY_URL }
}

/// Head and body of a recorded message.
fn parts(name: &str) -> (String, Vec<u8>) {
    let text = fixture(&format!("{name}.http"));
    let end = text.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    (String::from_utf8(text[..end].to_vec()).unwrap(), text[end + 4..].to_vec())
}

fn reply(name: &str) -> Reply {
    Reply::new(Bytes::from(parts(name).1))
}

fn notice(name: &str) -> Notice {
    http::Request::post("/notify").body(Bytes::from(parts(name).1)).unwrap()
}

fn pay(method: &str) -> Pay {
    Pay {
        reference: REFERENCE.into(),
        started_at: NOW,
        money: cny(8888),
        method: method.parse().unwrap(),
        subject: "红茶 2 盒 & 绿茶 <1>".into(),
        description: Some("两盒红茶, 一盒绿茶".into()),
        return_url: Some("https://shop.example/done?order=42".into()),
        expires_at: Some(NOW.plus(std::time::Duration::from_secs(1_800))),
        capture: CaptureMode::Automatic,
        payer: Payer {
            id: Some("2088101117955611".into()),
            ip: Some("203.0.113.7".into()),
            auth_code: Some("134567890123456789".into()),
        },
        shared: false,
        parts: Vec::new(),
        card: None,
        mandate: None,
    }
}

fn pay_by(method: &str) -> Operation {
    Operation::Pay(pay(method))
}

fn payment() -> Payment {
    Payment {
        reference: REFERENCE.into(),
        channel_id: Some(TRXID.into()),
        method: "alipay.qr".parse().unwrap(),
        money: cny(8888),
        started_at: NOW,
        ending_at: None,
    }
}

fn query() -> Operation {
    Operation::Query(Query { payment: payment() })
}

fn close() -> Operation {
    Operation::Close(Close { payment: payment() })
}

fn refund() -> Operation {
    Operation::Refund(Refund {
        reference: REFUND.into(),
        started_at: NOW,
        payment: payment(),
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
        payment: payment(),
        money: cny(880),
    })
}
