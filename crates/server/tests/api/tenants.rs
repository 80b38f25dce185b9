//! What belongs to one merchant does not exist for another: every operation that takes an id.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use paycore::catalogue::CATALOGUE;
use paycore::document::Record;
use paycore::exception::{Exception, ExceptionKind};
use paycore::id::{ExceptionId, HoldId};
use paycore::ledger::hold::{Hold, HoldStatus};
use paycore::store::{Changes, Put};
use paycore::transport::system::SystemRng;
use serde_json::{Value, json};

use crate::stand::{Stand, order};

/// One object of every kind, of the sandbox merchant, by the first word of its operations.
async fn objects(stand: &Stand) -> BTreeMap<&'static str, Value> {
    let mut objects = BTreeMap::new();
    let endpoint = stand.ok("webhook_endpoints.create", json!({"url": "https://shop.example/hooks"})).await;
    let paid = stand.paid(10_000).await;
    let refund = stand.ok("refunds.create", json!({"order_id": paid["id"], "amount": 10})).await;
    let first = async |operation: &str| {
        let list = stand.becomes(operation, json!({"limit": 1}), |list| list["data"][0].is_object()).await;
        list["data"][0]["id"].clone()
    };
    objects.insert("transactions", first("transactions.list").await);
    objects.insert("events", first("events.list").await);
    objects.insert("deliveries", first("deliveries.list").await);
    objects.insert("api_keys", first("api_keys.list").await);
    objects.insert("exceptions", exception(stand).await);
    objects.insert("holds", hold(stand).await);
    objects.insert("channel_accounts", json!(stand.account("alipay").await.to_string()));
    objects.insert("orders", paid["id"].clone());
    objects.insert("refunds", refund["id"].clone());
    objects.insert("webhook_endpoints", endpoint["id"].clone());
    let shop = stand.ok("epay_keys.create", json!({"name": "shop", "protocol": "v1"})).await;
    objects.insert("epay_keys", shop["id"].clone());
    let link = stand.ok("payment_links.create", json!({"currency": "CNY", "subject": "Counter"})).await;
    objects.insert("payment_links", link["id"].clone());
    objects
}

async fn exception(stand: &Stand) -> Value {
    let now = stand.engine.wall();
    let exception = Exception {
        id: ExceptionId::new(now, &SystemRng),
        version: 0,
        kind: ExceptionKind::Unresolved,
        object_id: "att_x".into(),
        detail: "made by a test".into(),
        resolved_at: None,
        resolution: None,
        created_at: now,
    };
    let id = json!(exception.id.to_string());
    let mut changes = Changes::new();
    changes.put(Put::Exception(exception));
    stand.engine.store().commit(stand.tenant().await, changes).await.expect("a commit");
    id
}

/// A document with an id of this prefix, under the kind that its operations are named after.
async fn document(stand: &Stand, operation: &str, prefix: &str) -> Value {
    let noun = operation.split('.').next().unwrap_or_default();
    let kind = match noun.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => noun.trim_end_matches('s').to_owned(),
    };
    let id = format!("{prefix}_{}", HoldId::new(stand.engine.wall(), &SystemRng).bare());
    let record = Record {
        kind,
        id: id.clone(),
        version: 0,
        number: None,
        parent: None,
        status: "made by a test".into(),
        at: paycore::time::Timestamp::ZERO,
        due_at: paycore::time::Timestamp::ZERO,
        body: "{}".into(),
    };
    let mut changes = Changes::new();
    changes.put(Put::Document(record));
    stand.engine.store().commit(stand.tenant().await, changes).await.expect("a commit");
    json!(id)
}

