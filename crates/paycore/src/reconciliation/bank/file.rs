//! A bank's statement as a stream of booked entries, in three forms: ISO 20022 camt.053, SWIFT MT940, and CSV.

use std::io::BufRead;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Deposit, mt940, xml};
use crate::currency::Currency;
use crate::money::Money;
use crate::time::{Civil, Timestamp};

/// A line that is longer than this is no statement's.
pub(super) const LINE_MAX: u64 = 64 * 1024;

/// How a statement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// ISO 20022 camt.053, any version, UTF-8.
    Camt053,
    /// SWIFT MT940.
    Mt940,
    /// UTF-8 with the header `date,amount,currency,reference,text`; dates as `2026-11-30`, amounts as decimals.
    Csv,
}

/// Why a statement is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The bytes could not be read.
    #[error("the file cannot be read: {0}")]
    Io(String),
    /// Something that this form does not have.
    #[error("entry or line {at}: {what}")]
    Malformed {
        /// Counted from 1.
        at: u64,
        /// What is wrong and what is expected.
        what: String,
    },
    /// The balances do not tie: an entry is missing or there twice.
    #[error("the closing balance is {said}, but the opening balance and the entries come to {sum}: the file is cut off or changed")]
    Balance {
        /// As the file has it.
        said: Money,
        /// As added up.
        sum: Money,
    },
    /// The file ends before it should.
    #[error("the file is cut off")]
    Truncated,
}

/// Opening balance, entries and closing balance of one statement, checked against each other.
#[derive(Debug, Default)]
pub(super) struct Balances {
    opening: Option<Money>,
    sum: i128,
}

impl Balances {
    pub(super) fn open(&mut self, balance: Money) {
        *self = Balances { opening: Some(balance), sum: i128::from(balance.minor()) };
    }

    pub(super) fn add(&mut self, money: Money) {
        self.sum += i128::from(money.minor());
    }

    pub(super) fn close(&mut self, said: Money) -> Result<(), FileError> {
        match self.opening.take() {
            Some(opening) if self.sum != i128::from(said.minor()) || opening.currency() != said.currency() => {
                let minor = i64::try_from(self.sum).unwrap_or(i64::MAX);
                Err(FileError::Balance { said, sum: Money::new(minor, opening.currency()) })
            }
            _ => Ok(()),
        }
    }
}

/// Reads a whole statement and hands over its booked entries. They may be believed only when this returns how many
/// there were.
///
/// # Errors
/// [`FileError`], which says where.
pub fn read(
    format: Format,
    file: &mut dyn BufRead,
    each: &mut dyn FnMut(Deposit),
) -> Result<u64, FileError> {
    let mut entries = 0;
    let mut counted = |deposit: Deposit| {
        entries += 1;
        each(deposit);
    };
    match format {
        Format::Camt053 => xml::read(file, &mut counted)?,
        Format::Mt940 => mt940::read(file, &mut counted)?,
        Format::Csv => csv(file, &mut counted)?,
    }
    Ok(entries)
}

impl Format {
    /// From the first bytes of a file.
    pub fn guess(head: &[u8]) -> Option<Format> {
        let text = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head).trim_ascii_start();
        match text {
            _ if text.starts_with(b"<") => Some(Format::Camt053),
            _ if text.starts_with(b"{1:") || text.starts_with(b":20:") => Some(Format::Mt940),
            _ if text.starts_with(b"date,amount,currency") => Some(Format::Csv),
            _ => None,
        }
    }
}

/// Hands over line by line, without line ends, and says whether the last one was ended.
pub(super) fn lines(
    file: &mut dyn BufRead,
    mut each: impl FnMut(u64, &str) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let mut buffer = Vec::new();
    for at in 1.. {
        buffer.clear();
        let mut limited = std::io::Read::take(&mut *file, LINE_MAX);
        let read = limited.read_until(b'\n', &mut buffer).map_err(|error| FileError::Io(error.to_string()))?;
        if read == 0 {
            break;
        }
        if read as u64 == LINE_MAX {
            return Err(malformed(at, "the line is too long"));
        }
        let text = std::str::from_utf8(&buffer).map_err(|_| malformed(at, "not UTF-8"))?;
        let text = if at == 1 { text.trim_start_matches('\u{feff}') } else { text };
        each(at, text.trim_end_matches(['\r', '\n']))?;
    }
    Ok(())
}

