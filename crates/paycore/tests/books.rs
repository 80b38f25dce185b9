//! The ledger's operations over the memory store: holds, freezes, closed periods, reversals, seals.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use std::sync::Arc;
use std::time::Duration;

use paycore::catalogue::{Input, find};
use paycore::crypto::envelope::EnvelopeVault;
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::engine::{Caller, Engine};
use paycore::event::{Event, EventKind, Movement};
use paycore::id::{EventId, TransactionId};
use paycore::ledger::{Entry, Side, Transaction};
use paycore::merchant::service::{authenticate, first_start};
use paycore::money::Money;
use paycore::secret::Secret;
use paycore::store::{Changes, Queue};
use paycore::testkit::MemoryStore;
use paycore::testkit::embedded::NoNetwork;
use paycore::time::{ManualClock, SeededRng, Timestamp};
use paycore::verify;
use serde_json::{Value, json};

const START: Timestamp = Timestamp::from_secs(1_700_000_000);

struct Books {
    engine: Engine,
    caller: Caller,
    clock: Arc<ManualClock>,
}

impl Books {
    async fn open() -> Books {
        let root = Secret::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let clock = Arc::new(ManualClock::new(START));
        let engine = Engine::builder()
            .store(Arc::new(MemoryStore::new()))
            .transport(Arc::new(NoNetwork))
            .keyring(Arc::new(NativeKeyring))
            .vault(Arc::new(EnvelopeVault::new([("k1", &root)]).unwrap()))
            .clock(Arc::clone(&clock) as _)
            .rng(Arc::new(SeededRng::new(7)))
            .build()
            .unwrap();
        let start = first_start(&engine, "Corner shop").await.unwrap().unwrap();
        let caller = authenticate(&engine, &start.merchant.test_key.key.unwrap()).await.unwrap().unwrap();
        Books { engine, caller, clock }
    }

