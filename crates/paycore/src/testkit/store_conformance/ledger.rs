//! The ledger: floors and freezes, closed books, reversals, balances at an instant, the order of booking.

use std::collections::BTreeMap;

use super::fixture;
use super::{Ground, all, puts, suite};
use crate::currency::Currency;
use crate::event::Movement;
use crate::ledger::{AccountTerms, Balance, Basis, Books, Entry, Side, Transaction};
use crate::store::{Changes, CommitError, Put};
use crate::time::Timestamp;

suite! {
    an_account_with_a_floor_never_falls_below_it,
    withdrawals_that_race_never_exceed_the_balance,
    what_one_commit_adds_and_takes_counts_together,
    an_account_without_a_floor_stands_on_either_side,
    an_overdraft_moves_the_floor,
    a_frozen_account_takes_money_in_and_lets_none_out,
    terms_that_race_are_changed_once,
    a_booking_that_counts_for_a_closed_period_is_refused,
    a_closing_that_races_with_bookings_leaves_none_behind_it,
    a_transaction_is_taken_back_once,
    balances_at_an_instant_are_what_a_replay_gives,
    what_was_booked_after_a_position_comes_in_order_of_booking,
}

const AVAILABLE: &str = "merchant_available";
const FROZEN: &str = "merchant_frozen";
const PENDING: &str = "merchant_pending";

/// A transaction from one account to another.
fn moved(number: u128, debit: &str, credit: &str, minor: i64) -> Transaction {
    let entry = |account: &str, side| Entry { account: account.into(), side, money: fixture::cny(minor) };
    let entries = vec![entry(debit, Side::Debit), entry(credit, Side::Credit)];
    Transaction { kind: Movement::Hold, entries, ..fixture::transaction(number, fixture::cny(minor)) }
}

fn booked(transactions: impl IntoIterator<Item = Transaction>) -> Changes {
    Changes { transactions: transactions.into_iter().collect(), ..Changes::new() }
}

impl Ground {
    async fn book(&self, transaction: Transaction) -> Result<(), CommitError> {
        self.commit(booked([transaction])).await
    }

    async fn terms(
        &self,
        account: &str,
        version: i64,
        overdraft: i64,
        frozen: bool,
    ) -> Result<(), CommitError> {
        let (account, currency, overdraft) = (account.to_owned(), Currency::CNY, Some(overdraft));
        self.put(Put::AccountTerms(AccountTerms { account, currency, version, overdraft, frozen })).await
    }

    async fn balance(&self, account: &str) -> Balance {
        let balances = self.store.balances(self.tenant).await.expect("readable");
        balances.into_iter().find(|row| row.account == account).expect("something was booked on it")
    }
}

async fn an_account_with_a_floor_never_falls_below_it(ground: Ground) {
    assert_eq!(ground.book(moved(1, AVAILABLE, FROZEN, 1)).await, Err(CommitError::Floor));
    assert_eq!(ground.store.balances(ground.tenant).await, Ok(Vec::new()));
    assert_eq!(ground.book(moved(2, PENDING, AVAILABLE, 100)).await, Ok(()));
    assert_eq!(ground.book(moved(3, AVAILABLE, FROZEN, 101)).await, Err(CommitError::Floor));
    assert_eq!(ground.book(moved(4, AVAILABLE, FROZEN, 60)).await, Ok(()));
    assert_eq!(ground.book(moved(5, AVAILABLE, FROZEN, 41)).await, Err(CommitError::Floor));
    assert_eq!(ground.book(moved(6, AVAILABLE, FROZEN, 40)).await, Ok(()));
    assert_eq!(ground.book(moved(7, FROZEN, AVAILABLE, 101)).await, Err(CommitError::Floor));
    let journals = ground.store.transactions(ground.tenant, &Default::default(), &all()).await;
    assert_eq!(journals.expect("readable").len(), 3);
    let balance = ground.balance(AVAILABLE).await;
    assert_eq!((balance.debits, balance.credits, balance.overdraft), (100, 100, Some(0)));
}

