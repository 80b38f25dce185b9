//! The payer's phone or browser: one page per trade, in Chinese and English, without script.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use paycore::time::Timestamp;

use super::wire::{typed, yuan};
use super::{Gateway, Trade, status};

impl Gateway {
    /// Answers `/payer/{rest}`.
    pub(super) fn payer(&mut self, method: &Method, rest: &str, now: Timestamp) -> Response<Bytes> {
        let (key, action) = rest.split_once('/').unwrap_or((rest, ""));
        let Some(trade) = self.trades.get(key) else {
            return trouble("ACQ.TRADE_NOT_EXIST", "交易不存在");
        };
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
            _ => return status(404),
        }
        let trade = &self.trades[key];
        match &trade.return_url {
            Some(url) => go(303, url),
            None => page(trade),
        }
    }
}

/// A redirect.
pub(super) fn go(code: u16, to: &str) -> Response<Bytes> {
    let mut response = status(code);
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// A page that says what went wrong.
pub(super) fn trouble(code: &str, text: &str) -> Response<Bytes> {
    let mut response = html(&format!("<h1>{}</h1><p class=note>{}</p>", escape(text), escape(code)));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

fn page(trade: &Trade) -> Response<Bytes> {
    let state = match trade.status() {
        "WAIT_BUYER_PAY" if trade.pays_at.is_some() => "处理中 · In progress",
        "WAIT_BUYER_PAY" => "",
        "TRADE_SUCCESS" => "支付成功 · Paid",
        _ if trade.paid.is_some() => "已退款 · Refunded",
        _ => "交易已关闭 · Closed",
    };
    let action = format!("/payer/{}", trade.out_trade_no);
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
    html(&format!(
        "<p class=note>支付宝沙箱 · Alipay sandbox</p><h1>{}</h1><p class=sum>¥{}</p>{choice}<p class=note>{}</p>",
        escape(&trade.subject),
        yuan(trade.fen),
        escape(action.trim_start_matches("/payer/")),
    ))
}

fn html(body: &str) -> Response<Bytes> {
    const STYLE: &str = "body{margin:0;min-height:100vh;display:grid;place-items:center;background:#eef3fb;\
        font:16px/1.5 system-ui,'PingFang SC','Microsoft YaHei',sans-serif;color:#1b2330}\
        main{box-sizing:border-box;width:min(92vw,24rem);background:#fff;border-radius:16px;padding:2rem 1.5rem;\
        text-align:center;box-shadow:0 8px 32px #1677ff22;border-top:6px solid #1677ff}\
        h1{font-size:1.15rem;font-weight:600;overflow-wrap:anywhere}.sum{font-size:2.4rem;font-weight:700;margin:.4em 0}\
        .note{color:#5d6b80;font-size:.85rem;overflow-wrap:anywhere}.state{font-size:1.2rem;font-weight:600;color:#1677ff}\
        button{width:100%;min-height:48px;margin-top:.75rem;border:0;border-radius:10px;background:#1677ff;color:#fff;\
        font:inherit;font-weight:600}.quiet{background:#eef3fb;color:#1b2330}";
    let mut response = typed(
        "text/html; charset=utf-8",
        format!(
            "<!doctype html><html lang=zh-CN><meta charset=utf-8><meta name=viewport content='width=device-width'>\
             <title>支付宝沙箱 Alipay sandbox</title><style>{STYLE}</style><main>{body}</main></html>"
        ),
    );
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
