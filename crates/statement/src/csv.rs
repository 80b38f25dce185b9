//! One table that programs read: the lines of the statement first, then the items. UTF-8 with a mark in front, so that
//! Excel shows Chinese as it is. Where the payout is in another currency, the rate stands first, in the column of
//! references, and the lines in that currency follow the others.

use paycore::clearing::Item;
use paycore::money::Money;
use paycore::settlement::export::{Export, ExportError, Head};

use crate::rows;
use crate::words::Word;

const MARK: &str = "\u{feff}";

/// A CSV file that is being made.
pub struct Csv {
    head: Head,
    text: String,
}

impl Csv {
    /// Writes the head and the lines.
    pub fn new(head: &Head) -> Csv {
        let mut csv = Csv { head: head.clone(), text: MARK.to_owned() };
        let language = head.language;
        let mut names = vec![Word::Line.text(language), Word::Count.text(language)];
        names.extend(rows::COLUMNS.iter().map(|word| word.text(language)));
        names.push(Word::Currency.text(language));
        csv.row(names.into_iter().map(str::to_owned));
        for (word, text) in rows::exchanged(head) {
            let mut cells = [const { String::new() }; 12];
            (cells[0], cells[4]) = (word.text(language).to_owned(), guarded(&text));
            csv.row(cells.into_iter());
        }
        for line in rows::blocks(head).into_iter().flat_map(|block| block.rows) {
            let count = line.count.map(|count| count.to_string()).unwrap_or_default();
            let empty = std::iter::repeat_n(String::new(), 8);
            let texts = [guarded(line.name), count].into_iter().chain(empty);
            csv.row(texts.chain([plain(line.money), line.money.currency().to_string()]));
        }
        csv
    }

    fn row(&mut self, cells: impl Iterator<Item = String>) {
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            if cell.contains(['"', ',', '\n', '\r']) {
                self.text.push('"');
                self.text.push_str(&cell.replace('"', "\"\""));
                self.text.push('"');
            } else {
                self.text.push_str(&cell);
            }
        }
        self.text.push_str("\r\n");
    }
}

impl Export for Csv {
    fn item(&mut self, item: &Item) -> Result<(), ExportError> {
        let texts = rows::texts(&self.head, item).map(|text| guarded(&text));
        let amounts = rows::amounts(item).map(plain);
        let currency = item.gross.currency().to_string();
        let name = Word::Items.text(self.head.language).to_owned();
        self.row([name, String::new()].into_iter().chain(texts).chain(amounts).chain([currency]));
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>, ExportError> {
        Ok(self.text.into_bytes())
    }
}

fn plain(money: Money) -> String {
    money.to_decimal_string()
}

/// A text that a spreadsheet would run as a formula is set behind an apostrophe.
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_never_a_formula() {
        assert_eq!(guarded("=1+1"), "'=1+1");
        assert_eq!(guarded("@SUM(A1)"), "'@SUM(A1)");
        assert_eq!(guarded("ord_1"), "ord_1");
    }
}
