//! What replies and notifications say.

use paycore::channel::Fault;
use paycore::currency::Currency;
use paycore::money::Money;
use serde::Deserialize;

use super::UNITS;

/// A reply or a notification; which of the rest is there depends on the call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Said {
    pub(super) result: Result_,
    pub(super) notify_type: Option<String>,
    pub(super) payment_request_id: Option<String>,
    pub(super) payment_id: Option<String>,
    pub(super) payment_amount: Option<Amount>,
    pub(super) payment_status: Option<String>,
    pub(super) payment_result_code: Option<String>,
    pub(super) payment_result_message: Option<String>,
    pub(super) payment_time: Option<String>,
    pub(super) normal_url: Option<String>,
    pub(super) refund_request_id: Option<String>,
    pub(super) refund_id: Option<String>,
    pub(super) refund_amount: Option<Amount>,
    pub(super) refund_status: Option<String>,
    pub(super) refund_time: Option<String>,
}

/// What became of the call itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Result_ {
    pub(super) result_code: String,
    pub(super) result_status: Status,
    #[serde(default)]
    pub(super) result_message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Status {
    #[serde(rename = "S")]
    Succeeded,
    #[serde(rename = "F")]
    Failed,
    /// Also said of what only began.
    #[serde(rename = "U")]
    Unknown,
}

/// Digits of minor units.
#[derive(Debug, Deserialize)]
pub(super) struct Amount {
    currency: String,
    value: String,
}

impl Amount {
    pub(super) fn money(&self) -> Result<Money, Fault> {
        let currency = Currency::parse(&self.currency).ok();
        let money = currency.and_then(|currency| UNITS.from_wire(&self.value, currency).ok());
        let money = money.filter(|money| money.is_positive());
        money.ok_or_else(|| Fault::Unexpected(format!("the amount {self:?}")))
    }
}

impl Said {
    /// Whether a failure says that there is no such payment or refund.
    pub(super) fn absent(&self) -> bool {
        matches!(self.result.result_code.as_str(), "ORDER_NOT_EXIST" | "REFUND_NOT_EXIST")
    }

    /// A failure or doubt that decides nothing.
    pub(super) fn unknown(&self) -> Fault {
        let Result_ { result_code, result_message, .. } = &self.result;
        Fault::Unknown { code: result_code.clone(), message: result_message.chars().take(200).collect() }
    }
}

/// A text that has to be there.
pub(super) fn known<'a>(name: &str, value: Option<&'a str>) -> Result<&'a str, Fault> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| Fault::Unexpected(format!("no {name}")))
}
