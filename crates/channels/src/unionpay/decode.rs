//! Replies as outcomes. A reply to a request that changes something only says whether it was accepted; what became of it
//! is asked for at once, and again by the engine while it is open.

use paycore::channel::{
    Action, Context, Fault, Operation, Outcome, Pay, Payment, Reply, Stage, Statement, Step, Verdict,
};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::config::Account;
use super::encode::{CAPTURED, CHANGE, CONFIRM, Deal, FIRST, LOOKUP, REFUSED, VOIDED, settle_date};
use super::{CNY, UNITS};
use crate::dialect::acp::{FAILURES, declined, unpacked};
use crate::dialect::form::Form;
use crate::dialect::reply::{amount, beijing_yearless, done, not_sent, same, same_amount};

pub(super) fn next(
    account: &Account,
    operation: &Operation,
    stage: Stage,
    reply: &Reply,
    cx: &Context<'_>,
) -> Result<Step, Fault> {
    let form = account.seal.open_reply(reply, cx.now)?;
    same("merId", form.field("merId"), &account.mer_id)?;
    let said = Said { form: &form, now: cx.now };
    match operation {
        Operation::Pay(pay) => said.paying(account, pay, stage),
        Operation::Query(query) => said.standing(account, &query.payment, stage),
        Operation::QueryRefund(_) => done(said.state(&own(operation)?)?.outcome()),
        Operation::Statement(statement) => said.file(*statement),
        Operation::Capture(_) | Operation::Void(_) | Operation::Refund(_) => match stage {
            LOOKUP => match said.state(&Deal::origin(operation).map_err(not_sent)?)? {
                State::Succeeded(_, origin) => {
                    let origin = origin.channel_id.unwrap_or_default();
                    own(operation)?.make(account, &origin, CHANGE, cx).map_err(not_sent)
                }
                State::Pending => Err(Fault::Unexpected("what it is about is not settled".into())),
                State::Failed(..) | State::Absent => done(Outcome::new(declined("35", ""))),
            },
            FIRST | CHANGE => said.accepted(account, own(operation)?),
            _ => said.settled(&own(operation)?, stage),
        },
        _ => Err(Fault::Unsupported),
    }
}

fn own(operation: &Operation) -> Result<Deal<'_>, Fault> {
    Deal::of(operation).map_err(not_sent)
}

/// What a query says of one transaction.
enum State {
    /// It succeeded; with its `txnType`.
    Succeeded(String, Outcome),
    Pending,
    Failed(Verdict),
    Absent,
}

impl State {
    fn outcome(self) -> Outcome {
        match self {
            State::Succeeded(_, outcome) => outcome,
            State::Pending => Outcome::new(Verdict::Pending),
            State::Failed(verdict) => Outcome::new(verdict),
            State::Absent => Outcome::new(Verdict::Absent),
        }
    }
}

/// A message that was verified.
pub(super) struct Said<'a> {
    pub(super) form: &'a Form<'a>,
    pub(super) now: Timestamp,
}

