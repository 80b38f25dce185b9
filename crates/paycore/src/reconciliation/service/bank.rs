//! Bank statements: taken in once, their credits cleared against what the channel's days come to.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{Day, file, pool::Writer};
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::id::{BankStatementId, BreakId, ChannelAccountId, ReconciliationId};
use crate::merchant::rules::hex;
use crate::money::Money;
use crate::order::input::{Moment, optional};
use crate::page::{List, ListInput};
use crate::reconciliation::bank::{Batch, Clearing, Deposit, Format, Terms, clear, read};
use crate::reconciliation::matching::Differences;
use crate::reconciliation::pool::{Break, Facts};
use crate::reconciliation::rules::AGAIN;
use crate::reconciliation::run::{Deposited, Reconciliation, Scope};
use crate::reconciliation::statement::{BankEntry, BankStatement};
use crate::reconciliation::view::BankStatementView;
use crate::reconciliation::{BreakStatus, Class, Kind, RunStatus, Standing};
use crate::store::{Changes, Put};

/// A batch that is older than this when the statement ends should have arrived.
const ARRIVES_WITHIN: Duration = Duration::from_secs(4 * 86_400);
/// Entries of one statement.
const ENTRIES_MAX: usize = 10_000;

/// What `bank_statements.upload` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadBankStatement {
    /// The channel account whose money arrives at this bank account.
    pub account_id: ChannelAccountId,
    /// The file in base64: ISO 20022 camt.053, SWIFT MT940, or CSV with the header
    /// `date,amount,currency,reference,text`.
    pub content: String,
    /// How it is written; found out where absent.
    #[serde(default)]
    pub format: Option<Format>,
    /// Words that the text of an entry has where the channel is the sender; every credit counts where absent.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    pub sender: Option<String>,
    /// Fees that a bank on the way may have kept, minor units; at most 8.
    #[serde(default)]
    #[schemars(length(max = 8))]
    pub wire_fees: Vec<i64>,
}

/// Takes a bank statement in. The same file again changes nothing.
pub async fn upload(
    engine: &Engine,
    caller: &Caller,
    input: UploadBankStatement,
) -> Result<BankStatementView> {
    let tenant = caller.tenant();
    optional("sender", input.sender.as_deref(), 100)?;
    if input.wire_fees.len() > 8 || input.wire_fees.iter().any(|fee| *fee < 0) {
        return Err(Error::invalid("wire_fees", "At most 8 fees, none of them negative."));
    }
    let bytes = file::decode(&input.content)?;
    engine.account(tenant, input.account_id).await?;
    let sha256 = hex(&Sha256::digest(&bytes));
    let number = format!("{}:{sha256}", input.account_id);
    if let Some(known) = engine.document_by_number::<BankStatement>(tenant, &number).await? {
        return Ok(known.view());
    }
    let (deposits, others) = entries(&bytes, &input)?;
    let moment = engine.moment(&caller.merchant);
    let runs = open_runs(engine, caller, input.account_id).await?;
    let batches = batches(&runs)?;
    let terms = Terms { wire_fees: input.wire_fees.clone(), ..Terms::default() };
    let sides: Vec<Batch> = batches.iter().map(|(.., batch)| batch.clone()).collect();
    let cleared = clear(&sides, &[], &deposits, &terms);
    let statement = statement(engine, &input, sha256, &deposits, others, &cleared, moment);
    let mut work = Outcome { engine, caller, statement, runs, batches, deposits, cleared, moment };
    work.commit().await
}

