//! Statements as files: what a writer of files is given. The files themselves are made outside this crate.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Settlement;
use crate::calendar::Zone;
use crate::clearing::Item;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Comma-separated values, UTF-8, one table.
    Csv,
    /// A workbook for Excel, numbers and dates as such.
    Xlsx,
    /// A page to print.
    Pdf,
}

/// The language of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Language {
    /// English.
    #[serde(rename = "en")]
    English,
    /// Simplified Chinese.
    #[serde(rename = "zh")]
    Chinese,
}

/// What stands above the items.
#[derive(Debug, Clone)]
pub struct Head {
    /// The merchant's name.
    pub merchant: String,
    /// The settlement, closed.
    pub settlement: Settlement,
    /// The time zone of the times in the file.
    pub zone: Zone,
    /// The language.
    pub language: Language,
}

/// A file could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file cannot be made: {0}")]
pub struct ExportError(pub String);

/// Makes files of statements.
pub trait Exporter: fmt::Debug + Send + Sync {
    /// Begins a file.
    ///
    /// # Errors
    /// [`ExportError`].
    fn begin(&self, head: Head, format: Format) -> Result<Box<dyn Export>, ExportError>;
}

/// A file that is being made. Items come one by one; none is kept.
pub trait Export: Send {
    /// Adds an item.
    ///
    /// # Errors
    /// [`ExportError`].
    fn item(&mut self, item: &Item) -> Result<(), ExportError>;

    /// The bytes of the file.
    ///
    /// # Errors
    /// [`ExportError`].
    fn finish(self: Box<Self>) -> Result<Vec<u8>, ExportError>;
}

impl Format {
    /// The media type of the file.
    pub const fn media_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Format::Pdf => "application/pdf",
        }
    }

    /// The ending of the file's name.
    pub const fn extension(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Xlsx => "xlsx",
            Format::Pdf => "pdf",
        }
    }
}

impl Head {
    /// The name of the file without its ending: letters, digits and `-`.
    pub fn file_stem(&self) -> String {
        format!("statement-{}", self.settlement.number.replace(':', "-"))
    }
}
