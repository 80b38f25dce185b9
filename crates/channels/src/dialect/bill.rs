//! Bills in the form that WeChat Pay began: UTF-8 with a byte order mark, every cell with a backtick in front, amounts in
//! yuan with up to five decimals, and a last row that says the number of rows and the sums of some columns.

use std::io::BufRead;

use paycore::channel::Fault;

use crate::dialect::lines::{Lines, ticked};

/// What a bill looks like.
pub(crate) struct Form<const SUMS: usize> {
    /// The first line.
    pub(crate) columns: &'static str,
    /// The line before the last row.
    pub(crate) totals: &'static str,
    /// The columns whose sums stand in the last row, after the number of rows.
    pub(crate) summed: [usize; SUMS],
}

impl<const SUMS: usize> Form<SUMS> {
    /// Hands every row of a bill that was opened and has these columns to `each`, and checks the last row against all of
    /// them. A row for which `each` has nothing is not understood, and nor is then the bill.
    pub(crate) fn read(
        &self,
        bill: &mut Bill<'_>,
        mut each: impl FnMut(&[&str]) -> Result<Option<()>, Fault>,
    ) -> Result<(), Fault> {
        let mut sums = [0_i64; SUMS];
        let (count, last) = bill.rows(self.totals, |cells| {
            for (sum, column) in sums.iter_mut().zip(self.summed) {
                let Some(added) = yuan(cells[column]).and_then(|amount| sum.checked_add(amount)) else {
                    return Ok(None);
                };
                *sum = added;
            }
            each(cells)
        })?;
        if footer(&last) != Some((count, sums)) {
            return Err(bill.wrong("the totals do not agree with the rows"));
        }
        bill.end()
    }
}

/// A bill of which the first line was read.
pub(crate) struct Bill<'a> {
    /// The names of the columns, as they stand in the first line.
    pub(crate) columns: String,
    lines: Lines<'a>,
}

impl<'a> Bill<'a> {
    pub(crate) fn open(file: &'a mut dyn BufRead) -> Result<Bill<'a>, Fault> {
        let mut lines = Lines::utf8(file);
        let first = lines.required()?;
        Ok(Bill { columns: first.trim_start_matches('\u{feff}').to_owned(), lines })
    }

    /// Hands every row before the line of totals to `each`. Their number, and the row of totals itself.
    pub(crate) fn rows(
        &mut self,
        totals: &str,
        mut each: impl FnMut(&[&str]) -> Result<Option<()>, Fault>,
    ) -> Result<(u64, String), Fault> {
        let (width, mut count) = (self.columns.split(',').count(), 0);
        loop {
            let text = self.lines.required()?;
            if text == totals {
                return Ok((count, self.lines.required()?));
            }
            let cells = ticked(&text).filter(|cells| cells.len() == width);
            let cells = cells.ok_or_else(|| self.wrong("the cells are not understood"))?;
            count += 1;
            each(&cells)?.ok_or_else(|| self.wrong("the row is not understood"))?;
        }
    }

    /// Nothing may follow.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        if self.lines.next()?.is_some_and(|line| !line.is_empty()) {
            return Err(self.wrong("the file does not end here"));
        }
        Ok(())
    }

    /// A fault that names the line read last.
    pub(crate) fn wrong(&self, what: &str) -> Fault {
        self.lines.wrong(what)
    }
}

/// What a bill of funds says in its last row: the number of rows, then number and sum of those that came in and of
/// those that went out.
pub(crate) const FUNDS_TOTALS: &str = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";

/// Reads a bill of funds: hands every row to `each`, which answers whether the money came in and how many fen it was,
/// and checks the last row against that.
pub(crate) fn funds(
    bill: &mut Bill<'_>,
    mut each: impl FnMut(&[&str]) -> Result<Option<(bool, i64)>, Fault>,
) -> Result<(), Fault> {
    let (mut counts, mut sums) = ([0_i64; 2], [0_i64; 2]);
    let (count, last) = bill.rows(FUNDS_TOTALS, |cells| {
        let Some((came_in, fen)) = each(cells)? else { return Ok(None) };
        let side = usize::from(!came_in);
        counts[side] += 1;
        let Some(sum) = sums[side].checked_add(fen) else { return Ok(None) };
        sums[side] = sum;
        Ok(Some(()))
    })?;
    // The same five numbers, counts and sums in hundred-thousandths alike.
    let exact = [counts[0] * IN_YUAN, sums[0] * IN_FEN, counts[1] * IN_YUAN, sums[1] * IN_FEN];
    if footer(&last) != Some((count, exact)) {
        return Err(bill.wrong("the totals do not agree with the rows"));
    }
    bill.end()
}

/// Number of rows and sums; the number may be written with a decimal.
fn footer<const SUMS: usize>(text: &str) -> Option<(u64, [i64; SUMS])> {
    let cells = ticked(text)?;
    let (count, sums) = cells.split_first()?;
    let count = count.strip_suffix(".0").unwrap_or(count).parse().ok()?;
    let sums: Option<Vec<i64>> = sums.iter().map(|text| yuan(text)).collect();
    Some((count, sums?.try_into().ok()?))
}

/// Hundred-thousandths of a yuan in a fen and in a yuan.
const IN_FEN: i64 = 1_000;
const IN_YUAN: i64 = 100 * IN_FEN;

/// Yuan that are whole fen.
pub(crate) fn fen(text: &str) -> Option<i64> {
    yuan(text).filter(|exact| exact % IN_FEN == 0).map(|exact| exact / IN_FEN)
}

/// Yuan to the nearest fen, halves away from zero: for fees, which have more decimals.
pub(crate) fn nearest_fen(text: &str) -> Option<i64> {
    yuan(text).map(|exact| (exact.abs() + IN_FEN / 2) / IN_FEN * exact.signum())
}

/// Yuan with at most five decimals, in hundred-thousandths.
fn yuan(text: &str) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |part: &str, max| (1..=max).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole, 12) || !digits(decimals, 5) {
        return None;
    }
    let padding = std::iter::repeat_n(b'0', 5 - decimals.len());
    let digits = whole.bytes().chain(decimals.bytes()).chain(padding);
    Some(digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')) * sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (text, exact) in [("0.47", 47_000), ("-0.00600", -600), ("12", 1_200_000), ("0.1", 10_000)] {
            assert_eq!(yuan(text), Some(exact), "{text}");
        }
        for text in ["", ".", "1.", ".5", "1.234567", "1e2", "1,000.00", "+1", "--1", "１", " 1"] {
            assert_eq!(yuan(text), None, "{text}");
        }
        assert_eq!((fen("0.47000"), fen("0.47100")), (Some(47), None));
    }

    #[test]
    fn a_fee_is_rounded_to_the_nearest_fen() {
        for (text, fen) in
            [("0.00600", 1), ("0.00499", 0), ("0.005", 1), ("-0.006", -1), ("-0.00499", 0), ("0.53000", 53)]
        {
            assert_eq!(nearest_fen(text), Some(fen), "{text}");
        }
    }
}
