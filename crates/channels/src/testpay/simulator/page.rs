//! The payer's pages: Chinese and English, without script, readable on a phone.

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};

use super::charge::{Charge, Scene, State};
use crate::sandbox::{escape, plain_page};

/// The page with the two buttons.
pub(super) fn checkout(charge: &Charge) -> Response<Bytes> {
    let body = format!(
        "<p class=subject>{subject}</p><p class=amount>{amount}</p>\
         <form method=post action=\"{reference}/pay\"><button class=pay>支付 Pay</button></form>\
         <form method=post action=\"{reference}/cancel\"><button>取消 Cancel</button></form>",
        subject = escape(&charge.subject),
        amount = escape(&charge.money(charge.amount).display()),
        reference = escape(&charge.reference),
    );
    page(StatusCode::OK, "收银台 Checkout", &body)
}

/// What became of the payment. After a button was pressed on a page payment the payer goes back to the shop.
pub(super) fn result(charge: &Charge, pressed: bool) -> Response<Bytes> {
    let (mark, zh, en) = match charge.state {
        State::Succeeded | State::Authorized => ("✓", "支付成功", "Paid"),
        State::Pending => ("…", "处理中", "In progress"),
        State::Declined if charge.code.as_deref() == Some("payer_cancelled") => ("✕", "已取消", "Cancelled"),
        State::Declined => ("✕", "支付失败", "Payment declined"),
        State::Closed => ("✕", "订单已关闭", "Closed"),
        State::Awaiting => ("…", "待支付", "Waiting for payment"),
    };
    let back = charge.return_url.as_deref().filter(|url| charge.scene == Scene::Page && is_web(url));
    let link = back.map_or(String::new(), |url| {
        format!("<p><a href=\"{}\">返回商户 Back to the shop</a></p>", escape(url))
    });
    let subject = escape(&charge.subject);
    let amount = escape(&charge.money(charge.amount).display());
    let body = format!(
        "<p class=mark>{mark}</p><p><b>{zh}</b><br>{en}</p><p class=subject>{subject}<br>{amount}</p>{link}"
    );
    let mut response = page(StatusCode::OK, &format!("{zh} {en}"), &body);
    if let Some(location) = back.filter(|_| pressed).and_then(|url| HeaderValue::from_str(url).ok()) {
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// There is nothing at this address.
pub(super) fn unknown() -> Response<Bytes> {
    page(
        StatusCode::NOT_FOUND,
        "未找到 Not found",
        "<p class=mark>?</p><p><b>没有这笔支付</b><br>There is no such payment</p>",
    )
}

fn page(status: StatusCode, title: &str, body: &str) -> Response<Bytes> {
    plain_page(status, include_str!("page.html").replace("{title}", title).replace("{body}", body))
}
