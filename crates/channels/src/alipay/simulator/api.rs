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

/// What was carried out, or that it was and nobody shall hear of it.
enum Done {
    Members(Members),
    Unheard,
}

type Result<T = Done> = std::result::Result<T, Error>;

fn invalid(sub_code: &'static str, text: &'static str) -> Error {
    Error("40002", "Invalid Arguments", sub_code, text)
}

fn failed(sub_code: &'static str, text: &'static str) -> Error {
    Error("40004", "Business Failed", sub_code, text)
}

const UNKNOWN: Error = Error("20000", "Service Currently Unavailable", "isp.unknow-error", "系统繁忙");

impl Gateway {
    pub(super) fn api(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let parameters = parameters(request);
        let method = parameters.as_ref().ok().and_then(|all| all.get("method")).cloned().unwrap_or_default();
        let page = method == "alipay.trade.page.pay";
        let (authentic, done) = match parameters.map_err(|_| invalid("isv.invalid-parameter", "参数重复"))
        {
            Ok(all) => match self.authenticate(&all) {
                Ok(()) => (true, self.carry_out(&method, &all, now)),
                Err(error) => (false, Err(error)),
            },
            Err(error) => (false, Err(error)),
        };
        let members = match done {
            Ok(Done::Unheard) => return Answer::Silence,
            Ok(Done::Members(members)) if page => {
                let key = members.first().map(|(_, key)| key.as_str()).unwrap_or_default();
                return Answer::Reply(payer::go(302, &format!("{}/payer/{key}", self.base_url)));
            }
            Ok(Done::Members(members)) => {
                [vec![("code", "10000".to_owned()), ("msg", "Success".to_owned())], members].concat()
            }
            Err(Error(.., sub_code, text)) if page => return Answer::Reply(payer::trouble(sub_code, text)),
            Err(Error(code, msg, sub_code, text)) => {
                [("code", code), ("msg", msg), ("sub_code", sub_code), ("sub_msg", text)]
                    .map(|(name, value)| (name, value.to_owned()))
                    .to_vec()
            }
        };
        // Who has not proved to be the merchant gets an answer without a signature.
        Answer::Reply(self.framed(&method, &members, authentic))
    }

    fn authenticate(&self, all: &Parameters) -> Result<()> {
        let is = |name: &str, value: &str| all.get(name).is_some_and(|given| given == value);
        if !is("app_id", &self.app_id) {
            return Err(invalid("isv.invalid-app-id", "无效的AppID参数"));
        }
        if !is("sign_type", "RSA2") {
            return Err(invalid("isv.invalid-signature-type", "无效签名类型"));
        }
        if !self.merchant_signed(all) {
            return Err(invalid(
                "isv.invalid-signature",
                "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配",
            ));
        }
        Ok(())
    }

    fn carry_out(&mut self, method: &str, all: &Parameters, now: Timestamp) -> Result {
        let given = |name: &str| all.get(name).map_or("", String::as_str);
        if given("version") != "1.0" || !matches!(given("format"), "" | "JSON") {
            return Err(invalid("isv.invalid-format", "无效的版本或数据格式"));
        }
        if !given("charset").eq_ignore_ascii_case("utf-8") {
            return Err(invalid("isv.invalid-charset", "字符集错误"));
        }
        let sent = Timestamp::parse_beijing(given("timestamp"));
        if !sent.is_ok_and(|at| (now.minus(CLOCKS)..=now.plus(CLOCKS)).contains(&at)) {
            return Err(invalid("isv.invalid-timestamp", "非法的时间戳参数"));
        }
        let Ok(Value::Object(content)) = serde_json::from_str(given("biz_content")) else {
            return Err(invalid("isv.invalid-parameter", "biz_content 不是 JSON 对象"));
        };
        let content = Content(content);
        match method {
            "alipay.trade.page.pay" => self.start(&content, all, now).map(|(done, _)| done),
            "alipay.trade.precreate" => self.precreate(&content, all, now),
            "alipay.trade.query" => self.query(&content),
            "alipay.trade.close" => self.shut(&content, now),
            "alipay.trade.refund" => self.refund(&content, now),
            "alipay.trade.fastpay.refund.query" => self.query_refund(&content),
            _ => Err(invalid("isv.invalid-method", "不存在的方法名")),
        }
    }

