//! The payer's phone or browser: one page per order, in Chinese and English, without script. Where the merchant named
//! no way to pay, the payer chooses one there.

use std::time::Duration;

use bytes::Bytes;
use http::header::LOCATION;
use http::{Method, Request, Response};
use paycore::time::Timestamp;

use super::{Order, Panel};
use crate::sandbox::bill::yuan;
use crate::sandbox::{branded, escape, offer, respond, state};

const KINDS: [(&str, &str); 4] = [
    ("alipay", "支付宝 Alipay"),
    ("wxpay", "微信支付 WeChat Pay"),
    ("qqpay", "QQ 钱包 QQ Wallet"),
    ("bank", "云闪付 UnionPay"),
];

impl Panel {
    /// Answers `/payer/{rest}`.
    pub(super) fn payer(&mut self, request: &Request<Bytes>, rest: &str, now: Timestamp) -> Response<Bytes> {
        let (key, action) = rest.split_once('/').unwrap_or((rest, ""));
        let Some(order) = self.orders.get(key) else { return trouble("订单不存在 · No such order") };
        let (script, open) = (order.script(), order.waits() && order.pays_at.is_none());
        let chosen =
            KINDS.iter().find(|(kind, _)| request.body().as_ref() == format!("type={kind}").as_bytes());
        match (request.method(), action) {
            (&Method::GET, "") => return page(order),
            (&Method::POST, "pay") if open && script == 9001 => {
                return trouble("余额不足，付款失败 · Insufficient balance");
            }
            (&Method::POST, "pay") if open => {
                // Who presses without choosing pays by the first.
                let kind = chosen.unwrap_or(&KINDS[0]).0;
                self.orders.change(key, |order| {
                    if order.kind.is_empty() {
                        kind.clone_into(&mut order.kind);
                    }
                });
                match script {
                    9002 => self.pay_later(key, now.plus(Duration::from_secs(30))),
                    _ => self.pay(key, now, now),
                }
            }
            (&Method::POST, "cancel") if open => self.close(key, now),
            (&Method::POST, "pay" | "cancel") => {}
            _ => return trouble("没有这个页面 · No such page"),
        }
        let order = &self.orders[key];
        match &order.return_url {
            Some(url) if order.paid.is_some() => {
                let joint = if url.contains('?') { '&' } else { '?' };
                go(303, &format!("{url}{joint}{}", self.told(order, now)))
            }
            _ => page(order),
        }
    }
}

/// A redirect.
pub(super) fn go(code: u16, to: &str) -> Response<Bytes> {
    respond(code, (LOCATION, to), String::new())
}

/// A page that says what went wrong.
pub(super) fn trouble(text: &str) -> Response<Bytes> {
    html(400, &format!("<h1>{}</h1>", escape(text)))
}

fn page(order: &Order) -> Response<Bytes> {
    let text = match order.status() {
        0 if order.closed.is_some() => "订单已关闭 · Closed",
        0 if order.pays_at.is_some() => "处理中 · In progress",
        0 => "",
        1 => "支付成功 · Paid",
        _ => "已退款 · Refunded",
    };
    // Relative to this page, so that the simulator may be mounted anywhere.
    let key = &order.out_trade_no;
    let button = |(kind, name): &(&str, &str)| format!("<button name=type value={kind}>{name}</button>");
    let buttons: String = match order.kind.as_str() {
        "" => KINDS.iter().map(button).collect(),
        _ => "<button>支付 Pay</button>".to_owned(),
    };
    let choice = match text {
        "" => format!(
            "<form method=post action='{key}/pay'>{buttons}</form>\
             <form method=post action='{key}/cancel'><button class=quiet>取消 Cancel</button></form>"
        ),
        text => state(text),
    };
    html(200, &offer(&order.name, &format!("¥{}", yuan(order.fen)), &choice, key))
}

fn html(status: u16, content: &str) -> Response<Bytes> {
    branded(["易支付", "epay"], "#0e8a6a", status, content)
}
