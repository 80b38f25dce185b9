//! `paycore simulate --channel`: every registered channel stands alone as a gateway, and its own adapter, a client that
//! reaches it over loopback like any other, starts a payment, has it paid and finds it paid.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use paycore::channel::{
    Action, Capability, CaptureMode, Channel, Context, Driver, Operation, Outcome, Pay, Payer, Payment,
    Query, Settings, Step, Verdict,
};
use paycore::crypto::native::NativeKeyring;
use paycore::money::Money;
use paycore::time::{Clock as _, SeededRng, Timestamp};
use paycore::transport::Transport as _;
use paycore::transport::guard::GuardPolicy;
use paycore::transport::reqwest::ReqwestTransport;
use paycore::transport::system::SystemClock;
use paycore_channels::REGISTRY;
use serde_json::{Value, json};

const REFERENCE: &str = "01kayb4h7pz8y3v5n2q6m9t4wx";
/// Nobody listens there: what is told does not matter here.
const NOTIFY_URL: &str = "http://127.0.0.1:1/notify";

/// The program with its gateway, stopped when this is dropped.
struct Gateway {
    child: Child,
    said: Value,
}

impl Gateway {
    fn start(channel: &str) -> Gateway {
        let mut child = Command::new(env!("CARGO_BIN_EXE_paycore"))
            .args(["simulate", "--channel", channel, "--port", "0", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("it is piped");
        BufReader::new(out).read_line(&mut line).expect("it says where it is");
        let said = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{channel}: {error}: {line:?}"));
        Gateway { child, said }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().expect("it runs until it is stopped");
        self.child.wait().expect("it ends");
    }
}

/// A merchant whose only knowledge of the gateway is what it printed.
struct Merchant {
    channel: std::sync::Arc<dyn Channel>,
    base_url: String,
    wire: ReqwestTransport,
    now: Timestamp,
}

impl Merchant {
    fn of(gateway: &Gateway, driver: &dyn Driver) -> Merchant {
        let ours: Settings = serde_json::from_value(gateway.said["ours"].clone()).expect("settings");
        let allow = vec!["127.0.0.0/8".parse().expect("a network")];
        Merchant {
            channel: driver.open(&ours, &NativeKeyring).expect("the settings it printed open"),
            base_url: gateway.said["base_url"].as_str().expect("an address").to_owned(),
            wire: ReqwestTransport::new(GuardPolicy { allow, http: true }).expect("a client"),
            now: SystemClock.now(),
        }
    }

    async fn send(&self, request: Request<Bytes>) -> http::Response<Bytes> {
        self.wire.send(request, Duration::from_secs(20)).await.expect("an answer")
    }

    async fn perform(&self, operation: &Operation) -> Outcome {
        let rng = SeededRng::new(3);
        let cx = Context { now: self.now, rng: &rng, notify_url: NOTIFY_URL };
        let mut step = self.channel.encode(operation, &cx).expect("it can be said");
        loop {
            step = match step {
                Step::Send(call) => {
                    let reply = self.send(call.request).await;
                    self.channel.decode(operation, call.stage, &reply, &cx).expect("it is understood")
                }
                Step::Done(outcome) => return outcome,
                Step::File(_) => panic!("a payment is no file"),
            };
        }
    }

    /// The payer's browser goes where the channel says.
    async fn browse(&self, action: Action) {
        let request = match action {
            Action::Redirect { url } | Action::Qr { content: url } => Request::get(url).body(Bytes::new()),
            Action::Form { url, fields } => {
                let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                Request::post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.into())
            }
            other => panic!("a browser can do nothing with {other:?}"),
        };
        let response = self.send(request.expect("a request")).await;
        assert!(response.status().as_u16() < 400, "{response:?}");
    }

    /// Plays the payer through the gateway's control.
    async fn pay(&self) {
        let body = json!({"reference": REFERENCE}).to_string();
        let request = Request::post(format!("{}/-/pay", self.base_url)).body(body.into()).expect("a request");
        let response = self.send(request).await;
        assert!(response.status().is_success(), "{response:?}");
    }
}

/// A payment that waits for a payer with a browser.
fn payment(row: &Capability, now: Timestamp) -> Pay {
    Pay {
        reference: REFERENCE.to_owned(),
        started_at: now,
        money: Money::new(1_234, row.currencies.usual()),
        method: format!("{}.{}", row.brand, row.scene).parse().expect("a method"),
        subject: "Tea 茶叶".into(),
        description: None,
        return_url: Some("https://shop.example/thanks".into()),
        expires_at: None,
        capture: CaptureMode::Automatic,
        payer: Payer { id: Some("payer-1".into()), ip: Some("203.0.113.7".into()), auth_code: None },
        shared: false,
        parts: Vec::new(),
        card: None,
        mandate: None,
    }
}

/// The first kind of payment that leads a browser to the gateway; none where the channel has only scenes of the counter.
fn browsed(driver: &dyn Driver) -> Option<&'static Capability> {
    let scenes = ["qr", "page", "wap", "h5", "wallet"];
    let rows = driver.profile().capabilities;
    scenes.iter().find_map(|scene| rows.iter().find(|row| row.scene == *scene))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_channel_stands_alone_as_a_gateway_and_takes_a_payment() {
    let simulated = REGISTRY.iter().filter(|driver| driver.simulator().is_some());
    for driver in simulated {
        let id = driver.profile().id;
        let gateway = Gateway::start(id);
        assert_eq!(gateway.said["channel"], id);
        let merchant = Merchant::of(&gateway, *driver);
        let Some(row) = browsed(*driver) else { continue };
        let pay = payment(row, merchant.now);
        let begun = merchant.perform(&Operation::Pay(pay.clone())).await;
        match begun.verdict {
            Verdict::Awaiting(action) => merchant.browse(action).await,
            other => panic!("{id}: {other:?}"),
        }
        merchant.pay().await;
        let payment = Payment {
            reference: pay.reference.clone(),
            channel_id: begun.channel_id,
            method: pay.method.clone(),
            money: pay.money,
            started_at: pay.started_at,
            ending_at: None,
        };
        let found = merchant.perform(&Operation::Query(Query { payment })).await;
        assert_eq!(found.verdict, Verdict::Succeeded, "{id}");
    }
}
