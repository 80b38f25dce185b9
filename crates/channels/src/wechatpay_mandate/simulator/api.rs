//! Charges: what WeChat Pay checks and answers. A charge is accepted here; what became of it is told later and queried.

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;

use super::Charges;
use crate::sandbox::v2::{
    Content, Error, NO_ORDER, PARAM, POOR, Result, SYSTEM, find, plain, refund, refunded, refuse, stranger,
};
use crate::sandbox::wechat_login::OPENID;
use crate::sandbox::xml::{Fields, fields};
use crate::sandbox::{Book, Order, Started, State, respond};

/// There is no such contract, or it has ended.
pub(super) const NO_CONTRACT: Error = Error("CONTRACT_NOT_EXIST", "协议不存在或已解约");

/// What every document begins with that was understood.
pub(super) fn understood(result: &str) -> Fields {
    fields([("return_code", "SUCCESS"), ("return_msg", "OK"), ("result_code", result)])
}

impl Charges {
    pub(super) fn answer(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let Some(content) = self.merchant.authentic(request) else { return Answer::Reply(stranger()) };
        let path = request.uri().path().trim_start_matches('/');
        if path == "pay/downloadbill" {
            return Answer::Reply(match self.merchant.bill_of(book, &content) {
                Ok(bill) => respond(200, (CONTENT_TYPE, "text/plain; charset=utf-8"), bill),
                // Only what went wrong outside is told of a bill, and without a signature.
                Err(Error(code, text)) => {
                    plain(&fields([("return_code", "FAIL"), ("return_msg", text), ("error_code", code)]))
                }
            });
        }
        let said = match self.route(book, path, &content, now) {
            Ok(None) => return Answer::Silence,
            said => said,
        };
        Answer::Reply(self.merchant.signed(answered(said), content.hmac(), now))
    }

    fn route(&self, book: &mut Book, path: &str, content: &Content, now: Timestamp) -> Result {
        self.merchant.ours(content, "appid")?;
        match path {
            "pay/pappayapply" => self.charge(book, content, now),
            "pay/paporderquery" => Ok(Some(shown(find(book, content)?))),
            "secapi/pay/refund" => refund(book, content, now),
            "pay/refundquery" => refunded(book, content),
            _ => Err(PARAM),
        }
    }

    fn charge(&self, book: &mut Book, content: &Content, now: Timestamp) -> Result {
        let (key, subject) = (content.required("out_trade_no")?, content.required("body")?);
        let (fen, contract) = (content.fen("total_fee")?, content.required("contract_id")?);
        let notify_url = content.required("notify_url")?;
        refuse([
            (key.len() > 32 || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()), PARAM),
            (subject.len() > 128 || notify_url.len() > 256 || !notify_url.starts_with("http"), PARAM),
            (content.required("fee_type")? != "CNY" || content.required("trade_type")? != "PAP", PARAM),
            (content.required("spbill_create_ip")?.len() > 16, PARAM),
        ])?;
        if let Some(known) = book.get(key) {
            let same = known.fen == fen && known.subject == subject && known.wallet == contract;
            refuse([
                (known.state() == State::Paid, Error("ORDERPAID", "订单已支付")),
                (!same, Error("OUT_TRADE_NO_USED", "商户订单号重复")),
                (known.failed, POOR),
            ])?;
            return Ok(Some(Fields::new()));
        }
        refuse([(!self.active.iter().any(|active| active == contract), NO_CONTRACT)])?;
        let (day, number) = (now.beijing_compact(), book.next_order());
        let order = Order {
            reference: key.to_owned(),
            id: format!("42000019{}{number:012}", &day[..8]),
            wallet: contract.to_owned(),
            kind: "PAP".to_owned(),
            direct: true,
            subject: subject.to_owned(),
            fen,
            notify_url: Some(notify_url.to_owned()),
            ..Order::default()
        };
        match book.start(order, now) {
            Started::Silent => Ok(None),
            Started::Unknown => Err(SYSTEM),
            Started::Poor => Err(POOR),
            Started::Known => book.get(key).map(|_| Some(Fields::new())).ok_or(NO_ORDER),
        }
    }
}

/// What a call came to, as a document says it.
pub(super) fn answered(said: Result) -> Fields {
    match said {
        Ok(said) => said.unwrap_or_default().into_iter().chain(understood("SUCCESS")).collect(),
        Err(Error(code, text)) => {
            let why = fields([("err_code", code), ("err_code_des", text)]);
            why.into_iter().chain(understood("FAIL")).collect()
        }
    }
}

/// A charge as queries show it.
pub(super) fn shown(order: &Order) -> Fields {
    let (state, text) = match order.state() {
        State::Paid if order.refunds.is_empty() => ("SUCCESS", "支付成功"),
        State::Paid => ("REFUND", "转入退款"),
        State::Closed => ("CLOSED", "订单已关闭"),
        State::Failed => ("PAY_FAIL", "余额不足，扣款失败"),
        State::Open | State::Paying => ("NOTPAY", "扣款中"),
    };
    let fen = order.fen.to_string();
    let mut said = fields([
        ("out_trade_no", &order.reference),
        ("trade_state", state),
        ("trade_state_desc", text),
        ("trade_type", &order.kind),
        ("contract_id", &order.wallet),
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
