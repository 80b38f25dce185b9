//! Statement files: CSV with one line per payment and refund, then per currency a line of sums and at last the
//! counts. The counts and sums are checked against the lines, so that a cut or doubled file is not believed.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use paycore::channel::{Fault, Line, LineKind, Totals};
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::time::Timestamp;

const HEADER: &str = "reference,refund,channel_id,kind,amount,currency,fee,at";
/// Longer lines are not ours; the bound keeps a hostile file from filling the memory.
const LINE_MAX: u64 = 1_024;

pub(super) fn parse(file: &mut dyn BufRead, each: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
    let mut reader = Reader { file, number: 0, text: String::new() };
    if reader.next()? != Some(HEADER) {
        return Err(reader.wrong("the header is not a Testpay statement's"));
    }
    let mut sums = Sums::default();
    while reader.next()?.is_some_and(|text| !text.starts_with('#')) {
        let line =
            line(reader.text.trim_end_matches('\n')).ok_or_else(|| reader.wrong("it is not readable"))?;
        sums.add(&line).ok_or_else(|| reader.wrong("the sum is out of range"))?;
        each(line);
    }
    for expected in sums.footer() {
        if reader.text.strip_suffix('\n') != Some(&expected) {
            return Err(reader.wrong("the totals do not agree with the lines"));
        }
        reader.next()?;
    }
    if reader.text.is_empty() { Ok(sums.totals) } else { Err(reader.wrong("something follows the totals")) }
}

struct Reader<'a> {
    file: &'a mut dyn BufRead,
    number: u64,
    text: String,
}

impl Reader<'_> {
    /// The next line without its line feed; `None` at the end. A last line without a line feed was cut.
    fn next(&mut self) -> Result<Option<&str>, Fault> {
        self.number += 1;
        self.text.clear();
        let mut limited = (&mut *self.file).take(LINE_MAX);
        let read = limited.read_line(&mut self.text).map_err(|error| self.wrong(&error.to_string()))?;
        if read == 0 {
            return Ok(None);
        }
        match self.text.strip_suffix('\n') {
            Some(line) => Ok(Some(line)),
            None => Err(self.wrong("the line is cut or too long")),
        }
    }

    fn wrong(&self, what: &str) -> Fault {
        Fault::Unexpected(format!("statement line {}: {what}", self.number))
    }
}

#[derive(Default)]
struct Sums {
    totals: Totals,
    /// Payments, refunds and fees.
    by_currency: BTreeMap<Currency, [i64; 3]>,
}

impl Sums {
    fn add(&mut self, line: &Line) -> Option<()> {
        let [payments, refunds, fees] = self.by_currency.entry(line.money.currency()).or_default();
        let (sum, count) = match line.kind {
            LineKind::Refund => (refunds, &mut self.totals.refunds),
            _ => (payments, &mut self.totals.payments),
        };
        *sum = sum.checked_add(line.money.minor())?;
        *fees = fees.checked_add(line.fee.minor())?;
        *count += 1;
        Some(())
    }

    /// The lines that have to follow.
    fn footer(&self) -> Vec<String> {
        let sum = |(currency, [payments, refunds, fees]): (&Currency, &[i64; 3])| {
            format!("#sum,{currency},{payments},{refunds},{fees}")
        };
        let mut lines: Vec<String> = self.by_currency.iter().map(sum).collect();
        lines.push(format!("#total,{},{}", self.totals.payments, self.totals.refunds));
        lines
    }
}

fn line(text: &str) -> Option<Line> {
    let mut cells = text.split(',');
    let mut cell = || cells.next();
    let (reference, refund, channel_id, kind) = (cell()?, cell()?, cell()?, cell()?);
    let (amount, currency, fee, at) = (integer(cell()?)?, cell()?, integer(cell()?)?, integer(cell()?)?);
    let currency = Currency::parse(currency).ok().filter(|known| known.code() == currency)?;
    let kind = match (kind, refund) {
        ("payment", "") => LineKind::Payment,
        ("refund", reference) if !reference.is_empty() => LineKind::Refund,
        _ => return None,
    };
    if cell().is_some() || amount <= 0 || reference.is_empty() || channel_id.is_empty() {
        return None;
    }
    Some(Line {
        kind,
        reference: reference.to_owned(),
        refund_reference: (kind == LineKind::Refund).then(|| refund.to_owned()),
        channel_id: channel_id.to_owned(),
        money: Money::new(amount, currency),
        fee: Money::new(fee, currency),
        at: Timestamp::from_millis(at),
    })
}

/// Digits with an optional minus; nothing else that `i64` would read.
fn integer(text: &str) -> Option<i64> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}
