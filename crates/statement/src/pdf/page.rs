//! The pages of a PDF: text set in one font, and rules. The only place that speaks floats, because the format does; they
//! are positions, never amounts.

use krilla::Document;
use krilla::geom::{PathBuilder, Point};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::Stroke;
use krilla::surface::Surface;
use krilla::text::{Font, TextDirection};
use paycore::settlement::export::ExportError;
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

const FONT: &[u8] = include_bytes!("../../fonts/NotoSansSC-subset.otf");
/// A4, hundredths of a point.
const WIDTH: i32 = 59_528;
const HEIGHT: i32 = 84_189;
/// What stands for a character that the font lacks.
const MISSING: char = '□';

/// On which side of its position a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// It begins there.
    Left,
    /// It ends there.
    Right,
    /// It is left out.
    Hidden,
}

/// Pages that are being written; they become a document at the end.
pub struct Book {
    title: String,
    page: Vec<Mark>,
    pages: Vec<Vec<Mark>>,
}

enum Mark {
    Text { x: i32, y: i32, size: i32, text: String },
    Rule { from: i32, to: i32, y: i32 },
}

impl Book {
    /// A book without pages.
    pub fn new(title: &str, number: &str) -> Book {
        Book { title: format!("{title} {number}"), page: Vec::new(), pages: Vec::new() }
    }

    /// Sets a text on the current page; `y` is its base line.
    pub fn text(&mut self, x: i32, y: i32, size: i32, align: Align, text: &str) {
        if align == Align::Hidden || text.is_empty() {
            return;
        }
        let text = printable(text);
        let x = if align == Align::Right { x - width(&text, size) } else { x };
        self.page.push(Mark::Text { x, y, size, text });
    }

    /// Draws a horizontal line.
    pub fn rule(&mut self, from: i32, to: i32, y: i32) {
        self.page.push(Mark::Rule { from, to, y });
    }

    /// Ends the current page with its number and begins the next.
    pub fn turn(&mut self, word: &str) {
        let number = format!("{word} {}", self.pages.len() + 1);
        self.text(55_500, 82_000, 700, Align::Right, &number);
        self.pages.push(std::mem::take(&mut self.page));
    }

    /// The bytes.
    pub fn finish(self) -> Result<Vec<u8>, ExportError> {
        let font = Font::new(FONT.into(), 0).ok_or_else(|| failed("the font cannot be read"))?;
        let mut document = Document::new();
        document.set_metadata(Metadata::new().title(self.title));
        for marks in &self.pages {
            let settings = PageSettings::from_wh(points(WIDTH), points(HEIGHT));
            let mut page = document.start_page_with(settings.ok_or_else(|| failed("the page has no size"))?);
            let mut surface = page.surface();
            marks.iter().for_each(|mark| draw(&mut surface, mark, &font));
            surface.finish();
            page.finish();
        }
        document.finish().map_err(|error| failed(&format!("{error:?}")))
    }
}

fn draw(surface: &mut Surface<'_>, mark: &Mark, font: &Font) {
    match mark {
        Mark::Text { x, y, size, text } => {
            let at = Point::from_xy(points(*x), points(*y));
            surface.draw_text(at, font.clone(), points(*size), text, false, TextDirection::LeftToRight);
        }
        Mark::Rule { from, to, y } => {
            let mut path = PathBuilder::new();
            path.move_to(points(*from), points(*y));
            path.line_to(points(*to), points(*y));
            let Some(path) = path.finish() else { return };
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke { width: points(50), ..Stroke::default() }));
            surface.draw_path(&path);
            surface.set_stroke(None);
        }
    }
}

fn failed(why: &str) -> ExportError {
    ExportError(why.to_owned())
}

#[expect(clippy::float_arithmetic, reason = "a position on the page, not an amount")]
fn points(hundredths: i32) -> f32 {
    hundredths as f32 / 100.0
}

/// How wide a text is, hundredths of a point.
fn width(text: &str, size: i32) -> i32 {
    let Ok(font) = FontRef::new(FONT) else { return 0 };
    // In units of a thousandth of the size, which is what the font is drawn in.
    let metrics = font.glyph_metrics(Size::new(1_000.0), LocationRef::default());
    let glyphs = text.chars().map(|character| font.charmap().map(character).unwrap_or_default());
    let thousandths: i32 = glyphs.map(|glyph| metrics.advance_width(glyph).unwrap_or_default() as i32).sum();
    thousandths * size / 1_000
}

/// The text with a box for every character that the font lacks.
fn printable(text: &str) -> String {
    let Ok(font) = FontRef::new(FONT) else { return text.to_owned() };
    let charmap = font.charmap();
    text.chars().map(|character| if charmap.map(character).is_some() { character } else { MISSING }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_statement_has_its_glyphs() {
        use paycore::settlement::{LineKind, SettlementStatus};
        let lines = LineKind::ALL.iter().map(|kind| kind.name_zh());
        let words: String =
            lines.chain(SettlementStatus::ALL.iter().map(|status| status.text_zh())).collect();
        let words = words + include_str!("../words.rs");
        let lacking: String =
            words.chars().filter(|c| *c != '\n' && printable(&c.to_string()) == "□").collect();
        assert_eq!(lacking, "");
        assert_eq!(printable("\u{1f980}"), "□");
    }

    #[test]
    fn digits_are_equally_wide_so_that_amounts_stand_below_one_another() {
        assert_eq!(width("1111", 1_000), width("9087", 1_000));
        assert!(width("结算", 1_000) > width("11", 1_000));
    }
}
