//! Replies as outcomes.

use paycore::channel::{
    Action, Close, Context, DeclineReason as Why, Fault, Operation, Outcome, Pay, Payment, Refund, Reply,
    Stage, Step, Verdict,
};
use paycore::money::Money;

use super::UNITS;
use super::config::Account;
use super::encode::{
    CLOSING, CONFIRM, FIRST, REFUSED, REVOCATION, REVOKING, ask, ask_revocation, close, kind, revocation,
    revoke,
};
use super::envelope::{Answer, Trade};
use crate::dialect::reply::{beijing_compact, declined, done, not_sent, same, same_amount, started};

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    match (operation, stage) {
        (Operation::Pay(pay), FIRST) => taken(account, reply, pay, cx),
        (Operation::Pay(pay), stage) => found(account, stage, reply, &started(pay), cx),
        (Operation::Query(query), stage) => found(account, stage, reply, &query.payment, cx),
        (Operation::Close(what), FIRST) => closable(account, reply, what, cx),
        (Operation::Close(what), CLOSING | REVOKING) => closed(account, reply, what, cx),
        (Operation::Close(what), stage) => found(account, stage, reply, &what.payment, cx),
        (Operation::Refund(refund), FIRST) => given_back(account, reply, refund, cx),
        (Operation::Refund(refund), stage) => {
            let outcome = refund_state(account, reply, &refund.reference, refund.money, cx)?;
            done(if outcome.verdict == Verdict::Absent { refusal(stage) } else { outcome })
        }
        (Operation::QueryRefund(query), _) => {
            done(refund_state(account, reply, &query.reference, query.money, cx)?)
        }
        _ => Err(Fault::Unsupported),
    }
}

/// Codes of a trade that is still under way.
const UNDER_WAY: &[&str] = &["BBS10000", "BBS11105", "BBS11112", "BPS10034"];
/// Codes of a system that failed: nothing is known.
const TROUBLE: &[&str] = &["BBS00001", "BBS00100", "BBS00101", "BBS11200"];
/// What a query says of a number it does not know. Taken for absence, which settles nothing by itself.
const ABSENT: &str = "BBS11114";

/// A refusal whose code is in no list leads to a query, and is believed when that finds nothing either.
fn refusal(stage: Stage) -> Outcome {
    if stage != REFUSED {
        return Outcome::new(Verdict::Absent);
    }
    declined(Why::Generic, "REFUSED", "交易被拒绝，且查询不到该交易")
}

/// An order that was created or a barcode that was charged, or not.
fn taken(account: &Account, reply: &Reply, pay: &Pay, cx: &Context<'_>) -> Result<Step, Fault> {
    let barcode = pay.method.scene() == "barcode";
    match account.answer(reply, cx)? {
        Answer::Done(mut trade) if barcode => {
            // Success is said by the code alone.
            trade.trade_state.get_or_insert_with(|| "SUCCESS".to_owned());
            done(state(account, &trade, &started(pay))?)
        }
        Answer::Done(order) => done(Outcome::new(Verdict::Awaiting(action(account, &order, pay)?))),
        Answer::Refused { code, .. } if barcode && UNDER_WAY.contains(&code.as_str()) => {
            done(Outcome::new(Verdict::Pending))
        }
        Answer::Refused { code, message } if [TROUBLE, UNDER_WAY].concat().contains(&code.as_str()) => {
            Err(Fault::Unknown { code, message })
        }
        Answer::Refused { .. } => ask(account, &pay.reference, REFUSED, cx).map_err(not_sent),
    }
}

fn action(account: &Account, order: &Trade, pay: &Pay) -> Result<Action, Fault> {
    merchant(account, order)?;
    same("out_trade_no", order.out_trade_no.as_deref(), &pay.reference)?;
    let part = |name: &str| {
        let fits =
            |text: &&str| (1..=1024).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        let text = order.acc_resp_fields[name].as_str().filter(fits);
        text.map(str::to_owned).ok_or_else(|| Fault::Unexpected(format!("no {name}")))
    };
    let names: &[(&str, &str)] = match (pay.method.brand(), pay.method.scene()) {
        (_, "qr") => return Ok(Action::Qr { content: part("code")? }),
        ("unionpay", _) => {
            let url = part("redirect_url")?;
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return Err(Fault::Unexpected("redirect_url is no address".into()));
            }
            return Ok(Action::Redirect { url });
        }
        ("alipay", _) => &[("tradeNO", "prepay_id")],
        (_, "app") => APP,
        _ => PAGE,
    };
    let parameters = names.iter().map(|(ours, theirs)| Ok(((*ours).to_owned(), part(theirs)?)));
    Ok(Action::Client { parameters: parameters.collect::<Result<_, Fault>>()? })
}

