//! The Antom channel: golden requests and recorded replies, forged and damaged messages, and the adapter against its
//! simulator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
mod tamper;
mod walk;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use paycore::channel::{
    CaptureMode, Channel, Close, Context, Driver, Notice, Operation, Pay, Payer, Payment, Query, QueryRefund,
    Refund, Reply, Settings,
};
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::{SeededRng, Timestamp};
use paycore_channels::antom::Antom;

const REFERENCE: &str = "01kayb4h7pz8y3v5n2q6m9t4wx";
const REFUND: &str = "01kayc9r5d2e8f1g7h3j6k0m4n";
const PAYMENT_ID: &str = "202611231801000000000000123456";
const REFUND_ID: &str = "202611231802000000000000654321";
const NOTIFY_URL: &str = "https://pay.example/notify/antom/cha_1";
/// 08:10 on 23 November 2026 in Beijing, five seconds after everything recorded was signed.
const NOW: Timestamp = Timestamp::from_secs(1_795_392_600);

fn hkd(cents: i64) -> Money {
    Money::new(cents, Currency::HKD)
}

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/src/antom/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn settings(name: &str) -> Settings {
    serde_json::from_slice(&fixture(name)).unwrap()
}

fn adapter() -> Arc<dyn Channel> {
    Antom.open(&settings("ours.json"), &NativeKeyring).unwrap()
}

/// With the same randomness every time.
fn context(now: Timestamp) -> Context<'static> {
    Context { now, rng: Box::leak(Box::new(SeededRng::new(1))), notify_url: NOTIFY_URL }
}

/// First line, headers and body of a recorded message.
fn parts(name: &str) -> (String, HeaderMap, Bytes) {
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

fn reply(name: &str) -> Reply {
    let (first, headers, body) = parts(&format!("reply_{name}"));
    let mut reply = Reply::new(body);
    *reply.status_mut() = first.split(' ').nth(1).unwrap().parse().unwrap();
    *reply.headers_mut() = headers;
    reply
}

fn notice(name: &str) -> Notice {
    let (first, headers, body) = parts(&format!("notice_{name}"));
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut notice = http::Request::builder().method(method).uri(path).body(body).unwrap();
    *notice.headers_mut() = headers;
    notice
}

fn payment(channel_id: Option<&str>) -> Payment {
    Payment {
        reference: REFERENCE.into(),
        channel_id: channel_id.map(str::to_owned),
        method: "alipayhk.page".parse().unwrap(),
        money: hkd(8888),
        started_at: NOW,
        ending_at: None,
    }
}

fn pay() -> Pay {
    let Payment { reference, method, money, started_at, .. } = payment(None);
    Pay {
        reference,
        started_at,
        money,
        method,
        subject: "红茶 2 盒 + 绿茶".into(),
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

fn query() -> Operation {
    Operation::Query(Query { payment: payment(None) })
}

fn close() -> Operation {
    Operation::Close(Close { payment: payment(None) })
}

fn refund(channel_id: Option<&str>) -> Operation {
    Operation::Refund(Refund {
        reference: REFUND.into(),
        started_at: NOW,
        payment: payment(channel_id),
        part: None,
        captured: hkd(8888),
        money: hkd(880),
        reason: Some("缺货 out of stock".into()),
    })
}

fn query_refund() -> Operation {
    Operation::QueryRefund(QueryRefund {
        reference: REFUND.into(),
        channel_id: None,
        started_at: NOW,
        payment: payment(None),
        money: hkd(880),
    })
}
