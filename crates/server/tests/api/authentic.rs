//! Notifications that are signed as they should be and say the wrong thing: for every channel of the registry. They
//! come from a second simulator with the same keys as the account's own, which was told other things.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, Uri};
use paycore::channel::simulator::{Answer, Simulator};
use paycore::channel::{
    Action, Capability, CaptureMode, Channel, Context, Driver, Operation, Pay, Payer, Settings, Step, Verdict,
};
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::id::ChannelAccountId;
use paycore::money::Money;
use paycore::time::{SeededRng, Timestamp};
use paycore_channels::REGISTRY;
use serde_json::{Value, json};

use crate::notices::{reference, settings};
use crate::stand::{Answer as Said, Stand, order};

/// What a hostile body may keep the server busy for, on a machine that does other things, too.
const QUICKLY: Duration = Duration::from_secs(2);

/// Channels whose notifications are believed only after a query.
const ANNOUNCING: [&str; 2] = ["antom", "unionpay"];

/// The provider of an account, told other things than the account's own.
struct Liar {
    channel: std::sync::Arc<dyn Channel>,
    simulator: Box<dyn Simulator>,
    method: paycore::channel::Method,
    base_url: String,
    notify_url: String,
}

impl Liar {
    fn new(
        stand: &Stand,
        driver: &dyn Driver,
        row: &Capability,
        account: ChannelAccountId,
        (ours, theirs): (&Settings, &Settings),
    ) -> Liar {
        Liar {
            channel: driver.open(ours, &NativeKeyring).unwrap(),
            simulator: driver.simulator().unwrap().open(theirs, &NativeKeyring).unwrap(),
            method: format!("{}.{}", row.brand, row.scene).parse().unwrap(),
            base_url: format!("{}/sandbox/{account}", stand.url),
            notify_url: format!("{}/notify/{account}", stand.url),
        }
    }

    /// The notification of a payment of `reference`, made and paid at `now`.
    fn notice(&mut self, reference: &str, minor: i64, currency: Currency, now: Timestamp) -> Request<Bytes> {
        let rng = SeededRng::new(minor.unsigned_abs());
        let notify_url = self.notify_url.clone();
        let cx = Context { now, rng: &rng, notify_url: &notify_url };
        let pay = Operation::Pay(Pay {
            reference: reference.to_owned(),
            started_at: now,
            money: Money::new(minor, currency),
            method: self.method.clone(),
            subject: "Tea 茶叶".into(),
            description: None,
            return_url: Some("https://shop.example/thanks".into()),
            expires_at: None,
            capture: CaptureMode::Automatic,
            payer: payer(),
            shared: false,
            parts: Vec::new(),
            card: None,
            mandate: None,
        });
        let mut step = self.channel.encode(&pay, &cx).unwrap();
        let outcome = loop {
            match step {
                Step::Send(call) => {
                    let reply = self.ask(call.request, now).expect("an answer");
                    step = self.channel.decode(&pay, call.stage, &reply, &cx).unwrap();
                }
                Step::Done(outcome) => break outcome,
                Step::File(_) => panic!("a payment is no file"),
            }
        };
        match outcome.verdict {
            Verdict::Awaiting(Action::Redirect { url } | Action::Qr { content: url }) => {
                self.ask(Request::get(url).body(Bytes::new()).unwrap(), now);
            }
            Verdict::Awaiting(Action::Form { url, fields }) => {
                let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                let kind = "application/x-www-form-urlencoded";
                self.ask(Request::post(url).header(CONTENT_TYPE, kind).body(form.into()).unwrap(), now);
            }
            other => assert!(matches!(other, Verdict::Awaiting(_)), "{other:?}"),
        }
        let page = format!("{}/payer/{reference}/pay", self.base_url);
        self.ask(Request::post(page).body(Bytes::new()).unwrap(), now).expect("a page");
        self.simulator.due(now).pop().expect("a notification").request
    }

    fn ask(&mut self, mut request: Request<Bytes>, now: Timestamp) -> Option<http::Response<Bytes>> {
        let address = request.uri().to_string();
        let rest = address.strip_prefix(&self.base_url).expect("an address of the simulator");
        *request.uri_mut() = rest.parse::<Uri>().unwrap();
        match self.simulator.handle(&request, now) {
            Answer::Reply(reply) => Some(reply),
            Answer::Silence => None,
        }
    }
}

