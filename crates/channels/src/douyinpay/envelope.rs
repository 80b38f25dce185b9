//! What replies and notifications say of orders and refunds.

use paycore::channel::Fault;
use paycore::money::Money;
use serde::Deserialize;

use super::CNY;

/// An order, from a query or a notification.
#[derive(Debug, Deserialize)]
pub(super) struct Trade {
    pub(super) appid: Option<String>,
    pub(super) mchid: String,
    pub(super) out_trade_no: String,
    pub(super) transaction_id: Option<String>,
    pub(super) trade_state: String,
    pub(super) success_time: Option<String>,
    pub(super) amount: Option<Amount>,
}

/// A refund, from its reply, a query or, with `refund_status`, a notification.
#[derive(Debug, Deserialize)]
pub(super) struct Given {
    pub(super) mchid: Option<String>,
    pub(super) out_trade_no: String,
    pub(super) out_refund_no: String,
    pub(super) refund_id: String,
    #[serde(alias = "refund_status")]
    pub(super) status: String,
    pub(super) success_time: Option<String>,
    pub(super) amount: Amount,
}

/// Fen. Numbers that are not integers are not understood.
#[derive(Debug, Deserialize)]
pub(super) struct Amount {
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
    pub(super) fn refund(&self) -> Result<Money, Fault> {
        self.yuan(self.refund)
    }

    fn yuan(&self, fen: Option<i64>) -> Result<Money, Fault> {
        let fen = fen.filter(|fen| *fen > 0);
        let fen = fen.ok_or_else(|| Fault::Unexpected(format!("the amount {self:?}")))?;
        match self.currency.as_deref() {
            // Optional in orders, absent from notifications of refunds.
            None | Some("" | "CNY") => Ok(Money::new(fen, CNY)),
            Some(other) => Err(Fault::Unacceptable(format!("the currency is {other:?}, not CNY"))),
        }
    }
}
