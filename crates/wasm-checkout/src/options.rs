//! What the page asks of the widget, as JSON from the loader.

use std::collections::HashMap;

use serde::Deserialize;

use crate::appearance::Appearance;

/// The wishes of the page. A name that is not known is skipped, so that a newer page works with an older widget.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Options {
    /// Opens the order.
    pub(crate) client_secret: String,
    /// Says whose page this is.
    pub(crate) publishable_key: String,
    /// A BCP 47 tag, or `auto`.
    pub(crate) locale: String,
    /// The payment server's origin, without a trailing slash.
    pub(crate) base: String,
    /// The languages of the browser, best first.
    pub(crate) languages: Vec<String>,
    pub(crate) appearance: Appearance,
    /// The merchant's own words, by key.
    pub(crate) texts: HashMap<String, String>,
    /// Whether there is no button to pay in the widget, because the page has its own.
    pub(crate) no_button: bool,
}

impl Options {
    /// Reads the loader's JSON; what cannot be read is as if it were not there.
    pub(crate) fn read(json: &str) -> Options {
        serde_json::from_str(json).unwrap_or_default()
    }
}
