//! The Alipay channel: golden requests and recorded replies, forged and damaged messages, and the adapter against
//! its simulator for every operation and every scripted amount.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod funds;
mod golden;
mod login;
mod messages;
mod sandbox;
mod statement;
mod tamper;
mod variants;
mod walk;

use std::sync::Arc;

use bytes::Bytes;
use paycore::channel::{
    CaptureMode, Channel, Close, Context, Driver, Notice, Operation, Pay, Payment, Query, QueryRefund,
    Refund, Reply, Settings, Stage,
};
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::{SeededRng, Timestamp};
use paycore_channels::alipay::Alipay;

/// The stages of calls, which are told by their methods, and the one that confirms that the seller is short of money.
const PRECREATE: Stage = 0;
const QUERY: Stage = 3;
const CLOSE: Stage = 4;
const REFUND_FIRST: Stage = 6;
const REFUND_ASK: Stage = 7;
const POOR: Stage = 64 + 19;
const REFERENCE: &str = "01kayb4h7pz8y3v5n2q6m9t4wx";
const REFUND: &str = "01kayc9r5d2e8f1g7h3j6k0m4n";
const TRADE_NO: &str = "2026112322001499260500012345";
const NOTIFY_URL: &str = "https://pay.example/notify/alipay/cha_1";
/// 08:10 on 23 November 2026 in Beijing, ten minutes into the day in UTC.
const NOW: Timestamp = Timestamp::from_secs(1_795_392_600);

fn cny(fen: i64) -> Money {
    Money::new(fen, Currency::CNY)
}

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/src/alipay/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn settings(name: &str) -> Settings {
    serde_json::from_slice(&fixture(name)).unwrap()
}

fn adapter() -> Arc<dyn Channel> {
    Alipay.open(&settings("ours.json"), &NativeKeyring).unwrap()
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

fn pay(scene: &str) -> Pay {
    Pay {
        reference: REFERENCE.into(),
        started_at: NOW,
        money: cny(8888),
        method: format!("alipay.{scene}").parse().unwrap(),
        subject: "红茶 2 盒 + 绿茶".into(),
        description: Some("Two boxes of black tea & one of green, 礼品装".into()),
        return_url: Some("https://shop.example/done?order=42&lang=zh".into()),
        expires_at: Some(NOW.plus(std::time::Duration::from_secs(1_800))),
        capture: CaptureMode::Automatic,
        payer: Default::default(),
        shared: false,
        parts: Vec::new(),
        card: None,
        mandate: None,
    }
}

/// What later operations say of the payment.
fn about(fen: i64, channel_id: Option<String>) -> Payment {
    let method = "alipay.qr".parse().unwrap();
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
        payment: about(8888, Some(TRADE_NO.into())),
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
        payment: about(8888, Some(TRADE_NO.into())),
        channel_id: None,
        money: cny(880),
    })
}
