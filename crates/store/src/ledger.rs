//! Journals, entries and balances.

use async_trait::async_trait;
use paycore::event::Movement;
use paycore::id::{MerchantId, TransactionId};
use paycore::ledger::{Balance, Entry, Ledger, Side, Transaction, TransactionFilter};
use paycore::store::{Page, Read};

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const INSERT: Write = Write {
    sql: "INSERT INTO transactions (merchant_id, id, kind, event_id, order_id, refund_id, amount, currency, \
          created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    types: "ttttttiti",
    expect: Expect::OneOrStale,
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

/// One row per entry, so that a journal and its entries come from one instant.
macro_rules! journal {
    ($head:literal) => {
        concat!(
            "SELECT t.merchant_id, t.id, t.kind, t.event_id, t.order_id, t.refund_id, t.amount, t.currency, \
             t.created_at, entries.account, entries.side, entries.amount, entries.currency FROM (",
            $head,
        )
    };
}

const HEAD_END: &str =
    ") AS t JOIN entries ON entries.merchant_id = t.merchant_id AND entries.transaction_id = t.id";

pub(crate) const SCAN: &str = concat!(
    journal!(
        "SELECT * FROM transactions WHERE (merchant_id, id) > ($1, $2) ORDER BY merchant_id, id LIMIT $3"
    ),
    ") AS t JOIN entries ON entries.merchant_id = t.merchant_id AND entries.transaction_id = t.id \
     ORDER BY t.merchant_id, t.id, entries.line"
);
pub(crate) const SCAN_BALANCES: &str = "SELECT merchant_id, account, currency, debits, credits FROM balances \
     WHERE (merchant_id, account, currency) > ($1, $2, $3) ORDER BY merchant_id, account, currency LIMIT $4";

/// The rows of a journal.
pub(crate) fn insert(rows: &mut Rows, transaction: &Transaction) {
    rows.step(Statement::TransactionInsert).id(transaction.id).text(transaction.kind.text());
    rows.id(transaction.event_id).maybe_id(transaction.order_id).maybe_id(transaction.refund_id);
    rows.int(transaction.money.minor())
        .text(transaction.money.currency().code())
        .time(transaction.created_at);
    for (line, entry) in (0..).zip(&transaction.entries) {
        rows.step(Statement::EntryInsert).id(transaction.id).int(line).text(&entry.account);
        rows.text(side_text(entry.side)).int(entry.money.minor()).text(entry.money.currency().code());
        rows.posting(entry);
    }
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
        entries: Vec::with_capacity(2),
    };
    let entry = Entry { account: row.string()?, side: row.word(side)?, money: row.money()? };
    transaction.entries.push(entry);
    Ok((tenant, transaction))
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
    let (account, currency) = (row.string()?, row.parse()?);
    Ok((tenant, Balance { account, currency, debits: row.int()?, credits: row.int()? }))
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
        let select =
            select.bind(Value::id(tenant)).bind(Value::id(id)).then(HEAD_END).then(" ORDER BY entries.line");
        Ok(join(self.all(select, line).await?).pop().map(|(_, transaction)| transaction))
    }

    async fn transactions(
        &self,
        tenant: MerchantId,
        filter: &TransactionFilter,
        page: &Page,
    ) -> Read<Vec<Transaction>> {
        let select = Select::new(journal!("SELECT * FROM transactions WHERE merchant_id = $1"));
        let select = select.bind(Value::id(tenant)).and(" AND order_id = ", filter.order_id.map(Value::id));
        // The outer order is newest first whichever way the page was read.
        let select = Select { reversed: false, ..select.page(page) };
        let select = select.then(HEAD_END).then(" ORDER BY t.id DESC, entries.line");
        let whole = join(self.all(select, line).await?);
        Ok(whole.into_iter().map(|(_, transaction)| transaction).collect())
    }

    async fn balances(&self, tenant: MerchantId) -> Read<Vec<Balance>> {
        let select = Select::new(
            "SELECT merchant_id, account, currency, debits, credits FROM balances WHERE merchant_id = $1 \
             ORDER BY account, currency",
        );
        self.own_list(select.bind(Value::id(tenant)), balance).await
    }
}
