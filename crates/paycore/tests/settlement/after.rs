//! What becomes of a settlement after its close: it is paid by a payout, corrected by two people, and a debt is told.

use std::time::Duration;

use paycore::account;
use paycore::channel::{Decline, DeclineReason, Outcome, Verb, Verdict};
use paycore::clearing::{Item, ItemKind};
use paycore::currency::Currency;
use paycore::document::DocumentFilter;
use paycore::engine::Caller;
use paycore::error::{Code, Result};
use paycore::event::{EventFilter, EventKind, Events as _};
use paycore::id::{BeneficiaryId, SettlementId};
use paycore::money::Money;
use paycore::payout::rules::PayoutView;
use paycore::payout::service as payouts;
use paycore::payout::{Payout, PayoutStatus};
use paycore::reconciliation::Class;
use paycore::reconciliation::run::Scope;
use paycore::reconciliation::service as reconciliations;
use paycore::settlement::service as settlements;
use paycore::settlement::view::SettlementView;
use paycore::settlement::{Correction, LineKind, SettlementStatus};
use paycore::store::{Changes, Put, Queue, Store as _};
use paycore::testkit::scripted::Play;
use paycore::time::BEIJING;
use serde_json::{Value, json};

use super::engine::{Shop, line, read};

impl Shop {
    fn person(&self, name: &str) -> Caller {
        Caller { actor: name.to_owned(), ..self.caller.clone() }
    }

    async fn beneficiary(&self) -> BeneficiaryId {
        let input = read(json!({"channel": "scripted", "settings": {}}));
        let account = account::service::create(&self.engine, &self.caller, input).await.unwrap().id;
        let route = json!({"type": "channel", "channel_account_id": account, "account_kind": "login"});
        let input = json!({"name": "Tea & Sons", "account": "farmer@tea.example", "route": route});
        let made = payouts::create_beneficiary(&self.engine, &self.caller, read(input)).await.unwrap();
        let id = payouts::BeneficiaryById { id: made.id };
        payouts::approve_beneficiary(&self.engine, &self.person("boss"), id).await.unwrap();
        made.id
    }

    pub(crate) async fn draft(&self, settlement: &SettlementView, more: Value) -> Result<PayoutView> {
        let to = self.beneficiary().await;
        let mut input = json!({
            "amount": settlement.payout, "currency": settlement.payout_currency, "beneficiary_id": to,
            "settlement_id": settlement.id,
        });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        payouts::create(&self.engine, &self.caller, read(input)).await
    }

    /// Drafted, reviewed and approved, and with that sent.
    pub(crate) async fn pays(&self, settlement: &SettlementView) -> PayoutView {
        let payout = self.draft(settlement, json!({})).await.unwrap();
        let id = payouts::PayoutById { id: payout.id };
        payouts::review(&self.engine, &self.person("clerk"), id).await.unwrap();
        let input = payouts::ApprovePayout { id: payout.id, effect: payout.effect };
        payouts::approve(&self.engine, &self.person("boss"), input).await.unwrap()
    }

    pub(crate) async fn settlement(&self, id: Option<SettlementId>) -> SettlementView {
        let input = settlements::SettlementById { id: id.unwrap() };
        settlements::retrieve(&self.engine, &self.caller, input).await.unwrap()
    }

    pub(crate) async fn count(&self, kind: EventKind) -> usize {
        let filter = EventFilter { kind: Some(kind), ..EventFilter::default() };
        self.store.events(self.caller.tenant(), &filter, 0, 1_000).await.unwrap().len()
    }

    /// A shop with one settlement of 500.00 that is ready.
    async fn settled() -> (Shop, SettlementView) {
        let shop = Shop::open().await;
        shop.plan(json!({})).await;
        shop.pay(50_000).await;
        shop.days(3).await;
        let made = shop.settlements().await.remove(0);
        (shop, made)
    }
}

fn declined() -> Play {
    let decline = Decline { reason: DeclineReason::Limit, code: "LIMIT".into(), message: "too much".into() };
    Play::Answer(Outcome::new(Verdict::Declined(decline)))
}

