//! What stands on a statement, before any format: the head, the lines and the columns of an item.

use paycore::clearing::Item;
use paycore::currency::Currency;
use paycore::money::Money;
use paycore::rate::Rate;
use paycore::settlement::Statement;
use paycore::settlement::export::{Head, Language};
use paycore::time::Timestamp;

use crate::words::{self, Word};

/// The columns of the items.
pub const COLUMNS: [Word; 9] = [
    Word::Time,
    Word::Kind,
    Word::Source,
    Word::Order,
    Word::Channel,
    Word::Method,
    Word::Gross,
    Word::Fee,
    Word::Net,
];

/// Names with texts, above the lines.
pub fn head(head: &Head) -> Vec<(&'static str, String)> {
    let language = head.language;
    let settlement = &head.settlement;
    let status = match language {
        Language::English => settlement.status.text(),
        Language::Chinese => settlement.status.text_zh(),
    };
    let until = settlement.period.through;
    let period = match settlement.period.after {
        Some(after) => format!("{} {} {until}", local(head, after), Word::Until.text(language)),
        None => format!("{} {until}", Word::Until.text(language)),
    };
    let mut rows = vec![
        (Word::Merchant, head.merchant.clone()),
        (Word::Number, settlement.number.clone()),
        (Word::Period, period),
        (Word::PayOn, settlement.period.pay_on.to_string()),
        (Word::Status, status.to_owned()),
        (Word::Currency, settlement.currency.to_string()),
        (Word::TimeZone, head.zone.to_string()),
    ];
    rows.extend(exchanged(head));
    if let Some(why) = settlement.carried_for {
        rows.push((Word::Remark, words::carried(why, language).to_owned()));
    }
    rows.into_iter().map(|(word, text)| (word.text(language), text)).collect()
}

/// What is paid in another currency, at which rate; or what that waits for.
pub fn exchanged(head: &Head) -> Vec<(Word, String)> {
    let Some(conversion) = &head.settlement.conversion else { return Vec::new() };
    let mut rows = vec![(Word::PayoutCurrency, conversion.into.to_string())];
    if let Some(done) = &conversion.done {
        let price = |rate: Rate| format!("1 {} = {rate} {}", head.settlement.currency, conversion.into);
        rows.push((Word::MidRate, price(done.exchange.mid)));
        rows.push((Word::Rate, price(done.exchange.rate)));
    }
    if let Some(why) = conversion.waits_for {
        rows.push((Word::Remark, words::waits_for(why, head.language).to_owned()));
    }
    rows
}

/// A line of the statement: its name, how many movements it sums up (none for balances) and its amount.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// How many movements it sums up.
    pub count: Option<u64>,
    /// Its amount.
    pub money: Money,
}

/// A statement from opening to closing.
#[derive(Debug)]
pub struct Block {
    /// The currency of its lines.
    pub currency: Currency,
    /// The lines.
    pub rows: Vec<Row>,
}

/// The statement, and the one in the currency of the payout where that is another; none of a settlement that is not closed.
pub fn blocks(head: &Head) -> Vec<Block> {
    let converted = head.settlement.conversion.as_ref().and_then(|conversion| conversion.done);
    let second = converted.map(|done| done.statement());
    let both = head.settlement.statement.iter().chain(&second);
    both.map(|statement| block(statement, head.language)).collect()
}

fn block(statement: &Statement, language: Language) -> Block {
    let money = |minor| Money::new(minor, statement.currency);
    let balance = |word: Word, minor| Row { name: word.text(language), count: None, money: money(minor) };
    let mut rows = vec![balance(Word::Opening, statement.opening)];
    rows.extend(statement.lines.iter().map(|(kind, line)| Row {
        name: words::line(*kind, language),
        count: Some(line.count),
        money: money(line.amount),
    }));
    rows.push(balance(Word::Closing, statement.closing));
    Block { currency: statement.currency, rows }
}

/// The texts of an item, in the order of [`COLUMNS`] up to the amounts.
pub fn texts(head: &Head, item: &Item) -> [String; 6] {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        local(head, item.captured_at),
        words::item(item.kind, head.language).to_owned(),
        // A correction is known by the settlement that it corrects.
        item.corrects.map_or_else(|| item.source.clone(), |corrected| corrected.to_string()),
        item.order_id.map(|id| id.to_string()).unwrap_or_default(),
        optional(&item.channel),
        optional(&item.method),
    ]
}

/// The amounts of an item: gross, fee as it changes the balance, and net.
pub fn amounts(item: &Item) -> [Money; 3] {
    let currency = item.gross.currency();
    // A settlement adds nets up before it is closed, so that these sums are known to fit.
    let net = Money::new(item.gross.minor().saturating_sub(item.fee.minor()), currency);
    [item.gross, Money::new(-item.fee.minor(), currency), net]
}

/// The time on the merchant's clock, `2026-11-30 23:58:40`.
pub fn local(head: &Head, at: Timestamp) -> String {
    let civil = at.to_civil(head.zone.offset_at(at));
    format!("{} {}", civil.date(), civil.time())
}

/// An amount with separators between the thousands, for people.
pub fn grouped(money: Money) -> String {
    let plain = money.to_decimal_string();
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut text = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// How many decimals a currency has.
pub fn decimals(currency: Currency) -> usize {
    usize::from(currency.exponent())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_whatever_the_decimals() {
        let of = |minor, currency| grouped(Money::new(minor, currency));
        assert_eq!(of(123_456_789, Currency::CNY), "1,234,567.89");
        assert_eq!(of(-100_000, Currency::CNY), "-1,000.00");
        assert_eq!(of(5, Currency::CNY), "0.05");
        assert_eq!(of(1_234, Currency::JPY), "1,234");
    }
}
