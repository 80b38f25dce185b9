//! The vault: how cards are sealed, what opens them, and what a channel is handed, over a scripted channel.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use std::sync::Arc;
use std::time::Duration;

use paycore::account;
use paycore::channel::card::{Card, NumberKind, Usage};
use paycore::channel::{Expiry, Initiator, Operation, Outcome, Verb, Verdict};
use paycore::checkout::{self, Choice};
use paycore::crypto::Vault;
use paycore::crypto::envelope::EnvelopeVault;
use paycore::crypto::native::NativeKeyring;
use paycore::document::{Document, DocumentFilter};
use paycore::engine::{Caller, Engine};
use paycore::error::Code;
use paycore::id::{AttemptId, CardId, CardTokenId, ChannelAccountId, MerchantId, OrderId};
use paycore::merchant::service::{authenticate, first_start};
use paycore::order::input::Moment;
use paycore::order::service::{self as orders, OrderById, PayOrder};
use paycore::order::{AttemptStatus, Order, OrderStatus};
use paycore::secret::Secret;
use paycore::store::{Changes, Page, Put, Queue, Store as _};
use paycore::testkit::MemoryStore;
use paycore::testkit::scripted::{Play, Scripted};
use paycore::time::{ManualClock, SeededRng, Timestamp};
use paycore::transport::TransportError;
use paycore::vault::rules::{Ended, Owner, fingerprint};
use paycore::vault::service::{self as cards, CardById, ListCards, reseal_all};
use paycore::vault::{CardToken, Consent, Keep, ProvisionedToken, StoredCard, TokenStatus, TypedCard};

const NUMBER: &str = "4242424242424242";
const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
const MOMENT: Moment = Moment { now: NOW, wall: NOW };
/// Before, while and after a root key is changed.
const OLD: &[(&str, char)] = &[("k1", 'A')];
const BOTH: &[(&str, char)] = &[("k2", 'B'), ("k1", 'A')];
const NEW: &[(&str, char)] = &[("k2", 'B')];
const SHOP: Owner = Owner { tenant: MerchantId::from_bits(1), livemode: false };

fn typed() -> TypedCard {
    let [number, cvc] = [NUMBER, "987"].map(Secret::new);
    TypedCard { number, exp_month: 12, exp_year: 2030, cvc: Some(cvc), holder: Some(Secret::new("A PAYER")) }
}

fn roots(names: &[(&str, char)]) -> EnvelopeVault {
    let keys: Vec<(&str, Secret)> =
        names.iter().map(|(name, fill)| (*name, Secret::new(fill.to_string().repeat(42) + "A"))).collect();
    EnvelopeVault::new(keys.iter().map(|(name, key)| (*name, key))).unwrap()
}

fn token(vault: &dyn Vault, owner: Owner, bits: u128) -> CardToken {
    let typed = typed().check(NOW).unwrap();
    let ids = (CardTokenId::from_bits(bits), OrderId::from_bits(7));
    CardToken::new(ids, &typed, "print".into(), (vault, owner), MOMENT).unwrap()
}

fn keep(customer: &str) -> Keep {
    Keep { customer: customer.into(), consent: Consent { version: "1".into(), at: NOW } }
}

#[test]
fn a_sealed_number_opens_in_its_own_row_only() {
    let vault = roots(OLD);
    let token = token(&vault, SHOP, 1);
    assert_eq!(token.card(&vault, SHOP, None).unwrap().number().expose(), NUMBER);
    assert!(!serde_json::to_string(&token).unwrap().contains("42424242"));
    let live = Owner { livemode: true, ..SHOP };
    let stranger = Owner { tenant: MerchantId::from_bits(2), ..SHOP };
    for owner in [live, stranger] {
        assert!(token.card(&vault, owner, None).is_err(), "{owner:?}");
    }
    let other_row = CardToken { id: CardTokenId::from_bits(2), ..token.clone() };
    let other_order = CardToken { order_id: OrderId::from_bits(8), ..token.clone() };
    for moved in [other_row, other_order] {
        assert!(moved.card(&vault, SHOP, None).is_err(), "{:?} {:?}", moved.id, moved.order_id);
    }
    let id = CardId::from_bits(3);
    let stored = StoredCard::keep(id, &token, keep("customer-1"), (&vault, SHOP), NOW).unwrap();
    let mut moved = StoredCard { customer: "customer-2".into(), ..stored };
    let opened =
        moved.card((&vault, SHOP), ChannelAccountId::from_bits(1), Usage::Stored(Initiator::Customer), NOW);
    assert!(opened.is_err(), "another customer's row");
}

