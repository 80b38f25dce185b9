//! The daily bill of trades: the same file as that of every other payment by WeChat Pay.

use std::io::BufRead;

use paycore::channel::{Fault, Line, Totals};

use super::config::Account;
use crate::dialect::wechat_bill;

pub(super) fn parse(
    account: &Account,
    file: &mut dyn BufRead,
    each: &mut dyn FnMut(Line),
) -> Result<Totals, Fault> {
    wechat_bill::parse(&account.party.mch_id, None, file, each)
}
