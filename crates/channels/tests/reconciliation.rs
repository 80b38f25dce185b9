//! Reconciliation from end to end: payments at the simulator, its statement as it is and spoilt, the pool, adjustments
//! by two people, the bank, and the books, which must come out even.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use base64::Engine as _;
use paycore::engine::{Caller, Engine};
use paycore::error::Code;
use paycore::id::{BreakId, ChannelAccountId};
use paycore::ledger::service as ledger;
use paycore::order::Order;
use paycore::order::service as orders;
use paycore::proposal::ProposalStatus;
use paycore::reconciliation::service as reconciliations;
use paycore::reconciliation::view::{BreakView, ReconciliationView};
use paycore::reconciliation::{BreakStatus, Class, RunStatus};
use paycore::store::Queue;
use paycore::time::BEIJING;
use paycore_channels::testpay::Testpay;
use serde_json::{Value, json};

struct Shop {
    engine: Engine,
    caller: Caller,
    account: ChannelAccountId,
    day: String,
}

impl Shop {
    async fn open() -> Shop {
        let engine = Engine::sandbox(&[&Testpay]);
        let caller = engine.demo_shop().await.unwrap();
        let account = engine.store().channel_accounts(caller.tenant()).await.unwrap()[0].id;
        let day = engine.wall().to_civil(BEIJING).date().to_string();
        Shop { engine, caller, account, day }
    }

    async fn pay(&self, amount: i64) -> Order {
        let input =
            json!({"amount": amount, "currency": "CNY", "subject": "Tea 茶叶", "method": "testpay.card"});
        let input = serde_json::from_value(input).unwrap();
        orders::create(&self.engine, &self.caller, input).await.unwrap()
    }

    async fn compare(&self, spoil: Value) -> ReconciliationView {
        let input = json!({"account_id": self.account, "day": self.day, "fee_rate": "0.006", "spoil": spoil});
        let input = serde_json::from_value(input).unwrap();
        reconciliations::run(&self.engine, &self.caller, input).await.unwrap()
    }

    async fn breaks(&self, status: BreakStatus) -> Vec<BreakView> {
        let input = serde_json::from_value(json!({"status": status.text()})).unwrap();
        reconciliations::list_breaks(&self.engine, &self.caller, input).await.unwrap().data
    }

    async fn one(&self, class: Class) -> BreakView {
        let mut all = self.breaks(BreakStatus::Open).await;
        all.extend(self.breaks(BreakStatus::Pending).await);
        let mut of: Vec<_> = all.into_iter().filter(|found| found.class == class).collect();
        assert_eq!(of.len(), 1, "{class:?}");
        of.remove(0)
    }

    /// Credits less debits of an account.
    async fn balance(&self, account: &str) -> i64 {
        let input = ledger::ListBalances::default();
        let all = ledger::balances(&self.engine, &self.caller, input).await.unwrap().data;
        all.iter().filter(|row| row.account == account).map(|row| row.credits - row.debits).sum()
    }

    async fn propose(&self, id: BreakId, effect: &str) -> paycore::reconciliation::view::AdjustmentView {
        let input = json!({"break_id": id, "effect": effect, "reason": "the channel says so"});
        let input = serde_json::from_value(input).unwrap();
        reconciliations::propose(&self.engine, &self.caller, input).await.unwrap()
    }
}

#[tokio::test]
async fn a_day_that_agrees_is_compared_once_and_leaves_no_break() {
    let shop = Shop::open().await;
    for amount in [10_000, 20_000, 30_000] {
        shop.pay(amount).await;
    }
    let run = shop.compare(json!({})).await;
    assert_eq!(run.status, RunStatus::Compared, "{:?}", run.fault);
    let summary = &run.summary;
    assert_eq!((summary.ours, summary.theirs, summary.ours_matched, summary.theirs_matched), (3, 3, 3, 3));
    assert_eq!((summary.nets[0].payments, summary.nets[0].fees), (60_000, 360));
    let again = shop.compare(json!({})).await;
    let seen = |run: &ReconciliationView| (run.id, run.files.len(), run.updated_at.millis());
    assert_eq!(seen(&again), seen(&run));
    assert!(shop.breaks(BreakStatus::Open).await.is_empty());
}

const SPOIL: &str = r#"{"missing": [1], "double": [2], "amount": [3], "fee": [4]}"#;

#[tokio::test]
async fn every_fault_of_a_file_is_found_put_on_suspense_and_explained_when_the_file_is_stated_again() {
    let shop = Shop::open().await;
    for amount in [10_000, 20_000, 30_000, 40_000] {
        shop.pay(amount).await;
    }
    let spoil: Value = serde_json::from_str(SPOIL).unwrap();
    let run = shop.compare(spoil.clone()).await;
    let summary = &run.summary;
    assert_eq!((summary.ours_matched, summary.ours_broken), (1, 3));
    assert_eq!((summary.theirs_matched, summary.theirs_broken), (1, 3));
    assert_eq!(shop.one(Class::OursOnly).await.status, BreakStatus::Pending);
    assert_eq!(shop.one(Class::Fee).await.suspended, None);
    let amount = shop.one(Class::Amount).await;
    assert!(amount.explanation.zh.contains("金额不符") && amount.explanation.en.contains("301.00 CNY"));
    assert_eq!(amount.suspended.unwrap().money.minor(), 100);
    assert_eq!(shop.balance("suspense_long:testpay").await, 20_100);

    let ids = |breaks: Vec<BreakView>| breaks.into_iter().map(|found| found.id).collect::<Vec<_>>();
    let before = ids(shop.breaks(BreakStatus::Open).await);
    shop.compare(spoil).await;
    assert_eq!(ids(shop.breaks(BreakStatus::Open).await), before);

    let stated_again = shop.compare(json!({})).await;
    assert_eq!((stated_again.files.len(), stated_again.files[1].restates), (2, true));
    assert_eq!((stated_again.summary.ours_broken, stated_again.summary.explained), (0, 4));
    assert!(shop.breaks(BreakStatus::Open).await.is_empty());
    assert_eq!(shop.breaks(BreakStatus::Resolved).await.len(), 4);
    assert_eq!(shop.balance("suspense_long:testpay").await, 0);
}

