//! The payer's wallet: one page per order, in Chinese and English, without script.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Response};
use paycore::time::Timestamp;

use super::wire::respond;
use super::{Bank, Order};

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
    let state = match order.state() {
        "P" if order.pays_at.is_some() => "处理中 · In progress",
        "P" => "",
        "S" => "支付成功 · Paid",
        "R" => "已退款 · Refunded",
        _ => "订单已关闭 · Closed",
    };
    let choice = if state.is_empty() {
        // Relative to this page, so that the simulator may be mounted anywhere.
        let key = &order.order_id;
        format!(
            "<form method=post action='{key}/pay'><button>支付 Pay</button></form>\
             <form method=post action='{key}/cancel'><button class=quiet>取消 Cancel</button></form>"
        )
    } else {
        format!("<p class=state>{state}</p>")
    };
    let (goods, key) = (escape(&order.goods), escape(&order.order_id));
    let sum = format!("{}.{:02}", order.fen / 100, order.fen % 100);
    html(200, &format!("<h1>{goods}</h1><p class=sum>¥{sum}</p>{choice}<p class=note>{key}</p>"))
}

fn html(code: u16, content: &str) -> Response<Bytes> {
    let page = include_str!("page.html").replace("{content}", content);
    respond(code, (CONTENT_TYPE, "text/html; charset=utf-8"), page)
}

fn escape(text: &str) -> String {
    let escapes = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
    escapes.iter().fold(text.to_owned(), |text, (sign, escaped)| text.replace(*sign, escaped))
}
