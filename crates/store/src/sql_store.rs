//! The store over a driver: the statements of all slices on one side, an engine on the other.

use std::future::Future;

use async_trait::async_trait;
use paycore::id::MerchantId;
use paycore::store::{Backlog, Changes, CommitError, Due, Queue, Read, Store, Trouble};
use paycore::time::Timestamp;

use crate::queue;
use crate::read::{Row, Select};
use crate::write::Rows;

/// A store on a SQL engine. Make one with [`crate::open`].
#[derive(Debug)]
pub struct SqlStore<D> {
    driver: D,
}

/// What an engine has to do. It knows no slice and no table beyond balances, streams and probes.
pub trait Driver: Send + Sync + 'static + sealed::Sealed {
    /// Writes all rows of one commit or none, durably.
    #[doc(hidden)]
    fn commit(&self, rows: Commit) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// Reads; sees every commit that was acknowledged before.
    #[doc(hidden)]
    fn select<T: Send + 'static>(
        &self,
        query: Query,
        map: Map<T>,
    ) -> impl Future<Output = Read<Vec<T>>> + Send;
    /// Runs a statement that leases rows and returns them, durably.
    #[doc(hidden)]
    fn lease(&self, query: Query) -> impl Future<Output = Read<Vec<Due>>> + Send;
    /// Writes something durably that nobody reads.
    #[doc(hidden)]
    fn probe(&self) -> impl Future<Output = Read<()>> + Send;
}

/// The parts of [`Driver`] that nobody outside can name.
pub(crate) mod sealed {
    /// Drivers live in this crate only: they rely on its statements.
    pub trait Sealed {}
}

/// One commit as rows.
#[derive(Debug)]
pub struct Commit(pub(crate) Rows);

/// One statement that reads.
#[derive(Debug)]
pub struct Query(pub(crate) Select);

/// How a row becomes a value.
#[derive(Debug)]
pub struct Map<T>(pub(crate) fn(&mut Row<'_>) -> Read<T>);

impl<D: Driver> SqlStore<D> {
    pub(crate) fn new(driver: D) -> Self {
        SqlStore { driver }
    }

    /// All rows, in the wanted order.
    pub(crate) async fn all<T: Send + 'static>(
        &self,
        select: Select,
        map: fn(&mut Row<'_>) -> Read<T>,
    ) -> Read<Vec<T>> {
        if select.matches_nothing() {
            return Ok(Vec::new());
        }
        let reversed = select.reversed;
        let mut rows = self.driver.select(Query(select), Map(map)).await?;
        if reversed {
            rows.reverse();
        }
        Ok(rows)
    }

    /// The rows of one tenant, which is dropped.
    pub(crate) async fn own_list<T: Send + 'static>(
        &self,
        select: Select,
        map: fn(&mut Row<'_>) -> Read<(MerchantId, T)>,
    ) -> Read<Vec<T>> {
        Ok(self.all(select, map).await?.into_iter().map(|(_, row)| row).collect())
    }

    /// The only row of one tenant.
    pub(crate) async fn own<T: Send + 'static>(
        &self,
        select: Select,
        map: fn(&mut Row<'_>) -> Read<(MerchantId, T)>,
    ) -> Read<Option<T>> {
        Ok(self.own_list(select, map).await?.pop())
    }
}

#[async_trait]
impl<D: Driver> Store for SqlStore<D> {
    async fn commit(&self, tenant: MerchantId, changes: Changes) -> Result<(), CommitError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.driver.commit(Commit(Rows::of(tenant, &changes)?)).await
    }

    async fn take_due(&self, queue: Queue, now: Timestamp, until: Timestamp, limit: usize) -> Read<Vec<Due>> {
        self.driver.lease(Query(queue::take(queue, now, until, limit))).await
    }

    async fn backlog(&self, queue: Queue, now: Timestamp) -> Read<Backlog> {
        let counts = self.all(queue::backlog(queue, now), queue::waiting).await?;
        Ok(counts.first().map_or_else(Backlog::default, |counts| counts.at(now)))
    }

    async fn trouble(&self) -> Read<Trouble> {
        let mut trouble = Trouble::default();
        for sql in [queue::UNKNOWN_ATTEMPTS, queue::UNKNOWN_REFUNDS] {
            for unknown in self.all(Select::new(sql), queue::waiting).await? {
                unknown.add_to(&mut trouble);
            }
        }
        let open = self.all(Select::new(queue::OPEN_EXCEPTIONS), |row| row.int()).await?;
        trouble.exceptions = open.first().copied().unwrap_or_default();
        Ok(trouble)
    }

    async fn ready(&self) -> Read<()> {
        self.driver.probe().await
    }
}
