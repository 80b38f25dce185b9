//! The frame that WeChat Pay had before v3, and that others have from it: a flat document whose `return_code` says
//! whether the call was understood and whose `result_code` says whether it was carried out. Only what is signed is
//! believed, refusals too.

use bytes::Bytes;
use paycore::channel::{DeclineReason as Why, Fault, Outcome, QueryRefund, Reply, Step, Verdict};
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::secret::Secret;
use paycore::units::UnitRule;

use crate::dialect::reply::{declined, done, same};
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
