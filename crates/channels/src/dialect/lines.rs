//! Statement files line by line, in bounded memory.

use std::io::{BufRead, Read as _};

use encoding_rs::{Encoding, GB18030, UTF_8};
use paycore::channel::Fault;

const LINE_MAX: u64 = 64 * 1024;

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
        let text = self.encoding.decode_without_bom_handling_and_without_replacement(&self.raw);
        let text = text.ok_or_else(|| self.wrong(&format!("not {}", self.encoding.name())))?;
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
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
