//! Payments by face: what WeChat Pay checks and answers.

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;

use crate::sandbox::v2::{
    Content, Error, Merchant, NO_ORDER, PARAM, POOR, Result, SYSTEM, find, plain, refund, refunded, refuse,
    stranger,
};
use crate::sandbox::wechat_login::OPENID;
use crate::sandbox::xml::{Fields, fields};
use crate::sandbox::{Book, Order, Started, State, respond};

const USERPAYING: Error = Error("USERPAYING", "用户支付中，需要输入密码");

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
            "pay/refundquery" => refunded(book, content),
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
