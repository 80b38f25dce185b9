//! What the simulators of several providers have in common: the book of orders with the outcomes scripted by the
//! amount, the payer's page, and notifications on a schedule. What a provider checks and how it speaks stands with
//! its own simulator. Adapters use none of this, so that a mistake made here still shows against the other end.

pub(crate) mod alipay;
pub(crate) mod alipay_login;
pub(crate) mod bill;
mod book;
pub(crate) mod certificate;
mod codes;
pub(crate) mod issuer;
mod notes;
mod page;
mod records;
pub(crate) mod share;
pub(crate) mod trade_bill;
pub(crate) mod v2;
pub(crate) mod v3;
pub(crate) mod wechat_login;
pub(crate) mod x509;
pub(crate) mod xml;
pub(crate) mod zip;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
};
use http::{Request, Response, StatusCode};
use paycore::channel::simulator::{Answer, BookLine, Notification, Simulator};
use paycore::time::{Rng, Timestamp};
use serde_json::Value;

pub(crate) use book::{Book, Given, Order, Refund, Refused, Started, State};
pub(crate) use notes::{Note, Notes, copies, sent};
pub(crate) use page::{branded, buttons, escape, html, offer, state};
pub(crate) use records::{Record, Records};

/// What is a provider's own.
pub(crate) trait Provider: Send + 'static {
    /// Its name in Chinese and English, for the payer's page.
    const NAMES: [&'static str; 2];
    /// Of the payer's page, as CSS has it.
    const COLOUR: &'static str;
    /// Seconds from one try of a notification to the next.
    const RETRIES: &'static [u64];

    /// Answers a request that is not of the payer's page.
    fn api(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer;

    /// What the merchant is told of a payment or, with it, of a refund.
    fn news(&self, order: &Order, refund: Option<&Refund>) -> Value;

    /// One try of a notification.
    fn request(&self, note: &Note, now: Timestamp) -> Option<Request<Bytes>>;

    /// The statement of everything that moved between two instants, where it writes any.
    fn statement(&self, _book: &Book, _from: Timestamp, _until: Timestamp) -> Option<Bytes> {
        None
    }

    /// Whether the merchant's answer ends a notification.
    fn heard(&self, response: &Response<Bytes>) -> bool;
}

/// A provider as one merchant sees it.
pub(crate) struct Platform<P> {
    provider: P,
    book: Book,
    notes: Notes,
}

impl<P: Provider> Platform<P> {
    pub(crate) fn new(provider: P) -> Platform<P> {
        Platform { provider, book: Book::default(), notes: Notes::default() }
    }

    /// What the provider has on its books.
    pub(crate) fn orders(&self) -> &Book {
        &self.book
    }

    /// What is the provider's own.
    pub(crate) fn provider(&self) -> &P {
        &self.provider
    }

    /// The same, to be changed.
    pub(crate) fn provider_mut(&mut self) -> &mut P {
        &mut self.provider
    }

    /// Has the merchant told of something that is no order.
    pub(crate) fn announce(&mut self, url: String, content: Value, at: Timestamp) {
        self.notes.put(url, false, content, (at, at));
    }

    /// Turns what has happened into notifications.
    fn tell(&mut self) {
        for news in self.book.take_news() {
            let Some(order) = self.book.get(&news.reference) else { continue };
            let refund = news.refund.as_ref().and_then(|number| order.refund(number));
            let url = refund.map_or(&order.notify_url, |refund| &refund.notify_url);
            let Some(url) = url else { continue };
            let content = self.provider.news(order, refund);
            self.notes.tell(order.script(), refund.is_some(), url, &content, news.at);
        }
    }
}

impl<P: Provider> Simulator for Platform<P> {
    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.book.advance(now);
        let answer = match request.uri().path().strip_prefix("/payer/") {
            Some(rest) => Answer::Reply(page::payer::<P>(&mut self.book, request, rest, now)),
            None => self.provider.api(&mut self.book, request, now),
        };
        self.tell();
        answer
    }

    fn due(&mut self, now: Timestamp) -> Vec<Notification> {
        self.book.advance(now);
        self.tell();
        sent(self.notes.take_due(now), |note| self.provider.request(note, now))
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.book.next_due().into_iter().chain(self.notes.next_due()).min()
    }

    fn notified(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        let heard = response.is_some_and(|response| self.provider.heard(response));
        self.notes.answered(id, heard, P::RETRIES, now);
    }

    fn changed(&mut self) -> Vec<(String, String)> {
        let mut records = self.book.changed();
        records.extend(self.notes.changed());
        records
    }

    fn restore(&mut self, key: &str, value: &str) {
        match key.split_once('/') {
            Some(("note", id)) => self.notes.restore(id, value),
            _ => self.book.restore(value),
        }
    }

    fn book(&self) -> Vec<BookLine> {
        self.book.lines()
    }

    fn statement(&mut self, from: Timestamp, until: Timestamp) -> Option<Bytes> {
        self.provider.statement(&self.book, from, until)
    }
}

/// A response with one header that matters.
pub(crate) fn respond(
    status: u16,
    (name, value): (HeaderName, &str),
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
    response
}

/// A page for payers that loads nothing and is framed by nobody.
pub(crate) fn plain_page(status: StatusCode, html: String) -> Response<Bytes> {
    const POLICY: &str =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    let mut response = respond(status.as_u16(), (CONTENT_TYPE, "text/html; charset=utf-8"), html);
    let headers =
        [(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer"), (CONTENT_SECURITY_POLICY, POLICY)];
    response.headers_mut().extend(headers.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

/// Characters drawn from an alphabet, after a given beginning.
pub(crate) fn drawn(prefix: &str, alphabet: &str, count: usize, rng: &dyn Rng) -> String {
    let alphabet = alphabet.as_bytes();
    let mut random = vec![0; count];
    rng.fill(&mut random);
    let picked = random.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()]));
    prefix.chars().chain(picked).collect()
}
