//! Bad input, made for every operation from its own schema: always a problem that names the parameter, never a
//! write.

use http::{Method, StatusCode};
use paycore::catalogue::{CATALOGUE, Operation};
use serde_json::{Map, Value, json};

use crate::stand::{Answer, Stand, fresh, order, set};

/// The input's schema with every reference resolved.
fn schema(operation: &Operation) -> Value {
    let settings =
        schemars::generate::SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    (operation.input)(&mut settings.into_generator()).to_value()
}

fn properties(operation: &Operation) -> Map<String, Value> {
    schema(operation)["properties"].as_object().cloned().unwrap_or_default()
}

fn is(property: &Value, kind: &str) -> bool {
    match &property["type"] {
        Value::String(one) => one == kind,
        Value::Array(many) => many.iter().any(|one| one == kind),
        _ => false,
    }
}

/// JSON texts that a property of this schema cannot be.
fn wrong_values(property: &Value) -> Vec<&'static str> {
    const NUMBERS: &[&str] =
        &["1.5", "1e2", "9223372036854775808", "18446744073709551616", "-9223372036854775809", "-1"];
    let (integer, text, list) = (is(property, "integer"), is(property, "string"), is(property, "array"));
    let mut wrong = vec!["{\"a\":{}}", "[[1]]"];
    if integer {
        let least = property["minimum"].as_i64();
        wrong.extend(NUMBERS.iter().filter(|raw| **raw != "-1" || least.is_none_or(|least| least > -1)));
        wrong.extend(["\"1\"", "true", "\"1.00\"", "[]"]);
        if least.is_some_and(|least| least > 0) {
            wrong.push("0");
        }
    } else if is(property, "boolean") {
        wrong.extend(["\"true\"", "1", "0"]);
    } else if text || property.get("enum").is_some() {
        wrong.extend(["1", "true", "[]"]);
        if let Some(most) = property["maxLength"].as_u64().filter(|most| *most < 5_000) {
            wrong.push(Box::leak(format!("\"{}\"", "x".repeat(most as usize + 1)).into_boxed_str()));
        }
        if property.get("pattern").is_some() || property.get("enum").is_some() {
            wrong.extend(["\"\"", "\"no such thing\"", "\"\\u0000\""]);
        }
    } else if list {
        wrong.extend(["1", "\"x\"", "{}"]);
    }
    wrong
}

/// The path with ids that are well formed, and the example's body without its path parameters.
fn place(operation: &Operation) -> (String, Map<String, Value>) {
    let mut body: Map<String, Value> = serde_json::from_str(operation.example).expect("an example");
    let mut path = operation.path.to_owned();
    for name in operation.path.split('{').skip(1).filter_map(|part| part.split('}').next()) {
        let value = body.remove(name).expect("an id in the example");
        path = path.replace(&format!("{{{name}}}"), value.as_str().expect("a text"));
    }
    (path, body)
}

/// JSON text of an object with one member as raw text: numbers that no JSON library keeps.
fn with(body: &Map<String, Value>, name: &str, raw: &str) -> String {
    let mut body = body.clone();
    body.insert(name.to_owned(), json!("\u{1}"));
    Value::Object(body).to_string().replace("\"\\u0001\"", raw)
}

async fn send(stand: &Stand, operation: &Operation, path: &str, body: String) -> Answer {
    let mut request = stand.post(path, body);
    set(&mut request, "authorization", &format!("Bearer {}", key_for(stand, operation)));
    stand.send(request).await
}

fn key_for<'a>(stand: &'a Stand, operation: &Operation) -> &'a str {
    if operation.scope == paycore::merchant::Scope::Platform { &stand.operator_key } else { &stand.test_key }
}

