//! The daily bills, of trades and of funds: the same files as by v2.

use std::io::BufRead;

use paycore::channel::{Fault, Line, Totals};

use super::config::Account;
use crate::dialect::wechat_bill;

pub(super) fn parse(
    account: &Account,
    file: &mut dyn BufRead,
    each: &mut dyn FnMut(Line),
) -> Result<Totals, Fault> {
    let sub = account.merchant.sub.as_ref().map(|sub| sub.mchid.as_str());
    wechat_bill::parse(&account.merchant.identity.mchid, sub, file, each)
}
