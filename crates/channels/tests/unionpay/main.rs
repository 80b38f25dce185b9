//! The UnionPay channel: golden requests and recorded replies, forged and damaged messages, statements, and the adapter
//! against its simulator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
mod statement;
mod tamper;
mod walk;

use std::sync::Arc;

use bytes::Bytes;
use paycore::channel::{
    Capture, CaptureMode, Channel, Context, Driver, Notice, Operation, Pay, Payer, Payment, Query,
    QueryRefund, Refund, Reply, Settings, Statement, StatementKind, Void,
};
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::{SeededRng, Timestamp};
use paycore_channels::unionpay::UnionPay;

const MERCHANT: &str = "777290058110048";
const REFERENCE: &str = "01kayb4h7pz8y3v5n2q6m9t4wx";
const REFUND: &str = "01kayc9r5d2e8f1g7h3j6k0m4n";
const QUERY_ID: &str = "202611230810000123458";
const NOTIFY_URL: &str = "https://pay.example/notify/cha_1";
/// 08:10 on 23 November 2026 in Beijing, ten minutes into the day in UTC.
const NOW: Timestamp = Timestamp::from_secs(1_795_392_600);

fn cny(fen: i64) -> Money {
    Money::new(fen, Currency::CNY)
}

fn path(name: &str) -> String {
    format!("{}/src/unionpay/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).unwrap()
}

fn settings() -> Settings {
    let pem = |name: &str| text(&format!("keys/{name}"));
    Settings::from_pairs([
        ("mer_id", MERCHANT.to_owned()),
        ("certificate", pem("merchant.pem")),
        ("private_key", pem("merchant.key")),
        ("root_certificate", pem("root.pem")),
        ("middle_certificate", pem("middle.pem")),
        ("gateway", "https://gateway.test.95516.com".to_owned()),
    ])
}

fn adapter() -> Arc<dyn Channel> {
    UnionPay.open(&settings(), &NativeKeyring).unwrap()
}

fn context(now: Timestamp) -> Context<'static> {
    static RNG: SeededRng = SeededRng::new(1);
    Context { now, rng: &RNG, notify_url: NOTIFY_URL }
}

fn body(name: &str) -> Vec<u8> {
    let text = fixture(&format!("{name}.http"));
    let end = text.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    text[end + 4..].to_vec()
}

fn reply_of(body: impl Into<Bytes>) -> Reply {
    http::Response::new(body.into())
}

fn notice_of(body: impl Into<Bytes>) -> Notice {
    http::Request::post("/notify/cha_1").body(body.into()).unwrap()
}

fn payment(scene: &str, channel_id: Option<&str>) -> Payment {
    Payment {
        reference: REFERENCE.into(),
        channel_id: channel_id.map(str::to_owned),
        method: format!("unionpay.{scene}").parse().unwrap(),
        money: cny(8888),
        started_at: NOW,
        ending_at: None,
    }
}

fn pay(scene: &str) -> Pay {
    let Payment { reference, method, money, started_at, .. } = payment(scene, None);
    Pay {
        reference,
        started_at,
        money,
        method,
        subject: "红茶 2 盒 & {绿茶}".into(),
        description: None,
        return_url: Some("https://shop.example/done?order=42&lang=zh".into()),
        expires_at: Some(NOW.plus(std::time::Duration::from_secs(1_800))),
        capture: CaptureMode::Automatic,
        payer: Payer { auth_code: Some("6212345678901234567".into()), ..Payer::default() },
        shared: false,
        parts: Vec::new(),
        card: None,
        mandate: None,
    }
}

fn query() -> Operation {
    Operation::Query(Query { payment: payment("page", None) })
}

/// An authorization that is being captured or voided since ten minutes later.
fn held() -> Payment {
    let ending_at = Some(NOW.plus(std::time::Duration::from_secs(600)));
    Payment { ending_at, ..payment("page", Some(QUERY_ID)) }
}

fn capture() -> Operation {
    Operation::Capture(Capture { payment: held(), money: cny(8000) })
}

fn void() -> Operation {
    Operation::Void(Void { payment: held() })
}

fn refund() -> Operation {
    Operation::Refund(Refund {
        reference: REFUND.into(),
        started_at: NOW.plus(std::time::Duration::from_secs(3_600)),
        payment: payment("page", Some(QUERY_ID)),
        part: None,
        captured: cny(8888),
        money: cny(880),
        reason: None,
    })
}

fn query_refund() -> Operation {
    Operation::QueryRefund(QueryRefund {
        reference: REFUND.into(),
        channel_id: None,
        started_at: NOW.plus(std::time::Duration::from_secs(3_600)),
        payment: payment("page", Some(QUERY_ID)),
        money: cny(880),
    })
}

fn fetch() -> Operation {
    Operation::Statement(Statement { kind: StatementKind::Trade, day: NOW })
}