async fn withdrawals_that_race_never_exceed_the_balance(ground: Ground) {
    ground.book(moved(1, PENDING, AVAILABLE, 10_000)).await.expect("the first stands");
    let tasks: Vec<_> = (2..=129)
        .map(|number| {
            let ground = ground.clone();
            tokio::spawn(async move {
                // Every fourth brings money in to another account, and must not be taken along by the others.
                match number % 4 {
                    0 => ground.book(moved(number, PENDING, "fee_income", 7)).await.map(|()| 0),
                    _ => ground.book(moved(number, AVAILABLE, FROZEN, 600)).await.map(|()| 1),
                }
            })
        })
        .collect();
    let (mut taken, mut refused) = (0, 0);
    for task in tasks {
        match task.await.expect("no task panics") {
            Ok(count) => taken += count,
            Err(error) => {
                assert_eq!(error, CommitError::Floor);
                refused += 1;
            }
        }
    }
    assert_eq!((taken, refused), (16, 80));
    let balance = ground.balance(AVAILABLE).await;
    assert_eq!((balance.debits, balance.credits), (9_600, 10_000));
    assert_eq!(ground.balance("fee_income").await.credits, 32 * 7);
}

async fn what_one_commit_adds_and_takes_counts_together(ground: Ground) {
    let both = [moved(1, AVAILABLE, FROZEN, 50), moved(2, PENDING, AVAILABLE, 50)];
    assert_eq!(ground.commit(booked(both)).await, Ok(()));
    let both = [moved(3, PENDING, AVAILABLE, 50), moved(4, AVAILABLE, FROZEN, 51)];
    assert_eq!(ground.commit(booked(both)).await, Err(CommitError::Floor));
    let balance = ground.balance(AVAILABLE).await;
    assert_eq!((balance.debits, balance.credits), (50, 50));
}

async fn an_account_without_a_floor_stands_on_either_side(ground: Ground) {
    assert_eq!(ground.book(moved(1, PENDING, "channel_receivable:x", 100)).await, Ok(()));
    let balance = ground.balance(PENDING).await;
    assert_eq!((balance.on(Side::Credit), balance.overdraft), (-100, None));
}

async fn an_overdraft_moves_the_floor(ground: Ground) {
    assert!(matches!(ground.terms(AVAILABLE, 0, -1, false).await, Err(CommitError::Broken(_))));
    assert_eq!(ground.terms(AVAILABLE, 0, 30, false).await, Ok(()));
    assert_eq!(ground.book(moved(1, AVAILABLE, FROZEN, 31)).await, Err(CommitError::Floor));
    assert_eq!(ground.book(moved(2, AVAILABLE, FROZEN, 30)).await, Ok(()));
    assert_eq!(ground.terms(AVAILABLE, 1, 29, false).await, Err(CommitError::Floor));
    assert_eq!(ground.terms(AVAILABLE, 1, i64::MAX, false).await, Ok(()));
    assert_eq!(ground.book(moved(3, AVAILABLE, FROZEN, i64::MAX - 30)).await, Ok(()));
}

async fn a_frozen_account_takes_money_in_and_lets_none_out(ground: Ground) {
    ground.book(moved(1, PENDING, AVAILABLE, 100)).await.expect("the first stands");
    ground.book(moved(2, AVAILABLE, FROZEN, 10)).await.expect("there is enough");
    assert_eq!(ground.terms(AVAILABLE, 0, 0, true).await, Ok(()));
    assert!(ground.balance(AVAILABLE).await.frozen);
    assert_eq!(ground.book(moved(3, AVAILABLE, FROZEN, 1)).await, Err(CommitError::Frozen));
    assert_eq!(ground.book(moved(4, PENDING, AVAILABLE, 5)).await, Ok(()));
    assert_eq!(ground.book(moved(5, AVAILABLE, FROZEN, 1)).await, Err(CommitError::Frozen));
    assert_eq!(ground.terms(AVAILABLE, 1, 0, false).await, Ok(()));
    assert_eq!(ground.book(moved(6, AVAILABLE, FROZEN, 95)).await, Ok(()));
    // An account that nothing was booked on can be frozen too.
    assert_eq!(ground.terms("merchant_reserve", 0, 0, true).await, Ok(()));
    assert_eq!(ground.book(moved(7, PENDING, "merchant_reserve", 9)).await, Ok(()));
    assert_eq!(ground.book(moved(8, "merchant_reserve", AVAILABLE, 9)).await, Err(CommitError::Frozen));
}

