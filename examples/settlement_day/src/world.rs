//! The world of the example: an engine on a clock of our own, shops with simulated channels, buyers and bad days.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use paycore::catalogue::{self, Input};
use paycore::channel::simulator::Answer;
use paycore::channel::{Driver, Reply};
use paycore::crypto::envelope::EnvelopeVault;
use paycore::crypto::native::NativeKeyring;
use paycore::engine::{Caller, Engine};
use paycore::id::ChannelAccountId;
use paycore::merchant::service::{authenticate, first_start};
use paycore::sandbox;
use paycore::sandbox::service::Weather;
use paycore::secret::Secret;
use paycore::store::Queue;
use paycore::time::{BEIJING, ManualClock, SeededRng, Timestamp};
use paycore::transport::{Transport, TransportError};
use paycore::verify;
use serde_json::{Value, json};

/// Whatever went wrong.
pub type Failure = Box<dyn Error>;

/// Midnight in Beijing, 14 September 2026, a Monday.
const START: i64 = 1_789_315_200;
const HOUR: u64 = 3_600;
/// A step of the clock.
const STEP: u64 = 600;
/// What is bought: the channel and the method.
const METHODS: [&str; 3] = ["alipay.qr", "wechatpay.qr", "testpay.card"];
const CHANNELS: [&str; 3] = ["alipay", "wechatpay", "testpay"];

/// A merchant with its connected channels.
#[derive(Clone)]
pub struct Shop {
    /// Its name.
    pub name: String,
    /// Its channels.
    pub accounts: Vec<Account>,
    /// Where its payouts go.
    pub beneficiary: String,
    caller: Caller,
}

/// A connected channel.
#[derive(Clone)]
pub struct Account {
    /// Its id.
    pub id: ChannelAccountId,
    /// The channel.
    pub channel: &'static str,
}

impl Shop {
    /// The same shop, with somebody else at the desk.
    pub fn person(&self, name: &str) -> Shop {
        let caller = Caller { actor: name.to_owned(), ..self.caller.clone() };
        Shop { caller, ..self.clone() }
    }
}

/// What happened, counted.
#[derive(Default)]
pub struct Count {
    /// Orders made.
    pub orders: u64,
    /// Refunds asked for.
    pub refunds: u64,
    /// Payments that were going to be disputed.
    pub disputes: u64,
    /// Days on which no notification arrived.
    pub silent_days: u64,
}

/// Every twentieth request to a channel is lost, half of them on the way back.
struct Storm {
    dice: SeededRng,
    lost: AtomicU64,
    calm: AtomicBool,
}

impl Weather for Storm {
    fn arrives(&self, request: &http::Request<Bytes>) -> bool {
        let struck = self.dice.next_u64().is_multiple_of(40) && !self.calm.load(Ordering::Relaxed);
        let lost = struck && !request.uri().path().starts_with("/payer/");
        self.lost.fetch_add(u64::from(lost), Ordering::Relaxed);
        !lost
    }

    fn returns(&self, request: &http::Request<Bytes>, answer: Answer) -> Answer {
        if self.arrives(request) { answer } else { Answer::Silence }
    }
}

/// There is no network: every channel is its simulator.
struct Nowhere;

#[async_trait::async_trait]
impl Transport for Nowhere {
    async fn send(&self, _: http::Request<Bytes>, _: Duration) -> Result<Reply, TransportError> {
        Err(TransportError::Broken("there is no network in this example".to_owned()))
    }
}

/// Everything.
pub struct World {
    /// What happened.
    pub count: Count,
    engine: Engine,
    clock: Arc<ManualClock>,
    storm: Arc<Storm>,
    dice: SeededRng,
    shops: Vec<Shop>,
    keys: AtomicU64,
    seen: BTreeSet<String>,
    /// Orders to be refunded in part, each with the shop and the hour.
    returns: Vec<(u64, usize, String, i64)>,
    hours: u64,
}

