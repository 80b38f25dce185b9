//! The interfaces below `mchorders`: what the bank checks and answers.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;
use serde_json::{Map, Value, json};

use super::wire::Texts;
use super::{Bank, Order, Refund};

/// How far a request's timestamp may be from now.
const CLOCKS: Duration = Duration::from_secs(15 * 60);

/// Why a request is not carried out: whether the frame was at fault, code, text.
struct Error(bool, &'static str, &'static str);

/// What a request came to; `None` when it was carried out and nobody shall hear of it.
type Result<T = Option<Value>> = std::result::Result<T, Error>;

const fn frame(code: &'static str, text: &'static str) -> Error {
    Error(true, code, text)
}

const fn business(code: &'static str, text: &'static str) -> Error {
    Error(false, code, text)
}

const UNKNOWN: Error = frame("SYSTERM_ERROR", "系统异常");
const INVALID: Error = business("PARAM_ERROR", "参数错误");
const ABSENT: Error = business("ORDER_NOT_EXIST", "订单不存在");

/// The first refusal whose condition holds.
fn refuse<const N: usize>(checks: [(bool, Error); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, error)| Err(error))
}

impl Bank {
    pub(super) fn api(&mut self, interface: &str, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let done = self.authentic(request, now).and_then(|content| self.carry_out(interface, &content, now));
        Answer::Reply(match done {
            Ok(None) => return Answer::Silence,
            Ok(Some(content)) => {
                self.framed(("SUCCESS", "SUCCESS"), &[("biz_content", &content.to_string())])
            }
            Err(Error(true, code, text)) => {
                self.framed(("FAIL", ""), &[("errCode", code), ("respMsg", text)])
            }
            Err(Error(false, code, text)) => {
                self.framed(("SUCCESS", "FAIL"), &[("errCode", code), ("respMsg", text)])
            }
        })
    }

    /// The business part of a request that the merchant signed.
    fn authentic(&self, request: &Request<Bytes>, now: Timestamp) -> Result<Content> {
        let texts: Texts =
            serde_json::from_slice(request.body()).map_err(|_| frame("PARAM_ERROR", "报文格式错误"))?;
        let is = |name: &str, value: &str| texts.get(name).is_some_and(|given| given == value);
        let fixed = is("version", "0.0.1") && is("encoding", "UTF-8") && is("signMethod", "02");
        let sent = self.head(request, texts.get("sign").map_or("", String::as_str));
        let in_time = sent.map(Timestamp::from_secs);
        let in_time = in_time.is_some_and(|at| (now.minus(CLOCKS)..=now.plus(CLOCKS)).contains(&at));
        refuse([
            (!fixed, frame("PARAM_ERROR", "版本号、编码或签名方法错误")),
            (!self.merchant_signed(&texts), frame("SIGN_ERROR", "验签失败")),
            (!in_time, frame("APPID_ERROR", "APP ID 校验失败")),
        ])?;
        match serde_json::from_str(texts.get("biz_content").map_or("", String::as_str)) {
            Ok(Value::Object(content)) => {
                let content = Content(content);
                let ours = content.required("merId")? == self.merchant_id && content.text("userId").is_some();
                if ours { Ok(content) } else { Err(business("MER_ERROR", "商户号或收银员错误")) }
            }
            _ => Err(frame("PARAM_ERROR", "biz_content 不是 JSON 对象")),
        }
    }

    fn carry_out(&mut self, interface: &str, content: &Content, now: Timestamp) -> Result {
        if content.0.values().any(|value| value.as_str().is_none_or(|text| text.trim().is_empty())) {
            return Err(INVALID);
        }
        match interface {
            "ecny/unifiedOrder" => self.start(content, now),
            "orderquery" => self.query(content),
            "close" => self.shut(content, now),
            "refund" => self.refund(content, now),
            "refundquery" => self.query_refund(content),
            _ => Err(frame("PARAM_ERROR", "没有这个接口")),
        }
    }

