//! The WeChat Pay channel: golden requests and recorded replies, forged and damaged messages, the daily bill, and the
//! adapter against its simulator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod combined;
mod funds;
mod golden;
mod partner;
mod statement;
#[path = "../support/mod.rs"]
mod support;
mod tamper;
mod walk;

use paycore_channels::wechatpay::WechatPay;

use self::support::*;

const DRIVER: &dyn Driver = &WechatPay;
const TRANSACTION: &str = "4200001760202611230000012345";
const REFUND_ID: &str = "50300807102026112300000054321";
const NOTIFY_URL: &str = "https://pay.example/notify/wechatpay/cha_1";

/// What later operations say of the payment.
fn about(fen: i64, channel_id: Option<String>) -> Payment {
    Payment { channel_id, money: cny(fen), ..payment_by("wechatpay.qr") }
}

fn pay(scene: &str) -> Pay {
    pay_for(payment_by(&format!("wechatpay.{scene}")), payer("134500000000000001"))
}

fn pay_by(scene: &str) -> Operation {
    Operation::Pay(pay(scene))
}

fn query() -> Operation {
    query_about(about(8888, None))
}

fn close() -> Operation {
    close_about(about(8888, None))
}

fn refund() -> Operation {
    refund_about(about(8888, Some(TRANSACTION.into())))
}

fn query_refund() -> Operation {
    query_refund_about(about(8888, Some(TRANSACTION.into())))
}
