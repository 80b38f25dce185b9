//! Notifications: the valid ones are believed, everything that is not exactly valid is refused.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

use super::replies::flip;
use super::stand::{Failure, NOTIFY_URL, Stand, currency, refund};
use crate::channel::{Capability, Operation, Verb};
use crate::money::Money;

/// Headers that describe the transfer and that no channel signs.
const UNSIGNED: [HeaderName; 5] = [CONTENT_TYPE, CONTENT_LENGTH, HOST, USER_AGENT, ACCEPT];

/// Valid notifications of a payment and of a refund of every kind that the channel notifies of.
fn samples(stand: &mut Stand<'_>) -> Result<Vec<Request<Bytes>>, Failure> {
    notified(stand)?;
    let mut samples = Vec::new();
    for row in stand.profile().capabilities {
        if stand.notices(row, 1) == 0 {
            continue;
        }
        let paid = stand.paid(row, Money::new(12_34, currency(row)))?;
        if row.verbs.contains(&Verb::Refund) {
            let given = refund(&paid, stand.reference(), 1_00);
            stand.outcome(&Operation::Refund(given))?;
        }
        samples.extend(stand.due().into_iter().map(|notification| notification.request));
    }
    stand.ensure(!samples.is_empty(), || "there is no notification".to_owned())?;
    for notice in &samples {
        let verified = stand.verify(notice);
        stand.ensure(verified.is_ok(), || format!("a valid notification is refused: {verified:?}"))?;
    }
    Ok(samples)
}

