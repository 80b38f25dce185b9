//! The checker has to find what is planted: one true world, and one lie at a time.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use paycore::channel::CaptureMode;
use paycore::clearing::{Item, ItemKind};
use paycore::currency::Currency;
use paycore::document::Record;
use paycore::event::{Event, EventKind, Movement};
use paycore::fx::Exchange;
use paycore::id::{
    AttemptId, ChannelAccountId, DeliveryId, EventId, FxQuoteId, ItemId, MandateId, MerchantId, OrderId,
    RefundId, SettlementId, SettlementPlanId, TransactionId,
};
use paycore::idempotency::{Answer, Record as Claimed};
use paycore::ledger::seal::Seal;
use paycore::ledger::{Balance, Entry, Side, Transaction};
use paycore::mandate::Mandate;
use paycore::money::Money;
use paycore::order::{Attempt, AttemptCard, AttemptStatus, Order, OrderDetails, OrderMandate, OrderStatus};
use paycore::refund::{Refund, RefundStatus};
use paycore::settlement::{Conversion, Converted, Settlement, SettlementStatus};
use paycore::time::Timestamp;
use paycore::verify::{Checker, Row};
use paycore::webhook::{Delivery, DeliveryStatus};

const TENANT: MerchantId = MerchantId::from_bits(1);
const AT: Timestamp = Timestamp::ZERO;

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

/// An order of 100.00, paid and refunded by 40.00, with everything that belongs to it.
#[derive(Clone)]
struct World {
    seals: Vec<Seal>,
    items: Vec<Item>,
    settlements: Vec<Settlement>,
    order: Order,
    attempts: Vec<Attempt>,
    refund: Refund,
    transactions: Vec<Transaction>,
    balances: Vec<Balance>,
    events: Vec<Event>,
    claim: Claimed,
    delivery: Delivery,
}

impl World {
    fn rows(self) -> Vec<Row> {
        let seals = self.seals.iter().map(|seal| Row::Document(TENANT, Record::of(seal)));
        let mut rows: Vec<Row> = seals.collect();
        rows.extend(self.items.iter().map(|item| Row::Document(TENANT, Record::of(item))));
        rows.extend(self.settlements.iter().map(|made| Row::Document(TENANT, Record::of(made))));
        rows.push(Row::Order(TENANT, self.order));
        rows.extend(self.attempts.into_iter().map(|attempt| Row::Attempt(TENANT, attempt)));
        rows.push(Row::Refund(TENANT, self.refund));
        rows.extend(self.transactions.into_iter().map(|transaction| Row::Transaction(TENANT, transaction)));
        rows.extend(self.balances.into_iter().map(|balance| Row::Balance(TENANT, balance)));
        rows.extend(self.events.into_iter().map(|event| Row::Event(TENANT, event)));
        rows.push(Row::Claim(TENANT, self.claim));
        rows.push(Row::Delivery(TENANT, self.delivery));
        rows
    }
}

fn truth() -> World {
    World {
        seals: vec![],
        items: vec![
            item(1, ItemKind::Payment, AttemptId::from_bits(1).to_string(), 10_000),
            item(2, ItemKind::Refund, refund().id.to_string(), -4_000),
        ],
        settlements: vec![settlement()],
        order: order(),
        attempts: vec![attempt(1, AttemptStatus::Succeeded)],
        refund: refund(),
        transactions: vec![
            transaction(1, Movement::Payment, 10_000, "channel_receivable:testpay", "merchant_pending"),
            transaction(2, Movement::Refund, 4_000, "merchant_pending", "channel_receivable:testpay"),
        ],
        balances: vec![
            balance("channel_receivable:testpay", 10_000, 4_000),
            balance("merchant_pending", 4_000, 10_000),
        ],
        events: vec![event(1, 1), event(2, 2)],
        claim: Claimed {
            key: "k".into(),
            operation: "orders.create".into(),
            request_hash: "h".into(),
            object_id: "o".into(),
            answer: Some(Answer { status: 200, body: "{}".into() }),
            created_at: AT,
        },
        delivery: Delivery {
            id: DeliveryId::from_bits(1),
            version: 1,
            event_id: EventId::from_bits(1),
            endpoint_id: None,
            url: "https://shop.test".into(),
            status: DeliveryStatus::Succeeded,
            tries: vec![],
            created_at: AT,
            due_at: AT,
        },
    }
}

