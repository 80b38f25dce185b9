//! `paycore simulate --channel`: the simulated provider of one channel alone, on a port of its own, for whatever
//! client speaks that provider's protocol. Under `/-/` stands what plays the payer and shows what happened.

mod control;
mod keys;
mod notify;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use paycore::channel::simulator::{Answer, Provision, Simulator};
use paycore::channel::{Driver, FieldKind, Settings};
use paycore::crypto::native::NativeKeyring;
use paycore::time::{Clock, Rng, Timestamp};
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

use notify::Notifier;

/// The largest request. Providers take uploads, but none that a simulator has a use for.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a provider that stays silent keeps the connection: longer than any client waits.
const SILENCE: Duration = Duration::from_secs(120);

/// A gateway that stands alone.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "A gateway that stands alone 独立网关")]
pub struct Options {
    /// Plays the provider of this channel (such as wechatpay) on a port of its own until it is stopped, instead of
    /// simulating days. A fresh merchant with fresh keys is made and printed. Under /-/ of its address: POST
    /// /-/pay and /-/cancel {"reference": "..."} play the payer, POST /-/clock {"seconds": 60} moves its clock
    /// forward, GET /-/ shows the merchant again, GET /-/notifications what was sent and answered, GET /-/book what
    /// moved, GET /-/statement the statement file. 启动该渠道的独立模拟网关（如 wechatpay）：生成一个全新商户及密钥并打印；
    /// 其地址的 /-/ 下可代替付款人付款、取消、拨快时钟、查看商户、已发通知、账目与对账单。
    #[arg(long, value_name = "NAME", conflicts_with_all = ["seed", "days", "shops", "orders", "trouble", "trace_hash"])]
    pub channel: Option<String>,
    /// The port to listen on; 0 takes a free one. 监听端口，0 表示任选空闲端口。
    #[arg(long, default_value_t = 8790, requires = "channel")]
    port: u16,
    /// The address to listen on. 监听地址。
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), requires = "channel")]
    host: IpAddr,
    /// How clients reach it, where that is another address than the one it listens on. 客户端访问网关所用的地址。
    #[arg(long, value_name = "URL", requires = "channel")]
    url: Option<String>,
    /// Sends every notification to this address, whatever address the request named. 所有通知都发往此地址。
    #[arg(long, value_name = "URL", requires = "channel")]
    notify_url: Option<http::Uri>,
    /// Prints address, settings and keys as one line of JSON. 以一行 JSON 打印地址、配置与密钥。
    #[arg(long, requires = "channel")]
    json: bool,
}

/// Plays the provider of `channel` until SIGTERM or SIGINT.
pub fn run(channel: &str, options: &Options, clock: Arc<dyn Clock>, rng: &dyn Rng) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return super::fail(&error.to_string()),
    };
    match runtime.block_on(play(channel, options, clock, rng)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::fail(&error.to_string()),
    }
}

async fn play(
    channel: &str,
    options: &Options,
    clock: Arc<dyn Clock>,
    rng: &dyn Rng,
) -> Result<(), Box<dyn std::error::Error>> {
    let driver = find(channel)?;
    let address = SocketAddr::new(options.host, options.port);
    let listener = TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))?;
    let own_url = format!("http://{}", listener.local_addr()?);
    let base_url =
        options.url.as_deref().map_or(own_url.as_str(), |url| url.trim_end_matches('/')).to_owned();
    let gateway = Arc::new(Gateway::open(driver, base_url, clock, rng)?);
    let notifier = Notifier::new(options.notify_url.clone())?;
    let mut stop = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    print(&if options.json { format!("{}\n", gateway.described()) } else { gateway.banner() });
    tokio::spawn(notifier.run(Arc::clone(&gateway)));
    loop {
        tokio::select! {
            _ = stop.0.recv() => return Ok(()),
            _ = stop.1.recv() => return Ok(()),
            accepted = listener.accept() => {
                // A connection that could not be accepted is the client's to try again.
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(serve(stream, Arc::clone(&gateway)));
                }
            }
        }
    }
}

fn find(channel: &str) -> Result<&'static dyn Driver, String> {
    let mut simulated = paycore_channels::REGISTRY.iter().filter(|driver| driver.simulator().is_some());
    simulated.clone().find(|driver| driver.profile().id == channel).copied().ok_or_else(|| {
        let names: Vec<_> = simulated.by_ref().map(|driver| driver.profile().id).collect();
        let names = names.join(", ");
        format!("there is no channel `{channel}`; there are: {names}. 没有这个渠道；可选：{names}。")
    })
}

