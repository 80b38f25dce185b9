//! The daily bill: recorded and damaged. The simulator's own is read by the conformance suite.

use super::*;

#[test]
fn the_recorded_bill_becomes_canonical_lines() {
    let (lines, totals) = parse(&fixture("statement.csv")).unwrap();
    assert_eq!(totals, Totals { payments: 2, refunds: 1 });
    let other = ("01kayd0000000000000000000x", "1900000109462026112300012346");
    let expected = [
        bill_line(REFERENCE, None, TRANSACTION, 8888, 53, "2026-11-23T00:01:02Z"),
        bill_line(other.0, None, other.1, 47, 0, "2026-11-23T00:30:00Z"),
        bill_line(REFERENCE, Some(REFUND), TRANSACTION, 880, -5, "2026-11-23T00:09:11Z"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn every_cut_of_a_bill_fails_before_its_last_line_is_whole() {
    let whole = fixture("statement.csv");
    for length in 0..whole.len() - 2 {
        let read = parse(&whole[..length]);
        assert!(read.is_err(), "cut at {length}: {read:?}");
    }
}

#[test]
fn a_bill_that_does_not_add_up_is_refused() {
    for (from, to) in [
        ("RMB,88.88", "RMB,88.87"),
        ("暂无数据,0.53,", "暂无数据,0.54,"),
        ("-0.05", "0.05"),
        (",8.80,0,退款成功", ",8.79,0,退款成功"),
        ("\n3,", "\n2,"),
        ("\n3,89.35", "\n3,89.36"),
        ("0.48\n", "0.47\n"),
        ("RMB", "USD"),
        ("支付成功", "支付"),
        ("转入退款", "已撤销"),
        ("退款成功", "退款失败"),
        ("2026-11-23 08:01:02", "2026-02-30 08:01:02"),
        (",费率", ""),
        ("\u{feff}", "x"),
    ] {
        assert!(matches!(parse_changed(from, to), Err(Fault::Unexpected(_))), "{from} {to}");
    }
    let other = parse_changed(",1900000109,", ",1900000108,");
    assert!(matches!(other, Err(Fault::Unacceptable(_))), "{other:?}");
    let longer = [fixture("statement.csv"), b"1,0\n".to_vec()].concat();
    assert!(parse(&longer).is_err());
    let gbk = encoding_rs::GBK.encode(&String::from_utf8(fixture("statement.csv")).unwrap()).0.into_owned();
    assert!(parse(&gbk).is_err());
}

/// A row that never ends and a bill that never ends are both read in pieces.
#[test]
fn a_bill_is_read_as_a_stream() {
    let text = String::from_utf8(fixture("statement.csv")).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    let count = 20_000_u64;
    let body = format!("{}\n", rows[2]).repeat(usize::try_from(count).unwrap());
    let sum = format!("{}.{:02}", 47 * count / 100, 47 * count % 100);
    let bill = format!("{}\n{body}{}\n{count},{sum},0,{sum},0,{sum},0,0,0\n", rows[0], rows[4]);
    let mut seen = 0_u64;
    let totals = adapter().parse(&mut bill.as_bytes(), &mut |_| seen += 1).unwrap();
    assert_eq!((totals.payments, seen), (count, count));
    let endless = "x".repeat(8 << 20);
    assert!(parse(endless.as_bytes()).is_err());
}
