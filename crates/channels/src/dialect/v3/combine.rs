//! Combined payments (合单): the payer pays once for the orders of several merchants. Each part is an order of its own
//! for refunds, shares and bills.

use std::collections::BTreeSet;

use paycore::channel::{
    Context, Effect, Fault, Memo, Outcome, Pay, Payment, QueryRefund, Refusal, Reply, Stage, Step, Verdict,
};
use paycore::money::Money;
use serde::Deserialize;
use serde_json::{Value, json};

use super::trade::Amount;
use super::{
    Answer, Given, Merchant, NO_ORDER, absent, done, fen, instant, not_sent, ours, read, reference,
    refund_state,
};
use crate::dialect::reply::same;
use crate::dialect::text::within;

pub(crate) const COMBINED: &str = "/v3/combine-transactions";
/// A query of an order with parts, where none without was found or a part is meant, and its close.
pub(crate) const PARTS: Stage = 4;
pub(crate) const CLOSING_PARTS: Stage = 5;
/// As many parts as one payment may have.
pub(crate) const PARTS_MAX: usize = 50;

/// A combined order, from a query or a notification.
#[derive(Debug, Deserialize)]
pub(crate) struct Combined {
    combine_appid: Option<String>,
    combine_mchid: String,
    pub(crate) combine_out_trade_no: String,
    sub_orders: Vec<SubOrder>,
}

#[derive(Debug, Deserialize)]
struct SubOrder {
    mchid: String,
    sub_mchid: Option<String>,
    out_trade_no: String,
    transaction_id: Option<String>,
    trade_state: Option<String>,
    success_time: Option<String>,
    amount: Option<Amount>,
}

/// The order of a payment with parts, from what it would be without. Of a service provider every part is a merchant's that
/// it serves, and the payer is known by the provider's own app.
pub(crate) fn combine(merchant: &Merchant, pay: &Pay, mut order: Value) -> Result<Value, Refusal> {
    let wrong = |detail: &str| Refusal::Parameter { param: "parts", detail: detail.to_owned() };
    if merchant.sub.as_ref().is_some_and(|sub| sub.appid.is_some()) {
        return Err(Refusal::Unsupported("combined payments by the app of one of the merchants"));
    }
    let (mut known, mut sum, mut sub_orders) = (BTreeSet::new(), 0_i64, Vec::with_capacity(pay.parts.len()));
    for part in &pay.parts {
        let number = reference("parts.reference", &part.reference)?;
        let digits = part.merchant.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !(8..=32).contains(&part.merchant.len()) {
            return Err(wrong("each must name a merchant by its number"));
        }
        if number == pay.reference || !known.insert(number) {
            return Err(wrong("each must have a reference of its own"));
        }
        let description = within(&part.subject, 127);
        if description.trim().is_empty() {
            return Err(wrong("each must have a subject"));
        }
        let amount = fen(part.money)?;
        sum += amount;
        sub_orders.push(merchant.part(&part.merchant, json!({
            "out_trade_no": number, "attach": number, "description": description,
            "amount": {"total_amount": amount, "currency": "CNY"}, "settle_info": {"profit_sharing": pay.shared},
        })));
    }
    if !(2..=PARTS_MAX).contains(&sub_orders.len()) {
        return Err(wrong("must be 2 to 50"));
    }
    if sum != fen(pay.money)? {
        return Err(Refusal::Amount(format!("the parts are not together {}", pay.money)));
    }
    let mut body = json!({
        "combine_appid": merchant.appid, "combine_mchid": merchant.identity.mchid,
        "combine_out_trade_no": reference("reference", &pay.reference)?, "sub_orders": sub_orders,
    });
    if let Some(openid) = order["payer"]["sp_openid"].take().as_str() {
        order["payer"] = json!({"openid": openid});
    }
    let others = [
        ("payer", "combine_payer_info"),
        ("scene_info", "scene_info"),
        ("notify_url", "notify_url"),
        ("time_expire", "time_expire"),
    ];
    for (from, to) in others {
        let value = order[from].take();
        if !value.is_null() {
            body[to] = value;
        }
    }
    Ok(body)
}

/// A query of a combined order.
pub(crate) fn ask_combined(
    merchant: &Merchant,
    of: &str,
    stage: Stage,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    merchant.get(&format!("{COMBINED}/out-trade-no/{}", reference("reference", of)?), stage, cx)
}

/// What a query of an order with parts says.
pub(crate) fn found_combined(
    merchant: &Merchant,
    reply: &Reply,
    (reference, id): (&str, Option<&str>),
    money: Money,
    cx: &Context<'_>,
) -> Result<Outcome, Fault> {
    match merchant.identity.answer::<Combined>(reply, cx)? {
        Answer::Done(combined) => combined.state(merchant, reference, id, Some(money)),
        Answer::Refused(refused) => absent(refused, NO_ORDER),
    }
}

/// Closes what the query has shown to be open.
pub(crate) fn close_combined(
    merchant: &Merchant,
    reply: &Reply,
    payment: &Payment,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    match merchant.identity.answer::<Combined>(reply, cx)? {
        Answer::Done(combined) => {
            let id = payment.channel_id.as_deref();
            let outcome = combined.state(merchant, &payment.reference, id, Some(payment.money))?;
            if outcome.verdict == Verdict::Pending {
                return combined.close(merchant, cx).map_err(not_sent);
            }
            done(outcome)
        }
        Answer::Refused(refused) => done(absent(refused, NO_ORDER)?),
    }
}