pub(super) fn malformed(at: u64, what: impl Into<String>) -> FileError {
    FileError::Malformed { at, what: what.into() }
}

/// A decimal with a point or comma, which may end with it.
pub(super) fn money(text: &str, currency: Currency) -> Option<Money> {
    let text = text.replace(',', ".");
    Money::parse_decimal(text.trim_end_matches('.'), currency).ok()
}

/// `2026-11-30`, at its start in UTC.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<u16>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    start_of(i32::from(year), month, day)
}

pub(super) fn start_of(year: i32, month: u16, day: u16) -> Option<Timestamp> {
    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    let civil = Civil { year, month, day, hour: 0, minute: 0, second: 0, micros: 0 };
    Timestamp::from_civil(civil, 0).ok()
}

fn csv(file: &mut dyn BufRead, each: &mut dyn FnMut(Deposit)) -> Result<(), FileError> {
    let mut seen_header = false;
    lines(file, |at, line| {
        if !seen_header {
            seen_header = line == "date,amount,currency,reference,text";
            let what = "the header must be `date,amount,currency,reference,text`";
            return if seen_header { Ok(()) } else { Err(malformed(at, what)) };
        }
        if !line.is_empty() {
            each(row(line).ok_or_else(|| {
                malformed(at, "five fields: a date such as 2026-11-30, a decimal amount, a currency, reference, text")
            })?);
        }
        Ok(())
    })?;
    if seen_header { Ok(()) } else { Err(FileError::Truncated) }
}

fn row(line: &str) -> Option<Deposit> {
    let fields = fields(line)?;
    let [at, amount, currency, id, text] = <[String; 5]>::try_from(fields).ok()?;
    let currency = Currency::parse(&currency).ok()?;
    Some(Deposit { id, money: Money::parse_decimal(&amount, currency).ok()?, at: date(&at)?, text })
}

