//! Lists: newest first, page by page in both directions, filtered.

use super::fixture::{self, NOW};
use super::{Ground, all, puts, scan, suite};
use crate::account::ChannelAccount;
use crate::exception::Exception;
use crate::id::{EndpointId, EventId, OrderId};
use crate::ledger::{Transaction, TransactionFilter};
use crate::order::{Attempt, Order, OrderFilter, OrderStatus};
use crate::refund::{Refund, RefundFilter};
use crate::store::{Changes, Page, Put};
use crate::verify::Table;
use crate::webhook::{Delivery, DeliveryFilter, DeliveryStatus};

suite! {
    pages_of_orders_follow_each_other_in_both_directions,
    orders_are_filtered_by_state_and_number,
    every_list_is_newest_first_and_takes_a_page,
    attempts_of_an_order_are_oldest_first,
    refunds_and_journals_are_filtered_by_order,
    deliveries_are_filtered_by_event_endpoint_and_state,
    exceptions_are_filtered_to_the_open_ones,
    accounts_are_listed_by_priority,
    merchants_are_listed_over_all_tenants,
    a_scan_reads_every_row_once_whatever_the_page_size,
}

fn page(limit: usize, after: Option<u128>, before: Option<u128>) -> Page {
    let text = |bits: u128| OrderId::from_bits(bits).to_string();
    Page { limit, after: after.map(text), before: before.map(text) }
}

async fn orders(ground: &Ground, filter: &OrderFilter, page: &Page) -> Vec<OrderId> {
    let orders = ground.store.orders(ground.tenant, filter, page).await.expect("readable");
    orders.into_iter().map(|order| order.id).collect()
}

fn ids(numbers: impl IntoIterator<Item = u128>) -> Vec<OrderId> {
    numbers.into_iter().map(OrderId::from_bits).collect()
}

async fn pages_of_orders_follow_each_other_in_both_directions(ground: Ground) {
    ground.given((1..=10).map(|number| Put::Order(fixture::order(number)))).await;
    ground.store.commit(ground.stranger, puts([Put::Order(fixture::order(11))])).await.expect("stored");
    let none = OrderFilter::default();
    for (page, expected) in [
        (page(4, None, None), ids([10, 9, 8, 7])),
        (page(4, Some(7), None), ids([6, 5, 4, 3])),
        (page(4, Some(3), None), ids([2, 1])),
        (page(4, Some(1), None), ids([])),
        (page(4, None, Some(3)), ids([7, 6, 5, 4])),
        (page(4, None, Some(7)), ids([10, 9, 8])),
        (page(4, None, Some(10)), ids([])),
        (page(9, Some(9), Some(5)), ids([8, 7, 6])),
        (page(2, Some(9), Some(5)), ids([7, 6])),
        (page(0, None, None), ids([])),
        (page(usize::MAX, None, None), ids((1..=10).rev())),
    ] {
        assert_eq!(orders(&ground, &none, &page).await, expected, "{page:?}");
    }
}

async fn orders_are_filtered_by_state_and_number(ground: Ground) {
    let closed = |number| Put::Order(Order { status: OrderStatus::Closed, ..fixture::order(number) });
    ground.given([closed(1), Put::Order(fixture::order(2)), closed(3), closed(4)]).await;
    let by_status = OrderFilter { status: Some(OrderStatus::Closed), number: None };
    assert_eq!(orders(&ground, &by_status, &page(2, None, None)).await, ids([4, 3]));
    assert_eq!(orders(&ground, &by_status, &page(2, Some(3), None)).await, ids([1]));
    let by_number = OrderFilter { status: None, number: Some("A-2".into()) };
    assert_eq!(orders(&ground, &by_number, &all()).await, ids([2]));
    let by_both = OrderFilter { number: Some("A-2".into()), ..by_status };
    assert_eq!(orders(&ground, &by_both, &all()).await, ids([]));
    let strange = OrderFilter { status: None, number: Some("' OR '1'='1".into()) };
    assert_eq!(orders(&ground, &strange, &all()).await, ids([]));
}

