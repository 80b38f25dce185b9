//! Sharing, agents and disputes from end to end: the engine over the memory store and the simulated providers, with the
//! test clock. The simulators hold the providers' limits; a request that broke one would be declined and block the split.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use std::sync::Arc;
use std::time::Duration;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::agent::service as agents;
use paycore::agent::{Agent, AgentStatement};
use paycore::channel::{Notice, Settings};
use paycore::crypto::envelope::EnvelopeVault;
use paycore::crypto::native::NativeKeyring;
use paycore::crypto::{Keyring as _, Scheme, Vault as _};
use paycore::document::{Document, DocumentFilter, Shown};
use paycore::engine::{Caller, Engine};
use paycore::id::{ChannelAccountId, SplitPlanId};
use paycore::notice::receive;
use paycore::order::Order;
use paycore::order::service as orders;
use paycore::reconciliation::RunStatus;
use paycore::reconciliation::service as reconciliations;
use paycore::refund::RefundStatus;
use paycore::refund::service as refunds;
use paycore::sandbox::service as sandbox;
use paycore::secret::Secret;
use paycore::split::service as splits;
use paycore::split::{Receiver, RequestKind, ShareReturn, Split, SplitPlan, SplitStatus, Via};
use paycore::store::{Changes, Page, Put, Queue};
use paycore::testkit::MemoryStore;
use paycore::testkit::embedded::NoNetwork;
use paycore::time::{BEIJING, Timestamp};
use paycore::transport::system::{SystemClock, SystemRng};
use paycore_channels::REGISTRY;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

struct Shop {
    engine: Engine,
    caller: Caller,
    vault: Arc<EnvelopeVault>,
}

fn input<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

impl Shop {
    async fn open() -> Shop {
        let root = Secret::new(STANDARD.encode([7; 32]));
        let vault = Arc::new(EnvelopeVault::new([("memory", &root)]).unwrap());
        let engine = Engine::builder()
            .store(Arc::new(MemoryStore::new()))
            .transport(Arc::new(NoNetwork))
            .channels(REGISTRY)
            .keyring(Arc::new(NativeKeyring))
            .vault(vault.clone())
            .clock(Arc::new(SystemClock))
            .rng(Arc::new(SystemRng));
        let engine = engine.build().unwrap();
        let caller = engine.demo_shop().await.unwrap();
        Shop { engine, caller, vault }
    }

    async fn receiver(&self, accounts: Value) -> Receiver {
        let wanted = input(json!({"name": "Tea House 茶铺", "accounts": accounts}));
        splits::create_receiver(&self.engine, &self.caller, wanted).await.unwrap().document().clone()
    }

    async fn plan(&self, terms: Value) -> SplitPlanId {
        let wanted = input(json!({"name": "plan 方案", "terms": terms}));
        let plan: Shown<SplitPlan> = splits::create_plan(&self.engine, &self.caller, wanted).await.unwrap();
        plan.document().id
    }

    /// An order that is paid by whoever has to.
    async fn paid(&self, extra: Value) -> Order {
        let mut wanted = json!({"amount": 10_000, "currency": "CNY", "subject": "Tea"});
        for (key, value) in extra.as_object().unwrap() {
            wanted[key] = value.clone();
        }
        let order = orders::create(&self.engine, &self.caller, input(wanted)).await.unwrap();
        if order.next_action.is_some() {
            self.engine.payer_pays(&order).await.unwrap();
        }
        let order = self.fresh(&order).await;
        assert_eq!(order.captured, order.money.minor(), "{order:?}");
        order
    }

    async fn fresh(&self, order: &Order) -> Order {
        orders::retrieve(&self.engine, &self.caller, input(json!({"id": order.id}))).await.unwrap()
    }

    async fn refund(&self, order: &Order, minor: i64) {
        let wanted = input(json!({"order_id": order.id, "amount": minor}));
        let refund = refunds::create(&self.engine, &self.caller, wanted).await.unwrap();
        assert_ne!(refund.status, RefundStatus::Failed, "{refund:?}");
    }

    /// Lets so many seconds pass, and the workers do what is due until nothing is.
    async fn pass(&mut self, seconds: u64) {
        sandbox::advance_clock(&self.engine, &self.caller, input(json!({"seconds": seconds}))).await.unwrap();
        let merchant = self.engine.store().merchant(self.caller.tenant()).await.unwrap().unwrap();
        self.caller.merchant = Arc::new(merchant);
        self.work().await;
    }

