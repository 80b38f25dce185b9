//! Payouts against what a channel's statement of funds or a bank's statement says left and came back. A bank may book a
//! batch as one sum; a payout that was found once is not looked for on another day. What is said of payouts holds as well for
//! payments to agents by bank and for shares by channel.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::file::Read;
use super::gather::{Ours, first_page, indices, next_page, pool, transactions};
use super::outgoing::Outgoing;
use super::run::{Compared, found, refuse, save, take};
use super::{Day, aside};
use crate::engine::{Engine, RETRIES_MAX};
use crate::error::{Error, Result};
use crate::event::Movement;
use crate::id::{BatchId, ChannelAccountId, Id as _, MerchantId, ReconciliationId};
use crate::ledger::Transaction;
use crate::merchant::Merchant;
use crate::merchant::rules::hex;
use crate::money::Money;
use crate::payout::Batch;
use crate::reconciliation::bank::{Deposit, Format};
use crate::reconciliation::matching::{Book, Entry};
use crate::reconciliation::pool::{Break, Facts};
use crate::reconciliation::run::{BANK, Reconciliation, Scope};
use crate::reconciliation::side::{booking, references};
use crate::reconciliation::{Kind, RunStatus};
use crate::store::{Changes, CommitError};
use crate::time::Timestamp;

/// Whose payouts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Those that left through an account with a channel.
    Account(ChannelAccountId),
    /// Those that left by bank.
    Bank,
}

impl Whose {
    fn pool(self) -> String {
        match self {
            Whose::Account(account) => account.to_string(),
            Whose::Bank => BANK.to_owned(),
        }
    }
}

/// One day of the bank that payouts leave from.
pub(super) async fn bank(
    engine: &Engine,
    merchant: &Merchant,
    mut doc: Reconciliation,
    day: Day,
    file: &[u8],
) -> Result<Reconciliation> {
    let sha256 = hex(&Sha256::digest(file));
    if doc.status == RunStatus::Compared && doc.has(&sha256) {
        return Ok(doc);
    }
    doc.status = RunStatus::Running;
    save(engine, merchant, &mut doc, Changes::default()).await?;
    let (format, bytes) = (Format::guess(file), file.to_vec());
    let deposits = aside(move || entries(format, &bytes)).await?;
    let deposits = match deposits {
        Ok(deposits) => deposits,
        Err(fault) => return refuse(engine, merchant, doc, fault).await,
    };
    if !deposits.is_empty() && deposits.iter().all(|deposit| !day.has(deposit.at)) {
        let fault = format!("no entry of the file is of {}", doc.day);
        return refuse(engine, merchant, doc, fault).await;
    }
    let mut read = Read { book: Book::default(), lines: 0, from: None, until: None };
    for deposit in deposits.iter().filter(|deposit| day.has(deposit.at)) {
        line(engine, merchant.id, deposit, &mut read).await?;
    }
    let now = engine.moment(merchant).now;
    take(&mut doc, sha256, file.len(), &read, false, now);
    (doc.progress.lines_read, doc.progress.matched) = (read.lines, 0);
    let mut theirs = read.book;
    let ours = gather(engine, merchant.id, Whose::Bank, day, doc.id, &mut theirs).await?;
    doc.progress.rows_read = ours.book.len() as u64;
    found(engine, merchant, doc, day, ours, theirs).await
}

