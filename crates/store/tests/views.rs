//! The documented views: on both engines they have exactly the columns that the page lists, and they show what
//! was committed.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

mod cluster;

use paycore::id::MerchantId;
use paycore::idempotency::Claim;
use paycore::ledger::Books;
use paycore::store::{Changes, Put};
use paycore::testkit::store_conformance::fixture;
use paycore::time::Timestamp;
use paycore_store::{migrate, open};

const PAGE: &str = include_str!("../../../docs/reference/views.md");

/// View and columns as the page lists them.
fn documented() -> Vec<(String, Vec<String>)> {
    let mut views: Vec<(String, Vec<String>)> = Vec::new();
    for line in PAGE.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            views.push((name.to_owned(), Vec::new()));
        } else if let Some(rest) = line.strip_prefix("| `") {
            let column = rest.split('`').next().unwrap().to_owned();
            views.last_mut().unwrap().1.push(column);
        }
    }
    views
}

/// One row in every view.
fn one_of_each() -> Changes {
    let order = fixture::paid_order(1);
    let attempt = fixture::attempt(1, &order);
    Changes {
        claim: Some(Claim::Open(fixture::record("key"))),
        puts: vec![
            Put::Refund(fixture::refund(1, &attempt, 500)),
            Put::Attempt(attempt),
            Put::Order(order),
            Put::Exception(fixture::exception(1, "ord_1")),
            Put::Books(Books { version: 0, closed_until: Timestamp::from_secs(1) }),
            Put::Delivery(fixture::delivery(1, fixture::event(1, "o", 1).id)),
            Put::Document(fixture::document(1)),
        ],
        transactions: vec![fixture::transaction(1, fixture::cny(10_000))],
        events: vec![fixture::event(1, "ord_1", 1)],
        audit: vec![fixture::audit(1)],
    }
}

async fn filled(address: &str) {
    migrate(address).await.unwrap();
    let store = open(address).await.unwrap();
    store.commit(MerchantId::from_bits(1), one_of_each()).await.unwrap();
}

#[tokio::test]
async fn the_views_of_sqlite_have_the_documented_columns_and_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("views.db");
    filled(&format!("sqlite:{}", path.display())).await;
    let connection = rusqlite::Connection::open(path).unwrap();
    let views = "SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name";
    let names: Vec<String> = connection
        .prepare(views)
        .unwrap()
        .query_map((), |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut documented = documented();
    documented.sort();
    assert_eq!(names, documented.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
    for (name, columns) in documented {
        let statement = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
        assert_eq!(statement.column_names().collect::<Vec<_>>(), columns, "{name}");
        let count: i64 =
            connection.query_row(&format!("SELECT count(*) FROM {name}"), (), |row| row.get(0)).unwrap();
        assert!(count > 0, "{name}");
    }
    let unbalanced = "SELECT count(*) FROM (SELECT sum(CASE side WHEN 'debit' THEN amount ELSE -amount END) AS sum \
                      FROM v_journal GROUP BY merchant_id, transaction_id, currency) AS sums WHERE sum <> 0";
    assert_eq!(connection.query_row(unbalanced, (), |row| row.get::<_, i64>(0)), Ok(0));
}

#[tokio::test]
async fn the_views_of_postgres_have_the_documented_columns_and_rows() {
    let address = cluster::database("views").await;
    filled(&address).await;
    let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let listed = "SELECT table_name::text, string_agg(column_name::text, ' ' ORDER BY ordinal_position) \
                  FROM information_schema.columns WHERE table_schema = 'public' AND table_name LIKE 'v\\_%' \
                  GROUP BY table_name ORDER BY table_name";
    let rows = client.query(listed, &[]).await.unwrap();
    let listed: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut documented: Vec<_> =
        documented().into_iter().map(|(name, columns)| (name, columns.join(" "))).collect();
    documented.sort();
    assert_eq!(listed, documented);
    for (name, _) in listed {
        let count: i64 = client.query_one(&format!("SELECT count(*) FROM {name}"), &[]).await.unwrap().get(0);
        assert!(count > 0, "{name}");
    }
    let collations = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' \
                      AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'";
    let count: i64 = client.query_one(collations, &[]).await.unwrap().get(0);
    assert_eq!(count, 0, "texts are ordered by bytes, whatever the database's own order");
}
