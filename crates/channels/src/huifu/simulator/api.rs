//! The JSON interface: what Huifu checks and answers. Versions 2 and 3 of a path do the same here.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;
use serde_json::{Value, json};

use super::wire::Data;
use super::{Acquirer, Order, Refund};
use crate::sandbox::bill::yuan;
use crate::sandbox::respond;

/// Why a request is not carried out: code and text.
struct Error(&'static str, &'static str);

/// What a request came to; nothing when it was carried out and nobody shall hear of it.
type Result<T = Option<Value>> = std::result::Result<T, Error>;

const PARAM: Error = Error("10000000", "参数不符合要求");
const REPEATED: Error = Error("20000000", "重复交易");
const NO_ORDER: Error = Error("23000001", "原交易不存在");
const ENDED: Error = Error("10000016", "原订单已为终态,请发起查询交易获取");
const SYSTEM: Error = Error("98888888", "系统错误");

/// The first refusal whose condition holds.
fn refuse<const N: usize>(checks: [(bool, Error); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, error)| Err(error))
}

impl Acquirer {
    pub(super) fn api(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let json = (CONTENT_TYPE, "application/json;charset=UTF-8");
        let body = Some(request).filter(|request| request.method() == Method::POST);
        let Some(data) = body.and_then(|request| self.authentic(request.body())) else {
            // Who has not proved to be the merchant gets an answer without a signature.
            let text = json!({"data": {"resp_code": "10000000", "resp_desc": "验签失败"}}).to_string();
            return Answer::Reply(respond(200, json, text));
        };
        let content = Content(data);
        let mut said = match self.route(request.uri().path(), &content, now) {
            Ok(None) => return Answer::Silence,
            Ok(Some(said)) => said,
            Err(Error(code, text)) => json!({"resp_code": code, "resp_desc": text}),
        };
        said["huifu_id"] = content.text("huifu_id").unwrap_or_default().into();
        for name in ["req_date", "req_seq_id"] {
            if let Some(text) = content.text(name) {
                said[name] = text.into();
            }
        }
        Answer::Reply(self.signed(&said))
    }

    fn route(&mut self, path: &str, content: &Content, now: Timestamp) -> Result {
        refuse([(content.text("huifu_id") != Some(&self.sys_id), Error("22000002", "商户信息不存在"))])?;
        let path = path.strip_prefix("/v2/").or_else(|| path.strip_prefix("/v3/")).unwrap_or_default();
        match path.strip_prefix("trade/payment/").unwrap_or_default() {
            "jspay" => self.start(content, false, now),
            "micropay" => self.start(content, true, now),
            "scanpay/query" => Ok(Some(shown(self.original(content)?, "org_"))),
            "scanpay/close" => self.shut(content, now),
            "scanpay/refund" => self.refund(content, now),
            "scanpay/refundquery" => {
                let (date, number) = (content.text("org_req_date"), content.text("org_req_seq_id"));
                let id = content.text("org_hf_seq_id");
                let all = self.orders.values().flat_map(|order| &order.refunds);
                let meant = |refund: &&Refund| match id {
                    Some(id) => refund.id == id,
                    None => Some(refund.number.as_str()) == number && Some(refund.date.as_str()) == date,
                };
                Ok(Some(given(all.into_iter().find(meant).ok_or(NO_ORDER)?, "org_")))
            }
            _ => Err(Error("10000000", "接口不存在")),
        }
    }

    fn start(&mut self, content: &Content, barcode: bool, now: Timestamp) -> Result {
        let order = self.new_order(content, barcode, now)?;
        let (key, script) = (order.number.clone(), order.script());
        if let Some(known) = self.orders.get(&key) {
            let parts = |order: &Order| (order.trade_type.clone(), order.description.clone(), order.fen);
            refuse([(barcode || !known.open() || parts(known) != parts(&order), REPEATED)])?;
            return Ok(Some(self.begun(known, now)));
        }
        self.orders.add(order);
        match script {
            9000 => self.pay_later(&key, now.plus(Duration::from_secs(1))),
            9001 if barcode => self.orders.change(&key, |order| order.failed = true),
            9002 if barcode => self.pay_later(&key, now.plus(Duration::from_secs(30))),
            9003 => {
                self.pay(&key, now, now);
                return Ok(None);
            }
            _ if barcode => self.pay(&key, now, now),
            _ => {}
        }
        refuse([(script == 9007, SYSTEM)])?;
        Ok(Some(self.begun(&self.orders[&key], now)))
    }

