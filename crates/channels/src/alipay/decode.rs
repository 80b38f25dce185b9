//! Replies as outcomes.

use paycore::channel::{
    Action, CaptureMode, Context, Fault, Operation, Outcome, Pay, Payment, Refusal, Reply, Stage, Step,
    Verdict,
};
use paycore::money::Money;

use super::config::Account;
use super::encode::{
    BILL, BIND, CANCEL, CHARGE, CLOSE, CREATE, FILE, FREEZE, HOLD_ASK, HOLD_END, PRECREATE, QUERY, REFUND,
    REFUND_ASK, REFUSED, SENT_ASK, SETTLE, SETTLE_ASK, TRANSFER, UNBIND, UNFREEZE, UNNUMBERED, VOUCHER, call,
    call_at, may_hold, method, sharing,
};
use super::{CNY, UNITS};
use crate::dialect::archive;
use crate::dialect::openapi::content::{self, Node};
use crate::dialect::openapi::declines::{self, Row};
use crate::dialect::openapi::{Answer, Refused};
use crate::dialect::reply::{amount, beijing, same, same_amount};

#[path = "../alipay_funds/decode.rs"]
mod funds;

pub(super) use funds::{BACK, part_verdict, together};

/// A reply on its way to an outcome, with what it answers.
struct Reading<'a> {
    account: &'a Account,
    operation: &'a Operation,
    stage: Stage,
    /// The refusal that a query has to confirm.
    refusal: Option<&'static Row>,
    cx: &'a Context<'a>,
}

/// The payment an operation starts or is about.
struct About<'a> {
    reference: &'a str,
    channel_id: Option<&'a str>,
    scene: &'a str,
    money: Money,
}

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    if stage == FILE {
        return archive::file(reply);
    }
    if let Operation::Identify(_) = operation {
        return account.app.told(reply, cx);
    }
    let refusal = stage.checked_sub(REFUSED).and_then(declines::row);
    let asked = match stage {
        UNNUMBERED.. => QUERY,
        _ if refusal.is_some() => last_word(operation),
        _ => method(stage),
    };
    let answer = account.app.answer(asked, reply, cx)?;
    let reading = Reading { account, operation, stage, refusal, cx };
    match (operation, asked) {
        (Operation::Pay(pay), PRECREATE | CREATE | VOUCHER) => reading.begun(answer, pay),
        (Operation::Pay(pay), CHARGE) => reading.charged(answer, &pay.reference, pay.money),
        (Operation::Capture(capture), CHARGE) => {
            reading.charged(answer, &capture.payment.reference, capture.money)
        }
        (Operation::Pay(pay), FREEZE) => reading.frozen(answer, pay),
        (Operation::Close(_), CLOSE | CANCEL) => reading.closed(answer),
        (Operation::Close(_) | Operation::Void(_), HOLD_END | UNFREEZE) => reading.released(answer),
        (operation, QUERY) if sharing(operation).is_some() => reading.share_trade(answer),
        (_, QUERY) => reading.trade(answer),
        (_, HOLD_ASK) => reading.hold(answer),
        (Operation::Refund(refund), REFUND) => reading.refunded(answer, refund),
        (Operation::Refund(_) | Operation::QueryRefund(_), REFUND_ASK) => reading.refund_state(answer),
        (Operation::Share(_) | Operation::Release(_), SETTLE) => reading.shared(answer),
        (Operation::Share(_) | Operation::QueryShare(_), SETTLE_ASK) => reading.share_state(answer),
        (Operation::ReturnShare(_), REFUND) => reading.returned(answer),
        (Operation::ReturnShare(_) | Operation::QueryReturn(_), SETTLE_ASK) => reading.return_state(answer),
        (_, BIND | UNBIND) => reading.related(answer),
        (_, TRANSFER | SENT_ASK) => reading.sent(answer, asked == SENT_ASK),
        (Operation::Statement(_), BILL) => funds::fetch(answer),
        _ => Err(Fault::Unsupported),
    }
}

/// What tells whether a refused operation was carried out after all.
fn last_word(operation: &Operation) -> &'static str {
    match operation {
        Operation::Refund(_) => REFUND_ASK,
        Operation::Share(_) | Operation::ReturnShare(_) => SETTLE_ASK,
        Operation::Transfer(_) => SENT_ASK,
        Operation::Pay(pay) if pay.capture == CaptureMode::Manual => HOLD_ASK,
        _ => QUERY,
    }
}

