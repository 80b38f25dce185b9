//! Replies as outcomes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use paycore::channel::{
    Action, Close, Context, DeclineReason as Why, Fault, Operation, Outcome, Pay, Reply, Stage, Step, Verdict,
};
use paycore::money::Money;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::config::Account;
use super::encode::{CLOSING, CONFIRM, FIRST, REVERSING, ask, ask_refund, close, reverse};
use crate::dialect::doubt::{Doubt, refusal};
use crate::dialect::reply::{done, not_sent, same};
use crate::dialect::v2::{
    self, Answer, KNOWN_ORDER, Left, NO_ORDER, Refused, about, asked_refund, failed, whole,
};
use crate::dialect::xml::Fields;

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let found = |reference: &str, id: Option<&str>, money| match account.party.open(reply)? {
        Answer::Done(fields) => state(&fields, Some(reference), id, Some(money)),
        Answer::Refused(refused) => refused.absent(NO_ORDER),
    };
    match (operation, stage) {
        (Operation::Pay(pay), FIRST) => match account.party.open(reply)? {
            Answer::Done(fields) if pay.method.scene() == "barcode" => {
                done(state(&fields, Some(&pay.reference), None, Some(pay.money))?)
            }
            Answer::Done(fields) => {
                let action = action(account, &fields, pay, cx)?;
                done(Outcome::new(Verdict::Awaiting(action)))
            }
            Answer::Refused(refused) => not_taken(account, refused, pay, cx),
        },
        (Operation::Pay(pay), stage) => {
            let found = found(&pay.reference, None, pay.money)?;
            done(if found.verdict == Verdict::Absent { refusal(PAY_DOUBTS, stage) } else { found })
        }
        (Operation::Query(query), _) => {
            let payment = &query.payment;
            done(found(&payment.reference, payment.channel_id.as_deref(), payment.money)?)
        }
        (Operation::Close(close), FIRST) => closable(account, account.party.open(reply)?, close, cx),
        (Operation::Close(close), CLOSING | REVERSING) => {
            closed(account, account.party.open(reply)?, stage, close, cx)
        }
        (Operation::Close(close), _) => {
            let payment = &close.payment;
            done(found(&payment.reference, payment.channel_id.as_deref(), payment.money)?)
        }
        (Operation::Refund(refund), FIRST) => {
            let stage = v2::refund_query(account.party.open(reply)?, REFUND_DOUBTS, CONFIRM)?;
            ask_refund(account, &refund.reference, stage, cx).map_err(not_sent)
        }
        (Operation::Refund(refund), stage) => {
            v2::refund_settled(account.party.open(reply)?, refund, REFUND_DOUBTS, (stage, CONFIRM))
        }
        (Operation::QueryRefund(query), _) => asked_refund(account.party.open(reply)?, query),
        (Operation::Statement(_), _) => account.party.bill(reply),
        _ => Err(Fault::Unsupported),
    }
}

/// Each of these may be said of the repeat of a request that was carried out, with a barcode that the first one has
/// used up.
const PAY_DOUBTS: &[Doubt] = &[
    ("AUTHCODEEXPIRE", Why::Expired, "付款码已过期"),
    ("AUTHCODEERROR", Why::InvalidRequest, "付款码错误"),
    ("AUTHCODEINVALID", Why::InvalidRequest, "付款码无效"),
    ("INVALIDREQUEST", Why::InvalidRequest, "无效请求"),
];

const REFUND_DOUBTS: &[Doubt] = &[
    ("NOTENOUGH", Why::InsufficientFunds, "余额不足"),
    ("PARAMERROR", Why::InvalidRequest, "参数错误"),
    ("INVALIDREQUEST", Why::InvalidRequest, "无效请求"),
    ("ORDERNOTEXIST", Why::InvalidRequest, "订单不存在"),
    ("REFUNDFEEINVALID", Why::InvalidRequest, "退款金额大于可退金额"),
    ("NOAUTH", Why::NotPermitted, "没有退款权限"),
    ("OPUSERPASSWDERROR", Why::NotPermitted, "操作员密码错误"),
];

/// How the payer gets to an order.
fn action(account: &Account, fields: &Fields, pay: &Pay, cx: &Context<'_>) -> Result<Action, Fault> {
    let part = |name: &str| {
        let text = fields.required(name)?;
        let fits = text.len() <= 512 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(text.to_owned()) } else { Err(Fault::Unexpected(format!("{name} {text:?}"))) }
    };
    let (appid, mch_id) = (account.party.appid.clone().unwrap_or_default(), account.party.mch_id.clone());
    let parameters = match pay.method.scene() {
        "qr" => return Ok(Action::Qr { content: part("code_url")? }),
        "jsapi" => {
            let info = format!("appid#{appid}|bargainor_id#{mch_id}|channel#wallet");
            named([("tokenId", part("prepay_id")?), ("appInfo", info)])
        }
        "mini" => named([("package", format!("prepay_id={}", part("prepay_id")?)), ("bargainor_id", mch_id)]),
        _ => return app(account, appid, part("prepay_id")?, cx),
    };
    Ok(Action::Client { parameters })
}

