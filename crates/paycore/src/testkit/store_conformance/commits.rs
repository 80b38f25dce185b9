//! Commits: all or nothing, versions, uniqueness, claims.

use super::fixture::{self, NOW};
use super::{Ground, lines, puts, suite};
use crate::id::{ChannelAccountId, OrderId};
use crate::idempotency::{Claim, Record};
use crate::order::{Attempt, Order, OrderStatus};
use crate::refund::Refund;
use crate::store::{Changes, CommitError, Put};
use crate::webhook::Delivery;

suite! {
    what_was_committed_is_read_back,
    a_commit_without_changes_succeeds,
    a_commit_that_fails_leaves_nothing_of_itself,
    objects_of_one_commit_are_written_in_their_order,
    a_version_that_is_not_the_stored_one_is_stale,
    a_change_of_something_that_does_not_exist_is_stale,
    a_new_object_with_a_taken_id_is_a_duplicate,
    what_identifies_an_object_never_changes,
    an_order_number_is_taken_once_per_merchant,
    a_refund_number_and_reference_are_taken_once_per_merchant,
    an_attempt_reference_is_taken_once_per_account,
    a_key_hash_is_taken_once_over_all_merchants,
    an_epay_pid_is_taken_once_over_all_merchants,
    an_event_is_booked_once,
    one_exception_per_kind_and_object_is_open,
    a_merchant_is_its_own_tenant,
    a_key_is_opened_once_and_answered_once,
    of_many_that_open_a_key_at_once_one_gets_it,
    of_many_that_change_an_object_at_once_one_wins_each_version,
    a_text_with_a_nul_character_is_refused,
}

async fn what_was_committed_is_read_back(ground: Ground) {
    let (tenant, store) = (ground.tenant, &ground.store);
    let order = fixture::paid_order(1);
    let attempt =
        Attempt { decline: Some(fixture::decline()), fault: Some("x".into()), ..fixture::attempt(1, &order) };
    let refund = fixture::refund(1, &attempt, 500);
    let (key, account) = (fixture::api_key(tenant, 1), fixture::channel_account(tenant, 1));
    let epay = fixture::epay_key(tenant, 1);
    let (endpoint, exception) = (fixture::endpoint(1), fixture::exception(1, "ord_1"));
    let delivery = fixture::delivery(1, fixture::event(1, "o", 1).id);
    ground
        .given([
            Put::Order(order.clone()),
            Put::Attempt(attempt.clone()),
            Put::Refund(refund.clone()),
            Put::Merchant(fixture::merchant(tenant)),
            Put::ApiKey(key.clone()),
            Put::EpayKey(epay.clone()),
            Put::ChannelAccount(account.clone()),
            Put::Endpoint(endpoint.clone()),
            Put::Delivery(delivery.clone()),
            Put::Exception(exception.clone()),
            Put::Link(fixture::link(tenant, 1)),
        ])
        .await;
    let order = Some(Order { version: 1, ..order });
    assert_eq!(store.order(tenant, OrderId::from_bits(1)).await, Ok(order.clone()));
    assert_eq!(store.order_by_number(tenant, "A-1").await, Ok(order));
    let (account_id, attempt) = (attempt.account_id, Some(Attempt { version: 1, ..attempt }));
    assert_eq!(store.attempt(tenant, refund.attempt_id).await, Ok(attempt.clone()));
    assert_eq!(store.attempt_by_reference(tenant, account_id, "R1").await, Ok(attempt));
    let refund = Some(Refund { version: 1, ..refund });
    assert_eq!(store.refund_by_reference(tenant, account_id, "F1").await, Ok(refund.clone()));
    assert_eq!(store.refund_by_reference(tenant, ChannelAccountId::from_bits(2), "F1").await, Ok(None));
    let number = refund.as_ref().map(|refund| refund.number.clone()).unwrap_or_default();
    assert_eq!(store.refund_by_number(tenant, &number).await, Ok(refund.clone()));
    assert_eq!(
        store.refund(tenant, fixture::refund(1, &fixture::attempt(1, &fixture::order(1)), 1).id).await,
        Ok(refund)
    );
    let merchant = store.merchant(tenant).await.expect("readable").expect("stored");
    assert_eq!(merchant, crate::merchant::Merchant { version: 1, ..fixture::merchant(tenant) });
    let key = crate::merchant::ApiKey { version: 1, ..key };
    assert_eq!(store.api_key(tenant, key.id).await, Ok(Some(key.clone())));
    assert_eq!(store.api_key_by_hash(&key.hash).await, Ok(Some((tenant, key.clone()))));
    let epay = crate::epay::EpayKey { version: 1, ..epay };
    assert_eq!(store.epay_key(tenant, epay.id).await, Ok(Some(epay.clone())));
    assert_eq!(store.epay_key_by_pid(&epay.pid).await, Ok(Some((tenant, epay.clone()))));
    assert_eq!(store.epay_keys(tenant).await, Ok(vec![epay]));
    let account = crate::account::ChannelAccount { version: 1, ..account };
    assert_eq!(store.channel_account(tenant, account.id).await, Ok(Some(account.clone())));
    assert_eq!(store.channel_account_tenant(account.id).await, Ok(Some(tenant)));
    let endpoint = crate::webhook::Endpoint { version: 1, ..endpoint };
    assert_eq!(store.endpoint(tenant, endpoint.id).await, Ok(Some(endpoint)));
    assert_eq!(store.delivery(tenant, delivery.id).await, Ok(Some(Delivery { version: 1, ..delivery })));
    let exception = crate::exception::Exception { version: 1, ..exception };
    assert_eq!(store.exception(tenant, exception.id).await, Ok(Some(exception)));
    let link = crate::link::Link { version: 1, ..fixture::link(tenant, 1) };
    assert_eq!(store.link(tenant, link.id).await, Ok(Some(link.clone())));
    assert_eq!(store.link_tenant(link.id).await, Ok(Some(tenant)));
}

