//! The interface: what Shouqianba checks and answers.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;
use serde_json::{Value, json};

use super::Gateway;
use crate::sandbox::{Book, Given, Order, Refund, Refused, Started, State, respond};

/// Why a request is not carried out.
enum Error {
    /// It did not arrive: result, code, text.
    Outer(&'static str, &'static str, &'static str),
    /// It arrived and failed: result, code, text.
    Inner(&'static str, &'static str, &'static str),
}

/// What a request came to, and nothing when it was carried out and nobody shall hear of it.
type Result<T = Option<Value>> = std::result::Result<T, Error>;

const PARAM: Error = Error::Outer("400", "INVALID_PARAMS", "参数错误");
const SYSTEM: Error = Error::Outer("500", "UNKNOWN_SYSTEM_ERROR", "系统错误");
const NO_ORDER: Error = Error::Inner("FAIL", "UPAY_ORDER_NOT_EXISTS", "订单不存在");
const CONFLICT: Error = Error::Inner("FAIL", "CLIENT_SN_CONFLICT", "client_sn在系统中已存在");

/// How long a QR code may be paid.
const SECONDS: u64 = 240;

/// The first refusal whose condition holds.
fn refuse<const N: usize>(checks: [(bool, Error); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, error)| Err(error))
}

impl Gateway {
    pub(super) fn answer(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let routed = match self.authentic(request) {
            Some(()) => self.route(book, request, now),
            None => Err(Error::Outer("400", "ILLEGAL_SIGN", "签名错误")),
        };
        let value = match routed {
            Ok(None) => return Answer::Silence,
            Ok(Some(business)) => json!({"result_code": "200", "biz_response": business}),
            Err(Error::Outer(result, code, text)) => {
                json!({"result_code": result, "error_code": code, "error_message": text})
            }
            Err(Error::Inner(result, code, text)) => {
                let business = json!({"result_code": result, "error_code": code, "error_message": text});
                json!({"result_code": "200", "biz_response": business})
            }
        };
        Answer::Reply(respond(200, (CONTENT_TYPE, "application/json;charset=UTF-8"), value.to_string()))
    }

