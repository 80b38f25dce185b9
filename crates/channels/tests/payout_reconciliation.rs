//! Payouts through a channel from end to end: against its statement of funds, as it is and spoilt, and the books.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::Arc;

use paycore::currency::Currency;
use paycore::engine::{Caller, Engine};
use paycore::event::Movement;
use paycore::id::{BeneficiaryId, ChannelAccountId, EventId, TransactionId};
use paycore::ledger::service as ledger;
use paycore::ledger::{Entry, Side, Transaction};
use paycore::money::Money;
use paycore::payout::PayoutStatus;
use paycore::payout::rules::PayoutView;
use paycore::payout::service as payouts;
use paycore::reconciliation::service as reconciliations;
use paycore::reconciliation::view::{BreakView, ReconciliationView};
use paycore::reconciliation::{BreakStatus, Class, RunStatus};
use paycore::sandbox::service as sandbox;
use paycore::store::Changes;
use paycore::time::BEIJING;
use paycore_channels::alipay::Alipay;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

struct Shop {
    engine: Engine,
    caller: Caller,
    account: ChannelAccountId,
    day: String,
}

fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("the test says what the operation takes")
}

impl Shop {
    /// A shop with 1,000,000.00 yuan available.
    async fn open() -> Shop {
        let engine = Engine::sandbox(&[&Alipay]);
        let caller = engine.demo_shop().await.unwrap();
        let account = engine.store().channel_accounts(caller.tenant()).await.unwrap()[0].id;
        let day = engine.wall().to_civil(BEIJING).date().to_string();
        let shop = Shop { engine, caller, account, day };
        shop.fund().await;
        shop
    }

    async fn fund(&self) {
        let (money, now) = (Money::new(100_000_000, Currency::CNY), self.engine.wall());
        let entry = |account: &str, side| Entry { account: account.into(), side, money };
        let transaction = Transaction {
            id: TransactionId::from_bits(1),
            kind: Movement::TopUp,
            event_id: EventId::from_bits(1),
            order_id: None,
            refund_id: None,
            effective_at: now,
            reverses: None,
            money,
            created_at: now,
            entries: vec![entry("bank:main", Side::Debit), entry("merchant_available", Side::Credit)],
        };
        let changes = Changes { transactions: vec![transaction], ..Changes::new() };
        self.engine.store().commit(self.caller.tenant(), changes).await.unwrap();
    }

    fn person(&self, name: &str) -> Caller {
        Caller { actor: name.to_owned(), ..self.caller.clone() }
    }

    async fn to(&self, route: Value, account: &str) -> BeneficiaryId {
        let input = json!({"name": "茶园 Tea & Sons", "account": account, "route": route});
        let made = payouts::create_beneficiary(&self.engine, &self.caller, read(input)).await.unwrap();
        let id = payouts::BeneficiaryById { id: made.id };
        payouts::approve_beneficiary(&self.engine, &self.person("boss"), id).await.unwrap();
        made.id
    }

    async fn by_channel(&self) -> BeneficiaryId {
        let route = json!({"type": "channel", "channel_account_id": self.account, "account_kind": "user"});
        self.to(route, "2088000000000011").await
    }

    /// Drafted, reviewed and approved.
    async fn pays(&self, to: BeneficiaryId, amount: i64) -> PayoutView {
        let input = json!({"amount": amount, "currency": "CNY", "beneficiary_id": to, "memo": "tea"});
        let payout = payouts::create(&self.engine, &self.caller, read(input)).await.unwrap();
        let id = payouts::PayoutById { id: payout.id };
        payouts::review(&self.engine, &self.person("clerk"), id).await.unwrap();
        let input = payouts::ApprovePayout { id: payout.id, effect: payout.effect };
        payouts::approve(&self.engine, &self.person("boss"), input).await.unwrap()
    }

    async fn fresh(&self, payout: &PayoutView) -> PayoutView {
        let input = payouts::PayoutById { id: payout.id };
        payouts::retrieve(&self.engine, &self.caller, input).await.unwrap()
    }

