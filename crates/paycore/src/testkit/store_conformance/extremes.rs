//! Values at the ends of their ranges, and texts nobody expects.

use super::fixture;
use super::{Ground, suite};
use crate::channel::{Action, CaptureMode};
use crate::currency::Currency;
use crate::idempotency::{Answer, Claim, Record};
use crate::money::Money;
use crate::order::{Attempt, AttemptStatus, Order, OrderStatus};
use crate::refund::{Refund, RefundStatus};
use crate::store::{Changes, Put};
use crate::time::Timestamp;

suite! {
    numbers_at_the_ends_of_64_bits_come_back,
    instants_at_the_ends_come_back_and_zero_is_not_none,
    strange_texts_come_back,
    every_state_and_every_currency_comes_back,
    long_texts_come_back,
}

/// Texts that broke somebody once.
const TEXTS: &[&str] = &[
    "",
    " ",
    "'; DROP TABLE orders; --",
    "\" \\ ' ` $1 ?1 %s {} \t\r\n",
    "茶 两盒 ｆｕｌｌ ｗｉｄｔｈ １２３",
    "👩‍👩‍👧‍👦 é e\u{301} \u{202e}abc",
    "\u{1}\u{7f}\u{feff}\u{fffd}\u{10ffff}",
    "NULL",
    "null",
];

async fn stored(ground: &Ground, order: Order) -> Order {
    let id = order.id;
    ground.given([Put::Order(order)]).await;
    ground.store.order(ground.tenant, id).await.expect("readable").expect("stored")
}

async fn numbers_at_the_ends_of_64_bits_come_back(ground: Ground) {
    let most = i64::MAX;
    let order = Order {
        money: fixture::cny(most),
        authorized: most,
        captured: most,
        refunded: 1,
        refunding: most - 1,
        sequence: most,
        ..fixture::order(u128::MAX)
    };
    assert_eq!(stored(&ground, order.clone()).await, Order { version: 1, ..order.clone() });
    let attempt =
        Attempt { capturing: most, queries: most, money: fixture::cny(most), ..fixture::attempt(0, &order) };
    ground.given([Put::Attempt(attempt.clone())]).await;
    assert_eq!(
        ground.store.attempt(ground.tenant, attempt.id).await,
        Ok(Some(Attempt { version: 1, ..attempt }))
    );
    let account =
        crate::account::ChannelAccount { priority: i64::MIN, ..fixture::channel_account(ground.tenant, 1) };
    ground.given([Put::ChannelAccount(account)]).await;
    let accounts = ground.store.channel_accounts(ground.tenant).await.expect("readable");
    assert_eq!(accounts[0].priority, i64::MIN);
    let event = crate::event::Event { sequence: most, ..fixture::event(1, "o", 1) };
    ground.commit(Changes { events: vec![event.clone()], ..Changes::new() }).await.expect("stored");
    let found = ground.store.event(ground.tenant, event.id).await.expect("readable").expect("stored");
    assert_eq!(found.sequence, most);
}

async fn instants_at_the_ends_come_back_and_zero_is_not_none(ground: Ground) {
    let times = [Timestamp::MIN, Timestamp::ZERO, Timestamp::from_micros(-1), Timestamp::MAX];
    for (number, at) in (1..).zip(times) {
        let order = Order {
            created_at: at,
            updated_at: at,
            expires_at: at,
            paid_at: Some(at),
            due_at: if at > Timestamp::ZERO { at } else { Timestamp::ZERO },
            ..fixture::order(number)
        };
        assert_eq!(stored(&ground, order.clone()).await, Order { version: 1, ..order });
    }
    assert_eq!(stored(&ground, fixture::order(9)).await.paid_at, None);
}

