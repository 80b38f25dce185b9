//! WeChat Pay's side of v2: how it checks what the merchant signed and signs what it answers, refunds and the daily bill.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response};
use md5::{Digest as _, Md5};
use paycore::time::Timestamp;
use sha2::Sha256;

use super::trade_bill::{self, Owner, Row};
use super::xml::{Fields, fields, read, write};
use super::{Book, Given, Order, Refund, Refused, respond};

/// Why a request is not carried out: code and text.
pub(crate) struct Error(pub(crate) &'static str, pub(crate) &'static str);

/// What a request came to: the fields of the answer, or nothing when it was carried out and nobody shall hear of it.
pub(crate) type Result<T = Option<Fields>> = std::result::Result<T, Error>;

pub(crate) const PARAM: Error = Error("PARAM_ERROR", "参数错误");
pub(crate) const SYSTEM: Error = Error("SYSTEMERROR", "系统错误");

pub(crate) const NO_ORDER: Error = Error("ORDERNOTEXIST", "订单不存在");
pub(crate) const NO_REFUND: Error = Error("REFUNDNOTEXIST", "退款不存在");
pub(crate) const POOR: Error = Error("NOTENOUGH", "余额不足");
const SECONDS_OF_DAY: u64 = 86_400;

/// The first refusal whose condition holds.
pub(crate) fn refuse<const N: usize>(checks: [(bool, Error); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, error)| Err(error))
}

/// The fields of a request.
pub(crate) struct Content(pub(crate) Fields);

impl Content {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or(PARAM)
    }

    /// By what it is signed: HMAC-SHA256 where it says so, else MD5.
    pub(crate) fn hmac(&self) -> bool {
        self.text("sign_type") == Some("HMAC-SHA256")
    }

    /// A positive number of fen.
    pub(crate) fn fen(&self, name: &str) -> Result<i64> {
        let fen = self.required(name)?.parse().ok();
        fen.filter(|fen| (1..=i64::from(i32::MAX)).contains(fen)).ok_or(PARAM)
    }
}

/// What the platform knows of one merchant.
#[derive(Debug, Clone)]
pub(crate) struct Merchant {
    pub(crate) mch_id: String,
    pub(crate) appid: String,
    pub(crate) key: String,
    /// The merchant that ours acts for, and its app, when ours is a service provider.
    pub(crate) sub: Option<(String, Option<String>)>,
}

impl Merchant {
    /// The fields of a request that carries this merchant's signature.
    pub(crate) fn authentic(&self, request: &Request<Bytes>) -> Option<Content> {
        let body = std::str::from_utf8(request.body()).ok().filter(|_| request.method() == Method::POST)?;
        let fields = read(body)?;
        let content = Content(fields);
        (content.0.get("sign")? == &self.sign(&content.0, content.hmac())).then_some(content)
    }

    /// The signature of all fields but itself.
    pub(crate) fn sign(&self, fields: &Fields, hmac: bool) -> String {
        let signed = fields.iter().filter(|(name, value)| *name != "sign" && !value.is_empty());
        let pairs: String = signed.map(|(name, value)| format!("{name}={value}&")).collect();
        let text = format!("{pairs}key={}", self.key);
        if !hmac {
            return hex(&Md5::digest(text));
        }
        let mac = Hmac::<Sha256>::new_from_slice(self.key.as_bytes()).map(|mac| mac.chain_update(text));
        mac.map(|mac| hex(&mac.finalize().into_bytes())).unwrap_or_default()
    }

    /// A signed answer with the merchant's numbers, by HMAC-SHA256 where the request was.
    pub(crate) fn signed(&self, mut said: Fields, hmac: bool, now: Timestamp) -> Response<Bytes> {
        said.extend(fields([("mch_id", &self.mch_id), ("appid", &self.appid)]));
        if let Some((mch_id, _)) = &self.sub {
            said.insert("sub_mch_id".into(), mch_id.clone());
        }
        said.insert("nonce_str".into(), format!("{:032x}", now.micros()));
        said.insert("sign".into(), self.sign(&said, hmac));
        plain(&said)
    }

    /// Whether a request names this merchant, and the one it acts for, and is one of a kind.
    pub(crate) fn ours(&self, content: &Content, appid: &str) -> Result<()> {
        self.named(content, appid)?;
        refuse([(content.text("nonce_str").is_none_or(|nonce| nonce.len() > 32), PARAM)])
    }

    /// Whether a request names this merchant, and the one it acts for.
    pub(crate) fn named(&self, content: &Content, appid: &str) -> Result<()> {
        let sub = self.sub.as_ref().map(|(mch_id, _)| mch_id.as_str());
        refuse([
            (content.text("mch_id") != Some(&self.mch_id), Error("MCHID_NOT_EXIST", "商户号不存在")),
            (content.text(appid) != Some(&self.appid), Error("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")),
            (content.text("sub_mch_id") != sub, Error("NO_AUTH", "没有权限")),
        ])
    }
}

