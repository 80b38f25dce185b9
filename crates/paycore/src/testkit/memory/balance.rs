//! Balances: what a commit adds to them, and what they may not become.

use super::rules::require;
use super::table::Tables;
use crate::currency::Currency;
use crate::id::MerchantId;
use crate::ledger::{AccountTerms, Balance, Books, Entry, Side};
use crate::store::CommitError;

type Done = Result<(), CommitError>;

impl Tables {
    /// Adds all entries of a commit, then looks at the accounts they touched: what one commit adds and takes counts
    /// together.
    pub(super) fn book(&mut self, tenant: MerchantId, entries: &[Entry]) -> Done {
        entries.iter().try_for_each(|entry| self.fold(tenant, entry))?;
        entries.iter().try_for_each(|entry| self.within(tenant, &entry.account, entry.money.currency()))
    }

    fn fold(&mut self, tenant: MerchantId, entry: &Entry) -> Done {
        let currency = entry.money.currency();
        let mut balance = self.balance(tenant, &entry.account, currency);
        let side = match entry.side {
            Side::Debit => &mut balance.debits,
            Side::Credit => &mut balance.credits,
        };
        let sum = side.checked_add(entry.money.minor());
        *side = sum.ok_or_else(|| CommitError::Broken("balances.sums".into()))?;
        self.balances.put((tenant, (entry.account.clone(), currency)), balance);
        Ok(())
    }

    /// The balance that is there, or the one that a first booking finds.
    fn balance(&self, tenant: MerchantId, account: &str, currency: Currency) -> Balance {
        let found = self.balances.get(&(tenant, (account.to_owned(), currency)));
        found.cloned().unwrap_or_else(|| Balance::empty(account, currency))
    }

    fn within(&self, tenant: MerchantId, account: &str, currency: Currency) -> Done {
        let balance = self.balance(tenant, account, currency);
        if balance.overdraft.is_some_and(|overdraft| balance.debits - balance.credits > overdraft) {
            return Err(CommitError::Floor);
        }
        match self.frozen_debits.get(&(tenant, (account.to_owned(), currency))) {
            Some(debits) if balance.debits > *debits => Err(CommitError::Frozen),
            _ => Ok(()),
        }
    }

    pub(super) fn account_terms(&mut self, tenant: MerchantId, terms: AccountTerms) -> Done {
        let mut balance = self.balance(tenant, &terms.account, terms.currency);
        if balance.version != terms.version {
            return Err(CommitError::Stale);
        }
        require(terms.overdraft.is_none_or(|overdraft| overdraft >= 0), "balances.overdraft")?;
        balance.version += 1;
        (balance.overdraft, balance.frozen) = (terms.overdraft, terms.frozen);
        let key = (tenant, (terms.account.clone(), terms.currency));
        match terms.frozen {
            true => self.frozen_debits.put(key.clone(), balance.debits),
            false => self.frozen_debits.remove(&key),
        }
        self.balances.put(key, balance);
        self.within(tenant, &terms.account, terms.currency)
    }

    pub(super) fn close_books(&mut self, tenant: MerchantId, mut books: Books) -> Done {
        let version = self.books.get(&tenant).map_or(0, |books| books.version);
        if version != books.version {
            return Err(CommitError::Stale);
        }
        books.version += 1;
        self.books.put(tenant, books);
        Ok(())
    }
}
