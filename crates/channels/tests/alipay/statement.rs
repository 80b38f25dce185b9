//! The daily bill: recorded, damaged, and from the simulator.

use std::sync::LazyLock;

use paycore_channels::alipay::simulator::Sandbox;

use super::*;

fn parse(bytes: &[u8]) -> Result<(Vec<Line>, Totals), Fault> {
    static ADAPTER: LazyLock<Arc<dyn Channel>> = LazyLock::new(adapter);
    parse_for(&**ADAPTER, bytes)
}

/// The recorded bill with one text replaced.
fn changed(from: &str, to: &str) -> Result<(Vec<Line>, Totals), Fault> {
    let bytes = fixture("statement.csv");
    let (text, _) = encoding_rs::GB18030.decode_without_bom_handling(&bytes);
    assert!(text.contains(from), "{from}");
    parse(&encoding_rs::GB18030.encode(&text.replacen(from, to, 1)).0)
}

#[test]
fn the_recorded_bill_becomes_canonical_lines() {
    let (lines, totals) = parse(&fixture("statement.csv")).unwrap();
    assert_eq!(totals, Totals { payments: 2, refunds: 1 });
    let expected = [
        bill_line(REFERENCE, None, TRADE_NO, 8888, 53, "2026-11-23T00:01:02Z"),
        bill_line(
            "01kayb4h7pz8y3v5n2q6m9t4wz",
            None,
            "2026112322001499260500012346",
            1,
            0,
            "2026-11-23T02:00:01Z",
        ),
        bill_line(REFERENCE, Some(REFUND), TRADE_NO, 880, -5, "2026-11-23T01:10:11Z"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_bill_that_was_cut_off_or_changed_is_refused() {
    let whole = fixture("statement.csv");
    // The time of the export at the very end may be cut, no line before it.
    let needed = whole.len() - "[2026 11 23  09:46:49]".len() - 12;
    for length in 0..needed {
        assert!(parse(&whole[..length]).is_err(), "{length} bytes");
    }
    for (from, to) in [
        ("#支付宝业务明细查询", "#支付宝账务明细查询"),
        ("备注\r\n", "备注,新列\r\n"),
        ("0.01,0.01", "0.01,0.02"),
        ("2笔", "3笔"),
        ("88.89元", "88.88元"),
        ("1笔", "0笔"),
        ("#导出", "2019..."),
        (",交易,", ",转账,"),
        (",退款,", ",交易,"),
        ("-0.53", "-0.5x"),
        ("2026-11-23 10:00:01", "2026-11-31 10:00:01"),
        ("01kayb4h7pz8y3v5n2q6m9t4wz", ""),
    ] {
        assert!(matches!(changed(from, to), Err(Fault::Unexpected(_))), "{from} -> {to}");
    }
    assert!(matches!(changed("2088741199260002", "2088741199260003"), Err(Fault::Unacceptable(_))));
    let mut latin = whole.clone();
    latin[0..2].copy_from_slice(&[0xff, 0xff]);
    assert!(parse(&latin).is_err());
}

/// A name that imitates the columns behind it could shift the amounts; such a row has two readings and is refused.
#[test]
fn a_product_name_that_imitates_columns_is_refused() {
    let columns = ",2026-11-23 10:00:00,2026-11-23 10:00:01,,,,,x,9.00,9.00,0,0,0,0,0,,0,0,,0,0,";
    assert!(matches!(changed("捷運 car", &format!("x{columns}")), Err(Fault::Unexpected(_))));
}

#[test]
fn the_simulators_bill_agrees_with_its_book() {
    let mut gateway = Sandbox.open(&settings("theirs.json"), &NativeKeyring).unwrap();
    let channel = adapter();
    let mut send = |operation: &Operation| match channel.encode(operation, &context(NOW)).unwrap() {
        Step::Send(call) => {
            let (mut head, body) = call.request.into_parts();
            head.uri = "/gateway.do?charset=utf-8".parse().unwrap();
            gateway.handle(&http::Request::from_parts(head, body), NOW);
        }
        Step::Done(_) | Step::File(_) => {}
    };
    // 9003 pays itself.
    let paid = Pay { money: cny(9003), subject: "茶, 红; & car 捷運".into(), ..pay("qr") };
    send(&Operation::Pay(paid));
    let Operation::Refund(part) = refund() else { return };
    send(&Operation::Refund(Refund { captured: cny(9003), ..part }));
    let next_day = NOW.plus(std::time::Duration::from_secs(86_400));
    let (lines, totals) = parse(&gateway.statement(NOW, next_day).unwrap()).unwrap();
    assert_eq!(totals, Totals { payments: 1, refunds: 1 });
    let shown: Vec<_> = lines.iter().map(|line| (line.kind, line.money, line.fee, line.at)).collect();
    let expected = [(LineKind::Payment, cny(9003), cny(54), NOW), (LineKind::Refund, cny(880), cny(0), NOW)];
    assert_eq!(shown, expected);
    let empty = gateway.statement(next_day, next_day).unwrap();
    assert_eq!(parse(&empty).unwrap().1, Totals::default());
}