    /// The payment and how the payer gets to it.
    fn begun(&self, order: &Order, now: Timestamp) -> Value {
        let mut said = shown(order, "");
        match order.trade_type.as_str() {
            "A_NATIVE" | "U_NATIVE" | "D_NATIVE" => {
                said["qr_code"] = format!("{}/payer/{}", self.base_url, order.number).into();
            }
            "A_JSAPI" => said["pay_info"] = json!({"tradeNO": order.id}).to_string().into(),
            "T_JSAPI" | "T_MINIAPP" | "T_APP" => {
                let package = format!("prepay_id=wx{}", order.id);
                let info = json!({
                    "appId": "wx0000000000000000", "timeStamp": now.secs().to_string(), "nonceStr": order.number,
                    "package": package, "signType": "RSA", "paySign": "c2FuZGJveA==",
                });
                said["pay_info"] = info.to_string().into();
            }
            _ => {}
        }
        said
    }

    fn new_order(&self, content: &Content, barcode: bool, now: Timestamp) -> Result<Order> {
        let number = content.required("req_seq_id")?;
        let code = content.text("auth_code").unwrap_or_default();
        let trade_type = if !barcode {
            content.required("trade_type")?
        } else if (25..=30).contains(&code.get(..2).and_then(|two| two.parse().ok()).unwrap_or(0)) {
            "A_MICROPAY"
        } else if code.starts_with("62") {
            "U_MICROPAY"
        } else if code.starts_with("01") {
            "D_MICROPAY"
        } else {
            "T_MICROPAY"
        };
        let fen = content.fen("trans_amt").filter(|fen| *fen > 0).ok_or(PARAM)?;
        let known = ["A_NATIVE", "A_JSAPI", "T_JSAPI", "T_MINIAPP", "T_APP", "U_NATIVE", "D_NATIVE"];
        let wallet = |field: &str, name: &str| {
            let data: Option<Value> = content.text(field).and_then(|text| serde_json::from_str(text).ok());
            data.is_some_and(|data| data[name].as_str().is_some_and(|text| !text.is_empty()))
        };
        let address = |url: &str| url.starts_with("http") && !url.contains('?') && url.len() <= 512;
        refuse([
            (number.len() > 128 || content.required("req_date")?.len() != 8, PARAM),
            (content.required("goods_desc")?.chars().count() > 127, PARAM),
            (content.text("notify_url").is_some_and(|url| !address(url)), PARAM),
            (!barcode && !known.contains(&trade_type), PARAM),
            (trade_type == "A_JSAPI" && !wallet("alipay_data", "buyer_id"), PARAM),
            (matches!(trade_type, "T_JSAPI" | "T_MINIAPP") && !wallet("wx_data", "sub_openid"), PARAM),
            (barcode && (code.len() < 16 || content.text("risk_check_data").is_none()), PARAM),
        ])?;
        let expires = content.text("time_expire").map(Timestamp::parse_beijing_compact);
        let expires = expires.transpose().map_err(|_| PARAM)?;
        refuse([(expires.is_some_and(|at| at <= now), Error("10000000", "订单已超时"))])?;
        Ok(Order {
            number: number.to_owned(),
            date: content.required("req_date")?.to_owned(),
            id: format!("0029000topA{}P{:012}", &now.beijing_compact()[2..], self.orders.len() + 1),
            trade_type: trade_type.to_owned(),
            description: content.required("goods_desc")?.to_owned(),
            fen,
            notify_url: content.text("notify_url").map(str::to_owned),
            expires,
            ..Order::default()
        })
    }

    /// The payment that a request is about, by the number and date of its own request, or by its id.
    fn original(&self, content: &Content) -> Result<&Order> {
        let order = match (content.text("org_hf_seq_id"), content.text("org_req_seq_id")) {
            (Some(id), _) => self.orders.values().find(|order| order.id == id),
            (None, Some(number)) => {
                let date = content.text("org_req_date");
                self.orders.get(number).filter(|order| Some(order.date.as_str()) == date)
            }
            (None, None) => return Err(Error("21000000", "原请求流水号和原全局流水号不能同时为空")),
        };
        order.ok_or(NO_ORDER)
    }

