//! The payer's phone or browser: one page per order, in Chinese and English, without script.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use paycore::time::Timestamp;

use super::wire::respond;
use super::{Acquirer, Order};

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
    let key = escape(&order.number);
    let state = match order.state().0 {
        "S" => "支付成功 · Paid",
        "F" => "支付失败或已关闭 · Failed or closed",
        _ => "处理中 · In progress",
    };
    let choice = if order.open() {
        // Relative to this page, so that the simulator may be mounted anywhere.
        format!(
            "<form method=post action='{key}/pay'><button>支付 Pay</button></form>\
             <form method=post action='{key}/cancel'><button class=quiet>取消 Cancel</button></form>"
        )
    } else {
        format!("<p class=state>{state}</p>")
    };
    let (subject, yuan, fen) = (escape(&order.description), order.fen / 100, order.fen % 100);
    html(200, &format!("<h1>{subject}</h1><p class=sum>¥{yuan}.{fen:02}</p>{choice}<p class=note>{key}</p>"))
}

fn html(status: u16, content: &str) -> Response<Bytes> {
    let page = include_str!("page.html").replace("{content}", content);
    respond(status, "text/html; charset=utf-8", page)
}

fn escape(text: &str) -> String {
    let escapes = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
    escapes.iter().fold(text.to_owned(), |text, (sign, escaped)| text.replace(*sign, escaped))
}
