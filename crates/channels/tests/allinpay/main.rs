//! Allinpay: golden requests and recorded replies signed by other implementations in each of the three ways, and forged,
//! damaged and misdirected messages.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
mod statement;
#[path = "../support/mod.rs"]
mod support;
mod tamper;

use paycore::time::Rng;
use paycore_channels::allinpay::Allinpay;

use self::support::*;

const DRIVER: &dyn Driver = &Allinpay;
const TRXID: &str = "261123112233445566";
const NOTIFY_URL: &str = "https://pay.example/notify/allinpay/cha_1";

/// Not random, so that requests can be compared.
struct Zeros;

impl Rng for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn context(now: Timestamp) -> Context<'static> {
    Context { now, rng: &Zeros, notify_url: NOTIFY_URL }
}

fn pay(method: &str) -> Pay {
    let id = Some("2088101117955611".into());
    Pay {
        subject: "红茶 2 盒 & 绿茶 <1>".into(),
        description: Some("两盒红茶, 一盒绿茶".into()),
        return_url: Some("https://shop.example/done?order=42".into()),
        ..pay_for(payment_by(method), Payer { id, ..payer("134567890123456789") })
    }
}

fn pay_by(method: &str) -> Operation {
    Operation::Pay(pay(method))
}

fn payment() -> Payment {
    Payment { channel_id: Some(TRXID.into()), ..payment_by("alipay.qr") }
}

fn query() -> Operation {
    query_about(payment())
}

fn close() -> Operation {
    close_about(payment())
}

fn refund() -> Operation {
    refund_about(payment())
}

fn query_refund() -> Operation {
    query_refund_about(payment())
}