/// An answer without a signature.
pub(crate) fn plain(said: &Fields) -> Response<Bytes> {
    respond(200, (CONTENT_TYPE, "text/xml; charset=utf-8"), write(said))
}

/// The answer to somebody who has not proved to be the merchant.
pub(crate) fn stranger() -> Response<Bytes> {
    plain(&fields([("return_code", "FAIL"), ("return_msg", "签名错误")]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

impl Merchant {
    /// The bill of the day that a request names.
    pub(crate) fn bill_of(&self, book: &Book, content: &Content) -> Result<String> {
        self.ours(content, "appid")?;
        refuse([(content.text("bill_type").is_some_and(|kind| kind != "ALL"), PARAM)])?;
        let day = Timestamp::parse_beijing_compact(&format!("{}000000", content.required("bill_date")?));
        let day = day.map_err(|_| Error("20007", "bill not exist"))?;
        Ok(self.bill(book, day, day.plus(std::time::Duration::from_secs(SECONDS_OF_DAY))))
    }

    /// The bill of trades.
    pub(crate) fn bill(&self, book: &Book, from: Timestamp, until: Timestamp) -> String {
        let rows = book.orders().flat_map(|order| {
            let paid = order.paid.map(|at| row(order, at, None));
            paid.into_iter().chain(order.refunds.iter().map(move |given| row(order, given.at, Some(given))))
        });
        let sub = self.sub.as_ref().map(|(sub, _)| sub.as_str());
        let owner = Owner { appid: &self.appid, mchid: &self.mch_id, sub };
        trade_bill::bill(&owner, rows.filter(|row| from <= row.at && row.at < until))
    }
}

fn row<'a>(order: &'a Order, at: Timestamp, refund: Option<&'a Refund>) -> Row<'a> {
    Row {
        at,
        transaction_id: &order.id,
        out_trade_no: &order.reference,
        trade_type: &order.kind,
        description: &order.subject,
        refund: refund.map(|given| (given.id.as_str(), given.reference.as_str())),
        fen: refund.map_or(order.fen, |given| given.fen),
        // 0.6 % of a payment, to the fen; kept on refunds.
        fee: if refund.is_some() { 0 } else { (order.fen * 6 + 500) / 1_000 },
    }
}

/// By the platform's number first, then by the merchant's.
pub(crate) fn find<'b>(book: &'b Book, content: &Content) -> Result<&'b Order> {
    let by_id = content.text("transaction_id").and_then(|id| book.find_id(id));
    by_id.or_else(|| book.get(content.text("out_trade_no")?)).ok_or(NO_ORDER)
}

/// Gives money back.
pub(crate) fn refund(book: &mut Book, content: &Content, now: Timestamp) -> Result {
    let order = find(book, content)?;
    let (key, number) = (order.reference.clone(), content.required("out_refund_no")?);
    refuse([(content.fen("total_fee")? != order.fen || number.len() > 64, PARAM)])?;
    let refund = Refund {
        reference: number.to_owned(),
        id: format!("50000018{}{:012}", &now.beijing_compact()[..8], book.next_refund()),
        fen: content.fen("refund_fee")?,
        at: now,
        notify_url: None,
    };
    match book.give_back(&key, refund) {
        Ok(Given::Known(refund)) => Ok(Some(given(book.get(&key).ok_or(NO_ORDER)?, &refund, ""))),
        Ok(Given::Unknown) => Err(SYSTEM),
        Err(Refused::NoOrder) => Err(NO_ORDER),
        Err(Refused::Unpaid) => Err(Error("INVALID_REQUEST", "订单未支付")),
        Err(Refused::TooMuch) => Err(Error("INVALID_REQUEST", "退款金额大于可退金额")),
        Err(Refused::Used) => Err(Error("INVALID_REQUEST", "退款单号已被使用，参数不一致")),
        Err(Refused::Poor) => Err(POOR),
    }
}

/// What became of a refund.
pub(crate) fn refunded(book: &Book, content: &Content) -> Result {
    let number = content.required("out_refund_no")?;
    let (order, refund) = book.find_refund(number).ok_or(NO_REFUND)?;
    let mut said = given(order, refund, "_0");
    said.extend(fields([("refund_count", "1"), ("refund_status_0", "SUCCESS")]));
    Ok(Some(said))
}

/// A refund, its fields with a number behind them in queries.
fn given(order: &Order, refund: &Refund, row: &str) -> Fields {
    let (total, back) = (order.fen.to_string(), refund.fen.to_string());
    let mut said = fields([
        ("out_trade_no", &order.reference),
        ("transaction_id", &order.id),
        ("total_fee", &total),
        ("cash_fee", &total),
    ]);
    for (name, value) in
        [("out_refund_no", &refund.reference), ("refund_id", &refund.id), ("refund_fee", &back)]
    {
        said.insert(format!("{name}{row}"), value.clone());
    }
    said
}
