//! The daily trade bill, as the merchant downloads it (out of its GZIP).

use paycore::time::Timestamp;

use super::{Order, Platform};

const HEAD: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,\
货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,\
手续费,费率,订单金额,申请退款金额,费率备注";
const FOOT: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

impl Platform {
    /// UTF-8 with a byte order mark. The fee is 0.6 % of a payment, to the fen, and kept on refunds.
    pub(super) fn bill(&self, from: Timestamp, until: Timestamp) -> String {
        let of_day = |at: Timestamp| from <= at && at < until;
        let mut text = format!("\u{feff}{HEAD}\r\n");
        let (mut rows, mut taken, mut given, mut fees) = (0, 0, 0, 0);
        for order in self.orders.values() {
            if let Some(at) = order.paid.filter(|at| of_day(*at)) {
                let fee = (order.fen * 6 + 500) / 1_000;
                text += &self.row(order, at, "SUCCESS", ["0", "0", "", ""], [order.fen, 0, fee]);
                (rows, taken, fees) = (rows + 1, taken + order.fen, fees + fee);
            }
            for refund in order.refunds.iter().filter(|refund| of_day(refund.at)) {
                let refs = [refund.refund_id.as_str(), &refund.out_refund_no, "ORIGINAL", "SUCCESS"];
                text += &self.row(order, refund.at, "REFUND", refs, [0, refund.fen, 0]);
                (rows, given) = (rows + 1, given + refund.fen);
            }
        }
        let (taken, given, fees) = (yuan(taken), yuan(given), yuan(fees));
        text += &format!("{FOOT}\r\n`{rows}.0,`{taken},`{given},`0.00,`{fees}000,`{taken},`{given}\r\n");
        text
    }

    fn row(&self, order: &Order, at: Timestamp, state: &str, refs: [&str; 4], fen: [i64; 3]) -> String {
        let [refund_id, out_refund_no, kind, status] = refs;
        let [paid, back, fee] = fen.map(yuan);
        let (at, fee) = (at.beijing(), format!("{fee}000"));
        let cells = [
            &at,
            &self.appid,
            &self.mchid,
            "0",
            "",
            &order.transaction_id,
            &order.out_trade_no,
            "oUpF8uSandboxPayerAAAAAAAAAA",
            &order.trade_type,
            state,
            "OTHERS",
            "CNY",
            &paid,
            "0.00",
            refund_id,
            out_refund_no,
            &back,
            "0.00",
            kind,
            status,
            &order.description,
            "",
            &fee,
            "0.60%",
            &paid,
            &back,
            "",
        ];
        format!("`{}\r\n", cells.join(",`"))
    }
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}