async fn every_list_is_newest_first_and_takes_a_page(ground: Ground) {
    let (tenant, store) = (ground.tenant, &ground.store);
    let attempt = fixture::attempt(1, &fixture::order(1));
    for number in 1..=3 {
        let changes = Changes {
            puts: vec![
                Put::Refund(fixture::refund(number, &attempt, 5)),
                Put::ApiKey(fixture::api_key(tenant, number)),
                Put::Endpoint(fixture::endpoint(number)),
                Put::Delivery(fixture::delivery(number, EventId::from_bits(number))),
                Put::Exception(fixture::exception(number, &format!("ord_{number}"))),
            ],
            transactions: vec![fixture::transaction(number, fixture::cny(5))],
            audit: vec![fixture::audit(number)],
            ..Changes::new()
        };
        ground.commit(changes).await.expect("stored");
    }
    macro_rules! check {
        ($list:expr, $id:expr) => {{
            let list = $list;
            let id = $id;
            let after = Page { limit: 9, after: Some(id(3).to_string()), before: None };
            let before = Page { limit: 1, after: None, before: Some(id(1).to_string()) };
            for (page, expected) in [(all(), vec![3, 2, 1]), (after, vec![2, 1]), (before, vec![2])] {
                let rows = list(page).await.expect("readable");
                let found: Vec<_> = rows.into_iter().map(|row| row.id).collect();
                assert_eq!(found, expected.into_iter().map(id).collect::<Vec<_>>());
            }
        }};
    }
    let any = &Default::default();
    check!(async |page| store.refunds(tenant, any, &page).await, crate::id::RefundId::from_bits);
    let any = &Default::default();
    check!(async |page| store.transactions(tenant, any, &page).await, crate::id::TransactionId::from_bits);
    let any = &Default::default();
    check!(async |page| store.deliveries(tenant, any, &page).await, crate::id::DeliveryId::from_bits);
    check!(async |page| store.api_keys(tenant, &page).await, crate::id::ApiKeyId::from_bits);
    check!(async |page| store.exceptions(tenant, false, &page).await, crate::id::ExceptionId::from_bits);
    check!(async |page| store.audits(tenant, &page).await, crate::id::AuditId::from_bits);
    let endpoints = store.endpoints(tenant).await.expect("readable");
    let found: Vec<_> = endpoints.into_iter().map(|endpoint| endpoint.id).collect();
    assert_eq!(found, [3, 2, 1].map(EndpointId::from_bits));
}

async fn attempts_of_an_order_are_oldest_first(ground: Ground) {
    let (order, other) = (fixture::order(1), fixture::order(2));
    let attempts = [(2, &order), (1, &order), (3, &other)];
    ground.given(attempts.map(|(number, order)| Put::Attempt(fixture::attempt(number, order)))).await;
    let found = ground.store.attempts(ground.tenant, order.id).await.expect("readable");
    let expected = [1, 2].map(|number| Attempt { version: 1, ..fixture::attempt(number, &order) });
    assert_eq!(found, expected);
}

async fn refunds_and_journals_are_filtered_by_order(ground: Ground) {
    for number in 1..=4 {
        let order_id = OrderId::from_bits(number % 2);
        let attempt = fixture::attempt(number, &fixture::order(number % 2));
        let transaction =
            Transaction { order_id: Some(order_id), ..fixture::transaction(number, fixture::cny(5)) };
        let puts = vec![Put::Refund(fixture::refund(number, &attempt, 5))];
        let changes = Changes { puts, transactions: vec![transaction], ..Changes::new() };
        ground.commit(changes).await.expect("stored");
    }
    let order_id = Some(OrderId::from_bits(1));
    let refunds =
        ground.store.refunds(ground.tenant, &RefundFilter { order_id }, &all()).await.expect("readable");
    let refunds: Vec<_> = refunds.into_iter().map(|Refund { number, .. }| number).collect();
    assert_eq!(refunds, ["B-3", "B-1"]);
    let filter = TransactionFilter { order_id, kind: None };
    let journals = ground.store.transactions(ground.tenant, &filter, &all()).await.expect("readable");
    let expected = [3, 1].map(|number| Transaction {
        order_id: Some(OrderId::from_bits(1)),
        ..fixture::transaction(number, fixture::cny(5))
    });
    assert_eq!(journals, expected);
}

async fn deliveries_are_filtered_by_event_endpoint_and_state(ground: Ground) {
    let (event, endpoint) = (EventId::from_bits(9), EndpointId::from_bits(9));
    let plain = |number| fixture::delivery(number, EventId::from_bits(1));
    ground
        .given([
            Put::Delivery(plain(1)),
            Put::Delivery(Delivery { event_id: event, ..plain(2) }),
            Put::Delivery(Delivery { endpoint_id: Some(endpoint), ..plain(3) }),
            Put::Delivery(Delivery { status: DeliveryStatus::Failed, ..plain(4) }),
            Put::Delivery(Delivery {
                endpoint_id: None,
                event_id: event,
                status: DeliveryStatus::Failed,
                ..plain(5)
            }),
        ])
        .await;
    let none = DeliveryFilter::default();
    for (filter, expected) in [
        (DeliveryFilter { event_id: Some(event), ..none.clone() }, vec![5, 2]),
        (DeliveryFilter { endpoint_id: Some(endpoint), ..none.clone() }, vec![3]),
        (DeliveryFilter { status: Some(DeliveryStatus::Failed), ..none.clone() }, vec![5, 4]),
        (DeliveryFilter { event_id: Some(event), status: Some(DeliveryStatus::Failed), ..none }, vec![5]),
    ] {
        let found = ground.store.deliveries(ground.tenant, &filter, &all()).await.expect("readable");
        let found: Vec<_> = found.into_iter().map(|delivery| delivery.id).collect();
        assert_eq!(found, expected.into_iter().map(crate::id::DeliveryId::from_bits).collect::<Vec<_>>());
    }
}

