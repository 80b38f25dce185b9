//! The daily bills: of trades and of funds, where they are, and the files.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Response;
use http::header::CONTENT_TYPE;
use paycore::time::Timestamp;
use serde_json::json;
use sha1::{Digest as _, Sha1};

use super::wire::respond;
use super::{Order, Platform};
use crate::sandbox::share::Share;
use crate::sandbox::v3::{Error, PARAM, Result, refuse};

/// For how many seconds a file can be fetched.
const OPEN: i64 = 30;
const FUNDS: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,\
    备注,业务凭证号";

/// One movement of the balance: when, the business's number, its name and type, fen (negative when they went out) and
/// the merchant's number.
type Movement = (Timestamp, String, [&'static str; 2], i64, String);

impl Platform {
    /// Where the bill of a day is, and its hash.
    pub(super) fn locate(&self, kind: &str, query: &str, now: Timestamp) -> Result {
        let asked = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
        };
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
        let (mut file, kind) = (text.into_bytes(), if packed { "application/x-gzip" } else { "text/plain" });
        if packed {
            let mut packer = GzEncoder::new(Vec::new(), Compression::default());
            // Writing into a vector cannot fail.
            let _ = packer.write_all(&file);
            file = packer.finish().unwrap_or_default();
        }
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
        moved.sort();
        let (mut rows, mut balance) = (String::new(), 0);
        let (mut counts, mut sums) = ([0; 2], [0; 2]);
        for (number, (at, id, [name, kind], fen, voucher)) in moved.into_iter().enumerate() {
            balance += fen;
            if !(from..until).contains(&at) || fen == 0 {
                continue;
            }
            let (side, word) = if fen > 0 { (0, "收入") } else { (1, "支出") };
            (counts[side], sums[side]) = (counts[side] + 1, sums[side] + fen.abs());
            let (at, flow) = (at.beijing(), format!("{}{number:010}", at.beijing_compact()));
            let (amount, left) = (yuan(fen.abs()), yuan(balance));
            rows += &format!(
                "`{at},`{id},`{flow},`{name},`{kind},`{word},`{amount},`{left},`{}API,`,`{voucher}\n",
                self.mchid
            );
        }
        let ([came, went], [income, spent]) = (counts, sums.map(yuan));
        let text = format!(
            "{FUNDS}\n{rows}资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\n\
             `{},`{came},`{income},`{went},`{spent}\n",
            came + went
        );
        format!("\u{feff}{}", text.replace('\n', "\r\n"))
    }
}

impl Platform {
    /// UTF-8 with a byte order mark.
    pub(super) fn bill(&self, from: Timestamp, until: Timestamp) -> String {
        let of_day = |at: Timestamp| from <= at && at < until;
        let (mut rows, mut count, mut taken, mut given, mut fees) = (String::new(), 0, 0, 0, 0);
        for order in self.orders.values() {
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
    if let Some(at) = order.paid {
        moved.push((at, id.clone(), ["交易", "交易"], order.fen, key.clone()));
        moved.push((at, id.clone(), ["交易", "扣除交易手续费"], -order.fee(), key.clone()));
    }
    for refund in &order.refunds {
        let (id, number) = (refund.refund_id.clone(), refund.out_refund_no.clone());
        moved.push((refund.at, id, ["退款", "退款"], -refund.fen, number));
    }
    moved
}

/// What a share did to it.
fn shared(share: &Share) -> Vec<Movement> {
    let given = share.rows.iter().filter(|row| !row.own()).map(|row| {
        (share.at, share.order_id.clone(), ["分账", "分账"], -row.fen, share.out_order_no.clone())
    });
    let back = share.returns.iter().map(|back| {
        (back.at, back.return_id.clone(), ["分账回退", "分账回退"], back.fen, back.out_return_no.clone())
    });
    given.chain(back).collect()
}

fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100)
}
