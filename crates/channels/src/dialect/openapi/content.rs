//! What the platform's calls carry: their contents in its own words, the same in both protocols.

use paycore::channel::{
    AccountKind, Context, Pay, Payment, Receiver, References, Refusal, ReturnShare, Share, Statement,
    StatementKind, Transfer,
};
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::units::UnitRule;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::dialect::text::{self, plain};

/// References of all kinds: the platform takes 64 of a trade's, but only 32 of a share's.
pub(crate) const REFERENCES: References = References { min: 1, max: 32 };
/// Amounts are yuan with two decimals.
pub(crate) const UNITS: UnitRule = UnitRule::Decimal { places: Some(2) };
/// The dearest trade that is documented: 100,000,000 yuan.
const FEN_MAX: i64 = 10_000_000_000;

/// A reference of ours.
pub(crate) fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, REFERENCES)
}

/// An amount to be moved.
pub(crate) fn amount(money: Money) -> Result<String, Refusal> {
    if money.currency() != Currency::CNY || !(1..=FEN_MAX).contains(&money.minor()) {
        return Err(Refusal::Amount(format!("{money} is not between 0.01 and 100000000.00 CNY")));
    }
    UNITS.to_wire(money).map_err(|error| Refusal::Amount(error.to_string()))
}

/// The digits of the payer's barcode.
pub(crate) fn auth_code(pay: &Pay) -> Result<&str, Refusal> {
    let code = pay.payer.auth_code.as_deref().unwrap_or_default();
    if (16..=24).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(code);
    }
    let detail = "must be the 16 to 24 digits of the payer's barcode".into();
    Err(Refusal::Parameter { param: "payer.auth_code", detail })
}

/// Who pays inside the wallet, a user's number or an open id; in a mini program also which one. An open id belongs to
/// the app it was given to.
pub(crate) fn payer(
    pay: &Pay,
    app_id: &str,
    mini_app_id: Option<&str>,
    into: &mut Value,
) -> Result<(), Refusal> {
    let wrong = || Refusal::Parameter { param: "payer.id", detail: "is needed for this method".into() };
    let id = pay.payer.id.as_deref().filter(|id| !id.is_empty()).ok_or_else(wrong)?;
    let number = id.len() == 16 && id.starts_with("2088") && id.bytes().all(|byte| byte.is_ascii_digit());
    let other = mini_app_id.filter(|mini| *mini != app_id);
    let name = match other {
        _ if number => "buyer_id",
        Some(_) => "op_buyer_open_id",
        None => "buyer_open_id",
    };
    into[name] = id.into();
    if let Some(mini) = mini_app_id {
        into["op_app_id"] = mini.into();
    }
    Ok(())
}

/// What a query or close of a trade names.
pub(crate) fn trade(payment: &Payment) -> Result<Value, Refusal> {
    Ok(json!({"out_trade_no": reference("reference", &payment.reference)?}))
}

/// What a query of a refund names.
pub(crate) fn refund(of: &str, payment: &Payment) -> Result<Value, Refusal> {
    Ok(json!({
        "out_trade_no": reference("payment_reference", &payment.reference)?,
        "out_request_no": reference("reference", of)?,
        "query_options": ["gmt_refund_pay"],
    }))
}

/// The product of a pre-authorization: in an app, or face to face.
pub(crate) fn hold_product(scene: &str) -> &'static str {
    if scene == "app" { "PRE_AUTH_ONLINE" } else { "PRE_AUTH" }
}

/// What a query of a pre-authorization, or its end before the payer came, names.
pub(crate) fn hold(payment: &Payment) -> Result<Value, Refusal> {
    let number = reference("reference", &payment.reference)?;
    Ok(json!({"out_order_no": number, "out_request_no": number}))
}

