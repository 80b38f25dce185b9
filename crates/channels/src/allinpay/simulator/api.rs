//! The interfaces below `apiweb`: what Allinpay checks and answers.

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HeaderName};
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;
use serde_json::json;

use super::Gateway;
use super::wire::Texts;
use crate::sandbox::{Book, Given, Order, Refund, Refused, Started, State, respond};

const ZIP: (HeaderName, &str) = (CONTENT_TYPE, "application/zip");

/// Why a request is not carried out: status of the transaction, or nothing when it did not come so far; text.
struct Error(Option<&'static str>, &'static str);

/// What a request came to, and nothing when it was carried out and nobody shall hear of it.
type Result<T = Option<Texts>> = std::result::Result<T, Error>;

const PARAM: Error = Error(None, "参数校验失败");
const SYSTEM: Error = Error(None, "系统异常，请稍后查询");
const NO_TRANSACTION: Error = Error(Some("1001"), "交易不存在");
const REPEATED: Error = Error(Some("3888"), "交易流水号重复");
const POOR: Error = Error(Some("3008"), "余额不足");

const fn failed(text: &'static str) -> Error {
    Error(Some("3999"), text)
}

/// The first refusal whose condition holds.
fn refuse<const N: usize>(checks: [(bool, Error); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, error)| Err(error))
}

/// The kind of transaction: a number for each wallet, one more digit for what is done.
pub(super) fn code(order: &Order, refund: bool) -> String {
    let wallet = match order.wallet.as_str() {
        "W" => 50,
        "A" => 51,
        "U" => 55,
        "S" => 61,
        _ => return if refund { "VSP507" } else { "VSP505" }.to_owned(),
    };
    format!("VSP{wallet}{}", if refund { 3 } else { 1 })
}

impl Gateway {
    pub(super) fn answer(&self, book: &mut Book, request: &Request<Bytes>, now: Timestamp) -> Answer {
        if request.method() == "GET" {
            let file = self.bill_of(book, request.uri().path());
            let mut reply = respond(if file.is_some() { 200 } else { 404 }, ZIP, String::new());
            *reply.body_mut() = file.unwrap_or_default().into();
            return Answer::Reply(reply);
        }
        let done = Self::parameters(request).ok_or(PARAM).and_then(|texts| {
            self.authentic(&texts, request.uri().path())?;
            Ok((self.route(book, request, &texts, now), texts))
        });
        let (result, texts) = match done {
            Ok(done) => done,
            Err(error) => (Err(error), Texts::new()),
        };
        let mut answer = match result {
            Ok(None) => return Answer::Silence,
            Ok(Some(answer)) => answer,
            Err(Error(Some(status), text)) => {
                let number = texts.get("reqsn").cloned().unwrap_or_default();
                owned(&[("trxstatus", status), ("errmsg", text), ("reqsn", &number)])
            }
            Err(Error(None, text)) => {
                // What did not become a transaction is answered without a signature.
                let body = json!({"retcode": "FAIL", "retmsg": text}).to_string();
                return Answer::Reply(respond(200, (CONTENT_TYPE, "application/json;charset=UTF-8"), body));
            }
        };
        let random = format!("{:012}", now.micros() % 1_000_000_000_000);
        answer.extend(owned(&[
            ("retcode", "SUCCESS"),
            ("cusid", &self.cusid),
            ("appid", &self.appid),
            ("randomstr", &random),
        ]));
        Answer::Reply(self.signed(answer))
    }

    fn authentic(&self, texts: &Texts, path: &str) -> Result<()> {
        // Statements are asked for without a version.
        let version = if path.starts_with("/cusapi/") { None } else { Some("11") };
        let is = |name: &str, value: &str| texts.get(name).is_some_and(|given| given == value);
        refuse([
            (!is("cusid", &self.cusid) || !is("appid", &self.appid), Error(None, "商户号或APPID错误")),
            (!is("signtype", &self.sign_type), Error(None, "签名类型错误")),
            (!self.merchant_signed(texts), Error(None, "验签失败")),
            (texts.get("version").map(String::as_str) != version || text(texts, "randomstr").is_err(), PARAM),
        ])
    }

