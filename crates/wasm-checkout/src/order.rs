//! The order as the server tells it, read leniently: what is not known here is skipped, never guessed.

use paycore::currency::Currency;
use paycore::money::Money;
use paycore::order::{AttemptStatus, OrderStatus};
use paycore::time::Timestamp;

use crate::json::Json;

/// An order. The shape is that of `docs/reference/checkout-api.md`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) livemode: bool,
    pub(crate) version: i64,
    pub(crate) status: OrderStatus,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) subject: String,
    /// The shop's name.
    pub(crate) merchant: String,
    pub(crate) methods: Vec<Method>,
    pub(crate) attempt: Option<Attempt>,
    pub(crate) next_action: Option<Action>,
    /// Why the last attempt was declined.
    pub(crate) decline: Option<String>,
    /// Set where a customer is named, whose cards can be kept.
    pub(crate) cards: Option<Cards>,
    pub(crate) return_url: Option<String>,
    pub(crate) expires_at: Timestamp,
    pub(crate) server_time: Timestamp,
}

/// A way to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Method {
    pub(crate) method: String,
    pub(crate) form: Form,
}

/// What is typed before a payment can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    None,
    Card,
}

/// What is known about the cards of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cards {
    /// The version of the widget's own text that asks whether a card may be kept.
    pub(crate) consent_version: String,
    pub(crate) stored: Vec<Card>,
}

/// A stored card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) id: String,
    pub(crate) brand: String,
    pub(crate) last4: String,
    /// The month it is good for, such as `05/30`.
    pub(crate) expiry: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) status: AttemptStatus,
}

/// What the payer has to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Redirect {
        url: String,
    },
    Form {
        url: String,
        fields: Vec<(String, String)>,
    },
    Qr {
        content: String,
    },
    Client {
        parameters: Vec<(String, String)>,
    },
    App {
        url: String,
    },
    Voucher {
        number: String,
        barcode: Option<String>,
        url: Option<String>,
        expires_at: Option<Timestamp>,
    },
    BankTransfer {
        rows: Vec<(String, String)>,
        reference: String,
    },
    /// One that this version does not know.
    Unknown,
}

impl Method {
    /// A form that is not known here is one that nobody could fill in.
    fn read(json: &Json) -> Option<Method> {
        let form = match json.get("form").text()? {
            "none" => Form::None,
            "card" => Form::Card,
            _ => return None,
        };
        Some(Method { method: json.get("method").string()?, form })
    }
}

impl Cards {
    fn read(json: &Json) -> Option<Cards> {
        Some(Cards {
            consent_version: json.get("consent_version").string()?,
            stored: json.get("stored").list().iter().filter_map(Card::read).collect(),
        })
    }
}

impl Card {
    fn read(json: &Json) -> Option<Card> {
        let text = |name: &str| json.get(name).string();
        // The last two digits of either, as they are printed on cards.
        let digits = |name: &str| {
            let text = ["0", &json.get(name).integer()?.to_string()].concat();
            Some(text.get(text.len() - 2..)?.to_owned())
        };
        let expiry = [&digits("exp_month")?, "/", &digits("exp_year")?].concat();
        Some(Card { id: text("id")?, brand: text("brand")?, last4: text("last4")?, expiry })
    }
}

impl Attempt {
    fn read(json: &Json) -> Option<Attempt> {
        Some(Attempt {
            id: json.get("id").string()?,
            method: json.get("method").string()?,
            status: AttemptStatus::parse(json.get("status").text()?)?,
        })
    }
}

/// Pairs of name and value.
fn pairs(json: &Json) -> Vec<(String, String)> {
    let pair = |item: &Json| match item.list() {
        [name, value] => Some((name.string()?, value.string()?)),
        _ => None,
    };
    json.list().iter().filter_map(pair).collect()
}

