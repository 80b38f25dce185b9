//! The naive ledger: maps, sums in 128 bits, one command after the other. A chain works on copies of what it
//! touches and copies them back when it stands.

use std::collections::{BTreeMap, HashMap};

use paycore::ledger::Side;
use paycore::ledger::machine::{Account, Action, Code, Deed, Freeze, Leg, Limit, Transfer, UpTo};
use paycore::time::Timestamp;
use sha2::{Digest as _, Sha256};

#[derive(Clone)]
struct Book {
    account: Account,
    debits: i128,
    credits: i128,
    debits_held: i128,
    credits_held: i128,
    freeze: Freeze,
    closed: bool,
}

#[derive(Clone)]
struct Done {
    action: Action,
    deed: Deed,
    debit: u128,
    credit: u128,
    amount: i128,
    fate: Option<Deed>,
}

#[derive(Default)]
pub struct Naive {
    books: BTreeMap<u128, Book>,
    done: HashMap<u128, Done>,
    waiting: BTreeMap<(i64, u64), u128>,
    now: i64,
    orders: u64,
    journal: Sha256,
}

/// What a chain would change.
#[derive(Default)]
struct Draft {
    books: BTreeMap<u128, Book>,
    done: Vec<(u128, Done)>,
    lines: Vec<String>,
    waiting: Vec<((i64, u64), u128)>,
}

/// A row of the journal as text.
pub fn line(id: u128, deed: Deed, accounts: [u128; 2], amount: i128, of: u128, at: Timestamp) -> String {
    format!("{id} {deed:?} {accounts:?} {amount} {of} {}\n", at.micros())
}

impl Naive {
    pub fn sums(&self, account: u128) -> [i128; 4] {
        let book = &self.books[&account];
        [book.debits, book.credits, book.debits_held, book.credits_held]
    }

    pub fn digest(&self) -> Vec<u8> {
        self.journal.clone().finalize().to_vec()
    }

    pub fn open(&mut self, account: Account) -> Code {
        match self.books.get(&account.id) {
            _ if account.id == 0 => Code::IdZero,
            Some(book) if book.account == account => Code::Exists,
            Some(_) => Code::ExistsDifferent,
            None => {
                let (debits, credits, debits_held, credits_held) = (0, 0, 0, 0);
                let (freeze, closed) = (Freeze::None, false);
                let book = Book { account, debits, credits, debits_held, credits_held, freeze, closed };
                self.books.insert(account.id, book);
                Code::Applied
            }
        }
    }

    pub fn freeze(&mut self, account: u128, freeze: Freeze) -> Code {
        let Some(book) = self.books.get_mut(&account) else { return Code::AccountNotFound };
        if std::mem::replace(&mut book.freeze, freeze) == freeze { Code::Exists } else { Code::Applied }
    }

    pub fn close(&mut self, account: u128) -> Code {
        let Some(book) = self.books.get_mut(&account) else { return Code::AccountNotFound };
        let empty = book.debits - book.credits == 0 && book.debits_held + book.credits_held == 0;
        match (book.closed, empty) {
            (true, _) => Code::Exists,
            (false, false) => Code::NotEmpty,
            (false, true) => {
                book.closed = true;
                Code::Applied
            }
        }
    }

    pub fn tick(&mut self, now: Timestamp) {
        self.now = self.now.max(now.micros());
        while let Some((&key, &id)) = self.waiting.iter().next().filter(|((due, _), _)| *due <= self.now) {
            self.waiting.remove(&key);
            let hold = self.done.get_mut(&id).expect("it was made");
            if hold.fate.is_some() {
                continue;
            }
            hold.fate = Some(Deed::Expire);
            let Done { debit, credit, amount, .. } = *hold;
            self.books.get_mut(&debit).expect("there").debits_held -= amount;
            self.books.get_mut(&credit).expect("there").credits_held -= amount;
            let at = Timestamp::from_micros(self.now);
            self.journal.update(line(0, Deed::Expire, [debit, credit], amount, id, at));
        }
    }

    pub fn apply(&mut self, batch: &[Transfer]) -> Vec<Code> {
        let mut codes = Vec::new();
        let mut from = 0;
        while from < batch.len() {
            let mut to = from;
            while to < batch.len() && batch[to].linked {
                to += 1;
            }
            let ended = to < batch.len();
            let chain = &batch[from..batch.len().min(to + 1)];
            codes.extend(self.chain(chain, ended));
            from = to + 1;
        }
        codes
    }

