//! A server to test against, and a client that knows the catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use paycore::audit::Audit;
use paycore::catalogue::find;
use paycore::engine::Engine;
use paycore::id::{ChannelAccountId, MerchantId};
use paycore::store::Page;
use paycore::transport::Transport as _;
use paycore::transport::guard::GuardPolicy;
use paycore::transport::reqwest::ReqwestTransport;
use paycore::transport::system::SystemRng;
use paycore::verify;
use paycore_server::assemble;
use paycore_server::client::{self, Target};
use paycore_server::config::Config;
use paycore_server::first_start;
use paycore_server::serve::{self, Running};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A running server with its keys.
pub struct Stand {
    pub running: Option<Running>,
    pub engine: Arc<Engine>,
    pub config: Config,
    pub url: String,
    pub test_key: String,
    pub live_key: String,
    pub operator_key: String,
    client: ReqwestTransport,
    _folder: TempDir,
}

/// An answer, read.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Bytes,
    /// Null where it is not JSON.
    pub body: Value,
}

static KEYS: AtomicU64 = AtomicU64::new(0);

/// An idempotency key that was not used before.
pub fn fresh() -> String {
    format!("test-{}", KEYS.fetch_add(1, Ordering::Relaxed))
}

impl Stand {
    /// With the sandbox on and no rate limit.
    pub async fn start() -> Stand {
        Stand::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Stand {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config {
            listen: "127.0.0.1:0".into(),
            data_dir: folder.path().join("data"),
            sandbox: true,
            rate_per_second: 0,
            ..Config::default()
        };
        change(&mut config);
        let listener = serve::bind(&config).await.expect("a free port");
        let url = config.public_url(listener.local_addr().expect("an address"));
        let store = assemble::store(&config).await.expect("a store");
        let engine = Arc::new(assemble::engine(&config, store, &url).expect("an engine"));
        let started = first_start::run(&engine, &config.data_dir, true).await.expect("a first start");
        let first = started.first.expect("the first start");
        let running = serve::start(&config, Arc::clone(&engine), listener, &SystemRng).expect("a server");
        let everywhere = ["127.0.0.0/8".parse().expect("a network")];
        let client =
            ReqwestTransport::new(GuardPolicy { allow: everywhere.to_vec(), http: true }).expect("a client");
        Stand {
            running: Some(running),
            engine,
            config,
            url,
            test_key: started.test_key.expect("a sandbox").expose().to_owned(),
            live_key: first.merchant.live_key.key.expect("shown once"),
            operator_key: first.operator_key.expose().to_owned(),
            client,
            _folder: folder,
        }
    }

    /// Calls an operation with the sandbox key and a fresh idempotency key.
    pub async fn call(&self, operation: &str, input: Value) -> Answer {
        self.call_as(&self.test_key, operation, input, Some(&fresh())).await
    }

    /// The same, and it has to succeed.
    pub async fn ok(&self, operation: &str, input: Value) -> Value {
        let answer = self.call(operation, input).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
        answer.body
    }

    pub async fn call_as(
        &self,
        key: &str,
        operation: &str,
        input: Value,
        idempotency_key: Option<&str>,
    ) -> Answer {
        let operation = find(operation).expect("an operation of the catalogue");
        let Value::Object(input) = input else { panic!("an input is an object") };
        let target = Target { url: &self.url, key };
        let key = idempotency_key.filter(|_| operation.mutates);
        self.send(client::request(target, operation, input, key).expect("a request")).await
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Bytes>) -> Answer {
        let reply = self.client.send(request, Duration::from_secs(30)).await.expect("an answer");
        let (parts, bytes) = reply.into_parts();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, bytes, body }
    }

