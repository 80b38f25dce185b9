//! Who may call: keys that are missing, wrong, revoked, expired, publishable or short of a scope.

use http::{Method, StatusCode};
use paycore::catalogue::CATALOGUE;
use serde_json::json;

use crate::stand::{Stand, order, set};

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_wants_a_key() {
    let stand = Stand::start().await;
    for operation in CATALOGUE {
        let path = operation.path.replace("{id}", "ord_01jd7xk3fz5v9b8m2q4r6t8w0y");
        let request = || stand.request(operation.method.clone(), &path, "");
        let wrong = format!("Bearer sk_test_{}", "A".repeat(43));
        for header in [
            None,
            Some("Bearer "),
            Some("Bearer sk_test_short"),
            Some(&*wrong),
            Some("Basic !!!"),
            Some("sk_test"),
        ] {
            let mut request = request();
            if let Some(header) = header {
                set(&mut request, "authorization", header);
            }
            let answer = stand.send(request).await;
            answer.problem(StatusCode::UNAUTHORIZED, "unauthenticated");
            assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"paycore\"", "{}", operation.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn basic_authentication_takes_the_key_as_the_user() {
    let stand = Stand::start().await;
    use base64::Engine as _;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{}:", stand.test_key));
    let mut request = stand.request(Method::GET, "/v1/merchants/me", "");
    set(&mut request, "authorization", &format!("Basic {basic}"));
    assert_eq!(stand.send(request).await.body["livemode"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_ends_at_once_and_a_rolled_one_after_its_overlap() {
    let stand = Stand::start().await;
    let made = stand.ok("api_keys.create", json!({"name": "till", "scopes": ["orders:read"]})).await;
    let key = made["key"].as_str().expect("shown once").to_owned();
    assert_eq!(stand.call_as(&key, "orders.list", json!({}), None).await.status, 200);
    let rolled = stand.ok("api_keys.roll", json!({"id": made["id"], "overlap": 3600})).await;
    let second = rolled["key"].as_str().expect("shown once").to_owned();
    assert_eq!(stand.call_as(&key, "orders.list", json!({}), None).await.status, 200, "the overlap");
    assert_eq!(stand.call_as(&second, "orders.list", json!({}), None).await.status, 200);
    stand.ok("api_keys.revoke", json!({"id": made["id"]})).await;
    let refused = stand.call_as(&key, "orders.list", json!({}), None).await;
    refused.problem(StatusCode::UNAUTHORIZED, "unauthenticated");
    stand.ok("api_keys.roll", json!({"id": rolled["id"]})).await;
    let refused = stand.call_as(&second, "orders.list", json!({}), None).await;
    refused.problem(StatusCode::UNAUTHORIZED, "unauthenticated");
    let listed = stand.ok("api_keys.list", json!({})).await;
    assert!(!listed.to_string().contains(&second), "a key is shown once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_its_scopes_say_and_nothing_else() {
    let stand = Stand::start().await;
    for scope in ["orders:read", "orders:write", "refunds:write", "ledger:read", "webhooks", "settings"] {
        let made = stand.ok("api_keys.create", json!({"name": scope, "scopes": [scope]})).await;
        let key = made["key"].as_str().expect("shown once");
        for operation in CATALOGUE {
            let input = serde_json::from_str(operation.example).expect("an example");
            let wanted = operation.scope.text() == scope;
            if wanted && operation.mutates {
                continue;
            }
            let answer = stand.call_as(key, operation.name, input, None).await;
            let forbidden = answer.status == 403 && answer.body["code"] == "forbidden";
            assert_eq!(forbidden, !wanted, "{} with {scope}: {}", operation.name, answer.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_more_than_they_have() {
    let stand = Stand::start().await;
    let platform = stand.call("api_keys.create", json!({"name": "x", "scopes": ["platform"]})).await;
    assert_eq!(platform.problem(StatusCode::BAD_REQUEST, "invalid_request")["param"], "scopes");
    let merchants = stand.call("merchants.list", json!({})).await;
    merchants.problem(StatusCode::FORBIDDEN, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publishable_key_moves_nothing_and_sees_nothing() {
    let stand = Stand::start().await;
    let made = stand
        .ok("api_keys.create", json!({"name": "page", "scopes": ["checkout"], "publishable": true}))
        .await;
    let key = made["key"].as_str().expect("shown once");
    assert!(key.starts_with("pk_test_"));
    for operation in CATALOGUE {
        let input = serde_json::from_str(operation.example).expect("an example");
        let answer = stand.call_as(key, operation.name, input, Some("k1")).await;
        answer.problem(StatusCode::FORBIDDEN, "forbidden");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn live_and_sandbox_do_not_see_each_other() {
    let stand = Stand::start().await;
    let paid = stand.paid(1_000).await;
    let live = stand.call_as(&stand.live_key, "orders.retrieve", json!({"id": paid["id"]}), None).await;
    live.problem(StatusCode::NOT_FOUND, "not_found");
    let created =
        stand.call_as(&stand.live_key, "orders.create", order(1_000, "testpay.card"), Some("k")).await;
    created.problem(StatusCode::UNPROCESSABLE_ENTITY, "no_channel");
    let me = stand.call_as(&stand.live_key, "merchants.me", json!({}), None).await;
    assert_eq!(me.body["livemode"], true);
}
