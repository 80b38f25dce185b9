//! What moves money and may be refused. A refusal is believed only when a query finds nothing: it may be said of the
//! repeat of a request that was carried out.

use paycore::channel::{
    Context, Decline, DeclineReason as Why, Fault, Outcome, Refusal, Reply, Stage, Step, Verdict,
};
use paycore::money::Money;
use serde::de::DeserializeOwned;

use super::{Answer, Merchant, Refused};

/// The first call of an operation.
pub(crate) const FIRST: Stage = 0;
/// A query that settles a refusal: one stage for each row of the table of refusals, beginning here.
const REFUSED: Stage = 16;

/// A refusal that is believed only when a query finds nothing: its code, and what it then means.
pub(crate) type Doubt = (&'static str, Why, &'static str);

/// What refunds, shares and transfers are refused with.
const FUND_DOUBTS: &[Doubt] = &[
    ("NOTENOUGH", Why::InsufficientFunds, "余额不足"),
    ("INVALIDREQUEST", Why::InvalidRequest, "请求不符合规则"),
    ("PARAMERROR", Why::InvalidRequest, "参数错误"),
    ("RESOURCENOTEXISTS", Why::InvalidRequest, "订单不存在"),
    ("ORDERNOTEXIST", Why::InvalidRequest, "订单不存在"),
    ("USERACCOUNTABNORMAL", Why::Generic, "用户账户异常或注销"),
    ("NOAUTH", Why::NotPermitted, "没有权限"),
    ("MCHNOTEXISTS", Why::NotPermitted, "商户号不存在"),
    ("RULELIMIT", Why::Limit, "业务规则限制"),
    ("OPENIDMISMATCH", Why::InvalidRequest, "OpenID与AppID不匹配"),
];

/// The stage at which a query settles this refusal.
pub(crate) fn doubt(doubts: &[Doubt], refused: &Refused) -> Option<Stage> {
    let code = refused.code();
    let found = (REFUSED..).zip(doubts).find(|(_, (known, ..))| *known == code);
    found.map(|(stage, _)| stage)
}

/// The refusal behind a stage; the query that found nothing does not carry its text.
pub(crate) fn refusal(doubts: &[Doubt], stage: Stage) -> Outcome {
    let row = stage.checked_sub(REFUSED).and_then(|row| doubts.get(usize::from(row)));
    let absent = Outcome::new(Verdict::Absent);
    row.map_or(absent, |&(code, reason, message)| declined(reason, code, message))
}

/// The reply to something that moves money, or, at the later stages, to the query that settles its refusal.
/// `unknown` are the codes that say that there is no such thing.
pub(crate) fn carried<T: DeserializeOwned>(
    merchant: &Merchant,
    (reply, stage): (&Reply, Stage),
    unknown: &[&str],
    cx: &Context<'_>,
    ask: impl FnOnce(Stage) -> Result<Step, Refusal>,
    read: impl FnOnce(&T) -> Result<Outcome, Fault>,
) -> Result<Step, Fault> {
    match merchant.identity.answer::<T>(reply, cx)? {
        Answer::Done(said) => done(read(&said)?),
        Answer::Refused(refused) if stage < REFUSED => {
            let stage = doubt(FUND_DOUBTS, &refused).ok_or_else(|| refused.unknown())?;
            ask(stage).map_err(not_sent)
        }
        Answer::Refused(refused) => {
            absent(refused, unknown).map(|_| refusal(FUND_DOUBTS, stage)).and_then(done)
        }
    }
}

/// Codes that say that there is no such order.
pub(crate) const NO_ORDER: &[&str] = &["ORDERNOTEXIST", "RESOURCENOTEXISTS"];

/// What a query says that found nothing.
pub(crate) fn absent(refused: Refused, codes: &[&str]) -> Result<Outcome, Fault> {
    if codes.contains(&refused.code().as_str()) {
        Ok(Outcome::new(Verdict::Absent))
    } else {
        Err(refused.unknown())
    }
}

/// A definite no.
pub(crate) fn declined(reason: Why, code: &str, message: &str) -> Outcome {
    let (code, message) = (code.to_owned(), message.to_owned());
    Outcome::new(Verdict::Declined(Decline { reason, code, message }))
}

/// The end of an operation.
pub(crate) fn done(outcome: Outcome) -> Result<Step, Fault> {
    Ok(Step::Done(outcome))
}

/// The next call could not even be written.
pub(crate) fn not_sent(refusal: Refusal) -> Fault {
    Fault::Unexpected(format!("the next call: {refusal}"))
}

/// The amount that was said, if any, has to be ours, if that is known.
pub(crate) fn ours(what: &str, said: Option<Money>, ours: Option<Money>) -> Result<(), Fault> {
    match (said, ours) {
        (Some(said), Some(ours)) if said != ours => {
            Err(Fault::Unacceptable(format!("the {what} is {said}, not {ours}")))
        }
        _ => Ok(()),
    }
}
