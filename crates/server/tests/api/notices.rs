//! Notifications of channels: what is forged, stale, altered or about something else is refused in the channel's
//! own words, audited, and changes nothing. Everything here is signed by this file, not by the simulators.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, Request};
use paycore::channel::Settings;
use paycore::crypto::native::NativeKeyring;
use paycore::crypto::{Keyring as _, Scheme, Signer};
use paycore::id::ChannelAccountId;
use paycore::secret::Secret;
use paycore_server::assemble;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::stand::{Stand, order, set};

/// Both ends' settings of the sandbox account with a channel.
pub async fn settings(stand: &Stand, channel: &str) -> (ChannelAccountId, Settings, Settings) {
    let (tenant, id) = (stand.tenant().await, stand.account(channel).await);
    let account = stand.engine.store().channel_account(tenant, id).await.unwrap().unwrap();
    let vault = assemble::vault(&stand.config).unwrap();
    let open = |sealed: &str| {
        let clear = vault.open(&format!("{tenant}/{id}"), sealed).unwrap();
        serde_json::from_str(clear.expose()).unwrap()
    };
    (id, open(&account.sealed_settings), open(account.sealed_simulator.as_deref().unwrap()))
}

/// The reference of an order's attempt on the wire.
pub async fn reference(stand: &Stand, order: &Value) -> String {
    let attempts = stand.ok("orders.attempts", json!({"id": order["id"]})).await;
    attempts["data"][0]["reference"].as_str().unwrap().to_owned()
}

/// Beijing time, as Alipay writes it, so many seconds from now.
fn beijing(stand: &Stand, ahead: i64) -> String {
    paycore::time::Timestamp::from_micros(stand.engine.wall().micros() + ahead * 1_000_000).beijing()
}

struct Alipay {
    account: ChannelAccountId,
    app_id: String,
    seller_id: String,
    key: Box<dyn Signer>,
}

impl Alipay {
    async fn of(stand: &Stand) -> Alipay {
        let (account, ours, theirs) = settings(stand, "alipay").await;
        let key: &Secret = theirs.value("alipay_private_key").unwrap();
        Alipay {
            account,
            app_id: ours.text("app_id", "").to_owned(),
            seller_id: ours.text("seller_id", "").to_owned(),
            key: NativeKeyring.signer(key).unwrap(),
        }
    }

    fn fields(&self, stand: &Stand, reference: &str, amount: &str) -> Vec<(&'static str, String)> {
        vec![
            ("app_id", self.app_id.clone()),
            ("gmt_payment", beijing(stand, 0)),
            ("notify_id", "n1".into()),
            ("notify_time", beijing(stand, 0)),
            ("notify_type", "trade_status_sync".into()),
            ("out_trade_no", reference.to_owned()),
            ("seller_id", self.seller_id.clone()),
            ("total_amount", amount.to_owned()),
            ("trade_no", "2026112322001400000000000001".into()),
            ("trade_status", "TRADE_SUCCESS".into()),
        ]
    }

