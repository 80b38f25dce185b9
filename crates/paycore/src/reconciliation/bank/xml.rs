//! ISO 20022 camt.053: balances in `Bal`, entries in `Ntry`. Only what is read is kept; entities other than the five of XML
//! are refused, and nothing is ever fetched.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::Deposit;
use super::file::{Balances, FileError, date, malformed, money};
use crate::currency::Currency;
use crate::money::Money;
use crate::time::Timestamp;

/// Elements inside one another, at most.
const DEPTH_MAX: usize = 32;
/// Bytes of text that are kept of one element.
const TEXT_MAX: usize = 2_000;

#[derive(Default)]
struct State {
    /// Names of the open elements, without prefixes.
    path: Vec<String>,
    text: String,
    currency: Option<String>,
    part: Part,
    opening: Option<Money>,
    closing: Option<Money>,
    balances: Balances,
    entries: u64,
    statements: u64,
}

/// What is read of a balance or an entry.
#[derive(Default)]
struct Part {
    amount: Option<Money>,
    is_debit: bool,
    code: String,
    booked: bool,
    at: Option<Timestamp>,
    reference: String,
    bank_reference: String,
    remittance: String,
}

pub(super) fn read(file: &mut dyn BufRead, each: &mut dyn FnMut(Deposit)) -> Result<(), FileError> {
    let mut reader = Reader::from_reader(file);
    let mut buffer = Vec::new();
    let mut state = State::default();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        let event = event.map_err(|error| state.wrong(&error.to_string()))?;
        match event {
            Event::Start(start) => {
                let currency = start.try_get_attribute("Ccy").ok().flatten();
                let currency = currency.map(|value| value.value.to_string());
                state.open(start.local_name().as_ref(), currency)?;
            }
            Event::Text(text) => state.add(&text),
            Event::CData(data) => state.add(&data),
            Event::GeneralRef(entity) => {
                let sign = character(&entity).ok_or_else(|| state.wrong("an entity"))?;
                state.add(sign);
            }
            Event::End(_) => state.close(each)?,
            Event::Empty(_) | Event::Decl(_) | Event::Comment(_) => {}
            Event::Eof => break,
            _ => return Err(state.wrong("a document type or processing instruction")),
        }
    }
    let complete = state.path.is_empty() && state.statements > 0;
    if complete { Ok(()) } else { Err(FileError::Truncated) }
}

fn character(entity: &str) -> Option<&'static str> {
    let known = [("amp", "&"), ("lt", "<"), ("gt", ">"), ("quot", "\""), ("apos", "'")];
    known.into_iter().find(|(name, _)| *name == entity).map(|(_, sign)| sign)
}

impl State {
    fn wrong(&self, what: &str) -> FileError {
        malformed(self.entries + 1, what)
    }

    fn open(&mut self, name: &str, currency: Option<String>) -> Result<(), FileError> {
        if self.path.len() == DEPTH_MAX {
            return Err(self.wrong("too many elements inside one another"));
        }
        if matches!(name, "Bal" | "Ntry") {
            self.part = Part::default();
        }
        self.path.push(name.to_owned());
        self.text.clear();
        self.currency = currency;
        Ok(())
    }

    fn add(&mut self, text: &str) {
        if self.text.len() + text.len() <= TEXT_MAX {
            self.text.push_str(text);
        }
    }

    /// The innermost element ends.
    fn close(&mut self, each: &mut dyn FnMut(Deposit)) -> Result<(), FileError> {
        let name = self.path.pop().ok_or_else(|| self.wrong("an end without a beginning"))?;
        let text = std::mem::take(&mut self.text);
        let parent = self.path.last().cloned().unwrap_or_default();
        match (parent.as_str(), name.as_str()) {
            ("Stmt", "Bal") => self.balance()?,
            ("Stmt", "Ntry") => self.entry(each)?,
            (_, "Stmt") => {
                self.statements += 1;
                if let Some(said) = self.closing.take() {
                    self.balances.close(said)?;
                }
            }
            ("Bal" | "Ntry", "Amt") => self.part.amount = Some(self.amount(text.trim())?),
            (parent, name) => self.detail(parent, name, text.trim()),
        }
        Ok(())
    }

    fn amount(&self, text: &str) -> Result<Money, FileError> {
        let currency = self.currency.as_deref().and_then(|code| Currency::parse(code).ok());
        let money = currency.and_then(|currency| money(text, currency));
        money.ok_or_else(|| self.wrong("an amount with the currency in `Ccy` is wanted"))
    }

    fn detail(&mut self, parent: &str, name: &str, text: &str) {
        let part = &mut self.part;
        match (parent, name) {
            ("Bal" | "Ntry", "CdtDbtInd") => part.is_debit = text == "DBIT",
            ("CdOrPrtry", "Cd") => part.code = text.to_owned(),
            ("Ntry", "Sts") if !text.is_empty() => part.booked = text == "BOOK",
            ("Sts", "Cd") => part.booked = text == "BOOK",
            ("BookgDt", "Dt") => part.at = date(text),
            ("BookgDt", "DtTm") => part.at = Timestamp::parse(text).ok(),
            ("Ntry", "NtryRef") => part.reference = text.to_owned(),
            ("Ntry", "AcctSvcrRef") => part.bank_reference = text.to_owned(),
            ("RmtInf", "Ustrd") | ("Ntry", "AddtlNtryInf") => {
                if !part.remittance.is_empty() {
                    part.remittance.push(' ');
                }
                part.remittance.push_str(text);
            }
            _ => {}
        }
    }

    /// The money of a balance or entry with its sign.
    fn signed(&self) -> Result<Money, FileError> {
        let amount = self.part.amount.ok_or_else(|| self.wrong("no `Amt`"))?;
        let signed = if self.part.is_debit { amount.checked_neg() } else { Ok(amount) };
        signed.map_err(|_| self.wrong("an amount out of range"))
    }

    fn balance(&mut self) -> Result<(), FileError> {
        let money = self.signed()?;
        match self.part.code.as_str() {
            "OPBD" | "PRCD" => {
                self.opening = Some(money);
                self.balances.open(money);
            }
            "CLBD" => self.closing = Some(money),
            _ => {}
        }
        Ok(())
    }

    fn entry(&mut self, each: &mut dyn FnMut(Deposit)) -> Result<(), FileError> {
        self.entries += 1;
        let money = self.signed()?;
        let part = std::mem::take(&mut self.part);
        if !part.booked {
            return Ok(());
        }
        let at = part.at.ok_or_else(|| self.wrong("no `BookgDt`"))?;
        let id = if part.bank_reference.is_empty() { part.reference } else { part.bank_reference };
        self.balances.add(money);
        each(Deposit { id, money, at, text: part.remittance });
        Ok(())
    }
}
