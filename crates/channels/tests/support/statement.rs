//! Statement files as canonical lines.

use super::*;

/// What a statement file says to the account of `ours.json`.
pub fn parse(file: &[u8]) -> Result<(Vec<Line>, Totals), Fault> {
    parse_for(&*adapter(), file)
}

pub fn parse_for(channel: &dyn Channel, mut file: &[u8]) -> Result<(Vec<Line>, Totals), Fault> {
    let mut lines = Vec::new();
    let totals = channel.parse(&mut file, &mut |line| lines.push(line))?;
    Ok((lines, totals))
}

/// The recorded statement in UTF-8 with one text replaced.
pub fn parse_changed(from: &str, to: &str) -> Result<(Vec<Line>, Totals), Fault> {
    let text = text("statement.csv");
    assert!(text.contains(from), "{from}");
    parse(text.replacen(from, to, 1).as_bytes())
}

/// A payment of so many fen, or its refund, with the provider's fee.
pub fn bill_line(reference: &str, refund: Option<&str>, id: &str, fen: i64, fee: i64, at: &str) -> Line {
    Line {
        kind: if refund.is_some() { LineKind::Refund } else { LineKind::Payment },
        reference: reference.into(),
        refund_reference: refund.map(Into::into),
        channel_id: id.into(),
        money: cny(fen),
        fee: cny(fee),
        at: at.parse().unwrap(),
    }
}
