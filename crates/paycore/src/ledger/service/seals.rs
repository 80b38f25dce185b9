//! Operations on seals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::id::{MerchantId, SealId};
use crate::ledger::seal::{Hash, ROWS_MAX, Seal, SealedRow, canonical};
use crate::page::{List, ListInput};
use crate::store::{Changes, CommitError, Page, Put};
use crate::time::Timestamp;

/// A seal as lists show it: without its rows.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "LedgerSeal")]
pub struct SealView {
    /// Its id.
    pub id: SealId,
    /// Always `ledger_seal`.
    pub object: &'static str,
    /// 1, 2, 3 … without gaps.
    pub number: i64,
    /// How many transactions it seals.
    pub count: usize,
    /// The last hash of the seal before.
    pub previous: Hash,
    /// Its own last hash: keep it outside, and nobody can cut off what it seals unseen.
    pub hash: Hash,
    /// When it was made.
    pub created_at: Timestamp,
}

impl SealView {
    fn of(seal: &Seal) -> Self {
        SealView {
            id: seal.id,
            object: "ledger_seal",
            number: seal.number,
            count: seal.rows.len(),
            previous: seal.previous,
            hash: seal.hash,
            created_at: seal.created_at,
        }
    }
}

/// Which seals to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSeals {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this seal.
    #[serde(default)]
    pub starting_after: Option<SealId>,
    /// Only rows listed before this seal.
    #[serde(default)]
    pub ending_before: Option<SealId>,
}

/// Seals, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListSeals) -> Result<List<SealView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter = DocumentFilter::default();
    let rows = engine.documents::<Seal>(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(page.list(rows.iter().map(SealView::of).collect(), |view| view.id.to_string()))
}

/// No parameters.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SealNow {}

/// Where the chain stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "LedgerSealHead")]
pub struct SealHead {
    /// Always `ledger_seal_head`.
    pub object: &'static str,
    /// The number of the last seal; 0 where there is none.
    pub number: i64,
    /// Its last hash: zeros where there is none.
    pub hash: Hash,
    /// How many transactions were sealed just now.
    pub sealed: usize,
}

/// Seals everything that was booked since the last seal.
pub async fn create(engine: &Engine, caller: &Caller, _: SealNow) -> Result<SealHead> {
    let (last, sealed) = seal(engine, caller.tenant()).await?;
    let number = last.as_ref().map_or(0, |seal| seal.number);
    let hash = last.map(|seal| seal.hash).unwrap_or_default();
    let head = SealHead { object: "ledger_seal_head", number, hash, sealed };
    let moment = engine.moment(&caller.merchant);
    let changes = Changes { claim: caller.once(number, &head, moment), ..Changes::new() };
    engine.commit(caller.tenant(), changes).await?;
    Ok(head)
}