impl Day {
    fn has(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// All booked entries of a bank's file, or why it cannot be believed.
fn entries(format: Option<Format>, file: &[u8]) -> std::result::Result<Vec<Deposit>, String> {
    let format = format.ok_or("neither camt.053 nor MT940 nor CSV")?;
    let (mut deposits, mut reader) = (Vec::new(), file);
    crate::reconciliation::bank::read(format, &mut reader, &mut |deposit| deposits.push(deposit))
        .map_err(|error| error.to_string())?;
    Ok(deposits)
}

/// Adds an entry: everything that left, and what came in by the reference of a payout.
async fn line(engine: &Engine, tenant: MerchantId, deposit: &Deposit, read: &mut Read) -> Result<()> {
    let (reference, batch) = named_by(engine, tenant, deposit).await?;
    let Some(amount) = deposit.money.minor().checked_abs().filter(|amount| *amount > 0) else {
        return Ok(());
    };
    if deposit.money.is_positive() && reference.is_empty() {
        return Ok(());
    }
    let money = Money::new(amount, deposit.money.currency());
    let entry = booking(deposit, money, &reference, &batch);
    read.book.push(&entry).map_err(|error| Error::invalid("content", format!("{error}.")))?;
    read.lines += 1;
    read.from = Some(read.from.map_or(deposit.at, |from| from.min(deposit.at)));
    read.until = Some(read.until.map_or(deposit.at, |until| until.max(deposit.at)));
    Ok(())
}

/// The payout, the payment to an agent, or the batch that an entry names.
async fn named_by(engine: &Engine, tenant: MerchantId, deposit: &Deposit) -> Result<(String, String)> {
    for word in references(&deposit.id).chain(references(&deposit.text)) {
        if !Outgoing::named(engine, tenant, &word).await?.is_empty() {
            return Ok((word, String::new()));
        }
        if let Ok(id) = format!("{}_{word}", BatchId::PREFIX).parse()
            && engine.find_document::<Batch>(tenant, id).await?.is_some()
        {
            return Ok((String::new(), word));
        }
    }
    Ok((String::new(), String::new()))
}

/// Our side: what the ledger says left or came back on the day, what the file names besides, and the pool.
pub(super) async fn gather(
    engine: &Engine,
    tenant: MerchantId,
    whose: Whose,
    day: Day,
    run: ReconciliationId,
    theirs: &mut Book,
) -> Result<Ours> {
    let mut gatherer = Gatherer { engine, tenant, whose, run, ours: Ours::default() };
    // First what the file names: it may know a share's number that the channel has not told us.
    gatherer.named(theirs).await?;
    gatherer.moved(day).await?;
    let mut ours = gatherer.ours;
    ours.pooled(pool(engine, tenant, &whose.pool(), Scope::Payout).await?, run, theirs)?;
    Ok(ours)
}

struct Gatherer<'a> {
    engine: &'a Engine,
    tenant: MerchantId,
    whose: Whose,
    run: ReconciliationId,
    ours: Ours,
}

impl Gatherer<'_> {
    async fn moved(&mut self, day: Day) -> Result<()> {
        let mut page = first_page(day);
        loop {
            let rows = transactions(self.engine, self.tenant, &page).await?;
            for row in &rows {
                if row.created_at < day.from {
                    return Ok(());
                }
                self.transaction(row).await?;
            }
            match next_page(&rows) {
                Some(next) => page = next,
                None => return Ok(()),
            }
        }
    }

    async fn transaction(&mut self, row: &Transaction) -> Result<()> {
        use Movement as M;
        let is_back = match row.kind {
            M::PayoutPaid | M::PayoutTransferred | M::AgentPaid | M::Share => false,
            M::PayoutReturned | M::PayoutTransferReturned | M::ShareReturn => true,
            _ => return Ok(()),
        };
        let event = self.engine.store.event(self.tenant, row.event_id).await?;
        let Some(event) = event else { return Ok(()) };
        let mut all = Outgoing::of(self.engine, self.tenant, &event.object_id).await?;
        // A split has several requests, of which others may be open.
        all.retain(|one| one.may_have_moved());
        self.put(all, is_back, row.created_at).await
    }

    /// Payouts and shares that the file names: alone, by their batch, or by their payment.
    async fn named(&mut self, theirs: &Book) -> Result<()> {
        let (engine, tenant) = (self.engine, self.tenant);
        for index in indices(theirs) {
            let line = theirs.entry(index);
            let is_back = is_return(line.kind);
            let named = Outgoing::named(engine, tenant, line.reference).await?;
            self.put(named, is_back, line.at).await?;
            if line.number.is_empty() {
                continue;
            }
            if let (Whose::Account(account), Kind::Share | Kind::ShareReturn) = (self.whose, line.kind) {
                let mut all = Outgoing::of_payment(engine, tenant, account, line.number, is_back).await?;
                if let [Outgoing::Share(split, at)] = all.as_mut_slice() {
                    split.requests[*at].channel_id.get_or_insert_with(|| line.channel_id.to_owned());
                }
                let is_named = |row: &Entry<'_>| row.channel_id == line.channel_id;
                all.retain(|one| one.with_entry(is_back, "", line.at, is_named));
                self.put(all, is_back, line.at).await?;
            }
            let Ok(id) = format!("{}_{}", BatchId::PREFIX, line.number).parse() else { continue };
            if let Some(batch) = engine.find_document::<Batch>(tenant, id).await? {
                for id in batch.payouts {
                    let row = Outgoing::of(engine, tenant, &id.to_string()).await?;
                    self.put(row, is_back, line.at).await?;
                }
            }
        }
        Ok(())
    }

