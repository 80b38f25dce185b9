//! Bills of funds as v3 gateways write them, and their packing.

use std::io::Write as _;
use std::ops::Range;

use flate2::Compression;
use flate2::write::GzEncoder;
use paycore::time::Timestamp;

use super::share::Share;

const FUNDS: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,\
    备注,业务凭证号";

/// One movement of the balance: when, the business's number, its name and type, fen (negative when they went out) and
/// the merchant's number.
pub(crate) type Movement = (Timestamp, String, [&'static str; 2], i64, String);

/// The bill of a day: what moved in it, of everything that ever moved a balance that began with nothing.
pub(crate) fn funds(mut moved: Vec<Movement>, mchid: &str, day: Range<Timestamp>) -> String {
    moved.sort();
    let (mut rows, mut balance) = (String::new(), 0);
    let (mut counts, mut sums) = ([0; 2], [0; 2]);
    for (number, (at, id, [name, kind], fen, voucher)) in moved.into_iter().enumerate() {
        balance += fen;
        if !day.contains(&at) || fen == 0 {
            continue;
        }
        let (side, word) = if fen > 0 { (0, "收入") } else { (1, "支出") };
        (counts[side], sums[side]) = (counts[side] + 1, sums[side] + fen.abs());
        let (at, flow) = (at.beijing(), format!("{}{number:010}", at.beijing_compact()));
        let (amount, left) = (yuan(fen.abs()), yuan(balance));
        rows += &format!(
            "`{at},`{id},`{flow},`{name},`{kind},`{word},`{amount},`{left},`{}API,`,`{voucher}\n",
            mchid
        );
    }
    let ([came, went], [income, spent]) = (counts, sums.map(yuan));
    let text = format!(
        "{FUNDS}\n{rows}资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\n\
         `{},`{came},`{income},`{went},`{spent}\n",
        came + went
    );
    format!("\u{feff}{}", text.replace('\n', "\r\n"))
}

/// What a share did to the balance.
pub(crate) fn shared(share: &Share) -> Vec<Movement> {
    let given = share.rows.iter().filter(|row| !row.own()).map(|row| {
        (share.at, share.order_id.clone(), ["分账", "分账"], -row.fen, share.out_order_no.clone())
    });
    let back = share.returns.iter().map(|back| {
        (back.at, back.return_id.clone(), ["分账回退", "分账回退"], back.fen, back.out_return_no.clone())
    });
    given.chain(back).collect()
}

/// Fen as yuan.
pub(crate) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100)
}

/// A file in GZIP.
pub(crate) fn pack(file: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    // Writing into a vector cannot fail.
    let _ = packer.write_all(file);
    packer.finish().unwrap_or_default()
}
