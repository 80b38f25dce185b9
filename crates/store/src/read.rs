//! Reading: a statement built up from literal pieces, and a row read column by column into a value.

use std::borrow::Cow;
use std::str::FromStr;

use paycore::currency::Currency;
use paycore::money::Money;
use paycore::store::{Page, Read, StoreError};
use paycore::time::Timestamp;
use serde::de::DeserializeOwned;

/// One value bound to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Int(i64),
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(value.to_owned())
    }
}

impl Value {
    /// An id as its text.
    pub(crate) fn id(id: impl std::fmt::Display) -> Value {
        Value::Text(id.to_string())
    }
}

/// A statement that reads, and its values.
#[derive(Debug)]
pub(crate) struct Select {
    pub(crate) sql: Cow<'static, str>,
    pub(crate) values: Vec<Value>,
    /// The rows come in the opposite of the wanted order.
    pub(crate) reversed: bool,
}

impl Select {
    /// A statement whose values follow by [`Select::bind`].
    pub(crate) fn new(sql: &'static str) -> Self {
        Select { sql: Cow::Borrowed(sql), values: Vec::with_capacity(4), reversed: false }
    }

    /// The value of the next placeholder that stands in the text.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds a literal piece of text and, right after it, a placeholder for the value; nothing without a value.
    pub(crate) fn and(mut self, piece: &'static str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.values.push(value.into());
            let number = self.values.len();
            let sql = self.sql.to_mut();
            sql.push_str(piece);
            sql.push('$');
            sql.push_str(&number.to_string());
        }
        self
    }

    /// Adds a literal piece of text without a value.
    pub(crate) fn then(mut self, piece: &'static str) -> Self {
        self.sql.to_mut().push_str(piece);
        self
    }

    /// Adds the range, order and length of a page over ids.
    pub(crate) fn page(self, page: &Page) -> Self {
        let reversed = page.before.is_some();
        let order = if reversed { " ORDER BY id" } else { " ORDER BY id DESC" };
        let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
        let ranged = self.and(" AND id < ", page.after.as_deref()).and(" AND id > ", page.before.as_deref());
        Select { reversed, ..ranged.then(order).and(" LIMIT ", Some(limit)) }
    }

    /// Whether a value holds a character that no stored text has, so that nothing can match it.
    pub(crate) fn matches_nothing(&self) -> bool {
        self.values.iter().any(|value| matches!(value, Value::Text(text) if text.contains('\0')))
    }
}

/// A row of either engine, read from its first column to its last.
pub(crate) struct Row<'a> {
    columns: Columns<'a>,
    next: usize,
}

/// Where the columns come from.
#[derive(Clone, Copy)]
pub(crate) enum Columns<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl<'a> Row<'a> {
    /// A row of which nothing was read yet.
    pub(crate) fn new(columns: Columns<'a>) -> Self {
        Row { columns, next: 0 }
    }

