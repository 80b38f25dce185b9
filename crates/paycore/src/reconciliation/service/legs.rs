//! The legs of the internal reconciliation beyond what moved: what is pending, what was earned, what was settled and what
//! was paid out. The journals say it by their entries, the objects by what they hold; neither is worked out from the other.

use std::ops::ControlFlow;

use super::books::Books;
use super::gather::PAGE;
use crate::clearing::{Item, ItemKind};
use crate::document::{Document, DocumentFilter};
use crate::error::{Error, Result};
use crate::event::Movement;
use crate::id::{PayoutId, SettlementId};
use crate::ledger::{Side, Transaction};
use crate::money::Money;
use crate::payout::{Payout, PayoutStatus};
use crate::reconciliation::Kind;
use crate::reconciliation::side::own;
use crate::settlement::{LineKind, Settlement};
use crate::store::Page;
use crate::time::Timestamp;

/// What a merchant has that is not settled.
const PENDING: &[&str] = &["merchant_pending"];
/// What the platform earned, with the tax on it.
const INCOME: &[&str] = &["fee_income", "tax_payable"];

/// The legs of a journal.
pub(super) async fn journal(books: &mut Books<'_>, row: &Transaction) -> Result<()> {
    match row.kind {
        Movement::Settlement => settled(books, row).await,
        kind if is_of_payout(kind) => paid_out(books, row).await,
        kind if is_cleared(kind) => cleared(books, row).await,
        _ => Ok(()),
    }
}

/// Whether a movement has a clearing item.
fn is_cleared(movement: Movement) -> bool {
    use Movement as M;
    matches!(
        movement,
        M::Payment
            | M::Refund
            | M::Share
            | M::ShareCredit
            | M::ShareReturn
            | M::ShareCharge
            | M::Chargeback
            | M::ChargebackReversal
            | M::DisputeFee
            | M::Fee
            | M::SettlementCorrection
    )
}

fn is_of_payout(movement: Movement) -> bool {
    use Movement as M;
    matches!(
        movement,
        M::PayoutReserve
            | M::PayoutRelease
            | M::PayoutPaid
            | M::PayoutTransferred
            | M::PayoutReturned
            | M::PayoutTransferReturned
    )
}

/// What a journal adds to these accounts: credits less debits.
fn effect(row: &Transaction, accounts: &[&str]) -> i64 {
    let own = row.entries.iter().filter(|entry| accounts.contains(&entry.account.as_str()));
    own.fold(0, |sum, entry| match entry.side {
        Side::Credit => sum + entry.money.minor(),
        Side::Debit => sum - entry.money.minor(),
    })
}

async fn cleared(books: &mut Books<'_>, row: &Transaction) -> Result<()> {
    let reference = match (row.kind, row.order_id, row.refund_id) {
        (Movement::Payment, Some(order), _) => order.to_string(),
        (Movement::Refund, _, Some(refund)) => refund.to_string(),
        // A month's end is an item of its own, which its event is about.
        (Movement::Fee, ..) => object_of(books, row).await?,
        _ => row.event_id.to_string(),
    };
    let (currency, at) = (row.money.currency(), row.created_at);
    books.add_journal(Kind::Pending, &reference, Money::new(effect(row, PENDING), currency), at)?;
    // What a correction gives back was earned by the items of an earlier settlement.
    if row.kind == Movement::SettlementCorrection {
        return Ok(());
    }
    books.add_journal(Kind::Income, &reference, Money::new(effect(row, INCOME), currency), at)
}

async fn settled(books: &mut Books<'_>, row: &Transaction) -> Result<()> {
    let (id, currency, at) = (object_of(books, row).await?, row.money.currency(), row.created_at);
    books.add_journal(Kind::Settlement, &id, Money::new(-effect(row, PENDING), currency), at)?;
    books.add_journal(Kind::Income, &id, Money::new(effect(row, INCOME), currency), at)
}

/// A payout's journal, and the payout where its state says that this happened.
async fn paid_out(books: &mut Books<'_>, row: &Transaction) -> Result<()> {
    let id = object_of(books, row).await?;
    let reference = format!("{id}:{}", row.kind.text());
    books.add_journal(Kind::Payout, &reference, row.money, row.created_at)?;
    let Ok(id) = id.parse::<PayoutId>() else { return Ok(()) };
    let payout: Payout = books.engine.document(books.tenant, id).await?;
    if has_had(payout.status, row.kind) {
        payout_row(books, &payout, row.kind, row.created_at)?;
    }
    Ok(())
}

/// Whether a payout that stands here has had this movement.
fn has_had(status: PayoutStatus, movement: Movement) -> bool {
    use PayoutStatus as S;
    match movement {
        Movement::PayoutReserve => true,
        Movement::PayoutRelease => matches!(status, S::Failed | S::Cancelled),
        Movement::PayoutPaid | Movement::PayoutTransferred => matches!(status, S::Paid | S::Returned),
        _ => status == S::Returned,
    }
}

