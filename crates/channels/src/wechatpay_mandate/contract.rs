//! Contracts: what the payer is handed to sign, the calls that ask about one and end one, and what they say.

use std::time::Duration;

use paycore::channel::{
    Action, Call, Context, DeclineReason as Why, Effect, Fault, Outcome, Refusal, Reply, RevokeMandate,
    SignMandate, SigningScene, Stage, Step, Verdict,
};
use paycore::time::Timestamp;
use sha2::{Digest as _, Sha256};

use super::config::Account;
use super::encode::{CONFIRM, FIRST, Fields as Sent, reference};
use crate::dialect::reply::{beijing, declined, done, not_sent, same};
use crate::dialect::text::{address, plain, within, word};
use crate::dialect::v2::{self, Answer, PAY_DECLINES};
use crate::dialect::xml::{Fields, Hash, signature, signed};

/// The kind of page that an app opens to have a contract signed, in WeChat's own numbering.
const ENTRUST_PAGE: &str = "12";

/// What the payer signs: an address for browsers, parameters for a mini program, or a number for an app, which the
/// provider is asked for first.
pub(super) fn sign(account: &Account, sign: &SignMandate, cx: &Context<'_>) -> Result<Step, Refusal> {
    if !sign.method.is("wechatpay", "mandate") {
        return Err(Refusal::Unsupported("this method"));
    }
    let code = reference("reference", &sign.reference)?;
    let shown = within(&plain(&sign.subject, 32), 32);
    if shown.trim().is_empty() {
        return Err(Refusal::Parameter { param: "subject", detail: "must not be empty".into() });
    }
    let (serial, at) = (serial(code), sign.started_at.secs().to_string());
    let mut fields: Sent<'_> = vec![
        ("appid", &account.appid),
        ("mch_id", &account.party.mch_id),
        ("plan_id", &account.plan_id),
        ("contract_code", code),
        ("request_serial", &serial),
        ("contract_display_account", &shown),
        ("notify_url", address("notify_url", cx.notify_url, &[])?),
        ("timestamp", &at),
    ];
    match sign.scene {
        SigningScene::Jsapi => {
            // Back to the page that led here.
            let back = sign.return_url.as_ref().map_or("", |_| "1");
            fields.extend([("version", "1.0"), ("return_web", back)]);
            redirect(account, "entrustweb", &fields, Hash::Md5)
        }
        SigningScene::H5 => {
            let detail = || "is needed to sign in a browser outside WeChat".to_owned();
            let ip = sign.payer.ip.as_deref();
            let ip = ip.ok_or_else(|| Refusal::Parameter { param: "payer.ip", detail: detail() })?;
            fields.extend([("version", "1.0"), ("clientip", ip)]);
            redirect(account, "h5entrustweb", &fields, Hash::HmacSha256)
        }
        SigningScene::App => {
            fields.extend([("version", "1.0"), ("return_app", "Y"), ("sign_type", "MD5")]);
            call(account, "papay/preentrustweb", &fields, FIRST)
        }
        SigningScene::Mini => {
            let mut parameters = owned(&fields);
            parameters.push(("sign".into(), signature(&fields, Hash::Md5, &account.party.key)));
            awaiting(Action::Client { parameters })
        }
        _ => Err(Refusal::Unsupported("this place to sign")),
    }
}

/// The provider wants a number for every request to sign that no other has; it is made of the reference, so that the
/// same contract always has the same, and fits into what JavaScript counts with.
fn serial(reference: &str) -> String {
    let digest = Sha256::digest(reference);
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    ((number >> 12) + 1).to_string()
}

