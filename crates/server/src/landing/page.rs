//! The HTML of the offer behind a payment link.

use std::fmt::Write as _;

use axum::response::Response;
use paycore::branding::Look;
use paycore::landing::Landing;
use paycore::money::Money;

use crate::pay::html::{Sheet, escape, shop};
use crate::pay::texts::Texts;
use crate::pay::view::{code_field, way};

/// What is for sale here and the ways to pay.
pub(super) fn offer(landing: &Landing, look: &Look, texts: &Texts, code: Option<&str>) -> Response {
    let link = &landing.link;
    let mut body = String::from("<header class=\"Summary\">");
    body.push_str(&shop(&landing.merchant, look, texts));
    let _ = write!(body, "<h1 class=\"Subject\">{}</h1>", escape(&link.details.subject));
    if let Some(minor) = link.amount {
        let money = Money::new(minor, link.currency);
        let _ = write!(body, "<p class=\"Amount\">{}</p>", escape(&money.display()));
    }
    if let Some(note) = &look.note {
        let _ = write!(body, "<p class=\"Note\">{}</p>", escape(note));
    }
    let label = escape(texts.say("payment"));
    let _ = write!(body, "</header><section class=\"Pay\" aria-label=\"{label}\">");
    match landing.closed {
        Some(why) => {
            let _ = write!(body, "<p class=\"Note\" role=\"status\">{}</p>", escape(why));
        }
        None if landing.offers.is_empty() => {
            let _ = write!(body, "<p class=\"Note\" role=\"status\">{}</p>", escape(texts.say("nothing")));
        }
        None => body.push_str(&form(landing, texts, code)),
    }
    body.push_str("</section>");
    let title = format!("{} · {}", link.details.subject, landing.merchant.name);
    let sheet = Sheet {
        page: "link",
        title: &title,
        texts,
        merchant: Some(&landing.merchant),
        look,
        widget: false,
        refresh: None,
        script: None,
        body,
    };
    sheet.answer(200)
}

fn form(landing: &Landing, texts: &Texts, code: Option<&str>) -> String {
    let link = &landing.link;
    let mut html = String::from("<form method=\"post\">");
    if link.amount.is_none() {
        let _ = write!(
            html,
            "<label class=\"Field\">{} ({})<input name=\"amount\" inputmode=\"decimal\" required autocomplete=\"off\" \
             autofocus maxlength=\"20\" placeholder=\"0.00\"></label>",
            escape(texts.say("amount")),
            link.currency
        );
    }
    html.push_str(&code_field(code));
    let title = escape(texts.say("choose_title"));
    let _ = write!(html, "<h2 class=\"Title\">{title}</h2><div class=\"Ways\">");
    for method in &landing.offers {
        html.push_str(&way(method, texts));
    }
    html.push_str("</div></form>");
    html
}
