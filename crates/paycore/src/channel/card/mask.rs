//! Channels' own words about a payment by card, without a number that they may repeat.

use super::number;
use crate::channel::{Decline, Fault, Outcome, Verdict};

/// What was heard, with every card number in it cut to its last four digits.
pub fn masked(news: &Result<Outcome, Fault>) -> Result<Outcome, Fault> {
    match news.clone() {
        Ok(Outcome { verdict: Verdict::Declined(decline), channel_id, money, at, shares }) => {
            let Decline { reason, code, message } = decline;
            let decline = Decline { reason, code: text(&code), message: text(&message) };
            Ok(Outcome { verdict: Verdict::Declined(decline), channel_id, money, at, shares })
        }
        Ok(outcome) => Ok(outcome),
        Err(Fault::Transport(words)) => Err(Fault::Transport(text(&words))),
        Err(Fault::Unexpected(words)) => Err(Fault::Unexpected(text(&words))),
        Err(Fault::Unacceptable(words)) => Err(Fault::Unacceptable(text(&words))),
        Err(Fault::Unknown { code, message }) => {
            Err(Fault::Unknown { code: text(&code), message: text(&message) })
        }
        Err(fault @ (Fault::Signature | Fault::Unsupported)) => Err(fault),
    }
}

/// A text in which no run of digits, grouped or not, may be a card number.
fn text(words: &str) -> String {
    let mut clean = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        clean.push_str(&rest[..start]);
        rest = &rest[start..];
        let grouped = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-');
        let end = rest.find(|c| !grouped(c)).unwrap_or(rest.len());
        let end = rest[..end].trim_end_matches([' ', '-']).len();
        clean.push_str(&run(&rest[..end]));
        rest = &rest[end..];
    }
    clean + rest
}

fn run(digits: &str) -> String {
    match number::check(digits) {
        Ok(()) => format!("…{}", super::CardFace::of(&number::digits(digits).unwrap_or_default()).last4),
        Err(_) => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cut_and_everything_else_is_left() {
        for (heard, kept) in [
            ("card 4242424242424242 is lost", "card …4242 is lost"),
            ("4242 4242-4242 4242", "…4242"),
            ("pan=4242424242424242&cvc", "pan=…4242&cvc"),
            (
                "trade 2026113022002 at 12:30, 4242424242424241",
                "trade 2026113022002 at 12:30, 4242424242424241",
            ),
            ("没有 4242424242424242。", "没有 …4242。"),
            ("", ""),
        ] {
            assert_eq!(text(heard), kept, "{heard}");
        }
    }

    #[test]
    fn every_word_of_a_channel_is_looked_at() {
        let number = || "4242424242424242".to_owned();
        let reason = crate::channel::DeclineReason::Generic;
        let decline = Decline { reason, code: number(), message: number() };
        for news in [
            Ok(Outcome::new(Verdict::Declined(decline))),
            Err(Fault::Transport(number())),
            Err(Fault::Unexpected(number())),
            Err(Fault::Unacceptable(number())),
            Err(Fault::Unknown { code: number(), message: number() }),
        ] {
            let shown = format!("{:?}", masked(&news));
            assert!(shown.contains("…4242") && !shown.contains("42424242"), "{shown}");
        }
        assert_eq!(masked(&Err(Fault::Signature)), Err(Fault::Signature));
    }
}
