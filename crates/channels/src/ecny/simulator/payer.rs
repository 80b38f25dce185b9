//! The payer's wallet: one page per order, in Chinese and English, without script.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response};
use paycore::time::Timestamp;

use super::{Bank, Order};
use crate::sandbox::bill::yuan;
use crate::sandbox::{branded, buttons, escape, offer, state};

impl Bank {
    /// Answers `/payer/{rest}`.
    pub(super) fn payer(&mut self, method: &Method, rest: &str, now: Timestamp) -> Response<Bytes> {
        let (key, action) = rest.split_once('/').unwrap_or((rest, ""));
        let Some(order) = self.orders.get(key) else {
            return trouble("ORDER_NOT_EXIST", "订单不存在 · No such order");
        };
        let (script, open) = (order.script(), order.waits() && order.pays_at.is_none());
        match (method, action) {
            (&Method::GET, "") => return page(order),
            (&Method::POST, "pay") if open && script == 9001 => {
                return trouble("9001", "钱包余额不足，付款失败 · Insufficient balance");
            }
            (&Method::POST, "pay") if open && script == 9002 => {
                self.pay_later(key, now.plus(Duration::from_secs(30)));
            }
            (&Method::POST, "pay") if open => self.pay(key, now, now),
            (&Method::POST, "cancel") if open => self.close(key, now),
            (&Method::POST, "pay" | "cancel") => {}
            _ => return trouble("404", "没有这个页面 · No such page"),
        }
        page(&self.orders[key])
    }
}

/// A page that says what went wrong.
pub(super) fn trouble(code: &str, text: &str) -> Response<Bytes> {
    html(400, &format!("<h1>{}</h1><p class=note>{}</p>", escape(text), escape(code)))
}

fn page(order: &Order) -> Response<Bytes> {
    let text = match order.state() {
        "P" if order.pays_at.is_some() => "处理中 · In progress",
        "P" => "",
        "S" => "支付成功 · Paid",
        "R" => "已退款 · Refunded",
        _ => "订单已关闭 · Closed",
    };
    let choice = if text.is_empty() { buttons(&order.order_id) } else { state(text) };
    let sum = format!("¥{}", yuan(order.fen));
    html(200, &offer(&order.goods, &sum, &choice, &order.order_id))
}

fn html(status: u16, content: &str) -> Response<Bytes> {
    branded(["数字人民币", "e-CNY"], "#c8102e", status, content)
}
