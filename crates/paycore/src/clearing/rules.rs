//! Pure clearing: from a movement of money and the schedules in effect to its item.

use super::{Item, ItemKind};
use crate::event::Movement;
use crate::fee::rules::{self, Context, Reversal};
use crate::fee::{Applied, FeeLine, Schedule, Side};
use crate::money::{Money, MoneyError};

/// A payment's item with its price and cost. Whatever the schedules say, there is an item: a movement of money is never
/// held up by its price.
pub fn priced(mut item: Item, schedules: &[Schedule]) -> Item {
    let bare = item.clone();
    match price(&mut item, schedules) {
        Ok(()) => item,
        Err(error) => Item { fault: Some(format!("not priced: {error}")), ..bare },
    }
}

fn price(item: &mut Item, schedules: &[Schedule]) -> Result<(), MoneyError> {
    let context = context(item);
    let price = rules::price(schedules, Side::Price, &context)?;
    let cost = rules::price(schedules, Side::Cost, &context)?;
    let (priced_by, lines) = split(price);
    let (cost_by, cost_lines) = split(cost);
    (item.priced_by, item.cost_by) = (priced_by, cost_by);
    charge(item, lines, cost_lines)
}

fn split(found: Option<(Applied, Vec<FeeLine>)>) -> (Option<Applied>, Vec<FeeLine>) {
    found.map_or((None, Vec::new()), |(applied, lines)| (Some(applied), lines))
}

/// What a payment's item says of the payment.
pub fn context(item: &Item) -> Context<'_> {
    Context {
        money: item.gross,
        channel: item.channel.as_deref().unwrap_or_default(),
        method: item.method.as_deref().unwrap_or_default(),
        card_type: item.card_type,
        region: item.region.as_deref(),
        at: item.captured_at,
        volume: None,
    }
}

/// A refund's item, which gives back what the payment's item says is given back. `returned` is what of the payment had
/// gone back before, positive.
pub fn refunded(item: Item, payment: &Item, returned: i64) -> Item {
    let mut item = Item {
        channel: payment.channel.clone(),
        method: payment.method.clone(),
        card_type: payment.card_type,
        region: payment.region.clone(),
        priced_by: payment.priced_by,
        cost_by: payment.cost_by,
        ..item
    };
    let bare = item.clone();
    match give_back(&mut item, payment, returned) {
        Ok(()) => item,
        Err(error) => Item { fault: Some(format!("nothing given back: {error}")), ..bare },
    }
}

fn give_back(item: &mut Item, payment: &Item, returned: i64) -> Result<(), MoneyError> {
    let part = item.gross.checked_neg()?.minor();
    let reversal = Reversal { whole: payment.gross.minor(), before: returned, part };
    let lines = rules::reverse(&payment.lines, reversal)?;
    let cost_lines = rules::reverse(&payment.cost_lines, reversal)?;
    charge(item, lines, cost_lines)
}

/// Puts lines on an item and sums them.
///
/// # Errors
/// [`MoneyError`], the item is as it was.
pub fn charge(item: &mut Item, lines: Vec<FeeLine>, cost_lines: Vec<FeeLine>) -> Result<(), MoneyError> {
    let zero = Money::zero(item.gross.currency());
    let (fee, tax) = rules::sum(&lines, zero)?;
    let (cost, _) = rules::sum(&cost_lines, zero)?;
    item.gross.checked_sub(fee)?;
    fee.checked_sub(tax)?.checked_sub(cost)?;
    (item.fee, item.tax, item.cost) = (fee, tax, cost);
    (item.lines, item.cost_lines) = (lines, cost_lines);
    Ok(())
}

/// A movement between the merchant and others that is neither a payment nor a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherMovement {
    /// To the merchant.
    In(ItemKind),
    /// From the merchant.
    Out(ItemKind),
    /// From the merchant to the channel: a fee that the channel keeps.
    ChannelFee,
}

/// What a movement is to the merchant's pending money; none for those that leave it as it is, and for those that make
/// their own items.
pub fn other_movement(movement: Movement) -> Option<OtherMovement> {
    match movement.text() {
        "chargeback" => Some(OtherMovement::Out(ItemKind::Chargeback)),
        "chargeback_reversal" => Some(OtherMovement::In(ItemKind::ChargebackReversal)),
        "share" | "share_credit" => Some(OtherMovement::Out(ItemKind::Share)),
        "share_return" | "share_charge" => Some(OtherMovement::In(ItemKind::ShareReturn)),
        "dispute_fee" => Some(OtherMovement::ChannelFee),
        _ => None,
    }
}

impl OtherMovement {
    /// The kind of its item.
    pub fn kind(self) -> ItemKind {
        match self {
            OtherMovement::In(kind) | OtherMovement::Out(kind) => kind,
            OtherMovement::ChannelFee => ItemKind::Fee,
        }
    }

    /// Its item, from one whose gross is the amount that moved.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn cleared(self, item: Item) -> Result<Item, MoneyError> {
        match self {
            OtherMovement::In(_) => Ok(item),
            OtherMovement::Out(_) => Ok(Item { gross: item.gross.checked_neg()?, ..item }),
            OtherMovement::ChannelFee => {
                let (amount, zero) = (item.gross, Money::zero(item.gross.currency()));
                Ok(Item { gross: zero, fee: amount, cost: amount, ..item })
            }
        }
    }
}

/// Whether an item is part of what a month's volume counts.
pub fn counts(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Payment | ItemKind::Refund)
}