    /// The signature: RSA-SHA256 over the sorted `name=value` pairs.
    fn sign(&self, fields: &[(&'static str, String)]) -> String {
        let mut pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.sort();
        STANDARD.encode(self.key.sign(Scheme::RsaSha256, pairs.join("&").as_bytes()).unwrap())
    }

    fn request(&self, stand: &Stand, fields: &[(&'static str, String)], sign: &str) -> Request<Bytes> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields).append_pair("sign_type", "RSA2").append_pair("sign", sign);
        let mut request = stand.request(Method::POST, &format!("/notify/{}", self.account), form.finish());
        set(&mut request, "content-type", "application/x-www-form-urlencoded");
        request
    }
}

/// Every request is refused with this body, leaves one row of audit each, and the order as it was.
async fn all_refused(stand: &Stand, order: &Value, body: &str, bad: Vec<(&str, Request<Bytes>)>) {
    let tenant = stand.tenant().await;
    for (what, request) in bad {
        let before = stand.audits(tenant).await.len();
        let answer = stand.send(request).await;
        assert!((400..500).contains(&answer.status), "{what}: {}", answer.status);
        assert!(String::from_utf8_lossy(&answer.bytes).contains(body), "{what}: {:?}", answer.bytes);
        let audits = stand.audits(tenant).await;
        assert_eq!((audits.len(), audits[0].action.as_str()), (before + 1, "notice.refused"), "{what}");
        let now = stand.ok("orders.retrieve", json!({"id": order["id"]})).await;
        assert_eq!((&now["status"], &now["amount_captured"]), (&order["status"], &json!(0)), "{what}");
    }
}

/// The fields of a form, in order.
type Fields = Vec<(&'static str, String)>;

#[tokio::test(flavor = "multi_thread")]
async fn alipay_notices_that_are_not_right_are_refused() {
    let stand = Stand::start().await;
    let open = stand.ok("orders.create", order(1_234, "alipay.qr")).await;
    let dearer = stand.ok("orders.create", order(9_999, "alipay.qr")).await;
    let alipay = Alipay::of(&stand).await;
    let (own, other) = (reference(&stand, &open).await, reference(&stand, &dearer).await);
    let good = alipay.fields(&stand, &own, "12.34");
    let sign = alipay.sign(&good);
    let signed = |change: &dyn Fn(&mut Fields)| {
        let mut fields = good.clone();
        change(&mut fields);
        let sign = alipay.sign(&fields);
        alipay.request(&stand, &fields, &sign)
    };
    let put = |fields: &mut Fields, name: &str, value: &str| {
        fields
            .iter_mut()
            .filter(|(known, _)| *known == name)
            .for_each(|(_, field)| *field = value.to_owned());
    };
    let altered = |name: &str, value: &str| {
        let mut fields = good.clone();
        put(&mut fields, name, value);
        alipay.request(&stand, &fields, &sign)
    };
    let stranger = NativeKeyring.signer(&NativeKeyring.generate().unwrap().private).unwrap();
    let strangers =
        Alipay { key: stranger, app_id: String::new(), seller_id: String::new(), account: alipay.account };
    let mut by_get = alipay.request(&stand, &good, &sign);
    *by_get.method_mut() = Method::GET;
    let bad = vec![
        ("no signature", alipay.request(&stand, &good, "")),
        ("a signature that is none", alipay.request(&stand, &good, "AAAA")),
        ("another key", alipay.request(&stand, &good, &strangers.sign(&good))),
        ("a changed amount", altered("total_amount", "0.01")),
        ("a changed status", altered("trade_status", "TRADE_FINISHED")),
        ("a changed reference", altered("out_trade_no", &other)),
        ("an empty body", stand.request(Method::POST, &format!("/notify/{}", alipay.account), "")),
        ("a body of JSON", stand.request(Method::POST, &format!("/notify/{}", alipay.account), "{}")),
        ("the wrong method", by_get),
        ("authentic, of another app", signed(&|fields| put(fields, "app_id", "2021000000000000"))),
        ("authentic, of another seller", signed(&|fields| put(fields, "seller_id", "2088000000000000"))),
        (
            "authentic, of nobody's order",
            signed(&|fields| put(fields, "out_trade_no", "01m82zwja2dtd95rqsv3pnk8mk")),
        ),
        ("authentic, of another order's amount", signed(&|fields| put(fields, "out_trade_no", &other))),
        ("authentic, a cent less", signed(&|fields| put(fields, "total_amount", "12.33"))),
        ("authentic, a hundred times more", signed(&|fields| put(fields, "total_amount", "1234.00"))),
        (
            "authentic, from last week",
            signed(&|fields| put(fields, "notify_time", &beijing(&stand, -7 * 86_400))),
        ),
        ("authentic, from tomorrow", signed(&|fields| put(fields, "notify_time", &beijing(&stand, 86_400)))),
    ];
    all_refused(&stand, &open, "fail", bad).await;
    let untouched = stand.ok("orders.retrieve", json!({"id": dearer["id"]})).await;
    assert_eq!(untouched["amount_captured"], 0);

    let accepted = stand.send(alipay.request(&stand, &good, &sign)).await;
    assert_eq!((accepted.status, &accepted.bytes[..]), (200, &b"success"[..]));
    let paid = stand.ok("orders.retrieve", json!({"id": open["id"]})).await;
    assert_eq!((&paid["status"], &paid["amount_captured"]), (&json!("succeeded"), &json!(1_234)));
    let rows = stand.rows().await;
    let again = stand.send(alipay.request(&stand, &good, &sign)).await;
    assert_eq!((again.status, &again.bytes[..]), (200, &b"success"[..]), "a repeat is acknowledged");
    assert_eq!(stand.rows().await, rows, "and changes nothing");
    stand.verify().await;
}

struct Testpay {
    account: ChannelAccountId,
    name: String,
    key: Secret,
}

impl Testpay {
    async fn of(stand: &Stand) -> Testpay {
        let (account, ours, _) = settings(stand, "testpay").await;
        Testpay {
            account,
            name: ours.text("account", "").to_owned(),
            key: ours.value("secret").unwrap().clone(),
        }
    }

    fn body(&self, reference: &str, amount: i64, at: i64) -> String {
        json!({"account": self.name, "kind": "payment", "state": {
            "reference": reference, "id": "tp000000000001", "status": "succeeded", "amount": amount, "currency": "CNY", "at": at,
        }})
        .to_string()
    }

    fn request(&self, stand: &Stand, body: &str, millis: i64, key: &Secret) -> Request<Bytes> {
        let path = format!("/notify/{}", self.account);
        let (millis, nonce) = (millis.to_string(), "0123456789abcdef0123456789abcdef");
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).unwrap();
        mac.update(format!("POST\n{path}\n{millis}\n{nonce}\n{body}").as_bytes());
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut request = stand.request(Method::POST, &path, body.to_owned());
        set(&mut request, "content-type", "application/json");
        set(&mut request, "testpay-account", &self.name);
        set(&mut request, "testpay-timestamp", &millis);
        set(&mut request, "testpay-nonce", nonce);
        set(&mut request, "testpay-signature", &format!("v1={hex}"));
        request
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn testpay_notices_that_are_not_right_are_refused() {
    let stand = Stand::start().await;
    let open = stand.ok("orders.create", order(1_234, "testpay.qr")).await;
    let testpay = Testpay::of(&stand).await;
    let own = reference(&stand, &open).await;
    let now = stand.engine.wall().millis();
    let good = testpay.body(&own, 1_234, now);
    let request = |body: &str, millis: i64| testpay.request(&stand, body, millis, &testpay.key);
    let without = |name: &str| {
        let mut request = request(&good, now);
        request.headers_mut().remove(name);
        request
    };
    let changed = |name: &'static str, value: &str| {
        let mut request = request(&good, now);
        set(&mut request, name, value);
        request
    };
    let mut altered = request(&good, now);
    *altered.body_mut() = good.replace("1234", "1235").into();
    let bad = vec![
        ("no signature", without("testpay-signature")),
        ("no timestamp", without("testpay-timestamp")),
        ("an empty key", testpay.request(&stand, &good, now, &Secret::new(""))),
        (
            "another key",
            testpay.request(&stand, &good, now, &Secret::new("0123456789abcdef0123456789abcdef")),
        ),
        ("an altered body", altered),
        ("another timestamp", changed("testpay-timestamp", &(now + 1).to_string())),
        ("another nonce", changed("testpay-nonce", "ffffffffffffffffffffffffffffffff")),
        ("another account", changed("testpay-account", "somebody")),
        ("stale", request(&good, now - 301_000)),
        ("from the future", request(&good, now + 360_000)),
        (
            "authentic, of nobody's order",
            request(&testpay.body("01m82zwja2dtd95rqsv3pnk8mk", 1_234, now), now),
        ),
        ("authentic, another amount", request(&testpay.body(&own, 1_235, now), now)),
        ("authentic, another currency", request(&good.replace("CNY", "JPY"), now)),
        ("authentic, not JSON", request("nonsense", now)),
    ];
    all_refused(&stand, &open, "refused", bad).await;
    let accepted = stand.send(request(&good, now)).await;
    assert_eq!((accepted.status, &accepted.bytes[..]), (200, &b"ok"[..]));
    let paid = stand.ok("orders.retrieve", json!({"id": open["id"]})).await;
    assert_eq!(paid["status"], "succeeded");
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_for_an_account_that_does_not_exist_is_not_found() {
    let stand = Stand::start().await;
    let rows = stand.rows().await;
    for account in ["cha_01jd7xk3fz5v9b8m2q4r6t8w0y", "nonsense", "%00", "ord_01jd7xk3fz5v9b8m2q4r6t8w0y"] {
        let answer = stand.send(stand.request(Method::POST, &format!("/notify/{account}"), "a=b")).await;
        answer.problem(http::StatusCode::NOT_FOUND, "not_found");
    }
    let account = stand.account("alipay").await;
    let large = "x".repeat(300_000);
    let answer = stand.send(stand.request(Method::POST, &format!("/notify/{account}"), large)).await;
    answer.problem(http::StatusCode::PAYLOAD_TOO_LARGE, "body_too_large");
    let method = stand.send(stand.request(Method::DELETE, &format!("/notify/{account}"), "")).await;
    method.problem(http::StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    assert_eq!(stand.rows().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_merchants_notice_says_nothing_about_anothers_order() {
    let stand = Stand::start().await;
    let open = stand.ok("orders.create", order(1_234, "alipay.qr")).await;
    let alipay = Alipay::of(&stand).await;
    let own = reference(&stand, &open).await;
    let other = stand.another_merchant().await;
    let accounts = stand.call_as(&other, "channel_accounts.list", json!({}), None).await;
    let rows = accounts.body["data"].as_array().unwrap();
    let theirs = rows.iter().find(|row| row["channel"] == "alipay").unwrap()["id"].as_str().unwrap();
    let fields = alipay.fields(&stand, &own, "12.34");
    let mut request = alipay.request(&stand, &fields, &alipay.sign(&fields));
    *request.uri_mut() = format!("{}/notify/{theirs}", stand.url).parse().unwrap();
    let answer = stand.send(request).await;
    assert_eq!((answer.status, &answer.bytes[..]), (400, &b"fail"[..]));
    let now = stand.ok("orders.retrieve", json!({"id": open["id"]})).await;
    assert_eq!(now["status"], "pending");
}