    /// The workers do what is due until nothing is.
    async fn work(&self) {
        for _ in 0..50 {
            let mut taken = 0;
            for queue in Queue::ALL {
                let worked = self.engine.work(*queue, 100).await.unwrap();
                assert_eq!(worked.failed, 0, "{queue:?}");
                taken += worked.taken;
            }
            sandbox::deliver(&self.engine).await.unwrap();
            if taken == 0 {
                break;
            }
        }
    }

    /// Nobody looks at what is open for a day.
    async fn put_off<T: Document>(&self, mut document: T, set: impl FnOnce(&mut T, Timestamp)) {
        set(&mut document, self.engine.wall().plus(Duration::from_secs(86_400)));
        let mut changes = Changes::default();
        changes.put(Put::document(&document));
        self.engine.store().commit(self.caller.tenant(), changes).await.unwrap();
    }

    /// What the simulated WeChat Pay signs about this share.
    async fn share_notice(&self, reference: &str) -> (ChannelAccountId, Notice) {
        let tenant = self.caller.tenant();
        let accounts = self.engine.store().channel_accounts(tenant).await.unwrap();
        let account = accounts.into_iter().find(|account| account.channel == "wechatpay").unwrap();
        let sealed = account.sealed_simulator.as_deref().unwrap();
        let clear = self.vault.open(&format!("{tenant}/{}", account.id), sealed).unwrap();
        let theirs: Settings = serde_json::from_str(clear.expose()).unwrap();
        let now = self.engine.moment(&self.caller.merchant).now;
        (account.id, told(&theirs, reference, now))
    }

    async fn audited(&self, action: &str) -> usize {
        let page = Page { limit: 100, after: None, before: None };
        let rows = self.engine.store().audits(self.caller.tenant(), &page).await.unwrap();
        rows.iter().filter(|row| row.action == action).count()
    }

    async fn split(&self, order: &Order) -> Split {
        let found = self.engine.document_by_number(self.caller.tenant(), &order.id.to_string()).await;
        found.unwrap().unwrap()
    }

    async fn returns(&self, order: &Order) -> Vec<ShareReturn> {
        self.engine.all_documents(self.caller.tenant(), &DocumentFilter::of(order.id)).await.unwrap()
    }

    /// What we owe on an account, minor units.
    async fn owed(&self, account: &str) -> i64 {
        let rows = self.engine.store().balances(self.caller.tenant()).await.unwrap();
        rows.iter().filter(|row| row.account == account).map(|row| row.credits - row.debits).sum()
    }
}

/// WeChat Pay's notification that a share arrived (分账动账通知), which goes where the receiver has set it in the console.
fn told(theirs: &Settings, reference: &str, now: Timestamp) -> Notice {
    let text = |name: &str| theirs.text(name, "").to_owned();
    // The amount is not that of the share: nobody reads it.
    let said = json!({"mchid": text("mchid"), "transaction_id": "4200", "order_id": "3008", "out_order_no": reference,
        "success_time": "2026-11-23T08:09:11+08:00",
        "receiver": {"type": "MERCHANT_ID", "account": "1900000001", "amount": 1, "description": "share"}});
    let seal = Aes256Gcm::new_from_slice(text("apiv3_key").as_bytes()).unwrap();
    let said = said.to_string();
    let payload = Payload { msg: said.as_bytes(), aad: b"profitsharing" };
    let ciphertext = STANDARD.encode(seal.encrypt(&Nonce::from(*b"twelve bytes"), payload).unwrap());
    let body = json!({"id": "1", "create_time": "2026-11-23T08:09:55+08:00", "resource_type": "encrypt-resource",
        "event_type": "TRANSACTION.SUCCESS", "summary": "",
        "resource": {"original_type": "profitsharing", "algorithm": "AEAD_AES_256_GCM", "ciphertext": ciphertext,
            "associated_data": "profitsharing", "nonce": "twelve bytes"}});
    let (body, time) = (body.to_string(), now.secs().to_string());
    let signer = NativeKeyring.signer(theirs.value("platform_private_key").unwrap()).unwrap();
    let signed = format!("{time}\nnonce\n{body}\n");
    let signature = STANDARD.encode(signer.sign(Scheme::RsaSha256, signed.as_bytes()).unwrap());
    http::Request::post("/notify")
        .header("wechatpay-timestamp", time)
        .header("wechatpay-nonce", "nonce")
        .header("wechatpay-signature", signature)
        .header("wechatpay-serial", text("public_key_id"))
        .body(body.into())
        .unwrap()
}

