//! Disputes over a scripted channel and the memory store, and two engines that race on one order.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use std::sync::Arc;
use std::time::Duration;

use paycore::channel::{Case, Decline, DeclineReason, DisputeReason, Outcome, Report, Subject, Verdict};
use paycore::crypto::envelope::EnvelopeVault;
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::dispute::service as disputes;
use paycore::dispute::{Dispute, DisputeStatus};
use paycore::engine::{Caller, Engine};
use paycore::error::Code;
use paycore::id::ChannelAccountId;
use paycore::merchant::service::{authenticate, first_start};
use paycore::money::Money;
use paycore::order::Order;
use paycore::order::service as orders;
use paycore::refund::service as refunds;
use paycore::secret::Secret;
use paycore::store::{Page, Queue};
use paycore::testkit::MemoryStore;
use paycore::testkit::scripted::Scripted;
use paycore::time::{ManualClock, SeededRng, Timestamp};
use paycore::{account, notice, verify};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const START: i64 = 1_700_000_000;

struct Shop {
    engine: Arc<Engine>,
    caller: Caller,
    script: Scripted,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    account: ChannelAccountId,
}

fn input<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn wire(script: &Scripted, clock: &Arc<ManualClock>, store: Arc<MemoryStore>, seed: u64) -> Engine {
    let root = Secret::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    Engine::builder()
        .store(store)
        .transport(Arc::new(script.clone()))
        .channels(&[script.driver()])
        .keyring(Arc::new(NativeKeyring))
        .vault(Arc::new(EnvelopeVault::new([("k1", &root)]).unwrap()))
        .clock(Arc::clone(clock) as _)
        .rng(Arc::new(SeededRng::new(seed)))
        .build()
        .unwrap()
}

impl Shop {
    async fn open() -> Shop {
        let script = Scripted::new();
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(START)));
        let store = Arc::new(MemoryStore::new());
        let engine = wire(&script, &clock, Arc::clone(&store), 42);
        let start = first_start(&engine, "Corner shop").await.unwrap().unwrap();
        let caller = authenticate(&engine, &start.merchant.test_key.key.unwrap()).await.unwrap().unwrap();
        let wanted = input(json!({"channel": "scripted", "settings": {}}));
        let account = account::service::create(&engine, &caller, wanted).await.unwrap().id;
        Shop { engine: Arc::new(engine), caller, script, clock, store, account }
    }

    async fn order(&self) -> Order {
        let wanted =
            json!({"amount": 10_000, "currency": "CNY", "subject": "Tea", "method": "scripted.card"});
        orders::create(&self.engine, &self.caller, input(wanted)).await.unwrap()
    }

    async fn fresh(&self, order: &Order) -> Order {
        orders::retrieve(&self.engine, &self.caller, input(json!({"id": order.id}))).await.unwrap()
    }

    async fn open_dispute(&self, order: &Order, minor: i64) -> paycore::error::Result<Dispute> {
        let respond_by = Timestamp::from_secs(START + 10 * 86_400);
        let wanted = json!({"order_id": order.id, "amount": minor, "reason": "not_received", "fee": 1_500,
            "respond_by": respond_by});
        disputes::open(&self.engine, &self.caller, input(wanted)).await.map(|shown| shown.document().clone())
    }

    async fn dispute(&self, dispute: &Dispute) -> Dispute {
        let shown = disputes::retrieve(&self.engine, &self.caller, input(json!({"id": dispute.id}))).await;
        shown.unwrap().document().clone()
    }

    async fn refund(&self, order: &Order, minor: i64) -> paycore::error::Result<()> {
        let wanted = input(json!({"order_id": order.id, "amount": minor}));
        refunds::create(&self.engine, &self.caller, wanted).await.map(drop)
    }

    async fn told(&self, order: &Order, verdict: Verdict, minor: Option<i64>) -> http::StatusCode {
        let attempt = self
            .store
            .snapshot()
            .attempts
            .iter()
            .find(|(_, row)| row.order_id == order.id)
            .unwrap()
            .1
            .clone();
        let outcome = Outcome { money: minor.map(cny), ..Outcome::new(verdict).channel_id("CASE-1") };
        let respond_by = Timestamp::from_secs(START + 10 * 86_400);
        let case = Case { reason: DisputeReason::Fraudulent, fee: cny(0), respond_by };
        let report = Report { subject: Subject::Dispute(case), reference: attempt.reference, outcome };
        let notice = self.script.notice(report);
        notice::receive(&self.engine, self.account, &notice).await.unwrap().status()
    }

    async fn days_pass(&self, days: u64) {
        for _ in 0..days {
            self.clock.advance(Duration::from_secs(86_400));
            for _ in 0..3 {
                let worked = self.engine.work(Queue::Documents, 100).await.unwrap();
                assert_eq!(worked.failed, 0);
            }
        }
    }

    async fn owed(&self, account: &str) -> i64 {
        let rows = self.engine.store().balances(self.caller.tenant()).await.unwrap();
        rows.iter().filter(|row| row.account == account).map(|row| row.credits - row.debits).sum()
    }

    async fn exceptions(&self) -> Vec<&'static str> {
        let page = Page { limit: 100, after: None, before: None };
        let rows = self.engine.store().exceptions(self.caller.tenant(), true, &page).await.unwrap();
        rows.iter().map(|row| row.kind.text()).collect()
    }

    /// Whatever happened, the books must be right.
    async fn close_the_books(&self) {
        let report = verify::run(&*self.store).await.unwrap();
        assert!(report.ok, "{:?}", report.violations);
    }
}

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn no() -> Verdict {
    Verdict::Declined(Decline { reason: DeclineReason::Generic, code: "LOST".into(), message: String::new() })
}

