//! The UnionPay channel: golden requests and recorded replies, forged and damaged messages, statements, and the adapter
//! against its simulator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
mod statement;
#[path = "../support/mod.rs"]
mod support;
mod tamper;
mod walk;

use paycore_channels::unionpay::UnionPay;

use self::support::*;

const DRIVER: &dyn Driver = &UnionPay;
const MERCHANT: &str = "777290058110048";
const QUERY_ID: &str = "202611230810000123458";
const NOTIFY_URL: &str = "https://pay.example/notify/cha_1";

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
    open(&settings())
}

fn pay(scene: &str) -> Pay {
    let payer = Payer { auth_code: Some("6212345678901234567".into()), ..Payer::default() };
    Pay { subject: "红茶 2 盒 & {绿茶}".into(), ..pay_for(payment(scene, None), payer) }
}

fn payment(scene: &str, channel_id: Option<&str>) -> Payment {
    let channel_id = channel_id.map(str::to_owned);
    Payment { channel_id, ..payment_by(&format!("unionpay.{scene}")) }
}

fn query() -> Operation {
    query_about(payment("page", None))
}

/// An authorization that is being captured or voided since ten minutes later.
fn held() -> Payment {
    let ending_at = Some(NOW.plus(Duration::from_secs(600)));
    Payment { ending_at, ..payment("page", Some(QUERY_ID)) }
}

fn capture() -> Operation {
    Operation::Capture(Capture { payment: held(), money: cny(8000) })
}

fn void() -> Operation {
    Operation::Void(Void { payment: held() })
}

/// When the refund is asked for.
fn later() -> Timestamp {
    NOW.plus(Duration::from_secs(3_600))
}

fn refund() -> Operation {
    match refund_about(payment("page", Some(QUERY_ID))) {
        Operation::Refund(refund) => {
            Operation::Refund(Refund { started_at: later(), reason: None, ..refund })
        }
        other => other,
    }
}

fn query_refund() -> Operation {
    match query_refund_about(payment("page", Some(QUERY_ID))) {
        Operation::QueryRefund(query) => Operation::QueryRefund(QueryRefund { started_at: later(), ..query }),
        other => other,
    }
}