fn item(bits: u128, kind: ItemKind, source: String, minor: i64) -> Item {
    Item {
        order_id: Some(OrderId::from_bits(1)),
        settlement_id: Some(SettlementId::from_bits(1)),
        ..Item::new(ItemId::from_bits(bits), kind, source, cny(minor), AT)
    }
}

/// The one that both items are in.
fn settlement() -> Settlement {
    let json = serde_json::json!({
        "id": SettlementId::from_bits(1), "plan_id": SettlementPlanId::from_bits(1), "number": "CNY:1970-01-01",
        "currency": "CNY", "status": "carried", "trigger": "manual",
        "period": {"after": null, "until": AT, "through": "1970-01-01", "pay_on": "1970-01-01", "provisional": false},
        "collected": {"items": 2, "lines": {}, "net": 6_000, "early": 0, "unfunded": 0},
        "items_expected": 2, "transfer_fee_payer": "platform", "sequence": 0, "created_at": AT,
    });
    serde_json::from_value(json).unwrap()
}

fn order() -> Order {
    Order {
        id: OrderId::from_bits(1),
        version: 3,
        number: "N1".into(),
        status: OrderStatus::PartiallyRefunded,
        money: cny(10_000),
        authorized: 10_000,
        captured: 10_000,
        refunded: 4_000,
        refunding: 0,
        charged_back: 0,
        closing: false,
        methods: vec![],
        capture: CaptureMode::Automatic,
        attempt_id: Some(AttemptId::from_bits(1)),
        next_action: None,
        decline: None,
        details: OrderDetails::default(),
        expires_at: AT,
        created_at: AT,
        updated_at: AT,
        paid_at: Some(AT),
        sequence: 2,
        due_at: AT,
    }
}

fn attempt(bits: u128, status: AttemptStatus) -> Attempt {
    Attempt {
        id: AttemptId::from_bits(bits),
        version: 2,
        order_id: OrderId::from_bits(1),
        channel: "testpay".into(),
        account_id: ChannelAccountId::from_bits(1),
        reference: bits.to_string(),
        method: "testpay.card".parse().unwrap(),
        status,
        money: cny(10_000),
        capturing: 0,
        ending_at: None,
        card: None,
        channel_id: None,
        decline: None,
        fault: None,
        queries: 0,
        created_at: AT,
        updated_at: AT,
        due_at: AT,
    }
}

fn refund() -> Refund {
    Refund {
        id: RefundId::from_bits(1),
        version: 2,
        order_id: OrderId::from_bits(1),
        attempt_id: AttemptId::from_bits(1),
        number: "R1".into(),
        reference: "r1".into(),
        status: RefundStatus::Succeeded,
        money: cny(4_000),
        reason: None,
        metadata: Default::default(),
        channel_id: None,
        decline: None,
        fault: None,
        queries: 0,
        created_at: AT,
        updated_at: AT,
        sequence: 0,
        due_at: AT,
    }
}

fn transaction(bits: u128, kind: Movement, minor: i64, debit: &str, credit: &str) -> Transaction {
    let entry = |account: &str, side| Entry { account: account.into(), side, money: cny(minor) };
    Transaction {
        id: TransactionId::from_bits(bits),
        kind,
        event_id: EventId::from_bits(bits),
        order_id: Some(OrderId::from_bits(1)),
        refund_id: (kind == Movement::Refund).then(|| refund().id),
        money: cny(minor),
        created_at: AT,
        effective_at: AT,
        reverses: None,
        entries: vec![entry(debit, Side::Debit), entry(credit, Side::Credit)],
    }
}

fn balance(account: &str, debits: i64, credits: i64) -> Balance {
    Balance {
        account: account.into(),
        currency: Currency::CNY,
        debits,
        credits,
        version: 0,
        overdraft: None,
        frozen: false,
    }
}

fn event(bits: u128, sequence: i64) -> Event {
    Event {
        id: EventId::from_bits(bits),
        kind: EventKind::OrderSucceeded,
        object_id: OrderId::from_bits(1).to_string(),
        sequence,
        body: "{}".into(),
        notify_url: None,
        booking: None,
        created_at: AT,
        position: sequence,
        due_at: AT,
    }
}

fn broken_rules(world: World) -> Vec<&'static str> {
    broken_among(world.rows())
}

