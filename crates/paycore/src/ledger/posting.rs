//! Posting templates as data: read from JSON, proven balanced before they are used.
//!
//! A template is proven by its parts, not by sample amounts: every part has to be debited as often as it is credited.
//! A part has one amount in one currency, and so what is made of parts balances in every currency, whatever the amounts
//! are.

use serde::{Deserialize, Serialize};

use super::chart;
use super::templates::TEMPLATES;
use super::{Entry, Side};
use crate::event::{Booking, Movement, Part};

/// The posting template of every movement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Templates(Vec<PostingTemplate>);

/// How one movement is booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostingTemplate {
    /// What moved.
    pub movement: Movement,
    /// One after the other.
    pub lines: Vec<PostingLine>,
}

/// What one part does: from one account to another, or one side of it. `{channel}` and `{party}` in a name are filled
/// from the booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostingLine {
    /// The account debited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debit: Option<String>,
    /// The account credited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<String>,
    /// The part that moves.
    pub part: Part,
}

/// Why templates are not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not a JSON array of templates.
    #[error("the posting templates cannot be read: {0}")]
    Json(String),
    /// A movement has two templates.
    #[error("there are two posting templates of `{}`", .0.text())]
    Twice(Movement),
    /// A line is wrong.
    #[error("posting template `{}`, line {line}: {problem}", .movement.text())]
    Line {
        /// The template.
        movement: Movement,
        /// 1, 2, 3 …
        line: usize,
        /// What is wrong with it, and what it takes.
        problem: String,
    },
    /// A part is not debited as often as it is credited.
    #[error(
        "posting template `{}` does not balance: the part `{part}` is debited {debits} times and credited {credits} \
         times",
        .movement.text()
    )]
    Unbalanced {
        /// The template.
        movement: Movement,
        /// The part.
        part: String,
        /// How many lines debit it.
        debits: usize,
        /// How many lines credit it.
        credits: usize,
    },
}

impl Default for Templates {
    fn default() -> Self {
        Templates::builtin()
    }
}

impl Templates {
    /// Those that are compiled in.
    pub fn builtin() -> Self {
        let line = |line: &super::templates::Line| PostingLine {
            debit: Some(line.debit.to_owned()),
            credit: Some(line.credit.to_owned()),
            part: line.part,
        };
        let template = |template: &super::templates::Template| PostingTemplate {
            movement: template.movement,
            lines: template.lines.iter().map(line).collect(),
        };
        Templates(TEMPLATES.iter().map(template).collect())
    }

    /// Those of a JSON array in the place of the compiled ones of the same movements:
    /// `[{"movement": "payment", "lines": [{"debit": "channel_receivable:{channel}", "credit": "merchant_pending",
    /// "part": "gross"}]}]`.
    ///
    /// # Errors
    /// [`TemplateError`] where one cannot be read or is not proven; it names template and line.
    pub fn parse(json: &str) -> Result<Self, TemplateError> {
        let own: Vec<PostingTemplate> =
            serde_json::from_str(json).map_err(|error| TemplateError::Json(error.to_string()))?;
        let mut templates = Templates::builtin();
        for (at, template) in own.iter().enumerate() {
            if own[..at].iter().any(|other| other.movement == template.movement) {
                return Err(TemplateError::Twice(template.movement));
            }
            template.prove()?;
            let place = templates.0.iter_mut().find(|there| there.movement == template.movement);
            match place {
                Some(place) => place.clone_from(template),
                None => templates.0.push(template.clone()),
            }
        }
        Ok(templates)
    }

    /// As JSON, to begin from.
    ///
    /// # Panics
    /// Never: templates are texts.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("templates are texts")
    }

    /// Every template.
    pub fn iter(&self) -> impl Iterator<Item = &PostingTemplate> {
        self.0.iter()
    }

    /// The entries of a booking; parts that are missing or zero leave none.
    pub fn entries(&self, booking: &Booking) -> Vec<Entry> {
        let template = self.0.iter().find(|template| template.movement == booking.movement);
        let lines = template.into_iter().flat_map(|template| &template.lines);
        let mut entries = Vec::new();
        for line in lines {
            let Some(money) = booking.part(line.part).filter(|money| !money.is_zero()) else { continue };
            for (pattern, side) in [(&line.debit, Side::Debit), (&line.credit, Side::Credit)] {
                if let Some(pattern) = pattern {
                    entries.push(Entry { account: account_name(pattern, booking), side, money });
                }
            }
        }
        entries
    }
}

impl PostingTemplate {
    /// Proves that it balances whatever the amounts are, and that the chart has its accounts.
    ///
    /// # Errors
    /// [`TemplateError`] with the line or the part that is wrong.
    pub fn prove(&self) -> Result<(), TemplateError> {
        for (at, line) in self.lines.iter().enumerate() {
            if let Some(problem) = line.problem() {
                return Err(TemplateError::Line { movement: self.movement, line: at + 1, problem });
            }
        }
        for line in &self.lines {
            let of_part = || self.lines.iter().filter(|other| other.part == line.part);
            let debits = of_part().filter(|line| line.debit.is_some()).count();
            let credits = of_part().filter(|line| line.credit.is_some()).count();
            if debits != credits {
                let part = format!("{:?}", line.part).to_lowercase();
                return Err(TemplateError::Unbalanced { movement: self.movement, part, debits, credits });
            }
        }
        Ok(())
    }
}