/// Beginnings, and what becomes of a trade.
impl Reading<'_> {
    /// A trade or a pre-authorization that waits for its payer.
    fn begun(&self, answer: Answer<Node>, pay: &Pay) -> Result<Step, Fault> {
        let node = match answer {
            Answer::Done(node) => node,
            Answer::Refused(refused) if declines::KNOWN.contains(&refused.word()) => return self.ask(QUERY),
            Answer::Refused(refused) => return declines::direct('p', refused).map(done),
            Answer::Waiting(_) => return Err(Fault::Unexpected("it waits for nothing".into())),
        };
        let number = node.out_trade_no.as_deref().or(node.out_order_no.as_deref());
        same("out_trade_no", number, &pay.reference)?;
        let action = match (node.qr_code.or(node.code_value), node.trade_no) {
            (Some(content), _) if !content.is_empty() => Action::Qr { content },
            (None, Some(number)) if !number.is_empty() => {
                let parameters = vec![("tradeNO".to_owned(), number.clone())];
                let outcome = Outcome::new(Verdict::Awaiting(Action::Client { parameters }));
                return Ok(Step::Done(outcome.channel_id(number)));
            }
            _ => return Err(Fault::Unexpected("nothing for the payer".into())),
        };
        Ok(done(Verdict::Awaiting(action)))
    }

    /// A barcode, or a pre-authorized amount, that was charged at once or is being charged.
    fn charged(&self, answer: Answer<Node>, reference: &str, money: Money) -> Result<Step, Fault> {
        let (node, waits) = match answer {
            Answer::Done(node) => (node, false),
            Answer::Waiting(node) => (node, true),
            Answer::Refused(refused) if declines::KNOWN.contains(&refused.word()) => return self.ask(QUERY),
            Answer::Refused(refused) => return self.confirm('p', refused),
        };
        same("out_trade_no", node.out_trade_no.as_deref(), reference)?;
        let at = beijing("gmt_payment", node.gmt_payment.as_deref())?;
        match (waits, at) {
            (true, None) => Ok(Step::Done(identified(Verdict::Pending, node.trade_no))),
            (true, Some(_)) => Err(Fault::Unexpected("paid, and waiting for the payer".into())),
            (false, None) => self.ask(QUERY),
            (false, at) => {
                let total = same_amount("total_amount", node.total_amount.as_deref(), UNITS, money)?;
                Ok(Step::Done(Outcome { at, ..identified(Verdict::Succeeded, node.trade_no).money(total) }))
            }
        }
    }

    /// What a trade looks like, for whoever asks.
    fn trade(&self, answer: Answer<Node>) -> Result<Step, Fault> {
        let about = about(self.operation).ok_or(Fault::Unsupported)?;
        let node = match answer {
            Answer::Done(node) => node,
            Answer::Refused(refused) if refused.word() == "TRADE_NOT_EXIST" => return self.no_trade(&about),
            other => return Err(unknown(other)),
        };
        same("out_trade_no", node.out_trade_no.as_deref(), about.reference)?;
        same("trans_currency", Some(node.trans_currency.as_deref().unwrap_or("CNY")), "CNY")?;
        let total = amount("total_amount", node.total_amount.as_deref(), UNITS, CNY)?;
        if may_hold(about.scene)
            && total.minor() < about.money.minor()
            && matches!(self.operation, Operation::Query(_))
        {
            // A part of what was pre-authorized, or another payment: the pre-authorization knows.
            return self.ask(HOLD_ASK);
        }
        same_amount("total_amount", node.total_amount.as_deref(), UNITS, about.money)?;
        // Of a pre-authorization we may know another number.
        if let (Some(id), false) = (about.channel_id, may_hold(about.scene)) {
            same("trade_no", node.trade_no.as_deref(), id)?;
        }
        let at = beijing("send_pay_date", node.send_pay_date.as_deref())?;
        // A barcode payment that was reversed looks like one that was given back: neither is money we have.
        let was_paid = at.is_some() && about.scene != "barcode";
        let verdict = state(node.trade_status.as_deref(), was_paid)?;
        if verdict == Verdict::Pending
            && about.scene == "barcode"
            && matches!(self.operation, Operation::Close(_))
        {
            return self.ask(CANCEL);
        }
        Ok(Step::Done(Outcome { at, ..identified(verdict, node.trade_no).money(total) }))
    }

    fn no_trade(&self, about: &About<'_>) -> Result<Step, Fault> {
        match (self.operation, self.refusal) {
            (_, Some(row)) => Ok(done(row.decline())),
            (Operation::Query(_) | Operation::Close(_), None) if may_hold(about.scene) => self.ask(HOLD_ASK),
            _ => Ok(done(Verdict::Absent)),
        }
    }

    fn closed(&self, answer: Answer<Node>) -> Result<Step, Fault> {
        let about = about(self.operation).ok_or(Fault::Unsupported)?;
        match answer {
            // A reversal may have to be repeated.
            Answer::Done(node) if node.retry_flag.as_deref() != Some("Y") => {
                same("out_trade_no", node.out_trade_no.as_deref(), about.reference)?;
                Ok(Step::Done(identified(Verdict::Closed, node.trade_no)))
            }
            Answer::Refused(refused) if refused.word() == "TRADE_NOT_EXIST" => self.no_trade(&about),
            Answer::Refused(refused) if declines::NOT_OPEN.contains(&refused.word()) => self.ask(QUERY),
            other => Err(unknown(other)),
        }
    }
}

