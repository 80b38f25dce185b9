//! The WeChat Pay v2 channel: golden requests and recorded replies, damaged and hostile replies, and the adapter against
//! its simulator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod golden;
#[path = "../support/mod.rs"]
mod support;
mod tamper;
mod walk;

use paycore_channels::wechatpay_v2::WechatPayV2;

use self::support::*;

const DRIVER: &dyn Driver = &WechatPayV2;
const TRANSACTION: &str = "4200001852202611231234567890";
const REFUND_ID: &str = "50000000182026112312345678901";
const PACKET: &str = "1000041701202611233000000000000";
const NOTIFY_URL: &str = "https://pay.example/notify/wechatpay_v2/cha_1";

fn pay() -> Pay {
    let pay = pay_for(about(8888, None), payer("b713b5d2-666c-48"));
    Pay { return_url: None, expires_at: None, ..pay }
}

/// What later operations say of the payment.
fn about(fen: i64, channel_id: Option<String>) -> Payment {
    Payment { channel_id, money: cny(fen), ..payment_by("wechatpay.face") }
}

fn charge() -> Operation {
    Operation::Pay(pay())
}

fn query() -> Operation {
    query_about(about(8888, None))
}

fn close() -> Operation {
    close_about(about(8888, None))
}

fn refund() -> Operation {
    refund_about(about(8888, None))
}

fn query_refund() -> Operation {
    query_refund_about(about(8888, None))
}

fn transfer() -> Transfer {
    Transfer {
        reference: REFERENCE.into(),
        started_at: NOW,
        payee: Receiver {
            kind: AccountKind::Open,
            account: "oTest0nlyPayer".into(),
            name: None,
            relation: None,
        },
        money: cny(8888),
        title: "恭喜发财".into(),
        purpose: Some("PRODUCT_2".into()),
        facts: vec![("act_name".into(), "开业抽奖".into())],
    }
}

fn packet() -> Operation {
    Operation::Transfer(transfer())
}

fn query_packet() -> Operation {
    Operation::QueryTransfer(QueryTransfer {
        reference: REFERENCE.into(),
        channel_id: None,
        started_at: NOW,
        money: cny(8888),
    })
}

fn device() -> Operation {
    Operation::AuthorizeDevice(Device {
        store: "IMG001".into(),
        store_name: "街角小店".into(),
        device: "DEV001".into(),
        challenge: "H0kvnUgGHKuqflNwtNqCdOVpbO4FPSowudTG".into(),
    })
}

fn sign_in(return_url: &str, state: &str) -> Operation {
    Operation::SignIn(SignIn { return_url: return_url.into(), state: state.into() })
}

fn identify(code: &str) -> Operation {
    Operation::Identify(Identify { code: code.into() })
}