#[tokio::test]
async fn an_adjustment_takes_two_people_and_is_booked_once_as_it_was_approved() {
    let shop = Shop::open().await;
    shop.pay(20_000).await;
    shop.compare(json!({"double": [1]})).await;
    let found = shop.one(Class::Duplicate).await;
    let resolve = json!({"id": found.id, "note": "nothing"});
    let refused =
        reconciliations::resolve(&shop.engine, &shop.caller, serde_json::from_value(resolve).unwrap()).await;
    assert_eq!(refused.unwrap_err().code, Code::StateNotAllowed);

    let adjustment = shop.propose(found.id, "credit_merchant").await;
    let approve = || serde_json::from_value(json!({"id": adjustment.id})).unwrap();
    let own = reconciliations::approve(&shop.engine, &shop.caller, approve()).await;
    assert_eq!(own.unwrap_err().code, Code::Forbidden);
    assert_eq!(shop.balance("merchant_available").await, 0);

    let checker = Caller { actor: "key_of_somebody_else".into(), ..shop.caller.clone() };
    let done = reconciliations::approve(&shop.engine, &checker, approve()).await.unwrap();
    assert_eq!(done.status, ProposalStatus::Executed);
    assert_eq!(shop.balance("merchant_available").await, 20_000);
    assert_eq!(shop.balance("suspense_long:testpay").await, 0);
    let twice = reconciliations::approve(&shop.engine, &checker, approve()).await;
    assert_eq!(twice.unwrap_err().code, Code::StateNotAllowed);
    assert_eq!(shop.balance("merchant_available").await, 20_000);
    assert_eq!(shop.breaks(BreakStatus::Resolved).await[0].id, found.id);
}

#[tokio::test]
async fn a_payment_that_only_the_file_knows_to_be_paid_is_asked_about_not_believed() {
    let shop = Shop::open().await;
    let order = shop.pay(9_007).await;
    assert_ne!(order.status.text(), "succeeded");
    shop.compare(json!({})).await;
    let found = shop.one(Class::Status).await;
    assert_eq!((found.status, found.suspended), (BreakStatus::Pending, None));
    while shop.engine.work(Queue::Documents, 10).await.unwrap().taken > 0 {}
    let resolved = shop.breaks(BreakStatus::Resolved).await;
    assert_eq!(resolved.len(), 1, "{:?}", shop.breaks(BreakStatus::Open).await);
    let order = shop.engine.store().order(shop.caller.tenant(), order.id).await.unwrap().unwrap();
    assert_eq!(order.status.text(), "succeeded");
    assert_eq!(shop.balance("suspense_long:testpay").await, 0);
}

#[tokio::test]
async fn a_file_that_is_cut_off_is_refused_and_nothing_of_it_is_taken_in() {
    let shop = Shop::open().await;
    shop.pay(10_000).await;
    let run = shop.compare(json!({"truncated": true})).await;
    assert_eq!(run.status, RunStatus::Refused);
    assert!(run.fault.is_some() && run.files.is_empty());
    assert!(shop.breaks(BreakStatus::Open).await.is_empty());
    assert_eq!(shop.compare(json!({})).await.status, RunStatus::Compared);
}

#[tokio::test]
async fn our_own_books_agree_and_the_bank_brings_the_money_of_the_day() {
    let shop = Shop::open().await;
    let order = shop.pay(100_000).await;
    let internal = json!({"scope": "internal", "day": shop.day});
    let run =
        reconciliations::run(&shop.engine, &shop.caller, serde_json::from_value(internal).unwrap()).await;
    let run = run.unwrap();
    // What the payment left pending, and what of it is income.
    assert_eq!((run.summary.ours_matched, run.summary.theirs_matched, run.summary.ours_broken), (2, 2, 0));

    let day = shop.compare(json!({})).await;
    let csv = format!(
        "date,amount,currency,reference,text\n{},994.00,CNY,B1,TESTPAY\n{0},5.00,CNY,B2,?\n",
        shop.day
    );
    let content = base64::engine::general_purpose::STANDARD.encode(csv);
    let upload = json!({"account_id": shop.account, "content": content});
    let upload = || serde_json::from_value(upload.clone()).unwrap();
    let statement = reconciliations::upload(&shop.engine, &shop.caller, upload()).await.unwrap();
    assert_eq!((statement.entries[0].days.as_slice(), statement.entries[1].days.len()), (&[day.id][..], 0));
    assert_eq!(shop.one(Class::BankOnly).await.theirs.unwrap().money.minor(), 500);
    let same = reconciliations::upload(&shop.engine, &shop.caller, upload()).await.unwrap();
    assert_eq!(same.id, statement.id);

    let trace = serde_json::from_value(json!({"id": order.id})).unwrap();
    let three = reconciliations::trace(&shop.engine, &shop.caller, trace).await.unwrap().data.remove(0);
    assert_eq!(three.channel, reconciliations::AtChannel::Matched);
    assert_eq!(three.bank.unwrap().statement_id, statement.id);
}
