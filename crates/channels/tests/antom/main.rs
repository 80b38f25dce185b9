//! The Antom channel: golden requests and recorded replies, forged and damaged messages, and the adapter against its
//! simulator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
#[path = "../support/mod.rs"]
mod support;
mod tamper;
mod walk;

use paycore_channels::antom::Antom;

use self::support::*;

const DRIVER: &dyn Driver = &Antom;
const PAYMENT_ID: &str = "202611231801000000000000123456";
const REFUND_ID: &str = "202611231802000000000000654321";
const NOTIFY_URL: &str = "https://pay.example/notify/antom/cha_1";

fn hkd(cents: i64) -> Money {
    Money::new(cents, Currency::HKD)
}

fn payment(channel_id: Option<&str>) -> Payment {
    let channel_id = channel_id.map(str::to_owned);
    Payment { channel_id, money: hkd(8888), ..payment_by("alipayhk.page") }
}

fn pay() -> Pay {
    pay_for(payment(None), Payer { ip: Some("203.0.113.7".into()), ..Payer::default() })
}

fn query() -> Operation {
    query_about(payment(None))
}

fn close() -> Operation {
    close_about(payment(None))
}

fn refund(channel_id: Option<&str>) -> Operation {
    refund_about(payment(channel_id))
}

fn query_refund() -> Operation {
    query_refund_about(payment(None))
}
