//! The Huifu channel: golden requests and recorded replies, forged and damaged messages, and the adapter against its
//! simulator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
#[path = "../support/mod.rs"]
mod support;
mod tamper;
mod walk;

use paycore_channels::huifu::Huifu;

use self::support::*;

const DRIVER: &dyn Driver = &Huifu;
const TRANSACTION: &str = "0029000topA261123080100P012345";
const REFUND_ID: &str = "0030000topA261123080911P054321";
const NOTIFY_URL: &str = "https://pay.example/notify/huifu/cha_1";

fn pay(method: &str) -> Pay {
    pay_for(payment_by(method), payer("912345678901234567"))
}

/// What later operations say of the payment.
fn about(method: &str, fen: i64, channel_id: Option<String>) -> Payment {
    Payment { channel_id, money: cny(fen), ..payment_by(method) }
}

fn pay_by(method: &str) -> Operation {
    Operation::Pay(pay(method))
}

fn query() -> Operation {
    query_about(about("alipay.qr", 8888, None))
}

fn close() -> Operation {
    close_about(about("alipay.qr", 8888, None))
}

fn refund() -> Operation {
    refund_about(about("alipay.qr", 8888, Some(TRANSACTION.into())))
}

fn query_refund() -> Operation {
    query_refund_about(about("alipay.qr", 8888, Some(TRANSACTION.into())))
}
