//! The gateways: what UnionPay checks and answers.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;

use super::notify::owned;
use super::wire::{Fields, fields, reply};
use super::{Deal, Gateway, payer};

/// How far ahead of now a request's time may be: wide for clocks, narrow enough to show a wrong time zone.
const AHEAD: Duration = Duration::from_secs(15 * 60);
/// How old it may be: a form that the payer's browser posts was made with the order.
const BEHIND: Duration = Duration::from_secs(25 * 3_600);

/// Why a request is not carried out: `respCode` and `respMsg`.
struct Refusal(&'static str, &'static str);

const FORMAT: Refusal = Refusal("10", "报文格式错误");
const REPEATED: Refusal = Refusal("12", "重复交易");
const STATE: Refusal = Refusal("35", "原交易不存在或状态不正确");
const OTHER: Refusal = Refusal("36", "与原交易信息不符");
const POOR: Refusal = Refusal("64", "卡上的余额不足");
const BUSY: Refusal = Refusal("06", "系统繁忙，请稍后再试");
const ABSENT: Refusal = Refusal("34", "查无此交易");

/// What a request came to; `None` when it was carried out and nobody shall hear of it.
type Result<T = Option<Fields>> = std::result::Result<T, Refusal>;

/// The first refusal whose condition holds.
fn refuse<const N: usize>(checks: [(bool, Refusal); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, refusal)| Err(refusal))
}

impl Gateway {
    pub(super) fn api(&mut self, name: &str, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let is_front = name == "frontTransReq";
        let trouble = |code, text| Answer::Reply(payer::trouble(code, text));
        let Some(all) = fields(request).filter(|_| request.method() == http::Method::POST) else {
            return trouble("10", "报文格式错误");
        };
        // Who has not proved to be the merchant is answered without a signature.
        if all.get("merId") != Some(&self.mer_id) || !self.seal.is_merchants(&all) {
            return trouble("11", "验证签名失败");
        }
        match self.carry_out(name, &Asked(&all), now) {
            Ok(None) => Answer::Silence,
            Ok(Some(_)) if is_front => {
                Answer::Reply(payer::go(&format!("{}/payer/{}", self.base_url, all["orderId"])))
            }
            Ok(Some(fields)) => self.answer(&all, fields, ("00", "成功[0000000]")),
            Err(Refusal(code, text)) if is_front => trouble(code, text),
            Err(Refusal(code, text)) => self.answer(&all, Fields::new(), (code, text)),
        }
    }

    /// A signed reply that repeats what was asked.
    fn answer(&self, asked: &Fields, fields: Fields, (code, text): (&str, &str)) -> Answer {
        const REPEATED: [&str; 10] = [
            "version",
            "encoding",
            "bizType",
            "txnType",
            "txnSubType",
            "accessType",
            "merId",
            "orderId",
            "txnTime",
            "settleDate",
        ];
        let mut all: Fields = asked.clone();
        all.retain(|name, _| REPEATED.contains(&name.as_str()));
        all.extend(fields);
        all.extend([("respCode", code), ("respMsg", text)].map(owned));
        Answer::Reply(reply(&self.seal.sign(all)))
    }

    fn carry_out(&mut self, name: &str, asked: &Asked<'_>, now: Timestamp) -> Result {
        let sent = Timestamp::parse_beijing_compact(asked.text("txnTime"));
        let is_query = name == "queryTrans";
        let in_time = sent.is_ok_and(|at| is_query || (now.minus(BEHIND)..=now.plus(AHEAD)).contains(&at));
        let id = asked.text("orderId");
        let has_id = (8..=40).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_file = name == "filedownload";
        let form =
            ["5.1.0", "UTF-8", "0"] == ["version", "encoding", "accessType"].map(|name| asked.text(name));
        refuse([(!form || !in_time || !(has_id || is_file), FORMAT)])?;
        let front = matches!(name, "frontTransReq" | "appTransReq");
        match (name, asked.text("txnType"), asked.text("txnSubType")) {
            ("queryTrans", "00", "00") => self.query(asked),
            ("filedownload", "76", "01") => self.file(asked, now),
            (_, "01" | "02", "01") if front => self.start(asked, now, false),
            ("backTransReq", "01", "07") | ("backTransReq", "02", "05") => self.start(asked, now, false),
            ("backTransReq", "01", "06") | ("backTransReq", "02", "04") => self.start(asked, now, true),
            ("backTransReq", "03" | "32" | "04", "00") => self.alter(asked, now),
            _ => Err(Refusal("32", "无此交易权限")),
        }
    }

