//! Payouts over a scripted channel and by bank: nobody pays alone, nothing is paid twice, and the books know where the
//! money is at every step.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use std::sync::Arc;
use std::time::Duration;

use paycore::account;
use paycore::channel::{Decline, DeclineReason, Operation, Outcome, Verb, Verdict};
use paycore::crypto::envelope::EnvelopeVault;
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::engine::{Caller, Engine};
use paycore::error::{Code, Result};
use paycore::event::Movement;
use paycore::exception::ExceptionKind;
use paycore::id::{BeneficiaryId, EventId, TransactionId};
use paycore::ledger::{Entry, Side, Transaction};
use paycore::merchant::service::{authenticate, first_start};
use paycore::money::Money;
use paycore::payout::PayoutStatus;
use paycore::payout::rules::PayoutView;
use paycore::payout::service as payouts;
use paycore::secret::Secret;
use paycore::store::{Changes, Queue, Store};
use paycore::testkit::MemoryStore;
use paycore::testkit::scripted::{Play, Scripted};
use paycore::time::{ManualClock, SeededRng, Timestamp};
use paycore::transport::TransportError;
use paycore::verify;

struct Shop {
    engine: Arc<Engine>,
    author: Caller,
    script: Scripted,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
}

impl Shop {
    /// A shop with 1,000,000.00 yuan available.
    async fn open() -> Shop {
        let script = Scripted::new();
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_700_000_000)));
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
        let key = start.merchant.test_key.key.unwrap();
        let author = authenticate(&engine, &key).await.unwrap().unwrap();
        let shop = Shop { engine: Arc::new(engine), author, script, clock, store };
        shop.fund(100_000_000).await;
        shop
    }

    async fn fund(&self, minor: i64) {
        let entry = |account: &str, side| Entry { account: account.into(), side, money: cny(minor) };
        let transaction = Transaction {
            id: TransactionId::from_bits(1),
            kind: Movement::Payment,
            event_id: EventId::from_bits(1),
            order_id: None,
            refund_id: None,
            effective_at: self.clock_now(),
            reverses: None,
            money: cny(minor),
            created_at: self.clock_now(),
            entries: vec![entry("bank:main", Side::Debit), entry("merchant_available", Side::Credit)],
        };
        let changes = Changes { transactions: vec![transaction], ..Changes::new() };
        self.store.commit(self.author.tenant(), changes).await.unwrap();
    }

    fn clock_now(&self) -> Timestamp {
        self.engine.wall()
    }

    fn person(&self, name: &str) -> Caller {
        Caller { actor: name.to_owned(), ..self.author.clone() }
    }

    /// Credits minus debits of an account, minor units.
    fn stands(&self, account: &str) -> i64 {
        let balances = self.store.snapshot().balances;
        let found = balances.iter().find(|(_, balance)| balance.account == account);
        found.map_or(0, |(_, balance)| balance.credits - balance.debits)
    }

    async fn by_channel(&self) -> BeneficiaryId {
        let input = serde_json::json!({"channel": "scripted", "settings": {}});
        let input = serde_json::from_value(input).unwrap();
        let account = account::service::create(&self.engine, &self.author, input).await.unwrap().id;
        let route =
            serde_json::json!({"type": "channel", "channel_account_id": account, "account_kind": "login"});
        self.beneficiary(route, "farmer@tea.example").await
    }

    async fn by_bank(&self) -> BeneficiaryId {
        let route = serde_json::json!({"type": "bank", "clearing": "102100099996", "country": "CN"});
        self.beneficiary(route, "6222020200012345678").await
    }

    async fn beneficiary(&self, route: serde_json::Value, account: &str) -> BeneficiaryId {
        let input = serde_json::json!({"name": "茶园 Tea & Sons", "account": account, "route": route});
        let input = serde_json::from_value(input).unwrap();
        let made = payouts::create_beneficiary(&self.engine, &self.author, input).await.unwrap();
        let id = payouts::BeneficiaryById { id: made.id };
        payouts::approve_beneficiary(&self.engine, &self.person("boss"), id).await.unwrap();
        made.id
    }

    async fn draft(&self, to: BeneficiaryId, extra: serde_json::Value) -> Result<PayoutView> {
        let mut input =
            serde_json::json!({"amount": 100_000, "currency": "CNY", "beneficiary_id": to, "memo": "茶"});
        for (key, value) in extra.as_object().unwrap() {
            input[key] = value.clone();
        }
        payouts::create(&self.engine, &self.author, serde_json::from_value(input).unwrap()).await
    }

    async fn review(&self, payout: &PayoutView, by: &str) -> Result<PayoutView> {
        payouts::review(&self.engine, &self.person(by), payouts::PayoutById { id: payout.id }).await
    }

    async fn approve(&self, payout: &PayoutView, by: &str) -> Result<PayoutView> {
        let input = payouts::ApprovePayout { id: payout.id, effect: payout.effect.clone() };
        payouts::approve(&self.engine, &self.person(by), input).await
    }

    /// Drafted, reviewed and approved.
    async fn approved(&self, to: BeneficiaryId, extra: serde_json::Value) -> PayoutView {
        let payout = self.draft(to, extra).await.unwrap();
        self.review(&payout, "clerk").await.unwrap();
        self.approve(&payout, "boss").await.unwrap()
    }

    async fn fresh(&self, payout: &PayoutView) -> PayoutView {
        payouts::retrieve(&self.engine, &self.author, payouts::PayoutById { id: payout.id }).await.unwrap()
    }

    async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            self.engine.work(Queue::Documents, 100).await.unwrap();
        }
    }

    fn transfers(&self) -> Vec<String> {
        let operations = self.script.operations();
        let sent = operations.iter().filter_map(|operation| match operation {
            Operation::Transfer(transfer) => Some(transfer.reference.clone()),
            _ => None,
        });
        sent.collect()
    }

    async fn is_sound(&self) {
        let report = verify::run(&*self.store).await.unwrap();
        assert!(report.ok, "{:?}", report.violations);
    }
}

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn decline() -> Decline {
    Decline { reason: DeclineReason::Limit, code: "LIMIT".into(), message: "over the day's limit".into() }
}

