//! The migrations: one tree for both engines, applied in order, each in a transaction of its own.
//!
//! They only go forward and only add: a program of the version before must run beside this one on the new
//! schema, so that versions can be rolled out one machine at a time.

/// One step of the schema.
#[derive(Debug)]
pub(crate) struct Migration {
    /// 1, 2, 3 …
    pub(crate) version: i64,
    /// What it is about.
    pub(crate) name: &'static str,
    /// Its statements.
    pub(crate) sql: &'static str,
}

/// All of them, in order.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "tables", sql: include_str!("../migrations/0001_tables.sql") },
    Migration { version: 2, name: "views", sql: include_str!("../migrations/0002_views.sql") },
    Migration { version: 3, name: "epay keys", sql: include_str!("../migrations/0003_epay_keys.sql") },
    Migration { version: 4, name: "links", sql: include_str!("../migrations/0004_links.sql") },
    Migration { version: 5, name: "documents", sql: include_str!("../migrations/0005_documents.sql") },
    Migration { version: 6, name: "ledger", sql: include_str!("../migrations/0006_ledger.sql") },
    Migration { version: 7, name: "charged back", sql: include_str!("../migrations/0007_charged_back.sql") },
    Migration {
        version: 8,
        name: "cards of attempts",
        sql: include_str!("../migrations/0008_cards_of_attempts.sql"),
    },
];

/// The schema version this program needs.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Where the applied migrations are noted.
pub(crate) const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL)";
/// The version that is there.
pub(crate) const CURRENT: &str = "SELECT coalesce(max(version), 0) FROM schema_migrations";
/// Notes a migration.
pub(crate) const NOTE: &str = "INSERT INTO schema_migrations (version, name) VALUES ($1, $2)";

/// The migrations after a version.
pub(crate) fn pending(current: i64) -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS.iter().filter(move |migration| migration.version > current)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up_from_one() {
        let versions: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        assert_eq!(versions, (1..=SCHEMA_VERSION).collect::<Vec<_>>());
        assert_eq!(
            pending(1).map(|migration| migration.name).collect::<Vec<_>>(),
            ["views", "epay keys", "links", "documents", "ledger", "charged back", "cards of attempts"]
        );
    }

    #[test]
    fn columns_are_text_or_bigint_and_nothing_is_made_by_the_engine() {
        for migration in MIGRATIONS {
            let code: String =
                migration.sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
            let code = code.to_ascii_uppercase();
            for word in [
                "SERIAL",
                "CREATE SEQUENCE",
                "TRIGGER",
                "AUTOINCREMENT",
                "IDENTITY",
                "VARCHAR",
                "NUMERIC",
                "BOOLEAN",
                "TIMESTAMP",
                "JSONB",
                "FUNCTION",
                "REFERENCES",
                " REAL",
                "DOUBLE",
                " BLOB",
                "BYTEA",
            ] {
                assert!(!code.contains(word), "{}: {word}", migration.name);
            }
        }
    }
}
