//! The gateway's two doors, `gateway.do` and `/v3`: who asks, in which form, for what.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use paycore::channel::simulator::Answer;
use paycore::crypto::Scheme;
use paycore::time::Timestamp;
use serde_json::{Map, Value};

use super::wire::{Members, Parameters, Speech, authorization, parameters, texts};
use super::{Gateway, payer};
use crate::sandbox::alipay_login::TOKEN;

/// How far a request's timestamp may be from now: wide for clocks, narrow enough to show a wrong time zone.
const CLOCKS: Duration = Duration::from_secs(15 * 60);
/// What the payer's browser or app brings.
const BROUGHT: &[&str] = &[
    "alipay.trade.page.pay",
    "alipay.trade.wap.pay",
    "alipay.trade.app.pay",
    "alipay.fund.auth.order.app.freeze",
];

/// Why a request is not carried out: code, its text, sub_code, its text.
pub(super) struct Error(&'static str, &'static str, &'static str, &'static str);

pub(super) type Result<T = Said> = std::result::Result<T, Error>;

/// What a request came to.
pub(super) enum Said {
    /// Carried out.
    Done(Members),
    /// Under way.
    Waiting(Members),
    /// Carried out, and nobody shall hear of it.
    Nothing,
}

pub(super) const fn invalid(sub_code: &'static str, text: &'static str) -> Error {
    Error("40002", "Invalid Arguments", sub_code, text)
}

pub(super) const fn failed(sub_code: &'static str, text: &'static str) -> Error {
    Error("40004", "Business Failed", sub_code, text)
}

pub(super) const INVALID: Error = failed("ACQ.INVALID_PARAMETER", "参数无效");
pub(super) const UNKNOWN: Error =
    Error("20000", "Service Currently Unavailable", "isp.unknow-error", "系统繁忙");

/// The first refusal whose condition holds.
pub(super) fn refuse<const N: usize>(checks: [(bool, Error); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, error)| Err(error))
}

/// What is asked, whatever the protocol.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) content: Content,
    pub(super) notify_url: Option<String>,
    pub(super) return_url: Option<String>,
}

/// The content of a request.
#[derive(Default)]
pub(super) struct Content(pub(super) Map<String, Value>);

impl Content {
    /// A member that is a text; numbers count as their text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = match self.0.get(name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some(text).filter(|text| !text.is_empty())
    }

    pub(super) fn required(&self, name: &str) -> Result<String> {
        self.text(name).ok_or(INVALID)
    }

    pub(super) fn object(value: Option<&Value>) -> Content {
        Content(value.and_then(Value::as_object).cloned().unwrap_or_default())
    }

    pub(super) fn list(&self, name: &str) -> Vec<Content> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.into_iter().flatten().map(|one| Content::object(Some(one))).collect()
    }
}

impl Gateway {
    /// Answers a request to `gateway.do`.
    pub(super) fn form(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let Some(all) = parameters(request) else {
            return Answer::Reply(payer::trouble("isv.invalid-parameter", "参数重复"));
        };
        let method = all.get("method").cloned().unwrap_or_default();
        let brought = BROUGHT.contains(&method.as_str());
        let mut speech = Speech {
            sealed: all.get("encrypt_type").is_some_and(|kind| kind == "AES"),
            certified: all.contains_key("app_cert_sn"),
            ..Speech::default()
        };
        let known = self.known(&all);
        speech.authentic = known.is_ok();
        let said = known.and_then(|()| self.asked(&all, speech, now)).and_then(|ask| {
            let key = ["out_trade_no", "out_order_no"].into_iter().find_map(|name| ask.content.text(name));
            Ok((self.carry_out(&ask, now)?, key.unwrap_or_default()))
        });
        match said {
            Ok((Said::Nothing, _)) => Answer::Silence,
            Ok((_, key)) if brought => {
                Answer::Reply(payer::go(302, &format!("{}/payer/{key}", self.base_url)))
            }
            Ok((Said::Done(members), _)) => {
                Answer::Reply(self.coded("10000", "Success", &method, members, speech))
            }
            Ok((Said::Waiting(members), _)) => {
                Answer::Reply(self.coded("10003", "order success pay inprocess", &method, members, speech))
            }
            Err(Error(.., sub_code, text)) if brought => Answer::Reply(payer::trouble(sub_code, text)),
            Err(Error(code, msg, sub_code, text)) => {
                let why = texts([("sub_code", sub_code.into()), ("sub_msg", text.into())]);
                // Who has not proved to be the merchant gets an answer without a signature.
                Answer::Reply(self.coded(code, msg, &method, why, speech))
            }
        }
    }

