//! Testpay against its specification: the fixtures were signed by hand after the README, and the simulator's own
//! rules (pages, retries, expiry) are walked here. What every channel has to do is in `conformance.rs`.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request, Response};
use paycore::channel::card::{Card, Expiry, Usage};
use paycore::channel::simulator::{Answer, Simulator};
use paycore::channel::{
    Action, Capture, CaptureMode, Channel, Close, Context, DeclineReason, Driver, Fault, Initiator, Line,
    Operation, Outcome, Pay, Payment, Query, QueryRefund, Refund, Refusal, Settings, Step, Subject, Totals,
    Verdict, Void,
};
use paycore::crypto::native::NativeKeyring;
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::secret::Secret;
use paycore::time::{Rng, Timestamp};
use paycore_channels::testpay::Testpay;
use sha2::Sha256;

const SECRET: &str = "fixture-secret-0123456789abcdef-0123";
const NOW: Timestamp = Timestamp::from_millis(1_763_855_921_000);
const NOTIFY_URL: &str = "https://merchant.example/notify/cha_1?v=1";

/// Fills with 0, 1, 2, … so that the nonce of the fixtures is known.
struct Counting;

impl Rng for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for (byte, value) in bytes.iter_mut().zip(0..) {
            *byte = value;
        }
    }
}

fn settings(base_url: &str) -> Settings {
    Settings::from_pairs([("account", "acct_fixture"), ("secret", SECRET), ("base_url", base_url)])
}

fn channel() -> Arc<dyn Channel> {
    Testpay.open(&settings("https://testpay.example/sandbox/"), &NativeKeyring).unwrap()
}

fn simulator() -> Box<dyn Simulator> {
    let maker = Testpay.simulator().unwrap();
    maker.open(&settings("https://testpay.example/sandbox"), &NativeKeyring).unwrap()
}

fn cx_at(now: Timestamp) -> Context<'static> {
    Context { now, rng: &Counting, notify_url: NOTIFY_URL }
}

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn pay(scene: &str, minor: i64) -> Pay {
    Pay {
        reference: "ATT1".to_owned(),
        started_at: NOW,
        money: cny(minor),
        method: format!("testpay.{scene}").parse().unwrap(),
        subject: "Tea 茶 \"1\"".to_owned(),
        description: None,
        return_url: None,
        expires_at: None,
        capture: CaptureMode::Automatic,
        payer: Default::default(),
        shared: false,
        parts: Vec::new(),
        card: None,
        mandate: None,
    }
}

/// What later operations say of the payment.
fn about(channel_id: Option<String>) -> Payment {
    let method = "testpay.card".parse().unwrap();
    let reference = "ATT1".to_owned();
    Payment { reference, channel_id, method, money: cny(1234), started_at: NOW, ending_at: None }
}

fn query() -> Operation {
    Operation::Query(Query { payment: about(None) })
}

fn refund() -> Refund {
    Refund {
        reference: "REF1".to_owned(),
        started_at: NOW,
        payment: about(None),
        part: None,
        captured: cny(1234),
        money: cny(400),
        reason: Some("returned".to_owned()),
    }
}

/// The operation that a fixture shows.
fn operation(fixture: &str) -> Operation {
    let payment = about(Some("tp000000000001".to_owned()));
    match fixture {
        "pay_card" | "pay_declined" => Operation::Pay(pay("card", 1234)),
        "pay_card_manual" => Operation::Pay(Pay { capture: CaptureMode::Manual, ..pay("card", 1234) }),
        "pay_qr" => Operation::Pay(Pay {
            description: Some("Two cups".to_owned()),
            return_url: Some("https://merchant.example/thanks".to_owned()),
            expires_at: Some(NOW.plus(Duration::from_secs(1_800))),
            ..pay("qr", 1234)
        }),
        "query_absent" => query(),
        "close" => Operation::Close(Close { payment }),
        "capture_part" => Operation::Capture(Capture { payment, money: cny(1000) }),
        "void" => Operation::Void(Void { payment }),
        "refund" => Operation::Refund(refund()),
        "refund_query" => Operation::QueryRefund(QueryRefund {
            reference: "REF1".to_owned(),
            channel_id: None,
            started_at: NOW,
            payment: about(None),
            money: cny(400),
        }),
        other => panic!("no fixture {other}"),
    }
}

