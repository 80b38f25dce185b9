//! The reference: complete, offline, and closed to scripts from elsewhere.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use paycore::catalogue::CATALOGUE;
use paycore::error::Code;

use crate::stand::Stand;

#[tokio::test(flavor = "multi_thread")]
async fn openapi_json_has_every_route_and_no_other() {
    let stand = Stand::start().await;
    let document = stand.get("/openapi.json").await;
    assert_eq!(document.body["openapi"], "3.1.0");
    let mut documented = BTreeSet::new();
    for (path, methods) in document.body["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            documented.insert((path.clone(), method.to_ascii_uppercase()));
        }
    }
    let rows = CATALOGUE.iter().map(|operation| (operation.path.to_owned(), operation.method.to_string()));
    assert_eq!(documented, rows.collect());
    for (path, method) in &documented {
        let path = path.replace("{id}", "x");
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let answer = stand.send(stand.request(method, &path, "")).await;
        answer.problem(StatusCode::UNAUTHORIZED, "unauthenticated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_load_nothing_from_elsewhere() {
    let stand = Stand::start().await;
    for path in ["/", "/docs", "/docs/errors", "/docs/reference.js", "/docs/style.css"] {
        let page = stand.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        let policy = page.headers["content-security-policy"].to_str().expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(page.headers["x-frame-options"], "DENY");
        let text = String::from_utf8_lossy(&page.bytes).into_owned();
        for outside in ["http://", "https://", "<script>", "onclick=\"", "style=\"", "src=\"//"] {
            assert!(!text.contains(outside), "{path} holds {outside}");
        }
        for link in text.split("=\"/").skip(1).filter_map(|rest| rest.split('"').next()) {
            let linked = stand.get(&format!("/{link}")).await;
            assert_eq!(linked.status, 200, "{path} leads to /{link}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_code_has_its_place_in_both_languages() {
    let stand = Stand::start().await;
    let page = stand.get("/docs/errors").await;
    let text = String::from_utf8_lossy(&page.bytes).into_owned();
    for code in Code::ALL {
        assert!(text.contains(&format!("<tr id=\"{}\">", code.text())), "{}", code.text());
        assert!(text.contains(code.title_zh()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_and_addresses_are_problems() {
    let stand = Stand::start().await;
    for path in [
        "/v1",
        "/v1/",
        "/v1/orders/",
        "/V1/orders",
        "/v2/orders",
        "/docs/",
        "/../etc/passwd",
        "/notify",
        "/sandbox/x/y",
    ] {
        let answer = stand.get(path).await;
        answer.problem(StatusCode::NOT_FOUND, "not_found");
    }
    for (path, allowed) in [
        ("/v1/orders", "GET, POST, HEAD, OPTIONS"),
        ("/v1/orders/x/close", "POST, OPTIONS"),
        ("/v1/balances", "GET, HEAD, OPTIONS"),
        ("/docs", "GET, HEAD, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
    ] {
        let mut wanted: Vec<_> = allowed.split(", ").collect();
        wanted.sort_unstable();
        for method in [Method::DELETE, Method::PUT, Method::PATCH, Method::OPTIONS] {
            let answer = stand.send(stand.request(method.clone(), path, "")).await;
            let mut allow: Vec<_> = answer.headers["allow"]
                .to_str()
                .expect("a list")
                .split([',', ' '])
                .filter(|m| !m.is_empty())
                .collect();
            allow.sort_unstable();
            assert_eq!(allow, wanted, "{method} {path}");
            if method == Method::OPTIONS {
                assert_eq!(answer.status, 204);
            } else {
                answer.problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
            }
        }
    }
    let head = stand.send(stand.request(Method::HEAD, "/docs", "")).await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
}
