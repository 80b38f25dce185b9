//! Payments by face: what WeChat Pay checks and answers.

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;

use super::Merchant;
use super::wire::{Content, Error, PARAM, Result, SYSTEM, plain, refuse, stranger};
use crate::sandbox::wechat_login::OPENID;
use crate::sandbox::xml::{Fields, fields};
use crate::sandbox::{Book, Given, Order, Refund, Refused, Started, State, respond};

const NO_ORDER: Error = Error("ORDERNOTEXIST", "订单不存在");
const NO_REFUND: Error = Error("REFUNDNOTEXIST", "退款不存在");
const POOR: Error = Error("NOTENOUGH", "余额不足");
const USERPAYING: Error = Error("USERPAYING", "用户支付中，需要输入密码");
const SECONDS_OF_DAY: u64 = 86_400;

impl Merchant {
    pub(super) fn answer(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let Some(content) = self.authentic(request) else { return Answer::Reply(stranger()) };
        let path = request.uri().path().trim_start_matches('/');
        if path == "pay/downloadbill" {
            return Answer::Reply(match self.bill_of(book, &content) {
                Ok(bill) => respond(200, (CONTENT_TYPE, "text/plain; charset=utf-8"), bill),
                // Only what went wrong outside is told of a bill, and without a signature.
                Err(Error(code, text)) => {
                    plain(&fields([("return_code", "FAIL"), ("return_msg", text), ("error_code", code)]))
                }
            });
        }
        if path == "face/get_wxpayface_authinfo" {
            // Of the two codes it has only the outer.
            return Answer::Reply(
                match self.ours(&content, "appid").and_then(|()| authorize(&content, now)) {
                    Ok(said) => self.signed(said, content.hmac(), now),
                    Err(Error(_, text)) => plain(&fields([("return_code", "FAIL"), ("return_msg", text)])),
                },
            );
        }
        let (code, mut said) = match self.route(book, path, &content, now) {
            Ok(None) => return Answer::Silence,
            Ok(Some(said)) => ("SUCCESS", said),
            Err(Error(code, text)) => ("FAIL", fields([("err_code", code), ("err_code_des", text)])),
        };
        said.extend(fields([("return_code", "SUCCESS"), ("return_msg", "OK"), ("result_code", code)]));
        Answer::Reply(self.signed(said, content.hmac(), now))
    }

    fn route(&self, book: &mut Book, path: &str, content: &Content, now: Timestamp) -> Result {
        self.ours(content, "appid")?;
        match path {
            "pay/facepay" => self.charge(book, content, now),
            "pay/facepayquery" => Ok(Some(shown(find(book, content)?))),
            "secapi/pay/facepayreverse" => reverse(book, content, now),
            "secapi/pay/refund" => refund(book, content, now),
            "pay/refundquery" => {
                let number = content.required("out_refund_no")?;
                let (order, refund) = book.find_refund(number).ok_or(NO_REFUND)?;
                let mut said = given(order, refund, "_0");
                said.extend(fields([("refund_count", "1"), ("refund_status_0", "SUCCESS")]));
                Ok(Some(said))
            }
            _ => Err(PARAM),
        }
    }

    fn charge(&self, book: &mut Book, content: &Content, now: Timestamp) -> Result {
        let (key, subject) = (content.required("out_trade_no")?, content.required("body")?);
        let (fen, code) = (content.fen("total_fee")?, content.required("face_code")?);
        let hmac = Error("SIGNERROR", "刷脸支付仅支持HMAC-SHA256");
        refuse([
            (!content.hmac(), hmac),
            (key.len() > 32 || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()), PARAM),
            (subject.len() > 128 || code.len() > 128, PARAM),
            (content.required("fee_type")? != "CNY", PARAM),
            (content.required("spbill_create_ip")?.len() > 16, PARAM),
        ])?;
        if let Some(known) = book.get(key) {
            let same = known.fen == fen && known.subject == subject;
            refuse([
                (known.state() == State::Paid, Error("ORDERPAID", "订单已支付")),
                (known.state() == State::Closed, Error("ORDERREVERSED", "订单已撤销")),
                (!same, Error("OUT_TRADE_NO_USED", "商户订单号重复")),
                (known.failed, POOR),
            ])?;
            return Err(USERPAYING);
        }
        let (day, number) = (now.beijing_compact(), book.next_order());
        let order = Order {
            reference: key.to_owned(),
            id: format!("42000018{}{number:012}", &day[..8]),
            kind: "MICROPAY".to_owned(),
            direct: true,
            subject: subject.to_owned(),
            fen,
            ..Order::default()
        };
        match book.start(order, now) {
            Started::Silent => return Ok(None),
            Started::Unknown => return Err(SYSTEM),
            Started::Poor => return Err(POOR),
            Started::Known => {}
        }
        let order = book.get(key).ok_or(NO_ORDER)?;
        refuse([(order.state() != State::Paid, USERPAYING)])?;
        let mut said = shown(order);
        // The state stands in queries only.
        said.retain(|name, _| !name.starts_with("trade_state"));
        Ok(Some(said))
    }

    fn bill_of(&self, book: &Book, content: &Content) -> Result<String> {
        self.ours(content, "appid")?;
        refuse([(content.text("bill_type").is_some_and(|kind| kind != "ALL"), PARAM)])?;
        let day = Timestamp::parse_beijing_compact(&format!("{}000000", content.required("bill_date")?));
        let day = day.map_err(|_| Error("20007", "bill not exist"))?;
        Ok(self.bill(book, day, day.plus(std::time::Duration::from_secs(SECONDS_OF_DAY))))
    }
}

