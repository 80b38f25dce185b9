//! Mandates over a scripted channel: what is signed, charged, lost, revoked meanwhile and said late.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use std::sync::Arc;
use std::time::Duration;

use paycore::account;
use paycore::channel::{
    Action, Decline, DeclineReason, Fault, Operation, Outcome, Refusal, Report, Subject, Verb, Verdict,
};
use paycore::crypto::envelope::EnvelopeVault;
use paycore::crypto::native::NativeKeyring;
use paycore::engine::{Caller, ClaimKey, Engine};
use paycore::error::{Code, Error};
use paycore::id::ChannelAccountId;
use paycore::mandate::service::{self as mandates, MandateById, RevokeMandate};
use paycore::mandate::{MandateStatus, MandateView};
use paycore::merchant::service::{authenticate, first_start};
use paycore::notice;
use paycore::order::service::{self as orders, OrderById};
use paycore::order::{Order, OrderFilter, OrderStatus};
use paycore::secret::Secret;
use paycore::store::{Page, Queue};
use paycore::testkit::MemoryStore;
use paycore::testkit::scripted::{Play, Scripted};
use paycore::time::{ManualClock, SeededRng, Timestamp};
use paycore::transport::TransportError;
use serde_json::{Value, json};

struct Shop {
    engine: Engine,
    caller: Caller,
    script: Scripted,
    clock: Arc<ManualClock>,
    account: ChannelAccountId,
}