impl PostingLine {
    fn problem(&self) -> Option<String> {
        if self.debit.is_none() && self.credit.is_none() {
            return Some("give `debit`, `credit` or both".into());
        }
        if self.debit == self.credit {
            return Some("debit and credit are the same account".into());
        }
        [&self.debit, &self.credit].into_iter().flatten().find_map(|pattern| unknown(pattern))
    }
}

/// What is wrong with the name of an account in a template.
fn unknown(pattern: &str) -> Option<String> {
    let Some(kind) = chart::kind(pattern) else {
        return Some(format!("the chart of accounts has no `{pattern}`"));
    };
    let wanted = kind.per.map(chart::Per::placeholder);
    let of = pattern.split_once(':').map(|(_, of)| of);
    match (of, wanted) {
        (Some(of), Some(wanted)) if of.contains(['{', '}']) && of != wanted => {
            Some(format!("`{pattern}` takes `{}:{wanted}`", kind.name))
        }
        _ => None,
    }
}

/// The name of an account with what the booking says in the place of the braces.
fn account_name(pattern: &str, booking: &Booking) -> String {
    let (channel, party) = (booking.channel.as_deref(), booking.party.as_deref());
    match pattern.split_once('{') {
        Some((head, "channel}")) => format!("{head}{}", channel.unwrap_or("none")),
        Some((head, _)) => format!("{head}{}", party.unwrap_or("none")),
        None => pattern.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::currency::Currency;
    use crate::money::Money;

    #[test]
    fn every_compiled_template_is_proven_and_reads_back_from_its_own_json() {
        let builtin = Templates::builtin();
        builtin.iter().for_each(|template| assert_eq!(template.prove(), Ok(())));
        assert_eq!(Templates::parse(&builtin.to_json()), Ok(builtin));
    }

    #[test]
    fn what_is_not_proven_is_refused_with_its_template_and_line() {
        let parse = |lines: &str| {
            let json = format!(r#"[{{"movement": "payment", "lines": [{lines}]}}]"#);
            Templates::parse(&json).err().map(|error| error.to_string()).unwrap_or_default()
        };
        let good =
            r#"{"debit": "channel_receivable:{channel}", "credit": "merchant_pending", "part": "gross"}"#;
        assert_eq!(parse(good), "");
        for (line, said) in [
            (
                r#"{"debit": "merchant_pendng", "part": "fee"}"#,
                "line 2: the chart of accounts has no `merchant_pendng`",
            ),
            (
                r#"{"debit": "channel_receivable", "part": "fee"}"#,
                "line 2: the chart of accounts has no `channel_receivable`",
            ),
            (
                r#"{"debit": "bank:{channel}", "part": "fee"}"#,
                "line 2: `bank:{channel}` takes `bank:{party}`",
            ),
            (
                r#"{"debit": "fee_income", "credit": "fee_income", "part": "fee"}"#,
                "line 2: debit and credit are the same account",
            ),
            (r#"{"part": "fee"}"#, "line 2: give `debit`, `credit` or both"),
            (
                r#"{"debit": "merchant_pending", "part": "fee"}"#,
                "the part `fee` is debited 1 times and credited 0 times",
            ),
            (r#"{"debit": "merchant_pending", "part": "fees"}"#, "unknown variant `fees`"),
            (r#"{"debit": "merchant_pending", "parts": "fee"}"#, "unknown field `parts`"),
        ] {
            let error = parse(&format!("{good}, {line}"));
            assert!(error.contains(said), "{error} for {line}");
        }
        // The two sides of a part may stand in lines of their own.
        assert_eq!(
            parse(r#"{"debit": "rounding", "part": "fee"}, {"credit": "fee_income", "part": "fee"}"#),
            ""
        );
        let twice = r#"[{"movement": "hold", "lines": []}, {"movement": "hold", "lines": []}]"#;
        assert_eq!(Templates::parse(twice), Err(TemplateError::Twice(Movement::Hold)));
        assert!(matches!(Templates::parse("{}"), Err(TemplateError::Json(_))));
    }

    #[test]
    fn a_loaded_template_takes_the_place_of_the_compiled_one() {
        let json = r#"[{"movement": "payment", "lines": [
            {"debit": "bank:{party}", "credit": "merchant_available", "part": "gross"}]}]"#;
        let templates = Templates::parse(json).unwrap();
        let money = Money::new(500, Currency::CNY);
        let booking =
            Booking::new(Movement::Payment, Part::Gross, money).party("main").with(Part::Fee, money);
        let accounts: Vec<String> =
            templates.entries(&booking).into_iter().map(|entry| entry.account).collect();
        assert_eq!(accounts, ["bank:main", "merchant_available"]);
        let hold = Booking::new(Movement::Hold, Part::Gross, money);
        assert_eq!(templates.entries(&hold), Templates::builtin().entries(&hold));
    }
}
