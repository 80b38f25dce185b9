//! The cashier page's calls: a key that takes payments and does nothing else.

use http::Method;
use serde_json::{Value, json};

use crate::stand::{Answer, Stand, set};

struct Till<'a> {
    stand: &'a Stand,
    key: String,
}

impl<'a> Till<'a> {
    async fn new(stand: &'a Stand) -> Till<'a> {
        let made = stand.ok("cashiers.create", json!({"name": "Till 1 一号", "currency": "CNY"})).await;
        let key = made["key"]["key"].as_str().unwrap().to_owned();
        let url = made["url"].as_str().unwrap();
        assert!(
            key.starts_with("ck_test_") && url.ends_with(&format!("/cashier?currency=CNY#{key}")),
            "{made}"
        );
        assert_eq!(made["key"]["scopes"], json!(["cashier"]));
        Till { stand, key }
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let mut request = self.stand.request(method, &format!("/cashier/{path}"), text);
        set(&mut request, "authorization", &format!("Bearer {}", self.key));
        set(&mut request, "content-type", "application/json");
        self.stand.send(request).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Value::Null).await
    }

    async fn ok(&self, path: &str, body: Value) -> Value {
        let answer = self.call(Method::POST, path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    async fn begin(&self, amount: i64) -> (String, String) {
        let sale = self.ok("sales", json!({"amount": amount, "currency": "CNY"})).await;
        assert!(sale["status"] == "open" && sale["code"].as_str().unwrap().contains("<svg"), "{sale}");
        (sale["id"].as_str().unwrap().to_owned(), sale["url"].as_str().unwrap().to_owned())
    }

    async fn becomes(&self, sale: &str, status: &str) -> Value {
        for _ in 0..400 {
            let state = self.get(&format!("sales/{sale}")).await.body;
            if state["status"] == status {
                return state;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("the sale did not become {status}");
    }
}

/// A payer opens the code in a browser and chooses a method.
async fn payer_begins(stand: &Stand, url: &str, method: &str) -> Answer {
    let mut request = stand.request(Method::POST, url, format!("method={method}"));
    set(&mut request, "content-type", "application/x-www-form-urlencoded");
    stand.send(request).await
}

async fn orders(stand: &Stand) -> Vec<Value> {
    stand.ok("orders.list", json!({"limit": 100})).await["data"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_has_no_key_in_it_and_runs_only_its_own_script() {
    let stand = Stand::start().await;
    let page = stand.get("/cashier").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        page.status == 200 && policy.contains("script-src 'self';") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    let html = String::from_utf8_lossy(&page.bytes).into_owned();
    assert!(!html.contains("<style") && !html.contains("onclick") && !html.contains("sk_"), "{html}");
    assert_eq!(stand.get("/cashier/assets/cashier.js").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cashiers_key_opens_the_till_and_none_of_the_api() {
    let stand = Stand::start().await;
    let till = Till::new(&stand).await;
    let shown = till.get("till?currency=CNY").await.body;
    assert_eq!((&shown["exponent"], &shown["livemode"]), (&json!(2), &json!(false)), "{shown}");
    for operation in ["orders.list", "api_keys.list", "merchants.me", "branding.retrieve"] {
        let refused = stand.call_as(&till.key, operation, json!({}), None).await;
        assert_eq!(refused.status, 401, "{operation}");
    }
    for key in [stand.test_key.as_str(), "ck_test_unknown", ""] {
        let stranger = Till { stand: &stand, key: key.to_owned() };
        assert_eq!(stranger.get("till").await.status, 401, "{key}");
    }
    let keys = stand.ok("api_keys.list", json!({})).await;
    let row = keys["data"].as_array().unwrap().iter().find(|row| row["name"] == "Till 1 一号").unwrap();
    stand.ok("api_keys.revoke", json!({"id": row["id"]})).await;
    assert_eq!(till.get("till").await.status, 401, "a revoked cashier is out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_shown_is_paid_and_seen() {
    let stand = Stand::start().await;
    let till = Till::new(&stand).await;
    let (sale, url) = till.begin(1_580).await;
    assert_eq!(till.get(&format!("sales/{sale}")).await.body["status"], "open");
    payer_begins(&stand, &url, "testpay.qr").await;
    let pending = till.becomes(&sale, "pending").await;
    assert_eq!(pending["amount"], 1_580, "{pending}");
    stand.payer_pays(&orders(&stand).await[0]).await;
    let paid = till.becomes(&sale, "succeeded").await;
    let receipt = stand.get(paid["receipt_url"].as_str().unwrap()).await;
    assert_eq!(receipt.status, 200);
    let last = till.get("sales").await.body;
    assert_eq!(
        (&last["data"][0]["status"], &last["data"][0]["display"]),
        (&json!("succeeded"), &json!("¥15.80"))
    );
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_charged_once_however_often_it_is_sent() {
    let stand = Stand::start().await;
    let till = Till::new(&stand).await;
    let (sale, _) = till.begin(1_000).await;
    let path = format!("sales/{sale}/scan");
    let code = json!({"auth_code": "134500000000000001"});
    let (one, two) = tokio::join!(
        till.call(Method::POST, &path, code.clone()),
        till.call(Method::POST, &path, code.clone())
    );
    assert!(one.status == 200 && two.status == 200, "{} {}", one.body, two.body);
    till.becomes(&sale, "succeeded").await;
    assert_eq!(till.ok(&path, code).await["status"], "succeeded");
    let orders = orders(&stand).await;
    assert_eq!((orders.len(), &orders[0]["methods"]), (1, &json!(["wechatpay.barcode"])), "{orders:?}");
    let wrong = till.call(Method::POST, &path, json!({"auth_code": "99"})).await;
    assert!(wrong.status == 400 && wrong.body["param"] == "auth_code", "{}", wrong.body);
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_after_the_code_was_opened_leaves_one_charge() {
    let stand = Stand::start().await;
    let till = Till::new(&stand).await;
    let (sale, url) = till.begin(1_000).await;
    payer_begins(&stand, &url, "testpay.qr").await;
    let paid = till.ok(&format!("sales/{sale}/scan"), json!({"auth_code": "134500000000000001"})).await;
    assert_eq!(paid["status"], "succeeded", "{paid}");
    let states: Vec<_> = orders(&stand).await.iter().map(|order| order["status"].clone()).collect();
    assert_eq!(states, ["succeeded", "closed"]);
    payer_begins(&stand, &url, "testpay.qr").await;
    assert_eq!(orders(&stand).await.len(), 2, "a code that is paid is not paid again");
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_is_given_up_cannot_be_paid_and_belongs_to_its_till() {
    let stand = Stand::start().await;
    let till = Till::new(&stand).await;
    let (sale, url) = till.begin(1_000).await;
    payer_begins(&stand, &url, "testpay.qr").await;
    let path = format!("sales/{sale}/cancel");
    assert_eq!(till.ok(&path, json!({})).await["status"], "closed");
    assert_eq!(payer_begins(&stand, &url, "testpay.qr").await.status, 409);
    let (untouched, _) = till.begin(500).await;
    assert_eq!(till.ok(&format!("sales/{untouched}/cancel"), json!({})).await["status"], "closed");
    let scanned = till
        .call(Method::POST, &format!("sales/{untouched}/scan"), json!({"auth_code": "134500000000000001"}))
        .await;
    assert_eq!(scanned.status, 409, "{}", scanned.body);
    let other = Till::new(&stand).await;
    for path in [format!("sales/{sale}"), "sales/lnk_01jd7xk3fz5v9b8m2q4r6t8w0y".into(), "sales/x".into()] {
        assert_eq!(other.get(&path).await.status, 404, "{path}");
    }
    for (body, status) in [
        (json!({"amount": 0, "currency": "CNY"}), 400),
        (json!({"amount": 1.5, "currency": "CNY"}), 400),
        (json!({"amount": 1, "currency": "XXQ"}), 400),
        (json!({"amount": 1, "currency": "CNY", "subject": "x"}), 400),
    ] {
        assert_eq!(till.call(Method::POST, "sales", body.clone()).await.status, status, "{body}");
    }
    stand.verify().await;
}
