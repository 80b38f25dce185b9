//! How a server ends, and what is there when it starts again.

use std::sync::Arc;
use std::time::Duration;

use paycore::transport::system::SystemRng;
use paycore_server::{assemble, first_start, serve};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stand::{Stand, order};

#[tokio::test(flavor = "multi_thread")]
async fn a_running_request_ends_and_no_new_one_begins() {
    let mut stand = Stand::start().await;
    let address = stand.url.trim_start_matches("http://").to_owned();
    let body = order(1_000, "testpay.card").to_string();
    let head = format!(
        "POST /v1/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nidempotency-key: a\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        stand.test_key,
        body.len()
    );
    let mut slow = TcpStream::connect(&address).await.expect("a connection");
    let (first, rest) = body.split_at(10);
    slow.write_all(format!("{head}{first}").as_bytes()).await.expect("sent");
    let mut idle = TcpStream::connect(&address).await.expect("a connection");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let running = stand.running.take().expect("a server");
    let stopped = tokio::spawn(running.stop());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(TcpStream::connect(&address).await.is_err(), "the port is closed");
    let mut nothing = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(2), idle.read_to_end(&mut nothing)).await;
    assert!(closed.is_ok() && nothing.is_empty(), "an idle connection is closed");
    assert!(!stopped.is_finished(), "the running request is waited for");
    slow.write_all(rest.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.expect("an answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"succeeded\""), "{answer}");
    tokio::time::timeout(Duration::from_secs(5), stopped).await.expect("stopped soon").expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_left_behind_is_finished() {
    let stand = Stand::start().await;
    let address = stand.url.trim_start_matches("http://").to_owned();
    for number in 0..20 {
        let mut input = order(1_000, "testpay.card");
        input["out_trade_no"] = json!(format!("left-{number}"));
        let body = input.to_string();
        let request = format!(
            "POST /v1/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nidempotency-key: left-{number}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            stand.test_key,
            body.len()
        );
        let mut caller = TcpStream::connect(&address).await.expect("a connection");
        caller.write_all(request.as_bytes()).await.expect("sent");
        // Gone at once: some leave before the request is read, some while it runs.
        tokio::time::sleep(Duration::from_micros(number * 400)).await;
        drop(caller);
    }
    let settled = |list: &serde_json::Value| {
        list["data"].as_array().is_some_and(|rows| rows.iter().all(|row| row["status"] == "succeeded"))
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    stand.becomes("orders.list", json!({"limit": 100}), settled).await;
    stand.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_finds_everything_and_goes_on() {
    let mut stand = Stand::start().await;
    let open = stand.ok("orders.create", order(9_005, "alipay.qr")).await;
    stand.payer_pays(&open).await;
    stand.running.take().expect("a server").stop().await;

    let mut config = stand.config.clone();
    config.listen = stand.url.trim_start_matches("http://").to_owned();
    let listener = serve::bind(&config).await.expect("the same port");
    let store = assemble::store(&config).await.expect("the same store");
    let engine = Arc::new(assemble::engine(&config, store, &stand.url).expect("an engine"));
    let started = first_start::run(&engine, &config.data_dir, true).await.expect("a start");
    assert!(started.first.is_none(), "the first start is over");
    assert_eq!(started.test_key.expect("a sandbox").expose(), stand.test_key);
    stand.engine = Arc::clone(&engine);
    stand.running = Some(serve::start(&config, engine, listener, &SystemRng).expect("a server"));

    // The notification was due an hour after the payment; the simulator remembers it.
    stand.ok("sandbox.advance_clock", json!({"seconds": 3_601})).await;
    stand.order_becomes(&open["id"], "succeeded").await;
    stand.verify().await;
}
