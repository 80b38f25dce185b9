//! The WeChat Pay channel: golden requests and recorded replies, forged and damaged messages, the daily bill, and the
//! adapter against its simulator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod combined;
mod funds;
mod golden;
mod partner;
mod statement;
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
use paycore_channels::wechatpay::WechatPay;

const REFERENCE: &str = "01kayb4h7pz8y3v5n2q6m9t4wx";
const REFUND: &str = "01kayc9r5d2e8f1g7h3j6k0m4n";
const TRANSACTION: &str = "4200001760202611230000012345";
const REFUND_ID: &str = "50300807102026112300000054321";
const NOTIFY_URL: &str = "https://pay.example/notify/wechatpay/cha_1";
/// 08:10 on 23 November 2026 in Beijing, five seconds after everything recorded was signed.
const NOW: Timestamp = Timestamp::from_secs(1_795_392_600);

fn cny(fen: i64) -> Money {
    Money::new(fen, Currency::CNY)
}

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/src/wechatpay/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn settings(name: &str) -> Settings {
    serde_json::from_slice(&fixture(name)).unwrap()
}

fn opened(name: &str) -> Arc<dyn Channel> {
    WechatPay.open(&settings(name), &NativeKeyring).unwrap()
}

fn adapter() -> Arc<dyn Channel> {
    opened("ours.json")
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

fn pay(scene: &str) -> Pay {
    Pay {
        reference: REFERENCE.into(),
        started_at: NOW,
        money: cny(8888),
        method: format!("wechatpay.{scene}").parse().unwrap(),
        subject: "红茶 2 盒 + 绿茶".into(),
        description: None,
        return_url: Some("https://shop.example/done?order=42&lang=zh".into()),
        expires_at: Some(NOW.plus(std::time::Duration::from_secs(1_800))),
        capture: CaptureMode::Automatic,
        payer: Payer {
            id: Some("oTest0nlyPayer".into()),
            ip: Some("203.0.113.7".into()),
            auth_code: Some("134500000000000001".into()),
        },
        shared: false,
        parts: Vec::new(),
        card: None,
        mandate: None,
    }
}

/// What later operations say of the payment.
fn about(fen: i64, channel_id: Option<String>) -> Payment {
    let method = "wechatpay.qr".parse().unwrap();
    let reference = REFERENCE.into();
    Payment { reference, channel_id, method, money: cny(fen), started_at: NOW, ending_at: None }
}

fn pay_by(scene: &str) -> Operation {
    Operation::Pay(pay(scene))
}

fn query() -> Operation {
    Operation::Query(Query { payment: about(8888, None) })
}

fn close() -> Operation {
    Operation::Close(Close { payment: about(8888, None) })
}

fn refund() -> Operation {
    Operation::Refund(Refund {
        reference: REFUND.into(),
        started_at: NOW,
        payment: about(8888, Some(TRANSACTION.into())),
        part: None,
        captured: cny(8888),
        money: cny(880),
        reason: Some("缺货 out of stock".into()),
    })
}

fn query_refund() -> Operation {
    Operation::QueryRefund(QueryRefund {
        reference: REFUND.into(),
        started_at: NOW,
        payment: about(8888, Some(TRANSACTION.into())),
        channel_id: None,
        money: cny(880),
    })
}