async fn a_commit_without_changes_succeeds(ground: Ground) {
    assert_eq!(ground.commit(Changes::new()).await, Ok(()));
}

async fn a_commit_that_fails_leaves_nothing_of_itself(ground: Ground) {
    ground.given([Put::Order(fixture::order(1))]).await;
    let before = lines(&*ground.store, ground.tenant).await;
    // Everything that can be written, and an error at the very end: the second audit row has the first one's id.
    let order = fixture::paid_order(2);
    let attempt = fixture::attempt(2, &order);
    let changes = Changes {
        claim: Some(Claim::Open(fixture::record("key"))),
        puts: vec![
            Put::Order(Order { version: 1, status: OrderStatus::Closed, ..fixture::order(1) }),
            Put::Refund(fixture::refund(2, &attempt, 5)),
            Put::Attempt(attempt),
            Put::Order(order),
            Put::Merchant(fixture::merchant(ground.tenant)),
            Put::ApiKey(fixture::api_key(ground.tenant, 2)),
            Put::EpayKey(fixture::epay_key(ground.tenant, 2)),
            Put::ChannelAccount(fixture::channel_account(ground.tenant, 2)),
            Put::Endpoint(fixture::endpoint(2)),
            Put::Delivery(fixture::delivery(2, fixture::event(2, "o", 1).id)),
            Put::Exception(fixture::exception(2, "ord_2")),
            Put::Link(fixture::link(ground.tenant, 2)),
            Put::Document(fixture::document(2)),
            Put::Sandbox(fixture::sandbox_record(fixture::account_id(ground.tenant, 2), "k", "v")),
        ],
        transactions: vec![fixture::transaction(2, fixture::cny(5))],
        events: vec![fixture::event(2, "ord_2", 1)],
        audit: vec![fixture::audit(2), fixture::audit(2)],
    };
    assert_eq!(ground.commit(changes).await, Err(CommitError::Duplicate("id")));
    assert_eq!(lines(&*ground.store, ground.tenant).await, before);
    let records = ground.store.sandbox_records(ground.tenant, fixture::account_id(ground.tenant, 2)).await;
    assert_eq!(records, Ok(Vec::new()));
    assert_eq!(ground.store.claim(ground.tenant, "key").await, Ok(None));
}

async fn objects_of_one_commit_are_written_in_their_order(ground: Ground) {
    let changed = Order { version: 1, status: OrderStatus::Closed, ..fixture::order(1) };
    ground.given([Put::Order(fixture::order(1)), Put::Order(changed.clone())]).await;
    assert_eq!(
        ground.store.order(ground.tenant, changed.id).await,
        Ok(Some(Order { version: 2, ..changed.clone() }))
    );
    let backwards = [Put::Order(Order { version: 1, ..fixture::order(2) }), Put::Order(fixture::order(2))];
    assert_eq!(ground.commit(puts(backwards)).await, Err(CommitError::Stale));
}