#[test]
fn an_old_root_key_opens_and_a_new_one_seals() {
    let old = roots(OLD);
    let sealed = token(&old, SHOP, 1);
    let both = roots(BOTH);
    assert_eq!(sealed.card(&both, SHOP, None).unwrap().number().expose(), NUMBER);
    let kept = StoredCard::keep(CardId::from_bits(3), &sealed, keep("c"), (&both, SHOP), NOW).unwrap();
    let new = roots(NEW);
    assert!(sealed.card(&new, SHOP, None).is_err(), "the old key is gone");
    let account = ChannelAccountId::from_bits(1);
    let card = kept.clone().card((&new, SHOP), account, Usage::Stored(Initiator::Customer), NOW).unwrap();
    assert_eq!(card.number().expose(), NUMBER, "it was sealed anew by the first key");
}

#[test]
fn fingerprints_tell_equal_cards_of_one_key() {
    let (one, two) = (Secret::new("key one"), Secret::new("key two"));
    let (card, other) = (Secret::new(NUMBER), Secret::new("4000000000000002"));
    let print = |key, number| fingerprint(key, number).unwrap();
    assert_eq!(print(&one, &card), print(&one, &card));
    assert_ne!(print(&one, &card), print(&two, &card));
    assert_ne!(print(&one, &card), print(&one, &other));
    assert_eq!(print(&one, &card).len(), 32);
}

#[test]
fn a_token_ends_when_its_payment_is_decided_and_not_before() {
    let vault = roots(OLD);
    for status in AttemptStatus::ALL {
        let mut token = token(&vault, SHOP, 1);
        token.take(AttemptId::from_bits(1), Some(keep("c")), MOMENT);
        let ended = token.end(Some(*status), MOMENT);
        let expected = match status.text() {
            "sending" | "unknown" | "awaiting" | "pending" | "closing" => Ended::NotYet,
            "declined" | "closed" => Ended::Wiped,
            _ => Ended::Kept(keep("c")),
        };
        assert_eq!(ended, expected, "{}", status.text());
        assert_eq!(token.status == TokenStatus::Over, ended != Ended::NotYet);
        assert_eq!(token.due_at == Timestamp::ZERO, ended != Ended::NotYet);
    }
    let mut unused = token(&vault, SHOP, 1);
    assert_eq!(unused.end(None, MOMENT), Ended::NotYet);
    let late = Moment { now: unused.expires_at, wall: unused.expires_at };
    assert_eq!(unused.end(None, late), Ended::Wiped);
}

struct Shop {
    engine: Engine,
    caller: Caller,
    script: Scripted,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    account: ChannelAccountId,
}

fn wire(
    script: &Scripted,
    clock: &Arc<ManualClock>,
    store: &Arc<MemoryStore>,
    (seed, keys): (u64, &[(&str, char)]),
) -> Engine {
    Engine::builder()
        .store(Arc::clone(store) as _)
        .transport(Arc::new(script.clone()))
        .channels(&[script.driver()])
        .keyring(Arc::new(NativeKeyring))
        .vault(Arc::new(roots(keys)))
        .clock(Arc::clone(clock) as _)
        .rng(Arc::new(SeededRng::new(seed)))
        .build()
        .unwrap()
}

