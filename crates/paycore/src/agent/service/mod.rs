//! Operations on agents, their statements and withdrawals, and the work that follows sales and refunds.

mod agents;
mod statements;
mod withdrawals;
mod work;

pub use agents::{
    AgentById, CreateAgent, ListAgents, ListEntries, UpdateAgent, create, entries, list, retrieve, update,
};
pub use statements::{
    CreateStatement, ListStatements, StatementById, create_statement, list_statements, retrieve_statement,
};
pub use withdrawals::{
    CreateWithdrawal, EndWithdrawal, ListWithdrawals, WithdrawalById, approve, create_withdrawal,
    list_withdrawals, pay, reject, retrieve_withdrawal,
};

pub(crate) use work::due;

use crate::agent::{AgentEntry, EntryKind};
use crate::engine::Engine;
use crate::error::Result;
use crate::event::{Booking, EventKind};
use crate::id::{AgentEntryId, AgentId, MerchantId};
use crate::merchant::Merchant;
use crate::money::Money;
use crate::order::input::Moment;
use crate::store::{Changes, Put};
use crate::time::{BEIJING, Timestamp};

/// One movement on an agent's account.
struct Movement<'a> {
    agent: AgentId,
    kind: EntryKind,
    source: &'a str,
    volume: Money,
    money: Money,
    at: Timestamp,
}

/// Adds a movement to the changes: the entry, and its event with what it books.
fn enter(
    engine: &Engine,
    merchant: &Merchant,
    changes: &mut Changes,
    movement: Movement<'_>,
    booking: Option<Booking>,
    moment: Moment,
) {
    let Movement { agent, kind, source, volume, money, at } = movement;
    let id = AgentEntryId::new(moment.now, &*engine.rng);
    let (source, version) = (source.to_owned(), 0);
    let entry = AgentEntry { id, version, agent_id: agent, kind, source, volume, money, created_at: at };
    if booking.is_some() {
        let kind = EventKind::AgentEntryBooked;
        let mut event = engine.event(kind, id.to_string(), 1, &entry, merchant.livemode, moment);
        event.booking = booking;
        changes.events.push(event);
    }
    changes.put(Put::document(&entry));
}

/// What stands on an agent's account, minor units.
async fn balance(engine: &Engine, tenant: MerchantId, agent: AgentId, of: Money) -> Result<i64> {
    let account = format!("agent_payable:{agent}");
    let rows = engine.store.balances(tenant).await?;
    let own = rows.iter().filter(|row| row.account == account && row.currency == of.currency());
    Ok(own.map(|row| row.credits - row.debits).sum())
}

/// The month of an instant in Beijing time, `2026-11`.
fn month_of(at: Timestamp) -> String {
    let civil = at.to_civil(BEIJING);
    format!("{:04}-{:02}", civil.year, civil.month)
}
