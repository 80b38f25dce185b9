//! The internal reconciliation: what the ledger booked on a day against the objects it is about, leg by leg and by the same
//! matcher. Orders and refunds have to come to what moved, clearing items to what is pending and earned, statements of
//! settlements to what was settled, payouts to what was set aside, given free, paid and returned.

use std::collections::BTreeSet;

use super::gather::{Ours, first_page, next_page, transactions};
use super::legs;
use super::run::{conclude, matched, policy};
use super::{Day, pool::Writer};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::event::Movement;
use crate::id::{BreakId, MerchantId, OrderId, RefundId};
use crate::ledger::Transaction;
use crate::merchant::Merchant;
use crate::reconciliation::matching::{Book, Differences};
use crate::reconciliation::pool::{Break, Facts};
use crate::reconciliation::rules::{AGAIN, summary};
use crate::reconciliation::run::{Reconciliation, Scope};
use crate::reconciliation::side::own;
use crate::reconciliation::{BreakStatus, Class, Kind, RunStatus};
use crate::refund::RefundStatus;
use crate::store::Changes;

/// Compares one day of the books.
pub(super) async fn compare(
    engine: &Engine,
    merchant: &Merchant,
    mut doc: Reconciliation,
    day: Day,
) -> Result<Reconciliation> {
    doc.status = RunStatus::Running;
    let Books { ours, theirs, .. } = Books::read(engine, merchant.id, day).await?;
    doc.progress.rows_read = ours.book.len() as u64;
    doc.progress.lines_read = theirs.len() as u64;
    let compared = matched(ours, theirs, policy(doc.scope)).await?;
    doc.summary = summary(&compared.ours.book, &compared.theirs, &compared.matching, &compared.findings);
    doc.summary.nets.clear();
    doc.progress.matched = doc.summary.ours_matched;
    let mut writer = Writer { engine, merchant, changes: Changes::default(), count: 0 };
    let mut used = BTreeSet::new();
    for finding in &compared.findings {
        let side = |book: &Book, rows: &[u32]| {
            let row = *rows.first()?;
            let entry = book.entry(row);
            Some(Facts::of(&entry, Some(entry.reference.to_owned())))
        };
        let (left, right) =
            (side(&compared.ours.book, &finding.ours), side(&compared.theirs, &finding.theirs));
        let found = broken(engine, merchant, &doc, left, right, finding.differences);
        let is_new = used.insert(found.identity.clone());
        if is_new && engine.document_by_number::<Break>(merchant.id, &found.identity).await?.is_none() {
            writer.begin(found).await?;
        }
    }
    writer.flush().await?;
    conclude(engine, merchant, doc, day).await
}

/// What makes a break of the books the same when it is found again.
fn identity(doc: &Reconciliation, kind: Option<Kind>, object: &str) -> String {
    let leg = match kind {
        Some(Kind::Pending) => "pending:",
        Some(Kind::Income) => "income:",
        _ => "",
    };
    format!("books:{}:{leg}{object}", doc.day)
}

fn broken(
    engine: &Engine,
    merchant: &Merchant,
    doc: &Reconciliation,
    ours: Option<Facts>,
    theirs: Option<Facts>,
    differences: Differences,
) -> Break {
    let moment = engine.moment(merchant);
    let either = ours.as_ref().or(theirs.as_ref());
    let object = either.map(|facts| facts.reference.clone()).unwrap_or_default();
    let detail = match (&ours, &theirs) {
        (Some(_), None) => format!("{object}: no journal in the ledger 账本无分录"),
        (None, Some(_)) => format!("{object}: a journal without its object 分录无对应业务"),
        _ => format!("{object}: object and journal differ 业务与分录不符"),
    };
    Break {
        id: BreakId::new(moment.now, &*engine.rng),
        version: 0,
        reconciliation_id: doc.id,
        scope: Scope::Internal,
        account_id: None,
        channel: String::new(),
        identity: identity(doc, either.map(|facts| facts.kind), &object),
        status: BreakStatus::Open,
        class: Class::Internal,
        differences: differences.with(Class::Internal),
        ours,
        theirs,
        candidate: None,
        detail,
        suspended: None,
        looks: 0,
        resolution: None,
        sequence: 0,
        created_at: moment.now,
        updated_at: moment.now,
        due_at: moment.due_in(AGAIN),
    }
}

/// Both sides of one day: objects, and journals.
pub(super) struct Books<'a> {
    pub(super) engine: &'a Engine,
    pub(super) tenant: MerchantId,
    pub(super) day: Day,
    pub(super) ours: Ours,
    pub(super) theirs: Book,
}

impl<'a> Books<'a> {
    async fn read(engine: &'a Engine, tenant: MerchantId, day: Day) -> Result<Books<'a>> {
        let mut books = Books { engine, tenant, day, ours: Ours::default(), theirs: Book::default() };
        books.journals().await?;
        legs::objects(&mut books).await?;
        Ok(books)
    }

    async fn journals(&mut self) -> Result<()> {
        let mut page = first_page(self.day);
        loop {
            let rows = transactions(self.engine, self.tenant, &page).await?;
            for row in &rows {
                if row.created_at < self.day.from {
                    return Ok(());
                }
                self.principal(row).await?;
                legs::journal(self, row).await?;
            }
            match next_page(&rows) {
                Some(next) => page = next,
                None => return Ok(()),
            }
        }
    }

    /// What moved, with the order or refund that it belongs to.
    async fn principal(&mut self, row: &Transaction) -> Result<()> {
        let (kind, object) = match (row.kind, row.order_id, row.refund_id) {
            (Movement::Payment, Some(order), _) => (Kind::Payment, order.to_string()),
            (Movement::Refund, _, Some(refund)) => (Kind::Refund, refund.to_string()),
            _ => return Ok(()),
        };
        self.theirs.push(&own(kind, &object, row.money, row.created_at)).map_err(Error::internal)?;
        match kind {
            Kind::Payment => self.order(object.parse().map_err(Error::internal)?, row).await,
            _ => self.refund(object.parse().map_err(Error::internal)?, row).await,
        }
    }

    /// What was captured of an order, which its payments have to come to.
    async fn order(&mut self, id: OrderId, row: &Transaction) -> Result<()> {
        let Some(order) = self.engine.store.order(self.tenant, id).await? else { return Ok(()) };
        let captured = order.amount(order.captured);
        if order.captured > 0 {
            self.ours.put(&own(Kind::Payment, &id.to_string(), captured, row.created_at), id.to_string())?;
        }
        Ok(())
    }

    async fn refund(&mut self, id: RefundId, row: &Transaction) -> Result<()> {
        let Some(found) = self.engine.store.refund(self.tenant, id).await? else { return Ok(()) };
        if found.status == RefundStatus::Succeeded {
            self.ours
                .put(&own(Kind::Refund, &id.to_string(), found.money, row.created_at), id.to_string())?;
        }
        Ok(())
    }
}
