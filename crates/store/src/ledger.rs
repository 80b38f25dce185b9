//! Journals, entries, balances with their floors, and closed books.

use async_trait::async_trait;
use paycore::event::Movement;
use paycore::id::{MerchantId, TransactionId};
use paycore::ledger::{
    AccountTerms, Balance, Basis, Books, Entry, Ledger, Side, Transaction, TransactionFilter,
};
use paycore::store::{Page, Read};
use paycore::time::Timestamp;

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

/// Writes nothing where the books are closed for the instant the booking counts for. A commit that closes them and
/// one that books both have an event, and so wait for each other at the merchant's stream.
pub(crate) const INSERT: Write = Write {
    sql: "INSERT INTO transactions (merchant_id, id, kind, event_id, order_id, refund_id, amount, currency, \
          created_at, effective_at, reverses) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 \
          WHERE NOT EXISTS (SELECT 1 FROM books WHERE merchant_id = $1 AND closed_until > $10)",
    types: "ttttttitiit",
    expect: Expect::OneOrClosed,
};

pub(crate) const INSERT_ENTRY: Write = Write {
    sql: "INSERT INTO entries (merchant_id, transaction_id, line, account, side, amount, currency) \
          VALUES ($1, $2, $3, $4, $5, $6, $7)",
    types: "ttittit",
    expect: Expect::OneOrStale,
};

/// Adds to a balance. The writers sum the postings of many commits first.
pub(crate) const FOLD: Write = Write {
    sql: "INSERT INTO balances (merchant_id, account, currency, debits, credits) VALUES ($1, $2, $3, $4, $5) \
          ON CONFLICT (merchant_id, account, currency) DO UPDATE \
          SET debits = balances.debits + excluded.debits, credits = balances.credits + excluded.credits",
    types: "tttii",
    expect: Expect::Any,
};

/// Makes the row of an account that has a floor. The rules of a table are held against the row that an insert brings
/// even where it turns into an update, so that such an account is opened first and added to after.
pub(crate) const OPEN_FLOOR: Write = Write {
    sql: "INSERT INTO balances (merchant_id, account, currency, debits, credits, overdraft) \
          VALUES ($1, $2, $3, 0, 0, 0) ON CONFLICT (merchant_id, account, currency) DO NOTHING",
    types: "ttt",
    expect: Expect::Any,
};

/// Adds to the balance of an account that has a floor.
pub(crate) const FOLD_FLOOR: Write = Write {
    sql: "UPDATE balances SET debits = debits + $4, credits = credits + $5 \
          WHERE merchant_id = $1 AND account = $2 AND currency = $3",
    types: FOLD.types,
    expect: Expect::OneOrStale,
};

/// Makes the row of an account that nothing was booked on yet.
pub(crate) const OPEN_TERMS: Write = Write {
    sql: "INSERT INTO balances (merchant_id, account, currency, debits, credits, overdraft) \
          VALUES ($1, $2, $3, 0, 0, $4) ON CONFLICT (merchant_id, account, currency) DO NOTHING",
    types: "ttti",
    expect: Expect::Any,
};

pub(crate) const UPDATE_TERMS: Write = Write {
    sql: "UPDATE balances SET version = version + 1, overdraft = $5, \
          frozen_debits = CASE WHEN $6 = 1 THEN debits END \
          WHERE merchant_id = $1 AND account = $2 AND currency = $3 AND version = $4",
    types: "tttiii",
    expect: Expect::OneOrStale,
};

pub(crate) const INSERT_BOOKS: Write = Write {
    sql: "INSERT INTO books (merchant_id, version, closed_until) VALUES ($1, $2 + 1, $3) \
          ON CONFLICT (merchant_id) DO NOTHING",
    types: "tii",
    expect: Expect::OneOrStale,
};

pub(crate) const UPDATE_BOOKS: Write = Write {
    sql: "UPDATE books SET version = version + 1, closed_until = $3 WHERE merchant_id = $1 AND version = $2",
    types: "tii",
    expect: Expect::OneOrStale,
};

/// The columns of a transaction as [`head`] reads them, from `t`.
macro_rules! columns {
    () => {
        "t.merchant_id, t.id, t.kind, t.event_id, t.order_id, t.refund_id, t.amount, t.currency, t.created_at, \
         coalesce(t.effective_at, t.created_at), t.reverses, \
         entries.account, entries.side, entries.amount, entries.currency"
    };
}

/// One row per entry, so that a journal and its entries come from one instant.
macro_rules! journal {
    ($head:literal) => {
        concat!("SELECT ", columns!(), " FROM (", $head)
    };
}

/// Joins the transactions of a subquery to their entries.
macro_rules! entries {
    () => {
        ") AS t JOIN entries ON entries.merchant_id = t.merchant_id AND entries.transaction_id = t.id"
    };
}

