//! The payer's phone or browser: one page per order, in Chinese and English, without script.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Request, Response};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::{Book, Order, Provider, State, respond};

/// Answers `/payer/{rest}`.
pub(super) fn payer<P: Provider>(
    book: &mut Book,
    request: &Request<Bytes>,
    rest: &str,
    now: Timestamp,
) -> Response<Bytes> {
    let (key, action) = rest.split_once('/').unwrap_or((rest, ""));
    if book.get(key).is_none() {
        return trouble::<P>(404, "没有这笔订单 · No such order");
    }
    match (request.method(), action) {
        (&Method::GET, "") => {
            let query = request.uri().query().unwrap_or_default().as_bytes();
            let mut parts = url::form_urlencoded::parse(query);
            if let Some((_, back)) = parts.find(|(name, _)| name == "redirect_url") {
                book.returns_to(key, back.into_owned());
            }
            return book.get(key).map_or_else(Response::default, page::<P>);
        }
        (&Method::POST, "pay") => {
            if !book.press(key, now) {
                return trouble::<P>(400, "余额不足，付款失败 · Insufficient balance");
            }
        }
        // A payer who cancels leaves the order open and may come back.
        (&Method::POST, "cancel") => {}
        _ => return trouble::<P>(404, "没有这个页面 · No such page"),
    }
    let Some(order) = book.get(key) else { return Response::default() };
    let Some(back) = &order.return_url else { return page::<P>(order) };
    respond(303, (LOCATION, back), String::new())
}

/// A page that says what went wrong.
fn trouble<P: Provider>(status: u16, text: &str) -> Response<Bytes> {
    html::<P>(status, &format!("<h1>{}</h1>", escape(text)))
}

fn page<P: Provider>(order: &Order) -> Response<Bytes> {
    let choice = match order.state() {
        State::Open => buttons(&order.reference),
        State::Paying => state("处理中 · In progress"),
        State::Paid if order.refunds.is_empty() => state("支付成功 · Paid"),
        State::Paid => state("已支付，有退款 · Paid, with refunds"),
        State::Closed => state("订单已关闭 · Closed"),
        State::Failed => state("支付失败 · Failed"),
    };
    let sum = Money::new(order.fen, order.currency()).display().to_string();
    html::<P>(200, &offer(&order.subject, &sum, &choice, &order.reference))
}

/// What is paid for, what it costs, and what the payer may do or what has become of it.
pub(crate) fn offer(subject: &str, sum: &str, choice: &str, key: &str) -> String {
    let (subject, key) = (escape(subject), escape(key));
    format!("<h1>{subject}</h1><p class=sum>{sum}</p>{choice}<p class=note>{key}</p>")
}

/// To pay or not; relative to the page, so that the simulator may be mounted anywhere.
pub(crate) fn buttons(key: &str) -> String {
    let key = escape(key);
    format!(
        "<form method=post action='{key}/pay'><button>支付 Pay</button></form>\
         <form method=post action='{key}/cancel'><button class=quiet>取消 Cancel</button></form>"
    )
}

/// What has become of it.
pub(crate) fn state(text: &str) -> String {
    format!("<p class=state>{text}</p>")
}

/// A page of a provider.
pub(crate) fn html<P: Provider>(status: u16, content: &str) -> Response<Bytes> {
    branded(P::NAMES, P::COLOUR, status, content)
}

/// A page in a provider's name, in Chinese and English, and in its colour, on which white can be read.
pub(crate) fn branded(
    [chinese, english]: [&str; 2],
    colour: &str,
    status: u16,
    content: &str,
) -> Response<Bytes> {
    let page = include_str!("page.html")
        .replace("{chinese}", chinese)
        .replace("{english}", english)
        .replace("{colour}", colour)
        .replace("{content}", content);
    respond(status, (CONTENT_TYPE, "text/html; charset=utf-8"), page)
}

/// Text that is safe between tags and in a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let escapes = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
    escapes.iter().fold(text.to_owned(), |text, (sign, escaped)| text.replace(*sign, escaped))
}
