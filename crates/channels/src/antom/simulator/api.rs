//! The interface: what Antom checks and answers.

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use paycore::channel::simulator::Answer;
use paycore::currency::Currency;
use paycore::time::Timestamp;
use serde_json::{Value, json};

use super::Gateway;
use crate::sandbox::{Book, Given, Order, Refund, Refused, Started, State, respond};

/// Why a call fails, or is not understood: status, code, text.
struct Error(char, &'static str, &'static str);

/// What a call came to; nothing when it was carried out and nobody shall hear of it.
type Result<T = Option<Value>> = std::result::Result<T, Error>;

const PARAM: Error =
    Error('F', "PARAM_ILLEGAL", "The required parameters are not passed, or illegal parameters exist.");
const NO_ORDER: Error = Error('F', "ORDER_NOT_EXIST", "The order does not exist.");
const NO_REFUND: Error = Error('F', "REFUND_NOT_EXIST", "The refund does not exist.");
const OTHER: Error = Error('F', "REPEAT_REQ_INCONSISTENT", "Repeated requests are inconsistent.");
const CLOSED: Error = Error('F', "ORDER_IS_CLOSED", "The order is closed.");
const STATUS: Error = Error('F', "ORDER_STATUS_INVALID", "The order status is invalid.");
const TOO_MUCH: Error = Error('F', "REFUND_AMOUNT_EXCEED", "The refund amount exceeds the payment amount.");
const POOR: Error = Error('F', "MERCHANT_BALANCE_NOT_ENOUGH", "The merchant's balance is not enough.");
const NO_METHOD: Error = Error('F', "PAYMENT_METHOD_NOT_SUPPORTED", "The payment method is not supported.");
const SIGNATURE: Error = Error('F', "INVALID_SIGNATURE", "The signature is invalid.");
const NO_CALL: Error = Error('F', "NO_INTERFACE_DEF", "API is not defined.");
const SYSTEM: Error =
    Error('U', "UNKNOWN_EXCEPTION", "An API calling is failed, which is caused by unknown reasons.");

/// The wallets that this merchant has contracted.
const WALLETS: [&str; 6] = ["ALIPAY_HK", "KAKAOPAY", "TNG", "GCASH", "TRUEMONEY", "ALIPAY_CN"];

/// The first refusal whose condition holds.
fn refuse<const N: usize>(checks: [(bool, Error); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, error)| Err(error))
}

fn result(status: char, code: &str, text: &str) -> Value {
    json!({"resultStatus": status.to_string(), "resultCode": code, "resultMessage": text})
}

fn success() -> Value {
    result('S', "SUCCESS", "success")
}

impl Gateway {
    pub(super) fn answer(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let failed = |Error(status, code, text): Error| json!({"result": result(status, code, text)});
        if self.authentic(request, now).is_none() {
            // Who has not proved to be the merchant gets an answer without a signature.
            let text = failed(SIGNATURE).to_string();
            return Answer::Reply(respond(200, (CONTENT_TYPE, "application/json; charset=UTF-8"), text));
        }
        let path = request.uri().path();
        match self.route(book, request, now) {
            Ok(None) => Answer::Silence,
            Ok(Some(value)) => Answer::Reply(self.signed(path, &value, now)),
            Err(error) => Answer::Reply(self.signed(path, &failed(error), now)),
        }
    }

