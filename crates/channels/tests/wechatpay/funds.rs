//! Shares, transfers and bills: recorded, damaged, and against the simulator.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::crypto::Encryption;
use serde_json::Value;

use super::*;

const SHARE: &str = "01kaye0share0000000000001x";
const RETURN: &str = "01kaye0return000000000001x";
const TRANSFER: &str = "01kaye0transfer0000000001x";
const PERSON: &str = "oReceiver0nly";

fn partner(name: Option<&str>) -> Receiver {
    let (kind, account) = (AccountKind::Merchant, "1900000109".to_owned());
    Receiver { kind, account, name: name.map(Into::into), relation: Some("SUPPLIER".into()) }
}

fn person(name: Option<&str>) -> Receiver {
    Receiver { kind: AccountKind::Open, account: PERSON.into(), name: name.map(Into::into), relation: None }
}

fn paid() -> Payment {
    about(8888, Some(TRANSACTION.into()))
}

fn share(payment: Payment, shares: Vec<(Receiver, Money)>) -> Share {
    let (reference, description) = (SHARE.into(), "分给合作方".into());
    Share { reference, payment, shares, description, last: true }
}

fn two_shares() -> Operation {
    Operation::Share(share(paid(), vec![(partner(None), cny(100)), (person(None), cny(50))]))
}

fn query_share() -> Operation {
    Operation::QueryShare(QueryShare { reference: SHARE.into(), channel_id: None, payment: paid() })
}

fn release() -> Operation {
    Operation::Release(Release {
        reference: SHARE.into(), payment: paid(), description: "不再分账".into()
    })
}

fn take_back(payment: Payment, fen: i64) -> ReturnShare {
    let (reference, share, description) = (RETURN.into(), SHARE.into(), "退货".into());
    ReturnShare { reference, share, payment, receiver: partner(None), money: cny(fen), description }
}

fn query_return(fen: i64) -> Operation {
    let (reference, share) = (RETURN.into(), SHARE.into());
    Operation::QueryReturn(QueryReturn { reference, share, payment: paid(), money: cny(fen) })
}

fn transfer(fen: i64, name: Option<&str>) -> Transfer {
    let facts = [("岗位类型", "骑手"), ("报酬说明", "八月工资")];
    Transfer {
        reference: TRANSFER.into(),
        started_at: NOW,
        payee: person(name),
        money: cny(fen),
        title: "退押金".into(),
        purpose: Some("1005".into()),
        facts: facts.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    }
}

fn query_transfer(fen: i64) -> Operation {
    let (reference, money) = (TRANSFER.into(), cny(fen));
    Operation::QueryTransfer(QueryTransfer { reference, channel_id: None, started_at: NOW, money })
}

fn statement(kind: StatementKind) -> Operation {
    Operation::Statement(Statement { kind, day: NOW })
}

fn encoded(operation: &Operation) -> Result<Step, Refusal> {
    adapter().encode(operation, &context(NOW))
}

