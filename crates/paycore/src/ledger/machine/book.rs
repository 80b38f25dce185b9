//! What the machine keeps, and the only code that changes it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::places::Places;
use super::{Account, Code, Deed, Freeze, Record, Standing, Transfer, UpTo};
use crate::time::Timestamp;

/// Where no row or account is meant.
pub(super) const NONE: u32 = u32::MAX;

/// Accounts, transfers and their journal. See [the module](super).
#[derive(Debug, Default)]
pub struct Machine {
    pub(super) accounts: Vec<(Account, Standing)>,
    account_places: Places,
    pub(super) rows: Vec<Row>,
    row_places: Places,
    /// Holds that may run out, the next one first; those that ended before stay until their time.
    expiries: BinaryHeap<Reverse<(i64, u32)>>,
    /// Microseconds.
    pub(super) now: i64,
}

/// One row of the journal with what its transfer asked for, so that the same can be told from another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) id: u128,
    /// What moved, or was held or released.
    pub(super) amount: i64,
    /// The amount in the request; zero for "all of it".
    pub(super) asked: i64,
    /// Microseconds; zero for never.
    pub(super) expires_at: i64,
    pub(super) at: i64,
    pub(super) debit: u32,
    pub(super) credit: u32,
    /// The row of the hold or the transfer it is about.
    pub(super) of: u32,
    pub(super) deed: Deed,
    pub(super) up_to: UpTo,
    pub(super) state: State,
}

/// What became of a row since it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// A hold that waits, or a transfer that was not moved back.
    Standing,
    Posted,
    Voided,
    Expired,
    Reversed,
}

impl Machine {
    /// Opens an account. The same again is [`Code::Exists`].
    pub fn open(&mut self, account: Account) -> Code {
        if account.id == 0 {
            return Code::IdZero;
        }
        if let Some(at) = self.account_at(account.id) {
            let same = self.accounts[at as usize].0 == account;
            return if same { Code::Exists } else { Code::ExistsDifferent };
        }
        let Some(at) = number(self.accounts.len()) else { return Code::Full };
        let accounts = &self.accounts;
        self.account_places.insert(account.id, at, |at| accounts[at as usize].0.id);
        self.accounts.push((account, Standing::default()));
        Code::Applied
    }

    /// Freezes an account, or frees it. Holds can still be voided and still run out.
    pub fn freeze(&mut self, account: u128, freeze: Freeze) -> Code {
        let Some(at) = self.account_at(account) else { return Code::AccountNotFound };
        let standing = &mut self.accounts[at as usize].1;
        match standing.freeze == freeze {
            true => Code::Exists,
            false => {
                standing.freeze = freeze;
                Code::Applied
            }
        }
    }

    /// Closes an account for good. It must be empty.
    pub fn close(&mut self, account: u128) -> Code {
        let Some(at) = self.account_at(account) else { return Code::AccountNotFound };
        let standing = &mut self.accounts[at as usize].1;
        if standing.closed {
            return Code::Exists;
        }
        if standing.debits != standing.credits || standing.debits_held != 0 || standing.credits_held != 0 {
            return Code::NotEmpty;
        }
        standing.closed = true;
        Code::Applied
    }

