//! The interface: what Douyin Pay checks and answers.

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;
use serde_json::{Value, json};

use super::Gateway;
use crate::sandbox::{Book, Given, Order, Refund, Refused, Started, State, respond};

/// Why a request is not carried out: status, code, text.
struct Error(u16, &'static str, &'static str);

/// What a request came to; `null` is an empty answer, and nothing when it was carried out and nobody shall hear of it.
type Result<T = Option<Value>> = std::result::Result<T, Error>;

const PARAM: Error = Error(400, "PARAM_ERROR", "参数错误");
const NO_ORDER: Error = Error(404, "ORDER_NOT_EXIST", "订单不存在");
const SYSTEM: Error = Error(500, "SYSTEM_ERROR", "系统繁忙，请稍后重试");
const NOT_FOUND: Error = Error(404, "NOT_FOUND", "没有这个接口");
const NO_REFUND: Error = Error(404, "RESOURCE_NOT_EXISTS", "查询的资源不存在");
const PAID: Error = Error(400, "ORDER_PAID", "该订单已支付");
const CLOSED: Error = Error(400, "ORDER_CLOSED", "订单已关闭");
const POOR: Error = Error(403, "NOT_ENOUGH", "商户账户余额不足");

const fn invalid(text: &'static str) -> Error {
    Error(400, "INVALID_REQUEST", text)
}

/// The first refusal whose condition holds.
fn refuse<const N: usize>(checks: [(bool, Error); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, error)| Err(error))
}

impl Gateway {
    pub(super) fn answer(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let body = |Error(_, code, message): &Error| json!({"code": code, "message": message});
        if self.authentic(request, now).is_none() {
            // Who has not proved to be the merchant gets an answer without a signature.
            let text = body(&Error(401, "SIGN_ERROR", "签名错误")).to_string();
            return Answer::Reply(respond(401, (CONTENT_TYPE, "application/json"), text));
        }
        Answer::Reply(match self.route(book, request, now) {
            Ok(None) => return Answer::Silence,
            Ok(Some(value)) => self.signed(200, &value, now),
            Err(error) => self.signed(error.0, &body(&error), now),
        })
    }

