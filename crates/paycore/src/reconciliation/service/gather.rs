//! Our side of a day: what the ledger says moved through the account, what the file names besides, and the pool.

use std::collections::{BTreeMap, HashMap, HashSet};

use rust_decimal::Decimal;

use super::Day;
use crate::document::DocumentFilter;
use crate::engine::{Engine, OpenAccount};
use crate::error::{Error, Result};
use crate::event::Movement;
use crate::id::{BreakId, MerchantId, ReconciliationId, TransactionId};
use crate::ledger::{Side, Transaction, TransactionFilter};
use crate::order::{Attempt, AttemptStatus, Order};
use crate::reconciliation::matching::{Book, Entry};
use crate::reconciliation::pool::Break;
use crate::reconciliation::run::Scope;
use crate::reconciliation::side::{payment, refund};
use crate::reconciliation::{BreakStatus, Kind};
use crate::refund::Refund;
use crate::store::Page;

/// Rows read at once.
pub(super) const PAGE: usize = 500;

/// Our side with what each row is.
#[derive(Default)]
pub(super) struct Ours {
    pub(super) book: Book,
    /// The object of every row.
    pub(super) objects: Vec<String>,
    /// Rows and lines that are in the pool already.
    pub(super) pooled: [BTreeMap<u32, Break>; 2],
    rows: HashMap<(Kind, String), u32>,
}

/// What is read for one account.
pub(super) struct Gatherer<'a> {
    pub(super) engine: &'a Engine,
    pub(super) tenant: MerchantId,
    pub(super) open: &'a OpenAccount,
    pub(super) rate: Option<Decimal>,
}

impl Ours {
    pub(super) fn put(&mut self, entry: &Entry<'_>, object: String) -> Result<()> {
        let key = (entry.kind, object);
        if !self.rows.contains_key(&key) {
            let row = self.book.push(entry).map_err(Error::internal)?;
            self.objects.push(key.1.clone());
            self.rows.insert(key, row);
        }
        Ok(())
    }

