//! Events: positions without gaps in order of commit, numbers per object, the outbox.

use super::fixture::{self, NOW};
use super::{Ground, puts, suite};
use crate::event::{Event, EventFilter, EventKind};
use crate::id::EventId;
use crate::store::{Changes, CommitError, Put, Queue};
use crate::time::Timestamp;

suite! {
    positions_count_up_without_gaps_under_concurrency,
    a_commit_that_fails_takes_no_position,
    a_reader_that_remembers_its_position_misses_nothing,
    events_are_filtered_by_kind_and_object,
    an_objects_event_number_is_taken_once,
    an_event_leaves_the_outbox_once,
}

async fn positions(ground: &Ground) -> Vec<i64> {
    let events =
        ground.store.events(ground.tenant, &EventFilter::default(), 0, 10_000).await.expect("readable");
    events.into_iter().map(|event| event.position).collect()
}

fn events(events: impl IntoIterator<Item = Event>) -> Changes {
    Changes { events: events.into_iter().collect(), ..Changes::new() }
}

async fn positions_count_up_without_gaps_under_concurrency(ground: Ground) {
    let tasks: Vec<_> = (1..=100)
        .map(|number: u128| {
            let ground = ground.clone();
            tokio::spawn(async move {
                let two = [2 * number, 2 * number + 1]
                    .map(|id| fixture::event(id, format!("o{number}"), (id % 2) as i64 + 1));
                ground.commit(events(two)).await.expect("stored");
                let tenant = ground.stranger;
                ground
                    .store
                    .commit(tenant, events([fixture::event(number, "o", number as i64)]))
                    .await
                    .expect("stored");
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no task panics");
    }
    assert_eq!(positions(&ground).await, (1..=200).collect::<Vec<_>>());
    let stranger = Ground { tenant: ground.stranger, ..ground.clone() };
    assert_eq!(positions(&stranger).await, (1..=100).collect::<Vec<_>>());
    // The two events of one commit stand side by side, in their order.
    let all = ground.store.events(ground.tenant, &EventFilter::default(), 0, 1_000).await.expect("readable");
    for pair in all.chunks(2) {
        assert_eq!((&pair[0].object_id, pair[0].sequence, pair[1].sequence), (&pair[1].object_id, 1, 2));
    }
}

async fn a_commit_that_fails_takes_no_position(ground: Ground) {
    ground.given([Put::Order(fixture::order(1))]).await;
    let tasks: Vec<_> = (1..=60)
        .map(|number: u128| {
            let ground = ground.clone();
            tokio::spawn(async move {
                let mut changes = events([fixture::event(number, format!("o{number}"), 1)]);
                // Every third is refused: its order's number is taken.
                let order = crate::order::Order { number: "A-1".into(), ..fixture::order(1_000 + number) };
                if number.is_multiple_of(3) {
                    changes.put(Put::Order(fixture::order(2_000 + number))).put(Put::Order(order));
                }
                ground.commit(changes).await
            })
        })
        .collect();
    for (number, task) in (1_u128..).zip(tasks) {
        let expected = if number.is_multiple_of(3) { Err(CommitError::Duplicate("number")) } else { Ok(()) };
        assert_eq!(task.await.expect("no task panics"), expected);
    }
    assert_eq!(positions(&ground).await, (1..=40).collect::<Vec<_>>());
}

async fn a_reader_that_remembers_its_position_misses_nothing(ground: Ground) {
    let writer = {
        let ground = ground.clone();
        tokio::spawn(async move {
            for number in 1..=100 {
                ground.commit(events([fixture::event(number, "o", number as i64)])).await.expect("stored");
            }
        })
    };
    let (mut last, mut seen) = (0, Vec::new());
    while seen.len() < 100 {
        let page =
            ground.store.events(ground.tenant, &EventFilter::default(), last, 7).await.expect("readable");
        assert!(page.len() <= 7);
        last = page.last().map_or(last, |event| event.position);
        seen.extend(page.into_iter().map(|event| event.sequence));
        tokio::task::yield_now().await;
    }
    writer.await.expect("the writer does not panic");
    assert_eq!(seen, (1..=100).collect::<Vec<_>>());
}

async fn events_are_filtered_by_kind_and_object(ground: Ground) {
    let paid =
        |number, object: &str| Event { kind: EventKind::OrderSucceeded, ..fixture::event(number, object, 2) };
    ground
        .commit(events([fixture::event(1, "a", 1), paid(2, "a"), fixture::event(3, "b", 1), paid(4, "b")]))
        .await
        .expect("stored");
    let paid = Some(EventKind::OrderSucceeded);
    for (kind, object_id, after, expected) in [
        (paid, None, 0, vec![2, 4]),
        (paid, None, 2, vec![4]),
        (None, Some("b"), 0, vec![3, 4]),
        (paid, Some("b"), 0, vec![4]),
        (None, Some("c"), 0, vec![]),
        (None, None, i64::MAX, vec![]),
    ] {
        let filter = EventFilter { kind, object_id: object_id.map(str::to_owned) };
        let found = ground.store.events(ground.tenant, &filter, after, 9).await.expect("readable");
        assert_eq!(found.into_iter().map(|event| event.position).collect::<Vec<_>>(), expected, "{filter:?}");
    }
    let stored = Event { position: 3, ..fixture::event(3, "b", 1) };
    assert_eq!(ground.store.event(ground.tenant, stored.id).await, Ok(Some(stored)));
}

async fn an_objects_event_number_is_taken_once(ground: Ground) {
    ground.commit(events([fixture::event(1, "o", 1)])).await.expect("stored");
    let again = events([fixture::event(2, "o", 1)]);
    assert_eq!(ground.commit(again).await, Err(CommitError::Duplicate("sequence")));
    assert_eq!(ground.commit(events([fixture::event(2, "o", 2), fixture::event(3, "p", 1)])).await, Ok(()));
    let result = ground.commit(events([fixture::event(4, "o", 0)])).await;
    assert!(matches!(result, Err(CommitError::Broken(_))), "{result:?}");
}

async fn an_event_leaves_the_outbox_once(ground: Ground) {
    let waiting = Event { due_at: NOW, ..fixture::event(1, "o", 1) };
    ground.commit(events([waiting.clone()])).await.expect("stored");
    let due = async |now: Timestamp| {
        let due = ground.store.due_events(now, 1_000).await.expect("readable").into_iter();
        due.filter(|(owner, _)| *owner == ground.tenant).map(|(_, event)| event).collect::<Vec<_>>()
    };
    assert_eq!(due(NOW).await, [Event { position: 1, ..waiting }]);
    assert_eq!(due(Timestamp::from_micros(NOW.micros() - 1)).await, []);
    let dispatch = |delivery| {
        let id = EventId::from_bits(1);
        puts([Put::EventDispatched(id), Put::Delivery(fixture::delivery(delivery, id))])
    };
    assert_eq!(ground.commit(dispatch(1)).await, Ok(()));
    // A worker that comes late must not make the deliveries a second time.
    assert_eq!(ground.commit(dispatch(2)).await, Err(CommitError::Stale));
    let deliveries =
        ground.store.deliveries(ground.tenant, &Default::default(), &super::all()).await.expect("readable");
    assert_eq!(deliveries.len(), 1);
    let taken =
        ground.store.take_due(Queue::Events, NOW, Timestamp::MAX, 1_000).await.expect("the queue answers");
    assert!(taken.iter().all(|(owner, _)| *owner != ground.tenant));
    let event =
        ground.store.event(ground.tenant, EventId::from_bits(1)).await.expect("readable").expect("stored");
    assert_eq!(event.due_at, Timestamp::ZERO);
    assert_eq!(due(Timestamp::MAX).await, []);
}
