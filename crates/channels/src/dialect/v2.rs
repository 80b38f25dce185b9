//! The frame that WeChat Pay had before v3, and that others have from it: a flat document whose `return_code` says
//! whether the call was understood and whose `result_code` says whether it was carried out. Only what is signed is
//! believed, refusals too.

use std::net::Ipv4Addr;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use paycore::channel::{
    Context, DeclineReason as Why, Fault, Outcome, Pay, QueryRefund, Refund, Refusal, Reply, Stage, Step,
    Verdict,
};
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::secret::Secret;
use paycore::units::UnitRule;

use crate::dialect::capability;
use crate::dialect::doubt::{self, Doubt};
use crate::dialect::reply::{beijing_compact, declined, done, same};
use crate::dialect::xml::{Fields, Hash};

/// Who takes part in a conversation, and how it is signed.
#[derive(Debug)]
pub(crate) struct Party {
    /// The merchant's number.
    pub(crate) mch_id: String,
    /// Of the merchant's app, where there is one.
    pub(crate) appid: Option<String>,
    /// Signs everything in both directions.
    pub(crate) key: Secret,
    pub(crate) hash: Hash,
}

/// A signed reply.
pub(crate) enum Answer {
    /// Carried out.
    Done(Fields),
    /// Not carried out, with a reason.
    Refused(Refused),
}

/// Why something was not carried out.
pub(crate) struct Refused {
    /// The code and the text as the channel writes them.
    pub(crate) text: (String, String),
}

impl Refused {
    /// The code without underscores: both spellings are documented.
    pub(crate) fn code(&self) -> String {
        self.text.0.replace('_', "")
    }

    /// As an answer that settles nothing.
    pub(crate) fn unknown(self) -> Fault {
        let (code, message) = self.text;
        Fault::Unknown { code, message }
    }

    /// As the answer that there is no such thing, where the code is one of these.
    pub(crate) fn absent(self, codes: &[&str]) -> Result<Outcome, Fault> {
        let known = codes.contains(&self.code().as_str());
        if known { Ok(Outcome::new(Verdict::Absent)) } else { Err(self.unknown()) }
    }
}

impl Party {
    /// Reads and verifies a reply.
    pub(crate) fn open(&self, reply: &Reply) -> Result<Answer, Fault> {
        if reply.status() != http::StatusCode::OK {
            return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
        }
        let fields = Fields::read(reply.body())?;
        let refused = |code: &str, message: &str| {
            let short = |name: &str, most| fields.field(name).unwrap_or("?").chars().take(most).collect();
            Refused { text: (short(code, 64), short(message, 200)) }
        };
        if fields.required("return_code")? != "SUCCESS" {
            // Not signed, so it decides nothing.
            return Err(refused("return_code", "return_msg").unknown());
        }
        if fields.field("sign").is_none() && fields.field("result_code") == Some("FAIL") {
            return Err(refused("err_code", "err_code_des").unknown());
        }
        self.authentic(&fields)?;
        match fields.required("result_code")? {
            "SUCCESS" => Ok(Answer::Done(fields)),
            "FAIL" => Ok(Answer::Refused(refused("err_code", "err_code_des"))),
            other => Err(Fault::Unexpected(format!("result_code {other:?}"))),
        }
    }

    /// The daily bill, which comes as it is, without a signature; what goes wrong comes as a document.
    pub(crate) fn bill(&self, reply: &Reply) -> Result<Step, Fault> {
        if reply.status() == http::StatusCode::OK && !reply.body().trim_ascii_start().starts_with(b"<") {
            return Ok(Step::File(Bytes::clone(reply.body())));
        }
        match self.open(reply)? {
            Answer::Refused(refused) => Err(refused.unknown()),
            Answer::Done(_) => Err(Fault::Unexpected("no bill".into())),
        }
    }

    /// Whether fields are signed, and about this merchant and app.
    pub(crate) fn authentic(&self, fields: &Fields) -> Result<(), Fault> {
        fields.verify(self.hash, &self.key)?;
        same("mch_id", fields.field("mch_id"), &self.mch_id)?;
        match (&self.appid, fields.field("appid")) {
            (Some(ours), Some(said)) => same("appid", Some(said), ours),
            _ => Ok(()),
        }
    }
}

/// What a notification is answered with.
pub(crate) fn answer(status: http::StatusCode, code: &str) -> http::Response<Bytes> {
    let body = format!("<xml><return_code>{code}</return_code></xml>");
    let mut response = http::Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("text/xml; charset=utf-8"));
    response
}

/// Documented refusals of a payment after which no money moves under its reference.
pub(crate) const PAY_DECLINES: &[(&str, Why)] = &[
    ("NOTENOUGH", Why::InsufficientFunds),
    ("PARAMERROR", Why::InvalidRequest),
    ("NOAUTH", Why::NotPermitted),
    ("RULELIMIT", Why::Limit),
    ("MCHIDNOTEXIST", Why::NotPermitted),
    ("APPIDNOTEXIST", Why::NotPermitted),
    ("APPIDMCHIDNOTMATCH", Why::NotPermitted),
];