fn owned(fields: &[(&'static str, &str)]) -> Vec<(String, String)> {
    let filled = fields.iter().filter(|(_, value)| !value.is_empty());
    filled.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn awaiting(action: Action) -> Result<Step, Refusal> {
    Ok(Step::Done(Outcome::new(Verdict::Awaiting(action))))
}

/// A page of the provider; nothing is asked for until the payer's browser opens it.
fn redirect(
    account: &Account,
    page: &str,
    fields: &[(&'static str, &str)],
    hash: Hash,
) -> Result<Step, Refusal> {
    let mut pairs = owned(fields);
    pairs.sort_unstable();
    pairs.push(("sign".into(), signature(fields, hash, &account.party.key)));
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    awaiting(Action::Redirect { url: format!("{}/papay/{page}?{query}", account.gateway) })
}

/// A question about a contract, as an operation of its own or to settle a revocation.
pub(super) fn ask(
    account: &Account,
    (code, id): (&str, Option<&str>),
    stage: Stage,
) -> Result<Step, Refusal> {
    call(account, "papay/querycontract", &about(account, code, id)?, stage)
}

pub(super) fn end(account: &Account, revoke: &RevokeMandate) -> Result<Step, Refusal> {
    let mut fields = about(account, &revoke.reference, revoke.channel_id.as_deref())?;
    let remark = within(&plain(&revoke.reason, 127), 256);
    let remark = Some(remark.trim()).filter(|remark| !remark.is_empty()).unwrap_or("商户解约");
    fields.push(("contract_termination_remark", remark));
    call(account, "papay/deletecontract", &fields, FIRST)
}

/// By the provider's number where we know it, else by ours.
fn about<'a>(account: &'a Account, code: &'a str, id: Option<&'a str>) -> Result<Sent<'a>, Refusal> {
    let code = reference("reference", code)?;
    let mut fields: Sent<'_> =
        vec![("appid", &account.appid), ("mch_id", &account.party.mch_id), ("version", "1.0")];
    match id {
        Some(id) => {
            word("channel_id", id, 64, "_-")?;
            fields.push(("contract_id", id));
        }
        None => fields.extend([("plan_id", account.plan_id.as_str()), ("contract_code", code)]),
    }
    Ok(fields)
}

/// Calls about contracts have no nonce, and none of them moves money.
fn call(
    account: &Account,
    path: &str,
    fields: &[(&'static str, &str)],
    stage: Stage,
) -> Result<Step, Refusal> {
    let url = format!("{}/{path}", account.gateway);
    let request = v2::post(url, signed(fields, account.party.hash, &account.party.key)?)?;
    let timeout = Duration::from_secs(10);
    Ok(Step::send(Call { stage, request, timeout, effect: Effect::None, identity: None }))
}

/// The number that an app opens the page with.
pub(super) fn prepared(account: &Account, reply: &Reply) -> Result<Step, Fault> {
    let refused = match account.party.open(reply)? {
        Answer::Done(fields) => {
            let query = fields.required("pre_entrustweb_id")?.to_owned();
            let parameters = vec![
                ("businessType".to_owned(), ENTRUST_PAGE.to_owned()),
                ("pre_entrustweb_id".to_owned(), query),
            ];
            return done(Outcome::new(Verdict::Awaiting(Action::Client { parameters })));
        }
        Answer::Refused(refused) => refused,
    };
    let Some((_, reason)) = PAY_DECLINES.iter().find(|(known, _)| *known == refused.code()) else {
        return Err(refused.unknown());
    };
    let (code, message) = refused.text;
    done(declined(*reason, &code, &message))
}

/// Codes that say that there is no such contract.
const NO_CONTRACT: &[&str] = &["CONTRACTNOTEXIST", "CONTRACTNOTEXISTED"];

/// What a query says of a contract.
pub(super) fn found(
    account: &Account,
    reply: &Reply,
    (code, id): (&str, Option<&str>),
) -> Result<Outcome, Fault> {
    let fields = match account.party.open(reply)? {
        Answer::Done(fields) => fields,
        Answer::Refused(refused) => return refused.absent(NO_CONTRACT),
    };
    let said = ours(account, &fields, (code, id))?;
    let verdict = match fields.required("contract_state")? {
        "0" if said.is_some() => Verdict::Succeeded,
        // Being signed.
        "9" => Verdict::Pending,
        "1" => ended(&fields),
        other => return Err(Fault::Unexpected(format!("contract_state {other:?}"))),
    };
    let at = instant("contract_signed_time", fields.field("contract_signed_time"))?;
    Ok(Outcome { channel_id: said, at, ..Outcome::new(verdict) })
}

/// What a revocation came to. One that was refused is not believed: the contract itself is asked.
pub(super) fn revoked(
    account: &Account,
    (revoke, stage): (&RevokeMandate, Stage),
    reply: &Reply,
) -> Result<Step, Fault> {
    let named = (revoke.reference.as_str(), revoke.channel_id.as_deref());
    if stage == CONFIRM {
        return done(found(account, reply, named)?);
    }
    match account.party.open(reply)? {
        Answer::Done(fields) => {
            let said = ours(account, &fields, named)?;
            done(Outcome { channel_id: said, ..Outcome::new(Verdict::Closed) })
        }
        Answer::Refused(refused) if NO_CONTRACT.contains(&refused.code().as_str()) => {
            done(Outcome::new(Verdict::Absent))
        }
        Answer::Refused(_) => ask(account, named, CONFIRM).map_err(not_sent),
    }
}

/// Whether fields are about this contract; its number, if they say it.
pub(super) fn ours(
    account: &Account,
    fields: &Fields,
    (code, id): (&str, Option<&str>),
) -> Result<Option<String>, Fault> {
    same("contract_code", fields.field("contract_code"), code)?;
    same("plan_id", fields.field("plan_id"), &account.plan_id)?;
    let said = fields.field("contract_id");
    if let (Some(said), Some(known)) = (said, id) {
        same("contract_id", Some(said), known)?;
    }
    Ok(said.map(str::to_owned))
}

/// How a contract ended; one that has no way of ending was not signed yet.
pub(super) fn ended(fields: &Fields) -> Verdict {
    let (reason, text) = match fields.field("contract_termination_mode") {
        None | Some("0") => return Verdict::Pending,
        Some("1") => (Why::Expired, "有效期已过"),
        Some("2") => (Why::Cancelled, "用户解约"),
        Some("3") => (Why::Cancelled, "商户接口解约"),
        Some("4") => (Why::Cancelled, "商户平台解约"),
        Some("5") => (Why::Generic, "用户注销"),
        Some(_) => (Why::Generic, "已解约"),
    };
    let mode = fields.field("contract_termination_mode").unwrap_or_default();
    declined(reason, mode, text).verdict
}

/// An instant: published descriptions write Beijing time, published examples seconds.
pub(super) fn instant(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Fault> {
    let text = text.filter(|text| *text != "0");
    let seconds = text.filter(|text| (9..=11).contains(&text.len())).and_then(|text| text.parse().ok());
    match seconds {
        Some(seconds) => Ok(Some(Timestamp::from_secs(seconds))),
        None => beijing(name, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paycore::secret::Secret;

    /// Addresses that another implementation signed, with the key of the provider's published example.
    #[test]
    fn addresses_are_signed_as_another_implementation_signs_them() {
        let key = Secret::new("192006250b4c09247ec02edce69f6a2d");
        let mut fields = vec![
            ("appid", "wx2421b1c4370ec43b"),
            ("contract_code", "122"),
            ("contract_display_account", "name1"),
            ("mch_id", "10000100"),
            ("notify_url", "www.qq.com/test/papay"),
            ("plan_id", "106"),
            ("request_serial", "123"),
            ("timestamp", "1414488825"),
            ("version", "1.0"),
        ];
        assert_eq!(signature(&fields, Hash::Md5, &key), "EB82C3E01B0DB4639921AE07F5A1E68F");
        fields.extend([("clientip", "12.1.1.12"), ("return_appid", "wxcbda96de0b165542")]);
        assert_eq!(
            signature(&fields, Hash::HmacSha256, &key),
            "211AFAFF9BF4DE757BD281F3BEF39D06EC8BB710B1E2A07A3614CD63CEE08FCF"
        );
    }

    #[test]
    fn a_contract_has_one_serial_and_another_contract_another() {
        let (one, other) = (serial("01kayb4h7pz8y3v5n2q6m9t4wx"), serial("01kayb4h7pz8y3v5n2q6m9t4wy"));
        assert_eq!(one, serial("01kayb4h7pz8y3v5n2q6m9t4wx"));
        assert!(one != other && one.parse::<u64>().is_ok_and(|number| number <= 1 << 52), "{one} {other}");
    }

    #[test]
    fn instants_are_read_in_both_ways() {
        let at = Timestamp::from_secs(1_438_141_845);
        let read = |text: &str| instant("x", Some(text)).unwrap_or_default();
        assert_eq!(read("1438141845"), Some(at));
        assert_eq!(read(&at.beijing()[..19]), Some(at));
        assert_eq!(read("0"), None);
        assert!(instant("x", Some("soon")).is_err());
    }
}
