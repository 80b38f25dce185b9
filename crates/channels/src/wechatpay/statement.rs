//! The daily trade bill (`bill_type=ALL`) as a stream of canonical lines: UTF-8 with a byte order mark, every cell with a
//! backtick in front, amounts in yuan although the interface has fen.

use std::io::BufRead;

use paycore::channel::{Fault, Line, LineKind, Totals};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::CNY;
use super::config::Account;
use crate::dialect::lines::Lines;

const COLUMNS: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,\
    付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,\
    商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const TOTALS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
/// The columns whose sums stand in the last row after the number of rows.
const SUMMED: [usize; 6] = [12, 16, 17, 22, 24, 25];

/// Reads the whole file. The lines handed to `each` may be believed only when this returns the totals: a file that
/// was cut off or changed fails at its last row.
pub(super) fn parse(
    account: &Account,
    file: &mut dyn BufRead,
    each: &mut dyn FnMut(Line),
) -> Result<Totals, Fault> {
    let mut rows = Lines::utf8(file);
    let head = rows.required()?;
    if head.trim_start_matches('\u{feff}') != COLUMNS {
        return Err(rows.wrong("not a trade bill with all columns"));
    }
    let (mut totals, mut sums) = (Totals::default(), [0_i64; SUMMED.len()]);
    loop {
        let text = rows.required()?;
        if text == TOTALS {
            break;
        }
        let cells = cells(&text).filter(|cells| cells.len() == 27);
        let cells = cells.ok_or_else(|| rows.wrong("the row is not understood"))?;
        if cells[2] != account.identity.mchid {
            return Err(Fault::Unacceptable("the bill of another merchant".into()));
        }
        for (sum, column) in sums.iter_mut().zip(SUMMED) {
            let added = yuan(cells[column]).and_then(|amount| sum.checked_add(amount));
            *sum = added.ok_or_else(|| rows.wrong("an amount is not understood"))?;
        }
        let line = line(&cells).ok_or_else(|| rows.wrong("the row is not understood"))?;
        let count = if line.kind == LineKind::Refund { &mut totals.refunds } else { &mut totals.payments };
        *count += 1;
        each(line);
    }
    let last = rows.required()?;
    if footer(&last) != Some((totals.payments + totals.refunds, sums)) {
        return Err(rows.wrong("the totals do not agree with the rows"));
    }
    if rows.next()?.is_some_and(|line| !line.is_empty()) {
        return Err(rows.wrong("the file does not end here"));
    }
    Ok(totals)
}

/// Cells are not quoted; only a backtick after a comma begins a new one.
fn cells(text: &str) -> Option<Vec<&str>> {
    Some(text.strip_prefix('`')?.split(",`").map(str::trim).collect())
}

/// Number of rows and sums; the number is written with a decimal.
fn footer(text: &str) -> Option<(u64, [i64; SUMMED.len()])> {
    let cells = cells(text)?;
    let (count, sums) = cells.split_first()?;
    let count = count.strip_suffix(".0").unwrap_or(count).parse().ok()?;
    let sums: Option<Vec<i64>> = sums.iter().map(|text| yuan(text)).collect();
    Some((count, sums?.try_into().ok()?))
}

fn line(cells: &[&str]) -> Option<Line> {
    let (kind, gross) = match cells[9] {
        "SUCCESS" => (LineKind::Payment, cells[24]),
        // A reversed barcode payment goes back without a refund of its own.
        "REFUND" | "REVOKED" => (LineKind::Refund, cells[25]),
        _ => return None,
    };
    let known = |text: &str| (!text.is_empty() && text != "0").then(|| text.to_owned());
    let exact = yuan(gross)?;
    if cells[11] != "CNY" || exact <= 0 || exact % HUNDREDTHS != 0 {
        return None;
    }
    Some(Line {
        kind,
        reference: known(cells[6])?,
        refund_reference: if kind == LineKind::Refund { known(cells[15]) } else { None },
        channel_id: known(cells[5])?,
        money: Money::new(exact / HUNDREDTHS, CNY),
        fee: Money::new(nearest_fen(yuan(cells[22])?), CNY),
        at: Timestamp::parse_beijing(cells[0]).ok()?,
    })
}

/// Hundred-thousandths of a yuan, in which fees are written, to a fen.
const HUNDREDTHS: i64 = 1_000;

/// A fee to the nearest fen, halves away from zero. The file's own sum is checked before this, in full.
fn nearest_fen(exact: i64) -> i64 {
    (exact.abs() + HUNDREDTHS / 2) / HUNDREDTHS * exact.signum()
}

/// Yuan with at most five decimals, in hundred-thousandths.
fn yuan(text: &str) -> Option<i64> {
    let (minus, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |part: &str, max| (1..=max).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole, 12) || !digits(decimals, 5) {
        return None;
    }
    let exact = format!("{whole}{decimals:0<5}").parse::<i64>().ok()?;
    Some(exact * minus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (text, exact) in [("0.47", 47_000), ("-0.00600", -600), ("12", 1_200_000), ("0.1", 10_000)] {
            assert_eq!(yuan(text), Some(exact), "{text}");
        }
        for text in ["", ".", "1.", ".5", "1.234567", "1e2", "1,000.00", "+1", "--1", "１", " 1"] {
            assert_eq!(yuan(text), None, "{text}");
        }
    }

    #[test]
    fn a_fee_is_rounded_to_the_nearest_fen() {
        for (exact, fen) in [(600, 1), (499, 0), (500, 1), (-600, -1), (-499, 0), (53_000, 53)] {
            assert_eq!(nearest_fen(exact), fen, "{exact}");
        }
    }
}
