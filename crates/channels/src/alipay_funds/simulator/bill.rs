//! The daily bills, as the merchant downloads them.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_TYPE;
use paycore::time::Timestamp;

use super::door::{Content, Result, Said, failed, invalid};
use super::wire::{texts, yuan};
use super::{Gateway, Trade, payer};
use crate::sandbox::respond;
use crate::sandbox::zip::archive;

/// How long the address of a bill is good.
const FETCHED_WITHIN: Duration = Duration::from_secs(30);

/// One movement: of which trade, fen with their sign, when, by which refund.
type Movement<'a> = (&'a Trade, i64, Timestamp, &'a str);

impl Gateway {
    /// Where a bill can be fetched for half a minute.
    pub(super) fn bill_address(&self, content: &Content, now: Timestamp) -> Result {
        let (kind, day) = (content.required("bill_type")?, content.required("bill_date")?);
        let known = matches!(kind.as_str(), "trade" | "signcustomer");
        let begins = Timestamp::parse_beijing(&format!("{day} 00:00:00"));
        let begins = begins.ok().filter(|_| known).ok_or(invalid("isv.invalid-arguments", "入参不合法"))?;
        if now < begins.plus(Duration::from_secs(86_400)) {
            return Err(failed("isp.bill_not_exist", "账单不存在"));
        }
        let until = now.plus(FETCHED_WITHIN).secs();
        let sign: String = self
            .sign(&format!("{kind}{day}{until}"))
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(32)
            .collect();
        let address = format!("{}/bill/{kind}/{day}/{until}/{sign}", self.base_url);
        Ok(Said::Done(texts([("bill_download_url", address)])))
    }

    /// Answers `/bill/{rest}`.
    pub(super) fn download(&self, rest: &str, now: Timestamp) -> Response<Bytes> {
        let parts: Vec<&str> = rest.split('/').collect();
        let gone = || payer::trouble("403", "链接无效或已过期 · The address is wrong or too old");
        let &[kind, day, until, sign] = parts.as_slice() else { return gone() };
        let wanted = self.sign(&format!("{kind}{day}{until}"));
        let wanted: String = wanted.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        let begins = Timestamp::parse_beijing(&format!("{day} 00:00:00"));
        match (begins, until.parse::<i64>()) {
            (Ok(from), Ok(until)) if wanted == sign && now.secs() <= until => {
                let file = self.bill(kind, from, from.plus(Duration::from_secs(86_400)));
                respond(200, (CONTENT_TYPE, "application/zip"), file)
            }
            _ => gone(),
        }
    }

    /// A ZIP with the summary and the details, named and written in GBK. The fee is 0.6 % of a payment, kept on refunds.
    pub(super) fn bill(&self, kind: &str, from: Timestamp, until: Timestamp) -> Vec<u8> {
        let mut movements: Vec<Movement<'_>> = Vec::new();
        for trade in self.trades.values() {
            movements.extend(trade.paid.map(|at| (trade, trade.fen, at, "")));
            let refunds = trade.refunds.iter();
            movements
                .extend(refunds.map(|refund| (trade, -refund.fen, refund.at, refund.request_no.as_str())));
        }
        movements.retain(|(_, _, at, _)| (from..until).contains(at));
        movements.sort_by_key(|(_, _, at, _)| *at);
        let (text, title) = match kind {
            "signcustomer" => (self.funds(&movements, from, until), "账务明细"),
            _ => (self.trades_text(&movements), "业务明细"),
        };
        let text = text
            .replace("{seller_id}", &self.seller_id)
            .replace("{from}", &chinese(from))
            .replace("{until}", &chinese(until))
            .replace("{now}", &chinese(until))
            .replace('\n', "\r\n");
        let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
        let name = format!("{}0156_{}_{title}", self.seller_id, &from.beijing_compact()[..8]);
        let summary = gbk(&format!("#支付宝{title}汇总查询\r\n#共{}笔\r\n", movements.len()));
        let (first, second) = (gbk(&format!("{name}(汇总).csv")), gbk(&format!("{name}.csv")));
        archive(&[(&first, &summary, false), (&second, &gbk(&text), true)])
    }

