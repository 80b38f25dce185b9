//! Operations on payments to agents: asked for by one person, approved by another, paid, and booked at each step.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Movement, balance, enter, month_of};
use crate::agent::tax::withheld;
use crate::agent::{Agent, AgentWithdrawal, EntryKind, WithdrawalStatus};
use crate::currency::Currency;
use crate::document::{DocumentFilter, Shown};
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::{Booking, Event, EventKind, Movement as Moved, Part};
use crate::id::{AgentId, AgentWithdrawalId};
use crate::money::Money;
use crate::order::input::{amount, text};
use crate::page::{List, ListInput};
use crate::store::{Changes, Put};

/// A payment to an agent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWithdrawal {
    /// To whom.
    pub agent_id: AgentId,
    /// What leaves the agent's account, tax included, minor units.
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
}

/// Books a payment to an agent off its account and withholds the tax. Somebody else has to approve it.
pub async fn create_withdrawal(
    engine: &Engine,
    caller: &Caller,
    input: CreateWithdrawal,
) -> Result<Shown<AgentWithdrawal>> {
    let money = amount("amount", input.amount, input.currency)?;
    let mut agent: Agent =
        engine.document(caller.tenant(), input.agent_id).await.map_err(|e| e.param("agent_id"))?;
    let standing = balance(engine, caller.tenant(), agent.id, money).await?;
    if money.minor() > standing {
        let detail = format!("{} stands on the agent's account.", Money::new(standing, money.currency()));
        return Err(Error::new(Code::StateNotAllowed, detail).param("amount").object(agent.id));
    }
    let moment = engine.moment(&caller.merchant);
    let month = month_of(moment.now);
    let earlier = paid_in(engine, caller, &agent, &month, money).await?;
    let tax = withheld(&agent.withholding, earlier, money)?;
    let mut withdrawal = AgentWithdrawal {
        id: AgentWithdrawalId::new(moment.now, &*engine.rng),
        version: 0,
        agent_id: agent.id,
        status: WithdrawalStatus::Requested,
        money,
        tax,
        net: Money::new(money.minor() - tax.minor(), money.currency()),
        withholding: agent.withholding.clone(),
        month,
        requested_by: caller.actor.clone(),
        approved_by: None,
        note: None,
        reconciled: None,
        sequence: 0,
        created_at: moment.now,
        updated_at: moment.now,
    };
    let mut changes = Changes::default();
    enter_withdrawal(engine, caller, &mut changes, &withdrawal, (EntryKind::Withdrawal, -1));
    changes.events.push(booked(engine, caller, &mut withdrawal, Moved::AgentWithdrawal));
    // The agent's row is written, too, so that of two withdrawals at once one sees the other.
    agent.updated_at = moment.now;
    changes.put(Put::document(&agent));
    engine.save(caller, "agent_withdrawals.create", withdrawal, changes).await
}

/// What was paid in the month already, minor units.
async fn paid_in(engine: &Engine, caller: &Caller, agent: &Agent, month: &str, of: Money) -> Result<i64> {
    let mut sum = 0;
    engine
        .each_document(caller.tenant(), &DocumentFilter::of(agent.id), |one: AgentWithdrawal| {
            let counts = one.month == month
                && one.status != WithdrawalStatus::Rejected
                && one.money.currency() == of.currency();
            sum += if counts { one.money.minor() } else { 0 };
            Ok(())
        })
        .await?;
    Ok(sum)
}

fn enter_withdrawal(
    engine: &Engine,
    caller: &Caller,
    changes: &mut Changes,
    withdrawal: &AgentWithdrawal,
    (kind, sign): (EntryKind, i64),
) {
    let moment = engine.moment(&caller.merchant);
    let currency = withdrawal.money.currency();
    let movement = Movement {
        agent: withdrawal.agent_id,
        kind,
        source: &withdrawal.id.to_string(),
        volume: Money::zero(currency),
        money: Money::new(withdrawal.money.minor() * sign, currency),
        at: moment.now,
    };
    // The withdrawal's own event books it.
    enter(engine, &caller.merchant, changes, movement, None, moment);
}

fn booked(engine: &Engine, caller: &Caller, withdrawal: &mut AgentWithdrawal, movement: Moved) -> Event {
    let moment = engine.moment(&caller.merchant);
    withdrawal.sequence += 1;
    let (kind, id) = (EventKind::AgentWithdrawalUpdated, withdrawal.id.to_string());
    let shown = Shown::of(withdrawal.clone());
    let mut event = engine.event(kind, id, withdrawal.sequence, &shown, caller.merchant.livemode, moment);
    let booking = Booking::new(movement, Part::Gross, withdrawal.net).party(withdrawal.agent_id.to_string());
    event.booking = Some(match movement {
        Moved::AgentPaid => booking,
        _ => booking.with(Part::Tax, withdrawal.tax),
    });
    event
}

