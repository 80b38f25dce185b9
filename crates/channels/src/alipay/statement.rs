//! The daily trade bill (`bill_type=trade`, 业务明细) as a stream of canonical lines. The file is GBK text without
//! quoting: product names and remarks may hold commas, so a row is split from both ends.

use std::io::BufRead;

use paycore::channel::{Fault, Line, LineKind, Totals};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::config::Account;
use super::{CNY, UNITS};
use crate::dialect::lines::Lines;

const TITLE: &str = "#支付宝业务明细查询";
const COLUMNS: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,\
    对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,\
    券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";
const WIDTH: usize = 25;
const NAME: usize = 3;

/// Reads the whole file. The lines handed to `each` may be believed only when this returns the totals: a file that
/// was cut off or changed fails at its footer.
pub(super) fn parse(
    account: &Account,
    file: &mut dyn BufRead,
    each: &mut dyn FnMut(Line),
) -> Result<Totals, Fault> {
    let mut rows = Lines::new(file);
    if rows.next()?.as_deref() != Some(TITLE) {
        return Err(rows.wrong("not a trade bill"));
    }
    loop {
        let line = rows.required()?;
        if line == COLUMNS {
            break;
        }
        // The account is the seller's id followed by the number of the sub-account.
        if let (Some(id), Some(seller)) = (line.strip_prefix("#账号：["), &account.seller_id)
            && !id.starts_with(seller.as_str())
        {
            return Err(Fault::Unacceptable("the bill of another seller".into()));
        }
        if !line.starts_with('#') {
            return Err(rows.wrong("unknown columns"));
        }
    }
    // Count and fen of the payments and of the refunds.
    let mut sums = [(0_u64, 0_i64); 2];
    loop {
        let line = rows.required()?;
        if line.starts_with("#---") {
            break;
        }
        let (line, received) = row(&line).ok_or_else(|| rows.wrong("the row is not understood"))?;
        let (count, fen) = &mut sums[usize::from(line.kind == LineKind::Refund)];
        *count += 1;
        *fen = fen.checked_add(received).ok_or_else(|| rows.wrong("the sum is out of range"))?;
        each(line);
    }
    for (label, sum) in
        [("#交易合计：", "商家实收共"), ("#退款合计：", "商家实收退款共")].into_iter().zip(sums)
    {
        let line = rows.required()?;
        if footer(&line, label) != Some(sum) {
            return Err(rows.wrong("the total does not agree with the rows"));
        }
    }
    let ended = rows.required()?.starts_with("#导出时间：[");
    if !ended || rows.next()?.is_some_and(|line| !line.is_empty()) {
        return Err(rows.wrong("the file does not end here"));
    }
    Ok(Totals { payments: sums[0].0, refunds: sums[1].0 })
}

/// Count and sum of a line such as `#交易合计：6笔，商家实收共0.06元，商家优惠共0.00元`.
fn footer(line: &str, (label, received): (&str, &str)) -> Option<(u64, i64)> {
    let (count, rest) = line.strip_prefix(label)?.split_once("笔，")?;
    let (sum, _) = rest.strip_prefix(received)?.split_once('元')?;
    Some((count.parse().ok()?, fen(sum)?))
}

/// One row and what the merchant received by it, in fen with its sign. The columns between the two free texts have a
/// form, so they show how many commas belong to the name; a row with two such readings is not understood.
fn row(text: &str) -> Option<(Line, i64)> {
    let cells: Vec<&str> = text.split(',').collect();
    let surplus = cells.len().checked_sub(WIDTH)?;
    let mut readings = (0..=surplus).filter_map(|in_name| read(&cells, in_name));
    let reading = readings.next()?;
    readings.next().is_none().then_some(reading)
}

fn read(cells: &[&str], in_name: usize) -> Option<(Line, i64)> {
    let at = |column: usize| cells[if column > NAME { column + in_name } else { column }].trim();
    Timestamp::parse_beijing(at(4)).ok()?;
    let finished = Timestamp::parse_beijing(at(5)).ok()?;
    for column in (11..=17).chain([19, 20, 22, 23]) {
        fen(at(column))?;
    }
    let (gross, received, kept) = (fen(at(11))?, fen(at(12))?, fen(at(22))?);
    let kind = match at(2) {
        "交易" if gross > 0 => LineKind::Payment,
        "退款" if gross < 0 => LineKind::Refund,
        _ => return None,
    };
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let line = Line {
        kind,
        reference: known(at(1))?,
        refund_reference: if kind == LineKind::Refund { known(at(21)) } else { None },
        channel_id: known(at(0))?,
        money: Money::new(gross.checked_abs()?, CNY),
        fee: Money::new(kept.checked_neg()?, CNY),
        at: finished,
    };
    Some((line, received))
}

fn fen(text: &str) -> Option<i64> {
    UNITS.from_wire(text, CNY).ok().map(Money::minor)
}