impl Shop {
    async fn open() -> Shop {
        let script = Scripted::new();
        let (clock, store) = (Arc::new(ManualClock::new(NOW)), Arc::new(MemoryStore::new()));
        let engine = wire(&script, &clock, &store, (42, OLD));
        let start = first_start(&engine, "Corner shop").await.unwrap().unwrap();
        let caller = authenticate(&engine, &start.merchant.test_key.key.unwrap()).await.unwrap().unwrap();
        let input = serde_json::from_str(r#"{"channel": "scripted", "settings": {}}"#).unwrap();
        let account = account::service::create(&engine, &caller, input).await.unwrap().id;
        Shop { engine, caller, script, clock, store, account }
    }

    async fn order(&self) -> Order {
        let input = serde_json::json!({"amount": 10_000, "currency": "CNY", "subject": "Tea",
            "method": "card.web", "customer": "customer-1"});
        orders::create(&self.engine, &self.caller, serde_json::from_value(input).unwrap()).await.unwrap()
    }

    async fn token(&self, order: &Order) -> CardTokenId {
        cards::tokenize(&self.engine, &self.caller.merchant, order, typed()).await.unwrap().id
    }

    async fn pay(&self, order: &Order, change: impl FnOnce(&mut PayOrder)) -> paycore::error::Result<Order> {
        let mut input = PayOrder::new(order.id, "card.web".parse().unwrap(), None);
        change(&mut input);
        orders::pay(&self.engine, &self.caller, input).await
    }

    /// The cards that the channel was handed to pay with, in order.
    fn handed(&self) -> Vec<Card> {
        let operations = self.script.operations().into_iter();
        operations
            .filter_map(|operation| match operation {
                Operation::Pay(pay) => pay.card.map(|card| *card),
                _ => None,
            })
            .collect()
    }

    async fn work(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        for queue in Queue::ALL {
            assert_eq!(self.engine.work(*queue, 100).await.unwrap().failed, 0, "{queue:?}");
        }
    }

    async fn tokens(&self) -> Vec<CardToken> {
        let page = Page { limit: 100, after: None, before: None };
        let tenant = self.caller.tenant();
        let rows =
            self.engine.store().documents(tenant, CardToken::KIND, &DocumentFilter::default(), &page).await;
        rows.unwrap().iter().map(|row| row.read().unwrap()).collect()
    }

    async fn kept(&self) -> CardId {
        let order = self.order().await;
        let token = self.token(&order).await;
        let paid = self.pay(&order, |input| {
            input.card_token = Some(token);
            input.save = Some("1".into());
        });
        assert_eq!(paid.await.unwrap().status, OrderStatus::Succeeded);
        self.work(3).await;
        let list = cards::list(&self.engine, &self.caller, ListCards::default()).await.unwrap();
        list.data[0].id
    }
}

#[tokio::test]
async fn the_channel_is_handed_the_card_and_the_store_a_sealed_one() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    assert_eq!((order.status, shop.script.operations().len()), (OrderStatus::Pending, 0));
    let token = shop.token(&order).await;
    shop.pay(&order, |input| input.card_token = Some(token)).await.unwrap();
    let handed = shop.handed();
    let card = &handed[0];
    assert_eq!((card.number().expose(), card.expose_cvc()), (NUMBER, Some("987")));
    assert_eq!((card.expose_holder(), card.usage), (Some("A PAYER"), Usage::Typed { keep: false }));
    assert!(!format!("{:?}", shop.script.operations()).contains("424242"));
    shop.work(3).await;
    let over = &shop.tokens().await[0];
    assert_eq!((over.status, &over.sealed), (TokenStatus::Over, &None), "the number is wiped");
}

#[tokio::test]
async fn a_payment_that_got_lost_is_sent_again_without_the_code() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let token = shop.token(&order).await;
    shop.script.then(Verb::Pay, Play::Lose(TransportError::Timeout));
    shop.script.then(Verb::Query, Play::Answer(Outcome::new(Verdict::Absent)));
    let unknown = shop.pay(&order, |input| input.card_token = Some(token)).await.unwrap();
    assert_eq!(unknown.status, OrderStatus::Processing);
    shop.work(45).await;
    let paid = orders::retrieve(&shop.engine, &shop.caller, OrderById { id: order.id }).await.unwrap();
    assert_eq!(paid.status, OrderStatus::Succeeded);
    let handed = shop.handed();
    assert_eq!(handed.len(), 2);
    assert_eq!((handed[1].number().expose(), handed[1].expose_cvc()), (NUMBER, None));
}

