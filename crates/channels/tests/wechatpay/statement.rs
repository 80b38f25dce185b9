//! The daily bill: recorded and damaged. The simulator's own is read by the conformance suite.

use super::*;

#[test]
fn the_recorded_bill_becomes_canonical_lines() {
    let (lines, totals) = parse(&fixture("statement.csv")).unwrap();
    assert_eq!(totals, Totals { payments: 2, refunds: 1 });
    let other = ("01kayd0000000000000000000x", "4200001760202611230000012346");
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
        // The last amount may lose a zero or its decimals and still say the same.
        let read = parse(&whole[..length]);
        assert!(read.is_err() || length >= whole.len() - 3, "cut at {length}: {read:?}");
    }
}

#[test]
fn a_bill_that_does_not_add_up_is_refused() {
    for (from, to) in [
        ("`88.88", "`88.87"),
        ("`0.53000", "`0.53001"),
        ("`-0.05000", "`0.05000"),
        ("`8.80,`\r\n", "`8.79,`\r\n"),
        ("`3.0,", "`2.0,"),
        ("`89.35", "`89.36"),
        ("`0.48300", "`0.48200"),
        ("`CNY", "`USD"),
        ("`SUCCESS", "`PAID"),
        ("`REFUND", "`REFUNDED"),
        ("2026-11-23 08:01:02", "2026-02-30 08:01:02"),
        ("红茶, 2 盒", "红茶,` 2 盒"),
        (",费率备注", ""),
        ("\u{feff}", "x"),
    ] {
        assert!(matches!(parse_changed(from, to), Err(Fault::Unexpected(_))), "{from} {to}");
    }
    let other = parse_changed(",`1688880001,", ",`1688880002,");
    assert!(matches!(other, Err(Fault::Unacceptable(_))), "{other:?}");
    let longer = [fixture("statement.csv"), b"`1.0\r\n".to_vec()].concat();
    assert!(parse(&longer).is_err());
    let gbk = encoding_rs::GBK.encode(&String::from_utf8(fixture("statement.csv")).unwrap()).0.into_owned();
    assert!(parse(&gbk).is_err());
}