async fn hold(stand: &Stand) -> Value {
    let now = stand.engine.wall();
    let hold = Hold {
        id: HoldId::new(now, &SystemRng),
        version: 0,
        amount: 1,
        currency: paycore::currency::Currency::CNY,
        released: 0,
        status: HoldStatus::Held,
        reason: "made by a test".into(),
        expires_at: None,
        created_at: now,
        updated_at: now,
        due_at: paycore::time::Timestamp::ZERO,
        sequence: 0,
    };
    let mut changes = Changes::new();
    changes.put(Put::document(&hold));
    stand.engine.store().commit(stand.tenant().await, changes).await.expect("a commit");
    json!(hold.id.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_another_merchant_does_not_exist_in_any_operation() {
    let stand = Stand::start().await;
    let objects = objects(&stand).await;
    let stranger = stand.another_merchant().await;
    let mut cases = Vec::new();
    for operation in CATALOGUE.iter().filter(|operation| operation.path.contains("{id}")) {
        if operation.scope == paycore::merchant::Scope::Platform {
            continue;
        }
        let input: Value = serde_json::from_str(operation.example).expect("an example");
        let prefix = input["id"].as_str().unwrap_or_default().split('_').next().unwrap_or_default();
        let is_one = |id: &&Value| id.as_str().is_some_and(|id| id.starts_with(&format!("{prefix}_")));
        let theirs = match objects.values().find(is_one) {
            Some(theirs) => theirs.clone(),
            None => document(&stand, operation.name, prefix).await,
        };
        cases.push((operation, input, theirs));
    }
    let rows = stand.rows().await;
    let mut tried = 0;
    for (operation, mut input, theirs) in cases {
        let (unknown, theirs) = (input["id"].clone(), &theirs);
        input["id"] = theirs.clone();
        for key in [&stranger, &stand.live_key] {
            let answer =
                stand.call_as(key, operation.name, input.clone(), Some(&crate::stand::fresh())).await;
            assert_eq!(
                answer.body["code"], "not_found",
                "{}: {} {}",
                operation.name, answer.status, answer.body
            );
            let problem = answer.problem(StatusCode::NOT_FOUND, "not_found").clone();
            let mut nobodys = input.clone();
            nobodys["id"] = unknown.clone();
            let nothing = stand.call_as(key, operation.name, nobodys, Some(&crate::stand::fresh())).await;
            let nothing = nothing.problem(StatusCode::NOT_FOUND, "not_found");
            let detail = |problem: &Value, id: &Value| {
                problem["detail"].as_str().unwrap_or_default().replace(id.as_str().unwrap_or_default(), "ID")
            };
            assert_eq!(
                detail(&Value::Object(problem.clone()), theirs),
                detail(&Value::Object(nothing.clone()), &unknown),
                "{}: the answer tells that the id exists",
                operation.name
            );
        }
        tried += 1;
    }
    assert!(tried >= 15, "only {tried} operations");
    assert_eq!(stand.rows().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_another_merchant_in_a_body_or_a_filter_does_not_exist() {
    let stand = Stand::start().await;
    let objects = objects(&stand).await;
    let stranger = stand.another_merchant().await;
    let refund = json!({"order_id": objects["orders"], "amount": 1});
    let answer = stand.call_as(&stranger, "refunds.create", refund, Some("r1")).await;
    assert_eq!(answer.problem(StatusCode::NOT_FOUND, "not_found")["param"], "order_id");
    for (operation, filter, noun) in [
        ("refunds.list", "order_id", "orders"),
        ("deliveries.list", "event_id", "events"),
        ("deliveries.list", "endpoint_id", "webhook_endpoints"),
    ] {
        let mut input = json!({});
        input[filter] = objects[noun].clone();
        let answer = stand.call_as(&stranger, operation, input, None).await;
        assert_eq!((answer.status, &answer.body["data"]), (200, &json!([])), "{operation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_show_their_own_merchants_rows_only() {
    let stand = Stand::start().await;
    let objects = objects(&stand).await;
    let stranger = stand.another_merchant().await;
    let own = stand.call_as(&stranger, "orders.create", order(700, "testpay.card"), Some("o1")).await;
    for operation in
        CATALOGUE.iter().filter(|operation| operation.method == Method::GET && !operation.path.contains('{'))
    {
        if operation.scope == paycore::merchant::Scope::Platform {
            continue;
        }
        let mut answer = stand.call_as(&stranger, operation.name, json!({}), None).await;
        if answer.body["code"] == "missing_parameter" {
            let example: Value = serde_json::from_str(operation.example).expect("an example");
            answer = stand.call_as(&stranger, operation.name, example, None).await;
        } else {
            assert_eq!(answer.status, 200, "{}: {}", operation.name, answer.body);
        }
        let text = answer.body.to_string();
        for id in objects.values().filter_map(Value::as_str) {
            assert!(!text.contains(id), "{} shows {id}", operation.name);
        }
    }
    let orders = stand.call_as(&stranger, "orders.list", json!({}), None).await;
    assert_eq!(orders.body["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(orders.body["data"][0]["id"], own.body["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_walked_by_cursor_without_gap_or_repeat() {
    let stand = Stand::start().await;
    let mut made = Vec::new();
    for amount in 1..=7 {
        made.push(stand.ok("orders.create", order(amount, "testpay.card")).await["id"].clone());
    }
    made.reverse();
    let mut seen: Vec<Value> = Vec::new();
    let mut input = json!({"limit": 3});
    loop {
        let page = stand.ok("orders.list", input.clone()).await;
        seen.extend(page["data"].as_array().unwrap().iter().map(|order| order["id"].clone()));
        if page["has_more"] == false {
            break;
        }
        input["starting_after"] = page["next_cursor"].clone();
    }
    assert_eq!(seen, made);
    let back = stand.ok("orders.list", json!({"limit": 3, "ending_before": made[4]})).await;
    let ids: Vec<Value> = back["data"].as_array().unwrap().iter().map(|order| order["id"].clone()).collect();
    assert_eq!(ids, made[1..4]);
}