/// Codes that say that there is no such order.
pub(crate) const NO_ORDER: &[&str] = &["ORDERNOTEXIST"];
/// Codes that say that there is no such refund.
pub(crate) const NO_REFUND: &[&str] = &["REFUNDNOTEXIST", "ORDERNOTEXIST"];

/// Refusals that tell of an order that exists already; the order itself knows what became of it.
pub(crate) const KNOWN_ORDER: &[&str] = &["ORDERPAID", "ORDERCLOSED", "ORDERREVERSED", "OUTTRADENOUSED"];

/// Refusals of a refund that may be said of the repeat of one that was carried out.
pub(crate) const REFUND_DOUBTS: &[Doubt] = &[
    ("NOTENOUGH", Why::InsufficientFunds, "余额不足"),
    ("PARAMERROR", Why::InvalidRequest, "参数错误"),
    ("INVALIDREQUEST", Why::InvalidRequest, "无效请求"),
    ("ORDERNOTEXIST", Why::InvalidRequest, "订单不存在"),
    ("TRADEOVERDUE", Why::Expired, "订单已经超过退款期限"),
    ("USERACCOUNTABNORMAL", Why::Generic, "用户账号异常，退款失败"),
    ("NOAUTH", Why::NotPermitted, "没有退款权限"),
];

/// What a query of a refund says.
pub(crate) fn asked_refund(answer: Answer, query: &QueryRefund) -> Result<Step, Fault> {
    done(match answer {
        Answer::Done(fields) => {
            refund_state(&fields, &query.payment.reference, &query.reference, query.money)?
        }
        Answer::Refused(refused) => refused.absent(NO_REFUND)?,
    })
}

/// What a refund came to. The reply may list several refunds of the order, numbered in the names of their fields.
pub(crate) fn refund_state(
    fields: &Fields,
    payment: &str,
    reference: &str,
    money: Money,
) -> Result<Outcome, Fault> {
    same("out_trade_no", fields.field("out_trade_no"), payment)?;
    let number = |row: &u8| fields.field(&format!("out_refund_no_{row}")) == Some(reference);
    let row = (0..50_u8).find(number).ok_or_else(|| Fault::Unacceptable("not about this refund".into()))?;
    let said = fen(fields, &format!("refund_fee_{row}"), Some(money))?;
    let said = said.ok_or_else(|| Fault::Unexpected("no refund_fee".into()))?;
    let verdict = match fields.required(&format!("refund_status_{row}"))? {
        "SUCCESS" => Verdict::Succeeded,
        // A refund that changed its way waits for the merchant.
        "PROCESSING" | "CHANGE" => Verdict::Pending,
        // One provider says it in this word, the other in that.
        "REFUNDCLOSE" => declined(Why::Generic, "REFUNDCLOSE", "退款关闭").verdict,
        "FAIL" => declined(Why::Generic, "FAIL", "退款失败").verdict,
        other => return Err(Fault::Unexpected(format!("refund_status {other:?}"))),
    };
    Ok(Outcome::new(verdict).channel_id(fields.required(&format!("refund_id_{row}"))?).money(said))
}

/// An amount in fen that may be left out, and has to be ours if that is known.
pub(crate) fn fen(fields: &Fields, name: &str, ours: Option<Money>) -> Result<Option<Money>, Fault> {
    let Some(text) = fields.field(name) else { return Ok(None) };
    let said = UnitRule::Minor.from_wire(text, Currency::CNY).ok().filter(|money| money.is_positive());
    let said = said.ok_or_else(|| Fault::Unexpected(format!("{name} {text:?}")))?;
    match ours {
        Some(ours) if said != ours => Err(Fault::Unacceptable(format!("{name} is {said}, not {ours}"))),
        _ => Ok(Some(said)),
    }
}

/// What an order that is named is about: the outcome of one that was paid.
pub(crate) fn about(
    fields: &Fields,
    reference: Option<&str>,
    channel_id: Option<&str>,
    money: Option<Money>,
) -> Result<Outcome, Fault> {
    if let Some(reference) = reference {
        same("out_trade_no", fields.field("out_trade_no"), reference)?;
    }
    let id = fields.field("transaction_id");
    if let (Some(said), Some(known)) = (id, channel_id) {
        same("transaction_id", Some(said), known)?;
    }
    if let Some(currency) = fields.field("fee_type") {
        same("fee_type", Some(currency), "CNY")?;
    }
    let said = fen(fields, "total_fee", money)?;
    let at = beijing_compact("time_end", fields.field("time_end"))?;
    let outcome = Outcome { channel_id: id.map(str::to_owned), ..Outcome::new(Verdict::Succeeded) };
    Ok(Outcome { money: said, at, ..outcome })
}