    /// Creates the order, or finds the one that the same request created before.
    fn start(&mut self, content: &Content, now: Timestamp) -> Result {
        let order = self.new_order(content, now)?;
        let (key, script) = (order.order_id.clone(), order.script());
        if let Some(known) = self.orders.get(&key) {
            let differs = known.fen != order.fen || known.goods != order.goods || known.kind != order.kind;
            refuse([
                (known.paid.is_some(), business("ORDER_PAID", "订单已支付")),
                (known.closed.is_some(), business("ORDER_CLOSED", "订单已关闭")),
                (differs, business("ORDER_REPEAT", "订单号重复")),
            ])?;
            return Ok(Some(self.ordered(known)));
        }
        self.orders.add(order);
        match script {
            9000 => self.pay_later(&key, now.plus(Duration::from_secs(1))),
            9003 => {
                self.pay(&key, now, now);
                return Ok(None);
            }
            9007 => return Err(UNKNOWN),
            _ => {}
        }
        Ok(Some(self.ordered(&self.orders[&key])))
    }

    fn new_order(&self, content: &Content, now: Timestamp) -> Result<Order> {
        let order_id = content.required("orderId")?;
        let kind = content.required("transactionType")?;
        let goods = content.required("goodsName")?;
        let fen = content.fen("txnAmt")?;
        let ascii = |name: &str| content.required(name).is_ok_and(|text| text.is_ascii());
        refuse([
            (order_id.len() > 32 || !order_id.bytes().all(|byte| byte.is_ascii_alphanumeric()), INVALID),
            (!["TT01", "TT03", "TT04", "TT13"].contains(&kind), INVALID),
            (content.required("currencyCode")? != "156", INVALID),
            (goods.chars().count() > 40 || goods.contains(['&', '<', '>', '=', '/']), INVALID),
            (!ascii("terminalNo") || !ascii("terminalIp"), INVALID),
            (content.required("tradePlace")?.chars().count() > 128, INVALID),
        ])?;
        let expires = content.required("orderTimeExpire")?;
        let expires = expires.split_once('T').map(|(date, time)| format!("{date} {time}"));
        let expires = expires.and_then(|text| Timestamp::parse_beijing(&text).ok()).ok_or(INVALID)?;
        Ok(Order {
            order_id: order_id.to_owned(),
            cmb_order_id: self.number(now, self.orders.len()),
            goods: goods.to_owned(),
            kind: kind.to_owned(),
            fen,
            notify_url: content.required("notifyUrl")?.to_owned(),
            created: now,
            expires,
            pays_at: None,
            paid: None,
            closed: None,
            refunds: Vec::new(),
        })
    }

    /// The bank's own number: the second and a running number.
    fn number(&self, now: Timestamp, running: usize) -> String {
        format!("1004{}{:08}", now.beijing_compact(), running + 1)
    }

    fn ordered(&self, order: &Order) -> Value {
        let mut content = self.about(order);
        let page = format!("{}/payer/{}", self.base_url, order.order_id);
        if order.kind == "TT01" {
            content["qrCode"] = page.into();
        } else {
            content["invokeUrl"] = page.into();
        }
        if matches!(order.kind.as_str(), "TT03" | "TT13") {
            content["context"] = json!({
                "cdtrPtyId": "C1030844001138", "mrchntNo": self.merchant_id, "encryptKey": "ZW5jcnlwdGVk",
                "encryptInfo": "Zm9yIHRoZSB3YWxsZXQ=", "ncrptnSN": "4003242541",
            });
        }
        content
    }

    fn about(&self, order: &Order) -> Value {
        json!({
            "merId": self.merchant_id, "orderId": order.order_id, "cmbOrderId": order.cmb_order_id,
            "txnTime": order.created.beijing_compact(),
        })
    }

    /// How an order stands, for queries and notifications.
    pub(super) fn standing(&self, order: &Order) -> Value {
        let mut content = self.about(order);
        content["txnAmt"] = order.fen.to_string().into();
        content["dscAmt"] = "0".into();
        content["currencyCode"] = "156".into();
        content["payType"] = "EC".into();
        content["tradeState"] = order.state().into();
        if let Some(at) = order.paid {
            finish(&mut content, at);
            content["debtorAgentId"] = "C1010411000013".into();
        }
        content
    }

