//! Refusals that are not believed at once. A request that was carried out and is sent again may be refused the second
//! time, so such a refusal leads to a query, and it counts only when the query finds nothing.

use paycore::channel::{DeclineReason, Outcome, Stage, Verdict};

use crate::dialect::reply::declined;

/// A refusal that is believed only when a query finds nothing: its code, and what it then means.
pub(crate) type Doubt = (&'static str, DeclineReason, &'static str);

/// The stage of the query behind the first row of a table of doubts; the others follow. What an operation asks for
/// other reasons has a lower number.
pub(crate) const REFUSED: Stage = 16;

/// The stage at which a query settles the refusal with this code, if there is doubt about it.
pub(crate) fn stage(doubts: &[Doubt], code: &str) -> Option<Stage> {
    let found = (REFUSED..).zip(doubts).find(|(_, (known, ..))| *known == code);
    found.map(|(stage, _)| stage)
}

/// What it means when the query of a stage has found nothing: the refusal that led to it, whose text the query does
/// not carry, or else that nothing is known.
pub(crate) fn refusal(doubts: &[Doubt], stage: Stage) -> Outcome {
    let row = stage.checked_sub(REFUSED).and_then(|row| doubts.get(usize::from(row)));
    let absent = Outcome::new(Verdict::Absent);
    row.map_or(absent, |&(code, reason, message)| declined(reason, code, message))
}
