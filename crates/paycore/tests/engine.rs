//! The services over a scripted channel and the memory store: what every answer, and the want of one, leads to.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use paycore::channel::{
    Action, Decline, DeclineReason, Fault, Operation, Outcome, Report, Subject, Verb, Verdict,
};
use paycore::crypto::envelope::EnvelopeVault;
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::engine::{Caller, Engine};
use paycore::error::Code;
use paycore::exception::ExceptionKind;
use paycore::id::ChannelAccountId;
use paycore::merchant::service::{authenticate, first_start};
use paycore::money::Money;
use paycore::order::service::{self as orders, CaptureOrder, OrderById};
use paycore::order::{AttemptStatus, Order, OrderStatus, Orders as _};
use paycore::refund::RefundStatus;
use paycore::refund::service::{self as refunds, CreateRefund};
use paycore::secret::Secret;
use paycore::store::{Changes, Page, Put, Queue, Store};
use paycore::testkit::MemoryStore;
use paycore::testkit::scripted::{Play, Scripted};
use paycore::time::{ManualClock, SeededRng, Timestamp};
use paycore::transport::TransportError;
use paycore::{account, merchant, notice, verify};

struct Shop {
    engine: Arc<Engine>,
    caller: Caller,
    script: Scripted,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    account: ChannelAccountId,
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
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_700_000_000)));
        let store = Arc::new(MemoryStore::new());
        let engine = wire(&script, &clock, Arc::clone(&store), 42);
        let start = first_start(&engine, "Corner shop").await.unwrap().unwrap();
        let key = start.merchant.test_key.key.unwrap();
        let caller = authenticate(&engine, &key).await.unwrap().unwrap();
        let input = serde_json::json!({"channel": "scripted", "settings": {}});
        let input = serde_json::from_value(input).unwrap();
        let account = account::service::create(&engine, &caller, input).await.unwrap().id;
        Shop { engine: Arc::new(engine), caller, script, clock, store, account }
    }

    async fn order(&self, extra: serde_json::Value) -> Order {
        self.try_order(extra).await.unwrap()
    }

    async fn try_order(&self, extra: serde_json::Value) -> paycore::error::Result<Order> {
        let mut input = serde_json::json!({
            "amount": 10_000, "currency": "CNY", "subject": "Tea", "method": "scripted.card",
        });
        for (key, value) in extra.as_object().unwrap() {
            input[key] = value.clone();
        }
        orders::create(&self.engine, &self.caller, serde_json::from_value(input).unwrap()).await
    }

    async fn refund(&self, order: &Order, amount: i64) -> paycore::error::Result<paycore::refund::Refund> {
        let input =
            serde_json::from_value(serde_json::json!({"order_id": order.id, "amount": amount})).unwrap();
        refunds::create(&self.engine, &self.caller, input).await
    }

    async fn fresh(&self, order: &Order) -> Order {
        orders::retrieve(&self.engine, &self.caller, OrderById { id: order.id }).await.unwrap()
    }

    async fn attempt_status(&self, order: &Order) -> AttemptStatus {
        let list = orders::attempts(&self.engine, &self.caller, OrderById { id: order.id }).await.unwrap();
        list.data.last().unwrap().status
    }

    /// Lets time pass in steps of a second, with all workers at work.
    async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            for queue in Queue::ALL {
                let worked = self.engine.work(*queue, 100).await.unwrap();
                assert_eq!(worked.failed, 0, "{queue:?}");
            }
        }
    }

    fn then(&self, verb: Verb, play: Play) {
        self.script.then(verb, play);
    }

    fn sent(&self, verb: Verb) -> usize {
        self.script.operations().iter().filter(|operation| operation.verb() == verb).count()
    }

    fn reference(&self) -> String {
        self.store.snapshot().attempts.last().unwrap().1.reference.clone()
    }

    async fn exceptions(&self) -> Vec<ExceptionKind> {
        let page = Page { limit: 100, after: None, before: None };
        let store = self.engine.store();
        let rows = store.exceptions(self.caller.tenant(), true, &page).await.unwrap();
        rows.iter().map(|row| row.kind).collect()
    }

    fn events(&self) -> Vec<&'static str> {
        self.store.snapshot().events.iter().map(|(_, event)| event.kind.text()).collect()
    }

    /// Whatever happened, the books must be right.
    async fn close_the_books(self) {
        let report = verify::run(&*self.store).await.unwrap();
        assert!(report.ok, "{:?}", report.violations);
    }
}

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn lost() -> Play {
    Play::Lose(TransportError::Timeout)
}

