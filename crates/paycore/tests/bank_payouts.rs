//! Payouts by bank against the bank's statement: a batch booked as one sum, a payout that is found once, its return, and
//! what nothing explains, which stands on suspense until two people agree.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use base64::Engine as _;
use paycore::agent::AgentWithdrawal;
use paycore::agent::service as agents;
use paycore::currency::Currency;
use paycore::error::Code;
use paycore::event::Movement;
use paycore::id::{AgentId, EventId, TransactionId};
use paycore::ledger::{Entry, Side, Transaction};
use paycore::money::Money;
use paycore::payout::PayoutStatus;
use paycore::payout::rules::{BatchView, PayoutView};
use paycore::payout::service as payouts;
use paycore::reconciliation::service as reconciliations;
use paycore::reconciliation::view::BreakView;
use paycore::reconciliation::{BreakStatus, Class, RunStatus};
use paycore::store::{Changes, Queue};
use paycore::testkit::payouts::{PayoutShop, input as read};
use paycore::time::BEIJING;
use serde_json::json;

async fn batch(shop: &PayoutShop) -> BatchView {
    let input = json!({"currency": "CNY", "debtor_name": "Platform 平台",
        "debtor_account": "6222020200098765432", "debtor_country": "CN"});
    payouts::create_batch(&shop.engine, &shop.caller, read(input)).await.unwrap()
}

/// What the bank said of a payout.
async fn says(shop: &PayoutShop, payout: &PayoutView, result: &str) {
    let input = json!({"id": payout.id, "result": result});
    payouts::settle(&shop.engine, &shop.caller, read(input)).await.unwrap();
}

/// The reference of a payout on the wire.
fn reference(payout: &PayoutView) -> String {
    payout.id.bare()
}

