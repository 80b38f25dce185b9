//! Lists with cursors, the same for every list of the API.

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::store::Page;

/// Rows of a list where no limit is given.
const LIMIT_DEFAULT: u32 = 20;
/// Most rows of a list.
const LIMIT_MAX: u32 = 100;

/// One part of a list, newest first.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "List_of_{T}")]
pub struct List<T> {
    /// Always `list`.
    pub object: &'static str,
    /// The rows.
    pub data: Vec<T>,
    /// Whether there are more rows in the direction of travel.
    pub has_more: bool,
    /// What to pass as `starting_after` (or `after`) for the next part; null at the end.
    pub next_cursor: Option<String>,
}

/// A checked request for a part of a list.
#[derive(Debug, Clone)]
pub struct ListInput {
    limit: usize,
    after: Option<String>,
    before: Option<String>,
}

impl ListInput {
    /// Checks the three list parameters.
    pub fn new<I: ToString>(limit: Option<u32>, after: Option<I>, before: Option<I>) -> Result<Self> {
        let limit = Self::limit(limit)?;
        if after.is_some() && before.is_some() {
            return Err(Error::invalid("ending_before", "Give either `starting_after` or `ending_before`."));
        }
        let (after, before) = (after.map(|id| id.to_string()), before.map(|id| id.to_string()));
        Ok(ListInput { limit, after, before })
    }

    /// Checks a limit alone.
    pub fn limit(limit: Option<u32>) -> Result<usize> {
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Error::invalid("limit", format!("Must be 1 to {LIMIT_MAX}.")));
        }
        Ok(limit as usize)
    }

    /// What to ask the store for: one row more than wanted, to know whether there are more.
    pub fn fetch(&self) -> Page {
        Page { limit: self.limit + 1, after: self.after.clone(), before: self.before.clone() }
    }

    /// The list, from the rows the store gave for [`ListInput::fetch`].
    pub fn list<T>(&self, mut rows: Vec<T>, cursor: impl Fn(&T) -> String) -> List<T> {
        let has_more = rows.len() > self.limit;
        if has_more && self.before.is_some() {
            // The row too many is the one furthest from the cursor: the newest.
            rows.remove(0);
        }
        rows.truncate(self.limit);
        let next_cursor = rows.last().filter(|_| has_more || self.before.is_some()).map(cursor);
        List { object: "list", data: rows, has_more, next_cursor }
    }
}
