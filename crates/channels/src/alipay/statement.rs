//! The daily trade bill (`bill_type=trade`, 业务明细) as a stream of canonical lines. The file is GBK text without
//! quoting: product names and remarks may hold commas, so a row is split from both ends.

use std::io::{BufRead, Read as _};

use encoding_rs::GB18030;
use paycore::channel::{Fault, Line, LineKind, Totals};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::config::Account;
use super::{CNY, UNITS};

const TITLE: &str = "#支付宝业务明细查询";
const COLUMNS: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,\
    对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,\
    券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";
const WIDTH: usize = 25;
const NAME: usize = 3;
const LINE_MAX: u64 = 64 * 1024;

/// Reads the whole file. The lines handed to `each` may be believed only when this returns the totals: a file that
/// was cut off or changed fails at its footer.
pub(super) fn parse(
    account: &Account,
    file: &mut dyn BufRead,
    each: &mut dyn FnMut(Line),
) -> Result<Totals, Fault> {
    let mut rows = Rows { file, number: 0, raw: Vec::new() };
    if rows.next()?.as_deref() != Some(TITLE) {
        return Err(rows.wrong("not a trade bill"));
    }
    loop {
        let line = rows.required()?;
        if line == COLUMNS {
            break;
        }
        check_account(account, &line)?;
        if !line.starts_with('#') {
            return Err(rows.wrong("unknown columns"));
        }
    }
    let mut sums = [Sum::default(), Sum::default()];
    loop {
        let line = rows.required()?;
        if line.starts_with("#---") {
            break;
        }
        let (line, received) = row(&line).ok_or_else(|| rows.wrong("the row is not understood"))?;
        let sum = &mut sums[usize::from(line.kind == LineKind::Refund)];
        sum.add(received).ok_or_else(|| rows.wrong("the sum is out of range"))?;
        each(line);
    }
    for (label, sum) in
        [("#交易合计：", "商家实收共"), ("#退款合计：", "商家实收退款共")].into_iter().zip(&sums)
    {
        let line = rows.required()?;
        if footer(&line, label) != Some((sum.count, sum.fen)) {
            return Err(rows.wrong("the total does not agree with the rows"));
        }
    }
    while let Some(line) = rows.next()? {
        if !line.is_empty() && !line.starts_with('#') {
            return Err(rows.wrong("a row after the totals"));
        }
    }
    Ok(Totals { payments: sums[0].count, refunds: sums[1].count })
}

#[derive(Default)]
struct Sum {
    count: u64,
    fen: i64,
}

impl Sum {
    fn add(&mut self, fen: i64) -> Option<()> {
        self.count += 1;
        self.fen = self.fen.checked_add(fen)?;
        Some(())
    }
}

/// Count and sum of a line such as `#交易合计：6笔，商家实收共0.06元，商家优惠共0.00元`.
fn footer(line: &str, (label, received): (&str, &str)) -> Option<(u64, i64)> {
    let (count, rest) = line.strip_prefix(label)?.split_once("笔，")?;
    let (sum, _) = rest.strip_prefix(received)?.split_once('元')?;
    Some((count.parse().ok()?, fen(sum)?))
}

/// A bill names the account as the seller's id followed by the number of the sub-account.
fn check_account(account: &Account, line: &str) -> Result<(), Fault> {
    match (line.strip_prefix("#账号：["), &account.seller_id) {
        (Some(id), Some(seller)) if !id.starts_with(seller.as_str()) => {
            Err(Fault::Unacceptable("the bill of another seller".into()))
        }
        _ => Ok(()),
    }
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

/// The file line by line, decoded, with bounded memory.
struct Rows<'a> {
    file: &'a mut dyn BufRead,
    number: u64,
    raw: Vec<u8>,
}

impl Rows<'_> {
    fn next(&mut self) -> Result<Option<String>, Fault> {
        self.raw.clear();
        self.number += 1;
        // No byte of a GBK character is a line feed, so lines can be found before decoding.
        let read = (&mut *self.file).take(LINE_MAX).read_until(b'\n', &mut self.raw);
        if read.map_err(|error| Fault::Transport(error.to_string()))? == 0 {
            return Ok(None);
        }
        if self.raw.len() as u64 == LINE_MAX {
            return Err(self.wrong("a line without end"));
        }
        let text = GB18030.decode_without_bom_handling_and_without_replacement(&self.raw);
        let text = text.ok_or_else(|| self.wrong("not GB18030"))?;
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn required(&mut self) -> Result<String, Fault> {
        self.next()?.ok_or_else(|| self.wrong("the file ends here"))
    }

    fn wrong(&self, what: &str) -> Fault {
        Fault::Unexpected(format!("statement line {}: {what}", self.number))
    }
}
