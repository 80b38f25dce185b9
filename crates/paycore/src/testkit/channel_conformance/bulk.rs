//! Large statement files: what a channel's simulator writes about very many payments. One payment with a refund is
//! made on the wire; the others are the simulator's own records of it, put back under other numbers.

use bytes::Bytes;

use super::Options;
use super::stand::{Failure, Stand, Wiring, currency, refund};
use crate::channel::{Driver, Operation, Verb, Verdict};
use crate::crypto::Keyring;
use crate::money::Money;

/// The statement file of one day with so many payments, each with a refund where the channel refunds; `None` where the
/// channel has no simulator or its provider writes no statements.
///
/// # Errors
/// What kept the payment or the refund from being made, as text.
pub fn statement(
    driver: &dyn Driver,
    keyring: &dyn Keyring,
    payments: usize,
) -> Result<Option<Bytes>, String> {
    let options = Options::default();
    let told = |failure: Failure| format!("{}: {failure:?}", driver.profile().id);
    let Some(wiring) = Wiring::new(driver, keyring).map_err(told)? else { return Ok(None) };
    let mut stand = wiring.stand(&options).map_err(told)?;
    let numbers = process_one(&mut stand).map_err(told)?;
    let records = stand.simulator.changed();
    let mut full = stand.fresh_simulator().map_err(told)?;
    for copy in 0..payments {
        // A first letter for each of the numbers, because the originals begin with R.
        let other = |letter: char, number: &str| format!("{letter}{copy:0width$}", width = number.len() - 1);
        let renumbered = |text: &str| {
            ('A'..)
                .zip(&numbers)
                .fold(text.to_owned(), |text, (letter, number)| text.replace(number, &other(letter, number)))
        };
        for (key, value) in records.iter().filter(|(key, _)| !key.starts_with("note")) {
            full.restore(&renumbered(key), &renumbered(value));
        }
    }
    let (now, day) = (stand.now(), std::time::Duration::from_secs(24 * 3_600));
    Ok(full.statement(now.minus(day), now.plus(day)))
}

/// Pays and refunds; the numbers that are ours.
fn process_one(stand: &mut Stand<'_>) -> Result<Vec<String>, Failure> {
    let row = stand.profile().capabilities.first().ok_or(Failure::NotClaimed)?;
    let pay = stand.paid(row, Money::new(12_34, currency(row)))?;
    let mut numbers = vec![pay.reference.clone()];
    if row.verbs.contains(&Verb::Refund) {
        let given = refund(&pay, stand.reference(), 1_00);
        numbers.push(given.reference.clone());
        let outcome = stand.outcome(&Operation::Refund(given))?;
        stand.ensure(matches!(outcome.verdict, Verdict::Succeeded | Verdict::Pending), || {
            format!("{outcome:?}")
        })?;
    }
    Ok(numbers)
}
