//! The payer's phone or browser: one page per order, in Chinese and English, without script.

use std::time::Duration;

use bytes::Bytes;
use http::header::LOCATION;
use http::{Method, Request, Response};
use paycore::time::Timestamp;

use super::{Order, Platform, Transfer};
use crate::sandbox::bill::yuan;
use crate::sandbox::{branded, buttons, escape, offer, respond, state};

impl Platform {
    /// Answers `/payer/{rest}`.
    pub(super) fn payer(&mut self, request: &Request<Bytes>, rest: &str, now: Timestamp) -> Response<Bytes> {
        let (key, action) = rest.split_once('/').unwrap_or((rest, ""));
        if self.transfers.contains_key(key) {
            if (request.method(), action) == (&Method::POST, "pay") {
                self.end_transfer(key, "SUCCESS", now);
            }
            return payout(key, &self.transfers[key]);
        }
        let Some(order) = self.orders.get(key) else {
            return trouble(404, "ORDER_NOT_EXIST", "订单不存在");
        };
        let (script, open) = (order.script(), order.open());
        match (request.method(), action) {
            (&Method::GET, "") => {
                let query = request.uri().query().unwrap_or_default().as_bytes();
                let mut parts = url::form_urlencoded::parse(query);
                if let Some((_, back)) = parts.find(|(name, _)| name == "redirect_url") {
                    self.orders.change(key, |order| order.return_url = Some(back.into_owned()));
                }
                return page(&self.orders[key]);
            }
            (&Method::POST, "pay") if open && script == 9001 => {
                return trouble(400, "NOTENOUGH", "余额不足，付款失败 · Insufficient balance");
            }
            (&Method::POST, "pay") if open && script == 9002 => {
                self.pay_later(key, now.plus(Duration::from_secs(30)));
            }
            (&Method::POST, "pay") if open => self.pay(key, now, now),
            // A payer who cancels leaves the order open and may come back.
            (&Method::POST, "pay" | "cancel") => {}
            _ => return trouble(404, "NOT_FOUND", "没有这个页面 · No such page"),
        }
        let order = &self.orders[key];
        let Some(back) = &order.return_url else { return page(order) };
        respond(303, (LOCATION, back), String::new())
    }
}

/// What a person sees of a transfer.
fn payout(key: &str, transfer: &Transfer) -> Response<Bytes> {
    let choice = match transfer.state.as_str() {
        "WAIT_USER_CONFIRM" => {
            format!("<form method=post action='{}/pay'><button>确认收款 Accept</button></form>", escape(key))
        }
        text => state(&escape(text)),
    };
    html(200, &offer(&transfer.remark, &format!("¥{}", yuan(transfer.fen)), &choice, key))
}

/// A page that says what went wrong.
fn trouble(status: u16, code: &str, text: &str) -> Response<Bytes> {
    html(status, &format!("<h1>{}</h1><p class=note>{}</p>", escape(text), escape(code)))
}

fn page(order: &Order) -> Response<Bytes> {
    let text = match order.state().0 {
        "SUCCESS" => "支付成功 · Paid",
        "REFUND" => "已支付，有退款 · Paid, with refunds",
        "CLOSED" | "REVOKED" => "订单已关闭 · Closed",
        "PAYERROR" => "支付失败 · Failed",
        _ => "处理中 · In progress",
    };
    let choice = if order.open() { buttons(&order.out_trade_no) } else { state(text) };
    let sum = format!("¥{}", yuan(order.fen));
    html(200, &offer(&order.description, &sum, &choice, &order.out_trade_no))
}

fn html(status: u16, content: &str) -> Response<Bytes> {
    branded(["微信支付", "WeChat Pay"], "#067a3f", status, content)
}
