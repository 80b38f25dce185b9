//! Barcodes, shares, transfers and the statement of funds, against the simulator.

use super::*;

fn barcode(fen: i64) -> (Operation, Payment) {
    let mut pay = Pay { money: cny(fen), ..pay("barcode") };
    pay.payer.auth_code = Some("281234567890123456".into());
    let payment = Payment { method: pay.method.clone(), ..about(fen, None) };
    (Operation::Pay(pay), payment)
}

fn receiver(account: &str) -> Receiver {
    Receiver { kind: AccountKind::User, account: account.into(), name: None, relation: None }
}

fn share(reference: &str, payment: Payment, parts: &[(&str, i64)]) -> Operation {
    let shares = parts.iter().map(|(account, fen)| (receiver(account), cny(*fen))).collect();
    let description = "分账".into();
    Operation::Share(Share { reference: reference.into(), payment, shares, description, last: false })
}

fn transfer(fen: i64, account: &str) -> Operation {
    Operation::Transfer(Transfer {
        reference: "t1".into(),
        started_at: NOW,
        payee: receiver(account),
        money: cny(fen),
        title: "佣金".into(),
        purpose: Some("佣金报酬".into()),
        facts: vec![("佣金报酬说明".into(), "十一月".into())],
    })
}

#[test]
fn a_barcode_is_charged_once_and_never_both_reversed_and_paid() {
    let mut wire = Wire::new();
    let (pay, payment) = barcode(8888);
    assert_eq!(wire.verdict(&pay), Verdict::Succeeded);
    assert_eq!(wire.verdict(&pay), Verdict::Succeeded, "the same request again");
    let close = Operation::Close(Close { payment: payment.clone() });
    assert_eq!(wire.verdict(&close), Verdict::Succeeded, "what is paid is not reversed");
    assert_eq!(wire.simulator.book().len(), 1);
    // The payer is entering the password when the shop gives up.
    let mut wire = Wire::new();
    let (pay, payment) = barcode(9002);
    assert_eq!(wire.verdict(&pay), Verdict::Pending);
    let close = Operation::Close(Close { payment: payment.clone() });
    assert_eq!(wire.verdict(&close), Verdict::Closed);
    wire.wait(60);
    assert_eq!(wire.verdict(&Operation::Query(Query { payment })), Verdict::Closed);
    assert!(wire.simulator.book().is_empty());
}

#[test]
fn shares_go_to_bound_receivers_and_never_exceed_the_payment() {
    let mut wire = Wire::new();
    let (pay, payment) = barcode(10_000);
    wire.perform(&pay).unwrap();
    let (one, other) = ("2088000000000011", "2088000000000022");
    let both = share("s1", payment.clone(), &[(one, 3000), (other, 2000)]);
    let refused = wire.verdict(&both);
    assert!(matches!(refused, Verdict::Declined(no) if no.code == "ACQ.ROYALTY_RECEIVER_INVALID"));
    for account in [one, other] {
        assert_eq!(wire.verdict(&Operation::BindReceiver(receiver(account))), Verdict::Succeeded);
    }
    let given = wire.perform(&both).unwrap();
    let parts: Vec<_> =
        given.shares.iter().map(|part| (part.account.as_str(), part.money, &part.verdict)).collect();
    assert_eq!(parts, [(one, cny(3000), &Verdict::Succeeded), (other, cny(2000), &Verdict::Succeeded)]);
    assert_eq!(wire.verdict(&both), Verdict::Succeeded, "the same share again");
    let too_much = wire.verdict(&share("s2", payment.clone(), &[(one, 5001)]));
    assert!(matches!(too_much, Verdict::Declined(no) if no.code == "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR"));
    let ask = |reference: &str| {
        let (reference, payment) = (reference.to_owned(), payment.clone());
        Operation::QueryShare(QueryShare { reference, channel_id: None, payment })
    };
    assert_eq!(wire.verdict(&ask("s1")), Verdict::Succeeded);
    assert_eq!(wire.verdict(&ask("s2")), Verdict::Absent);
    assert_eq!(wire.verdict(&Operation::UnbindReceiver(receiver(one))), Verdict::Succeeded);
    let release = Release { reference: "s3".into(), payment, description: "完结".into() };
    assert_eq!(wire.verdict(&Operation::Release(release)), Verdict::Succeeded);
}