    /// Creates a payment, or finds the one that the same request created before.
    fn start(&mut self, asked: &Asked<'_>, now: Timestamp, is_direct: bool) -> Result {
        let mut deal = self.deal(asked)?;
        let key = deal.order_id.clone();
        let code = asked.text("qrNo");
        let has_code = code.starts_with("62") && code.len() == 19;
        let biz_type = asked.text("bizType");
        let fits = matches!((biz_type, asked.text("txnType")), ("000201" | "000000", _) | ("000202", "01"));
        deal.expires = match Timestamp::parse_beijing_compact(asked.text("payTimeout")) {
            Ok(at) if at > now => Some(at),
            Ok(_) => return Err(Refusal("39", "交易不在受理时间范围内")),
            Err(_) => None,
        };
        refuse([(!fits, FORMAT), (is_direct && (!has_code || asked.text("termId").is_empty()), FORMAT)])?;
        let again =
            format!("{:020}", key.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte)));
        let shown = Fields::from_iter(
            [("qrCode", format!("{}/payer/{key}", self.base_url)), ("tn", again)]
                .map(|(name, value)| (name.to_owned(), value)),
        );
        if let Some(known) = self.deals.get(&key) {
            let same = known.fen == deal.fen && known.txn_time == deal.txn_time && known.waits();
            refuse([(is_direct || !same, REPEATED)])?;
            return Ok(Some(shown));
        }
        let script = deal.script();
        self.deals.add(deal);
        match script {
            9000 => self.pay_later(&key, now.plus(Duration::from_secs(1))),
            9001 if is_direct => self.deals.change(&key, |deal| deal.failed = Some(POOR.0.to_owned())),
            9002 if is_direct => self.pay_later(&key, now.plus(Duration::from_secs(30))),
            9003 => {
                self.finish(&key, now);
                return Ok(None);
            }
            9007 => {
                if is_direct {
                    self.finish(&key, now);
                }
                return Err(BUSY);
            }
            _ if is_direct => self.finish(&key, now),
            _ => {}
        }
        Ok(Some(shown))
    }

    /// Captures or voids what is held, or gives money back.
    fn alter(&mut self, asked: &Asked<'_>, now: Timestamp) -> Result {
        let mut deal = self.deal(asked)?;
        refuse([(self.deals.contains_key(&deal.order_id), REPEATED)])?;
        let origin = self.deals.values().find(|origin| origin.query_id == asked.text("origQryId"));
        let origin = origin.filter(|origin| origin.done.is_some()).ok_or(STATE)?;
        let after = |kinds: &[&str]| -> i64 {
            let key = Some(&origin.order_id);
            let of = |other: &&Deal| other.origin.as_ref() == key && kinds.contains(&other.kind.0.as_str());
            self.deals.values().filter(of).map(|other| other.fen).sum()
        };
        let ended = after(&["03", "32"]) > 0;
        let script = self.payment_of(origin).script();
        match deal.kind.0.as_str() {
            "03" => {
                refuse([(origin.kind.0 != "02" || ended, STATE), (deal.fen > origin.fen * 115 / 100, OTHER)])?
            }
            "32" => refuse([(origin.kind.0 != "02" || ended, STATE), (deal.fen != origin.fen, OTHER)])?,
            _ => refuse([
                (!matches!(origin.kind.0.as_str(), "01" | "03"), STATE),
                (after(&["04"]) + deal.fen > origin.fen, OTHER),
                (script == 9010, Refusal("30", "交易未通过，请尝试使用其他银联卡支付或联系95516")),
            ])?,
        }
        deal.origin = Some(origin.order_id.clone());
        let (key, is_refund) = (deal.order_id.clone(), deal.kind.0 == "04");
        let query_id = deal.query_id.clone();
        self.deals.add(deal);
        self.finish(&key, now);
        refuse([(is_refund && script == 9009, BUSY)])?;
        Ok(Some(Fields::from_iter([owned(("queryId", &query_id))])))
    }

    fn deal(&self, asked: &Asked<'_>) -> Result<Deal> {
        let fen = asked.text("txnAmt");
        let digits = (1..=12).contains(&fen.len()) && fen.bytes().all(|byte| byte.is_ascii_digit());
        let fen = fen.parse().ok().filter(|fen: &i64| digits && *fen > 0).ok_or(FORMAT)?;
        let url = |name: &str| asked.given(name).filter(|url| url.starts_with("http")).map(str::to_owned);
        refuse([(asked.text("currencyCode") != "156" || url("backUrl").is_none(), FORMAT)])?;
        // 21 digits: the time and a running number.
        let query_id = format!("{}{:07}", asked.text("txnTime"), self.deals.len() + 1);
        Ok(Deal {
            order_id: asked.text("orderId").to_owned(),
            txn_time: asked.text("txnTime").to_owned(),
            kind: (asked.text("txnType").to_owned(), asked.text("txnSubType").to_owned()),
            biz_type: asked.text("bizType").to_owned(),
            query_id,
            fen,
            subject: asked.given("orderDesc").unwrap_or("银联测试商户").to_owned(),
            origin: None,
            back_url: url("backUrl"),
            front_url: url("frontUrl"),
            expires: None,
            pays_at: None,
            done: None,
            failed: None,
        })
    }

    fn query(&self, asked: &Asked<'_>) -> Result {
        let deal = self.deals.get(asked.text("orderId"));
        let deal = deal.filter(|deal| deal.txn_time == asked.text("txnTime")).ok_or(ABSENT)?;
        let code = match (&deal.done, &deal.failed) {
            (Some(_), _) => "00",
            (None, Some(code)) => code,
            (None, None) => "05",
        };
        let mut facts = self.facts(deal);
        facts.extend([("origRespCode", code), ("origRespMsg", "应答[0000000]")].map(owned));
        Ok(Some(facts))
    }

    /// The statement of a day that is over.
    fn file(&self, asked: &Asked<'_>, now: Timestamp) -> Result {
        let (date, today) = (asked.text("settleDate"), now.beijing_compact());
        let year: u32 = today[..4].parse().unwrap_or(0);
        let year = if date >= &today[4..8] { year - 1 } else { year };
        let from = Timestamp::parse_beijing_compact(&format!("{year:04}{date}000000"));
        let from = from.map_err(|_| Refusal("98", "文件不存在"))?;
        let archive = self.bill(from, from.plus(Duration::from_secs(86_400)));
        let name = format!("{}_{}.zip", self.mer_id, &from.beijing_compact()[..8]);
        let content = super::bill::packed(&archive);
        Ok(Some(Fields::from_iter([owned(("fileName", &name)), owned(("fileContent", &content))])))
    }
}

/// The fields of a request.
struct Asked<'a>(&'a Fields);

impl Asked<'_> {
    fn given(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn text(&self, name: &str) -> &str {
        self.given(name).unwrap_or_default()
    }
}
