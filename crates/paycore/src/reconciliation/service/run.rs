//! Runs: fetch or take in the file, compare, keep what does not agree. A run may be repeated at any time: the same file
//! changes nothing, another file states the day again.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::file::{self, Read};
use super::gather::{Gatherer, Ours};
use super::{Day, aside, books, payouts, pool};
use crate::channel::StatementKind;
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine, OpenAccount};
use crate::error::{Code, Error, Result};
use crate::event::EventKind;
use crate::id::{ChannelAccountId, MerchantId, ReconciliationId};
use crate::merchant::Merchant;
use crate::page::{List, ListInput};
use crate::reconciliation::RunStatus;
use crate::reconciliation::matching::{Book, Matching, Policy, on_two_threads, reconcile};
use crate::reconciliation::rules::{FILE_AGAIN, Finding, findings, summary};
use crate::reconciliation::run::{BANK, Progress, Reconciliation, Scope, StatementFile};
use crate::reconciliation::side::{put_line, put_transfer};
use crate::reconciliation::statement::Spoil;
use crate::reconciliation::view::ReconciliationView;
use crate::store::{Changes, CommitError, Put};
use crate::time::Timestamp;

/// What `reconciliations.run` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunReconciliation {
    /// What is compared; `trade` where absent.
    #[serde(default)]
    pub scope: Option<Scope>,
    /// The channel account, for `trade` and for `payout`; without one `payout` is about the bank that payouts leave from.
    #[serde(default)]
    pub account_id: Option<ChannelAccountId>,
    /// The day by the channel's calendar, such as `2026-11-30`.
    #[schemars(length(min = 10, max = 10))]
    pub day: String,
    /// The statement file as the channel wrote it, in base64, at most 64 MiB; the channel is asked for it where absent. Of a
    /// bank, which cannot be asked: ISO 20022 camt.053, SWIFT MT940, or CSV with the header
    /// `date,amount,currency,reference,text`.
    #[serde(default)]
    pub content: Option<String>,
    /// The share of a payment that the channel keeps by contract, such as `0.006`; where absent, fees are compared with the
    /// cost that was booked, if one was.
    #[serde(default)]
    pub fee_rate: Option<String>,
    /// Whether every following day is compared by itself once it is over.
    #[serde(default)]
    pub daily: Option<bool>,
    /// Faults to put into the file before it is read, in a sandbox only.
    #[serde(default, deserialize_with = "object")]
    pub spoil: Spoil,
}

/// An object: a list would pass for one whose members all have defaults.
fn object<'de, D: Deserializer<'de>>(input: D) -> std::result::Result<Spoil, D::Error> {
    let members = serde_json::Map::deserialize(input)?;
    serde_json::from_value(members.into()).map_err(serde::de::Error::custom)
}

/// Compares one day.
pub async fn run(engine: &Engine, caller: &Caller, input: RunReconciliation) -> Result<ReconciliationView> {
    let day = Day::parse(&input.day)?;
    rate(input.fee_rate.as_deref())?;
    if caller.merchant.livemode && !input.spoil.is_none() {
        return Err(Error::invalid("spoil", "Only a sandbox's statements can be spoilt."));
    }
    let moment = engine.moment(&caller.merchant);
    let scope = input.scope.unwrap_or(Scope::Trade);
    if day.from > moment.now {
        return Err(Error::invalid("day", "The day has not begun yet."));
    }
    let account = whose(scope, &input)?;
    let mut doc = find_or_new(engine, &caller.merchant, scope, account, day).await?;
    doc.daily = input.daily.unwrap_or(doc.daily);
    doc.fee_rate = input.fee_rate.or(doc.fee_rate);
    let file = input.content.as_deref().map(file::decode).transpose()?;
    let doc = match (scope, account) {
        (Scope::Internal, _) => books::compare(engine, &caller.merchant, doc, day).await?,
        (_, Some(_)) => channel(engine, &caller.merchant, doc, day, file, input.spoil).await?,
        (_, None) => payouts::bank(engine, &caller.merchant, doc, day, &file.unwrap_or_default()).await?,
    };
    let view = doc.view();
    let mut changes = Changes { claim: caller.once(doc.id, &view, moment), ..Changes::default() };
    let (object, detail) = (Some(doc.id.to_string()), doc.status.text().to_owned());
    changes.audit.push(engine.audit(&caller.actor, "reconciliations.run", object, detail, moment));
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}