/// The parameters of WeChat's client in an app and on its pages, and what Lakala calls them.
#[rustfmt::skip]
const APP: &[(&str, &str)] = &[
    ("appid", "app_id"), ("partnerid", "partner_id"), ("prepayid", "prepay_id"), ("package", "package"),
    ("noncestr", "nonce_str"), ("timestamp", "time_stamp"), ("sign", "pay_sign"),
];
#[rustfmt::skip]
const PAGE: &[(&str, &str)] = &[
    ("appId", "app_id"), ("timeStamp", "time_stamp"), ("nonceStr", "nonce_str"), ("package", "package"),
    ("signType", "sign_type"), ("paySign", "pay_sign"),
];

/// The answer to a query of a payment.
fn found(
    account: &Account,
    stage: Stage,
    reply: &Reply,
    payment: &Payment,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let trade = match account.answer(reply, cx)? {
        Answer::Done(trade) => trade,
        Answer::Refused { code, message } => {
            return match absent(code, message)? {
                // There was no revocation, so the money went back by refunds.
                _ if stage == REVOCATION => {
                    let outcome = Outcome::new(Verdict::Succeeded).money(payment.money);
                    done(Outcome { channel_id: payment.channel_id.clone(), ..outcome })
                }
                _ => done(refusal(stage)),
            };
        }
    };
    if stage == REVOCATION {
        same("out_trade_no", trade.out_trade_no.as_deref(), &revocation(&payment.reference))?;
        same_amount("total_amount", trade.total_amount.as_deref(), UNITS, payment.money)?;
        return match said(&trade)? {
            "SUCCESS" => done(Outcome::new(Verdict::Closed)),
            other => Err(Fault::Unexpected(format!("a revocation in the state {other:?}"))),
        };
    }
    let outcome = state(account, &trade, payment)?;
    // All money gone back means refunds or, for a barcode, a revocation.
    if said(&trade)? == "REFUND" && payment.method.scene() == "barcode" {
        return ask_revocation(account, &payment.reference, cx).map_err(not_sent);
    }
    done(outcome)
}

/// What a payment came to, once it is the one that was asked for.
pub(super) fn state(account: &Account, trade: &Trade, payment: &Payment) -> Result<Outcome, Fault> {
    let money = same_amount("total_amount", trade.total_amount.as_deref(), UNITS, payment.money)?;
    same("out_trade_no", trade.out_trade_no.as_deref(), &payment.reference)?;
    if let Some(known) = &payment.channel_id {
        same("trade_no", trade.trade_no.as_deref(), known)?;
    }
    let wallet = kind(payment.method.brand(), payment.method.scene()).map_or("", |(wallet, _)| wallet);
    if let Some(said) = trade.account_type.as_deref().filter(|_| !wallet.is_empty()) {
        same("account_type", Some(said), wallet)?;
    }
    outcome(account, trade, money)
}

/// What a trade came to, whatever it is.
pub(super) fn outcome(account: &Account, trade: &Trade, money: Money) -> Result<Outcome, Fault> {
    merchant(account, trade)?;
    if matches!(trade.trade_main_type.as_deref(), Some("REFUND" | "CANCEL")) {
        return Err(Fault::Unacceptable("the trade is no payment".into()));
    }
    settled(trade, money)
}

fn settled(trade: &Trade, money: Money) -> Result<Outcome, Fault> {
    let id = trade.trade_no.as_ref().filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| Fault::Unexpected("no trade_no".into()))?;
    let at = beijing_compact("trade_time", trade.trade_time.as_deref())?;
    Ok(Outcome { at, ..Outcome::new(verdict(trade)?).channel_id(id).money(money) })
}

/// The merchant's number, where it is said.
fn merchant(account: &Account, trade: &Trade) -> Result<(), Fault> {
    let Some(merchant) = &trade.merchant_no else { return Ok(()) };
    same("merchant_no", Some(merchant), &account.merchant_no)
}

