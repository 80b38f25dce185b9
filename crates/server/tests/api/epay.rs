//! The epay door as shop software meets it: raw requests, signed here without paycore's own code.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Uri};
use md5::{Digest as _, Md5};
use paycore::crypto::native::NativeKeyring;
use paycore::crypto::{Keyring as _, Scheme, Signer, Verifier};
use paycore::secret::Secret;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::stand::{Answer, Stand, set};

type Fields = BTreeMap<String, String>;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn joined(fields: &Fields) -> String {
    let signed =
        fields.iter().filter(|(name, value)| !value.is_empty() && *name != "sign" && *name != "sign_type");
    signed.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn form(fields: &Fields) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn md5(fields: &Fields, key: &str) -> String {
    let digest = Md5::digest(format!("{}{key}", joined(fields)));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A shop with a key of version 1.
struct Shop {
    pid: String,
    key: String,
}

impl Shop {
    async fn new(stand: &Stand, api_key: &str) -> Shop {
        let input = json!({"name": "old shop 老商城", "protocol": "v1"});
        let made = stand.call_as(api_key, "epay_keys.create", input, Some(&crate::stand::fresh())).await;
        assert_eq!(made.status, 200, "{}", made.body);
        let text = |name: &str| made.body[name].as_str().unwrap().to_owned();
        Shop { pid: text("pid"), key: text("key") }
    }

    fn signed(&self, mut all: Fields) -> Fields {
        all.insert("pid".into(), self.pid.clone());
        all.insert("sign".into(), md5(&all, &self.key));
        all.insert("sign_type".into(), "MD5".into());
        all
    }

    fn order(&self, number: &str, money: &str, notify_url: &str) -> Fields {
        fields(&[
            ("type", "alipay"),
            ("out_trade_no", number),
            ("notify_url", notify_url),
            ("return_url", "https://shop.example/done?a=b"),
            ("name", "红茶 2 盒"),
            ("money", money),
            ("clientip", "203.0.113.7"),
            ("param", "x y"),
        ])
    }
}

async fn post(stand: &Stand, path: &str, fields: &Fields) -> Answer {
    let mut request = stand.request(Method::POST, path, form(fields));
    set(&mut request, "content-type", "application/x-www-form-urlencoded");
    let answer = stand.send(request).await;
    assert!(answer.status == 200 || answer.status == 302, "{}", answer.status);
    answer
}

async fn stand() -> Stand {
    Stand::start_with(|config| config.outbound_allow = vec!["127.0.0.0/8".into()]).await
}

/// What a shop's notify URL was asked for.
type Got = Arc<Mutex<Vec<Fields>>>;

/// A shop's server that says `fail` to so many notifications before it says `success`.
async fn shop_server(failures: usize) -> (String, Got) {
    let got = Got::default();
    let take = move |State(got): State<Got>, method: Method, uri: Uri| async move {
        assert_eq!(method, Method::GET);
        let query = uri.query().unwrap_or_default().as_bytes();
        let mut got = got.lock().unwrap();
        got.push(url::form_urlencoded::parse(query).into_owned().collect());
        if got.len() > failures { "success" } else { "fail" }
    };
    let router = Router::new().fallback(take).with_state(Arc::clone(&got));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, got)
}

async fn wait_for(got: &Got, count: usize) -> Fields {
    for _ in 0..400 {
        let all = got.lock().unwrap().clone();
        if all.len() >= count {
            return all[count - 1].clone();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{} of {count} notifications came", got.lock().unwrap().len());
}

/// The payer opens an address and presses "pay" where it leads.
async fn pay(stand: &Stand, address: &str) {
    let opened = stand.get(address).await;
    let page = opened.headers.get("location").map_or(address, |to| to.to_str().unwrap()).to_owned();
    let opened = if page.contains("/payer/") { None } else { Some(stand.get(&page).await) };
    let page = match opened.as_ref().and_then(|opened| opened.headers.get("location")) {
        Some(to) => to.to_str().unwrap().to_owned(),
        None => page,
    };
    let pressed = stand.send(stand.request(Method::POST, &format!("{page}/pay"), "")).await;
    assert!(pressed.status < 400, "{page}: {} {:?}", pressed.status, pressed.bytes);
}

async fn paid(stand: &Stand, shop: &Shop, number: &str) -> Value {
    let question =
        fields(&[("act", "order"), ("pid", &shop.pid), ("key", &shop.key), ("out_trade_no", number)]);
    for _ in 0..400 {
        let answer = stand.get(&format!("/api.php?{}", form(&question))).await.body;
        if answer["status"] == 1 {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{number} was not paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_of_version_1_takes_a_payment_by_page_and_is_told_until_it_says_success() {
    let stand = stand().await;
    let shop = Shop::new(&stand, &stand.test_key).await;
    let (notify_url, got) = shop_server(1).await;
    let order = shop.signed(shop.order("A-1", "88.8", &notify_url));
    let sent = stand.get(&format!("/submit.php?{}", form(&order))).await;
    assert_eq!(sent.status, 302, "{:?}", sent.bytes);
    let page = sent.headers["location"].to_str().unwrap().to_owned();
    let provider = stand.get(&page).await;
    assert_eq!(provider.status, 302, "one way to pay: straight to the provider");
    pay(&stand, provider.headers["location"].to_str().unwrap()).await;
    let shown = paid(&stand, &shop, "A-1").await;
    assert_eq!(
        (&shown["code"], &shown["money"], &shown["type"]),
        (&json!(1), &json!("88.80"), &json!("alipay"))
    );
    let first = wait_for(&got, 1).await;
    stand.ok("sandbox.advance_clock", json!({"seconds": 3_600})).await;
    let told = wait_for(&got, 2).await;
    for told in [&first, &told] {
        assert_eq!(told["sign"], md5(told, &shop.key));
        for (name, value) in [
            ("pid", shop.pid.as_str()),
            ("out_trade_no", "A-1"),
            ("money", "88.80"),
            ("name", "红茶 2 盒"),
            ("type", "alipay"),
            ("param", "x y"),
            ("trade_status", "TRADE_SUCCESS"),
            ("sign_type", "MD5"),
        ] {
            assert_eq!(told[name], value, "{name}");
        }
        assert_eq!(Some(told["trade_no"].as_str()), shown["trade_no"].as_str());
    }
    let done = |list: &Value| list["data"][0]["status"] == "succeeded";
    let log = stand.becomes("deliveries.list", json!({}), done).await;
    let tries = log["data"][0]["tries"].as_array().unwrap();
    assert_eq!((tries.len(), &tries[0]["status"], &tries[1]["status"]), (2, &Value::Null, &json!(200)));
    let back = stand.get(&format!("{page}?back=1")).await;
    let to = back.headers["location"].to_str().unwrap();
    assert!(to.starts_with("https://shop.example/done?a=b&"), "{to}");
    let query: Uri = to.parse().unwrap();
    let mut brought: Fields =
        url::form_urlencoded::parse(query.query().unwrap().as_bytes()).into_owned().collect();
    brought.remove("a");
    assert_eq!(brought["sign"], md5(&brought, &shop.key));
    assert_eq!(got.lock().unwrap().len(), 2, "acknowledged once, told no more");
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_number_is_the_same_order_and_another_content_is_refused() {
    let stand = stand().await;
    let shop = Shop::new(&stand, &stand.test_key).await;
    let create = |number, money| shop.signed(shop.order(number, money, "https://shop.example/n"));
    let first = post(&stand, "/mapi.php", &create("A-1", "1")).await.body;
    assert_eq!(first["code"], 1, "{first}");
    assert!(first["qrcode"].as_str().unwrap().contains("/payer/"), "{first}");
    for (money, code) in [("1.0", 1), ("1.00", 1), ("1.01", -1)] {
        let again = post(&stand, "/mapi.php", &create("A-1", money)).await.body;
        assert_eq!(again["code"], code, "{money}: {again}");
        if code == 1 {
            assert_eq!((&again["trade_no"], &again["qrcode"]), (&first["trade_no"], &first["qrcode"]));
        }
    }
    let other = shop.signed(shop.order("A-1", "1", "https://other.example/n"));
    assert_eq!(post(&stand, "/mapi.php", &other).await.body["code"], -1, "another notify_url");
    let orders = stand.ok("orders.list", json!({"limit": 10})).await;
    assert_eq!(orders["data"].as_array().unwrap().len(), 1);
    assert_eq!(orders["data"][0]["notify_url"], Value::Null, "shops are told by their own protocol only");
    let twin = create("A-2", "2");
    let (one, two) = tokio::join!(post(&stand, "/mapi.php", &twin), post(&stand, "/mapi.php", &twin));
    assert_eq!(
        (&one.body["code"], &one.body["trade_no"]),
        (&json!(1), &two.body["trade_no"]),
        "{}",
        two.body
    );
    for money in ["0", "-1", "1.001", "1e2", "1,000", "", "abc", "１"] {
        assert_eq!(post(&stand, "/mapi.php", &create("A-3", money)).await.body["code"], -1, "{money}");
    }
    // An order of the merchant's own is no shop's.
    let own = json!({"amount": 100, "currency": "CNY", "subject": "红茶 2 盒", "method": "alipay.qr", "out_trade_no": "B-1"});
    stand.ok("orders.create", own).await;
    assert_eq!(post(&stand, "/mapi.php", &create("B-1", "1")).await.body["code"], -1);
    let asked = shop.signed(fields(&[("act", "order"), ("out_trade_no", "B-1")]));
    assert_eq!(post(&stand, "/api.php", &asked).await.body["code"], -1);
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_by_the_shop_does_nothing() {
    let stand = stand().await;
    let shop = Shop::new(&stand, &stand.test_key).await;
    let rows = stand.rows().await;
    let good = shop.signed(shop.order("A-1", "1", "https://shop.example/n"));
    let changed = |name: &str, value: &str| {
        let mut all = good.clone();
        all.insert(name.to_owned(), value.to_owned());
        all
    };
    let mut wrong = vec![
        changed("money", "0.01"),
        changed("notify_url", "https://evil.example/n"),
        changed("param", "y"),
        changed("device", "mobile"),
        changed("sign", ""),
        changed("sign", "0"),
        changed("sign", &good["sign"][1..]),
        changed("sign_type", "RSA"),
        changed("sign_type", "NONE"),
        changed("pid", "999999999"),
        changed("pid", ""),
        changed("pid", &format!("{}'--", shop.pid)),
    ];
    // The key itself is no signature of an order, and an empty key signs nothing.
    wrong.push(changed("key", &shop.key));
    let mut unsigned = good.clone();
    unsigned.remove("sign");
    unsigned.insert("sign".into(), md5(&unsigned, ""));
    wrong.push(unsigned);
    let mut texts = std::collections::BTreeSet::new();
    for request in &wrong {
        let answer = post(&stand, "/mapi.php", request).await.body;
        assert_eq!(answer["code"], -1, "{request:?}: {answer}");
        texts.insert(answer["msg"].as_str().unwrap().to_owned());
        let page = post(&stand, "/submit.php", request).await;
        assert_eq!(
            (page.status, page.headers["content-type"].to_str().unwrap()),
            (200, "text/html; charset=utf-8")
        );
    }
    assert_eq!(texts.len(), 1, "who has no key and who signs wrongly is told the same: {texts:?}");
    for (bit, query) in (0..40).map(|bit| (bit * 37, form(&good))) {
        let mut bytes = query.into_bytes();
        let at = bit / 8 % bytes.len();
        bytes[at] ^= 1 << (bit % 7);
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let mut read: Fields = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        // Signatures are read in either case.
        for name in ["sign", "sign_type"] {
            let case = read.get(name).is_some_and(|value| value.eq_ignore_ascii_case(&good[name]));
            read.extend(case.then(|| (name.to_owned(), good[name].clone())));
        }
        if read == good {
            continue;
        }
        let answer = stand.send(stand.request(Method::POST, "/mapi.php", text.clone())).await;
        assert!(answer.body["code"] == -1, "{text}: {}", answer.body);
    }
    let twice = format!("{}&money=1", form(&good).replace("money=1&", "money=2&"));
    assert_eq!(stand.send(stand.request(Method::POST, "/mapi.php", twice)).await.body["code"], -1);
    let smuggled = shop.signed(shop.order("A-1", "1", "https://shop.example/n?x=1&out_trade_no=2"));
    assert_eq!(post(&stand, "/mapi.php", &smuggled).await.body["code"], -1);
    // A key of version 1 opens nothing of version 2.
    for path in ["/api/pay/create", "/api/pay/query", "/api/merchant/info"] {
        assert_eq!(post(&stand, path, &good).await.body["code"], -1, "{path}");
    }
    assert_eq!(stand.rows().await, rows, "nothing was written");
    let keys = stand.ok("epay_keys.list", json!({})).await;
    assert_eq!((&keys["data"][0]["pid"], &keys["data"][0]["key"]), (&json!(shop.pid), &Value::Null));
    stand.ok("epay_keys.revoke", json!({"id": keys["data"][0]["id"]})).await;
    assert_eq!(post(&stand, "/mapi.php", &good).await.body["code"], -1, "revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_shops_do_not_see_each_other() {
    let stand = stand().await;
    let other_key = stand.another_merchant().await;
    let (one, sister) = (Shop::new(&stand, &stand.test_key).await, Shop::new(&stand, &stand.test_key).await);
    let stranger = Shop::new(&stand, &other_key).await;
    let mut numbers = Vec::new();
    for shop in [&one, &stranger] {
        let made = post(&stand, "/mapi.php", &shop.signed(shop.order("A-1", "1", "https://shop.example/n")))
            .await
            .body;
        assert_eq!(made["code"], 1, "the same number of two merchants: {made}");
        numbers.push(made["trade_no"].as_str().unwrap().to_owned());
    }
    assert_ne!(numbers[0], numbers[1]);
    for shop in [&sister, &stranger] {
        for (name, value) in [("trade_no", numbers[0].as_str()), ("out_trade_no", "A-1")] {
            let asked = shop.signed(fields(&[("act", "order"), (name, value)]));
            let answer = post(&stand, "/api.php", &asked).await.body;
            let own = shop.pid == stranger.pid && name == "out_trade_no";
            assert_eq!(answer["code"], if own { 1 } else { -1 }, "{answer}");
            if own {
                assert_eq!(answer["trade_no"], numbers[1].as_str());
            }
            let back = shop.signed(fields(&[("act", "refund"), ("money", "1"), ("trade_no", &numbers[0])]));
            assert_eq!(post(&stand, "/api.php", &back).await.body["code"], -1);
        }
    }
    let taken =
        post(&stand, "/mapi.php", &sister.signed(sister.order("A-1", "1", "https://shop.example/n"))).await;
    assert_eq!(taken.body["code"], -1, "the number is the merchant's, and another shop of it has it");
    let asked = sister.signed(fields(&[("act", "order"), ("out_trade_no", "A-1"), ("key", &one.key)]));
    let mut asked = asked;
    asked.insert("pid".into(), one.pid.clone());
    asked.insert("key".into(), sister.key.clone());
    assert_eq!(post(&stand, "/api.php", &asked).await.body["code"], -1, "the key of a sister");
    let page = stand.get(&format!("/epay/{}/A-1/{}", one.pid, "0".repeat(32))).await;
    assert!(page.status == 200 && String::from_utf8_lossy(&page.bytes).contains("订单不存在"));
    stand.verify().await;
}

/// A shop with a key pair of version 2.
struct Shop2 {
    pid: String,
    ours: Box<dyn Signer>,
    platform: Box<dyn Verifier>,
}

impl Shop2 {
    async fn new(stand: &Stand) -> Shop2 {
        let made = stand.ok("epay_keys.create", json!({"name": "new shop", "protocol": "v2"})).await;
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let ours = NativeKeyring.signer(&Secret::new(text("private_key"))).unwrap();
        let platform = NativeKeyring.verifier(&text("platform_public_key")).unwrap();
        Shop2 { pid: text("pid"), ours, platform }
    }

    fn signed(&self, mut all: Fields, at: i64) -> Fields {
        all.extend([("pid".to_owned(), self.pid.clone()), ("timestamp".to_owned(), at.to_string())]);
        let sign = STANDARD.encode(self.ours.sign(Scheme::RsaSha256, joined(&all).as_bytes()).unwrap());
        all.extend([("sign".to_owned(), sign), ("sign_type".to_owned(), "RSA".to_owned())]);
        all
    }

    fn authentic(&self, all: &Fields) -> bool {
        let sign = STANDARD.decode(&all["sign"]).unwrap();
        all["sign_type"] == "RSA" && self.platform.verify(Scheme::RsaSha256, joined(all).as_bytes(), &sign)
    }

    /// Asks, and verifies the answer.
    async fn ask(&self, stand: &Stand, path: &str, pairs: &[(&str, &str)]) -> Value {
        let answer = post(stand, path, &self.signed(fields(pairs), stand.engine.wall().secs())).await;
        let mut all = Fields::new();
        for (name, value) in answer.body.as_object().unwrap() {
            let number = || value.as_i64().map(|number| number.to_string());
            all.extend(value.as_str().map(str::to_owned).or_else(number).map(|text| (name.clone(), text)));
        }
        assert!(self.authentic(&all), "{}", answer.body);
        all.insert("code".to_owned(), "7".to_owned());
        assert!(!self.authentic(&all), "the check itself has to be able to fail");
        answer.body
    }

    async fn create(&self, stand: &Stand, number: &str, notify_url: &str) -> Value {
        let order = [
            ("type", "alipay"),
            ("method", "web"),
            ("name", "茶"),
            ("money", "12.30"),
            ("clientip", "::1"),
            ("out_trade_no", number),
            ("notify_url", notify_url),
        ];
        self.ask(stand, "/api/pay/create", &order).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_of_version_2_creates_refunds_and_closes_and_every_answer_is_signed() {
    let stand = stand().await;
    let shop = Shop2::new(&stand).await;
    let (notify_url, got) = shop_server(0).await;
    let created = shop.create(&stand, "A-1", &notify_url).await;
    assert_eq!((&created["code"], &created["pay_type"]), (&json!(0), &json!("qrcode")), "{created}");
    pay(&stand, created["pay_info"].as_str().unwrap()).await;
    let told = wait_for(&got, 1).await;
    assert!(shop.authentic(&told), "{told:?}");
    assert_eq!((told["money"].as_str(), told["out_trade_no"].as_str()), ("12.30", "A-1"));
    let shown = shop.ask(&stand, "/api/pay/query", &[("out_trade_no", "A-1")]).await;
    assert_eq!((&shown["status"], &shown["trade_no"]), (&json!(1), &created["trade_no"]));
    for (number, money, code) in
        [("R-1", "2.3", 0), ("R-1", "2.30", 0), ("R-1", "2.31", -1), ("R-2", "10.01", -1), ("R-3", "0", -1)]
    {
        let back = [("out_trade_no", "A-1"), ("money", money), ("out_refund_no", number)];
        let refunded = shop.ask(&stand, "/api/pay/refund", &back).await;
        assert_eq!(refunded["code"], code, "{money}: {refunded}");
        assert!(code != 0 || refunded["money"] == "2.30", "{refunded}");
    }
    let state = shop.ask(&stand, "/api/pay/refundquery", &[("out_refund_no", "R-1")]).await;
    assert_eq!((&state["status"], &state["money"]), (&json!(1), &json!("2.30")), "{state}");
    let none = shop.ask(&stand, "/api/pay/refundquery", &[("out_refund_no", "R-9")]).await;
    assert_eq!(none["code"], -1);
    let shown = shop.ask(&stand, "/api/pay/query", &[("out_trade_no", "A-1")]).await;
    assert_eq!(shown["refundmoney"], "2.30");
    shop.create(&stand, "A-2", &notify_url).await;
    for (number, code) in [("A-2", 0), ("A-1", -1)] {
        let closed = shop.ask(&stand, "/api/pay/close", &[("out_trade_no", number)]).await;
        assert_eq!(closed["code"], code, "{number}: {closed}");
    }
    let list = shop.ask(&stand, "/api/merchant/orders", &[("limit", "10")]).await;
    let rows = list["data"].as_array().unwrap();
    assert_eq!((&rows[0]["out_trade_no"], rows.len()), (&json!("A-2"), 2));
    assert_eq!(shop.ask(&stand, "/api/merchant/info", &[]).await["pay_status"], 1);
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn version_2_takes_neither_old_requests_nor_md5() {
    let stand = stand().await;
    let shop = Shop2::new(&stand).await;
    let made = shop.create(&stand, "A-1", "https://shop.example/n").await;
    assert_eq!(made["code"], 0, "{made}");
    let now = stand.engine.wall().secs();
    for (at, code) in [(now, 0), (now - 301, -1), (now + 310, -1), (0, -1)] {
        let asked = shop.signed(fields(&[("out_trade_no", "A-1")]), at);
        assert_eq!(post(&stand, "/api/pay/query", &asked).await.body["code"], code, "{at}");
    }
    // MD5, under either name, opens nothing here.
    for kind in ["MD5", "RSA"] {
        let pairs = [("pid", shop.pid.as_str()), ("out_trade_no", "A-1"), ("timestamp", &now.to_string())];
        let mut weak = fields(&pairs);
        weak.extend([("sign".into(), md5(&weak, "")), ("sign_type".into(), kind.into())]);
        for path in ["/api/pay/query", "/api.php?act=order", "/mapi.php"] {
            assert_eq!(post(&stand, path, &weak).await.body["code"], -1, "{path} {kind}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_whose_shop_named_no_type_chooses_on_a_page() {
    let stand = stand().await;
    let key = stand.another_merchant().await;
    let connect = json!({"channel": "wechatpay"});
    assert_eq!(stand.call_as(&key, "channel_accounts.create", connect, None).await.status, 200);
    let shop = Shop::new(&stand, &key).await;
    let (notify_url, got) = shop_server(0).await;
    let mut order = shop.order("A-1", "5", &notify_url);
    order.remove("type");
    order.insert("name".into(), "<script>茶</script>".into());
    let sent = post(&stand, "/submit.php", &shop.signed(order.clone())).await;
    let page = sent.headers["location"].to_str().unwrap().to_owned();
    let shown = stand.get(&page).await;
    let text = String::from_utf8(shown.bytes.to_vec()).unwrap();
    assert!(
        text.contains("value=\"alipay.page\"") && text.contains("微信支付") && text.contains("¥5.00"),
        "{text}"
    );
    assert!(!text.contains("<script"), "{text}");
    let policy = shown.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    let chosen = stand.send(stand.request(Method::POST, &page, "method=wechatpay.qr")).await;
    assert_eq!(chosen.status, 303, "{:?}", chosen.bytes);
    let code = stand.get(&page).await;
    assert!(String::from_utf8_lossy(&code.bytes).contains("<svg"), "a code to scan");
    let order = stand.call_as(&key, "orders.list", json!({"out_trade_no": "A-1"}), None).await.body;
    stand.payer_pays(&order["data"][0]).await;
    let told = wait_for(&got, 1).await;
    assert_eq!((told["type"].as_str(), told["sign"].as_str()), ("wxpay", md5(&told, &shop.key).as_str()));
    let back = stand.get(&page).await;
    assert!(back.headers["location"].to_str().unwrap().contains("trade_status=TRADE_SUCCESS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_asks_too_often_has_to_wait() {
    let stand = Stand::start_with(|config| (config.rate_per_second, config.rate_burst) = (1, 6)).await;
    let (shop, other) = (Shop::new(&stand, &stand.test_key).await, Shop::new(&stand, &stand.test_key).await);
    let ask = |shop: &Shop| shop.signed(fields(&[("act", "query")]));
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(post(&stand, "/api.php", &ask(&shop)).await.body["code"].clone());
    }
    assert!(answers.contains(&json!(1)) && answers.contains(&json!(-1)), "{answers:?}");
    assert_eq!(post(&stand, "/api.php", &ask(&other)).await.body["code"], 1, "each shop has its own");
}
