//! The daily trade bill (`bill_type=ALL`) as a stream of canonical lines.

use std::io::BufRead;

use paycore::channel::{Fault, Line, LineKind, Totals};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::CNY;
use super::config::Account;
use crate::dialect::bill::{Form, fen, nearest_fen};

static TRADE_BILL: Form<6> = Form {
    columns: "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,\
        货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,\
        商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注",
    totals: "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额",
    summed: [12, 16, 17, 22, 24, 25],
};

/// Reads the whole file. The lines handed to `each` may be believed only when this returns the totals: a file that
/// was cut off or changed fails at its last row.
pub(super) fn parse(
    account: &Account,
    file: &mut dyn BufRead,
    each: &mut dyn FnMut(Line),
) -> Result<Totals, Fault> {
    let mut totals = Totals::default();
    TRADE_BILL.read(file, |cells| {
        if cells[2] != account.identity.mchid {
            return Err(Fault::Unacceptable("the bill of another merchant".into()));
        }
        let Some(line) = line(cells) else { return Ok(None) };
        let count = if line.kind == LineKind::Refund { &mut totals.refunds } else { &mut totals.payments };
        *count += 1;
        each(line);
        Ok(Some(()))
    })?;
    Ok(totals)
}

fn line(cells: &[&str]) -> Option<Line> {
    let (kind, gross) = match cells[9] {
        "SUCCESS" => (LineKind::Payment, cells[24]),
        // A reversed barcode payment goes back without a refund of its own.
        "REFUND" | "REVOKED" => (LineKind::Refund, cells[25]),
        _ => return None,
    };
    let known = |text: &str| (!text.is_empty() && text != "0").then(|| text.to_owned());
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
