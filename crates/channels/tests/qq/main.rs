//! The QQ wallet channel: golden requests and recorded replies, forged and damaged messages, the daily bill, and the
//! adapter against its simulator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
mod statement;
#[path = "../support/mod.rs"]
mod support;
mod tamper;
mod walk;

use paycore_channels::qq::Qq;

use self::support::*;

const DRIVER: &dyn Driver = &Qq;
const TRANSACTION: &str = "1900000109462026112300012345";
const REFUND_ID: &str = "1121900000109202611230005432";
const NOTIFY_URL: &str = "https://pay.example/notify/qq/cha_1";

/// What later operations say of the payment.
fn about(scene: &str, fen: i64, channel_id: Option<String>) -> Payment {
    Payment { channel_id, money: cny(fen), ..payment_by(&format!("qq.{scene}")) }
}

fn pay(scene: &str) -> Pay {
    pay_for(about(scene, 8888, None), payer("912345678901234567"))
}

fn pay_by(scene: &str) -> Operation {
    Operation::Pay(pay(scene))
}

fn query() -> Operation {
    query_about(about("qr", 8888, None))
}

fn close() -> Operation {
    close_about(about("qr", 8888, None))
}

fn refund() -> Operation {
    refund_about(about("qr", 8888, Some(TRANSACTION.into())))
}

fn query_refund() -> Operation {
    query_refund_about(about("qr", 8888, Some(TRANSACTION.into())))
}
