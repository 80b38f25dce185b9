//! Statement files line by line, in bounded memory.

use std::io::{BufRead, Read as _};

use encoding_rs::{Encoding, GB18030, UTF_8};
use memchr::memchr_iter;
use paycore::channel::Fault;

const LINE_MAX: u64 = 64 * 1024;
/// Room for the cells of a row; wider rows take more.
const CELLS_USUAL: usize = 48;

/// The lines of a file.
pub(crate) struct Lines<'a> {
    file: &'a mut dyn BufRead,
    encoding: &'static Encoding,
    number: u64,
    raw: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// Of a file in GBK (read as GB18030, which contains it).
    pub(crate) fn new(file: &'a mut dyn BufRead) -> Lines<'a> {
        Lines { file, encoding: GB18030, number: 0, raw: Vec::new() }
    }

    /// Of a file in UTF-8.
    pub(crate) fn utf8(file: &'a mut dyn BufRead) -> Lines<'a> {
        Lines { encoding: UTF_8, ..Lines::new(file) }
    }

    /// The next line without its end, or `None` at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<String>, Fault> {
        self.raw.clear();
        self.number += 1;
        // No byte of a character is a line feed, so lines can be found before decoding.
        let read = (&mut *self.file).take(LINE_MAX).read_until(b'\n', &mut self.raw);
        if read.map_err(|error| Fault::Transport(error.to_string()))? == 0 {
            return Ok(None);
        }
        if self.raw.len() as u64 == LINE_MAX {
            return Err(self.wrong("a line without end"));
        }
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let length = self.raw.iter().rposition(|byte| !is_end(byte)).map_or(0, |last| last + 1);
        let text = self.encoding.decode_without_bom_handling_and_without_replacement(&self.raw[..length]);
        let text = text.ok_or_else(|| self.wrong(&format!("not {}", self.encoding.name())))?;
        Ok(Some(text.into_owned()))
    }

    /// The next line, where the file must not end.
    pub(crate) fn required(&mut self) -> Result<String, Fault> {
        self.next()?.ok_or_else(|| self.wrong("the file ends here"))
    }

    /// A fault that names the line read last.
    pub(crate) fn wrong(&self, what: &str) -> Fault {
        Fault::Unexpected(format!("statement line {}: {what}", self.number))
    }
}

/// The cells of a row, by every comma, without the space around them. It takes most of the time that a large statement
/// takes, so it looks for bytes.
pub(crate) fn cells(row: &str) -> Vec<&str> {
    split(row, |_| true)
}

/// The cells of a row in which only a comma with a backtick behind it begins another cell; nothing where the row does not
/// begin with a backtick.
pub(crate) fn ticked(row: &str) -> Option<Vec<&str>> {
    let mut cells = split(row.strip_prefix('`')?, |behind| behind.first() == Some(&b'`'));
    for cell in cells.iter_mut().skip(1) {
        *cell = trimmed(cell.strip_prefix('`')?);
    }
    Some(cells)
}

fn split(row: &str, begins: impl Fn(&[u8]) -> bool) -> Vec<&str> {
    let (mut cells, mut from) = (Vec::with_capacity(CELLS_USUAL), 0);
    for at in memchr_iter(b',', row.as_bytes()) {
        if begins(&row.as_bytes()[at + 1..]) {
            cells.push(trimmed(&row[from..at]));
            from = at + 1;
        }
    }
    cells.push(trimmed(&row[from..]));
    cells
}

/// As `trim` does it; most cells begin and end with what is plainly no space.
fn trimmed(cell: &str) -> &str {
    let is_plain = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = cell.as_bytes();
    if is_plain(bytes.first()) && is_plain(bytes.last()) { cell } else { cell.trim() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_what_stands_between_commas_or_begins_with_a_backtick() {
        assert_eq!(cells("a, b\t,,\u{3000}茶 ,"), ["a", "b", "", "茶", ""]);
        assert_eq!(ticked("`a,`b, c,` 茶 ,`").unwrap(), ["a", "b, c", "茶", ""]);
        assert_eq!((ticked("a,`b"), ticked(" `a")), (None, None));
        assert_eq!(cells(""), [""]);
    }
}