    /// Applies a batch in order: one code per transfer.
    pub fn apply(&mut self, batch: &[Transfer]) -> Vec<Code> {
        let mut codes = Vec::with_capacity(batch.len());
        let mut rest = batch;
        while !rest.is_empty() {
            let end = rest.iter().position(|transfer| !transfer.linked);
            let (chain, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            self.chain(chain, end.is_some(), &mut codes);
            rest = after;
        }
        codes
    }

    /// Moves the machine's time forward and releases the holds that ran out; says how many. Time that goes back
    /// is not believed.
    pub fn tick(&mut self, now: Timestamp) -> usize {
        self.now = self.now.max(now.micros());
        let before = self.rows.len();
        while let Some(&Reverse((due, hold))) = self.expiries.peek() {
            if due > self.now || number(self.rows.len()).is_none() {
                break;
            }
            self.expiries.pop();
            let row = self.rows[hold as usize];
            if row.state == State::Standing {
                self.write(Row { id: 0, deed: Deed::Expire, of: hold, asked: 0, expires_at: 0, ..row });
            }
        }
        self.rows.len() - before
    }

    /// What stands on an account.
    pub fn standing(&self, account: u128) -> Option<Standing> {
        self.account_at(account).map(|at| self.accounts[at as usize].1)
    }

    /// Every account with what stands on it, in the order in which they were opened.
    pub fn accounts(&self) -> impl Iterator<Item = &(Account, Standing)> {
        self.accounts.iter()
    }

    pub(super) fn account_at(&self, id: u128) -> Option<u32> {
        self.account_places.find(id, |at| self.accounts[at as usize].0.id)
    }

    pub(super) fn row_at(&self, id: u128) -> Option<u32> {
        self.row_places.find(id, |at| self.rows[at as usize].id)
    }

    /// The journal from its beginning.
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record> {
        self.rows.iter().map(|row| Record {
            id: row.id,
            deed: row.deed,
            debit: self.accounts[row.debit as usize].0.id,
            credit: self.accounts[row.credit as usize].0.id,
            amount: row.amount,
            of: self.rows.get(row.of as usize).map_or(0, |of| of.id),
            at: Timestamp::from_micros(row.at),
        })
    }

    /// Transfers that stand or fall together; `ended` where the batch had the end of it.
    fn chain(&mut self, chain: &[Transfer], ended: bool, codes: &mut Vec<Code>) {
        let start = self.rows.len();
        let mut failed = None;
        let first = codes.len();
        for (at, transfer) in chain.iter().enumerate() {
            let open = !ended && at + 1 == chain.len();
            let code = match failed {
                _ if open => Code::ChainOpen,
                Some(_) => Code::ChainFailed,
                None => self.one(transfer),
            };
            if failed.is_none() && !code.stands() {
                failed = Some(at);
            }
            codes.push(code);
        }
        if let Some(failed) = failed {
            self.take_back(start);
            codes[first..first + failed].fill(Code::ChainFailed);
        }
        for (at, row) in self.rows.iter().enumerate().skip(start) {
            if row.deed == Deed::Hold && row.expires_at > 0 {
                self.expiries.push(Reverse((row.expires_at, at as u32)));
            }
        }
    }

    fn one(&mut self, transfer: &Transfer) -> Code {
        match self.decide(transfer) {
            Ok(row) => {
                self.write(row);
                Code::Applied
            }
            Err(code) => code,
        }
    }

    /// Appends a row. Whoever made it has seen that it can stand.
    fn write(&mut self, row: Row) {
        self.shift(&row, 1);
        if let Some(of) = self.rows.get_mut(row.of as usize) {
            of.state = match row.deed {
                Deed::Post => State::Posted,
                Deed::Void => State::Voided,
                Deed::Expire => State::Expired,
                Deed::Move | Deed::Hold | Deed::Reverse => State::Reversed,
            };
        }
        if row.id != 0 {
            let rows = &self.rows;
            self.row_places.insert(row.id, rows.len() as u32, |at| rows[at as usize].id);
        }
        self.rows.push(Row { at: self.now, state: State::Standing, ..row });
    }

    /// Takes back every row from `start` on, the last first.
    fn take_back(&mut self, start: usize) {
        while self.rows.len() > start {
            let Some(row) = self.rows.pop() else { return };
            self.row_places.remove(row.id, self.rows.len() as u32);
            if let Some(of) = self.rows.get_mut(row.of as usize) {
                of.state = State::Standing;
            }
            self.shift(&row, -1);
        }
    }

    /// Adds what a row does to both accounts, or takes it away again.
    fn shift(&mut self, row: &Row, sign: i64) {
        let released = match row.deed {
            Deed::Post | Deed::Void | Deed::Expire => self.rows[row.of as usize].amount,
            Deed::Move | Deed::Hold | Deed::Reverse => 0,
        };
        let (posted, held) = match row.deed {
            Deed::Move | Deed::Reverse => (row.amount, 0),
            Deed::Hold => (0, row.amount),
            Deed::Post => (row.amount, -released),
            Deed::Void | Deed::Expire => (0, -released),
        };
        let debit = &mut self.accounts[row.debit as usize].1;
        debit.debits += sign * posted;
        debit.debits_held += sign * held;
        let credit = &mut self.accounts[row.credit as usize].1;
        credit.credits += sign * posted;
        credit.credits_held += sign * held;
    }
}

/// The number of the next of so many rows, while there is one.
pub(super) fn number(rows: usize) -> Option<u32> {
    u32::try_from(rows).ok().filter(|at| *at < NONE)
}
