//! The pool: keeping what a run found, looking at it again every day, and what people say about it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::run::{Compared, Used, raced};
use super::{gather, payouts};
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::{Booking, EventKind};
use crate::id::{BreakId, ChannelAccountId, MerchantId};
use crate::merchant::Merchant;
use crate::order::input::{Moment, text};
use crate::page::{List, ListInput};
use crate::reconciliation::matching::Differences;
use crate::reconciliation::pool::{Break, Facts, How, Resolution};
use crate::reconciliation::rules::{
    AGAIN, Finding, Suspense, beginning, identity, may_ask, suspended, suspense,
};
use crate::reconciliation::run::Reconciliation;
use crate::reconciliation::side::payment;
use crate::reconciliation::state::BreakEvent;
use crate::reconciliation::view::BreakView;
use crate::reconciliation::{BreakStatus, Class, Standing};
use crate::store::{Changes, CommitError, Put};
use crate::time::Timestamp;

/// Breaks written in one commit.
const BATCH: usize = 50;

/// Keeps what a run found and takes out of the pool what it explained; how many it explained.
pub(super) async fn keep(
    engine: &Engine,
    merchant: &Merchant,
    doc: &Reconciliation,
    compared: &Compared,
) -> Result<u64> {
    let before = gather::pool(engine, merchant.id, &doc.pool(), doc.scope).await?;
    let (mut used, mut kept) = (Used::new(), BTreeSet::new());
    let mut writer = Writer { engine, merchant, changes: Changes::default(), count: 0 };
    for finding in &compared.findings {
        if let Some(pooled) = still_alone(compared, finding) {
            kept.insert(pooled);
            continue;
        }
        let new = build(engine, merchant, doc, compared, finding, &mut used);
        match before.iter().find(|known| known.identity == new.identity) {
            Some(known) => drop(kept.insert(known.id)),
            None => writer.begin(new).await?,
        }
    }
    let explained = explained(compared, &before, doc, &kept);
    let count = explained.len() as u64;
    for (found, how) in explained {
        writer.resolve(found, how, "reconciliation", String::new()).await?;
    }
    writer.flush().await?;
    Ok(count)
}

/// The break of a finding that is in the pool already and has found nobody.
fn still_alone(compared: &Compared, finding: &Finding) -> Option<BreakId> {
    let [ours, theirs] = &compared.ours.pooled;
    match (finding.ours.as_slice(), finding.theirs.as_slice()) {
        ([row], []) => ours.get(row).map(|found| found.id),
        ([], [line]) => theirs.get(line).map(|found| found.id),
        _ => None,
    }
}

/// Breaks that are none any more: those whose rows found their other side, and those of this very day that its new file
/// does not show.
fn explained(
    compared: &Compared,
    before: &[Break],
    doc: &Reconciliation,
    kept: &BTreeSet<BreakId>,
) -> Vec<(Break, How)> {
    let pooled: BTreeMap<BreakId, ()> =
        compared.ours.pooled.iter().flat_map(BTreeMap::values).map(|found| (found.id, ())).collect();
    before
        .iter()
        .filter(|found| !kept.contains(&found.id))
        .filter_map(|found| match found.reconciliation_id == doc.id {
            true if doc.files.last().is_some_and(|file| file.restates) => {
                Some((found.clone(), How::Restated))
            }
            true => Some((found.clone(), How::Matched)),
            false => pooled.contains_key(&found.id).then(|| (found.clone(), How::Matched)),
        })
        .collect()
}

fn build(
    engine: &Engine,
    merchant: &Merchant,
    doc: &Reconciliation,
    compared: &Compared,
    finding: &Finding,
    used: &mut Used,
) -> Break {
    let moment = engine.moment(merchant);
    let own = |row: u32| {
        Facts::of(&compared.ours.book.entry(row), compared.ours.objects.get(row as usize).cloned())
    };
    let line = |row: u32| Facts::of(&compared.theirs.entry(row), None);
    let ours = finding.ours.first().map(|row| own(*row));
    let theirs = finding.theirs.first().map(|row| line(*row));
    let candidate = finding.candidate.map(|row| if ours.is_some() { line(row) } else { own(row) });
    let pool = doc.pool();
    let mut copies = (0..).map(|copy| identity(&pool, ours.as_ref(), theirs.as_ref(), copy));
    let identity = copies.find(|identity| used.insert(identity.clone())).unwrap_or_default();
    let (status, wait) = beginning(finding.differences);
    let detail = match (finding.ours.len(), finding.theirs.len()) {
        (0 | 1, 0 | 1) => String::new(),
        (ours, theirs) => format!("{ours} / {theirs}"),
    };
    Break {
        id: BreakId::new(moment.now, &*engine.rng),
        version: 0,
        reconciliation_id: doc.id,
        scope: doc.scope,
        account_id: doc.account_id,
        channel: doc.channel.clone(),
        identity,
        status,
        class: finding.differences.gravest().unwrap_or(Class::Status),
        differences: finding.differences,
        ours,
        theirs,
        candidate,
        detail,
        suspended: None,
        looks: 0,
        resolution: None,
        sequence: 0,
        created_at: moment.now,
        updated_at: moment.now,
        due_at: moment.due_in(wait),
    }
}