async fn strange_texts_come_back(ground: Ground) {
    for (number, text) in (1..).zip(TEXTS) {
        let text = (*text).to_owned();
        let mut order = Order { number: text.clone(), ..fixture::order(number) };
        order.details.subject = format!("{text}\0");
        order.details.metadata = [(text.clone(), text.clone())].into();
        order.next_action =
            Some(Action::Form { url: text.clone(), fields: vec![(text.clone(), text.clone())] });
        assert_eq!(stored(&ground, order.clone()).await, Order { version: 1, ..order.clone() });
        let by_number = ground.store.order_by_number(ground.tenant, &text).await.expect("readable");
        assert_eq!(by_number.map(|found| found.id), Some(order.id));
        let record = Record {
            key: text.clone(),
            answer: Some(Answer { status: u16::MAX, body: text.clone() }),
            ..fixture::record("")
        };
        let audit = crate::audit::Audit {
            detail: text.clone(),
            object_id: Some(text.clone()),
            ..fixture::audit(number)
        };
        let event = crate::event::Event { body: text.clone(), ..fixture::event(number, &text, 1) };
        let account = format!("account {text}");
        let mut transaction = fixture::transaction(number, fixture::cny(5));
        transaction.entries[0].account = account.clone();
        let changes = Changes {
            claim: Some(Claim::Open(record.clone())),
            transactions: vec![transaction.clone()],
            audit: vec![audit.clone()],
            events: vec![event.clone()],
            ..Changes::new()
        };
        ground.commit(changes).await.expect("stored");
        assert_eq!(ground.store.claim(ground.tenant, &text).await, Ok(Some(record)));
        let found = ground.store.event(ground.tenant, event.id).await.expect("readable").expect("stored");
        assert_eq!((found.object_id, found.body), (text.clone(), text));
        assert_eq!(ground.store.transaction(ground.tenant, transaction.id).await, Ok(Some(transaction)));
        assert!(ground.store.audits(ground.tenant, &super::all()).await.expect("readable").contains(&audit));
        let balances = ground.store.balances(ground.tenant).await.expect("readable");
        assert!(balances.iter().any(|balance| balance.account == account));
    }
}

async fn every_state_and_every_currency_comes_back(ground: Ground) {
    for (number, status) in (1..).zip(OrderStatus::ALL) {
        let order =
            Order { status: *status, closing: true, capture: CaptureMode::Manual, ..fixture::order(number) };
        assert_eq!(stored(&ground, order.clone()).await, Order { version: 1, ..order });
    }
    for (number, status) in (1..).zip(AttemptStatus::ALL) {
        let attempt = Attempt { status: *status, ..fixture::attempt(number, &fixture::order(1)) };
        ground.given([Put::Attempt(attempt.clone())]).await;
        assert_eq!(
            ground.store.attempt(ground.tenant, attempt.id).await,
            Ok(Some(Attempt { version: 1, ..attempt }))
        );
    }
    let attempt = fixture::attempt(1, &fixture::order(1));
    for (number, status) in (1..).zip(RefundStatus::ALL) {
        let refund = Refund { status: *status, ..fixture::refund(number, &attempt, 1) };
        ground.given([Put::Refund(refund.clone())]).await;
        assert_eq!(
            ground.store.refund(ground.tenant, refund.id).await,
            Ok(Some(Refund { version: 1, ..refund }))
        );
    }
    for (number, currency) in (1_000..).zip(Currency::all()) {
        let order = Order { money: Money::new(1, currency), ..fixture::order(number) };
        assert_eq!(stored(&ground, order).await.money, Money::new(1, currency));
    }
}

async fn long_texts_come_back(ground: Ground) {
    let long = "茶".repeat(100_000);
    let mut order = fixture::order(1);
    order.details.description = Some(long.clone());
    assert_eq!(stored(&ground, order).await.details.description, Some(long.clone()));
    let event = crate::event::Event { body: long.clone(), ..fixture::event(1, "o", 1) };
    ground.commit(Changes { events: vec![event.clone()], ..Changes::new() }).await.expect("stored");
    let found = ground.store.event(ground.tenant, event.id).await.expect("readable").expect("stored");
    assert_eq!(found.body.len(), long.len());
}
