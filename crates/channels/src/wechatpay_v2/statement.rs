//! The daily bill of trades: the same file as by v3.

use std::io::BufRead;

use paycore::channel::{Fault, Line, Totals};

use super::config::Account;
use crate::dialect::wechat_bill;

pub(super) fn parse(
    account: &Account,
    file: &mut dyn BufRead,
    each: &mut dyn FnMut(Line),
) -> Result<Totals, Fault> {
    let sub = account.sub.as_ref().map(|(mch_id, _)| mch_id.as_str());
    wechat_bill::parse(&account.party.mch_id, sub, file, each)
}
