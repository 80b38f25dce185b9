//! Security codes between the moment they are typed and the payment that they belong to: in this process's memory and
//! nowhere else. A restart loses them, and the payer types the card again.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::id::CardTokenId;
use crate::secret::Secret;
use crate::time::Timestamp;

/// More than any server is told within a token's life; beyond it the oldest give way.
const CODES_MAX: usize = 100_000;

/// The codes of tokens that are not used yet. Each is wiped when it leaves.
#[derive(Default)]
pub struct Cvcs(Mutex<HashMap<CardTokenId, (Timestamp, Secret)>>);

impl Cvcs {
    /// Keeps a code until an instant.
    pub fn keep(&self, token: CardTokenId, cvc: Secret, until: Timestamp, now: Timestamp) {
        let mut codes = self.codes();
        codes.retain(|_, (end, _)| *end > now);
        if codes.len() >= CODES_MAX {
            let oldest = codes.iter().min_by_key(|(_, (end, _))| *end).map(|(token, _)| *token);
            oldest.and_then(|token| codes.remove(&token));
        }
        codes.insert(token, (until, cvc));
    }

    /// A copy of a code, while it is there. It stays until the payment is written, so that a payment that is refused
    /// before can be tried again.
    pub fn look(&self, token: CardTokenId, now: Timestamp) -> Option<Secret> {
        self.codes().get(&token).filter(|(end, _)| *end > now).map(|(_, cvc)| cvc.clone())
    }

    /// Wipes a code.
    pub fn forget(&self, token: CardTokenId) {
        self.codes().remove(&token);
    }

    fn codes(&self) -> MutexGuard<'_, HashMap<CardTokenId, (Timestamp, Secret)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cvcs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cvcs(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_there_until_its_time_or_its_payment() {
        let codes = Cvcs::default();
        let (one, two) = (CardTokenId::from_bits(1), CardTokenId::from_bits(2));
        let at = Timestamp::from_secs;
        codes.keep(one, Secret::new("123"), at(10), at(0));
        codes.keep(two, Secret::new("987"), at(20), at(0));
        assert_eq!(codes.look(one, at(9)).as_ref().map(Secret::expose), Some("123"));
        assert_eq!(codes.look(one, at(10)), None);
        codes.forget(two);
        assert_eq!(codes.look(two, at(1)), None);
        codes.keep(two, Secret::new("987"), at(20), at(11));
        assert_eq!(codes.codes().len(), 1, "what is over is wiped");
        assert_eq!(format!("{codes:?}"), "Cvcs(…)");
    }
}
