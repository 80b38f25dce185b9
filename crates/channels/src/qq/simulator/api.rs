//! The XML interface: what QQ wallet checks and answers.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use md5::{Digest as _, Md5};
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;

use super::Wallet;
use crate::sandbox::xml::{Fields, fields, write};
use crate::sandbox::{Book, Given, Order, Refund, Refused, Started, State, respond};

/// Why a request is not carried out: code and text.
struct Error(&'static str, &'static str);

/// What a request came to: the fields of the answer, or nothing when it was carried out and nobody shall hear of it.
type Result<T = Option<Fields>> = std::result::Result<T, Error>;

const PARAM: Error = Error("PARAM_ERROR", "参数错误");
const NO_ORDER: Error = Error("ORDERNOTEXIST", "订单不存在");
const NO_REFUND: Error = Error("REFUNDNOTEXIST", "退款不存在");
const SYSTEM: Error = Error("SYSTEMERROR", "系统错误");
const PAID: Error = Error("ORDERPAID", "订单已支付");
const CLOSED: Error = Error("ORDERCLOSED", "订单已关闭");
const USERPAYING: Error = Error("USERPAYING", "用户支付中，需要输入密码");
const POOR: Error = Error("NOTENOUGH", "余额不足");
const USED: Error = Error("OUT_TRADE_NO_USED", "商户订单号重复");
const TYPES: [&str; 5] = ["NATIVE", "JSAPI", "APP", "MINIAPP", "MICROPAY"];

/// The first refusal whose condition holds.
fn refuse<const N: usize>(checks: [(bool, Error); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, error)| Err(error))
}

impl Wallet {
    pub(super) fn answer(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let path = request.uri().path().strip_prefix("/cgi-bin/").unwrap_or_default();
        let xml = (CONTENT_TYPE, "text/xml; charset=utf-8");
        let content = Some(request).filter(|request| request.method() == Method::POST);
        let Some(content) = content.and_then(|request| self.authentic(request.body())) else {
            let body = write(&fields([("return_code", "FAIL"), ("return_msg", "签名错误")]));
            return Answer::Reply(respond(200, xml, body));
        };
        let content = Content(content);
        if path == "sp_download/qpay_mch_statement_down.cgi"
            && let Some(bill) = self.bill_of(book, &content)
        {
            return Answer::Reply(respond(200, (CONTENT_TYPE, "text/plain; charset=utf-8"), bill));
        }
        let (code, mut said) = match self.route(book, path, &content, now) {
            Ok(None) => return Answer::Silence,
            Ok(Some(said)) => ("SUCCESS", said),
            Err(Error(code, text)) => ("FAIL", fields([("err_code", code), ("err_code_des", text)])),
        };
        said.extend(fields([("return_code", "SUCCESS"), ("return_msg", "SUCCESS"), ("result_code", code)]));
        Answer::Reply(respond(200, xml, self.document(said, now)))
    }

    fn route(&self, book: &mut Book, path: &str, content: &Content, now: Timestamp) -> Result {
        let app = content.text("appid").is_none_or(|appid| appid == self.appid);
        let mismatch = Error("APPID_MCHID_NOT_MATCH", "appid 与 mch_id 不匹配");
        refuse([
            (content.text("mch_id") != Some(&self.mch_id), Error("MCHID_NOT_EXIST", "商户号不存在")),
            (!app, mismatch),
            (content.text("nonce_str").is_none_or(|nonce| nonce.len() > 32), PARAM),
        ])?;
        match path {
            "pay/qpay_unified_order.cgi" | "pay/qpay_micro_pay.cgi" => {
                self.start(book, path == "pay/qpay_micro_pay.cgi", content, now)
            }
            "pay/qpay_order_query.cgi" => Ok(Some(shown(find(book, content)?))),
            "pay/qpay_close_order.cgi" => shut(book, content, now),
            "pay/qpay_reverse.cgi" => self.reverse(book, content, now),
            "pay/qpay_refund.cgi" => self.refund(book, content, now),
            "pay/qpay_refund_query.cgi" => {
                let number = content.required("out_refund_no")?;
                let (order, refund) = book.find_refund(number).ok_or(NO_REFUND)?;
                let mut said = given(order, refund, "_0");
                said.extend(fields([("refund_count", "1"), ("refund_status_0", "SUCCESS")]));
                Ok(Some(said))
            }
            _ => Err(PARAM),
        }
    }

