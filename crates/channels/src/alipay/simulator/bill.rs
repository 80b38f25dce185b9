//! The daily trade bill, as the merchant downloads it (without its ZIP).

use std::fmt::Write as _;
use std::time::Duration;

use paycore::time::Timestamp;

use super::wire::yuan;
use super::{Gateway, Trade};

const HEAD: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,\
    订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,\
    商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n";
const DAY: Duration = Duration::from_secs(86_400);

impl Gateway {
    /// The bill of the Beijing day that holds `day`: GBK text. The fee is 0.6 % of a payment, kept on refunds.
    pub fn statement(&self, day: Timestamp, now: Timestamp) -> Vec<u8> {
        let midnight: String = day.beijing().chars().take(10).chain(" 00:00:00".chars()).collect();
        let from = Timestamp::parse_beijing(&midnight).unwrap_or(day);
        let until = from.plus(DAY);
        let within = |at: Timestamp| from <= at && at < until;
        let (mut rows, mut taken, mut given) = (String::new(), (0, 0), (0, 0));
        for trade in self.trades.values() {
            if let Some(paid) = trade.paid.filter(|at| within(*at)) {
                row(&mut rows, trade, trade.fen, paid, "");
                taken = (taken.0 + 1, taken.1 + trade.fen);
            }
            for refund in trade.refunds.iter().filter(|refund| within(refund.at)) {
                row(&mut rows, trade, -refund.fen, refund.at, &refund.request_no);
                given = (given.0 + 1, given.1 - refund.fen);
            }
        }
        let chinese = |at: Timestamp| {
            let text = at.beijing();
            format!("[{}年{}月{}日 {}]", &text[..4], &text[5..7], &text[8..10], &text[11..])
        };
        let text = format!(
            "#支付宝业务明细查询\r\n#账号：[{}0156]\r\n#起始日期：{}   终止日期：{}\r\n\
             #-----------------------------------------业务明细列表----------------------------------------\r\n\
             {HEAD}{rows}\
             #-----------------------------------------业务明细列表结束------------------------------------\r\n\
             #交易合计：{}笔，商家实收共{}元，商家优惠共0.00元\r\n\
             #退款合计：{}笔，商家实收退款共{}元，商家优惠退款共0.00元\r\n#导出时间：{}\r\n",
            self.seller_id,
            chinese(from),
            chinese(until),
            taken.0,
            yuan(taken.1),
            given.0,
            yuan(given.1),
            chinese(now),
        );
        encoding_rs::GBK.encode(&text).0.into_owned()
    }
}

fn row(rows: &mut String, trade: &Trade, fen: i64, at: Timestamp, request_no: &str) {
    let (kind, fee) = if fen > 0 { ("交易", -(fen * 6 + 500) / 1_000) } else { ("退款", 0) };
    // Writing to a String cannot fail.
    let _ = write!(
        rows,
        "{}\t,{}\t,{kind},{},{},{},,,,\t,buy***@example.com,{amount},{amount},0.00,0.00,0.00,0.00,0.00,,0.00,0.00,\
         {request_no}\t,{},0.00,\r\n",
        trade.trade_no,
        trade.out_trade_no,
        trade.subject,
        trade.created.beijing(),
        at.beijing(),
        yuan(fee),
        amount = yuan(fen),
    );
}