#[test]
fn a_share_comes_back_alone_once_and_never_more_than_was_given() {
    let mut wire = Wire::new();
    let (pay, payment) = barcode(10_000);
    wire.perform(&pay).unwrap();
    let one = "2088000000000011";
    wire.perform(&Operation::BindReceiver(receiver(one))).unwrap();
    assert_eq!(wire.verdict(&share("s1", payment.clone(), &[(one, 3000)])), Verdict::Succeeded);
    let numbered = wire.perform(&Operation::Query(Query { payment: payment.clone() })).unwrap().channel_id;
    let back = |reference: &str, fen, channel_id: Option<String>| {
        Operation::ReturnShare(ReturnShare {
            reference: reference.into(),
            share: "s1".into(),
            payment: Payment { channel_id, ..payment.clone() },
            receiver: receiver(one),
            money: cny(fen),
            description: "退货".into(),
        })
    };
    let ask = |reference: &str, fen| {
        let (reference, share, payment) = (reference.to_owned(), "s1".to_owned(), payment.clone());
        Operation::QueryReturn(QueryReturn { reference, share, payment, money: cny(fen) })
    };
    assert_eq!(wire.verdict(&ask("b1", 1000)), Verdict::Absent);
    let given = wire.perform(&back("b1", 1000, numbered.clone())).unwrap();
    assert_eq!((given.verdict, given.money), (Verdict::Succeeded, Some(cny(1000))));
    assert_eq!(wire.verdict(&back("b1", 1000, None)), Verdict::Succeeded, "the same return again");
    for number in [None, numbered] {
        let refused = wire.verdict(&back("b2", 2001, number));
        assert!(matches!(refused, Verdict::Declined(no) if no.code == "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR"));
    }
    assert_eq!(wire.verdict(&ask("b2", 2001)), Verdict::Absent);
    assert_eq!(wire.verdict(&ask("b1", 1000)), Verdict::Succeeded);
    assert!(wire.perform(&ask("b1", 999)).is_err(), "another amount");
    // What came back may be shared again, and the payer was given nothing.
    assert_eq!(wire.verdict(&share("s2", payment.clone(), &[(one, 8000)])), Verdict::Succeeded);
    assert_eq!(wire.simulator.book().len(), 1);
    // A share is not taken for a return, nor the other way round.
    let (reference, channel_id) = ("b1".to_owned(), None);
    let share = Operation::QueryShare(QueryShare { reference, channel_id, payment: payment.clone() });
    assert_eq!(wire.verdict(&share), Verdict::Absent);
    assert_eq!(wire.verdict(&ask("s1", 3000)), Verdict::Absent);
}

#[test]
fn a_transfer_is_made_once_and_a_refused_one_is_asked_for_first() {
    let mut wire = Wire::new();
    let ask = |fen| {
        let (reference, channel_id) = ("t1".to_owned(), None);
        Operation::QueryTransfer(QueryTransfer { reference, channel_id, started_at: NOW, money: cny(fen) })
    };
    assert_eq!(wire.verdict(&ask(500)), Verdict::Absent);
    let poor = wire.verdict(&transfer(9001, "2088000000000011"));
    assert!(matches!(poor, Verdict::Declined(no) if no.reason == DeclineReason::InsufficientFunds));
    let nobody = wire.verdict(&transfer(500, "nobody"));
    assert!(matches!(nobody, Verdict::Declined(no) if no.code == "PAYEE_NOT_EXIST"));
    assert_eq!(wire.verdict(&transfer(500, "2088000000000011")), Verdict::Succeeded);
    assert_eq!(wire.verdict(&transfer(500, "2088000000000011")), Verdict::Succeeded);
    let known = wire.perform(&ask(500)).unwrap();
    assert_eq!((known.verdict, known.money), (Verdict::Succeeded, Some(cny(500))));
    assert!(wire.perform(&ask(501)).is_err(), "another amount");
    // Sent as unknown, and under way.
    let mut wire = Wire::new();
    assert!(wire.perform(&transfer(9007, "2088000000000011")).is_err());
    assert_eq!(wire.verdict(&ask(9007)), Verdict::Succeeded);
    let mut wire = Wire::new();
    assert_eq!(wire.verdict(&transfer(9002, "2088000000000011")), Verdict::Pending);
    wire.wait(30);
    assert_eq!(wire.verdict(&ask(9002)), Verdict::Succeeded);
}

#[test]
fn transfers_and_combined_payments_are_refused_where_they_cannot_be() {
    let mut keys = settings("ours.json");
    keys.set("mode", "keys");
    let channel = Alipay.open(&keys, &NativeKeyring).unwrap();
    assert!(channel.encode(&transfer(500, "2088000000000011"), &context(NOW)).is_err());
}

#[test]
fn the_statement_of_funds_tells_what_changed_the_balance() {
    let mut wire = Wire::new();
    let (pay, payment) = barcode(10_000);
    wire.perform(&pay).unwrap();
    wire.perform(&Operation::BindReceiver(receiver("2088000000000011"))).unwrap();
    wire.perform(&share("s1", payment, &[("2088000000000011", 3000)])).unwrap();
    wire.perform(&transfer(500, "2088000000000011")).unwrap();
    wire.wait(2 * 86_400);
    let statement = paycore::channel::Statement { kind: paycore::channel::StatementKind::Funds, day: NOW };
    let mut step = wire.channel.encode(&Operation::Statement(statement), &context(wire.now)).unwrap();
    let file = loop {
        let call = match step {
            paycore::channel::Step::Send(call) => call,
            paycore::channel::Step::File(file) => break file,
            other => panic!("{other:?}"),
        };
        let paycore::channel::simulator::Answer::Reply(reply) = wire.answer(call.request) else { panic!() };
        let next =
            wire.channel.decode(&Operation::Statement(statement), call.stage, &reply, &context(wire.now));
        step = next.unwrap();
    };
    let mut lines = Vec::new();
    wire.channel.parse(&mut &file[..], &mut |line| lines.push((line.kind, line.money.minor()))).unwrap();
    lines.sort_by_key(|(_, fen)| *fen);
    let expected = [
        (LineKind::Share, -3000),
        (LineKind::Transfer, -500),
        (LineKind::Fee, -60),
        (LineKind::Payment, 10_000),
    ];
    assert_eq!(lines, expected);
}
