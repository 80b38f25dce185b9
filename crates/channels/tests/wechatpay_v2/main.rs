//! The WeChat Pay v2 channel: golden requests and recorded replies, damaged and hostile replies, and the adapter against
//! its simulator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
mod tamper;
mod walk;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use paycore::channel::{
    AccountKind, CaptureMode, Channel, Close, Context, Device, Driver, Identify, Operation, Pay, Payer,
    Payment, Query, QueryRefund, QueryTransfer, Receiver, Refund, Reply, Settings, SignIn, Statement,
    StatementKind, Transfer,
};
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::{SeededRng, Timestamp};
use paycore_channels::wechatpay_v2::WechatPayV2;

const REFERENCE: &str = "01kayb4h7pz8y3v5n2q6m9t4wx";
const REFUND: &str = "01kayc9r5d2e8f1g7h3j6k0m4n";
const TRANSACTION: &str = "4200001852202611231234567890";
const REFUND_ID: &str = "50000000182026112312345678901";
const PACKET: &str = "1000041701202611233000000000000";
const NOTIFY_URL: &str = "https://pay.example/notify/wechatpay_v2/cha_1";
/// 08:10 on 23 November 2026 in Beijing.
const NOW: Timestamp = Timestamp::from_secs(1_795_392_600);

fn cny(fen: i64) -> Money {
    Money::new(fen, Currency::CNY)
}

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/src/wechatpay_v2/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn settings(name: &str) -> Settings {
    serde_json::from_slice(&fixture(name)).unwrap()
}

fn adapter() -> Arc<dyn Channel> {
    WechatPayV2.open(&settings("ours.json"), &NativeKeyring).unwrap()
}

/// With the same randomness every time.
fn context(now: Timestamp) -> Context<'static> {
    Context { now, rng: Box::leak(Box::new(SeededRng::new(1))), notify_url: NOTIFY_URL }
}

fn reply(name: &str) -> Reply {
    let text = fixture(&format!("reply_{name}.http"));
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

fn pay() -> Pay {
    Pay {
        reference: REFERENCE.into(),
        started_at: NOW,
        money: cny(8888),
        method: "wechatpay.face".parse().unwrap(),
        subject: "红茶 2 盒 + 绿茶".into(),
        description: None,
        return_url: None,
        expires_at: None,
        capture: CaptureMode::Automatic,
        payer: Payer {
            id: Some("oTest0nlyPayer".into()),
            ip: Some("203.0.113.7".into()),
            auth_code: Some("b713b5d2-666c-48".into()),
        },
        shared: false,
        parts: Vec::new(),
        card: None,
        mandate: None,
    }
}

/// What later operations say of the payment.
fn about(fen: i64, channel_id: Option<String>) -> Payment {
    let method = "wechatpay.face".parse().unwrap();
    let reference = REFERENCE.into();
    Payment { reference, channel_id, method, money: cny(fen), started_at: NOW, ending_at: None }
}

fn charge() -> Operation {
    Operation::Pay(pay())
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
        payment: about(8888, None),
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
        payment: about(8888, None),
        money: cny(880),
    })
}

fn transfer() -> Transfer {
    Transfer {
        reference: REFERENCE.into(),
        started_at: NOW,
        payee: Receiver {
            kind: AccountKind::Open,
            account: "oTest0nlyPayer".into(),
            name: None,
            relation: None,
        },
        money: cny(8888),
        title: "恭喜发财".into(),
        purpose: Some("PRODUCT_2".into()),
        facts: vec![("act_name".into(), "开业抽奖".into())],
    }
}

fn packet() -> Operation {
    Operation::Transfer(transfer())
}

fn query_packet() -> Operation {
    Operation::QueryTransfer(QueryTransfer {
        reference: REFERENCE.into(),
        channel_id: None,
        started_at: NOW,
        money: cny(8888),
    })
}

fn device() -> Operation {
    Operation::AuthorizeDevice(Device {
        store: "IMG001".into(),
        store_name: "街角小店".into(),
        device: "DEV001".into(),
        challenge: "H0kvnUgGHKuqflNwtNqCdOVpbO4FPSowudTG".into(),
    })
}

fn statement() -> Operation {
    Operation::Statement(Statement { kind: StatementKind::Trade, day: NOW })
}

fn sign_in(return_url: &str, state: &str) -> Operation {
    Operation::SignIn(SignIn { return_url: return_url.into(), state: state.into() })
}

fn identify(code: &str) -> Operation {
    Operation::Identify(Identify { code: code.into() })
}