    async fn run(&self, more: Value) -> paycore::error::Result<ReconciliationView> {
        let mut input = json!({"scope": "payout", "day": self.day});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        reconciliations::run(&self.engine, &self.caller, read(input)).await
    }

    async fn funds(&self, spoil: Value) -> ReconciliationView {
        self.run(json!({"account_id": self.account, "spoil": spoil})).await.unwrap()
    }

    async fn breaks(&self, status: BreakStatus) -> Vec<BreakView> {
        let input = read(json!({"status": status.text()}));
        reconciliations::list_breaks(&self.engine, &self.caller, input).await.unwrap().data
    }

    /// Moves the test clock, and reads the merchant with it.
    async fn advance(&mut self, seconds: u64) {
        sandbox::advance_clock(&self.engine, &self.caller, read(json!({"seconds": seconds}))).await.unwrap();
        let merchant = self.engine.store().merchant(self.caller.tenant()).await.unwrap().unwrap();
        self.caller.merchant = Arc::new(merchant);
    }

    /// Credits less debits of an account.
    async fn balance(&self, account: &str) -> i64 {
        let input = ledger::ListBalances::default();
        let all = ledger::balances(&self.engine, &self.caller, input).await.unwrap().data;
        all.iter().filter(|row| row.account == account).map(|row| row.credits - row.debits).sum()
    }
}

#[tokio::test]
async fn payouts_by_channel_are_found_on_its_statement_of_funds_and_its_faults_stand_on_suspense() {
    let mut shop = Shop::open().await;
    let to = shop.by_channel().await;
    let mut paid = Vec::new();
    for amount in [100_000, 200_000, 300_000] {
        paid.push(shop.pays(to, amount).await);
    }
    assert!(paid.iter().all(|payout| payout.status == PayoutStatus::Paid));
    let early = shop.funds(json!({})).await;
    assert_eq!(early.status, RunStatus::Waiting, "the day is not over");
    shop.advance(86_400).await;
    let run = shop.funds(json!({})).await;
    assert_eq!(run.status, RunStatus::Compared, "{:?}", run.fault);
    let seen = |run: &ReconciliationView| (run.summary.ours_matched, run.summary.theirs_matched);
    assert_eq!((seen(&run), run.summary.nets.len()), ((3, 3), 0));
    assert_eq!(shop.fresh(&paid[0]).await.reconciled, Some(run.id));
    let again = shop.funds(json!({})).await;
    let when = |run: &ReconciliationView| run.updated_at.millis();
    assert_eq!((again.id, again.files.len(), when(&again)), (run.id, 1, when(&run)));

    let spoilt = shop.funds(json!({"missing": [1], "double": [2]})).await;
    assert_eq!((seen(&spoilt), spoilt.files.len()), ((2, 2), 2));
    let pending = shop.breaks(BreakStatus::Pending).await;
    let open = shop.breaks(BreakStatus::Open).await;
    assert_eq!((pending.len(), pending[0].class), (1, Class::OursOnly));
    assert_eq!((open.len(), open[0].class), (1, Class::Duplicate));
    let twice = open[0].suspended.unwrap();
    assert_eq!((twice.is_long, shop.balance("suspense_short:alipay").await), (false, -twice.money.minor()));
    let lost = pending[0].ours.as_ref().unwrap().object_id.clone();
    let lost = paid.iter().find(|payout| Some(payout.id.to_string()) == lost).unwrap();
    assert_eq!(shop.fresh(lost).await.reconciled, None);

    shop.funds(json!({})).await;
    assert!(
        shop.breaks(BreakStatus::Pending).await.is_empty() && shop.breaks(BreakStatus::Open).await.is_empty()
    );
    assert_eq!(shop.balance("suspense_short:alipay").await, 0);
    assert_eq!(shop.fresh(lost).await.reconciled, Some(run.id));
}