/// The credits of the file that come from the channel, and how many entries do not.
fn entries(bytes: &[u8], input: &UploadBankStatement) -> Result<(Vec<Deposit>, u64)> {
    let format = input.format.or_else(|| Format::guess(bytes));
    let format = format.ok_or_else(|| {
        Error::invalid("content", "Neither camt.053 nor MT940 nor CSV; say which in `format`.")
    })?;
    let (mut deposits, mut others) = (Vec::new(), 0);
    let mut reader = bytes;
    read(format, &mut reader, &mut |deposit| {
        let is_from = input.sender.as_ref().is_none_or(|sender| deposit.text.contains(sender.as_str()));
        if deposit.money.is_positive() && is_from {
            deposits.push(deposit);
        } else {
            others += 1;
        }
    })
    .map_err(|error| Error::invalid("content", format!("The file cannot be believed: {error}.")))?;
    if deposits.len() > ENTRIES_MAX {
        return Err(Error::invalid(
            "content",
            "More than 10,000 credits; name the `sender`, or split the file.",
        ));
    }
    Ok((deposits, others))
}

/// Runs of the account whose money has not arrived.
async fn open_runs(
    engine: &Engine,
    caller: &Caller,
    account: ChannelAccountId,
) -> Result<Vec<Reconciliation>> {
    let filter =
        DocumentFilter { status: Some(RunStatus::Compared.text().to_owned()), ..DocumentFilter::of(account) };
    let mut open = Vec::new();
    engine
        .each_document(caller.tenant(), &filter, |run: Reconciliation| {
            if run.summary.nets.iter().any(|net| net.deposit.is_none()) {
                open.push(run);
            }
            Ok(())
        })
        .await?;
    Ok(open)
}

/// Every net that has not arrived: index of its run, index in it, and as a batch.
fn batches(runs: &[Reconciliation]) -> Result<Vec<(usize, usize, Batch)>> {
    let mut all = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        let closed = Day::parse(&run.day)?.until;
        for (position, net) in run.summary.nets.iter().enumerate() {
            if net.deposit.is_none() && !net.money.is_zero() {
                let id = run.day.replace('-', "");
                all.push((at, position, Batch { id, net: net.money, at: closed }));
            }
        }
    }
    Ok(all)
}

fn statement(
    engine: &Engine,
    input: &UploadBankStatement,
    sha256: String,
    deposits: &[Deposit],
    others: u64,
    cleared: &Clearing,
    moment: Moment,
) -> BankStatement {
    let entry = |(index, deposit): (usize, &Deposit)| BankEntry {
        reference: deposit.id.clone(),
        money: deposit.money,
        at: deposit.at,
        text: deposit.text.clone(),
        days: Vec::new(),
        wire_fee: cleared.cleared.iter().find(|one| one.deposit == index).map_or(0, |one| one.wire_fee),
    };
    BankStatement {
        id: BankStatementId::new(moment.now, &*engine.rng),
        version: 0,
        account_id: input.account_id,
        sha256,
        entries: deposits.iter().enumerate().map(entry).collect(),
        others,
        created_at: moment.now,
    }
}

/// What a statement changes.
struct Outcome<'a> {
    engine: &'a Engine,
    caller: &'a Caller,
    statement: BankStatement,
    runs: Vec<Reconciliation>,
    batches: Vec<(usize, usize, Batch)>,
    deposits: Vec<Deposit>,
    cleared: Clearing,
    moment: Moment,
}