#[tokio::test]
async fn the_channel_takes_the_money_at_once_and_a_win_brings_it_back_but_not_the_fee() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let dispute = shop.open_dispute(&order, 6_000).await.unwrap();
    assert_eq!(
        (shop.fresh(&order).await.charged_back, shop.fresh(&order).await.refundable()),
        (6_000, 4_000)
    );
    assert_eq!(shop.owed("merchant_pending").await, 10_000 - 6_000 - 1_500);
    let content = "c2lnbmVkIGZvciDlt7Lnrb7mlLY=";
    let file = json!({"id": dispute.id, "name": "receipt 签收单", "content": content});
    let kept = disputes::add_evidence(&shop.engine, &shop.caller, input(file)).await.unwrap();
    let read =
        disputes::retrieve_evidence(&shop.engine, &shop.caller, input(json!({"id": kept.id}))).await.unwrap();
    assert_eq!(read.content, content);
    let stored = format!("{:?}", shop.store.snapshot().documents);
    assert!(!stored.contains(content), "evidence is kept sealed");
    let answer = json!({"id": dispute.id, "statement": "Delivered.\nSigned for."});
    let answered = disputes::submit(&shop.engine, &shop.caller, input(answer.clone())).await.unwrap();
    assert_eq!(answered.document().status, DisputeStatus::UnderReview);
    let again = disputes::submit(&shop.engine, &shop.caller, input(answer)).await.unwrap_err();
    assert_eq!(again.code, Code::StateNotAllowed);
    let won = json!({"id": dispute.id, "outcome": "won"});
    let won = disputes::decide(&shop.engine, &shop.caller, input(won)).await.unwrap();
    assert_eq!((won.document().status, won.document().recovered), (DisputeStatus::Won, 6_000));
    assert_eq!(shop.fresh(&order).await.charged_back, 0);
    assert_eq!(shop.owed("merchant_pending").await, 10_000 - 1_500);
    shop.close_the_books().await;
}

#[tokio::test]
async fn somebody_is_told_a_day_before_the_deadline_and_after_it_the_dispute_is_lost() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let dispute = shop.open_dispute(&order, 10_000).await.unwrap();
    shop.days_pass(8).await;
    assert_eq!(shop.exceptions().await, [] as [&str; 0]);
    shop.days_pass(1).await;
    assert_eq!(shop.exceptions().await, ["dispute_due"]);
    assert_eq!(shop.dispute(&dispute).await.status, DisputeStatus::NeedsResponse);
    shop.days_pass(1).await;
    assert_eq!(shop.dispute(&dispute).await.status, DisputeStatus::Lost);
    assert_eq!(shop.fresh(&order).await.charged_back, 10_000);
    let late =
        disputes::accept(&shop.engine, &shop.caller, input(json!({"id": dispute.id}))).await.unwrap_err();
    assert_eq!(late.code, Code::StateNotAllowed);
    shop.close_the_books().await;
}

#[tokio::test]
async fn what_the_channel_tells_is_believed_once_and_a_part_that_is_won_comes_back() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    for _ in 0..3 {
        assert_eq!(shop.told(&order, Verdict::Pending, Some(5_000)).await, http::StatusCode::OK);
    }
    assert_eq!(shop.fresh(&order).await.charged_back, 5_000);
    for _ in 0..2 {
        shop.told(&order, Verdict::Succeeded, Some(2_000)).await;
    }
    assert_eq!(shop.fresh(&order).await.charged_back, 3_000);
    assert_eq!(shop.owed("merchant_pending").await, 7_000);
    shop.told(&order, no(), None).await;
    assert!(shop.exceptions().await.contains(&"contradiction"), "decided twice, and differently");
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_dispute_of_more_than_is_left_charges_what_is_left_and_shows_the_rest_to_a_person() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    shop.refund(&order, 7_000).await.unwrap();
    let error = shop.open_dispute(&order, 3_001).await.unwrap_err();
    assert_eq!((error.code, error.param.as_deref()), (Code::RefundExceedsCapture, Some("amount")));
    shop.told(&order, Verdict::Pending, Some(10_000)).await;
    assert_eq!(shop.fresh(&order).await.charged_back, 3_000);
    assert_eq!(shop.exceptions().await, ["dispute_excess"]);
    assert_eq!(shop.refund(&order, 1).await.unwrap_err().code, Code::RefundExceedsCapture);
    shop.close_the_books().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_engines_that_refund_and_charge_back_at_once_never_exceed_the_capture() {
    for round in 0..25 {
        let shop = Shop::open().await;
        let other = Arc::new(wire(&shop.script, &shop.clock, Arc::clone(&shop.store), 1_000 + round));
        let order = shop.order().await;
        let mut jobs = Vec::new();
        for index in 0..8_i64 {
            let engine = if index % 2 == 0 { Arc::clone(&shop.engine) } else { Arc::clone(&other) };
            let (caller, id) = (shop.caller.clone(), order.id);
            jobs.push(tokio::spawn(async move {
                let amount = 3_000 + index;
                if index < 4 {
                    let wanted = json!({"order_id": id, "amount": amount});
                    return refunds::create(&engine, &caller, input(wanted)).await.is_ok();
                }
                let respond_by = Timestamp::from_secs(START + 86_400);
                let wanted = json!({"order_id": id, "amount": amount, "reason": "duplicate", "respond_by": respond_by});
                disputes::open(&engine, &caller, input(wanted)).await.is_ok()
            }));
        }
        let mut done = 0;
        for job in jobs {
            done += usize::from(job.await.unwrap());
        }
        let order = shop.fresh(&order).await;
        assert_eq!(done, 3, "three times 30.00 fit into 100.00");
        assert!(order.refunded + order.refunding + order.charged_back <= order.captured, "{order:?}");
        shop.close_the_books().await;
    }
}
