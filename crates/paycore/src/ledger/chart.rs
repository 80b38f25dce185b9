//! The chart of accounts: what accounts there are per merchant and currency, on which side each grows, and which of
//! them may not fall below zero.

use schemars::JsonSchema;
use serde::Serialize;

use super::Side;

/// One kind of account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccountKind {
    /// The account's name, up to the colon where there is one.
    pub name: &'static str,
    /// What follows the colon: one account per channel or per party; none: there is one account of the kind.
    pub per: Option<Per>,
    /// The side on which it grows.
    pub side: Side,
    /// Whether it may not fall below zero unless that is allowed: the store refuses what would.
    pub floor: bool,
    /// In English.
    pub title: &'static str,
    /// In Chinese.
    pub title_zh: &'static str,
}

/// What a kind of account exists once for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each channel; `{channel}` in a posting template.
    Channel,
    /// Each party, such as an agent or a bank account; `{party}` in a posting template.
    Party,
}

impl Per {
    /// How a posting template writes it.
    pub fn placeholder(self) -> &'static str {
        match self {
            Per::Channel => "{channel}",
            Per::Party => "{party}",
        }
    }
}

macro_rules! chart {
    ($($name:literal [$($per:ident)?] $side:ident $floor:literal $title:literal $title_zh:literal;)*) => {
        /// Every kind of account.
        pub const CHART: &[AccountKind] = &[$(AccountKind {
            name: $name,
            per: chart!(@$($per)?),
            side: Side::$side,
            floor: $floor,
            title: $title,
            title_zh: $title_zh,
        },)*];
    };
    (@) => { None };
    (@channel) => { Some(Per::Channel) };
    (@party) => { Some(Per::Party) };
}

chart! {
    "channel_receivable" [channel] Debit false "Owed to us by the channel" "应收渠道款";
    "channel_cost" [] Debit false "Channel cost" "渠道成本";
    "merchant_pending" [] Credit false "Merchant, not settled yet" "商户待结算";
    "merchant_available" [] Credit true "Merchant, available" "商户可用余额";
    "merchant_frozen" [] Credit true "Merchant, on hold" "商户冻结";
    "merchant_reserve" [] Credit true "Merchant, reserve" "商户保证金";
    "merchant_in_payout" [] Credit true "Merchant, being paid out" "商户出款中";
    "fee_income" [] Credit false "Fee income" "手续费收入";
    "tax_payable" [] Credit false "Tax payable" "应交税费";
    "agent_payable" [party] Credit false "Owed to the agent" "应付代理商";
    "split_payable" [party] Credit false "Owed to the receiver of a share" "应付分账方";
    "refund_payable" [] Credit false "Refunds payable" "应付退款";
    "suspense_long" [channel] Credit false "More than our books say" "长款挂账";
    "suspense_short" [channel] Debit false "Less than our books say" "短款挂账";
    "fx_liquidity" [] Debit false "Currency position" "外汇头寸";
    "fx_spread" [] Credit false "Currency spread" "汇差收入";
    "rounding" [] Debit false "Rounding" "尾差";
    "bank" [party] Debit false "Bank account" "银行存款";
}

/// The kind of an account, from its name: `bank:main` is a `bank`. None where the chart has no such account.
pub fn kind(account: &str) -> Option<&'static AccountKind> {
    let (name, of) = match account.split_once(':') {
        Some((name, of)) => (name, Some(of)),
        None => (account, None),
    };
    let kind = CHART.iter().find(|kind| kind.name == name)?;
    (kind.per.is_some() == of.is_some_and(|of| !of.is_empty()) && (of.is_none() == kind.per.is_none()))
        .then_some(kind)
}

/// Whether the store holds an account at zero or above unless that is allowed.
pub fn has_floor(account: &str) -> bool {
    kind(account).is_some_and(|kind| kind.floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_with_what_its_kind_is_per_and_not_without() {
        for (account, found) in [
            ("merchant_available", true),
            ("channel_receivable:alipay", true),
            ("bank:a:b", true),
            ("channel_receivable", false),
            ("channel_receivable:", false),
            ("merchant_available:x", false),
            ("merchant_available:", false),
            ("merchant_availabl", false),
            ("", false),
        ] {
            assert_eq!(kind(account).is_some(), found, "{account}");
        }
    }

    #[test]
    fn what_has_a_floor_is_money_that_we_owe_and_names_are_there_once() {
        for (at, kind) in CHART.iter().enumerate() {
            assert!(!kind.floor || kind.side == Side::Credit, "{}", kind.name);
            assert!(CHART[..at].iter().all(|other| other.name != kind.name), "{}", kind.name);
            assert!(!kind.title_zh.is_ascii() && kind.title.is_ascii());
        }
    }
}
