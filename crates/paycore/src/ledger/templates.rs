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
    Template {
        movement: Movement::Hold,
        lines: &[line("merchant_available", "merchant_frozen", Part::Gross)],
    },
    Template {
        movement: Movement::HoldRelease,
        lines: &[line("merchant_frozen", "merchant_available", Part::Gross)],
    },
    // Its entries are those of the transaction that it takes back, the other way.
    Template { movement: Movement::Reversal, lines: &[] },
    Template { movement: Movement::TopUp, lines: &[line("bank:{party}", "merchant_available", Part::Gross)] },
    Template {
        movement: Movement::PayoutReserve,
        lines: &[line("merchant_available", "merchant_in_payout", Part::Gross)],
    },
    Template {
        movement: Movement::PayoutRelease,
        lines: &[line("merchant_in_payout", "merchant_available", Part::Gross)],
    },
    Template {
        movement: Movement::PayoutPaid,
        lines: &[
            line("merchant_in_payout", "bank:{party}", Part::Gross),
            line("merchant_in_payout", "fee_income", Part::Fee),
        ],
    },
    // The channel pays out of what it owes us.
    Template {
        movement: Movement::PayoutTransferred,
        lines: &[
            line("merchant_in_payout", "channel_receivable:{channel}", Part::Gross),
            line("merchant_in_payout", "fee_income", Part::Fee),
        ],
    },
    // The fee stays: the bank or channel did its work.
    Template {
        movement: Movement::PayoutReturned,
        lines: &[line("bank:{party}", "merchant_available", Part::Gross)],
    },
    Template {
        movement: Movement::PayoutTransferReturned,
        lines: &[line("channel_receivable:{channel}", "merchant_available", Part::Gross)],
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
    // The channel paid the receivers out of what it owed us, and so out of what we owed the merchant.
    Template {
        movement: Movement::Share,
        lines: &[line("merchant_pending", "channel_receivable:{channel}", Part::Gross)],
    },
    Template {
        movement: Movement::ShareReturn,
        lines: &[line("channel_receivable:{channel}", "merchant_pending", Part::Gross)],
    },
    // What we owe the receiver we owe the merchant no more. A debit balance is what the receiver owes.
    Template {
        movement: Movement::ShareCredit,
        lines: &[line("merchant_pending", "split_payable:{party}", Part::Gross)],
    },
    Template {
        movement: Movement::ShareCharge,
        lines: &[line("split_payable:{party}", "merchant_pending", Part::Gross)],
    },
    // Agents are paid out of the fee.
    Template {
        movement: Movement::Commission,
        lines: &[line("fee_income", "agent_payable:{party}", Part::Gross)],
    },
    Template {
        movement: Movement::CommissionBack,
        lines: &[line("agent_payable:{party}", "fee_income", Part::Gross)],
    },
    Template {
        movement: Movement::AgentWithdrawal,
        lines: &[
            line("agent_payable:{party}", "merchant_in_payout", Part::Gross),
            line("agent_payable:{party}", "tax_payable", Part::Tax),
        ],
    },
    Template {
        movement: Movement::AgentWithdrawalReversal,
        lines: &[
            line("merchant_in_payout", "agent_payable:{party}", Part::Gross),
            line("tax_payable", "agent_payable:{party}", Part::Tax),
        ],
    },
    Template {
        movement: Movement::AgentPaid,
        lines: &[line("merchant_in_payout", "bank:{party}", Part::Gross)],
    },
    // The channel keeps what it took back and what the case costs; the merchant bears both.
    Template {
        movement: Movement::Chargeback,
        lines: &[line("merchant_pending", "channel_receivable:{channel}", Part::Gross)],
    },
    Template {
        movement: Movement::ChargebackReversal,
        lines: &[line("channel_receivable:{channel}", "merchant_pending", Part::Gross)],
    },
    Template {
        movement: Movement::DisputeFee,
        lines: &[line("merchant_pending", "channel_receivable:{channel}", Part::Gross)],
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
    // The same where a bank account is compared and not what a channel owes.
    Template {
        movement: Movement::BankSuspenseLong,
        lines: &[line("bank:{party}", "suspense_long:{channel}", Part::Gross)],
    },
    Template {
        movement: Movement::BankSuspenseShort,
        lines: &[line("suspense_short:{channel}", "bank:{party}", Part::Gross)],
    },
    Template {
        movement: Movement::BankSuspenseLongReleased,
        lines: &[line("suspense_long:{channel}", "bank:{party}", Part::Gross)],
    },
    Template {
        movement: Movement::BankSuspenseShortReleased,
        lines: &[line("bank:{party}", "suspense_short:{channel}", Part::Gross)],
    },
    // What the merchant got too little or too much of is the platform's.
    Template {
        movement: Movement::SettlementCorrection,
        lines: &[
            line("fee_income", "merchant_pending", Part::FeeBack),
            line("merchant_pending", "fee_income", Part::Fee),
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
            assert!(*movement == Movement::Reversal || !found[0].lines.is_empty());
            assert!(found[0].lines.iter().all(|line| line.debit != line.credit));
        }
    }
}
