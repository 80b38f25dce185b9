//! A sandbox shop that has money to pay out, and the people who do it: what a test of payouts and of their reconciliation
//! begins with.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::channel::Driver;
use crate::currency::Currency;
use crate::engine::{Caller, Engine};
use crate::error::Result;
use crate::event::Movement;
use crate::id::{BeneficiaryId, EventId, TransactionId};
use crate::ledger::service as ledger;
use crate::ledger::{Entry, Side, Transaction};
use crate::money::Money;
use crate::payout::rules::PayoutView;
use crate::payout::service as payouts;
use crate::reconciliation::BreakStatus;
use crate::reconciliation::service as reconciliations;
use crate::reconciliation::view::{BreakView, ReconciliationView};
use crate::sandbox::service as sandbox;
use crate::store::Changes;
use crate::time::BEIJING;

/// A sandbox shop with 1,000,000.00 yuan available. Every step panics where it is refused, unless it says that it answers so.
pub struct PayoutShop {
    /// The engine it runs on.
    pub engine: Engine,
    /// Its author: whoever drafts payouts and enters beneficiaries.
    pub caller: Caller,
    /// Today in Beijing, `2026-11-30`.
    pub day: String,
}

/// An operation's input from JSON.
pub fn input<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("the test says what the operation takes")
}

impl PayoutShop {
    /// Opens it over these channels.
    pub async fn open(channels: &[&'static dyn Driver]) -> PayoutShop {
        let engine = Engine::sandbox(channels);
        let caller = engine.demo_shop().await.expect("a sandbox has a shop");
        let day = engine.wall().to_civil(BEIJING).date().to_string();
        let shop = PayoutShop { engine, caller, day };
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
        self.engine.store().commit(self.caller.tenant(), changes).await.expect("the books take money in");
    }

    /// Somebody else with a key of the shop.
    pub fn person(&self, name: &str) -> Caller {
        Caller { actor: name.to_owned(), ..self.caller.clone() }
    }

    /// An approved beneficiary by this route.
    pub async fn to(&self, route: Value, account: &str) -> BeneficiaryId {
        let new = input(json!({"name": "茶园 Tea & Sons", "account": account, "route": route}));
        let made = payouts::create_beneficiary(&self.engine, &self.caller, new).await;
        let id = made.expect("a beneficiary is entered").id;
        let by_id = payouts::BeneficiaryById { id };
        payouts::approve_beneficiary(&self.engine, &self.person("boss"), by_id)
            .await
            .expect("it is approved");
        id
    }

    /// An approved beneficiary with an account at a bank.
    pub async fn by_bank(&self) -> BeneficiaryId {
        let route = json!({"type": "bank", "clearing": "102100099996", "country": "CN"});
        self.to(route, "6222020200012345678").await
    }

    /// A payout that is drafted, reviewed and approved by three people.
    pub async fn pays(&self, to: BeneficiaryId, amount: i64) -> PayoutView {
        let new = input(json!({"amount": amount, "currency": "CNY", "beneficiary_id": to, "memo": "tea"}));
        let payout = payouts::create(&self.engine, &self.caller, new).await.expect("it is drafted");
        let by_id = payouts::PayoutById { id: payout.id };
        payouts::review(&self.engine, &self.person("clerk"), by_id).await.expect("it is reviewed");
        let this = payouts::ApprovePayout { id: payout.id, effect: payout.effect };
        payouts::approve(&self.engine, &self.person("boss"), this).await.expect("it is approved")
    }

    /// A payout as it is now.
    pub async fn fresh(&self, payout: &PayoutView) -> PayoutView {
        let by_id = payouts::PayoutById { id: payout.id };
        payouts::retrieve(&self.engine, &self.caller, by_id).await.expect("it is there")
    }

    /// Compares the payouts of today, with what is given besides.
    ///
    /// # Errors
    /// What the operation refuses.
    pub async fn run(&self, more: Value) -> Result<ReconciliationView> {
        let mut wanted = json!({"scope": "payout", "day": self.day});
        for (name, value) in more.as_object().into_iter().flatten() {
            wanted[name] = value.clone();
        }
        reconciliations::run(&self.engine, &self.caller, input(wanted)).await
    }

    /// Compares a day with the bank's statement of it: amounts, references and texts.
    pub async fn bank(&self, day: &str, rows: &[(String, &str, &str)]) -> ReconciliationView {
        let mut csv = "date,amount,currency,reference,text\n".to_owned();
        for (amount, reference, text) in rows {
            csv += &format!("{day},{amount},CNY,{reference},{text}\n");
        }
        let content = STANDARD.encode(csv);
        self.run(json!({"day": day, "content": content})).await.expect("the day is compared")
    }

    /// The breaks that stand so.
    pub async fn breaks(&self, status: BreakStatus) -> Vec<BreakView> {
        let wanted = input(json!({"status": status.text()}));
        reconciliations::list_breaks(&self.engine, &self.caller, wanted).await.expect("they are listed").data
    }

    /// Moves the test clock, and reads the merchant with it.
    pub async fn advance(&mut self, seconds: u64) {
        let by = input(json!({"seconds": seconds}));
        sandbox::advance_clock(&self.engine, &self.caller, by).await.expect("a sandbox has a clock");
        let merchant = self.engine.store().merchant(self.caller.tenant()).await.expect("the store reads");
        self.caller.merchant = Arc::new(merchant.expect("the shop is there"));
    }

    /// Credits less debits of an account, minor units.
    pub async fn balance(&self, account: &str) -> i64 {
        let all = ledger::balances(&self.engine, &self.caller, ledger::ListBalances::default()).await;
        let own = all.expect("the books are read").data;
        own.iter().filter(|row| row.account == account).map(|row| row.credits - row.debits).sum()
    }
}
