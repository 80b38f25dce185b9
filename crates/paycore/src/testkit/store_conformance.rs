//! The suite every store has to pass: what the engine relies on, as named cases.
//!
//! ```ignore
//! paycore::testkit::store_conformance::run(store).await;
//! ```
//!
//! The store has to be empty and is not after it. A case that fails panics; its name is printed before it runs.

mod commits;
mod extremes;
pub mod fixture;
mod isolation;
mod ledger;
mod money;
mod pages;
mod queues;
mod streams;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::id::MerchantId;
use crate::store::{Changes, CommitError, Page, Put};
use crate::verify::{Row, Table, Verifiable};

/// One case: its name, a sentence, and the test.
pub struct Case {
    /// What must be true.
    pub name: &'static str,
    test: fn(Ground) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Declares the cases of a file.
macro_rules! suite {
    ($($test:ident,)*) => {
        /// The cases of this file.
        pub(super) const CASES: &[super::Case] = &[$(super::Case {
            name: stringify!($test),
            test: |ground| Box::pin($test(ground)),
        },)*];
    };
}
use suite;

/// Where one case plays: two merchants that no other case uses.
#[derive(Clone)]
struct Ground {
    store: Arc<dyn Verifiable>,
    tenant: MerchantId,
    stranger: MerchantId,
}

/// Every case.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    let files = [
        commits::CASES,
        money::CASES,
        isolation::CASES,
        pages::CASES,
        streams::CASES,
        queues::CASES,
        extremes::CASES,
        ledger::CASES,
    ];
    files.into_iter().flatten()
}

/// Runs every case on an empty store, one after the other, and says how many there were.
///
/// # Panics
/// Where a case fails.
pub async fn run(store: Arc<dyn Verifiable>) -> usize {
    let mut count = 0;
    for (number, case) in (1..).zip(cases()) {
        println!("case {}", case.name);
        let tenant = |side: u128| MerchantId::from_bits(1_000 * number + side);
        let ground = Ground { store: Arc::clone(&store), tenant: tenant(1), stranger: tenant(2) };
        (case.test)(ground).await;
        count += 1;
    }
    count
}

/// Everything that can be read of a merchant, one line per row: where two stores have equal lines they hold the
/// same. Idempotency keys are listed by a scan only and are not among them.
///
/// # Panics
/// Where the store cannot be read.
pub async fn lines(store: &dyn Verifiable, tenant: MerchantId) -> Vec<String> {
    let mut lines = Vec::new();
    macro_rules! read {
        ($($rows:expr),* $(,)?) => {
            $(lines.extend($rows.await.expect("the store can be read").iter().map(|row| format!("{row:?}")));)*
        };
    }
    let orders = store.orders(tenant, &Default::default(), &all()).await.expect("the store can be read");
    for order in orders {
        read!(store.attempts(tenant, order.id));
        lines.push(format!("{order:?}"));
    }
    read!(store.refunds(tenant, &Default::default(), &all()));
    read!(store.transactions(tenant, &Default::default(), &all()), store.balances(tenant));
    read!(store.events(tenant, &Default::default(), 0, 10_000));
    read!(store.merchant(tenant), store.api_keys(tenant, &all()), store.channel_accounts(tenant));
    read!(store.epay_keys(tenant));
    read!(store.endpoints(tenant), store.deliveries(tenant, &Default::default(), &all()));
    read!(store.exceptions(tenant, false, &all()), store.audits(tenant, &all()), store.links(tenant, &all()));
    read!(store.documents(tenant, "payout", &Default::default(), &all()));
    for account in store.channel_accounts(tenant).await.expect("the store can be read") {
        read!(store.sandbox_records(tenant, account.id));
    }
    lines
}

/// Reads a whole table in pages of this size.
async fn scan(store: &dyn Verifiable, table: Table, limit: usize) -> Vec<Row> {
    let (mut rows, mut cursor) = (Vec::new(), None);
    loop {
        let (page, next) = store.scan(table, cursor, limit).await.expect("the store can be read");
        rows.extend(page);
        match next {
            Some(next) => cursor = Some(next),
            None => return rows,
        }
    }
}

/// A page that holds everything.
fn all() -> Page {
    Page { limit: 10_000, after: None, before: None }
}

impl Ground {
    async fn commit(&self, changes: Changes) -> Result<(), CommitError> {
        self.store.commit(self.tenant, changes).await
    }

    async fn put(&self, put: Put) -> Result<(), CommitError> {
        self.commit(puts([put])).await
    }

    /// Commits what has to stand for the case to begin.
    async fn given(&self, puts: impl IntoIterator<Item = Put>) {
        let changes = Changes { puts: puts.into_iter().collect(), ..Changes::new() };
        self.commit(changes).await.expect("what the case starts from can be stored");
    }
}

fn puts(puts: impl IntoIterator<Item = Put>) -> Changes {
    Changes { puts: puts.into_iter().collect(), ..Changes::new() }
}