    fn chain(&mut self, chain: &[Transfer], ended: bool) -> Vec<Code> {
        let mut draft = Draft::default();
        let mut codes: Vec<Code> = Vec::new();
        for transfer in chain {
            let refused = codes.iter().any(|code| !matches!(code, Code::Applied | Code::Exists));
            codes.push(if refused { Code::ChainFailed } else { self.one(&mut draft, transfer) });
        }
        if !ended {
            *codes.last_mut().expect("a chain has members") = Code::ChainOpen;
        }
        let bad = codes.iter().position(|code| !matches!(code, Code::Applied | Code::Exists));
        match bad {
            Some(bad) => codes.iter_mut().take(bad).for_each(|code| *code = Code::ChainFailed),
            None => self.settle(draft),
        }
        codes
    }

    fn settle(&mut self, draft: Draft) {
        self.books.extend(draft.books);
        self.done.extend(draft.done);
        self.waiting.extend(draft.waiting);
        draft.lines.iter().for_each(|line| self.journal.update(line));
    }

    fn find<'a>(&'a self, draft: &'a Draft, id: u128) -> Option<&'a Done> {
        let drafted = draft.done.iter().rev().find(|(drafted, _)| *drafted == id);
        drafted.map(|(_, done)| done).or_else(|| self.done.get(&id))
    }

    fn book(&self, draft: &Draft, id: u128) -> Option<Book> {
        draft.books.get(&id).or_else(|| self.books.get(&id)).cloned()
    }

    fn one(&mut self, draft: &mut Draft, transfer: &Transfer) -> Code {
        if transfer.id == 0 {
            return Code::IdZero;
        }
        if let Some(done) = self.find(draft, transfer.id) {
            return if done.action == transfer.action { Code::Exists } else { Code::ExistsDifferent };
        }
        let result = match transfer.action {
            Action::Move(leg) => self.leg(draft, leg, false),
            Action::Hold { leg, expires_at } => match expires_at {
                Some(at) if at.micros() <= self.now => Err(Code::ExpiresInPast),
                _ => self.leg(draft, leg, true),
            },
            Action::Post { hold, amount } => self.post(draft, hold, amount),
            Action::Void { hold } => self.void(draft, hold),
            Action::Reverse { transfer } => self.reverse(draft, transfer),
        };
        match result {
            Ok((deed, debit, credit, amount, of)) => {
                self.orders += 1;
                let (order, action) = (self.orders, transfer.action);
                let done = Done { action, deed, debit, credit, amount, fate: None };
                draft.done.push((transfer.id, done));
                if let Action::Hold { expires_at: Some(at), .. } = action {
                    draft.waiting.push(((at.micros(), order), transfer.id));
                }
                let at = Timestamp::from_micros(self.now);
                draft.lines.push(line(transfer.id, deed, [debit, credit], amount, of, at));
                Code::Applied
            }
            Err(code) => code,
        }
    }

    /// Both accounts, if they may be touched at all.
    fn pair(&self, draft: &Draft, debit: u128, credit: u128) -> Result<(Book, Book), Code> {
        let left = self.book(draft, debit).ok_or(Code::DebitNotFound)?;
        let right = self.book(draft, credit).ok_or(Code::CreditNotFound)?;
        let frozen = |book: &Book, side| {
            book.freeze == Freeze::All || (book.freeze == Freeze::Outgoing && book.account.side != side)
        };
        let rules = [
            (left.account.tenant != right.account.tenant, Code::TenantsDiffer),
            (left.account.currency != right.account.currency, Code::CurrenciesDiffer),
            (left.closed, Code::DebitClosed),
            (right.closed, Code::CreditClosed),
            (frozen(&left, Side::Debit), Code::DebitFrozen),
            (frozen(&right, Side::Credit), Code::CreditFrozen),
        ];
        match rules.into_iter().find(|(broken, _)| *broken) {
            Some((_, code)) => Err(code),
            None => Ok((left, right)),
        }
    }

