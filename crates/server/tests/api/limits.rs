//! How much and how often.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stand::{Stand, set};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_calls_too_often_is_told_to_wait() {
    let stand = Stand::start_with(|config| (config.rate_per_second, config.rate_burst) = (1, 5)).await;
    let mut answers = Vec::new();
    for _ in 0..8 {
        answers.push(stand.call("merchants.me", json!({})).await);
    }
    let passed = answers.iter().take_while(|answer| answer.status == 200).count();
    assert!((5..=6).contains(&passed), "{passed} passed");
    assert_eq!(answers[0].headers["ratelimit-policy"], "\"default\";q=5;w=5");
    assert_eq!(answers[0].headers["ratelimit"], "\"default\";r=4;t=1");
    let limited = &answers[7];
    assert_eq!(limited.problem(StatusCode::TOO_MANY_REQUESTS, "rate_limited")["retryable"], true);
    assert_eq!(limited.headers["retry-after"], "1");
    assert_eq!(limited.headers["ratelimit"], "\"default\";r=0;t=5");
    let other = stand.call_as(&stand.live_key, "merchants.me", json!({}), None).await;
    assert_eq!(other.status, 200, "another key has its own bucket");
    let health = stand.get("/healthz").await;
    assert_eq!(health.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_limit_no_limit_is_told() {
    let stand = Stand::start().await;
    let answer = stand.call("merchants.me", json!({})).await;
    assert!(!answer.headers.contains_key("ratelimit"));
}

/// Sends raw bytes and reads what comes until the connection is closed or nothing comes for a second.
async fn raw(stand: &Stand, text: &str) -> String {
    let address = stand.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(text.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let mut chunk = [0u8; 4096];
    while let Ok(Ok(count)) = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut chunk)).await {
        if count == 0 {
            break;
        }
        answer.extend_from_slice(&chunk[..count]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_announces_too_much_is_refused_unread() {
    let stand = Stand::start().await;
    let head = format!(
        "POST /v1/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nidempotency-key: a\r\n\
         content-type: application/json\r\ncontent-length: 1073741824\r\n\r\n{{",
        stand.test_key
    );
    let answer = raw(&stand, &head).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close") && answer.contains("body_too_large"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_a_length_is_cut_at_the_limit() {
    let stand = Stand::start().await;
    let chunk = format!("{:x}\r\n{}\r\n", 60_000, "x".repeat(60_000));
    let text = format!(
        "POST /v1/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nidempotency-key: a\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{chunk}",
        stand.test_key
    );
    let answer = raw(&stand, &text).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_or_not_http_ends_the_connection() {
    let stand = Stand::start().await;
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "x".repeat(300_000));
    let answer = raw(&stand, &large).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    let answer = raw(&stand, "nonsense\r\n\r\n").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(stand.get("/healthz").await.status, 200, "others are not disturbed");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_allowed_wait_for_room() {
    let stand = Stand::start_with(|config| config.connections_max = 2).await;
    let address = stand.url.trim_start_matches("http://").to_owned();
    let one = TcpStream::connect(&address).await.expect("a connection");
    let two = TcpStream::connect(&address).await.expect("a connection");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut waiting = TcpStream::connect(&address).await.expect("a connection");
    waiting.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("sent");
    let mut answer = Vec::new();
    let early = tokio::time::timeout(Duration::from_millis(300), waiting.read_to_end(&mut answer)).await;
    assert!(early.is_err(), "there was no room: {answer:?}");
    drop((one, two));
    tokio::time::timeout(Duration::from_secs(5), waiting.read_to_end(&mut answer))
        .await
        .expect("room")
        .expect("read");
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_dated_known_and_echoed() {
    let stand = Stand::start().await;
    let ask = async |version: &str| {
        let mut request = stand.request(Method::GET, "/v1/merchants/me", "");
        set(&mut request, "authorization", &format!("Bearer {}", stand.test_key));
        set(&mut request, "paycore-version", version);
        stand.send(request).await
    };
    let known = ask("2026-11-01").await;
    assert_eq!((known.status, known.headers["paycore-version"].to_str().unwrap()), (200, "2026-11-01"));
    let unknown = ask("1999-01-01").await;
    assert_eq!(unknown.problem(StatusCode::BAD_REQUEST, "version_unknown")["param"], "Paycore-Version");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_request_id_comes_back_and_others_are_made() {
    let stand = Stand::start().await;
    let mut request = stand.request(Method::GET, "/v1/nothing", "");
    set(&mut request, "request-id", "till-3_0001");
    let answer = stand.send(request).await;
    assert_eq!(answer.problem(StatusCode::NOT_FOUND, "not_found")["request_id"], "till-3_0001");
    let (one, two) = (stand.get("/healthz").await, stand.get("/healthz").await);
    assert_ne!(one.headers["request-id"], two.headers["request-id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn titles_are_chinese_where_that_is_preferred() {
    let stand = Stand::start().await;
    let mut request = stand.request(Method::GET, "/v1/orders", "");
    set(&mut request, "accept-language", "zh-CN,zh;q=0.9,en;q=0.8");
    let answer = stand.send(request).await;
    assert_eq!(answer.problem(StatusCode::UNAUTHORIZED, "unauthenticated")["title"], "需要有效的 API 密钥");
    assert_eq!(answer.headers["content-language"], "zh");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_health_are_told() {
    let stand = Stand::start_with(|config| config.metrics_key = "let-me-in".into()).await;
    stand.paid(1_000).await;
    stand
        .call_as(&stand.test_key, "orders.create", crate::stand::order(9_003, "testpay.card"), Some("open"))
        .await;
    stand.get("/v1/nothing").await;
    let refused = stand.get("/metrics").await;
    refused.problem(StatusCode::FORBIDDEN, "forbidden");
    let mut request = stand.request(Method::GET, "/metrics", "");
    set(&mut request, "authorization", "Bearer let-me-in");
    let metrics = stand.send(request).await;
    let text = String::from_utf8_lossy(&metrics.bytes).into_owned();
    for line in [
        "paycore_requests_total{operation=\"orders.create\",code=\"ok\"} 2",
        "paycore_requests_total{operation=\"unmatched\",code=\"not_found\"} 1",
        "paycore_request_duration_seconds_count{operation=\"orders.create\"} 2",
        "paycore_queue_due{queue=\"deliveries\"} 0",
        "paycore_unknown_outcomes 1",
        "paycore_exceptions_open 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert_eq!(&stand.get("/healthz").await.bytes[..], b"ok\n");
    assert_eq!(&stand.get("/readyz").await.bytes[..], b"ready\n");
}