pub(crate) const SCAN: &str = concat!(
    journal!(
        "SELECT * FROM transactions WHERE (merchant_id, id) > ($1, $2) ORDER BY merchant_id, id LIMIT $3"
    ),
    entries!(),
    " ORDER BY t.merchant_id, t.id, entries.line"
);

/// In order of booking: the order of their events.
const AFTER: &str = concat!(
    "SELECT t.position, ",
    columns!(),
    " FROM (SELECT transactions.*, events.position AS position FROM events \
     JOIN transactions ON transactions.merchant_id = events.merchant_id AND transactions.event_id = events.id \
     WHERE events.merchant_id = $1 AND events.position > $2 ORDER BY events.position LIMIT $3",
    entries!(),
    " ORDER BY t.position, entries.line"
);

/// The columns of a balance as [`balance`] reads them.
macro_rules! balances {
    ($debits:literal, $credits:literal, $($rest:expr),*) => {
        concat!(
            "SELECT balances.merchant_id, balances.account, balances.currency, balances.debits", $debits,
            ", balances.credits", $credits,
            ", balances.version, balances.overdraft, balances.frozen_debits FROM balances ", $($rest),*
        )
    };
}

pub(crate) const SCAN_BALANCES: &str = balances!(
    "",
    "",
    "WHERE (merchant_id, account, currency) > ($1, $2, $3) ORDER BY merchant_id, account, currency LIMIT $4"
);

/// The balances as they are now less what came after an instant.
macro_rules! balances_at {
    ($later:literal) => {
        balances!(
            " - coalesce(later.debits, 0)",
            " - coalesce(later.credits, 0)",
            "LEFT JOIN (SELECT entries.account AS account, entries.currency AS currency, \
             CAST(sum(CASE WHEN entries.side = 'debit' THEN entries.amount ELSE 0 END) AS BIGINT) AS debits, \
             CAST(sum(CASE WHEN entries.side = 'credit' THEN entries.amount ELSE 0 END) AS BIGINT) AS credits \
             FROM transactions JOIN entries ON entries.merchant_id = transactions.merchant_id \
             AND entries.transaction_id = transactions.id \
             WHERE transactions.merchant_id = $1 AND transactions.created_at > $2",
            $later,
            " GROUP BY entries.account, entries.currency) AS later \
             ON later.account = balances.account AND later.currency = balances.currency \
             WHERE balances.merchant_id = $1 ORDER BY balances.account, balances.currency"
        )
    };
}

const BALANCES_BOOKED: &str = balances_at!("");
/// Nothing counts for a later instant than the one it was booked at.
const BALANCES_EFFECTIVE: &str =
    balances_at!(" AND coalesce(transactions.effective_at, transactions.created_at) > $2");

/// The rows of a journal.
pub(crate) fn insert(rows: &mut Rows, transaction: &Transaction) {
    rows.step(Statement::TransactionInsert).id(transaction.id).text(transaction.kind.text());
    rows.id(transaction.event_id).maybe_id(transaction.order_id).maybe_id(transaction.refund_id);
    rows.int(transaction.money.minor()).text(transaction.money.currency().code());
    rows.time(transaction.created_at).time(transaction.effective_at).maybe_id(transaction.reverses);
    for (line, entry) in (0..).zip(&transaction.entries) {
        rows.step(Statement::EntryInsert).id(transaction.id).int(line).text(&entry.account);
        rows.text(side_text(entry.side)).int(entry.money.minor()).text(entry.money.currency().code());
        rows.posting(entry);
    }
}

/// The rows of what an account may do.
pub(crate) fn write_terms(rows: &mut Rows, terms: &AccountTerms) {
    if terms.version == 0 {
        rows.step(Statement::TermsOpen).text(&terms.account).text(terms.currency.code());
        rows.maybe_int(terms.overdraft);
    }
    rows.step(Statement::TermsUpdate).text(&terms.account).text(terms.currency.code()).int(terms.version);
    rows.maybe_int(terms.overdraft).flag(terms.frozen);
}

/// The row of a merchant's books.
pub(crate) fn write_books(rows: &mut Rows, books: &Books) {
    let statement = if books.version == 0 { Statement::BooksInsert } else { Statement::BooksUpdate };
    rows.step(statement).int(books.version).time(books.closed_until);
}

/// A journal with the one entry of this row.
pub(crate) fn line(row: &mut Row<'_>) -> Read<(MerchantId, Transaction)> {
    let tenant = row.parse()?;
    let mut transaction = Transaction {
        id: row.parse()?,
        kind: row.word(Movement::parse)?,
        event_id: row.parse()?,
        order_id: row.maybe_parse()?,
        refund_id: row.maybe_parse()?,
        money: row.money()?,
        created_at: row.time()?,
        effective_at: row.time()?,
        reverses: row.maybe_parse()?,
        entries: Vec::with_capacity(2),
    };
    let entry = Entry { account: row.string()?, side: row.word(side)?, money: row.money()? };
    transaction.entries.push(entry);
    Ok((tenant, transaction))
}