impl Said<'_> {
    fn text(&self, name: &str) -> &str {
        self.form.field(name).unwrap_or_default()
    }

    /// Whether it is about this transaction.
    fn about(&self, deal: &Deal<'_>) -> Result<(), Fault> {
        same("orderId", self.form.field("orderId"), &deal.order_id)?;
        same("txnTime", self.form.field("txnTime"), &deal.at.beijing_compact())
    }

    /// UnionPay's own code and text, as an answer that settles nothing.
    fn unknown(&self, code: &str, message: &str) -> Fault {
        let short = |name, max| self.text(name).chars().take(max).collect();
        Fault::Unknown { code: short(code, 16), message: short(message, 200) }
    }

    /// Reads the answer to a query.
    fn state(&self, deal: &Deal<'_>) -> Result<State, Fault> {
        self.about(deal)?;
        match self.form.required("respCode")? {
            "00" => {}
            "34" => return Ok(State::Absent),
            _ => return Err(self.unknown("respCode", "respMsg")),
        }
        let kind = self.form.required("txnType")?;
        if !deal.kinds.contains(&kind) {
            return Err(Fault::Unacceptable(format!("txnType is {kind:?}, not one of {:?}", deal.kinds)));
        }
        match self.form.required("origRespCode")? {
            "00" | "A6" => Ok(State::Succeeded(kind.to_owned(), self.moved(kind, deal.money)?)),
            "03" | "04" | "05" | "70" | "83" => Ok(State::Pending),
            code if FAILURES.contains(&code) => Ok(State::Failed(declined(code, self.text("origRespMsg")))),
            _ => Err(self.unknown("origRespCode", "origRespMsg")),
        }
    }

    /// The outcome of a transaction that succeeded, in a query's answer or a notification.
    pub(super) fn moved(&self, kind: &str, money: Option<Money>) -> Result<Outcome, Fault> {
        const CLOCKS: std::time::Duration = std::time::Duration::from_secs(86_400);
        same("currencyCode", self.form.field("currencyCode"), "156")?;
        let text = self.form.field("txnAmt");
        let money = match money {
            Some(ours) => same_amount("txnAmt", text, UNITS, ours)?,
            None => amount("txnAmt", text, UNITS, CNY)?,
        };
        let verdict = match kind {
            "02" => Verdict::Authorized,
            "32" => Verdict::Closed,
            _ => Verdict::Succeeded,
        };
        let at = beijing_yearless(self.text("traceTime"), self.now.plus(CLOCKS));
        let outcome = Outcome::new(verdict).channel_id(self.form.required("queryId")?).money(money);
        Ok(Outcome { at, ..outcome })
    }

    fn paying(&self, account: &Account, pay: &Pay, stage: Stage) -> Result<Step, Fault> {
        let deal = Deal {
            method: &pay.method,
            kinds: &["01", "02"],
            order_id: pay.reference.clone(),
            at: pay.started_at,
            money: Some(pay.money),
        };
        if stage != FIRST {
            return self.settled(&deal, stage);
        }
        let given = |name| self.form.required(name).map(str::to_owned);
        let action = match (pay.method.scene(), self.form.required("respCode")?) {
            ("qr", "00") => Action::Qr { content: given("qrCode")? },
            ("app", "00") => Action::Client { parameters: vec![("tn".to_owned(), given("tn")?)] },
            _ => return self.accepted(account, deal),
        };
        self.about(&deal)?;
        done(Outcome::new(Verdict::Awaiting(action)))
    }

    /// What a payment has come to: taken, held, captured or voided.
    fn standing(&self, account: &Account, payment: &Payment, stage: Stage) -> Result<Step, Fault> {
        let ending = |letter, money| Deal::ending(payment, letter, money).map_err(not_sent);
        let ask = |letter, stage| ending(letter, None)?.ask(account, stage).map_err(not_sent);
        let outcome = match stage {
            CAPTURED => match self.state(&ending('c', None)?)? {
                State::Failed(_) | State::Absent => return ask('v', VOIDED),
                state => state.outcome(),
            },
            VOIDED => match self.state(&ending('v', Some(payment.money))?)? {
                // Neither captured nor voided: it is still held, as the first answer said.
                State::Failed(_) | State::Absent => Outcome::new(Verdict::Authorized).money(payment.money),
                state => state.outcome(),
            },
            _ => match self.state(&Deal::payment(payment).map_err(not_sent)?)? {
                State::Succeeded(kind, _) if kind == "02" && payment.ending_at.is_some() => {
                    return ask('c', CAPTURED);
                }
                state => state.outcome(),
            },
        };
        done(outcome)
    }

    /// Reads the answer to a request that changes something. Accepted, already known, or refused: each is settled by a
    /// query, because the same refusal may be said of the repeat of what was done.
    fn accepted(&self, account: &Account, deal: Deal<'_>) -> Result<Step, Fault> {
        self.about(&deal)?;
        let stage = match self.form.required("respCode")? {
            "00" | "03" | "04" | "05" | "12" | "A6" => CONFIRM,
            code => {
                let known = (REFUSED..).zip(FAILURES).find(|(_, known)| *known == code);
                known.ok_or_else(|| self.unknown("respCode", "respMsg"))?.0
            }
        };
        deal.ask(account, stage).map_err(not_sent)
    }

    /// What the confirming query came to. Where it finds nothing, the refusal that led to it counts, or the request is
    /// still on its way.
    fn settled(&self, deal: &Deal<'_>, stage: Stage) -> Result<Step, Fault> {
        let refusal = stage.checked_sub(REFUSED).and_then(|row| FAILURES.get(usize::from(row)));
        done(match (self.state(deal)?, refusal) {
            (State::Absent, Some(code)) => Outcome::new(declined(code, "")),
            (State::Absent, None) => Outcome::new(Verdict::Pending),
            (state, _) => state.outcome(),
        })
    }

    /// The statement file: a ZIP archive, compressed once more and in base64.
    fn file(&self, statement: Statement) -> Result<Step, Fault> {
        match self.form.required("respCode")? {
            "00" => same("settleDate", self.form.field("settleDate"), &settle_date(statement))?,
            "98" => return done(Outcome::new(Verdict::Absent)),
            _ => return Err(self.unknown("respCode", "respMsg")),
        }
        unpacked(self.form.required("fileContent")?).map(Step::File)
    }
}
