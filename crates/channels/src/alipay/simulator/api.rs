//! `gateway.do`: what Alipay checks and answers.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;
use serde_json::Value;

use super::wire::{Members, Parameters, fen, parameters, yuan};
use super::{Gateway, Refund, Trade, payer};

/// How far a request's timestamp may be from now: wide for clocks, narrow enough to show a wrong time zone.
const CLOCKS: Duration = Duration::from_secs(15 * 60);

/// Why a request is not carried out: code, its text, sub_code, its text.
struct Error(&'static str, &'static str, &'static str, &'static str);

/// What a request came to; `None` when it was carried out and nobody shall hear of it.
type Result<T = Option<Members>> = std::result::Result<T, Error>;

const fn invalid(sub_code: &'static str, text: &'static str) -> Error {
    Error("40002", "Invalid Arguments", sub_code, text)
}

const fn failed(sub_code: &'static str, text: &'static str) -> Error {
    Error("40004", "Business Failed", sub_code, text)
}

const INVALID: Error = failed("ACQ.INVALID_PARAMETER", "参数无效");
const UNKNOWN: Error = Error("20000", "Service Currently Unavailable", "isp.unknow-error", "系统繁忙");

/// The first refusal whose condition holds.
fn refuse<const N: usize>(checks: [(bool, Error); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, error)| Err(error))
}

impl Gateway {
    pub(super) fn api(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let Some(all) = parameters(request) else {
            return Answer::Reply(payer::trouble("isv.invalid-parameter", "参数重复"));
        };
        let method = all.get("method").map_or("", String::as_str);
        let page = method == "alipay.trade.page.pay";
        let authentic = self.authenticate(&all);
        let signed = authentic.is_ok();
        let members = match authentic.and_then(|()| self.carry_out(method, &all, now)) {
            Ok(None) => return Answer::Silence,
            Ok(Some(members)) if page => {
                let key = members.first().map(|(_, key)| key.as_str()).unwrap_or_default();
                return Answer::Reply(payer::go(302, &format!("{}/payer/{key}", self.base_url)));
            }
            Ok(Some(members)) => {
                [vec![("code", "10000".to_owned()), ("msg", "Success".to_owned())], members].concat()
            }
            Err(Error(.., sub_code, text)) if page => return Answer::Reply(payer::trouble(sub_code, text)),
            Err(Error(code, msg, sub_code, text)) => {
                let names = ["code", "msg", "sub_code", "sub_msg"];
                names.into_iter().zip([code, msg, sub_code, text].map(str::to_owned)).collect()
            }
        };
        // Who has not proved to be the merchant gets an answer without a signature.
        Answer::Reply(self.framed(method, &members, signed))
    }

    fn authenticate(&self, all: &Parameters) -> Result<()> {
        let is = |name: &str, value: &str| all.get(name).is_some_and(|given| given == value);
        refuse([
            (!is("app_id", &self.app_id), invalid("isv.invalid-app-id", "无效的AppID参数")),
            (!is("sign_type", "RSA2"), invalid("isv.invalid-signature-type", "无效签名类型")),
            (!self.merchant_signed(all), invalid("isv.invalid-signature", "验签出错，请检查签名与应用公钥")),
        ])
    }

    fn carry_out(&mut self, method: &str, all: &Parameters, now: Timestamp) -> Result {
        let given = |name: &str| all.get(name).map_or("", String::as_str);
        let form = given("version") == "1.0" && matches!(given("format"), "" | "JSON");
        let sent = Timestamp::parse_beijing(given("timestamp"));
        let in_time = sent.is_ok_and(|at| (now.minus(CLOCKS)..=now.plus(CLOCKS)).contains(&at));
        refuse([
            (!form, invalid("isv.invalid-format", "无效的版本或数据格式")),
            (given("charset") != "utf-8", invalid("isv.invalid-charset", "字符集错误")),
            (!in_time, invalid("isv.invalid-timestamp", "非法的时间戳参数")),
        ])?;
        let Ok(Value::Object(content)) = serde_json::from_str(given("biz_content")) else {
            return Err(invalid("isv.invalid-parameter", "biz_content 不是 JSON 对象"));
        };
        let content = Content(content);
        match method {
            "alipay.trade.page.pay" | "alipay.trade.precreate" => self.start(&content, all, now),
            "alipay.trade.query" => self.query(&content),
            "alipay.trade.close" => self.shut(&content, now),
            "alipay.trade.refund" => self.refund(&content, now),
            "alipay.trade.fastpay.refund.query" => self.query_refund(&content),
            _ => Err(invalid("isv.invalid-method", "不存在的方法名")),
        }
    }

