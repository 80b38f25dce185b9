//! The workers' step: take what is due from a queue, do it, and leave what failed for the next time.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use super::Engine;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::id::{
    AdjustmentId, AgentSaleId, BreakId, CardTokenId, CorrectionId, DisputeId, FeeScheduleId, HoldId, Id as _,
    IdError, MandateId, MerchantId, PayoutId, ReconciliationId, SettlementId, SettlementPlanId,
    ShareReturnId, SplitId,
};
use crate::store::Queue;

/// How long a taken row is hidden from other workers: longer than any call to a channel or receiver.
const LEASE: Duration = Duration::from_secs(60);

/// What one step of a worker did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Worked {
    /// Rows that were taken.
    pub taken: usize,
    /// Rows whose work failed on our side; they come again after the lease.
    pub failed: usize,
}

impl Engine {
    /// Takes up to `limit` rows that are due and works on them at the same time. Safe with any number of servers:
    /// a row is leased before it is worked on, and every write is checked against the version that was read.
    pub async fn work(&self, queue: Queue, limit: usize) -> Result<Worked> {
        if queue == Queue::Events {
            return self.dispatch(limit).await;
        }
        let now = self.wall();
        let due = self.store.take_due(queue, now, now.plus(LEASE), limit).await?;
        let taken = due.len();
        let jobs = due.into_iter().map(|(tenant, id)| self.job(queue, tenant, id));
        let results = futures_util::future::join_all(jobs).await;
        let failed = results.iter().filter(|result| result.is_err()).count();
        Ok(Worked { taken, failed })
    }

    /// Events are dispatched merchant by merchant, each in one commit: there are two of them for every payment.
    /// They need no lease, because an event is marked as dispatched by one commit only.
    async fn dispatch(&self, limit: usize) -> Result<Worked> {
        let now = self.wall();
        let due = self.store.due_events(now, limit).await?;
        let taken = due.len();
        let mut by_tenant: BTreeMap<MerchantId, Vec<Event>> = BTreeMap::new();
        for (tenant, event) in due {
            by_tenant.entry(tenant).or_default().push(event);
        }
        let mut failed = 0;
        for (tenant, events) in by_tenant {
            if crate::webhook::service::dispatch(self, tenant, &events).await.is_err() {
                failed += events.len();
            }
        }
        if failed > 0 {
            // They are the oldest now, and step back so that the others get their turn.
            self.store.take_due(Queue::Events, now, now.plus(LEASE), failed).await?;
        }
        Ok(Worked { taken, failed })
    }

    async fn job(&self, queue: Queue, tenant: MerchantId, id: String) -> Result<()> {
        match queue {
            Queue::Orders => crate::order::sweep::order(self, tenant, read(&id)?).await,
            Queue::Attempts => crate::order::sweep::attempt(self, tenant, read(&id)?).await,
            Queue::Refunds => crate::refund::service::sweep(self, tenant, read(&id)?).await,
            Queue::Events => Err(Error::internal("events are dispatched together")),
            Queue::Deliveries => crate::webhook::service::send(self, tenant, read(&id)?).await,
            Queue::Documents => self.document_due(tenant, &id).await,
        }
    }

    /// A document goes to the service of its kind, which its id's prefix names.
    async fn document_due(&self, tenant: MerchantId, id: &str) -> Result<()> {
        let prefix = id.split('_').next().unwrap_or_default();
        match prefix {
            HoldId::PREFIX => crate::ledger::service::holds::due(self, tenant, read(id)?).await,
            PayoutId::PREFIX => crate::payout::service::due(self, tenant, read(id)?).await,
            SplitId::PREFIX => crate::split::service::due(self, tenant, read(id)?).await,
            ShareReturnId::PREFIX => crate::split::service::return_due(self, tenant, read(id)?).await,
            AgentSaleId::PREFIX => crate::agent::service::due(self, tenant, read(id)?).await,
            DisputeId::PREFIX => crate::dispute::service::due(self, tenant, read(id)?).await,
            SettlementPlanId::PREFIX => crate::settlement::service::due(self, tenant, read(id)?).await,
            SettlementId::PREFIX => crate::settlement::service::conversion_due(self, tenant, read(id)?).await,
            CorrectionId::PREFIX => crate::settlement::service::correction_due(self, tenant, read(id)?).await,
            ReconciliationId::PREFIX | BreakId::PREFIX | AdjustmentId::PREFIX => {
                crate::reconciliation::service::due(self, tenant, id).await
            }
            CardTokenId::PREFIX => crate::vault::service::due(self, tenant, read(id)?).await,
            MandateId::PREFIX => crate::mandate::service::due(self, tenant, read(id)?).await,
            FeeScheduleId::PREFIX => crate::fee::service::due(self, tenant, read(id)?).await,
            _ => Err(Error::internal(format!("no service looks after {id} of {tenant}"))),
        }
    }
}

fn read<I: FromStr<Err = IdError>>(id: &str) -> Result<I> {
    id.parse().map_err(Error::internal)
}
