//! Branding: what a merchant's payment pages look like, in whose pages they may be framed, and the words of the
//! merchant's own.

pub mod rules;
#[cfg(feature = "engine")]
pub mod service;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::{Index, document};
use crate::id::BrandingId;
use crate::time::Timestamp;

/// Words in place of ours: by language, then by key.
pub type Words = BTreeMap<String, BTreeMap<String, String>>;

/// A merchant's branding. There is one per merchant; without one the pages look like ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Branding {
    /// Its id.
    pub id: BrandingId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// What it says.
    #[serde(flatten)]
    pub look: Look,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The number of the one branding of a merchant.
pub const NUMBER: &str = "branding";

document!(Branding, BrandingId, "branding", |_| Index {
    number: Some(NUMBER.to_owned()),
    ..Index::new("active")
});

/// What a branding says. What is left out is ours.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The colour of buttons, `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color_primary: Option<String>,
    /// The colour of the ground behind the sheet, `#rrggbb`, where the payer's system is light.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color_background: Option<String>,
    /// The logo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Logo>,
    /// A sentence below the amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Words in place of ours.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: Words,
    /// Origins whose pages may frame the payment page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frame_ancestors: Vec<String>,
}

/// Where a logo comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Logo {
    /// From an https address of the merchant's.
    Address(String),
    /// It was sent to us.
    Image {
        /// `image/png`, `image/jpeg` or `image/webp`.
        media_type: String,
        /// The file in base64.
        content: String,
    },
}

/// What `branding.retrieve` takes: nothing.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetrieveBranding {}

/// What `branding.update` takes. It replaces the whole branding: what is left out is ours again.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateBranding {
    /// The colour of buttons, such as `#0b5fb8`. It has to stand out from the ground: a contrast of at least 3 to 1.
    #[serde(default)]
    #[schemars(regex(pattern = "^#[0-9a-fA-F]{6}$"))]
    pub color_primary: Option<String>,
    /// The colour of the ground behind the sheet, such as `#f4f6f9`, where the payer's system is light. Our dark text
    /// has to be readable on it: a contrast of at least 4.5 to 1.
    #[serde(default)]
    #[schemars(regex(pattern = "^#[0-9a-fA-F]{6}$"))]
    pub color_background: Option<String>,
    /// The https address of the logo; give either this or `logo`.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub logo_url: Option<String>,
    /// The logo itself, a PNG, JPEG or WebP of at most 32 KiB in base64.
    #[serde(default)]
    pub logo: Option<String>,
    /// A sentence for payers below the amount, at most 200 characters.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub note: Option<String>,
    /// Words in place of ours, by language (`zh-CN`, `zh-TW`, `en`, `ja`, `ko`, `es`, `pt-BR`, `fr`, `de`, `ar`), then
    /// by key, such as `{"en": {"pay": "Donate {amount}"}}`; at most 100 of at most 300 characters.
    #[serde(default)]
    pub texts: Words,
    /// Origins whose pages may frame the payment page, such as `https://shop.example`; at most 10. None where absent.
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub frame_ancestors: Vec<String>,
}

/// A branding as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Branding")]
pub struct BrandingView {
    /// Always `branding`.
    pub object: &'static str,
    /// The colour of buttons.
    pub color_primary: Option<String>,
    /// The colour of the ground behind the sheet.
    pub color_background: Option<String>,
    /// Where the logo is shown from.
    pub logo_url: Option<String>,
    /// A sentence below the amount.
    pub note: Option<String>,
    /// Words in place of ours.
    pub texts: Words,
    /// Origins whose pages may frame the payment page.
    pub frame_ancestors: Vec<String>,
    /// When it last changed; null where there is none yet.
    pub updated_at: Option<Timestamp>,
}