/// By the platform's number first, then by the merchant's.
fn find<'b>(book: &'b Book, content: &Content) -> Result<&'b Order> {
    let by_id = content.text("transaction_id").and_then(|id| book.find_id(id));
    by_id.or_else(|| book.get(content.text("out_trade_no")?)).ok_or(NO_ORDER)
}

/// An order as queries show it.
fn shown(order: &Order) -> Fields {
    let (state, text) = match order.state() {
        State::Paid if order.refunds.is_empty() => ("SUCCESS", "支付成功"),
        State::Paid => ("REFUND", "转入退款"),
        State::Closed => ("REVOKED", "订单已撤销"),
        State::Failed => ("PAYERROR", "余额不足，支付失败"),
        State::Open | State::Paying => ("USERPAYING", "需要用户输入支付密码"),
    };
    let fen = order.fen.to_string();
    let mut said = fields([
        ("out_trade_no", &order.reference),
        ("trade_state", state),
        ("trade_state_desc", text),
        ("trade_type", &order.kind),
        ("openid", OPENID),
        ("is_subscribe", "N"),
        ("fee_type", "CNY"),
        ("total_fee", &fen),
        ("cash_fee", &fen),
    ]);
    if let Some(at) = order.paid {
        said.extend(fields([("transaction_id", &order.id), ("time_end", &at.beijing_compact())]));
        said.extend(fields([("bank_type", "OTHERS")]));
    }
    said
}

/// Ends a payment, with the money if it was taken.
fn reverse(book: &mut Book, content: &Content, now: Timestamp) -> Result {
    let order = find(book, content)?;
    let key = order.reference.clone();
    refuse([(!order.refunds.is_empty(), Error("INVALID_REQUEST", "订单已退款"))])?;
    book.reverse(&key, None, now);
    Ok(Some(fields([("recall", "N")])))
}

fn refund(book: &mut Book, content: &Content, now: Timestamp) -> Result {
    let order = find(book, content)?;
    let (key, number) = (order.reference.clone(), content.required("out_refund_no")?);
    refuse([(content.fen("total_fee")? != order.fen || number.len() > 64, PARAM)])?;
    let refund = Refund {
        reference: number.to_owned(),
        id: format!("50000018{}{:012}", &now.beijing_compact()[..8], book.next_refund()),
        fen: content.fen("refund_fee")?,
        at: now,
        notify_url: None,
    };
    match book.give_back(&key, refund) {
        Ok(Given::Known(refund)) => Ok(Some(given(book.get(&key).ok_or(NO_ORDER)?, &refund, ""))),
        Ok(Given::Unknown) => Err(SYSTEM),
        Err(Refused::NoOrder) => Err(NO_ORDER),
        Err(Refused::Unpaid) => Err(Error("INVALID_REQUEST", "订单未支付")),
        Err(Refused::TooMuch) => Err(Error("INVALID_REQUEST", "退款金额大于可退金额")),
        Err(Refused::Used) => Err(Error("INVALID_REQUEST", "退款单号已被使用，参数不一致")),
        Err(Refused::Poor) => Err(POOR),
    }
}

/// A refund, its fields with a number behind them in queries.
fn given(order: &Order, refund: &Refund, row: &str) -> Fields {
    let (total, back) = (order.fen.to_string(), refund.fen.to_string());
    let mut said = fields([
        ("out_trade_no", &order.reference),
        ("transaction_id", &order.id),
        ("total_fee", &total),
        ("cash_fee", &total),
    ]);
    for (name, value) in
        [("out_refund_no", &refund.reference), ("refund_id", &refund.id), ("refund_fee", &back)]
    {
        said.insert(format!("{name}{row}"), value.clone());
    }
    said
}

/// What a device's client may begin with, for an hour.
fn authorize(content: &Content, now: Timestamp) -> Result<Fields> {
    for (name, most) in [("store_id", 32), ("store_name", 128), ("device_id", 32), ("rawdata", 2_048)] {
        refuse([(content.required(name)?.len() > most, PARAM)])?;
    }
    let said: Option<i64> = content.required("now")?.parse().ok();
    let apart = said.is_none_or(|said| (said - now.secs()).abs() > 300);
    refuse([(apart || content.required("version")? != "1", PARAM)])?;
    let authinfo = format!("sandbox+{}+{}", content.required("device_id")?, now.secs());
    Ok(fields([
        ("return_code", "SUCCESS"),
        ("return_msg", "OK"),
        ("authinfo", &authinfo),
        ("expires_in", "3600"),
    ]))
}