    fn route(&self, book: &mut Book, request: &Request<Bytes>, texts: &Texts, now: Timestamp) -> Result {
        let path = request.uri().path();
        match path.strip_prefix("/apiweb/").unwrap_or(path) {
            "unitorder/pay" => self.pay(book, texts, now),
            "unitorder/scanqrpay" => self.scan(book, texts, now),
            "tranx/query" | "unitorder/query" => Self::query(book, text(texts, "reqsn")?).map(Some),
            "tranx/refund" | "unitorder/refund" => Self::refund(book, texts, now),
            "unitorder/close" => Self::shut(book, text(texts, "oldreqsn")?, now),
            "/cusapi/trxfile/get" => self.bill_at(text(texts, "date")?).ok_or(PARAM).map(Some),
            _ => Err(Error(None, "接口不存在")),
        }
    }

    fn pay(&self, book: &mut Book, texts: &Texts, now: Timestamp) -> Result {
        let kind = text(texts, "paytype")?;
        let known =
            ["W01", "W02", "W03", "W06", "A01", "A02", "A03", "U01", "U02", "U03", "Q01", "S01", "S03"];
        let inside = matches!(kind, "W02" | "W06" | "A02" | "U02");
        refuse([
            (!known.contains(&kind), PARAM),
            (inside && text(texts, "acct").is_err(), PARAM),
            (texts.get("sub_appid").is_some_and(|appid| *appid != self.sub_appid), PARAM),
        ])?;
        let expires = texts.get("expiretime").map(|text| Timestamp::parse_beijing_compact(text));
        let order = Order {
            kind: kind.to_owned(),
            wallet: kind[..1].to_owned(),
            return_url: texts.get("front_url").cloned(),
            expires: expires.transpose().map_err(|_| PARAM)?,
            ..Self::new_order(book, texts, now)?
        };
        let key = order.reference.clone();
        if let Some(known) = book.get(&key) {
            let same = known.fen == order.fen && known.kind == order.kind && known.state() == State::Open;
            return if same { Ok(Some(self.prepaid(known, now))) } else { Err(REPEATED) };
        }
        match book.start(order, now) {
            Started::Silent => Ok(None),
            Started::Unknown | Started::Poor => Err(SYSTEM),
            Started::Known => Ok(Some(self.prepaid(book.get(&key).ok_or(NO_TRANSACTION)?, now))),
        }
    }

    fn scan(&self, book: &mut Book, texts: &Texts, now: Timestamp) -> Result {
        let wallet = match text(texts, "authcode")?.get(..2).unwrap_or_default() {
            "10" | "11" | "12" | "13" | "14" | "15" => "W",
            "25" | "26" | "27" | "28" | "29" | "30" => "A",
            "62" => "U",
            "91" => "Q",
            _ => return Err(PARAM),
        };
        let terminal: serde_json::Value =
            serde_json::from_str(text(texts, "terminfo")?).map_err(|_| PARAM)?;
        refuse([(
            terminal["termno"].as_str().is_none() || terminal["devicetype"].as_str().is_none(),
            PARAM,
        )])?;
        let order = Order { wallet: wallet.to_owned(), direct: true, ..Self::new_order(book, texts, now)? };
        let key = order.reference.clone();
        refuse([(book.get(&key).is_some(), REPEATED)])?;
        match book.start(order, now) {
            Started::Silent => Ok(None),
            Started::Unknown => Err(SYSTEM),
            Started::Poor => Err(POOR),
            Started::Known => Self::query(book, &key).map(Some),
        }
    }

    fn new_order(book: &Book, texts: &Texts, now: Timestamp) -> Result<Order> {
        let key = text(texts, "reqsn")?;
        let body = text(texts, "body")?;
        refuse([(key.len() > 32 || body.len() > 100, PARAM)])?;
        let day = now.beijing_compact();
        Ok(Order {
            reference: key.to_owned(),
            id: format!("{}11{:09}", &day[2..8], book.next_order()),
            subject: body.to_owned(),
            fen: fen(texts)?,
            notify_url: texts.get("notify_url").cloned(),
            ..Order::default()
        })
    }

