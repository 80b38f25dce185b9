//! What refuses a transfer. Nothing here changes anything: the answer is a row that can be written as it is.

use super::book::{Machine, NONE, Row, State, number};
use super::{Account, Action, Code, Deed, Freeze, Leg, Limit, Standing, Transfer, UpTo};
use crate::ledger::Side;
use crate::time::Timestamp;

type Decided = Result<Row, Code>;

impl Machine {
    pub(super) fn decide(&self, transfer: &Transfer) -> Decided {
        if transfer.id == 0 {
            return Err(Code::IdZero);
        }
        if let Some(at) = self.row_at(transfer.id) {
            let same = self.is_of(&self.rows[at as usize], &transfer.action);
            return Err(if same { Code::Exists } else { Code::ExistsDifferent });
        }
        number(self.rows.len()).ok_or(Code::Full)?;
        let row = match transfer.action {
            Action::Move(leg) => self.leg(&leg, Deed::Move),
            Action::Hold { leg, expires_at } => self.hold(&leg, expires_at),
            Action::Post { hold, amount } => self.post(hold, amount),
            Action::Void { hold } => self.waiting(hold).map(|(at, row)| release(at, row)),
            Action::Reverse { transfer } => self.reverse(transfer),
        };
        row.map(|row| Row { id: transfer.id, ..row })
    }

    /// Whether a row was written for this very action.
    fn is_of(&self, row: &Row, action: &Action) -> bool {
        let id_of = |at: u32| self.accounts[at as usize].0.id;
        let of = self.rows.get(row.of as usize).map_or(0, |of| of.id);
        let same_leg = |leg: &Leg| {
            (leg.debit, leg.credit, leg.amount, leg.up_to)
                == (id_of(row.debit), id_of(row.credit), row.asked, row.up_to)
        };
        match action {
            Action::Move(leg) => row.deed == Deed::Move && same_leg(leg),
            Action::Hold { leg, expires_at } => {
                row.deed == Deed::Hold && same_leg(leg) && expiry(*expires_at) == row.expires_at
            }
            Action::Post { hold, amount } => {
                row.deed == Deed::Post && *hold == of && amount.unwrap_or(0) == row.asked
            }
            Action::Void { hold } => row.deed == Deed::Void && *hold == of,
            Action::Reverse { transfer } => row.deed == Deed::Reverse && *transfer == of,
        }
    }

    fn hold(&self, leg: &Leg, expires_at: Option<Timestamp>) -> Decided {
        if expires_at.is_some_and(|at| at.micros() <= self.now.max(0)) {
            return Err(Code::ExpiresInPast);
        }
        let row = self.leg(leg, Deed::Hold)?;
        Ok(Row { expires_at: expiry(expires_at), ..row })
    }

    fn leg(&self, leg: &Leg, deed: Deed) -> Decided {
        if leg.amount <= 0 {
            return Err(Code::AmountNotPositive);
        }
        if leg.debit == leg.credit {
            return Err(Code::AccountsSame);
        }
        let debit = self.account_at(leg.debit).ok_or(Code::DebitNotFound)?;
        let credit = self.account_at(leg.credit).ok_or(Code::CreditNotFound)?;
        let row = Row { asked: leg.amount, up_to: leg.up_to, ..row(deed, debit, credit, leg.amount) };
        let (debit, credit) = (&self.accounts[debit as usize], &self.accounts[credit as usize]);
        if debit.0.tenant != credit.0.tenant {
            return Err(Code::TenantsDiffer);
        }
        if debit.0.currency != credit.0.currency {
            return Err(Code::CurrenciesDiffer);
        }
        movable(debit, credit)?;
        let amount = bounded(leg, &debit.1, &credit.1)?;
        within(debit, credit, amount)?;
        Ok(Row { amount, ..row })
    }

    fn post(&self, hold: u128, amount: Option<i64>) -> Decided {
        if amount.is_some_and(|amount| amount <= 0) {
            return Err(Code::AmountNotPositive);
        }
        let (at, held) = self.waiting(hold)?;
        let posted = amount.unwrap_or(held.amount);
        if posted > held.amount {
            return Err(Code::AmountExceedsHold);
        }
        movable(&self.accounts[held.debit as usize], &self.accounts[held.credit as usize])?;
        let row = row(Deed::Post, held.debit, held.credit, posted);
        Ok(Row { asked: amount.unwrap_or(0), of: at, ..row })
    }