macro_rules! fixtures {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../src/testpay/fixtures/", $name, ".http")))),*]
    };
}

const EXCHANGES: &[(&str, &str)] = fixtures! {
    "pay_card" "pay_card_manual" "pay_qr" "pay_declined" "query_absent" "close" "capture_part" "void" "refund"
    "refund_query"
};
const NOTICES: &[(&str, &str)] = fixtures! { "notification_payment" "notification_refund" };
const STATEMENT: &str = include_str!("../src/testpay/fixtures/statement.csv");

fn rendered(request: &Request<Bytes>) -> String {
    let mut headers: Vec<String> = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
        .collect();
    headers.sort();
    let body = std::str::from_utf8(request.body()).unwrap();
    format!("{} {}\n{}\n{body}\n", request.method(), request.uri(), headers.concat())
}

/// First line, headers and body of a message in a fixture.
fn message(text: &str) -> (&str, http::HeaderMap, Bytes) {
    let (head, body) = text.trim_end_matches('\n').split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let first = lines.next().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.parse::<http::HeaderName>().unwrap(), value.parse::<http::HeaderValue>().unwrap())
    };
    (first, lines.map(header).collect(), Bytes::copy_from_slice(body.as_bytes()))
}

fn reply(text: &str) -> Response<Bytes> {
    let (first, headers, body) = message(text);
    let mut reply = Response::new(body);
    *reply.status_mut() = first.strip_prefix("HTTP ").unwrap().parse().unwrap();
    *reply.headers_mut() = headers;
    reply
}

fn notice(text: &str) -> Request<Bytes> {
    let (first, headers, body) = message(text);
    let mut notice = Request::new(body);
    *notice.method_mut() = Method::POST;
    *notice.uri_mut() = first.strip_prefix("POST ").unwrap().parse().unwrap();
    *notice.headers_mut() = headers;
    notice
}

/// A reply that the provider would sign, whatever it says.
fn signed(status: u16, path: &str, body: &str) -> Response<Bytes> {
    let mut reply = Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *reply.status_mut() = status.try_into().unwrap();
    *reply.headers_mut() = signed_headers(&status.to_string(), path, body);
    reply
}

fn signed_headers(first: &str, path: &str, body: &str) -> http::HeaderMap {
    let timestamp = NOW.millis().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{first}\n{path}\n{timestamp}\nn1\n{body}").as_bytes());
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut headers = http::HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json"),
        ("testpay-account", "acct_fixture"),
        ("testpay-timestamp", &timestamp),
        ("testpay-nonce", "n1"),
        ("testpay-signature", &format!("v1={digits}")),
    ] {
        headers.insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    headers
}

fn decoded(operation: &Operation, reply: &Response<Bytes>, now: Timestamp) -> Result<Outcome, Fault> {
    match channel().decode(operation, 0, reply, &cx_at(now))? {
        Step::Done(outcome) => Ok(outcome),
        other => panic!("another step: {other:?}"),
    }
}