    /// Adds rows and lines of earlier days that still wait for their other side.
    pub(super) fn pooled(
        &mut self,
        pool: Vec<Break>,
        run: ReconciliationId,
        theirs: &mut Book,
    ) -> Result<()> {
        for found in pool {
            match (&found.ours, &found.theirs) {
                (Some(facts), None) => {
                    let Some(object) = facts.object_id.clone() else { continue };
                    let key = (facts.kind, object.clone());
                    self.put(&facts.entry(), object)?;
                    if let Some(row) = self.rows.get(&key) {
                        self.pooled[0].insert(*row, found);
                    }
                }
                // Lines of this very day are in its file, which may have been stated again.
                (None, Some(facts)) if found.reconciliation_id != run => {
                    let line = theirs.push(&facts.entry()).map_err(Error::internal)?;
                    self.pooled[1].insert(line, found);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Gatherer<'_> {
    /// Everything that is compared with `theirs`; lines of the pool are added to it.
    pub(super) async fn gather(&self, day: Day, run: ReconciliationId, theirs: &mut Book) -> Result<Ours> {
        let mut ours = Ours::default();
        self.moved(day, &mut ours).await?;
        self.named(theirs, &mut ours).await?;
        let account = self.open.account.id.to_string();
        ours.pooled(pool(self.engine, self.tenant, &account, Scope::Trade).await?, run, theirs)?;
        Ok(ours)
    }

    /// What the ledger booked through the channel on the day.
    async fn moved(&self, day: Day, ours: &mut Ours) -> Result<()> {
        let receivable = format!("channel_receivable:{}", self.open.account.channel);
        let mut page = first_page(day);
        loop {
            let rows = transactions(self.engine, self.tenant, &page).await?;
            for row in &rows {
                if row.created_at < day.from {
                    return Ok(());
                }
                if row.entries.iter().any(|entry| entry.account == receivable) {
                    self.transaction(row, ours).await?;
                }
            }
            match next_page(&rows) {
                Some(next) => page = next,
                None => return Ok(()),
            }
        }
    }

    async fn transaction(&self, row: &Transaction, ours: &mut Ours) -> Result<()> {
        match (row.kind, row.order_id, row.refund_id) {
            (Movement::Payment, Some(order), _) => {
                let Some(order) = self.engine.store.order(self.tenant, order).await? else { return Ok(()) };
                let attempts = self.engine.store.attempts(self.tenant, order.id).await?;
                let paid = attempts.iter().filter(|attempt| attempt.status == AttemptStatus::Succeeded);
                for attempt in paid {
                    self.put_payment(&order, attempt, booked_cost(row), ours)?;
                }
            }
            (Movement::Refund, _, Some(id)) => {
                if let Some(found) = self.engine.store.refund(self.tenant, id).await? {
                    self.put_refund(&found, ours).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A payment with the fee we expect: at the rate that was given, else what was booked as the channel's cost.
    fn put_payment(
        &self,
        order: &Order,
        attempt: &Attempt,
        cost: Option<i64>,
        ours: &mut Ours,
    ) -> Result<()> {
        if attempt.account_id != self.open.account.id {
            return Ok(());
        }
        let row = payment(order, attempt, self.rate);
        ours.put(&Entry { fee: row.fee.or(cost), ..row }, attempt.id.to_string())
    }

    async fn put_refund(&self, found: &Refund, ours: &mut Ours) -> Result<()> {
        let attempt = self.engine.store.attempt(self.tenant, found.attempt_id).await?;
        let Some(attempt) = attempt.filter(|attempt| attempt.account_id == self.open.account.id) else {
            return Ok(());
        };
        let driver = self.engine.driver(&attempt.channel);
        let number = driver.map_or_else(|| found.reference.clone(), |d| d.refund_number(&found.reference));
        ours.put(&refund(found, &number, &attempt), found.id.to_string())
    }

    /// What the file names and the ledger did not book that day: paid on another day, not known to be paid, failed.
    async fn named(&self, theirs: &Book, ours: &mut Ours) -> Result<()> {
        let known: HashSet<String> =
            indices(&ours.book).map(|row| ours.book.entry(row).reference.to_owned()).collect();
        for index in indices(theirs) {
            let line = theirs.entry(index);
            if line.reference.is_empty() || known.contains(line.reference) {
                continue;
            }
            let (store, account) = (&self.engine.store, self.open.account.id);
            match line.kind {
                Kind::Payment => {
                    let found = store.attempt_by_reference(self.tenant, account, line.reference).await?;
                    let Some(attempt) = found else { continue };
                    if let Some(order) = store.order(self.tenant, attempt.order_id).await? {
                        self.put_payment(&order, &attempt, None, ours)?;
                    }
                }
                Kind::Refund => {
                    let found = store.refund_by_reference(self.tenant, account, line.reference).await?;
                    if let Some(found) = found {
                        self.put_refund(&found, ours).await?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What a journal says that the channel keeps; none where it says nothing of it.
fn booked_cost(row: &Transaction) -> Option<i64> {
    let costs =
        row.entries.iter().filter(|entry| entry.account == "channel_cost" && entry.side == Side::Debit);
    let cost: i64 = costs.map(|entry| entry.money.minor()).sum();
    Some(cost).filter(|cost| *cost > 0)
}

/// All breaks of a pool that are not resolved and of this kind of comparison, oldest first.
pub(super) async fn pool(
    engine: &Engine,
    tenant: MerchantId,
    pool: &str,
    scope: Scope,
) -> Result<Vec<Break>> {
    let mut all: BTreeMap<BreakId, Break> = BTreeMap::new();
    for status in [BreakStatus::Pending, BreakStatus::Open] {
        let filter = DocumentFilter { status: Some(status.text().to_owned()), ..DocumentFilter::of(pool) };
        let found: Vec<Break> = engine.all_documents(tenant, &filter).await?;
        let found = found.into_iter().filter(|found| found.scope == scope);
        all.extend(found.map(|found| (found.id, found)));
    }
    Ok(all.into_values().collect())
}

pub(super) fn indices(book: &Book) -> std::ops::Range<u32> {
    0..u32::try_from(book.len()).unwrap_or(u32::MAX)
}

/// Transactions from the end of a day backwards: their ids hold their time.
pub(super) fn first_page(day: Day) -> Page {
    let millis = u128::try_from(day.until.millis()).unwrap_or(0);
    let after = TransactionId::from_bits(millis << 80).to_string();
    Page { limit: PAGE, after: Some(after), before: None }
}

pub(super) fn next_page(rows: &[Transaction]) -> Option<Page> {
    let last = rows.last().filter(|_| rows.len() == PAGE)?;
    Some(Page { limit: PAGE, after: Some(last.id.to_string()), before: None })
}

pub(super) async fn transactions(
    engine: &Engine,
    tenant: MerchantId,
    page: &Page,
) -> Result<Vec<Transaction>> {
    Ok(engine.store.transactions(tenant, &TransactionFilter::default(), page).await?)
}
