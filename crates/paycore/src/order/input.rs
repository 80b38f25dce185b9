//! What `orders.create` takes, and its reading into an order: parse, don't validate.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{LineItem, Metadata, Order, OrderDetails, OrderStatus};
use crate::channel::{CaptureMode, Method, Payer, barcode};
use crate::currency::Currency;
use crate::epay::Origin;
use crate::error::{Code, Error, Result};
use crate::id::{AgentId, MandateId, OrderId, SplitPlanId};
use crate::money::Money;
use crate::time::Timestamp;

/// The largest amount of an order, minor units: far above any real payment, far below overflow of any sum.
pub const AMOUNT_MAX: i64 = 99_999_999_999_999;
const EXPIRY_DEFAULT: Duration = Duration::from_secs(2 * 3600);
/// Somebody stands at the till; what is not paid by then is taken back.
const EXPIRY_BARCODE: Duration = Duration::from_secs(60);
const EXPIRY_MIN: Duration = Duration::from_secs(60);
const EXPIRY_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

/// A new order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrder {
    /// What is to be paid, integer minor units (1234 is 12.34 CNY and 1,234 JPY).
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub amount: i64,
    /// ISO 4217 code, such as `CNY`.
    pub currency: Currency,
    /// What the payer sees, 1 to 127 characters.
    #[schemars(length(min = 1, max = 127))]
    pub subject: String,
    /// Your own number, unique for you; letters, digits, `-` and `_`, at most 64. The order's id where absent.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    pub out_trade_no: Option<String>,
    /// The one method to pay with, such as `alipay.qr`: the payment starts at once. May be left out where
    /// `payer.auth_code` says whose barcode (付款码) was scanned.
    #[serde(default)]
    pub method: Option<Method>,
    /// The methods the payer may choose from. With one entry the payment starts at once, with several it starts
    /// when one is chosen by `orders.pay`.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub methods: Vec<Method>,
    /// Whether money is taken at once (`automatic`) or authorized and captured later (`manual`).
    #[serde(default)]
    pub capture_method: CaptureMode,
    /// Longer text, at most 500 characters.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub description: Option<String>,
    /// What is sold; where given, the positions must sum to `amount`.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub line_items: Vec<LineItem>,
    /// Events of this order are sent here besides your endpoints.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub notify_url: Option<String>,
    /// Where the payer's browser goes afterwards.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub return_url: Option<String>,
    /// Where the payer's browser goes from the payment page who does not want to pay.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub cancel_url: Option<String>,
    /// Your notes: at most 50 keys of at most 40 characters, values of at most 500.
    #[serde(default)]
    pub metadata: Metadata,
    /// What you know of the payer; some methods need a part of it.
    #[serde(default)]
    pub payer: Payer,
    /// Seconds until the order closes by itself, 60 to 2,592,000; 7,200 where absent, 60 for a scanned barcode.
    #[serde(default)]
    #[schemars(range(min = 60, max = 2_592_000))]
    pub expires_in: Option<u64>,
    /// The plan by which the payment is shared (分账). The order keeps its terms as they are now.
    #[serde(default)]
    pub split_plan_id: Option<SplitPlanId>,
    /// The agent that sold it.
    #[serde(default)]
    pub agent_id: Option<AgentId>,
    /// Your own reference of the customer who pays: 1 to 64 letters, digits, `-` or `_`. Cards are kept for it and
    /// offered to whoever pays, so set it only for a customer who has signed in with you.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    pub customer: Option<String>,
    /// The mandate to charge, an active one: the payer is charged at once without being there. With the method it was signed
    /// for, such as `wechatpay.mandate`.
    #[serde(default)]
    pub mandate: Option<MandateId>,
    /// The shop that makes it by the epay door; never read from a request.
    #[serde(skip)]
    pub epay: Option<Origin>,
}

/// An instant in the merchant's time and on the wall: the two differ only in a sandbox whose clock was advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The merchant's time, in which everything is recorded.
    pub now: Timestamp,
    /// The wall clock, in which queues are due.
    pub wall: Timestamp,
}

impl Moment {
    /// The wall-clock instant at which the merchant's clock shows `at`; never zero.
    pub fn due(&self, at: Timestamp) -> Timestamp {
        Timestamp::from_micros((at.micros() - self.now.micros() + self.wall.micros()).max(1))
    }

    /// The wall-clock instant after a delay.
    pub fn due_in(&self, delay: Duration) -> Timestamp {
        self.wall.plus(delay)
    }
}

