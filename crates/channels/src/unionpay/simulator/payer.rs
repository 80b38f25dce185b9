//! The payer's phone or browser: one page per payment, in Chinese and English, without script.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Response};
use paycore::time::Timestamp;

use super::wire::respond;
use super::{Deal, Gateway};

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
                self.change(key, |deal| deal.failed = Some("64".to_owned()));
                return trouble("64", "卡上的余额不足，付款失败 · Insufficient funds");
            }
            (&Method::POST, "pay") if open && script == 9002 => {
                self.pay_later(key, now.plus(Duration::from_secs(30)));
            }
            (&Method::POST, "pay") if open => self.finish(key, now),
            (&Method::POST, "cancel") if open => {
                self.change(key, |deal| deal.failed = Some("01".to_owned()));
            }
            (&Method::POST, "pay" | "cancel") => {}
            _ => return trouble("404", "没有这个页面 · No such page"),
        }
        self.page(&self.deals[key])
    }

    fn page(&self, deal: &Deal) -> Response<Bytes> {
        let state = match (deal.done, deal.pays_at, deal.failed.as_deref()) {
            (Some(_), ..) if deal.kind.0 == "02" => "预授权成功 · Authorized",
            (Some(_), ..) => "支付成功 · Paid",
            (_, Some(_), _) => "处理中 · In progress",
            (.., Some(_)) => "交易已关闭 · Closed",
            _ => "",
        };
        let key = escape(&deal.order_id);
        let choice = if state.is_empty() {
            // Relative to this page, so that the simulator may be mounted anywhere.
            format!(
                "<form method=post action='{key}/pay'><button>支付 Pay</button></form>\
                 <form method=post action='{key}/cancel'><button class=quiet>取消 Cancel</button></form>"
            )
        } else {
            format!("<p class=state>{state}</p>{}", self.way_back(deal))
        };
        let sum = format!("{}.{:02}", deal.fen / 100, deal.fen % 100);
        let subject = escape(&deal.subject);
        html(200, &format!("<h1>{subject}</h1><p class=sum>¥{sum}</p>{choice}<p class=note>{key}</p>"))
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

fn html(code: u16, content: &str) -> Response<Bytes> {
    respond(
        code,
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        include_str!("page.html").replace("{content}", content),
    )
}

fn escape(text: &str) -> String {
    let escapes = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
    escapes.iter().fold(text.to_owned(), |text, (sign, escaped)| text.replace(*sign, escaped))
}
