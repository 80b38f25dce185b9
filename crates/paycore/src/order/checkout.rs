//! An order as the payer's browser sees it: nothing of the merchant's notes, the channel's words or the books.

use serde::Serialize;

use super::{Attempt, AttemptStatus, Order, OrderStatus};
use crate::channel::{Action, DeclineReason, Method};
use crate::currency::Currency;
use crate::id::{AttemptId, OrderId};
use crate::link::rules::Opener;
use crate::time::Timestamp;
use crate::vault::{CONSENT_VERSION, KeptCard, StoredCard};

/// The order. The shape is that of `docs/reference/checkout-api.md`.
#[derive(Debug, Serialize)]
pub struct CheckoutView<'a> {
    /// Always `checkout_order`.
    pub object: &'static str,
    /// Its id.
    pub id: OrderId,
    /// False in a sandbox.
    pub livemode: bool,
    /// Grows with every change.
    pub version: i64,
    /// Where it stands.
    pub status: OrderStatus,
    /// What is to be paid, minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// What the payer sees.
    pub subject: &'a str,
    /// Longer text.
    pub description: Option<&'a str>,
    /// Whose it is.
    pub merchant: MerchantName<'a>,
    /// What it can be paid with here, in the order to show it.
    pub methods: Vec<CheckoutMethod<'a>>,
    /// The attempt that is running or was last.
    pub attempt: Option<CheckoutAttempt<'a>>,
    /// What the payer has to do next.
    pub next_action: Option<&'a Action>,
    /// Why the last attempt was declined.
    pub decline: Option<DeclineView>,
    /// The customer's cards, where the order names a customer and takes a card.
    pub cards: Option<CheckoutCards>,
    /// Where the payer's browser goes afterwards.
    pub return_url: Option<&'a str>,
    /// When it closes by itself.
    pub expires_at: Timestamp,
    /// The time it is for this merchant, to count down from.
    pub server_time: Timestamp,
}

/// A merchant as payers know it.
#[derive(Debug, Serialize)]
pub struct MerchantName<'a> {
    /// The shop's name.
    pub name: &'a str,
}

/// The cards of the customer who pays.
#[derive(Debug, Serialize)]
pub struct CheckoutCards {
    /// The version of the text that asks whether a card may be kept; it goes into `save`.
    pub consent_version: &'static str,
    /// The cards that are kept, newest first.
    pub stored: Vec<KeptCard>,
}

/// A way to pay.
#[derive(Debug, Serialize)]
pub struct CheckoutMethod<'a> {
    /// The method and scene.
    pub method: &'a Method,
    /// What is typed before it can start.
    pub form: Form,
}

/// What is typed before a payment can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Nothing.
    None,
    /// A card, in the frame of the payment's own origin.
    Card,
}

impl Form {
    /// What a method asks for.
    fn of(method: &Method) -> Form {
        if method.takes_card() { Form::Card } else { Form::None }
    }
}

/// An attempt as payers see it.
#[derive(Debug, Serialize)]
pub struct CheckoutAttempt<'a> {
    /// Its id.
    pub id: AttemptId,
    /// The method and scene.
    pub method: &'a Method,
    /// Where it stands.
    pub status: AttemptStatus,
}

/// Why an attempt was declined. The channel's own code and text are for the merchant.
#[derive(Debug, Serialize)]
pub struct DeclineView {
    /// Our class of reasons.
    pub reason: DeclineReason,
}

/// Brands whose app opens payment pages in a browser of its own, where no other wallet works.
const WALLETS: &[&str] = &["wechatpay", "alipay", "unionpay", "qq"];

/// Whether a method can work in this browser: a till's scanner, an app's kit and a mini program's cannot, and inside
/// a wallet only that wallet.
pub fn presentable(method: &Method, opener: Opener) -> bool {
    let own = opener.brand() == Some(method.brand());
    let foreign = opener.brand().is_some() && !own && WALLETS.contains(&method.brand());
    match method.scene() {
        _ if foreign => false,
        "barcode" | "app" | "mini" | "mandate" => false,
        "jsapi" => own,
        "h5" => opener != Opener::Desk,
        _ => true,
    }
}

impl Order {
    /// The customer whose cards may be kept and offered: one that is named, where a card can be paid with.
    pub fn keeps_cards(&self) -> Option<&str> {
        self.details.customer.as_deref().filter(|_| self.methods.iter().any(Method::takes_card))
    }

    /// The order as the payer's browser sees it.
    pub fn checkout_view<'a>(
        &'a self,
        attempt: Option<&'a Attempt>,
        cards: &[StoredCard],
        merchant: &'a crate::merchant::Merchant,
        opener: Opener,
        now: Timestamp,
    ) -> CheckoutView<'a> {
        let methods = self.methods.iter().filter(|method| presentable(method, opener));
        CheckoutView {
            object: "checkout_order",
            id: self.id,
            livemode: merchant.livemode,
            version: self.version,
            status: self.status,
            amount: self.money.minor(),
            currency: self.currency(),
            subject: &self.details.subject,
            description: self.details.description.as_deref(),
            merchant: MerchantName { name: &merchant.name },
            methods: methods.map(|method| CheckoutMethod { method, form: Form::of(method) }).collect(),
            attempt: attempt.map(|attempt| CheckoutAttempt {
                id: attempt.id,
                method: &attempt.method,
                status: attempt.status,
            }),
            next_action: self.next_action.as_ref(),
            decline: self.decline.as_ref().map(|decline| DeclineView { reason: decline.reason }),
            cards: self.keeps_cards().map(|_| CheckoutCards {
                consent_version: CONSENT_VERSION,
                stored: cards.iter().map(StoredCard::kept).collect(),
            }),
            return_url: self.details.return_url.as_deref(),
            expires_at: self.expires_at,
            server_time: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(opener: Opener) -> Vec<&'static str> {
        let all =
            ["alipay.qr", "alipay.barcode", "wechatpay.jsapi", "wechatpay.h5", "wechatpay.qr", "card.web"];
        all.into_iter().filter(|text| presentable(&text.parse().unwrap(), opener)).collect()
    }

    #[test]
    fn only_what_works_in_this_browser_is_shown() {
        assert_eq!(shown(Opener::Desk), ["alipay.qr", "wechatpay.qr", "card.web"]);
        assert_eq!(shown(Opener::Phone), ["alipay.qr", "wechatpay.h5", "wechatpay.qr", "card.web"]);
        assert_eq!(shown(Opener::Wechat), ["wechatpay.jsapi", "wechatpay.h5", "wechatpay.qr", "card.web"]);
        assert_eq!(shown(Opener::Alipay), ["alipay.qr", "card.web"]);
    }

    #[test]
    fn cards_are_typed_and_wallets_are_not() {
        for (method, form) in
            [("card.web", Form::Card), ("testpay.card", Form::None), ("alipay.qr", Form::None)]
        {
            assert_eq!(Form::of(&method.parse().unwrap()), form, "{method}");
        }
    }
}
