//! The payer's phone or browser: one page per payment, in Chinese and English, without script.

use std::time::Duration;

use bytes::Bytes;
use http::header::LOCATION;
use http::{Method, Response};
use paycore::time::Timestamp;

use super::{Deal, Gateway};
use crate::sandbox::bill::yuan;
use crate::sandbox::{branded, buttons, escape, offer, respond, state};

impl Gateway {
    /// Answers `/payer/{rest}`.
    pub(super) fn payer(&mut self, method: &Method, rest: &str, now: Timestamp) -> Response<Bytes> {
        let (key, action) = rest.split_once('/').unwrap_or((rest, ""));
        let Some(deal) = self.deals.get(key).filter(|deal| deal.is_payment()) else {
            return trouble("34", "查无此交易 · No such payment");
        };
        let (script, open) = (deal.script(), deal.waits());
        match (method, action) {
            (&Method::GET, "") => return self.page(deal),
            (&Method::POST, "pay") if open && script == 9001 => {
                self.deals.change(key, |deal| deal.failed = Some("64".to_owned()));
                return trouble("64", "卡上的余额不足，付款失败 · Insufficient funds");
            }
            (&Method::POST, "pay") if open && script == 9002 => {
                self.pay_later(key, now.plus(Duration::from_secs(30)));
            }
            (&Method::POST, "pay") if open => self.finish(key, now),
            (&Method::POST, "cancel") if open => {
                self.deals.change(key, |deal| deal.failed = Some("01".to_owned()));
            }
            (&Method::POST, "pay" | "cancel") => {}
            _ => return trouble("404", "没有这个页面 · No such page"),
        }
        self.page(&self.deals[key])
    }

    fn page(&self, deal: &Deal) -> Response<Bytes> {
        let text = match (deal.done, deal.pays_at, deal.failed.as_deref()) {
            (Some(_), ..) if deal.kind.0 == "02" => "预授权成功 · Authorized",
            (Some(_), ..) => "支付成功 · Paid",
            (_, Some(_), _) => "处理中 · In progress",
            (.., Some(_)) => "交易已关闭 · Closed",
            _ => "",
        };
        let choice = if text.is_empty() {
            buttons(&deal.order_id)
        } else {
            format!("{}{}", state(text), self.way_back(deal))
        };
        let sum = format!("¥{}", yuan(deal.fen));
        html(200, &offer(&deal.subject, &sum, &choice, &deal.order_id))
    }

    /// The front notification: a form that the payer's browser posts to the shop.
    fn way_back(&self, deal: &Deal) -> String {
        let Some(url) = deal.front_url.as_ref().filter(|_| deal.done.is_some()) else { return String::new() };
        let input = |(name, value): (&String, &String)| {
            format!("<input type=hidden name='{}' value='{}'>", escape(name), escape(value))
        };
        let inputs: String = self.news(deal).iter().map(input).collect();
        format!(
            "<form method=post action='{}'>{inputs}<button>返回商户 Back to the shop</button></form>",
            escape(url)
        )
    }
}

/// A redirect.
pub(super) fn go(to: &str) -> Response<Bytes> {
    respond(302, (LOCATION, to), String::new())
}

/// A page that says what went wrong.
pub(super) fn trouble(code: &str, text: &str) -> Response<Bytes> {
    html(400, &format!("<h1>{}</h1><p class=note>{}</p>", escape(text), escape(code)))
}

fn html(status: u16, content: &str) -> Response<Bytes> {
    branded(["银联", "UnionPay"], "#c8102e", status, content)
}
