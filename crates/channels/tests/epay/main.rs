//! The epay channel in both versions: golden requests and recorded replies, forged and damaged notifications, the adapter
//! against its simulator, and version 1 through the conformance suite.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
mod notices;
#[path = "../support/mod.rs"]
mod support;
mod version1;

use paycore_channels::epay::Epay;

use self::support::*;

const DRIVER: &dyn Driver = &Epay;
const TRADE_NO: &str = "2026112308003300001";
const NOTIFY_URL: &str = "https://shop.example/notify/cha_1";

/// An account of version 1 or 2.
fn adapter(version: u8) -> Arc<dyn Channel> {
    opened(&format!("ours_v{version}.json"))
}

fn pay(method: &str) -> Pay {
    let payer = Payer { ip: Some("203.0.113.7".into()), ..Payer::default() };
    Pay { subject: "红茶 2 盒 + 绿茶 & more".into(), ..pay_for(payment_by(method), payer) }
}

fn pay_by(method: &str) -> Operation {
    Operation::Pay(pay(method))
}

fn payment(fen: i64) -> Payment {
    Payment { money: cny(fen), ..payment_by("alipay.qr") }
}

fn query() -> Operation {
    query_about(payment(8888))
}

fn close() -> Operation {
    close_about(payment(8888))
}

fn refund() -> Operation {
    refund_about(payment(8888))
}

fn query_refund() -> Operation {
    query_refund_about(payment(8888))
}
