//! Payouts through a channel from end to end: against its statement of funds, as it is and spoilt, and the books.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use paycore::id::ChannelAccountId;
use paycore::payout::PayoutStatus;
use paycore::reconciliation::view::ReconciliationView;
use paycore::reconciliation::{BreakStatus, Class, RunStatus};
use paycore::testkit::payouts::PayoutShop;
use paycore_channels::alipay::Alipay;
use serde_json::{Value, json};

/// A shop and its account with the channel.
async fn open() -> (PayoutShop, ChannelAccountId) {
    let shop = PayoutShop::open(&[&Alipay]).await;
    let account = shop.engine.store().channel_accounts(shop.caller.tenant()).await.unwrap()[0].id;
    (shop, account)
}

/// Compares the day with the channel's statement of funds, spoilt so.
async fn funds(shop: &PayoutShop, account: ChannelAccountId, spoil: Value) -> ReconciliationView {
    shop.run(json!({"account_id": account, "spoil": spoil})).await.unwrap()
}

#[tokio::test]
async fn payouts_by_channel_are_found_on_its_statement_of_funds_and_its_faults_stand_on_suspense() {
    let (mut shop, account) = open().await;
    let route = json!({"type": "channel", "channel_account_id": account, "account_kind": "user"});
    let to = shop.to(route, "2088000000000011").await;
    let mut paid = Vec::new();
    for amount in [100_000, 200_000, 300_000] {
        paid.push(shop.pays(to, amount).await);
    }
    assert!(paid.iter().all(|payout| payout.status == PayoutStatus::Paid));
    let early = funds(&shop, account, json!({})).await;
    assert_eq!(early.status, RunStatus::Waiting, "the day is not over");
    shop.advance(86_400).await;
    let run = funds(&shop, account, json!({})).await;
    assert_eq!(run.status, RunStatus::Compared, "{:?}", run.fault);
    let seen = |run: &ReconciliationView| (run.summary.ours_matched, run.summary.theirs_matched);
    assert_eq!((seen(&run), run.summary.nets.len()), ((3, 3), 0));
    assert_eq!(shop.fresh(&paid[0]).await.reconciled, Some(run.id));
    let again = funds(&shop, account, json!({})).await;
    let when = |run: &ReconciliationView| run.updated_at.millis();
    assert_eq!((again.id, again.files.len(), when(&again)), (run.id, 1, when(&run)));

    let spoilt = funds(&shop, account, json!({"missing": [1], "double": [2]})).await;
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

    funds(&shop, account, json!({})).await;
    assert!(
        shop.breaks(BreakStatus::Pending).await.is_empty() && shop.breaks(BreakStatus::Open).await.is_empty()
    );
    assert_eq!(shop.balance("suspense_short:alipay").await, 0);
    assert_eq!(shop.fresh(lost).await.reconciled, Some(run.id));
}
