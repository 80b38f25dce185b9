//! Operations of reconciliation, and what the workers do about it by themselves.

mod adjust;
mod bank;
mod books;
mod file;
mod gather;
mod legs;
mod outgoing;
mod payouts;
mod pool;
mod run;
mod trace;

use std::time::Duration;

pub use adjust::{
    AdjustmentById, DecideAdjustment, ListAdjustments, ProposeAdjustment, approve, list as list_adjustments,
    propose, reject,
};
pub use bank::{ListBankStatements, UploadBankStatement, list as list_bank_statements, upload};
pub use pool::{
    BreakById, ListBreaks, ResolveBreak, list as list_breaks, rerun, resolve, retrieve as retrieve_break,
};
pub use run::{ListReconciliations, ReconciliationById, RunReconciliation, list, retrieve, run};
pub use trace::{AtChannel, ThreeWay, TraceOrder, trace};

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::id::MerchantId;
use crate::time::{BEIJING, Timestamp};

/// A document of ours is due: a file to ask for, a break to look at again, a proposal that is over.
pub(crate) async fn due(engine: &Engine, tenant: MerchantId, id: &str) -> Result<()> {
    match id.split('_').next() {
        Some("rcn") => run::due(engine, tenant, id.parse().map_err(Error::internal)?).await,
        Some("brk") => pool::due(engine, tenant, id.parse().map_err(Error::internal)?).await,
        _ => adjust::due(engine, tenant, id.parse().map_err(Error::internal)?).await,
    }
}

/// A day of a channel's calendar.
#[derive(Debug, Clone, Copy)]
struct Day {
    from: Timestamp,
    until: Timestamp,
}

impl Day {
    /// From `2026-11-30`, as in Beijing.
    fn parse(text: &str) -> Result<Day> {
        let wrong = || Error::invalid("day", "Must be a date such as 2026-11-30.");
        let from = Timestamp::parse_beijing(&format!("{text} 00:00:00")).map_err(|_| wrong())?;
        Ok(Day { from, until: from.plus(Duration::from_secs(86_400)) })
    }

    fn text(self) -> String {
        self.from.to_civil(BEIJING).date().to_string()
    }

    fn next(self) -> Day {
        Day { from: self.until, until: self.until.plus(Duration::from_secs(86_400)) }
    }
}

/// Does heavy work on a thread of its own, so that others are served meanwhile.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (tell, heard) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || drop(tell.send(work())));
    heard.await.map_err(|_| Error::internal("the thread that compares a statement ended early"))
}
