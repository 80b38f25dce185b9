//! Settlement without an engine: golden statements from an oracle that does not know this code, and the conservation of
//! money over random histories.

mod conservation;
mod golden;
mod shop;
