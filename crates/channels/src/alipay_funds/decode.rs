//! Replies about funds rather than trades: pre-authorizations, refunds, shares, transfers, and where a statement is.

use paycore::channel::{
    Fault, Operation, Outcome, Pay, QueryShare, Refund, Share, ShareOutcome, Step, Verdict,
};
use paycore::money::Money;

use super::super::encode::{
    CHARGE, FILE, HOLD_END, QUERY, REFUND_ASK, REFUSED, SETTLE_ASK, UNFREEZE, UNNUMBERED, call, call_at,
    share_of, sharing,
};
use super::super::{CNY, UNITS};
use super::{Reading, about, done, identified, not_sent, unknown};
use crate::dialect::archive;
use crate::dialect::openapi::Answer;
use crate::dialect::openapi::content::{self, Node};
use crate::dialect::openapi::declines::{self, Row};
use crate::dialect::reply::{amount, beijing, same, same_amount};

/// What a return of a share is called among the parts of a settlement.
pub(crate) const BACK: &str = "transfer_refund";

/// What became of one part of a settlement.
pub(crate) fn part_verdict(
    state: &str,
    code: Option<String>,
    text: Option<String>,
) -> Result<Verdict, Fault> {
    match state {
        "SUCCESS" => Ok(Verdict::Succeeded),
        "PROCESSING" => Ok(Verdict::Pending),
        "FAIL" => Ok(declines::failed(code, text)),
        other => Err(Fault::Unexpected(format!("state {other:?}"))),
    }
}

/// Under way while a part is; with some parts given and some not it is done, and each part says what became of it.
pub(crate) fn together(shares: &[ShareOutcome]) -> Verdict {
    let is = |verdict: &Verdict| shares.iter().any(|share| share.verdict == *verdict);
    match shares.first() {
        _ if is(&Verdict::Pending) => Verdict::Pending,
        Some(first) if !is(&Verdict::Succeeded) => first.verdict.clone(),
        _ => Verdict::Succeeded,
    }
}

/// Pre-authorizations.
impl Reading<'_> {
    pub(super) fn frozen(&self, answer: Answer<Node>, pay: &Pay) -> Result<Step, Fault> {
        match answer {
            Answer::Done(node) if node.status.as_deref() == Some("SUCCESS") => {
                same("out_order_no", node.out_order_no.as_deref(), &pay.reference)?;
                let held = same_amount("amount", node.amount.as_deref(), UNITS, pay.money)?;
                let at = beijing("gmt_trans", node.gmt_trans.as_deref())?;
                Ok(Step::Done(Outcome { at, ..identified(Verdict::Authorized, node.auth_no).money(held) }))
            }
            Answer::Done(node) | Answer::Waiting(node) if node.status.as_deref() != Some("SUCCESS") => {
                same("out_order_no", node.out_order_no.as_deref(), &pay.reference)?;
                Ok(Step::Done(identified(Verdict::Pending, node.auth_no)))
            }
            Answer::Refused(refused) => self.confirm('p', refused),
            other => Err(unknown(other)),
        }
    }

    /// What a pre-authorization looks like, for whoever asks; captures and voids go on from here.
    pub(super) fn hold(&self, answer: Answer<Node>) -> Result<Step, Fault> {
        let about = about(self.operation).ok_or(Fault::Unsupported)?;
        let node = match answer {
            Answer::Done(node) => node,
            Answer::Refused(refused) if declines::NO_HOLD.contains(&refused.word()) => {
                return Ok(done(self.refusal.map_or(Verdict::Absent, Row::decline)));
            }
            other => return Err(unknown(other)),
        };
        same("out_order_no", node.out_order_no.as_deref(), about.reference)?;
        let asked = match self.operation {
            Operation::Capture(capture) => capture.payment.money,
            _ => about.money,
        };
        let held = same_amount("amount", node.amount.as_deref(), UNITS, asked)?;
        let money = |name, text: &Option<String>| match text.as_deref() {
            None => Ok(Money::new(0, CNY)),
            text => amount(name, text, UNITS, CNY),
        };
        let paid = money("total_pay_amount", &node.total_pay_amount)?;
        let capture = matches!(self.operation, Operation::Capture(_));
        match node.order_status.as_deref() {
            Some("AUTHORIZED" | "FINISH") if paid.is_positive() && capture => self.ask(QUERY),
            Some("AUTHORIZED" | "FINISH") if paid.is_positive() => {
                Ok(Step::Done(Outcome::new(Verdict::Succeeded).money(paid)))
            }
            Some("AUTHORIZED") => {
                let rest = money("rest_amount", &node.rest_amount)?;
                let number = node.auth_no.ok_or_else(|| Fault::Unexpected("no auth_no".into()))?;
                self.go_on(number, node.order_title.as_deref().unwrap_or("-"), held, rest)
            }
            Some("INIT") => match self.operation {
                Operation::Close(_) | Operation::Void(_) => self.ask(HOLD_END),
                _ => Ok(Step::Done(identified(Verdict::Pending, node.auth_no))),
            },
            Some("FINISH" | "CLOSED") if capture => Ok(done(declines::TOO_LATE.decline())),
            Some("FINISH" | "CLOSED") => Ok(Step::Done(identified(Verdict::Closed, node.auth_no))),
            other => Err(Fault::Unexpected(format!("order_status {other:?}"))),
        }
    }

    fn go_on(&self, number: String, title: &str, held: Money, rest: Money) -> Result<Step, Fault> {
        let (next, content) = match self.operation {
            Operation::Capture(capture) => {
                (CHARGE, content::convert(&capture.payment, capture.money, &number, title))
            }
            Operation::Void(void) => (UNFREEZE, content::unfreeze(&void.payment, &number, rest)),
            _ => return Ok(Step::Done(identified(Verdict::Authorized, Some(number)).money(held))),
        };
        let step = content.and_then(|content| call(self.account, next, &content, self.cx));
        step.map_err(not_sent)
    }

    /// A pre-authorization that was given back, or ended before the payer came.
    pub(super) fn released(&self, answer: Answer<Node>) -> Result<Step, Fault> {
        let about = about(self.operation).ok_or(Fault::Unsupported)?;
        let node = match answer {
            Answer::Done(node) => node,
            other => return Err(unknown(other)),
        };
        same("out_order_no", node.out_order_no.as_deref(), about.reference)?;
        match node.status.as_deref() {
            None | Some("SUCCESS") => Ok(Step::Done(identified(Verdict::Closed, node.auth_no))),
            _ => Ok(done(Verdict::Pending)),
        }
    }
}