    /// Those of them that are compared, and that no other run has found.
    async fn put(&mut self, all: Vec<Outgoing>, is_back: bool, at: Timestamp) -> Result<()> {
        for row in all {
            let seen = row.found_by(is_back).is_some_and(|by| by != self.run);
            if !seen && row.is_of(self.engine, self.tenant, self.whose).await? {
                let (batch, id) = (row.batch(), row.id());
                row.with_entry(is_back, &batch, at, |entry| self.ours.put(entry, id))?;
            }
        }
        Ok(())
    }
}

/// Whether a row is of what came back.
const fn is_return(kind: Kind) -> bool {
    matches!(kind, Kind::PayoutReturn | Kind::ShareReturn)
}

/// Marks the payouts that a run has found on the statement, and takes its mark off those that a file stated again does
/// not show any more.
pub(super) async fn mark(
    engine: &Engine,
    tenant: MerchantId,
    run: ReconciliationId,
    compared: &Compared,
) -> Result<()> {
    let matching = &compared.matching;
    let pairs = matching.pairs.iter().map(|pair| pair.ours);
    let groups = matching.groups.iter().flat_map(|group| group.ours.iter().copied());
    let matched: BTreeSet<u32> = pairs.chain(groups).collect();
    let mut marks: BTreeMap<&str, [Option<bool>; 2]> = BTreeMap::new();
    for (row, object) in (0_u32..).zip(&compared.ours.objects) {
        let side = usize::from(is_return(compared.ours.book.entry(row).kind));
        marks.entry(object).or_default()[side] = Some(matched.contains(&row));
    }
    for (object, [out, back]) in marks {
        mark_one(engine, tenant, object, run, [out, back]).await?;
    }
    Ok(())
}

async fn mark_one(
    engine: &Engine,
    tenant: MerchantId,
    id: &str,
    run: ReconciliationId,
    [out, back]: [Option<bool>; 2],
) -> Result<()> {
    let marked = |before: Option<ReconciliationId>, found: Option<bool>| match found {
        Some(true) => before.or(Some(run)),
        Some(false) => before.filter(|by| *by != run),
        None => before,
    };
    for _ in 0..RETRIES_MAX {
        let Some(mut row) = Outgoing::of(engine, tenant, id).await?.pop() else { return Ok(()) };
        let marks = [marked(row.found_by(false), out), marked(row.found_by(true), back)];
        if !row.mark(marks) {
            return Ok(());
        }
        let mut changes = Changes::default();
        changes.put(row.put());
        match engine.commit(tenant, changes).await {
            Err(CommitError::Stale) => {}
            done => return done.map_err(Error::from),
        }
    }
    Err(CommitError::Stale.into())
}

/// Reads our side of a payout's break anew: it may have been settled, or asked about, since.
pub(super) async fn refresh(engine: &Engine, tenant: MerchantId, found: &mut Break) -> Result<()> {
    let Some(facts) = found.ours.as_ref().filter(|_| found.scope == Scope::Payout) else { return Ok(()) };
    let Some(object) = facts.object_id.clone() else { return Ok(()) };
    if let Some(row) = Outgoing::of(engine, tenant, &object).await?.pop() {
        let now = |entry: &Entry<'_>| Facts::of(entry, Some(object));
        found.ours = Some(row.with_entry(is_return(facts.kind), &facts.number, facts.at, now));
    }
    Ok(())
}
