//! Messages of the newer products: their facts stand in `biz_content`, an object in JSON.

use paycore::channel::{Fault, Outcome, Report, ShareOutcome, Subject, Verdict};
use serde::Deserialize;

use super::super::decode::{BACK, part_verdict, together};
use super::super::{CNY, UNITS};
use crate::dialect::form::Form;
use crate::dialect::openapi::content::{Node, ShareDetail};
use crate::dialect::openapi::declines;
use crate::dialect::reply::{amount, beijing};

/// What a transfer of ours is called, apart from what `Node` has.
#[derive(Deserialize)]
struct Kind {
    product_code: Option<String>,
    biz_scene: Option<String>,
}

/// What a message reports. One of another product, or that names nothing of ours, reports nothing.
pub(super) fn reports(message: &str, form: &Form<'_>) -> Result<Vec<Report>, Fault> {
    match message {
        "alipay.fund.trans.order.changed" => transfer(form),
        "alipay.trade.order.settle.notify" => settlement(form),
        // Its words are not published; the pre-authorization's own notification and its query tell of it.
        "alipay.fund.auth.order.changed" => Ok(Vec::new()),
        other => Err(Fault::Unacceptable(format!("msg_method is {other:?}"))),
    }
}

fn read<'f, T: Deserialize<'f>>(form: &'f Form<'_>) -> Result<T, Fault> {
    let content = form.required("biz_content")?;
    serde_json::from_str(content).map_err(|error| Fault::Unexpected(format!("biz_content: {error}")))
}

fn transfer(form: &Form<'_>) -> Result<Vec<Report>, Fault> {
    let (kind, node) = (read::<Kind>(form)?, read::<Node>(form)?);
    let ours = (kind.product_code.as_deref(), kind.biz_scene.as_deref());
    if ours != (Some("TRANS_ACCOUNT_NO_PWD"), Some("DIRECT_TRANSFER")) {
        return Ok(Vec::new());
    }
    let verdict = match node.status.as_deref() {
        Some("SUCCESS") => Verdict::Succeeded,
        Some("DEALING" | "INIT" | "WAIT_PAY") => Verdict::Pending,
        Some("FAIL" | "CLOSED" | "REFUND") => declines::failed(node.error_code, node.fail_reason),
        other => return Err(Fault::Unexpected(format!("status {other:?}"))),
    };
    let money = amount("trans_amount", node.trans_amount.as_deref(), UNITS, CNY)?;
    let at = beijing("pay_date", node.pay_date.as_deref())?;
    let outcome = Outcome { channel_id: node.order_id, money: Some(money), at, ..Outcome::new(verdict) };
    Ok(vec![Report { subject: Subject::Transfer, reference: known(node.out_biz_no)?, outcome }])
}

/// A share with its parts, or the return of one; both go by the number of their request. Messages without it tell of
/// what somebody settled elsewhere.
fn settlement(form: &Form<'_>) -> Result<Vec<Report>, Fault> {
    let node: Node = read(form)?;
    let Some(reference) = node.out_request_no.filter(|number| !number.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut reports = Vec::new();
    let (mut shares, mut backs) = (Vec::new(), Vec::new());
    for part in node.royalty_detail_list {
        let ShareDetail { operation_type, trans_in, amount: text, state, error_code, error_desc } = part;
        let money = amount("amount", Some(&text), UNITS, CNY)?;
        let verdict = part_verdict(&state, error_code, error_desc)?;
        match operation_type.as_str() {
            "transfer" => shares.push(ShareOutcome { account: trans_in, money, verdict }),
            BACK => backs.push(Outcome::new(verdict).money(money)),
            other => return Err(Fault::Unexpected(format!("operation_type {other:?}"))),
        }
    }
    if !shares.is_empty() {
        let verdict = together(&shares);
        let outcome = Outcome { shares, channel_id: node.settle_no.clone(), ..Outcome::new(verdict) };
        reports.push(Report { subject: Subject::Share, reference: reference.clone(), outcome });
    }
    reports.extend(backs.into_iter().map(|outcome| {
        let outcome = Outcome { channel_id: node.settle_no.clone(), ..outcome };
        Report { subject: Subject::ShareReturn, reference: reference.clone(), outcome }
    }));
    if reports.is_empty() { Err(Fault::Unexpected("a settlement of nothing".into())) } else { Ok(reports) }
}

fn known(number: Option<String>) -> Result<String, Fault> {
    number.filter(|number| !number.is_empty()).ok_or_else(|| Fault::Unexpected("no out_biz_no".into()))
}