#[test]
fn every_operation_on_funds_is_sent_as_recorded() {
    for (name, operation, effect) in [
        ("share", two_shares(), Effect::Money),
        ("share_query", query_share(), Effect::None),
        ("share_release", release(), Effect::Money),
        ("share_return", Operation::ReturnShare(take_back(paid(), 60)), Effect::Money),
        ("share_return_query", query_return(60), Effect::None),
        ("receiver_add", Operation::BindReceiver(partner(None)), Effect::None),
        ("receiver_delete", Operation::UnbindReceiver(person(None)), Effect::None),
        ("transfer", Operation::Transfer(transfer(3_000, None)), Effect::Money),
        ("transfer_query", query_transfer(3_000), Effect::None),
        ("tradebill", statement(StatementKind::Trade), Effect::None),
        ("fundflowbill", statement(StatementKind::Funds), Effect::None),
    ] {
        assert_sent(name, encoded(&operation).unwrap(), effect);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_recorded_reply_about_funds_means_one_thing() {
    let no = |reason: &str, code: &str, message: &str| {
        format!("Declined(Decline {{ reason: {reason}, code: {code:?}, message: {message:?} }})")
    };
    let (order, bill) = ("3008450740201411110007820472", "1330000071100999991182020050700019480001");
    let back = |verdict: &str, at: &str| format!("{verdict} 3008450740201411110007820473 0.60 CNY {at}");
    let moved = |verdict: &str, at: &str| format!("{verdict} {bill} 30.00 CNY {at}");
    let pay_out = || Operation::Transfer(transfer(3_000, None));
    let return_share = || Operation::ReturnShare(take_back(paid(), 60));
    let rows = [
        ("share_processing", two_shares(), 0, format!("Pending {order} - -")),
        ("share_finished", two_shares(), 0, format!("Succeeded {order} - -")),
        ("share_closed", two_shares(), 0, format!("{} {order} - -", no("NotPermitted", "NO_RELATION", ""))),
        (
            "share_other",
            two_shares(),
            0,
            r#"Unacceptable("the shares are not the ones that were asked for")"#.into(),
        ),
        ("share_poor", two_shares(), 0, format!("stage 16 None GET /v3/profitsharing/orders/{SHARE}")),
        (
            "share_absent",
            two_shares(),
            16,
            format!("{} - - -", no("InsufficientFunds", "NOTENOUGH", "余额不足")),
        ),
        ("share_processing", two_shares(), 16, format!("Pending {order} - -")),
        (
            "system_error",
            two_shares(),
            0,
            r#"Unknown { code: "SYSTEM_ERROR", message: "系统繁忙，请稍后重试" }"#.into(),
        ),
        ("share_finished", query_share(), 0, format!("Succeeded {order} - -")),
        ("share_absent", query_share(), 0, "Absent - - -".into()),
        ("released", release(), 0, format!("Succeeded {order} - -")),
        ("return_success", return_share(), 0, back("Succeeded", "2026-11-23T00:09:05.000Z")),
        ("return_processing", query_return(60), 0, back("Pending", "-")),
        ("return_failed", query_return(60), 0, back(&no("InsufficientFunds", "BALANCE_NOT_ENOUGH", ""), "-")),
        (
            "return_success",
            query_return(61),
            0,
            r#"Unacceptable("the return is 0.60 CNY, not 0.61 CNY")"#.into(),
        ),
        ("share_absent", query_return(60), 0, "Absent - - -".into()),
        ("bound", Operation::BindReceiver(partner(None)), 0, "Succeeded - - -".into()),
        ("unbound_person", Operation::UnbindReceiver(person(None)), 0, "Succeeded - - -".into()),
        ("transfer_success", query_transfer(3_000), 0, moved("Succeeded", "2026-11-23T00:09:30.000Z")),
        ("transfer_processing", query_transfer(3_000), 0, moved("Pending", "-")),
        (
            "transfer_fail",
            query_transfer(3_000),
            0,
            moved(&no("Generic", "PAYEE_ACCOUNT_ABNORMAL", "转账失败"), "-"),
        ),
        (
            "transfer_cancelled",
            query_transfer(3_000),
            0,
            moved(&no("Cancelled", "CANCELLED", "转账已撤销"), "-"),
        ),
        ("transfer_absent", query_transfer(3_000), 0, "Absent - - -".into()),
        (
            "transfer_success",
            query_transfer(3_001),
            0,
            r#"Unacceptable("the transfer_amount is 30.00 CNY, not 30.01 CNY")"#.into(),
        ),
        (
            "transfer_poor",
            pay_out(),
            0,
            format!("stage 16 None GET /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{TRANSFER}"),
        ),
        (
            "transfer_absent",
            pay_out(),
            16,
            format!("{} - - -", no("InsufficientFunds", "NOTENOUGH", "余额不足")),
        ),
        ("bill", statement(StatementKind::Trade), 0, "stage 3 None GET /v3/billdownload/file".into()),
        (
            "bill_none",
            statement(StatementKind::Funds),
            0,
            r#"Unknown { code: "NO_STATEMENT_EXIST", message: "账单文件不存在" }"#.into(),
        ),
    ];
    assert_read(&*adapter(), call_by_path, rows);
    let expected =
        [("mchId", "1688880001"), ("appId", "wxfeedc0de00000001"), ("package", "affffddafdfafddffda==")];
    assert_eq!(
        client_parameters(&pay_out(), "transfer_wait"),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn every_receiver_has_an_outcome_of_its_own() {
    let step = adapter().decode(&two_shares(), 0, &reply("share_finished"), &context(NOW)).unwrap();
    let Step::Done(outcome) = step else { panic!("{step:?}") };
    let found: Vec<_> = outcome.shares.iter().map(|share| (share.account.as_str(), share.money)).collect();
    assert_eq!(found, [("1900000109", cny(100)), (PERSON, cny(50))], "what was released is no share");
    assert_eq!(outcome.shares[0].verdict, Verdict::Succeeded);
    let Verdict::Declined(no) = &outcome.shares[1].verdict else { panic!("{outcome:?}") };
    assert_eq!((no.reason, no.code.as_str()), (DeclineReason::Risk, "RECEIVER_HIGH_RISK"));
}

#[test]
fn a_finished_transfer_is_notified_and_belongs_to_us() {
    let verified = adapter().verify(&notice("transfer"), &context(NOW)).unwrap();
    let report = &verified.reports[0];
    assert_eq!((report.subject, report.reference.as_str()), (Subject::Transfer, TRANSFER));
    assert_eq!(report.outcome.money, Some(cny(3_000)));
    assert_eq!(report.outcome.verdict, Verdict::Succeeded);
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_sent() {
    let parameter = |operation: Operation| match encoded(&operation) {
        Err(Refusal::Parameter { param, .. }) => param,
        other => panic!("{operation:?}: {other:?}"),
    };
    assert_eq!(parameter(Operation::Share(share(paid(), Vec::new()))), "shares");
    let many = vec![(partner(None), cny(1)); 51];
    assert_eq!(parameter(Operation::Share(share(paid(), many))), "shares");
    assert_eq!(
        parameter(Operation::Share(Share {
            description: " ".into(),
            ..share(paid(), vec![(partner(None), cny(1))])
        })),
        "description"
    );
    let empty = Receiver { account: String::new(), ..partner(None) };
    assert_eq!(parameter(Operation::BindReceiver(empty)), "receiver.account");
    let strange = Receiver { relation: Some("supplier".into()), ..partner(None) };
    assert_eq!(parameter(Operation::BindReceiver(strange)), "receiver.relation");
    assert_eq!(parameter(Operation::Transfer(Transfer { purpose: None, ..transfer(100, None) })), "purpose");
    assert_eq!(parameter(Operation::Transfer(transfer(200_000, None))), "payee.name");
    for operation in [
        Operation::Share(share(paid(), vec![(partner(None), cny(0))])),
        Operation::Transfer(transfer(-1, None)),
    ] {
        assert!(matches!(encoded(&operation), Err(Refusal::Amount(_))), "{operation:?}");
    }
    let bank = Receiver { kind: AccountKind::Bank, ..person(None) };
    assert!(matches!(encoded(&Operation::BindReceiver(bank)), Err(Refusal::Unsupported(_))));
}

/// Names travel encrypted for the key that the request names, and come out of it unchanged.
#[test]
fn a_name_is_read_by_the_platform_alone() {
    let theirs = settings("theirs.json");
    let key = NativeKeyring.decrypter(theirs.value("platform_private_key").unwrap()).unwrap();
    for (operation, pointer) in [
        (Operation::Transfer(transfer(200_000, Some("张三"))), "/user_name"),
        (Operation::BindReceiver(partner(Some("张三"))), "/name"),
        (Operation::Share(share(paid(), vec![(person(Some("张三")), cny(1))])), "/receivers/0/name"),
    ] {
        let Step::Send(call) = encoded(&operation).unwrap() else { panic!() };
        assert_eq!(call.request.headers()["wechatpay-serial"], theirs.text("public_key_id", ""));
        let body: Value = serde_json::from_slice(call.request.body()).unwrap();
        assert!(!body.to_string().contains("张三"));
        let sealed = STANDARD.decode(body.pointer(pointer).unwrap().as_str().unwrap()).unwrap();
        let clear = key.decrypt(Encryption::RsaOaepSha1, &sealed).unwrap();
        assert_eq!(clear.as_slice(), "张三".as_bytes());
    }
    let small = encoded(&Operation::Transfer(transfer(29, Some("张三")))).unwrap();
    assert!(!request(small).text.contains("user_name"), "refused below 0.3 yuan");
}

#[test]
fn a_file_counts_only_with_the_hash_that_was_said() {
    let operation = statement(StatementKind::Trade);
    let step = adapter().decode(&operation, 0, &reply("bill"), &context(NOW)).unwrap();
    let Step::Send(call) = step else { panic!("{step:?}") };
    assert!(
        call.request
            .uri()
            .to_string()
            .starts_with("https://api.mch.weixin.qq.com/v3/billdownload/file?token=")
    );
    let memo: Memo = call.request.extensions().get().cloned().unwrap();
    let arrived = |body: Vec<u8>, memo: Option<&Memo>| {
        let mut file = Reply::new(Bytes::from(body));
        Memo::hand_on(memo.cloned(), &mut file);
        adapter().decode(&operation, call.stage, &file, &context(NOW))
    };
    for name in ["statement.csv", "statement.csv.gz"] {
        let Ok(Step::File(file)) = arrived(fixture(name), Some(&memo)) else { panic!("{name}") };
        assert_eq!(file.to_vec(), fixture(name));
        assert_eq!(parse(&file).unwrap().1, Totals { payments: 2, refunds: 1 }, "{name}");
        assert!(arrived(fixture(name), None).is_err(), "nothing to compare it with");
        for at in (0..fixture(name).len()).step_by(7) {
            let mut changed = fixture(name);
            changed[at] ^= 1;
            let same = parse(&changed) == parse(&fixture(name));
            assert!(arrived(changed, Some(&memo)).is_err() || same, "byte {at} of {name}");
        }
        for length in (0..fixture(name).len()).step_by(13) {
            assert!(
                arrived(fixture(name)[..length].to_vec(), Some(&memo)).is_err(),
                "cut at {length} of {name}"
            );
        }
    }
    let mut missing = Reply::new(Bytes::from(fixture("statement.csv")));
    *missing.status_mut() = http::StatusCode::NOT_FOUND;
    Memo::hand_on(Some(memo), &mut missing);
    assert!(adapter().decode(&operation, call.stage, &missing, &context(NOW)).is_err());
}

#[test]
fn the_recorded_funds_become_canonical_lines() {
    let (lines, totals) = parse(&fixture("statement_funds.csv")).unwrap();
    assert_eq!(totals, Totals { payments: 1, refunds: 1 });
    let told: Vec<_> =
        lines.iter().map(|line| (line.kind, line.reference.as_str(), line.money.minor())).collect();
    let expected = [
        (LineKind::Payment, REFERENCE, 8_888),
        (LineKind::Fee, REFERENCE, -53),
        (LineKind::Share, SHARE, -100),
        (LineKind::Share, RETURN, 60),
        (LineKind::Refund, "", 880),
        (LineKind::Transfer, TRANSFER, -3_000),
        (LineKind::Withdrawal, "0", -4_000),
    ];
    assert_eq!(told, expected);
    assert_eq!(lines[4].refund_reference.as_deref(), Some(REFUND));
    assert_eq!((lines[4].channel_id.as_str(), lines[0].channel_id.as_str()), (REFUND_ID, TRANSACTION));
}

#[test]
fn funds_that_do_not_add_up_are_refused() {
    let text = String::from_utf8(fixture("statement_funds.csv")).unwrap();
    for (from, to) in [
        ("`88.88", "`88.87"),
        ("`0.53", "`0.54"),
        ("`7,`2", "`6,`2"),
        ("`7,`2", "`7,`3"),
        ("`89.48", "`89.47"),
        ("`5,`80.33", "`4,`80.33"),
        ("`80.33", "`80.34"),
        ("`收入", "`支出"),
        ("`支出", "`?"),
        ("`0.53", "`-0.53"),
        ("2026-11-23 08:01:02", "2026-11-31 08:01:02"),
        (",业务凭证号", ""),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(
            matches!(parse(text.replacen(from, to, 1).as_bytes()), Err(Fault::Unexpected(_))),
            "{from} {to}"
        );
    }
    for length in (0..text.len() - 4).filter(|length| text.is_char_boundary(*length)).step_by(11) {
        assert!(parse(&text.as_bytes()[..length]).is_err(), "cut at {length}");
    }
}

/// A paid order that others may have a share of, on a wire with both receivers bound.
fn shareable() -> (Wire, Payment) {
    let mut wire = Wire::new();
    let order = Operation::Pay(Pay { money: cny(10_000), shared: true, ..pay("barcode") });
    let paid = wire.perform(&order).unwrap();
    assert_eq!(paid.verdict, Verdict::Succeeded);
    for receiver in [partner(Some("某某公司")), person(Some("张三"))] {
        assert_eq!(wire.verdict(&Operation::BindReceiver(receiver)), Verdict::Succeeded);
    }
    (wire, about(10_000, None))
}

#[test]
fn a_payment_is_shared_taken_back_and_released() {
    let (mut wire, payment) = shareable();
    let asked = Share {
        last: false,
        ..share(payment.clone(), vec![(partner(None), cny(3_000)), (person(Some("张三")), cny(500))])
    };
    let shared = wire.perform(&Operation::Share(asked.clone())).unwrap();
    assert_eq!(shared.verdict, Verdict::Succeeded);
    assert_eq!(shared.shares.len(), 2);
    assert_eq!(
        wire.perform(&Operation::Share(asked.clone())).unwrap(),
        shared,
        "the same again is the same share"
    );
    let query = QueryShare { reference: SHARE.into(), channel_id: None, payment: payment.clone() };
    assert_eq!(wire.perform(&Operation::QueryShare(query.clone())).unwrap(), shared);
    let too_much =
        Share { reference: "anothershare1".into(), shares: vec![(partner(None), cny(6_441))], ..asked };
    let refused = wire.perform(&Operation::Share(too_much)).unwrap();
    assert!(
        matches!(refused.verdict, Verdict::Declined(_)),
        "the fee and what was shared are gone: {refused:?}"
    );
    let back = take_back(payment.clone(), 1_000);
    let returned = wire.perform(&Operation::ReturnShare(back.clone())).unwrap();
    assert_eq!((&returned.verdict, returned.money), (&Verdict::Succeeded, Some(cny(1_000))));
    assert_eq!(wire.perform(&Operation::ReturnShare(back.clone())).unwrap(), returned);
    let asked = QueryReturn {
        reference: RETURN.into(),
        share: SHARE.into(),
        payment: payment.clone(),
        money: cny(1_000),
    };
    assert_eq!(wire.perform(&Operation::QueryReturn(asked)).unwrap(), returned);
    let more = ReturnShare { reference: "anotherreturn".into(), money: cny(2_001), ..back };
    assert!(matches!(wire.verdict(&Operation::ReturnShare(more)), Verdict::Declined(_)));
    let end =
        Release { reference: "release1".into(), payment: payment.clone(), description: "完结".into() };
    assert_eq!(wire.verdict(&Operation::Release(end)), Verdict::Succeeded);
    let late = Share { reference: "lateshare1".into(), ..share(payment, vec![(partner(None), cny(1))]) };
    assert!(matches!(wire.verdict(&Operation::Share(late)), Verdict::Declined(_)), "nothing is left");
    assert_eq!(wire.verdict(&Operation::UnbindReceiver(person(None))), Verdict::Succeeded);
    let funds = fetched(&mut wire, StatementKind::Funds);
    let moved: Vec<_> = funds.iter().map(|line| (line.kind, line.money.minor())).collect();
    let expected = [
        (LineKind::Payment, 10_000),
        (LineKind::Fee, -60),
        (LineKind::Share, -3_000),
        (LineKind::Share, -500),
        (LineKind::Share, 1_000),
    ];
    assert!(expected.iter().all(|line| moved.contains(line)) && moved.len() == 5, "{moved:?}");
}

#[test]
fn an_order_that_is_not_to_be_shared_is_not() {
    let (mut wire, _) = shareable();
    let other = Pay { reference: "anotherorder1".into(), ..pay("barcode") };
    wire.verdict(&Operation::Pay(other));
    let payment = Payment { reference: "anotherorder1".into(), ..about(8888, None) };
    let asked = Operation::Share(share(payment.clone(), vec![(partner(None), cny(1))]));
    assert!(matches!(wire.verdict(&asked), Verdict::Declined(_)), "it was not announced");
    let nowhere = Payment { reference: "nosuchorder1".into(), ..payment };
    let asked = Operation::Share(share(nowhere.clone(), vec![(partner(None), cny(1))]));
    assert!(matches!(wire.verdict(&asked), Verdict::Declined(_)));
    let asked = QueryShare { reference: SHARE.into(), channel_id: None, payment: nowhere };
    assert_eq!(wire.verdict(&Operation::QueryShare(asked)), Verdict::Absent);
}

fn fetched(wire: &mut Wire, kind: StatementKind) -> Vec<Line> {
    let Step::File(file) = wire.carry(&statement(kind)).unwrap() else { panic!("no file") };
    assert_eq!(file[..2], [0x1f, 0x8b], "packed as it came");
    parse_for(&*wire.channel, &file).unwrap().0
}

#[test]
fn a_person_confirms_a_transfer_and_it_is_notified() {
    let mut wire = Wire::new();
    assert_eq!(wire.verdict(&query_transfer(200_000)), Verdict::Absent);
    let asked = Operation::Transfer(transfer(200_000, Some("张三")));
    let Verdict::Awaiting(Action::Client { parameters }) = wire.verdict(&asked) else { panic!() };
    assert_eq!(wire.verdict(&asked), Verdict::Awaiting(Action::Client { parameters }), "the same again");
    assert_eq!(wire.verdict(&query_transfer(200_000)), Verdict::Pending);
    wire.browse("POST", &format!("{}/payer/{TRANSFER}/pay", BASE));
    let done = wire.perform(&query_transfer(200_000)).unwrap();
    assert_eq!((done.verdict, done.money), (Verdict::Succeeded, Some(cny(200_000))));
    let due = wire.simulator.due(wire.now);
    let verified = wire.channel.verify(&due[0].request, &context(wire.now)).unwrap();
    assert_eq!(
        (verified.reports[0].subject, verified.reports[0].reference.as_str()),
        (Subject::Transfer, TRANSFER)
    );
    assert_eq!(fetched(&mut wire, StatementKind::Funds)[0].kind, LineKind::Transfer);
    let other = wire.perform(&Operation::Transfer(transfer(200_001, Some("张三")))).unwrap_err();
    assert!(matches!(other, Fault::Unacceptable(_)), "the same reference with another amount: {other:?}");
    let poor = Transfer { reference: "poortransfer".into(), ..transfer(9_001, None) };
    assert!(matches!(wire.verdict(&Operation::Transfer(poor)), Verdict::Declined(_)));
}

/// 9007: executed, and yet the answer is that the system is busy.
#[test]
fn a_transfer_of_unknown_outcome_is_asked_for() {
    let mut wire = Wire::new();
    let fault = wire.perform(&Operation::Transfer(transfer(9_007, None))).unwrap_err();
    assert!(matches!(fault, Fault::Unknown { .. }), "{fault:?}");
    assert_eq!(wire.verdict(&query_transfer(9_007)), Verdict::Pending);
}

#[test]
fn a_bill_is_there_for_half_a_minute() {
    let mut wire = Wire::new();
    let operation = statement(StatementKind::Trade);
    let Step::Send(call) = wire.channel.encode(&operation, &context(wire.now)).unwrap() else { panic!() };
    let Answer::Reply(reply) = wire.answer(call.request) else { panic!() };
    wire.now = wire.now.plus(Duration::from_secs(31));
    let Step::Send(call) = wire.channel.decode(&operation, 0, &reply, &context(wire.now)).unwrap() else {
        panic!()
    };
    let Answer::Reply(late) = wire.answer(call.request) else { panic!() };
    assert_eq!(late.status().as_u16(), 404);
}
