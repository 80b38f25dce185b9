//! The daily trade bill, as the merchant downloads it (without its ZIP).

use paycore::time::Timestamp;

use super::wire::yuan;
use super::{Gateway, Trade};

impl Gateway {
    /// GBK text. The fee is 0.6 % of a payment, kept on refunds.
    pub(super) fn bill(&self, from: Timestamp, until: Timestamp) -> Vec<u8> {
        let (mut rows, mut taken, mut given) = (String::new(), (0, 0), (0, 0));
        for trade in self.trades.values() {
            let payment = trade.paid.map(|at| (trade.fen, at, ""));
            let refunds =
                trade.refunds.iter().map(|refund| (-refund.fen, refund.at, refund.request_no.as_str()));
            let of_day = payment.into_iter().chain(refunds).filter(|(_, at, _)| from <= *at && *at < until);
            for (fen, at, request_no) in of_day {
                rows += &row(trade, fen, at, request_no);
                let sum = if fen > 0 { &mut taken } else { &mut given };
                *sum = (sum.0 + 1, sum.1 + fen);
            }
        }
        let text = include_str!("bill.txt")
            .replace("{seller_id}", &self.seller_id)
            .replace("{from}", &chinese(from))
            .replace("{until}", &chinese(until))
            .replace("{payments}", &taken.0.to_string())
            .replace("{taken}", &yuan(taken.1))
            .replace("{refunds}", &given.0.to_string())
            .replace("{given}", &yuan(given.1))
            .replace("{now}", &chinese(until))
            .replace("{rows}", &rows)
            .replace('\n', "\r\n");
        encoding_rs::GBK.encode(&text).0.into_owned()
    }
}

fn chinese(at: Timestamp) -> String {
    let text = at.beijing();
    format!("{}年{}月{}日 {}", &text[..4], &text[5..7], &text[8..10], &text[11..])
}

fn row(trade: &Trade, fen: i64, at: Timestamp, request_no: &str) -> String {
    let (kind, fee) = if fen > 0 { ("交易", -(fen * 6 + 500) / 1_000) } else { ("退款", 0) };
    let (trade_no, out_trade_no, subject) = (&trade.trade_no, &trade.out_trade_no, &trade.subject);
    let (created, at, fen, fee) = (trade.created.beijing(), at.beijing(), yuan(fen), yuan(fee));
    format!(
        "{trade_no}\t,{out_trade_no}\t,{kind},{subject},{created},{at},,,,\t,buy***@example.com,{fen},{fen},\
         0.00,0.00,0.00,0.00,0.00,,0.00,0.00,{request_no}\t,{fee},0.00,\n"
    )
}