/// Refunds.
impl Reading<'_> {
    pub(super) fn refunded(&self, answer: Answer<Node>, refund: &Refund) -> Result<Step, Fault> {
        let node = match answer {
            Answer::Done(node) => node,
            Answer::Refused(refused) => return self.confirm('r', refused),
            other => return Err(unknown(other)),
        };
        same("out_trade_no", node.out_trade_no.as_deref(), &refund.payment.reference)?;
        // Everything given back of this trade so far, not what this refund gave.
        let total = amount("refund_fee", node.refund_fee.as_deref(), UNITS, CNY)?;
        if !(refund.money.minor()..=refund.captured.minor()).contains(&total.minor()) {
            return Err(Fault::Unacceptable(format!("refund_fee is {total}, refunding {}", refund.money)));
        }
        // "N" is said of a repeat and of a refund that did not move money (yet).
        if node.fund_change.as_deref() != Some("Y") || total != refund.money {
            return self.ask(REFUND_ASK);
        }
        let at = beijing("gmt_refund_pay", node.gmt_refund_pay.as_deref())?;
        Ok(Step::Done(Outcome { at, ..identified(Verdict::Succeeded, node.trade_no).money(total) }))
    }

    /// The state of a refund. Without a trace of it, a refusal that led here was the last word, and a refund that was
    /// accepted is not done yet.
    pub(super) fn refund_state(&self, answer: Answer<Node>) -> Result<Step, Fault> {
        let (payment, reference, money, accepted) = match self.operation {
            Operation::Refund(refund) => (&refund.payment, &refund.reference, refund.money, true),
            Operation::QueryRefund(query) => (&query.payment, &query.reference, query.money, false),
            _ => return Err(Fault::Unsupported),
        };
        let no_trace = || match self.refusal {
            Some(row) => done(row.decline()),
            None => done(if accepted { Verdict::Pending } else { Verdict::Absent }),
        };
        let node = match answer {
            Answer::Done(node) => node,
            Answer::Refused(refused) if refused.word() == "TRADE_NOT_EXIST" => return Ok(no_trace()),
            other => return Err(unknown(other)),
        };
        match node.refund_status.as_deref() {
            Some("REFUND_SUCCESS") => {}
            // Documented: without this field the refund was not received or failed, and may be sent again.
            None | Some("") => return Ok(no_trace()),
            Some(other) => return Err(Fault::Unexpected(format!("refund_status {other:?}"))),
        }
        same("out_trade_no", node.out_trade_no.as_deref(), &payment.reference)?;
        same("out_request_no", node.out_request_no.as_deref(), reference)?;
        let given = same_amount("refund_amount", node.refund_amount.as_deref(), UNITS, money)?;
        let at = beijing("gmt_refund_pay", node.gmt_refund_pay.as_deref())?;
        Ok(Step::Done(Outcome { at, ..identified(Verdict::Succeeded, node.trade_no).money(given) }))
    }
}

