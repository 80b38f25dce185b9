//! Money: what no row may say, races for the same money, and balances that are the sum of their entries.

use std::collections::BTreeMap;

use super::fixture;
use super::{Ground, all, puts, suite};
use crate::currency::Currency;
use crate::id::OrderId;
use crate::ledger::{Entry, Side, Transaction};
use crate::money::Money;
use crate::order::Order;
use crate::store::{Changes, CommitError, Put};
use crate::time::Timestamp;

suite! {
    an_order_that_cannot_be_is_refused,
    amounts_that_are_not_positive_are_refused,
    a_live_merchant_has_no_test_clock,
    refunds_that_race_for_the_same_money_never_exceed_it,
    a_journal_that_does_not_balance_is_refused,
    balances_are_the_sums_of_their_entries_under_concurrency,
    a_balance_that_leaves_64_bits_is_refused,
}

async fn refused(ground: &Ground, put: Put) {
    let name = format!("{put:?}");
    let result = ground.put(put).await;
    assert!(matches!(result, Err(CommitError::Broken(_))), "{result:?} for {name}");
}

async fn an_order_that_cannot_be_is_refused(ground: Ground) {
    let sums = |authorized, captured, refunded, refunding| Order {
        authorized,
        captured,
        refunded,
        refunding,
        ..fixture::order(1)
    };
    for order in [
        sums(100, 101, 0, 0),
        sums(100, 100, 101, 0),
        sums(100, 100, 0, 101),
        sums(100, 100, 60, 60),
        sums(100, 50, 20, 31),
        sums(-1, -1, 0, 0),
        sums(100, -1, 0, 0),
        sums(100, 100, -1, 0),
        sums(100, 100, 0, -1),
        sums(100, 100, 101, -1),
        sums(0, 0, i64::MAX, i64::MAX),
        sums(i64::MAX, i64::MAX, i64::MAX, 1),
        Order { charged_back: -1, ..sums(100, 100, 0, 0) },
        Order { charged_back: 101, ..sums(100, 100, 0, 0) },
        Order { charged_back: 31, ..sums(100, 100, 30, 40) },
        Order { charged_back: i64::MAX, ..sums(i64::MAX, i64::MAX, 1, 0) },
        Order { sequence: -1, ..fixture::order(1) },
        Order { due_at: Timestamp::from_micros(-1), ..fixture::order(1) },
    ] {
        refused(&ground, Put::Order(order)).await;
    }
    // The same on a change: two refunds of 60 from a capture of 100.
    ground.given([Put::Order(sums(100, 100, 0, 60))]).await;
    refused(&ground, Put::Order(Order { version: 1, ..sums(100, 100, 0, 120) })).await;
    let stored =
        ground.store.order(ground.tenant, OrderId::from_bits(1)).await.expect("readable").expect("stored");
    assert_eq!((stored.version, stored.refunding), (1, 60));
    let charged_back = Order { charged_back: 30, ..sums(100, 100, 30, 40) };
    let all = Order { charged_back: i64::MAX, ..sums(i64::MAX, i64::MAX, 0, 0) };
    let most = [sums(100, 100, 40, 60), sums(i64::MAX, i64::MAX, 0, i64::MAX), charged_back, all];
    for (number, order) in (2..).zip(most) {
        let allowed = Order { number: format!("ok-{number}"), id: OrderId::from_bits(number), ..order };
        assert_eq!(ground.put(Put::Order(allowed)).await, Ok(()));
    }
}

async fn amounts_that_are_not_positive_are_refused(ground: Ground) {
    let order = fixture::order(1);
    for minor in [0, -1, i64::MIN] {
        let money = fixture::cny(minor);
        refused(&ground, Put::Order(Order { money, ..order.clone() })).await;
        refused(&ground, Put::Attempt(crate::order::Attempt { money, ..fixture::attempt(1, &order) })).await;
        refused(&ground, Put::Refund(fixture::refund(1, &fixture::attempt(1, &order), minor))).await;
        let transaction = Transaction { money, ..fixture::transaction(1, fixture::cny(5)) };
        let result = ground.commit(Changes { transactions: vec![transaction], ..Changes::new() }).await;
        assert!(matches!(result, Err(CommitError::Broken(_))), "{result:?}");
    }
}

async fn a_live_merchant_has_no_test_clock(ground: Ground) {
    let merchant = fixture::merchant(ground.tenant);
    refused(&ground, Put::Merchant(crate::merchant::Merchant { clock_offset: 1, ..merchant.clone() })).await;
    let sandbox = crate::merchant::Merchant { clock_offset: 1, livemode: false, ..merchant };
    refused(&ground, Put::Merchant(crate::merchant::Merchant { clock_offset: -1, ..sandbox.clone() })).await;
    assert_eq!(ground.put(Put::Merchant(sandbox)).await, Ok(()));
}

/// Reserves 600 of the order's 10,000 until there is no more: read, decide, commit, and again when stale.
async fn reserve(ground: Ground, number: u128) -> bool {
    loop {
        let order = ground
            .store
            .order(ground.tenant, OrderId::from_bits(1))
            .await
            .expect("readable")
            .expect("stored");
        if order.refundable() < 600 {
            return false;
        }
        let refund = fixture::refund(number, &fixture::attempt(1, &order), 600);
        let changed = Order { refunding: order.refunding + 600, ..order };
        match ground.commit(puts([Put::Order(changed), Put::Refund(refund)])).await {
            Ok(()) => return true,
            Err(error) => assert_eq!(error, CommitError::Stale),
        }
    }
}

