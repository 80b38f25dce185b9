//! `paycore call`: any operation of a running server, from the command line. The program is an API client like any
//! other; the catalogue tells it the method and the path.

use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use paycore::catalogue::{CATALOGUE, Operation, find};
use paycore::time::Rng as _;
use paycore::transport::Transport as _;
use paycore::transport::guard::GuardPolicy;
use paycore::transport::reqwest::ReqwestTransport;
use paycore::transport::system::SystemRng;
use serde_json::{Map, Value};
use url::form_urlencoded::Serializer;

use super::{fail, print};

const TIMEOUT: Duration = Duration::from_secs(60);

/// What to call.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The operation, such as `orders.create`. 操作名。
    operation: String,
    /// Its input as a JSON object, path parameters included. JSON 参数。
    #[arg(default_value = "{}")]
    input: String,
    /// The API key. 密钥。
    #[arg(long, env = "PAYCORE_KEY", hide_env_values = true)]
    key: String,
    /// Where the server is. 服务地址。
    #[arg(long, env = "PAYCORE_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The idempotency key; a new one where absent. 幂等键。
    #[arg(long)]
    idempotency_key: Option<String>,
}

/// Prints the answer; ends with 1 where it is an error.
pub async fn run(options: Options) -> ExitCode {
    let request = match request(&options) {
        Ok(request) => request,
        Err(error) => return fail(&error),
    };
    // Whoever types the address may reach it: this is the operator's own machine.
    let everywhere = ["0.0.0.0/0", "::/0"].map(|network| network.parse());
    let allow = everywhere.into_iter().filter_map(Result::ok).collect();
    let transport = match ReqwestTransport::new(GuardPolicy { allow, http: true }) {
        Ok(transport) => transport,
        Err(error) => return fail(&error),
    };
    match transport.send(request, TIMEOUT).await {
        Ok(reply) => {
            print(&format!("{}\n", String::from_utf8_lossy(reply.body())));
            if reply.status().is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => fail(&error),
    }
}

fn request(options: &Options) -> Result<Request<Bytes>, String> {
    let operation = find(&options.operation).ok_or_else(|| {
        let names: Vec<_> = CATALOGUE.iter().map(|operation| operation.name).collect();
        format!("there is no operation `{}`; there are {}", options.operation, names.join(", "))
    })?;
    let input: Map<String, Value> = serde_json::from_str(&options.input)
        .map_err(|error| format!("the input is not a JSON object: {error}"))?;
    let (path, input) = address(operation, input)?;
    let mut request = Request::builder().method(operation.method.clone());
    request = request.header(AUTHORIZATION, format!("Bearer {}", options.key));
    if operation.mutates {
        request =
            request.header("idempotency-key", options.idempotency_key.clone().unwrap_or_else(fresh_key));
    }
    let url = options.url.trim_end_matches('/');
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

fn fresh_key() -> String {
    let mut random = [0u8; 16];
    SystemRng.fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(operation: &str, input: &str) -> Options {
        Options {
            operation: operation.into(),
            input: input.into(),
            key: "sk_test_a".into(),
            url: "http://localhost:1/".into(),
            idempotency_key: Some("k".into()),
        }
    }

    #[test]
    fn the_input_is_spread_over_path_query_and_body() {
        let get = request(&options("orders.list", r#"{"limit": 3, "status": "closed"}"#)).unwrap();
        assert_eq!(get.uri(), "http://localhost:1/v1/orders?limit=3&status=closed");
        assert!(get.body().is_empty() && !get.headers().contains_key("idempotency-key"));
        let post = request(&options("orders.capture", r#"{"id": "ord_a/b", "amount": 5}"#)).unwrap();
        assert_eq!(post.uri(), "http://localhost:1/v1/orders/ord_a%2Fb/capture");
        assert_eq!(post.body(), r#"{"amount":5}"#);
        assert_eq!(post.headers()["idempotency-key"], "k");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(request(&options("orders.capture", "{}")).unwrap_err().contains("`id`"));
        assert!(request(&options("orders.destroy", "{}")).unwrap_err().contains("orders.create"));
        assert!(request(&options("orders.list", "[]")).is_err());
    }
}
