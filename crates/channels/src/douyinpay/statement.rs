//! Douyin Pay has bills for download, but no public description of their columns. Guessed columns would make wrong
//! books, so none are read.

use paycore::channel::{Fault, Totals};

pub(super) fn parse() -> Result<Totals, Fault> {
    Err(Fault::Unsupported)
}
