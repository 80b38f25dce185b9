//! The Shouqianba channel: golden requests and recorded replies, forged and damaged messages, and the adapter against
//! its simulator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
#[path = "../support/mod.rs"]
mod support;
mod tamper;

use paycore_channels::shouqianba::Shouqianba;

use self::support::*;

const DRIVER: &dyn Driver = &Shouqianba;
const TRANSACTION: &str = "7894259200000001";
/// What the refund is called there.
const REFUND_NO: &str = "bfad251b43036a5c1b77";
const NOTIFY_URL: &str = "https://pay.example/notify/shouqianba/cha_1";

fn pay(method: &str) -> Pay {
    pay_for(payment_by(method), payer("281234567890123456"))
}

fn pay_by(method: &str) -> Operation {
    Operation::Pay(pay(method))
}

fn query_of(method: &str) -> Operation {
    query_about(payment_by(method))
}

fn close_of(method: &str) -> Operation {
    close_about(payment_by(method))
}

fn refund() -> Operation {
    refund_about(payment_by("alipay.qr"))
}

fn query_refund() -> Operation {
    query_refund_about(payment_by("alipay.qr"))
}
