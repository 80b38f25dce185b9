//! The statement for one row turned into the statement for many: its placeholders become columns of arrays.

/// A statement that writes one row per element of its arrays. `types` has one letter per placeholder.
///
/// `INSERT … VALUES ($1, $2)` becomes `INSERT … SELECT u.c1, u.c2 FROM UNNEST(…) AS u(c1, c2)`, and
/// `UPDATE … WHERE …` gets the arrays as its FROM.
pub(crate) fn for_many(sql: &str, types: &str) -> String {
    let arrays = types.chars().enumerate().map(|(at, letter)| {
        let name = if letter == 't' { "text" } else { "bigint" };
        format!("${}::{name}[]", at + 1)
    });
    let names = (1..=types.len()).map(|number| format!("c{number}"));
    let from = format!("FROM UNNEST({}) AS u({})", list(arrays), list(names));
    if let Some((head, rest)) = sql.split_once("VALUES (")
        && let Some((row, tail)) = rest.split_once(')')
    {
        return format!("{head}SELECT {} {from}{tail}", columns(row));
    }
    let (set, condition) = sql.split_once(" WHERE ").unwrap_or((sql, ""));
    format!("{} {from} WHERE {}", columns(set), columns(condition))
}

/// The migrations' columns ordered by bytes, whatever the database's own order: ids then sort as in SQLite, and
/// indexes over them compare at full speed.
pub(super) fn with_plain_order(migration: &str) -> String {
    migration.replace(" TEXT", " TEXT COLLATE \"C\"")
}

/// Placeholders as columns of the arrays.
fn columns(sql: &str) -> String {
    sql.replace('$', "u.c")
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insert_selects_its_rows_from_arrays() {
        assert_eq!(
            for_many("INSERT INTO t (a, b) VALUES ($1, $2 + 1) ON CONFLICT (a) DO NOTHING", "ti"),
            "INSERT INTO t (a, b) SELECT u.c1, u.c2 + 1 FROM UNNEST($1::text[], $2::bigint[]) AS u(c1, c2) \
             ON CONFLICT (a) DO NOTHING"
        );
    }

    #[test]
    fn an_update_joins_the_arrays() {
        assert_eq!(
            for_many("UPDATE t SET version = version + 1, b = $3 WHERE a = $1 AND version = $2", "tii"),
            "UPDATE t SET version = version + 1, b = u.c3 \
             FROM UNNEST($1::text[], $2::bigint[], $3::bigint[]) AS u(c1, c2, c3) \
             WHERE a = u.c1 AND version = u.c2"
        );
    }

    #[test]
    fn text_columns_are_ordered_by_bytes() {
        assert_eq!(
            with_plain_order("id TEXT NOT NULL, n BIGINT"),
            "id TEXT COLLATE \"C\" NOT NULL, n BIGINT"
        );
    }
}