    fn coded(
        &self,
        code: &str,
        msg: &str,
        method: &str,
        members: Members,
        speech: Speech,
    ) -> http::Response<Bytes> {
        let head = texts([("code", code.to_owned()), ("msg", msg.to_owned())]);
        // Signing in is answered as everything was before there were codes.
        let (head, method) = match (method, code) {
            (TOKEN, "10000") => (Vec::new(), method),
            (TOKEN, _) => (head, "error"),
            _ => (head, method),
        };
        self.framed(method, &[head, members].concat(), speech)
    }

    fn known(&self, all: &Parameters) -> Result<()> {
        let is = |name: &str, value: &str| all.get(name).is_some_and(|given| given == value);
        let certificates =
            ["app_cert_sn", "alipay_root_cert_sn"].map(|name| all.get(name).map(String::as_str));
        let wrong = certificates != [None, None]
            && certificates != [Some(self.serials.app.as_str()), Some(&self.serials.root)];
        refuse([
            (!is("app_id", &self.app_id), invalid("isv.invalid-app-id", "无效的AppID参数")),
            (!is("sign_type", "RSA2"), invalid("isv.invalid-signature-type", "无效签名类型")),
            (wrong, invalid("isv.app-cert-not-match", "应用公钥证书或支付宝根证书不匹配")),
            (!self.merchant_signed(all), invalid("isv.invalid-signature", "验签出错，请检查签名与应用公钥")),
        ])
    }

    fn asked(&self, all: &Parameters, speech: Speech, now: Timestamp) -> Result<Asked> {
        let given = |name: &str| all.get(name).map_or("", String::as_str);
        let sent = Timestamp::parse_beijing(given("timestamp"));
        refuse([
            (given("version") != "1.0" || !matches!(given("format"), "" | "JSON"), FORM),
            (given("charset") != "utf-8", invalid("isv.invalid-charset", "字符集错误")),
            (!sent.is_ok_and(|at| in_time(at, now)), TIME),
        ])?;
        let kept = |name: &str| Some(given(name).to_owned()).filter(|value| !value.is_empty());
        Ok(Asked {
            method: given("method").to_owned(),
            content: match given("biz_content") {
                // Methods older than `biz_content` have parameters of their own.
                "" => Content(all.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect()),
                text => self.content(text.as_bytes(), speech)?,
            },
            notify_url: kept("notify_url"),
            return_url: kept("return_url"),
        })
    }

    fn content(&self, carried: &[u8], speech: Speech) -> Result<Content> {
        let clear = match std::str::from_utf8(carried) {
            Ok(text) if speech.sealed => self.opened(text),
            _ => Some(carried.to_vec()),
        };
        let clear = clear.ok_or(invalid("isv.decryption-error", "解密出错"))?;
        match serde_json::from_slice(&clear) {
            Ok(Value::Object(members)) => Ok(Content(members)),
            _ => Err(invalid("isv.invalid-parameter", "biz_content 不是 JSON 对象")),
        }
    }

    /// Answers a request below `/v3`.
    pub(super) fn rest(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let header = |name: &str| header(request.headers(), name);
        let mut speech = Speech { sealed: header("alipay-encrypt-type") == "AES", ..Speech::default() };
        let said = self.vouched(request, &mut speech, now).and_then(|ask| self.carry_out(&ask, now));
        match said {
            Ok(Said::Nothing) => Answer::Silence,
            Ok(Said::Done(members)) => Answer::Reply(self.rested(200, &members, speech, now)),
            Ok(Said::Waiting(members)) => Answer::Reply(self.rested(202, &members, speech, now)),
            Err(Error(code, _, sub_code, text)) => {
                let status = match code {
                    "20000" => 500,
                    _ if speech.authentic => 400,
                    _ => 401,
                };
                let word = sub_code.strip_prefix("ACQ.").unwrap_or(sub_code);
                let mut members = texts([("code", word.into()), ("message", text.into())]);
                members.push(("links", Value::Array(Vec::new())));
                Answer::Reply(self.rested(status, &members, speech, now))
            }
        }
    }