    fn leg(&self, draft: &mut Draft, leg: Leg, hold: bool) -> Result<Row, Code> {
        if leg.amount < 1 {
            return Err(Code::AmountNotPositive);
        }
        if leg.debit == leg.credit {
            return Err(Code::AccountsSame);
        }
        let (left, right) = self.pair(draft, leg.debit, leg.credit)?;
        let mut amount = i128::from(leg.amount);
        if matches!(leg.up_to, UpTo::Debit | UpTo::Both) {
            amount = amount.min(left.credits - left.debits - left.debits_held);
        }
        if matches!(leg.up_to, UpTo::Credit | UpTo::Both) {
            amount = amount.min(right.debits - right.credits - right.credits_held);
        }
        if amount < 1 {
            return Err(Code::NothingToMove);
        }
        self.put(draft, left, right, amount, hold)?;
        let deed = if hold { Deed::Hold } else { Deed::Move };
        Ok((deed, leg.debit, leg.credit, amount, 0))
    }

    /// Adds an amount to both sides within limits and 64 bits.
    fn put(
        &self,
        draft: &mut Draft,
        mut left: Book,
        mut right: Book,
        amount: i128,
        hold: bool,
    ) -> Result<(), Code> {
        match hold {
            true => {
                (left.debits_held, right.credits_held) =
                    (left.debits_held + amount, right.credits_held + amount)
            }
            false => (left.debits, right.credits) = (left.debits + amount, right.credits + amount),
        }
        let (debits, credits) = (left.debits + left.debits_held, right.credits + right.credits_held);
        if debits.max(credits) > i128::from(i64::MAX) {
            return Err(Code::Overflow);
        }
        if left.account.limit == Limit::DebitsWithinCredits && left.credits - debits < 0 {
            return Err(Code::DebitLimit);
        }
        if right.account.limit == Limit::CreditsWithinDebits && right.debits - credits < 0 {
            return Err(Code::CreditLimit);
        }
        draft.books.insert(left.account.id, left);
        draft.books.insert(right.account.id, right);
        Ok(())
    }

    fn waiting(&self, draft: &Draft, hold: u128) -> Result<Done, Code> {
        let done = self.find(draft, hold).filter(|done| done.deed == Deed::Hold).ok_or(Code::HoldNotFound)?;
        match done.fate {
            None => Ok(done.clone()),
            Some(Deed::Post) => Err(Code::HoldPosted),
            Some(Deed::Void) => Err(Code::HoldVoided),
            Some(_) => Err(Code::HoldExpired),
        }
    }

    fn post(&self, draft: &mut Draft, hold: u128, amount: Option<i64>) -> Result<Row, Code> {
        if amount.is_some_and(|amount| amount < 1) {
            return Err(Code::AmountNotPositive);
        }
        let held = self.waiting(draft, hold)?;
        let posted = amount.map_or(held.amount, i128::from);
        if posted > held.amount {
            return Err(Code::AmountExceedsHold);
        }
        let (mut left, mut right) = self.pair(draft, held.debit, held.credit)?;
        left.debits += posted;
        right.credits += posted;
        self.release(draft, hold, held.clone(), left, right, Deed::Post);
        Ok((Deed::Post, held.debit, held.credit, posted, hold))
    }

    fn void(&self, draft: &mut Draft, hold: u128) -> Result<Row, Code> {
        let held = self.waiting(draft, hold)?;
        let left = self.book(draft, held.debit).expect("it was there");
        let right = self.book(draft, held.credit).expect("it was there");
        self.release(draft, hold, held.clone(), left, right, Deed::Void);
        Ok((Deed::Void, held.debit, held.credit, held.amount, hold))
    }

    fn release(&self, draft: &mut Draft, id: u128, held: Done, mut left: Book, mut right: Book, fate: Deed) {
        left.debits_held -= held.amount;
        right.credits_held -= held.amount;
        draft.books.insert(held.debit, left);
        draft.books.insert(held.credit, right);
        draft.done.push((id, Done { fate: Some(fate), ..held }));
    }

    fn reverse(&self, draft: &mut Draft, id: u128) -> Result<Row, Code> {
        let done = self.find(draft, id).ok_or(Code::TransferNotFound)?.clone();
        if done.deed != Deed::Move && done.deed != Deed::Post {
            return Err(Code::NotReversible);
        }
        if done.fate.is_some() {
            return Err(Code::AlreadyReversed);
        }
        let (left, right) = self.pair(draft, done.credit, done.debit)?;
        self.put(draft, left, right, done.amount, false)?;
        let (debit, credit, amount) = (done.credit, done.debit, done.amount);
        draft.done.push((id, Done { fate: Some(Deed::Reverse), ..done }));
        Ok((Deed::Reverse, debit, credit, amount, id))
    }
}

/// Deed, account debited, account credited, amount, what it is about.
type Row = (Deed, u128, u128, i128, u128);
