//! Messages of the newer products, signed by their own rule (everything but `sign`): what they report, and what is never
//! believed of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;

const TRANSFER: &str = "alipay.fund.trans.order.changed";
const SETTLED: &str = "alipay.trade.order.settle.notify";

/// A message that Alipay really signed, with this change to what is signed.
fn message(method: &str, content: &Value, change: impl FnOnce(&mut Vec<(&str, String)>)) -> Notice {
    let app_id = settings("ours.json").text("app_id", "").to_owned();
    let mut fields = vec![
        ("app_id", app_id),
        ("biz_content", content.to_string()),
        ("charset", "UTF-8".to_owned()),
        ("msg_method", method.to_owned()),
        ("notify_id", "2026112300222080000000000000".to_owned()),
        ("sign_type", "RSA2".to_owned()),
        ("utc_timestamp", (NOW.millis() - 5_000).to_string()),
        ("version", "1.1".to_owned()),
    ];
    change(&mut fields);
    let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let theirs = settings("theirs.json");
    let signer = NativeKeyring.signer(theirs.value("alipay_private_key").unwrap()).unwrap();
    let sign = STANDARD.encode(signer.sign(Scheme::RsaSha256, text.join("&").as_bytes()).unwrap());
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    let body = form.extend_pairs(&fields).append_pair("sign", &sign).finish();
    http::Request::post("/notify").body(Bytes::from(body)).unwrap()
}

fn reports(method: &str, content: &Value) -> Result<Vec<Report>, Fault> {
    adapter().verify(&message(method, content, |_| {}), &context(NOW)).map(|verified| verified.reports)
}

fn transfer() -> Value {
    json!({
        "status": "SUCCESS", "out_biz_no": "t1", "order_id": "20261123110070001506", "trans_amount": "5.00",
        "product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER", "pay_date": "2026-11-23 08:01:02",
    })
}

fn part(kind: &str, account: &str, amount: &str, state: &str) -> Value {
    json!({"operation_type": kind, "trans_in": account, "amount": amount, "state": state, "detail_id": "1"})
}

fn settled(parts: &[Value]) -> Value {
    json!({
        "operation_dt": "2026-11-23 08:01:02", "out_request_no": "s1", "settle_no": "20261123002530020065620",
        "trade_no": TRADE_NO, "royalty_detail_list": parts,
    })
}

#[test]
fn a_message_of_a_transfer_reports_the_transfer() {
    let outcome = Outcome::new(Verdict::Succeeded).channel_id("20261123110070001506").money(cny(500));
    let outcome = outcome.at("2026-11-23T00:01:02Z".parse().unwrap());
    let expected = Report { subject: Subject::Transfer, reference: "t1".into(), outcome };
    assert_eq!(reports(TRANSFER, &transfer()).unwrap(), vec![expected]);
    let with = |name: &str, value: Value| {
        let mut content = transfer();
        content[name] = value;
        reports(TRANSFER, &content)
    };
    let failed = with("status", json!("FAIL")).unwrap().remove(0);
    assert!(matches!(failed.outcome.verdict, Verdict::Declined(_)));
    assert_eq!(with("status", json!("DEALING")).unwrap()[0].outcome.verdict, Verdict::Pending);
    // A red packet is no transfer of ours.
    assert_eq!(with("product_code", json!("STD_RED_PACKET")).unwrap(), Vec::new());
    for (name, value) in [
        ("status", json!("PAID")),
        ("status", Value::Null),
        ("out_biz_no", json!("")),
        ("out_biz_no", Value::Null),
        ("trans_amount", json!(5)),
        ("trans_amount", json!("5.001")),
        ("pay_date", json!("yesterday")),
    ] {
        assert!(with(name, value.clone()).is_err(), "{name} {value}");
    }
}

#[test]
fn a_message_of_a_settlement_reports_the_share_and_the_return() {
    let (one, other) = ("2088000000000011", "2088000000000022");
    let both = [part("transfer", one, "30.00", "SUCCESS"), part("transfer", other, "20.00", "FAIL")];
    let report = reports(SETTLED, &settled(&both)).unwrap().remove(0);
    assert_eq!((report.subject, report.reference.as_str()), (Subject::Share, "s1"));
    assert_eq!(report.outcome.verdict, Verdict::Succeeded);
    let [given, refused] = report.outcome.shares.as_slice() else { panic!("{report:?}") };
    let expected = ShareOutcome { account: one.into(), money: cny(3000), verdict: Verdict::Succeeded };
    assert_eq!(*given, expected);
    assert!(matches!(refused.verdict, Verdict::Declined(_)));
    let back = reports(SETTLED, &settled(&[part("transfer_refund", one, "10.00", "SUCCESS")])).unwrap();
    assert_eq!(back.len(), 1);
    assert_eq!((back[0].subject, back[0].outcome.money), (Subject::ShareReturn, Some(cny(1000))));
    // Without a number of ours it is somebody else's settlement.
    let mut foreign = settled(&both);
    foreign["out_request_no"] = Value::Null;
    assert_eq!(reports(SETTLED, &foreign).unwrap(), Vec::new());
    for parts in [
        vec![],
        vec![part("replenish", one, "1.00", "SUCCESS")],
        vec![part("transfer", one, "1.00", "DONE")],
        vec![part("transfer", one, "1,00", "SUCCESS")],
    ] {
        assert!(reports(SETTLED, &settled(&parts)).is_err(), "{parts:?}");
    }
}

#[test]
fn a_message_without_a_good_signature_reports_nothing() {
    let good = message(TRANSFER, &transfer(), |_| {});
    let adapter = adapter();
    assert!(adapter.verify(&good, &context(NOW)).is_ok());
    for bit in (0..good.body().len() * 8).step_by(11) {
        let mut damaged = good.body().to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let mut changed = good.clone();
        *changed.body_mut() = damaged.into();
        assert!(adapter.verify(&changed, &context(NOW)).is_err(), "bit {bit}");
    }
    let unsigned = String::from_utf8(good.body().to_vec()).unwrap();
    let unsigned = unsigned.split("&sign=").next().unwrap().to_owned();
    let unsigned = http::Request::post("/notify").body(Bytes::from(unsigned)).unwrap();
    assert!(adapter.verify(&unsigned, &context(NOW)).is_err());
}

#[test]
fn an_authentic_message_for_somebody_else_or_of_another_day_is_refused() {
    let refused = |change: fn(&mut Vec<(&str, String)>)| {
        let verified = adapter().verify(&message(TRANSFER, &transfer(), change), &context(NOW));
        matches!(verified, Err(Fault::Unacceptable(_)))
    };
    assert!(refused(|fields| fields[0].1 = "2021004199260009".into()));
    assert!(refused(|fields| fields[3].1 = "alipay.open.auth.appauth.cancelled".into()));
    assert!(refused(|fields| fields[6].1 = (NOW.millis() - 26 * 3_600_000 - 1).to_string()));
    assert!(refused(|fields| fields[6].1 = (NOW.millis() + 901_000).to_string()));
    let deep = message(TRANSFER, &Value::Null, |fields| fields[1].1 = "[".repeat(100_000));
    assert!(matches!(adapter().verify(&deep, &context(NOW)), Err(Fault::Unexpected(_))));
}
