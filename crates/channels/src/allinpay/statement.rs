//! The daily statement (`trxfile/get`): a ZIP of comma-separated files in GBK with a line of names in front. There is no
//! line of totals; that nothing is missing is said by the archive's checksums, so a bare file is not taken.

use std::io::BufRead;

use paycore::channel::{Fault, Line, LineKind, Totals};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::CNY;
use super::config::Account;
use crate::dialect::archive;
use crate::dialect::bill::fen;

/// The columns we read, by their place, with their names. Store, remark and names of people are free texts.
const COLUMNS: [(usize, &str); 11] = [
    (0, "商户号"),
    (3, "交易时间"),
    (4, "交易类型"),
    (12, "交易金额"),
    (13, "手续费"),
    (14, "交易日期"),
    (15, "交易单号"),
    (16, "订单号"),
    (19, "原始金额"),
    (29, "原交易单"),
    (33, "交易完成日期"),
];
/// Columns that are published; new ones come behind them.
const WIDTH_MIN: usize = 34;

/// Reads the whole archive. The lines handed to `each` may be believed only when this returns the totals.
pub(super) fn parse(
    account: &Account,
    file: &mut dyn BufRead,
    each: &mut dyn FnMut(Line),
) -> Result<Totals, Fault> {
    let mut totals = Totals::default();
    archive::rows(file, (WIDTH_MIN, &COLUMNS), |cells| {
        if cells[0] != account.cusid {
            return Err(Fault::Unacceptable("the statement of another merchant".into()));
        }
        let Some(line) = line(cells) else { return Ok(None) };
        *(if line.kind == LineKind::Refund { &mut totals.refunds } else { &mut totals.payments }) += 1;
        each(line);
        Ok(Some(()))
    })?;
    Ok(totals)
}

/// A payment, or what came back of one. A refund is a transaction of its own, which names its payment by Allinpay's
/// number only.
fn line(cells: &[&str]) -> Option<Line> {
    let original = Some(cells[29]).filter(|number| !number.is_empty() && *number != "0");
    let refund = original.is_some();
    // The kind of transaction has to say the same as the presence of an original.
    if back(cells[4])? != refund || cells[15].is_empty() {
        return None;
    }
    // What was asked for stands beside what was left of it after a wallet's discount.
    let asked = Some(cells[19]).filter(|cell| !cell.is_empty()).unwrap_or(cells[12]);
    let (asked, fee) = (fen(asked)?, if cells[13].is_empty() { 0 } else { fen(cells[13])? });
    fen(cells[12])?;
    if asked == 0 || asked < 0 && !refund {
        return None;
    }
    let own = cells[16].to_owned();
    Some(Line {
        kind: if refund { LineKind::Refund } else { LineKind::Payment },
        reference: if refund { String::new() } else { own.clone() },
        refund_reference: refund.then_some(own),
        channel_id: original.unwrap_or(cells[15]).to_owned(),
        money: Money::new(asked.checked_abs()?, CNY),
        fee: Money::new(if refund { -fee.checked_abs()? } else { fee }, CNY),
        at: at(cells[33], cells[23]).or_else(|| at(cells[14], cells[3]))?,
    })
}

/// Whether a kind of transaction gives money back: by its code, whose last digit says what is done, or by its name.
fn back(kind: &str) -> Option<bool> {
    if let Some(digits) = kind.strip_prefix("VSP").filter(|digits| digits.len() == 3) {
        return match digits {
            "505" => Some(false),
            "507" => Some(true),
            _ => match digits.as_bytes()[2] {
                b'1' => Some(false),
                b'2' | b'3' => Some(true),
                _ => None,
            },
        };
    }
    let says = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    match (says(&["退", "撤"]), says(&["支付", "消费", "收款"])) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

fn at(day: &str, time: &str) -> Option<Timestamp> {
    Timestamp::parse_beijing(&format!("{day} {time}")).ok()
}