/// The account whose statement is compared; none for a bank, whose file has to be there, and for our own books.
fn whose(scope: Scope, input: &RunReconciliation) -> Result<Option<ChannelAccountId>> {
    let missing =
        |param: &'static str, detail: &'static str| Error::new(Code::MissingParameter, detail).param(param);
    match (scope, input.account_id) {
        (Scope::Internal, _) => Ok(None),
        (Scope::Trade, None) => Err(missing("account_id", "Say whose statement it is.")),
        (Scope::Payout, None) if input.content.is_none() => {
            Err(missing("content", "Say whose statement it is by `account_id`, or give the bank's file."))
        }
        (Scope::Payout, None) if input.daily == Some(true) => {
            Err(Error::invalid("daily", "A bank is not asked for its statement; give its file day by day."))
        }
        (Scope::Payout, None) if !input.spoil.is_none() => Err(Error::invalid(
            "spoil",
            "Only a channel's statement is spoilt; change the bank's file itself.",
        )),
        (_, account) => Ok(account),
    }
}

fn rate(text: Option<&str>) -> Result<Option<Decimal>> {
    let wrong = || Error::invalid("fee_rate", "Must be a decimal from 0 to 1, such as 0.006.");
    let Some(text) = text else { return Ok(None) };
    let rate: Decimal = text.parse().map_err(|_| wrong())?;
    if rate < Decimal::ZERO || rate > Decimal::ONE { Err(wrong()) } else { Ok(Some(rate)) }
}

async fn find_or_new(
    engine: &Engine,
    merchant: &Merchant,
    scope: Scope,
    account: Option<ChannelAccountId>,
    day: Day,
) -> Result<Reconciliation> {
    let channel = match (scope, account) {
        (_, Some(id)) => engine.account(merchant.id, id).await?.account.channel.clone(),
        (Scope::Payout, None) => BANK.to_owned(),
        _ => String::new(),
    };
    let number = Reconciliation::number(scope, account, &day.text());
    if let Some(found) = engine.document_by_number(merchant.id, &number).await? {
        return Ok(found);
    }
    let moment = engine.moment(merchant);
    let mut doc =
        new(ReconciliationId::new(moment.now, &*engine.rng), scope, account, channel, day, moment.now);
    save(engine, merchant, &mut doc, Changes::default()).await?;
    Ok(doc)
}

fn new(
    id: ReconciliationId,
    scope: Scope,
    account_id: Option<ChannelAccountId>,
    channel: String,
    day: Day,
    now: Timestamp,
) -> Reconciliation {
    Reconciliation {
        id,
        version: 0,
        scope,
        account_id,
        channel,
        day: day.text(),
        status: RunStatus::Waiting,
        fault: None,
        files: Vec::new(),
        daily: false,
        fee_rate: None,
        progress: Progress::default(),
        summary: crate::reconciliation::run::Summary::default(),
        sequence: 0,
        created_at: now,
        updated_at: now,
        due_at: Timestamp::ZERO,
    }
}

/// Commits the run as it is now with whatever belongs to it.
pub(super) async fn save(
    engine: &Engine,
    merchant: &Merchant,
    doc: &mut Reconciliation,
    mut changes: Changes,
) -> Result<()> {
    doc.updated_at = engine.moment(merchant).now;
    changes.put(Put::document(doc));
    engine.commit(merchant.id, changes).await?;
    doc.version += 1;
    Ok(())
}

