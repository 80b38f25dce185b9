//! The daily trade bill (`bill_type=ALL`) as a stream of canonical lines. Cells are separated by commas, some with a
//! backtick in front; nothing is quoted, so the two free texts near the end may hold more commas.

use std::io::BufRead;

use paycore::channel::{Fault, Line, LineKind, Totals};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::CNY;
use super::config::Account;
use crate::dialect::bill::{fen, nearest_fen};
use crate::dialect::lines::{self, Lines};

const COLUMNS: &str = "交易时间,商户号,商户APPID,子商户号,子商户APPID,用户标识,设备号,支付场景,商户订单号,QQ钱包订单号,\
    付款银行,货币种类,订单金额(元),商户优惠金额(元),商户应收金额(元),QQ钱包优惠金额(元),用户支付金额(元),交易状态,\
    退款提交时间,商户退款订单号,QQ钱包退款订单号,退款金额(元),退还QQ钱包优惠金额(元),退款状态,退款成功时间,退款方式,\
    商品名称,商户数据包,手续费金额(元),费率";
const TOTALS: &str = "交易总笔数,订单总金额(元),商户优惠总金额(元),商户应收总金额(元),QQ钱包优惠总金额(元),\
    用户支付总金额(元),退款总金额(元),退还QQ钱包优惠总金额(元),手续费总金额(元)";
const WIDTH: usize = 30;
/// How many columns stand before the two free texts, and how many behind them.
const LEADING: usize = 26;
const TRAILING: usize = 2;
/// The columns whose sums stand in the last row, after the number of rows. The fee is the last but one.
const SUMMED: [usize; 7] = [12, 13, 14, 15, 16, 21, 22];

/// Reads the whole file. The lines handed to `each` may be believed only when this returns the totals: a file that
/// was cut off or changed fails at its last row.
pub(super) fn parse(
    account: &Account,
    file: &mut dyn BufRead,
    each: &mut dyn FnMut(Line),
) -> Result<Totals, Fault> {
    let mut rows = Lines::utf8(file);
    if rows.required()?.trim_start_matches('\u{feff}') != COLUMNS {
        return Err(rows.wrong("not this kind of bill, or without some columns"));
    }
    let (mut totals, mut count, mut sums) = (Totals::default(), 0_u64, [0_i64; 8]);
    loop {
        let text = rows.required()?;
        if text == TOTALS {
            break;
        }
        let cells = cells(&text).ok_or_else(|| rows.wrong("the cells are not understood"))?;
        if cells[1] != account.party.mch_id {
            return Err(Fault::Unacceptable("the bill of another merchant".into()));
        }
        let amounts = SUMMED.map(|column| cells[column]).into_iter().chain([cells[WIDTH - 2]]);
        for (sum, cell) in sums.iter_mut().zip(amounts) {
            let added = amount(cell).and_then(|fen| sum.checked_add(fen));
            *sum = added.ok_or_else(|| rows.wrong("an amount is not understood"))?;
        }
        let line = line(&cells).ok_or_else(|| rows.wrong("the row is not understood"))?;
        *(if line.kind == LineKind::Refund { &mut totals.refunds } else { &mut totals.payments }) += 1;
        count += 1;
        each(line);
    }
    if footer(&rows.required()?) != Some((count, sums)) {
        return Err(rows.wrong("the totals do not agree with the rows"));
    }
    if rows.next()?.is_some_and(|line| !line.is_empty()) {
        return Err(rows.wrong("the file does not end here"));
    }
    Ok(totals)
}

/// The cells of a row, the free texts empty; what is left out is marked by words.
fn cells(text: &str) -> Option<[&str; WIDTH]> {
    let all = lines::cells(text);
    let behind = all.len().checked_sub(TRAILING).filter(|_| all.len() >= WIDTH)?;
    let mut cells = [""; WIDTH];
    let known = all[..LEADING].iter().zip(0..).chain(all[behind..].iter().zip(WIDTH - TRAILING..));
    for (cell, column) in known {
        let cell = cell.strip_prefix('`').unwrap_or(cell);
        cells[column] = if cell == "暂无数据" { "" } else { cell };
    }
    Some(cells)
}

fn line(cells: &[&str; WIDTH]) -> Option<Line> {
    let (kind, gross, at) = match (cells[17], cells[23]) {
        ("支付成功", "") => (LineKind::Payment, cells[12], cells[0]),
        ("转入退款", "退款成功") => (LineKind::Refund, cells[21], cells[24]),
        _ => return None,
    };
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let gross = fen(gross).filter(|fen| *fen > 0 && matches!(cells[11], "RMB" | "CNY"))?;
    Some(Line {
        kind,
        reference: known(cells[8])?,
        refund_reference: if kind == LineKind::Refund { known(cells[19]) } else { None },
        channel_id: known(cells[9])?,
        money: Money::new(gross, CNY),
        fee: Money::new(amount(cells[WIDTH - 2])?, CNY),
        // The bill may leave out when a refund was done, not when it was asked for.
        at: Timestamp::parse_beijing(if at.is_empty() { cells[18] } else { at }).ok()?,
    })
}

/// Fen, of a cell that may be empty.
fn amount(cell: &str) -> Option<i64> {
    if cell.is_empty() { Some(0) } else { nearest_fen(cell) }
}

/// Number of rows and sums.
fn footer(text: &str) -> Option<(u64, [i64; 8])> {
    let mut cells = text.split(',').map(|cell| cell.trim().trim_start_matches('`'));
    let count = cells.next()?.parse().ok()?;
    let sums: Option<Vec<i64>> = cells.map(nearest_fen).collect();
    Some((count, sums?.try_into().ok()?))
}