fn broken_among(rows: impl IntoIterator<Item = Row>) -> Vec<&'static str> {
    let mut checker = Checker::default();
    for row in rows {
        checker.row(row);
    }
    let mut rules: Vec<_> = checker.finish().violations.iter().map(|violation| violation.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// Plants one lie and names a rule that must be among those found broken.
#[track_caller]
fn finds(rule: &str, lie: impl FnOnce(&mut World)) {
    let mut world = truth();
    lie(&mut world);
    let found = broken_rules(world);
    assert!(found.contains(&rule), "wanted {rule}, found {found:?}");
}

#[test]
fn a_card_token_that_paid_twice_is_found() {
    let token = |attempt: &mut Attempt, bits| {
        let face = paycore::channel::CardFace { brand: None, last4: "4242".into() };
        let token_id = Some(paycore::id::CardTokenId::from_bits(bits));
        attempt.card = Some(AttemptCard { token_id, card_id: None, initiator: None, face });
    };
    let declined = |bits| attempt(bits, AttemptStatus::Declined);
    let mut world = truth();
    world.attempts.push(declined(2));
    token(&mut world.attempts[0], 1);
    token(&mut world.attempts[1], 2);
    assert_eq!(broken_rules(world), Vec::<&str>::new());
    finds("I41", |w| {
        w.attempts.push(declined(2));
        token(&mut w.attempts[0], 1);
        token(&mut w.attempts[1], 1);
    });
}

#[test]
fn a_charge_beyond_what_the_payer_agreed_to_is_found() {
    let id = MandateId::from_bits(5);
    let charged =
        OrderMandate { id, account_id: ChannelAccountId::from_bits(1), channel_id: "Wx1".to_owned() };
    let broken = |limit: Option<Money>| {
        let mandate = limit.map(|limit| {
            let json = serde_json::json!({
                "id": id, "reference": id.bare(), "status": "active", "method": "wechatpay.mandate", "scene": "jsapi",
                "channel": "wechatpay_mandate", "account_id": charged.account_id, "limit": limit,
                "description": "Tea", "channel_id": "Wx1", "queries": 0, "expires_at": AT, "created_at": AT,
                "updated_at": AT, "sequence": 1, "due_at": AT,
            });
            let mandate: Mandate = serde_json::from_value(json).unwrap();
            Row::Document(TENANT, Record::of(&mandate))
        });
        let mut world = truth();
        world.order.details.mandate = Some(Box::new(charged.clone()));
        broken_among(mandate.into_iter().chain(world.rows()))
    };
    assert_eq!(broken(Some(cny(10_000))), Vec::<&str>::new());
    assert_eq!(broken(Some(cny(9_999))), ["I42"]);
    assert_eq!(broken(Some(Money::new(10_000, Currency::USD))), ["I42"]);
    assert_eq!(broken(None), ["I42"]);
}

#[test]
fn the_truth_passes() {
    assert_eq!(broken_rules(truth()), Vec::<&str>::new());
}

#[test]
fn lies_in_the_ledger_are_found() {
    finds("I1", |w| w.transactions[0].entries[0].money = cny(9_999));
    finds("I1", |w| w.transactions[0].entries.truncate(1));
    finds("I1", |w| w.transactions[0].entries.iter_mut().for_each(|e| e.money = cny(-10_000)));
    finds("I2", |w| w.balances[0].debits += 1);
    finds("I2", |w| drop(w.balances.remove(0)));
    finds("I3", |w| w.balances[0].debits += 1);
    finds("I27", |w| drop(w.transactions.remove(1)));
    finds("I27", |w| w.transactions.push(w.transactions[0].clone()));
    finds("I7", |w| w.transactions[0].order_id = Some(OrderId::from_bits(9)));
}

#[test]
fn lies_about_amounts_are_found() {
    finds("I4", |w| w.order.refunded = 10_001);
    finds("I4", |w| w.order.authorized = 9_999);
    finds("I4", |w| w.order.captured = -1);
    finds("I5", |w| w.order.refunding = 6_001);
    finds("I5", |w| w.refund.money = cny(4_001));
    finds("I5", |w| w.refund.status = RefundStatus::Unknown);
    finds("I7", |w| w.refund.money = Money::new(4_000, Currency::USD));
    finds("I7", |w| w.attempts[0].money = Money::new(10_000, Currency::USD));
}

#[test]
fn lies_about_clearing_are_found() {
    finds("I30", |world| drop(world.items.remove(1)));
    finds("I30", |world| world.items.push(item(3, ItemKind::Payment, "att_x".into(), 10_000)));
    finds("I30", |world| world.items[0].gross = cny(10_001));
    finds("I30", |world| world.items[1].settlement_id = None);
    finds("I30", |world| world.items[0].settlement_id = Some(SettlementId::from_bits(2)));
    finds("I30", |world| world.settlements[0].collected.net += 1);
}

#[test]
fn lies_about_a_settlement_in_another_currency_are_found() {
    // 60.00 yuan at 1/8 are 7.50 dollars, of which 0.04 are kept.
    let told = |world: &mut World, sold: i64, parts: [i64; 3]| {
        let made = &mut world.settlements[0];
        let lines = serde_json::json!({"converted": {"count": 1, "amount": -sold}});
        let statement = serde_json::json!({"currency": "CNY", "opening": 0, "lines": lines, "closing": 0});
        made.statement = Some(serde_json::from_value(statement).unwrap());
        let [bought, spread, rounding] = parts.map(|minor| Money::new(minor, Currency::USD));
        let exchange = Exchange {
            sold: cny(6_000),
            bought,
            spread,
            rounding,
            mid: "0.125".parse().unwrap(),
            rate: "0.124375".parse().unwrap(),
        };
        let done = Converted { quote_id: FxQuoteId::from_bits(1), exchange, at: AT };
        made.conversion = Some(Conversion { into: Currency::USD, waits_for: None, done: Some(done) });
        made.status = SettlementStatus::Ready;
    };
    let mut world = truth();
    told(&mut world, 6_000, [746, 3, 1]);
    assert_eq!(broken_rules(world), Vec::<&str>::new());
    finds("I8", |world| told(world, 6_001, [746, 3, 1]));
    finds("I8", |world| told(world, 6_000, [747, 3, 1]));
    finds("I8", |world| {
        told(world, 6_000, [746, 3, 1]);
        world.settlements[0].conversion = None;
    });
    finds("I8", |world| {
        told(world, 6_000, [746, 3, 1]);
        world.settlements[0].conversion =
            Some(Conversion { into: Currency::USD, waits_for: None, done: None });
    });
}

#[test]
fn lies_about_states_are_found() {
    finds("I11", |w| w.attempts.push(attempt(2, AttemptStatus::Succeeded)));
    finds("I15", |w| w.attempts[0].status = AttemptStatus::Declined);
    finds("I15", |w| w.order.status = OrderStatus::Succeeded);
    finds("I15", |w| w.order.status = OrderStatus::Pending);
    finds("I15", |w| w.order.status = OrderStatus::Refunded);
    finds("I17", |w| {
        w.attempts.push(attempt(2, AttemptStatus::Unknown));
        w.attempts.push(attempt(3, AttemptStatus::Awaiting));
    });
}

#[test]
fn a_late_payment_that_nobody_gives_back_is_found() {
    let late = |status| {
        move |w: &mut World| {
            w.order.status = status;
            w.order.refunded = 0;
        }
    };
    finds("I16", late(OrderStatus::Closed));
    finds("I6", late(OrderStatus::Failed));
}

#[test]
fn lies_about_events_and_keys_are_found() {
    finds("I24", |w| drop(w.events.remove(0)));
    finds("I24", |w| w.events[0].sequence = 2);
    finds("I24", |w| w.order.sequence = 3);
    finds("I23", |w| w.delivery.event_id = EventId::from_bits(77));
    finds("I12", |w| w.claim.answer = Some(Answer { status: 0, body: "{}".into() }));
}

#[test]
fn an_account_below_its_floor_is_found_and_one_that_may_be_there_is_not() {
    let mut world = truth();
    world.balances.push(balance("merchant_available", 5, 5));
    assert!(!broken_rules(world).contains(&"I9"));
    finds("I9", |w| w.balances.push(balance("merchant_available", 6, 5)));
    finds("I9", |w| {
        w.balances.push(Balance { overdraft: Some(2), version: 1, ..balance("merchant_pending", 8, 5) })
    });
    let mut world = truth();
    let overdraft = Some(3);
    world.balances.push(Balance { overdraft, version: 1, ..balance("merchant_available", 8, 5) });
    assert!(!broken_rules(world).contains(&"I9"));
}

/// The truth with both transactions sealed, each in a seal of its own.
fn sealed() -> World {
    let mut world = truth();
    for (position, transaction) in (1..).zip(world.transactions.clone()) {
        let seal = Seal::after(world.seals.last(), TENANT, &[(position, transaction)], AT).unwrap();
        world.seals.push(seal);
    }
    world
}

/// The objects that the hash chain finds to be other than they were.
fn unsealed(lie: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = sealed();
    lie(&mut world);
    let mut checker = Checker::default();
    world.rows().into_iter().for_each(|row| checker.row(row));
    let report = checker.finish();
    let own = report.violations.iter().filter(|violation| violation.rule == "I36");
    own.map(|violation| violation.object.clone()).collect()
}

fn txn(bits: u128) -> String {
    TransactionId::from_bits(bits).to_string()
}

#[test]
fn sealed_books_pass_and_what_was_booked_since_need_not_be_sealed() {
    assert_eq!(unsealed(|_| ()), Vec::<String>::new());
    assert_eq!(unsealed(|w| drop(w.seals.pop())), Vec::<String>::new());
    let mut checker = Checker::default();
    sealed().rows().into_iter().for_each(|row| checker.row(row));
    let heads = checker.finish().seals;
    let head = heads[&TENANT.to_string()];
    assert_eq!((head.number, head.rows, head.hash), (2, 2, sealed().seals[1].hash));
}

#[test]
fn an_end_that_was_cut_off_is_found_by_a_hash_kept_outside() {
    let anchor = sealed().seals[1].hash;
    let broken = |world: World| {
        let mut checker = Checker::new(&[anchor]);
        world.rows().into_iter().for_each(|row| checker.row(row));
        let report = checker.finish();
        let own = report.violations.iter().filter(|violation| violation.rule == "I36");
        own.map(|violation| violation.object.clone()).collect::<Vec<_>>()
    };
    assert_eq!(broken(sealed()), Vec::<String>::new());
    let mut cut = sealed();
    cut.seals.truncate(1);
    cut.transactions.truncate(1);
    assert_eq!(broken(cut), [anchor.to_string()]);
}

#[test]
fn an_edit_a_deletion_an_insertion_and_a_swap_are_found_where_they_are() {
    assert_eq!(unsealed(|w| w.transactions[0].created_at = Timestamp::from_secs(1)), [txn(1)]);
    assert_eq!(unsealed(|w| w.transactions[1].entries[0].money = cny(4_001)), [txn(2)]);
    assert_eq!(unsealed(|w| w.transactions[1].entries[0].account = "fee_income".into()), [txn(2)]);
    assert_eq!(unsealed(|w| w.transactions[1].entries.swap(0, 1)), [txn(2)]);
    assert_eq!(unsealed(|w| w.transactions[0].reverses = Some(TransactionId::from_bits(2))), [txn(1)]);
    assert_eq!(unsealed(|w| drop(w.transactions.remove(0))), [txn(1)]);
    // What is slipped in books an event among those that are sealed, or one that does not exist.
    let slipped = |event| transaction(event, Movement::Payment, 5, "fee_income", "merchant_pending");
    assert_eq!(
        unsealed(|w| {
            w.events[1].id = EventId::from_bits(7);
            w.transactions.push(Transaction { event_id: EventId::from_bits(7), ..slipped(3) });
        }),
        [txn(3)]
    );
    assert_eq!(unsealed(|w| w.transactions.push(slipped(3))), [txn(3)]);
    let swap = |w: &mut World| {
        let (first, second) = (w.transactions[0].id, w.transactions[1].id);
        (w.transactions[0].id, w.transactions[1].id) = (second, first);
    };
    assert_eq!(unsealed(swap).len(), 2);
}

#[test]
fn a_seal_that_was_changed_taken_out_or_moved_is_found() {
    let seal = |bits| paycore::id::SealId::from_bits(bits).to_string();
    assert!(unsealed(|w| w.seals[1].previous = paycore::ledger::seal::Hash::default()).contains(&seal(2)));
    assert!(unsealed(|w| w.seals[0].hash = w.seals[1].hash).contains(&seal(1)));
    assert!(unsealed(|w| drop(w.seals.remove(0))).contains(&seal(2)));
    assert!(unsealed(|w| w.seals.swap(0, 1)).contains(&seal(1)));
    assert!(unsealed(|w| w.seals[1].rows[0].transaction_id = TransactionId::from_bits(1)).contains(&seal(2)));
}
