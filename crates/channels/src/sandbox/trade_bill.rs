//! The daily bill of trades as WeChat Pay writes it.

use paycore::time::Timestamp;

use super::bill::yuan;

/// Whose bill it is: the app, the merchant, and the merchant that it acts for.
pub(crate) struct Owner<'a> {
    pub(crate) appid: &'a str,
    pub(crate) mchid: &'a str,
    pub(crate) sub: Option<&'a str>,
}

/// One row: a payment, or, with its numbers, a refund.
pub(crate) struct Row<'a> {
    pub(crate) at: Timestamp,
    pub(crate) transaction_id: &'a str,
    pub(crate) out_trade_no: &'a str,
    pub(crate) trade_type: &'a str,
    pub(crate) description: &'a str,
    /// The platform's number of a refund and the merchant's.
    pub(crate) refund: Option<(&'a str, &'a str)>,
    pub(crate) fen: i64,
    /// What the platform keeps of a payment.
    pub(crate) fee: i64,
}

/// UTF-8 with a byte order mark.
pub(crate) fn bill<'a>(owner: &Owner<'_>, rows: impl Iterator<Item = Row<'a>>) -> String {
    let (mut text, mut count, mut taken, mut given, mut fees) = (String::new(), 0, 0, 0, 0);
    for row in rows {
        text += &line(owner, &row);
        count += 1;
        if row.refund.is_some() {
            given += row.fen
        } else {
            taken += row.fen
        }
        fees += row.fee;
    }
    let text = include_str!("trade_bill.txt")
        .replace("{count}", &count.to_string())
        .replace("{taken}", &yuan(taken))
        .replace("{given}", &yuan(given))
        .replace("{fees}", &yuan(fees))
        .replace("{rows}", &text);
    format!("\u{feff}{}", text.replace('\n', "\r\n"))
}

fn line(owner: &Owner<'_>, row: &Row<'_>) -> String {
    let (Owner { appid, mchid, .. }, at) = (owner, row.at.beijing());
    let sub = owner.sub.unwrap_or("0");
    let Row { transaction_id, out_trade_no, trade_type, description, .. } = row;
    let (state, (refund_id, number), fen) = match row.refund {
        None => ("SUCCESS", ("0", "0"), [row.fen, 0]),
        Some(refund) => ("REFUND", refund, [0, row.fen]),
    };
    let (kind, status) = if row.refund.is_some() { ("ORIGINAL", "SUCCESS") } else { ("", "") };
    let ([paid, back], fee) = (fen.map(yuan), yuan(row.fee));
    format!(
        "`{at},`{appid},`{mchid},`{sub},`,`{transaction_id},`{out_trade_no},`oUpF8uSandboxPayer,`{trade_type},\
         `{state},`OTHERS,`CNY,`{paid},`0.00,`{refund_id},`{number},`{back},`0.00,`{kind},`{status},\
         `{description},`,`{fee}000,`0.60%,`{paid},`{back},`\n"
    )
}