async fn a_version_that_is_not_the_stored_one_is_stale(ground: Ground) {
    ground.given(fixture::every_object(0).into_iter().filter(is_versioned)).await;
    ground.given(fixture::every_object(1).into_iter().filter(is_versioned)).await;
    for version in [1, 3, -1, i64::MAX] {
        for put in fixture::every_object(version).into_iter().filter(is_versioned) {
            let name = format!("{put:?}");
            assert_eq!(ground.put(put).await, Err(CommitError::Stale), "{name}");
        }
    }
    ground.given(fixture::every_object(2).into_iter().filter(is_versioned)).await;
}

/// Every object but the merchant, who would be another tenant, and records, which have no version.
fn is_versioned(put: &Put) -> bool {
    !matches!(
        put,
        Put::Merchant(_)
            | Put::Sandbox(_)
            | Put::ApiKey(_)
            | Put::EpayKey(_)
            | Put::Link(_)
            | Put::ChannelAccount(_)
    )
}

async fn a_change_of_something_that_does_not_exist_is_stale(ground: Ground) {
    for put in fixture::every_object(1).into_iter().filter(is_versioned) {
        assert_eq!(ground.put(put).await, Err(CommitError::Stale));
    }
    assert_eq!(ground.put(Put::EventDispatched(fixture::event(1, "o", 1).id)).await, Err(CommitError::Stale));
}

async fn a_new_object_with_a_taken_id_is_a_duplicate(ground: Ground) {
    ground.given(fixture::every_object(0).into_iter().filter(is_versioned)).await;
    for put in fixture::every_object(0).into_iter().filter(is_versioned) {
        let name = format!("{put:?}");
        // The object's number is taken too: which of the two is named is the store's choice.
        let result = ground.put(put).await;
        assert!(matches!(result, Err(CommitError::Duplicate(_))), "{result:?} for {name}");
    }
    let twice = Changes { audit: vec![fixture::audit(1)], ..Changes::new() };
    ground.commit(twice.clone()).await.expect("the first stands");
    assert_eq!(ground.commit(twice).await, Err(CommitError::Duplicate("id")));
    let event = |sequence| Changes { events: vec![fixture::event(1, "o", sequence)], ..Changes::new() };
    ground.commit(event(1)).await.expect("the first stands");
    assert_eq!(ground.commit(event(2)).await, Err(CommitError::Duplicate("id")));
}

async fn what_identifies_an_object_never_changes(ground: Ground) {
    let order = fixture::order(1);
    let attempt = fixture::attempt(1, &order);
    let refund = fixture::refund(1, &attempt, 5);
    let exception = fixture::exception(1, "ord_1");
    ground
        .given([
            Put::Order(order.clone()),
            Put::Attempt(attempt.clone()),
            Put::Refund(refund.clone()),
            Put::Exception(exception.clone()),
        ])
        .await;
    let other = OrderId::from_bits(2);
    for changed in [
        Put::Order(Order { version: 1, number: "other".into(), ..order }),
        Put::Attempt(Attempt { version: 1, reference: "other".into(), ..attempt.clone() }),
        Put::Attempt(Attempt { version: 1, account_id: ChannelAccountId::from_bits(9), ..attempt.clone() }),
        Put::Attempt(Attempt { version: 1, order_id: other, ..attempt }),
        Put::Refund(Refund { version: 1, number: "other".into(), ..refund.clone() }),
        Put::Refund(Refund { version: 1, reference: "other".into(), ..refund.clone() }),
        Put::Refund(Refund { version: 1, order_id: other, ..refund }),
        Put::Exception(crate::exception::Exception { version: 1, object_id: "ord_2".into(), ..exception }),
    ] {
        assert_eq!(ground.put(changed).await, Err(CommitError::Stale));
    }
}

async fn an_order_number_is_taken_once_per_merchant(ground: Ground) {
    ground.given([Put::Order(fixture::order(1))]).await;
    let same = Order { number: "A-1".into(), ..fixture::order(2) };
    assert_eq!(ground.put(Put::Order(same.clone())).await, Err(CommitError::Duplicate("number")));
    assert_eq!(ground.store.commit(ground.stranger, puts([Put::Order(same)])).await, Ok(()));
}