fn answer(verdict: Verdict) -> Play {
    Play::Answer(Outcome::new(verdict))
}

fn no() -> Verdict {
    let message = "no money".to_owned();
    Verdict::Declined(Decline { reason: DeclineReason::InsufficientFunds, code: "51".into(), message })
}

#[tokio::test]
async fn a_paid_order_is_booked_and_told() {
    let shop = Shop::open().await;
    let order = shop.order(serde_json::json!({})).await;
    assert_eq!((order.status, order.captured), (OrderStatus::Succeeded, 10_000));
    assert_eq!(shop.events(), ["order.created", "order.succeeded"]);
    let balances = shop.engine.store().balances(shop.caller.tenant()).await.unwrap();
    let pending = balances.iter().find(|balance| balance.account == "merchant_pending").unwrap();
    assert_eq!((pending.debits, pending.credits), (0, 10_000));
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_definite_no_fails_the_order_and_books_nothing() {
    let shop = Shop::open().await;
    shop.then(Verb::Pay, answer(no()));
    let order = shop.order(serde_json::json!({})).await;
    assert_eq!((order.status, order.captured), (OrderStatus::Failed, 0));
    assert_eq!(order.decline.unwrap().reason, DeclineReason::InsufficientFunds);
    assert!(shop.store.snapshot().transactions.is_empty());
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_lost_reply_is_unknown_until_the_channel_tells_and_never_tried_again() {
    let shop = Shop::open().await;
    shop.then(Verb::Pay, lost());
    let order = shop.order(serde_json::json!({})).await;
    assert_eq!(order.status, OrderStatus::Processing);
    assert_eq!(shop.attempt_status(&order).await, AttemptStatus::Unknown);
    let again =
        serde_json::from_value(serde_json::json!({"id": order.id, "method": "scripted.card"})).unwrap();
    let error = orders::pay(&shop.engine, &shop.caller, again).await.unwrap_err();
    assert_eq!(error.code, Code::StateNotAllowed);
    shop.then(Verb::Query, Play::Fault(Fault::Signature));
    shop.then(Verb::Query, lost());
    shop.pass(14).await;
    assert_eq!(shop.fresh(&order).await.status, OrderStatus::Succeeded);
    assert_eq!((shop.sent(Verb::Pay), shop.sent(Verb::Query)), (1, 3));
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_request_that_never_arrived_is_sent_again_with_the_same_reference() {
    let shop = Shop::open().await;
    shop.then(Verb::Pay, lost());
    shop.then(Verb::Query, answer(Verdict::Absent));
    let order = shop.order(serde_json::json!({})).await;
    shop.pass(3).await;
    assert_eq!(shop.fresh(&order).await.status, OrderStatus::Succeeded);
    let pays: Vec<_> = shop.script.operations().into_iter().filter(|op| op.verb() == Verb::Pay).collect();
    assert_eq!(pays.len(), 2);
    assert_eq!(pays[0], pays[1]);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_lost_code_is_fetched_again_so_that_the_payer_can_pay() {
    let shop = Shop::open().await;
    let code = || Action::Qr { content: "pay me".into() };
    shop.then(Verb::Pay, lost());
    let order = shop.order(serde_json::json!({"method": "scripted.qr"})).await;
    assert_eq!((order.status, order.next_action.clone()), (OrderStatus::Processing, None));
    shop.then(Verb::Query, answer(Verdict::Pending));
    shop.then(Verb::Pay, lost());
    shop.pass(2).await;
    assert_eq!(shop.attempt_status(&shop.fresh(&order).await).await, AttemptStatus::Unknown);
    shop.then(Verb::Query, answer(Verdict::Pending));
    shop.then(Verb::Pay, answer(Verdict::Awaiting(code())));
    shop.pass(4).await;
    let order = shop.fresh(&order).await;
    assert_eq!((order.status, order.next_action), (OrderStatus::Pending, Some(code())));
    let pays: Vec<_> = shop.script.operations().into_iter().filter(|op| op.verb() == Verb::Pay).collect();
    assert!(pays.len() == 3 && pays.iter().all(|pay| *pay == pays[0]));
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_first_start_that_was_cut_off_is_gone_through_again() {
    let shop = Shop::open().await;
    assert!(first_start(&shop.engine, "Again").await.unwrap().is_none());
    // Only the operator, and only half of a merchant, as a kill between the commits leaves them.
    for half in [false, true] {
        let store = Arc::new(MemoryStore::new());
        let kept = |row: &merchant::Merchant| row.twin_id.is_none() || (half && row.livemode);
        for (tenant, row) in shop.store.snapshot().merchants.into_iter().filter(|(_, row)| kept(row)) {
            let mut changes = Changes::default();
            changes.put(Put::Merchant(merchant::Merchant { version: 0, ..row }));
            store.commit(tenant, changes).await.unwrap();
        }
        let engine = wire(&shop.script, &shop.clock, Arc::clone(&store), 43);
        let started = first_start(&engine, "Again").await.unwrap().expect("goes on");
        let operator = authenticate(&engine, started.operator_key.expose()).await.unwrap();
        assert!(operator.is_some() && started.merchant.test_key.key.is_some());
        assert!(first_start(&engine, "Again").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_success_over_another_amount_is_an_exception_and_not_a_success() {
    for wrong in [cny(9_999), cny(1_000_000), Money::new(10_000, Currency::USD)] {
        let shop = Shop::open().await;
        shop.then(Verb::Pay, Play::Answer(Outcome::new(Verdict::Succeeded).money(wrong)));
        let order = shop.order(serde_json::json!({})).await;
        assert_eq!(order.status, OrderStatus::Processing, "{wrong}");
        assert_eq!(shop.exceptions().await, [ExceptionKind::AmountMismatch]);
        assert!(shop.store.snapshot().transactions.is_empty());
        shop.close_the_books().await;
    }
}

#[tokio::test]
async fn what_the_channel_cannot_say_is_refused_before_anything_is_written() {
    let shop = Shop::open().await;
    let refusal = paycore::channel::Refusal::Amount("too small".into());
    shop.then(Verb::Pay, Play::Refuse(refusal));
    let error = shop.try_order(serde_json::json!({})).await.unwrap_err();
    assert_eq!((error.code, error.param.as_deref()), (Code::ChannelRefused, Some("amount")));
    assert!(shop.store.snapshot().orders.is_empty());
    shop.close_the_books().await;
}

#[tokio::test]
async fn money_that_arrives_after_the_close_goes_back_by_itself() {
    let shop = Shop::open().await;
    shop.then(Verb::Pay, answer(Verdict::Pending));
    let order = shop.order(serde_json::json!({})).await;
    let closed = orders::close(&shop.engine, &shop.caller, OrderById { id: order.id }).await.unwrap();
    assert_eq!(closed.status, OrderStatus::Closed);
    let outcome = Outcome::new(Verdict::Succeeded).money(cny(10_000));
    let report = Report { subject: Subject::Payment, reference: shop.reference(), outcome };
    let notice = shop.script.notice(report);
    let reply = notice::receive(&shop.engine, shop.account, &notice).await.unwrap();
    assert_eq!(reply.body().as_ref(), b"ok");
    let late = shop.fresh(&order).await;
    assert_eq!((late.status, late.captured, late.refunding), (OrderStatus::Closed, 10_000, 10_000));
    shop.then(Verb::QueryRefund, answer(Verdict::Absent));
    shop.pass(1).await;
    let back = shop.fresh(&order).await;
    assert_eq!((back.status, back.captured, back.refunded), (OrderStatus::Closed, 10_000, 10_000));
    assert_eq!(shop.sent(Verb::Refund), 1);
    assert_eq!(shop.exceptions().await, []);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_late_payment_that_cannot_go_back_is_shown_to_a_person() {
    let shop = Shop::open().await;
    shop.then(Verb::Pay, answer(no()));
    let order = shop.order(serde_json::json!({})).await;
    assert_eq!(order.status, OrderStatus::Failed);
    let outcome = Outcome::new(Verdict::Succeeded).money(cny(10_000));
    let report = Report { subject: Subject::Payment, reference: shop.reference(), outcome };
    notice::receive(&shop.engine, shop.account, &shop.script.notice(report)).await.unwrap();
    shop.then(Verb::QueryRefund, answer(Verdict::Absent));
    shop.then(Verb::Refund, answer(no()));
    shop.pass(1).await;
    assert_eq!(shop.exceptions().await, [ExceptionKind::LatePayment]);
    shop.close_the_books().await;
}

#[tokio::test]
async fn the_same_notice_any_number_of_times_changes_things_once() {
    let shop = Shop::open().await;
    shop.then(Verb::Pay, answer(Verdict::Pending));
    let order = shop.order(serde_json::json!({})).await;
    let outcome = Outcome::new(Verdict::Succeeded).money(cny(10_000));
    let report = Report { subject: Subject::Payment, reference: shop.reference(), outcome };
    for _ in 0..5 {
        let notice = shop.script.notice(report.clone());
        let reply = notice::receive(&shop.engine, shop.account, &notice).await.unwrap();
        assert_eq!(reply.status(), 200);
    }
    assert_eq!(shop.fresh(&order).await.captured, 10_000);
    assert_eq!(shop.store.snapshot().transactions.len(), 1);
    assert_eq!(shop.events(), ["order.created", "order.succeeded"]);
    shop.close_the_books().await;
}

#[tokio::test]
async fn an_authentic_notice_about_something_else_is_refused_and_audited() {
    let shop = Shop::open().await;
    shop.then(Verb::Pay, answer(Verdict::Pending));
    let order = shop.order(serde_json::json!({})).await;
    let success = |money| Outcome::new(Verdict::Succeeded).money(money);
    let wrong = [
        Report { subject: Subject::Payment, reference: "other".into(), outcome: success(cny(10_000)) },
        Report { subject: Subject::Payment, reference: shop.reference(), outcome: success(cny(10_001)) },
        Report { subject: Subject::Refund, reference: shop.reference(), outcome: success(cny(10_000)) },
    ];
    for report in wrong {
        let before = shop.store.snapshot();
        let notice = shop.script.notice(report.clone());
        let reply = notice::receive(&shop.engine, shop.account, &notice).await.unwrap();
        assert_eq!(reply.status(), 400, "{report:?}");
        let after = shop.store.snapshot();
        assert_eq!(after.audits.len(), before.audits.len() + 1);
        assert_eq!(after.transactions, before.transactions);
    }
    assert_eq!(shop.fresh(&order).await.status, OrderStatus::Processing);
    shop.close_the_books().await;
}

#[tokio::test]
async fn refunds_at_the_same_time_never_exceed_the_capture() {
    let shop = Shop::open().await;
    let order = shop.order(serde_json::json!({})).await;
    let (one, two) = tokio::join!(shop.refund(&order, 6_000), shop.refund(&order, 6_000));
    assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1);
    let error = one.err().or(two.err()).unwrap();
    assert_eq!(error.code, Code::RefundExceedsCapture);
    assert_eq!(shop.fresh(&order).await.status, OrderStatus::PartiallyRefunded);
    shop.refund(&order, 4_000).await.unwrap();
    assert_eq!(shop.fresh(&order).await.status, OrderStatus::Refunded);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_lost_refund_stays_reserved_until_the_channel_tells() {
    let shop = Shop::open().await;
    let order = shop.order(serde_json::json!({})).await;
    shop.then(Verb::Refund, lost());
    let refund = shop.refund(&order, 6_000).await.unwrap();
    assert_eq!(refund.status, RefundStatus::Unknown);
    assert_eq!(shop.refund(&order, 6_000).await.unwrap_err().code, Code::RefundExceedsCapture);
    shop.then(Verb::QueryRefund, answer(Verdict::Absent));
    shop.pass(3).await;
    let order = shop.fresh(&order).await;
    assert_eq!((order.refunded, order.refunding), (6_000, 0));
    assert_eq!(shop.sent(Verb::Refund), 2);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_refused_refund_releases_what_it_reserved() {
    let shop = Shop::open().await;
    let order = shop.order(serde_json::json!({})).await;
    shop.then(Verb::Refund, answer(no()));
    let refund = shop.refund(&order, 10_000).await.unwrap();
    assert_eq!(refund.status, RefundStatus::Failed);
    shop.refund(&order, 10_000).await.unwrap();
    assert_eq!(shop.fresh(&order).await.status, OrderStatus::Refunded);
    shop.close_the_books().await;
}

#[tokio::test]
async fn an_authorization_is_captured_in_part_even_when_the_answer_is_lost() {
    let shop = Shop::open().await;
    let order = shop.order(serde_json::json!({"capture_method": "manual"})).await;
    assert_eq!((order.status, order.authorized, order.captured), (OrderStatus::Authorized, 10_000, 0));
    shop.then(Verb::Capture, lost());
    shop.then(Verb::Query, answer(Verdict::Authorized));
    let input = CaptureOrder { id: order.id, amount: Some(7_000) };
    let waiting = orders::capture(&shop.engine, &shop.caller, input).await.unwrap();
    assert_eq!(waiting.status, OrderStatus::Authorized);
    shop.pass(3).await;
    let order = shop.fresh(&order).await;
    assert_eq!((order.status, order.captured), (OrderStatus::Succeeded, 7_000));
    assert_eq!(shop.sent(Verb::Capture), 2);
    assert_eq!(shop.refund(&order, 7_001).await.unwrap_err().code, Code::RefundExceedsCapture);
    shop.close_the_books().await;
}

/// The sweep or a notice writes the order between the reading of it and the writing of what was decided.
fn written_meanwhile(shop: &Shop, order: &Order) {
    let (store, tenant, id) = (Arc::clone(&shop.store), shop.caller.merchant.id, order.id);
    shop.script.meanwhile(move || {
        let written = async {
            let order = store.order(tenant, id).await.unwrap().unwrap();
            let mut changes = Changes::new();
            changes.put(Put::Order(order));
            store.commit(tenant, changes).await.unwrap();
        };
        // The store in memory never waits.
        assert!(std::pin::pin!(written).poll(&mut Context::from_waker(Waker::noop())).is_ready());
    });
}

#[tokio::test]
async fn a_capture_or_a_void_is_decided_again_when_the_order_was_written_meanwhile() {
    let shop = Shop::open().await;
    let order = shop.order(serde_json::json!({"capture_method": "manual"})).await;
    written_meanwhile(&shop, &order);
    let input = CaptureOrder { id: order.id, amount: None };
    let taken = orders::capture(&shop.engine, &shop.caller, input).await.unwrap();
    assert_eq!((taken.status, taken.captured), (OrderStatus::Succeeded, 10_000));
    assert_eq!(shop.sent(Verb::Capture), 2, "encoded twice, sent once");
    let order = shop.order(serde_json::json!({"capture_method": "manual"})).await;
    written_meanwhile(&shop, &order);
    let given = orders::void(&shop.engine, &shop.caller, OrderById { id: order.id }).await.unwrap();
    assert_eq!(given.status, OrderStatus::Closed);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_voided_authorization_closes_the_order() {
    let shop = Shop::open().await;
    let order = shop.order(serde_json::json!({"capture_method": "manual"})).await;
    let order = orders::void(&shop.engine, &shop.caller, OrderById { id: order.id }).await.unwrap();
    assert_eq!((order.status, order.captured), (OrderStatus::Closed, 0));
    let input = CaptureOrder { id: order.id, amount: None };
    assert_eq!(
        orders::capture(&shop.engine, &shop.caller, input).await.unwrap_err().code,
        Code::StateNotAllowed
    );
    shop.close_the_books().await;
}

#[tokio::test]
async fn an_order_nobody_pays_closes_at_the_channel_and_here_when_its_time_is_over() {
    let shop = Shop::open().await;
    shop.then(Verb::Pay, answer(Verdict::Pending));
    for _ in 0..20 {
        shop.then(Verb::Query, answer(Verdict::Pending));
    }
    let order = shop.order(serde_json::json!({"expires_in": 60})).await;
    shop.pass(59).await;
    assert_eq!(shop.fresh(&order).await.status, OrderStatus::Processing);
    shop.pass(3).await;
    assert_eq!(shop.fresh(&order).await.status, OrderStatus::Closed);
    assert_eq!(shop.sent(Verb::Close), 1);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_close_whose_answer_is_lost_is_asked_again_and_a_payment_meanwhile_wins() {
    let shop = Shop::open().await;
    shop.then(Verb::Pay, answer(Verdict::Pending));
    let order = shop.order(serde_json::json!({})).await;
    shop.then(Verb::Close, lost());
    let closing = orders::close(&shop.engine, &shop.caller, OrderById { id: order.id }).await.unwrap();
    assert!(closing.closing && closing.status == OrderStatus::Processing);
    shop.then(Verb::Close, Play::Answer(Outcome::new(Verdict::Succeeded).money(cny(10_000))));
    shop.pass(3).await;
    assert_eq!(shop.fresh(&order).await.status, OrderStatus::Succeeded);
    shop.close_the_books().await;
}

#[tokio::test]
async fn with_several_methods_the_payer_chooses_and_a_decline_leaves_the_others() {
    let shop = Shop::open().await;
    let extra = serde_json::json!({"method": null, "methods": ["scripted.card", "scripted.qr"]});
    let order = shop.order(extra).await;
    assert_eq!((order.status, order.attempt_id), (OrderStatus::Pending, None));
    shop.then(Verb::Pay, answer(no()));
    let choose =
        |method| serde_json::from_value(serde_json::json!({"id": order.id, "method": method})).unwrap();
    let declined = orders::pay(&shop.engine, &shop.caller, choose("scripted.card")).await.unwrap();
    assert_eq!(declined.status, OrderStatus::Pending);
    let paid = orders::pay(&shop.engine, &shop.caller, choose("scripted.card")).await.unwrap();
    assert_eq!(paid.status, OrderStatus::Succeeded);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_success_that_turns_into_a_failure_is_shown_and_not_believed() {
    let shop = Shop::open().await;
    let order = shop.order(serde_json::json!({})).await;
    let report =
        Report { subject: Subject::Payment, reference: shop.reference(), outcome: Outcome::new(no()) };
    notice::receive(&shop.engine, shop.account, &shop.script.notice(report)).await.unwrap();
    assert_eq!(shop.fresh(&order).await.status, OrderStatus::Succeeded);
    assert_eq!(shop.exceptions().await, [ExceptionKind::Contradiction]);
    shop.close_the_books().await;
}

#[tokio::test]
async fn another_merchants_orders_do_not_exist() {
    let shop = Shop::open().await;
    let order = shop.order(serde_json::json!({})).await;
    let operator =
        shop.store.snapshot().merchants.iter().find(|(_, m)| m.name == "Operator").unwrap().1.clone();
    let operator = Caller::merchant(Arc::new(operator));
    let input = merchant::service::CreateMerchant { name: "Other".into() };
    let other = merchant::service::create(&shop.engine, &operator, input).await.unwrap();
    let other = authenticate(&shop.engine, &other.test_key.key.unwrap()).await.unwrap().unwrap();
    let id = order.id;
    assert_eq!(
        orders::retrieve(&shop.engine, &other, OrderById { id }).await.unwrap_err().code,
        Code::NotFound
    );
    assert_eq!(orders::close(&shop.engine, &other, OrderById { id }).await.unwrap_err().code, Code::NotFound);
    let input: CreateRefund = serde_json::from_value(serde_json::json!({"order_id": id})).unwrap();
    assert_eq!(refunds::create(&shop.engine, &other, input).await.unwrap_err().code, Code::NotFound);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_channel_that_only_announces_is_asked_before_anything_is_booked() {
    let shop = Shop::open().await;
    shop.script.confirming();
    shop.then(Verb::Pay, answer(Verdict::Pending));
    let order = shop.order(serde_json::json!({})).await;
    let outcome = Outcome::new(Verdict::Succeeded).money(cny(10_000));
    let report = Report { subject: Subject::Payment, reference: shop.reference(), outcome };
    let told = async || {
        let notice = shop.script.notice(report.clone());
        let reply = notice::receive(&shop.engine, shop.account, &notice).await.unwrap();
        (reply.status().as_u16(), shop.fresh(&order).await.captured, shop.sent(Verb::Query))
    };
    shop.then(Verb::Query, lost());
    shop.then(Verb::Query, answer(Verdict::Pending));
    assert_eq!(told().await, (400, 0, 1), "nobody could be asked, so it shall come again");
    assert_eq!(told().await, (200, 0, 2), "the channel's own answer counts");
    assert_eq!(told().await, (200, 10_000, 3));
    assert_eq!(told().await, (200, 10_000, 3), "what is known is not asked for again");
    assert_eq!(shop.events(), ["order.created", "order.succeeded"]);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_refund_that_is_only_announced_is_asked_for_too() {
    let shop = Shop::open().await;
    shop.script.confirming();
    let order = shop.order(serde_json::json!({})).await;
    shop.then(Verb::Refund, answer(Verdict::Pending));
    let refund = shop.refund(&order, 4_000).await.unwrap();
    let reference = shop.store.snapshot().refunds.last().unwrap().1.reference.clone();
    let outcome = Outcome::new(Verdict::Succeeded).money(cny(4_000));
    let report = Report { subject: Subject::Refund, reference, outcome };
    for (play, status, refunded) in [(lost(), 400, 0), (answer(Verdict::Pending), 200, 0)] {
        shop.then(Verb::QueryRefund, play);
        let notice = shop.script.notice(report.clone());
        let reply = notice::receive(&shop.engine, shop.account, &notice).await.unwrap();
        assert_eq!((reply.status().as_u16(), shop.fresh(&order).await.refunded), (status, refunded));
    }
    notice::receive(&shop.engine, shop.account, &shop.script.notice(report)).await.unwrap();
    assert_eq!(shop.fresh(&order).await.refunded, 4_000, "{refund:?}");
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_channel_that_cannot_close_is_asked_instead() {
    let shop = Shop::open().await;
    shop.then(Verb::Pay, answer(Verdict::Pending));
    let order = shop.order(serde_json::json!({"method": "scripted.open", "expires_in": 60})).await;
    shop.then(Verb::Query, answer(Verdict::Pending));
    let order = orders::close(&shop.engine, &shop.caller, OrderById { id: order.id }).await.unwrap();
    assert_eq!(order.status, OrderStatus::Processing, "the channel still waits for the payer");
    shop.then(Verb::Query, answer(no()));
    shop.pass(10).await;
    assert_eq!(shop.fresh(&order).await.status, OrderStatus::Closed);
    assert_eq!((shop.sent(Verb::Close), shop.sent(Verb::Query)), (0, 2));
    let shop_of_one_who_never_came = Shop::open().await;
    let shop = shop_of_one_who_never_came;
    shop.then(Verb::Pay, answer(Verdict::Pending));
    let order = shop.order(serde_json::json!({"method": "scripted.open"})).await;
    shop.then(Verb::Query, answer(Verdict::Absent));
    let order = orders::close(&shop.engine, &shop.caller, OrderById { id: order.id }).await.unwrap();
    assert_eq!(order.status, OrderStatus::Closed);
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_capture_has_one_time_however_often_it_is_sent() {
    let shop = Shop::open().await;
    let order = shop.order(serde_json::json!({"capture_method": "manual"})).await;
    shop.clock.advance(Duration::from_secs(3_600));
    shop.then(Verb::Capture, lost());
    let capture = CaptureOrder { id: order.id, amount: Some(4_000) };
    orders::capture(&shop.engine, &shop.caller, capture).await.unwrap();
    shop.then(Verb::Query, answer(Verdict::Authorized));
    shop.pass(5).await;
    let times: Vec<_> = shop
        .script
        .operations()
        .into_iter()
        .filter_map(|operation| match operation {
            Operation::Capture(capture) => Some(capture.payment.ending_at),
            Operation::Query(query) => Some(query.payment.ending_at),
            _ => None,
        })
        .collect();
    assert_eq!(times, [Some(Timestamp::from_secs(1_700_003_600)); 3]);
    assert_eq!(shop.fresh(&order).await.captured, 4_000);
    shop.close_the_books().await;
}