    fn start(&self, book: &mut Book, barcode: bool, content: &Content, now: Timestamp) -> Result {
        let order = self.new_order(book, barcode, content, now)?;
        let key = order.reference.clone();
        if let Some(known) = book.get(&key) {
            let parts = |order: &Order| (order.subject.clone(), order.fen, order.kind.clone());
            refuse([
                (known.state() == State::Paid, PAID),
                (known.state() == State::Closed, CLOSED),
                (parts(known) != parts(&order), USED),
                (known.failed, POOR),
                (known.direct, USERPAYING),
            ])?;
            return Ok(Some(self.prepaid(known)));
        }
        match book.start(order, now) {
            Started::Silent => return Ok(None),
            Started::Unknown => return Err(SYSTEM),
            Started::Poor => return Err(POOR),
            Started::Known => {}
        }
        let order = book.get(&key).ok_or(NO_ORDER)?;
        refuse([(barcode && order.state() != State::Paid, USERPAYING)])?;
        Ok(Some(if barcode { shown(order) } else { self.prepaid(order) }))
    }

    fn new_order(&self, book: &Book, barcode: bool, content: &Content, now: Timestamp) -> Result<Order> {
        let (out_trade_no, body) = (content.required("out_trade_no")?, content.required("body")?);
        let fen = content.number("total_fee").filter(|fen| (1..=2_147_483_647).contains(fen)).ok_or(PARAM)?;
        let trade_type = content.required("trade_type")?;
        let notify_url = content.text("notify_url");
        let address = |url: &str| url.starts_with("http") && !url.contains('?') && url.len() <= 255;
        let code = content.text("auth_code").unwrap_or_default();
        let digits = code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_digit());
        refuse([
            (out_trade_no.len() > 32 || !out_trade_no.bytes().all(|b| b.is_ascii_alphanumeric()), PARAM),
            (body.len() > 128, PARAM),
            (content.required("fee_type")? != "CNY", PARAM),
            (content.required("spbill_create_ip")?.len() > 16, PARAM),
            (!TYPES.contains(&trade_type) || (trade_type == "MICROPAY") != barcode, PARAM),
            (barcode && (!digits || content.text("device_info").is_none()), PARAM),
            (!barcode && !notify_url.is_some_and(address), PARAM),
        ])?;
        let expires = content.text("time_expire").map(Timestamp::parse_beijing_compact);
        let expires = expires.transpose().map_err(|_| PARAM)?;
        refuse([(expires.is_some_and(|at| at <= now), PARAM)])?;
        let (day, number) = (now.beijing_compact(), book.next_order());
        Ok(Order {
            reference: out_trade_no.to_owned(),
            id: format!("{}46{}{number:08}", self.mch_id, &day[..8]),
            kind: trade_type.to_owned(),
            direct: barcode,
            subject: body.to_owned(),
            fen,
            notify_url: notify_url.filter(|_| !barcode).map(str::to_owned),
            expires,
            ..Order::default()
        })
    }

    /// How the payer gets to an order.
    fn prepaid(&self, order: &Order) -> Fields {
        let prepay_id = format!("6V{}", order.id);
        let page = format!("{}/payer/{}", self.base_url, order.reference);
        let code_url = if order.kind == "NATIVE" { page.as_str() } else { "" };
        fields([("trade_type", &order.kind), ("prepay_id", &prepay_id), ("code_url", code_url)])
    }

    /// Ends a barcode payment, with the money if it was taken.
    fn reverse(&self, book: &mut Book, content: &Content, now: Timestamp) -> Result {
        self.operated(content)?;
        let order = find(book, content)?;
        let key = order.reference.clone();
        refuse([
            (!order.direct, Error("INVALID_REQUEST", "仅付款码支付可以撤销")),
            (!order.refunds.is_empty(), Error("INVALID_REQUEST", "订单已退款")),
        ])?;
        book.reverse(&key, None, now);
        Ok(Some(fields([("out_trade_no", &key), ("recall", "N")])))
    }

    fn refund(&self, book: &mut Book, content: &Content, now: Timestamp) -> Result {
        self.operated(content)?;
        let order = find(book, content)?;
        let (key, number) = (order.reference.clone(), content.required("out_refund_no")?);
        refuse([
            (content.number("total_fee").is_some_and(|total| total != order.fen), PARAM),
            (number.len() > 32, PARAM),
        ])?;
        let refund = Refund {
            reference: number.to_owned(),
            id: format!("112{}{}{:08}", self.mch_id, &now.beijing_compact()[..8], book.next_refund()),
            fen: content.number("refund_fee").filter(|fen| *fen > 0).ok_or(PARAM)?,
            at: now,
            notify_url: None,
        };
        match book.give_back(&key, refund) {
            Ok(Given::Known(refund)) => Ok(Some(given(book.get(&key).ok_or(NO_ORDER)?, &refund, ""))),
            Ok(Given::Unknown) => Err(SYSTEM),
            Err(Refused::NoOrder) => Err(NO_ORDER),
            Err(Refused::Unpaid) => Err(Error("INVALID_REQUEST", "订单未支付")),
            Err(Refused::TooMuch) => Err(Error("REFUND_FEE_INVALID", "退款金额大于可退金额")),
            Err(Refused::Used) => Err(Error("INVALID_REQUEST", "退款单号已被使用，参数不一致")),
            Err(Refused::Poor) => Err(Error("NOTENOUGH", "商户余额不足")),
        }
    }

    /// Whether the operator is the merchant's, by number and digest of the password.
    fn operated(&self, content: &Content) -> Result<()> {
        let digest = Md5::digest(self.operator.1.as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let known = content.required("op_user_id")? == self.operator.0;
        let proved = content.required("op_user_passwd")?.eq_ignore_ascii_case(&digest);
        refuse([(!known || !proved, Error("OP_USER_PASSWD_ERROR", "操作员密码错误"))])
    }

    /// The bill of a day, if a day is named.
    fn bill_of(&self, book: &Book, content: &Content) -> Option<String> {
        let day = content.text("bill_date").filter(|day| day.len() == 8)?;
        let from = Timestamp::parse_beijing_compact(&format!("{day}000000")).ok()?;
        let ours = content.text("mch_id") == Some(&self.mch_id) && content.text("bill_type") == Some("ALL");
        ours.then(|| self.bill(book, from, from.plus(Duration::from_secs(86_400))))
    }
}