    /// Brings money in, as something that happened at an instant.
    async fn top_up(&self, number: u128, minor: i64, effective_at: Timestamp) -> TransactionId {
        let money = Money::new(minor, Currency::CNY);
        let entry = |account: &str, side| Entry { account: account.into(), side, money };
        let (id, event_id) = (TransactionId::from_bits(number), EventId::from_bits(number));
        let created_at = self.engine.wall();
        let transaction = Transaction {
            id,
            kind: Movement::TopUp,
            event_id,
            order_id: None,
            refund_id: None,
            money,
            created_at,
            effective_at,
            reverses: None,
            entries: vec![entry("bank:main", Side::Debit), entry("merchant_available", Side::Credit)],
        };
        let event = Event {
            id: event_id,
            kind: EventKind::LedgerAccountUpdated,
            object_id: id.to_string(),
            sequence: 1,
            body: "{}".into(),
            notify_url: None,
            booking: None,
            created_at,
            position: 0,
            due_at: Timestamp::ZERO,
        };
        let changes = Changes { transactions: vec![transaction], events: vec![event], ..Changes::new() };
        self.engine.store().commit(self.caller.tenant(), changes).await.unwrap();
        id
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Value, (String, Option<String>)> {
        let operation = find(operation).unwrap();
        let text = input.to_string();
        let input = Input::json(text.as_bytes());
        // Every call that writes has a key of its own.
        let key = format!("{}-{}", operation.name, self.engine.wall().micros());
        self.clock.advance(Duration::from_micros(1));
        let key = operation.mutates.then_some(&*key);
        match operation.invoke(&self.engine, self.caller.clone(), input, key).await {
            Ok(reply) => Ok(serde_json::from_str(&reply.body).unwrap()),
            Err(error) => Err((error.code.text().to_owned(), error.param)),
        }
    }

    async fn refused(&self, operation: &str, input: Value) -> (String, Option<String>) {
        self.call(operation, input).await.unwrap_err()
    }

    /// What stands on the side on which an account grows.
    async fn balance(&self, account: &str) -> i64 {
        let accounts = self.call("ledger_accounts.list", json!({})).await.unwrap();
        let found = accounts["data"].as_array().unwrap().iter().find(|row| row["account"] == account);
        found.map_or(0, |row| row["balance"].as_i64().unwrap())
    }

    async fn work(&self) {
        for queue in Queue::ALL {
            assert_eq!(self.engine.work(*queue, 100).await.unwrap().failed, 0, "{queue:?}");
        }
    }

    async fn verified(&self) {
        let report = verify::run(self.engine.store()).await.unwrap();
        assert!(report.ok, "{:?}", report.violations);
    }
}

fn code(code: &str) -> (String, Option<String>) {
    (code.to_owned(), None)
}

fn code_of(code: &str, param: &str) -> (String, Option<String>) {
    (code.to_owned(), Some(param.to_owned()))
}

#[tokio::test]
async fn a_hold_takes_from_what_is_available_and_gives_back_in_parts_and_when_its_time_runs_out() {
    let books = Books::open().await;
    books.top_up(1, 10_000, START).await;
    let hold = |amount: i64| json!({"amount": amount, "currency": "CNY", "reason": "dispute"});
    assert_eq!(books.refused("holds.create", hold(10_001)).await, code_of("insufficient_balance", "amount"));
    assert_eq!(books.refused("holds.create", hold(0)).await, code_of("invalid_amount", "amount"));
    let held = books.call("holds.create", hold(6_000)).await.unwrap();
    assert_eq!(books.refused("holds.create", hold(4_001)).await, code_of("insufficient_balance", "amount"));
    let id = held["id"].as_str().unwrap();
    let release = |amount: Value| json!({"id": id, "amount": amount});
    assert_eq!(
        books.refused("holds.release", release(json!(6_001))).await,
        code_of("invalid_amount", "amount")
    );
    let part = books.call("holds.release", release(json!(1_000))).await.unwrap();
    assert_eq!((&part["released"], &part["status"]), (&json!(1_000), &json!("held")));
    assert_eq!(
        (books.balance("merchant_available").await, books.balance("merchant_frozen").await),
        (5_000, 5_000)
    );
    let rest = books.call("holds.release", release(Value::Null)).await.unwrap();
    assert_eq!(rest["status"], "released");
    assert_eq!(books.refused("holds.release", release(Value::Null)).await, code("state_not_allowed"));
    let until = books.engine.wall().plus(Duration::from_secs(60));
    let mut timed = hold(10_000);
    timed["expires_at"] = json!(until);
    let timed = books.call("holds.create", timed).await.unwrap();
    books.clock.advance(Duration::from_secs(59));
    books.work().await;
    assert_eq!(books.balance("merchant_available").await, 0);
    books.clock.advance(Duration::from_secs(61));
    books.work().await;
    let ended = books.call("holds.retrieve", json!({"id": timed["id"]})).await.unwrap();
    assert_eq!((&ended["status"], books.balance("merchant_available").await), (&json!("expired"), 10_000));
    let held = books.call("holds.list", json!({"status": "held"})).await.unwrap();
    assert_eq!(held["data"], json!([]));
    books.verified().await;
}

#[tokio::test]
async fn a_frozen_account_keeps_its_money_and_an_overdraft_lends_some() {
    let books = Books::open().await;
    books.top_up(1, 500, START).await;
    let account = |name: &str| json!({"account": name, "currency": "CNY", "reason": "under review"});
    let hold = |amount: i64| json!({"amount": amount, "currency": "CNY", "reason": "dispute"});
    assert_eq!(
        books.refused("ledger_accounts.freeze", account("merchant_pending")).await,
        code_of("invalid_request", "account")
    );
    let frozen = books.call("ledger_accounts.freeze", account("merchant_available")).await.unwrap();
    assert_eq!((&frozen["frozen"], &frozen["balance"]), (&json!(true), &json!(500)));
    assert_eq!(books.refused("holds.create", hold(1)).await.0, "account_frozen");
    books.call("ledger_accounts.unfreeze", account("merchant_available")).await.unwrap();
    assert_eq!(books.refused("holds.create", hold(501)).await.0, "insufficient_balance");
    let mut lend = account("merchant_available");
    lend["overdraft"] = json!(100);
    books.call("ledger_accounts.allow_overdraft", lend.clone()).await.unwrap();
    books.call("holds.create", hold(600)).await.unwrap();
    assert_eq!(books.balance("merchant_available").await, -100);
    lend["overdraft"] = json!(99);
    assert_eq!(books.refused("ledger_accounts.allow_overdraft", lend).await.0, "insufficient_balance");
    books.verified().await;
}

#[tokio::test]
async fn a_closed_period_takes_no_booking_and_its_balances_stay() {
    let books = Books::open().await;
    let day = |days: u64| START.plus(Duration::from_secs(days * 86_400));
    books.top_up(1, 500, START).await;
    books.clock.set(day(10));
    let late = books.top_up(2, 70, day(3)).await;
    assert_eq!(
        books.refused("periods.close", json!({"until": day(11)})).await,
        code_of("invalid_request", "until")
    );
    let period = books.call("periods.close", json!({"until": day(5)})).await.unwrap();
    assert_eq!((&period["from"], &period["until"]), (&Value::Null, &json!(day(5))));
    let end = json!({"at": day(5).minus(Duration::from_micros(1)), "basis": "effective"});
    let trial = books.call("trial_balance.retrieve", end.clone()).await.unwrap();
    assert_eq!(trial["totals"], json!([{"currency": "CNY", "debit": 570, "credit": 570, "balanced": true}]));
    let booked = json!({"at": day(5), "basis": "booked"});
    let trial_then = books.call("trial_balance.retrieve", booked).await.unwrap();
    assert_eq!(trial_then["totals"][0]["debit"], 500, "the late booking was not in the books then");
    let back = |at: Timestamp| json!({"id": late, "reason": "booked twice", "effective_at": at});
    assert_eq!(books.refused("transactions.reverse", back(day(4))).await, code("books_closed"));
    assert_eq!(
        books.refused("transactions.reverse", back(day(11))).await,
        code_of("invalid_request", "effective_at")
    );
    let reversal = books.call("transactions.reverse", back(day(5))).await.unwrap();
    assert_eq!((&reversal["reverses"], &reversal["kind"]), (&json!(late), &json!("reversal")));
    assert_eq!(books.refused("transactions.reverse", back(day(6))).await, code("state_not_allowed"));
    let again = json!({"id": reversal["id"], "reason": "undo the undo"});
    assert_eq!(books.refused("transactions.reverse", again).await, code("state_not_allowed"));
    assert_eq!(books.balance("merchant_available").await, 500);
    assert_eq!(books.call("trial_balance.retrieve", end).await.unwrap(), trial);
    let periods = books.call("periods.list", json!({})).await.unwrap();
    assert_eq!(periods["data"], json!([period]));
    assert_eq!(books.refused("periods.close", json!({"until": day(5)})).await.0, "invalid_request");
    let next = books.call("periods.close", json!({"until": day(6)})).await.unwrap();
    assert_eq!(next["from"], json!(day(5)));
    books.verified().await;
}

#[tokio::test]
async fn seals_follow_each_other_and_a_hash_kept_outside_is_found_in_the_chain() {
    let books = Books::open().await;
    let empty = books.call("ledger_seals.create", json!({})).await.unwrap();
    assert_eq!((&empty["number"], &empty["sealed"]), (&json!(0), &json!(0)));
    for number in 1..=3 {
        books.top_up(number, 100, START).await;
    }
    let first = books.call("ledger_seals.create", json!({})).await.unwrap();
    assert_eq!((&first["number"], &first["sealed"]), (&json!(1), &json!(3)));
    for number in 4..=1_203 {
        books.top_up(number, 1, START).await;
    }
    let last = books.call("ledger_seals.create", json!({})).await.unwrap();
    assert_eq!((&last["number"], &last["sealed"]), (&json!(4), &json!(1_200)));
    let seals = books.call("ledger_seals.list", json!({})).await.unwrap();
    let numbers: Vec<i64> =
        seals["data"].as_array().unwrap().iter().map(|seal| seal["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [4, 3, 2, 1]);
    let anchor = json!({"anchor": first["hash"]});
    let report = books.call("ledger_seals.verify", anchor).await.unwrap();
    assert_eq!(
        (&report["intact"], &report["rows"], &report["hash"]),
        (&json!(true), &json!(1_203), &last["hash"])
    );
    let other = json!({"anchor": "0".repeat(64)});
    assert_eq!(books.refused("ledger_seals.verify", other).await, code_of("state_not_allowed", "anchor"));
    let wrong = json!({"anchor": "xyz"});
    assert_eq!(books.refused("ledger_seals.verify", wrong).await, code_of("invalid_request", "anchor"));
    assert_eq!(paycore::ledger::service::seals::seal_all(&books.engine).await.unwrap(), 0);
    books.verified().await;
}