/// A file that was asked for and is not there yet is due, or a day that is over is to be compared.
pub(super) async fn due(engine: &Engine, tenant: MerchantId, id: ReconciliationId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let mut doc: Reconciliation = engine.document(tenant, id).await?;
    let day = Day::parse(&doc.day)?;
    doc.due_at = Timestamp::ZERO;
    match (doc.status, doc.scope) {
        (RunStatus::Compared, _) => save(engine, &merchant, &mut doc, Changes::default()).await,
        (_, Scope::Internal) => books::compare(engine, &merchant, doc, day).await.map(drop),
        // A bank is not asked: its file is given.
        (_, Scope::Payout) if doc.account_id.is_none() => {
            save(engine, &merchant, &mut doc, Changes::default()).await
        }
        _ => channel(engine, &merchant, doc, day, None, Spoil::default()).await.map(drop),
    }
}

/// Which of a channel's files a scope is about, and which of its lines.
fn of_scope(scope: Scope) -> (StatementKind, file::Put) {
    match scope {
        Scope::Payout => (StatementKind::Funds, put_transfer),
        Scope::Trade | Scope::Internal => (StatementKind::Trade, put_line),
    }
}

/// One day of one account.
async fn channel(
    engine: &Engine,
    merchant: &Merchant,
    mut doc: Reconciliation,
    day: Day,
    upload: Option<Bytes>,
    spoil: Spoil,
) -> Result<Reconciliation> {
    let account = doc.account_id.ok_or_else(|| Error::internal("a run without account"))?;
    let open = engine.account(merchant.id, account).await?;
    let (moment, fetched) = (engine.moment(merchant), upload.is_none());
    let found = match upload {
        Some(file) => Ok(file),
        None => file::fetch(engine, &open, of_scope(doc.scope).0, day, moment.now).await,
    };
    let bytes = match found {
        Ok(bytes) => bytes,
        Err(error) if error.param.is_some() => return Err(error),
        Err(error) => {
            doc.fault = Some(error.detail.to_string());
            doc.due_at = moment.due_in(FILE_AGAIN);
            save(engine, merchant, &mut doc, Changes::default()).await?;
            return Ok(doc);
        }
    };
    let sha256 = file::sha256(&bytes, &spoil);
    if doc.status == RunStatus::Compared && doc.has(&sha256) {
        return Ok(doc);
    }
    doc.status = RunStatus::Running;
    doc.progress = Progress::default();
    save(engine, merchant, &mut doc, Changes::default()).await?;
    let size = bytes.len();
    let read = match read(engine, merchant, &mut doc, &open, bytes, spoil).await? {
        Ok(read) => believe(engine, merchant, &doc, read, day, &sha256).await?,
        Err(fault) => Err(fault),
    };
    let read = match read {
        Ok(read) => read,
        Err(fault) => return refuse(engine, merchant, doc, fault).await,
    };
    take(&mut doc, sha256, size, &read, fetched, moment.now);
    compare(engine, merchant, doc, &open, day, read.book).await
}

/// Nothing of the file is believed.
pub(super) async fn refuse(
    engine: &Engine,
    merchant: &Merchant,
    mut doc: Reconciliation,
    fault: String,
) -> Result<Reconciliation> {
    doc.status = RunStatus::Refused;
    doc.fault = Some(fault);
    save(engine, merchant, &mut doc, Changes::default()).await?;
    Ok(doc)
}

/// Notes the file that counts from now on.
pub(super) fn take(
    doc: &mut Reconciliation,
    sha256: String,
    bytes: usize,
    read: &Read,
    fetched: bool,
    now: Timestamp,
) {
    doc.fault = None;
    let restates = !doc.files.is_empty();
    let (from, until, lines) = (read.from, read.until, read.lines);
    let bytes = bytes as u64;
    doc.files.push(StatementFile { sha256, bytes, lines, from, until, fetched, restates, at: now });
}

/// Reads the file beside the server's work and keeps the number of lines where everybody can see it.
async fn read(
    engine: &Engine,
    merchant: &Merchant,
    doc: &mut Reconciliation,
    open: &OpenAccount,
    bytes: Bytes,
    spoil: Spoil,
) -> Result<Result<Read, String>> {
    let Some(channel) = open.channel.clone() else {
        return Ok(Err("the settings of the channel account are not valid".into()));
    };
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let put = of_scope(doc.scope).1;
    let work = aside(move || {
        file::parse(&*channel, &bytes, &spoil, put, &|lines| {
            // Nobody listens any more: the file is read all the same.
            let _ = tell.send(lines);
        })
    });
    let watch = async {
        while let Some(lines) = told.recv().await {
            doc.progress.lines_read = lines;
            save(engine, merchant, doc, Changes::default()).await?;
        }
        Ok::<(), Error>(())
    };
    let (read, watched) = futures_util::future::join(work, watch).await;
    watched?;
    read
}

