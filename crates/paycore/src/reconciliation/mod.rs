//! Reconciliation (对账): what we believe against what the channel's statement and the bank say. [`matching`] compares two
//! sides, [`bank`] the deposits; what does not agree becomes a break, which stays in the pool (差错池) until it is
//! explained. A file is never believed alone: where it says that money moved which we do not know of, the channel is asked.

pub mod adjustment;
pub mod bank;
pub mod explain;
pub mod matching;
pub mod pool;
pub mod rules;
pub mod run;
#[cfg(feature = "engine")]
pub mod service;
pub mod side;
pub mod state;
pub mod statement;
pub mod view;

pub use state::{BreakStatus, RunStatus};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of movement a row records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Money came in.
    Payment,
    /// Money went back to the payer.
    Refund,
    /// The payer's bank took money back.
    Chargeback,
    /// Money was paid out.
    Payout,
    /// Money that was paid out came back.
    PayoutReturn,
    /// A receiver got a share of a payment.
    Share,
    /// A share came back from a receiver.
    ShareReturn,
    /// What a movement leaves the merchant, before it is settled: within our own books.
    Pending,
    /// What a movement or a settlement earns the platform: within our own books.
    Income,
    /// What a settlement made available: within our own books.
    Settlement,
}

/// Whether the money of a row moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It moved.
    Done,
    /// It is not known yet.
    Open,
    /// It did not move.
    Failed,
}

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident $text:literal $kind:ident $en:literal $zh:literal;)*) => {
        /// In what two sides disagree, gravest first.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[non_exhaustive]
        pub enum Class { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl Class {
            /// Every class, gravest first.
            pub const ALL: &'static [Class] = &[$(Class::$name,)*];

            /// The word in the API and the database.
            pub fn text(self) -> &'static str { match self { $(Class::$name => $text,)* } }

            /// A short English name.
            pub fn name(self) -> &'static str { match self { $(Class::$name => $en,)* } }

            /// A short Chinese name.
            pub fn name_zh(self) -> &'static str { match self { $(Class::$name => $zh,)* } }

            /// Whether somebody or something has to act on it; the others are remarks on a match that stands.
            pub fn is_break(self) -> bool { match self { $(Class::$name => classes!(@ $kind),)* } }
        }
    };
    (@ act) => { true };
    (@ remark) => { false };
}

classes! {
    /// The channel names a movement that we have no record of (长款).
    TheirsOnly "theirs_only" act "at the channel only" "长款";
    /// We record a movement that the channel does not name (短款).
    OursOnly "ours_only" act "in our books only" "短款";
    /// The payer's bank took money back and we did not know.
    ChargebackUnseen "chargeback_unseen" act "chargeback not seen" "未知拒付";
    /// The channel names one movement twice.
    Duplicate "duplicate" act "named twice" "重复";
    /// The two are in different currencies.
    Currency "currency" act "currencies differ" "币种不符";
    /// One side says that the money moved, the other that it did not.
    Status "status" act "states differ" "状态不符";
    /// A refund of another amount.
    RefundMismatch "refund_mismatch" act "refunds differ" "退款不符";
    /// Another amount.
    Amount "amount" act "amounts differ" "金额不符";
    /// Another fee than agreed.
    Fee "fee" act "fees differ" "手续费不符";
    /// A deposit on the bank's statement that nothing explains.
    BankOnly "bank_only" act "at the bank only" "银行长款";
    /// What the channel owes did not arrive at the bank.
    BankMissing "bank_missing" act "not at the bank" "银行短款";
    /// Our own books disagree with one another.
    Internal "internal" act "books disagree" "内部账不平";
    /// The two days differ.
    CrossDay "cross_day" remark "another day" "跨日";
    /// Matched although the reference was lost or cut off.
    LostReference "lost_reference" remark "reference lost" "流水号缺失";
    /// A difference of rounding.
    Rounding "rounding" remark "rounding" "尾差";
    /// One of ours is several lines.
    Split "split" remark "split" "拆分";
    /// Several of ours are one line.
    Merged "merged" remark "merged" "合并";
}
