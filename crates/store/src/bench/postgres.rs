//! The PostgreSQL store beside bare batches of arrays.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::try_join_all;
use paycore::time::Clock;
use paycore::verify::Verifiable;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement as Prepared};

use super::{GROUP, Load, ROUNDS, Row, TENANT, median, rate, sums, through};
use crate::driver::postgres::sets::for_many;
use crate::error::OpenError;
use crate::statement::Statement;
use crate::write::{Cell, Rows};
use crate::{event, ledger};

type Arrays = Vec<Box<dyn ToSql + Sync + Send>>;

/// Compares over `count` commits per round and load. Both databases have to be empty.
///
/// # Errors
/// [`OpenError`] where a database cannot be reached or written.
pub async fn postgres(
    address: &str,
    bare: &str,
    clock: &dyn Clock,
    count: usize,
) -> Result<Vec<Row>, OpenError> {
    crate::migrate(address).await?;
    crate::migrate(bare).await?;
    let store: Arc<dyn Verifiable> = crate::open(address).await?;
    let (client, connection) = tokio_postgres::connect(bare, NoTls).await?;
    tokio::spawn(async move { drop(connection.await) });
    let mut rows = Vec::new();
    for (turn, load) in Load::ALL.into_iter().enumerate() {
        let (mut through_store, mut through_bare) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let first = (turn * ROUNDS + round) * count;
            through_store.push(through(&store, clock, load.commits(first, count)).await?);
            through_bare.push(write(&client, clock, load, first, count).await?);
        }
        let (store, bare) = (median(through_store), median(through_bare));
        rows.push(Row { engine: "PostgreSQL", load, store, bare, target_percent: 50 });
    }
    Ok(rows)
}

/// One batch: how many commits, their arrays, what they add to each balance.
type Batch = (i64, BTreeMap<Statement, Arrays>, BTreeMap<String, (i64, i64)>);

/// Arrays built beforehand, one statement per table and batch, each batch one transaction.
async fn write(
    client: &Client,
    clock: &dyn Clock,
    load: Load,
    first: usize,
    count: usize,
) -> Result<u64, tokio_postgres::Error> {
    let mut prepared: BTreeMap<Statement, Prepared> = BTreeMap::new();
    let batches: Vec<Batch> = (first..first + count)
        .step_by(GROUP)
        .map(|start| batch(load, start, GROUP.min(first + count - start)))
        .collect();
    for statement in batches.iter().flat_map(|(_, batch, _)| batch.keys()) {
        if !prepared.contains_key(statement) {
            let write = statement.write();
            prepared.insert(*statement, client.prepare(&for_many(write.sql, write.types)).await?);
        }
    }
    let advance = client.prepare(event::ADVANCE.sql).await?;
    let fold = client.prepare(&for_many(ledger::FOLD.sql, ledger::FOLD.types)).await?;
    let tenant = TENANT.to_string();
    let start = clock.now();
    for (size, batch, sums) in &batches {
        let accounts: Vec<&str> = sums.keys().map(String::as_str).collect();
        let (tenants, currencies) = (vec![&*tenant; sums.len()], vec!["CNY"; sums.len()]);
        let (debits, credits): (Vec<i64>, Vec<i64>) = sums.values().copied().unzip();
        client.batch_execute("BEGIN").await?;
        client.query(&advance, &[&tenant, size]).await?;
        client.execute(&fold, &[&tenants, &accounts, &currencies, &debits, &credits]).await?;
        try_join_all(batch.iter().map(|(statement, arrays)| {
            let statement = &prepared[statement];
            let parameters: Vec<&(dyn ToSql + Sync)> = arrays.iter().map(|array| &**array as _).collect();
            async move { client.execute(statement, &parameters).await }
        }))
        .await?;
        client.batch_execute("COMMIT").await?;
    }
    Ok(rate(count, start, clock.now()))
}

/// The rows of a batch as one array per column.
fn batch(load: Load, first: usize, size: usize) -> Batch {
    let mut texts: BTreeMap<(Statement, usize), Vec<Option<String>>> = BTreeMap::new();
    let mut ints: BTreeMap<(Statement, usize), Vec<Option<i64>>> = BTreeMap::new();
    let mut commits = Vec::new();
    for number in first..first + size {
        let rows = Rows::of(TENANT, &load.commit(number as u128)).expect("a commit of the bench is sound");
        for step in rows.steps() {
            let types = step.statement.write().types.bytes();
            for (column, (letter, cell)) in types.zip(rows.cells(step)).enumerate() {
                let key = (step.statement, column);
                match (letter, cell) {
                    (b't', Cell::Text(span)) => {
                        texts.entry(key).or_default().push(Some(rows.str(*span).to_owned()))
                    }
                    (b't', _) => texts.entry(key).or_default().push(None),
                    (_, Cell::Int(value)) => ints.entry(key).or_default().push(Some(*value)),
                    (_, Cell::Position(at)) => ints.entry(key).or_default().push(Some(number as i64 + at)),
                    (_, _) => ints.entry(key).or_default().push(None),
                }
            }
        }
        commits.push(rows);
    }
    let mut columns: BTreeMap<(Statement, usize), Box<dyn ToSql + Sync + Send>> = BTreeMap::new();
    columns.extend(texts.into_iter().map(|(key, array)| (key, Box::new(array) as _)));
    columns.extend(ints.into_iter().map(|(key, array)| (key, Box::new(array) as _)));
    let mut arrays: BTreeMap<Statement, Arrays> = BTreeMap::new();
    for ((statement, _), array) in columns {
        arrays.entry(statement).or_default().push(array);
    }
    (size as i64, arrays, sums(commits.iter()))
}