/// Whether a paid order says all it has to say.
pub(crate) fn whole(outcome: &Outcome) -> bool {
    outcome.channel_id.is_some() && outcome.money.is_some()
}

/// A payment that failed for good; why stands in the description only.
pub(crate) fn failed(fields: &Fields) -> Verdict {
    let description = fields.field("trade_state_desc").unwrap_or_default();
    let reason = if description.contains("余额不足") { Why::InsufficientFunds } else { Why::Generic };
    declined(reason, fields.field("trade_state").unwrap_or_default(), description).verdict
}

/// What an order came to, once it is the one that was asked for.
pub(crate) fn state(
    fields: &Fields,
    reference: Option<&str>,
    channel_id: Option<&str>,
    money: Option<Money>,
) -> Result<Outcome, Fault> {
    let outcome = about(fields, reference, channel_id, money)?;
    let verdict = match fields.required("trade_state")? {
        // REFUND only tells that some of the money went back later.
        "SUCCESS" | "REFUND" if whole(&outcome) => Verdict::Succeeded,
        "NOTPAY" | "USERPAYING" | "ACCEPT" => Verdict::Pending,
        "CLOSED" | "REVOKED" => Verdict::Closed,
        // Some products say it in this word, some in that.
        "PAYERROR" | "PAY_FAIL" => failed(fields),
        other => return Err(Fault::Unexpected(format!("trade_state {other:?}"))),
    };
    Ok(Outcome { verdict, ..outcome })
}

/// What is left of a refusal once it was read.
pub(crate) enum Left {
    /// It is what the operation came to.
    Outcome(Outcome),
    /// It is settled by the query of this stage.
    Query(Stage),
}

/// A payment that was refused: not charged (yet), not known, or known already, which the query of stage `known` shows.
pub(crate) fn not_taken(refused: Refused, doubts: &[Doubt], known: Stage) -> Result<Left, Fault> {
    let code = refused.code();
    if code == "USERPAYING" {
        return Ok(Left::Outcome(Outcome::new(Verdict::Pending)));
    }
    let known = KNOWN_ORDER.contains(&code.as_str()).then_some(known);
    if let Some(stage) = known.or_else(|| doubt::stage(doubts, &code)) {
        return Ok(Left::Query(stage));
    }
    let Some((_, reason)) = PAY_DECLINES.iter().find(|(known, _)| *known == code) else {
        return Err(refused.unknown());
    };
    let (code, message) = refused.text;
    Ok(Left::Outcome(declined(*reason, &code, &message)))
}

/// The stage of the query that settles a refund: what is accepted is carried out later, or not.
pub(crate) fn refund_query(answer: Answer, doubts: &[Doubt], accepted: Stage) -> Result<Stage, Fault> {
    match answer {
        Answer::Done(_) => Ok(accepted),
        Answer::Refused(refused) => doubt::stage(doubts, &refused.code()).ok_or_else(|| refused.unknown()),
    }
}

/// What that query says: nothing yet of a refund that was accepted, or that it was refused.
pub(crate) fn refund_settled(
    answer: Answer,
    refund: &Refund,
    doubts: &[Doubt],
    (stage, accepted): (Stage, Stage),
) -> Result<Step, Fault> {
    match answer {
        Answer::Done(fields) => {
            done(refund_state(&fields, &refund.payment.reference, &refund.reference, refund.money)?)
        }
        Answer::Refused(refused) => {
            refused.absent(NO_REFUND)?;
            let pending = stage == accepted;
            done(if pending { Outcome::new(Verdict::Pending) } else { doubt::refusal(doubts, stage) })
        }
    }
}

/// The provider's libraries hold a total in 32 bits.
const FEN_MAX: i64 = i32::MAX as i64;

/// An amount as it is sent.
pub(crate) fn total(money: Money) -> Result<String, Refusal> {
    capability::fen(money, FEN_MAX)
}

/// A number that is used once.
pub(crate) fn nonce(cx: &Context<'_>) -> String {
    let mut random = [0; 16];
    cx.rng.fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sent where the payer's own address is not known.
pub(crate) const NO_IP: &str = "127.0.0.1";

/// The payer's address, as far as it can be sent: sixteen characters are too few for IPv6.
pub(crate) fn payer_ip(pay: &Pay) -> &str {
    pay.payer.ip.as_deref().filter(|ip| ip.parse::<Ipv4Addr>().is_ok()).unwrap_or(NO_IP)
}

/// A signed document as a request.
pub(crate) fn post(url: String, body: String) -> Result<http::Request<Bytes>, Refusal> {
    let request = http::Request::post(url).header(CONTENT_TYPE, "text/xml; charset=utf-8");
    request.body(Bytes::from(body)).map_err(|_| Refusal::Signing)
}
