//! Building an Alipay request and reading its reply, apart from RSA: the keys sign and verify nothing.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use paycore::channel::{
    CaptureMode, Channel, Context, Driver as _, Operation, Pay, Payer, Reply, Settings, Step,
};
use paycore::crypto::{Decrypter, Encrypter, KeyError, KeyPair, Keyring, Scheme, Signer, Verifier};
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::secret::Secret;
use paycore::time::{Clock as _, SeededRng, Timestamp};
use paycore::transport::system::SystemClock;
use paycore_channels::alipay::Alipay;

use crate::table::Row;

const TURNS: u32 = 200_000;
const REFERENCE: &str = "01kayb4h7pz8y3v5n2q6m9t4wx";

/// Microseconds for each direction.
pub fn measure() -> Vec<Row> {
    let settings = Settings::from_pairs([
        ("app_id", "2021004199260001"),
        ("private_key", "none"),
        ("alipay_public_key", "none"),
        ("seller_id", "2088741199260002"),
    ]);
    let channel = Alipay.open(&settings, &NoKeys).expect("settings of the bench");
    let now = SystemClock.now();
    let operation = pay();
    let reply = reply();
    let encode = time(|at| encode(&*channel, &operation, at), now);
    let decode = time(|at| decode(&*channel, &operation, &reply, at), now);
    let row = |what: &str, nanos: u128| Row {
        what: what.to_owned(),
        measured: format!("{}.{:02} µs", nanos / 1_000, nanos % 1_000 / 10),
        limit: "without RSA".to_owned(),
        result: if nanos < 20_000 { "met".to_owned() } else { "missed".to_owned() },
        target: "< 20 µs".to_owned(),
    };
    vec![row("Alipay request built", encode), row("Alipay reply read", decode)]
}

/// Nanoseconds of one turn.
fn time(turn: impl Fn(Timestamp), now: Timestamp) -> u128 {
    (0..TURNS / 10).for_each(|_| turn(now));
    let start = Instant::now();
    (0..TURNS).for_each(|_| turn(now));
    start.elapsed().as_nanos() / u128::from(TURNS)
}

fn encode(channel: &dyn Channel, operation: &Operation, now: Timestamp) {
    let rng = SeededRng::new(1);
    let cx =
        Context { now, rng: &rng, notify_url: "https://pay.example/notify/cha_01jd7xk3fz5v9b8m2q4r6t8w0y" };
    let step = channel.encode(black_box(operation), &cx);
    assert!(matches!(black_box(step), Ok(Step::Send(_))), "it is encoded");
}

fn decode(channel: &dyn Channel, operation: &Operation, reply: &Reply, now: Timestamp) {
    let rng = SeededRng::new(1);
    let cx =
        Context { now, rng: &rng, notify_url: "https://pay.example/notify/cha_01jd7xk3fz5v9b8m2q4r6t8w0y" };
    let step = channel.decode(operation, 0, black_box(reply), &cx);
    assert!(matches!(black_box(step), Ok(Step::Done(_))), "it is decoded");
}

fn pay() -> Operation {
    Operation::Pay(Pay {
        reference: REFERENCE.into(),
        started_at: Timestamp::ZERO,
        money: Money::new(1_234, Currency::CNY),
        method: "alipay.qr".parse().expect("a method"),
        subject: "Tea 茶叶".into(),
        description: None,
        return_url: None,
        expires_at: None,
        capture: CaptureMode::Automatic,
        payer: Payer::default(),
        shared: false,
        parts: Vec::new(),
        card: None,
        mandate: None,
    })
}

fn reply() -> Reply {
    let signature = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [7u8; 256]);
    let body = format!(
        "{{\"alipay_trade_precreate_response\":{{\"code\":\"10000\",\"msg\":\"Success\",\"out_trade_no\":\
         \"{REFERENCE}\",\"qr_code\":\"https:\\/\\/qr.alipay.com\\/bax03431ljhokirwl38f00a7\"}},\"sign\":\"{signature}\"}}"
    );
    let mut reply = Reply::new(Bytes::from(body));
    reply.headers_mut().insert("content-type", http::HeaderValue::from_static("text/html;charset=utf-8"));
    reply
}

/// Keys that cost nothing.
struct NoKeys;

impl Keyring for NoKeys {
    fn signer(&self, _: &Secret) -> Result<Box<dyn Signer>, KeyError> {
        Ok(Box::new(NoKeys))
    }
    fn verifier(&self, _: &str) -> Result<Box<dyn Verifier>, KeyError> {
        Ok(Box::new(NoKeys))
    }
    fn encrypter(&self, _: &str) -> Result<Box<dyn Encrypter>, KeyError> {
        Err(KeyError::Empty)
    }
    fn decrypter(&self, _: &Secret) -> Result<Box<dyn Decrypter>, KeyError> {
        Err(KeyError::Empty)
    }
    fn generate(&self) -> Result<KeyPair, KeyError> {
        Err(KeyError::Empty)
    }
    fn shared(&self) -> Arc<dyn Keyring> {
        Arc::new(NoKeys)
    }
}

impl Signer for NoKeys {
    fn sign(&self, _: Scheme, _: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(vec![7; 256])
    }
}

impl Verifier for NoKeys {
    fn verify(&self, _: Scheme, _: &[u8], _: &[u8]) -> bool {
        true
    }
}
