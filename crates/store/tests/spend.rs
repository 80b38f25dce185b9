//! Double spending: many callers take from one balance at once, over several servers' stores. What was taken is
//! never more than what was there. `PAYCORE_SPEND_TRIES=1000000` asks for more tries than the quick test makes.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

mod cluster;

use std::sync::Arc;

use paycore::event::Movement;
use paycore::id::MerchantId;
use paycore::ledger::{Entry, Side, Transaction};
use paycore::store::{Changes, CommitError};
use paycore::testkit::store_conformance::fixture;
use paycore::verify::{Verifiable, run as verify};
use paycore_store::{migrate, open};

const TRIES: u128 = 2_000;
const CALLERS: u128 = 32;
const TENANT: MerchantId = MerchantId::from_bits(1);

fn tries() -> u128 {
    std::env::var("PAYCORE_SPEND_TRIES").map_or(TRIES, |text| text.parse().unwrap())
}

/// Moves an amount within the merchant's books.
fn moved(number: u128, debit: &str, credit: &str, minor: i64) -> Changes {
    let entry = |account: &str, side| Entry { account: account.into(), side, money: fixture::cny(minor) };
    let entries = vec![entry(debit, Side::Debit), entry(credit, Side::Credit)];
    let transaction = Transaction {
        kind: Movement::Hold,
        order_id: None,
        entries,
        ..fixture::transaction(number, fixture::cny(minor))
    };
    let events = vec![fixture::event(number, format!("o{number}"), 1)];
    Changes { transactions: vec![transaction], events, ..Changes::new() }
}

/// A third of what is tried is covered. The callers come over all stores in turn, each try of a different amount.
async fn spend(stores: Vec<Arc<dyn Verifiable>>) {
    let tries = tries();
    let there = i64::try_from(tries).unwrap() * 5 / 3;
    stores[0].commit(TENANT, moved(0, "merchant_pending", "merchant_available", there)).await.unwrap();
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let store = Arc::clone(&stores[caller as usize % stores.len()]);
            tokio::spawn(async move {
                let (mut taken, mut refused) = (0, 0);
                for number in (1..=tries).filter(|number| number % CALLERS == caller) {
                    let minor = (number % 9 + 1) as i64;
                    let spending = moved(number, "merchant_available", "merchant_frozen", minor);
                    match store.commit(TENANT, spending).await {
                        Ok(()) => taken += minor,
                        Err(error) => {
                            assert_eq!(error, CommitError::Floor);
                            refused += 1;
                        }
                    }
                }
                (taken, refused)
            })
        })
        .collect();
    let (mut taken, mut refused) = (0, 0);
    for caller in callers {
        let (own, not) = caller.await.unwrap();
        (taken, refused) = (taken + own, refused + not);
    }
    let balances = stores[0].balances(TENANT).await.unwrap();
    let available = balances.iter().find(|row| row.account == "merchant_available").unwrap();
    assert_eq!((available.debits, available.credits), (taken, there));
    assert!(taken <= there && taken > there - 10, "{taken} of {there}");
    assert!(refused > 0);
    // One order does not exist for these bookings; everything about the ledger itself has to hold.
    let report = verify(&*stores[0]).await.unwrap();
    let ledger =
        report.violations.iter().filter(|violation| ["I1", "I2", "I3", "I9"].contains(&violation.rule));
    assert_eq!(ledger.count(), 0, "{:?}", report.violations);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_spent_twice_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", folder.path().join("spend.db").display());
    migrate(&address).await.unwrap();
    spend(vec![open(&address).await.unwrap()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_spent_twice_on_postgres_by_two_servers() {
    let address = cluster::database("spend").await;
    migrate(&address).await.unwrap();
    spend(vec![open(&address).await.unwrap(), open(&address).await.unwrap()]).await;
}
