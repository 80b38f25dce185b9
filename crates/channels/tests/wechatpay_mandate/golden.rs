//! Requests byte for byte, and what each recorded reply and notification means. Those were written and signed by another
//! implementation.

use http::Request;
use paycore::channel::{Action, Effect, Fault, Outcome, Refusal, Report, Stage, Step, Subject, Verdict};

use super::*;

fn outcome(outcome: &Outcome) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let (id, money) =
        (or_dash(outcome.channel_id.clone()), or_dash(outcome.money.map(|money| money.to_string())));
    let verdict = match &outcome.verdict {
        Verdict::Declined(decline) => format!("Declined {:?} {}", decline.reason, decline.code),
        other => format!("{other:?}"),
    };
    format!("{verdict} {id} {money} {}", or_dash(outcome.at.map(|at| at.to_string())))
}

fn line(result: Result<Step, Fault>) -> String {
    match result {
        Ok(Step::Done(done)) => outcome(&done),
        Ok(Step::Send(call)) => {
            let path = call.request.uri().path().trim_start_matches('/').to_owned();
            format!("stage {} {:?} {path}", call.stage, call.effect)
        }
        Ok(Step::File(bytes)) => format!("file of {} bytes", bytes.len()),
        Err(fault) => format!("{fault:?}"),
    }
}

fn recorded(name: &str, text: &str) {
    if std::env::var_os("PAYCORE_BLESS").is_some() {
        let path =
            format!("{}/src/wechatpay_mandate/fixtures/request_{name}.http", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, text).unwrap();
    }
    assert_eq!(text, String::from_utf8(fixture(&format!("request_{name}.http"))).unwrap(), "{name}");
}

#[test]
fn every_request_is_sent_as_recorded() {
    let adapter = adapter();
    for (name, operation, effect, shows_who) in [
        ("pappayapply", charge(), Effect::Money, false),
        ("paporderquery", query(), Effect::None, false),
        ("refund", refund(), Effect::Money, true),
        ("refundquery", query_refund(), Effect::None, false),
        ("downloadbill", statement(), Effect::None, false),
        ("preentrustweb", sign(SigningScene::App), Effect::None, false),
        ("querycontract_code", query_mandate(None), Effect::None, false),
        ("querycontract_id", query_mandate(Some(CONTRACT)), Effect::None, false),
        ("deletecontract_code", revoke(None), Effect::None, false),
        ("deletecontract_id", revoke(Some(CONTRACT)), Effect::None, false),
    ] {
        let Step::Send(call) = adapter.encode(&operation, &context(NOW)).unwrap() else { panic!("{name}") };
        assert_eq!((call.effect, call.identity.is_some()), (effect, shows_who), "{name}");
        let (head, body) = call.request.into_parts();
        let headers =
            head.headers.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
        let text = format!("{} {} HTTP/1.1\r\n{}\r\n", head.method, head.uri, headers.collect::<String>());
        recorded(name, &(text + std::str::from_utf8(&body).unwrap()));
    }
}