impl Action {
    fn read(json: &Json) -> Option<Action> {
        let text = |name: &str| json.get(name).string();
        let known = |kind: &str| {
            Some(match kind {
                "redirect" => Action::Redirect { url: text("url")? },
                "form" => Action::Form { url: text("url")?, fields: pairs(json.get("fields")) },
                "qr" => Action::Qr { content: text("content")? },
                "client" => Action::Client { parameters: pairs(json.get("parameters")) },
                "app" => Action::App { url: text("url")? },
                "voucher" => Action::Voucher {
                    number: text("number")?,
                    barcode: text("barcode"),
                    url: text("url"),
                    expires_at: json.get("expires_at").text().and_then(|text| Timestamp::parse(text).ok()),
                },
                "bank_transfer" => {
                    Action::BankTransfer { rows: pairs(json.get("rows")), reference: text("reference")? }
                }
                _ => return None,
            })
        };
        Some(known(json.get("type").text()?).unwrap_or(Action::Unknown))
    }

    /// The word in events for the page.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Action::Redirect { .. } => "redirect",
            Action::Form { .. } => "form",
            Action::Qr { .. } => "qr",
            Action::Client { .. } => "client",
            Action::App { .. } => "app",
            Action::Voucher { .. } => "voucher",
            Action::BankTransfer { .. } => "bank_transfer",
            Action::Unknown => "unknown",
        }
    }

    /// The address of an app among the parameters for a wallet, where there is one.
    pub(crate) fn deep_link(&self) -> Option<&str> {
        match self {
            Action::App { url } => Some(url),
            Action::Client { parameters } => {
                let named = |(name, _): &&(String, String)| matches!(name.as_str(), "urlscheme" | "deeplink");
                parameters.iter().find(named).map(|(_, value)| value.as_str())
            }
            _ => None,
        }
    }
}

impl Order {
    /// Reads what the server sent.
    pub(crate) fn read(json: &str) -> Option<Order> {
        let json = Json::parse(json)?;
        let time = |name: &str| Timestamp::parse(json.get(name).text()?).ok();
        Some(Order {
            id: json.get("id").string()?,
            livemode: json.get("livemode").bool()?,
            version: json.get("version").integer()?,
            status: OrderStatus::parse(json.get("status").text()?)?,
            amount: json.get("amount").integer()?,
            currency: json.get("currency").string()?,
            subject: json.get("subject").string()?,
            merchant: json.get("merchant").get("name").string()?,
            methods: json.get("methods").list().iter().filter_map(Method::read).collect(),
            attempt: Attempt::read(json.get("attempt")),
            next_action: Action::read(json.get("next_action")),
            decline: json.get("decline").get("reason").string(),
            cards: Cards::read(json.get("cards")),
            return_url: json.get("return_url").string(),
            expires_at: time("expires_at")?,
            server_time: time("server_time")?,
        })
    }

    /// The amount for people.
    pub(crate) fn price(&self) -> String {
        match Currency::parse(&self.currency) {
            Ok(currency) => Money::new(self.amount, currency).display(),
            Err(_) => format!("{} {}", self.amount, self.currency),
        }
    }

    /// The stored cards of the customer.
    pub(crate) fn stored(&self) -> &[Card] {
        self.cards.as_ref().map_or(&[], |cards| &cards.stored)
    }

    /// Whether this is one of them.
    pub(crate) fn has_card(&self, id: &str) -> bool {
        self.stored().iter().any(|card| card.id == id)
    }

    /// The last attempt, if the channel may still change it.
    pub(crate) fn open_attempt(&self) -> Option<&Attempt> {
        self.attempt.as_ref().filter(|attempt| attempt.status.is_open())
    }

    /// The id of the last attempt, for the server to start a payment only after that one.
    pub(crate) fn after(&self) -> Option<&str> {
        self.attempt.as_ref().map(|attempt| attempt.id.as_str())
    }
}