/// Writes breaks, some at a time.
pub(super) struct Writer<'a> {
    pub(super) engine: &'a Engine,
    pub(super) merchant: &'a Merchant,
    pub(super) changes: Changes,
    pub(super) count: usize,
}

impl Writer<'_> {
    /// A new break; what it puts on suspense is booked with it.
    pub(super) async fn begin(&mut self, mut new: Break) -> Result<()> {
        if new.status == BreakStatus::Open {
            open(self.engine, self.merchant, &mut new, &mut self.changes);
        }
        self.put(&new).await
    }

    pub(super) async fn resolve(&mut self, mut found: Break, how: How, by: &str, note: String) -> Result<()> {
        settle(self.engine, self.merchant, &mut found, how, by, note, &mut self.changes)?;
        self.put(&found).await
    }

    async fn put(&mut self, found: &Break) -> Result<()> {
        self.changes.put(Put::document(found));
        self.count += 1;
        if self.count >= BATCH { self.flush().await } else { Ok(()) }
    }

    pub(super) async fn flush(&mut self) -> Result<()> {
        self.count = 0;
        let changes = std::mem::take(&mut self.changes);
        if changes.is_empty() {
            return Ok(());
        }
        self.engine.commit(self.merchant.id, changes).await.map_err(raced)
    }
}

/// The break has to be dealt with: suspense is booked with the event that says so.
fn open(engine: &Engine, merchant: &Merchant, found: &mut Break, changes: &mut Changes) {
    let moment = engine.moment(merchant);
    found.status = BreakStatus::Open;
    found.suspended = suspended(found);
    found.updated_at = moment.now;
    found.due_at = moment.due_in(AGAIN);
    let booking = found.suspended.map(|on| suspense(&found.channel, on, Suspense::Put));
    event(engine, merchant, found, EventKind::BreakOpened, booking, changes, moment);
}

/// The break is explained; what it had on suspense goes back where it came from.
fn settle(
    engine: &Engine,
    merchant: &Merchant,
    found: &mut Break,
    how: How,
    by: &str,
    note: String,
    changes: &mut Changes,
) -> Result<()> {
    let booking = found.suspended.take().map(|on| suspense(&found.channel, on, Suspense::Release));
    close(
        engine,
        merchant,
        found,
        Resolution { how, by: by.to_owned(), note, at: Timestamp::ZERO },
        booking,
        changes,
    )
}

/// Resolved, with whatever is booked for it.
pub(super) fn close(
    engine: &Engine,
    merchant: &Merchant,
    found: &mut Break,
    resolution: Resolution,
    booking: Option<Booking>,
    changes: &mut Changes,
) -> Result<()> {
    let moment = engine.moment(merchant);
    let status = found.status.apply(BreakEvent::Resolve);
    found.status = status.map_err(|illegal| {
        Error::new(Code::StateNotAllowed, format!("The break cannot be resolved: {illegal}."))
            .object(found.id)
    })?;
    found.resolution = Some(Resolution { at: moment.now, ..resolution });
    found.updated_at = moment.now;
    found.due_at = Timestamp::ZERO;
    event(engine, merchant, found, EventKind::BreakResolved, booking, changes, moment);
    Ok(())
}

fn event(
    engine: &Engine,
    merchant: &Merchant,
    found: &mut Break,
    kind: EventKind,
    booking: Option<Booking>,
    changes: &mut Changes,
    moment: Moment,
) {
    found.sequence += 1;
    let view = found.view(moment.now);
    let id = found.id.to_string();
    let mut event = engine.event(kind, id, found.sequence, &view, merchant.livemode, moment);
    event.booking = booking;
    changes.events.push(event);
}

/// A break is due: look at it again.
pub(super) async fn due(engine: &Engine, tenant: MerchantId, id: BreakId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let found: Break = engine.document(tenant, id).await?;
    look(engine, &merchant, found).await.map(drop)
}

/// Looks again: asks the channel where that is allowed, reads our side anew, and opens what had its time.
async fn look(engine: &Engine, merchant: &Merchant, mut found: Break) -> Result<Break> {
    if found.status == BreakStatus::Resolved {
        return Ok(found);
    }
    let mut changes = Changes::default();
    if may_ask(&found) {
        ask(engine, merchant, &mut found).await?;
    } else {
        payouts::refresh(engine, merchant.id, &mut found).await?;
    }
    found.looks += 1;
    let moment = engine.moment(merchant);
    if agrees(&found) {
        settle(engine, merchant, &mut found, How::Asked, "worker", String::new(), &mut changes)?;
    } else if found.status == BreakStatus::Pending && moment.wall >= found.due_at {
        open(engine, merchant, &mut found, &mut changes);
    } else {
        found.due_at = if found.status == BreakStatus::Open { moment.due_in(AGAIN) } else { found.due_at };
        found.updated_at = moment.now;
    }
    changes.put(Put::document(&found));
    match engine.commit(merchant.id, changes).await {
        // Somebody else dealt with it meanwhile.
        Ok(()) | Err(CommitError::Stale) => engine.document(merchant.id, found.id).await,
        Err(error) => Err(error.into()),
    }
}

