//! The daily trade bill, as the merchant downloads it.

use paycore::time::Timestamp;

use super::Wallet;
use crate::sandbox::bill::yuan;
use crate::sandbox::{Book, Order};

const COLUMNS: &str = "交易时间,商户号,商户APPID,子商户号,子商户APPID,用户标识,设备号,支付场景,商户订单号,QQ钱包订单号,付款银行,货币种类,订单金额(元),商户优惠金额(元),商户应收金额(元),QQ钱包优惠金额(元),用户支付金额(元),交易状态,退款提交时间,商户退款订单号,QQ钱包退款订单号,退款金额(元),退还QQ钱包优惠金额(元),退款状态,退款成功时间,退款方式,商品名称,商户数据包,手续费金额(元),费率";
const TOTALS: &str = "交易总笔数,订单总金额(元),商户优惠总金额(元),商户应收总金额(元),QQ钱包优惠总金额(元),用户支付总金额(元),退款总金额(元),退还QQ钱包优惠总金额(元),手续费总金额(元)";
/// What stands in a cell that says nothing.
const NONE: &str = "暂无数据";

impl Wallet {
    /// The fee is 0.6 % of a payment, to the fen, and kept on refunds.
    pub(super) fn bill(&self, book: &Book, from: Timestamp, until: Timestamp) -> String {
        let of_day = |at: Timestamp| from <= at && at < until;
        let (mut rows, mut count, mut taken, mut given, mut fees) = (String::new(), 0, 0, 0, 0);
        for order in book.orders() {
            if let Some(at) = order.paid.filter(|at| of_day(*at)) {
                let (fee, total) = ((order.fen * 6 + 500) / 1_000, yuan(order.fen));
                let paid = format!("`{total},`0,`{total},`0,`{total},支付成功");
                rows += &self.row(order, at, &paid, &[NONE; 8].join(","), &yuan(fee));
                (count, taken, fees) = (count + 1, taken + order.fen, fees + fee);
            }
            for refund in order.refunds.iter().filter(|refund| of_day(refund.at)) {
                let (at, back) = (refund.at.beijing(), yuan(refund.fen));
                let (number, id) = (&refund.reference, &refund.id);
                let paid = format!("`0,{NONE},{NONE},`0,,转入退款");
                let refs = format!("{at},`{number},`{id},`{back},`0,退款成功,{at},原路退款");
                rows += &self.row(order, refund.at, &paid, &refs, NONE);
                (count, given) = (count + 1, given + refund.fen);
            }
        }
        let [taken, given, fees] = [taken, given, fees].map(yuan);
        format!("{COLUMNS}\n{rows}{TOTALS}\n{count},{taken},0,{taken},0,{taken},{given},0,{fees}\n")
    }

    fn row(&self, order: &Order, at: Timestamp, paid: &str, refs: &str, fee: &str) -> String {
        let (mch_id, appid, at) = (&self.mch_id, &self.appid, at.beijing());
        let Order { id, reference, kind, subject, .. } = order;
        format!(
            "{at},{mch_id},{appid},{NONE},{NONE},SANDBOX0PAYER,{NONE},{kind},`{reference},\
             `{id},财付通余额,RMB,{paid},{refs},{subject},{NONE},{fee},0.6%\n"
        )
    }
}
