//! The daily statement (对账文件): a ZIP archive of files with rows of a fixed number of bytes, in GBK, with a space
//! between two fields. `ZM` holds what was bought and given back, `ZME` disputes and corrections.
//!
//! A field begins at a certain byte, not character: a row must not be decoded before it is cut. There is no footer; what
//! guards the file is the checksum of the archive and the signature over the whole reply it came in.

use std::io::BufRead;

use paycore::channel::{Fault, Line, LineKind, Totals};
use paycore::money::Money;
use paycore::time::Timestamp;

use super::config::Account;
use super::notice::reference;
use super::{CNY, PROFILE};
use crate::dialect::fixed::{digits, is_nothing, rows, signed, text};
use crate::dialect::reply::beijing_yearless;
use crate::dialect::zip;

/// Widths of the fields of a row of `ZM`.
const ZM: [usize; 42] = [
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15,
    32, 13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
];
/// Widths of the fields of a row of `ZME`.
const ZME: [usize; 22] = [3, 11, 11, 6, 10, 19, 12, 4, 2, 2, 6, 10, 4, 12, 13, 13, 15, 15, 1, 12, 2, 135];

/// Reads the whole archive. The lines handed to `each` may be believed only when this returns the totals.
pub(super) fn parse(
    account: &Account,
    file: &mut dyn BufRead,
    each: &mut dyn FnMut(Line),
) -> Result<Totals, Fault> {
    let (mut totals, mut known) = (Totals::default(), false);
    zip::entries(file, |name, content| {
        let Some((date, kind, merchant)) = named(name) else { return Ok(()) };
        if merchant != account.mer_id {
            return Err(Fault::Unacceptable("the statement of another merchant".into()));
        }
        known |= kind == "ZM";
        match kind {
            "ZM" => rows(content, &ZM, |row| {
                let line = bought(row, &account.mer_id, date)?;
                match line.as_ref().map(|line| line.kind) {
                    Some(LineKind::Payment) => totals.payments += 1,
                    Some(LineKind::Refund) => totals.refunds += 1,
                    _ => {}
                }
                line.into_iter().for_each(&mut *each);
                Some(())
            }),
            "ZME" => rows(content, &ZME, |row| {
                each(disputed(row, &account.mer_id, date)?);
                Some(())
            }),
            // Summaries and files for other trades than ours.
            _ => Ok(()),
        }
    })?;
    if known { Ok(totals) } else { Err(Fault::Unexpected("no statement in the archive".into())) }
}

/// Settlement date, kind and merchant of a name such as `INN25112388ZM_777290058110048`.
fn named(name: &str) -> Option<(Timestamp, &str, &str)> {
    let (head, merchant) = name.strip_prefix("INN")?.split_once('_')?;
    let (date, kind) = (head.get(..6)?, head.get(8..)?);
    let date = Timestamp::parse_beijing_compact(&format!("20{date}000000")).ok()?;
    Some((date, kind, merchant))
}

/// A row of `ZM`; nothing for what moves no money, such as a pre-authorization.
fn bought(row: &[&[u8]; 42], merchant: &str, date: Timestamp) -> Option<Option<Line>> {
    if text(row[27])? != merchant {
        return None;
    }
    let (kind, order_id) = (text(row[19])?, text(row[11])?);
    let (gross, fee, net) = (digits(row[6])?, signed(row[15])?, signed(row[16])?);
    let is_refund = match kind {
        "01" | "03" => false,
        "04" | "31" | "33" => true,
        "02" | "32" => return Some(None),
        _ => return None,
    };
    // Discounts and instalments change what is settled; without them it is the amount less the fee.
    let due = if is_refund { -gross } else { gross } + fee;
    if net != due && is_nothing(row[35]) && is_nothing(row[37]) {
        return None;
    }
    let channel_id = text(if is_refund { row[26] } else { row[9] })?.to_owned();
    // Older files do not say which order was refunded; its number with UnionPay is there.
    let own = if is_refund { text(row[40])? } else { order_id };
    // What is longer than a payment's reference can be is the number of a capture.
    let is_capture = own.len() > PROFILE.references.max;
    let own = if is_capture { reference(own, 'c').unwrap_or(own) } else { own };
    Some(Some(Line {
        kind: if is_refund { LineKind::Refund } else { LineKind::Payment },
        reference: own.to_owned(),
        refund_reference: is_refund.then(|| order_id.to_owned()),
        channel_id,
        money: Money::new(gross, CNY),
        fee: Money::new(-fee, CNY),
        at: instant(row[4], date)?,
    }))
}

/// A row of `ZME`. It names no order; a person finds it by amount and trace number.
fn disputed(row: &[&[u8]; 22], merchant: &str, date: Timestamp) -> Option<Line> {
    if ![row[16], row[17]].iter().any(|field| text(field) == Some(merchant)) {
        return None;
    }
    Some(Line {
        kind: LineKind::Other,
        reference: String::new(),
        refund_reference: None,
        channel_id: format!("{}{}", text(row[10])?, text(row[11])?),
        money: Money::new(digits(row[6])?, CNY),
        fee: Money::new(-signed(row[14]).unwrap_or(0), CNY),
        at: instant(row[4], date)?,
    })
}

/// `MMDDhhmmss`, not after the settlement: what was made on the last days of December is settled in January.
fn instant(field: &[u8], date: Timestamp) -> Option<Timestamp> {
    beijing_yearless(text(field)?, date.plus(std::time::Duration::from_secs(2 * 86_400)))
}