    fn shut(&mut self, content: &Content, now: Timestamp) -> Result {
        let order = self.original(content)?;
        let (key, script) = (order.number.clone(), order.script());
        let unsupported = Error("23000004", "不支持的交易");
        refuse([
            (content.required("req_seq_id")?.len() > 128, PARAM),
            (!matches!(order.trade_type.as_bytes().first(), Some(b'A' | b'T')), unsupported),
            (order.state().0 != "P", ENDED),
        ])?;
        self.orders.change(&key, |order| (order.closed, order.pays_at) = (Some(now), None));
        if script == 9006 {
            self.pay_later(&key, now.plus(Duration::from_secs(5)));
        }
        let order = &self.orders[&key];
        Ok(Some(json!({
            "resp_code": "00000000", "resp_desc": "交易成功", "org_req_date": order.date,
            "org_req_seq_id": order.number, "org_hf_seq_id": order.id, "trans_stat": "S",
        })))
    }

    fn refund(&mut self, content: &Content, now: Timestamp) -> Result {
        let order = self.original(content)?;
        let (key, script) = (order.number.clone(), order.script());
        let (number, date) = (content.required("req_seq_id")?, content.required("req_date")?);
        let fen = content.fen("ord_amt").filter(|fen| *fen > 0).ok_or(PARAM)?;
        let known = self.orders.values().flat_map(|order| &order.refunds);
        let back: i64 = order.refunds.iter().map(|given| given.fen).sum();
        refuse([
            (known.clone().any(|refund| refund.number == number && refund.date == date), REPEATED),
            (order.paid.is_none(), Error("10000001", "原交易没有处理完成")),
            (back + fen > order.fen, Error("10000002", "退款金额大于可退金额")),
            (script == 9010, Error("23000003", "余额不足")),
        ])?;
        let id = format!("0030000topA{}P{:012}", &now.beijing_compact()[2..], known.count() + 1);
        let refund = Refund { number: number.to_owned(), date: date.to_owned(), id, fen, at: now };
        self.orders.change(&key, |order| order.refunds.push(refund.clone()));
        self.tell_refund(&key, &refund, content.text("notify_url"), now);
        refuse([(script == 9009, SYSTEM)])?;
        Ok(Some(given(&refund, "")))
    }
}

/// What is told of a payment. A query calls its numbers those of the original.
pub(super) fn shown(order: &Order, prefix: &str) -> Value {
    let (state, text) = order.state();
    let kind = if prefix.is_empty() { "trade_type" } else { "trans_type" };
    let mut said = json!({
        "resp_code": if state == "P" && prefix.is_empty() { "00000100" } else { "00000000" },
        "resp_desc": "处理成功", "trans_amt": yuan(order.fen), "trans_stat": state, "bank_message": text,
        "delay_acct_flag": "N",
    });
    said[kind] = order.trade_type.as_str().into();
    said[format!("{prefix}hf_seq_id")] = order.id.as_str().into();
    said[format!("{prefix}req_seq_id")] = order.number.as_str().into();
    said[format!("{prefix}req_date")] = order.date.as_str().into();
    if let Some(at) = order.paid {
        said["end_time"] = at.beijing_compact().into();
        said["settlement_amt"] = yuan(order.fen).into();
    }
    said
}

/// What is told of a refund, likewise.
pub(super) fn given(refund: &Refund, prefix: &str) -> Value {
    let at = refund.at.beijing_compact();
    let mut said = json!({
        "resp_code": "00000000", "resp_desc": "处理成功", "trans_stat": "S", "bank_message": "正常结束",
        "ord_amt": yuan(refund.fen), "actual_ref_amt": yuan(refund.fen), "trans_type": "TRANS_REFUND",
        "trans_date": &at[..8], "trans_time": &at[8..], "trans_finish_time": at,
    });
    said[format!("{prefix}hf_seq_id")] = refund.id.as_str().into();
    said[format!("{prefix}req_seq_id")] = refund.number.as_str().into();
    said[format!("{prefix}req_date")] = refund.date.as_str().into();
    said
}

/// A request's data.
struct Content(Data);

impl Content {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn required(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or(PARAM)
    }

    /// An amount in yuan with two decimals.
    fn fen(&self, name: &str) -> Option<i64> {
        let (whole, decimals) = self.text(name)?.split_once('.')?;
        let digits = decimals.len() == 2 && whole.bytes().chain(decimals.bytes()).all(|b| b.is_ascii_digit());
        digits.then(|| format!("{whole}{decimals}").parse().ok())?
    }
}
