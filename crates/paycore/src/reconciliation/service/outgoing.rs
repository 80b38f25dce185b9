//! What leaves and a statement may name: payouts, and the payments of agents, which leave by bank.

use super::payouts::Whose;
use crate::agent::AgentWithdrawal;
use crate::document::Document;
use crate::engine::Engine;
use crate::error::{Code, Error, Result};
use crate::id::{MerchantId, ReconciliationId};
use crate::payout::{Beneficiary, Payout, Route};
use crate::reconciliation::Kind;
use crate::reconciliation::matching::Entry;
use crate::reconciliation::side::{payout, payout_of, withdrawal, withdrawal_of};
use crate::store::Put;
use crate::time::Timestamp;

/// One thing that leaves.
pub(super) enum Outgoing {
    /// A payout of the merchant's money.
    Payout(Box<Payout>),
    /// A payment to an agent. It never comes back: one that was not paid was rejected.
    Agent(Box<AgentWithdrawal>),
}

impl Outgoing {
    /// By its id; none where that is no id of such a thing, or nobody's.
    pub(super) async fn read(engine: &Engine, tenant: MerchantId, id: &str) -> Result<Option<Outgoing>> {
        if let Ok(id) = id.parse() {
            return Ok(known::<Payout>(engine, tenant, id).await?.map(|row| Outgoing::Payout(Box::new(row))));
        }
        match id.parse() {
            Ok(id) => Ok(known::<AgentWithdrawal>(engine, tenant, id).await?.map(|row| Outgoing::Agent(Box::new(row)))),
            Err(_) => Ok(None),
        }
    }

    /// By its reference on a statement.
    pub(super) async fn named(
        engine: &Engine,
        tenant: MerchantId,
        reference: &str,
    ) -> Result<Option<Outgoing>> {
        if let Some(id) = payout_of(reference)
            && let Some(row) = known::<Payout>(engine, tenant, id).await?
        {
            return Ok(Some(Outgoing::Payout(Box::new(row))));
        }
        let Some(id) = withdrawal_of(reference) else { return Ok(None) };
        Ok(known::<AgentWithdrawal>(engine, tenant, id).await?.map(|row| Outgoing::Agent(Box::new(row))))
    }

    /// Its id.
    pub(super) fn id(&self) -> String {
        match self {
            Outgoing::Payout(row) => row.id.to_string(),
            Outgoing::Agent(row) => row.id.to_string(),
        }
    }

    /// The run that has found this of it.
    pub(super) fn found_by(&self, kind: Kind) -> Option<ReconciliationId> {
        match (self, kind) {
            (Outgoing::Payout(row), Kind::Payout) => row.reconciled,
            (Outgoing::Payout(row), _) => row.return_reconciled,
            (Outgoing::Agent(row), Kind::Payout) => row.reconciled,
            (Outgoing::Agent(_), _) => None,
        }
    }

    /// Notes who has found it going out and coming back; false where nothing is new.
    pub(super) fn mark(&mut self, [out, back]: [Option<ReconciliationId>; 2]) -> bool {
        match self {
            Outgoing::Payout(row) => {
                let before = (row.reconciled, row.return_reconciled);
                (row.reconciled, row.return_reconciled) = (out, back);
                before != (out, back)
            }
            Outgoing::Agent(row) => std::mem::replace(&mut row.reconciled, out) != out,
        }
    }

    /// Writes it.
    pub(super) fn put(&self) -> Put {
        match self {
            Outgoing::Payout(row) => Put::document(&**row),
            Outgoing::Agent(row) => Put::document(&**row),
        }
    }

    /// The reference of the batch that it left with; empty without one.
    pub(super) fn batch(&self) -> String {
        match self {
            Outgoing::Payout(row) => row.batch_id.map_or_else(String::new, |batch| batch.bare()),
            Outgoing::Agent(_) => String::new(),
        }
    }

    /// Hands its row to a function.
    pub(super) fn with_entry<T>(
        &self,
        kind: Kind,
        batch: &str,
        at: Timestamp,
        then: impl FnOnce(&Entry<'_>) -> T,
    ) -> T {
        match self {
            Outgoing::Payout(row) => then(&payout(row, kind, batch, at)),
            Outgoing::Agent(row) => then(&withdrawal(row, kind, &row.id.bare(), at)),
        }
    }

    /// Whether it left by that way.
    pub(super) async fn is_of(&self, engine: &Engine, tenant: MerchantId, whose: Whose) -> Result<bool> {
        let (row, account) = match (self, whose) {
            (Outgoing::Payout(row), Whose::Bank) => return Ok(row.channel.is_none()),
            (Outgoing::Agent(_), _) => return Ok(whose == Whose::Bank),
            (Outgoing::Payout(row), Whose::Account(account)) => (row, account),
        };
        let to: Beneficiary = engine.document(tenant, row.beneficiary_id).await?;
        Ok(matches!(to.route, Route::Channel { channel_account_id, .. } if channel_account_id == account))
    }
}

/// A document that need not exist.
pub(super) async fn known<T: Document>(
    engine: &Engine,
    tenant: MerchantId,
    id: T::Id,
) -> Result<Option<T>> {
    match engine.document(tenant, id).await {
        Ok(found) => Ok(Some(found)),
        Err(Error { code: Code::NotFound, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