fn ratio(receiver: &Receiver, millionths: u32) -> Value {
    json!({"receiver_id": receiver.id, "rule": {"type": "ratio", "millionths": millionths}})
}

fn account(channel: &str, kind: &str, number: usize) -> Value {
    json!([{"channel": channel, "kind": kind, "account": format!("{}", 1_900_000_000 + number)}])
}

#[tokio::test]
async fn wechat_shares_a_minute_after_the_payment_releases_the_rest_and_takes_back_what_is_refunded() {
    let mut shop = Shop::open().await;
    let first = shop.receiver(account("wechatpay", "merchant", 1)).await;
    let second = shop.receiver(account("wechatpay", "merchant", 2)).await;
    let plan = shop.plan(json!({"parts": [ratio(&first, 200_000), ratio(&second, 33_333)]})).await;
    let order = shop.paid(json!({"method": "wechatpay.qr", "split_plan_id": plan})).await;
    shop.pass(1).await;
    assert_eq!(shop.split(&order).await.status, SplitStatus::Held, "the minute is not over");
    shop.pass(60).await;
    let split = shop.split(&order).await;
    assert_eq!((split.status, split.via), (SplitStatus::Finished, Some(Via::Channel)), "{split:?}");
    let given: Vec<i64> = split.shares.iter().map(|share| share.given).collect();
    assert_eq!(given.iter().sum::<i64>(), 2_333, "20 % and 3.3333 % of 100.00, cut to a whole unit together");
    let kinds: Vec<_> = split.requests.iter().map(|request| request.kind).collect();
    assert_eq!(kinds, [RequestKind::Share, RequestKind::Release]);
    assert_eq!(shop.owed("merchant_pending").await, 10_000 - 2_333);
    assert_eq!(shop.owed("channel_receivable:wechatpay").await, -(10_000 - 2_333));

    for part in [3_333, 1, 6_666] {
        shop.refund(&order, part).await;
        shop.pass(60).await;
    }
    let split = shop.split(&order).await;
    assert!(split.shares.iter().all(|share| share.reclaimed == share.given), "{:?}", split.shares);
    let returns = shop.returns(&order).await;
    assert_eq!(returns.len(), 3);
    assert!(returns.iter().all(|back| back.finished), "{returns:?}");
    let legs = || returns.iter().flat_map(|back| &back.legs);
    assert_eq!(legs().map(|leg| leg.from_channel).sum::<i64>(), 2_333, "all of it through the channel");
    assert_eq!(shop.owed("merchant_pending").await, 0);
    assert_eq!(shop.owed("channel_receivable:wechatpay").await, 0);
}

#[tokio::test]
async fn what_is_refunded_while_the_money_is_held_is_never_given() {
    let mut shop = Shop::open().await;
    let only = shop.receiver(account("wechatpay", "merchant", 1)).await;
    let terms = json!({"parts": [ratio(&only, 300_000)], "release": {"type": "on_release", "days": 7}});
    let plan = shop.plan(terms).await;
    let order = shop.paid(json!({"method": "wechatpay.qr", "split_plan_id": plan})).await;
    shop.pass(3 * 86_400).await;
    assert_eq!(shop.split(&order).await.status, SplitStatus::Held);
    shop.refund(&order, 5_000).await;
    shop.pass(60).await;
    let split = shop.split(&order).await;
    splits::release(&shop.engine, &shop.caller, input(json!({"id": split.id}))).await.unwrap();
    shop.pass(1).await;
    let split = shop.split(&order).await;
    assert_eq!(split.status, SplitStatus::Finished, "{split:?}");
    assert_eq!((split.shares[0].cancelled, split.shares[0].given), (1_500, 1_500));
    assert_eq!(shop.returns(&order).await[0].legs[0].from_unfrozen, 1_500);

    let late = shop.paid(json!({"method": "wechatpay.qr", "split_plan_id": plan})).await;
    shop.pass(7 * 86_400 + 1).await;
    assert_eq!(shop.split(&late).await.status, SplitStatus::Finished, "after seven days without a call");
}

