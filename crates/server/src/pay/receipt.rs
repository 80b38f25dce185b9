//! The receipt of a paid order, to be printed or kept. Its address opens nothing else.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use http::Method;
use paycore::error::Result;
use paycore::money::Money;
use paycore::order::{Order, OrderPage};
use paycore::refund::{Refund, RefundFilter, RefundStatus};
use paycore::store::Page;
use paycore::time::Timestamp;

use super::OrderVisit;
use super::html::{Sheet, button, escape, shop};
use super::texts::Texts;
use super::view::items;
use super::visit::{Browser, Visit, answered};
use crate::http::{App, other_methods};

/// Refunds that a receipt lists.
const REFUNDS: usize = 100;

/// Adds the page.
pub(super) fn add(router: Router, app: &Arc<App>) -> Router {
    let app = Arc::clone(app);
    let page = get(move |address, request| answered(Arc::clone(&app), address, request, show));
    router.route("/receipt/{address}", page.fallback(other_methods(&[&Method::GET])))
}

/// A browser on the receipt of an order.
struct Receipt(OrderVisit);

impl Visit for Receipt {
    const PAGE: &'static str = "receipt";

    async fn open(browser: Browser, address: String) -> Result<Receipt> {
        OrderVisit::of(browser, OrderPage::Receipt, address).await.map(Receipt)
    }

    fn here(&self) -> String {
        format!("/receipt/{}{}", self.0.address, self.0.browser.query)
    }
}

async fn show(Receipt(visit): Receipt, _: Request) -> Result<Response> {
    let order = &visit.checkout.order;
    let filter = RefundFilter { order_id: Some(order.id) };
    let page = Page { limit: REFUNDS, after: None, before: None };
    let refunds =
        visit.browser.app.engine.store().refunds(visit.checkout.merchant.id, &filter, &page).await?;
    let (texts, mut body) = (&visit.texts, String::new());
    let head = shop(&visit.checkout.merchant, &visit.look, texts);
    let _ = write!(
        body,
        "<header class=\"Summary\">{head}<h1 class=\"Subject\">{} · {}</h1><p class=\"Amount\">{}</p></header>",
        escape(texts.say("receipt")),
        escape(&order.details.subject),
        escape(&order.money.display())
    );
    let _ =
        write!(body, "<section class=\"Pay\">{}{}</section>", items(order, texts), rows(&visit, &refunds));
    let title = format!("{} · {}", texts.say("receipt"), visit.checkout.merchant.name);
    let sheet = Sheet {
        page: "receipt",
        title: &title,
        texts,
        merchant: Some(&visit.checkout.merchant),
        look: &visit.look,
        widget: false,
        refresh: None,
        script: paid(order).then_some("print"),
        body,
    };
    Ok(sheet.answer(200))
}

/// Whether money was taken or reserved.
fn paid(order: &Order) -> bool {
    order.captured > 0 || order.authorized > 0
}

fn rows(visit: &OrderVisit, refunds: &[Refund]) -> String {
    let (order, texts) = (&visit.checkout.order, &visit.texts);
    if !paid(order) {
        let note = escape(texts.say("not_paid_yet"));
        let there = order.details.client_secret.as_ref().map(|secret| secret.address(OrderPage::Pay));
        let there = there.map(|address| format!("/pay/{address}{}", visit.browser.query)).unwrap_or_default();
        return format!("<p class=\"Note\">{note}</p>{}", button(&there, texts.say("to_payment"), false));
    }
    let mut html = String::from("<dl class=\"Rows\">");
    let mut row = |label: &str, value: &str| html.push_str(&row(texts, label, value, ""));
    row("number", &order.number);
    if let Some(at) = order.paid_at {
        row("paid_at", &when(at));
    }
    if let Some(attempt) = &visit.checkout.attempt {
        row("paid_with", &texts.brand(&attempt.method));
        row("reference", attempt.channel_id.as_deref().unwrap_or(&attempt.reference));
    }
    let taken = if order.captured > 0 { ("paid", order.captured) } else { ("reserved", order.authorized) };
    row(taken.0, &order.amount(taken.1).display());
    html.push_str(&given_back(order, refunds, texts));
    html.push_str("</dl>");
    let print = escape(texts.say("print"));
    let _ = write!(html, "<button class=\"Button\" id=\"print\" type=\"button\">{print}</button>");
    html
}

/// What went back, each refund with its time, and what is left.
fn given_back(order: &Order, refunds: &[Refund], texts: &Texts) -> String {
    let mut html = String::new();
    for refund in refunds.iter().rev().filter(|refund| refund.status != RefundStatus::Failed) {
        let label = if refund.status == RefundStatus::Succeeded { "refunded" } else { "refunding" };
        let value = format!("−{} · {}", refund.money.display(), when(refund.created_at));
        html.push_str(&row(texts, label, &value, ""));
    }
    if order.refunded > 0 {
        let left: Money = order.amount(order.captured - order.refunded);
        html.push_str(&row(texts, "kept", &left.display(), " class=\"Total\""));
    }
    html
}

fn row(texts: &Texts, label: &str, value: &str, class: &str) -> String {
    format!("<div{class}><dt>{}</dt><dd>{}</dd></div>", escape(texts.say(label)), escape(value))
}

/// An instant as shops write it, with the offset said.
fn when(at: Timestamp) -> String {
    format!("{} (UTC+8)", at.beijing())
}
