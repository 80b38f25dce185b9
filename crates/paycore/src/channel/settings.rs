//! The settings of a channel account: named texts, some of them secret, described by the profile's fields.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::secret::Secret;

/// Named values as the merchant typed them. `Debug` shows names only; they serialise only by
/// [`Settings::expose_json`], for sealing.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Settings(BTreeMap<String, Secret>);

/// A setting that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("setting `{field}`: {detail}")]
pub struct SettingsError {
    /// The field's key in the profile.
    pub field: String,
    /// What is wrong and how to mend it; never holds the value.
    pub detail: String,
}

impl SettingsError {
    /// A setting that is wrong.
    pub fn new(field: impl Into<String>, detail: impl fmt::Display) -> Self {
        SettingsError { field: field.into(), detail: detail.to_string() }
    }
}

impl Settings {
    /// Settings from names and values.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Settings(pairs.into_iter().map(|(name, value)| (name.into(), Secret::new(value))).collect())
    }

    /// The value of a field; blank values count as absent.
    pub fn value(&self, field: &str) -> Option<&Secret> {
        self.0.get(field).filter(|value| !value.is_blank())
    }

    /// The value of a field that must be there.
    pub fn require(&self, field: &str) -> Result<&Secret, SettingsError> {
        self.value(field).ok_or_else(|| SettingsError::new(field, "is required"))
    }

    /// The value of a field that is not secret, or a default.
    pub fn text<'a>(&'a self, field: &str, default: &'a str) -> &'a str {
        self.value(field).map_or(default, Secret::expose)
    }

    /// The names of all fields present.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Adds or replaces a field.
    pub fn set(&mut self, field: impl Into<String>, value: impl Into<String>) {
        self.0.insert(field.into(), Secret::new(value));
    }

    /// All settings as JSON with their secrets in clear, to be sealed at once.
    pub fn expose_json(&self) -> Secret {
        let clear: BTreeMap<&str, &str> = self.0.iter().map(|(k, v)| (k.as_str(), v.expose())).collect();
        Secret::new(serde_json::to_string(&clear).unwrap_or_default())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
