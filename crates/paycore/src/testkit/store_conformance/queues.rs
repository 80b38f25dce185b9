//! Queues: leases, order, concurrency, the test clock.

use std::collections::BTreeSet;
use std::time::Duration;

use super::fixture::{self, NOW};
use super::{Ground, puts, suite};
use crate::document::Record;
use crate::event::Event;
use crate::exception::Exception;
use crate::id::{EventId, OrderId, RefundId};
use crate::order::{Attempt, AttemptStatus, Order};
use crate::refund::{Refund, RefundStatus};
use crate::store::{Backlog, Changes, CommitError, Put, Queue};
use crate::time::Timestamp;
use crate::webhook::Delivery;

suite! {
    what_is_due_is_leased_and_comes_back,
    the_oldest_are_taken_first_up_to_the_limit,
    eight_workers_take_every_job_once,
    a_worker_that_comes_back_late_is_stale,
    a_backlog_counts_what_is_due_and_how_long,
    trouble_is_counted_over_all_merchants,
    hastening_moves_what_waits_and_nothing_else,
    records_of_a_simulator_are_replaced_and_listed_by_key,
    simulated_accounts_are_listed_over_all_merchants,
}

/// One row due at this instant in every queue.
fn due_everywhere(number: u128, due_at: Timestamp) -> Changes {
    let order = Order { due_at, ..fixture::paid_order(number) };
    let attempt = Attempt { due_at, ..fixture::attempt(number, &order) };
    Changes {
        puts: vec![
            Put::Refund(Refund { due_at, ..fixture::refund(number, &attempt, 5) }),
            Put::Attempt(attempt),
            Put::Order(order),
            Put::Delivery(Delivery { due_at, ..fixture::delivery(number, EventId::from_bits(number)) }),
            Put::Document(Record { due_at, ..fixture::document(number) }),
        ],
        events: vec![Event { due_at, ..fixture::event(number, format!("o{number}"), 1) }],
        ..Changes::new()
    }
}

/// The ids of this case's rows that were taken.
async fn take(
    ground: &Ground,
    queue: Queue,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> BTreeSet<String> {
    let taken = ground.store.take_due(queue, now, until, limit).await.expect("the queue answers");
    taken.into_iter().filter(|(owner, _)| *owner == ground.tenant).map(|(_, id)| id).collect()
}

/// Takes everything out of the queues for good, so that cases do not meet in them.
async fn clear(ground: &Ground) {
    for queue in Queue::ALL {
        take(ground, *queue, Timestamp::MAX, Timestamp::MAX, 100_000).await;
    }
}

async fn what_is_due_is_leased_and_comes_back(ground: Ground) {
    clear(&ground).await;
    let (soon, later) = (NOW.plus(Duration::from_secs(1)), NOW.plus(Duration::from_secs(60)));
    ground.commit(due_everywhere(1, NOW)).await.expect("stored");
    for queue in Queue::ALL {
        assert_eq!(
            take(&ground, *queue, NOW.minus(Duration::from_micros(1)), later, 9).await.len(),
            0,
            "{queue:?}"
        );
        let taken = take(&ground, *queue, NOW, later, 9).await;
        assert_eq!(taken.len(), 1, "{queue:?}");
        assert_eq!(take(&ground, *queue, soon, later, 9).await.len(), 0, "{queue:?}: leased");
        assert_eq!(
            take(&ground, *queue, later, Timestamp::MAX, 9).await,
            taken,
            "{queue:?}: the lease is over"
        );
    }
    let refund =
        ground.store.refund(ground.tenant, RefundId::from_bits(1)).await.expect("readable").expect("stored");
    assert_eq!((refund.version, refund.due_at), (1, Timestamp::MAX));
}

async fn the_oldest_are_taken_first_up_to_the_limit(ground: Ground) {
    clear(&ground).await;
    let at = |second| NOW.plus(Duration::from_secs(second));
    for (number, second) in [(1, 5), (2, 3), (3, 4), (4, 1), (5, 2), (6, 9)] {
        ground.given([Put::Order(Order { due_at: at(second), ..fixture::order(number) })]).await;
    }
    let orders = |numbers: [u128; 2]| numbers.map(|number| OrderId::from_bits(number).to_string()).into();
    assert_eq!(take(&ground, Queue::Orders, at(8), Timestamp::MAX, 2).await, orders([4, 5]));
    assert_eq!(take(&ground, Queue::Orders, at(8), Timestamp::MAX, 2).await, orders([2, 3]));
    assert_eq!(take(&ground, Queue::Orders, at(8), Timestamp::MAX, 2).await.len(), 1);
    assert_eq!(take(&ground, Queue::Orders, at(8), Timestamp::MAX, 0).await.len(), 0);
}

async fn eight_workers_take_every_job_once(ground: Ground) {
    clear(&ground).await;
    for first in (0..400).step_by(100) {
        let due = |number| Put::Order(Order { due_at: NOW, ..fixture::order(number) });
        ground.given((first..first + 100).map(due)).await;
    }
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let ground = ground.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let taken = take(&ground, Queue::Orders, NOW, Timestamp::MAX, 7).await;
                    let left = ground.store.backlog(Queue::Orders, NOW).await.expect("the queue answers").due;
                    if taken.is_empty() && left == 0 {
                        return mine;
                    }
                    mine.extend(taken);
                }
            })
        })
        .collect();
    let mut taken = Vec::new();
    for worker in workers {
        taken.extend(worker.await.expect("no worker panics"));
    }
    let different: BTreeSet<_> = taken.iter().cloned().collect();
    assert_eq!((taken.len(), different.len()), (400, 400));
}