    /// Creates the trade, or finds the one that the same request created before.
    fn start(&mut self, content: &Content, all: &Parameters, now: Timestamp) -> Result {
        let trade = self.new_trade(content, all, now)?;
        let (key, script) = (trade.out_trade_no.clone(), trade.script());
        let qr_code = format!("{}/payer/{key}", self.base_url);
        let done = vec![("out_trade_no", key.clone()), ("qr_code", qr_code)];
        if let Some(known) = self.trades.get(&key) {
            let differs = known.fen != trade.fen || known.subject != trade.subject;
            refuse([
                (differs, failed("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")),
                (known.paid.is_some(), failed("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")),
                (known.closed.is_some(), failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")),
            ])?;
            return Ok(Some(done));
        }
        self.schedule(&trade);
        self.trades.insert(key.clone(), trade);
        self.change(&key, |_| {});
        match script {
            9000 => self.pay_later(&key, now.plus(Duration::from_secs(1))),
            9003 => {
                self.pay(&key, now, now);
                return Ok(None);
            }
            9007 => return Err(UNKNOWN),
            _ => {}
        }
        Ok(Some(done))
    }

    fn new_trade(&self, content: &Content, all: &Parameters, now: Timestamp) -> Result<Trade> {
        let out_trade_no = content.required("out_trade_no")?;
        let plain = out_trade_no.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let subject = content.required("subject")?;
        let fen = fen(content.required("total_amount")?).ok_or(INVALID)?;
        let page = all["method"] == "alipay.trade.page.pay";
        let chars = |text: &str| text.chars().count();
        refuse([
            (!plain || out_trade_no.len() > 64, INVALID),
            (chars(subject) > 256 || subject.contains(['/', '=', '&']), INVALID),
            (content.text("body").is_some_and(|body| chars(body) > 128), INVALID),
            (content.text("seller_id").is_some_and(|id| id != self.seller_id), INVALID),
            (page && content.text("product_code") != Some("FAST_INSTANT_TRADE_PAY"), INVALID),
        ])?;
        let expires = match content.text("time_expire").map(Timestamp::parse_beijing) {
            Some(Ok(at)) if at > now => Some(at),
            Some(_) => return Err(INVALID),
            None => None,
        };
        // 28 digits: the day, a fixed part, part of the seller's number and a running number.
        let (day, seller) = (now.beijing_compact(), self.seller_id.get(11..).unwrap_or_default());
        let trade_no = format!("{}22001{seller}{:010}", &day[..8], self.trades.len() + 1);
        let kept = |name: &str| all.get(name).filter(|value| !value.is_empty()).cloned();
        Ok(Trade {
            out_trade_no: out_trade_no.to_owned(),
            trade_no,
            subject: subject.to_owned(),
            fen,
            notify_url: kept("notify_url"),
            return_url: kept("return_url"),
            created: now,
            expires,
            pays_at: None,
            paid: None,
            closed: None,
            refunds: Vec::new(),
        })
    }

    fn query(&self, content: &Content) -> Result {
        let trade = self.find(content)?;
        let mut members = parties(trade);
        members.extend([
            ("receipt_amount", yuan(trade.paid.map_or(0, |_| trade.fen))),
            ("total_amount", yuan(trade.fen)),
            ("trade_status", trade.status().to_owned()),
        ]);
        members.extend(trade.paid.map(|at| ("send_pay_date", at.beijing())));
        Ok(Some(members))
    }

    fn shut(&mut self, content: &Content, now: Timestamp) -> Result {
        let trade = self.find(content)?;
        let (key, script) = (trade.out_trade_no.clone(), trade.script());
        let closed = trade.paid.is_none() && trade.closed.is_some();
        refuse([
            (closed, failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")),
            (!trade.waits() || trade.pays_at.is_some(), failed("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")),
        ])?;
        let members = vec![("out_trade_no", key.clone()), ("trade_no", trade.trade_no.clone())];
        self.close(&key, now);
        if script == 9006 {
            self.pay_later(&key, now.plus(Duration::from_secs(5)));
        }
        Ok(Some(members))
    }

    fn refund(&mut self, content: &Content, now: Timestamp) -> Result {
        let trade = self.find(content)?;
        let fen = fen(content.required("refund_amount")?).ok_or(INVALID)?;
        let key = trade.out_trade_no.clone();
        let request_no = content.text("out_request_no").unwrap_or(&key).to_owned();
        if let Some(before) = trade.refunds.iter().find(|refund| refund.request_no == request_no) {
            refuse([(before.fen != fen, failed("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求"))])?;
            return Ok(Some(refund_members(trade, "N")));
        }
        let script = trade.script();
        refuse([
            (trade.paid.is_none(), failed("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")),
            (trade.refunded() == trade.fen, failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")),
            (trade.refunded() + fen > trade.fen, failed("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")),
            (script == 9010, failed("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足")),
        ])?;
        let refund = Refund { request_no: request_no.clone(), fen, at: now };
        self.change(&key, |trade| trade.refunds.push(refund));
        self.notify(&key, Some(&request_no), now);
        if script == 9009 {
            return Err(UNKNOWN);
        }
        Ok(Some(refund_members(self.find(content)?, "Y")))
    }

    fn query_refund(&self, content: &Content) -> Result {
        let trade = self.find(content)?;
        let request_no = content.required("out_request_no")?;
        let Some(refund) = trade.refunds.iter().find(|refund| refund.request_no == request_no) else {
            return Ok(Some(Vec::new()));
        };
        let mut members = parties(trade);
        members.extend([
            ("out_request_no", refund.request_no.clone()),
            ("refund_amount", yuan(refund.fen)),
            ("refund_status", "REFUND_SUCCESS".to_owned()),
            ("total_amount", yuan(trade.fen)),
        ]);
        let options = content.0.get("query_options").and_then(Value::as_array);
        if options.is_some_and(|options| options.iter().any(|option| option == "gmt_refund_pay")) {
            members.push(("gmt_refund_pay", refund.at.beijing()));
        }
        Ok(Some(members))
    }

    fn find(&self, content: &Content) -> Result<&Trade> {
        let absent = || failed("ACQ.TRADE_NOT_EXIST", "交易不存在");
        if let Some(trade_no) = content.text("trade_no") {
            return self.trades.values().find(|trade| trade.trade_no == trade_no).ok_or_else(absent);
        }
        self.trades.get(content.required("out_trade_no")?).ok_or_else(absent)
    }
}

fn parties(trade: &Trade) -> Members {
    let buyer = ("buyer_logon_id", "159****5620".to_owned());
    vec![buyer, ("out_trade_no", trade.out_trade_no.clone()), ("trade_no", trade.trade_no.clone())]
}

fn refund_members(trade: &Trade, fund_change: &str) -> Members {
    let mut members = parties(trade);
    members.extend([("fund_change", fund_change.to_owned()), ("refund_fee", yuan(trade.refunded()))]);
    members.extend(trade.refunds.last().map(|refund| ("gmt_refund_pay", refund.at.beijing())));
    members
}

/// `biz_content`.
struct Content(serde_json::Map<String, Value>);

impl Content {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn required(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or(INVALID)
    }
}
