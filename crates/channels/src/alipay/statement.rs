//! The daily bills as streams of canonical lines: trades (`trade`, 业务明细) and what changed the balance (`signcustomer`,
//! 账务明细).

use std::io::BufRead;

use paycore::channel::{Fault, Line, LineKind, Totals};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::CNY;
use super::config::Account;
use crate::dialect::openapi::bill::{self, Counted, Layout, Row};

const LAYOUTS: [Layout; 2] = [
    Layout {
        title: "#支付宝业务明细查询",
        columns: "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,\
            对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,\
            券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注",
        name: 3,
        totals: [("#交易合计：", "商家实收共"), ("#退款合计：", "商家实收退款共")],
    },
    Layout {
        title: "#支付宝账务明细查询",
        columns: "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,\
            账户余额（元）,交易渠道,业务类型,备注",
        name: 3,
        totals: [("#支出合计：", "共"), ("#收入合计：", "共")],
    },
];

/// Reads the whole file. The lines handed to `each` may be believed only when this returns the totals: a file that
/// was cut off or changed fails at its footer.
pub(super) fn parse(
    account: &Account,
    file: &mut dyn BufRead,
    each: &mut dyn FnMut(Line),
) -> Result<Totals, Fault> {
    let mut totals = Totals::default();
    let row = |layout: &Layout, row: &Row<'_>| {
        if layout.title == LAYOUTS[0].title { trade(row) } else { funds(row) }
    };
    bill::read(file, &LAYOUTS, account.seller_id.as_deref(), &row, &mut |line: Line| {
        match line.kind {
            LineKind::Payment => totals.payments += 1,
            LineKind::Refund => totals.refunds += 1,
            _ => {}
        }
        each(line);
    })?;
    Ok(totals)
}

/// A payment or refund, and what the merchant received by it.
fn trade(row: &Row<'_>) -> Option<(Line, Counted)> {
    Timestamp::parse_beijing(row.at(4)).ok()?;
    let finished = Timestamp::parse_beijing(row.at(5)).ok()?;
    for column in (11..=17).chain([19, 20, 22, 23]) {
        row.fen(column)?;
    }
    let (gross, received, kept) = (row.fen(11)?, row.fen(12)?, row.fen(22)?);
    let (kind, total) = match row.at(2) {
        "交易" if gross > 0 => (LineKind::Payment, 0),
        "退款" if gross < 0 => (LineKind::Refund, 1),
        _ => return None,
    };
    let line = Line {
        kind,
        reference: row.known(1)?,
        refund_reference: if kind == LineKind::Refund { row.known(21) } else { None },
        channel_id: row.known(0)?,
        money: Money::new(gross.checked_abs()?, CNY),
        fee: Money::new(kept.checked_neg()?, CNY),
        at: finished,
    };
    Some((line, (total, received)))
}

/// A change of the balance. Names of businesses differ with the merchant's contracts; one that is not known is still a
/// change.
fn funds(row: &Row<'_>) -> Option<(Line, Counted)> {
    let amount = |column| if row.at(column).is_empty() { Some(0) } else { row.fen(column) };
    let at = Timestamp::parse_beijing(row.at(4)).ok()?;
    let (income, expense) = (amount(6)?, amount(7)?);
    row.fen(8)?;
    if income < 0 || expense > 0 || (income > 0) == (expense < 0) {
        return None;
    }
    let (change, word, reference) = (income + expense, row.at(10), row.known(2));
    let has = |words: &[&str]| words.iter().any(|known| word.contains(known));
    let kind = match (income > 0, reference.is_some()) {
        (false, true) if has(&["退款"]) => LineKind::Refund,
        (true, true) if has(&["在线支付", "交易付款"]) => LineKind::Payment,
        _ if has(&["收费", "服务费", "手续费"]) => LineKind::Fee,
        _ if has(&["分账"]) => LineKind::Share,
        _ if has(&["提现", "充值"]) => LineKind::Withdrawal,
        (false, _) if has(&["转账"]) => LineKind::Transfer,
        _ => LineKind::Other,
    };
    let positive = matches!(kind, LineKind::Payment | LineKind::Refund);
    let line = Line {
        kind,
        reference: reference.unwrap_or_default(),
        refund_reference: None,
        channel_id: row.known(1).or_else(|| row.known(0))?,
        money: Money::new(if positive { change.checked_abs()? } else { change }, CNY),
        fee: Money::new(0, CNY),
        at,
    };
    Some((line, (usize::from(income > 0), change)))
}
