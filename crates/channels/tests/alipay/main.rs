//! The Alipay channel: golden requests and recorded replies, forged and damaged messages, and the adapter against
//! its simulator for every operation and every scripted amount.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod funds;
mod golden;
mod login;
mod messages;
mod sandbox;
mod statement;
#[path = "../support/mod.rs"]
mod support;
mod tamper;
mod variants;
mod walk;

use paycore_channels::alipay::Alipay;

use self::support::*;

const DRIVER: &dyn Driver = &Alipay;
/// The stages of calls, which are told by their methods, and the one that confirms that the seller is short of money.
const PRECREATE: Stage = 0;
const QUERY: Stage = 3;
const CLOSE: Stage = 4;
const REFUND_FIRST: Stage = 6;
const REFUND_ASK: Stage = 7;
const POOR: Stage = 64 + 19;
const TRADE_NO: &str = "2026112322001499260500012345";
const NOTIFY_URL: &str = "https://pay.example/notify/alipay/cha_1";

fn pay(scene: &str) -> Pay {
    let description = Some("Two boxes of black tea & one of green, 礼品装".into());
    Pay { description, ..pay_for(payment_by(&format!("alipay.{scene}")), Payer::default()) }
}

/// What later operations say of the payment.
fn about(fen: i64, channel_id: Option<String>) -> Payment {
    Payment { channel_id, money: cny(fen), ..payment_by("alipay.qr") }
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
    refund_about(about(8888, Some(TRADE_NO.into())))
}

fn query_refund() -> Operation {
    query_refund_about(about(8888, Some(TRADE_NO.into())))
}