impl Shop {
    async fn open() -> Shop {
        let script = Scripted::new();
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
        let root = Secret::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let engine = Engine::builder()
            .store(Arc::new(MemoryStore::new()))
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
        let input = serde_json::from_str(r#"{"channel": "scripted", "settings": {}}"#).unwrap();
        let account = account::service::create(&engine, &caller, input).await.unwrap().id;
        Shop { engine, caller, script, clock, account }
    }

    async fn create(&self) -> Result<MandateView, Error> {
        let input = json!({"method": "scripted.mandate", "currency": "CNY", "amount_limit": 10_000,
            "description": "Monthly tea", "customer": "customer-1", "payer": {"ip": "203.0.113.7"}});
        mandates::create(&self.engine, &self.caller, serde_json::from_value(input).unwrap()).await
    }

    /// A mandate that the channel has told to be signed.
    async fn active(&self) -> MandateView {
        let made = self.create().await.unwrap();
        assert_eq!(self.tell(&made, signed(&made)).await, 200);
        let active = self.see(&made).await;
        assert_eq!(active.status, MandateStatus::Active);
        active
    }

    async fn see(&self, mandate: &MandateView) -> MandateView {
        mandates::retrieve(&self.engine, &self.caller, MandateById { id: mandate.id }).await.unwrap()
    }

    /// The status that a notification of the channel is answered with.
    async fn tell(&self, mandate: &MandateView, outcome: Outcome) -> u16 {
        let reference = mandate.reference.clone();
        let notice = self.script.notice(Report { subject: Subject::Mandate, reference, outcome });
        notice::receive(&self.engine, self.account, &notice).await.unwrap().status().as_u16()
    }

    async fn charge(&self, mandate: &MandateView, amount: i64) -> Result<Order, Error> {
        self.charge_as(&self.caller, mandate, json!({ "amount": amount })).await
    }

    async fn charge_as(&self, caller: &Caller, mandate: &MandateView, more: Value) -> Result<Order, Error> {
        let mut input = json!({"amount": 100, "currency": "CNY", "subject": "Tea", "method": "scripted.mandate",
            "mandate": mandate.id});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        orders::create(&self.engine, caller, serde_json::from_value(input).unwrap()).await
    }

    async fn revoke(&self, mandate: &MandateView) -> MandateView {
        let input = RevokeMandate { id: mandate.id, reason: None };
        mandates::revoke(&self.engine, &self.caller, input).await.unwrap()
    }

    async fn work(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        for queue in Queue::ALL {
            assert_eq!(self.engine.work(*queue, 100).await.unwrap().failed, 0, "{queue:?}");
        }
    }

    fn asked(&self, verb: Verb) -> usize {
        self.script.operations().iter().filter(|operation| operation.verb() == verb).count()
    }
}

fn signed(mandate: &MandateView) -> Outcome {
    Outcome::new(Verdict::Succeeded).channel_id(format!("scripted-{}", mandate.reference))
}

fn declined(code: &str) -> Verdict {
    let (reason, message) = (DeclineReason::Cancelled, "said so".to_owned());
    Verdict::Declined(Decline { reason, code: code.to_owned(), message })
}

fn lost() -> Play {
    Play::Lose(TransportError::Timeout)
}

#[tokio::test]
async fn a_signed_mandate_is_charged_without_the_payer_by_its_own_id() {
    let shop = Shop::open().await;
    let made = shop.create().await.unwrap();
    assert!(matches!(made.next_action, Some(Action::Redirect { .. })), "{made:?}");
    let early = shop.charge(&made, 100).await.unwrap_err();
    assert_eq!((early.code, early.param.as_deref()), (Code::StateNotAllowed, Some("mandate")));
    shop.tell(&made, signed(&made)).await;
    let order = shop.charge(&made, 10_000).await.unwrap();
    assert_eq!(order.status, OrderStatus::Succeeded);
    let paid = shop.script.operations().into_iter().find_map(|operation| match operation {
        Operation::Pay(pay) => Some(pay),
        _ => None,
    });
    assert_eq!(paid.unwrap().mandate, Some(format!("scripted-{}", made.reference)));
}

#[tokio::test]
async fn one_idempotency_key_charges_once() {
    let shop = Shop::open().await;
    let mandate = shop.active().await;
    let key = |hash: &str| ClaimKey {
        key: "monthly-1".into(),
        operation: "orders.create",
        request_hash: hash.to_owned(),
    };
    let caller = Caller { claim: Some(key("1")), ..shop.caller.clone() };
    shop.charge_as(&caller, &mandate, json!({})).await.unwrap();
    let again = shop.charge_as(&caller, &mandate, json!({})).await.unwrap_err();
    assert_eq!(again.code, Code::IdempotencyInFlight);
    // The second was prepared, refused with the commit that takes the key, and not sent: there is one order.
    let page = Page { limit: 10, after: None, before: None };
    let all = shop.engine.store().orders(caller.tenant(), &OrderFilter::default(), &page).await.unwrap();
    assert_eq!(all.len(), 1);
}

#[tokio::test]
async fn a_charge_without_an_answer_is_asked_about_and_not_made_twice() {
    let shop = Shop::open().await;
    let mandate = shop.active().await;
    shop.script.then(Verb::Pay, lost());
    let order = shop.charge(&mandate, 100).await.unwrap();
    assert_eq!(order.status, OrderStatus::Processing);
    shop.work(60).await;
    let order = orders::retrieve(&shop.engine, &shop.caller, OrderById { id: order.id }).await.unwrap();
    assert_eq!((order.status, order.captured), (OrderStatus::Succeeded, 100));
    assert_eq!(shop.asked(Verb::Pay), 1);
}

#[tokio::test]
async fn a_lost_charge_is_not_sent_again_once_the_mandate_was_revoked() {
    let shop = Shop::open().await;
    let mandate = shop.active().await;
    shop.script.then(Verb::Pay, lost()).then(Verb::Query, Play::Answer(Outcome::new(Verdict::Absent)));
    let order = shop.charge(&mandate, 100).await.unwrap();
    assert_eq!(shop.revoke(&mandate).await.status, MandateStatus::Ended);
    // Once more, in the place of a close that the channel does not have.
    shop.script.then(Verb::Query, Play::Answer(Outcome::new(Verdict::Absent)));
    shop.work(60).await;
    let order = orders::retrieve(&shop.engine, &shop.caller, OrderById { id: order.id }).await.unwrap();
    assert_eq!((order.status, order.captured), (OrderStatus::Closed, 0));
    assert_eq!(shop.asked(Verb::Pay), 1);
}

#[tokio::test]
async fn more_than_was_agreed_another_currency_and_a_strangers_mandate_are_refused() {
    let shop = Shop::open().await;
    let mandate = shop.active().await;
    let wrong = [
        (json!({"amount": 10_001}), Code::InvalidAmount, "amount"),
        (json!({"currency": "USD"}), Code::InvalidCurrency, "currency"),
        (json!({"method": "scripted.qr"}), Code::InvalidRequest, "mandate"),
        (json!({"mandate": null}), Code::MissingParameter, "mandate"),
        (json!({"mandate": "mdt_01jd7xk3fz5v9b8m2q4r6t8w0y"}), Code::NotFound, "mandate"),
    ];
    for (more, code, param) in wrong {
        let refused = shop.charge_as(&shop.caller, &mandate, more.clone()).await.unwrap_err();
        assert_eq!((refused.code, refused.param.as_deref()), (code, Some(param)), "{more}");
    }
    assert_eq!(shop.asked(Verb::Pay), 0);
    // The live merchant is another tenant than its sandbox.
    let store = shop.engine.store();
    let live = store.merchant(shop.caller.tenant()).await.unwrap().unwrap();
    let stranger = paycore::id::MerchantId::from_bits(7);
    let stranger = Caller::merchant(Arc::new(paycore::merchant::Merchant { id: stranger, ..live }));
    let refused = shop.charge_as(&stranger, &mandate, json!({})).await.unwrap_err();
    assert_eq!((refused.code, refused.param.as_deref()), (Code::NotFound, Some("mandate")));
}

#[tokio::test]
async fn a_revocation_without_an_answer_goes_on_until_the_channel_has_confirmed_it() {
    let shop = Shop::open().await;
    let mandate = shop.active().await;
    shop.script.then(Verb::RevokeMandate, lost());
    let revoking = shop.revoke(&mandate).await;
    assert_eq!(revoking.status, MandateStatus::Revoking);
    let refused = shop.charge(&mandate, 100).await.unwrap_err();
    assert_eq!(refused.code, Code::StateNotAllowed, "nobody is charged from the wish on");
    // It never arrived: the channel says that the mandate is active, so it is sent again.
    shop.work(60).await;
    assert_eq!(shop.see(&mandate).await.status, MandateStatus::Ended);
    assert_eq!(shop.asked(Verb::RevokeMandate), 2);
    assert_eq!(shop.tell(&mandate, signed(&mandate)).await, 200, "old news is acknowledged");
    assert_eq!(shop.see(&mandate).await.status, MandateStatus::Ended);
}

#[tokio::test]
async fn the_payer_ends_it_and_a_lost_notification_is_found_out_within_a_day() {
    let shop = Shop::open().await;
    let mandate = shop.active().await;
    shop.script.then(Verb::QueryMandate, Play::Answer(Outcome::new(declined("2"))));
    shop.work(24 * 3_600 + 1).await;
    let ended = shop.see(&mandate).await;
    assert_eq!((ended.status, ended.decline.unwrap().code.as_str()), (MandateStatus::Ended, "2"));
}

#[tokio::test]
async fn what_nobody_signs_in_time_expires_and_a_late_signature_is_revoked() {
    let shop = Shop::open().await;
    let made = shop.create().await.unwrap();
    let absent = || Play::Answer(Outcome::new(Verdict::Absent));
    shop.script.then(Verb::QueryMandate, Play::Fault(Fault::Unexpected("?".into())));
    shop.work(7_201).await;
    assert_eq!(shop.see(&made).await.status, MandateStatus::Pending, "an unknown outcome is no expiry");
    shop.script.then(Verb::QueryMandate, absent());
    shop.work(3_600).await;
    assert_eq!(shop.see(&made).await.status, MandateStatus::Expired);
    assert_eq!(shop.tell(&made, signed(&made)).await, 200);
    assert_eq!(shop.see(&made).await.status, MandateStatus::Revoking);
    shop.work(60).await;
    assert_eq!(shop.see(&made).await.status, MandateStatus::Ended);
    assert_eq!(shop.asked(Verb::RevokeMandate), 1);
}

#[tokio::test]
async fn a_lost_answer_to_a_signing_is_asked_for_again_and_a_refusal_ends_it() {
    let shop = Shop::open().await;
    shop.script.then(Verb::SignMandate, lost());
    let made = shop.create().await.unwrap();
    assert!(made.status == MandateStatus::Pending && made.next_action.is_none() && made.fault.is_some());
    shop.script.then(Verb::QueryMandate, Play::Answer(Outcome::new(Verdict::Absent)));
    shop.work(60).await;
    assert!(shop.see(&made).await.next_action.is_some(), "the same request again");
    shop.script.then(Verb::SignMandate, Play::Answer(Outcome::new(declined("NOAUTH"))));
    let failed = shop.create().await.unwrap();
    assert_eq!((failed.status, failed.decline.unwrap().code.as_str()), (MandateStatus::Failed, "NOAUTH"));
    shop.script.then(Verb::SignMandate, Play::Refuse(Refusal::Unsupported("this place to sign")));
    assert_eq!(shop.create().await.unwrap_err().code, Code::ChannelRefused);
}

#[tokio::test]
async fn a_notice_of_another_contract_or_of_nobodys_is_refused() {
    let shop = Shop::open().await;
    let mandate = shop.active().await;
    assert_eq!(shop.tell(&mandate, signed(&mandate).channel_id("another")).await, 400);
    assert_eq!(shop.see(&mandate).await.channel_mandate_id, mandate.channel_mandate_id);
    let mut nobody = mandate.clone();
    nobody.reference = "01jd7xk3fz5v9b8m2q4r6t8w0y".into();
    assert_eq!(shop.tell(&nobody, signed(&nobody)).await, 400);
}