/// What a part costs, if the payment that was asked for has it.
pub(crate) fn cost_of_part(
    merchant: &Merchant,
    payment: &Payment,
    part: &str,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Option<Money>, Fault> {
    match merchant.identity.answer::<Combined>(reply, cx)? {
        Answer::Done(combined) => {
            combined.state(merchant, &payment.reference, None, Some(payment.money))?;
            combined.part(merchant, part)
        }
        Answer::Refused(refused) => absent(refused, NO_ORDER).map(|_| None),
    }
}

/// A refund may be of a part of the payment: then the payment tells whether it has that part.
pub(crate) fn asked_refund(
    merchant: &Merchant,
    query: &QueryRefund,
    (reply, stage): (&Reply, Stage),
    unknown: &[&str],
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let payment = &query.payment.reference;
    let state =
        |given: &Given, of: &str| refund_state(merchant, given, of, &query.reference, Some(query.money));
    if stage == PARTS {
        let given = given_of_part(merchant, &query.payment, reply, cx)?;
        return done(state(&given, &given.out_trade_no)?);
    }
    match merchant.identity.answer::<Given>(reply, cx)? {
        Answer::Done(given) if given.out_trade_no != *payment => {
            ask_of_part(merchant, payment, reply, cx).map_err(not_sent)
        }
        Answer::Done(given) => done(state(&given, payment)?),
        Answer::Refused(refused) => done(absent(refused, unknown)?),
    }
}

/// Asks whether the refund in this verified reply is of a part of the payment; the reply is needed again then.
fn ask_of_part(
    merchant: &Merchant,
    payment: &str,
    refund: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Refusal> {
    let mut step = ask_combined(merchant, payment, PARTS, cx)?;
    if let Step::Send(call) = &mut step {
        let known = String::from_utf8_lossy(refund.body()).into_owned();
        call.request.extensions_mut().insert(Memo(known));
    }
    Ok(step)
}

/// The refund that [`ask_of_part`] asked about, once it is of a part of the payment.
fn given_of_part(
    merchant: &Merchant,
    payment: &Payment,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Given, Fault> {
    let Memo(known) = reply.extensions().get().ok_or_else(|| Fault::Unexpected("which refund".into()))?;
    let given: Given = read(known.as_bytes())?;
    match cost_of_part(merchant, payment, &given.out_trade_no, reply, cx)? {
        Some(_) => Ok(given),
        None => Err(Fault::Unacceptable("the refund of another payment".into())),
    }
}

impl Combined {
    /// What it came to, once it is the one that was asked for. It is paid when every part is.
    pub(crate) fn state(
        &self,
        merchant: &Merchant,
        of: &str,
        channel_id: Option<&str>,
        money: Option<Money>,
    ) -> Result<Outcome, Fault> {
        same("combine_mchid", Some(&self.combine_mchid), &merchant.identity.mchid)?;
        if self.combine_appid.is_some() {
            same("combine_appid", self.combine_appid.as_deref(), &merchant.appid)?;
        }
        same("combine_out_trade_no", Some(&self.combine_out_trade_no), of)?;
        let (mut fen, mut states, mut at) = (0_i64, BTreeSet::new(), None);
        for part in &self.sub_orders {
            let amount =
                part.amount.as_ref().ok_or_else(|| Fault::Unexpected("a part without amount".into()))?;
            fen = fen.saturating_add(amount.total()?.minor());
            let is_paid = matches!(part.trade_state.as_deref(), Some("SUCCESS" | "REFUND"));
            states.insert(if is_paid { "SUCCESS" } else { part.trade_state.as_deref().unwrap_or_default() });
            at = at.max(instant("success_time", part.success_time.as_deref())?);
        }
        // None of the parts is the whole; the first stands for it.
        let first = self.sub_orders.first().and_then(|part| part.transaction_id.clone());
        let id = first.filter(|id| !id.is_empty());
        if let (Some(said), Some(known)) = (&id, channel_id) {
            same("transaction_id", Some(said), known)?;
        }
        let said = Some(Money::new(fen, paycore::currency::Currency::CNY));
        ours("total", said, money)?;
        let verdict = match states.iter().copied().collect::<Vec<_>>()[..] {
            ["SUCCESS"] if id.is_some() => Verdict::Succeeded,
            ["NOTPAY"] => Verdict::Pending,
            ["CLOSED"] => Verdict::Closed,
            ref other => return Err(Fault::Unexpected(format!("trade_states {other:?}"))),
        };
        Ok(Outcome { channel_id: id, money: said, at, ..Outcome::new(verdict) })
    }

    /// What a part costs, if it is one, and not that of another merchant that the provider serves.
    fn part(&self, merchant: &Merchant, of: &str) -> Result<Option<Money>, Fault> {
        let sub = merchant.sub.as_ref().map(|sub| &sub.mchid);
        let ours = |part: &&SubOrder| sub.is_none() || part.sub_mchid.as_ref() == sub;
        let part = self.sub_orders.iter().find(|part| part.out_trade_no == of).filter(ours);
        part.and_then(|part| part.amount.as_ref()).map(Amount::total).transpose()
    }

    /// The close of all its parts.
    fn close(&self, merchant: &Merchant, cx: &Context<'_>) -> Result<Step, Refusal> {
        let part = |part: &SubOrder| {
            let whose = part.sub_mchid.as_deref().unwrap_or(&part.mchid);
            merchant.part(whose, json!({"out_trade_no": part.out_trade_no}))
        };
        let parts: Vec<Value> = self.sub_orders.iter().map(part).collect();
        let body = json!({"combine_appid": merchant.appid, "sub_orders": parts});
        let of = reference("reference", &self.combine_out_trade_no)?;
        merchant.post(
            &format!("{COMBINED}/out-trade-no/{of}/close"),
            &body,
            (CLOSING_PARTS, Effect::None),
            cx,
        )
    }
}