    /// The hold, if it still waits.
    fn waiting(&self, hold: u128) -> Result<(u32, &Row), Code> {
        let at = self.row_at(hold).ok_or(Code::HoldNotFound)?;
        let row = &self.rows[at as usize];
        match row.state {
            _ if row.deed != Deed::Hold => Err(Code::HoldNotFound),
            State::Posted => Err(Code::HoldPosted),
            State::Voided => Err(Code::HoldVoided),
            State::Expired => Err(Code::HoldExpired),
            State::Standing | State::Reversed => Ok((at, row)),
        }
    }

    fn reverse(&self, transfer: u128) -> Decided {
        let at = self.row_at(transfer).ok_or(Code::TransferNotFound)?;
        let there = &self.rows[at as usize];
        if !matches!(there.deed, Deed::Move | Deed::Post) {
            return Err(Code::NotReversible);
        }
        if there.state == State::Reversed {
            return Err(Code::AlreadyReversed);
        }
        let row = row(Deed::Reverse, there.credit, there.debit, there.amount);
        let (debit, credit) = (&self.accounts[row.debit as usize], &self.accounts[row.credit as usize]);
        movable(debit, credit)?;
        within(debit, credit, row.amount)?;
        Ok(Row { of: at, ..row })
    }
}

fn row(deed: Deed, debit: u32, credit: u32, amount: i64) -> Row {
    Row {
        id: 0,
        amount,
        asked: 0,
        expires_at: 0,
        at: 0,
        debit,
        credit,
        of: NONE,
        deed,
        up_to: UpTo::Exact,
        state: State::Standing,
    }
}

/// The row that voids a hold.
fn release(at: u32, held: &Row) -> Row {
    Row { of: at, ..row(Deed::Void, held.debit, held.credit, held.amount) }
}

fn expiry(expires_at: Option<Timestamp>) -> i64 {
    expires_at.map_or(0, Timestamp::micros)
}

/// Neither account is closed or frozen on the side that is touched.
fn movable(debit: &(Account, Standing), credit: &(Account, Standing)) -> Result<(), Code> {
    if debit.1.closed {
        return Err(Code::DebitClosed);
    }
    if credit.1.closed {
        return Err(Code::CreditClosed);
    }
    if is_frozen(debit, Side::Debit) {
        return Err(Code::DebitFrozen);
    }
    if is_frozen(credit, Side::Credit) {
        return Err(Code::CreditFrozen);
    }
    Ok(())
}

fn is_frozen((account, standing): &(Account, Standing), touched: Side) -> bool {
    match standing.freeze {
        Freeze::None => false,
        Freeze::Outgoing => account.side != touched,
        Freeze::All => true,
    }
}

/// How much a leg moves. Differences of sums that are not negative cannot overflow.
fn bounded(leg: &Leg, debit: &Standing, credit: &Standing) -> Result<i64, Code> {
    let of_debit = (debit.credits - debit.debits).saturating_sub(debit.debits_held);
    let of_credit = (credit.debits - credit.credits).saturating_sub(credit.credits_held);
    let amount = match leg.up_to {
        UpTo::Exact => leg.amount,
        UpTo::Debit => leg.amount.min(of_debit),
        UpTo::Credit => leg.amount.min(of_credit),
        UpTo::Both => leg.amount.min(of_debit).min(of_credit),
    };
    if amount <= 0 { Err(Code::NothingToMove) } else { Ok(amount) }
}

/// The amount fits both accounts' sums and limits. Posting a hold changes neither, so that it asks nothing here.
fn within(debit: &(Account, Standing), credit: &(Account, Standing), amount: i64) -> Result<(), Code> {
    let sum = |posted: i64, held: i64| posted.checked_add(held)?.checked_add(amount);
    let debits = sum(debit.1.debits, debit.1.debits_held).ok_or(Code::Overflow)?;
    let credits = sum(credit.1.credits, credit.1.credits_held).ok_or(Code::Overflow)?;
    if debit.0.limit == Limit::DebitsWithinCredits && debits > debit.1.credits {
        return Err(Code::DebitLimit);
    }
    if credit.0.limit == Limit::CreditsWithinDebits && credits > credit.1.debits {
        return Err(Code::CreditLimit);
    }
    Ok(())
}