#[tokio::test]
async fn a_bank_books_a_batch_as_one_sum_and_what_nothing_explains_takes_two_people() {
    let shop = PayoutShop::open(&[]).await;
    let to = shop.by_bank().await;
    let (first, second) = (shop.pays(to, 100_000).await, shop.pays(to, 250_050).await);
    let batch = batch(&shop).await;
    for payout in [&first, &second] {
        says(&shop, payout, "paid").await;
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
    let mut shop = PayoutShop::open(&[]).await;
    let to = shop.by_bank().await;
    let (known, unknown) = (shop.pays(to, 100_000).await, shop.pays(to, 250_050).await);
    batch(&shop).await;
    says(&shop, &known, "paid").await;
    let (one, two) = (reference(&known), reference(&unknown));
    let rows = [("-1000.00".to_owned(), "", one.as_str()), ("-2500.50".to_owned(), "", two.as_str())];
    let day = shop.day.clone();
    let run = shop.bank(&day, &rows).await;
    assert_eq!((run.summary.ours_matched, run.summary.ours_broken), (1, 1));
    let found = shop.breaks(BreakStatus::Pending).await.remove(0);
    assert_eq!((found.class, found.suspended), (Class::Status, None));
    // The bank's word comes a day later than its statement.
    shop.advance(86_400).await;
    says(&shop, &unknown, "paid").await;
    while shop.engine.work(Queue::Documents, 10).await.unwrap().taken > 0 {}
    assert_eq!(shop.breaks(BreakStatus::Resolved).await[0].id, found.id);
    says(&shop, &known, "returned").await;
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

/// An agent to whom the platform owes so much.
async fn agent(shop: &PayoutShop, minor: i64) -> AgentId {
    let new = read(json!({"name": "Region 区域", "costs": []}));
    let id = agents::create(&shop.engine, &shop.caller, new).await.unwrap().document().id;
    let (money, now) = (Money::new(minor, Currency::CNY), shop.engine.wall());
    let entry = |account: String, side| Entry { account, side, money };
    let transaction = Transaction {
        id: TransactionId::from_bits(2),
        kind: Movement::Commission,
        event_id: EventId::from_bits(2),
        order_id: None,
        refund_id: None,
        effective_at: now,
        reverses: None,
        money,
        created_at: now,
        entries: vec![
            entry("fee_income".into(), Side::Debit),
            entry(format!("agent_payable:{id}"), Side::Credit),
        ],
    };
    let changes = Changes { transactions: vec![transaction], ..Changes::new() };
    shop.engine.store().commit(shop.caller.tenant(), changes).await.unwrap();
    id
}

/// A payment to an agent that two people agreed on.
async fn approved(shop: &PayoutShop, agent: AgentId, minor: i64) -> AgentWithdrawal {
    let wanted = read(json!({"agent_id": agent, "amount": minor, "currency": "CNY"}));
    let asked = agents::create_withdrawal(&shop.engine, &shop.caller, wanted).await.unwrap();
    let by_id = read(json!({"id": asked.document().id}));
    agents::approve(&shop.engine, &shop.person("boss"), by_id).await.unwrap().document().clone()
}

async fn noted(shop: &PayoutShop, withdrawal: &AgentWithdrawal, note: &str) {
    let end = read(json!({"id": withdrawal.id, "note": note}));
    agents::pay(&shop.engine, &shop.caller, end).await.unwrap();
}

#[tokio::test]
async fn payments_to_agents_are_found_on_the_banks_statement_by_reference_or_by_the_banks_number() {
    let mut shop = PayoutShop::open(&[]).await;
    let agent = agent(&shop, 200_000).await;
    let (named, numbered) = (approved(&shop, agent, 96_000).await, approved(&shop, agent, 50_000).await);
    let (unnoted, unseen) = (approved(&shop, agent, 30_000).await, approved(&shop, agent, 7_000).await);
    noted(&shop, &named, "sent on Monday").await;
    noted(&shop, &numbered, "BANK77").await;
    noted(&shop, &unseen, "BANK99").await;
    let (one, three) = (named.id.bare(), unnoted.id.bare());
    let rows = [
        ("-960.00".to_owned(), "BANK76", one.as_str()),
        ("-500.00".to_owned(), "BANK77", "PAYMENT"),
        ("-300.00".to_owned(), "BANK78", three.as_str()),
    ];
    let day = shop.day.clone();
    let run = shop.bank(&day, &rows).await;
    let seen = &run.summary;
    assert_eq!((seen.ours, seen.ours_matched, seen.ours_broken), (4, 2, 2), "{seen:?}");
    let pending = shop.breaks(BreakStatus::Pending).await;
    let of = |class| pending.iter().find(|found| found.class == class).unwrap();
    let object = |found: &BreakView| found.ours.as_ref().unwrap().object_id.clone();
    assert_eq!(object(of(Class::Status)), Some(unnoted.id.to_string()), "the bank paid what we did not note");
    assert_eq!(
        object(of(Class::OursOnly)),
        Some(unseen.id.to_string()),
        "we noted what the bank did not pay"
    );
    // What is noted later explains the break, and what was found once is not looked for again.
    shop.advance(86_400).await;
    noted(&shop, &unnoted, "BANK78").await;
    while shop.engine.work(Queue::Documents, 10).await.unwrap().taken > 0 {}
    assert_eq!(shop.breaks(BreakStatus::Resolved).await[0].class, Class::Status);
    let tomorrow = shop.engine.wall().plus(std::time::Duration::from_secs(86_400));
    let tomorrow = tomorrow.to_civil(BEIJING).date().to_string();
    let run = shop.bank(&tomorrow, &[("-70.00".to_owned(), "BANK99", "PAYMENT")]).await;
    assert_eq!((run.summary.ours_matched, run.summary.theirs_matched), (1, 1), "{:?}", run.summary);
    assert!(shop.breaks(BreakStatus::Open).await.is_empty());
}

#[tokio::test]
async fn a_bank_has_to_be_given_its_file_and_is_not_believed_about_another_day() {
    let shop = PayoutShop::open(&[]).await;
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
