//! The mandate of an order that is charged without the payer: checked before it starts, and again before it is sent again.

use crate::engine::{Caller, Engine};
use crate::error::Result;
use crate::id::MandateId;
use crate::mandate::{Mandate, MandateStatus};
use crate::merchant::Merchant;
use crate::order::{Order, OrderMandate};

/// Takes the mandate into a new order that is charged by it.
pub(super) async fn charge(engine: &Engine, caller: &Caller, order: &mut Order, id: MandateId) -> Result<()> {
    let found = engine.document::<Mandate>(caller.tenant(), id).await;
    let mandate = found.map_err(|error| error.param("mandate"))?;
    let channel_id = mandate.chargeable(&order.methods, order.money)?.to_owned();
    order.details.mandate = Some(Box::new(OrderMandate { id, account_id: mandate.account_id, channel_id }));
    Ok(())
}

/// Whether the mandate of an order, if it has one, can still be charged.
pub(crate) async fn may_still_charge(engine: &Engine, merchant: &Merchant, order: &Order) -> Result<bool> {
    let Some(charged) = &order.details.mandate else { return Ok(true) };
    let mandate = engine.document::<Mandate>(merchant.id, charged.id).await?;
    Ok(mandate.status == MandateStatus::Active)
}