async fn a_refund_number_and_reference_are_taken_once_per_merchant(ground: Ground) {
    let attempt = fixture::attempt(1, &fixture::order(1));
    ground.given([Put::Refund(fixture::refund(1, &attempt, 5))]).await;
    let same_number = Refund { number: "B-1".into(), ..fixture::refund(2, &attempt, 5) };
    assert_eq!(ground.put(Put::Refund(same_number)).await, Err(CommitError::Duplicate("number")));
    let same_reference = Refund { reference: "F1".into(), ..fixture::refund(2, &attempt, 5) };
    assert_eq!(ground.put(Put::Refund(same_reference)).await, Err(CommitError::Duplicate("reference")));
}

async fn an_attempt_reference_is_taken_once_per_account(ground: Ground) {
    let order = fixture::order(1);
    ground.given([Put::Attempt(fixture::attempt(1, &order))]).await;
    let same = Attempt { reference: "R1".into(), ..fixture::attempt(2, &order) };
    assert_eq!(ground.put(Put::Attempt(same.clone())).await, Err(CommitError::Duplicate("reference")));
    let elsewhere = Attempt { account_id: ChannelAccountId::from_bits(2), ..same };
    assert_eq!(ground.put(Put::Attempt(elsewhere)).await, Ok(()));
}

async fn a_key_hash_is_taken_once_over_all_merchants(ground: Ground) {
    ground.given([Put::ApiKey(fixture::api_key(ground.tenant, 1))]).await;
    let same = puts([Put::ApiKey(fixture::api_key(ground.tenant, 1))]);
    assert_eq!(ground.store.commit(ground.stranger, same).await, Err(CommitError::Duplicate("hash")));
}

async fn an_epay_pid_is_taken_once_over_all_merchants(ground: Ground) {
    let key = fixture::epay_key(ground.tenant, 1);
    ground.given([Put::EpayKey(key.clone())]).await;
    let taken = puts([Put::EpayKey(key.clone())]);
    assert_eq!(ground.store.commit(ground.stranger, taken).await, Err(CommitError::Duplicate("pid")));
    let other = crate::epay::EpayKey { version: 1, pid: "pid-2".into(), ..key };
    assert_eq!(ground.put(Put::EpayKey(other)).await, Err(CommitError::Stale), "a number never changes");
}

async fn an_event_is_booked_once(ground: Ground) {
    let book = |number| {
        let booked = fixture::event(1, "o", 1).id;
        let transaction =
            crate::ledger::Transaction { event_id: booked, ..fixture::transaction(number, fixture::cny(5)) };
        Changes { transactions: vec![transaction], ..Changes::new() }
    };
    ground.commit(book(1)).await.expect("the first stands");
    assert_eq!(ground.commit(book(2)).await, Err(CommitError::Duplicate("event_id")));
    let balances = ground.store.balances(ground.tenant).await.expect("readable");
    assert!(balances.iter().all(|balance| balance.debits + balance.credits == 5), "{balances:?}");
}

async fn one_exception_per_kind_and_object_is_open(ground: Ground) {
    use crate::exception::{Exception, ExceptionKind};
    ground.given([Put::Exception(fixture::exception(1, "ord_1"))]).await;
    let second = Put::Exception(fixture::exception(2, "ord_1"));
    assert_eq!(ground.put(second.clone()).await, Err(CommitError::Duplicate("exception")));
    let other_kind = Exception { kind: ExceptionKind::Unresolved, ..fixture::exception(3, "ord_1") };
    ground.given([Put::Exception(other_kind), Put::Exception(fixture::exception(4, "ord_2"))]).await;
    let open = ground.store.open_exception(ground.tenant, ExceptionKind::AmountMismatch, "ord_1").await;
    assert_eq!(open.map(|found| found.map(|found| found.id)), Ok(Some(fixture::exception(1, "ord_1").id)));
    let resolved = Exception {
        version: 1,
        resolved_at: Some(NOW),
        resolution: Some("the channel paid the rest".into()),
        ..fixture::exception(1, "ord_1")
    };
    ground.given([Put::Exception(resolved), second]).await;
    let open = ground.store.open_exception(ground.tenant, ExceptionKind::AmountMismatch, "ord_1").await;
    assert_eq!(open.map(|found| found.map(|found| found.id)), Ok(Some(fixture::exception(2, "ord_1").id)));
}

