//! The Douyin Pay channel: golden requests and recorded replies, forged and damaged messages, and what the simulator
//! refuses.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
#[path = "../support/mod.rs"]
mod support;
mod tamper;
mod walk;

use paycore_channels::douyinpay::DouyinPay;

use self::support::*;

const DRIVER: &dyn Driver = &DouyinPay;
const TRANSACTION: &str = "TP2026112308010200000000012345";
const REFUND_ID: &str = "TR2026112308091100000000054321";
const NOTIFY_URL: &str = "https://pay.example/notify/douyinpay/cha_1";

fn payment(scene: &str) -> Payment {
    payment_by(&format!("douyinpay.{scene}"))
}

fn pay(scene: &str) -> Pay {
    pay_for(payment(scene), Payer { auth_code: None, ..payer("") })
}

fn pay_by(scene: &str) -> Operation {
    Operation::Pay(pay(scene))
}

fn query() -> Operation {
    query_about(payment("qr"))
}

fn close() -> Operation {
    close_about(payment("qr"))
}

fn refund() -> Operation {
    refund_about(payment("qr"))
}

fn query_refund() -> Operation {
    query_refund_about(payment("qr"))
}