    fn route(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Result {
        let body: Value = serde_json::from_slice(request.body()).map_err(|_| PARAM)?;
        let data = Data(&body);
        let unknown = Error::Outer("400", "INVALID_TERMINAL", "终端错误");
        refuse([(data.required("terminal_sn")? != self.terminal_sn, unknown)])?;
        match request.uri().path().strip_prefix("/upay/v2/").unwrap_or_default() {
            "pay" => self.pay(book, &data, now),
            "precreate" => self.precreate(book, &data, now),
            "query" => self.query(book, &data).map(Some),
            "cancel" | "revoke" => self.cancel(book, &data, now),
            "refund" => self.refund(book, &data, now),
            _ => Err(PARAM),
        }
    }

    fn pay(&self, book: &mut Book, data: &Data<'_>, now: Timestamp) -> Result {
        let code = data.required("dynamic_id")?;
        let wallet = match code.get(..2).unwrap_or_default() {
            "10" | "11" | "12" | "13" | "14" | "15" => "3",
            "25" | "26" | "27" | "28" | "29" | "30" => "1",
            "62" => "17",
            _ => return Err(Error::Inner("PAY_FAIL", "INVALID_BARCODE", "条码错误")),
        };
        let order = Self::new_order(book, data, wallet, "1")?;
        let (key, order) = (order.reference.clone(), Order { direct: true, ..order });
        refuse([(book.get(&key).is_some(), CONFLICT)])?;
        match book.start(order, now) {
            Started::Silent => return Ok(None),
            Started::Unknown => return Err(SYSTEM),
            Started::Known | Started::Poor => {}
        }
        let order = book.get(&key).ok_or(NO_ORDER)?;
        let shown = self.shown(order);
        Ok(Some(match order.state() {
            State::Paid => json!({"result_code": "PAY_SUCCESS", "data": shown}),
            State::Failed => json!({"result_code": "PAY_FAIL", "error_code": "INSUFFICIENT_FUND",
                "error_message": "账户金额不足", "data": shown}),
            _ => json!({"result_code": "PAY_IN_PROGRESS", "data": shown}),
        }))
    }

    fn precreate(&self, book: &mut Book, data: &Data<'_>, now: Timestamp) -> Result {
        let sub_payway = data.required("sub_payway").unwrap_or("2");
        let payway = data.required("payway")?;
        let page = matches!(sub_payway, "3" | "4");
        refuse([
            (!["1", "2", "3", "17"].contains(&payway) || !["2", "3", "4"].contains(&sub_payway), PARAM),
            (page && data.required("payer_uid").is_err(), PARAM),
        ])?;
        let order = Order {
            expires: Some(now.plus(Duration::from_secs(SECONDS))),
            ..Self::new_order(book, data, payway, sub_payway)?
        };
        let key = order.reference.clone();
        if let Some(known) = book.get(&key) {
            let parts = |order: &Order| (order.wallet.clone(), order.fen, order.kind.clone());
            refuse([(parts(known) != parts(&order) || known.state() != State::Open, CONFLICT)])?;
            return Ok(Some(self.created(known, now)));
        }
        match book.start(order, now) {
            Started::Silent => Ok(None),
            Started::Unknown | Started::Poor => Err(SYSTEM),
            Started::Known => Ok(Some(self.created(book.get(&key).ok_or(NO_ORDER)?, now))),
        }
    }

    fn new_order(book: &Book, data: &Data<'_>, wallet: &str, kind: &str) -> Result<Order> {
        let (key, subject) = (data.required("client_sn")?, data.required("subject")?);
        let notify_url = data.required("notify_url").ok();
        refuse([
            (key.len() > 32 || subject.chars().count() > 64, PARAM),
            (data.required("operator").is_err(), PARAM),
            (notify_url.is_some_and(|url| url.len() > 128), PARAM),
        ])?;
        Ok(Order {
            reference: key.to_owned(),
            id: Gateway::number(book),
            wallet: wallet.to_owned(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            fen: data.fen("total_amount")?,
            notify_url: notify_url.map(str::to_owned),
            ..Order::default()
        })
    }

    /// Sixteen digits.
    pub(super) fn number(book: &Book) -> String {
        format!("78942592{:08}", book.next_order())
    }

    /// How the payer gets to an order.
    fn created(&self, order: &Order, now: Timestamp) -> Value {
        let mut data = self.shown(order);
        if order.kind == "2" {
            data["qr_code"] = format!("{}/payer/{}", self.base_url, order.reference).into();
        } else if order.wallet == "3" {
            data["wap_pay_request"] = json!({
                "appId": "wxsandbox", "timeStamp": now.secs().to_string(), "nonceStr": format!("{:032x}", now.micros()),
                "package": format!("prepay_id=wx{}", order.id), "signType": "MD5", "paySign": "0123456789ABCDEF",
            });
        } else {
            data["wap_pay_request"] = json!({"tradeNO": format!("2026{}", order.id)});
        }
        json!({"result_code": "PRECREATE_SUCCESS", "data": data})
    }

    /// An order with its last transaction.
    pub(super) fn shown(&self, order: &Order) -> Value {
        let (state, status) = match order.state() {
            State::Paid if order.given() == order.fen => ("REFUNDED", "SUCCESS"),
            State::Paid if order.given() > 0 => ("PARTIAL_REFUNDED", "SUCCESS"),
            State::Paid => ("PAID", "SUCCESS"),
            State::Closed if order.reversal.is_some() => ("CANCELED", "SUCCESS"),
            State::Closed | State::Failed => ("PAY_CANCELED", "FAIL_CANCELED"),
            State::Open | State::Paying => ("CREATED", "IN_PROG"),
        };
        let last = order.refunds.last();
        let tsn = last.map_or(order.reference.clone(), |refund| transaction(order, refund));
        let at = last.map(|refund| refund.at).or(order.paid).or(order.closed).map(millis);
        let net = if order.state() == State::Paid { order.fen - order.given() } else { 0 };
        let mut shown = json!({
            "terminal_sn": self.terminal_sn, "sn": order.id, "client_sn": order.reference, "client_tsn": tsn,
            "status": status, "order_status": state, "payway": order.wallet, "sub_payway": order.kind,
            "total_amount": order.fen.to_string(), "net_amount": net.to_string(), "subject": order.subject,
            "operator": "paycore",
        });
        if let Some(at) = at {
            shown["trade_no"] = format!("4200{}", order.id).into();
            shown["finish_time"] = at.as_str().into();
            shown["channel_finish_time"] = at.into();
        }
        shown
    }

    fn query(&self, book: &Book, data: &Data<'_>) -> Result<Value> {
        let order = find(book, data)?;
        let mut shown = self.shown(order);
        if let Ok(number) = data.required("refund_request_no") {
            let refund = order.refund(number).ok_or(NO_ORDER)?;
            shown["client_tsn"] = transaction(order, refund).into();
            shown["finish_time"] = millis(refund.at).into();
        }
        let mut business = json!({"result_code": "SUCCESS", "data": shown});
        if order.failed {
            business["error_code"] = "INSUFFICIENT_FUND".into();
            business["error_message"] = "账户金额不足".into();
        }
        Ok(business)
    }

    /// Ends an order, with the money if it was taken.
    fn cancel(&self, book: &mut Book, data: &Data<'_>, now: Timestamp) -> Result {
        let order = find(book, data)?;
        let key = order.reference.clone();
        let invalid = || Error::Inner("FAIL", "UPAY_CANCEL_INVALID_ORDER_STATE", "当前订单状态不可撤销");
        match order.state() {
            // The script "paid after close" is about orders that are open.
            State::Open => book.close(&key, now),
            State::Paid if !order.refunds.is_empty() => return Err(invalid()),
            State::Paying | State::Paid => book.reverse(&key, Some(key.clone()), now),
            State::Closed | State::Failed => return Err(invalid()),
        }
        let mut shown = self.shown(book.get(&key).ok_or(NO_ORDER)?);
        shown["order_status"] = "CANCELED".into();
        Ok(Some(json!({"result_code": "CANCEL_SUCCESS", "data": shown})))
    }

    fn refund(&self, book: &mut Book, data: &Data<'_>, now: Timestamp) -> Result {
        let key = find(book, data)?.reference.clone();
        let number = data.required("refund_request_no")?;
        refuse([(number.len() > 20 || data.required("operator").is_err(), PARAM)])?;
        let refund = Refund {
            reference: number.to_owned(),
            id: String::new(),
            fen: data.fen("refund_amount")?,
            at: now,
            notify_url: None,
        };
        match book.give_back(&key, refund) {
            Ok(Given::Known(_)) => {
                let shown = self.shown(book.get(&key).ok_or(NO_ORDER)?);
                Ok(Some(json!({"result_code": "REFUND_SUCCESS", "data": shown})))
            }
            Ok(Given::Unknown) => Err(SYSTEM),
            Err(Refused::NoOrder) => Err(NO_ORDER),
            Err(Refused::Unpaid) => {
                Err(Error::Inner("FAIL", "UPAY_REFUND_INVALID_ORDER_STATE", "当前订单状态不可退款"))
            }
            Err(Refused::TooMuch) => {
                Err(Error::Inner("FAIL", "REFUNDABLE_AMOUNT_NOT_ENOUGH", "订单可退金额不足"))
            }
            Err(Refused::Used) => Err(PARAM),
            Err(Refused::Poor) => Err(Error::Inner("FAIL", "ACCOUNT_BALANCE_NOT_ENOUGH", "商户余额不足")),
        }
    }
}

/// By the provider's number first, then by the merchant's.
fn find<'b>(book: &'b Book, data: &Data<'_>) -> Result<&'b Order> {
    let by_id = data.required("sn").ok().and_then(|sn| book.find_id(sn));
    by_id.or_else(|| book.get(data.required("client_sn").ok()?)).ok_or(NO_ORDER)
}

/// The number of a refund's transaction.
fn transaction(order: &Order, refund: &Refund) -> String {
    format!("{}-{}", order.reference, refund.reference)
}

fn millis(at: Timestamp) -> String {
    (at.micros() / 1_000).to_string()
}

/// A request's body.
struct Data<'a>(&'a Value);

impl Data<'_> {
    fn required(&self, name: &str) -> Result<&str> {
        self.0[name].as_str().filter(|text| !text.is_empty()).ok_or(PARAM)
    }

    fn fen(&self, name: &str) -> Result<i64> {
        let text = self.required(name)?;
        let digits = text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|fen| digits && *fen > 0).ok_or(PARAM)
    }
}
