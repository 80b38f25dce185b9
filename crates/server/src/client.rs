//! Requests to a server like this one, made from the catalogue: what the command line and the tests send.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use paycore::catalogue::Operation;
use serde_json::{Map, Value};
use url::form_urlencoded::Serializer;

/// Where the server is, and who calls.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Such as `https://pay.example`.
    pub url: &'a str,
    /// The API key.
    pub key: &'a str,
}

/// The request of an operation with this input (path parameters included) and idempotency key.
///
/// # Errors
/// A sentence, where a path parameter is missing or the address or key cannot stand in a request.
pub fn request(
    target: Target<'_>,
    operation: &Operation,
    input: Map<String, Value>,
    idempotency_key: Option<&str>,
) -> Result<Request<Bytes>, String> {
    let (path, input) = address(operation, input)?;
    let mut request = Request::builder().method(operation.method.clone());
    request = request.header(AUTHORIZATION, format!("Bearer {}", target.key));
    if let Some(key) = idempotency_key {
        request = request.header("idempotency-key", key);
    }
    let url = target.url.trim_end_matches('/');
    let request = if operation.method == Method::GET {
        request.uri(format!("{url}{path}{}", query(input))).body(Bytes::new())
    } else {
        let body = Value::Object(input).to_string();
        request.uri(format!("{url}{path}")).header(CONTENT_TYPE, "application/json").body(body.into())
    };
    request.map_err(|error| error.to_string())
}

/// The path with its parameters filled in, and the rest of the input.
fn address(
    operation: &Operation,
    mut input: Map<String, Value>,
) -> Result<(String, Map<String, Value>), String> {
    let mut path = String::new();
    for part in operation.path.split_inclusive('}') {
        let Some((fixed, name)) = part.split_once('{') else {
            path.push_str(part);
            continue;
        };
        let name = name.trim_end_matches('}');
        let value = input.remove(name).ok_or_else(|| format!("`{}` needs `{name}`", operation.name))?;
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        path.push_str(fixed);
        path.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
    }
    Ok((path, input))
}

fn query(input: Map<String, Value>) -> String {
    if input.is_empty() {
        return String::new();
    }
    let mut query = Serializer::for_suffix(String::from("?"), 1);
    for (name, value) in input {
        query.append_pair(&name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use paycore::catalogue::find;

    use super::*;

    fn made(operation: &str, input: &str) -> Result<Request<Bytes>, String> {
        let target = Target { url: "http://localhost:1/", key: "sk_test_a" };
        let input = serde_json::from_str(input).unwrap();
        request(target, find(operation).unwrap(), input, Some("k"))
    }

    #[test]
    fn the_input_is_spread_over_path_query_and_body() {
        let get = made("orders.list", r#"{"limit": 3, "status": "closed"}"#).unwrap();
        assert_eq!(get.uri(), "http://localhost:1/v1/orders?limit=3&status=closed");
        assert!(get.body().is_empty());
        let post = made("orders.capture", r#"{"id": "ord_a/b", "amount": 5}"#).unwrap();
        assert_eq!(post.uri(), "http://localhost:1/v1/orders/ord_a%2Fb/capture");
        assert_eq!(post.body(), r#"{"amount":5}"#);
        assert_eq!(post.headers()["idempotency-key"], "k");
    }

    #[test]
    fn a_missing_path_parameter_is_named() {
        assert!(made("orders.capture", "{}").unwrap_err().contains("`id`"));
    }
}
