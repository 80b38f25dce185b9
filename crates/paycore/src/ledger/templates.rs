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
    // What a month's end charges, and what it gives back.
    Template {
        movement: Movement::Fee,
        lines: &[
            line("merchant_pending", "fee_income", Part::Fee),
            line("merchant_pending", "tax_payable", Part::Tax),
            line("fee_income", "merchant_pending", Part::FeeBack),
            line("tax_payable", "merchant_pending", Part::TaxBack),
        ],
    },
    // Two legs through the liquidity account, which gives up the mid: the merchant's amount, the spread and the rest.
    Template {
        movement: Movement::Conversion,
        lines: &[
            line("merchant_available", "fx_liquidity", Part::Sold),
            line("fx_liquidity", "merchant_available", Part::Bought),
            line("fx_liquidity", "fx_spread", Part::Spread),
            line("fx_liquidity", "rounding", Part::Rounding),
        ],
    },
    Template {
        movement: Movement::Revaluation,
        lines: &[
            line("fx_revaluation", "fx_gain", Part::Gain),
            line("fx_gain", "fx_revaluation", Part::Loss),
        ],
    },
    // What was pending becomes available, or the other way where more was taken back than came in.
    Template {
        movement: Movement::Settlement,
        lines: &[
            line("merchant_pending", "merchant_available", Part::Settled),
            line("merchant_available", "merchant_pending", Part::Reclaimed),
            line("merchant_available", "merchant_reserve", Part::ReserveHeld),
            line("merchant_reserve", "merchant_available", Part::ReserveReleased),
            line("merchant_available", "fee_income", Part::AccelerationFee),
            line("merchant_available", "fee_income", Part::TransferFee),
        ],
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
