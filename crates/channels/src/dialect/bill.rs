//! Bills in the form that WeChat Pay began: UTF-8 with a byte order mark, every cell with a backtick in front, amounts in
//! yuan with up to five decimals, and a last row that says the number of rows and the sums of some columns.

use std::io::BufRead;

use paycore::channel::Fault;

use crate::dialect::lines::Lines;

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
    /// Hands every row to `each`, and checks the last row against all of them. A row for which `each` has nothing is not
    /// understood, and nor is then the bill.
    pub(crate) fn read(
        &self,
        file: &mut dyn BufRead,
        mut each: impl FnMut(&[&str]) -> Result<Option<()>, Fault>,
    ) -> Result<(), Fault> {
        let mut rows = Lines::utf8(file);
        if rows.required()?.trim_start_matches('\u{feff}') != self.columns {
            return Err(rows.wrong("not this kind of bill, or without some columns"));
        }
        let width = self.columns.split(',').count();
        let (mut count, mut sums) = (0_u64, [0_i64; SUMS]);
        loop {
            let text = rows.required()?;
            if text == self.totals {
                break;
            }
            let cells = cells(&text).filter(|cells| cells.len() == width);
            let cells = cells.ok_or_else(|| rows.wrong("the cells are not understood"))?;
            for (sum, column) in sums.iter_mut().zip(self.summed) {
                let added = yuan(cells[column]).and_then(|amount| sum.checked_add(amount));
                *sum = added.ok_or_else(|| rows.wrong("an amount is not understood"))?;
            }
            count += 1;
            each(&cells)?.ok_or_else(|| rows.wrong("the row is not understood"))?;
        }
        if footer(&rows.required()?) != Some((count, sums)) {
            return Err(rows.wrong("the totals do not agree with the rows"));
        }
        if rows.next()?.is_some_and(|line| !line.is_empty()) {
            return Err(rows.wrong("the file does not end here"));
        }
        Ok(())
    }
}

/// Cells are not quoted; only a backtick after a comma begins a new one.
fn cells(text: &str) -> Option<Vec<&str>> {
    Some(text.strip_prefix('`')?.split(",`").map(str::trim).collect())
}

/// Number of rows and sums; the number may be written with a decimal.
fn footer<const SUMS: usize>(text: &str) -> Option<(u64, [i64; SUMS])> {
    let cells = cells(text)?;
    let (count, sums) = cells.split_first()?;
    let count = count.strip_suffix(".0").unwrap_or(count).parse().ok()?;
    let sums: Option<Vec<i64>> = sums.iter().map(|text| yuan(text)).collect();
    Some((count, sums?.try_into().ok()?))
}

/// Hundred-thousandths of a yuan in a fen.
const IN_FEN: i64 = 1_000;

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
    let exact = format!("{whole}{decimals:0<5}").parse::<i64>().ok()?;
    Some(exact * sign)
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