#[tokio::test]
async fn more_receivers_than_a_request_holds_are_shared_in_batches_without_breaking_a_limit() {
    let mut shop = Shop::open().await;
    for (channel, method) in [("wechatpay", "wechatpay.qr"), ("alipay", "alipay.qr")] {
        let mut parts = Vec::new();
        for number in 0..120 {
            let kind = if channel == "alipay" { "user" } else { "merchant" };
            let who = if channel == "alipay" { 2_088_000_000_000_000 } else { 0 };
            let receiver = shop.receiver(account(channel, kind, who + number)).await;
            parts.push(ratio(&receiver, 2_000));
        }
        let plan = shop.plan(json!({"parts": parts, "via": "channel"})).await;
        let order = shop.paid(json!({"method": method, "split_plan_id": plan, "amount": 100_000})).await;
        shop.pass(61).await;
        let split = shop.split(&order).await;
        assert_eq!(split.status, SplitStatus::Finished, "{channel}: {:?} {:?}", split.detail, split.requests);
        let sizes: Vec<usize> = split.requests.iter().map(|request| request.shares.len()).collect();
        assert_eq!(sizes, [50, 50, 20, 0], "{channel}");
        assert!(split.shares.iter().all(|share| share.given == 200), "{channel}");
        assert_eq!(shop.owed(&format!("channel_receivable:{channel}")).await, -76_000, "{channel}");
    }
}