async fn refunds_that_race_for_the_same_money_never_exceed_it(ground: Ground) {
    ground.given([Put::Order(fixture::paid_order(1))]).await;
    let tasks: Vec<_> = (1..=64).map(|number| tokio::spawn(reserve(ground.clone(), number))).collect();
    let mut reserved = 0;
    for task in tasks {
        reserved += usize::from(task.await.expect("no task panics"));
    }
    let order =
        ground.store.order(ground.tenant, OrderId::from_bits(1)).await.expect("readable").expect("stored");
    let refunds = ground.store.refunds(ground.tenant, &Default::default(), &all()).await.expect("readable");
    assert_eq!((reserved, refunds.len(), order.refunding), (16, 16, 9_600));
}

async fn a_journal_that_does_not_balance_is_refused(ground: Ground) {
    let entry = |side, minor, code: &str| Entry {
        account: format!("{side:?}"),
        side,
        money: Money::new(minor, Currency::parse(code).expect("a currency")),
    };
    for entries in [
        vec![],
        vec![entry(Side::Debit, 5, "CNY")],
        vec![entry(Side::Debit, 5, "CNY"), entry(Side::Credit, 4, "CNY")],
        vec![entry(Side::Debit, 5, "CNY"), entry(Side::Credit, 5, "USD")],
        vec![entry(Side::Debit, 0, "CNY"), entry(Side::Credit, 0, "CNY")],
        vec![entry(Side::Debit, -5, "CNY"), entry(Side::Credit, -5, "CNY")],
        vec![entry(Side::Debit, 5, "CNY"), entry(Side::Debit, 5, "CNY")],
    ] {
        let transaction = Transaction { entries, ..fixture::transaction(1, fixture::cny(5)) };
        let result = ground.commit(Changes { transactions: vec![transaction], ..Changes::new() }).await;
        assert!(matches!(result, Err(CommitError::Broken(_))), "{result:?}");
    }
    assert_eq!(ground.store.balances(ground.tenant).await, Ok(Vec::new()));
    let two_currencies = vec![
        entry(Side::Debit, 5, "CNY"),
        entry(Side::Credit, 5, "CNY"),
        entry(Side::Debit, 7, "USD"),
        entry(Side::Credit, 7, "USD"),
    ];
    let transaction = Transaction { entries: two_currencies, ..fixture::transaction(1, fixture::cny(5)) };
    let changes = Changes { transactions: vec![transaction.clone()], ..Changes::new() };
    assert_eq!(ground.commit(changes).await, Ok(()));
    assert_eq!(ground.store.transaction(ground.tenant, transaction.id).await, Ok(Some(transaction)));
}

async fn balances_are_the_sums_of_their_entries_under_concurrency(ground: Ground) {
    let tasks: Vec<_> = (1..=200)
        .map(|id: u128| {
            let ground = ground.clone();
            let number = id;
            tokio::spawn(async move {
                let code = ["CNY", "USD", "JPY"][(number % 3) as usize];
                let money = Money::new(number as i64, Currency::parse(code).expect("a currency"));
                let mut changes =
                    Changes { transactions: vec![fixture::transaction(number, money)], ..Changes::new() };
                // Every fifth wants the same order number: the journals of those that do not get it must not count.
                let number = if number.is_multiple_of(5) { 0 } else { number };
                changes.put(Put::Order(Order { number: format!("n{number}"), ..fixture::order(id) }));
                ground.commit(changes).await.is_ok()
            })
        })
        .collect();
    let mut stood = 0;
    for task in tasks {
        stood += usize::from(task.await.expect("no task panics"));
    }
    assert_eq!(stood, 161);
    let journals =
        ground.store.transactions(ground.tenant, &Default::default(), &all()).await.expect("readable");
    assert_eq!(journals.len(), stood);
    let mut sums: BTreeMap<(String, &str), (i64, i64)> = BTreeMap::new();
    for entry in journals.iter().flat_map(|journal| &journal.entries) {
        let sum = sums.entry((entry.account.clone(), entry.money.currency().code())).or_default();
        match entry.side {
            Side::Debit => sum.0 += entry.money.minor(),
            Side::Credit => sum.1 += entry.money.minor(),
        }
    }
    let balances = ground.store.balances(ground.tenant).await.expect("readable");
    let balances: Vec<_> = balances
        .into_iter()
        .map(|row| ((row.account, row.currency.code()), (row.debits, row.credits)))
        .collect();
    assert_eq!(balances, sums.into_iter().collect::<Vec<_>>());
}

async fn a_balance_that_leaves_64_bits_is_refused(ground: Ground) {
    let commit = |number, minor| {
        let transaction = fixture::transaction(number, fixture::cny(minor));
        ground.commit(Changes { transactions: vec![transaction], ..Changes::new() })
    };
    assert_eq!(commit(1, i64::MAX - 1).await, Ok(()));
    assert!(matches!(commit(2, 2).await, Err(CommitError::Broken(_))));
    assert!(matches!(commit(3, i64::MAX).await, Err(CommitError::Broken(_))));
    assert_eq!(commit(4, 1).await, Ok(()));
    let balances = ground.store.balances(ground.tenant).await.expect("readable");
    let sums: Vec<_> = balances.iter().map(|balance| (balance.debits, balance.credits)).collect();
    assert_eq!(sums, [(i64::MAX, 0), (0, i64::MAX)]);
    let journals =
        ground.store.transactions(ground.tenant, &Default::default(), &all()).await.expect("readable");
    assert_eq!(journals.len(), 2);
}