#[tokio::test]
async fn a_restart_loses_the_code_and_the_payer_types_again() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let token = shop.token(&order).await;
    let restarted = wire(&shop.script, &shop.clock, &shop.store, (43, OLD));
    let mut input = PayOrder::new(order.id, "card.web".parse().unwrap(), None);
    input.card_token = Some(token);
    let refused = orders::pay(&restarted, &shop.caller, input).await.unwrap_err();
    assert_eq!((refused.code, refused.param.as_deref()), (Code::StateNotAllowed, Some("card_token")));
    assert!(shop.script.operations().is_empty());
}

#[tokio::test]
async fn a_network_token_goes_where_it_came_from_and_its_cryptogram_once() {
    let shop = Shop::open().await;
    let id = shop.kept().await;
    let given = ProvisionedToken {
        account_id: shop.account,
        number: Secret::new("4895370012003478"),
        expiry: Expiry { year: 2031, month: 1 },
        cryptogram: Some(Secret::new("AgAAAAAAAIR8CQrXcIhbQAAAAAA=")),
    };
    assert!(cards::provision(&shop.engine, &shop.caller, id, given).await.unwrap().network_token);
    for cryptogram in [Some("AgAAAAAAAIR8CQrXcIhbQAAAAAA="), None] {
        let order = shop.order().await;
        shop.pay(&order, |input| input.card = Some(id)).await.unwrap();
        let handed = shop.handed();
        let card = handed.last().unwrap();
        assert_eq!((card.kind, card.number().expose()), (NumberKind::NetworkToken, "4895370012003478"));
        assert_eq!(card.expose_cryptogram(), cryptogram);
        assert_eq!(card.usage, Usage::Stored(Initiator::Customer));
    }
    cards::delete(&shop.engine, &shop.caller, CardById { id }).await.unwrap();
    let order = shop.order().await;
    let refused = shop.pay(&order, |input| input.card = Some(id)).await.unwrap_err();
    assert_eq!(refused.code, Code::StateNotAllowed);
}

impl Shop {
    /// The same shop behind a server with other root keys.
    fn under(&self, keys: &[(&str, char)]) -> Engine {
        wire(&self.script, &self.clock, &self.store, (44, keys))
    }

    async fn pay_stored(&self, engine: &Engine, card: CardId) -> paycore::error::Result<Order> {
        let order = self.order().await;
        let mut input = PayOrder::new(order.id, "card.web".parse().unwrap(), None);
        input.card = Some(card);
        orders::pay(engine, &self.caller, input).await
    }
}