/// Asks the channel what became of the payment; our books follow its answer, never the file's.
async fn ask(engine: &Engine, merchant: &Merchant, found: &mut Break) -> Result<()> {
    let object = found.ours.as_ref().and_then(|ours| ours.object_id.as_deref());
    let Some(id) = object.and_then(|object| object.parse().ok()) else { return Ok(()) };
    crate::order::sweep::inquire(engine, merchant.id, id).await?;
    let Some(attempt) = engine.store.attempt(merchant.id, id).await? else { return Ok(()) };
    let Some(order) = engine.store.order(merchant.id, attempt.order_id).await? else { return Ok(()) };
    let fee = found.ours.as_ref().and_then(|ours| ours.fee);
    let now = payment(&order, &attempt, None);
    found.ours = Some(Facts { fee, ..Facts::of(&now, Some(id.to_string())) });
    Ok(())
}

/// Whether both sides say the same now, as far as money is concerned, and nothing else is wrong.
fn agrees(found: &Break) -> bool {
    let others = found.differences.classes().filter(|class| *class != Class::Status);
    match (&found.ours, &found.theirs) {
        (Some(ours), Some(theirs)) => {
            found.differences.has(Class::Status)
                && !others.fold(Differences::NONE, Differences::with).is_break()
                && ours.standing == Standing::Done
                && theirs.standing == Standing::Done
                && ours.money == theirs.money
        }
        _ => false,
    }
}

/// Which breaks to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListBreaks {
    /// Only of this channel account.
    #[serde(default)]
    pub account_id: Option<ChannelAccountId>,
    /// Only in this state; those that are not resolved make up the pool.
    #[serde(default)]
    pub status: Option<BreakStatus>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this id.
    #[serde(default)]
    pub starting_after: Option<BreakId>,
    /// Only rows listed before this id.
    #[serde(default)]
    pub ending_before: Option<BreakId>,
}

/// Breaks, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListBreaks) -> Result<List<BreakView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter = DocumentFilter {
        parent: input.account_id.map(|id| id.to_string()),
        status: input.status.map(|status| status.text().to_owned()),
        ..DocumentFilter::default()
    };
    let rows: Vec<Break> = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    let now = engine.moment(&caller.merchant).now;
    Ok(page.list(rows.iter().map(|row| row.view(now)).collect(), |view| view.id.to_string()))
}

/// A break named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakById {
    /// The break.
    pub id: BreakId,
}

/// One break, explained.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: BreakById) -> Result<BreakView> {
    let found: Break = engine.document(caller.tenant(), input.id).await?;
    Ok(found.view(engine.moment(&caller.merchant).now))
}

/// Looks at a break again now.
pub async fn rerun(engine: &Engine, caller: &Caller, input: BreakById) -> Result<BreakView> {
    let found: Break = engine.document(caller.tenant(), input.id).await?;
    let found = look(engine, &caller.merchant, found).await?;
    let moment = engine.moment(&caller.merchant);
    let view = found.view(moment.now);
    let mut changes = Changes { claim: caller.once(found.id, &view, moment), ..Changes::default() };
    let (object, detail) = (Some(found.id.to_string()), found.status.text().to_owned());
    changes.audit.push(engine.audit(&caller.actor, "breaks.rerun", object, detail, moment));
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}

/// What explains a break.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveBreak {
    /// The break.
    pub id: BreakId,
    /// Why it is none, 1 to 500 characters.
    #[schemars(length(min = 1, max = 500))]
    pub note: String,
}

/// Marks a break as explained. Where money stands on suspense an adjustment does that, which takes two people.
pub async fn resolve(engine: &Engine, caller: &Caller, input: ResolveBreak) -> Result<BreakView> {
    text("note", &input.note, 1, 500)?;
    let mut found: Break = engine.document(caller.tenant(), input.id).await?;
    if let Some(on) = found.suspended {
        let detail = format!("{} stands on suspense because of it; propose an adjustment instead.", on.money);
        return Err(Error::new(Code::StateNotAllowed, detail).object(found.id));
    }
    let moment = engine.moment(&caller.merchant);
    let mut changes = Changes::default();
    let audit =
        engine.audit(&caller.actor, "breaks.resolve", Some(found.id.to_string()), input.note.clone(), moment);
    changes.audit.push(audit);
    settle(engine, &caller.merchant, &mut found, How::Explained, &caller.actor, input.note, &mut changes)?;
    let view = found.view(moment.now);
    changes.claim = caller.once(found.id, &view, moment);
    changes.put(Put::document(&found));
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}
