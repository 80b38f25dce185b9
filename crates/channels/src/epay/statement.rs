//! The protocol has no statement files. Its list of orders is paged from the newest, so that rows move between pages
//! while it is read, and not signed: nothing to balance books against.

use std::io::BufRead;

use paycore::channel::{Fault, Line, Totals};

pub(super) fn parse(_: &mut dyn BufRead, _: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
    Err(Fault::Unsupported)
}
