//! The daily trade bill, as the merchant downloads it (out of its GZIP).

use paycore::time::Timestamp;

use super::{Order, Platform};

impl Platform {
    /// UTF-8 with a byte order mark. The fee is 0.6 % of a payment, to the fen, and kept on refunds.
    pub(super) fn bill(&self, from: Timestamp, until: Timestamp) -> String {
        let of_day = |at: Timestamp| from <= at && at < until;
        let (mut rows, mut count, mut taken, mut given, mut fees) = (String::new(), 0, 0, 0, 0);
        for order in self.orders.values() {
            if let Some(at) = order.paid.filter(|at| of_day(*at)) {
                let fee = (order.fen * 6 + 500) / 1_000;
                rows += &self.row(order, at, "SUCCESS", ["0", "0", "", ""], [order.fen, 0, fee]);
                (count, taken, fees) = (count + 1, taken + order.fen, fees + fee);
            }
            for refund in order.refunds.iter().filter(|refund| of_day(refund.at)) {
                let refs = [refund.refund_id.as_str(), &refund.out_refund_no, "ORIGINAL", "SUCCESS"];
                rows += &self.row(order, refund.at, "REFUND", refs, [0, refund.fen, 0]);
                (count, given) = (count + 1, given + refund.fen);
            }
        }
        let text = include_str!("bill.txt")
            .replace("{count}", &count.to_string())
            .replace("{taken}", &yuan(taken))
            .replace("{given}", &yuan(given))
            .replace("{fees}", &yuan(fees))
            .replace("{rows}", &rows);
        format!("\u{feff}{}", text.replace('\n', "\r\n"))
    }

    fn row(&self, order: &Order, at: Timestamp, state: &str, refs: [&str; 4], fen: [i64; 3]) -> String {
        let (appid, mchid, at) = (&self.appid, &self.mchid, at.beijing());
        let Order { transaction_id, out_trade_no, trade_type, description, .. } = order;
        let ([refund_id, out_refund_no, kind, status], [paid, back, fee]) = (refs, fen.map(yuan));
        format!(
            "`{at},`{appid},`{mchid},`0,`,`{transaction_id},`{out_trade_no},`oUpF8uSandboxPayer,`{trade_type},\
             `{state},`OTHERS,`CNY,`{paid},`0.00,`{refund_id},`{out_refund_no},`{back},`0.00,`{kind},`{status},\
             `{description},`,`{fee}000,`0.60%,`{paid},`{back},`\n"
        )
    }
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}
