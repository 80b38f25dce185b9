//! What replies and notifications say of orders and refunds.

use paycore::channel::{DeclineReason as Why, Fault, Outcome, Verdict};
use paycore::currency::Currency;
use paycore::money::Money;
use serde::Deserialize;

use super::{Merchant, declined, instant, ours};
use crate::dialect::reply::same;

/// An order, from a query, a barcode payment or a notification.
#[derive(Debug, Deserialize)]
pub(crate) struct Trade {
    #[serde(alias = "sp_appid")]
    pub(crate) appid: Option<String>,
    #[serde(alias = "sp_mchid")]
    pub(crate) mchid: String,
    sub_mchid: Option<String>,
    pub(crate) out_trade_no: String,
    pub(crate) transaction_id: Option<String>,
    pub(crate) trade_type: Option<String>,
    pub(crate) trade_state: String,
    trade_state_desc: Option<String>,
    success_time: Option<String>,
    amount: Option<Amount>,
}

/// A refund, from its reply, a query or, with `refund_status`, a notification.
#[derive(Debug, Deserialize)]
pub(crate) struct Given {
    #[serde(alias = "sp_mchid")]
    pub(crate) mchid: Option<String>,
    sub_mchid: Option<String>,
    pub(crate) out_trade_no: String,
    pub(crate) out_refund_no: String,
    refund_id: String,
    #[serde(alias = "refund_status")]
    pub(crate) status: String,
    success_time: Option<String>,
    amount: Amount,
}

/// Fen. Numbers that are not integers are not understood.
#[derive(Debug, Deserialize)]
pub(super) struct Amount {
    #[serde(alias = "total_amount")]
    total: Option<i64>,
    refund: Option<i64>,
    currency: Option<String>,
}

impl Amount {
    /// What the order costs.
    pub(super) fn total(&self) -> Result<Money, Fault> {
        self.yuan(self.total)
    }

    /// What is given back.
    fn refund(&self) -> Result<Money, Fault> {
        self.yuan(self.refund)
    }

    fn yuan(&self, fen: Option<i64>) -> Result<Money, Fault> {
        let fen = fen.filter(|fen| *fen > 0);
        let fen = fen.ok_or_else(|| Fault::Unexpected(format!("the amount {self:?}")))?;
        match self.currency.as_deref() {
            // Refund notifications and unpaid orders leave it out.
            None | Some("CNY") => Ok(Money::new(fen, Currency::CNY)),
            Some(other) => Err(Fault::Unacceptable(format!("the currency is {other:?}, not CNY"))),
        }
    }
}

/// What an order came to, once it is the one that was asked for.
pub(crate) fn trade_state(
    merchant: &Merchant,
    trade: &Trade,
    reference: &str,
    channel_id: Option<&str>,
    money: Option<Money>,
) -> Result<Outcome, Fault> {
    merchant.is_ours(trade.appid.as_deref(), Some(&trade.mchid), trade.sub_mchid.as_deref())?;
    same("out_trade_no", Some(&trade.out_trade_no), reference)?;
    let id = trade.transaction_id.clone().filter(|id| !id.is_empty());
    if let (Some(said), Some(known)) = (&id, channel_id) {
        same("transaction_id", Some(said), known)?;
    }
    let said = trade.amount.as_ref().map(Amount::total).transpose()?;
    ours("total", said, money)?;
    let verdict = match trade.trade_state.as_str() {
        // REFUND only tells that some of the money went back later.
        "SUCCESS" | "REFUND" if id.is_some() && said.is_some() => Verdict::Succeeded,
        "NOTPAY" | "USERPAYING" => Verdict::Pending,
        "CLOSED" | "REVOKED" => Verdict::Closed,
        "PAYERROR" => failed(trade.trade_state_desc.as_deref().unwrap_or_default()),
        other => return Err(Fault::Unexpected(format!("trade_state {other:?}"))),
    };
    let at = instant("success_time", trade.success_time.as_deref())?;
    Ok(Outcome { channel_id: id, money: said, at, ..Outcome::new(verdict) })
}

/// Barcode payments fail for good; why stands in the description only.
fn failed(description: &str) -> Verdict {
    let reason = if description.contains("余额不足") { Why::InsufficientFunds } else { Why::Generic };
    declined(reason, "PAYERROR", description).verdict
}

/// What a refund came to, once it is the one that was asked for.
pub(crate) fn refund_state(
    merchant: &Merchant,
    given: &Given,
    payment: &str,
    reference: &str,
    money: Option<Money>,
) -> Result<Outcome, Fault> {
    // Replies name nobody, notifications do.
    if given.mchid.is_some() {
        merchant.is_ours(None, given.mchid.as_deref(), given.sub_mchid.as_deref())?;
    }
    same("out_trade_no", Some(&given.out_trade_no), payment)?;
    same("out_refund_no", Some(&given.out_refund_no), reference)?;
    let said = given.amount.refund()?;
    ours("refund", Some(said), money)?;
    let verdict = match given.status.as_str() {
        "SUCCESS" => Verdict::Succeeded,
        // An abnormal refund waits for the merchant to name another account.
        "PROCESSING" | "ABNORMAL" => Verdict::Pending,
        "CLOSED" => declined(Why::Generic, "CLOSED", "退款关闭").verdict,
        other => return Err(Fault::Unexpected(format!("refund status {other:?}"))),
    };
    let at = instant("success_time", given.success_time.as_deref())?;
    Ok(Outcome { at, ..Outcome::new(verdict).channel_id(&given.refund_id).money(said) })
}