impl Outcome<'_> {
    async fn commit(&mut self) -> Result<BankStatementView> {
        let mut changed = std::collections::BTreeSet::new();
        for one in &self.cleared.cleared {
            let entry = u32::try_from(one.deposit).map_err(Error::internal)?;
            for batch in &one.batches {
                let (run, position, _) = self.batches[*batch];
                let deposited = Deposited { statement_id: self.statement.id, entry };
                self.runs[run].summary.nets[position].deposit = Some(deposited);
                self.statement.entries[one.deposit].days.push(self.runs[run].id);
                changed.insert(run);
            }
        }
        let view = self.statement.view();
        let mut changes =
            Changes { claim: self.caller.once(self.statement.id, &view, self.moment), ..Changes::default() };
        changes.put(Put::document(&self.statement));
        for run in changed {
            changes.put(Put::document(&self.runs[run]));
        }
        let (object, detail) = (Some(self.statement.id.to_string()), self.statement.sha256.clone());
        let action = "bank_statements.upload";
        changes.audit.push(self.engine.audit(&self.caller.actor, action, object, detail, self.moment));
        self.engine.commit(self.caller.tenant(), changes).await?;
        self.breaks().await?;
        Ok(view)
    }

    /// Credits that nothing explains, and days whose money should have arrived.
    async fn breaks(&self) -> Result<()> {
        let merchant = &self.caller.merchant;
        let mut writer = Writer { engine: self.engine, merchant, changes: Changes::default(), count: 0 };
        let last = self.deposits.iter().map(|deposit| deposit.at).max();
        let late = |batch: &Batch| last.is_some_and(|last| last.since(batch.at) > ARRIVES_WITHIN);
        let missing = self.cleared.batches_only.iter().filter(|batch| late(&self.batches[**batch].2));
        let missing = missing.map(|batch| {
            let (run, _, batch) = &self.batches[*batch];
            let identity = format!("bank:{}:{}:{}", self.runs[*run].id, batch.id, batch.net.currency());
            (Class::BankMissing, identity, facts(&batch.id, batch.net, batch.at), self.runs[*run].id)
        });
        let unknown = self.cleared.deposits_only.iter().map(|deposit| {
            let deposit_at = &self.deposits[*deposit];
            let identity = format!("bank:{}:{deposit}", self.statement.id);
            let facts = facts(&deposit_at.id, deposit_at.money, deposit_at.at);
            (Class::BankOnly, identity, facts, ReconciliationId::from_bits(0))
        });
        for (class, identity, facts, run) in missing.chain(unknown).collect::<Vec<_>>() {
            let known = self.engine.document_by_number::<Break>(merchant.id, &identity).await?;
            if known.is_none() {
                writer.begin(self.broken(class, identity, facts, run)).await?;
            }
        }
        writer.flush().await
    }

    fn broken(&self, class: Class, identity: String, facts: Facts, run: ReconciliationId) -> Break {
        let is_ours = class == Class::BankMissing;
        let detail = match class {
            Class::BankMissing => format!("{} did not arrive at the bank 银行未到账", facts.money),
            _ => format!("{} arrived that nothing explains 银行多收", facts.money),
        };
        let (ours, theirs) = if is_ours { (Some(facts), None) } else { (None, Some(facts)) };
        Break {
            id: BreakId::new(self.moment.now, &*self.engine.rng),
            version: 0,
            reconciliation_id: run,
            scope: Scope::Trade,
            // The bank's breaks are no rows of the channel's pool.
            account_id: None,
            channel: String::new(),
            identity,
            status: BreakStatus::Open,
            class,
            differences: Differences::NONE.with(class),
            ours,
            theirs,
            candidate: None,
            detail,
            suspended: None,
            looks: 0,
            resolution: None,
            sequence: 0,
            created_at: self.moment.now,
            updated_at: self.moment.now,
            due_at: self.moment.due_in(AGAIN),
        }
    }
}

fn facts(reference: &str, money: Money, at: crate::time::Timestamp) -> Facts {
    Facts {
        kind: Kind::Payout,
        standing: Standing::Done,
        channel_id: String::new(),
        reference: reference.to_owned(),
        number: String::new(),
        money,
        fee: None,
        at,
        object_id: None,
    }
}

/// Which bank statements to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListBankStatements {
    /// Only of this channel account.
    #[serde(default)]
    pub account_id: Option<ChannelAccountId>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this id.
    #[serde(default)]
    pub starting_after: Option<BankStatementId>,
    /// Only rows listed before this id.
    #[serde(default)]
    pub ending_before: Option<BankStatementId>,
}

/// Bank statements, newest first.
pub async fn list(
    engine: &Engine,
    caller: &Caller,
    input: ListBankStatements,
) -> Result<List<BankStatementView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter =
        DocumentFilter { parent: input.account_id.map(|id| id.to_string()), ..DocumentFilter::default() };
    let rows: Vec<BankStatement> = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(page.list(rows.iter().map(BankStatement::view).collect(), |view| view.id.to_string()))
}
