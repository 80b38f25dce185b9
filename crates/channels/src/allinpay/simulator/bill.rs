//! The daily statement as the merchant downloads it.

use std::time::Duration;

use encoding_rs::GBK;
use paycore::time::Timestamp;

use super::Gateway;
use super::api::code;
use super::wire::Texts;
use crate::sandbox::bill::yuan;
use crate::sandbox::{Book, Order, Refund, zip};

const COLUMNS: &str = "商户号,门店名称,终端号,交易时间,交易类型,交易批次号,凭证号,参考号,卡号,卡类别,发卡行机构代码,\
    发卡行名称,交易金额,手续费,交易日期,交易单号,订单号,商户备注,对接应用号,原始金额,结算金额,产品类型,分期贴息,\
    交易完成时间,持卡人姓名,持卡人身份证,分期数,优惠金额,实付金额,原交易单,渠道交易类型,出金方账户名称,门店编号,交易完成日期";

impl Gateway {
    /// Where the statement of a day lies, given as eight digits.
    pub(super) fn bill_at(&self, day: &str) -> Option<Texts> {
        midnight(day)?;
        let url = format!("{}/trxfile/{day}.zip?v=1&cusid={}", self.base_url, self.cusid);
        Some(Texts::from([("url".to_owned(), url)]))
    }

    /// The file behind such an address.
    pub(super) fn bill_of(&self, book: &Book, path: &str) -> Option<Vec<u8>> {
        let from = midnight(path.strip_prefix("/trxfile/")?.strip_suffix(".zip")?)?;
        Some(self.bill(book, from, from.plus(Duration::from_secs(24 * 3_600))))
    }

    /// The fee is 0.6 % of a payment, to the fen, and kept on refunds.
    pub(super) fn bill(&self, book: &Book, from: Timestamp, until: Timestamp) -> Vec<u8> {
        let of_day = |at: Timestamp| from <= at && at < until;
        let mut text = format!("{COLUMNS}\r\n");
        for order in book.orders() {
            if let Some(at) = order.paid.filter(|at| of_day(*at)) {
                text += &self.row(order, None, at);
            }
            for refund in order.refunds.iter().filter(|refund| of_day(refund.at)) {
                text += &self.row(order, Some(refund), refund.at);
            }
        }
        let (name, content) =
            (format!("{}_{}.csv", self.cusid, &from.beijing_compact()[..8]), GBK.encode(&text).0);
        zip::archive(&[(name.as_bytes(), &content, true)])
    }

    fn row(&self, order: &Order, refund: Option<&Refund>, at: Timestamp) -> String {
        let at = at.beijing();
        let (day, time) = at.split_at(10);
        let (day, time, kind) = (day, time.trim_start(), code(order, refund.is_some()));
        let (id, number, fen) = refund
            .map_or((&order.id, &order.reference, order.fen), |back| (&back.id, &back.reference, -back.fen));
        let (amount, fee) = (yuan(fen), if refund.is_some() { 0 } else { (fen * 6 + 500) / 1_000 });
        let (settled, fee) = (yuan(fen - fee), yuan(fee));
        let original = refund.map_or("", |_| order.id.as_str());
        let (cusid, appid) = (&self.cusid, &self.appid);
        format!(
            "{cusid},沙箱门店,00000001,{time},{kind},000001,000000,4200{id},sandboxPayer,99,,,{amount},{fee},{day},{id},\
             {number},,{appid},{amount},{settled},01,0.00,{time},,,,0.00,{amount},{original},,,0001,{day}\r\n"
        )
    }
}

fn midnight(day: &str) -> Option<Timestamp> {
    Timestamp::parse_beijing_compact(&format!("{day}000000")).ok()
}