#[tokio::test]
async fn shares_and_what_came_back_of_them_are_found_on_the_channels_statement_of_funds() {
    let mut shop = Shop::open().await;
    let day = shop.engine.wall().to_civil(BEIJING).date().to_string();
    let mut shared = Vec::new();
    for (channel, kind, who) in [("wechatpay", "merchant", 1), ("alipay", "user", 2_088_000_000_000_001)] {
        let first = shop.receiver(account(channel, kind, who)).await;
        let second = shop.receiver(account(channel, kind, who + 1)).await;
        let parts = json!([ratio(&first, 150_000), ratio(&second, 50_000)]);
        let plan = shop.plan(json!({"parts": parts, "via": "channel"})).await;
        let method = format!("{channel}.qr");
        let order = shop.paid(json!({"method": method, "split_plan_id": plan})).await;
        shop.pass(61).await;
        shop.refund(&order, 5_000).await;
        shop.pass(60).await;
        shared.push((channel, order));
    }
    shop.pass(86_400).await;
    for (channel, order) in shared {
        let split = shop.split(&order).await;
        let back: usize = shop.returns(&order).await.iter().map(|back| back.legs.len()).sum();
        assert_eq!((split.status, back), (SplitStatus::Finished, 2), "{channel}: {split:?}");
        let wanted = json!({"scope": "payout", "account_id": split.account_id, "day": day});
        let run = reconciliations::run(&shop.engine, &shop.caller, input(wanted)).await.unwrap();
        let seen = &run.summary;
        assert_eq!(run.status, RunStatus::Compared, "{channel}: {:?}", run.fault);
        assert_eq!((seen.ours_broken, seen.theirs_broken), (0, 0), "{channel}: {seen:?}");
        // A share of two is one of ours and two of theirs. Only WeChat Pay takes back what a refund claws back.
        let [ours, theirs] = if channel == "wechatpay" { [3, 4] } else { [1, 2] };
        assert_eq!((seen.ours_matched, seen.theirs_matched), (ours, theirs), "{channel}");
        assert_eq!(shop.split(&order).await.requests[0].reconciled, Some(run.id), "{channel}");
        let mut noticed = 0_u64;
        for line in 0..8 {
            let wanted = json!({"scope": "payout", "account_id": split.account_id, "day": day,
                "spoil": {"missing": [line]}});
            let run = reconciliations::run(&shop.engine, &shop.caller, input(wanted)).await.unwrap();
            noticed += u64::from(run.summary.ours_broken > 0);
        }
        assert_eq!(
            noticed, theirs,
            "{channel}: each of the lines of shares and returns, and no other, is missed"
        );
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_about_and_a_refusal_blocks_until_somebody_decides() {
    let mut shop = Shop::open().await;
    let only = shop.receiver(account("wechatpay", "merchant", 1)).await;
    // The simulated provider does what is asked of 90.09 and loses the answer, and refuses 90.10.
    for (amount, expected) in [(9_009, SplitStatus::Finished), (9_010, SplitStatus::Blocked)] {
        let rule = json!({"type": "fixed", "amount": amount});
        let parts = json!([{"receiver_id": only.id, "rule": rule}]);
        let plan = shop.plan(json!({"parts": parts, "via": "channel", "channel_cap": 1_000_000})).await;
        let order = shop.paid(json!({"method": "wechatpay.qr", "split_plan_id": plan})).await;
        shop.pass(61).await;
        shop.pass(30).await;
        let split = shop.split(&order).await;
        assert_eq!(split.status, expected, "{split:?}");
        let asked = split.requests.iter().filter(|request| request.kind == RequestKind::Share).count();
        assert_eq!(asked, 1, "never under a second reference by itself");
        if expected == SplitStatus::Blocked {
            let wanted = input(json!({"id": split.id, "via": "ledger"}));
            splits::retry(&shop.engine, &shop.caller, wanted).await.unwrap();
            shop.pass(1).await;
            let split = shop.split(&order).await;
            assert_eq!(split.status, SplitStatus::Finished, "{split:?}");
            assert_eq!(shop.owed(&format!("split_payable:{}", only.id)).await, 9_010);
        }
    }
}

#[tokio::test]
async fn a_notice_of_a_share_makes_the_channel_asked_at_once_and_is_not_believed() {
    let mut shop = Shop::open().await;
    let only = shop.receiver(account("wechatpay", "merchant", 1)).await;
    // The simulated provider does what is asked of 90.09 and loses the answer.
    let parts = json!([{"receiver_id": only.id, "rule": {"type": "fixed", "amount": 9_009}}]);
    let plan = shop.plan(json!({"parts": parts, "via": "channel", "channel_cap": 1_000_000})).await;
    let order = shop.paid(json!({"method": "wechatpay.qr", "split_plan_id": plan})).await;
    shop.pass(61).await;
    let split = shop.split(&order).await;
    assert_eq!(split.status, SplitStatus::Sharing, "{split:?}");
    let reference = split.requests[0].reference.clone();
    shop.put_off(split, |split, later| split.due_at = later).await;
    shop.work().await;
    assert_eq!(shop.split(&order).await.status, SplitStatus::Sharing, "nobody looks");

    for unknown in ["01m82zwja2dtd95rqsv3pnk8mk01", &reference[..26], &format!("{reference}0"), "P2015"] {
        let (account, notice) = shop.share_notice(unknown).await;
        let said = receive(&shop.engine, account, &notice).await.unwrap();
        assert_eq!(said.status(), 400, "{unknown}");
    }
    assert_eq!((shop.audited("notice.refused").await, shop.audited("notice.announced").await), (4, 0));
    let (account, notice) = shop.share_notice(&reference).await;
    for _ in 0..3 {
        assert_eq!(receive(&shop.engine, account, &notice).await.unwrap().status(), 204);
    }
    assert_eq!(shop.audited("notice.announced").await, 1, "what is due already is not hastened again");
    let split = shop.split(&order).await;
    assert_eq!(
        (split.status, split.shares[0].given),
        (SplitStatus::Sharing, 0),
        "what it says is not believed"
    );
    shop.work().await;
    let split = shop.split(&order).await;
    assert_eq!((split.status, split.shares[0].given), (SplitStatus::Finished, 9_009), "{split:?}");
    assert_eq!(receive(&shop.engine, account, &notice).await.unwrap().status(), 204, "late is not unknown");
    assert_eq!(shop.split(&order).await, split, "and changes nothing");
}

#[tokio::test]
async fn where_the_channel_cannot_share_the_ledger_does_and_a_refund_takes_balance_and_then_debt() {
    let mut shop = Shop::open().await;
    let only = shop.receiver(json!([])).await;
    let plan = shop.plan(json!({"parts": [ratio(&only, 500_000)]})).await;
    let order = shop.paid(json!({"method": "testpay.card", "split_plan_id": plan})).await;
    shop.pass(1).await;
    let split = shop.split(&order).await;
    assert_eq!((split.status, split.via), (SplitStatus::Finished, Some(Via::Ledger)), "{split:?}");
    let account = format!("split_payable:{}", only.id);
    assert_eq!(shop.owed(&account).await, 5_000);
    shop.refund(&order, 10_000).await;
    shop.pass(1).await;
    assert_eq!(shop.owed(&account).await, 0);
    let legs = &shop.returns(&order).await[0].legs;
    assert_eq!((legs[0].from_balance, legs[0].owed), (5_000, 0));
    assert_eq!(shop.owed("merchant_pending").await, 0);
}

#[tokio::test]
async fn changing_a_plan_changes_no_order_and_a_channel_that_must_share_and_cannot_is_refused_at_once() {
    let mut shop = Shop::open().await;
    let only = shop.receiver(json!([])).await;
    let plan = shop.plan(json!({"parts": [ratio(&only, 100_000)]})).await;
    let order = shop.paid(json!({"method": "testpay.card", "split_plan_id": plan})).await;
    let terms = json!({"parts": [ratio(&only, 900_000)]});
    splits::update_plan(&shop.engine, &shop.caller, input(json!({"id": plan, "terms": terms})))
        .await
        .unwrap();
    shop.pass(1).await;
    assert_eq!(shop.split(&order).await.shares[0].given, 1_000);

    let strict = shop.plan(json!({"parts": [ratio(&only, 100_000)], "via": "channel"})).await;
    let wanted = json!({"amount": 10_000, "currency": "CNY", "subject": "Tea", "method": "testpay.card",
        "split_plan_id": strict});
    let error = orders::create(&shop.engine, &shop.caller, input(wanted)).await.unwrap_err();
    assert_eq!(error.param.as_deref(), Some("split_plan_id"), "{error}");
}

#[tokio::test]
async fn a_chain_of_agents_earns_gives_back_and_is_paid_with_the_tax_withheld() {
    let mut shop = Shop::open().await;
    let since = "2020-01-01T00:00:00Z";
    let rate = |millionths: u32| json!([{"product": "*", "from": since, "rate": {"millionths": millionths}}]);
    let top = json!({"name": "Region 区域", "costs": rate(3_000), "withholding": {"type": "services_cn"}});
    let top: Shown<Agent> = agents::create(&shop.engine, &shop.caller, input(top)).await.unwrap();
    let top = top.document().id;
    let seller = json!({"name": "Town 城市", "parent_id": top, "costs": rate(4_500), "prices": rate(6_000)});
    let seller = agents::create(&shop.engine, &shop.caller, input(seller)).await.unwrap().document().id;
    let order = shop.paid(json!({"method": "testpay.card", "agent_id": seller, "amount": 100_000_000})).await;
    shop.pass(1).await;
    let account = |agent| format!("agent_payable:{agent}");
    assert_eq!(shop.owed(&account(top)).await, 150_000);
    assert_eq!(shop.owed(&account(seller)).await, 150_000);
    for part in [33_333_333, 1] {
        shop.refund(&order, part).await;
        shop.pass(1).await;
    }
    assert_eq!(shop.owed(&account(top)).await, 150_000 - 50_000);

    let wanted = json!({"agent_id": top, "amount": 100_000, "currency": "CNY"});
    let asked = agents::create_withdrawal(&shop.engine, &shop.caller, input(wanted)).await.unwrap();
    let asked = asked.document();
    assert_eq!((asked.tax.minor(), asked.net.minor()), (4_000, 96_000), "a fifth of what is above 800.00");
    let by_id = || input(json!({"id": asked.id}));
    assert!(agents::approve(&shop.engine, &shop.caller, by_id()).await.is_err(), "not by the same person");
    let other = Caller { actor: "somebody else".into(), ..shop.caller.clone() };
    agents::approve(&shop.engine, &other, by_id()).await.unwrap();
    let end = || input(json!({"id": asked.id, "note": "bank 1"}));
    agents::pay(&shop.engine, &other, end()).await.unwrap();
    assert!(agents::reject(&shop.engine, &other, end()).await.is_err(), "what is paid is paid");
    assert_eq!(shop.owed(&account(top)).await, 0);
    assert_eq!((shop.owed("tax_payable").await, shop.owed("merchant_in_payout").await), (4_000, 0));

    shop.pass(40 * 86_400).await;
    let month = asked.month.clone();
    let wanted = || input(json!({"agent_id": top, "month": month, "currency": "CNY"}));
    let made = agents::create_statement(&shop.engine, &shop.caller, wanted()).await.unwrap();
    let statement: &AgentStatement = made.document();
    let parts = (statement.commission, statement.clawed_back, statement.withdrawn, statement.closing);
    assert_eq!(parts, (150_000, -50_000, -100_000, 0));
    assert_eq!(statement.volume, 100_000_000 - 33_333_334);
    assert!(agents::create_statement(&shop.engine, &shop.caller, wanted()).await.is_err(), "once a month");
}
