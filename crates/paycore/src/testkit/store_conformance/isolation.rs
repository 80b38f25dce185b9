//! Tenants: nobody reads or changes what is another's.

use super::fixture::{self, NOW};
use super::{Ground, all, puts, suite};
use crate::event::EventFilter;
use crate::exception::ExceptionKind;
use crate::id::{EventId, OrderId};
use crate::idempotency::Claim;
use crate::order::Order;
use crate::store::{Changes, CommitError, Put, Queue};
use crate::time::Timestamp;

suite! {
    no_read_shows_another_merchants_rows,
    equal_ids_of_two_merchants_are_two_rows,
    nobody_changes_another_merchants_rows,
}

/// One row of everything, for the first merchant.
async fn fill(ground: &Ground) {
    let order = fixture::paid_order(1);
    let attempt = fixture::attempt(1, &order);
    let changes = Changes {
        claim: Some(Claim::Open(fixture::record("key"))),
        puts: vec![
            Put::Refund(fixture::refund(1, &attempt, 5)),
            Put::Attempt(attempt),
            Put::Order(order),
            Put::ApiKey(fixture::api_key(ground.tenant, 1)),
            Put::EpayKey(fixture::epay_key(ground.tenant, 1)),
            Put::ChannelAccount(fixture::channel_account(ground.tenant, 1)),
            Put::Endpoint(fixture::endpoint(1)),
            Put::Delivery(fixture::delivery(1, EventId::from_bits(1))),
            Put::Exception(fixture::exception(1, "ord_1")),
            Put::Sandbox(fixture::sandbox_record(fixture::account_id(ground.tenant, 1), "k", "v")),
        ],
        transactions: vec![fixture::transaction(1, fixture::cny(5))],
        events: vec![fixture::event(1, "ord_1", 1)],
        audit: vec![fixture::audit(1)],
    };
    ground.commit(changes).await.expect("one row of everything can be stored");
}

async fn no_read_shows_another_merchants_rows(ground: Ground) {
    fill(&ground).await;
    let (stranger, store) = (ground.stranger, &ground.store);
    let order = fixture::order(1);
    let attempt = fixture::attempt(1, &order);
    assert_eq!(store.order(stranger, order.id).await, Ok(None));
    assert_eq!(store.order_by_number(stranger, "A-1").await, Ok(None));
    assert_eq!(store.orders(stranger, &Default::default(), &all()).await, Ok(vec![]));
    assert_eq!(store.attempt(stranger, attempt.id).await, Ok(None));
    assert_eq!(store.attempt_by_reference(stranger, attempt.account_id, "R1").await, Ok(None));
    assert_eq!(store.attempts(stranger, order.id).await, Ok(vec![]));
    assert_eq!(store.refund(stranger, fixture::refund(1, &attempt, 5).id).await, Ok(None));
    assert_eq!(store.refund_by_reference(stranger, attempt.account_id, "F1").await, Ok(None));
    assert_eq!(store.refunds(stranger, &Default::default(), &all()).await, Ok(vec![]));
    assert_eq!(store.transaction(stranger, fixture::transaction(1, fixture::cny(5)).id).await, Ok(None));
    assert_eq!(store.transactions(stranger, &Default::default(), &all()).await, Ok(vec![]));
    assert_eq!(store.balances(stranger).await, Ok(vec![]));
    assert_eq!(store.event(stranger, EventId::from_bits(1)).await, Ok(None));
    assert_eq!(store.events(stranger, &EventFilter::default(), 0, 9).await, Ok(vec![]));
    assert_eq!(store.api_key(stranger, fixture::api_key(ground.tenant, 1).id).await, Ok(None));
    assert_eq!(store.api_keys(stranger, &all()).await, Ok(vec![]));
    assert_eq!(store.epay_key(stranger, fixture::epay_key(ground.tenant, 1).id).await, Ok(None));
    assert_eq!(store.epay_keys(stranger).await, Ok(vec![]));
    assert_eq!(store.refund_by_number(stranger, &fixture::refund(1, &attempt, 5).number).await, Ok(None));
    let account = fixture::account_id(ground.tenant, 1);
    assert_eq!(store.channel_account(stranger, account).await, Ok(None));
    assert_eq!(store.channel_accounts(stranger).await, Ok(vec![]));
    assert_eq!(store.sandbox_records(stranger, account).await, Ok(vec![]));
    assert_eq!(store.endpoint(stranger, fixture::endpoint(1).id).await, Ok(None));
    assert_eq!(store.endpoints(stranger).await, Ok(vec![]));
    assert_eq!(store.delivery(stranger, fixture::delivery(1, EventId::from_bits(1)).id).await, Ok(None));
    assert_eq!(store.deliveries(stranger, &Default::default(), &all()).await, Ok(vec![]));
    assert_eq!(store.exception(stranger, fixture::exception(1, "").id).await, Ok(None));
    assert_eq!(store.open_exception(stranger, ExceptionKind::AmountMismatch, "ord_1").await, Ok(None));
    assert_eq!(store.exceptions(stranger, false, &all()).await, Ok(vec![]));
    assert_eq!(store.audits(stranger, &all()).await, Ok(vec![]));
    assert_eq!(store.claim(stranger, "key").await, Ok(None));
}

async fn equal_ids_of_two_merchants_are_two_rows(ground: Ground) {
    fill(&ground).await;
    fill(&Ground { tenant: ground.stranger, stranger: ground.tenant, store: ground.store.clone() }).await;
    let changed = Order { version: 1, sequence: 44, ..fixture::order(1) };
    ground.given([Put::Order(changed)]).await;
    let sequence = async |tenant| {
        let order =
            ground.store.order(tenant, OrderId::from_bits(1)).await.expect("readable").expect("stored");
        (order.version, order.sequence)
    };
    assert_eq!(sequence(ground.tenant).await, (2, 44));
    assert_eq!(sequence(ground.stranger).await, (1, 1));
}

async fn nobody_changes_another_merchants_rows(ground: Ground) {
    let due = Order { due_at: NOW, ..fixture::order(1) };
    let waiting = crate::event::Event { due_at: NOW, ..fixture::event(1, "ord_1", 1) };
    let changes = Changes { puts: vec![Put::Order(due)], events: vec![waiting], ..Changes::new() };
    ground.commit(changes).await.expect("stored");
    for put in [
        Put::Order(Order { version: 1, sequence: 44, ..fixture::order(1) }),
        Put::EventDispatched(EventId::from_bits(1)),
    ] {
        assert_eq!(ground.store.commit(ground.stranger, puts([put])).await, Err(CommitError::Stale));
    }
    assert_eq!(ground.store.commit(ground.stranger, puts([Put::HastenDue(5)])).await, Ok(()));
    let order =
        ground.store.order(ground.tenant, OrderId::from_bits(1)).await.expect("readable").expect("stored");
    assert_eq!((order.version, order.due_at), (1, NOW));
    // Nothing of this case may stay in the queues for others.
    for queue in [Queue::Orders, Queue::Events] {
        let taken =
            ground.store.take_due(queue, NOW, Timestamp::MAX, 1_000).await.expect("the queue answers");
        assert!(taken.iter().any(|(owner, _)| *owner == ground.tenant));
    }
}
