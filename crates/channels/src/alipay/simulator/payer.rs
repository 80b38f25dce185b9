//! The payer's phone or browser: one page per trade, in Chinese and English, without script.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Response};
use paycore::time::Timestamp;

use super::wire::yuan;
use super::{Gateway, Trade};
use crate::sandbox::{escape, respond};

impl Gateway {
    /// Answers `/payer/{rest}`.
    pub(super) fn payer(&mut self, method: &Method, rest: &str, now: Timestamp) -> Response<Bytes> {
        let (key, action) = rest.split_once('/').unwrap_or((rest, ""));
        let Some(trade) = self.trades.get(key) else {
            return trouble("ACQ.TRADE_NOT_EXIST", "交易不存在");
        };
        if !trade.begun && trade.hold.is_none() {
            // Somebody scanned the code.
            self.change(key, |trade| trade.begun = true);
        }
        let trade = &self.trades[key];
        let (script, open) = (trade.script(), trade.waits() && trade.pays_at.is_none());
        match (method, action) {
            (&Method::GET, "") => return page(trade),
            (&Method::POST, "pay") if open && script == 9001 => {
                return trouble("ACQ.BUYER_BALANCE_NOT_ENOUGH", "余额不足，付款失败 · Insufficient balance");
            }
            (&Method::POST, "pay") if open && script == 9002 => {
                self.pay_later(key, now.plus(Duration::from_secs(30)))
            }
            (&Method::POST, "pay") if open => self.pay(key, now, now),
            (&Method::POST, "cancel") if open => {
                self.close(key, now);
                self.notify(key, None, now);
            }
            (&Method::POST, "pay" | "cancel") => {}
            _ => return trouble("404", "没有这个页面 · No such page"),
        }
        let trade = &self.trades[key];
        trade.return_url.as_ref().map_or_else(|| page(trade), |url| go(303, url))
    }
}

/// A redirect.
pub(super) fn go(code: u16, to: &str) -> Response<Bytes> {
    respond(code, (LOCATION, to), String::new())
}

/// A page that says what went wrong.
pub(super) fn trouble(code: &str, text: &str) -> Response<Bytes> {
    html(400, &format!("<h1>{}</h1><p class=note>{}</p>", escape(text), escape(code)))
}

fn page(trade: &Trade) -> Response<Bytes> {
    let state = match trade.status() {
        "WAIT_BUYER_PAY" if trade.pays_at.is_some() => "处理中 · In progress",
        "WAIT_BUYER_PAY" => "",
        "TRADE_SUCCESS" => "支付成功 · Paid",
        _ if trade.hold.as_ref().is_some_and(|hold| hold.frozen.is_some()) => "已冻结 · Authorized",
        _ if trade.paid.is_some() => "已退款 · Refunded",
        _ => "交易已关闭 · Closed",
    };
    let choice = if state.is_empty() {
        // Relative to this page, so that the simulator may be mounted anywhere.
        let key = &trade.out_trade_no;
        format!(
            "<form method=post action='{key}/pay'><button>支付 Pay</button></form>\
             <form method=post action='{key}/cancel'><button class=quiet>取消 Cancel</button></form>"
        )
    } else {
        format!("<p class=state>{state}</p>")
    };
    let (subject, sum, key) = (escape(&trade.subject), yuan(trade.fen), escape(&trade.out_trade_no));
    html(200, &format!("<h1>{subject}</h1><p class=sum>¥{sum}</p>{choice}<p class=note>{key}</p>"))
}

fn html(code: u16, content: &str) -> Response<Bytes> {
    respond(
        code,
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        include_str!("page.html").replace("{content}", content),
    )
}
