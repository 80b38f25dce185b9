//! What most channels can do, and how what they cannot do is refused.

use paycore::channel::{Capability, CaptureMode, Context, Currencies, Pay, Refusal, Verb};
use paycore::currency::Currency;
use paycore::money::Money;

/// A way to pay yuan in China, charged at once.
pub(crate) const fn cny(brand: &'static str, scene: &'static str, verbs: &'static [Verb]) -> Capability {
    Capability {
        brand,
        scene,
        currencies: Currencies::Only(&[Currency::CNY]),
        countries: &["CN"],
        verbs,
        captures: &[CaptureMode::Automatic],
        parts_max: 0,
    }
}

/// A payment that is charged at once and that one merchant gets whole.
pub(crate) fn simple(pay: &Pay) -> Result<(), Refusal> {
    if pay.capture == CaptureMode::Manual {
        return Err(Refusal::Unsupported("manual capture"));
    }
    if pay.shared || !pay.parts.is_empty() {
        return Err(Refusal::Unsupported("shares and parts"));
    }
    Ok(())
}

/// A payment that has not expired.
pub(crate) fn in_time(pay: &Pay, cx: &Context<'_>) -> Result<(), Refusal> {
    if pay.expires_at.is_some_and(|at| at <= cx.now) {
        return Err(Refusal::Parameter { param: "expires_at", detail: "must be in the future".into() });
    }
    Ok(())
}

/// An amount of yuan in fen, up to so many.
pub(crate) fn fen(money: Money, most: i64) -> Result<String, Refusal> {
    if money.currency() == Currency::CNY && (1..=most).contains(&money.minor()) {
        return Ok(money.minor().to_string());
    }
    let most = Money::new(most, Currency::CNY);
    Err(Refusal::Amount(format!("{money} is not between 0.01 and {most}")))
}