/// Whether the widget may send a browser there. Anything but a web address or an app's own scheme could run a script.
pub(crate) fn is_safe_link(url: &str) -> bool {
    let Some((scheme, _)) = url.split_once(':') else { return false };
    let named = !scheme.is_empty()
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let runs = ["javascript", "data", "vbscript", "blob", "file", "about", "filesystem", "view-source"];
    named && !runs.iter().any(|word| scheme.eq_ignore_ascii_case(word))
}

/// Whether it is an address of the web.
pub(crate) fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample() -> Order {
        let json = r#"{"object": "checkout_order", "id": "ord_1", "livemode": false, "version": 1, "status": "pending",
            "amount": 1234, "currency": "CNY", "subject": "Tea", "description": null, "merchant": {"name": "Shop"},
            "methods": [{"method": "alipay.qr", "form": "none"}, {"method": "card.web", "form": "card"}],
            "attempt": null, "next_action": null, "decline": null, "return_url": null,
            "expires_at": "2026-11-30T12:00:00Z", "server_time": "2026-11-30T11:45:00Z", "new": 1}"#;
        Order::read(json).unwrap()
    }

    pub(crate) fn card() -> Card {
        let json = r#"{"id": "card_1", "brand": "visa", "last4": "4242", "exp_month": 5, "exp_year": 2030}"#;
        Card::read(&Json::parse(json).unwrap()).unwrap()
    }

    #[test]
    fn stored_cards_are_read_where_a_customer_is_named() {
        let cards = |json: &str| Cards::read(&Json::parse(json).unwrap());
        assert_eq!(cards("null"), None);
        assert_eq!(cards(r#"{"consent_version": "1", "stored": []}"#).unwrap().stored, []);
        let strange = cards(r#"{"consent_version": "1", "stored": [{"id": "card_1"}, 1]}"#).unwrap();
        assert_eq!((strange.consent_version.as_str(), strange.stored.len()), ("1", 0));
        assert_eq!((card().expiry.as_str(), card().last4.as_str()), ("05/30", "4242"));
    }

    #[test]
    fn an_order_is_read_and_what_is_new_is_skipped() {
        let order = sample();
        assert_eq!((order.price().as_str(), order.methods.len(), order.after()), ("¥12.34", 2, None));
        assert_eq!(Order::read("{}"), None);
    }

    #[test]
    fn every_action_is_read_and_a_strange_one_is_unknown() {
        let kind = |json: &str| Action::read(&Json::parse(json).unwrap()).unwrap().kind();
        for (json, expected) in [
            (r#"{"type": "redirect", "url": "https://a"}"#, "redirect"),
            (r#"{"type": "form", "url": "https://a", "fields": [["a", "b"]]}"#, "form"),
            (r#"{"type": "qr", "content": "x"}"#, "qr"),
            (r#"{"type": "client", "parameters": [["a", "b"]]}"#, "client"),
            (r#"{"type": "app", "url": "alipays://x"}"#, "app"),
            (r#"{"type": "voucher", "number": "12"}"#, "voucher"),
            (r#"{"type": "bank_transfer", "rows": [["IBAN", "DE00"]], "reference": "R"}"#, "bank_transfer"),
            (r#"{"type": "telepathy", "url": 1}"#, "unknown"),
            (r#"{"type": "redirect"}"#, "unknown"),
        ] {
            assert_eq!(kind(json), expected);
        }
    }

    #[test]
    fn a_link_that_could_run_a_script_is_not_followed() {
        for good in
            ["https://a.example/", "http://localhost:1/", "alipays://platformapi/x", "weixin://wap/pay?x"]
        {
            assert!(is_safe_link(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            " javascript:alert(1)",
            "data:text/html,x",
            "x",
            "",
            ":a",
        ] {
            assert!(!is_safe_link(bad), "{bad}");
        }
    }

    #[test]
    fn an_apps_address_is_found_where_wallets_put_it() {
        let client = Action::Client { parameters: vec![("urlscheme".into(), "weixin://x".into())] };
        assert_eq!(client.deep_link(), Some("weixin://x"));
        assert_eq!(Action::Qr { content: "weixin://x".into() }.deep_link(), None);
    }
}
