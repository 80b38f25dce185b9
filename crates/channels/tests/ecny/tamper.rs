//! Messages that were damaged, forged or meant for somebody else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;

fn verify(body: impl Into<Bytes>) -> Result<Vec<Report>, Fault> {
    support::verify(&posted(body))
}

fn bank_signs(text: &str) -> String {
    let theirs = settings("theirs.json");
    let signer = NativeKeyring.signer(theirs.value("operator_private_key").unwrap()).unwrap();
    STANDARD.encode(signer.sign(Scheme::Sm2Sm3Der, text.as_bytes()).unwrap())
}

/// The business part of the recorded notification with one member changed, signed by the bank.
fn notified(name: &str, value: Value) -> Result<Vec<Report>, Fault> {
    let (_, _, body) = message("notice_paid");
    let (_, content) =
        url::form_urlencoded::parse(&body).find(|(name, _)| name == "biz_content").expect("a content");
    let mut content: Value = serde_json::from_str(&content).unwrap();
    content[name] = value;
    let content = content.to_string();
    let text = format!("biz_content={content}&encoding=UTF-8&signMethod=02&version=0.0.1");
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("biz_content", &content).append_pair("encoding", "UTF-8");
    form.append_pair("signMethod", "02").append_pair("version", "0.0.1");
    verify(form.append_pair("sign", &bank_signs(&text)).finish())
}

/// A query's reply with one member changed, signed by the bank.
fn replied(name: &str, value: Value) -> Result<Step, Fault> {
    let body: Value = serde_json::from_slice(reply("query_paid").body()).unwrap();
    let mut content: Value = serde_json::from_str(body["biz_content"].as_str().unwrap()).unwrap();
    content[name] = value;
    let mut body =
        json!({"biz_content": content.to_string(), "returnCode": "SUCCESS", "respCode": "SUCCESS"});
    let text = format!("biz_content={content}&respCode=SUCCESS&returnCode=SUCCESS");
    body["sign"] = bank_signs(&text).into();
    adapter().decode(&query(), 0, &Reply::new(Bytes::from(body.to_string())), &context(NOW))
}

#[test]
fn a_notification_reports_the_payment_or_the_refund_and_is_answered_with_our_signature() {
    let verified = adapter().verify(&notice("paid"), &context(NOW)).unwrap();
    let paid = Outcome::new(Verdict::Succeeded).channel_id(CMB_ORDER_ID).money(cny(8888));
    let expected = Report {
        subject: Subject::Payment,
        reference: REFERENCE.into(),
        outcome: paid.at("2026-11-23T00:01:02Z".parse().unwrap()),
    };
    assert_eq!(verified.reports, [expected]);
    let mut answer: Value = serde_json::from_slice(verified.reply.body()).unwrap();
    let sign = STANDARD.decode(answer["sign"].take().as_str().unwrap()).unwrap();
    let text = "encoding=UTF-8&respCode=SUCCESS&returnCode=SUCCESS&signMethod=02&version=0.0.1";
    let ours = NativeKeyring.verifier(settings("theirs.json").text("merchant_public_key", "")).unwrap();
    assert!(ours.verify(Scheme::Sm2Sm3Der, text.as_bytes(), &sign));
    let given = Outcome::new(Verdict::Succeeded).money(cny(880)).at("2026-11-23T01:10:11Z".parse().unwrap());
    let expected = Report { subject: Subject::Refund, reference: REFUND.into(), outcome: given };
    assert_eq!(adapter().verify(&notice("refund"), &context(NOW)).unwrap().reports, [expected]);
}

#[test]
fn no_flipped_bit_and_no_cut_of_a_notification_is_believed() {
    assert_flips_refused(&*adapter(), &notice("paid"), 3, &[]);
    assert_cuts_refused(&*adapter(), &notice("paid"), 1);
}

#[test]
fn a_changed_reply_never_says_something_else() {
    assert_changed_reply_says_nothing_else("query_paid", &query());
}

#[test]
fn authentic_but_wrong_content_is_refused() {
    assert!(notified("mchReserved", "x".into()).is_ok());
    assert!(replied("mchReserved", "x".into()).is_ok());
    for (name, value) in [
        ("merId", json!("3089990000000TZ")),
        ("currencyCode", json!("840")),
        ("payType", json!("WX")),
        ("orderId", json!("")),
        ("orderId", Value::Null),
        ("txnAmt", json!("88.88")),
        ("txnAmt", json!(8888)),
        ("txnAmt", json!("８８８８")),
        ("txnAmt", Value::Null),
        ("tradeState", json!("SUCCESS")),
        ("tradeState", Value::Null),
        ("endDate", json!("20261131")),
    ] {
        assert!(notified(name, value.clone()).is_err(), "notified {name} {value}");
        assert!(replied(name, value.clone()).is_err(), "replied {name} {value}");
    }
    for (name, value) in [("orderId", "other"), ("txnAmt", "8887"), ("txnAmt", "888800"), ("cmbOrderId", "1")]
    {
        assert!(matches!(replied(name, value.into()), Err(Fault::Unacceptable(_))), "{name} {value}");
    }
}

#[test]
fn a_signed_text_has_one_reading() {
    // One signature over two members; a reader that splits the text elsewhere would see a success.
    let text = "respMsg=x&returnCode=SUCCESS";
    let sign = bank_signs(text);
    let body = json!({"respMsg": "x&returnCode=SUCCESS", "sign": sign}).to_string();
    let said = adapter().decode(&query(), 0, &Reply::new(Bytes::from(body)), &context(NOW));
    assert!(matches!(said, Err(Fault::Unexpected(_))), "{said:?}");
}

#[test]
fn hostile_bodies_are_refused() {
    let deep = "[".repeat(1 << 20);
    for body in ["", "{}", "null", "<html>", "{\"sign\":\"\"}", "{\"sign\":1,\"sign\":2}", &deep] {
        let said = adapter().decode(&query(), 0, &Reply::new(Bytes::from(body.to_owned())), &context(NOW));
        assert!(said.is_err(), "{:.20}", body);
        assert!(verify(body.to_owned()).is_err(), "{:.20}", body);
    }
    let nested = format!("biz_content={}", deep);
    assert!(verify(nested).is_err());
}
