//! Statements of settlements as files: CSV, XLSX and PDF, in English and Chinese.
//!
//! All three show the same: who, which period, the lines from opening to closing, and every item with its time on the
//! merchant's clock. Items come one by one and none is kept in memory but for what the format itself keeps; a PDF lists
//! the first [`PDF_ITEMS_MAX`] and says how many there are beyond.

mod csv;
mod pdf;
mod rows;
mod words;
mod xlsx;

pub use pdf::PDF_ITEMS_MAX;

use paycore::settlement::export::{Export, ExportError, Exporter, Format, Head};

/// Makes the files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Statements;

impl Exporter for Statements {
    fn begin(&self, head: Head, format: Format) -> Result<Box<dyn Export>, ExportError> {
        Ok(match format {
            Format::Csv => Box::new(csv::Csv::new(&head)),
            Format::Xlsx => Box::new(xlsx::Xlsx::new(head)?),
            Format::Pdf => Box::new(pdf::Pdf::new(head)),
        })
    }
}
