//! 聚合码: one address for every wallet and browser.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::stand::{Answer, Stand, set};

pub(crate) const ALIPAY: &str =
    "Mozilla/5.0 (Linux; Android 15) Mobile Safari/537.36 AliApp(AP/10.7.50) AlipayClient/10.7.50";
pub(crate) const WECHAT: &str =
    "Mozilla/5.0 (Linux; Android 15) Mobile Safari/537.36 MicroMessenger/8.0.49 NetType/WIFI";
pub(crate) const DESK: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36";

/// Somebody with a browser.
pub(crate) struct Payer<'a> {
    pub(crate) stand: &'a Stand,
    pub(crate) agent: &'static str,
}

impl Payer<'_> {
    pub(crate) async fn send(&self, mut request: Request<Bytes>) -> Answer {
        set(&mut request, "user-agent", self.agent);
        self.stand.send(request).await
    }

    pub(crate) async fn opens(&self, address: &str) -> Answer {
        self.send(self.stand.request(Method::GET, address, "")).await
    }

    pub(crate) async fn fills_in(&self, address: &str, form: &str) -> Answer {
        let mut request = self.stand.request(Method::POST, address, form.to_owned());
        set(&mut request, "content-type", "application/x-www-form-urlencoded");
        self.send(request).await
    }
}

pub(crate) fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.bytes).into_owned()
}

pub(crate) fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", text(answer));
    answer.headers["location"].to_str().unwrap().to_owned()
}

async fn link(stand: &Stand, input: Value) -> (Value, String) {
    let link = stand.ok("payment_links.create", input).await;
    let url = link["url"].as_str().unwrap().to_owned();
    (link, url)
}