    fn precreate(&mut self, content: &Content, all: &Parameters, now: Timestamp) -> Result {
        let (done, key) = self.start(content, all, now)?;
        if matches!(done, Done::Unheard) {
            return Ok(done);
        }
        let qr_code = format!("{}/payer/{key}", self.base_url);
        Ok(Done::Members(vec![("out_trade_no", key), ("qr_code", qr_code)]))
    }

    /// Creates the trade, or finds the one that the same request created before.
    fn start(&mut self, content: &Content, all: &Parameters, now: Timestamp) -> Result<(Done, String)> {
        let trade = self.new_trade(content, all, now)?;
        let (key, script) = (trade.out_trade_no.clone(), trade.script());
        let done = Done::Members(vec![("out_trade_no", key.clone())]);
        if let Some(known) = self.trades.get(&key) {
            return match known {
                known if known.fen != trade.fen || known.subject != trade.subject => {
                    Err(failed("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"))
                }
                known if known.paid.is_some() => Err(failed("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")),
                known if known.closed.is_some() => Err(failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")),
                _ => Ok((done, key)),
            };
        }
        self.schedule(&trade);
        self.trades.insert(key.clone(), trade);
        self.change(&key, |_| {});
        match script {
            9000 => self.pay_later(&key, now.plus(Duration::from_secs(1))),
            9003 => {
                self.pay(&key, now, now);
                return Ok((Done::Unheard, key));
            }
            9007 => return Err(UNKNOWN),
            _ => {}
        }
        Ok((done, key))
    }

    fn new_trade(&self, content: &Content, all: &Parameters, now: Timestamp) -> Result<Trade> {
        let out_trade_no = content.required("out_trade_no")?;
        let plain = out_trade_no.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let subject = content.required("subject")?;
        let fen = fen(content.required("total_amount")?).ok_or(INVALID)?;
        let seller = content.text("seller_id").is_none_or(|id| id == self.seller_id);
        let page = all.get("method").is_some_and(|method| method == "alipay.trade.page.pay");
        let product = !page || content.text("product_code") == Some("FAST_INSTANT_TRADE_PAY");
        if !plain
            || out_trade_no.len() > 64
            || subject.chars().count() > 256
            || subject.contains(['/', '=', '&'])
        {
            return Err(INVALID);
        }
        if !seller || !product || content.text("body").is_some_and(|body| body.chars().count() > 128) {
            return Err(INVALID);
        }
        let expires = match content.text("time_expire").map(Timestamp::parse_beijing) {
            Some(Ok(at)) if at > now => Some(at),
            Some(_) => return Err(INVALID),
            None => None,
        };
        let kept = |name: &str| all.get(name).filter(|value| !value.is_empty()).cloned();
        Ok(Trade {
            out_trade_no: out_trade_no.to_owned(),
            trade_no: self.trade_no(now),
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

    /// 28 digits: the day, a fixed part, part of the seller's number and a running number.
    fn trade_no(&self, now: Timestamp) -> String {
        let day: String = now.beijing_compact().chars().take(8).collect();
        format!("{day}22001{}{:010}", &self.seller_id[self.seller_id.len() - 5..], self.trades.len() + 1)
    }

    fn query(&self, content: &Content) -> Result {
        let trade = self.find(content)?;
        let mut members = self.parties(trade);
        members.extend([
            ("receipt_amount", yuan(trade.paid.map_or(0, |_| trade.fen))),
            ("total_amount", yuan(trade.fen)),
            ("trade_status", trade.status().to_owned()),
        ]);
        members.extend(trade.paid.map(|at| ("send_pay_date", at.beijing())));
        Ok(Done::Members(members))
    }

    fn shut(&mut self, content: &Content, now: Timestamp) -> Result {
        let trade = self.find(content)?;
        let (key, script) = (trade.out_trade_no.clone(), trade.script());
        if trade.paid.is_none() && trade.closed.is_some() {
            return Err(failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"));
        }
        if !trade.waits() || trade.pays_at.is_some() {
            return Err(failed("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"));
        }
        let members = vec![("out_trade_no", key.clone()), ("trade_no", trade.trade_no.clone())];
        self.close(&key, now);
        if script == 9006 {
            self.pay_later(&key, now.plus(Duration::from_secs(5)));
        }
        Ok(Done::Members(members))
    }

    fn refund(&mut self, content: &Content, now: Timestamp) -> Result {
        let trade = self.find(content)?;
        let fen = fen(content.required("refund_amount")?).ok_or(INVALID)?;
        let key = trade.out_trade_no.clone();
        let request_no = content.text("out_request_no").unwrap_or(&key).to_owned();
        if let Some(before) = trade.refunds.iter().find(|refund| refund.request_no == request_no) {
            let repeat = before.fen == fen;
            let discordant = failed("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求");
            return if repeat { Ok(Done::Members(self.refund_members(trade, "N"))) } else { Err(discordant) };
        }
        if trade.paid.is_none() {
            return Err(failed("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"));
        }
        if trade.refunded() == trade.fen {
            return Err(failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"));
        }
        if trade.refunded() + fen > trade.fen {
            return Err(failed("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效"));
        }
        let script = trade.script();
        if script == 9010 {
            return Err(failed("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"));
        }
        self.change(&key, |trade| {
            trade.refunds.push(Refund { request_no: request_no.clone(), fen, at: now })
        });
        self.notify(&key, Some(&request_no), now);
        if script == 9009 {
            return Err(UNKNOWN);
        }
        Ok(Done::Members(self.refund_members(self.find(content)?, "Y")))
    }

    fn refund_members(&self, trade: &Trade, fund_change: &str) -> Members {
        let mut members = self.parties(trade);
        let last = trade.refunds.last().map(|refund| ("gmt_refund_pay", refund.at.beijing()));
        members.extend([("fund_change", fund_change.to_owned()), ("refund_fee", yuan(trade.refunded()))]);
        members.extend(last);
        members
    }

    fn query_refund(&self, content: &Content) -> Result {
        let trade = self.find(content)?;
        let request_no = content.required("out_request_no")?;
        let Some(refund) = trade.refunds.iter().find(|refund| refund.request_no == request_no) else {
            return Ok(Done::Members(Vec::new()));
        };
        let mut members = vec![
            ("out_request_no", refund.request_no.clone()),
            ("out_trade_no", trade.out_trade_no.clone()),
            ("refund_amount", yuan(refund.fen)),
            ("refund_status", "REFUND_SUCCESS".to_owned()),
            ("total_amount", yuan(trade.fen)),
            ("trade_no", trade.trade_no.clone()),
        ];
        let options = content.0.get("query_options").and_then(Value::as_array);
        if options.is_some_and(|options| options.iter().any(|option| option == "gmt_refund_pay")) {
            members.push(("gmt_refund_pay", refund.at.beijing()));
        }
        Ok(Done::Members(members))
    }

    fn find(&self, content: &Content) -> Result<&Trade> {
        let absent = || failed("ACQ.TRADE_NOT_EXIST", "交易不存在");
        if let Some(trade_no) = content.text("trade_no") {
            return self.trades.values().find(|trade| trade.trade_no == trade_no).ok_or_else(absent);
        }
        self.trades.get(content.required("out_trade_no")?).ok_or_else(absent)
    }

    fn parties(&self, trade: &Trade) -> Members {
        vec![
            ("buyer_logon_id", "159****5620".to_owned()),
            ("buyer_user_id", "2088101117955611".to_owned()),
            ("out_trade_no", trade.out_trade_no.clone()),
            ("trade_no", trade.trade_no.clone()),
        ]
    }
}

const INVALID: Error = Error("40004", "Business Failed", "ACQ.INVALID_PARAMETER", "参数无效");

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
