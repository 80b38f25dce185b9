//! An order's own page, opened inside the wallet that it can be paid with.

use http::Method;
use serde_json::{Value, json};

use crate::links::{ALIPAY, DESK, Payer, WECHAT, form, location, text};
use crate::stand::{Stand, set};

/// A wallet and how it tells who its user is.
struct Wallet {
    agent: &'static str,
    method: &'static str,
    /// What the address of its sign-in has in it, behind the sandbox's own.
    asks: &'static str,
    /// What the browser comes back with.
    code: &'static str,
    /// Among the parameters that the wallet's bridge is handed.
    parameter: &'static str,
}

const WALLETS: [Wallet; 2] = [
    Wallet {
        agent: WECHAT,
        method: "wechatpay.jsapi",
        asks: "/connect/oauth2/authorize?appid=wx",
        code: "&code=",
        parameter: "prepay_id",
    },
    Wallet {
        agent: ALIPAY,
        method: "alipay.jsapi",
        asks: "/oauth2/publicAppAuthorize.htm?app_id=2021",
        code: "auth_code=",
        parameter: "tradeNO",
    },
];

async fn open_order(stand: &Stand, more: Value) -> Value {
    let mut input = json!({
        "amount": 880, "currency": "CNY", "subject": "Tea 茶",
        "methods": ["testpay.page", "wechatpay.jsapi", "alipay.jsapi"],
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stand.ok("orders.create", input).await
}

/// The page in forms, whether or not the server was built with the widget.
fn page(order: &Value) -> String {
    format!("{}?plain=1", order["checkout_url"].as_str().expect("an address"))
}

async fn attempts(stand: &Stand, order: &Value) -> Vec<Value> {
    stand.ok("orders.attempts", json!({"id": order["id"]})).await["data"].as_array().unwrap().clone()
}

impl Wallet {
    /// Opens the page and signs in: where the wallet leads back to, and the code in it.
    async fn signs_in(&self, payer: &Payer<'_>, page: &str) -> (String, String, String) {
        let there = location(&payer.opens(page).await);
        assert!(there.contains(self.asks), "{there}");
        let answer = payer.opens(there.trim_end_matches("#wechat_redirect")).await;
        assert_eq!(answer.status, 302, "{}", text(&answer));
        let back = answer.headers["location"].to_str().unwrap().to_owned();
        assert!(back.starts_with(page), "the way back is the page, as it was opened: {back}");
        let code = back.split(self.code).nth(1).and_then(|rest| rest.split('&').next()).unwrap().to_owned();
        let sandbox = there.split(self.asks).next().unwrap().to_owned();
        (back, code, sandbox)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_learns_who_pays_and_ends_in_a_paid_order() {
    let stand = Stand::start().await;
    for wallet in &WALLETS {
        let order = open_order(&stand, json!({})).await;
        let (page, payer) = (page(&order), Payer { stand: &stand, agent: wallet.agent });
        let (back, code, sandbox) = wallet.signs_in(&payer, &page).await;
        let html = text(&payer.opens(&back).await);
        assert!(html.contains(&format!("name=\"code\" value=\"{code}\"")), "{html}");
        let other = if wallet.method.starts_with("alipay") { "wechatpay." } else { "alipay." };
        assert!(html.contains(wallet.method) && !html.contains(other), "{html}");

        let filled = form(&[("after", ""), ("code", &code), ("method", wallet.method)]);
        let posts = tokio::join!(payer.fills_in(&page, &filled), payer.fills_in(&page, &filled));
        assert!([&posts.0, &posts.1].iter().any(|answer| answer.status == 303), "{}", text(&posts.0));
        let started = attempts(&stand, &order).await;
        assert_eq!((started.len(), &started[0]["method"]), (1, &json!(wallet.method)));
        let shown = text(&payer.opens(&page).await);
        assert!(shown.contains(wallet.parameter) && shown.contains("wallet.js"), "{shown}");

        // What the wallet's client does with the parameters, on the provider's own page.
        let paid = format!("{sandbox}/payer/{}/pay", started[0]["reference"].as_str().unwrap());
        assert_eq!(stand.send(stand.request(Method::POST, &paid, "")).await.status, 200);
        stand.order_becomes(&order["id"], "succeeded").await;
        assert!(text(&payer.opens(&page).await).contains("Title good"));

        // The code is spent, and one that is made up was never good.
        let next = open_order(&stand, json!({})).await;
        for code in [code.as_str(), "0123456789abcdef"] {
            let filled = form(&[("after", ""), ("code", code), ("method", wallet.method)]);
            let refused = payer.fills_in(&self::page(&next), &filled).await;
            assert_eq!(refused.status, 503, "{code}");
            assert!(text(&refused).contains("?plain=1\">"), "another try begins at the page");
        }
        assert!(attempts(&stand, &next).await.is_empty(), "nobody unknown has started anything");
    }
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_try_goes_on_as_whom_the_first_one_named() {
    let stand = Stand::start().await;
    let [wallet, _] = &WALLETS;
    let order = open_order(&stand, json!({})).await;
    let (page, payer) = (page(&order), Payer { stand: &stand, agent: wallet.agent });
    let (_, code, _) = wallet.signs_in(&payer, &page).await;
    let filled = form(&[("after", ""), ("code", &code), ("method", wallet.method)]);
    location(&payer.fills_in(&page, &filled).await);
    let first = attempts(&stand, &order).await[0]["id"].as_str().unwrap().to_owned();
    let release = format!("{}/release", order["checkout_url"].as_str().unwrap());
    location(&payer.fills_in(&release, &form(&[("attempt_id", &first)])).await);
    stand
        .becomes("orders.attempts", json!({"id": order["id"]}), |list| list["data"][0]["status"] == "closed")
        .await;
    let filled = form(&[("after", &first), ("code", &code), ("method", wallet.method)]);
    location(&payer.fills_in(&page, &filled).await);
    assert_eq!(attempts(&stand, &order).await.len(), 2);
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_wallet_is_asked_and_only_where_nobody_has_said_who_pays() {
    let stand = Stand::start().await;
    let [wechat, _] = &WALLETS;
    let order = open_order(&stand, json!({})).await;
    let desk = Payer { stand: &stand, agent: DESK };
    let shown = desk.opens(&page(&order)).await;
    assert!(shown.status == 200 && !text(&shown).contains("jsapi"), "{}", text(&shown));
    let payer = Payer { stand: &stand, agent: wechat.agent };
    let head = payer.send(stand.request(Method::HEAD, &page(&order), "")).await;
    assert_eq!(head.status, 200, "who asks for headers gets those of the page");
    let named = open_order(&stand, json!({"payer": {"id": "o-shopper"}})).await;
    let shown = payer.opens(&page(&named)).await;
    assert!(shown.status == 200 && text(&shown).contains(wechat.method), "the merchant has said who pays");
    let without = json!({"methods": ["testpay.page", "testpay.qr"]});
    let without = open_order(&stand, without).await;
    assert_eq!(payer.opens(&page(&without)).await.status, 200, "nothing here has to name the payer");
    stand.verify().await;
}

/// The widget takes the same way: the code goes along with its call.
#[tokio::test(flavor = "multi_thread")]
async fn the_widgets_call_brings_the_code_along() {
    let stand = Stand::start().await;
    for wallet in &WALLETS {
        let order = open_order(&stand, json!({})).await;
        let payer = Payer { stand: &stand, agent: wallet.agent };
        let (_, code, _) = wallet.signs_in(&payer, &page(&order)).await;
        let pay = async |code: &str| {
            let body = json!({"method": wallet.method, "after": null, "code": code}).to_string();
            let mut request = stand.request(Method::POST, "/checkout/order/pay", body);
            set(&mut request, "content-type", "application/json");
            let secret = order["client_secret"].as_str().expect("a secret");
            set(&mut request, "authorization", &format!("Bearer {secret}"));
            payer.send(request).await
        };
        assert_eq!(pay("0123456789abcdef").await.status, 503);
        let started = pay(&code).await;
        assert_eq!(started.body["next_action"]["type"], "client", "{}", started.body);
    }
    stand.verify().await;
}