/// Whether a file that reads well is this day's: one of another day, or one that was taken in for another day, is not.
async fn believe(
    engine: &Engine,
    merchant: &Merchant,
    doc: &Reconciliation,
    read: Read,
    day: Day,
    sha256: &str,
) -> Result<Result<Read, String>> {
    if read.lines == 0 {
        return Ok(Ok(read));
    }
    let margin = std::time::Duration::from_secs(86_400);
    let near = read.from.is_some_and(|from| from < day.until.plus(margin))
        && read.until.is_some_and(|until| until >= day.from.minus(margin));
    if !near {
        return Ok(Err(format!("no line of the file is of {} or a day beside it", doc.day)));
    }
    let filter = doc.account_id.map_or_else(DocumentFilter::default, DocumentFilter::of);
    let mut other = None;
    engine
        .each_document(merchant.id, &filter, |known: Reconciliation| {
            if known.id != doc.id
                && known.scope == doc.scope
                && known.files.iter().any(|file| file.sha256 == sha256)
            {
                other = Some(known.day);
            }
            Ok(())
        })
        .await?;
    Ok(match other {
        Some(other) => Err(format!("the same file was taken in for {other}")),
        None => Ok(read),
    })
}

/// What is compared, and the result.
pub(super) struct Compared {
    pub(super) ours: Ours,
    pub(super) theirs: Book,
    pub(super) matching: Matching,
    pub(super) findings: Vec<Finding>,
}

async fn compare(
    engine: &Engine,
    merchant: &Merchant,
    mut doc: Reconciliation,
    open: &OpenAccount,
    day: Day,
    mut theirs: Book,
) -> Result<Reconciliation> {
    let lines = theirs.len() as u64;
    let ours = match doc.scope {
        Scope::Payout => {
            let whose = payouts::Whose::Account(open.account.id);
            payouts::gather(engine, merchant.id, whose, day, doc.id, &mut theirs).await?
        }
        Scope::Trade | Scope::Internal => {
            let rate = rate(doc.fee_rate.as_deref())?;
            let gatherer = Gatherer { engine, tenant: merchant.id, open, rate };
            gatherer.gather(day, doc.id, &mut theirs).await?
        }
    };
    doc.progress = Progress { lines_read: lines, rows_read: ours.book.len() as u64, matched: 0 };
    found(engine, merchant, doc, day, ours, theirs).await
}

/// Compares two sides that are gathered, keeps what does not agree, and ends the run.
pub(super) async fn found(
    engine: &Engine,
    merchant: &Merchant,
    mut doc: Reconciliation,
    day: Day,
    ours: Ours,
    theirs: Book,
) -> Result<Reconciliation> {
    let compared = matched(ours, theirs, policy(doc.scope)).await?;
    doc.summary = summary(&compared.ours.book, &compared.theirs, &compared.matching, &compared.findings);
    doc.progress.matched = doc.summary.ours_matched;
    if doc.scope == Scope::Payout {
        // What payouts come to is nothing that arrives at a bank.
        doc.summary.nets.clear();
        payouts::mark(engine, merchant.id, doc.id, &compared).await?;
    }
    doc.summary.explained = pool::keep(engine, merchant, &doc, &compared).await?;
    conclude(engine, merchant, doc, day).await
}

/// What is close enough: where both sides hold what they agreed on before, nothing is.
pub(super) fn policy(scope: Scope) -> Policy {
    match scope {
        Scope::Trade => Policy::default(),
        Scope::Payout | Scope::Internal => Policy { tolerance: 0, ..Policy::default() },
    }
}

