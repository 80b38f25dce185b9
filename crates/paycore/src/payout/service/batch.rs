//! Batch files for banks.

use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::super::pain001::{self, Bank, Debtor, Instruction};
use super::super::rules::BatchView;
use super::super::{Batch, Beneficiary, Payout, PayoutStatus, Route};
use super::decide::beneficiary_of;
use super::{account, settlement, tell};
use crate::currency::Currency;
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::EventKind;
use crate::id::BatchId;
use crate::money::Money;
use crate::order::input::text;
use crate::page::{List, ListInput};
use crate::secret::Secret;
use crate::store::{Changes, Page, Put};

/// The most payouts of one file.
const PAYOUTS_MAX: usize = 500;

/// What `payout_batches.create` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBatch {
    /// The currency; the batch takes all payouts by bank that are approved in it, at most 500.
    pub currency: Currency,
    /// The name of the account that pays.
    #[schemars(length(min = 1, max = 140))]
    pub debtor_name: String,
    /// The account that pays: IBAN or number.
    #[schemars(length(min = 1, max = 34))]
    pub debtor_account: String,
    /// BIC of the bank that pays.
    #[serde(default)]
    #[schemars(regex(pattern = "^[A-Z0-9]{8}([A-Z0-9]{3})?$"))]
    pub debtor_bic: Option<String>,
    /// Country of the bank that pays, ISO 3166 alpha-2.
    #[schemars(regex(pattern = "^[A-Z]{2}$"))]
    pub debtor_country: String,
}

/// Puts all approved payouts by bank into one file and marks them submitted, in one step: a payout is in one file only.
pub async fn create_batch(engine: &Engine, caller: &Caller, input: CreateBatch) -> Result<BatchView> {
    let debtor = input.debtor()?;
    let (merchant, moment) = (&caller.merchant, engine.moment(&caller.merchant));
    settlement::not_paused(engine, caller.tenant(), input.currency).await?;
    let mut payouts = approved(engine, caller, input.currency).await?;
    let id = BatchId::new(moment.now, &*engine.rng);
    let (mut changes, mut instructions) = (Changes::default(), Vec::with_capacity(payouts.len()));
    for payout in &mut payouts {
        let beneficiary = beneficiary_of(engine, merchant.id, payout).await?;
        payout.submit(&beneficiary, moment).map_err(|refused| Error::from(refused).object(payout.id))?;
        payout.batch_id = Some(id);
        settlement::not_paused_behind(engine, merchant.id, payout).await?;
        instructions.push(instruction(payout, &beneficiary, account(engine, merchant, &beneficiary)?)?);
        tell(engine, &mut changes, payout, (EventKind::PayoutSubmitted, None), merchant, moment);
    }
    let file = pain001::message(&id.bare(), &debtor, &instructions, moment.now);
    let sum = instructions.iter().try_fold(0_i64, |sum, each| sum.checked_add(each.money.minor()));
    let sum = sum.ok_or_else(|| Error::new(Code::InvalidAmount, "The batch is too large for one file."))?;
    let sha256 = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
    let sealed_file = engine
        .vault
        .seal(&format!("{}/{id}", merchant.id), &Secret::new(file.clone()))
        .map_err(Error::internal)?;
    let batch = Batch {
        id,
        version: 0,
        payouts: payouts.iter().map(|payout| payout.id).collect(),
        money: Money::new(sum, input.currency),
        sealed_file,
        sha256,
        created_at: moment.now,
    };
    let detail = format!("{} payouts, {}", batch.payouts.len(), batch.money);
    changes.audit.push(engine.audit(
        &caller.actor,
        "payout_batches.create",
        Some(id.to_string()),
        detail,
        moment,
    ));
    // The answer that is remembered names no accounts; the file is read by `payout_batches.retrieve`.
    let view = batch.view(None);
    changes.claim = caller.once(id, &view, moment);
    changes.put(Put::document(&batch));
    engine.commit(merchant.id, changes).await?;
    Ok(view)
}

impl CreateBatch {
    fn debtor(&self) -> Result<Debtor> {
        text("debtor_name", &self.debtor_name, 1, 140)?;
        text("debtor_account", &self.debtor_account, 1, 34)?;
        if self.debtor_country.len() != 2
            || !self.debtor_country.bytes().all(|byte| byte.is_ascii_uppercase())
        {
            return Err(Error::invalid("debtor_country", "Give an ISO 3166 country such as `CN`."));
        }
        let odd = |bic: &String| {
            !matches!(bic.len(), 8 | 11) || !bic.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        };
        if self.debtor_bic.as_ref().is_some_and(odd) {
            return Err(Error::invalid("debtor_bic", "A BIC has 8 or 11 capital letters and digits."));
        }
        let bank =
            Bank { bic: self.debtor_bic.clone(), clearing: None, country: self.debtor_country.clone() };
        Ok(Debtor { name: self.debtor_name.clone(), account: self.debtor_account.clone(), bank })
    }
}

/// The payouts by bank that wait for a file, oldest first.
async fn approved(engine: &Engine, caller: &Caller, currency: Currency) -> Result<Vec<Payout>> {
    let filter = DocumentFilter::status(PayoutStatus::Approved.text());
    let mut found: Vec<Payout> = engine.all_documents(caller.tenant(), &filter).await?;
    found.retain(|payout| payout.channel.is_none() && payout.money.currency() == currency);
    if found.is_empty() {
        let detail = format!("No payout by bank in {currency} is approved and waits.");
        return Err(Error::new(Code::StateNotAllowed, detail).param("currency"));
    }
    found.reverse();
    found.truncate(PAYOUTS_MAX);
    Ok(found)
}

fn instruction(payout: &Payout, beneficiary: &Beneficiary, account: Secret) -> Result<Instruction> {
    let Route::Bank { bic, clearing, country } = &beneficiary.route else {
        return Err(Error::internal("a payout by channel is in no batch"));
    };
    Ok(Instruction {
        reference: payout.reference.clone(),
        money: payout.sent(),
        name: beneficiary.name.clone(),
        account: account.expose().to_owned(),
        bank: Bank { bic: bic.clone(), clearing: clearing.clone(), country: country.clone() },
        memo: payout.memo.clone(),
    })
}

/// A batch named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchById {
    /// The batch.
    pub id: BatchId,
}

/// One batch with its file.
pub async fn retrieve_batch(engine: &Engine, caller: &Caller, input: BatchById) -> Result<BatchView> {
    let batch: Batch = engine.document(caller.tenant(), input.id).await?;
    let binding = format!("{}/{}", caller.tenant(), batch.id);
    let file = engine.vault.open(&binding, &batch.sealed_file).map_err(Error::internal)?;
    Ok(batch.view(Some(file.expose().to_owned())))
}

/// Which batches to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListBatches {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this batch.
    #[serde(default)]
    pub starting_after: Option<BatchId>,
    /// Only rows listed before this batch.
    #[serde(default)]
    pub ending_before: Option<BatchId>,
}

/// Batches without their files, newest first.
pub async fn batches(engine: &Engine, caller: &Caller, input: ListBatches) -> Result<List<BatchView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let fetch: Page = page.fetch();
    let rows: Vec<Batch> = engine.documents(caller.tenant(), &DocumentFilter::default(), &fetch).await?;
    Ok(page.list(rows.iter().map(|row| row.view(None)).collect(), |view| view.id.to_string()))
}
