//! How a merchant looks in the API.

use schemars::JsonSchema;
use serde::Serialize;

use super::Merchant;
use crate::id::MerchantId;
use crate::order::input::Moment;
use crate::time::Timestamp;

/// A merchant as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Merchant")]
pub struct MerchantView {
    /// Its id.
    pub id: MerchantId,
    /// Always `merchant`.
    pub object: &'static str,
    /// False for a sandbox.
    pub livemode: bool,
    /// The shop's name.
    pub name: String,
    /// Whether it may take payments.
    pub active: bool,
    /// The sandbox of a live merchant, or the live merchant of a sandbox.
    pub twin_id: Option<MerchantId>,
    /// The merchant's own time: ahead of the wall clock only in a sandbox.
    pub now: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Merchant {
    /// The merchant as the API shows it.
    pub fn view(&self, moment: Moment) -> MerchantView {
        MerchantView {
            id: self.id,
            object: "merchant",
            livemode: self.livemode,
            name: self.name.clone(),
            active: self.active,
            twin_id: self.twin_id,
            now: Timestamp::from_micros(moment.wall.micros() + self.clock_offset),
            created_at: self.created_at,
        }
    }
}