/// The first kind of payment that the channel notifies of. A channel that notifies of none must take nothing for a
/// notification.
fn notified(stand: &mut Stand<'_>) -> Result<&'static Capability, Failure> {
    if let Some(row) = stand.profile().capabilities.iter().find(|row| stand.notices(row, 1) > 0) {
        return Ok(row);
    }
    let made_up = Request::post(NOTIFY_URL).body(Bytes::from_static(b"<xml></xml>"));
    refuses(stand, "anything", &made_up.map_err(|error| error.to_string())?)?;
    Err(Failure::NotClaimed)
}

fn refuses(stand: &mut Stand<'_>, what: &str, notice: &Request<Bytes>) -> Result<(), Failure> {
    let verified = stand.verify(notice);
    stand.ensure(verified.is_err(), || format!("{what} is accepted: {verified:?}"))
}

pub(super) fn acknowledged(stand: &mut Stand<'_>) -> Result<(), Failure> {
    let row = notified(stand)?;
    stand.paid(row, Money::new(12_34, currency(row)))?;
    let first = stand.due();
    stand.same("notifications", first.len(), 1)?;
    for notification in &first {
        let uri = notification.request.uri().to_string();
        stand.ensure(uri.starts_with(NOTIFY_URL), || format!("it goes to {uri}"))?;
        let rejection = stand.channel.reject();
        stand.simulator.notified(notification.id, Some(&rejection), stand.now());
    }
    for attempt in 0..2 {
        let Some(next) = stand.simulator.next_due() else {
            return Err(Failure::Broken("a refused notification is not sent again".to_owned()));
        };
        let wait = next.since(stand.now()).as_secs() + 1;
        stand.wait(wait);
        let again = stand.due();
        stand.same("notifications sent again", again.len(), 1)?;
        for notification in &again {
            let verified = stand.verify(&notification.request).map_err(|fault| format!("again: {fault}"))?;
            // Not reached at all counts as refused.
            let reply = (attempt > 0).then_some(&verified.reply);
            stand.simulator.notified(notification.id, reply, stand.now());
        }
    }
    stand.wait(2 * 86_400);
    let left = stand.due().len();
    stand.same("notifications after the acknowledged one", left, 0)
}

pub(super) fn flipped(stand: &mut Stand<'_>) -> Result<(), Failure> {
    for notice in samples(stand)? {
        let content = content(&notice);
        for bit in stand.positions(content.len() * 8, 800) {
            let Some(changed) = with_content(&notice, flip(&content, bit)) else { continue };
            refuses(stand, &format!("bit {bit} of the content flipped"), &changed)?;
        }
        for (name, value) in signed(&notice) {
            let bytes = Bytes::copy_from_slice(value.as_bytes());
            for bit in stand.positions(bytes.len() * 8, 200) {
                // Some flips make bytes that no HTTP server lets through.
                let Ok(value) = HeaderValue::from_bytes(&flip(&bytes, bit)) else { continue };
                let changed = with_header(&notice, &name, Some(value));
                refuses(stand, &format!("bit {bit} of {name} flipped"), &changed)?;
            }
        }
    }
    Ok(())
}

pub(super) fn truncated(stand: &mut Stand<'_>) -> Result<(), Failure> {
    for notice in samples(stand)? {
        let content = content(&notice);
        for length in stand.positions(content.len(), 400) {
            let Some(changed) = with_content(&notice, content.slice(..length)) else { continue };
            refuses(stand, &format!("the content cut at {length}"), &changed)?;
        }
        for tail in ["\0", " ", "&a=b", "{}", "\n"] {
            let longer = [content.as_ref(), tail.as_bytes()].concat();
            let Some(changed) = with_content(&notice, longer.into()) else { continue };
            refuses(stand, &format!("the content with {tail:?} appended"), &changed)?;
        }
    }
    Ok(())
}

pub(super) fn parts(stand: &mut Stand<'_>) -> Result<(), Failure> {
    for notice in samples(stand)? {
        for (name, value) in signed(&notice) {
            // The name of the scheme is not signed, and not every sender says it; a wrong one is refused all the same.
            if !name.as_str().ends_with("-signature-type") {
                refuses(stand, &format!("without {name}"), &with_header(&notice, &name, None))?;
            }
            for blank in ["", " ", "null", "0"] {
                let changed = with_header(&notice, &name, Some(HeaderValue::from_static(blank)));
                refuses(stand, &format!("{blank:?} as {name}"), &changed)?;
            }
            for other in [value, HeaderValue::from_static("x")] {
                let mut doubled = notice.clone();
                doubled.headers_mut().append(name.clone(), other);
                refuses(stand, &format!("{name} twice"), &doubled)?;
            }
        }
        for (what, content) in form_parts(&notice) {
            let Some(changed) = with_content(&notice, content.into()) else { continue };
            refuses(stand, &what, &changed)?;
        }
        let mut other = notice.clone();
        *other.method_mut() = if notice.method() == Method::GET { Method::POST } else { Method::GET };
        refuses(stand, "GET for POST, or the other way round", &other)?;
        if let Some(emptied) = with_content(&notice, Bytes::new()) {
            refuses(stand, "without content", &emptied)?;
        }
        if let Some(mut bare) = with_content(&notice, Bytes::new()) {
            *bare.headers_mut() = HeaderMap::new();
            *bare.method_mut() = Method::POST;
            refuses(stand, "an empty POST", &bare)?;
        }
    }
    Ok(())
}

/// For forms: each parameter left out, emptied, doubled, and doubled with another value.
fn form_parts(notice: &Request<Bytes>) -> Vec<(String, String)> {
    let kind = notice.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let content = content(notice);
    let Ok(body) = std::str::from_utf8(&content) else { return Vec::new() };
    if notice.method() != Method::GET && !kind.starts_with("application/x-www-form-urlencoded") {
        return Vec::new();
    }
    let params: Vec<&str> = body.split('&').collect();
    let mut bodies = Vec::new();
    for (position, param) in params.iter().enumerate() {
        let name = param.split_once('=').map_or(*param, |(name, _)| name);
        let mut without = params.clone();
        without.remove(position);
        bodies.push((format!("without {name}"), without.join("&")));
        let empty = format!("{name}=");
        let mut emptied = params.clone();
        emptied[position] = &empty;
        bodies.push((format!("empty {name}"), emptied.join("&")));
        bodies.push((format!("{name} twice"), format!("{body}&{param}")));
        bodies.push((format!("{name} twice, first changed"), format!("{name}=x&{body}")));
        bodies.push((format!("{name} twice, last changed"), format!("{body}&{name}=x")));
        let upper = body.replacen(&format!("{name}="), &format!("{}=", name.to_uppercase()), 1);
        bodies.push((format!("{name} in upper case"), upper));
    }
    bodies
}

pub(super) fn other_account(stand: &mut Stand<'_>) -> Result<(), Failure> {
    let mut stranger = stand.stranger()?;
    for notice in samples(stand)? {
        refuses(&mut stranger, "another account's notification", &notice)?;
    }
    for notice in samples(&mut stranger)? {
        refuses(stand, "another account's notification", &notice)?;
    }
    stand.checks += stranger.checks;
    Ok(())
}

/// The headers that a channel may have signed.
fn signed(notice: &Request<Bytes>) -> Vec<(HeaderName, HeaderValue)> {
    let own = |(name, value): (&HeaderName, &HeaderValue)| (name.clone(), value.clone());
    notice.headers().iter().map(own).filter(|(name, _)| !UNSIGNED.contains(name)).collect()
}

/// What a notification says: the body, or with GET the query.
fn content(notice: &Request<Bytes>) -> Bytes {
    if notice.method() == Method::GET {
        return Bytes::from(notice.uri().query().unwrap_or_default().to_owned());
    }
    notice.body().clone()
}

/// The same notification with another content; `None` where no HTTP server would let it through.
fn with_content(notice: &Request<Bytes>, content: Bytes) -> Option<Request<Bytes>> {
    let mut changed = notice.clone();
    if notice.method() == Method::GET {
        let uri = notice.uri().to_string();
        let address = uri.split('?').next().unwrap_or_default();
        *changed.uri_mut() = format!("{address}?{}", std::str::from_utf8(&content).ok()?).parse().ok()?;
    } else {
        *changed.body_mut() = content;
    }
    Some(changed)
}

fn with_header(notice: &Request<Bytes>, name: &HeaderName, value: Option<HeaderValue>) -> Request<Bytes> {
    let mut changed = notice.clone();
    changed.headers_mut().remove(name);
    changed.headers_mut().extend(value.map(|value| (name.clone(), value)));
    changed
}