/// The payment of a pre-authorized amount; what is left of it is given back.
pub(crate) fn convert(payment: &Payment, money: Money, auth_no: &str, title: &str) -> Result<Value, Refusal> {
    Ok(json!({
        "out_trade_no": reference("reference", &payment.reference)?,
        "auth_no": auth_no,
        "auth_confirm_mode": "COMPLETE",
        "subject": plain(title, 256),
        "total_amount": amount(money)?,
        "product_code": hold_product(payment.method.scene()),
    }))
}

/// The end of a pre-authorization; `rest` is all that is frozen.
pub(crate) fn unfreeze(payment: &Payment, auth_no: &str, rest: Money) -> Result<Value, Refusal> {
    Ok(json!({
        "auth_no": auth_no,
        "out_request_no": format!("{}V", reference("reference", &payment.reference)?),
        "amount": amount(rest)?,
        "remark": "void",
    }))
}

/// Shares of a trade.
pub(crate) fn shares(share: &Share, trade_no: &str) -> Result<Value, Refusal> {
    let part = |(receiver, money): &(Receiver, Money)| {
        Ok(json!({
            "royalty_type": "transfer",
            "trans_in_type": kind(receiver)?,
            "trans_in": receiver.account,
            "amount": amount(*money)?,
            "desc": plain(&share.description, 256),
        }))
    };
    let mut content = shares_named(&share.reference, trade_no)?;
    content["royalty_parameters"] = share.shares.iter().map(part).collect::<Result<Value, Refusal>>()?;
    content["royalty_mode"] = "async".into();
    content["extend_params"] = json!({"royalty_finish": if share.last { "true" } else { "false" }});
    Ok(content)
}

/// A share that comes back: a refund that gives the payer nothing.
pub(crate) fn share_back(back: &ReturnShare, trade_no: &str) -> Result<Value, Refusal> {
    reference("share", &back.share)?;
    let mut content = shares_named(&back.reference, trade_no)?;
    content["refund_amount"] = "0.00".into();
    content["refund_reason"] = plain(&back.description, 256).into();
    content["refund_royalty_parameters"] = json!([{
        "royalty_type": "transfer",
        "trans_out_type": kind(&back.receiver)?,
        "trans_out": back.receiver.account,
        "amount": amount(back.money)?,
        "desc": plain(&back.description, 256),
    }]);
    Ok(content)
}

/// The end of a trade's sharing.
pub(crate) fn release(of: &str, trade_no: &str) -> Result<Value, Refusal> {
    let mut content = shares_named(of, trade_no)?;
    content["royalty_parameters"] = json!([]);
    content["extend_params"] = json!({"royalty_finish": "true"});
    Ok(content)
}

/// What a query of a share names.
pub(crate) fn shares_named(of: &str, trade_no: &str) -> Result<Value, Refusal> {
    Ok(json!({"out_request_no": reference("reference", of)?, "trade_no": trade_no}))
}

/// Somebody as a receiver of shares. Binding whom is bound changes nothing, so no number is kept for a repeat.
pub(crate) fn relation(receiver: &Receiver, cx: &Context<'_>) -> Result<Value, Refusal> {
    let mut one = json!({"type": kind(receiver)?, "account": receiver.account});
    for (name, value) in [("name", &receiver.name), ("memo", &receiver.relation)] {
        if let Some(text) = value {
            one[name] = plain(text, 64).into();
        }
    }
    Ok(json!({"receiver_list": [one], "out_request_no": super::random(cx)}))
}

fn kind(receiver: &Receiver) -> Result<&'static str, Refusal> {
    match receiver.kind {
        AccountKind::User | AccountKind::Merchant => Ok("userId"),
        AccountKind::Open => Ok("openId"),
        AccountKind::Login => Ok("loginName"),
        _ => Err(Refusal::Unsupported("receivers of this kind")),
    }
}