/// A withdrawal named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalById {
    /// The withdrawal.
    pub id: AgentWithdrawalId,
}

/// One withdrawal.
pub async fn retrieve_withdrawal(
    engine: &Engine,
    caller: &Caller,
    input: WithdrawalById,
) -> Result<Shown<AgentWithdrawal>> {
    engine.document(caller.tenant(), input.id).await.map(Shown::of)
}

/// Which withdrawals to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListWithdrawals {
    /// Only of this agent.
    #[serde(default)]
    pub agent_id: Option<AgentId>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this withdrawal.
    #[serde(default)]
    pub starting_after: Option<AgentWithdrawalId>,
    /// Only rows listed before this withdrawal.
    #[serde(default)]
    pub ending_before: Option<AgentWithdrawalId>,
}

/// Withdrawals, newest first.
pub async fn list_withdrawals(
    engine: &Engine,
    caller: &Caller,
    input: ListWithdrawals,
) -> Result<List<Shown<AgentWithdrawal>>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let parent = input.agent_id.map(|agent| agent.to_string());
    let filter = DocumentFilter { parent, ..DocumentFilter::default() };
    let rows = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(Shown::list(&page, rows))
}

/// Approves a withdrawal that somebody else asked for.
pub async fn approve(
    engine: &Engine,
    caller: &Caller,
    input: WithdrawalById,
) -> Result<Shown<AgentWithdrawal>> {
    let mut withdrawal = standing(engine, caller, input.id, &[WithdrawalStatus::Requested]).await?;
    if withdrawal.requested_by == caller.actor {
        let detail = "Whoever asks for a withdrawal cannot approve it; somebody else has to.";
        return Err(Error::new(Code::Forbidden, detail).object(withdrawal.id));
    }
    withdrawal.status = WithdrawalStatus::Approved;
    withdrawal.approved_by = Some(caller.actor.clone());
    withdrawal.updated_at = engine.moment(&caller.merchant).now;
    engine.save(caller, "agent_withdrawals.approve", withdrawal, Changes::default()).await
}

/// How a withdrawal ended.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndWithdrawal {
    /// The withdrawal.
    pub id: AgentWithdrawalId,
    /// The bank's or channel's number of the payment, or why it was not made.
    #[schemars(length(min = 1, max = 200))]
    pub note: String,
}

/// Notes that an approved withdrawal was paid.
pub async fn pay(engine: &Engine, caller: &Caller, input: EndWithdrawal) -> Result<Shown<AgentWithdrawal>> {
    text("note", &input.note, 1, 200)?;
    let mut withdrawal = standing(engine, caller, input.id, &[WithdrawalStatus::Approved]).await?;
    withdrawal.end(WithdrawalStatus::Paid, input.note, engine.moment(&caller.merchant).now);
    let mut changes = Changes::default();
    if withdrawal.net.is_positive() {
        changes.events.push(booked(engine, caller, &mut withdrawal, Moved::AgentPaid));
    }
    engine.save(caller, "agent_withdrawals.pay", withdrawal, changes).await
}

/// Ends a withdrawal that is not paid and books it back, with the tax.
pub async fn reject(
    engine: &Engine,
    caller: &Caller,
    input: EndWithdrawal,
) -> Result<Shown<AgentWithdrawal>> {
    text("note", &input.note, 1, 200)?;
    let open = [WithdrawalStatus::Requested, WithdrawalStatus::Approved];
    let mut withdrawal = standing(engine, caller, input.id, &open).await?;
    withdrawal.end(WithdrawalStatus::Rejected, input.note, engine.moment(&caller.merchant).now);
    let mut changes = Changes::default();
    enter_withdrawal(engine, caller, &mut changes, &withdrawal, (EntryKind::WithdrawalReversal, 1));
    changes.events.push(booked(engine, caller, &mut withdrawal, Moved::AgentWithdrawalReversal));
    engine.save(caller, "agent_withdrawals.reject", withdrawal, changes).await
}

impl AgentWithdrawal {
    fn end(&mut self, status: WithdrawalStatus, note: String, now: crate::time::Timestamp) {
        self.status = status;
        self.note = Some(note);
        self.updated_at = now;
    }
}

/// The withdrawal, if it stands where it has to.
async fn standing(
    engine: &Engine,
    caller: &Caller,
    id: AgentWithdrawalId,
    wanted: &[WithdrawalStatus],
) -> Result<AgentWithdrawal> {
    let withdrawal: AgentWithdrawal = engine.document(caller.tenant(), id).await?;
    if wanted.contains(&withdrawal.status) {
        return Ok(withdrawal);
    }
    let detail = format!("The withdrawal is `{}`.", withdrawal.status.text());
    Err(Error::new(Code::StateNotAllowed, detail).object(id))
}