fn verdict(trade: &Trade) -> Result<Verdict, Fault> {
    Ok(match said(trade)? {
        // Refunds only tell that some of the money went back later.
        "SUCCESS" | "PART_REFUND" | "REFUND" => Verdict::Succeeded,
        "INIT" | "CREATE" | "DEAL" => Verdict::Pending,
        "CLOSE" => Verdict::Closed,
        "FAIL" => {
            let text = trade.trade_state_desc.as_deref().unwrap_or_default();
            let reason = if text.contains("余额不足") { Why::InsufficientFunds } else { Why::Generic };
            declined(reason, "FAIL", text).verdict
        }
        other => return Err(Fault::Unexpected(format!("trade_state {other:?}"))),
    })
}

/// The state, which has two names.
fn said(trade: &Trade) -> Result<&str, Fault> {
    match (&trade.trade_state, &trade.trade_status) {
        (Some(state), None) | (None, Some(state)) => Ok(state),
        (Some(one), Some(other)) if one == other => Ok(one),
        _ => Err(Fault::Unexpected("no state, or two".into())),
    }
}

/// Ends what the query has shown to be open.
fn closable(account: &Account, reply: &Reply, what: &Close, cx: &Context<'_>) -> Result<Step, Fault> {
    match found(account, FIRST, reply, &what.payment, cx)? {
        Step::Done(outcome) if outcome.verdict == Verdict::Pending => {
            let barcode = what.payment.method.scene() == "barcode";
            let next = if barcode { revoke } else { close };
            next(account, &what.payment.reference, cx).map_err(not_sent)
        }
        other => Ok(other),
    }
}

fn closed(account: &Account, reply: &Reply, what: &Close, cx: &Context<'_>) -> Result<Step, Fault> {
    match account.answer(reply, cx)? {
        Answer::Done(ended) => {
            same("origin_out_trade_no", ended.origin_out_trade_no.as_deref(), &what.payment.reference)?;
            done(Outcome::new(Verdict::Closed))
        }
        Answer::Refused { code, message } if TROUBLE.contains(&code.as_str()) => {
            Err(Fault::Unknown { code, message })
        }
        // Paid, being paid or closed in between: the order itself knows.
        Answer::Refused { .. } => ask(account, &what.payment.reference, CONFIRM, cx).map_err(not_sent),
    }
}

fn given_back(account: &Account, reply: &Reply, refund: &Refund, cx: &Context<'_>) -> Result<Step, Fault> {
    match account.answer(reply, cx)? {
        Answer::Done(mut given) => {
            let number = given.out_trade_no.as_ref().or(given.out_refund_order_no.as_ref());
            same("out_trade_no", number.map(String::as_str), &refund.reference)?;
            if let Some(origin) = &given.origin_out_trade_no {
                same("origin_out_trade_no", Some(origin), &refund.payment.reference)?;
            }
            let money = same_amount("refund_amount", given.refund_amount.as_deref(), UNITS, refund.money)?;
            given.trade_state = Some("SUCCESS".to_owned());
            done(settled(&given, money)?)
        }
        Answer::Refused { code, .. } if UNDER_WAY.contains(&code.as_str()) => {
            done(Outcome::new(Verdict::Pending))
        }
        Answer::Refused { code, message } if TROUBLE.contains(&code.as_str()) => {
            Err(Fault::Unknown { code, message })
        }
        Answer::Refused { .. } => ask(account, &refund.reference, REFUSED, cx).map_err(not_sent),
    }
}

/// What a refund came to, by a query of its own number.
fn refund_state(
    account: &Account,
    reply: &Reply,
    reference: &str,
    money: Money,
    cx: &Context<'_>,
) -> Result<Outcome, Fault> {
    let trade = match account.answer(reply, cx)? {
        Answer::Done(trade) => trade,
        Answer::Refused { code, message } => return absent(code, message),
    };
    merchant(account, &trade)?;
    same("out_trade_no", trade.out_trade_no.as_deref(), reference)?;
    if trade.trade_main_type.as_deref().is_some_and(|kind| kind != "REFUND") {
        return Err(Fault::Unacceptable("the trade is no refund".into()));
    }
    let money = same_amount("total_amount", trade.total_amount.as_deref(), UNITS, money)?;
    settled(&trade, money)
}

fn absent(code: String, message: String) -> Result<Outcome, Fault> {
    if code == ABSENT { Ok(Outcome::new(Verdict::Absent)) } else { Err(Fault::Unknown { code, message }) }
}
