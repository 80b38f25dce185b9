//! The channel of WeChat Pay's mandates: golden requests, recorded replies and notifications, and the adapter against its
//! simulator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
mod walk;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use paycore::channel::{
    CaptureMode, Channel, Context, Driver, Operation, Pay, Payer, Payment, Query, QueryMandate, QueryRefund,
    Refund, Reply, RevokeMandate, Settings, SignMandate, SigningScene, Statement, StatementKind,
};
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::{SeededRng, Timestamp};
use paycore_channels::wechatpay_mandate::WechatPayMandate;

const REFERENCE: &str = "01kayb4h7pz8y3v5n2q6m9t4wx";
const REFUND: &str = "01kayc9r5d2e8f1g7h3j6k0m4n";
const MANDATE: &str = "01kaya0000mandate000000001";
const CONTRACT: &str = "Wx15463511252015071056489715";
const NOTIFY_URL: &str = "https://pay.example/notify/cha_1";
/// 08:10 on 23 November 2026 in Beijing.
const NOW: Timestamp = Timestamp::from_secs(1_795_392_600);

fn cny(fen: i64) -> Money {
    Money::new(fen, Currency::CNY)
}

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/src/wechatpay_mandate/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn settings() -> Settings {
    serde_json::from_slice(&fixture("ours.json")).unwrap()
}

fn adapter() -> Arc<dyn Channel> {
    WechatPayMandate.open(&settings(), &NativeKeyring).unwrap()
}

/// With the same randomness every time.
fn context(now: Timestamp) -> Context<'static> {
    Context { now, rng: Box::leak(Box::new(SeededRng::new(1))), notify_url: NOTIFY_URL }
}

fn message(name: &str) -> Reply {
    let text = fixture(&format!("{name}.http"));
    let end = text.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(text[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| -> (HeaderName, HeaderValue) {
        let (name, value) = line.split_once(": ").unwrap();
        (name.parse().unwrap(), value.parse().unwrap())
    };
    let mut reply = Reply::new(Bytes::from(text[end + 4..].to_vec()));
    *reply.status_mut() = status;
    *reply.headers_mut() = lines.map(header).collect::<HeaderMap>();
    reply
}

fn method() -> paycore::channel::Method {
    "wechatpay.mandate".parse().unwrap()
}

fn pay() -> Pay {
    Pay {
        reference: REFERENCE.into(),
        started_at: NOW,
        money: cny(8888),
        method: method(),
        subject: "红茶 2 盒 + 绿茶".into(),
        description: None,
        return_url: None,
        expires_at: None,
        capture: CaptureMode::Automatic,
        payer: Payer { ip: Some("203.0.113.7".into()), ..Payer::default() },
        shared: false,
        parts: Vec::new(),
        card: None,
        mandate: Some(CONTRACT.into()),
    }
}

fn about() -> Payment {
    let (reference, money) = (REFERENCE.into(), cny(8888));
    Payment { reference, channel_id: None, method: method(), money, started_at: NOW, ending_at: None }
}

fn charge() -> Operation {
    Operation::Pay(pay())
}

fn query() -> Operation {
    Operation::Query(Query { payment: about() })
}

fn refund() -> Operation {
    Operation::Refund(Refund {
        reference: REFUND.into(),
        started_at: NOW,
        payment: about(),
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
        payment: about(),
        money: cny(880),
    })
}

fn sign(scene: SigningScene) -> Operation {
    Operation::SignMandate(SignMandate {
        reference: MANDATE.into(),
        started_at: NOW,
        method: method(),
        scene,
        subject: "customer-1".into(),
        return_url: Some("https://shop.example/thanks".into()),
        payer: Payer { ip: Some("203.0.113.7".into()), ..Payer::default() },
    })
}

fn query_mandate(channel_id: Option<&str>) -> Operation {
    Operation::QueryMandate(QueryMandate {
        reference: MANDATE.into(),
        channel_id: channel_id.map(str::to_owned),
        method: method(),
        started_at: NOW,
    })
}

fn revoke(channel_id: Option<&str>) -> Operation {
    Operation::RevokeMandate(RevokeMandate {
        reference: MANDATE.into(),
        channel_id: channel_id.map(str::to_owned),
        method: method(),
        started_at: NOW,
        reason: "用户搬家 & moved".into(),
    })
}

fn statement() -> Operation {
    Operation::Statement(Statement { kind: StatementKind::Trade, day: NOW })
}
