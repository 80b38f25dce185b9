//! Settlement through the engine: what the workers make of a sandbox's days, in statements, items and books.

use std::sync::Arc;
use std::time::Duration;

use paycore::account;
use paycore::clearing::{Item, ItemKind};
use paycore::crypto::envelope::EnvelopeVault;
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::document::DocumentFilter;
use paycore::engine::{Caller, Engine};
use paycore::event::EventKind;
use paycore::event::Events as _;
use paycore::id::ItemId;
use paycore::ledger::Ledger as _;
use paycore::merchant::service::{authenticate, first_start};
use paycore::money::Money;
use paycore::order::Order;
use paycore::order::service as orders;
use paycore::refund::service as refunds;
use paycore::secret::Secret;
use paycore::settlement::service::{self as settlements, ListSettlements};
use paycore::settlement::view::{PlanView, SettlementView};
use paycore::settlement::{Carried, LineKind, SettlementStatus};
use paycore::store::{Changes, Put, Queue, Store as _};
use paycore::testkit::MemoryStore;
use paycore::testkit::scripted::Scripted;
use paycore::time::{ManualClock, SeededRng, Timestamp};
use paycore::verify;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) struct Shop {
    pub(crate) engine: Engine,
    pub(crate) caller: Caller,
    pub(crate) operator: Caller,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) script: Scripted,
}

pub(crate) fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("the test says what the operation takes")
}

impl Shop {
    /// On the Friday before the National Day week of 2026, ten in the morning in Beijing.
    pub(crate) async fn open() -> Shop {
        let script = Scripted::new();
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-09-25T02:00:00Z").unwrap()));
        let store = Arc::new(MemoryStore::new());
        let root = Secret::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let engine = Engine::builder()
            .store(Arc::clone(&store) as _)
            .transport(Arc::new(script.clone()))
            .channels(&[script.driver()])
            .keyring(Arc::new(NativeKeyring))
            .vault(Arc::new(EnvelopeVault::new([("k1", &root)]).unwrap()))
            .clock(Arc::clone(&clock) as _)
            .rng(Arc::new(SeededRng::new(42)))
            .build()
            .unwrap();
        let start = first_start(&engine, "Corner shop").await.unwrap().unwrap();
        let caller = authenticate(&engine, &start.merchant.test_key.key.unwrap()).await.unwrap().unwrap();
        let operator = authenticate(&engine, start.operator_key.expose()).await.unwrap().unwrap();
        let scripted = read(json!({"channel": "scripted", "settings": {}}));
        account::service::create(&engine, &caller, scripted).await.unwrap();
        Shop { engine, caller, operator, clock, store, script }
    }

    pub(crate) async fn plan(&self, more: Value) -> PlanView {
        let mut terms = json!({
            "cycle": {"every": "working_days", "days": 1},
            "time_zone": "Asia/Shanghai",
            "calendar": "CN",
        });
        let more = more.as_object().expect("terms are an object").clone();
        terms.as_object_mut().expect("terms are an object").extend(more);
        let input = json!({"merchant_id": self.caller.tenant(), "currency": "CNY", "terms": terms});
        settlements::create(&self.engine, &self.operator, read(input)).await.unwrap()
    }

    pub(crate) async fn pay(&self, amount: i64) -> Order {
        let input = json!({"amount": amount, "currency": "CNY", "subject": "Tea", "method": "scripted.card"});
        orders::create(&self.engine, &self.caller, read(input)).await.unwrap()
    }

    pub(crate) async fn refund(&self, order: &Order, amount: i64) {
        let input = json!({"order_id": order.id, "amount": amount});
        refunds::create(&self.engine, &self.caller, read(input)).await.unwrap();
    }

    /// Lets days pass and the workers work.
    pub(crate) async fn days(&self, days: u64) {
        self.clock.advance(Duration::from_secs(days * 86_400));
        while self.engine.work(Queue::Documents, 10).await.unwrap().taken > 0 {}
    }

    /// Newest first.
    pub(crate) async fn settlements(&self) -> Vec<SettlementView> {
        settlements::list(&self.engine, &self.caller, ListSettlements::default()).await.unwrap().data
    }

    pub(crate) async fn balance(&self, account: &str) -> i64 {
        let balances = self.store.balances(self.caller.tenant()).await.unwrap();
        balances.iter().find(|row| row.account == account).map_or(0, |row| row.credits - row.debits)
    }

    pub(crate) async fn close_the_books(&self) {
        let report = verify::run(&*self.store).await.unwrap();
        assert!(report.ok, "{:?}", report.violations);
    }
}

pub(crate) fn line(settlement: &SettlementView, kind: LineKind) -> i64 {
    let statement = settlement.statement.as_ref().expect("it is closed");
    statement.lines.iter().find(|line| line.line == kind).map_or(0, |line| line.amount)
}