impl CreateOrder {
    /// The order this asks for, pending and without an attempt, or the first parameter that is not right.
    pub fn open(self, id: OrderId, moment: Moment) -> Result<Order> {
        let money = self.money()?;
        text("subject", &self.subject, 1, 127)?;
        optional("description", self.description.as_deref(), 500)?;
        self.check_line_items(money)?;
        check_metadata(&self.metadata)?;
        check_payer(&self.payer)?;
        if let Some(customer) = &self.customer {
            number_of("customer", customer)?;
        }
        url("notify_url", self.notify_url.as_deref())?;
        url("return_url", self.return_url.as_deref())?;
        url("cancel_url", self.cancel_url.as_deref())?;
        if let Some(origin) = &self.epay {
            url("notify_url", Some(&origin.notify_url))?;
            url("return_url", Some(origin.return_url.as_str()).filter(|url| !url.is_empty()))?;
        }
        let number = match &self.out_trade_no {
            Some(number) => number_of("out_trade_no", number)?,
            None => id.to_string(),
        };
        let methods = self.allowed_methods()?;
        let expires_at = moment.now.plus(self.lifetime(&methods)?);
        Ok(Order {
            id,
            version: 0,
            number,
            status: OrderStatus::Pending,
            money,
            authorized: 0,
            captured: 0,
            refunded: 0,
            refunding: 0,
            charged_back: 0,
            closing: false,
            methods,
            capture: self.capture_method,
            attempt_id: None,
            next_action: None,
            decline: None,
            details: OrderDetails {
                subject: self.subject,
                description: self.description,
                line_items: self.line_items,
                notify_url: self.notify_url,
                return_url: self.return_url,
                cancel_url: self.cancel_url,
                metadata: self.metadata,
                payer: self.payer,
                epay: self.epay,
                split: None,
                agent_id: self.agent_id,
                customer: self.customer,
                mandate: None,
                client_secret: None,
                checkout_url: None,
            },
            expires_at,
            created_at: moment.now,
            updated_at: moment.now,
            paid_at: None,
            sequence: 0,
            due_at: moment.due(expires_at),
        })
    }

    fn money(&self) -> Result<Money> {
        amount("amount", self.amount, self.currency)
    }

    fn allowed_methods(&self) -> Result<Vec<Method>> {
        let mut methods = self.methods.clone();
        if methods.len() > 20 {
            return Err(Error::invalid("methods", "At most 20 methods can be allowed."));
        }
        match &self.method {
            Some(method) if methods.is_empty() => methods.push(method.clone()),
            Some(_) => return Err(Error::invalid("method", "Give either `method` or `methods`, not both.")),
            None => {}
        }
        for (index, method) in methods.iter().enumerate() {
            if methods[..index].contains(method) {
                return Err(Error::invalid(format!("methods[{index}]"), "This method is listed twice."));
            }
        }
        if let (true, Some(code)) = (methods.is_empty(), self.payer.auth_code.as_deref()) {
            methods.push(scanned(code)?);
        }
        self.check_mandate(&methods)?;
        if methods.is_empty() {
            let detail = "Name at least one method, such as `alipay.qr`.";
            return Err(Error::new(Code::MissingParameter, detail).param("methods"));
        }
        Ok(methods)
    }

    /// A method that charges by a mandate stands alone and with the mandate, and no other method takes one.
    fn check_mandate(&self, methods: &[Method]) -> Result<()> {
        let charging = methods.iter().position(Method::by_mandate);
        match (charging, self.mandate) {
            (Some(_), None) => {
                let detail = "This method charges by a mandate: give the id of an active one.";
                Err(Error::new(Code::MissingParameter, detail).param("mandate"))
            }
            (Some(index), Some(_)) if methods.len() > 1 => {
                let detail = "A method that charges by a mandate cannot be one of several.";
                Err(Error::invalid(format!("methods[{index}]"), detail))
            }
            (None, Some(_)) => {
                let detail =
                    "Only a method that charges by a mandate, such as `wechatpay.mandate`, takes one.";
                Err(Error::invalid("mandate", detail))
            }
            _ => Ok(()),
        }
    }

    fn check_line_items(&self, money: Money) -> Result<()> {
        if self.line_items.len() > 100 {
            return Err(Error::invalid("line_items", "At most 100 positions."));
        }
        let mut sum = 0i128;
        for (index, item) in self.line_items.iter().enumerate() {
            text(&format!("line_items[{index}].name"), &item.name, 1, 256)?;
            if item.quantity == 0 {
                return Err(Error::invalid(format!("line_items[{index}].quantity"), "Must be at least 1."));
            }
            if item.unit_amount < 0 {
                let param = format!("line_items[{index}].unit_amount");
                return Err(Error::new(Code::InvalidAmount, "Must not be negative.").param(param));
            }
            sum += i128::from(item.quantity) * i128::from(item.unit_amount);
        }
        if !self.line_items.is_empty() && sum != i128::from(money.minor()) {
            let detail = format!("The positions sum to {sum}, the amount is {}.", money.minor());
            return Err(Error::new(Code::InvalidAmount, detail).param("line_items"));
        }
        Ok(())
    }