/// What follows.
impl Reading<'_> {
    /// A call about the same payment or refund.
    fn ask(&self, next: &'static str) -> Result<Step, Fault> {
        call(self.account, next, &self.named(next)?, self.cx).map_err(not_sent)
    }

    /// A refusal that is documented; whether it is said of a repeat is asked before it is believed.
    fn confirm(&self, of: char, refused: Refused) -> Result<Step, Fault> {
        let Some((number, _)) = declines::find(of, &refused) else { return Err(refused.unknown()) };
        let next = last_word(self.operation);
        if let Some((_, payment @ Payment { channel_id: None, .. })) = sharing(self.operation) {
            let content = content::trade(payment).map_err(not_sent)?;
            return call_at(self.account, UNNUMBERED + number, QUERY, &content, self.cx).map_err(not_sent);
        }
        let content = self.named(next)?;
        call_at(self.account, REFUSED + number, next, &content, self.cx).map_err(not_sent)
    }

    /// What a call about the same thing names.
    fn named(&self, next: &'static str) -> Result<serde_json::Value, Fault> {
        let content = match self.operation {
            Operation::Refund(refund) => content::refund(&refund.reference, &refund.payment),
            Operation::Transfer(transfer) => content::transfer_named(&transfer.reference),
            operation if next == SETTLE_ASK => {
                let (reference, payment) = sharing(operation).ok_or(Fault::Unsupported)?;
                content::shares_named(reference, payment.channel_id.as_deref().unwrap_or_default())
            }
            operation => {
                let about = about(operation).ok_or(Fault::Unsupported)?;
                let number = content::reference("reference", about.reference);
                number.map(|number| match next {
                    HOLD_ASK | HOLD_END => {
                        serde_json::json!({"out_order_no": number, "out_request_no": number})
                    }
                    _ => serde_json::json!({"out_trade_no": number}),
                })
            }
        };
        content.map_err(not_sent)
    }
}

/// The verdict behind a `trade_status`. `TRADE_CLOSED` is said of a trade that was never paid and of one that was
/// paid and given back in full; only traces of the payment tell them apart.
pub(super) fn state(status: Option<&str>, was_paid: bool) -> Result<Verdict, Fault> {
    match status {
        Some("TRADE_SUCCESS" | "TRADE_FINISHED") => Ok(Verdict::Succeeded),
        Some("TRADE_CLOSED") if was_paid => Ok(Verdict::Succeeded),
        Some("TRADE_CLOSED") => Ok(Verdict::Closed),
        Some("WAIT_BUYER_PAY") => Ok(Verdict::Pending),
        other => Err(Fault::Unexpected(format!("trade_status {other:?}"))),
    }
}

fn about(operation: &Operation) -> Option<About<'_>> {
    let (payment, money) = match operation {
        Operation::Pay(pay) => {
            let (reference, scene, money) = (pay.reference.as_str(), pay.method.scene(), pay.money);
            return Some(About { reference, channel_id: None, scene, money });
        }
        Operation::Query(query) => (&query.payment, query.payment.money),
        Operation::Close(close) => (&close.payment, close.payment.money),
        Operation::Void(void) => (&void.payment, void.payment.money),
        Operation::Capture(capture) => (&capture.payment, capture.money),
        operation => {
            let (_, payment) = sharing(operation)?;
            (payment, payment.money)
        }
    };
    let channel_id = payment.channel_id.as_deref();
    Some(About { reference: &payment.reference, channel_id, scene: payment.method.scene(), money })
}

fn done(verdict: Verdict) -> Step {
    Step::Done(Outcome::new(verdict))
}

fn identified(verdict: Verdict, number: Option<String>) -> Outcome {
    Outcome { channel_id: number, ..Outcome::new(verdict) }
}

/// An answer that does not fit the question.
fn unknown(answer: Answer<Node>) -> Fault {
    match answer {
        Answer::Refused(refused) => refused.unknown(),
        Answer::Done(_) | Answer::Waiting(_) => Fault::Unexpected("the answer does not fit the call".into()),
    }
}

/// The next call could not even be written.
fn not_sent(refusal: Refusal) -> Fault {
    Fault::Unexpected(format!("the next call: {refusal}"))
}