/// Shares and transfers.
impl Reading<'_> {
    /// The trade was asked for its number.
    pub(super) fn share_trade(&self, answer: Answer<Node>) -> Result<Step, Fault> {
        let about = about(self.operation).ok_or(Fault::Unsupported)?;
        match answer {
            Answer::Done(Node { out_trade_no, trade_no: Some(number), .. }) => {
                same("out_trade_no", out_trade_no.as_deref(), about.reference)?;
                if let (Some((reference, _)), Some(stage)) =
                    (sharing(self.operation), self.stage.checked_sub(UNNUMBERED))
                {
                    let content = content::shares_named(reference, &number).map_err(not_sent)?;
                    let step = call_at(self.account, REFUSED + stage, SETTLE_ASK, &content, self.cx);
                    return step.map_err(not_sent);
                }
                share_of(self.account, self.operation, &number, self.cx).map_err(not_sent)
            }
            Answer::Refused(refused) if refused.word() == "TRADE_NOT_EXIST" => Ok(done(Verdict::Absent)),
            other => Err(unknown(other)),
        }
    }

    /// A share was accepted: what became of each part is asked for. A release is done.
    pub(super) fn shared(&self, answer: Answer<Node>) -> Result<Step, Fault> {
        let (node, share) = match (answer, self.operation) {
            (Answer::Done(node), Operation::Share(share)) => (node, share),
            (Answer::Done(node), _) => return Ok(Step::Done(identified(Verdict::Succeeded, node.settle_no))),
            (Answer::Refused(refused), Operation::Share(_)) => return self.confirm('s', refused),
            (Answer::Refused(refused), _) => return declines::direct('s', refused).map(done),
            (other, _) => return Err(unknown(other)),
        };
        let number = node.trade_no.ok_or_else(|| Fault::Unexpected("no trade_no".into()))?;
        if let Some(ours) = &share.payment.channel_id {
            same("trade_no", Some(&number), ours)?;
        }
        let content = content::shares_named(&share.reference, &number);
        content.and_then(|content| call(self.account, SETTLE_ASK, &content, self.cx)).map_err(not_sent)
    }

    pub(super) fn share_state(&self, answer: Answer<Node>) -> Result<Step, Fault> {
        let node = match answer {
            Answer::Done(node) => node,
            other => return Err(unknown(other)),
        };
        let mut shares = Vec::new();
        for part in node.royalty_detail_list.into_iter().filter(|part| part.operation_type == "transfer") {
            let money = amount("amount", Some(&part.amount), UNITS, CNY)?;
            let verdict = part_verdict(&part.state, part.error_code, part.error_desc)?;
            shares.push(ShareOutcome { account: part.trans_in, money, verdict });
        }
        let (Operation::Share(Share { reference, .. }) | Operation::QueryShare(QueryShare { reference, .. })) =
            self.operation
        else {
            return Err(Fault::Unsupported);
        };
        if shares.is_empty() {
            let accepted = if matches!(self.operation, Operation::Share(_)) {
                Verdict::Pending
            } else {
                Verdict::Absent
            };
            return Ok(done(self.refusal.map_or(accepted, Row::decline)));
        }
        same("out_request_no", node.out_request_no.as_deref(), reference)?;
        if let Operation::Share(share) = self.operation {
            let sum = |moneys: &mut dyn Iterator<Item = Money>| {
                moneys.map(|money| i128::from(money.minor())).sum::<i128>()
            };
            let asked = sum(&mut share.shares.iter().map(|(_, money)| *money));
            if sum(&mut shares.iter().map(|share| share.money)) != asked {
                return Err(Fault::Unacceptable("the shares are not those we asked for".into()));
            }
        }
        let verdict = together(&shares);
        Ok(Step::Done(Outcome { shares, ..identified(verdict, node.settle_no) }))
    }

    /// A return was accepted: what became of it is asked for, because the answer tells of the payer's money only.
    pub(super) fn returned(&self, answer: Answer<Node>) -> Result<Step, Fault> {
        let (reference, payment) = sharing(self.operation).ok_or(Fault::Unsupported)?;
        let node = match answer {
            Answer::Done(node) => node,
            Answer::Refused(refused) => {
                let of = if declines::find('r', &refused).is_some() { 'r' } else { 's' };
                return self.confirm(of, refused);
            }
            other => return Err(unknown(other)),
        };
        same("out_trade_no", node.out_trade_no.as_deref(), &payment.reference)?;
        let number = node.trade_no.ok_or_else(|| Fault::Unexpected("no trade_no".into()))?;
        let content = content::shares_named(reference, &number);
        content.and_then(|content| call(self.account, SETTLE_ASK, &content, self.cx)).map_err(not_sent)
    }

    /// What became of a return. Without a trace of it, a refusal that led here was the last word, and a return that was
    /// accepted is not done yet.
    pub(super) fn return_state(&self, answer: Answer<Node>) -> Result<Step, Fault> {
        let Answer::Done(node) = answer else { return Err(unknown(answer)) };
        let (reference, money, traceless) = match self.operation {
            Operation::ReturnShare(back) => (&back.reference, back.money, Verdict::Pending),
            Operation::QueryReturn(query) => (&query.reference, query.money, Verdict::Absent),
            _ => return Err(Fault::Unsupported),
        };
        let mut parts = node.royalty_detail_list.into_iter().filter(|part| part.operation_type == BACK);
        let Some(part) = parts.next() else {
            return Ok(done(self.refusal.map_or(traceless, Row::decline)));
        };
        same("out_request_no", node.out_request_no.as_deref(), reference)?;
        if parts.next().is_some() {
            return Err(Fault::Unexpected("a return of several shares".into()));
        }
        let given = same_amount("amount", Some(&part.amount), UNITS, money)?;
        let verdict = part_verdict(&part.state, part.error_code, part.error_desc)?;
        Ok(Step::Done(identified(verdict, node.settle_no).money(given)))
    }

    pub(super) fn related(&self, answer: Answer<Node>) -> Result<Step, Fault> {
        match answer {
            Answer::Done(node) if node.result_code.as_deref() == Some("SUCCESS") => {
                Ok(done(Verdict::Succeeded))
            }
            Answer::Refused(refused) => declines::direct('b', refused).map(done),
            other => Err(unknown(other)),
        }
    }

    /// A transfer; only its query names the amount.
    pub(super) fn sent(&self, answer: Answer<Node>, asked: bool) -> Result<Step, Fault> {
        let (reference, money) = match self.operation {
            Operation::Transfer(transfer) => (&transfer.reference, transfer.money),
            Operation::QueryTransfer(query) => (&query.reference, query.money),
            _ => return Err(Fault::Unsupported),
        };
        let node = match answer {
            Answer::Done(node) => node,
            Answer::Refused(refused) if asked && refused.word() == "ORDER_NOT_EXIST" => {
                return Ok(done(self.refusal.map_or(Verdict::Absent, Row::decline)));
            }
            Answer::Refused(refused) if !asked => return self.confirm('t', refused),
            other => return Err(unknown(other)),
        };
        same("out_biz_no", node.out_biz_no.as_deref(), reference)?;
        let money = match asked {
            true => Some(same_amount("trans_amount", node.trans_amount.as_deref(), UNITS, money)?),
            false => None,
        };
        let verdict = match node.status.as_deref() {
            Some("SUCCESS") => Verdict::Succeeded,
            Some("DEALING" | "INIT" | "WAIT_PAY") => Verdict::Pending,
            // REFUND is said of money that came back.
            Some("FAIL" | "CLOSED" | "REFUND") => declines::failed(node.error_code, node.fail_reason),
            other => return Err(Fault::Unexpected(format!("status {other:?}"))),
        };
        let at = beijing("trans_date", node.trans_date.as_deref().or(node.pay_date.as_deref()))?;
        Ok(Step::Done(Outcome { at, money, ..identified(verdict, node.order_id) }))
    }
}

/// The statement file is fetched from an address that is good for half a minute.
pub(super) fn fetch(answer: Answer<Node>) -> Result<Step, Fault> {
    let url = match answer {
        Answer::Done(Node { bill_download_url: Some(url), .. }) => url,
        Answer::Refused(refused) if declines::NO_BILL.contains(&refused.word()) => {
            return Ok(done(Verdict::Absent));
        }
        other => return Err(unknown(other)),
    };
    archive::fetch(Some(&url), FILE)
}