    /// A request to a path of the server, to be changed and sent.
    pub fn request(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Request<Bytes> {
        let address = if path.starts_with('/') { format!("{}{path}", self.url) } else { path.to_owned() };
        Request::builder().method(method).uri(address).body(body.into()).expect("a request")
    }

    /// A POST of JSON text with the sandbox key and a fresh idempotency key.
    pub fn post(&self, path: &str, body: impl Into<Bytes>) -> Request<Bytes> {
        let mut request = self.request(Method::POST, path, body);
        set(&mut request, "authorization", &format!("Bearer {}", self.test_key));
        set(&mut request, "content-type", "application/json");
        set(&mut request, "idempotency-key", &fresh());
        request
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path, "")).await
    }

    /// The tenant of the sandbox key.
    pub async fn tenant(&self) -> MerchantId {
        let me = self.ok("merchants.me", json!({})).await;
        me["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
    }

    /// The sandbox account with a channel.
    pub async fn account(&self, channel: &str) -> ChannelAccountId {
        let accounts = self.ok("channel_accounts.list", json!({})).await;
        let rows = accounts["data"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["channel"] == channel).expect("an account");
        row["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
    }

    /// Reads an order until it is in a state.
    pub async fn order_becomes(&self, id: &Value, status: &str) -> Value {
        self.becomes("orders.retrieve", json!({ "id": id }), |order| order["status"] == status).await
    }

    /// Calls a read until its answer is as wanted; gives up after ten seconds.
    pub async fn becomes(&self, operation: &str, input: Value, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..400 {
            last = self.ok(operation, input.clone()).await;
            if wanted(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{operation} did not become as wanted; last was {last}");
    }

    /// The payer presses "pay" on the page that an order shows.
    pub async fn payer_pays(&self, order: &Value) {
        let action = &order["next_action"];
        let shown = action["content"].as_str().or_else(|| action["url"].as_str()).expect("something to open");
        let opened = self.get(shown).await;
        let page = match opened.headers.get("location") {
            Some(to) => to.to_str().expect("an address").to_owned(),
            None => shown.to_owned(),
        };
        let pressed = self.send(self.request(Method::POST, &format!("{page}/pay"), "")).await;
        assert!(pressed.status < 400, "{}: {:?}", pressed.status, pressed.bytes);
    }

    /// How many rows there are in every table that is verified.
    pub async fn rows(&self) -> BTreeMap<&'static str, u64> {
        verify::run(self.engine.store()).await.expect("a report").rows
    }

    /// Every invariant has to hold.
    pub async fn verify(&self) {
        let report = verify::run(self.engine.store()).await.expect("a report");
        assert!(report.ok, "{:?}", report.violations);
    }

    /// The newest rows of a tenant's audit trail.
    pub async fn audits(&self, tenant: MerchantId) -> Vec<Audit> {
        let page = Page { limit: 100, after: None, before: None };
        self.engine.store().audits(tenant, &page).await.expect("audit rows")
    }

    /// Another merchant with a sandbox and all its simulators: the sandbox key.
    pub async fn another_merchant(&self) -> String {
        let input = json!({"name": "Another shop 另一家店"});
        let made = self.call_as(&self.operator_key, "merchants.create", input, None).await;
        let key = made.body["test_key"]["key"].as_str().expect("shown once").to_owned();
        for channel in ["alipay", "testpay"] {
            let account =
                self.call_as(&key, "channel_accounts.create", json!({ "channel": channel }), None).await;
            assert_eq!(account.status, 200, "{}", account.body);
        }
        key
    }

    /// An order paid by test card.
    pub async fn paid(&self, amount: i64) -> Value {
        let order = self.ok("orders.create", order(amount, "testpay.card")).await;
        assert_eq!(order["status"], "succeeded", "{order}");
        order
    }
}

impl Answer {
    /// Asserts an error in its full form and returns it.
    #[track_caller]
    pub fn problem(&self, status: StatusCode, code: &str) -> &Map<String, Value> {
        let problem = self
            .body
            .as_object()
            .unwrap_or_else(|| panic!("not a problem: {} {:?}", self.status, self.bytes));
        assert_eq!((self.status, problem["code"].as_str()), (status.as_u16(), Some(code)), "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(problem["status"], status.as_u16());
        assert_eq!(problem["request_id"].as_str(), self.headers["request-id"].to_str().ok());
        let doc_url = problem["doc_url"].as_str().expect("doc_url");
        assert!(doc_url.ends_with(&format!("/docs/errors#{code}")), "{doc_url}");
        assert_eq!(problem["type"], problem["doc_url"]);
        assert!(problem["retryable"].is_boolean());
        for text in ["title", "detail"] {
            assert!(problem[text].as_str().is_some_and(|text| text.len() > 3), "{}", self.body);
        }
        problem
    }
}

/// The input of an order by one method.
pub fn order(amount: i64, method: &str) -> Value {
    json!({"amount": amount, "currency": "CNY", "subject": "Tea 茶叶", "method": method})
}

pub fn set(request: &mut Request<Bytes>, name: &'static str, value: &str) {
    request.headers_mut().insert(name, value.parse().expect("a header value"));
}
