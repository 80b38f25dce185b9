//! What replies and notifications hold, once their signature has been checked.

use http::StatusCode;
use paycore::channel::{Context, Fault, Reply};
use paycore::money::Money;
use paycore::time::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::CNY;
use super::config::Account;

/// A verified reply.
pub(super) enum Answer<T> {
    /// Carried out, with what was said about it.
    Done(T),
    /// Not carried out, or not yet, for a reason that the documents name.
    Refused(Refused),
}

#[derive(Debug, Deserialize)]
pub(super) struct Refused {
    code: String,
    message: String,
}

impl Refused {
    /// The code without underscores: `ORDER_NOT_EXIST` and `ORDERNOTEXIST` are both documented for the same thing.
    pub(super) fn code(&self) -> String {
        self.code.replace('_', "")
    }

    pub(super) fn text(self) -> (String, String) {
        (self.code.chars().take(64).collect(), self.message.chars().take(200).collect())
    }

    /// The provider's own code and text, as an answer that settles nothing.
    pub(super) fn unknown(self) -> Fault {
        let (code, message) = self.text();
        Fault::Unknown { code, message }
    }
}

/// An order, from a query, a barcode payment or a notification.
#[derive(Debug, Deserialize)]
pub(super) struct Trade {
    pub(super) appid: Option<String>,
    pub(super) mchid: String,
    pub(super) out_trade_no: String,
    pub(super) transaction_id: Option<String>,
    pub(super) trade_type: Option<String>,
    pub(super) trade_state: String,
    pub(super) trade_state_desc: Option<String>,
    pub(super) success_time: Option<String>,
    pub(super) amount: Option<Amount>,
}

/// A refund, from its reply, a query or, with `refund_status`, a notification.
#[derive(Debug, Deserialize)]
pub(super) struct Given {
    pub(super) mchid: Option<String>,
    pub(super) out_trade_no: String,
    pub(super) out_refund_no: String,
    pub(super) refund_id: String,
    #[serde(alias = "refund_status")]
    pub(super) status: String,
    pub(super) success_time: Option<String>,
    pub(super) amount: Amount,
}

/// Fen. Numbers that are not integers are not understood.
#[derive(Debug, Deserialize)]
pub(super) struct Amount {
    total: Option<i64>,
    refund: Option<i64>,
    currency: Option<String>,
}

impl Amount {
    /// What the order costs.
    pub(super) fn total(&self) -> Result<Money, Fault> {
        self.yuan(self.total)
    }

    /// What is given back.
    pub(super) fn refund(&self) -> Result<Money, Fault> {
        self.yuan(self.refund)
    }

    fn yuan(&self, fen: Option<i64>) -> Result<Money, Fault> {
        let fen = fen.filter(|fen| *fen > 0);
        let fen = fen.ok_or_else(|| Fault::Unexpected(format!("the amount {self:?}")))?;
        match self.currency.as_deref() {
            // Refund notifications and unpaid orders leave it out.
            None | Some("CNY") => Ok(Money::new(fen, CNY)),
            Some(other) => Err(Fault::Unacceptable(format!("the currency is {other:?}, not CNY"))),
        }
    }
}

/// Verifies and reads the reply to a call. An error whose signature is missing or wrong comes back as a fault with its
/// text: whoever sits on the line could have written it, so it decides nothing.
pub(super) fn open<T: DeserializeOwned>(
    account: &Account,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Answer<T>, Fault> {
    let verified = account.identity.verify(reply.headers(), reply.body(), cx.now);
    let status = reply.status();
    if status == StatusCode::OK {
        verified?;
        return Ok(Answer::Done(read(reply.body())?));
    }
    if status == StatusCode::NO_CONTENT && reply.body().is_empty() {
        verified?;
        return Ok(Answer::Done(read(b"null")?));
    }
    let Ok(refused) = serde_json::from_slice::<Refused>(reply.body()) else {
        return Err(Fault::Unexpected(format!("HTTP status {}", status.as_u16())));
    };
    // 202 says that the payer is being asked. A server's own failure is no answer, whatever its code.
    let definite = status == StatusCode::ACCEPTED || status.is_client_error();
    if verified.is_err() || !definite {
        return Err(refused.unknown());
    }
    Ok(Answer::Refused(refused))
}

/// JSON in which every key we read occurs once.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::Unexpected(format!("the body: {error}")))
}

/// An instant that may be missing or empty.
pub(super) fn instant(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    Timestamp::parse(text).map(Some).map_err(|_| Fault::Unexpected(format!("{name} {text:?}")))
}