#[tokio::test]
async fn a_root_key_is_retired_by_sealing_everything_again() {
    let shop = Shop::open().await;
    let id = shop.kept().await;
    let given = ProvisionedToken {
        account_id: ChannelAccountId::from_bits(9),
        number: Secret::new("4895370012003478"),
        expiry: Expiry { year: 2031, month: 1 },
        cryptogram: Some(Secret::new("AgAAAAAAAIR8CQrXcIhbQAAAAAA=")),
    };
    let mut card: StoredCard = shop.engine.document(shop.caller.tenant(), id).await.unwrap();
    let owner = Owner { tenant: shop.caller.tenant(), livemode: false };
    card.provision(&given, &roots(OLD), owner).unwrap();
    let mut changes = Changes::new();
    changes.put(Put::document(&card));
    shop.store.commit(shop.caller.tenant(), changes).await.unwrap();
    let waiting = shop.token(&shop.order().await).await;

    // Without the old key: it is said which one is missing, and nothing is changed.
    let missing = "sealed by the root key `k1`, which is not at hand";
    let usage = Usage::Stored(Initiator::Customer);
    let refused = card.clone().card((&roots(NEW), owner), shop.account, usage, NOW).unwrap_err();
    assert!(refused.code == Code::Internal && refused.internal.unwrap().contains(missing));
    let early = shop.under(NEW);
    let lost = reseal_all(&early, |_| {}).await.unwrap();
    assert!(lost.sealed == 0 && lost.unopened.iter().any(|(row, _)| *row == id.to_string()), "{lost:?}");
    assert!(lost.unopened.iter().all(|(_, why)| why.to_string().contains(missing)), "{lost:?}");

    let done = reseal_all(&shop.under(BOTH), |_| {}).await.unwrap();
    // The platform, the shop and its twin, an account, the fingerprints' key, the card and the token.
    assert_eq!((done.merchants, done.sealed, done.unopened.len()), (3, 7, 0), "{done:?}");
    let again = reseal_all(&shop.under(BOTH), |_| {}).await.unwrap();
    assert_eq!((again.sealed, again.rows), (0, done.rows), "what is sealed already is left alone");

    // The old key is needed no more: not for the card, its network token, a typed one or the fingerprints.
    let new = shop.under(NEW);
    assert!(reseal_all(&new, |_| {}).await.unwrap().unopened.is_empty());
    assert_eq!(shop.pay_stored(&new, id).await.unwrap().status, OrderStatus::Succeeded);
    assert_eq!(shop.handed().last().unwrap().number().expose(), NUMBER);
    let mut card: StoredCard = new.document(shop.caller.tenant(), id).await.unwrap();
    let token = card.card((&roots(NEW), owner), given.account_id, usage, NOW).unwrap();
    assert_eq!(token.expose_cryptogram(), given.cryptogram.as_ref().map(Secret::expose));
    let typed_card: CardToken = new.document(shop.caller.tenant(), waiting).await.unwrap();
    assert_eq!(typed_card.card(&roots(NEW), owner, None).unwrap().number().expose(), NUMBER);
    let order = shop.order().await;
    let fresh = cards::tokenize(&new, &shop.caller.merchant, &order, typed()).await.unwrap();
    assert_eq!(fresh.fingerprint, card.fingerprint, "equal cards are still recognised");
}

#[tokio::test]
async fn sealing_again_goes_on_where_it_was_batch_by_batch() {
    let shop = Shop::open().await;
    let (tenant, owner) = (shop.caller.tenant(), Owner { tenant: shop.caller.tenant(), livemode: false });
    let mut changes = Changes::new();
    for bits in 1..=120_u128 {
        let keys = roots(if bits <= 70 { OLD } else { NEW });
        let typed = token(&keys, owner, bits);
        let card = StoredCard::keep(CardId::from_bits(bits), &typed, keep("c"), (&keys, owner), NOW).unwrap();
        changes.put(Put::document(&card));
    }
    shop.store.commit(tenant, changes).await.unwrap();
    let engine = shop.under(BOTH);
    let mut told = Vec::new();
    let done = reseal_all(&engine, |tally| told.push(tally.sealed)).await.unwrap();
    // Three merchants and an account beside the cards that the old key had sealed.
    assert_eq!((done.sealed, done.unopened.len()), (74, 0), "{done:?}");
    assert!(told.len() > 5 && told.is_sorted(), "{told:?}");
    assert!(reseal_all(&shop.under(NEW), |_| {}).await.unwrap().unopened.is_empty());
}

#[tokio::test]
async fn two_tabs_with_one_token_charge_once() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let token = shop.token(&order).await;
    let secret = order.details.client_secret.as_ref().unwrap().expose().to_owned();
    let tab = async || {
        let choice = Choice {
            method: "card.web".parse().unwrap(),
            after: None,
            ip: None,
            card_token: Some(token),
            card: None,
            save: None,
            code: None,
        };
        checkout::open(&shop.engine, &secret).await.unwrap().pay(&shop.engine, choice).await
    };
    let (one, two) = futures_util::future::join(tab(), tab()).await;
    assert_eq!(one.unwrap().attempt.unwrap().id, two.unwrap().attempt.unwrap().id);
    let paid = orders::retrieve(&shop.engine, &shop.caller, OrderById { id: order.id }).await.unwrap();
    assert_eq!((paid.status, paid.captured), (OrderStatus::Succeeded, 10_000));
}
