//! What a reply or a notification says, checked against what we know, and plain answers to notifications.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use paycore::channel::{Decline, DeclineReason, Fault, Outcome, Pay, Payment, Refusal, Step, Verdict};
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::Timestamp;
use paycore::units::UnitRule;

/// The other end repeats what we said; anything else belongs to another payment.
pub(crate) fn same(name: &str, said: Option<&str>, ours: &str) -> Result<(), Fault> {
    if said == Some(ours) {
        return Ok(());
    }
    Err(Fault::Unacceptable(format!("{name} is {said:?}, not {ours:?}")))
}

/// An amount that has to be there.
pub(crate) fn amount(
    name: &str,
    text: Option<&str>,
    units: UnitRule,
    currency: Currency,
) -> Result<Money, Fault> {
    let money = text.and_then(|text| units.from_wire(text, currency).ok());
    money.ok_or_else(|| Fault::Unexpected(format!("{name} {text:?}")))
}

/// An amount that has to be ours.
pub(crate) fn same_amount(
    name: &str,
    text: Option<&str>,
    units: UnitRule,
    ours: Money,
) -> Result<Money, Fault> {
    let said = amount(name, text, units, ours.currency())?;
    if said == ours { Ok(said) } else { Err(Fault::Unacceptable(format!("{name} is {said}, not {ours}"))) }
}

/// An instant in Beijing time, written `yyyy-MM-dd HH:mm:ss`, that may be missing or empty.
pub(crate) fn beijing(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    Timestamp::parse_beijing(text).map(Some).map_err(|_| Fault::Unexpected(format!("{name} {text:?}")))
}

/// An instant in Beijing time, written `yyyyMMddHHmmss`, that may be missing or empty.
pub(crate) fn beijing_compact(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let at = Timestamp::parse_beijing_compact(text);
    at.map(Some).map_err(|_| Fault::Unexpected(format!("{name} {text:?}")))
}

/// What a reply finally means.
pub(crate) fn done(outcome: Outcome) -> Result<Step, Fault> {
    Ok(Step::Done(outcome))
}

/// The next call could not even be written.
pub(crate) fn not_sent(refusal: Refusal) -> Fault {
    Fault::Unexpected(format!("the next call: {refusal}"))
}

/// A definite no, with the provider's own code and text.
pub(crate) fn declined(reason: DeclineReason, code: &str, message: &str) -> Outcome {
    let (code, message) = (code.to_owned(), message.chars().take(200).collect());
    Outcome::new(Verdict::Declined(Decline { reason, code, message }))
}

/// The payment that a request started, for a query that settles it.
pub(crate) fn started(pay: &Pay) -> Payment {
    let Pay { reference, method, money, started_at, .. } = pay.clone();
    Payment { reference, channel_id: None, method, money, started_at, ending_at: None }
}

/// The last instant written `MMDDhhmmss` in Beijing time, without a year, that is not after `latest`.
pub(crate) fn beijing_yearless(text: &str, latest: Timestamp) -> Option<Timestamp> {
    let year: u32 = latest.beijing_compact()[..4].parse().ok()?;
    let read = |year: u32| Timestamp::parse_beijing_compact(&format!("{year:04}{text}")).ok();
    // A day may be missing in a year: the last of February.
    (year - 1..=year).rev().filter_map(read).find(|at| *at <= latest)
}

/// An answer in plain text.
pub(crate) fn plain(status: StatusCode, body: &'static str) -> Response<Bytes> {
    typed(status, "text/plain; charset=utf-8", body)
}

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, body: &'static str) -> Response<Bytes> {
    typed(status, "application/json", body)
}

fn typed(status: StatusCode, kind: &'static str, body: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_year_is_the_last_before_another() {
        let latest = Timestamp::parse_beijing_compact("20260102000000").expect("a time");
        let read = |text: &str| beijing_yearless(text, latest).map(|at| at.beijing_compact());
        assert_eq!(read("0101000003").as_deref(), Some("20260101000003"));
        assert_eq!(read("1231235957").as_deref(), Some("20251231235957"));
        assert_eq!(read("0102000001").as_deref(), Some("20250102000001"));
        for wrong in ["", "1301000000", "0101", "０１０１０００００３", "+101000003", "0230000000"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