async fn exceptions_are_filtered_to_the_open_ones(ground: Ground) {
    let resolved = Exception { resolved_at: Some(NOW), ..fixture::exception(2, "ord_2") };
    ground
        .given([
            Put::Exception(fixture::exception(1, "ord_1")),
            Put::Exception(resolved),
            Put::Exception(fixture::exception(3, "ord_3")),
        ])
        .await;
    let found = ground.store.exceptions(ground.tenant, true, &all()).await.expect("readable");
    let found: Vec<_> = found.into_iter().map(|exception| exception.object_id).collect();
    assert_eq!(found, ["ord_3", "ord_1"]);
}

async fn accounts_are_listed_by_priority(ground: Ground) {
    let account = |number, priority| {
        Put::ChannelAccount(ChannelAccount { priority, ..fixture::channel_account(ground.tenant, number) })
    };
    ground.given([account(1, 9), account(2, -1), account(3, 5), account(4, 5)]).await;
    let found = ground.store.channel_accounts(ground.tenant).await.expect("readable");
    let found: Vec<_> = found.into_iter().map(|account| account.id).collect();
    assert_eq!(found, [2, 3, 4, 1].map(|number| fixture::account_id(ground.tenant, number)));
}

async fn merchants_are_listed_over_all_tenants(ground: Ground) {
    ground.given([Put::Merchant(fixture::merchant(ground.tenant))]).await;
    let other = puts([Put::Merchant(fixture::merchant(ground.stranger))]);
    ground.store.commit(ground.stranger, other).await.expect("stored");
    let before =
        Page { limit: 2, after: None, before: Some(crate::id::MerchantId::from_bits(0).to_string()) };
    let oldest = ground.store.merchants(&before).await.expect("readable");
    assert_eq!(oldest.len(), 2);
    let newest = ground.store.merchants(&all()).await.expect("readable");
    assert!(newest.is_sorted_by(|newer, older| newer.id > older.id));
    for id in [ground.tenant, ground.stranger] {
        assert!(newest.iter().any(|merchant| merchant.id == id));
    }
    let after = Page { limit: 1, after: Some(ground.stranger.to_string()), before: None };
    let found = ground.store.merchants(&after).await.expect("readable");
    assert_eq!(found.first().map(|merchant| merchant.id), Some(ground.tenant));
}

async fn a_scan_reads_every_row_once_whatever_the_page_size(ground: Ground) {
    for (number, tenant) in (1..=6).flat_map(|number| [(number, ground.tenant), (number, ground.stranger)]) {
        let order = fixture::order(number);
        let attempt = fixture::attempt(number, &order);
        let money =
            crate::money::Money::new(5, crate::currency::Currency::all().nth(number as usize).expect("many"));
        let changes = Changes {
            claim: Some(crate::idempotency::Claim::Open(fixture::record(&format!("key {number}")))),
            puts: vec![
                Put::Refund(fixture::refund(number, &attempt, 5)),
                Put::Attempt(attempt),
                Put::Order(order),
                Put::Delivery(fixture::delivery(number, EventId::from_bits(number))),
            ],
            transactions: vec![fixture::transaction(number, money)],
            events: vec![fixture::event(number, "o", number as i64)],
            ..Changes::new()
        };
        ground.store.commit(tenant, changes).await.expect("stored");
    }
    for table in Table::ALL {
        let whole: Vec<_> =
            scan(&*ground.store, *table, 1_000).await.iter().map(|row| format!("{row:?}")).collect();
        assert!(whole.len() >= 12, "{table:?}");
        for limit in [1, 2, 5, 12] {
            let paged: Vec<_> =
                scan(&*ground.store, *table, limit).await.iter().map(|row| format!("{row:?}")).collect();
            assert_eq!(paged, whole, "{table:?} in pages of {limit}");
        }
    }
}
