//! The settlements of a whole installation, for its operator: every plan of every merchant whose cut-off has passed.

use std::sync::Arc;

use futures_util::StreamExt as _;

use crate::document::DocumentFilter;
use crate::engine::Engine;
use crate::error::{Code, Error, Result};
use crate::merchant::Merchant;
use crate::settlement::Plan;
use crate::store::Page;

use super::runs::settle_until;

/// How many merchants are read at once.
const ROWS: usize = 500;
/// How many are settled at the same time: enough for a store that folds commits together.
const AT_ONCE: usize = 64;

/// How far it has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Merchants looked at.
    pub done: u64,
    /// Merchants there are.
    pub total: u64,
    /// Settlements that were closed.
    pub closed: u64,
    /// Merchants whose settlement failed on our side; the workers try again.
    pub failed: u64,
}

/// Makes every settlement that is due, merchant by merchant, and tells how far it is after each page of them.
pub async fn settle_all(engine: &Engine, mut tell: impl FnMut(&Tally)) -> Result<Tally> {
    let mut tally = Tally { total: count(engine).await?, ..Tally::default() };
    let mut page = Page { limit: ROWS, after: None, before: None };
    loop {
        let merchants = engine.store.merchants(&page).await?;
        page.after = merchants.last().map(|merchant| merchant.id.to_string());
        let is_last = merchants.len() < ROWS;
        let jobs = merchants.into_iter().map(|merchant| settle_one(engine, Arc::new(merchant)));
        let mut running = futures_util::stream::iter(jobs).buffer_unordered(AT_ONCE);
        while let Some(result) = running.next().await {
            tally.done += 1;
            match result {
                Ok(closed) => tally.closed += closed,
                Err(_) => tally.failed += 1,
            }
        }
        tell(&tally);
        if is_last {
            return Ok(tally);
        }
    }
}

async fn count(engine: &Engine) -> Result<u64> {
    let mut page = Page { limit: ROWS, after: None, before: None };
    let mut total = 0;
    loop {
        let merchants = engine.store.merchants(&page).await?;
        total += merchants.len() as u64;
        page.after = merchants.last().map(|merchant| merchant.id.to_string());
        if merchants.len() < ROWS {
            return Ok(total);
        }
    }
}

async fn settle_one(engine: &Engine, merchant: Arc<Merchant>) -> Result<u64> {
    let now = engine.moment(&merchant).now;
    let plans: Vec<Plan> = engine.all_documents(merchant.id, &DocumentFilter::status("active")).await?;
    let mut closed = 0;
    for plan in
        plans.into_iter().filter(|plan| plan.open.is_some() || plan.next_run.is_some_and(|at| at <= now))
    {
        loop {
            match settle_until(engine, Arc::clone(&merchant), plan.id, now).await {
                Ok((more, all)) => {
                    closed += more as u64;
                    if all {
                        break;
                    }
                }
                // A worker is at it.
                Err(Error { code: Code::Conflict, .. }) => break,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(closed)
}
