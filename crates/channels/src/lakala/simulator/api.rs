//! The interface: what Lakala checks and answers.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;
use serde_json::{Value, json};

use super::Gateway;
use crate::sandbox::{Book, Given, Order, Refund, Refused, Started, State, respond};

/// Why a request is not carried out: code, text.
struct Error(&'static str, &'static str);

/// What a request came to, and nothing when it was carried out and nobody shall hear of it.
type Result<T = Option<Value>> = std::result::Result<T, Error>;

const PARAM: Error = Error("BBS11000", "参数校验失败");
const SYSTEM: Error = Error("BBS00001", "系统异常");
const UNDER_WAY: Error = Error("BBS11112", "交易处理中");
const NO_TRADE: Error = Error("BBS11114", "未查询到交易");
const NOT_FOUND: Error = Error("BBS11106", "未查到参数");

/// A refusal of a kind the public documents do not list.
const fn refused(text: &'static str) -> Error {
    Error("BBS16999", text)
}

/// The first refusal whose condition holds.
fn refuse<const N: usize>(checks: [(bool, Error); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, error)| Err(error))
}

impl Gateway {
    pub(super) fn answer(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let time = now.beijing_compact();
        let failure = |Error(code, msg): Error| json!({"code": code, "msg": msg, "resp_time": time});
        if self.authentic(request, now).is_none() {
            // Who has not proved to be the merchant gets an answer without a signature.
            let text = failure(Error("BBS11200", "验签失败")).to_string();
            return Answer::Reply(respond(401, (CONTENT_TYPE, "application/json"), text));
        }
        let value = match self.route(book, request, now) {
            Ok(None) => return Answer::Silence,
            Ok(Some(data)) => {
                json!({"code": "BBS00000", "msg": "成功", "resp_time": time, "resp_data": data})
            }
            Err(error) => failure(error),
        };
        Answer::Reply(self.signed(&value, now))
    }

