//! The address inside WeChat that makes an order when the payer's browser opens it.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Request};
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;
use url::form_urlencoded;

use super::Gateway;
use crate::sandbox::{Book, Order, Started, respond};

/// How long such an order may be paid.
const SECONDS: u64 = 90;

impl Gateway {
    pub(super) fn page(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let refused = |text: &str| {
            let page = format!("<!doctype html><meta charset=utf-8><title>收钱吧沙箱</title><h1>{text}</h1>");
            Answer::Reply(respond(400, (CONTENT_TYPE, "text/html; charset=utf-8"), page))
        };
        let query = request.uri().query().unwrap_or_default();
        let parameters: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        if request.method() != Method::GET || self.authentic_page(&parameters).is_none() {
            return refused("签名错误 · ILLEGAL_SIGN");
        }
        let Some(order) = self.page_order(book, &parameters, now) else {
            return refused("参数错误 · INVALID_PARAMS");
        };
        let key = order.reference.clone();
        let started = match book.get(&key) {
            Some(known) if known.fen != order.fen => return refused("client_sn 已存在 · CLIENT_SN_CONFLICT"),
            Some(_) => Started::Known,
            None => book.start(order, now),
        };
        match started {
            Started::Silent => Answer::Silence,
            Started::Known => {
                let page = format!("{}/payer/{key}", self.base_url);
                Answer::Reply(respond(302, (LOCATION, &page), String::new()))
            }
            Started::Unknown | Started::Poor => refused("系统错误 · UNKNOWN_SYSTEM_ERROR"),
        }
    }

    fn page_order(&self, book: &Book, parameters: &[(String, String)], now: Timestamp) -> Option<Order> {
        let value = |name: &str| {
            let found = parameters.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        if value("terminal_sn")? != self.terminal_sn || value("payway").is_some_and(|payway| payway != "3") {
            return None;
        }
        value("operator")?;
        let fen = value("total_amount")?;
        let digits = fen.len() <= 10 && fen.bytes().all(|byte| byte.is_ascii_digit());
        Some(Order {
            reference: value("client_sn").filter(|key| key.len() <= 32)?,
            id: Gateway::number(book),
            wallet: "3".to_owned(),
            kind: "3".to_owned(),
            subject: value("subject").filter(|text| text.chars().count() <= 64)?,
            fen: fen.parse().ok().filter(|fen| digits && *fen > 0)?,
            notify_url: value("notify_url"),
            return_url: Some(value("return_url")?),
            expires: Some(now.plus(Duration::from_secs(SECONDS))),
            ..Order::default()
        })
    }
}
