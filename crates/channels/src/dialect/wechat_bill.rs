//! The daily bills of WeChat Pay as streams of canonical lines: trades (`bill_type=ALL`) and funds (`account_type=BASIC`). The
//! same files come by v3 and by v2.

use std::io::BufRead;

use paycore::channel::{Fault, Line, LineKind, Totals};
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::Timestamp;

use crate::dialect::bill::{Bill, Form, fen, funds, nearest_fen};
use crate::dialect::v3::unpacked;

const CNY: Currency = Currency::CNY;

static TRADE_BILL: Form<6> = Form {
    columns: "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,\
        货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,\
        商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注",
    totals: "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额",
    summed: [12, 16, 17, 22, 24, 25],
};

const FUNDS_COLUMNS: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),\
    资金变更提交申请人,备注,业务凭证号";

/// Reads the whole file, out of its GZIP or in it, of this merchant and, where one is named, of this merchant of a service
/// provider. The lines handed to `each` may be believed only when this returns the
/// totals: a file that was cut off or changed fails at its last row.
pub(crate) fn parse(
    mchid: &str,
    sub_mchid: Option<&str>,
    file: &mut dyn BufRead,
    each: &mut dyn FnMut(Line),
) -> Result<Totals, Fault> {
    let mut totals = Totals::default();
    let mut each = |line: Line| {
        match line.kind {
            LineKind::Payment => totals.payments += 1,
            LineKind::Refund => totals.refunds += 1,
            _ => {}
        }
        each(line);
    };
    let mut file = unpacked(file);
    let mut bill = Bill::open(&mut *file)?;
    if bill.columns == FUNDS_COLUMNS {
        funds(&mut bill, |cells| {
            let Some((line, came_in, fen)) = moved(cells) else { return Ok(None) };
            each(line);
            Ok(Some((came_in, fen)))
        })?;
    } else if bill.columns == TRADE_BILL.columns {
        TRADE_BILL.read(&mut bill, |cells| {
            if cells[2] != mchid || sub_mchid.is_some_and(|sub| cells[3] != sub) {
                return Err(Fault::Unacceptable("the bill of another merchant".into()));
            }
            let Some(line) = line(cells) else { return Ok(None) };
            each(line);
            Ok(Some(()))
        })?;
    } else {
        return Err(bill.wrong("not one of our bills, or without some columns"));
    }
    Ok(totals)
}

fn line(cells: &[&str]) -> Option<Line> {
    let (kind, gross) = match cells[9] {
        "SUCCESS" => (LineKind::Payment, cells[24]),
        // A reversed barcode payment goes back without a refund of its own.
        "REFUND" | "REVOKED" => (LineKind::Refund, cells[25]),
        _ => return None,
    };
    let gross = fen(gross).filter(|fen| *fen > 0 && cells[11] == "CNY")?;
    Some(Line {
        kind,
        reference: known(cells[6])?,
        refund_reference: if kind == LineKind::Refund { known(cells[15]) } else { None },
        channel_id: known(cells[5])?,
        money: Money::new(gross, CNY),
        fee: Money::new(nearest_fen(cells[22])?, CNY),
        at: Timestamp::parse_beijing(cells[0]).ok()?,
    })
}

fn known(text: &str) -> Option<String> {
    (!text.is_empty() && text != "0").then(|| text.to_owned())
}

/// A row of the funds: its line, whether the money came in, and how many fen. Money that is neither a payment nor a
/// refund has a sign: negative when it went out. A refund stands there by its own number only.
fn moved(cells: &[&str]) -> Option<(Line, bool, i64)> {
    let came_in = match cells[5] {
        "收入" => true,
        "支出" => false,
        _ => return None,
    };
    let amount = fen(cells[6]).filter(|fen| *fen >= 0)?;
    let has = |words: &[&str]| words.iter().any(|word| cells[4].contains(word));
    let kind = match cells[4] {
        "交易" if came_in => LineKind::Payment,
        "退款" if !came_in => LineKind::Refund,
        _ if has(&["手续费"]) => LineKind::Fee,
        _ if has(&["分账"]) => LineKind::Share,
        _ if has(&["转账", "付款到零钱", "红包"]) => LineKind::Transfer,
        _ if has(&["提现", "充值"]) => LineKind::Withdrawal,
        _ => LineKind::Other,
    };
    let plain = matches!(kind, LineKind::Payment | LineKind::Refund);
    let (voucher, is_refund) = (cells[10].to_owned(), kind == LineKind::Refund);
    let line = Line {
        kind,
        reference: if is_refund { String::new() } else { voucher.clone() },
        refund_reference: is_refund.then_some(voucher),
        channel_id: cells[1].to_owned(),
        money: Money::new(if plain || came_in { amount } else { -amount }, CNY),
        fee: Money::new(0, CNY),
        at: Timestamp::parse_beijing(cells[0]).ok()?,
    };
    Some((line, came_in, amount))
}