    fn route(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Result {
        let path = request.uri().path().strip_prefix("/api/v3/labs/").unwrap_or_default();
        let body: Value = serde_json::from_slice(request.body()).map_err(|_| PARAM)?;
        let data = Data(&body["req_data"]);
        refuse([
            (request.method() != http::Method::POST, NOT_FOUND),
            (body["version"] != "3.0" || body["req_time"].as_str().is_none(), PARAM),
            (data.required("merchant_no")? != self.merchant_no, PARAM),
            (data.required("term_no")? != self.term_no, PARAM),
            (path != "query/tradequery" && data.0["location_info"]["request_ip"].as_str().is_none(), PARAM),
        ])?;
        match path {
            "trans/preorder" => self.preorder(book, &data, now),
            "trans/micropay" => self.micropay(book, &data, now),
            "query/tradequery" => self.query(book, data.required("out_trade_no")?).map(Some),
            "relation/close" => Self::shut(book, &data, now),
            "relation/revoked" => self.revoke(book, &data, now),
            "relation/refund" => self.refund(book, &data, now),
            _ => Err(NOT_FOUND),
        }
    }

    fn preorder(&self, book: &mut Book, data: &Data<'_>, now: Timestamp) -> Result {
        let (wallet, kind) = (data.required("account_type")?, data.required("trans_type")?);
        let fields = Data(&data.0["acc_busi_fields"]);
        let scenes: &[&str] = match wallet {
            "ALIPAY" | "UQRCODEPAY" => &["41", "51"],
            "WECHAT" => &["51", "61", "71"],
            _ => &[],
        };
        let payer = matches!(kind, "51" | "71");
        let wechat = wallet == "WECHAT";
        refuse([
            (!scenes.contains(&kind), PARAM),
            (payer && fields.required("user_id").is_err(), PARAM),
            (wechat && fields.required("sub_appid").is_ok_and(|appid| appid != self.sub_appid), PARAM),
            (wechat && fields.required("sub_appid").is_err(), PARAM),
        ])?;
        let minutes = fields.required("timeout_express").map_or(Ok(5), str::parse::<u64>);
        let minutes = minutes.ok().filter(|minutes| (1..=99).contains(minutes)).ok_or(PARAM)?;
        let order = Order {
            wallet: wallet.to_owned(),
            kind: kind.to_owned(),
            notify_url: data.required("notify_url").ok().map(str::to_owned),
            return_url: fields.required("front_url").ok().map(str::to_owned),
            expires: Some(now.plus(Duration::from_secs(minutes * 60))),
            ..self.new_order(book, data, now)?
        };
        let key = order.reference.clone();
        if let Some(known) = book.get(&key) {
            let parts = |order: &Order| (order.wallet.clone(), order.fen, order.kind.clone());
            let same = parts(known) == parts(&order);
            refuse([(!same || known.state() != State::Open, refused("商户交易流水号重复"))])?;
            return Ok(Some(self.prepaid(known, now)));
        }
        match book.start(order, now) {
            Started::Silent => Ok(None),
            Started::Unknown | Started::Poor => Err(SYSTEM),
            Started::Known => Ok(Some(self.prepaid(book.get(&key).ok_or(NO_TRADE)?, now))),
        }
    }

    fn micropay(&self, book: &mut Book, data: &Data<'_>, now: Timestamp) -> Result {
        let code = data.required("auth_code")?;
        let wallet = match code.get(..2).unwrap_or_default() {
            "10" | "11" | "12" | "13" | "14" | "15" => "WECHAT",
            "25" | "26" | "27" | "28" | "29" | "30" => "ALIPAY",
            "62" => "UQRCODEPAY",
            "01" => "DCPAY",
            _ => return Err(PARAM),
        };
        let order = self.new_order(book, data, now)?;
        let order = Order { wallet: wallet.to_owned(), direct: true, ..order };
        let key = order.reference.clone();
        refuse([(book.get(&key).is_some(), refused("商户交易流水号重复"))])?;
        match book.start(order, now) {
            Started::Silent => return Ok(None),
            Started::Unknown => return Err(SYSTEM),
            Started::Poor => return Err(refused("余额不足")),
            Started::Known => {}
        }
        let order = book.get(&key).ok_or(NO_TRADE)?;
        refuse([(order.paid.is_none(), UNDER_WAY)])?;
        let mut shown = self.shown(order);
        shown["trade_state"] = Value::Null;
        shown["trade_main_type"] = Value::Null;
        Ok(Some(shown))
    }

    fn new_order(&self, book: &Book, data: &Data<'_>, now: Timestamp) -> Result<Order> {
        let key = data.required("out_trade_no")?;
        let subject = data.required("subject")?;
        let fen = data.fen("total_amount")?;
        refuse([(key.len() > 32, PARAM), (subject.chars().count() > 42, PARAM)])?;
        let (day, number) = (now.beijing_compact(), book.next_order());
        Ok(Order {
            reference: key.to_owned(),
            id: format!("{}66{number:012}", &day[..8]),
            subject: subject.to_owned(),
            fen,
            ..Order::default()
        })
    }

    /// How the payer gets to an order.
    fn prepaid(&self, order: &Order, now: Timestamp) -> Value {
        let page = format!("{}/payer/{}", self.base_url, order.reference);
        let prepay_id = format!("wx{}", order.id);
        let fields = match (order.wallet.as_str(), order.kind.as_str()) {
            (_, "41") => json!({"code": page, "code_image": ""}),
            ("UQRCODEPAY", _) => json!({"redirect_url": page}),
            ("ALIPAY", _) => json!({"prepay_id": prepay_id}),
            (_, kind) => json!({
                "prepay_id": prepay_id, "app_id": self.sub_appid, "time_stamp": now.secs().to_string(),
                "nonce_str": format!("{:032x}", now.micros()), "sign_type": "RSA", "pay_sign": "c2FuZGJveA==",
                "package": if kind == "61" { "Sign=WXPay".to_owned() } else { format!("prepay_id={prepay_id}") },
                "partner_id": "1900000109",
            }),
        };
        json!({
            "merchant_no": self.merchant_no, "out_trade_no": order.reference, "trade_no": order.id,
            "log_no": &order.id[8..], "settle_merchant_no": "", "settle_term_no": "", "acc_resp_fields": fields,
        })
    }

    fn query(&self, book: &Book, number: &str) -> Result<Value> {
        if let Some(order) = book.get(number) {
            return Ok(self.shown(order));
        }
        if let Some((order, refund)) = book.find_refund(number) {
            let mut shown = self.trade(order, (&refund.reference, &refund.id), ("REFUND", refund.fen));
            shown["trade_time"] = refund.at.beijing_compact().into();
            return Ok(shown);
        }
        let order = book.find_reversal(number).ok_or(NO_TRADE)?;
        Ok(self.trade(order, (number, &format!("{}V", order.id)), ("CANCEL", order.fen)))
    }

    fn shown(&self, order: &Order) -> Value {
        let (state, text) = match order.state() {
            State::Paid if order.given() == order.fen => ("REFUND", "全部退款"),
            State::Paid if order.given() > 0 => ("PART_REFUND", "部分退款"),
            State::Paid => ("SUCCESS", "交易成功"),
            State::Closed if order.reversal.is_some() => ("REFUND", "订单被撤销"),
            State::Closed => ("CLOSE", "订单关闭"),
            State::Failed => ("FAIL", "余额不足"),
            State::Paying => ("DEAL", "交易处理中"),
            State::Open => ("CREATE", "下单成功"),
        };
        let kind = if order.direct { "MICROPAY" } else { "PREORDER" };
        let mut shown = self.trade(order, (&order.reference, &order.id), (kind, order.fen));
        shown["trade_state"] = state.into();
        shown["trade_state_desc"] = text.into();
        shown["trade_time"] = order.paid.map(Timestamp::beijing_compact).unwrap_or_default().into();
        shown
    }

    fn trade(&self, order: &Order, (number, id): (&str, &str), (kind, fen): (&str, i64)) -> Value {
        json!({
            "merchant_no": self.merchant_no, "out_trade_no": number, "trade_no": id, "log_no": &order.id[8..],
            "trade_main_type": kind, "acc_trade_no": format!("4200{id}"), "account_type": order.wallet,
            "trade_state": "SUCCESS", "trade_state_desc": "交易成功", "total_amount": fen.to_string(),
            "payer_amount": fen.to_string(), "trade_time": "",
        })
    }

    fn shut(book: &mut Book, data: &Data<'_>, now: Timestamp) -> Result {
        let key = data.required("origin_out_trade_no")?;
        let order = book.get(key).ok_or(NO_TRADE)?;
        refuse([(order.state() != State::Open, refused("当前状态不允许关单"))])?;
        let closed = json!({"origin_trade_no": order.id, "origin_out_trade_no": key,
            "trade_time": now.beijing_compact()});
        book.close(key, now);
        Ok(Some(closed))
    }

    /// Ends a barcode payment, with the money if it was taken.
    fn revoke(&self, book: &mut Book, data: &Data<'_>, now: Timestamp) -> Result {
        let (key, number) = (data.required("origin_out_trade_no")?, data.required("out_trade_no")?);
        let order = book.get(key).ok_or(NO_TRADE)?;
        refuse([
            (!order.direct, refused("仅被扫交易可以撤销")),
            (!order.refunds.is_empty(), refused("订单已退款")),
            (order.reversal.as_deref().is_some_and(|before| before != number), refused("订单已撤销")),
            (number.len() > 32 || book.get(number).is_some(), PARAM),
        ])?;
        let ended = json!({"merchant_no": self.merchant_no, "out_trade_no": number, "origin_trade_no": order.id,
            "origin_out_trade_no": key, "total_amount": order.fen.to_string(),
            "trade_time": now.beijing_compact()});
        book.reverse(key, Some(number.to_owned()), now);
        Ok(Some(ended))
    }

    fn refund(&self, book: &mut Book, data: &Data<'_>, now: Timestamp) -> Result {
        let key = data.required("origin_out_trade_no")?.to_owned();
        let number = data.required("out_trade_no")?;
        refuse([
            (number.len() > 32 || book.get(number).is_some(), PARAM),
            (data.required("refund_reason").is_err(), PARAM),
        ])?;
        let refund = Refund {
            reference: number.to_owned(),
            id: format!("{}67{:012}", &now.beijing_compact()[..8], book.next_refund()),
            fen: data.fen("refund_amount")?,
            at: now,
            notify_url: None,
        };
        match book.give_back(&key, refund) {
            Ok(Given::Known(refund)) => Ok(Some(json!({
                "merchant_no": self.merchant_no, "out_trade_no": refund.reference, "trade_no": refund.id,
                "log_no": &refund.id[8..], "refund_amount": refund.fen.to_string(),
                "total_amount": refund.fen.to_string(), "trade_time": refund.at.beijing_compact(),
                "origin_out_trade_no": key,
            }))),
            Ok(Given::Unknown) => Err(SYSTEM),
            Err(Refused::NoOrder) => Err(NO_TRADE),
            Err(Refused::Unpaid) => Err(refused("原交易未成功")),
            Err(Refused::TooMuch) => Err(refused("可退金额不足")),
            Err(Refused::Used) => Err(refused("商户交易流水号重复")),
            Err(Refused::Poor) => Err(refused("商户余额不足")),
        }
    }
}

/// The object that a request is about.
struct Data<'a>(&'a Value);

impl Data<'_> {
    fn required(&self, name: &str) -> Result<&str> {
        self.0[name].as_str().filter(|text| !text.is_empty()).ok_or(PARAM)
    }

    fn fen(&self, name: &str) -> Result<i64> {
        let text = self.required(name)?;
        let digits = text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|fen| digits && *fen > 0).ok_or(PARAM)
    }
}