/// By the provider's number, which is told of what is paid, or else by the merchant's.
fn find<'b>(book: &'b Book, content: &Content) -> Result<&'b Order> {
    let order = match content.text("transaction_id") {
        Some(id) => book.find_id(id).filter(|order| order.paid.is_some()),
        None => content.text("out_trade_no").and_then(|number| book.get(number)),
    };
    order.ok_or(NO_ORDER)
}

fn shut(book: &mut Book, content: &Content, now: Timestamp) -> Result {
    let order = find(book, content)?;
    let key = order.reference.clone();
    refuse([
        (order.direct, Error("INVALID_REQUEST", "付款码支付请调用撤销接口")),
        (order.state() == State::Paid, PAID),
        (order.state() == State::Closed, CLOSED),
        (order.state() == State::Paying, USERPAYING),
    ])?;
    book.close(&key, now);
    Ok(Some(Fields::new()))
}

/// What is told of an order.
pub(super) fn shown(order: &Order) -> Fields {
    let (state, text) = match order.state() {
        State::Paid if order.refunds.is_empty() => ("SUCCESS", "支付成功"),
        State::Paid => ("REFUND", "转入退款"),
        State::Closed if order.direct => ("REVOKED", "订单已撤销"),
        State::Closed => ("CLOSED", "订单已关闭"),
        State::Failed => ("PAYERROR", "余额不足，支付失败"),
        State::Open | State::Paying if order.direct => ("USERPAYING", "需要用户输入支付密码"),
        State::Open | State::Paying => ("NOTPAY", "订单未支付"),
    };
    let total = order.fen.to_string();
    let mut said = fields([
        ("out_trade_no", order.reference.as_str()),
        ("trade_state", state),
        ("trade_state_desc", text),
        ("total_fee", &total),
        ("fee_type", "CNY"),
        ("trade_type", &order.kind),
    ]);
    if let Some(at) = order.paid {
        said.extend(fields([
            ("transaction_id", order.id.as_str()),
            ("bank_type", "BALANCE"),
            ("cash_fee", &total),
            ("openid", "SANDBOX0PAYER"),
            ("time_end", &at.beijing_compact()),
        ]));
    }
    said
}

/// What is told of a refund, by itself or as a row of a list.
fn given(order: &Order, refund: &Refund, row: &str) -> Fields {
    let (total, back) = (order.fen.to_string(), refund.fen.to_string());
    let mut said = fields([
        ("transaction_id", order.id.as_str()),
        ("out_trade_no", &order.reference),
        ("total_fee", &total),
        ("cash_fee", &total),
    ]);
    let values = [&refund.reference, &refund.id, &back, "ORIGINAL"];
    let names = ["out_refund_no", "refund_id", "refund_fee", "refund_channel"];
    said.extend(names.iter().zip(values).map(|(name, value)| (format!("{name}{row}"), value.to_owned())));
    said
}

/// A request's fields.
struct Content(Fields);

impl Content {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    fn required(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or(PARAM)
    }
}
