//! The payer's pages: Chinese and English, without script, readable on a phone.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY};
use http::{HeaderValue, Response, StatusCode};

use super::charge::{Charge, Scene, State};

/// The page with the two buttons.
pub(super) fn checkout(charge: &Charge) -> Response<Bytes> {
    let body = format!(
        "<p class=subject>{subject}</p><p class=amount>{amount}</p>\
         <form method=post action=\"{reference}/pay\"><button class=pay>支付 Pay</button></form>\
         <form method=post action=\"{reference}/cancel\"><button>取消 Cancel</button></form>",
        subject = escaped(&charge.subject),
        amount = escaped(&charge.money(charge.amount).display()),
        reference = escaped(&charge.reference),
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
        format!("<p><a href=\"{}\">返回商户 Back to the shop</a></p>", escaped(url))
    });
    let subject = escaped(&charge.subject);
    let amount = escaped(&charge.money(charge.amount).display());
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
    let html = format!(
        "<!doctype html><html lang=zh-CN><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style><main><header>Testpay <span>测试 · 不会扣款 · no real money</span></header>{body}</main></html>"
    );
    let mut response = Response::new(Bytes::from(html));
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2733;--soft:#66727f;--card:#fff;--ground:#eef2f6;--line:#d5dde5;--blue:#1668dc}\
@media(prefers-color-scheme:dark){:root{--ink:#e8edf2;--soft:#9aa7b4;--card:#1b242e;--ground:#10171e;--line:#33404d}}\
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--ground);\
color:var(--ink);font:16px/1.5 system-ui,'PingFang SC','Microsoft YaHei',sans-serif}\
main{width:min(26rem,calc(100vw - 2rem));margin:1rem;padding:1.5rem;border-radius:1rem;background:var(--card);\
box-shadow:0 1px 3px #0002,0 12px 32px #0001;text-align:center}header{font-weight:600;padding-bottom:.75rem;\
border-bottom:1px solid var(--line)}header span{display:block;font-weight:400;font-size:.8rem;color:var(--soft)}\
p{margin:1rem 0}.subject{color:var(--soft);overflow-wrap:anywhere}.amount{font-size:2.4rem;font-weight:600;\
font-variant-numeric:tabular-nums}.mark{font-size:3rem;line-height:1}button{width:100%;min-height:3rem;margin-top:.75rem;\
border:1px solid var(--line);border-radius:.7rem;background:none;color:inherit;font:inherit;cursor:pointer}\
.pay{background:var(--blue);border-color:var(--blue);color:#fff;font-weight:600}button:focus-visible{outline:3px solid \
#69b1ff;outline-offset:2px}a{color:var(--blue)}";

/// Text that is safe between tags and in a quoted attribute.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}