    fn route(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Result {
        let content = serde_json::from_slice(request.body()).map(Content).map_err(|_| PARAM)?;
        refuse([(request.method() != "POST", NO_CALL)])?;
        match request.uri().path().strip_prefix("/ams/sandbox/api/v1/payments/") {
            Some("pay") => self.pay(book, &content, now),
            Some("inquiryPayment") => Ok(Some(inquired(order_of(book, &content)?))),
            Some("cancel") => cancel(book, &content, now),
            Some("refund") => refund(book, &content, now),
            Some("inquiryRefund") => {
                let number = content.required("/refundRequestId")?;
                let (order, refund) = book.find_refund(number).ok_or(NO_REFUND)?;
                let mut said = refund_fields(order, refund);
                (said["result"], said["refundStatus"]) = (success(), "SUCCESS".into());
                Ok(Some(said))
            }
            _ => Err(NO_CALL),
        }
    }

    fn pay(&self, book: &mut Book, content: &Content, now: Timestamp) -> Result {
        let order = new_order(book, content, now)?;
        let key = order.reference.clone();
        if let Some(known) = book.get(&key) {
            let parts =
                |order: &Order| (order.subject.clone(), order.fen, order.currency, order.kind.clone());
            refuse([(parts(known) != parts(&order), OTHER), (known.state() == State::Closed, CLOSED)])?;
            return Ok(Some(self.begun(known)));
        }
        match book.start(order, now) {
            Started::Silent => Ok(None),
            Started::Unknown | Started::Poor => Err(SYSTEM),
            Started::Known => Ok(Some(self.begun(book.get(&key).ok_or(NO_ORDER)?))),
        }
    }

    fn begun(&self, order: &Order) -> Value {
        let mut said = payment_fields(order);
        if order.paid.is_some() {
            said["result"] = success();
        } else {
            said["result"] = result('U', "PAYMENT_IN_PROCESS", "payment in process");
            said["normalUrl"] = format!("{}/payer/{}", self.base_url, order.reference).into();
        }
        said
    }
}

fn new_order(book: &Book, content: &Content, now: Timestamp) -> Result<Order> {
    let key = content.required("/paymentRequestId")?;
    let method = content.required("/paymentMethod/paymentMethodType")?;
    let (fen, currency) = content.amount("/paymentAmount")?;
    let subject = content.required("/order/orderDescription")?;
    let address = |pointer| content.required(pointer).is_ok_and(|url| url.starts_with("http"));
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    refuse([
        (content.text("/productCode") != Some("CASHIER_PAYMENT"), PARAM),
        (key.len() > 64 || !plain, PARAM),
        (content.amount("/order/orderAmount")? != (fen, currency), PARAM),
        (content.text("/order/referenceOrderId").is_none() || subject.chars().count() > 256, PARAM),
        (!address("/paymentNotifyUrl") || !address("/paymentRedirectUrl"), PARAM),
        (content.text("/env/terminalType") != Some("WEB"), PARAM),
        (!WALLETS.contains(&method), NO_METHOD),
    ])?;
    let expires = content.text("/paymentExpiryTime").map(Timestamp::parse).transpose().map_err(|_| PARAM)?;
    refuse([(expires.is_some_and(|at| at <= now), PARAM)])?;
    Ok(Order {
        reference: key.to_owned(),
        id: format!("{}1801{:016}", now.beijing_compact(), book.next_order()),
        kind: method.to_owned(),
        subject: subject.to_owned(),
        fen,
        currency: Some(currency),
        notify_url: content.text("/paymentNotifyUrl").map(str::to_owned),
        return_url: content.text("/paymentRedirectUrl").map(str::to_owned),
        expires,
        ..Order::default()
    })
}

fn payment_fields(order: &Order) -> Value {
    let mut said = json!({
        "paymentRequestId": order.reference, "paymentId": order.id,
        "paymentAmount": {"currency": order.currency().code(), "value": order.fen.to_string()},
    });
    if let Some(at) = order.paid {
        said["paymentTime"] = at.to_rfc3339_seconds(8 * 3600).into();
    }
    said
}

fn inquired(order: &Order) -> Value {
    let expired = order.closed.is_some() && order.closed == order.expires;
    let (status, code, text) = match order.state() {
        State::Paid => ("SUCCESS", "SUCCESS", "success"),
        State::Closed if expired => ("FAIL", CLOSED.1, CLOSED.2),
        State::Closed => ("CANCELLED", "ORDER_IS_CANCELED", "The order is canceled."),
        _ => ("PROCESSING", "PAYMENT_IN_PROCESS", "payment in process"),
    };
    let mut said = payment_fields(order);
    said["result"] = success();
    said["paymentStatus"] = status.into();
    (said["paymentResultCode"], said["paymentResultMessage"]) = (code.into(), text.into());
    said
}

fn cancel(book: &mut Book, content: &Content, now: Timestamp) -> Result {
    let order = order_of(book, content)?;
    let (key, id) = (order.reference.clone(), order.id.clone());
    refuse([(!order.refunds.is_empty(), STATUS)])?;
    match order.state() {
        State::Paid | State::Paying => book.reverse(&key, None, now),
        State::Open => book.close(&key, now),
        State::Closed | State::Failed => {}
    }
    Ok(Some(json!({
        "result": success(), "paymentRequestId": key, "paymentId": id,
        "cancelTime": now.to_rfc3339_seconds(8 * 3600),
    })))
}

fn refund(book: &mut Book, content: &Content, now: Timestamp) -> Result {
    let order = order_of(book, content)?;
    let (key, currency) = (order.reference.clone(), order.currency());
    let number = content.required("/refundRequestId")?;
    let (fen, said) = content.amount("/refundAmount")?;
    refuse([(number.len() > 64 || said != currency, PARAM)])?;
    let refund = Refund {
        reference: number.to_owned(),
        id: format!("{}1802{:016}", now.beijing_compact(), book.next_refund()),
        fen,
        at: now,
        notify_url: content.text("/refundNotifyUrl").map(str::to_owned),
    };
    match book.give_back(&key, refund) {
        Ok(Given::Known(refund)) => {
            let mut said = refund_fields(book.get(&key).ok_or(NO_ORDER)?, &refund);
            said["result"] = success();
            Ok(Some(said))
        }
        Ok(Given::Unknown) => Err(SYSTEM),
        Err(Refused::NoOrder) => Err(NO_ORDER),
        Err(Refused::Unpaid) => Err(STATUS),
        Err(Refused::TooMuch) => Err(TOO_MUCH),
        Err(Refused::Used) => Err(OTHER),
        Err(Refused::Poor) => Err(POOR),
    }
}

fn refund_fields(order: &Order, refund: &Refund) -> Value {
    json!({
        "refundRequestId": refund.reference, "refundId": refund.id, "paymentId": order.id,
        "refundAmount": {"currency": order.currency().code(), "value": refund.fen.to_string()},
        "refundTime": refund.at.to_rfc3339_seconds(8 * 3600),
    })
}

pub(super) fn payment_news(order: &Order) -> Value {
    let mut said = payment_fields(order);
    (said["notifyType"], said["result"]) = ("PAYMENT_RESULT".into(), success());
    said
}

pub(super) fn refund_news(order: &Order, refund: &Refund) -> Value {
    let mut said = refund_fields(order, refund);
    (said["notifyType"], said["refundStatus"]) = ("REFUND_RESULT".into(), "SUCCESS".into());
    said["result"] = success();
    said
}

/// The payment that a call names by either number; Antom's own goes first.
fn order_of<'b>(book: &'b Book, content: &Content) -> Result<&'b Order> {
    let found = match content.text("/paymentId") {
        Some(id) => book.find_id(id),
        None => book.get(content.required("/paymentRequestId")?),
    };
    found.ok_or(NO_ORDER)
}

/// A request's body, read by JSON pointers.
struct Content(Value);

impl Content {
    fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn required(&self, pointer: &str) -> Result<&str> {
        self.text(pointer).ok_or(PARAM)
    }

    /// Minor units and their currency.
    fn amount(&self, pointer: &str) -> Result<(i64, Currency)> {
        let value = self.required(&format!("{pointer}/value"))?;
        let digits = value.len() <= 16 && value.bytes().all(|byte| byte.is_ascii_digit());
        let fen = value.parse().ok().filter(|fen| *fen > 0 && digits).ok_or(PARAM)?;
        let currency = Currency::parse(self.required(&format!("{pointer}/currency"))?);
        Ok((fen, currency.map_err(|_| PARAM)?))
    }
}