async fn a_worker_that_comes_back_late_is_stale(ground: Ground) {
    clear(&ground).await;
    ground.given([Put::Order(Order { due_at: NOW, ..fixture::order(1) })]).await;
    take(&ground, Queue::Orders, NOW, NOW.plus(Duration::from_secs(1)), 9).await;
    let id = OrderId::from_bits(1);
    let slow = ground.store.order(ground.tenant, id).await.expect("readable").expect("stored");
    take(&ground, Queue::Orders, NOW.plus(Duration::from_secs(1)), Timestamp::MAX, 9).await;
    let quick = ground.store.order(ground.tenant, id).await.expect("readable").expect("stored");
    assert_eq!(slow.version, quick.version);
    ground.given([Put::Order(Order { due_at: Timestamp::ZERO, ..quick })]).await;
    assert_eq!(ground.put(Put::Order(slow)).await, Err(CommitError::Stale));
}

async fn a_backlog_counts_what_is_due_and_how_long(ground: Ground) {
    clear(&ground).await;
    let at = |second| NOW.plus(Duration::from_secs(second));
    assert_eq!(ground.store.backlog(Queue::Deliveries, at(9)).await, Ok(Backlog::default()));
    ground.commit(due_everywhere(1, at(3))).await.expect("stored");
    ground.commit(due_everywhere(2, at(5))).await.expect("stored");
    ground.commit(due_everywhere(3, at(8))).await.expect("stored");
    for queue in Queue::ALL {
        let backlog = ground.store.backlog(*queue, at(5)).await;
        assert_eq!(backlog, Ok(Backlog { due: 2, oldest_wait: 2_000_000 }), "{queue:?}");
    }
    clear(&ground).await;
}

async fn trouble_is_counted_over_all_merchants(ground: Ground) {
    let before = ground.store.trouble().await.expect("readable");
    let (status, created_at) = (AttemptStatus::Unknown, Timestamp::from_micros(7));
    let order = fixture::paid_order(1);
    let attempt = Attempt { status, created_at, due_at: NOW, ..fixture::attempt(1, &order) };
    let refund = Refund { status: RefundStatus::Unknown, due_at: NOW, ..fixture::refund(1, &attempt, 5) };
    let resolved = Exception { resolved_at: Some(NOW), ..fixture::exception(2, "att_2") };
    ground.given([Put::Order(order), Put::Attempt(attempt), Put::Refund(refund)]).await;
    let exceptions = puts([Put::Exception(fixture::exception(1, "att_1")), Put::Exception(resolved)]);
    ground.store.commit(ground.stranger, exceptions).await.expect("stored");
    let after = ground.store.trouble().await.expect("readable");
    assert_eq!((after.unknown - before.unknown, after.exceptions - before.exceptions), (2, 1));
    assert_eq!(after.unknown_since, Some(created_at));
    clear(&ground).await;
}

