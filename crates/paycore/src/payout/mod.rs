//! Payouts: what is available to a merchant leaves for a beneficiary, by a channel's transfer or in a batch file for a
//! bank. A payout is drafted, reviewed, approved by one or two other people, submitted, and ends paid or failed; money
//! that a bank sends back makes a paid one returned. The amount is set aside when the draft is made.

pub mod pain001;
pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
pub mod state;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use state::{PayoutEvent, PayoutStatus};

use crate::channel::Decline;
use crate::document::{Document, Index};
use crate::id::{BatchId, BeneficiaryId, ChannelAccountId, PayoutId, ReconciliationId};
use crate::money::Money;
use crate::time::Timestamp;

/// Who money may be paid out to. It can be paid once somebody other than its author approved it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beneficiary {
    /// Its id.
    pub id: BeneficiaryId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// Who owns the account, as the bank or the channel knows the name.
    pub name: String,
    /// Which way the money goes.
    pub route: Route,
    /// The account, sealed.
    pub sealed_account: String,
    /// The end of the account, for people.
    pub hint: String,
    /// Whether it may be paid.
    pub active: bool,
    /// Who entered it.
    pub created_by: String,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When it was entered.
    pub created_at: Timestamp,
}

/// Which way money goes to a beneficiary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Route {
    /// By the transfer of a connected channel.
    Channel {
        /// The merchant's account with the channel.
        channel_account_id: ChannelAccountId,
        /// What the beneficiary's account is.
        account_kind: PayeeKind,
    },
    /// By a bank, in a batch file.
    Bank {
        /// The bank's BIC (ISO 9362), where it has one.
        #[serde(default)]
        #[schemars(regex(pattern = "^[A-Z0-9]{8}([A-Z0-9]{3})?$"))]
        bic: Option<String>,
        /// The bank's clearing number, such as the twelve digits of a CNAPS code.
        #[serde(default)]
        #[schemars(regex(pattern = "^[A-Za-z0-9]{1,35}$"))]
        clearing: Option<String>,
        /// ISO 3166 alpha-2 country of the bank.
        #[schemars(regex(pattern = "^[A-Z]{2}$"))]
        country: String,
    },
}

/// What identifies a beneficiary at a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayeeKind {
    /// A merchant's number.
    Merchant,
    /// A person as the merchant's app knows it: an openid.
    Open,
    /// A person's own number at the channel.
    User,
    /// What a person signs in with: telephone number or mail address.
    Login,
    /// A bank account that the channel pays into.
    Bank,
}

/// Who bears what the payout costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bearer {
    /// The merchant: the fee comes on top of the amount.
    #[default]
    Merchant,
    /// The beneficiary: the fee is taken out of the amount.
    Beneficiary,
}

/// Money on its way out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payout {
    /// Its id.
    pub id: PayoutId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// The merchant's own number, unique per merchant; the id where none was given.
    pub number: String,
    /// Our reference on the wire; the same however often the payout is sent.
    pub reference: String,
    /// Where it stands.
    pub status: PayoutStatus,
    /// The amount that was asked for.
    pub money: Money,
    /// What it costs, minor units of the same currency.
    pub fee: i64,
    /// Who bears the fee.
    pub bearer: Bearer,
    /// To whom.
    pub beneficiary_id: BeneficiaryId,
    /// The channel whose transfer carries it; none for a bank.
    pub channel: Option<String>,
    /// Shown to the beneficiary.
    pub memo: String,
    /// The settlement it pays, where it pays one.
    pub settlement_id: Option<String>,
    /// SHA-256 in hex over everything that is approved. What is sent must still have it.
    pub effect: String,
    /// Who drafted it.
    pub created_by: String,
    /// Who reviewed it.
    pub reviewed_by: Option<String>,
    /// Who approved it, in order.
    pub approvals: Vec<Approval>,
    /// How many approvals it needs.
    pub approvals_wanted: u32,
    /// Until when it may be approved; afterwards it is cancelled.
    pub approve_by: Timestamp,
    /// The batch file it went out with.
    pub batch_id: Option<BatchId>,
    /// The channel's or the bank's own id.
    pub channel_id: Option<String>,
    /// Why it was declined.
    pub decline: Option<Decline>,
    /// The last fault, for people.
    pub fault: Option<String>,
    /// How often the channel was asked.
    pub queries: i64,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Number of events about it so far.
    pub sequence: i64,
    /// The run of the reconciliation that found it on a statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconciled: Option<ReconciliationId>,
    /// The run that found its return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_reconciled: Option<ReconciliationId>,
    /// When a worker looks at it next, wall clock; zero for never.
    pub due_at: Timestamp,
}

/// One approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The effect that was approved.
    pub effect: String,
}

/// Payouts that go to a bank in one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// The payouts, in the order of the file.
    pub payouts: Vec<PayoutId>,
    /// The sum of the file.
    pub money: Money,
    /// The file, an ISO 20022 `pain.001.001.09` message, sealed: it names accounts.
    pub sealed_file: String,
    /// SHA-256 of the file in hex.
    pub sha256: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Document for Beneficiary {
    type Id = BeneficiaryId;
    const KIND: &'static str = "beneficiary";

    fn id(&self) -> BeneficiaryId {
        self.id
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn set_version(&mut self, version: i64) {
        self.version = version;
    }
    fn index(&self) -> Index {
        let status = match (self.active, &self.approved_by) {
            (false, _) => "inactive",
            (true, None) => "proposed",
            (true, Some(_)) => "approved",
        };
        Index { at: self.created_at, ..Index::new(status) }
    }
}

impl Document for Payout {
    type Id = PayoutId;
    const KIND: &'static str = "payout";

    fn id(&self) -> PayoutId {
        self.id
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn set_version(&mut self, version: i64) {
        self.version = version;
    }
    fn index(&self) -> Index {
        Index {
            number: Some(self.number.clone()),
            parent: self.settlement_id.clone(),
            status: self.status.text(),
            at: self.created_at,
            due_at: self.due_at,
        }
    }
}

impl Document for Batch {
    type Id = BatchId;
    const KIND: &'static str = "payout_batch";

    fn id(&self) -> BatchId {
        self.id
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn set_version(&mut self, version: i64) {
        self.version = version;
    }
    fn index(&self) -> Index {
        Index { at: self.created_at, ..Index::new("made") }
    }
}