/// The fields of one line; those with commas stand between quotation marks, which are doubled inside.
fn fields(line: &str) -> Option<Vec<String>> {
    let (mut fields, mut rest) = (Vec::new(), line);
    loop {
        let mut field = String::new();
        if let Some(mut quoted) = rest.strip_prefix('"') {
            loop {
                let (part, after) = quoted.split_once('"')?;
                field.push_str(part);
                match after.strip_prefix('"') {
                    Some(more) => {
                        field.push('"');
                        quoted = more;
                    }
                    None => {
                        rest = after;
                        break;
                    }
                }
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            field.push_str(&rest[..end]);
            rest = &rest[end..];
        }
        fields.push(field);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return rest.is_empty().then_some(fields),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(format: Format, text: &str) -> Result<Vec<(String, i64, String, String)>, FileError> {
        let mut found = Vec::new();
        read(format, &mut text.as_bytes(), &mut |deposit: Deposit| {
            found.push((deposit.id, deposit.money.minor(), deposit.at.to_string(), deposit.text));
        })?;
        Ok(found)
    }

    fn expected(id: &str, minor: i64, day: &str, text: &str) -> (String, i64, String, String) {
        (id.into(), minor, format!("{day}T00:00:00.000Z"), text.into())
    }

    #[test]
    fn a_csv_statement_is_read_with_its_quotes() {
        let text = "\u{feff}date,amount,currency,reference,text\r\n2026-11-30,1234.50,CNY,D1,\"支付宝, \"\"备付金\"\"\"\r\n\
                    2026-12-01,-3,CNY,,fee\n";
        let found = all(Format::Csv, text).unwrap();
        assert_eq!(found[0], expected("D1", 123_450, "2026-11-30", "支付宝, \"备付金\""));
        assert_eq!(found[1], expected("", -300, "2026-12-01", "fee"));
    }

    #[test]
    fn what_is_no_row_is_refused_with_its_line() {
        let header = "date,amount,currency,reference,text\n";
        for row in ["2026-11-30,1e3,CNY,,", "2026-11-30,1,XXY,,", "30.11.2026,1,CNY,,", "2026-11-30,1,CNY,", "\"2026"] {
            let error = all(Format::Csv, &format!("{header}{row}\n")).unwrap_err();
            assert!(matches!(error, FileError::Malformed { at: 2, .. }), "{row}: {error}");
        }
        assert_eq!(all(Format::Csv, ""), Err(FileError::Truncated));
    }

    #[test]
    fn the_form_shows_in_the_first_bytes() {
        for (head, format) in [
            ("\u{feff} <?xml", Some(Format::Camt053)),
            ("{1:F01", Some(Format::Mt940)),
            (":20:X", Some(Format::Mt940)),
            ("date,amount,currency,reference,text", Some(Format::Csv)),
            ("PK", None),
        ] {
            assert_eq!(Format::guess(head.as_bytes()), format, "{head}");
        }
    }

    const MT940: &str = "{1:F01BANKCNBJAXXX0000000000}{2:I940}{4:\r\n:20:STMT1\r\n:25:1234\r\n:28C:1/1\r\n\
        :60F:C261129CNY1000,\r\n:61:2611301130C2500,50NTRFNONREF//BANK77\r\n:86:ALIPAY SETTLEMENT\r\nB20261129\r\n\
        :61:2611301130D3,NCHGX1\r\n:61:261130RC1,NTRFX2//Y2\r\nsupplement\r\n:62F:C261130CNY3496,50\r\n-}";

    #[test]
    fn an_mt940_statement_is_read_and_its_balances_tie() {
        let found = all(Format::Mt940, MT940).unwrap();
        assert_eq!(found, [
            expected("BANK77", 250_050, "2026-11-30", "ALIPAY SETTLEMENT B20261129"),
            expected("X1", -300, "2026-11-30", ""),
            expected("Y2", -100, "2026-11-30", ""),
        ]);
        let short = MT940.replace(":61:2611301130D3,NCHGX1\r\n", "");
        assert!(matches!(all(Format::Mt940, &short), Err(FileError::Balance { .. })));
        let cut = &MT940[..MT940.find(":62F").unwrap()];
        assert_eq!(all(Format::Mt940, cut), Err(FileError::Truncated));
    }

    const CAMT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr><Stmt>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">10.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">107.66</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Ntry><NtryRef>7</NtryRef><Amt Ccy="CNY">99.66</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-11-30</Dt></BookgDt><AcctSvcrRef>BANK1</AcctSvcrRef>
<NtryDtls><TxDtls><Amt Ccy="CNY">99.66</Amt><RmtInf><Ustrd>WECHAT &amp; CO B1</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="CNY">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts></Ntry>
<Ntry><Amt Ccy="CNY">2.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><DtTm>2026-11-30T00:00:00Z</DtTm></BookgDt></Ntry>
</Stmt></BkToCstmrStmt></Document>"#;

    #[test]
    fn a_camt_statement_is_read_and_its_balances_tie() {
        let found = all(Format::Camt053, CAMT).unwrap();
        assert_eq!(found, [
            expected("BANK1", 9_966, "2026-11-30", "WECHAT & CO B1"),
            expected("", -200, "2026-11-30", ""),
        ]);
        assert!(matches!(all(Format::Camt053, &CAMT.replace("99.66</Amt><C", "99.67</Amt><C")), Err(FileError::Balance { .. })));
        assert_eq!(all(Format::Camt053, &CAMT[..CAMT.find("<Ntry><Amt").unwrap()]), Err(FileError::Truncated));
        let entity = CAMT.replace("&amp;", "&x;");
        assert!(matches!(all(Format::Camt053, &entity), Err(FileError::Malformed { .. })));
    }
}