async fn hastening_moves_what_waits_and_nothing_else(ground: Ground) {
    clear(&ground).await;
    let hour = Duration::from_secs(3_600);
    ground.commit(due_everywhere(1, NOW.plus(hour))).await.expect("stored");
    ground.commit(due_everywhere(2, Timestamp::from_micros(1_000))).await.expect("stored");
    ground.commit(due_everywhere(3, Timestamp::ZERO)).await.expect("stored");
    ground.store.commit(ground.stranger, due_everywhere(4, NOW.plus(hour))).await.expect("stored");
    let by = i64::try_from(hour.as_micros()).expect("an hour fits");
    // A row of the same commit is moved like the others, in the order of the puts.
    let late = Order { due_at: NOW.plus(hour), ..fixture::order(5) };
    let later = Order { due_at: NOW.plus(hour), ..fixture::order(6) };
    ground.given([Put::Order(late), Put::HastenDue(by), Put::Order(later)]).await;
    let due = async |number| {
        let (tenant, store) = (ground.tenant, &ground.store);
        let order = store.order(tenant, OrderId::from_bits(number)).await.expect("readable").expect("stored");
        order.due_at.micros()
    };
    assert_eq!(due(1).await, NOW.micros());
    assert_eq!(due(2).await, 1);
    assert_eq!(due(3).await, 0);
    assert_eq!(due(5).await, NOW.micros());
    assert_eq!(due(6).await, NOW.plus(hour).micros());
    for (queue, expected) in [
        (Queue::Orders, 3),
        (Queue::Attempts, 2),
        (Queue::Refunds, 2),
        (Queue::Events, 2),
        (Queue::Deliveries, 2),
    ] {
        let taken = ground.store.take_due(queue, NOW, Timestamp::MAX, 100).await.expect("the queue answers");
        assert!(taken.iter().all(|(owner, _)| *owner != ground.stranger), "{queue:?}");
        assert_eq!(taken.iter().filter(|(owner, _)| *owner == ground.tenant).count(), expected, "{queue:?}");
    }
    assert_eq!(ground.put(Put::HastenDue(0)).await, Ok(()));
    assert_eq!(ground.put(Put::HastenDue(i64::MAX)).await, Ok(()));
    assert!(matches!(ground.put(Put::HastenDue(-1)).await, Err(CommitError::Broken(_))));
    clear(&ground).await;
}

async fn records_of_a_simulator_are_replaced_and_listed_by_key(ground: Ground) {
    let account = fixture::account_id(ground.tenant, 1);
    let other = fixture::account_id(ground.tenant, 2);
    let put = |account, key: &str, value: &str| Put::Sandbox(fixture::sandbox_record(account, key, value));
    ground
        .given([put(account, "b", "1"), put(account, "a", "2"), put(other, "b", "3"), put(account, "Z", "4")])
        .await;
    ground.given([put(account, "b", "5"), put(account, "b", "6"), put(account, "支付", "7")]).await;
    let stored = ground.store.sandbox_records(ground.tenant, account).await.expect("readable");
    let stored: Vec<_> = stored.iter().map(|record| (&*record.key, &*record.value)).collect();
    assert_eq!(stored, [("Z", "4"), ("a", "2"), ("b", "6"), ("支付", "7")]);
}

async fn simulated_accounts_are_listed_over_all_merchants(ground: Ground) {
    for tenant in [ground.tenant, ground.stranger] {
        let plain = fixture::channel_account(tenant, 1);
        let simulated = fixture::channel_account(tenant, 2);
        let simulated =
            crate::account::ChannelAccount { sealed_simulator: Some("sealed".into()), ..simulated };
        let changes = puts([Put::ChannelAccount(plain), Put::ChannelAccount(simulated)]);
        ground.store.commit(tenant, changes).await.expect("stored");
    }
    let found = ground.store.sandbox_accounts().await.expect("readable");
    let own = found.iter().filter(|(owner, _)| [ground.tenant, ground.stranger].contains(owner)).count();
    assert_eq!(own, 2);
    assert!(found.contains(&(ground.stranger, fixture::account_id(ground.stranger, 2))));
}
