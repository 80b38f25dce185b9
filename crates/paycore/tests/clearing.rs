//! Prices through the engine: what a payment, its refunds and a month's end leave in the books and in clearing.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

#[path = "clearing/fx.rs"]
mod fx;
#[path = "clearing/price.rs"]
mod price;

use std::sync::Arc;
use std::time::Duration;

use paycore::account;
use paycore::clearing::ItemView;
use paycore::clearing::service::{self as clearing, ListItems};
use paycore::crypto::envelope::EnvelopeVault;
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::engine::{Caller, Engine};
use paycore::error::Result;
use paycore::fee::service::{self as fees, ScheduleView};
use paycore::ledger::Ledger;
use paycore::merchant::service::{authenticate, first_start};
use paycore::order::Order;
use paycore::order::service as orders;
use paycore::refund::Refund;
use paycore::refund::service as refunds;
use paycore::secret::Secret;
use paycore::testkit::MemoryStore;
use paycore::testkit::scripted::Scripted;
use paycore::time::{ManualClock, SeededRng, Timestamp};
use paycore::verify;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A sandbox merchant with one scripted channel, and the operator who prices it.
struct Shop {
    engine: Engine,
    caller: Caller,
    operator: Caller,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    _script: Scripted,
}

fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

impl Shop {
    async fn open() -> Shop {
        let script = Scripted::new();
        // 2026-11-15 in Beijing.
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-11-15T04:00:00Z").unwrap()));
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
        Shop { engine, caller, operator, clock, store, _script: script }
    }

    async fn schedule(&self, name: &str, side: &str, terms: Value) -> ScheduleView {
        let input = json!({"merchant_id": self.caller.tenant(), "name": name, "side": side, "terms": terms});
        let made = fees::create(&self.engine, &self.operator, read(input)).await.unwrap();
        self.pass(1).await;
        made
    }

    async fn pay(&self, amount: i64) -> Order {
        let input = json!({"amount": amount, "currency": "CNY", "subject": "Tea", "method": "scripted.card"});
        orders::create(&self.engine, &self.caller, read(input)).await.unwrap()
    }

    async fn refund(&self, order: &Order, amount: i64) -> Refund {
        let input = json!({"order_id": order.id, "amount": amount});
        refunds::create(&self.engine, &self.caller, read(input)).await.unwrap()
    }

    async fn items(&self, order: &Order) -> Vec<ItemView> {
        let input = ListItems { order_id: Some(order.id), ..ListItems::default() };
        clearing::list(&self.engine, &self.caller, input).await.unwrap().data
    }

    /// Credits less debits.
    async fn balance(&self, account: &str, currency: Currency) -> i64 {
        let balances = self.store.balances(self.caller.tenant()).await.unwrap();
        let found = balances.iter().find(|row| row.account == account && row.currency == currency);
        found.map_or(0, |row| row.credits - row.debits)
    }

    async fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Whatever happened, the books must be right.
    async fn close_the_books(&self) {
        let report = verify::run(&*self.store).await.unwrap();
        assert!(report.ok, "{:?}", report.violations);
    }
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    result.unwrap_err().code.text()
}
