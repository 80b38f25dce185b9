//! Red packets (现金红包): money to a person who opens it within a day, or else it comes back. These are the oldest of the
//! calls: signed with MD5, answered without a signature, so that only the connection protects the answer.

use std::collections::BTreeSet;

use paycore::channel::{
    AccountKind, Context, DeclineReason as Why, Effect, Fault, Outcome, QueryTransfer, Refusal, Reply, Stage,
    Step, Transfer, Verdict,
};
use paycore::currency::Currency;
use paycore::money::Money;

use super::config::Account;
use super::encode::{CONFIRM, FIRST, Fields, post, reference};
use crate::dialect::doubt::{self, Doubt, refusal};
use crate::dialect::reply::{beijing, declined, done, not_sent, same};
use crate::dialect::text::{plain, within};
use crate::dialect::v2::{NO_IP, fen, total};
use crate::dialect::xml::{self, Hash};

/// What one packet may hold without a scene.
const PLAIN: std::ops::RangeInclusive<i64> = 100..=20_000;
/// What `facts` may say besides.
const FACTS: [&str; 2] = ["act_name", "remark"];

pub(super) fn send(account: &Account, transfer: &Transfer, cx: &Context<'_>) -> Result<Step, Refusal> {
    let (billno, openid) = (reference("reference", &transfer.reference)?, &transfer.payee.account);
    if transfer.payee.kind != AccountKind::Open || transfer.payee.name.is_some() {
        return Err(Refusal::Unsupported("red packets other than to an openid, whose name is not checked"));
    }
    let wrong = |param, detail: &str| Err(Refusal::Parameter { param, detail: detail.to_owned() });
    if openid.is_empty() || openid.len() > 32 || !openid.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("payee.account", "must be an openid");
    }
    let Some(sender) = &account.sender else {
        return Err(Refusal::Unsupported("red packets without the setting send_name"));
    };
    let scene = transfer.purpose.as_deref().unwrap_or_default();
    if !scene.is_empty()
        && !scene.strip_prefix("PRODUCT_").is_some_and(|n| matches!(n.as_bytes(), [b'1'..=b'8']))
    {
        return wrong("purpose", "must be one of PRODUCT_1 to PRODUCT_8");
    }
    if scene.is_empty() && !PLAIN.contains(&transfer.money.minor()) {
        return wrong("purpose", "is required below 1 and above 200 yuan, such as PRODUCT_2");
    }
    let named: BTreeSet<&str> = transfer.facts.iter().map(|(name, _)| name.as_str()).collect();
    if named.len() != transfer.facts.len() || !named.iter().all(|name| FACTS.contains(name)) {
        return wrong("facts", "may say act_name and remark, each once");
    }
    let wishing = within(&plain(&transfer.title, 128), 128);
    if wishing.trim().is_empty() {
        return wrong("title", "must not be empty");
    }
    let fact = |name: &str, most| {
        let said = transfer.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let said = said.filter(|text| !text.trim().is_empty());
        within(&plain(said.unwrap_or(&transfer.title), most), most)
    };
    let (total, activity, remark) = (total(transfer.money)?, fact("act_name", 32), fact("remark", 256));
    let mut fields: Fields<'_> = vec![
        ("mch_billno", billno),
        ("wxappid", &account.appid),
        ("send_name", sender),
        ("re_openid", openid),
        ("total_amount", &total),
        ("total_num", "1"),
        ("wishing", &wishing),
        ("client_ip", NO_IP),
        ("act_name", &activity),
        ("remark", &remark),
        ("scene_id", scene),
    ];
    if let Some((mch_id, appid)) = &account.sub {
        fields.extend([("sub_mch_id", mch_id.as_str()), ("msgappid", appid.as_deref().unwrap_or_default())]);
    }
    post(account, "mmpaymkttransfers/sendredpack", fields, (Hash::Md5, FIRST, Effect::Money), cx)
}

/// A query of the packet, as an operation of its own or to settle what became of it.
pub(super) fn ask(account: &Account, of: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
    let fields = vec![
        ("mch_billno", reference("reference", of)?),
        ("appid", account.appid.as_str()),
        ("bill_type", "MCHT"),
    ];
    post(account, "mmpaymkttransfers/gethbinfo", fields, (Hash::Md5, stage, Effect::None), cx)
}

