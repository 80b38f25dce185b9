//! Payouts by bank against the bank's statement: a batch booked as one sum, a payout that is found once, its return, and
//! what nothing explains, which stands on suspense until two people agree.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::Arc;

use base64::Engine as _;
use paycore::currency::Currency;
use paycore::engine::{Caller, Engine};
use paycore::error::Code;
use paycore::event::Movement;
use paycore::id::{BeneficiaryId, EventId, TransactionId};
use paycore::ledger::service as ledger;
use paycore::ledger::{Entry, Side, Transaction};
use paycore::money::Money;
use paycore::payout::PayoutStatus;
use paycore::payout::rules::{BatchView, PayoutView};
use paycore::payout::service as payouts;
use paycore::reconciliation::service as reconciliations;
use paycore::reconciliation::view::{BreakView, ReconciliationView};
use paycore::reconciliation::{BreakStatus, Class, RunStatus};
use paycore::sandbox::service as sandbox;
use paycore::store::{Changes, Queue};
use paycore::time::BEIJING;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

struct Shop {
    engine: Engine,
    caller: Caller,
    day: String,
}

fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("the test says what the operation takes")
}

impl Shop {
    /// A shop with 1,000,000.00 yuan available.
    async fn open() -> Shop {
        let engine = Engine::sandbox(&[]);
        let caller = engine.demo_shop().await.unwrap();
        let day = engine.wall().to_civil(BEIJING).date().to_string();
        let shop = Shop { engine, caller, day };
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

    async fn by_bank(&self) -> BeneficiaryId {
        let route = json!({"type": "bank", "clearing": "102100099996", "country": "CN"});
        self.to(route, "6222020200012345678").await
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

    async fn batch(&self) -> BatchView {
        let input = json!({"currency": "CNY", "debtor_name": "Platform 平台",
            "debtor_account": "6222020200098765432", "debtor_country": "CN"});
        payouts::create_batch(&self.engine, &self.caller, read(input)).await.unwrap()
    }

    async fn says(&self, payout: &PayoutView, result: &str) {
        let input = json!({"id": payout.id, "result": result});
        payouts::settle(&self.engine, &self.caller, read(input)).await.unwrap();
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

    async fn bank(&self, day: &str, rows: &[(String, &str, &str)]) -> ReconciliationView {
        let mut csv = "date,amount,currency,reference,text\n".to_owned();
        for (amount, reference, text) in rows {
            csv += &format!("{day},{amount},CNY,{reference},{text}\n");
        }
        let content = base64::engine::general_purpose::STANDARD.encode(csv);
        self.run(json!({"day": day, "content": content})).await.unwrap()
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

/// The reference of a payout on the wire.
fn reference(payout: &PayoutView) -> String {
    payout.id.bare()
}

#[tokio::test]
async fn a_bank_books_a_batch_as_one_sum_and_what_nothing_explains_takes_two_people() {
    let shop = Shop::open().await;
    let to = shop.by_bank().await;
    let (first, second) = (shop.pays(to, 100_000).await, shop.pays(to, 250_050).await);
    let batch = shop.batch().await;
    for payout in [&first, &second] {
        shop.says(payout, "paid").await;
    }
    let name = batch.id.bare().to_uppercase();
    let rows = [
        ("-3500.50".to_owned(), "BANK1", name.as_str()),
        ("-7.00".to_owned(), "BANK2", "SERVICE"),
        ("994.00".to_owned(), "BANK3", "ALIPAY"),
    ];
    let day = shop.day.clone();
    let run = shop.bank(&day, &rows).await;
    assert_eq!((run.status, run.channel.as_str()), (RunStatus::Compared, "bank"), "{:?}", run.fault);
    assert_eq!((run.summary.ours_matched, run.summary.theirs_matched, run.summary.theirs_broken), (2, 1, 1));
    let open = shop.breaks(BreakStatus::Open).await;
    assert_eq!((open.len(), open[0].class), (1, Class::TheirsOnly));
    assert!(open[0].explanation.en.contains("bank's file") && open[0].explanation.zh.contains("银行账单"));
    assert_eq!(shop.balance("suspense_short:bank").await, -700);
    let before = shop.balance("bank:main").await;
    let same = shop.bank(&day, &rows).await;
    assert_eq!(
        (same.updated_at.millis(), shop.breaks(BreakStatus::Open).await.len()),
        (run.updated_at.millis(), 1)
    );

    let input = json!({"break_id": open[0].id, "effect": "write_off", "reason": "the bank's own fee"});
    let proposed = reconciliations::propose(&shop.engine, &shop.caller, read(input)).await.unwrap();
    let approve = || read(json!({"id": proposed.id}));
    let own = reconciliations::approve(&shop.engine, &shop.caller, approve()).await;
    assert_eq!(own.unwrap_err().code, Code::Forbidden);
    reconciliations::approve(&shop.engine, &shop.person("boss"), approve()).await.unwrap();
    assert_eq!((shop.balance("suspense_short:bank").await, shop.balance("bank:main").await), (0, before));
}

#[tokio::test]
async fn a_payout_is_found_once_its_return_by_itself_and_what_we_learn_later_explains_a_break() {
    let mut shop = Shop::open().await;
    let to = shop.by_bank().await;
    let (known, unknown) = (shop.pays(to, 100_000).await, shop.pays(to, 250_050).await);
    shop.batch().await;
    shop.says(&known, "paid").await;
    let (one, two) = (reference(&known), reference(&unknown));
    let rows = [("-1000.00".to_owned(), "", one.as_str()), ("-2500.50".to_owned(), "", two.as_str())];
    let day = shop.day.clone();
    let run = shop.bank(&day, &rows).await;
    assert_eq!((run.summary.ours_matched, run.summary.ours_broken), (1, 1));
    let found = shop.breaks(BreakStatus::Pending).await.remove(0);
    assert_eq!((found.class, found.suspended), (Class::Status, None));
    // The bank's word comes a day later than its statement.
    shop.advance(86_400).await;
    shop.says(&unknown, "paid").await;
    while shop.engine.work(Queue::Documents, 10).await.unwrap().taken > 0 {}
    assert_eq!(shop.breaks(BreakStatus::Resolved).await[0].id, found.id);
    shop.says(&known, "returned").await;
    let next = shop.engine.wall().plus(std::time::Duration::from_secs(86_400));
    let next = next.to_civil(BEIJING).date().to_string();
    let run = shop.bank(&next, &[("1000.00".to_owned(), "", one.as_str())]).await;
    assert_eq!((run.summary.ours, run.summary.ours_matched, run.summary.theirs_matched), (1, 1, 1));
    let seen = shop.fresh(&known).await;
    assert_eq!((seen.status, seen.return_reconciled), (PayoutStatus::Returned, Some(run.id)));
    assert!(
        shop.breaks(BreakStatus::Open).await.is_empty() && shop.breaks(BreakStatus::Pending).await.is_empty()
    );
}

#[tokio::test]
async fn a_bank_has_to_be_given_its_file_and_is_not_believed_about_another_day() {
    let shop = Shop::open().await;
    for (more, param) in [(json!({}), "content"), (json!({"content": "", "daily": true}), "daily")] {
        assert_eq!(shop.run(more).await.unwrap_err().param.as_deref(), Some(param));
    }
    let old = "date,amount,currency,reference,text\n2020-01-01,-5.00,CNY,,x\n";
    for wrong in [old, "no statement"] {
        let content = base64::engine::general_purpose::STANDARD.encode(wrong);
        let run = shop.run(json!({"content": content})).await.unwrap();
        assert_eq!((run.status, run.files.len()), (RunStatus::Refused, 0), "{wrong}");
        assert!(run.fault.is_some());
    }
}
