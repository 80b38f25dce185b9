//! The statement of a settlement, and the proof that it ties.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clearing::ItemKind;
use crate::currency::Currency;
use crate::money::Money;

macro_rules! line_kinds {
    ($($(#[$doc:meta])* $name:ident $text:literal $en:literal $zh:literal,)*) => {
        /// What a line of a statement sums up, in the order of the page.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum LineKind { $($(#[$doc])* $name,)* }

        impl LineKind {
            /// Every kind, in the order of the page.
            pub const ALL: &'static [LineKind] = &[$(LineKind::$name,)*];
            /// The word used in the API.
            pub const fn text(self) -> &'static str { match self { $(LineKind::$name => $text,)* } }
            /// The words on an English statement.
            pub const fn name_en(self) -> &'static str { match self { $(LineKind::$name => $en,)* } }
            /// The words on a Chinese statement.
            pub const fn name_zh(self) -> &'static str { match self { $(LineKind::$name => $zh,)* } }
        }
    };
}

line_kinds! {
    /// Payments, gross.
    Sales "sales" "Sales" "交易收款",
    /// Refunds, gross.
    Refunds "refunds" "Refunds" "退款",
    /// Chargebacks, gross.
    Chargebacks "chargebacks" "Chargebacks" "拒付",
    /// Chargebacks that were won back.
    ChargebackReversals "chargeback_reversals" "Chargebacks reversed" "拒付撤回",
    /// Shares of others, and shares that came back.
    Shares "shares" "Shares of others" "分账",
    /// Corrections.
    Adjustments "adjustments" "Adjustments" "调账",
    /// Fees of all items.
    Fees "fees" "Fees" "手续费",
    /// Held back.
    ReserveHeld "reserve_held" "Reserve held" "保证金留存",
    /// Given back from reserve.
    ReserveReleased "reserve_released" "Reserve released" "保证金释放",
    /// For getting money early.
    AccelerationFee "acceleration_fee" "Fee for early settlement" "提前结算费",
    /// For the transfer to the bank.
    TransferFee "transfer_fee" "Transfer fee" "出款手续费",
    /// Sold for the currency of the payout, by a conversion.
    Converted "converted" "Converted for payout" "换汇转出",
    /// What was sold, at the middle of the market, in the currency of the payout.
    Proceeds "proceeds" "Proceeds at mid rate" "换汇转入（中间价）",
    /// What is kept of the conversion.
    Spread "spread" "Exchange spread" "汇兑点差",
    /// What is less than a minor unit in the conversion.
    Rounding "rounding" "Rounding" "尾差",
    /// Paid out.
    Payout "payout" "Payout" "本期出款",
}

/// A line of a statement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// How many movements it sums up.
    pub count: u64,
    /// Minor units; positive to the merchant, negative from the merchant.
    pub amount: i64,
}

/// What became of a balance: `opening` and all lines make `closing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The currency.
    pub currency: Currency,
    /// Carried from the previous statement, minor units; negative where the merchant owed.
    pub opening: i64,
    /// The lines that are not empty.
    pub lines: BTreeMap<LineKind, Line>,
    /// Carried into the next statement, minor units.
    pub closing: i64,
}

/// The figures of a statement do not fit together; it is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the statement does not tie: {0}")]
pub struct Untied(pub(super) String);

impl LineKind {
    /// The line that an item's gross amount stands in.
    pub(super) const fn of(kind: ItemKind) -> LineKind {
        match kind {
            ItemKind::Payment => LineKind::Sales,
            ItemKind::Refund => LineKind::Refunds,
            ItemKind::Chargeback => LineKind::Chargebacks,
            ItemKind::ChargebackReversal => LineKind::ChargebackReversals,
            ItemKind::Fee => LineKind::Fees,
            ItemKind::Adjustment => LineKind::Adjustments,
            ItemKind::Share | ItemKind::ShareReturn => LineKind::Shares,
            ItemKind::ReserveHold => LineKind::ReserveHeld,
            ItemKind::ReserveRelease => LineKind::ReserveReleased,
        }
    }
}

impl Statement {
    /// A line's amount, minor units; 0 where it is empty.
    pub fn amount(&self, kind: LineKind) -> i64 {
        self.lines.get(&kind).map_or(0, |line| line.amount)
    }

    /// What leaves the balance for the merchant's bank, paid as it is or sold for another currency first.
    pub fn paid_out(&self) -> i64 {
        -self.amount(LineKind::Payout) - self.amount(LineKind::Converted)
    }

    /// The closing balance.
    pub fn closing(&self) -> Money {
        Money::new(self.closing, self.currency)
    }

    /// Checks that opening and lines make the closing, that nothing is paid out of nothing, and that the lines have the
    /// signs of what they are.
    ///
    /// # Errors
    /// [`Untied`] with the figures.
    pub fn check(&self) -> Result<(), Untied> {
        let sum = |lines: &mut dyn Iterator<Item = i64>| lines.map(i128::from).sum::<i128>();
        let all = i128::from(self.opening) + sum(&mut self.lines.values().map(|line| line.amount));
        if all != i128::from(self.closing) {
            return Err(Untied(format!("opening and lines make {all}, the closing is {}", self.closing)));
        }
        let paid = self.paid_out();
        if paid < 0 || (paid > 0 && self.closing < 0) {
            return Err(Untied(format!("a payout of {paid} leaves {}", self.closing)));
        }
        let outward =
            [LineKind::AccelerationFee, LineKind::TransferFee, LineKind::Spread, LineKind::Rounding];
        match outward.into_iter().find(|kind| self.amount(*kind) > 0) {
            Some(kind) => Err(Untied(format!("a {} of {}", kind.text(), self.amount(kind)))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(opening: i64, lines: &[(LineKind, i64)], closing: i64) -> Statement {
        let lines = lines.iter().map(|(kind, amount)| (*kind, Line { count: 1, amount: *amount })).collect();
        Statement { currency: Currency::CNY, opening, lines, closing }
    }

    #[test]
    fn a_statement_ties_to_the_cent_or_is_refused() {
        let lines = [(LineKind::Sales, 10_000), (LineKind::Fees, -60), (LineKind::Payout, -9_000)];
        assert!(statement(-100, &lines, 840).check().is_ok());
        assert!(statement(-100, &lines, 841).check().is_err());
    }

    #[test]
    fn nothing_is_paid_out_of_a_debt() {
        assert!(statement(0, &[(LineKind::Payout, -1)], -1).check().is_err());
        assert!(statement(0, &[(LineKind::Payout, 1)], 1).check().is_err());
        assert!(statement(0, &[(LineKind::TransferFee, 1)], 1).check().is_err());
        assert!(statement(0, &[(LineKind::Converted, -1)], -1).check().is_err());
        assert!(statement(0, &[(LineKind::Spread, 1)], 1).check().is_err());
    }
}