#[tokio::test]
async fn the_workers_settle_a_friday_before_the_holidays_on_the_next_worked_day() {
    let shop = Shop::open().await;
    shop.plan(json!({})).await;
    // Friday 25 September is Mid-Autumn and closed; the next worked day after it is Monday the 28th.
    shop.pay(50_000).await;
    shop.days(2).await;
    assert!(shop.settlements().await.is_empty());
    shop.days(1).await;
    let made = shop.settlements().await;
    assert_eq!(made.len(), 1);
    let settlement = &made[0];
    assert_eq!(settlement.number, "CNY:2026-09-27");
    assert_eq!(settlement.period.pay_on.to_string(), "2026-09-28");
    assert_eq!(settlement.status, Some(SettlementStatus::Ready));
    assert_eq!((settlement.payout, line(settlement, LineKind::Sales)), (50_000, 50_000));
    assert_eq!(
        (shop.balance("merchant_pending").await, shop.balance("merchant_available").await),
        (0, 50_000)
    );
    shop.days(0).await;
    assert_eq!(shop.settlements().await.len(), 1, "nothing is settled twice");
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_refund_after_settlement_comes_off_the_next_statement_and_a_debt_is_told() {
    let shop = Shop::open().await;
    shop.plan(json!({"reserves": [{"kind": "rolling", "basis_points": 1000, "days": 5}]})).await;
    let order = shop.pay(50_000).await;
    shop.days(3).await;
    shop.refund(&order, 20_000).await;
    shop.days(1).await;
    let made = shop.settlements().await;
    assert_eq!(made.len(), 2);
    assert_eq!((line(&made[1], LineKind::ReserveHeld), made[1].payout), (-5_000, 45_000));
    assert_eq!(made[0].carried_for, Some(Carried::Negative));
    assert_eq!((made[0].payout, made[0].statement.as_ref().unwrap().closing), (0, -20_000));
    let events = shop.store.events(shop.caller.tenant(), &Default::default(), 0, 1_000).await.unwrap();
    let negative = events.iter().filter(|event| event.kind == EventKind::SettlementNegative).count();
    let opened = events.iter().filter(|event| event.kind == EventKind::ExceptionOpened).count();
    assert_eq!((negative, opened), (1, 1));
    // The next sale pays the debt first, and the reserve comes back when its days are over.
    shop.pay(60_000).await;
    shop.days(12).await;
    let made = shop.settlements().await;
    let opening: i64 =
        made.iter().map(|settlement| settlement.statement.as_ref().unwrap().opening).min().unwrap();
    assert_eq!(opening, -20_000);
    let released: i64 = made.iter().map(|settlement| line(settlement, LineKind::ReserveReleased)).sum();
    assert!(released >= 5_000, "{released}");
    let paid: i64 = made.iter().map(|settlement| settlement.payout).sum();
    let reserve = shop.balance("merchant_reserve").await;
    let closing = made[0].statement.as_ref().unwrap().closing;
    assert_eq!(50_000 - 20_000 + 60_000, paid + reserve + closing);
    assert_eq!(shop.balance("merchant_available").await, paid + closing);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_long_run_takes_every_item_once_and_says_how_far_it_is() {
    let shop = Shop::open().await;
    shop.plan(json!({"minimum": 0})).await;
    let (tenant, now) = (shop.caller.tenant(), shop.engine.wall());
    for chunk in 0..13_u32 {
        let mut changes = Changes::new();
        for at in 0..100_u32 {
            let id = ItemId::from_bits(
                (u128::from(now.millis().unsigned_abs()) << 80) + u128::from(chunk * 100 + at),
            );
            let money = Money::new(100 + i64::from(at), Currency::CNY);
            changes.put(Put::document(&Item::new(
                id,
                ItemKind::Adjustment,
                format!("{chunk}-{at}"),
                money,
                now,
            )));
        }
        shop.store.commit(tenant, changes).await.unwrap();
    }
    shop.days(3).await;
    let made = shop.settlements().await;
    assert_eq!(made.len(), 1);
    assert_eq!((made[0].progress.done, made[0].progress.total), (1_300, 1_300));
    assert_eq!(line(&made[0], LineKind::Adjustments), 13 * (100 * 100 + 99 * 100 / 2));
    let of = DocumentFilter::of(made[0].id.unwrap());
    let items: Vec<Item> = shop.engine.all_documents(tenant, &of).await.unwrap();
    assert_eq!(items.len(), 1_300);
}

#[tokio::test]
async fn everything_now_costs_the_acceleration_fee_and_a_preview_changes_nothing() {
    let shop = Shop::open().await;
    let plan = shop.plan(json!({"acceleration": {"basis_points": 30, "minimum": 100}})).await;
    shop.pay(100_000).await;
    let everything = || read(json!({"plan_id": plan.id, "accelerate": true}));
    let available = settlements::run(&shop.engine, &shop.caller, read(json!({"plan_id": plan.id}))).await;
    assert_eq!(available.unwrap_err().code.text(), "state_not_allowed");
    let seen = settlements::preview(&shop.engine, &shop.caller, everything()).await.unwrap();
    assert_eq!((seen.id, seen.payout), (None, 99_700));
    assert_eq!(shop.balance("merchant_available").await, 0);
    let made = settlements::run(&shop.engine, &shop.caller, everything()).await.unwrap();
    assert_eq!((made.payout, line(&made, LineKind::AccelerationFee)), (99_700, -300));
    assert_eq!(shop.balance("fee_income").await, 300);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_currency_has_one_plan() {
    let shop = Shop::open().await;
    shop.plan(json!({})).await;
    let terms = json!({"cycle": {"every": "manual"}, "time_zone": "Asia/Shanghai", "calendar": "CN"});
    let input = json!({"merchant_id": shop.caller.tenant(), "currency": "CNY", "terms": terms});
    let second = settlements::create(&shop.engine, &shop.operator, read(input)).await;
    assert_eq!(second.unwrap_err().code.text(), "duplicate_number");
}
