//! The work on a sale or claw-back that is due.

use std::time::Duration;

use super::enter;
use crate::agent::{Agent, AgentSale, EntryKind, SaleKind};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::event::{Booking, Movement, Part};
use crate::id::{AgentId, AgentSaleId, MerchantId};
use crate::ledger::{Side, TransactionFilter};
use crate::merchant::Merchant;
use crate::money::Money;
use crate::store::{Changes, Page, Put};

/// How soon a claw-back looks again whether its sale was worked on.
const BUSY: Duration = Duration::from_secs(5);

/// Works on one sale or claw-back.
pub(crate) async fn due(engine: &Engine, tenant: MerchantId, id: AgentSaleId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let sale: AgentSale = engine.document(tenant, id).await?;
    match sale.kind {
        SaleKind::Sale => sold(engine, &merchant, sale).await,
        SaleKind::ClawBack => clawed_back(engine, &merchant, sale).await,
    }
}

async fn sold(engine: &Engine, merchant: &Merchant, mut sale: AgentSale) -> Result<()> {
    let chain = chain(engine, merchant.id, sale.agent_id).await?;
    let seller = chain.last().ok_or_else(|| Error::internal("a chain without its seller"))?;
    let fee = match fee(engine, merchant.id, &sale).await? {
        0 => sale.price(seller),
        booked => booked,
    };
    sale.earn(&chain, fee);
    let mut changes = Changes::default();
    book(engine, merchant, &mut changes, &sale, (EntryKind::Commission, 1));
    changes.put(Put::document(&sale));
    Ok(engine.commit(merchant.id, changes).await?)
}

async fn clawed_back(engine: &Engine, merchant: &Merchant, mut back: AgentSale) -> Result<()> {
    let order = back.order_id.to_string();
    let moment = engine.moment(merchant);
    let mut changes = Changes::default();
    match engine.document_by_number::<AgentSale>(merchant.id, &order).await? {
        // The payment came late and went back at once: nobody earned by it.
        None => back.finish(),
        Some(sale) if !sale.done => back.due_at = moment.due_in(BUSY),
        Some(mut sale) => {
            sale.give_back(&mut back);
            book(engine, merchant, &mut changes, &back, (EntryKind::ClawBack, -1));
            changes.put(Put::document(&sale));
        }
    }
    changes.put(Put::document(&back));
    Ok(engine.commit(merchant.id, changes).await?)
}

/// The agent and everybody above it, the highest first.
async fn chain(engine: &Engine, tenant: MerchantId, seller: AgentId) -> Result<Vec<Agent>> {
    let mut chain = Vec::new();
    let mut next = Some(seller);
    while let Some(id) = next {
        let agent: Agent = engine.document(tenant, id).await?;
        next = agent.parent_id;
        chain.push(agent);
    }
    chain.reverse();
    Ok(chain)
}

/// What the merchant was charged for the payment: what its booking says.
async fn fee(engine: &Engine, tenant: MerchantId, sale: &AgentSale) -> Result<i64> {
    let filter = TransactionFilter { order_id: Some(sale.order_id), ..TransactionFilter::default() };
    let page = Page { limit: 100, after: None, before: None };
    let rows = engine.store.transactions(tenant, &filter, &page).await?;
    let payments = rows.iter().filter(|row| row.kind == Movement::Payment);
    let charged = payments.flat_map(|row| &row.entries).filter(|entry| {
        entry.side == Side::Credit
            && entry.account == "fee_income"
            && entry.money.currency() == sale.money.currency()
    });
    Ok(charged.map(|entry| entry.money.minor()).sum())
}

/// One entry for each agent that earned or gives back.
fn book(
    engine: &Engine,
    merchant: &Merchant,
    changes: &mut Changes,
    sale: &AgentSale,
    (kind, sign): (EntryKind, i64),
) {
    let moment = engine.moment(merchant);
    let currency = sale.money.currency();
    let movement = if sign > 0 { Movement::Commission } else { Movement::CommissionBack };
    for (agent, minor) in &sale.margins {
        let booking = Booking::new(movement, Part::Gross, Money::new(*minor, currency)).order(sale.order_id);
        let entry = super::Movement {
            agent: *agent,
            kind,
            source: &sale.source,
            volume: Money::new(sale.money.minor() * sign, currency),
            money: Money::new(minor * sign, currency),
            at: moment.now,
        };
        enter(engine, merchant, changes, entry, Some(booking.party(agent.to_string())), moment);
    }
}