async fn terms_that_race_are_changed_once(ground: Ground) {
    let tasks: Vec<_> = (0..32)
        .map(|overdraft| {
            let ground = ground.clone();
            tokio::spawn(
                async move { ground.terms(AVAILABLE, 0, overdraft, false).await.map(|()| overdraft) },
            )
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        match task.await.expect("no task panics") {
            Ok(overdraft) => winners.push(Some(overdraft)),
            Err(error) => assert_eq!(error, CommitError::Stale),
        }
    }
    let balance = ground.balance(AVAILABLE).await;
    assert_eq!((winners, balance.version), (vec![balance.overdraft], 1));
}

async fn a_booking_that_counts_for_a_closed_period_is_refused(ground: Ground) {
    let at = |seconds| Timestamp::from_secs(seconds);
    let dated =
        |number, seconds| Transaction { effective_at: at(seconds), ..moved(number, PENDING, AVAILABLE, 5) };
    assert_eq!(ground.store.books(ground.tenant).await, Ok(Books::default()));
    assert_eq!(ground.book(dated(1, 50)).await, Ok(()));
    let close = |version, seconds| Put::Books(Books { version, closed_until: at(seconds) });
    assert_eq!(ground.put(close(1, 100)).await, Err(CommitError::Stale));
    assert_eq!(ground.put(close(0, 100)).await, Ok(()));
    assert_eq!(ground.put(close(0, 200)).await, Err(CommitError::Stale));
    assert_eq!(ground.store.books(ground.tenant).await, Ok(Books { version: 1, closed_until: at(100) }));
    assert_eq!(ground.book(dated(2, 99)).await, Err(CommitError::Closed));
    assert_eq!(ground.book(dated(3, 100)).await, Ok(()));
    assert_eq!(ground.put(close(1, 200)).await, Ok(()));
    assert_eq!(ground.book(dated(4, 199)).await, Err(CommitError::Closed));
    // The rest of such a commit is not written either, and other merchants have books of their own.
    let changes = Changes { puts: vec![Put::Order(fixture::order(5))], ..booked([dated(5, 150)]) };
    assert_eq!(ground.commit(changes).await, Err(CommitError::Closed));
    assert_eq!(ground.store.order(ground.tenant, fixture::order(5).id).await, Ok(None));
    assert_eq!(ground.store.commit(ground.stranger, booked([dated(6, 150)])).await, Ok(()));
    let later =
        Transaction { effective_at: fixture::NOW.plus(std::time::Duration::from_secs(1)), ..dated(7, 0) };
    assert!(matches!(ground.book(later).await, Err(CommitError::Broken(_))), "after its own booking");
}

async fn a_closing_that_races_with_bookings_leaves_none_behind_it(ground: Ground) {
    let instant = Timestamp::from_secs(50);
    let bookings = (1..=64).map(|number| {
        let dated = Transaction { effective_at: instant, ..moved(number, PENDING, AVAILABLE, 1) };
        let event = fixture::event(number, format!("o{number}"), 1);
        Changes { events: vec![event], ..booked([dated]) }
    });
    let closing = Changes {
        events: vec![fixture::event(1_000, "period", 1)],
        ..puts([Put::Books(Books { version: 0, closed_until: Timestamp::from_secs(100) })])
    };
    let mut all: Vec<Changes> = bookings.collect();
    all.insert(20, closing);
    let tasks: Vec<_> = all
        .into_iter()
        .map(|changes| {
            let ground = ground.clone();
            tokio::spawn(async move { ground.commit(changes).await })
        })
        .collect();
    for task in tasks {
        let result = task.await.expect("no task panics");
        assert!(matches!(result, Ok(()) | Err(CommitError::Closed)), "{result:?}");
    }
    let events = ground.store.events(ground.tenant, &Default::default(), 0, 1_000).await.expect("readable");
    let closed = events.iter().find(|event| event.object_id == "period").expect("it was closed").position;
    let late = ground.store.booked_after(ground.tenant, closed, 1_000).await.expect("readable");
    assert_eq!(late, Vec::new());
}

async fn a_transaction_is_taken_back_once(ground: Ground) {
    ground.book(moved(1, PENDING, AVAILABLE, 5)).await.expect("the first stands");
    let reverses = Some(fixture::transaction(1, fixture::cny(5)).id);
    let back = |number| Transaction { reverses, ..moved(number, AVAILABLE, PENDING, 5) };
    assert_eq!(ground.book(back(2)).await, Ok(()));
    assert_eq!(ground.book(back(3)).await, Err(CommitError::Duplicate("reverses")));
    let stored = ground.store.transaction(ground.tenant, back(2).id).await;
    assert_eq!(stored, Ok(Some(back(2))));
}

async fn balances_at_an_instant_are_what_a_replay_gives(ground: Ground) {
    let accounts = [PENDING, AVAILABLE, "fee_income", "channel_receivable:x"];
    let mut journal = Vec::new();
    for number in 1..60_usize {
        let (debit, credit) = (accounts[3 - number % 2], accounts[number % 3 % 2]);
        let created_at = Timestamp::from_secs((number as i64 * 37) % 101);
        let effective_at = match number % 3 {
            0 => Timestamp::from_secs(created_at.secs() / 2),
            _ => created_at,
        };
        let row = moved(number as u128, debit, credit, number as i64);
        journal.push(Transaction { created_at, effective_at, ..row });
    }
    for transaction in &journal {
        ground.book(transaction.clone()).await.expect("these accounts have enough");
    }
    for basis in [Basis::Booked, Basis::Effective] {
        for second in [-1, 0, 1, 37, 50, 99, 100, 101, 1_000] {
            let at = Timestamp::from_secs(second);
            let stored = ground.store.balances_at(ground.tenant, at, basis).await.expect("readable");
            let sums: BTreeMap<String, (i64, i64)> =
                stored.into_iter().map(|row| (row.account, (row.debits, row.credits))).collect();
            assert_eq!(sums, replay(&journal, at, basis), "{basis:?} at {second}");
        }
    }
}

/// The sums of every account that was ever touched, from the entries that count at an instant.
fn replay(journal: &[Transaction], at: Timestamp, basis: Basis) -> BTreeMap<String, (i64, i64)> {
    let mut sums = BTreeMap::new();
    for row in journal {
        let instant = if basis == Basis::Booked { row.created_at } else { row.effective_at };
        for entry in &row.entries {
            let sum: &mut (i64, i64) = sums.entry(entry.account.clone()).or_default();
            let minor = if instant <= at { entry.money.minor() } else { 0 };
            match entry.side {
                Side::Debit => sum.0 += minor,
                Side::Credit => sum.1 += minor,
            }
        }
    }
    sums
}

async fn what_was_booked_after_a_position_comes_in_order_of_booking(ground: Ground) {
    // The ids do not follow the order of booking, and not every event books something.
    for number in [9, 3, 7, 1, 5] {
        let event = fixture::event(number, format!("o{number}"), 1);
        let changes = match number {
            7 => Changes { events: vec![event], ..Changes::new() },
            _ => Changes { events: vec![event], ..booked([moved(number, PENDING, AVAILABLE, 5)]) },
        };
        ground.commit(changes).await.expect("it stands");
    }
    let after = |position, limit| ground.store.booked_after(ground.tenant, position, limit);
    let numbers = |rows: Vec<(i64, Transaction)>| -> Vec<(i64, u128)> {
        let wanted = |row: &Transaction| (1..10).find(|number| moved(*number, "", "", 5).id == row.id);
        rows.iter().map(|(position, row)| (*position, wanted(row).expect("one of them"))).collect()
    };
    assert_eq!(numbers(after(0, 10).await.expect("readable")), [(1, 9), (2, 3), (4, 1), (5, 5)]);
    assert_eq!(numbers(after(1, 2).await.expect("readable")), [(2, 3), (4, 1)]);
    assert_eq!(after(5, 10).await, Ok(Vec::new()));
    assert!(after(0, 1).await.expect("readable")[0].1.entries.len() == 2);
}
