//! The internal reconciliation: what the ledger booked against the orders and refunds it is about, by the same matcher.

use super::gather::{Ours, first_page, next_page, transactions};
use super::run::{conclude, matched};
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
use crate::reconciliation::run::Reconciliation;
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
    let (ours, theirs) = both(engine, merchant.id, day).await?;
    doc.progress.rows_read = ours.book.len() as u64;
    doc.progress.lines_read = theirs.len() as u64;
    let compared = matched(ours, theirs).await?;
    doc.summary = summary(&compared.ours.book, &compared.theirs, &compared.matching, &compared.findings);
    doc.progress.matched = doc.summary.ours_matched;
    let mut writer = Writer { engine, merchant, changes: Changes::default(), count: 0 };
    for finding in &compared.findings {
        let side = |book: &Book, rows: &[u32]| {
            let row = *rows.first()?;
            let entry = book.entry(row);
            Some(Facts::of(&entry, Some(entry.reference.to_owned())))
        };
        let (left, right) =
            (side(&compared.ours.book, &finding.ours), side(&compared.theirs, &finding.theirs));
        let found = broken(engine, merchant, &doc, left, right, finding.differences);
        if engine.document_by_number::<Break>(merchant.id, &found.identity).await?.is_none() {
            writer.begin(found).await?;
        }
    }
    writer.flush().await?;
    conclude(engine, merchant, doc, day).await
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
    let object = ours.as_ref().or(theirs.as_ref()).map(|facts| facts.reference.clone()).unwrap_or_default();
    let detail = match (&ours, &theirs) {
        (Some(_), None) => format!("{object}: no journal in the ledger 账本无分录"),
        (None, Some(_)) => format!("{object}: a journal without its object 分录无对应业务"),
        _ => format!("{object}: object and journal differ 业务与分录不符"),
    };
    Break {
        id: BreakId::new(moment.now, &*engine.rng),
        version: 0,
        reconciliation_id: doc.id,
        account_id: None,
        channel: String::new(),
        identity: format!("books:{}:{object}", doc.day),
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

/// The objects that the day's journals name, and the journals.
async fn both(engine: &Engine, tenant: MerchantId, day: Day) -> Result<(Ours, Book)> {
    let (mut ours, mut theirs) = (Ours::default(), Book::default());
    let mut page = first_page(day);
    loop {
        let rows = transactions(engine, tenant, &page).await?;
        for row in &rows {
            if row.created_at < day.from {
                return Ok((ours, theirs));
            }
            journal(engine, tenant, row, &mut ours, &mut theirs).await?;
        }
        match next_page(&rows) {
            Some(next) => page = next,
            None => return Ok((ours, theirs)),
        }
    }
}

async fn journal(
    engine: &Engine,
    tenant: MerchantId,
    row: &Transaction,
    ours: &mut Ours,
    theirs: &mut Book,
) -> Result<()> {
    let (kind, object) = match (row.kind, row.order_id, row.refund_id) {
        (Movement::Payment, Some(order), _) => (Kind::Payment, order.to_string()),
        (Movement::Refund, _, Some(refund)) => (Kind::Refund, refund.to_string()),
        _ => return Ok(()),
    };
    theirs.push(&own(kind, &object, row.money, row.created_at)).map_err(Error::internal)?;
    match kind {
        Kind::Payment => order(engine, tenant, object.parse().map_err(Error::internal)?, row, ours).await,
        _ => refund(engine, tenant, object.parse().map_err(Error::internal)?, row, ours).await,
    }
}

/// What was captured of an order, which its payments have to come to.
async fn order(
    engine: &Engine,
    tenant: MerchantId,
    id: OrderId,
    row: &Transaction,
    ours: &mut Ours,
) -> Result<()> {
    let Some(order) = engine.store.order(tenant, id).await? else { return Ok(()) };
    let captured = order.amount(order.captured);
    if order.captured > 0 {
        ours.put(&own(Kind::Payment, &id.to_string(), captured, row.created_at), id.to_string())?;
    }
    Ok(())
}

async fn refund(
    engine: &Engine,
    tenant: MerchantId,
    id: RefundId,
    row: &Transaction,
    ours: &mut Ours,
) -> Result<()> {
    let Some(found) = engine.store.refund(tenant, id).await? else { return Ok(()) };
    if found.status == RefundStatus::Succeeded {
        ours.put(&own(Kind::Refund, &id.to_string(), found.money, row.created_at), id.to_string())?;
    }
    Ok(())
}
