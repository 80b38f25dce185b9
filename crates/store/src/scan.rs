//! Reading everything over all merchants, page by page, for the checks.

use async_trait::async_trait;
use paycore::id::MerchantId;
use paycore::store::{Read, StoreError};
use paycore::verify::{Cursor, Row, Scan, Table};

use crate::read::Select;
use crate::sql_store::{Driver, SqlStore};
use crate::{document, event, idempotency, ledger, order, refund, webhook};

type Page = Read<(Vec<Row>, Option<Cursor>)>;

#[async_trait]
impl<D: Driver> Scan for SqlStore<D> {
    async fn scan(&self, table: Table, cursor: Option<Cursor>, limit: usize) -> Page {
        let (tenant, key) = cursor.unwrap_or_default();
        let by_id = |sql| Select::new(sql).bind(tenant.as_str()).bind(key.as_str()).bind(count(limit));
        match table {
            Table::Orders => {
                page(self.all(by_id(order::SCAN), order::order).await?, limit, |row| row.id, Row::Order)
            }
            Table::Attempts => {
                let rows = self.all(by_id(order::SCAN_ATTEMPTS), order::attempt).await?;
                page(rows, limit, |row| row.id, Row::Attempt)
            }
            Table::Refunds => {
                page(self.all(by_id(refund::SCAN), refund::refund).await?, limit, |row| row.id, Row::Refund)
            }
            Table::Transactions => {
                let rows = ledger::join(self.all(by_id(ledger::SCAN), ledger::line).await?);
                page(rows, limit, |row| row.id, Row::Transaction)
            }
            Table::Claims => {
                let rows = self.all(by_id(idempotency::SCAN), idempotency::record).await?;
                page(rows, limit, |row| row.key.clone(), Row::Claim)
            }
            Table::Documents => {
                let rows = self.all(by_id(document::SCAN), document::document).await?;
                page(rows, limit, |row| row.id.clone(), Row::Document)
            }
            Table::Deliveries => {
                let rows = self.all(by_id(webhook::SCAN_DELIVERIES), webhook::delivery).await?;
                page(rows, limit, |row| row.id, Row::Delivery)
            }
            Table::Balances => {
                let (account, currency) = key.rsplit_once(' ').unwrap_or_default();
                let select =
                    Select::new(ledger::SCAN_BALANCES).bind(tenant.as_str()).bind(account).bind(currency);
                let rows = self.all(select.bind(count(limit)), ledger::balance).await?;
                page(rows, limit, |row| format!("{} {}", row.account, row.currency.code()), Row::Balance)
            }
            Table::Events => {
                let position = if key.is_empty() { Ok(0) } else { key.parse::<i64>() };
                let position = position.map_err(|_| StoreError("the cursor is not one of events".into()))?;
                let select = Select::new(event::SCAN).bind(tenant.as_str()).bind(position).bind(count(limit));
                page(self.all(select, event::event).await?, limit, |row| row.position, Row::Event)
            }
        }
    }
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn page<T, K: ToString>(
    rows: Vec<(MerchantId, T)>,
    limit: usize,
    key: fn(&T) -> K,
    wrap: fn(MerchantId, T) -> Row,
) -> Page {
    let last = rows.last().filter(|_| rows.len() == limit);
    let cursor = last.map(|(tenant, row)| (tenant.to_string(), key(row).to_string()));
    Ok((rows.into_iter().map(|(tenant, row)| wrap(tenant, row)).collect(), cursor))
}