pub(super) async fn matched(ours: Ours, theirs: Book, policy: Policy) -> Result<Compared> {
    let both = Arc::new((ours, theirs));
    let shared = Arc::clone(&both);
    let (matching, findings) = aside(move || {
        let matching = reconcile(&shared.0.book, &shared.1, &policy, on_two_threads);
        let findings = findings(&matching);
        (matching, findings)
    })
    .await?;
    let (ours, theirs) = Arc::try_unwrap(both)
        .map_err(|_| Error::internal("the thread that compared still holds both sides"))?;
    Ok(Compared { ours, theirs, matching, findings })
}

/// The run is over; the next day follows where that is wanted.
pub(super) async fn conclude(
    engine: &Engine,
    merchant: &Merchant,
    mut doc: Reconciliation,
    day: Day,
) -> Result<Reconciliation> {
    let moment = engine.moment(merchant);
    doc.status = RunStatus::Compared;
    doc.due_at = Timestamp::ZERO;
    doc.updated_at = moment.now;
    doc.sequence += 1;
    let mut changes = Changes::default();
    let id = doc.id.to_string();
    let kind = EventKind::ReconciliationCompared;
    changes.events.push(engine.event(kind, id, doc.sequence, &doc.view(), merchant.livemode, moment));
    if let (true, Some(next)) = (doc.daily, follower(engine, merchant, &doc, day).await?) {
        changes.put(Put::document(&next));
    }
    save(engine, merchant, &mut doc, changes).await?;
    Ok(doc)
}

/// The run of the day after, due some hours after that day is over, when channels have written their files.
async fn follower(
    engine: &Engine,
    merchant: &Merchant,
    doc: &Reconciliation,
    day: Day,
) -> Result<Option<Reconciliation>> {
    const WRITTEN_BY: std::time::Duration = std::time::Duration::from_secs(10 * 3_600);
    let next = day.next();
    let number = Reconciliation::number(doc.scope, doc.account_id, &next.text());
    if engine.document_by_number::<Reconciliation>(merchant.id, &number).await?.is_some() {
        return Ok(None);
    }
    let moment = engine.moment(merchant);
    let id = ReconciliationId::new(moment.now, &*engine.rng);
    let mut run = new(id, doc.scope, doc.account_id, doc.channel.clone(), next, moment.now);
    run.daily = true;
    run.fee_rate.clone_from(&doc.fee_rate);
    run.due_at = moment.due(next.until.plus(WRITTEN_BY));
    Ok(Some(run))
}

/// Which runs to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListReconciliations {
    /// Only of this channel account.
    #[serde(default)]
    pub account_id: Option<ChannelAccountId>,
    /// Only in this state.
    #[serde(default)]
    pub status: Option<RunStatus>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this id.
    #[serde(default)]
    pub starting_after: Option<ReconciliationId>,
    /// Only rows listed before this id.
    #[serde(default)]
    pub ending_before: Option<ReconciliationId>,
}

/// Runs, newest first.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    input: ListReconciliations,
) -> Result<List<ReconciliationView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter = DocumentFilter {
        parent: input.account_id.map(|id| id.to_string()),
        status: input.status.map(|status| status.text().to_owned()),
        ..DocumentFilter::default()
    };
    let rows: Vec<Reconciliation> = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(page.list(rows.iter().map(Reconciliation::view).collect(), |view| view.id.to_string()))
}

/// A run named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReconciliationById {
    /// The run.
    pub id: ReconciliationId,
}

/// One run, while it runs too.
pub async fn retrieve(
    engine: &Engine,
    caller: &Caller,
    input: ReconciliationById,
) -> Result<ReconciliationView> {
    let doc: Reconciliation = engine.document(caller.tenant(), input.id).await?;
    Ok(doc.view())
}

/// Identities already used in this result, so that equal lines are told apart.
pub(super) type Used = BTreeSet<String>;

/// Somebody else compared the same day at the same time: what they wrote holds.
pub(super) fn raced(error: CommitError) -> Error {
    match error {
        CommitError::Stale | CommitError::Duplicate(_) => {
            Error::new(Code::Conflict, "The day is being compared by another request. Read the run.")
        }
        error => error.into(),
    }
}
