//! Asynchronous notifications: a form that Alipay posts to the notify URL.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use paycore::channel::{Context, Fault, Notice, Outcome, Report, Subject, Verdict, Verified};
use paycore::crypto::Scheme;
use paycore::time::Timestamp;

use super::config::Account;
use super::decode::state;
use super::{CNY, UNITS};

/// Alipay repeats a notification for 25 hours; one more for clocks and queues.
const AGE_MAX: Duration = Duration::from_secs(26 * 3600);
const AHEAD_MAX: Duration = Duration::from_secs(15 * 60);
/// Far more than any notification has.
const FIELDS_MAX: usize = 128;

pub(super) fn verify(account: &Account, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
    if notice.method() != Method::POST {
        return Err(Fault::Unexpected("a notification is a POST".into()));
    }
    let form = Form::read(notice.body())?;
    if form.field("sign_type") != Some("RSA2") {
        return Err(Fault::Signature);
    }
    let signature = STANDARD.decode(form.field("sign").unwrap_or_default()).map_err(|_| Fault::Signature)?;
    // Trade notifications leave sign_type out of the signed text; those of newer products keep it in.
    let signed = [&["sign", "sign_type"][..], &["sign"]]
        .iter()
        .any(|without| account.verifier.verify(Scheme::RsaSha256, &form.signed_text(without), &signature));
    if !signed {
        return Err(Fault::Signature);
    }
    for_us(account, &form, cx)?;
    Ok(Verified { reports: vec![report(&form)?], reply: answer(StatusCode::OK, "success") })
}

/// An answer to a notification. Alipay stops repeating only on a body of exactly `success`.
pub(super) fn answer(status: StatusCode, body: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = status;
    let text = http::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, text);
    response
}

/// Whether an authentic notification is meant for this account, and now.
fn for_us(account: &Account, form: &Form<'_>, cx: &Context<'_>) -> Result<(), Fault> {
    let unacceptable = |what: &str| Err(Fault::Unacceptable(what.into()));
    if form.field("app_id") != Some(&account.app_id) {
        return unacceptable("another app_id");
    }
    if account.seller_id.is_some() && form.field("seller_id") != account.seller_id.as_deref() {
        return unacceptable("another seller_id");
    }
    if form.field("notify_type") != Some("trade_status_sync") {
        return unacceptable("not about a trade");
    }
    let sent = form.instant("notify_time")?.ok_or_else(|| Fault::Unexpected("no notify_time".into()))?;
    if sent < cx.now.minus(AGE_MAX) || sent > cx.now.plus(AHEAD_MAX) {
        return unacceptable("notify_time is outside the accepted window");
    }
    Ok(())
}

/// A refund is reported with the trade's status and amount; read as a payment it says once more what is known
/// already. The refund itself is left to its query, because its amount here is the sum of all refunds so far.
fn report(form: &Form<'_>) -> Result<Report, Fault> {
    let required = |name: &str| {
        form.field(name).filter(|v| !v.is_empty()).ok_or_else(|| Fault::Unexpected(format!("no {name}")))
    };
    let money = UNITS
        .from_wire(required("total_amount")?, CNY)
        .ok()
        .filter(|money| money.is_positive())
        .ok_or_else(|| Fault::Unexpected("total_amount".into()))?;
    let paid_at = form.instant("gmt_payment")?;
    let was_paid =
        paid_at.is_some() || ["gmt_refund", "refund_fee"].iter().any(|name| form.field(name).is_some());
    let verdict = state(Some(required("trade_status")?), was_paid)?;
    let at = if verdict == Verdict::Closed { form.instant("gmt_close")? } else { paid_at };
    let channel_id = Some(required("trade_no")?.to_owned());
    let outcome = Outcome { verdict, channel_id, money: Some(money), at };
    Ok(Report { subject: Subject::Payment, reference: required("out_trade_no")?.to_owned(), outcome })
}

/// The decoded fields, sorted by name, each name once.
struct Form<'a>(Vec<(&'a str, Cow<'a, [u8]>)>);

impl<'a> Form<'a> {
    fn read(body: &'a [u8]) -> Result<Form<'a>, Fault> {
        let wrong = |what: &str| Fault::Unexpected(format!("the form: {what}"));
        let mut fields = Vec::with_capacity(32);
        for pair in body.split(|b| *b == b'&') {
            let equals = pair.iter().position(|b| *b == b'=').ok_or_else(|| wrong("a pair without `=`"))?;
            let name = std::str::from_utf8(&pair[..equals]).unwrap_or_default();
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            if name.is_empty() || !name.bytes().all(plain) || fields.len() == FIELDS_MAX {
                return Err(wrong("a field name"));
            }
            let value = unescape(&pair[equals + 1..]).ok_or_else(|| wrong("percent-encoding"))?;
            if smuggles(&value) {
                return Err(wrong("a value that reads as several fields"));
            }
            fields.push((name, value));
        }
        fields.sort_unstable_by_key(|(name, _)| *name);
        if fields.windows(2).any(|two| two[0].0 == two[1].0) {
            return Err(wrong("a field twice"));
        }
        Ok(Form(fields))
    }

    fn field(&self, name: &str) -> Option<&str> {
        let index = self.0.binary_search_by_key(&name, |(name, _)| name).ok()?;
        std::str::from_utf8(&self.0[index].1).ok()
    }

    fn instant(&self, name: &str) -> Result<Option<Timestamp>, Fault> {
        let Some(text) = self.field(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        Timestamp::parse_beijing(text).map(Some).map_err(|_| Fault::Unexpected(name.to_owned()))
    }

    fn signed_text(&self, without: &[&str]) -> Vec<u8> {
        let mut text = Vec::with_capacity(1024);
        for (name, value) in self.0.iter().filter(|(name, _)| !without.contains(name)) {
            if !text.is_empty() {
                text.push(b'&');
            }
            text.extend_from_slice(name.as_bytes());
            text.push(b'=');
            text.extend_from_slice(value);
        }
        text
    }
}

/// The signed text joins decoded values with `&` and `=`, so under one signature `a=1&b=2` may be two fields or one
/// field with a strange value. Only the first reading is taken; our own texts never contain such a value.
fn smuggles(value: &[u8]) -> bool {
    value.split(|b| *b == b'&').skip(1).any(|part| {
        let name =
            part.iter().take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || **b == b'_').count();
        name > 0 && part.get(name) == Some(&b'=')
    })
}

/// Percent-decoding with one spelling for each byte: `+` is a space, digits are upper-case, and what is not printable
/// ASCII has to be escaped. `None` for anything else.
fn unescape(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    if text.iter().all(|b| b.is_ascii_graphic() && !matches!(b, b'%' | b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'A'..=b'F' => Some(b - b'A' + 10),
        _ => None,
    };
    let mut value = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        value.push(match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            b'+' => b' ',
            byte if byte.is_ascii_graphic() => byte,
            _ => return None,
        });
    }
    Some(Cow::Owned(value))
}