fn payer() -> Payer {
    Payer { id: Some("payer-1".into()), ip: Some("203.0.113.7".into()), auth_code: None }
}

fn input(row: &Capability, minor: i64) -> Value {
    let mut input = order(minor, &format!("{}.{}", row.brand, row.scene));
    input["currency"] = json!(row.currencies.usual());
    input["return_url"] = json!("https://shop.example/thanks");
    input["payer"] = json!({"id": "payer-1", "ip": "203.0.113.7"});
    input
}

/// An order that waits for its payer, by the first kind of payment that leads to one.
async fn waiting(stand: &Stand, driver: &'static dyn Driver) -> Option<(&'static Capability, Value)> {
    for row in driver.profile().capabilities.iter().filter(|row| driver.notifies(row)) {
        let made = stand.call("orders.create", input(row, 1_234)).await;
        if made.status != 200 || made.body["status"] != "pending" {
            continue;
        }
        // Another channel may serve the same brand.
        let attempts = stand.ok("orders.attempts", json!({"id": made.body["id"]})).await;
        if attempts["data"][0]["channel"] == driver.profile().id {
            return Some((row, made.body));
        }
    }
    None
}

/// Refused in the channel's own words, with one row of audit, and nothing else.
async fn refused(stand: &Stand, what: &str, order: &Value, request: Request<Bytes>) -> Said {
    let tenant = stand.tenant().await;
    let before = stand.audits(tenant).await;
    let said = stand.send(request).await;
    let audits = stand.audits(tenant).await;
    assert_eq!(audits[0].action, "notice.refused", "{what}: {said:?}");
    assert_ne!(
        Some(format!("{:?}", audits[0])),
        before.first().map(|row| format!("{row:?}")),
        "{what}: {said:?}"
    );
    let now = stand.ok("orders.retrieve", json!({"id": order["id"]})).await;
    assert_eq!((&now["status"], &now["amount_captured"]), (&order["status"], &json!(0)), "{what}");
    said
}

async fn tell(stand: &Stand, driver: &'static dyn Driver, stranger: &str) -> bool {
    let id = driver.profile().id;
    let Some((row, open)) = waiting(stand, driver).await else { return false };
    let (account, ours, theirs) = settings(stand, id).await;
    let own = reference(stand, &open).await;
    let now = stand.engine.wall();
    let liar = || Liar::new(stand, driver, row, account, (&ours, &theirs));
    let other = stand.ok("orders.create", input(row, 9_999)).await;
    let others = reference(stand, &other).await;

    let wrong = [
        ("a cent less", own.as_str(), 1_233),
        ("a hundred times more", &own, 123_400),
        ("of another order's amount", &others, 1_234),
        ("of nobody's order", "01m82zwja2dtd95rqsv3pnk8mk", 1_234),
    ];
    for (what, reference, minor) in wrong {
        let notice = liar().notice(reference, minor, row.currencies.usual(), now);
        refused(stand, &format!("{id}: {what}"), &open, notice).await;
    }
    if row.currencies.contains(Currency::USD) && row.currencies.usual() != Currency::USD {
        let notice = liar().notice(&own, 1_234, Currency::USD, now);
        refused(stand, &format!("{id}: another currency"), &open, notice).await;
    }

    let honest = liar().notice(&own, 1_234, row.currencies.usual(), now);
    let strange = readdressed(stand, &honest, stranger);
    let strange = stand.send(strange).await;
    let mut changed = altered(&honest);
    changed.headers_mut().insert(HOST, http::HeaderValue::from_static("localhost"));
    changed.headers_mut().insert("x-forwarded-for", http::HeaderValue::from_static("127.0.0.1"));
    refused(stand, &format!("{id}: changed, and from `localhost`"), &open, changed).await;
    for (what, body) in hostile() {
        let mut request = honest.clone();
        *request.body_mut() = body.into();
        // Some say everything in the query, which is honest here.
        let Some(path) = (request.method() == Method::POST).then(|| request.uri().path().to_owned()) else {
            break;
        };
        *request.uri_mut() = format!("{}{path}", stand.url).parse().unwrap();
        let start = Instant::now();
        refused(stand, &format!("{id}: {what}"), &open, request).await;
        assert!(start.elapsed() < QUICKLY, "{id}: {what} took {:?}", start.elapsed());
    }

    let said = stand.send(honest.clone()).await;
    assert!(said.status < 300, "{id}: the honest one is refused: {said:?}");
    let same = (strange.status, &strange.bytes) == (said.status, &said.bytes);
    assert!(!same, "{id}: another tenant's account takes it, too");
    let paid = stand.ok("orders.retrieve", json!({"id": open["id"]})).await;
    if ANNOUNCING.contains(&id) {
        // The account's own provider, which is asked before anything is booked, knows of no payment.
        assert_eq!((&paid["status"], &paid["amount_captured"]), (&json!("pending"), &json!(0)), "{id}");
        return true;
    }
    assert_eq!((&paid["status"], &paid["amount_captured"]), (&json!("succeeded"), &json!(1_234)), "{id}");
    let rows = stand.rows().await;
    assert_eq!(stand.send(honest).await.status, said.status, "{id}: a repeat is acknowledged alike");
    assert_eq!(stand.rows().await, rows, "{id}: and changes nothing");
    true
}

