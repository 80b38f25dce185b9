//! Mandates (委托代扣): a payer's standing agreement, signed at the channel, to be charged without being present. An order
//! names an active one and is charged at once. The channel keeps the agreement; what we keep is where it stands, the most
//! that a charge may take, and the channel's own id of it.

pub mod rules;
#[cfg(feature = "engine")]
pub mod service;
pub mod state;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use rules::MandateView;
pub use state::{MandateEvent, MandateStatus};

use crate::channel::{Action, Decline, Method, SigningScene};
use crate::currency::Currency;
use crate::document::{Index, document};
use crate::id::{ChannelAccountId, MandateId};
use crate::money::Money;
use crate::order::Metadata;
use crate::time::Timestamp;

/// A payer's agreement to be charged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mandate {
    /// Its id.
    pub id: MandateId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// Our reference on the wire; the same however often it is sent.
    pub reference: String,
    /// Where it stands.
    pub status: MandateStatus,
    /// The method that charges by it.
    pub method: Method,
    /// Where the payer signs.
    pub scene: SigningScene,
    /// Id of the channel.
    pub channel: String,
    /// The merchant's account with it.
    pub account_id: ChannelAccountId,
    /// The most that one charge may take.
    pub limit: Money,
    /// What it is for.
    pub description: String,
    /// The merchant's reference of the customer who signs.
    pub customer: Option<String>,
    /// Where the payer's browser goes afterwards.
    pub return_url: Option<String>,
    /// The merchant's notes.
    #[serde(default)]
    pub metadata: Metadata,
    /// What the payer has to do to sign it.
    pub next_action: Option<Action>,
    /// The channel's own id, once it was signed.
    pub channel_id: Option<String>,
    /// Why it is to end, as the merchant said.
    pub reason: Option<String>,
    /// Why the channel refused it, or how it ended there.
    pub decline: Option<Decline>,
    /// The last fault, for people.
    pub fault: Option<String>,
    /// How often the channel was asked since its state last changed.
    pub queries: i64,
    /// Until when it can be signed.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it became active.
    pub signed_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Number of events about it so far.
    pub sequence: i64,
    /// When a worker looks at it next, wall clock; zero for never.
    pub due_at: Timestamp,
}

document!(Mandate, MandateId, "mandate", |mandate| Index {
    number: None,
    parent: mandate.customer.clone(),
    status: mandate.status.text(),
    at: mandate.created_at,
    due_at: mandate.due_at,
});

impl Mandate {
    /// The currency of every charge.
    pub fn currency(&self) -> Currency {
        self.limit.currency()
    }
}

/// What a payer is asked to sign.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateMandate {
    /// The method that will charge by it, such as `wechatpay.mandate`.
    pub method: Method,
    /// ISO 4217 code of every charge, such as `CNY`.
    pub currency: Currency,
    /// The most that one charge may take, integer minor units.
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub amount_limit: i64,
    /// What it is for, 1 to 127 characters.
    #[schemars(length(min = 1, max = 127))]
    pub description: String,
    /// Where the payer signs: on a page inside the wallet (`jsapi`) where absent.
    #[serde(default)]
    pub scene: SigningScene,
    /// Your own reference of the customer who signs: 1 to 64 letters, digits, `-` or `_`. The payer may read it as the
    /// account that agrees.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    pub customer: Option<String>,
    /// Where the payer's browser goes afterwards, where the channel can.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub return_url: Option<String>,
    /// Your notes: at most 50 keys of at most 40 characters, values of at most 500.
    #[serde(default)]
    pub metadata: Metadata,
    /// What you know of the payer; told to the channel and not kept. `h5` needs `payer.ip`.
    #[serde(default)]
    pub payer: crate::channel::Payer,
    /// Seconds until it can no longer be signed, 300 to 2,592,000; 7,200 where absent.
    #[serde(default)]
    #[schemars(range(min = 300, max = 2_592_000))]
    pub expires_in: Option<u64>,
}