async fn orders_of(stand: &Stand, link: &Value) -> Vec<Value> {
    let listed = stand.ok("orders.list", json!({"limit": 100})).await;
    let orders = listed["data"].as_array().unwrap().clone();
    orders.into_iter().filter(|order| order["metadata"]["payment_link"] == link["id"]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_on_the_counter_takes_what_each_payer_types() {
    let stand = Stand::start().await;
    let (link, url) =
        link(&stand, json!({"currency": "CNY", "subject": "Counter <1> 柜台", "amount_max": 50_000})).await;
    let payer = Payer { stand: &stand, agent: DESK };
    let page = payer.opens(&url).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        page.status == 200 && policy.contains("script-src 'self'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let html = text(&page);
    assert!(html.contains("Counter &lt;1&gt; 柜台") && html.contains("name=\"amount\""), "{html}");
    for (typed, taken) in [("12.34", 1_234), ("￥１００", 10_000), ("0.01", 1)] {
        let filled = form(&[("amount", typed), ("method", "testpay.qr")]);
        let result = location(&payer.fills_in(&url, &filled).await);
        let shown = text(&payer.opens(&result).await);
        assert!(shown.contains("<svg") && shown.contains("http-equiv=\"refresh\""), "{shown}");
        let orders = orders_of(&stand, &link).await;
        assert_eq!(orders[0]["amount"], taken, "{typed}");
        stand.payer_pays(&orders[0]).await;
        stand.order_becomes(&orders[0]["id"], "succeeded").await;
        let shown = text(&payer.opens(&result).await);
        assert!(shown.contains("Title good") && !shown.contains("http-equiv"), "{shown}");
    }
    for typed in ["0", "-1", "500.01", "1e3", "12.345", "", "abc", "99999999999999999999"] {
        let filled = form(&[("amount", typed), ("method", "testpay.qr")]);
        assert_eq!(payer.fills_in(&url, &filled).await.status, 400, "{typed}");
    }
    assert_eq!(orders_of(&stand, &link).await.len(), 3);
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wallet_gets_its_own_way_and_the_price_stands() {
    let stand = Stand::start().await;
    let tea = json!({"amount": 880, "currency": "CNY", "subject": "Tea 茶", "methods": ["alipay.wap", "wechatpay.jsapi"]});
    let (link, url) = link(&stand, tea).await;
    let alipay = Payer { stand: &stand, agent: ALIPAY };
    let html = text(&alipay.opens(&url).await);
    assert!(html.contains("value=\"alipay.") && !html.contains("wechatpay."), "{html}");
    let there = location(&alipay.fills_in(&url, "").await);
    assert!(there.contains("/sandbox/"), "the wallet is led to its own payment: {there}");
    let changed = alipay.fills_in(&url, "amount=0.01").await;
    assert_eq!(changed.status, 400, "{}", text(&changed));
    let other = alipay.fills_in(&url, "method=testpay.card").await;
    assert_eq!(other.status, 400, "what is not offered is not taken");
    let orders = orders_of(&stand, &link).await;
    assert!(orders.iter().all(|order| order["amount"] == 880) && orders.len() == 1, "{orders:?}");
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_paid_once_makes_one_charge_however_often_it_is_opened() {
    let stand = Stand::start().await;
    let methods = ["testpay.qr", "alipay.wap"];
    let bill = json!({"amount": 1_200, "currency": "CNY", "subject": "Bill 7", "single_use": true, "methods": methods});
    let (link, url) = link(&stand, bill).await;
    let payer = Payer { stand: &stand, agent: DESK };
    let first = tokio::join!(
        payer.fills_in(&url, "method=testpay.qr"),
        payer.fills_in(&url, "method=testpay.qr"),
        payer.fills_in(&url, "method=testpay.qr")
    );
    let result = location(&first.0);
    assert_eq!((location(&first.1), location(&first.2)), (result.clone(), result.clone()), "one order");
    // Another wallet: the first code must not be payable any more.
    let alipay = Payer { stand: &stand, agent: ALIPAY };
    location(&alipay.fills_in(&url, "").await);
    let orders = orders_of(&stand, &link).await;
    let states: Vec<_> = orders.iter().map(|order| order["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["pending", "closed"], "{orders:?}");
    stand.payer_pays(&orders[0]).await;
    stand.order_becomes(&orders[0]["id"], "succeeded").await;
    let paid = location(&payer.fills_in(&url, "method=testpay.qr").await);
    assert!(text(&payer.opens(&paid).await).contains("Title good"));
    assert_eq!(orders_of(&stand, &link).await.len(), 2, "nothing new after it is paid");
    assert_eq!(location(&payer.opens(&url).await), paid, "opened again it says that it is paid");
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_are_off_over_foreign_or_made_up_say_so() {
    let stand = Stand::start().await;
    let (link, url) =
        link(&stand, json!({"amount": 880, "currency": "CNY", "subject": "Tea", "expires_in": 60})).await;
    let payer = Payer { stand: &stand, agent: DESK };
    let off = json!({"id": link["id"], "enabled": false, "subject": "Tea 2"});
    assert_eq!(stand.ok("payment_links.update", off).await["subject"], "Tea 2");
    assert!(text(&payer.opens(&url).await).contains("该收款码已停用"));
    assert_eq!(payer.fills_in(&url, "method=testpay.qr").await.status, 409);
    stand.ok("payment_links.update", json!({"id": link["id"], "enabled": true})).await;
    stand.ok("sandbox.advance_clock", json!({"seconds": 61})).await;
    assert!(text(&payer.opens(&url).await).contains("该收款码已过期"));
    assert_eq!(payer.fills_in(&url, "method=testpay.qr").await.status, 409);
    assert_eq!(payer.opens("/l/lnk_01jd7xk3fz5v9b8m2q4r6t8w0y").await.status, 404);
    assert_eq!(payer.opens("/l/%3Cscript%3E").await.status, 404);
    let other = stand.another_merchant().await;
    let read = stand.call_as(&other, "payment_links.retrieve", json!({"id": link["id"]}), None).await;
    assert_eq!(read.status, 404);
    stand.verify().await;
}

/// Inside Alipay likewise, where the account says where to ask; else the payer is led to the mobile website.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_opened_in_alipay_learns_who_pays_and_ends_in_a_paid_order() {
    let stand = Stand::start().await;
    let (link, url) = link(&stand, json!({"amount": 880, "currency": "CNY", "subject": "Tea 茶"})).await;
    let payer = Payer { stand: &stand, agent: ALIPAY };
    let there = location(&payer.opens(&url).await);
    let asks = there.contains("/oauth2/publicAppAuthorize.htm?app_id=2021");
    assert!(asks && there.contains("&scope=auth_base&"), "{there}");
    let back = payer.opens(&there).await;
    assert_eq!(back.status, 302, "{}", text(&back));
    let back = back.headers["location"].to_str().unwrap().to_owned();
    assert!(back.starts_with(&format!("{url}?app_id=2021")) && back.ends_with("&state=paycore"), "{back}");
    let code = back.split("auth_code=").nth(1).and_then(|rest| rest.split('&').next()).unwrap();
    let page = text(&payer.opens(&back).await);
    assert!(page.contains(&format!("name=\"code\" value=\"{code}\"")), "{page}");
    assert!(page.contains("alipay.jsapi") && !page.contains("wechatpay."), "{page}");
    let filled = form(&[("code", code), ("method", "alipay.jsapi")]);
    let result = location(&payer.fills_in(&url, &filled).await);
    let shown = text(&payer.opens(&plain(&result)).await);
    assert!(shown.contains("tradeNO") && shown.contains("wallet.js"), "{shown}");
    let order = orders_of(&stand, &link).await.remove(0);
    let attempts = stand.ok("orders.attempts", json!({"id": order["id"]})).await;
    let (sandbox, _) = there.split_once("/oauth2/").unwrap();
    let paid = format!("{sandbox}/payer/{}/pay", attempts["data"][0]["reference"].as_str().unwrap());
    assert_eq!(stand.send(stand.request(Method::POST, &paid, "")).await.status, 200);
    stand.order_becomes(&order["id"], "succeeded").await;
    // The code is spent, and one that is made up was never good.
    for code in [code, "0123456789abcdef"] {
        let filled = form(&[("code", code), ("method", "alipay.jsapi")]);
        assert_eq!(payer.fills_in(&url, &filled).await.status, 503, "{code}");
    }
    assert_eq!(orders_of(&stand, &link).await.len(), 1, "nobody unknown has ordered anything");
    stand.verify().await;
}

/// The payer's browser goes to WeChat, comes back with a code, and the order is for that person.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_opened_in_wechat_learns_who_pays_and_ends_in_a_paid_order() {
    let stand = Stand::start().await;
    let (link, url) = link(&stand, json!({"amount": 880, "currency": "CNY", "subject": "Tea 茶"})).await;
    let payer = Payer { stand: &stand, agent: WECHAT };
    let there = location(&payer.opens(&url).await);
    assert!(there.contains("/connect/oauth2/authorize?appid=wx") && there.contains("snsapi_base"), "{there}");
    let back = payer.opens(there.trim_end_matches("#wechat_redirect")).await;
    assert_eq!(back.status, 302, "{}", text(&back));
    let back = back.headers["location"].to_str().unwrap().to_owned();
    assert!(back.starts_with(&format!("{url}?code=")) && back.ends_with("&state=paycore"), "{back}");
    let page = text(&payer.opens(&back).await);
    let code = back.split("code=").nth(1).and_then(|rest| rest.split('&').next()).unwrap();
    assert!(page.contains(&format!("name=\"code\" value=\"{code}\"")), "{page}");
    assert!(page.contains("wechatpay.jsapi") && !page.contains("alipay."), "{page}");
    let filled = form(&[("code", code), ("method", "wechatpay.jsapi")]);
    let result = location(&payer.fills_in(&url, &filled).await);
    let shown = text(&payer.opens(&plain(&result)).await);
    assert!(shown.contains("prepay_id") && shown.contains("wallet.js"), "{shown}");
    let orders = orders_of(&stand, &link).await;
    let order = stand.ok("orders.retrieve", json!({"id": orders[0]["id"]})).await;
    assert_eq!((orders.len(), &order["methods"]), (1, &json!(["wechatpay.jsapi"])));
    // What the wallet's client does with the parameters, on the provider's own page.
    let attempts = stand.ok("orders.attempts", json!({"id": order["id"]})).await;
    let (sandbox, _) = there.split_once("/connect/").unwrap();
    let paid = format!("{sandbox}/payer/{}/pay", attempts["data"][0]["reference"].as_str().unwrap());
    assert_eq!(stand.send(stand.request(Method::POST, &paid, "")).await.status, 200);
    stand.order_becomes(&order["id"], "succeeded").await;
    assert!(text(&payer.opens(&result).await).contains("Title good"));
    // The code is spent, and one that is made up was never good.
    for code in [code, "0123456789abcdef"] {
        let filled = form(&[("code", code), ("method", "wechatpay.jsapi")]);
        assert_eq!(payer.fills_in(&url, &filled).await.status, 503, "{code}");
    }
    assert_eq!(orders_of(&stand, &link).await.len(), 1, "nobody unknown has ordered anything");
    stand.verify().await;
}

/// A form with these fields.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The page without the widget, whether or not the server was built with it.
fn plain(address: &str) -> String {
    format!("{address}{}plain=1", if address.contains('?') { '&' } else { '?' })
}
