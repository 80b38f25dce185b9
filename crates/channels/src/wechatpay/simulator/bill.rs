//! The daily bills: of trades and of funds, where they are, and the files.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_TYPE;
use paycore::time::Timestamp;
use serde_json::json;
use sha1::{Digest as _, Sha1};

use super::{Order, Platform};
use crate::sandbox::bill::{Movement, funds, pack, shared, yuan};
use crate::sandbox::respond;
use crate::sandbox::v3::{Error, PARAM, Result, parameter, refuse};

/// For how many seconds a file can be fetched.
const OPEN: i64 = 30;
impl Platform {
    /// Where the bill of a day is, and its hash.
    pub(super) fn locate(&self, kind: &str, query: &str, now: Timestamp) -> Result {
        let asked = |name: &str| parameter(query, name);
        let day = asked("bill_date").ok_or(PARAM)?;
        let packed = asked("tar_type");
        let others = asked("bill_type").is_some_and(|kind| kind != "ALL")
            || asked("account_type").is_some_and(|account| account != "BASIC");
        refuse([
            (others || packed.as_deref().is_some_and(|packed| packed != "GZIP"), PARAM),
            (day.as_str() > &now.beijing()[..10], Error(400, "NO_STATEMENT_EXIST", "账单文件不存在")),
        ])?;
        let hash = Sha1::digest(self.of_day(kind, &day).ok_or(PARAM)?);
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let packed = if packed.is_some() { "&tartype=gzip" } else { "" };
        let (base, until) = (&self.base_url, now.secs() + OPEN);
        let url = format!("{base}/v3/billdownload/file?token={kind}.{day}.{until}{packed}");
        Ok(Some(json!({"hash_type": "SHA1", "hash_value": hash, "download_url": url})))
    }

    /// The file behind such an address. Nobody signs it.
    pub(super) fn file(&self, query: &str, now: Timestamp) -> Response<Bytes> {
        let (token, packed) = query.split_once('&').map_or((query, false), |(token, _)| (token, true));
        let mut parts = token.strip_prefix("token=").unwrap_or_default().split('.');
        let (kind, day) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let until = parts.next().and_then(|until| until.parse().ok());
        let text = self.of_day(kind, day).filter(|_| until.is_some_and(|until: i64| now.secs() <= until));
        let Some(text) = text else { return respond(404, (CONTENT_TYPE, "text/plain"), String::new()) };
        let (file, kind) = if packed {
            (pack(text.as_bytes()), "application/x-gzip")
        } else {
            (text.into_bytes(), "text/plain")
        };
        let mut response = respond(200, (CONTENT_TYPE, kind), String::new());
        *response.body_mut() = file.into();
        response
    }

    fn of_day(&self, kind: &str, day: &str) -> Option<String> {
        let from = Timestamp::parse_beijing(&format!("{day} 00:00:00")).ok()?;
        let until = from.plus(Duration::from_secs(86_400));
        Some(if kind == "tradebill" { self.bill(from, until) } else { self.funds(from, until) })
    }

    /// Everything that moved the balance, which begins with nothing.
    fn funds(&self, from: Timestamp, until: Timestamp) -> String {
        let mut moved: Vec<Movement> = self.orders.values().flat_map(movements).collect();
        moved.extend(self.shares.all().flat_map(shared));
        moved.extend(self.transfers.iter().filter(|(_, transfer)| transfer.state == "SUCCESS").filter_map(
            |(key, transfer)| {
                let kind = ["商家转账", "商家转账"];
                Some((transfer.ended?, transfer.transfer_bill_no.clone(), kind, -transfer.fen, key.clone()))
            },
        ));
        funds(moved, &self.mchid, from..until)
    }
}

impl Platform {
    /// UTF-8 with a byte order mark.
    pub(super) fn bill(&self, from: Timestamp, until: Timestamp) -> String {
        let of_day = |at: Timestamp| from <= at && at < until;
        let (mut rows, mut count, mut taken, mut given, mut fees) = (String::new(), 0, 0, 0, 0);
        for order in self.orders.values().filter(|order| order.parts.is_empty()) {
            if let Some(at) = order.paid.filter(|at| of_day(*at)) {
                let fee = order.fee();
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
        let sub = self.sub.as_ref().map_or("0", |(sub, _)| sub);
        let Order { transaction_id, out_trade_no, trade_type, description, .. } = order;
        let ([refund_id, out_refund_no, kind, status], [paid, back, fee]) = (refs, fen.map(yuan));
        format!(
            "`{at},`{appid},`{mchid},`{sub},`,`{transaction_id},`{out_trade_no},`oUpF8uSandboxPayer,`{trade_type},\
             `{state},`OTHERS,`CNY,`{paid},`0.00,`{refund_id},`{out_refund_no},`{back},`0.00,`{kind},`{status},\
             `{description},`,`{fee}000,`0.60%,`{paid},`{back},`\n"
        )
    }
}

/// What an order did to the balance.
fn movements(order: &Order) -> Vec<Movement> {
    let Order { transaction_id: id, out_trade_no: key, .. } = order;
    let mut moved = Vec::new();
    if let Some(at) = order.paid.filter(|_| order.parts.is_empty()) {
        moved.push((at, id.clone(), ["交易", "交易"], order.fen, key.clone()));
        moved.push((at, id.clone(), ["交易", "扣除交易手续费"], -order.fee(), key.clone()));
    }
    for refund in &order.refunds {
        let (id, number) = (refund.refund_id.clone(), refund.out_refund_no.clone());
        moved.push((refund.at, id, ["退款", "退款"], -refund.fen, number));
    }
    moved
}
