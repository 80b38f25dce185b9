//! Pages to print. Lengths are whole hundredths of a point.

mod page;

use paycore::clearing::Item;
use paycore::settlement::export::{Export, ExportError, Head};

use page::{Align, Book};

use crate::rows;
use crate::words::Word;

/// How many items a PDF lists.
pub const PDF_ITEMS_MAX: u64 = 2_000;

const LEFT: i32 = 4_000;
const TOP: i32 = 6_000;
const BOTTOM: i32 = 80_000;
const LINE: i32 = 1_500;
const ITEM_LINE: i32 = 1_150;
const TEXT: i32 = 1_000;
const SMALL: i32 = 700;
/// Where the columns of the items are: left edges of the texts, then right edges of the amounts.
const COLUMNS: [(i32, Align); 9] = [
    (4_000, Align::Left),
    (11_300, Align::Left),
    (17_000, Align::Left),
    (28_200, Align::Left),
    (0, Align::Hidden),
    (39_500, Align::Left),
    (48_000, Align::Right),
    (51_500, Align::Right),
    (55_500, Align::Right),
];

/// A PDF that is being made.
pub struct Pdf {
    head: Head,
    book: Book,
    y: i32,
    items: u64,
}

impl Pdf {
    /// Writes the statement and the head of the items.
    pub fn new(head: Head) -> Pdf {
        let book = Book::new(Word::Title.text(head.language), &head.settlement.number);
        let mut pdf = Pdf { head, book, y: TOP, items: 0 };
        pdf.statement();
        pdf
    }

    fn statement(&mut self) {
        let language = self.head.language;
        self.book.text(LEFT, self.y, 1_600, Align::Left, Word::Title.text(language));
        self.y += 2_600;
        for (name, text) in rows::head(&self.head) {
            self.book.text(LEFT, self.y, TEXT, Align::Left, name);
            self.book.text(14_000, self.y, TEXT, Align::Left, &text);
            self.y += LINE;
        }
        self.y += 700;
        for block in rows::blocks(&self.head) {
            self.block(&block);
        }
    }

    fn block(&mut self, block: &rows::Block) {
        self.book.text(55_500, self.y, TEXT, Align::Right, block.currency.code());
        self.y += LINE;
        self.rule();
        for line in &block.rows {
            self.book.text(LEFT, self.y, TEXT, Align::Left, line.name);
            if let Some(count) = line.count {
                self.book.text(36_000, self.y, TEXT, Align::Right, &count.to_string());
            }
            self.book.text(55_500, self.y, TEXT, Align::Right, &rows::grouped(line.money));
            self.y += LINE;
        }
        self.rule();
        self.y += 700;
    }

    fn rule(&mut self) {
        self.book.rule(LEFT, 55_500, self.y - 1_050);
        self.y += 300;
    }

    fn columns(&mut self) {
        for ((x, align), word) in COLUMNS.into_iter().zip(rows::COLUMNS) {
            self.book.text(x, self.y, SMALL, align, word.text(self.head.language));
        }
        self.y += ITEM_LINE;
    }

    fn turn(&mut self) {
        self.book.turn(Word::Page.text(self.head.language));
        self.y = TOP;
    }
}

impl Export for Pdf {
    fn item(&mut self, item: &Item) -> Result<(), ExportError> {
        self.items += 1;
        if self.items > PDF_ITEMS_MAX {
            return Ok(());
        }
        if self.y > BOTTOM {
            self.turn();
        }
        if self.items == 1 || self.y == TOP {
            self.columns();
        }
        let texts = rows::texts(&self.head, item);
        let amounts = rows::amounts(item).map(rows::grouped);
        for ((x, align), text) in COLUMNS.into_iter().zip(texts.iter().chain(&amounts)) {
            self.book.text(x, self.y, SMALL, align, text);
        }
        self.y += ITEM_LINE;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>, ExportError> {
        let beyond = self.items.saturating_sub(PDF_ITEMS_MAX);
        if beyond > 0 {
            let text = format!("{beyond} {}", Word::More.text(self.head.language));
            self.book.text(LEFT, self.y, SMALL, Align::Left, &text);
        }
        self.turn();
        self.book.finish()
    }
}