/// What the first reply to a packet leads to. No refusal is believed before a query has found nothing.
pub(super) fn sent(
    account: &Account,
    transfer: &Transfer,
    (reply, stage): (&Reply, Stage),
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let (reference, money) = (&transfer.reference, transfer.money);
    if stage != FIRST {
        let found = told(account, reply, reference, money)?;
        let absent = found.verdict == Verdict::Absent;
        return done(if absent { refusal(DOUBTS, stage) } else { found });
    }
    let fields = read(reply)?;
    if fields.required("result_code")? != "SUCCESS" {
        let code = code(&fields);
        let stage = doubt::stage(DOUBTS, &code).unwrap_or(CONFIRM);
        return ask(account, reference, stage, cx).map_err(not_sent);
    }
    same("mch_billno", fields.field("mch_billno"), reference)?;
    same("mch_id", fields.field("mch_id"), &account.party.mch_id)?;
    same("re_openid", fields.field("re_openid"), &transfer.payee.account)?;
    let said = fen(&fields, "total_amount", Some(money))?;
    let said = said.ok_or_else(|| Fault::Unexpected("no total_amount".into()))?;
    // It lies there until the person opens it.
    done(Outcome::new(Verdict::Pending).channel_id(fields.required("send_listid")?).money(said))
}

/// What a query says.
pub(super) fn asked(account: &Account, query: &QueryTransfer, reply: &Reply) -> Result<Step, Fault> {
    done(told(account, reply, &query.reference, query.money)?)
}

fn told(account: &Account, reply: &Reply, reference: &str, money: Money) -> Result<Outcome, Fault> {
    let fields = read(reply)?;
    if fields.required("result_code")? != "SUCCESS" {
        let (code, text) = (code(&fields), fields.field("err_code_des").unwrap_or("?"));
        let message = text.chars().take(200).collect();
        return if code == "NOTFOUND" {
            Ok(Outcome::new(Verdict::Absent))
        } else {
            Err(Fault::Unknown { code, message })
        };
    }
    same("mch_billno", fields.field("mch_billno"), reference)?;
    same("mch_id", fields.field("mch_id"), &account.party.mch_id)?;
    let said = fen(&fields, "total_amount", Some(money))?;
    let said = said.ok_or_else(|| Fault::Unexpected("no total_amount".into()))?;
    let at = beijing("rcv_time", fields.field("rcv_time"))?;
    let verdict = match fields.required("status")? {
        "RECEIVED" => {
            debug_assert_eq!(said.currency(), Currency::CNY, "fen are CNY");
            // Whoever opened it got all of it.
            fen(&fields, "amount", Some(money))?;
            Verdict::Succeeded
        }
        "SENDING" | "SENT" | "RFUND_ING" => Verdict::Pending,
        "FAILED" => declined(Why::Generic, "FAILED", fields.field("reason").unwrap_or("发放失败")).verdict,
        "REFUND" => declined(Why::Expired, "REFUND", "红包超时未领取，已退回").verdict,
        other => return Err(Fault::Unexpected(format!("the status of a red packet {other:?}"))),
    };
    let at = at.filter(|_| verdict == Verdict::Succeeded);
    Ok(Outcome { money: Some(said), at, ..Outcome::new(verdict).channel_id(fields.required("detail_id")?) })
}

/// The fields of a reply that was understood; those of the person who opened it stand in a list of one.
fn read(reply: &Reply) -> Result<xml::Fields, Fault> {
    if reply.status() != http::StatusCode::OK {
        return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
    }
    let fields = xml::Fields::read_within(reply.body(), &["hblist", "hbinfo"])?;
    if fields.required("return_code")? != "SUCCESS" {
        let message = fields.field("return_msg").unwrap_or("?").chars().take(200).collect();
        return Err(Fault::Unknown { code: "FAIL".into(), message });
    }
    Ok(fields)
}

fn code(fields: &xml::Fields) -> String {
    fields.field("err_code").unwrap_or("?").replace('_', "").chars().take(64).collect()
}

/// Each of these may be said of the repeat of a packet that was sent.
const DOUBTS: &[Doubt] = &[
    ("NOTENOUGH", Why::InsufficientFunds, "商户余额不足"),
    ("NOAUTH", Why::Risk, "此请求可能存在风险，已被微信拦截"),
    ("SENDNUMLIMIT", Why::Limit, "该用户今日领取红包个数超过限制"),
    ("SENDAMOUNTLIMIT", Why::Limit, "商户今日发放金额超过限制"),
    ("RCVDAMOUNTLIMIT", Why::Limit, "该用户今日领取金额超过限制"),
    ("MONEYLIMIT", Why::Limit, "红包金额不在限制范围内"),
    ("FREQLIMIT", Why::Limit, "超过频率限制"),
    ("PARAMERROR", Why::InvalidRequest, "参数错误"),
    ("OPENIDERROR", Why::InvalidRequest, "openid 与 appid 不匹配"),
    ("ILLEGALAPPID", Why::InvalidRequest, "非法的 appid"),
    ("CAERROR", Why::NotPermitted, "商户证书校验失败"),
    ("SENDFAILED", Why::Generic, "红包发放失败"),
];