    /// How the payer gets to an order.
    fn prepaid(&self, order: &Order, now: Timestamp) -> Texts {
        let page = format!("{}/payer/{}", self.base_url, order.reference);
        let seconds = now.secs().to_string();
        let info = match order.kind.as_str() {
            "W02" | "W06" | "W03" => json!({
                "appId": self.sub_appid, "timeStamp": seconds, "nonceStr": order.id, "signType": "RSA",
                "package": format!("prepay_id=wx{}", order.id), "paySign": "c2FuZGJveA==",
            })
            .to_string(),
            "A02" | "A03" | "U03" | "S03" => format!("sandbox{}", order.id),
            _ => page,
        };
        owned(&[
            ("trxid", &order.id),
            ("reqsn", &order.reference),
            ("trxstatus", "0000"),
            ("fintime", &now.beijing_compact()),
            ("payinfo", &info),
        ])
    }

    fn query(book: &Book, number: &str) -> Result<Texts> {
        if let Some((order, refund)) = book.find_refund(number) {
            return Ok(owned(&[
                ("trxid", &refund.id),
                ("reqsn", &refund.reference),
                ("trxcode", &code(order, true)),
                ("trxamt", &refund.fen.to_string()),
                ("trxstatus", "0000"),
                ("fintime", &refund.at.beijing_compact()),
            ]));
        }
        let order = book.get(number).ok_or(NO_TRANSACTION)?;
        let (status, text) = match order.state() {
            State::Paid => ("0000", ""),
            State::Open | State::Paying => ("2008", "交易处理中，请查询交易"),
            State::Closed => ("3045", "订单置关闭"),
            State::Failed => ("3008", "余额不足"),
        };
        let paid = order.paid.map(Timestamp::beijing_compact).unwrap_or_default();
        Ok(owned(&[
            ("trxid", &order.id),
            ("reqsn", &order.reference),
            ("chnltrxid", &format!("4200{}", order.id)),
            ("trxcode", &code(order, false)),
            ("initamt", &order.fen.to_string()),
            ("trxamt", &order.fen.to_string()),
            ("trxstatus", status),
            ("errmsg", text),
            ("fintime", &paid),
        ]))
    }

    fn shut(book: &mut Book, key: &str, now: Timestamp) -> Result {
        let order = book.get(key).ok_or(NO_TRANSACTION)?;
        refuse([(order.direct || order.state() != State::Open, failed("当前状态不允许关闭"))])?;
        book.close(key, now);
        Ok(Some(owned(&[("trxstatus", "0000"), ("errmsg", "交易关闭成功")])))
    }

    fn refund(book: &mut Book, texts: &Texts, now: Timestamp) -> Result {
        let key = text(texts, "oldreqsn")?.to_owned();
        let number = text(texts, "reqsn")?;
        refuse([(number.len() > 32 || book.get(number).is_some(), PARAM)])?;
        let notify_url = book.get(&key).and_then(|order| order.notify_url.clone());
        let refund = Refund {
            reference: number.to_owned(),
            id: format!("{}12{:09}", &now.beijing_compact()[2..8], book.next_refund()),
            fen: fen(texts)?,
            at: now,
            notify_url,
        };
        match book.give_back(&key, refund) {
            Ok(Given::Known(refund)) => Ok(Some(owned(&[
                ("trxid", &refund.id),
                ("reqsn", &refund.reference),
                ("trxstatus", "0000"),
                ("fintime", &refund.at.beijing_compact()),
            ]))),
            Ok(Given::Unknown) => Err(SYSTEM),
            Err(Refused::NoOrder) => Err(NO_TRANSACTION),
            Err(Refused::Unpaid) => Err(failed("原交易未成功")),
            Err(Refused::TooMuch) => Err(failed("退款金额超限")),
            Err(Refused::Used) => Err(REPEATED),
            Err(Refused::Poor) => Err(POOR),
        }
    }
}

fn text<'a>(texts: &'a Texts, name: &str) -> Result<&'a str> {
    texts.get(name).map(String::as_str).filter(|text| !text.is_empty()).ok_or(PARAM)
}

fn fen(texts: &Texts) -> Result<i64> {
    let text = text(texts, "trxamt")?;
    let digits = text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|fen| digits && *fen > 0).ok_or(PARAM)
}

/// What is not empty.
fn owned(pairs: &[(&str, &str)]) -> Texts {
    let present = pairs.iter().filter(|(_, value)| !value.is_empty());
    present.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