/// A reader of standard output who has gone away is no error: the gateway plays on.
fn print(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The provider's side of one merchant, on its own clock.
struct Gateway {
    driver: &'static dyn Driver,
    base_url: String,
    ours: Settings,
    theirs: Settings,
    simulator: Mutex<Box<dyn Simulator>>,
    clock: Arc<dyn Clock>,
    /// How far its clock was moved forward, in microseconds.
    ahead: AtomicI64,
    sent: Mutex<Vec<Value>>,
}

impl Gateway {
    fn open(
        driver: &'static dyn Driver,
        base_url: String,
        clock: Arc<dyn Clock>,
        rng: &dyn Rng,
    ) -> Result<Gateway, Box<dyn std::error::Error>> {
        let maker = driver.simulator().ok_or("the channel has no simulator")?;
        let provision = maker.provision(&base_url, &NativeKeyring, rng)?;
        // The settings are for clients that nobody has met yet: at least our own must be content with them.
        driver.open(&provision.ours, &NativeKeyring)?;
        let simulator = Mutex::new(maker.open(&provision.theirs, &NativeKeyring)?);
        let Provision { ours, theirs } = provision;
        let (ahead, sent) = (AtomicI64::new(0), Mutex::default());
        Ok(Gateway { driver, base_url, ours, theirs, simulator, clock, ahead, sent })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.now().micros() + self.ahead.load(Ordering::SeqCst))
    }

    fn simulator(&self) -> MutexGuard<'_, Box<dyn Simulator>> {
        self.simulator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sent(&self) -> MutexGuard<'_, Vec<Value>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything a client has to know, with every key in the forms that clients ask for; and the provider's own
    /// settings, because some have more to say than one account of ours uses.
    fn described(&self) -> Value {
        let all = |settings: &Settings| -> Map<String, Value> {
            settings.names().map(|name| (name.to_owned(), settings.text(name, "").into())).collect()
        };
        let is_key = |kind| matches!(kind, FieldKind::PrivateKey | FieldKind::PublicKey);
        let fields = self.driver.profile().fields.iter().filter(|field| is_key(field.kind));
        let keys: Map<String, Value> = fields
            .filter_map(|field| {
                Some((field.key.to_owned(), keys::forms(field.kind, self.ours.value(field.key)?)))
            })
            .collect();
        json!({
            "channel": self.driver.profile().id,
            "base_url": self.base_url,
            "control": format!("{}/-/", self.base_url),
            "ours": all(&self.ours),
            "theirs": all(&self.theirs),
            "keys": keys,
        })
    }

    fn banner(&self) -> String {
        let profile = self.driver.profile();
        let mut text = format!("\n  {} {}\n\n", profile.name, profile.name_zh);
        let mut line = |what: &str, value: &str| {
            let _ = writeln!(text, "  {what}  {value}");
        };
        line("Gateway   网关", &self.base_url);
        line("Control   控制", &format!("{}/-/", self.base_url));
        for field in profile.fields {
            let Some(value) = self.ours.value(field.key) else { continue };
            let shown = match field.kind {
                FieldKind::PrivateKey | FieldKind::PublicKey => keys::shown(field.kind, value),
                _ => value.expose().to_owned(),
            };
            line(&format!("{} {} ({})", field.label, field.label_zh, field.key), &shown);
        }
        let sample = format!("curl {}/-/pay -d '{{\"reference\": \"...\"}}'", self.base_url);
        line("To pay as the payer 代付款人付款", &sample);
        text.push('\n');
        text
    }

    /// The answer of the provider, or of the control; `None` where the provider stays silent.
    fn answer(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        if let Some(what) = request.uri().path().strip_prefix("/-/") {
            return Some(control::answer(self, what, request));
        }
        match self.simulator().handle(request, self.now()) {
            Answer::Reply(response) => Some(response),
            Answer::Silence => None,
        }
    }
}

/// The connection is to be cut instead of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the provider stays silent")]
struct Silent;

async fn serve(stream: TcpStream, gateway: Arc<Gateway>) {
    let service = service_fn(move |request| exchange(Arc::clone(&gateway), request));
    // A connection that breaks is the client's business.
    let _ =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn exchange(gateway: Arc<Gateway>, request: Request<Incoming>) -> Result<Response<Body>, Silent> {
    let (mut parts, body) = request.into_parts();
    // A client that takes the gateway for a proxy writes the whole address.
    parts.uri = parts.uri.path_and_query().cloned().map_or_else(http::Uri::default, http::Uri::from);
    let Ok(body) = Limited::new(body, REQUEST_BYTES_MAX).collect().await else {
        let mut refused = Response::new(Body::from("the request is too large or broke off\n"));
        *refused.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(refused);
    };
    match gateway.answer(&Request::from_parts(parts, body.to_bytes())) {
        Some(response) => Ok(response.map(|body| Body::new(Full::new(body)))),
        None => {
            tokio::time::sleep(SILENCE).await;
            Err(Silent)
        }
    }
}