    fn lifetime(&self, methods: &[Method]) -> Result<Duration> {
        let default = if methods.iter().any(Method::at_the_till) { EXPIRY_BARCODE } else { EXPIRY_DEFAULT };
        let Some(seconds) = self.expires_in else { return Ok(default) };
        let lifetime = Duration::from_secs(seconds);
        if lifetime < EXPIRY_MIN || lifetime > EXPIRY_MAX {
            return Err(Error::invalid("expires_in", "Must be 60 to 2592000 seconds."));
        }
        Ok(lifetime)
    }
}

/// The method of a scanned barcode, told from the code itself.
fn scanned(code: &str) -> Result<Method> {
    let told = barcode::brand(code).map_err(|error| Error::invalid("payer.auth_code", error.to_string()))?;
    format!("{told}.barcode").parse().map_err(|_| Error::internal("a brand that makes no method"))
}

/// Refuses an amount that no currency could make right, before anything is read for it.
#[cfg(feature = "engine")]
pub(crate) fn plausible(param: &str, minor: Option<i64>) -> Result<()> {
    match minor {
        Some(minor) if !(1..=AMOUNT_MAX).contains(&minor) => {
            let detail = format!("Must be an integer from 1 to {AMOUNT_MAX} in minor units.");
            Err(Error::new(Code::InvalidAmount, detail).param(param))
        }
        _ => Ok(()),
    }
}

/// A positive amount within bounds.
pub(crate) fn amount(param: &str, minor: i64, currency: Currency) -> Result<Money> {
    if !(1..=AMOUNT_MAX).contains(&minor) {
        let detail = format!("Must be an integer from 1 to {AMOUNT_MAX} in minor units of {currency}.");
        return Err(Error::new(Code::InvalidAmount, detail).param(param));
    }
    Ok(Money::new(minor, currency))
}

/// A text of so many characters, none of them control characters.
pub(crate) fn text(param: &str, value: &str, min: usize, max: usize) -> Result<()> {
    let length = value.chars().count();
    if length < min || length > max {
        return Err(Error::invalid(param, format!("Must have {min} to {max} characters.")));
    }
    if value.trim().is_empty() && min > 0 || value.chars().any(char::is_control) {
        return Err(Error::invalid(param, "Must not be blank or hold control characters."));
    }
    Ok(())
}

/// The same for a text that may be absent.
pub(crate) fn optional(param: &str, value: Option<&str>, max: usize) -> Result<()> {
    value.map_or(Ok(()), |value| text(param, value, 1, max))
}

/// A merchant's own number.
pub(crate) fn number_of(param: &str, value: &str) -> Result<String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if value.is_empty() || value.len() > 64 || !value.bytes().all(fits) {
        return Err(Error::invalid(param, "Must be 1 to 64 letters, digits, `-` or `_`."));
    }
    Ok(value.to_owned())
}

/// What is known of a payer.
pub(crate) fn check_payer(payer: &Payer) -> Result<()> {
    optional("payer.id", payer.id.as_deref(), 128)?;
    if payer.ip.as_deref().is_some_and(|ip| ip.parse::<std::net::IpAddr>().is_err()) {
        return Err(Error::invalid("payer.ip", "Must be an IPv4 or IPv6 address."));
    }
    // Digits of a barcode, or what a face reader says; each channel knows its own.
    let read = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let fits = |code: &str| (6..=128).contains(&code.len()) && code.bytes().all(read);
    if payer.auth_code.as_deref().is_some_and(|code| !fits(code)) {
        return Err(Error::invalid("payer.auth_code", "Must be 6 to 128 letters, digits, `-` or `_`."));
    }
    Ok(())
}

/// A merchant's notes.
pub(crate) fn check_metadata(metadata: &Metadata) -> Result<()> {
    if metadata.len() > 50 {
        return Err(Error::invalid("metadata", "At most 50 keys."));
    }
    for (key, value) in metadata {
        if key.is_empty() || key.chars().count() > 40 || key.chars().any(char::is_control) {
            return Err(Error::invalid("metadata", "Keys have 1 to 40 characters, no control characters."));
        }
        if value.chars().count() > 500 || value.contains('\0') {
            return Err(Error::invalid(format!("metadata.{key}"), "Values have at most 500 characters."));
        }
    }
    Ok(())
}

/// An absolute http or https address without user information. Whether it may be called is decided when it is.
pub(crate) fn url(param: &str, value: Option<&str>) -> Result<()> {
    let Some(value) = value else { return Ok(()) };
    let wrong = || Error::invalid(param.to_owned(), "Must be an absolute http or https address.");
    let uri: http::Uri = value.parse().map_err(|_| wrong())?;
    let http = matches!(uri.scheme_str(), Some("http" | "https"));
    let authority = uri.authority().is_some_and(|a| !a.host().is_empty() && !a.as_str().contains('@'));
    if !http || !authority || value.len() > 2000 {
        return Err(wrong());
    }
    Ok(())
}
