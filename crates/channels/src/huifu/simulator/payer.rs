//! The payer's phone or browser: one page per order, in Chinese and English, without script.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use paycore::time::Timestamp;

use super::{Acquirer, Order};
use crate::sandbox::bill::yuan;
use crate::sandbox::{branded, buttons, escape, offer, state};

impl Acquirer {
    /// Answers `/payer/{rest}`.
    pub(super) fn payer(&mut self, request: &Request<Bytes>, rest: &str, now: Timestamp) -> Response<Bytes> {
        let (key, action) = rest.split_once('/').unwrap_or((rest, ""));
        let Some(order) = self.orders.get(key) else {
            return trouble(404, "23000001", "订单不存在");
        };
        let (script, open) = (order.script(), order.open());
        match (request.method(), action) {
            (&Method::POST, "pay") if open && script == 9001 => {
                return trouble(400, "90000000", "余额不足，付款失败 · Insufficient balance");
            }
            (&Method::POST, "pay") if open && script == 9002 => {
                self.pay_later(key, now.plus(Duration::from_secs(30)));
            }
            (&Method::POST, "pay") if open => self.pay(key, now, now),
            // A payer who cancels leaves the order open and may come back.
            (&Method::GET, "") | (&Method::POST, "pay" | "cancel") => {}
            _ => return trouble(404, "NOT_FOUND", "没有这个页面 · No such page"),
        }
        page(&self.orders[key])
    }
}

/// A page that says what went wrong.
fn trouble(status: u16, code: &str, text: &str) -> Response<Bytes> {
    html(status, &format!("<h1>{}</h1><p class=note>{}</p>", escape(text), escape(code)))
}

fn page(order: &Order) -> Response<Bytes> {
    let text = match order.state().0 {
        "S" => "支付成功 · Paid",
        "F" => "支付失败或已关闭 · Failed or closed",
        _ => "处理中 · In progress",
    };
    let choice = if order.open() { buttons(&order.number) } else { state(text) };
    let sum = format!("¥{}", yuan(order.fen));
    html(200, &offer(&order.description, &sum, &choice, &order.number))
}

fn html(status: u16, content: &str) -> Response<Bytes> {
    branded(["汇付斗拱", "Huifu"], "#b3000e", status, content)
}