/// A transfer to somebody's account.
pub(crate) fn transfer(transfer: &Transfer) -> Result<Value, Refusal> {
    let payee = &transfer.payee;
    let identity_type = match payee.kind {
        AccountKind::User | AccountKind::Merchant => "ALIPAY_USER_ID",
        AccountKind::Open => "ALIPAY_OPEN_ID",
        AccountKind::Login if payee.name.is_some() => "ALIPAY_LOGON_ID",
        AccountKind::Login => {
            let detail = "is needed beside what somebody signs in with".into();
            return Err(Refusal::Parameter { param: "payee.name", detail });
        }
        _ => return Err(Refusal::Unsupported("payees of this kind")),
    };
    let mut content = transfer_named(&transfer.reference)?;
    content["trans_amount"] = amount(transfer.money)?.into();
    content["order_title"] = plain(&transfer.title, 128).into();
    content["payee_info"] = json!({"identity": payee.account, "identity_type": identity_type});
    if let Some(name) = &payee.name {
        content["payee_info"]["name"] = name.as_str().into();
    }
    if let Some(purpose) = &transfer.purpose {
        let facts =
            transfer.facts.iter().map(|(kind, text)| json!({"info_type": kind, "info_content": text}));
        content["transfer_scene_name"] = purpose.as_str().into();
        content["transfer_scene_report_infos"] = facts.collect();
    }
    Ok(content)
}

/// What a transfer and its query name.
pub(crate) fn transfer_named(of: &str) -> Result<Value, Refusal> {
    Ok(json!({
        "out_biz_no": reference("reference", of)?,
        "product_code": "TRANS_ACCOUNT_NO_PWD",
        "biz_scene": "DIRECT_TRANSFER",
    }))
}

/// Which statement file.
pub(crate) fn bill(statement: &Statement) -> Result<Value, Refusal> {
    let kind = match statement.kind {
        StatementKind::Trade => "trade",
        StatementKind::Funds => "signcustomer",
        _ => return Err(Refusal::Unsupported("this statement")),
    };
    Ok(json!({"bill_type": kind, "bill_date": &statement.day.beijing()[..10]}))
}

/// What the answers to all calls may hold. Every value is text; a number in its place is not understood.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Node {
    pub(crate) out_trade_no: Option<String>,
    pub(crate) trade_no: Option<String>,
    pub(crate) trade_status: Option<String>,
    pub(crate) total_amount: Option<String>,
    pub(crate) trans_currency: Option<String>,
    pub(crate) send_pay_date: Option<String>,
    pub(crate) gmt_payment: Option<String>,
    pub(crate) qr_code: Option<String>,
    pub(crate) retry_flag: Option<String>,
    pub(crate) fund_change: Option<String>,
    pub(crate) refund_fee: Option<String>,
    pub(crate) out_request_no: Option<String>,
    pub(crate) refund_amount: Option<String>,
    pub(crate) refund_status: Option<String>,
    pub(crate) gmt_refund_pay: Option<String>,
    pub(crate) auth_no: Option<String>,
    pub(crate) out_order_no: Option<String>,
    pub(crate) order_status: Option<String>,
    pub(crate) order_title: Option<String>,
    pub(crate) rest_amount: Option<String>,
    pub(crate) total_pay_amount: Option<String>,

    pub(crate) amount: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) gmt_trans: Option<String>,
    pub(crate) code_value: Option<String>,
    pub(crate) settle_no: Option<String>,
    pub(crate) royalty_detail_list: Vec<ShareDetail>,
    pub(crate) result_code: Option<String>,
    pub(crate) out_biz_no: Option<String>,
    pub(crate) order_id: Option<String>,
    pub(crate) trans_amount: Option<String>,
    pub(crate) trans_date: Option<String>,
    pub(crate) pay_date: Option<String>,
    pub(crate) error_code: Option<String>,
    pub(crate) fail_reason: Option<String>,
    pub(crate) bill_download_url: Option<String>,
}

/// One receiver's part in a query of a share.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ShareDetail {
    pub(crate) operation_type: String,
    pub(crate) trans_in: String,
    pub(crate) amount: String,
    pub(crate) state: String,
    pub(crate) error_code: Option<String>,
    pub(crate) error_desc: Option<String>,
}
