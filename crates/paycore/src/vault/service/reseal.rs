//! Seals everything again that an older root key has sealed, for the operator of an installation: row by row, a batch per
//! commit. What is sealed by the current key is left alone, so that a run that was broken off goes on where it was.

use crate::account::ChannelAccount;
use crate::crypto::SealError;
use crate::dispute::Evidence;
use crate::document::{Document, DocumentFilter};
use crate::engine::{Engine, RETRIES_MAX};
use crate::epay::EpayKey;
use crate::error::{Error, Result};
use crate::merchant::Merchant;
use crate::payout::{Batch, Beneficiary};
use crate::store::{Changes, CommitError, Page, Put};
use crate::vault::reseal::{SealedRow, reseal};
use crate::vault::{CardToken, FingerprintKey, StoredCard, TokenStatus};
use crate::webhook::Endpoint;

/// Rows of a batch: files of evidence are among them, of up to a megabyte each.
const ROWS: usize = 50;

/// How far it has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Merchants that are through.
    pub merchants: u64,
    /// Rows looked at.
    pub rows: u64,
    /// Rows that an older key had sealed, sealed anew.
    pub sealed: u64,
    /// Rows that no key at hand opens, as they were left, with why.
    pub unopened: Vec<(String, SealError)>,
}

/// Seals everything of every merchant by the key that seals now, and tells how far it is after each batch. Rows that do not
/// open are counted and left alone.
///
/// # Errors
/// Of the store, and where a row keeps changing.
pub async fn reseal_all(engine: &Engine, tell: impl FnMut(&Tally)) -> Result<Tally> {
    let mut work = Work { engine, tally: Tally::default(), tell };
    let mut page = Page { limit: ROWS, after: None, before: None };
    loop {
        let merchants = engine.store.merchants(&page).await?;
        for merchant in &merchants {
            work.merchant(merchant).await?;
        }
        match merchants.last().filter(|_| merchants.len() == ROWS) {
            Some(last) => page.after = Some(last.id.to_string()),
            None => return Ok(work.tally),
        }
    }
}

struct Work<'e, T> {
    engine: &'e Engine,
    tally: Tally,
    tell: T,
}

impl<T: FnMut(&Tally)> Work<'_, T> {
    async fn merchant(&mut self, merchant: &Merchant) -> Result<()> {
        let (store, id) = (&self.engine.store, merchant.id);
        let own = async || Ok(store.merchant(id).await?.into_iter().collect());
        self.batch(merchant, own, |row: &Merchant| Put::Merchant(row.clone())).await?;
        let accounts = async || Ok(store.channel_accounts(id).await?);
        self.batch(merchant, accounts, |row: &ChannelAccount| Put::ChannelAccount(row.clone())).await?;
        let endpoints = async || Ok(store.endpoints(id).await?);
        self.batch(merchant, endpoints, |row: &Endpoint| Put::Endpoint(row.clone())).await?;
        let keys = async || Ok(store.epay_keys(id).await?);
        self.batch(merchant, keys, |row: &EpayKey| Put::EpayKey(row.clone())).await?;
        let all = DocumentFilter::default;
        self.documents::<FingerprintKey>(merchant, all()).await?;
        self.documents::<StoredCard>(merchant, all()).await?;
        for open in [TokenStatus::Unused, TokenStatus::Used] {
            self.documents::<CardToken>(merchant, DocumentFilter::status(open.text())).await?;
        }
        self.documents::<Evidence>(merchant, all()).await?;
        self.documents::<Beneficiary>(merchant, all()).await?;
        self.documents::<Batch>(merchant, all()).await?;
        self.tally.merchants += 1;
        (self.tell)(&self.tally);
        Ok(())
    }

    async fn documents<D: Document + SealedRow>(
        &mut self,
        merchant: &Merchant,
        filter: DocumentFilter,
    ) -> Result<()> {
        let (engine, mut page) = (self.engine, Page { limit: ROWS, after: None, before: None });
        loop {
            let read = async || engine.documents::<D>(merchant.id, &filter, &page).await;
            let rows = self.batch(merchant, read, Put::document).await?;
            match rows.last().filter(|_| rows.len() == ROWS) {
                Some(last) => page.after = Some(last.id().to_string()),
                None => return Ok(()),
            }
        }
    }

    /// Reads some rows, and writes those that an older key had sealed. Answers what was read.
    async fn batch<R: SealedRow>(
        &mut self,
        merchant: &Merchant,
        read: impl AsyncFn() -> Result<Vec<R>>,
        put: fn(&R) -> Put,
    ) -> Result<Vec<R>> {
        let (vault, owner) = self.engine.cards_of(merchant);
        for _ in 0..RETRIES_MAX {
            let (mut rows, mut unopened, mut changes) = (read().await?, Vec::new(), Changes::default());
            for row in &mut rows {
                match reseal(row, vault, owner) {
                    Ok(true) => {
                        changes.put(put(row));
                    }
                    Ok(false) => {}
                    Err(why) => unopened.push((row.row(), why)),
                }
            }
            let sealed = changes.puts.len() as u64;
            match self.commit(merchant, changes).await {
                Ok(()) => {
                    self.tally.rows += rows.len() as u64;
                    self.tally.sealed += sealed;
                    self.tally.unopened.append(&mut unopened);
                    (self.tell)(&self.tally);
                    return Ok(rows);
                }
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::from(CommitError::Stale))
    }

    async fn commit(&self, merchant: &Merchant, mut changes: Changes) -> Result<(), CommitError> {
        if changes.puts.is_empty() {
            return Ok(());
        }
        let detail = format!("{} rows", changes.puts.len());
        let moment = self.engine.moment(merchant);
        changes.audit.push(self.engine.audit("operator", "vault.reseal", None, detail, moment));
        self.engine.commit(merchant.id, changes).await
    }
}