    /// How a refund stands, for queries and notifications.
    pub(super) fn refund_standing(&self, refund: &Refund) -> Value {
        let mut content = json!({
            "merId": self.merchant_id, "orderId": refund.order_id, "cmbOrderId": refund.cmb_order_id,
            "refundAmt": refund.fen.to_string(), "currencyCode": "156", "payType": "EC",
            "txnTime": refund.at.beijing_compact(),
        });
        finish(&mut content, refund.at);
        content
    }

    fn query(&self, content: &Content) -> Result {
        Ok(Some(self.standing(self.find(content, "orderId")?)))
    }

    fn shut(&mut self, content: &Content, now: Timestamp) -> Result {
        let order = self.find(content, "orderId")?;
        let (key, script) = (order.order_id.clone(), order.script());
        refuse([
            (order.closed.is_some(), business("ORDER_CLOSED", "订单已关闭")),
            (!order.waits() || order.pays_at.is_some(), business("ORDER_PAID", "订单已支付或支付中")),
        ])?;
        let members = self.about(order);
        self.close(&key, now);
        if script == 9006 {
            self.pay_later(&key, now.plus(Duration::from_secs(5)));
        }
        Ok(Some(members))
    }

    fn refund(&mut self, content: &Content, now: Timestamp) -> Result {
        let order = self.find(content, "origOrderId")?;
        let (fen, key) = (content.fen("refundAmt")?, order.order_id.clone());
        let order_id = content.required("orderId")?.to_owned();
        if let Some(before) = order.refunds.iter().find(|refund| refund.order_id == order_id) {
            refuse([(before.fen != fen, business("ORDER_REPEAT", "退款订单号重复"))])?;
            return Ok(Some(self.accepted(before)));
        }
        let script = order.script();
        refuse([
            (content.fen("txnAmt")? != order.fen, INVALID),
            (order.paid.is_none(), business("ORDER_NOT_PAID", "原订单未支付")),
            (order.refunded() + fen > order.fen, business("REFUND_AMT_ERROR", "退款金额超限")),
            (script == 9010, business("BALANCE_NOT_ENOUGH", "商户余额不足")),
        ])?;
        let notify_url = content.text("notifyUrl").unwrap_or_default().to_owned();
        let cmb_order_id = self.number(now, self.orders.len() * 100 + order.refunds.len());
        let refund = Refund { order_id: order_id.clone(), cmb_order_id, fen, notify_url, at: now };
        let accepted = self.accepted(&refund);
        self.orders.change(&key, |order| order.refunds.push(refund));
        self.notify(&key, Some(&order_id), now);
        if script == 9009 { Err(UNKNOWN) } else { Ok(Some(accepted)) }
    }

    /// The refund is on its way: how it ended has to be asked for.
    fn accepted(&self, refund: &Refund) -> Value {
        json!({
            "merId": self.merchant_id, "orderId": refund.order_id, "cmbOrderId": refund.cmb_order_id,
            "refundAmt": refund.fen.to_string(), "refundState": "P", "txnTime": refund.at.beijing_compact(),
        })
    }

    fn query_refund(&self, content: &Content) -> Result {
        let order_id = content.required("orderId")?;
        let mut refunds = self.orders.values().flat_map(|order| &order.refunds);
        let refund = refunds.find(|refund| refund.order_id == order_id).ok_or(ABSENT)?;
        let mut members = self.refund_standing(refund);
        members["tradeState"] = "S".into();
        Ok(Some(members))
    }

    fn find(&self, content: &Content, name: &str) -> Result<&Order> {
        self.orders.get(content.required(name)?).ok_or(ABSENT)
    }
}

fn finish(content: &mut Value, at: Timestamp) {
    let text = at.beijing_compact();
    content["endDate"] = text[..8].into();
    content["endTime"] = text[8..].into();
}

/// `biz_content`.
struct Content(Map<String, Value>);

impl Content {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn required(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or(INVALID)
    }

    /// Whole fen, written without anything else.
    fn fen(&self, name: &str) -> Result<i64> {
        let text = self.required(name)?;
        let digits = text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|fen| digits && *fen > 0).ok_or(INVALID)
    }
}