fn payout_row(books: &mut Books<'_>, payout: &Payout, movement: Movement, at: Timestamp) -> Result<()> {
    let Some((_, money)) = payout.booking(movement).parts.first().copied() else { return Ok(()) };
    let reference = format!("{}:{}", payout.id, movement.text());
    books.add_object(Kind::Payout, &reference, reference.clone(), money, at)
}

/// The object that a journal's event is about.
async fn object_of(books: &Books<'_>, row: &Transaction) -> Result<String> {
    let event = books.engine.store.event(books.tenant, row.event_id).await?;
    Ok(event.map_or_else(|| row.event_id.to_string(), |event| event.object_id))
}

/// The objects of the day, found without the ledger.
pub(super) async fn objects(books: &mut Books<'_>) -> Result<()> {
    items(books).await?;
    let (from, until) = (books.day.from, books.day.until);
    let first = |at: Timestamp| u128::try_from(at.millis()).unwrap_or(0) << 80;
    let payouts = newest::<Payout>(books, PayoutId::from_bits(first(until)), |row| row.created_at >= from);
    for payout in payouts.await? {
        payout_row(books, &payout, Movement::PayoutReserve, payout.created_at)?;
    }
    // A settlement is closed with its last chunk, which may be some days after its first.
    let since = from.minus(std::time::Duration::from_secs(7 * 86_400));
    let all =
        newest::<Settlement>(books, SettlementId::from_bits(first(until)), |row| row.created_at >= since);
    for settlement in all.await? {
        if settlement.closed_at.is_some_and(|at| from <= at && at < until) {
            settlement_rows(books, &settlement)?;
        }
    }
    Ok(())
}

/// Documents older than an id, newest first, as long as they are wanted.
async fn newest<T: Document>(
    books: &Books<'_>,
    before: T::Id,
    wanted: impl Fn(&T) -> bool,
) -> Result<Vec<T>> {
    let mut page = Page { limit: PAGE, after: Some(before.to_string()), before: None };
    let mut all = Vec::new();
    loop {
        let rows: Vec<T> = books.engine.documents(books.tenant, &DocumentFilter::default(), &page).await?;
        let last = rows.last().map(|row| row.id().to_string());
        let count = rows.len();
        let before = all.len();
        all.extend(rows.into_iter().take_while(|row| wanted(row)));
        if count < PAGE || all.len() - before < count {
            return Ok(all);
        }
        page.after = last;
    }
}

fn settlement_rows(books: &mut Books<'_>, settlement: &Settlement) -> Result<()> {
    let Some(statement) = &settlement.statement else { return Ok(()) };
    let (id, at) = (settlement.id.to_string(), settlement.closed_at.unwrap_or(settlement.created_at));
    let money = |minor| Money::new(minor, settlement.currency);
    let fees = statement.amount(LineKind::AccelerationFee) + statement.amount(LineKind::TransferFee);
    books.add_object(Kind::Settlement, &id, id.clone(), money(settlement.collected.net), at)?;
    books.add_object(Kind::Income, &id, id.clone(), money(-fees), at)
}

/// Every item that was cleared on the day.
async fn items(books: &mut Books<'_>) -> Result<()> {
    let (engine, tenant, until) = (books.engine, books.tenant, books.day.until);
    let each = |item: Item| {
        if item.created_at >= until {
            return Ok(ControlFlow::Break(()));
        }
        item_rows(books, &item)?;
        Ok(ControlFlow::Continue(()))
    };
    let from = until.minus(std::time::Duration::from_secs(86_400));
    engine.each_item_since(tenant, from, each).await
}

fn item_rows(books: &mut Books<'_>, item: &Item) -> Result<()> {
    let reference = match (item.kind, item.order_id) {
        (ItemKind::Payment, Some(order)) => order.to_string(),
        (ItemKind::Fee, _) => item.id.to_string(),
        _ => item.source.clone(),
    };
    let net = item.net().map_err(Error::internal)?;
    books.add_object(Kind::Pending, &reference, item.id.to_string(), net, item.created_at)?;
    books.add_object(Kind::Income, &reference, item.id.to_string(), item.fee, item.created_at)
}

impl Books<'_> {
    /// Adds what an object says; nothing where it says nothing.
    fn add_object(
        &mut self,
        kind: Kind,
        reference: &str,
        object: String,
        money: Money,
        at: Timestamp,
    ) -> Result<()> {
        if money.is_zero() { Ok(()) } else { self.ours.put(&own(kind, reference, money, at), object) }
    }

    /// Adds what a journal says; nothing where it says nothing.
    fn add_journal(&mut self, kind: Kind, reference: &str, money: Money, at: Timestamp) -> Result<()> {
        if !money.is_zero() {
            self.theirs.push(&own(kind, reference, money, at)).map_err(Error::internal)?;
        }
        Ok(())
    }
}
