//! Card numbers: which brand, and whether the check digit is right (ISO/IEC 7812-1, published issuer ranges). The one
//! place that knows: the server, the card fields in the payer's browser and the widget all ask here.

/// A brand with the ranges its numbers begin with and the lengths they have.
#[derive(Debug, PartialEq, Eq)]
pub struct Brand {
    /// As in the API.
    pub name: &'static str,
    /// First and last beginning of a range, with equally many digits.
    pub ranges: &'static [(&'static str, &'static str)],
    /// Shortest and longest number.
    pub lengths: (usize, usize),
    /// Digits of the security code.
    pub cvc_len: usize,
}

/// What is wrong with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Something else than digits, spaces and hyphens.
    NotANumber,
    /// Digits are missing.
    Incomplete,
    /// Too many digits.
    TooLong,
    /// The check digit is wrong.
    Mistyped,
}

impl Problem {
    /// The word of the checkout's contract.
    pub fn text(self) -> &'static str {
        match self {
            Problem::NotANumber => "not_a_number",
            Problem::Incomplete => "incomplete",
            Problem::TooLong => "too_long",
            Problem::Mistyped => "mistyped",
        }
    }
}

/// The brands whose numbers are told apart.
pub const BRANDS: &[Brand] = &[
    Brand { name: "amex", ranges: &[("34", "34"), ("37", "37")], lengths: (15, 15), cvc_len: 4 },
    Brand {
        name: "diners",
        ranges: &[("300", "305"), ("3095", "3095"), ("36", "36"), ("38", "39")],
        lengths: (14, 19),
        cvc_len: 3,
    },
    Brand {
        name: "discover",
        ranges: &[("6011", "6011"), ("644", "649"), ("65", "65")],
        lengths: (16, 19),
        cvc_len: 3,
    },
    Brand { name: "jcb", ranges: &[("3528", "3589")], lengths: (16, 19), cvc_len: 3 },
    Brand { name: "mastercard", ranges: &[("51", "55"), ("2221", "2720")], lengths: (16, 16), cvc_len: 3 },
    Brand { name: "mir", ranges: &[("2200", "2204")], lengths: (16, 19), cvc_len: 3 },
    Brand { name: "unionpay", ranges: &[("62", "62"), ("81", "81")], lengths: (16, 19), cvc_len: 3 },
    Brand { name: "visa", ranges: &[("4", "4")], lengths: (13, 19), cvc_len: 3 },
];
/// Lengths of numbers of brands that are not in the table.
pub const ANY: (usize, usize) = (12, 19);

/// The digits of what was typed, without the spaces and hyphens people put between them.
pub fn digits(typed: &str) -> Option<String> {
    let digits: String = typed.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    digits.bytes().all(|b| b.is_ascii_digit()).then_some(digits)
}

/// The brand these first digits belong to, once that is certain.
pub fn brand(digits: &str) -> Option<&'static Brand> {
    let within = |(first, last): &(&str, &str)| {
        digits.get(..first.len()).is_some_and(|start| *first <= start && start <= *last)
    };
    BRANDS.iter().find(|brand| brand.ranges.iter().any(within))
}

/// Whether a number may be that of a card.
///
/// # Errors
/// The first [`Problem`] with it.
pub fn check(typed: &str) -> Result<(), Problem> {
    let digits = digits(typed).ok_or(Problem::NotANumber)?;
    let (min, max) = brand(&digits).map_or(ANY, |brand| brand.lengths);
    match digits.len() {
        length if length < min => Err(Problem::Incomplete),
        length if length > max => Err(Problem::TooLong),
        _ if !checks_out(&digits) => Err(Problem::Mistyped),
        _ => Ok(()),
    }
}

/// The Luhn sum: from the right, every second digit doubled, the digits of all that added, a multiple of ten.
fn checks_out(digits: &str) -> bool {
    let doubled = |digit: u8| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let values = digits.bytes().rev().map(|byte| byte - b'0').enumerate();
    let sum: u32 =
        values.map(|(at, digit)| u32::from(if at % 2 == 1 { doubled(digit) } else { digit })).sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(number: &str) -> Option<&'static str> {
        brand(&digits(number)?).map(|brand| brand.name)
    }

    #[test]
    fn published_test_numbers_are_right_and_known() {
        for (number, name) in [
            ("4111 1111 1111 1111", "visa"),
            ("4222222222222", "visa"),
            ("5555-5555-5555-4444", "mastercard"),
            ("2223 0031 2200 3222", "mastercard"),
            ("378282246310005", "amex"),
            ("30569309025904", "diners"),
            ("6011111111111117", "discover"),
            ("3530111333300000", "jcb"),
            ("6200000000000005", "unionpay"),
            ("2200000000000004", "mir"),
        ] {
            assert_eq!((check(number), named(number)), (Ok(()), Some(name)), "{number}");
        }
    }

    #[test]
    fn a_brand_is_named_when_it_is_certain() {
        for (typed, name) in [
            ("", None),
            ("4", Some("visa")),
            ("2", None),
            ("222", None),
            ("2220", None),
            ("2221", Some("mastercard")),
            ("2720", Some("mastercard")),
            ("2721", None),
            ("35", None),
            ("3527", None),
            ("3528", Some("jcb")),
            ("62", Some("unionpay")),
            ("9", None),
        ] {
            assert_eq!(named(typed), name, "{typed}");
        }
    }

    #[test]
    fn every_problem_has_its_word() {
        for (typed, problem) in [
            ("4111 1111 1111 111x", "not_a_number"),
            ("４１１１１１１１１１１１１１１１", "not_a_number"),
            ("", "incomplete"),
            ("411111111111", "incomplete"),
            ("37828224631000", "incomplete"),
            ("3782822463100050", "too_long"),
            ("41111111111111111111", "too_long"),
            ("4111111111111112", "mistyped"),
            ("4111111111111121", "mistyped"),
        ] {
            assert_eq!(check(typed).map_err(Problem::text), Err(problem), "{typed}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_always_noticed(number in "4[0-9]{14}", at in 0usize..16, by in 1u8..10) {
            let right = (0..10).map(|check| format!("{number}{check}")).find(|n| checks_out(n)).unwrap();
            let mut wrong = right.clone().into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert!(checks_out(&right) && !checks_out(&wrong), "{} {}", right, wrong);
        }

        #[test]
        fn whatever_is_typed_there_is_an_answer(typed: String) {
            let _ = (check(&typed), named(&typed));
        }
    }
}