    fn trades_text(&self, movements: &[Movement<'_>]) -> String {
        let (mut rows, mut taken, mut given) = (String::new(), (0, 0), (0, 0));
        for (trade, fen, at, request_no) in movements {
            rows += &row(trade, *fen, *at, request_no);
            let sum = if *fen > 0 { &mut taken } else { &mut given };
            *sum = (sum.0 + 1, sum.1 + fen);
        }
        include_str!("bill.txt")
            .replace("{payments}", &taken.0.to_string())
            .replace("{taken}", &yuan(taken.1))
            .replace("{refunds}", &given.0.to_string())
            .replace("{given}", &yuan(given.1))
            .replace("{rows}", &rows)
    }

    /// Everything that changed the balance, in order.
    fn funds(&self, movements: &[Movement<'_>], from: Timestamp, until: Timestamp) -> String {
        let mut lines: Vec<(Timestamp, String, String, String, &str, i64)> = Vec::new();
        for (trade, fen, at, request_no) in movements {
            let (number, kind) = if *fen > 0 {
                (trade.trade_no.clone(), "在线支付")
            } else {
                (format!("{}{request_no}", trade.trade_no), "交易退款")
            };
            lines.push((*at, number, trade.out_trade_no.clone(), trade.subject.clone(), kind, *fen));
            let fee = -(fen * 6 + 500) / 1_000;
            if *fen > 0 && fee != 0 {
                lines.push((
                    *at,
                    trade.trade_no.clone(),
                    trade.out_trade_no.clone(),
                    "服务费".to_owned(),
                    "收费",
                    fee,
                ));
            }
        }
        for (trade, share) in
            self.trades.values().flat_map(|trade| trade.shares.iter().map(move |share| (trade, share)))
        {
            for (_, fen) in share.parts.iter().filter(|_| (from..until).contains(&share.at)) {
                lines.push((
                    share.at,
                    share.settle_no.clone(),
                    trade.out_trade_no.clone(),
                    "分账".to_owned(),
                    "分账",
                    -fen,
                ));
            }
            for back in share.returns.iter().filter(|back| (from..until).contains(&back.at)) {
                let (number, reference) = (share.settle_no.clone(), trade.out_trade_no.clone());
                lines.push((back.at, number, reference, "退分账".to_owned(), "分账", back.fen));
            }
        }
        for sent in self.transfers.values().filter(|sent| (from..until).contains(&sent.at)) {
            lines.push((
                sent.at,
                sent.order_id.clone(),
                sent.out_biz_no.clone(),
                sent.title.clone(),
                "转账",
                -sent.fen,
            ));
        }
        lines.sort_by_key(|line| line.0);
        let (mut rows, mut balance, mut spent, mut earned) = (String::new(), 0, (0, 0), (0, 0));
        for (count, (at, number, reference, name, kind, fen)) in lines.iter().enumerate() {
            balance += fen;
            let sum = if *fen < 0 { &mut spent } else { &mut earned };
            *sum = (sum.0 + 1, sum.1 + fen);
            let (income, expense) =
                if *fen < 0 { (String::new(), yuan(*fen)) } else { (yuan(*fen), String::new()) };
            let (at, balance) = (at.beijing(), yuan(balance));
            rows += &format!(
                "{:016}\t,{number}\t,{reference}\t,{name},{at},buy***@example.com,{income},{expense},{balance},支付宝,{kind},\n",
                count + 1
            );
        }
        include_str!("funds.txt")
            .replace("{spent}", &spent.0.to_string())
            .replace("{spent_sum}", &yuan(spent.1))
            .replace("{earned}", &earned.0.to_string())
            .replace("{earned_sum}", &yuan(earned.1))
            .replace("{rows}", &rows)
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