fn none() -> serde_json::Value {
    serde_json::json!({})
}

#[tokio::test]
async fn a_payout_by_channel_needs_three_hands_and_moves_from_available_to_the_channel() {
    let shop = Shop::open().await;
    let to = shop.by_channel().await;
    let payout = shop.draft(to, serde_json::json!({"fee": 100})).await.unwrap();
    assert_eq!((shop.stands("merchant_available"), shop.stands("merchant_in_payout")), (99_899_900, 100_100));
    let author = shop.author.actor.clone();
    assert_eq!(shop.review(&payout, &author).await.unwrap_err().code, Code::Forbidden);
    assert_eq!(shop.approve(&payout, "boss").await.unwrap_err().code, Code::StateNotAllowed);
    shop.review(&payout, "clerk").await.unwrap();
    assert_eq!(shop.approve(&payout, &author).await.unwrap_err().code, Code::Forbidden);
    assert!(shop.transfers().is_empty());
    let paid = shop.approve(&payout, "boss").await.unwrap();
    assert_eq!((paid.status, paid.amount_sent), (PayoutStatus::Paid, 100_000));
    assert_eq!(shop.transfers().len(), 1);
    assert_eq!((shop.stands("merchant_in_payout"), shop.stands("fee_income")), (0, 100));
    assert_eq!(shop.stands("channel_receivable:scripted"), 100_000);
    shop.is_sound().await;
}

#[tokio::test]
async fn a_fee_that_the_beneficiary_bears_comes_out_of_the_amount() {
    let shop = Shop::open().await;
    let to = shop.by_channel().await;
    let paid = shop.approved(to, serde_json::json!({"fee": 100, "fee_bearer": "beneficiary"})).await;
    assert_eq!((paid.status, paid.amount_sent), (PayoutStatus::Paid, 99_900));
    assert_eq!((shop.stands("merchant_available"), shop.stands("fee_income")), (99_900_000, 100));
    assert_eq!(
        shop.draft(to, serde_json::json!({"fee": 100_000, "fee_bearer": "beneficiary"}))
            .await
            .unwrap_err()
            .param
            .as_deref(),
        Some("fee")
    );
    shop.is_sound().await;
}