/// What an app hands to QQ, with a signature by the key of the app. Of these only five are signed.
fn app(account: &Account, appid: String, token: String, cx: &Context<'_>) -> Result<Action, Fault> {
    let unsigned = || Fault::Unexpected("the app's parameters cannot be signed".into());
    let timestamp = cx.now.secs().to_string();
    // Of the order and the instant, so that the same reply always means the same.
    let digest = Sha256::digest(format!("{token}\n{timestamp}"));
    let nonce: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let mch_id = &account.party.mch_id;
    let text = format!("appId={appid}&bargainorId={mch_id}&nonce={nonce}&pubAcc=&tokenId={token}");
    let key = format!("{}&", account.app_key.as_ref().ok_or_else(unsigned)?.expose());
    let mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).map_err(|_| unsigned())?;
    let sign = STANDARD.encode(mac.chain_update(text.as_bytes()).finalize().into_bytes());
    let parameters = named([
        ("appId", appid),
        ("bargainorId", mch_id.clone()),
        ("tokenId", token),
        ("nonce", nonce),
        ("pubAcc", String::new()),
        ("timeStamp", timestamp),
        ("sigType", "HMAC-SHA1".to_owned()),
        ("sig", sign),
    ]);
    Ok(Action::Client { parameters })
}

fn named<const N: usize>(parameters: [(&str, String); N]) -> Vec<(String, String)> {
    parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An order that was not created, or a barcode that was not charged (yet).
fn not_taken(account: &Account, refused: Refused, pay: &Pay, cx: &Context<'_>) -> Result<Step, Fault> {
    match v2::not_taken(refused, PAY_DOUBTS, CONFIRM)? {
        Left::Outcome(outcome) => done(outcome),
        Left::Query(stage) => ask(account, &pay.reference, stage, cx).map_err(not_sent),
    }
}

/// What an order came to, once it is the one that was asked for.
pub(super) fn state(
    fields: &Fields,
    reference: Option<&str>,
    channel_id: Option<&str>,
    money: Option<Money>,
) -> Result<Outcome, Fault> {
    let outcome = about(fields, reference, channel_id, money)?;
    let verdict = match fields.required("trade_state")? {
        // REFUND only tells that some of the money went back later.
        "SUCCESS" | "REFUND" if whole(&outcome) => Verdict::Succeeded,
        "NOTPAY" | "USERPAYING" => Verdict::Pending,
        "CLOSED" | "REVOKED" => Verdict::Closed,
        "PAYERROR" => failed(fields),
        other => return Err(Fault::Unexpected(format!("trade_state {other:?}"))),
    };
    Ok(Outcome { verdict, ..outcome })
}

/// Closes what the query has shown to be open.
fn closable(account: &Account, answer: Answer, what: &Close, cx: &Context<'_>) -> Result<Step, Fault> {
    let payment = &what.payment;
    let fields = match answer {
        Answer::Done(fields) => fields,
        Answer::Refused(refused) => return done(refused.absent(NO_ORDER)?),
    };
    let (id, reference) = (payment.channel_id.as_deref(), payment.reference.as_str());
    let outcome = state(&fields, Some(reference), id, Some(payment.money))?;
    if matches!(outcome.verdict, Verdict::Succeeded | Verdict::Closed) {
        return done(outcome);
    }
    let barcode = payment.method.scene() == "barcode" || fields.field("trade_type") == Some("MICROPAY");
    let next = if barcode { reverse } else { close };
    next(account, reference, cx).map_err(not_sent)
}

fn closed(
    account: &Account,
    answer: Answer,
    stage: Stage,
    what: &Close,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let reference = &what.payment.reference;
    let refused = match answer {
        // The reply to a close does not name the order; a reversal says besides whether to try again.
        Answer::Done(_) if stage == CLOSING => return done(Outcome::new(Verdict::Closed)),
        Answer::Done(fields) => match fields.field("recall") {
            None | Some("N") => {
                same("out_trade_no", fields.field("out_trade_no"), reference)?;
                return done(Outcome::new(Verdict::Closed));
            }
            other => return Err(Fault::Unexpected(format!("recall {other:?}"))),
        },
        Answer::Refused(refused) => refused,
    };
    // Paid, being paid or closed in between.
    if refused.code() == "USERPAYING" || KNOWN_ORDER.contains(&refused.code().as_str()) {
        return ask(account, reference, CONFIRM, cx).map_err(not_sent);
    }
    Err(refused.unknown())
}