fn state(status: &str) -> String {
    format!(r#"{{"reference":"ATT1","id":"tp1","status":"{status}","amount":1234,"currency":"CNY"}}"#)
}

#[test]
fn every_operation_is_written_and_signed_as_specified() {
    for (name, fixture) in EXCHANGES {
        let (request, _) = fixture.split_once("###\n").unwrap();
        match channel().encode(&operation(name), &cx_at(NOW)).unwrap() {
            Step::Send(call) => assert_eq!(rendered(&call.request), request, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn every_specified_reply_is_understood() {
    let at = Timestamp::from_millis(1_763_855_920_500);
    let known = |verdict, minor| Outcome::new(verdict).channel_id("tp000000000001").money(cny(minor));
    let qr = Action::Qr { content: "https://testpay.example/sandbox/payer/ATT1".to_owned() };
    let declined = |reason, code: &str, message: &str| {
        Verdict::Declined(paycore::channel::Decline {
            reason,
            code: code.to_owned(),
            message: message.to_owned(),
        })
    };
    let broke = declined(DeclineReason::InsufficientFunds, "insufficient_funds", "not enough money");
    let refused = declined(DeclineReason::Generic, "refund_refused", "the refund is refused");
    for (name, fixture) in EXCHANGES {
        let expected = match *name {
            "pay_card" => known(Verdict::Succeeded, 1234).at(at),
            "pay_card_manual" => known(Verdict::Authorized, 1234).at(at),
            "pay_qr" => known(Verdict::Awaiting(qr.clone()), 1234),
            "pay_declined" => known(broke.clone(), 1234),
            "query_absent" => Outcome::new(Verdict::Absent),
            "close" => known(Verdict::Closed, 1234),
            "capture_part" => known(Verdict::Succeeded, 1000).at(at),
            "void" => known(Verdict::Closed, 1234).at(at),
            "refund" => known(Verdict::Succeeded, 400).at(at),
            _ => known(refused.clone(), 400),
        };
        let (_, text) = fixture.split_once("###\n").unwrap();
        assert_eq!(decoded(&operation(name), &reply(text), NOW), Ok(expected), "{name}");
    }
}

#[test]
fn every_specified_notification_is_believed_and_acknowledged() {
    for (name, fixture) in NOTICES {
        let verified = channel().verify(&notice(fixture), &cx_at(NOW)).unwrap();
        let (subject, reference, minor) = match *name {
            "notification_payment" => (Subject::Payment, "ATT1", 1234),
            _ => (Subject::Refund, "REF1", 400),
        };
        let [report] = &verified.reports[..] else { panic!("{verified:?}") };
        assert_eq!((report.subject, report.reference.as_str()), (subject, reference));
        assert_eq!((&report.outcome.verdict, report.outcome.money), (&Verdict::Succeeded, Some(cny(minor))));
        assert_eq!((verified.reply.status().as_u16(), &verified.reply.body()[..]), (200, &b"ok"[..]));
    }
}

#[test]
fn five_minutes_are_in_time_and_a_millisecond_more_is_not() {
    let notice = notice(NOTICES[0].1);
    let (_, text) = EXCHANGES[0].1.split_once("###\n").unwrap();
    for (offset, in_time) in [(-300_001, false), (-300_000, true), (300_000, true), (300_001, false)] {
        let now = Timestamp::from_millis(NOW.millis() + offset);
        let verified = channel().verify(&notice, &cx_at(now)).map(|_| ());
        let read = decoded(&operation("pay_card"), &reply(text), now).map(|_| ());
        for result in [verified, read] {
            assert_eq!(result.is_ok(), in_time, "{offset}");
            assert!(in_time || matches!(result, Err(Fault::Unacceptable(_))), "{offset}: {result:?}");
        }
    }
}

#[test]
fn a_notification_for_another_path_is_refused() {
    let other = |uri: &str| {
        let mut notice = notice(NOTICES[0].1);
        *notice.uri_mut() = uri.parse().unwrap();
        channel().verify(&notice, &cx_at(NOW)).map(|_| ())
    };
    assert_eq!(other("/notify/cha_1?v=1"), Ok(()));
    for uri in ["/notify/cha_2?v=1", "/notify/cha_1", "/notify/cha_1?v=1&a=b", "/notify/CHA_1?v=1", "/"] {
        assert_eq!(other(uri), Err(Fault::Signature), "{uri}");
    }
}

#[test]
fn a_notification_signed_for_another_account_is_refused() {
    let other = notice(NOTICES[0].1);
    let body = std::str::from_utf8(other.body()).unwrap().replace("acct_fixture", "acct_other");
    let (mut parts, _) = other.into_parts();
    // Signed by our key all the same, as if two accounts shared it.
    parts.headers = signed_headers("POST", "/notify/cha_1?v=1", &body);
    let verified = channel().verify(&Request::from_parts(parts, body.into()), &cx_at(NOW));
    assert!(matches!(verified, Err(Fault::Unacceptable(_))), "{verified:?}");
}

#[test]
fn an_authentic_reply_that_is_not_json_by_type_is_not_believed() {
    for kind in ["text/html", "text/plain", "application/jsonp"] {
        let mut reply = signed(200, "/v1/query", &state("succeeded"));
        reply.headers_mut().insert("content-type", kind.parse().unwrap());
        assert!(matches!(decoded(&query(), &reply, NOW), Err(Fault::Unexpected(_))), "{kind}");
    }
}

#[test]
fn an_authentic_reply_with_wrong_content_is_not_believed() {
    let good = state("succeeded");
    assert!(decoded(&query(), &signed(200, "/v1/query", &good), NOW).is_ok());
    let changes = [
        (r#""ATT1""#, r#""ATT2""#),
        (r#""CNY""#, r#""cny""#),
        (r#""CNY""#, r#""XXX""#),
        (r#""CNY""#, "null"),
        (r#":1234"#, r#":"1234""#),
        (r#":1234"#, ":1234.0"),
        (r#":1234"#, ":1e3"),
        (r#":1234"#, ":-0"),
        (r#":1234"#, ":NaN"),
        (r#":1234"#, ":9223372036854775808"),
        (r#","amount":1234"#, ""),
        (r#","amount":1234"#, r#","amount":1234,"amount":1234"#),
        (r#""succeeded""#, r#""SUCCEEDED""#),
        (r#""succeeded""#, r#""refunded""#),
        (r#""succeeded""#, r#""awaiting""#),
        ("}", "}}"),
    ];
    for (from, to) in changes {
        let body = good.replacen(from, to, 1);
        assert_ne!(body, good, "{from}");
        let read = decoded(&query(), &signed(200, "/v1/query", &body), NOW);
        assert!(read.is_err(), "{body}: {read:?}");
    }
}

#[test]
fn another_amount_is_reported_as_the_channel_says_it() {
    let body = state("succeeded").replace("1234", "1235");
    let read = decoded(&query(), &signed(200, "/v1/query", &body), NOW).unwrap();
    assert_eq!(read.money, Some(cny(1235)), "the engine compares it with what was asked for");
}

#[test]
fn a_reply_to_another_call_is_not_believed() {
    let read = decoded(&query(), &signed(200, "/v1/close", &state("closed")), NOW);
    assert_eq!(read, Err(Fault::Signature));
}

#[test]
fn only_the_specified_refusals_are_definite() {
    let declines =
        |read: &Result<Outcome, Fault>| matches!(read, Ok(o) if matches!(o.verdict, Verdict::Declined(_)));
    let absent = |read: &Result<Outcome, Fault>| matches!(read, Ok(o) if o.verdict == Verdict::Absent);
    let errors = [
        (400, "invalid_request"),
        (409, "not_allowed"),
        (404, "not_found"),
        (404, "payment_not_found"),
        (401, "unauthenticated"),
        (409, "reference_reused"),
        (500, "system_error"),
        (400, "not_found"),
        (500, "invalid_request"),
        (418, "something_new"),
    ];
    let paths = ["charges", "query", "close", "capture", "void", "refunds", "refund_query"];
    let names = ["pay_card", "query_absent", "close", "capture_part", "void", "refund", "refund_query"];
    for (path, name) in paths.into_iter().zip(names) {
        for (status, error) in errors {
            let body = format!(r#"{{"error":"{error}","message":"m"}}"#);
            let read = decoded(&operation(name), &signed(status, &format!("/v1/{path}"), &body), NOW);
            let acts = ["pay_card", "capture_part", "void", "refund"].contains(&name);
            let expected = match (status, error) {
                (400, "invalid_request") | (409, "not_allowed") if acts => declines(&read),
                (404, "payment_not_found") if name == "refund" => declines(&read),
                (404, "not_found") if name != "pay_card" && name != "refund" => absent(&read),
                _ => matches!(read, Err(Fault::Unknown { .. })),
            };
            assert!(expected, "{name}: {status} {error}: {read:?}");
        }
    }
}

/// Sends an operation to the simulator and reads its reply.
fn perform(simulator: &mut dyn Simulator, operation: &Operation, now: Timestamp) -> Result<Outcome, Fault> {
    let Step::Send(mut call) = channel().encode(operation, &cx_at(now)).unwrap() else { panic!("no call") };
    let path = call.request.uri().path().strip_prefix("/sandbox").unwrap().to_owned();
    *call.request.uri_mut() = path.parse().unwrap();
    match simulator.handle(&call.request, now) {
        Answer::Reply(reply) => decoded(operation, &reply, now),
        Answer::Silence => Err(Fault::Transport("silence".to_owned())),
    }
}

/// What the payer's browser gets.
fn browse(simulator: &mut dyn Simulator, method: Method, path: &str) -> Response<Bytes> {
    let request = Request::builder().method(method).uri(path).body(Bytes::new()).unwrap();
    match simulator.handle(&request, NOW) {
        Answer::Reply(reply) => reply,
        Answer::Silence => panic!("{path} is not answered"),
    }
}

/// A payment by a card that was typed.
fn by_card(number: &str, cvc: &str, usage: Usage) -> Pay {
    let card = Card::new(Secret::new(number), Expiry { year: 2030, month: 12 }, usage);
    let card = Some(Box::new(card.cvc(Some(Secret::new(cvc)))));
    Pay { method: "card.web".parse().unwrap(), card, ..pay("card", 1234) }
}

#[test]
fn the_issuer_decides_by_the_number() {
    let typed = Usage::Typed { keep: false };
    let merchant = Usage::Stored(Initiator::Merchant);
    for (number, cvc, usage, expected) in [
        ("4242424242424242", "123", typed, "succeeded"),
        ("378282246310005", "1234", typed, "succeeded"),
        ("4000000000000002", "123", typed, "card_declined"),
        ("4000000000009995", "123", typed, "insufficient_funds"),
        ("4242424242424242", "000", typed, "incorrect_cvc"),
        ("4242424242424241", "123", typed, "invalid_card"),
        ("4000000000003220", "123", typed, "redirect"),
        ("4000000000003220", "123", merchant, "succeeded"),
    ] {
        let mut simulator = simulator();
        let operation = Operation::Pay(by_card(number, cvc, usage));
        let said = match perform(&mut *simulator, &operation, NOW).unwrap().verdict {
            Verdict::Succeeded => "succeeded".to_owned(),
            Verdict::Awaiting(Action::Redirect { .. }) => "redirect".to_owned(),
            Verdict::Declined(decline) => decline.code,
            other => panic!("{number}: {other:?}"),
        };
        assert_eq!(said, expected, "{number} {cvc}");
        assert!(!format!("{:?}", simulator.changed()).contains(&number[..12]), "the provider keeps it");
    }
}

#[test]
fn the_same_card_sent_again_without_its_code_acts_once() {
    let mut simulator = simulator();
    for number in ["4242424242424242", "4000000000003220"] {
        let mut pay = by_card(number, "123", Usage::Typed { keep: true });
        pay.reference = format!("R{number}");
        let first = perform(&mut *simulator, &Operation::Pay(pay.clone()), NOW).unwrap();
        let card = pay.card.take().unwrap();
        pay.card = Some(Box::new(card.cvc(None)));
        assert_eq!(perform(&mut *simulator, &Operation::Pay(pay), NOW).unwrap(), first, "{number}");
    }
    assert_eq!(simulator.book().len(), 1);
}

#[test]
fn a_card_goes_with_the_method_that_takes_one() {
    let card = by_card("4242424242424242", "123", Usage::Typed { keep: false });
    for wrong in [Pay { card: None, ..card.clone() }, Pay { method: pay("card", 1).method, ..card }] {
        let refused = channel().encode(&Operation::Pay(wrong), &cx_at(NOW)).unwrap_err();
        assert!(matches!(refused, Refusal::Parameter { param: "card", .. }), "{refused:?}");
    }
}

#[test]
fn a_reference_used_again_with_other_values_leaves_the_outcome_open() {
    let mut simulator = simulator();
    perform(&mut *simulator, &Operation::Pay(pay("card", 1234)), NOW).unwrap();
    for other in [pay("card", 1235), pay("qr", 1234)] {
        let read = perform(&mut *simulator, &Operation::Pay(other), NOW);
        assert!(matches!(&read, Err(Fault::Unknown { code, .. }) if code == "reference_reused"), "{read:?}");
    }
    assert_eq!(simulator.book().len(), 1);
}

#[test]
fn the_simulator_answers_a_wrong_signature_or_clock_with_nothing_but_a_refusal() {
    let mut simulator = simulator();
    let Ok(Step::Send(call)) = channel().encode(&operation("pay_card"), &cx_at(NOW)) else {
        panic!("no call")
    };
    let sent = |change: &dyn Fn(&mut Request<Bytes>), now: Timestamp, simulator: &mut dyn Simulator| {
        let mut request = call.request.clone();
        *request.uri_mut() = "/v1/charges".parse().unwrap();
        change(&mut request);
        match simulator.handle(&request, now) {
            Answer::Reply(reply) => reply.status().as_u16(),
            Answer::Silence => 0,
        }
    };
    let late = NOW.plus(Duration::from_millis(300_001));
    assert_eq!(sent(&|_| {}, late, &mut *simulator), 401);
    for name in ["testpay-account", "testpay-timestamp", "testpay-nonce", "testpay-signature"] {
        let without = |request: &mut Request<Bytes>| drop(request.headers_mut().remove(name));
        assert_eq!(sent(&without, NOW, &mut *simulator), 401, "{name}");
        let doubled = |request: &mut Request<Bytes>| {
            let value = request.headers()[name].clone();
            request.headers_mut().append(name, value);
        };
        assert_eq!(sent(&doubled, NOW, &mut *simulator), 401, "{name} twice");
    }
    let renamed = |request: &mut Request<Bytes>| {
        request.headers_mut().insert("testpay-account", "acct_other".parse().unwrap());
    };
    assert_eq!(sent(&renamed, NOW, &mut *simulator), 401);
    let elsewhere = |request: &mut Request<Bytes>| *request.uri_mut() = "/v1/refunds".parse().unwrap();
    assert_eq!(sent(&elsewhere, NOW, &mut *simulator), 401);
    let changed = |request: &mut Request<Bytes>| *request.body_mut() = Bytes::from_static(b"{}");
    assert_eq!(sent(&changed, NOW, &mut *simulator), 401);
    assert_eq!(simulator.book(), vec![]);
    assert_eq!(sent(&|_| {}, NOW, &mut *simulator), 200);
}

#[test]
fn a_payment_that_nobody_pays_in_time_closes() {
    let mut simulator = simulator();
    let expires_at = Some(NOW.plus(Duration::from_secs(60)));
    let started = Operation::Pay(Pay { expires_at, ..pay("qr", 1234) });
    perform(&mut *simulator, &started, NOW).unwrap();
    let verdict = |simulator: &mut dyn Simulator, seconds| {
        perform(simulator, &query(), NOW.plus(Duration::from_secs(seconds))).unwrap().verdict
    };
    assert!(matches!(verdict(&mut *simulator, 59), Verdict::Awaiting(_)));
    assert_eq!(verdict(&mut *simulator, 60), Verdict::Closed);
    let late =
        Operation::Pay(Pay { reference: "ATT2".to_owned(), expires_at: Some(NOW), ..pay("card", 1234) });
    let late = perform(&mut *simulator, &late, NOW).unwrap().verdict;
    assert!(matches!(late, Verdict::Declined(decline) if decline.reason == DeclineReason::Expired));
    assert_eq!(simulator.book(), vec![]);
}

#[test]
fn an_unacknowledged_notification_comes_again_on_schedule_and_then_no_more() {
    let mut simulator = simulator();
    perform(&mut *simulator, &Operation::Pay(pay("card", 1234)), NOW).unwrap();
    let busy = Response::builder().status(200).body(Bytes::from_static(b"later")).unwrap();
    let mut now = NOW;
    for seconds in [0, 5, 30, 120, 600, 3_600, 6 * 3_600, 24 * 3_600] {
        let due = now.plus(Duration::from_secs(seconds));
        assert_eq!(simulator.next_due(), Some(due), "after {seconds} s");
        assert!(seconds == 0 || simulator.due(due.minus(Duration::from_millis(1))).is_empty());
        let notifications = simulator.due(due);
        assert_eq!(notifications.len(), 1);
        assert!(channel().verify(&notifications[0].request, &cx_at(due)).is_ok());
        assert!(simulator.due(due).is_empty(), "it is on its way only once");
        simulator.notified(notifications[0].id, Some(&busy), due);
        now = due;
    }
    assert_eq!(simulator.next_due(), None);
}

#[test]
fn the_payer_page_shows_the_payment_and_nothing_of_it_is_markup() {
    let mut simulator = simulator();
    let hostile = "<script>alert('1')</script>&\"".to_owned();
    perform(&mut *simulator, &Operation::Pay(Pay { subject: hostile, ..pay("qr", 123_456) }), NOW).unwrap();
    let page = browse(&mut *simulator, Method::GET, "/payer/ATT1");
    let html = std::str::from_utf8(page.body()).unwrap();
    for part in ["支付 Pay", "取消 Cancel", "¥1,234.56", "&lt;script&gt;", "ATT1/pay", "ATT1/cancel"] {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
    assert!(!html.contains("<script"));
    assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert_eq!(browse(&mut *simulator, Method::GET, "/payer/ATT2").status(), 404);
    assert_eq!(browse(&mut *simulator, Method::DELETE, "/payer/ATT1").status(), 404);
    let paid = browse(&mut *simulator, Method::POST, "/payer/ATT1/pay");
    assert!(std::str::from_utf8(paid.body()).unwrap().contains("支付成功"));
}

#[test]
fn only_a_page_payment_leads_back_and_only_to_the_web() {
    let cases = [
        ("page", "https://merchant.example/thanks", 303),
        ("qr", "https://merchant.example/thanks", 200),
        ("page", "javascript:alert(1)", 200),
        ("page", "https://merchant.example/\r\nx: y", 200),
    ];
    for (scene, url, status) in cases {
        let mut simulator = simulator();
        let started = Pay { return_url: Some(url.to_owned()), ..pay(scene, 1234) };
        perform(&mut *simulator, &Operation::Pay(started), NOW).unwrap();
        let page = browse(&mut *simulator, Method::POST, "/payer/ATT1/pay");
        assert_eq!(page.status(), status, "{scene} {url}");
        assert_eq!(page.headers().contains_key("location"), status == 303);
        assert!(!std::str::from_utf8(page.body()).unwrap().contains("javascript:"));
        assert_eq!(simulator.book().len(), 1);
    }
}

#[test]
fn a_setting_that_does_not_fit_is_named_and_its_value_is_not_shown() {
    let cases = [
        ("account", " "),
        ("account", "a b"),
        ("secret", ""),
        ("secret", "0123456789abcdef0123456789abcde"),
        ("base_url", ""),
        ("base_url", "ftp://testpay.example"),
        ("base_url", "https://user:pw@testpay.example"),
        ("base_url", "https://testpay.example/?a=b"),
        ("base_url", "testpay"),
    ];
    for (field, value) in cases {
        let mut changed = settings("https://testpay.example/v/");
        changed.set(field, value);
        let error = Testpay.open(&changed, &NativeKeyring).err().expect("the setting is refused");
        assert_eq!(error.field, field, "{value}");
        assert!(value.len() < 5 || !error.to_string().contains(value), "{error}");
    }
}

fn read(statement: &str) -> (Vec<Line>, Result<Totals, Fault>) {
    let mut lines = Vec::new();
    let totals = channel().parse(&mut statement.as_bytes(), &mut |line| lines.push(line));
    (lines, totals)
}

#[test]
fn a_statement_reads_line_by_line_with_its_totals() {
    let (lines, totals) = read(STATEMENT);
    assert_eq!(totals, Ok(Totals { payments: 2, refunds: 1 }));
    assert_eq!(lines[0].money, cny(10_000));
    assert_eq!(lines[1].refund_reference.as_deref(), Some("RF1"));
    assert_eq!(lines[2].fee, Money::new(-3, Currency::JPY));
}

#[test]
fn a_statement_cut_anywhere_is_not_believed() {
    for length in 0..STATEMENT.len() {
        assert!(read(&STATEMENT[..length]).1.is_err(), "cut at {length}");
    }
}

#[test]
fn a_line_that_is_changed_doubled_or_left_out_is_noticed() {
    let lines: Vec<&str> = STATEMENT.split_inclusive('\n').collect();
    for position in 1..lines.len() {
        let mut doubled = lines.clone();
        doubled.insert(position, lines[position]);
        assert!(read(&doubled.concat()).1.is_err(), "line {position} doubled");
        let mut short = lines.clone();
        short.remove(position);
        assert!(read(&short.concat()).1.is_err(), "line {position} left out");
    }
    for (from, to) in
        [("10000", "10001"), ("10000", "+10000"), ("10000", "1e4"), ("CNY", "cny"), ("payment,", "fee,")]
    {
        assert!(read(&STATEMENT.replacen(from, to, 1)).1.is_err(), "{from} to {to}");
    }
}
