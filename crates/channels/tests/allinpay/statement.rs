//! The daily statement: recorded, damaged, and from the simulator.

use std::sync::LazyLock;

use flate2::Crc;
use paycore_channels::allinpay::simulator::Sandbox;

use super::*;

/// A file in an archive, not packed.
fn archive(content: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(content);
    let size = (content.len() as u32).to_le_bytes();
    let name = b"990581007426001_20261123.csv";
    let length = [name.len() as u8, 0, 0, 0];
    let head = [&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x28][..], &crc.sum().to_le_bytes(), &size, &size, &length];
    let local = [b"PK\x03\x04", &head.concat()[..], name, content].concat();
    let directory = [b"PK\x01\x02\x14\0", &head.concat()[..], &[0; 14], name].concat();
    let end = [&b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..], &(directory.len() as u32).to_le_bytes()].concat();
    [local.clone(), directory, end, (local.len() as u32).to_le_bytes().to_vec(), vec![0, 0]].concat()
}

fn parse(bytes: &[u8]) -> Result<(Vec<Line>, Totals), Fault> {
    static ADAPTER: LazyLock<Arc<dyn Channel>> = LazyLock::new(adapter);
    parse_for(&**ADAPTER, bytes)
}

/// The recorded statement with one text replaced.
fn changed(from: &str, to: &str) -> Result<(Vec<Line>, Totals), Fault> {
    let bytes = fixture("statement.csv");
    let (text, _) = encoding_rs::GBK.decode_without_bom_handling(&bytes);
    assert!(text.contains(from), "{from}");
    parse(&archive(&encoding_rs::GBK.encode(&text.replacen(from, to, 1)).0))
}

#[test]
fn the_recorded_statement_becomes_canonical_lines() {
    let (lines, totals) = parse(&archive(&fixture("statement.csv"))).unwrap();
    assert_eq!(totals, Totals { payments: 2, refunds: 1 });
    let other = "01kayb4h7pz8y3v5n2q6m9t4wz";
    let expected = [
        bill_line(REFERENCE, None, TRXID, 8888, 53, "2026-11-23T00:01:02Z"),
        // What was asked for, not what a wallet's discount left of it; no time of completion.
        bill_line(other, None, "261123112233445567", 100, 0, "2026-11-23T15:59:58Z"),
        // A refund names the payment's number, and its own reference.
        bill_line("", Some(REFUND), TRXID, 880, -5, "2026-11-23T01:10:11Z"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_statement_that_was_cut_off_or_changed_is_refused() {
    let whole = archive(&fixture("statement.csv"));
    for length in 0..whole.len() {
        assert!(parse(&whole[..length]).is_err(), "{length} bytes");
    }
    let good = parse(&whole).unwrap();
    for place in (0..whole.len()).step_by(7) {
        let mut flipped = whole.clone();
        flipped[place] ^= 0x10;
        assert!(parse(&flipped).map_or(true, |read| read == good), "byte {place}");
    }
    for (from, to) in [
        ("商户号", "商户"),
        ("交易完成日期\r\n", "交易完成\r\n"),
        ("茶庄 1 号店", "茶庄, 1 号店"),
        ("VSP511", "VSP513"),
        ("VSP511", "VSP519"),
        ("微信支付", "微信转账"),
        ("VSP513", "VSP511"),
        ("88.88", "88.8x"),
        ("0.53", "0.5x"),
        (",1.00,", ",0.00,"),
        (",1.00,", ",-1.00,"),
        ("2026-11-23,261123112233445567", "2026-11-31,261123112233445567"),
        ("261123112233445567", ""),
    ] {
        assert!(matches!(changed(from, to), Err(Fault::Unexpected(_))), "{from} -> {to}");
    }
    assert!(matches!(changed("990581007426001", "990581007426002"), Err(Fault::Unacceptable(_))));
    // The bare table has nothing that would tell of a missing end.
    assert!(matches!(parse(&fixture("statement.csv")), Err(Fault::Unexpected(_))));
}

#[test]
fn a_new_column_behind_the_known_ones_is_skipped() {
    let bytes = fixture("statement.csv");
    let rows = bytes.split_inclusive(|byte| *byte == b'\n');
    let wider: Vec<_> = rows.map(|row| [row.strip_suffix(b"\r\n").unwrap(), b",x\r\n"].concat()).collect();
    assert_eq!(parse(&archive(&wider.concat())).unwrap(), parse(&archive(&bytes)).unwrap());
}

#[test]
fn the_address_of_the_file_has_to_be_a_safe_one_and_the_file_an_archive() {
    let operation = Operation::Statement(Statement { kind: StatementKind::Trade, day: NOW });
    let channel = adapter();
    let Ok(Step::Send(call)) = channel.encode(&operation, &context(NOW)) else { panic!("not sent") };
    assert_eq!(call.request.uri().path(), "/cusapi/trxfile/get");
    let next = |stage, body: &[u8]| {
        channel.decode(&operation, stage, &Reply::new(Bytes::copy_from_slice(body)), &context(NOW))
    };
    assert!(
        next(0, b"{\"retcode\":\"SUCCESS\",\"url\":\"https://evil.example/a.zip\"}").is_err(),
        "not signed"
    );
    assert!(matches!(next(100, b"{\"retcode\":\"FAIL\"}"), Err(Fault::Unexpected(_))));
    let file = archive(&fixture("statement.csv"));
    assert!(matches!(next(100, &file), Ok(Step::File(taken)) if taken == file));
}

#[test]
fn the_simulators_statement_agrees_with_its_book() {
    let made = Sandbox.provision("https://sandbox.example", &NativeKeyring, &Zeros).unwrap();
    let mut gateway = Sandbox.open(&made.theirs, &NativeKeyring).unwrap();
    let channel = Allinpay.open(&made.ours, &NativeKeyring).unwrap();
    let mut send = |operation: &Operation| {
        let Ok(Step::Send(call)) = channel.encode(operation, &context(NOW)) else { panic!("not sent") };
        let (mut head, body) = call.request.into_parts();
        head.uri = head.uri.path().parse().unwrap();
        gateway.handle(&http::Request::from_parts(head, body), NOW);
    };
    // 9003 pays itself.
    send(&Operation::Pay(Pay { money: cny(9003), ..pay("alipay.qr") }));
    let Operation::Refund(part) = refund() else { return };
    send(&Operation::Refund(Refund { captured: cny(9003), ..part }));
    let next_day = NOW.plus(std::time::Duration::from_secs(86_400));
    let (lines, totals) = parse_for(&*channel, &gateway.statement(NOW, next_day).unwrap()).unwrap();
    assert_eq!(totals, Totals { payments: 1, refunds: 1 });
    let shown: Vec<_> = lines.iter().map(|line| (line.kind, line.money, line.fee)).collect();
    assert_eq!(shown, [(LineKind::Payment, cny(9003), cny(54)), (LineKind::Refund, cny(880), cny(0))]);
    assert_eq!(
        parse_for(&*channel, &gateway.statement(next_day, next_day).unwrap()).unwrap().1,
        Totals::default()
    );
}
