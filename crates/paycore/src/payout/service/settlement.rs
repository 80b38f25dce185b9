//! What a payout means for the settlement that it takes up, in the same commit.

use super::super::{Payout, rules};
use super::create::CreatePayout;
use crate::currency::Currency;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::EventKind;
use crate::id::{MerchantId, SettlementId};
use crate::merchant::Merchant;
use crate::money::Money;
use crate::order::input::Moment;
use crate::settlement::{Plan, Settlement, Unpayable};
use crate::store::{Changes, Put};

/// Whether the payout that is asked for may take the settlement up.
pub(super) async fn payable(
    engine: &Engine,
    caller: &Caller,
    id: SettlementId,
    input: &CreatePayout,
) -> Result<()> {
    if input.fee != 0 {
        let detail = "A settlement has charged its transfer already: leave the fee out.";
        return Err(Error::new(Code::InvalidAmount, detail).param("fee"));
    }
    let found = engine.document::<Settlement>(caller.tenant(), id).await;
    let settlement = found.map_err(|error| error.param("settlement_id"))?;
    // One in another currency is paid out of what was settled in its own.
    not_paused(engine, caller.tenant(), settlement.currency).await?;
    settlement.payable(Money::new(input.amount, input.currency)).map_err(|why| {
        let (code, param) = match why {
            Unpayable::State(_) => (Code::StateNotAllowed, "settlement_id"),
            Unpayable::Amount(_) => (Code::InvalidAmount, "amount"),
        };
        Error::new(code, format!("Not possible: {why}.")).param(param).object(id)
    })
}

/// Refuses to pay out of a currency in which the merchant owes.
pub(super) async fn not_paused(engine: &Engine, tenant: MerchantId, currency: Currency) -> Result<()> {
    let plan: Option<Plan> = engine.document_by_number(tenant, currency.code()).await?;
    let Some(plan) = plan else { return Ok(()) };
    plan.pays_out().map_err(|paused| {
        Error::new(Code::StateNotAllowed, format!("Payouts are paused: {paused}.")).object(plan.id)
    })
}

/// Refuses a payout that takes up a settlement in another currency, while the merchant owes in that.
pub(super) async fn not_paused_behind(engine: &Engine, tenant: MerchantId, payout: &Payout) -> Result<()> {
    let Some(id) = &payout.settlement_id else { return Ok(()) };
    let settlement: Settlement = engine.document(tenant, id.parse().map_err(Error::internal)?).await?;
    if settlement.currency == payout.money.currency() {
        return Ok(());
    }
    not_paused(engine, tenant, settlement.currency).await
}

/// Adds to the changes what an event of the payout means for its settlement. The settlement's version is checked by the
/// commit, so that of two payouts one takes it up.
pub(super) async fn follow(
    engine: &Engine,
    changes: &mut Changes,
    payout: &Payout,
    kind: EventKind,
    merchant: &Merchant,
    moment: Moment,
) -> Result<()> {
    let (Some(id), Some((step, told))) = (&payout.settlement_id, rules::settles(kind)) else {
        return Ok(());
    };
    let id: SettlementId = id.parse().map_err(Error::internal)?;
    let mut settlement: Settlement = engine.document(merchant.id, id).await?;
    if settlement.follow(payout.id, step).map_err(Error::internal)? {
        settlement.sequence += 1;
        let about = (id.to_string(), settlement.sequence);
        let view = settlement.view(merchant.id);
        changes.events.push(engine.object_event(told, about, &view, None, merchant, moment));
        changes.put(Put::document(&settlement));
    }
    Ok(())
}