    /// What a v3 request asks, once it is clear that the merchant asks it.
    fn vouched(&self, request: &Request<Bytes>, speech: &mut Speech, now: Timestamp) -> Result<Asked> {
        let path = request.uri().path_and_query().map_or("", |path| path.as_str());
        let (who, members, sign) = authorization(request).ok_or(SIGNATURE)?;
        let given = |name: &str| members.get(name).map_or("", String::as_str);
        let mut text = format!("{who}\n{}\n{path}\n", request.method()).into_bytes();
        text.extend_from_slice(request.body());
        text.push(b'\n');
        let token = header(request.headers(), "alipay-app-auth-token");
        if !token.is_empty() {
            text.extend(format!("{token}\n").into_bytes());
        }
        speech.certified = members.contains_key("app_cert_sn");
        let root = header(request.headers(), "alipay-root-cert-sn");
        let wrong =
            speech.certified && (given("app_cert_sn") != self.serials.app || root != self.serials.root);
        refuse([
            (given("app_id") != self.app_id, invalid("invalid-app-id", "无效的AppID参数")),
            (wrong, invalid("app-cert-not-match", "应用公钥证书或支付宝根证书不匹配")),
            (!self.merchant.verify(Scheme::RsaSha256, &text, &sign), SIGNATURE),
        ])?;
        speech.authentic = true;
        let sent = given("timestamp").parse().ok().map(Timestamp::from_millis);
        refuse([(given("nonce").is_empty() || !sent.is_some_and(|at| in_time(at, now)), TIME)])?;
        let content = if request.method() == http::Method::GET {
            let pairs = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
            Content(pairs.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))).collect())
        } else {
            self.content(request.body(), *speech)?
        };
        let method = request.uri().path().trim_start_matches("/v3/").replace('/', ".");
        Ok(Asked { method, notify_url: content.text("notify_url"), content, return_url: None })
    }

    fn carry_out(&mut self, ask: &Asked, now: Timestamp) -> Result {
        match ask.method.as_str() {
            "alipay.trade.page.pay"
            | "alipay.trade.wap.pay"
            | "alipay.trade.app.pay"
            | "alipay.trade.precreate"
            | "alipay.trade.create" => self.start(ask, now),
            "alipay.trade.pay" if ask.content.0.contains_key("auth_no") => self.convert(ask, now),
            "alipay.trade.pay" => self.charge(ask, now),
            "alipay.trade.query" => self.query(&ask.content),
            "alipay.trade.close" => self.shut(&ask.content, now),
            "alipay.trade.cancel" => self.cancel(&ask.content, now),
            "alipay.trade.refund" => self.give_back(&ask.content, now),
            "alipay.trade.fastpay.refund.query" => self.query_refund(&ask.content),
            "alipay.fund.auth.order.freeze"
            | "alipay.fund.auth.order.voucher.create"
            | "alipay.fund.auth.order.app.freeze" => self.freeze(ask, now),
            "alipay.fund.auth.operation.detail.query" => self.query_hold(&ask.content),
            "alipay.fund.auth.operation.cancel" => self.drop_hold(&ask.content, now),
            "alipay.fund.auth.order.unfreeze" => self.unfreeze(&ask.content, now),
            "alipay.trade.royalty.relation.bind" => self.relate(&ask.content, true),
            "alipay.trade.royalty.relation.unbind" => self.relate(&ask.content, false),
            "alipay.trade.order.settle" => self.settle(&ask.content, now),
            "alipay.trade.order.settle.query" => self.query_settle(&ask.content),
            "alipay.fund.trans.uni.transfer" => self.transfer(&ask.content, now),
            "alipay.fund.trans.common.query" => self.query_transfer(&ask.content, now),
            "alipay.data.dataservice.bill.downloadurl.query" => self.bill_address(&ask.content, now),
            TOKEN => match self.logins.exchange(|name| ask.content.text(name), now) {
                Ok(who) => Ok(Said::Done(texts(who))),
                Err((sub_code, text)) => Err(invalid(sub_code, text)),
            },
            _ => Err(invalid("isv.invalid-method", "不存在的方法名")),
        }
    }
}

const FORM: Error = invalid("isv.invalid-format", "无效的版本或数据格式");
const TIME: Error = invalid("isv.invalid-timestamp", "非法的时间戳参数");
const SIGNATURE: Error = invalid("isv.invalid-signature", "验签出错，请检查签名与应用公钥");

fn in_time(sent: Timestamp, now: Timestamp) -> bool {
    (now.minus(CLOCKS)..=now.plus(CLOCKS)).contains(&sent)
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
