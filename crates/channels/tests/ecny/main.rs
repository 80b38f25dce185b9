//! e-CNY through China Merchants Bank: golden requests and recorded replies signed by another implementation, and forged,
//! damaged and misdirected messages.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
#[path = "../support/mod.rs"]
mod support;
mod tamper;

use paycore_channels::ecny::Ecny;

use self::support::*;

const DRIVER: &dyn Driver = &Ecny;
const CMB_ORDER_ID: &str = "100420261123080907000012";
const NOTIFY_URL: &str = "https://pay.example/notify/ecny/cha_1";

fn pay(scene: &str) -> Pay {
    Pay {
        subject: "红茶 2 盒 & 绿茶 <1>".into(),
        description: Some("两盒红茶, 一盒绿茶".into()),
        return_url: None,
        ..pay_for(
            payment_by(&format!("ecny.{scene}")),
            Payer { ip: Some("203.0.113.7".into()), ..Payer::default() },
        )
    }
}

fn pay_by(scene: &str) -> Operation {
    Operation::Pay(pay(scene))
}

fn payment() -> Payment {
    Payment { channel_id: Some(CMB_ORDER_ID.into()), ..payment_by("ecny.qr") }
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
