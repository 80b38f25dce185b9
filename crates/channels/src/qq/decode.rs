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
use crate::dialect::doubt::{self, Doubt, refusal};
use crate::dialect::reply::{beijing_compact, declined, done, not_sent, same};
use crate::dialect::v2::{
    Answer, KNOWN_ORDER, NO_ORDER, NO_REFUND, PAY_DECLINES, Refused, asked_refund, fen, refund_state,
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
            // What is accepted here is carried out later, or not; the query tells.
            let stage = match account.party.open(reply)? {
                Answer::Done(_) => CONFIRM,
                Answer::Refused(refused) => {
                    doubt::stage(REFUND_DOUBTS, &refused.code()).ok_or_else(|| refused.unknown())?
                }
            };
            ask_refund(account, &refund.reference, stage, cx).map_err(not_sent)
        }
        (Operation::Refund(refund), stage) => match account.party.open(reply)? {
            Answer::Done(fields) => {
                done(refund_state(&fields, &refund.payment.reference, &refund.reference, refund.money)?)
            }
            Answer::Refused(refused) => {
                refused.absent(NO_REFUND)?;
                let accepted = stage == CONFIRM;
                done(if accepted { Outcome::new(Verdict::Pending) } else { refusal(REFUND_DOUBTS, stage) })
            }
        },
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
    let code = refused.code();
    if code == "USERPAYING" {
        return done(Outcome::new(Verdict::Pending));
    }
    let known = KNOWN_ORDER.contains(&code.as_str()).then_some(CONFIRM);
    if let Some(stage) = known.or_else(|| doubt::stage(PAY_DOUBTS, &code)) {
        return ask(account, &pay.reference, stage, cx).map_err(not_sent);
    }
    let Some((_, reason)) = PAY_DECLINES.iter().find(|(known, _)| *known == code) else {
        return Err(refused.unknown());
    };
    let (code, message) = refused.text;
    done(declined(*reason, &code, &message))
}

/// What an order came to, once it is the one that was asked for.
pub(super) fn state(
    fields: &Fields,
    reference: Option<&str>,
    channel_id: Option<&str>,
    money: Option<Money>,
) -> Result<Outcome, Fault> {
    if let Some(reference) = reference {
        same("out_trade_no", fields.field("out_trade_no"), reference)?;
    }
    let id = fields.field("transaction_id");
    if let (Some(said), Some(known)) = (id, channel_id) {
        same("transaction_id", Some(said), known)?;
    }
    if let Some(currency) = fields.field("fee_type") {
        same("fee_type", Some(currency), "CNY")?;
    }
    let said = fen(fields, "total_fee", money)?;
    let verdict = match fields.required("trade_state")? {
        // REFUND only tells that some of the money went back later.
        "SUCCESS" | "REFUND" if id.is_some() && said.is_some() => Verdict::Succeeded,
        "NOTPAY" | "USERPAYING" => Verdict::Pending,
        "CLOSED" | "REVOKED" => Verdict::Closed,
        "PAYERROR" => failed(fields.field("trade_state_desc").unwrap_or_default()),
        other => return Err(Fault::Unexpected(format!("trade_state {other:?}"))),
    };
    let at = beijing_compact("time_end", fields.field("time_end"))?;
    let outcome = Outcome { channel_id: id.map(str::to_owned), ..Outcome::new(verdict) };
    Ok(Outcome { money: said, at, ..outcome })
}

/// Barcode payments fail for good; why stands in the description only.
fn failed(description: &str) -> Verdict {
    let reason = if description.contains("余额不足") { Why::InsufficientFunds } else { Why::Generic };
    declined(reason, "PAYERROR", description).verdict
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
