//! The posting templates: which parts of a booking go from which account to which. A line moves one whole part, so a
//! template balances whatever the amounts are.

use crate::event::{Movement, Part};

/// How a movement is booked.
#[derive(Debug)]
pub struct Template {
    /// What moved.
    pub movement: Movement,
    /// One after the other.
    pub lines: &'static [Line],
}

/// One part from one account to another. `{channel}` and `{party}` in a name are filled from the booking.
#[derive(Debug)]
pub struct Line {
    /// The account debited.
    pub debit: &'static str,
    /// The account credited.
    pub credit: &'static str,
    /// The part that moves.
    pub part: Part,
}

const fn line(debit: &'static str, credit: &'static str, part: Part) -> Line {
    Line { debit, credit, part }
}

/// Every template, one per movement.
pub const TEMPLATES: &[Template] = &[
    // The channel owes us what it took for the merchant, less what it keeps; we owe the merchant, less our fee.
    Template {
        movement: Movement::Payment,
        lines: &[
            line("channel_receivable:{channel}", "merchant_pending", Part::Gross),
            line("merchant_pending", "fee_income", Part::Fee),
            line("merchant_pending", "tax_payable", Part::Tax),
            line("channel_cost", "channel_receivable:{channel}", Part::Cost),
        ],
    },
    // The same the other way: fee, tax and cost as far as they are given back.
    Template {
        movement: Movement::Refund,
        lines: &[
            line("merchant_pending", "channel_receivable:{channel}", Part::Gross),
            line("fee_income", "merchant_pending", Part::Fee),
            line("tax_payable", "merchant_pending", Part::Tax),
            line("channel_receivable:{channel}", "channel_cost", Part::Cost),
        ],
    },
    // The channel has money that our books do not explain; whose it is has to be found out.
    Template {
        movement: Movement::SuspenseLong,
        lines: &[line("channel_receivable:{channel}", "suspense_long:{channel}", Part::Gross)],
    },
    // The channel does not have what our books say; it is claimed or borne.
    Template {
        movement: Movement::SuspenseShort,
        lines: &[line("suspense_short:{channel}", "channel_receivable:{channel}", Part::Gross)],
    },
    // Explained: the surplus was none.
    Template {
        movement: Movement::SuspenseLongReleased,
        lines: &[line("suspense_long:{channel}", "channel_receivable:{channel}", Part::Gross)],
    },
    // Explained: the shortage was none.
    Template {
        movement: Movement::SuspenseShortReleased,
        lines: &[line("channel_receivable:{channel}", "suspense_short:{channel}", Part::Gross)],
    },
    // The surplus was a payment to the merchant.
    Template {
        movement: Movement::SuspenseLongCredited,
        lines: &[line("suspense_long:{channel}", "merchant_available", Part::Gross)],
    },
    // The merchant bears the shortage.
    Template {
        movement: Movement::SuspenseShortCharged,
        lines: &[line("merchant_available", "suspense_short:{channel}", Part::Gross)],
    },
    // We bear the shortage.
    Template {
        movement: Movement::SuspenseShortWrittenOff,
        lines: &[line("channel_cost", "suspense_short:{channel}", Part::Gross)],
    },
];

/// The template of a movement.
///
/// # Panics
/// Never: a test holds the list against [`Movement::ALL`].
pub fn template(movement: Movement) -> &'static Template {
    TEMPLATES.iter().find(|template| template.movement == movement).expect("every movement has a template")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_movement_has_one_template_whose_lines_lead_from_one_account_to_another() {
        for movement in Movement::ALL {
            let found: Vec<_> = TEMPLATES.iter().filter(|template| template.movement == *movement).collect();
            assert_eq!(found.len(), 1, "{movement:?}");
            assert!(
                !found[0].lines.is_empty() && found[0].lines.iter().all(|line| line.debit != line.credit)
            );
        }
    }
}
