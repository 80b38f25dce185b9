//! What every operator's request is checked for, and how its parts are written.

use std::time::Duration;

use paycore::channel::{CaptureMode, Context, Pay, Refusal};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::{CNY, PROFILE, UNITS};
use crate::dialect::text;

/// An order that nobody pays dies after this time unless the merchant says otherwise.
const LIFETIME: Duration = Duration::from_secs(2 * 3_600);
/// The dearest payment this adapter sends: 10,000,000 yuan, beyond the limits of every wallet.
const FEN_MAX: i64 = 1_000_000_000;

/// Refuses what e-CNY cannot do; answers with the instant at which the order dies.
pub(super) fn checked(pay: &Pay, cx: &Context<'_>) -> Result<Timestamp, Refusal> {
    if pay.capture == CaptureMode::Manual {
        return Err(Refusal::Unsupported("manual capture"));
    }
    if !pay.parts.is_empty() || pay.shared {
        return Err(Refusal::Unsupported("parts and shares"));
    }
    if pay.subject.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    if pay.expires_at.is_some_and(|at| at <= cx.now) {
        return Err(Refusal::Parameter { param: "expires_at", detail: "must be in the future".into() });
    }
    // Counted from the start of the attempt, so that the same request is the same however often it is sent.
    Ok(pay.expires_at.unwrap_or_else(|| pay.started_at.plus(LIFETIME)))
}

/// At most 40 characters, none of them special: letters, digits, spaces and Chinese stay.
pub(super) fn goods(subject: &str) -> String {
    let usual = |sign: char| if sign.is_alphanumeric() { sign } else { ' ' };
    let text: String = subject.chars().take(40).map(usual).collect();
    let text = text.trim();
    if text.is_empty() { "商品".to_owned() } else { text.to_owned() }
}

/// A reference as operators take it.
pub(super) fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, PROFILE.references)
}

/// Whole fen.
pub(super) fn amount(money: Money) -> Result<String, Refusal> {
    if money.currency() != CNY || !(1..=FEN_MAX).contains(&money.minor()) {
        return Err(Refusal::Amount(format!("{money} is not between 0.01 and 10000000.00 CNY")));
    }
    UNITS.to_wire(money).map_err(|error| Refusal::Amount(error.to_string()))
}