fn action(operation: &Operation) -> Action {
    match adapter().encode(operation, &context(NOW)).unwrap() {
        Step::Done(Outcome { verdict: Verdict::Awaiting(action), .. }) => action,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_payer_signs_is_as_recorded() {
    for (name, scene) in [("entrustweb", SigningScene::Jsapi), ("h5entrustweb", SigningScene::H5)] {
        let Action::Redirect { url } = action(&sign(scene)) else { panic!("{name}") };
        recorded(name, &format!("GET {url} HTTP/1.1\r\n\r\n"));
    }
    let Action::Client { parameters } = action(&sign(SigningScene::Mini)) else { panic!() };
    let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "appid",
        "mch_id",
        "plan_id",
        "contract_code",
        "request_serial",
        "contract_display_account",
        "notify_url",
        "timestamp",
        "sign",
    ];
    assert_eq!(names, expected, "what a mini program hands over, without a version");
}

#[test]
fn every_recorded_reply_means_one_thing() {
    let paid = "Succeeded 4200001852202611231234567890 88.88 CNY 2026-11-23T00:10:03.000Z".to_owned();
    let given = "Succeeded 50000000182026112312345678901 8.80 CNY -".to_owned();
    let ask = |stage: Stage| format!("stage {stage} None pay/paporderquery");
    let ask_refund = |stage: Stage| format!("stage {stage} None pay/refundquery");
    let unknown = |code: &str, message: &str| format!("Unknown {{ code: {code:?}, message: {message:?} }}");
    let active = format!("Succeeded {CONTRACT} - 2026-11-23T00:12:00.000Z");
    let ended = format!("Declined Cancelled 2 {CONTRACT} - 2026-11-23T00:12:00.000Z");
    let rows: &[(&str, Operation, Stage, String)] = &[
        ("charge_accepted", charge(), 0, "Pending - - -".into()),
        ("charge_poor", charge(), 0, "Declined InsufficientFunds NOTENOUGH - - -".into()),
        ("charge_paid", charge(), 0, ask(2)),
        ("charge_ended", charge(), 0, ask(16)),
        ("query_paid", charge(), 16, paid.clone()),
        ("query_absent", charge(), 16, "Declined NotPermitted CONTRACTNOTEXIST - - -".into()),
        ("query_absent", charge(), 2, "Absent - - -".into()),
        ("charge_undocumented", charge(), 0, unknown("NOT_IN_ANY_DOCUMENT", "?")),
        ("system_error", charge(), 0, unknown("SYSTEMERROR", "系统错误")),
        ("sign_error", charge(), 0, unknown("FAIL", "签名错误")),
        ("unsigned", charge(), 0, unknown("NOTENOUGH", "余额不足")),
        ("query_paid", query(), 0, paid.clone()),
        ("query_refund", query(), 0, paid),
        ("query_accept", query(), 0, "Pending - 88.88 CNY -".into()),
        ("query_notpay", query(), 0, "Pending - 88.88 CNY -".into()),
        ("query_pay_fail", query(), 0, "Declined InsufficientFunds PAY_FAIL - 88.88 CNY -".into()),
        ("query_absent", query(), 0, "Absent - - -".into()),
        ("query_strange", query(), 0, "Unexpected(\"trade_state \\\"SOMEHOW\\\"\")".into()),
        ("refund", refund(), 0, ask_refund(2)),
        ("refund_success", refund(), 2, given.clone()),
        ("refund_absent", refund(), 2, "Pending - - -".into()),
        ("refund_poor", refund(), 0, ask_refund(16)),
        ("refund_absent", refund(), 16, "Declined InsufficientFunds NOTENOUGH - - -".into()),
        ("refund_success", query_refund(), 0, given),
        ("refund_absent", query_refund(), 0, "Absent - - -".into()),
        ("contract_active", query_mandate(None), 0, active.clone()),
        ("contract_signing", query_mandate(None), 0, "Pending - - -".into()),
        ("contract_unsigned", query_mandate(None), 0, "Pending - - -".into()),
        ("contract_ended", query_mandate(Some(CONTRACT)), 0, ended.clone()),
        ("contract_absent", query_mandate(None), 0, "Absent - - -".into()),
        ("system_error", query_mandate(None), 0, unknown("SYSTEMERROR", "系统错误")),
        ("revoked", revoke(Some(CONTRACT)), 0, format!("Closed {CONTRACT} - -")),
        ("contract_absent", revoke(None), 0, "Absent - - -".into()),
        ("revoke_refused", revoke(None), 0, "stage 2 None papay/querycontract".into()),
        ("contract_ended", revoke(None), 2, ended),
        ("contract_active", revoke(None), 2, active),
        ("prepare_noauth", sign(SigningScene::App), 0, "Declined NotPermitted NO_AUTH - - -".into()),
    ];
    for (name, operation, stage, meaning) in rows {
        let read = adapter().decode(operation, *stage, &message(&format!("reply_{name}")), &context(NOW));
        assert_eq!(line(read), *meaning, "{name} to {:?} at {stage}", operation.verb());
    }
    let prepared = adapter().decode(&sign(SigningScene::App), 0, &message("reply_prepared"), &context(NOW));
    assert!(line(prepared).contains("5778aadY9nltAsZzXixCkFIGYnV2V"));
}

#[test]
fn what_is_about_something_else_is_not_believed() {
    let others = [
        ("query_other_amount", query()),
        ("contract_other", query_mandate(None)),
        ("contract_other_plan", query_mandate(None)),
        ("contract_active", query_mandate(Some("Wx000"))),
        ("revoked", revoke(Some("Wx000"))),
    ];
    for (name, operation) in others {
        let read = adapter().decode(&operation, 0, &message(&format!("reply_{name}")), &context(NOW));
        assert!(matches!(read, Err(Fault::Unacceptable(_))), "{name}: {read:?}");
    }
}

fn notice(name: &str) -> Result<Report, Fault> {
    let request = Request::post(NOTIFY_URL).body(message(&format!("notice_{name}")).into_body()).unwrap();
    adapter().verify(&request, &context(NOW)).map(|mut verified| verified.reports.remove(0))
}

#[test]
fn every_recorded_notification_means_one_thing() {
    let paid = "Succeeded 4200001852202611231234567890 88.88 CNY 2026-11-23T00:09:30.000Z";
    let contract = |verdict: &str| format!("{verdict} {CONTRACT} - 2026-11-23T00:09:30.000Z");
    for (name, subject, reference, meaning) in [
        ("signed", Subject::Mandate, MANDATE, contract("Succeeded")),
        ("ended", Subject::Mandate, MANDATE, contract("Declined Cancelled 2")),
        ("charged", Subject::Payment, REFERENCE, paid.to_owned()),
        ("charged_without_state", Subject::Payment, REFERENCE, paid.to_owned()),
        (
            "charge_failed",
            Subject::Payment,
            REFERENCE,
            "Declined InsufficientFunds PAY_FAIL - 88.88 CNY -".into(),
        ),
        ("charge_failed_somehow", Subject::Payment, REFERENCE, "Pending - - -".into()),
    ] {
        let report = notice(name).unwrap();
        assert_eq!((report.subject, report.reference.as_str()), (subject, reference), "{name}");
        assert_eq!(outcome(&report.outcome), meaning, "{name}");
    }
    for name in ["signed_long_ago", "other_plan", "charged_long_ago", "other_merchant"] {
        assert!(matches!(notice(name), Err(Fault::Unacceptable(_))), "{name}: {:?}", notice(name));
    }
    assert!(matches!(notice("changed_somehow"), Err(Fault::Unexpected(_))));
}

#[test]
fn every_flipped_bit_of_a_contracts_notification_is_refused() {
    for name in ["notice_signed", "notice_ended"] {
        let body = message(name).into_body();
        for bit in 0..body.len() * 8 {
            let mut damaged = body.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            // White space between the fields is no part of what is said.
            if body[bit / 8].is_ascii_whitespace() && damaged[bit / 8].is_ascii_whitespace() {
                continue;
            }
            let request = Request::post(NOTIFY_URL).body(damaged.into()).unwrap();
            let read = adapter().verify(&request, &context(NOW));
            assert!(read.is_err(), "bit {bit} of {name}: {read:?}");
        }
    }
}

#[test]
fn what_wechat_pay_cannot_take_is_refused_before_it_is_sent() {
    let refused = |operation: Operation| adapter().encode(&operation, &context(NOW)).unwrap_err();
    let param = |operation: Operation| match refused(operation) {
        Refusal::Parameter { param, .. } => param,
        other => panic!("{other:?}"),
    };
    assert_eq!(param(Operation::Pay(Pay { mandate: None, ..pay() })), "mandate");
    assert_eq!(param(Operation::Pay(Pay { mandate: Some("a&b=c".into()), ..pay() })), "mandate");
    let Operation::SignMandate(h5) = sign(SigningScene::H5) else { panic!() };
    assert_eq!(param(Operation::SignMandate(SignMandate { payer: Payer::default(), ..h5 })), "payer.ip");
    let mut settings = settings();
    settings.set("client_certificate", "");
    settings.set("client_key", "");
    let bare = WechatPayMandate.open(&settings, &NativeKeyring).unwrap();
    let refused = bare.encode(&refund(), &context(NOW));
    assert!(matches!(refused, Err(Refusal::Unsupported(_))), "{refused:?}");
}