/// Such a row with the position of its event before it.
fn placed(row: &mut Row<'_>) -> Read<(i64, (MerchantId, Transaction))> {
    Ok((row.int()?, line(row)?))
}

/// Joins the rows of one journal, which follow each other.
pub(crate) fn join(lines: Vec<(MerchantId, Transaction)>) -> Vec<(MerchantId, Transaction)> {
    let mut whole: Vec<(MerchantId, Transaction)> = Vec::with_capacity(lines.len() / 2);
    for (tenant, mut line) in lines {
        match whole.last_mut() {
            Some((owner, last)) if (*owner, last.id) == (tenant, line.id) => {
                last.entries.append(&mut line.entries)
            }
            _ => whole.push((tenant, line)),
        }
    }
    whole
}

/// A balance with its tenant.
pub(crate) fn balance(row: &mut Row<'_>) -> Read<(MerchantId, Balance)> {
    let tenant = row.parse()?;
    let balance = Balance {
        account: row.string()?,
        currency: row.parse()?,
        debits: row.int()?,
        credits: row.int()?,
        version: row.int()?,
        overdraft: row.maybe_int()?,
        frozen: row.maybe_int()?.is_some(),
    };
    Ok((tenant, balance))
}

fn books(row: &mut Row<'_>) -> Read<Books> {
    Ok(Books { version: row.int()?, closed_until: row.time()? })
}

fn side_text(side: Side) -> &'static str {
    match side {
        Side::Debit => "debit",
        Side::Credit => "credit",
    }
}

fn side(text: &str) -> Option<Side> {
    [Side::Debit, Side::Credit].into_iter().find(|side| side_text(*side) == text)
}

#[async_trait]
impl<D: Driver> Ledger for SqlStore<D> {
    async fn transaction(&self, tenant: MerchantId, id: TransactionId) -> Read<Option<Transaction>> {
        let select = Select::new(journal!("SELECT * FROM transactions WHERE merchant_id = $1 AND id = $2"));
        let select = select.bind(Value::id(tenant)).bind(Value::id(id)).then(entries!());
        Ok(join(self.all(select.then(" ORDER BY entries.line"), line).await?).pop().map(|(_, found)| found))
    }

    async fn transactions(
        &self,
        tenant: MerchantId,
        filter: &TransactionFilter,
        page: &Page,
    ) -> Read<Vec<Transaction>> {
        let select = Select::new(journal!("SELECT * FROM transactions WHERE merchant_id = $1"));
        let select = select.bind(Value::id(tenant)).and(" AND order_id = ", filter.order_id.map(Value::id));
        let select = select.and(" AND kind = ", filter.kind.map(Movement::text));
        // The outer order is newest first whichever way the page was read.
        let select = Select { reversed: false, ..select.page(page) };
        let select = select.then(entries!()).then(" ORDER BY t.id DESC, entries.line");
        let whole = join(self.all(select, line).await?);
        Ok(whole.into_iter().map(|(_, transaction)| transaction).collect())
    }

    async fn booked_after(
        &self,
        tenant: MerchantId,
        position: i64,
        limit: usize,
    ) -> Read<Vec<(i64, Transaction)>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let select = Select::new(AFTER).bind(Value::id(tenant)).bind(position).bind(limit);
        let lines = self.all(select, placed).await?;
        let mut positions: Vec<i64> = lines.iter().map(|(position, _)| *position).collect();
        positions.dedup();
        let whole = join(lines.into_iter().map(|(_, line)| line).collect());
        Ok(positions.into_iter().zip(whole).map(|(position, (_, found))| (position, found)).collect())
    }

    async fn balances(&self, tenant: MerchantId) -> Read<Vec<Balance>> {
        let select = Select::new(balances!("", "", "WHERE merchant_id = $1 ORDER BY account, currency"));
        self.own_list(select.bind(Value::id(tenant)), balance).await
    }

    async fn balances_at(&self, tenant: MerchantId, at: Timestamp, basis: Basis) -> Read<Vec<Balance>> {
        let select = Select::new(match basis {
            Basis::Booked => BALANCES_BOOKED,
            Basis::Effective => BALANCES_EFFECTIVE,
        });
        self.own_list(select.bind(Value::id(tenant)).bind(at.micros()), balance).await
    }

    async fn books(&self, tenant: MerchantId) -> Read<Books> {
        let select = Select::new("SELECT version, closed_until FROM books WHERE merchant_id = $1");
        Ok(self.all(select.bind(Value::id(tenant)), books).await?.pop().unwrap_or_default())
    }
}
