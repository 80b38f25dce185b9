//! Reading everything, page by page, for the checks.

use std::ops::Bound;

use async_trait::async_trait;

use super::MemoryStore;
use super::table::{Of, Table as Rows};
use crate::id::MerchantId;
use crate::store::{Read, StoreError};
use crate::verify::{Cursor, Row, Scan, Table};

/// How a key is written in a cursor, and read back.
type Keys<K> = (fn(&K) -> String, fn(&str) -> Option<K>);

#[async_trait]
impl Scan for MemoryStore {
    async fn scan(
        &self,
        table: Table,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Read<(Vec<Row>, Option<Cursor>)> {
        macro_rules! by_id {
            ($table:ident, $row:ident) => {
                page(
                    &self.tables().$table,
                    (|id| id.to_string(), |id| id.parse().ok()),
                    Row::$row,
                    cursor,
                    limit,
                )
            };
        }
        match table {
            Table::Orders => by_id!(orders, Order),
            Table::Attempts => by_id!(attempts, Attempt),
            Table::Refunds => by_id!(refunds, Refund),
            Table::Transactions => by_id!(transactions, Transaction),
            Table::Claims => by_id!(claims, Claim),
            Table::Events => by_id!(events, Event),
            Table::Deliveries => by_id!(deliveries, Delivery),
            Table::Documents => by_id!(documents, Document),
            Table::Balances => page(
                &self.tables().balances,
                (
                    |(account, currency)| format!("{account} {currency}"),
                    |key| {
                        let (account, currency) = key.rsplit_once(' ')?;
                        Some((account.to_owned(), currency.parse().ok()?))
                    },
                ),
                Row::Balance,
                cursor,
                limit,
            ),
        }
    }
}

fn page<K: Ord + Clone, V: Clone>(
    rows: &Rows<Of<K>, V>,
    (text, parse): Keys<K>,
    row: fn(MerchantId, V) -> Row,
    cursor: Option<Cursor>,
    limit: usize,
) -> Read<(Vec<Row>, Option<Cursor>)> {
    let start = match &cursor {
        None => Bound::Unbounded,
        Some((tenant, key)) => {
            let key = tenant.parse().ok().zip(parse(key));
            Bound::Excluded(key.ok_or_else(|| StoreError("the cursor is not one of this table".into()))?)
        }
    };
    let taken: Vec<_> = rows.range((start, Bound::Unbounded)).take(limit).collect();
    let last = taken.last().filter(|_| taken.len() == limit);
    let next = last.map(|((tenant, key), _)| (tenant.to_string(), text(key)));
    Ok((taken.into_iter().map(|((tenant, _), value)| row(*tenant, value.clone())).collect(), next))
}