    /// A text that may be NULL.
    pub(crate) fn maybe_text(&mut self) -> Read<Option<&'a str>> {
        let at = self.advance();
        match self.columns {
            Columns::Sqlite(row) => row.get_ref(at).map_err(unreadable)?.as_str_or_null().map_err(unreadable),
            Columns::Postgres(row) => row.try_get(at).map_err(unreadable),
        }
    }

    /// A number that may be NULL.
    pub(crate) fn maybe_int(&mut self) -> Read<Option<i64>> {
        let at = self.advance();
        match self.columns {
            Columns::Sqlite(row) => row.get_ref(at).map_err(unreadable)?.as_i64_or_null().map_err(unreadable),
            Columns::Postgres(row) => row.try_get(at).map_err(unreadable),
        }
    }

    /// A text.
    pub(crate) fn text(&mut self) -> Read<&'a str> {
        self.maybe_text()?.ok_or_else(|| self.corrupt("NULL"))
    }

    /// A text to keep.
    pub(crate) fn string(&mut self) -> Read<String> {
        self.text().map(str::to_owned)
    }

    /// A text to keep that may be NULL.
    pub(crate) fn maybe_string(&mut self) -> Read<Option<String>> {
        Ok(self.maybe_text()?.map(str::to_owned))
    }

    /// A number.
    pub(crate) fn int(&mut self) -> Read<i64> {
        self.maybe_int()?.ok_or_else(|| self.corrupt("NULL"))
    }

    /// A flag.
    pub(crate) fn flag(&mut self) -> Read<bool> {
        Ok(self.int()? != 0)
    }

    /// An instant.
    pub(crate) fn time(&mut self) -> Read<Timestamp> {
        self.int().map(Timestamp::from_micros)
    }

    /// An instant that may be NULL.
    pub(crate) fn maybe_time(&mut self) -> Read<Option<Timestamp>> {
        Ok(self.maybe_int()?.map(Timestamp::from_micros))
    }

    /// An id, a method, a currency: whatever reads itself from text.
    pub(crate) fn parse<T: FromStr>(&mut self) -> Read<T> {
        let text = self.text()?;
        text.parse().map_err(|_| self.corrupt(text))
    }

    /// Such a value that may be NULL.
    pub(crate) fn maybe_parse<T: FromStr>(&mut self) -> Read<Option<T>> {
        let Some(text) = self.maybe_text()? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.corrupt(text))
    }

    /// A word of a closed list.
    pub(crate) fn word<T>(&mut self, parse: fn(&str) -> Option<T>) -> Read<T> {
        let text = self.text()?;
        parse(text).ok_or_else(|| self.corrupt(text))
    }

    /// A value from JSON text.
    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Read<T> {
        let text = self.text()?;
        serde_json::from_str(text).map_err(|_| self.corrupt(text))
    }

    /// A value from JSON text that may be NULL.
    pub(crate) fn maybe_json<T: DeserializeOwned>(&mut self) -> Read<Option<T>> {
        let Some(text) = self.maybe_text()? else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|_| self.corrupt(text))
    }

    /// An amount and, in the next column, its currency.
    pub(crate) fn money(&mut self) -> Read<Money> {
        let minor = self.int()?;
        Ok(Money::new(minor, self.parse::<Currency>()?))
    }

    fn advance(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// The column read last holds what was never written there: the file is damaged or somebody edited it.
    fn corrupt(&self, found: &str) -> StoreError {
        let column = self.next - 1;
        let name = match self.columns {
            Columns::Sqlite(row) => row.as_ref().column_name(column).unwrap_or_default().to_owned(),
            Columns::Postgres(row) => row.columns()[column].name().to_owned(),
        };
        let start: String = found.chars().take(40).collect();
        StoreError(format!("column {name} holds what it cannot hold: {start:?}"))
    }
}

fn unreadable(error: impl std::fmt::Display) -> StoreError {
    StoreError(format!("a stored row cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(after: Option<&str>, before: Option<&str>) -> Select {
        let page = Page { limit: 5, after: after.map(Into::into), before: before.map(Into::into) };
        Select::new("SELECT id FROM orders WHERE merchant_id = $1").bind("mer_1").page(&page)
    }

    #[test]
    fn placeholders_are_numbered_as_the_values_come() {
        let select = page(Some("ord_9"), None);
        assert_eq!(
            select.sql,
            "SELECT id FROM orders WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
        );
        assert_eq!(select.values, [Value::from("mer_1"), Value::from("ord_9"), Value::Int(5)]);
        assert!(!select.reversed);
    }

    #[test]
    fn a_page_before_an_id_is_read_from_that_id_upwards() {
        let select = page(None, Some("ord_1"));
        assert_eq!(
            select.sql,
            "SELECT id FROM orders WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3"
        );
        assert!(select.reversed);
    }

    #[test]
    fn a_value_with_a_nul_character_matches_nothing() {
        assert!(page(Some("a\0"), None).matches_nothing());
        assert!(!page(Some("a"), None).matches_nothing());
    }
}
