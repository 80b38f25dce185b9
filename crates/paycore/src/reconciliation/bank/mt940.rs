//! SWIFT MT940: balances in `:60F:` and `:62F:`, entries in `:61:`, their text in `:86:`.

use std::io::BufRead;

use super::Deposit;
use super::file::{Balances, FileError, lines, malformed, money, start_of};
use crate::currency::Currency;
use crate::money::Money;
use crate::time::Timestamp;

/// The text of an entry beyond this is cut off: it is for people and for batch names.
const TEXT_MAX: usize = 2_000;

/// The entry being read, and whether the lines that follow belong to its text.
struct State<'a> {
    each: &'a mut dyn FnMut(Deposit),
    entry: Option<Deposit>,
    in_text: bool,
    balances: Balances,
    currency: Option<Currency>,
}

pub(super) fn read(file: &mut dyn BufRead, each: &mut dyn FnMut(Deposit)) -> Result<(), FileError> {
    let mut state =
        State { each, entry: None, in_text: false, balances: Balances::default(), currency: None };
    let mut statements = 0;
    lines(file, |at, line| {
        // The basic header may stand before the first field on the same line.
        let line = line.rsplit_once("{4:").map_or(line, |(_, rest)| rest);
        if let Some(said) = state.line(line).map_err(|what| malformed(at, what))? {
            state.balances.close(said)?;
            statements += 1;
        }
        Ok(())
    })?;
    if statements == 0 || state.currency.is_some() { Err(FileError::Truncated) } else { Ok(()) }
}

impl State<'_> {
    /// Takes in one line; the closing balance where it is one.
    fn line(&mut self, line: &str) -> Result<Option<Money>, &'static str> {
        let tag = line.strip_prefix(':').and_then(|rest| rest.split_once(':'));
        let Some((tag, value)) = tag else {
            self.more(line);
            return Ok(None);
        };
        self.in_text = tag == "86";
        match tag {
            "86" => self.more(value),
            "60F" | "60M" => {
                let opening = balance(value).ok_or("a balance such as C261130CNY1234,50 is wanted")?;
                self.currency = Some(opening.currency());
                self.balances.open(opening);
            }
            "61" => {
                self.flush();
                let currency = self.currency.ok_or("an entry before the opening balance")?;
                let entry = entry(value, currency).ok_or("an entry such as 2611301130C12,50NTRFREF//BANK is wanted")?;
                self.balances.add(entry.money);
                self.entry = Some(entry);
            }
            "62F" | "62M" => {
                self.flush();
                self.currency = None;
                return balance(value).map(Some).ok_or("a balance such as C261130CNY1234,50 is wanted");
            }
            _ => {}
        }
        Ok(None)
    }

    fn more(&mut self, text: &str) {
        if let (true, Some(entry)) = (self.in_text, &mut self.entry)
            && entry.text.len() + text.len() < TEXT_MAX
        {
            let joint = if entry.text.is_empty() { "" } else { " " };
            entry.text.extend([joint, text]);
        }
    }

    fn flush(&mut self) {
        if let Some(entry) = self.entry.take() {
            (self.each)(entry);
        }
    }
}

/// `C261130CNY1234,50`: debit or credit, date, currency, amount.
fn balance(text: &str) -> Option<Money> {
    let (sign, rest) = text.split_at_checked(1)?;
    let (_, rest) = rest.split_at_checked(6)?;
    let (currency, amount) = rest.split_at_checked(3)?;
    let money = money(amount, Currency::parse(currency).ok()?)?;
    signed(sign, money)
}

fn signed(sign: &str, money: Money) -> Option<Money> {
    match sign {
        "C" | "RD" if !money.is_negative() => Some(money),
        "D" | "RC" if !money.is_negative() => money.checked_neg().ok(),
        _ => None,
    }
}

/// `2611301130C12,50NTRFOURS//BANK`: value date, entry date, mark, amount, type, our reference, the bank's.
fn entry(text: &str, currency: Currency) -> Option<Deposit> {
    let (date, rest) = text.split_at_checked(6)?;
    let rest = rest.trim_start_matches(|sign: char| sign.is_ascii_digit());
    let mark = ["RC", "RD", "C", "D"].into_iter().find(|mark| rest.starts_with(mark))?;
    let rest = &rest[mark.len()..];
    // A letter of the currency may follow the mark.
    let rest = rest.trim_start_matches(|sign: char| sign.is_ascii_uppercase());
    let end = rest.find(|sign: char| !sign.is_ascii_digit() && sign != ',')?;
    let (amount, rest) = rest.split_at(end);
    let (_, references) = rest.split_at_checked(4)?;
    let (ours, banks) = references.split_once("//").unwrap_or((references, ""));
    let id = if banks.is_empty() { ours } else { banks };
    Some(Deposit {
        id: id.trim().to_owned(),
        money: signed(mark, money(amount, currency)?)?,
        at: day(date)?,
        text: String::new(),
    })
}

/// `261130`, in this century.
fn day(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u16>().ok();
    start_of(2000 + i32::from(number(0..2)?), number(2..4)?, number(4..6)?)
}
