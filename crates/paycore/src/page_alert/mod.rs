//! Page alerts: what a payer's browser reported about a payment page that nobody expected there: a script above all, or a
//! header that is not as the server sent it (PCI DSS 11.6.1).
//! Reports come from anybody, so they are believed to nothing but this: somebody should look.

pub mod rules;
#[cfg(feature = "engine")]
pub mod service;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::{Index, document};
use crate::id::PageAlertId;
use crate::time::Timestamp;

/// Something that browsers reported about a page, however often they did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PageAlert {
    /// Its id.
    pub id: PageAlertId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    #[schemars(skip)]
    pub version: i64,
    /// What it is.
    #[serde(flatten)]
    pub finding: Finding,
    /// How often it was reported.
    pub count: i64,
    /// When it was first reported.
    pub first_seen_at: Timestamp,
    /// When it was last reported.
    pub last_seen_at: Timestamp,
}

document!(PageAlert, PageAlertId, "page_alert", |alert| Index {
    number: Some(alert.finding.number()),
    at: alert.first_seen_at,
    ..Index::new("open")
});

/// What was found where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What kind of thing.
    pub kind: Kind,
    /// The page: `pay`, `link`, `receipt`, `cashier`, `card` or `other`.
    pub page: String,
    /// The directive of the page's policy, such as `script-src`; `script` for one that is not in the inventory; or the
    /// header that is not as it was sent.
    pub directive: String,
    /// Where it came from: an origin and path without query, or a word such as `inline`. Of a header: `missing` or
    /// `changed`.
    pub source: String,
}

/// What kind of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The browser kept something away that the page's policy forbids.
    PolicyViolation,
    /// A script was in the page that is not in its inventory.
    UnexpectedScript,
    /// A header that protects the page came differently from how the server sent it, or not at all.
    ChangedHeader,
}

impl Kind {
    /// The word used in the API.
    pub fn text(self) -> &'static str {
        match self {
            Kind::PolicyViolation => "policy_violation",
            Kind::UnexpectedScript => "unexpected_script",
            Kind::ChangedHeader => "changed_header",
        }
    }
}