/// The same notification for another account.
fn readdressed(stand: &Stand, notice: &Request<Bytes>, account: &str) -> Request<Bytes> {
    let query = notice.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut request = notice.clone();
    *request.uri_mut() = format!("{}/notify/{account}{query}", stand.url).parse().unwrap();
    request
}

/// One bit of the body changed, or of the query where there is no body.
fn altered(notice: &Request<Bytes>) -> Request<Bytes> {
    let mut request = notice.clone();
    if notice.body().is_empty() {
        let address = notice.uri().to_string();
        let changed = address.replacen("12.34", "12.35", 1);
        assert_ne!(address, changed, "the amount stands in the address");
        *request.uri_mut() = changed.parse().unwrap();
    } else {
        let mut body = notice.body().to_vec();
        let middle = body.len() / 2;
        body[middle] ^= 1;
        *request.body_mut() = body.into();
    }
    request
}

/// Bodies that are deep, wide, or want more than they are.
fn hostile() -> Vec<(&'static str, String)> {
    let entities = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><xml><sign>&b;</sign></xml>";
    let outside = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/hostname\">]><xml><sign>&a;</sign></xml>";
    vec![
        ("a deep array", "[".repeat(200_000)),
        ("deep objects", "{\"a\":".repeat(40_000)),
        ("deep XML", "<a>".repeat(60_000)),
        ("many parameters", "a=b&".repeat(50_000)),
        ("entities that grow", entities.to_owned()),
        ("an entity from outside", outside.to_owned()),
        ("percent signs", "%".repeat(200_000)),
        ("no text at all", "\u{0}".repeat(200_000)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn authentic_notices_with_the_wrong_content_are_refused_by_every_channel() {
    let stand = Stand::start().await;
    let other = stand.another_merchant().await;
    let mut told = Vec::new();
    // A channel that notifies of nothing has nothing authentic to say; the conformance suite sends it strangers' words.
    // Mandates are told of and charged without a payer's page; what is wrong about them stands in `mandates.rs`.
    let notifying = |driver: &&&'static dyn Driver| {
        driver.profile().capabilities.iter().any(|row| row.scene != "mandate" && driver.notifies(row))
    };
    for driver in REGISTRY.iter().filter(notifying) {
        let id = driver.profile().id;
        let made = stand.call_as(&other, "channel_accounts.create", json!({"channel": id}), None).await;
        let list = stand.call_as(&other, "channel_accounts.list", json!({}), None).await;
        let theirs = list.body["data"].as_array().unwrap().iter().find(|row| row["channel"] == id);
        let stranger =
            theirs.unwrap_or_else(|| panic!("{id}: {}", made.body))["id"].as_str().unwrap().to_owned();
        // Before those that had their turn, so that it takes the orders of the wallets it shares with them.
        let priority = 90 - told.len();
        let own = stand.account(id).await;
        stand.ok("channel_accounts.update", json!({"id": own, "priority": priority})).await;
        assert!(tell(&stand, *driver, &stranger).await, "{id} was told nothing");
        told.push(id);
    }
    assert_eq!(told.len(), REGISTRY.len() - 2, "all but WeChat Pay v2 and mandates: {told:?}");
    stand.verify().await;
}
