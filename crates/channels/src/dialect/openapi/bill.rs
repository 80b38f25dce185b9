//! The platform's bills: a ZIP whose summary may stand before the details, GBK text without quoting, notes that begin
//! with `#` around a table. Product names and remarks may hold commas, so a row is split from both ends: the columns
//! between have a form, and show which commas belong to the name.

use std::io::BufRead;

use paycore::channel::Fault;
use paycore::currency::Currency;
use paycore::money::Money;

use super::content::UNITS;
use crate::dialect::lines::{Lines, cells};
use crate::dialect::zip;

/// What a bill looks like.
pub(crate) struct Layout {
    /// The first line.
    pub(crate) title: &'static str,
    /// The line above the rows.
    pub(crate) columns: &'static str,
    /// The column of the product name.
    pub(crate) name: usize,
    /// How the two totals are written: before the number of rows, and before the sum.
    pub(crate) totals: [(&'static str, &'static str); 2],
}

/// A row as it was read, the columns in their places.
pub(crate) struct Row<'r> {
    cells: &'r [&'r str],
    name: usize,
    in_name: usize,
}

impl Row<'_> {
    /// A cell.
    pub(crate) fn at(&self, column: usize) -> &str {
        self.cells[if column > self.name { column + self.in_name } else { column }]
    }

    /// A cell that is not empty.
    pub(crate) fn known(&self, column: usize) -> Option<String> {
        Some(self.at(column)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A cell that is an amount.
    pub(crate) fn fen(&self, column: usize) -> Option<i64> {
        fen(self.at(column))
    }
}

/// Which total a row belongs to, and what it adds to it.
pub(crate) type Counted = (usize, i64);

/// What becomes of a row, if it can be read that way.
pub(crate) type Reading<'f, L> = dyn Fn(&Layout, &Row<'_>) -> Option<(L, Counted)> + 'f;

/// Reads the one bill in a file, an archive or already out of it, and hands what `row` makes of every row to `each`. A
/// row with no reading, or with two, is not understood. Counts and sums are checked against the totals; `seller` is
/// whose the bill must be.
pub(crate) fn read<L>(
    file: &mut dyn BufRead,
    layouts: &[Layout],
    seller: Option<&str>,
    row: &Reading<'_, L>,
    each: &mut dyn FnMut(L),
) -> Result<(), Fault> {
    let mut one = |content: &mut dyn BufRead| {
        let mut lines = Lines::new(content);
        let title = lines.next()?;
        let layout = layouts.iter().find(|layout| title.as_deref() == Some(layout.title));
        match layout {
            Some(layout) => table(&mut lines, layout, seller, row, each).map(|()| true),
            None => Ok(false),
        }
    };
    let mut found = 0;
    if zip::begins(file)? {
        // The other entries are summaries.
        zip::entries(file, |_, content| {
            found += usize::from(one(content)?);
            Ok(())
        })?;
    } else {
        found += usize::from(one(file)?);
    }
    if found == 1 { Ok(()) } else { Err(Fault::Unexpected(format!("{found} bills in the file"))) }
}

fn table<L>(
    lines: &mut Lines<'_>,
    layout: &Layout,
    seller: Option<&str>,
    row: &Reading<'_, L>,
    each: &mut dyn FnMut(L),
) -> Result<(), Fault> {
    loop {
        let line = lines.required()?;
        if line == layout.columns {
            break;
        }
        // The account is the seller's id followed by the number of the sub-account.
        if let (Some(id), Some(seller)) = (line.strip_prefix("#账号：["), seller)
            && !id.starts_with(seller)
        {
            return Err(Fault::Unacceptable("the bill of another seller".into()));
        }
        if !line.starts_with('#') {
            return Err(lines.wrong("unknown columns"));
        }
    }
    let width = layout.columns.split(',').count();
    let mut sums = [(0_u64, 0_i64); 2];
    loop {
        let line = lines.required()?;
        if line.starts_with("#---") {
            break;
        }
        let cells = cells(&line);
        let surplus = cells.len().checked_sub(width).ok_or_else(|| lines.wrong("too few cells"))?;
        let mut readings = (0..=surplus)
            .filter_map(|in_name| row(layout, &Row { cells: &cells, name: layout.name, in_name }));
        let (Some((read, (total, fen))), None) = (readings.next(), readings.next()) else {
            return Err(lines.wrong("the row is not understood"));
        };
        drop(readings);
        let (count, sum) = &mut sums[total];
        *count += 1;
        *sum = sum.checked_add(fen).ok_or_else(|| lines.wrong("the sum is out of range"))?;
        each(read);
    }
    for (total, sum) in layout.totals.iter().zip(sums) {
        let line = lines.required()?;
        if footer(&line, total) != Some(sum) {
            return Err(lines.wrong("the total does not agree with the rows"));
        }
    }
    let ended = lines.required()?.starts_with("#导出时间：[");
    if !ended || lines.next()?.is_some_and(|line| !line.is_empty()) {
        return Err(lines.wrong("the file does not end here"));
    }
    Ok(())
}

/// Count and sum of a line such as `#交易合计：6笔，商家实收共0.06元，商家优惠共0.00元`.
fn footer(line: &str, (label, before): &(&str, &str)) -> Option<(u64, i64)> {
    let (count, rest) = line.strip_prefix(label)?.split_once("笔，")?;
    let (sum, _) = rest.strip_prefix(before)?.split_once('元')?;
    Some((count.parse().ok()?, fen(sum)?))
}

/// Yuan with two decimals and a sign.
pub(crate) fn fen(text: &str) -> Option<i64> {
    UNITS.from_wire(text, Currency::CNY).ok().map(Money::minor)
}