fn posts() -> impl Iterator<Item = &'static Operation> {
    CATALOGUE.iter().filter(|operation| operation.method == Method::POST)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_value_is_refused_by_name_in_every_operation() {
    let stand = Stand::start().await;
    stand.paid(1_000).await;
    let rows = stand.rows().await;
    let mut cases = 0;
    for operation in posts() {
        let (path, body) = place(operation);
        for (name, property) in
            properties(operation).iter().filter(|(name, _)| !operation.path.contains(&format!("{{{name}}}")))
        {
            for raw in wrong_values(property) {
                let answer = send(&stand, operation, &path, with(&body, name, raw)).await;
                let what = format!("{} {name} = {}", operation.name, raw.get(..40).unwrap_or(raw));
                assert_eq!(answer.status, 400, "{what}: {}", answer.body);
                let param = answer.body["param"].as_str().unwrap_or_default();
                let named = param == name
                    || param.starts_with(&format!("{name}."))
                    || param.starts_with(&format!("{name}["));
                assert!(named, "{what}: {}", answer.body);
                answer.problem(StatusCode::BAD_REQUEST, answer.body["code"].as_str().unwrap_or_default());
                cases += 1;
            }
        }
    }
    assert!(cases > 200, "only {cases} cases");
    assert_eq!(stand.rows().await, rows, "something was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_and_missing_parameters_are_refused_by_name_in_every_operation() {
    let stand = Stand::start().await;
    let rows = stand.rows().await;
    for operation in posts() {
        let (path, body) = place(operation);
        let unknown = send(&stand, operation, &path, with(&body, "colour", "\"red\"")).await;
        let problem = unknown.problem(StatusCode::BAD_REQUEST, "unknown_parameter");
        assert_eq!(problem["param"], "colour", "{}", operation.name);
        let twice =
            send(&stand, operation, &format!("{path}?colour=red"), Value::Object(body.clone()).to_string())
                .await;
        assert_eq!(twice.problem(StatusCode::BAD_REQUEST, "unknown_parameter")["param"], "colour");
        let required = schema(operation)["required"].as_array().cloned().unwrap_or_default();
        for name in required.iter().filter_map(Value::as_str).filter(|name| body.contains_key(*name)) {
            let mut less = body.clone();
            less.remove(name);
            let missing = send(&stand, operation, &path, Value::Object(less).to_string()).await;
            let problem = missing.problem(StatusCode::BAD_REQUEST, "missing_parameter");
            assert_eq!(problem["param"], name, "{}", operation.name);
        }
    }
    assert_eq!(stand.rows().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_json_is_refused_in_every_operation() {
    let stand = Stand::start().await;
    let rows = stand.rows().await;
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for operation in posts() {
        let (path, body) = place(operation);
        let good = Value::Object(body.clone()).to_string();
        let deep_member = with(&body, "metadata", &deep);
        for bad in [
            "nonsense",
            "[]",
            "1",
            "null",
            "\"{}\"",
            "{",
            "{\"a\"",
            &format!("{good}x"),
            &deep,
            &deep_member,
            "\u{feff}{}",
            "{\"a\":NaN}",
        ] {
            let answer = send(&stand, operation, &path, bad.to_owned()).await;
            assert_eq!(
                answer.status,
                400,
                "{}: {} {}",
                operation.name,
                bad.get(..40).unwrap_or(bad),
                answer.body
            );
            assert_eq!(answer.headers["content-type"], "application/problem+json");
        }
        let mut bytes = stand.post(&path, &b"{\"name\":\"\xff\"}"[..]);
        set(&mut bytes, "authorization", &format!("Bearer {}", key_for(&stand, operation)));
        assert_eq!(stand.send(bytes).await.status, 400, "{}", operation.name);
        let mut form = stand.post(&path, good);
        set(&mut form, "authorization", &format!("Bearer {}", key_for(&stand, operation)));
        set(&mut form, "content-type", "application/x-www-form-urlencoded");
        stand.send(form).await.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type");
        let large =
            format!("{{\"name\":\"{}\"}}", "x".repeat(if operation.takes_file { 17 << 20 } else { 70_000 }));
        send(&stand, operation, &path, large).await.problem(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large");
    }
    assert_eq!(stand.rows().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_query_parameters_are_refused_by_name_in_every_list() {
    let stand = Stand::start().await;
    for operation in CATALOGUE.iter().filter(|operation| operation.method == Method::GET) {
        let (path, body) = place(operation);
        let required = schema(operation)["required"].as_array().cloned().unwrap_or_default();
        let needed = |but: &str| {
            let names = required.iter().filter_map(Value::as_str).filter(|name| *name != but);
            let given = names.filter_map(|name| Some((name, body.get(name)?)));
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            given.map(|(name, value)| format!("&{name}={}", text(value))).collect::<String>()
        };
        let get = async |query: String| {
            let mut request = stand.request(Method::GET, &format!("{path}?{query}"), "");
            set(&mut request, "authorization", &format!("Bearer {}", key_for(&stand, operation)));
            stand.send(request).await
        };
        let unknown = get("colour=red".into()).await;
        assert_eq!(
            unknown.problem(StatusCode::BAD_REQUEST, "unknown_parameter")["param"],
            "colour",
            "{}",
            operation.name
        );
        for (name, property) in
            properties(operation).iter().filter(|(name, _)| !operation.path.contains(&format!("{{{name}}}")))
        {
            let wrong: &[&str] = match () {
                () if is(property, "integer") => {
                    &["0", "-1", "1.5", "1e2", "abc", "", "101", "18446744073709551616", "%00"]
                }
                () if is(property, "boolean") => &["1", "yes", ""],
                () if name.ends_with("_id") && name != "object_id"
                    || name.contains("ing_")
                    || name == "after" =>
                {
                    &["nonsense", "", "ord_", "%ff", "x%27%20or%201=1"]
                }
                () if name == "status" => &["nonsense", ""],
                () => &[],
            };
            // A page has at most a hundred rows; other numbers may be larger.
            for value in wrong.iter().filter(|value| **value != "101" || name == "limit") {
                let answer = get(format!("{name}={value}{}", needed(name))).await;
                assert_eq!(answer.status, 400, "{} {name}={value}: {}", operation.name, answer.body);
                assert_eq!(
                    answer.body["param"],
                    name.as_str(),
                    "{} {name}={value}: {}",
                    operation.name,
                    answer.body
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_no_ids_are_refused_in_every_path() {
    let stand = Stand::start().await;
    for operation in CATALOGUE.iter().filter(|operation| operation.path.contains("{id}")) {
        for wrong in [
            "nonsense",
            "ord_",
            "ORD_01JD7XK3FZ5V9B8M2Q4R6T8W0Y",
            "%00",
            "%ff",
            "..%2f..",
            "ord_01jd7xk3fz5v9b8m2q4r6t8w0yx",
        ] {
            let path = operation.path.replace("{id}", wrong);
            let (_, body) = place(operation);
            let mut request = match operation.method {
                Method::GET => stand.request(Method::GET, &path, ""),
                _ => stand.post(&path, Value::Object(body).to_string()),
            };
            set(&mut request, "authorization", &format!("Bearer {}", key_for(&stand, operation)));
            let answer = stand.send(request).await;
            let refused = answer.status == 400 && answer.body["param"] == "id" || answer.status == 404;
            assert!(refused, "{} {wrong}: {} {}", operation.name, answer.status, answer.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_exact_or_refused_in_currencies_of_every_exponent() {
    let stand = Stand::start().await;
    for currency in ["JPY", "CNY", "KWD", "CLF"] {
        for raw in ["1", "99", "99999999999999"] {
            let mut input = order(1, "testpay.card");
            input["currency"] = json!(currency);
            let body = with(input.as_object().unwrap(), "amount", raw);
            let answer = stand.send(stand.post("/v1/orders", body)).await;
            assert_eq!(answer.status, 200, "{raw} {currency}: {}", answer.body);
            assert_eq!(answer.body["amount"].to_string(), raw);
        }
        for raw in [
            "100000000000000",
            "9223372036854775807",
            "0",
            "-0",
            "-1",
            "0.1",
            "1e1",
            "\"1,000\"",
            "\"0x10\"",
            "\" 1\"",
            "null",
        ] {
            let mut input = order(1, "testpay.card");
            input["currency"] = json!(currency);
            let body = with(input.as_object().unwrap(), "amount", raw);
            let answer = stand.send(stand.post("/v1/orders", body)).await;
            assert_eq!(answer.problem(StatusCode::BAD_REQUEST, "invalid_amount")["param"], "amount", "{raw}");
        }
    }
    for currency in ["XXQ", "cny1", "", "XAU ", "人民币", "840"] {
        let mut input = order(1, "testpay.card");
        input["currency"] = json!(currency);
        let answer = stand.call("orders.create", input).await;
        assert_eq!(
            answer.problem(StatusCode::BAD_REQUEST, "invalid_currency")["param"],
            "currency",
            "{currency}"
        );
    }
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_any_kind_come_back_as_they_were() {
    let stand = Stand::start().await;
    let hostile = [
        "'; drop table orders; --",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "=1+1",
        "a\u{202e}b",
        "🧧 红包",
        "%0d%0aSet-Cookie: a=b",
    ];
    for text in hostile {
        let mut input = order(500, "testpay.card");
        input["subject"] = json!(text);
        input["metadata"] = json!({"note": text});
        let made = stand.ok("orders.create", input).await;
        let read = stand.ok("orders.retrieve", json!({"id": made["id"]})).await;
        assert_eq!((&read["subject"], &read["metadata"]["note"]), (&json!(text), &json!(text)));
    }
    for text in ["", "  ", "a\nb", "a\u{0}b", "a\r\nb"] {
        let mut input = order(500, "testpay.card");
        input["subject"] = json!(text);
        let refused = stand.call_as(&stand.test_key, "orders.create", input, Some(&fresh())).await;
        assert_eq!(
            refused.problem(StatusCode::BAD_REQUEST, "invalid_request")["param"],
            "subject",
            "{text:?}"
        );
    }
}
