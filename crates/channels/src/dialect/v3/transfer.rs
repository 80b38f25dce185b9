//! Paying out of the balance to a person (商家转账), who has to confirm it in the wallet.

use paycore::channel::{
    AccountKind, Action, Context, DeclineReason as Why, Effect, Fault, Outcome, Refusal, Stage, Step,
    Transfer, Verdict,
};
use paycore::currency::Currency;
use paycore::money::Money;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{FIRST, Merchant, declined, fen, instant, ours, reference};
use crate::dialect::reply::same;
use crate::dialect::text::{address, within};

const BILLS: &str = "/v3/fund-app/mch-transfer/transfer-bills";
/// The same of a service provider for a merchant that has authorized it.
const BILLS_FOR: &str = "/v3/fund-app/mch-transfer/partner/transfer-bills";
/// Below this a name is refused, and from that on one is required.
const NAMES: std::ops::Range<i64> = 30..200_000;

/// A transfer, from its reply (which leaves out whose and how much), a query or a notification.
#[derive(Debug, Deserialize)]
pub(crate) struct Paid {
    #[serde(alias = "mchid")]
    mch_id: Option<String>,
    sub_mchid: Option<String>,
    appid: Option<String>,
    pub(crate) out_bill_no: String,
    transfer_bill_no: String,
    /// Empty in the reply to a service provider, who is only told how the person may confirm it.
    #[serde(default)]
    pub(crate) state: String,
    transfer_amount: Option<i64>,
    fail_reason: Option<String>,
    package_info: Option<String>,
    update_time: Option<String>,
}

impl Paid {
    /// Whether it says whose it is and how much.
    pub(crate) fn is_whole(&self) -> bool {
        self.mch_id.is_some() && self.transfer_amount.is_some()
    }
}

pub(crate) fn pay_out(merchant: &Merchant, transfer: &Transfer, cx: &Context<'_>) -> Result<Step, Refusal> {
    if transfer.payee.kind != AccountKind::Open {
        return Err(Refusal::Unsupported("transfers other than to an openid"));
    }
    let wrong = |param, detail: &str| Err(Refusal::Parameter { param, detail: detail.to_owned() });
    let (openid, title) = (transfer.payee.account.as_str(), within(&transfer.title, 32));
    let scene = transfer.purpose.as_deref().unwrap_or_default();
    if openid.is_empty() || openid.len() > 64 || !openid.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("payee.account", "must be an openid");
    }
    if title.trim().is_empty() {
        return wrong("title", "must not be empty");
    }
    if scene.is_empty() || scene.len() > 36 || !scene.bytes().all(|byte| byte.is_ascii_digit()) {
        return wrong("purpose", "must be a transfer_scene_id, such as 1000");
    }
    let report = |(name, value): &(String, String)| json!({"info_type": name, "info_content": value});
    let mut body = merchant.with_sub(json!({
        "appid": app(merchant), "out_bill_no": reference("reference", &transfer.reference)?, "openid": openid,
        "transfer_amount": fen(transfer.money)?, "transfer_remark": title, "transfer_scene_id": scene,
        "transfer_scene_report_infos": transfer.facts.iter().map(report).collect::<Vec<Value>>(),
        "notify_url": address("notify_url", cx.notify_url, &[])?,
    }));
    let name = transfer.payee.name.as_deref().filter(|name| !name.trim().is_empty());
    match name {
        None if transfer.money.minor() >= NAMES.end => {
            return wrong("payee.name", "is required from 2,000 yuan on");
        }
        Some(name) if transfer.money.minor() >= NAMES.start => {
            body["user_name"] = merchant.identity.encrypt(name, cx)?.into();
        }
        _ => {}
    }
    merchant.post(bills(merchant), &body, (FIRST, Effect::Money), cx)
}

fn bills(merchant: &Merchant) -> &'static str {
    if merchant.sub.is_some() { BILLS_FOR } else { BILLS }
}

/// The app by whose openid a person is meant.
fn app(merchant: &Merchant) -> &str {
    merchant.sub.as_ref().and_then(|sub| sub.appid.as_deref()).unwrap_or(&merchant.appid)
}

/// A query of the transfer, as an operation of its own or to settle a transfer.
pub(crate) fn ask_transfer(
    merchant: &Merchant,
    of: &str,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let (of, sub) = (reference("reference", of)?, merchant.asking_for('?'));
    merchant.get(&format!("{}/out-bill-no/{of}{sub}", bills(merchant)), stage, cx)
}

/// What a transfer came to, once it is the one that was asked for.
pub(crate) fn transfer_state(
    merchant: &Merchant,
    bill: &Paid,
    of: &str,
    money: Option<Money>,
) -> Result<Outcome, Fault> {
    if bill.mch_id.is_some() {
        same("mch_id", bill.mch_id.as_deref(), &merchant.identity.mchid)?;
    }
    if bill.appid.is_some() {
        same("appid", bill.appid.as_deref(), app(merchant))?;
    }
    if bill.sub_mchid.is_some() || bill.mch_id.is_some() && merchant.sub.is_some() {
        let sub = merchant.sub.as_ref().map_or("", |sub| sub.mchid.as_str());
        same("sub_mchid", bill.sub_mchid.as_deref(), sub)?;
    }
    same("out_bill_no", Some(&bill.out_bill_no), of)?;
    let said = match bill.transfer_amount {
        Some(fen) if fen > 0 => Some(Money::new(fen, Currency::CNY)),
        Some(fen) => return Err(Fault::Unexpected(format!("an amount of {fen} fen"))),
        None => None,
    };
    ours("transfer_amount", said, money)?;
    let verdict = match (bill.state.as_str(), &bill.package_info) {
        ("SUCCESS", _) => Verdict::Succeeded,
        ("WAIT_USER_CONFIRM", Some(package)) => Verdict::Awaiting(confirm(merchant, package)),
        ("", Some(package)) if merchant.sub.is_some() => Verdict::Awaiting(confirm(merchant, package)),
        ("ACCEPTED" | "PROCESSING" | "WAIT_USER_CONFIRM" | "TRANSFERING" | "CANCELING", _) => {
            Verdict::Pending
        }
        ("FAIL", _) => {
            let code = bill.fail_reason.as_deref().unwrap_or("FAIL");
            declined(Why::Generic, code, "转账失败").verdict
        }
        ("CANCELLED", _) => declined(Why::Cancelled, "CANCELLED", "转账已撤销").verdict,
        (other, _) => return Err(Fault::Unexpected(format!("the state of a transfer {other:?}"))),
    };
    let at = instant("update_time", bill.update_time.as_deref())?;
    let at = at.filter(|_| verdict == Verdict::Succeeded);
    Ok(Outcome { money: said, at, ..Outcome::new(verdict).channel_id(&bill.transfer_bill_no) })
}

/// What `requestMerchantTransfer` takes.
fn confirm(merchant: &Merchant, package: &str) -> Action {
    let mut values = vec![("mchId", merchant.identity.mchid.as_str()), ("appId", &merchant.appid)];
    if let Some(sub) = &merchant.sub {
        values.push(("subMchId", &sub.mchid));
        values.extend(sub.appid.as_deref().map(|appid| ("subAppId", appid)));
    }
    values.push(("package", package));
    let named = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Action::Client { parameters: values.into_iter().map(named).collect() }
}
