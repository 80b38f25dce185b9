//! A workbook of two sheets: the statement and the items. Amounts are numbers, times are times.

use paycore::clearing::Item;
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::settlement::export::{Export, ExportError, Head};
use rust_decimal::Decimal;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::rows;
use crate::words::Word;

/// The largest amount, minor units, that a spreadsheet keeps to the last digit: it has fifteen.
const EXACT_MAX: u64 = 999_999_999_999_999;
/// The last row of a sheet.
const ROW_MAX: u32 = 1_048_575;

/// A workbook that is being made.
pub struct Xlsx {
    head: Head,
    workbook: Workbook,
    next_row: u32,
    styles: Styles,
}

struct Styles {
    bold: Format,
    amount: Format,
    time: Format,
}

impl Xlsx {
    /// Writes the statement and the head of the items.
    pub fn new(head: Head) -> Result<Xlsx, ExportError> {
        let styles = Styles::new(head.settlement.currency);
        let mut workbook = Workbook::new();
        workbook.add_worksheet();
        workbook.add_worksheet_with_constant_memory().map_err(failed)?;
        let mut xlsx = Xlsx { head, workbook, next_row: 1, styles };
        xlsx.statement().map_err(failed)?;
        xlsx.columns().map_err(failed)?;
        Ok(xlsx)
    }

    fn statement(&mut self) -> Result<(), XlsxError> {
        let language = self.head.language;
        let sheet = self.workbook.worksheet_from_index(0)?;
        sheet.set_name(Word::Title.text(language))?;
        sheet.set_column_width(0, 28)?.set_column_width(1, 24)?.set_column_width(2, 20)?;
        sheet.write_with_format(0, 0, Word::Title.text(language), &self.styles.bold)?;
        let mut row = 1;
        for (name, text) in rows::head(&self.head) {
            sheet.write(row, 0, name)?.write_string(row, 1, text)?;
            row += 1;
        }
        for block in rows::blocks(&self.head) {
            row += 1;
            for (column, word) in (0..).zip([Word::Line, Word::Count, Word::Amount, Word::Currency]) {
                sheet.write_with_format(row, column, word.text(language), &self.styles.bold)?;
            }
            let amount = amount_format(block.currency);
            for line in block.rows {
                row += 1;
                sheet.write(row, 0, line.name)?;
                if let Some(count) = line.count {
                    sheet.write(row, 1, Decimal::from(count))?;
                }
                write_money(sheet, row, 2, line.money, &amount)?;
                sheet.write(row, 3, block.currency.code())?;
            }
            row += 1;
        }
        Ok(())
    }

    fn columns(&mut self) -> Result<(), XlsxError> {
        let language = self.head.language;
        let sheet = self.workbook.worksheet_from_index(1)?;
        sheet.set_name(Word::Items.text(language))?;
        sheet.set_freeze_panes(1, 0)?;
        let widths = [20, 20, 34, 34, 12, 16, 16, 14, 16];
        for ((column, word), width) in (0..).zip(rows::COLUMNS).zip(widths) {
            sheet.set_column_width(column, width)?;
            sheet.write_with_format(0, column, word.text(language), &self.styles.bold)?;
        }
        Ok(())
    }

    fn write_item(&mut self, item: &Item) -> Result<(), XlsxError> {
        let row = self.next_row;
        let sheet = self.workbook.worksheet_from_index(1)?;
        let texts = rows::texts(&self.head, item);
        sheet.write_with_format(row, 0, ExcelDateTime::parse_from_str(&texts[0])?, &self.styles.time)?;
        for (column, text) in (1..).zip(&texts[1..]) {
            sheet.write_string(row, column, text)?;
        }
        for (column, money) in (6..).zip(rows::amounts(item)) {
            write_money(sheet, row, column, money, &self.styles.amount)?;
        }
        self.next_row += 1;
        Ok(())
    }
}

impl Styles {
    fn new(currency: Currency) -> Styles {
        Styles {
            bold: Format::new().set_bold(),
            amount: amount_format(currency),
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        }
    }
}

/// With as many decimals as the currency has.
fn amount_format(currency: Currency) -> Format {
    Format::new().set_num_format(match rows::decimals(currency) {
        0 => "#,##0".to_owned(),
        decimals => format!("#,##0.{}", "0".repeat(decimals)),
    })
}

/// A number; as text where a spreadsheet would lose its last digits.
fn write_money(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    money: Money,
    format: &Format,
) -> Result<(), XlsxError> {
    if money.minor().unsigned_abs() > EXACT_MAX {
        sheet.write_string(row, column, money.to_decimal_string())?;
        return Ok(());
    }
    let amount = Decimal::new(money.minor(), u32::from(money.currency().exponent()));
    sheet.write_with_format(row, column, amount, format)?;
    Ok(())
}

impl Export for Xlsx {
    fn item(&mut self, item: &Item) -> Result<(), ExportError> {
        if self.next_row > ROW_MAX {
            return Err(ExportError("a sheet has at most 1,048,575 items; ask for CSV".into()));
        }
        self.write_item(item).map_err(failed)
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>, ExportError> {
        self.workbook.save_to_buffer().map_err(failed)
    }
}

fn failed(error: XlsxError) -> ExportError {
    ExportError(error.to_string())
}