#[tokio::test]
async fn a_settlement_follows_its_payout_and_is_paid_again_after_one_that_failed() {
    let (shop, made) = Shop::settled().await;
    assert_eq!((made.status, made.payout_id), (Some(SettlementStatus::Ready), None));
    shop.script.then(Verb::Transfer, declined());
    let failed = shop.pays(&made).await;
    assert_eq!(failed.status, PayoutStatus::Failed);
    let seen = shop.settlement(made.id).await;
    assert_eq!((seen.status, seen.payout_id), (Some(SettlementStatus::Ready), None));
    let paid = shop.pays(&made).await;
    assert_eq!(paid.status, PayoutStatus::Paid);
    let seen = shop.settlement(made.id).await;
    assert_eq!((seen.status, seen.payout_id), (Some(SettlementStatus::Paid), Some(paid.id)));
    assert_eq!(seen.statement, made.statement);
    let counts = [EventKind::SettlementPaying, EventKind::SettlementUnpaid, EventKind::SettlementPaid];
    let mut found = Vec::new();
    for kind in counts {
        found.push(shop.count(kind).await);
    }
    assert_eq!(found, [2, 1, 1]);
    assert_eq!(shop.draft(&made, json!({})).await.unwrap_err().param.as_deref(), Some("settlement_id"));
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_settlement_whose_payout_is_lost_is_on_its_way_until_the_channel_says_what_became_of_it() {
    let (shop, made) = Shop::settled().await;
    shop.script.then(Verb::Transfer, Play::Lose(paycore::transport::TransportError::Timeout));
    let lost = shop.pays(&made).await;
    assert_eq!(lost.status, PayoutStatus::Unknown);
    assert_eq!(shop.settlement(made.id).await.status, Some(SettlementStatus::Paying));
    for _ in 0..60 {
        shop.clock.advance(Duration::from_secs(10));
        shop.engine.work(Queue::Documents, 100).await.unwrap();
    }
    assert_eq!(shop.settlement(made.id).await.status, Some(SettlementStatus::Paid));
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_settlement_is_taken_up_by_one_payout_whole_and_without_a_second_fee() {
    let (shop, made) = Shop::settled().await;
    for (more, param) in [(json!({"amount": 49_999}), "amount"), (json!({"fee": 100}), "fee")] {
        assert_eq!(shop.draft(&made, more).await.unwrap_err().param.as_deref(), Some(param));
    }
    let strange = json!({"settlement_id": "stl_01jd7xk3fz5v9b8m2q4r6t8w0y"});
    let error = shop.draft(&made, strange).await.unwrap_err();
    assert_eq!((error.code, error.param.as_deref()), (Code::NotFound, Some("settlement_id")));
    let first = shop.draft(&made, json!({})).await.unwrap();
    assert_eq!(shop.settlement(made.id).await.status, Some(SettlementStatus::Paying));
    assert_eq!(shop.draft(&made, json!({})).await.unwrap_err().code, Code::StateNotAllowed);
    let cancel = payouts::CancelPayout { id: first.id, reason: Some("wrong account".into()) };
    payouts::cancel(&shop.engine, &shop.caller, cancel).await.unwrap();
    let seen = shop.settlement(made.id).await;
    assert_eq!((seen.status, seen.payout_id), (Some(SettlementStatus::Ready), None));
    // Nobody approves the next one: a week later it is cancelled, and the settlement can be paid again.
    shop.draft(&made, json!({})).await.unwrap();
    shop.days(8).await;
    assert_eq!(shop.settlement(made.id).await.status, Some(SettlementStatus::Ready));
    shop.close_the_books().await;
}

#[tokio::test]
async fn our_own_books_agree_leg_by_leg_and_a_lie_in_one_of_them_is_a_break() {
    let (shop, made) = Shop::settled().await;
    shop.script.then(Verb::Transfer, declined());
    shop.pays(&made).await;
    let payout = shop.pays(&made).await;
    let order = shop.pay(7_000).await;
    shop.refund(&order, 1_000).await;
    let day = shop.engine.wall().to_civil(BEIJING).date().to_string();
    let compare = || read(json!({"scope": "internal", "day": day}));
    let run = reconciliations::run(&shop.engine, &shop.caller, compare()).await.unwrap();
    // A payment and a refund with what they leave pending; the settlement; three steps of either payout, less the second's
    // release: reserve and release of the first, reserve and payment of the second.
    let summary = &run.summary;
    assert_eq!((summary.ours_broken, summary.theirs_broken), (0, 0), "{summary:?}");
    assert_eq!((summary.ours, summary.theirs), (4 + 1 + 4, 4 + 1 + 4));

    let tenant = shop.caller.tenant();
    let mut lie: Payout = shop.engine.document(tenant, payout.id).await.unwrap();
    lie.money = Money::new(lie.money.minor() + 1, Currency::CNY);
    let items: Vec<Item> =
        shop.engine.all_documents(tenant, &DocumentFilter::status("pending")).await.unwrap();
    let mut other = items.into_iter().find(|item| item.kind == ItemKind::Refund).unwrap();
    other.gross = Money::new(-999, Currency::CNY);
    let mut changes = Changes::new();
    changes.put(Put::document(&lie)).put(Put::document(&other));
    shop.store.commit(tenant, changes).await.unwrap();
    let run = reconciliations::run(&shop.engine, &shop.caller, compare()).await.unwrap();
    assert_eq!((run.summary.ours_broken, run.summary.theirs_broken), (3, 3), "{:?}", run.summary);
    let again = reconciliations::run(&shop.engine, &shop.caller, compare()).await.unwrap();
    let open = reconciliations::list_breaks(&shop.engine, &shop.caller, read(json!({}))).await.unwrap();
    assert_eq!((again.id, open.data.len()), (run.id, 3));
    assert!(open.data.iter().all(|found| found.scope == Scope::Internal && found.class == Class::Internal));
}

pub(crate) async fn propose(shop: &Shop, made: &SettlementView, amount: i64) -> Result<Correction> {
    let input = json!({
        "id": made.id, "merchant_id": shop.caller.tenant(), "amount": amount, "reason": "fee taken twice",
    });
    let shown = settlements::correct(&shop.engine, &shop.operator, read(input)).await?;
    Ok(shown.document().clone())
}

pub(crate) async fn approve(shop: &Shop, correction: &Correction, by: &str) -> Result<Correction> {
    let input = json!({"id": correction.id, "merchant_id": shop.caller.tenant()});
    let caller = Caller { actor: by.to_owned(), ..shop.operator.clone() };
    let shown = settlements::approve_correction(&shop.engine, &caller, read(input)).await?;
    Ok(shown.document().clone())
}

#[tokio::test]
async fn a_published_statement_stays_and_its_correction_is_an_entry_of_the_next_one() {
    let (shop, made) = Shop::settled().await;
    assert_eq!(propose(&shop, &made, 0).await.unwrap_err().param.as_deref(), Some("amount"));
    let correction = propose(&shop, &made, 1_200).await.unwrap();
    assert_eq!(propose(&shop, &made, 1_200).await.unwrap().id, correction.id);
    let own = shop.operator.actor.clone();
    assert_eq!(approve(&shop, &correction, &own).await.unwrap_err().code, Code::Forbidden);
    assert_eq!(shop.balance("fee_income").await, 0);
    let stale = propose(&shop, &made, -300).await.unwrap();
    approve(&shop, &correction, "key_of_somebody_else").await.unwrap();
    assert_eq!((shop.balance("fee_income").await, shop.balance("merchant_pending").await), (-1_200, 1_200));
    for twice in [&correction, &stale] {
        let again = approve(&shop, twice, "key_of_somebody_else").await;
        assert_eq!(again.unwrap_err().code, Code::StateNotAllowed);
    }
    let seen = shop.settlement(made.id).await;
    assert_eq!((&seen.statement, seen.corrections), (&made.statement, vec![correction.id]));
    shop.pay(30_000).await;
    shop.days(4).await;
    let next = shop.settlements().await.remove(0);
    assert_ne!(next.id, made.id);
    assert_eq!((line(&next, LineKind::Adjustments), next.payout), (1_200, 31_200));
    shop.close_the_books().await;
}

#[tokio::test]
async fn a_correction_that_nobody_decides_about_is_over_in_a_week() {
    let (shop, made) = Shop::settled().await;
    let correction = propose(&shop, &made, -500).await.unwrap();
    shop.days(8).await;
    let refused = approve(&shop, &correction, "key_of_somebody_else").await.unwrap_err();
    assert!(refused.detail.contains("expired"), "{}", refused.detail);
    assert_eq!(shop.count(EventKind::CorrectionRejected).await, 1);
    assert_eq!(shop.balance("fee_income").await, 0);
}

#[tokio::test]
async fn a_debt_is_told_after_7_14_and_30_days_and_nothing_is_paid_out_until_it_is_gone() {
    let (shop, ready) = Shop::settled().await;
    let order = shop.pay(40_000).await;
    shop.days(1).await;
    shop.refund(&order, 40_000).await;
    let order = shop.pay(20_000).await;
    shop.refund(&order, 20_000).await;
    shop.days(1).await;
    assert_eq!(shop.count(EventKind::SettlementNegative).await, 1);
    let refused = shop.draft(&ready, json!({})).await.unwrap_err();
    assert_eq!(refused.code, Code::StateNotAllowed);
    assert!(refused.detail.contains("paused"), "{}", refused.detail);
    let mut told = Vec::new();
    for day in 1..=40 {
        shop.days(1).await;
        told.push((day, shop.count(EventKind::SettlementPlanOverdue).await));
    }
    let first = |count| told.iter().find(|(_, told)| *told == count).map(|(day, _)| *day);
    assert_eq!(told.last().map(|(_, count)| *count), Some(3), "{told:?}");
    let (Some(seven), Some(fourteen), Some(thirty)) = (first(1), first(2), first(3)) else {
        panic!("{told:?}");
    };
    assert_eq!((fourteen - seven, thirty - fourteen), (7, 16));
    assert_eq!(shop.count(EventKind::SettlementPlanRecovered).await, 0);
    shop.pay(90_000).await;
    shop.days(4).await;
    assert_eq!(shop.count(EventKind::SettlementPlanRecovered).await, 1);
    shop.draft(&ready, json!({})).await.unwrap();
    shop.close_the_books().await;
}