impl World {
    /// A world with these merchants: name, settlement terms and price.
    pub async fn open(path: &str, merchants: &[(&str, &str, &str)]) -> Result<World, Failure> {
        let address = format!("sqlite:{path}");
        paycore_store::migrate(&address).await?;
        let store = paycore_store::open(&address).await?;
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(START)));
        let storm = Arc::new(Storm {
            dice: SeededRng::new(7),
            lost: AtomicU64::new(0),
            calm: AtomicBool::new(false),
        });
        let root = Secret::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let drivers: Vec<&'static dyn Driver> = paycore_channels::REGISTRY
            .iter()
            .copied()
            .filter(|driver| CHANNELS.contains(&driver.profile().id))
            .collect();
        let engine = Engine::builder()
            .store(store)
            .transport(Arc::new(Nowhere))
            .weather(Arc::clone(&storm) as _)
            .channels(&drivers)
            .keyring(Arc::new(NativeKeyring))
            .vault(Arc::new(EnvelopeVault::new([("example", &root)])?))
            .clock(Arc::clone(&clock) as _)
            .rng(Arc::new(SeededRng::new(1)))
            .public_url("http://paycore.test")
            .build()?;
        let mut world = World {
            count: Count::default(),
            engine,
            clock,
            storm,
            dice: SeededRng::new(2),
            shops: Vec::new(),
            keys: AtomicU64::new(0),
            seen: BTreeSet::new(),
            returns: Vec::new(),
            hours: 0,
        };
        world.open_shops(merchants).await?;
        Ok(world)
    }

    async fn open_shops(&mut self, merchants: &[(&str, &str, &str)]) -> Result<(), Failure> {
        let start = first_start(&self.engine, "Platform 平台").await?.ok_or("the database is not new")?;
        let operator = authenticate(&self.engine, start.operator_key.expose()).await?.ok_or("no operator")?;
        let operator =
            Shop { name: "Platform".into(), accounts: vec![], beneficiary: String::new(), caller: operator };
        for (name, terms, price) in merchants {
            let made = self.call(&operator, "merchants.create", &json!({"name": name})).await?;
            let key = made["test_key"]["key"].as_str().unwrap_or_default();
            let caller = authenticate(&self.engine, key).await?.ok_or("no shop")?;
            let mut shop =
                Shop { name: (*name).to_owned(), accounts: vec![], beneficiary: String::new(), caller };
            let charge: Value = serde_json::from_str(price)?;
            let schedule = json!({"merchant_id": made["sandbox"]["id"], "name": name, "side": "price",
                "terms": {"rules": [{"name": "standard", "match": {"currency": "CNY"}, "charge": charge, "refund": "pro_rata"}]}});
            self.call(&operator, "fee_schedules.create", &schedule).await?;
            let terms: Value = serde_json::from_str(terms)?;
            let plan = json!({"merchant_id": made["sandbox"]["id"], "currency": "CNY", "terms": terms});
            self.call(&operator, "settlement_plans.create", &plan).await?;
            for channel in CHANNELS {
                let account =
                    self.call(&shop, "channel_accounts.create", &json!({"channel": channel})).await?;
                let id = account["id"].as_str().unwrap_or_default().parse()?;
                shop.accounts.push(Account { id, channel });
            }
            let route = json!({"type": "bank", "clearing": "102100099996", "country": "CN"});
            let input = json!({"name": name, "account": "6222020200012345678", "route": route});
            let beneficiary = self.call(&shop, "beneficiaries.create", &input).await?;
            let id = json!({"id": beneficiary["id"]});
            self.call(&shop.person("boss"), "beneficiaries.approve", &id).await?;
            shop.beneficiary = beneficiary["id"].as_str().unwrap_or_default().to_owned();
            self.shops.push(shop);
        }
        Ok(())
    }

    /// The merchants.
    pub fn shops(&self) -> &[Shop] {
        &self.shops
    }

    /// Requests lost so far.
    pub fn lost(&self) -> u64 {
        self.storm.lost.load(Ordering::Relaxed)
    }

    /// Nothing is lost any more.
    pub fn calm(&self) {
        self.storm.calm.store(true, Ordering::Relaxed);
    }

    /// Whether this was not asked before.
    pub fn first_time(&mut self, what: &str) -> bool {
        self.seen.insert(what.to_owned())
    }

    /// The date of a day, counted from the first.
    pub fn date(&self, day: u32) -> String {
        let at = Timestamp::from_secs(START + i64::from(day) * 24 * 3_600);
        at.to_civil(BEIJING).date().to_string()
    }

    /// Calls an operation of the catalogue, as the server does for a request.
    pub async fn call(&self, shop: &Shop, operation: &str, input: &Value) -> Result<Value, Failure> {
        let found = catalogue::find(operation).ok_or_else(|| format!("there is no operation {operation}"))?;
        let key = format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed));
        let body = input.to_string();
        let input = Input::json(body.as_bytes());
        let reply = found.invoke(&self.engine, shop.caller.clone(), input, Some(&key)).await;
        let reply =
            reply.map_err(|error| format!("{operation} for {}: {error} {:?}", shop.name, error.internal))?;
        Ok(serde_json::from_str(&reply.body)?)
    }

    /// One day, from midnight to midnight. On every fourth no notification arrives.
    pub async fn day(&mut self, day: u32, open: bool) -> Result<(), Failure> {
        let silent = open && day % 4 == 2;
        self.count.silent_days += u64::from(silent);
        for hour in 0..24_u64 {
            if open && (8..22).contains(&hour) {
                for index in 0..self.shops.len() {
                    self.trade(index).await?;
                }
            }
            self.give_back().await?;
            for _ in 0..HOUR / STEP {
                self.clock.advance(Duration::from_secs(STEP));
                self.work(silent).await?;
            }
            self.hours += 1;
        }
        // What was held back for the day is delivered late, as channels try again.
        self.work(false).await
    }

    async fn work(&self, silent: bool) -> Result<(), Failure> {
        for queue in Queue::ALL {
            while self.engine.work(*queue, 200).await?.taken > 0 {}
        }
        if !silent {
            sandbox::service::deliver(&self.engine).await?;
        }
        Ok(())
    }

    fn roll(&self, sides: u64) -> u64 {
        self.dice.next_u64() % sides
    }

    /// Somebody buys something, or not.
    async fn trade(&mut self, index: usize) -> Result<(), Failure> {
        if self.roll(2) > 0 {
            return Ok(());
        }
        let shop = self.shops[index].clone();
        let method = METHODS[self.roll(3) as usize];
        let disputed = method == "testpay.card" && self.roll(12) == 0;
        let amount = match disputed {
            true => 19_011 + self.roll(3) as i64 + 10_000 * self.roll(3) as i64,
            false => 1_000 + self.roll(7_000) as i64,
        };
        self.count.orders += 1;
        self.count.disputes += u64::from(disputed);
        let input = json!({"amount": amount, "currency": "CNY", "subject": "Goods 商品", "method": method});
        let order = self.call(&shop, "orders.create", &input).await?;
        if let Some(url) = order["next_action"]["content"].as_str().filter(|_| self.roll(10) > 0) {
            self.pay(url).await?;
        }
        if !disputed && self.roll(8) == 0 {
            let at = self.hours + 1 + self.roll(24 * 12);
            let id = order["id"].as_str().unwrap_or_default().to_owned();
            self.returns.push((at, index, id, 1 + amount / 2));
            self.returns.push((
                at + 3,
                index,
                order["id"].as_str().unwrap_or_default().to_owned(),
                amount / 4,
            ));
        }
        Ok(())
    }

    /// The payer's browser opens what the code says and presses the button.
    async fn pay(&self, url: &str) -> Result<(), Failure> {
        let uri: http::Uri = url.parse()?;
        let (account, path) = self.engine.hub().addressed(&uri).ok_or("a code of no simulator")?;
        let path = path.split('?').next().unwrap_or(&path).trim_end_matches('/').to_owned();
        let mut request = http::Request::new(Bytes::new());
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = format!("{path}/pay").parse()?;
        sandbox::service::handle(&self.engine, account, &request).await?;
        Ok(())
    }

    /// Goods that come back: what was paid is refunded in part; what was not is not.
    async fn give_back(&mut self) -> Result<(), Failure> {
        let now = self.hours;
        let due: Vec<_> = self.returns.extract_if(.., |(at, ..)| *at <= now).collect();
        for (_, index, order, amount) in due {
            let shop = self.shops[index].clone();
            let found = self.call(&shop, "orders.retrieve", &json!({"id": order})).await?;
            let paid = matches!(found["status"].as_str(), Some("succeeded" | "partially_refunded"));
            if paid {
                self.call(&shop, "refunds.create", &json!({"order_id": order, "amount": amount})).await?;
                self.count.refunds += 1;
            }
        }
        Ok(())
    }

    /// Checks every invariant over the whole store.
    pub async fn verify(&self) -> Result<String, Failure> {
        let report = verify::run(self.engine.store()).await?;
        if !report.ok {
            return Err(format!("not verified: {:?}", report.violations).into());
        }
        Ok(format!("verified: {} invariants over {:?}", report.checked.len(), report.rows))
    }
}