    fn route(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Result {
        let path = request.uri().path().strip_prefix("/v1/").unwrap_or_default();
        let path: Vec<&str> = path.split('/').collect();
        let content = || serde_json::from_slice(request.body()).map(Content).map_err(|_| PARAM);
        let asked = || {
            let ours = request.uri().query() == Some(&format!("mchid={}", self.mchid));
            refuse([(!ours, PARAM)])
        };
        match (request.method().as_str(), path.as_slice()) {
            ("POST", ["trade", "transactions", scene]) => self.start(book, scene, &content()?, now),
            ("GET", ["trade", "transactions", "out-trade-no", key]) => {
                asked()?;
                Ok(Some(self.shown(book.get(key).ok_or(NO_ORDER)?)))
            }
            ("POST", ["trade", "transactions", "out-trade-no", key, "close"]) => {
                self.shut(book, key, &content()?, now)
            }
            ("POST", ["trade", "refund", "domestic", "refunds"]) => self.refund(book, &content()?, now),
            ("GET", ["trade", "refund", "domestic", "refunds", number]) => {
                asked()?;
                let (order, refund) = book.find_refund(number).ok_or(NO_REFUND)?;
                Ok(Some(given(order, refund)))
            }
            ("GET", ["merchant", "certificates", "getPlatformCertificates"]) => {
                self.certificates(now).map(Some).ok_or(SYSTEM)
            }
            _ => Err(NOT_FOUND),
        }
    }

    fn start(&self, book: &mut Book, scene: &str, content: &Content, now: Timestamp) -> Result {
        let order = self.new_order(book, scene, content, now)?;
        let key = order.reference.clone();
        if let Some(known) = book.get(&key) {
            let parts = |order: &Order| (order.subject.clone(), order.fen, order.kind.clone());
            refuse([
                (known.state() == State::Paid, PAID),
                (known.state() == State::Closed, CLOSED),
                (parts(known) != parts(&order), Error(400, "OUT_TRADE_NO_USED", "商户订单号重复")),
            ])?;
            return Ok(Some(self.prepaid(known)));
        }
        match book.start(order, now) {
            Started::Silent => Ok(None),
            Started::Unknown | Started::Poor => Err(SYSTEM),
            Started::Known => Ok(Some(self.prepaid(book.get(&key).ok_or(NO_ORDER)?))),
        }
    }

    fn new_order(&self, book: &Book, scene: &str, content: &Content, now: Timestamp) -> Result<Order> {
        self.ours(content)?;
        let kinds = [("native", "NATIVE"), ("h5", "H5"), ("jsapi", "JSAPI"), ("app", "APP")];
        let (_, kind) = kinds.into_iter().find(|(known, _)| *known == scene).ok_or(NOT_FOUND)?;
        let key = content.required("/out_trade_no")?;
        let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"_-*".contains(&byte);
        let subject = content.required("/description")?;
        let fen = content.number("/amount/total").filter(|fen| (1..=2_147_483_647).contains(fen));
        let notify_url = content.required("/notify_url")?;
        let address = notify_url.starts_with("http") && !notify_url.contains('?');
        refuse([
            (!(6..=32).contains(&key.len()) || !key.bytes().all(sign), PARAM),
            (subject.chars().count() > 127, PARAM),
            (content.text("/amount/currency").is_some_and(|currency| currency != "CNY"), PARAM),
            (!address, PARAM),
            (kind == "H5" && content.text("/scene_info/h5_info/type").is_none(), PARAM),
        ])?;
        let expires = content.text("/time_expire").map(Timestamp::parse).transpose().map_err(|_| PARAM)?;
        refuse([(expires.is_some_and(|at| at <= now), PARAM)])?;
        let (day, number) = (now.beijing_compact(), book.next_order());
        Ok(Order {
            reference: key.to_owned(),
            id: format!("TP{day}{number:014}"),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            fen: fen.ok_or(PARAM)?,
            notify_url: Some(notify_url.to_owned()),
            expires,
            ..Order::default()
        })
    }

    /// How the payer gets to an order.
    fn prepaid(&self, order: &Order) -> Value {
        let page = format!("{}/payer/{}", self.base_url, order.reference);
        match order.kind.as_str() {
            "NATIVE" => json!({"code_url": page}),
            "H5" => json!({"h5_url": page}),
            _ => json!({"prepay_id": format!("dy{}", order.id)}),
        }
    }

    pub(super) fn shown(&self, order: &Order) -> Value {
        let (state, text) = match order.state() {
            State::Paid if order.refunds.is_empty() => ("SUCCESS", "支付成功"),
            State::Paid => ("REFUND", "转入退款"),
            State::Closed => ("CLOSED", "已关闭"),
            _ => ("NOTPAY", "未支付"),
        };
        let mut value = json!({
            "appid": self.appid, "mchid": self.mchid, "out_trade_no": order.reference,
            "trade_state": state, "trade_state_desc": text,
            "amount": {"total": order.fen, "currency": "CNY"},
        });
        if let Some(at) = order.paid {
            value["transaction_id"] = order.id.as_str().into();
            value["trade_type"] = order.kind.as_str().into();
            value["success_time"] = at.to_rfc3339_seconds(8 * 3600).into();
            value["payer"] = json!({"openid": "sandboxPayer"});
            value["amount"]["payer_total"] = order.fen.into();
        }
        value
    }

    /// A refund as the merchant is told of it.
    pub(super) fn told(&self, order: &Order, refund: &Refund) -> Value {
        json!({
            "mchid": self.mchid, "out_trade_no": order.reference, "transaction_id": order.id,
            "out_refund_no": refund.reference, "refund_id": refund.id, "refund_status": "SUCCESS",
            "success_time": refund.at.to_rfc3339_seconds(8 * 3600), "user_received_account": "抖音零钱",
            "amount": {"total": order.fen, "refund": refund.fen, "payer_total": order.fen,
                "payer_refund": refund.fen},
        })
    }

    fn shut(&self, book: &mut Book, key: &str, content: &Content, now: Timestamp) -> Result {
        refuse([(content.required("/mchid")? != self.mchid, PARAM)])?;
        match book.get(key).ok_or(NO_ORDER)?.state() {
            State::Paid => Err(PAID),
            State::Closed => Err(CLOSED),
            State::Paying | State::Failed => Err(SYSTEM),
            State::Open => {
                book.close(key, now);
                Ok(Some(Value::Null))
            }
        }
    }

    fn refund(&self, book: &mut Book, content: &Content, now: Timestamp) -> Result {
        let key = content.required("/out_trade_no")?.to_owned();
        let number = content.required("/out_refund_no")?;
        let fen = content.number("/amount/refund").filter(|fen| *fen > 0).ok_or(PARAM)?;
        self.ours(content)?;
        let total = book.get(&key).ok_or(NO_REFUND)?.fen;
        refuse([
            (content.number("/amount/total") != Some(total), PARAM),
            (content.text("/amount/currency") != Some("CNY"), PARAM),
            (number.len() > 64, PARAM),
        ])?;
        let refund = Refund {
            reference: number.to_owned(),
            id: format!("TR{}{:014}", now.beijing_compact(), book.next_refund()),
            fen,
            at: now,
            notify_url: content.text("/notify_url").map(str::to_owned),
        };
        match book.give_back(&key, refund) {
            Ok(Given::Known(refund)) => Ok(Some(given(book.get(&key).ok_or(NO_REFUND)?, &refund))),
            Ok(Given::Unknown) => Err(SYSTEM),
            Err(Refused::NoOrder) => Err(NO_REFUND),
            Err(Refused::Unpaid) => Err(invalid("订单未支付")),
            Err(Refused::TooMuch) => Err(invalid("退款金额大于可退金额")),
            Err(Refused::Used) => Err(invalid("退款单号已被使用，参数不一致")),
            Err(Refused::Poor) => Err(POOR),
        }
    }

    fn ours(&self, content: &Content) -> Result<()> {
        let app = content.required("/appid")? == self.appid;
        let merchant = content.required("/mchid")? == self.mchid;
        refuse([(!app || !merchant, Error(400, "APPID_MCHID_NOT_MATCH", "AppID和商户号不匹配"))])
    }
}

fn given(order: &Order, refund: &Refund) -> Value {
    let (fen, back, at) = (order.fen, refund.fen, refund.at.to_rfc3339_seconds(8 * 3600));
    json!({
        "refund_id": refund.id, "out_refund_no": refund.reference, "status": "SUCCESS",
        "transaction_id": order.id, "out_trade_no": order.reference, "channel": "ORIGINAL",
        "user_received_account": "抖音零钱", "funds_account": "AVAILABLE", "success_time": at, "create_time": at,
        "amount": {"total": fen, "refund": back, "payer_total": fen, "payer_refund": back, "discount_refund": 0,
            "currency": "CNY"},
    })
}

/// A request's body, read by JSON pointers.
struct Content(Value);

impl Content {
    fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn number(&self, pointer: &str) -> Option<i64> {
        self.0.pointer(pointer).and_then(Value::as_i64)
    }

    fn required(&self, pointer: &str) -> Result<&str> {
        self.text(pointer).ok_or(PARAM)
    }
}