async fn a_merchant_is_its_own_tenant(ground: Ground) {
    let result = ground.put(Put::Merchant(fixture::merchant(ground.stranger))).await;
    assert!(matches!(result, Err(CommitError::Broken(_))), "{result:?}");
    assert_eq!(ground.store.merchant(ground.stranger).await, Ok(None));
}

async fn a_key_is_opened_once_and_answered_once(ground: Ground) {
    let open = |key: &str| Changes { claim: Some(Claim::Open(fixture::record(key))), ..Changes::new() };
    let close = |key: &str, body: &str| Changes {
        claim: Some(Claim::Close { key: key.into(), answer: fixture::answer(body) }),
        ..Changes::new()
    };
    assert_eq!(ground.commit(close("k", "early")).await, Err(CommitError::Claimed));
    assert_eq!(ground.commit(open("k")).await, Ok(()));
    assert_eq!(ground.store.claim(ground.tenant, "k").await, Ok(Some(fixture::record("k"))));
    assert_eq!(ground.commit(open("k")).await, Err(CommitError::Claimed));
    assert_eq!(ground.commit(close("k", "{\"a\": 1}")).await, Ok(()));
    assert_eq!(ground.commit(close("k", "another")).await, Err(CommitError::Claimed));
    assert_eq!(ground.commit(open("k")).await, Err(CommitError::Claimed));
    let answered = Record { answer: Some(fixture::answer("{\"a\": 1}")), ..fixture::record("k") };
    assert_eq!(ground.store.claim(ground.tenant, "k").await, Ok(Some(answered)));
    let answered_at_once = Record { answer: Some(fixture::answer("b")), ..fixture::record("k2") };
    let changes = Changes { claim: Some(Claim::Open(answered_at_once.clone())), ..Changes::new() };
    assert_eq!(ground.commit(changes).await, Ok(()));
    assert_eq!(ground.store.claim(ground.tenant, "k2").await, Ok(Some(answered_at_once)));
}

async fn of_many_that_open_a_key_at_once_one_gets_it(ground: Ground) {
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let ground = ground.clone();
            tokio::spawn(async move {
                let changes = Changes {
                    claim: Some(Claim::Open(fixture::record("k"))),
                    puts: vec![Put::Order(fixture::order(number))],
                    ..Changes::new()
                };
                ground.commit(changes).await
            })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        match task.await.expect("no task panics") {
            Ok(()) => won += 1,
            Err(error) => assert_eq!(error, CommitError::Claimed),
        }
    }
    let orders =
        ground.store.orders(ground.tenant, &Default::default(), &super::all()).await.expect("readable");
    assert_eq!((won, orders.len()), (1, 1));
}

async fn of_many_that_change_an_object_at_once_one_wins_each_version(ground: Ground) {
    ground.given([Put::Order(fixture::order(1))]).await;
    let tasks: Vec<_> = (0..64)
        .map(|number: i64| {
            let ground = ground.clone();
            tokio::spawn(async move {
                let changed = Order { version: 1, sequence: 100 + number, ..fixture::order(1) };
                ground.put(Put::Order(changed)).await.map(|()| 100 + number)
            })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        match task.await.expect("no task panics") {
            Ok(sequence) => winners.push(sequence),
            Err(error) => assert_eq!(error, CommitError::Stale),
        }
    }
    let order =
        ground.store.order(ground.tenant, OrderId::from_bits(1)).await.expect("readable").expect("stored");
    assert_eq!((winners, order.version), (vec![order.sequence], 2));
}

async fn a_text_with_a_nul_character_is_refused(ground: Ground) {
    let order = Order { number: "A\0B".into(), ..fixture::order(1) };
    assert!(matches!(ground.put(Put::Order(order)).await, Err(CommitError::Broken(_))));
    let audit = crate::audit::Audit { detail: "\0".into(), ..fixture::audit(1) };
    let changes = Changes { audit: vec![audit], ..Changes::new() };
    assert!(matches!(ground.commit(changes).await, Err(CommitError::Broken(_))));
    assert_eq!(ground.store.order_by_number(ground.tenant, "A\0B").await, Ok(None));
}