#[tokio::test]
async fn from_fifty_thousand_two_different_people_approve_and_somebody_is_told() {
    let shop = Shop::open().await;
    let to = shop.by_channel().await;
    let payout = shop.draft(to, serde_json::json!({"amount": 5_000_000})).await.unwrap();
    assert_eq!(payout.approvals_wanted, 2);
    shop.review(&payout, "clerk").await.unwrap();
    let once = shop.approve(&payout, "boss").await.unwrap();
    assert_eq!((once.status, once.approvals.len()), (PayoutStatus::Reviewed, 1));
    assert_eq!(shop.approve(&payout, "boss").await.unwrap_err().code, Code::Forbidden);
    assert_eq!(shop.approve(&payout, "owner").await.unwrap().status, PayoutStatus::Paid);
    let below = shop.draft(to, serde_json::json!({"amount": 4_999_999})).await.unwrap();
    assert_eq!(below.approvals_wanted, 1);
    // 50,000.00 alone, and 99,999.99 within the day: the first was told, the second is below both limits.
    let told = |shop: &Shop| {
        let exceptions = shop.store.snapshot().exceptions;
        exceptions.iter().filter(|(_, exception)| exception.kind == ExceptionKind::LargePayout).count()
    };
    assert_eq!(told(&shop), 1);
    shop.draft(to, serde_json::json!({"amount": 1})).await.unwrap();
    assert_eq!(told(&shop), 2);
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_same_reference_is_sent_until_it_is_known() {
    let shop = Shop::open().await;
    let to = shop.by_channel().await;
    shop.script.then(Verb::Transfer, Play::Lose(TransportError::Timeout));
    shop.script.then(Verb::QueryTransfer, Play::Lose(TransportError::Timeout));
    shop.script.then(Verb::QueryTransfer, Play::Answer(Outcome::new(Verdict::Absent)));
    shop.script.then(Verb::Transfer, Play::Lose(TransportError::Timeout));
    let payout = shop.approved(to, none()).await;
    assert_eq!(payout.status, PayoutStatus::Unknown);
    assert_eq!(shop.stands("merchant_in_payout"), 100_000);
    shop.pass(600).await;
    assert_eq!(shop.fresh(&payout).await.status, PayoutStatus::Paid);
    let transfers = shop.transfers();
    assert_eq!(transfers.len(), 2);
    assert_eq!(transfers[0], transfers[1]);
    assert_eq!(shop.stands("channel_receivable:scripted"), 100_000);
    shop.is_sound().await;
}

#[tokio::test]
async fn a_definite_no_makes_the_money_available_again() {
    let shop = Shop::open().await;
    let to = shop.by_channel().await;
    shop.script.then(Verb::Transfer, Play::Answer(Outcome::new(Verdict::Declined(decline()))));
    let payout = shop.approved(to, none()).await;
    assert_eq!(payout.status, PayoutStatus::Failed);
    assert_eq!((shop.stands("merchant_available"), shop.stands("merchant_in_payout")), (100_000_000, 0));
    shop.is_sound().await;
}

#[tokio::test]
async fn an_amount_that_the_channel_names_otherwise_is_shown_to_a_person_and_not_believed() {
    let shop = Shop::open().await;
    let to = shop.by_channel().await;
    let odd = Outcome::new(Verdict::Succeeded).money(cny(99_999));
    shop.script.then(Verb::Transfer, Play::Answer(odd));
    let payout = shop.approved(to, none()).await;
    assert_eq!(payout.status, PayoutStatus::Submitted);
    let exceptions = shop.store.snapshot().exceptions;
    assert!(exceptions.iter().any(|(_, exception)| exception.kind == ExceptionKind::AmountMismatch));
}

#[tokio::test]
async fn an_approval_is_of_this_effect_only_and_what_changed_since_is_not_sent() {
    let shop = Shop::open().await;
    let to = shop.by_channel().await;
    let payout = shop.draft(to, none()).await.unwrap();
    shop.review(&payout, "clerk").await.unwrap();
    let other = payouts::ApprovePayout { id: payout.id, effect: "0".repeat(64) };
    let refused = payouts::approve(&shop.engine, &shop.person("boss"), other).await.unwrap_err();
    assert_eq!(refused.code, Code::StateNotAllowed);
    let gone = payouts::BeneficiaryById { id: to };
    payouts::deactivate_beneficiary(&shop.engine, &shop.author, gone).await.unwrap();
    assert!(shop.approve(&payout, "boss").await.is_err());
    assert!(shop.transfers().is_empty());
    assert_eq!(shop.draft(to, none()).await.unwrap_err().param.as_deref(), Some("beneficiary_id"));
    let cancel = payouts::CancelPayout { id: payout.id, reason: None };
    payouts::cancel(&shop.engine, &shop.author, cancel).await.unwrap();
    assert_eq!(shop.stands("merchant_available"), 100_000_000);
}

#[tokio::test]
async fn a_draft_that_nobody_approves_in_a_week_is_cancelled() {
    let shop = Shop::open().await;
    let to = shop.by_bank().await;
    let payout = shop.draft(to, none()).await.unwrap();
    shop.clock.advance(Duration::from_secs(7 * 24 * 3600));
    shop.pass(2).await;
    assert_eq!(shop.fresh(&payout).await.status, PayoutStatus::Cancelled);
    assert_eq!(shop.stands("merchant_available"), 100_000_000);
    assert_eq!(shop.review(&payout, "clerk").await.unwrap_err().code, Code::StateNotAllowed);
}

#[tokio::test]
async fn a_batch_takes_what_is_approved_once_and_the_bank_has_the_last_word() {
    let shop = Shop::open().await;
    let to = shop.by_bank().await;
    let first = shop.approved(to, none()).await;
    let second = shop.approved(to, serde_json::json!({"amount": 250_050, "fee": 50})).await;
    assert_eq!((first.status, second.status), (PayoutStatus::Approved, PayoutStatus::Approved));
    let input = || {
        let input = serde_json::json!({"currency": "CNY", "debtor_name": "Platform <平台>",
            "debtor_account": "6222020200098765432", "debtor_country": "CN"});
        serde_json::from_value(input).unwrap()
    };
    let batch = payouts::create_batch(&shop.engine, &shop.author, input()).await.unwrap();
    assert_eq!((batch.payouts.len(), batch.amount), (2, 350_050));
    assert!(payouts::create_batch(&shop.engine, &shop.author, input()).await.is_err());
    let id = payouts::BatchById { id: batch.id };
    let file = payouts::retrieve_batch(&shop.engine, &shop.author, id).await.unwrap().file.unwrap();
    for part in [
        "<CtrlSum>3500.50</CtrlSum>",
        "茶园 Tea &amp; Sons",
        "<Id>6222020200012345678</Id>",
        "Platform &lt;平台&gt;",
    ] {
        assert!(file.contains(part), "{part} in {file}");
    }
    let word = |payout: &PayoutView, result: &str| {
        let input = serde_json::json!({"id": payout.id, "result": result, "bank_reference": "B-1"});
        payouts::settle(&shop.engine, &shop.author, serde_json::from_value(input).unwrap())
    };
    assert_eq!(word(&first, "returned").await.unwrap_err().code, Code::StateNotAllowed);
    assert_eq!(word(&first, "paid").await.unwrap().status, PayoutStatus::Paid);
    assert_eq!(shop.stands("merchant_in_payout"), 250_100);
    assert_eq!(word(&first, "paid").await.unwrap_err().code, Code::StateNotAllowed);
    assert_eq!(word(&second, "failed").await.unwrap().status, PayoutStatus::Failed);
    assert_eq!(word(&first, "returned").await.unwrap().status, PayoutStatus::Returned);
    assert_eq!((shop.stands("merchant_available"), shop.stands("merchant_in_payout")), (100_000_000, 0));
    shop.is_sound().await;
}

#[tokio::test]
async fn accounts_of_beneficiaries_stand_sealed_in_the_store() {
    let shop = Shop::open().await;
    let to = shop.by_bank().await;
    shop.approved(to, none()).await;
    let input = serde_json::json!({"currency": "CNY", "debtor_name": "Platform",
        "debtor_account": "6222020200098765432", "debtor_country": "CN"});
    payouts::create_batch(&shop.engine, &shop.author, serde_json::from_value(input).unwrap()).await.unwrap();
    let everything = format!("{:?}", shop.store.snapshot());
    assert!(!everything.contains("6222020200012345678") && !everything.contains("6222020200098765432"));
    assert!(everything.contains("…5678"));
}

#[tokio::test]
async fn ten_payouts_together_never_take_more_than_is_available() {
    let shop = Shop::open().await;
    let to = shop.by_bank().await;
    let mut results = Vec::new();
    for _ in 0..10 {
        results.push(shop.draft(to, serde_json::json!({"amount": 30_000_000})).await);
    }
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
    for refused in results.into_iter().filter_map(Result::err) {
        assert_eq!((refused.code, refused.param.as_deref()), (Code::InsufficientBalance, Some("amount")));
    }
    assert_eq!(shop.stands("merchant_available"), 10_000_000);
    shop.is_sound().await;
}