/// Seals what a merchant booked since its last seal; the last seal there is now, and how many rows were sealed.
async fn seal(engine: &Engine, tenant: MerchantId) -> Result<(Option<Seal>, usize)> {
    let mut last = last(engine, tenant).await?;
    let mut sealed = 0;
    loop {
        let through = last.as_ref().map_or(0, |seal| seal.through);
        let rows = engine.store.booked_after(tenant, through, ROWS_MAX).await?;
        let now = engine.wall();
        let Some(next) = Seal::after(last.as_ref(), tenant, &rows, now) else { return Ok((last, sealed)) };
        let mut changes = Changes::new();
        changes.put(Put::document(&next));
        match engine.commit(tenant, changes).await {
            Ok(()) => {
                sealed += next.rows.len();
                last = Some(next);
            }
            // Another server sealed the same rows.
            Err(CommitError::Duplicate(_)) => last = self::last(engine, tenant).await?,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn last(engine: &Engine, tenant: MerchantId) -> Result<Option<Seal>> {
    let page = Page { limit: 1, after: None, before: None };
    Ok(engine.documents::<Seal>(tenant, &DocumentFilter::default(), &page).await?.pop())
}

/// Seals the books of every merchant, as a worker does from time to time; how many rows were sealed.
///
/// # Errors
/// Where the store cannot answer; what was sealed before stays sealed.
pub async fn seal_all(engine: &Engine) -> Result<usize> {
    let mut page = Page { limit: 100, after: None, before: None };
    let mut sealed = 0;
    loop {
        let merchants = engine.store.merchants(&page).await?;
        for merchant in &merchants {
            sealed += seal(engine, merchant.id).await?.1;
        }
        match merchants.last().filter(|_| merchants.len() == page.limit) {
            Some(last) => page.after = Some(last.id.to_string()),
            None => return Ok(sealed),
        }
    }
}

/// What the chain says about the journal.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "LedgerSealReport")]
pub struct SealReport {
    /// Always `ledger_seal_report`.
    pub object: &'static str,
    /// Whether every sealed transaction is there and as it was when it was sealed.
    pub intact: bool,
    /// How many transactions are sealed.
    pub rows: usize,
    /// The last hash.
    pub hash: Hash,
    /// What is not as it was; at most 100 rows.
    pub broken: Vec<BrokenRow>,
}

/// A place where the journal is not what was sealed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BrokenRow {
    /// The seal.
    pub seal_id: SealId,
    /// The transaction, or none where the seal itself does not follow the one before.
    pub transaction_id: Option<crate::id::TransactionId>,
    /// What is wrong with it.
    pub detail: &'static str,
}

/// How many broken rows are shown.
const BROKEN_MAX: usize = 100;

/// What to verify.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifySeals {
    /// A hash that was kept outside. It has to be in the chain.
    #[serde(default)]
    pub anchor: Option<String>,
}

/// Recomputes the chain over the merchant's journal.
pub async fn verify(engine: &Engine, caller: &Caller, input: VerifySeals) -> Result<SealReport> {
    let tenant = caller.tenant();
    let anchor: Option<Hash> = match input.anchor {
        Some(text) => Some(text.parse().map_err(|wrong: &str| Error::invalid("anchor", wrong))?),
        None => None,
    };
    let seals: Vec<Seal> = engine.all_documents(tenant, &DocumentFilter::default()).await?;
    let mut report = Verification { anchor, ..Verification::default() };
    for seal in seals.iter().rev() {
        report.seal(seal);
        for row in &seal.rows {
            let found = engine.store.transaction(tenant, row.transaction_id).await?;
            let canonical = found.map(|transaction| canonical(tenant, &transaction));
            report.row(seal, row, canonical.as_deref());
        }
    }
    report.finish()
}

/// What is known so far, from the first seal on.
#[derive(Debug, Default)]
struct Verification {
    anchor: Option<Hash>,
    number: i64,
    hash: Hash,
    rows: usize,
    broken: Vec<BrokenRow>,
}

impl Verification {
    fn seal(&mut self, seal: &Seal) {
        if (seal.number, seal.previous) != (self.number + 1, self.hash) {
            self.broke(seal.id, None, "the seal does not follow the one before");
        }
        (self.number, self.hash) = (seal.number, seal.previous);
    }

    fn row(&mut self, seal: &Seal, row: &SealedRow, canonical: Option<&str>) {
        self.rows += 1;
        match canonical {
            None => self.broke(seal.id, Some(row), "it is gone"),
            Some(text) if self.hash.then(text) != row.hash => {
                self.broke(seal.id, Some(row), "it is not what was sealed");
            }
            Some(_) => {}
        }
        // On from what was sealed, so that one wrong row is one finding.
        self.hash = row.hash;
        self.anchor = self.anchor.filter(|anchor| *anchor != row.hash);
    }

    fn broke(&mut self, seal_id: SealId, row: Option<&SealedRow>, detail: &'static str) {
        if self.broken.len() < BROKEN_MAX {
            let transaction_id = row.map(|row| row.transaction_id);
            self.broken.push(BrokenRow { seal_id, transaction_id, detail });
        }
    }

    fn finish(self) -> Result<SealReport> {
        if self.anchor.is_some() {
            let detail =
                "This hash is not in the chain: the books were cut off or replaced since it was kept.";
            return Err(Error::new(crate::error::Code::StateNotAllowed, detail).param("anchor"));
        }
        let intact = self.broken.is_empty();
        let (rows, hash, broken) = (self.rows, self.hash, self.broken);
        Ok(SealReport { object: "ledger_seal_report", intact, rows, hash, broken })
    }
}
