//! Statement files: a recorded one, made by another implementation, and damaged ones.

use super::*;

fn parse(file: &[u8]) -> (Vec<Line>, Result<Totals, Fault>) {
    let mut lines = Vec::new();
    let totals = adapter().parse(&mut &file[..], &mut |line| lines.push(line));
    (lines, totals)
}

#[test]
fn a_recorded_statement_is_unpacked_and_read() {
    let read = adapter().decode(&statement(), 0, &reply("statement"), &context(NOW)).unwrap();
    let Step::File(file) = read else { panic!("{read:?}") };
    let (lines, totals) = parse(&file);
    assert_eq!(totals, Ok(Totals { payments: 2, refunds: 1 }));
    let brief: Vec<_> = lines
        .iter()
        .map(|line| {
            let refund = line.refund_reference.as_deref().unwrap_or("-");
            let (reference, id) = (line.reference.as_str(), line.channel_id.as_str());
            (line.kind, reference, refund, id, line.money.minor(), line.fee.minor(), line.at.beijing())
        })
        .collect();
    let other = "01kayc0000000000000000000c";
    assert_eq!(
        brief,
        [
            (LineKind::Payment, REFERENCE, "-", QUERY_ID, 8888, 53, "2026-11-23 08:12:05".to_owned()),
            (
                LineKind::Payment,
                other,
                "-",
                "202611230820000123459",
                8000,
                48,
                "2026-11-22 23:59:59".to_owned()
            ),
            (LineKind::Refund, REFERENCE, REFUND, QUERY_ID, 880, -5, "2026-11-23 09:10:04".to_owned()),
            (LineKind::Other, "", "-", "1234561101120000", 1234, 0, "2026-11-23 10:00:00".to_owned()),
        ]
    );
}

#[test]
fn a_damaged_statement_is_refused() {
    let file = fixture("statement.zip");
    assert!(parse(&file).1.is_ok());
    for cut in (0..file.len()).step_by(37) {
        assert!(parse(&file[..cut]).1.is_err(), "cut at {cut}");
    }
    for place in (30..file.len() - 30).step_by(11) {
        let mut changed = file.clone();
        changed[place] ^= 0x10;
        let (lines, totals) = parse(&changed);
        let (whole, good) = parse(&file);
        // What was bought and given back is all there or nothing is; the name of another file may be damaged.
        let moved = |lines: Vec<Line>| {
            lines.into_iter().filter(|line| line.kind != LineKind::Other).collect::<Vec<_>>()
        };
        assert!(totals.is_err() || (moved(lines) == moved(whole) && totals == good), "byte {place}");
    }
    let mut other = settings();
    other.set("mer_id", "777290058110049");
    let other = open(&other);
    assert!(matches!(other.parse(&mut &file[..], &mut |_| {}), Err(Fault::Unacceptable(_))));
    assert!(parse(b"not an archive").1.is_err());
}
