//! The checkout widget: what a payer sees and does, in the browser, from the same code as the server.
//!
//! `session` decides as one pure machine; `view` turns what it decided into elements; `widget` is the shell that
//! listens, sends and waits. `js/loader.js` makes the custom element and the JavaScript interface of it. The widget
//! holds no key but the order's client secret, and never sees a card number: that is typed into a frame of the
//! server's own.

// What writes values for developers is cut out of the built module: nothing a payer sees may be written by it.
#![cfg_attr(not(test), deny(clippy::use_debug))]

mod appearance;
mod code128;
mod dom;
mod frame;
mod json;
mod net;
mod options;
mod order;
mod qr;
mod session;
mod sse;
mod texts;
mod view;
mod wallet;
mod widget;

use paycore::channel::card::number;
use paycore::currency::Currency;
use paycore::money::Money;
use wasm_bindgen::prelude::wasm_bindgen;

pub use widget::Widget;

/// An amount for people, such as `¥12.34` for 1234n and `CNY`; nothing for a currency that does not exist. Minor
/// units are a BigInt in JavaScript, so that no amount is ever rounded.
#[wasm_bindgen(js_name = formatMoney)]
pub fn format_money(minor: i64, currency: &str) -> Option<String> {
    let currency = Currency::parse(currency).ok()?;
    Some(Money::new(minor, currency).display())
}

/// A QR code as SVG text, black on white with its quiet zone; nothing for a content that is empty or too long.
#[wasm_bindgen(js_name = qrSvg)]
pub fn qr_svg(content: &str) -> Option<String> {
    qr::drawing(content).map(|drawing| drawing.svg())
}

/// The brand of a card from the first digits on, while it is typed: `visa`, `unionpay` …; nothing as long as it is
/// open, and for brands that are not known here.
#[wasm_bindgen(js_name = cardBrand)]
pub fn card_brand(number: &str) -> Option<String> {
    number::brand(&number::digits(number)?).map(|brand| brand.name.to_owned())
}

/// What is wrong with a card number: `incomplete`, `too_long`, `mistyped` or `not_a_number`; nothing where it may
/// be right. Whether there is such a card only its issuer knows.
#[wasm_bindgen(js_name = cardProblem)]
pub fn card_problem(number: &str) -> Option<String> {
    number::check(number).err().map(|problem| problem.text().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        for (minor, currency, text) in [
            (1234, "CNY", "¥12.34"),
            (1_234_500, "JPY", "JP¥1,234,500"),
            (-99, "USD", "-US$0.99"),
            (i64::MIN, "CNY", "-¥92,233,720,368,547,758.08"),
        ] {
            assert_eq!(format_money(minor, currency).as_deref(), Some(text));
        }
        assert_eq!(format_money(1, "XXQ"), None);
        assert_eq!(format_money(1, ""), None);
    }
}
