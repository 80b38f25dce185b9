//! Operations on agents' monthly statements.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Movement, enter};
use crate::agent::rules::bonus;
use crate::agent::{Agent, AgentEntry, AgentStatement, EntryKind};
use crate::currency::Currency;
use crate::document::{DocumentFilter, Shown};
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::{Booking, Movement as Moved, Part};
use crate::id::{AgentId, AgentStatementId};
use crate::money::Money;
use crate::page::{List, ListInput};
use crate::store::Changes;
use crate::time::{BEIJING, Civil, Timestamp};

/// A month to close.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateStatement {
    /// The agent.
    pub agent_id: AgentId,
    /// The month, `2026-11`, in Beijing time; it must be over.
    #[schemars(regex(pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$"))]
    pub month: String,
    /// ISO 4217.
    pub currency: Currency,
}

/// Closes an agent's month: adds the bonus and what the cap takes, and makes the statement. Once for each month.
pub async fn create_statement(
    engine: &Engine,
    caller: &Caller,
    input: CreateStatement,
) -> Result<Shown<AgentStatement>> {
    let (start, end) = bounds(&input.month)?;
    let moment = engine.moment(&caller.merchant);
    if end > moment.now {
        return Err(Error::new(Code::StateNotAllowed, "This month is not over.").param("month"));
    }
    let agent: Agent = engine.document(caller.tenant(), input.agent_id).await?;
    let mut statement = AgentStatement {
        id: AgentStatementId::new(moment.now, &*engine.rng),
        version: 0,
        agent_id: agent.id,
        month: input.month,
        currency: input.currency,
        opening: 0,
        volume: 0,
        sales: 0,
        commission: 0,
        clawed_back: 0,
        bonus: 0,
        capped: 0,
        withdrawn: 0,
        closing: 0,
        created_at: moment.now,
    };
    let filter = DocumentFilter { until: Some(end), ..DocumentFilter::of(agent.id) };
    engine
        .each_document(caller.tenant(), &filter, |entry: AgentEntry| {
            if entry.created_at < end && entry.money.currency() == statement.currency {
                statement.take_in(&entry, start);
            }
            Ok(())
        })
        .await?;
    statement.reward(&agent);
    let mut changes = Changes::default();
    // They belong to the month that they are about, whenever it is closed.
    let at = Timestamp::from_micros(end.micros() - 1);
    for (kind, minor) in [(EntryKind::Bonus, statement.bonus), (EntryKind::Cap, statement.capped)] {
        if minor != 0 {
            let money = Money::new(minor, statement.currency);
            let booked = if minor > 0 { Moved::Commission } else { Moved::CommissionBack };
            let amount = Money::new(minor.abs(), statement.currency);
            let booking = Booking::new(booked, Part::Gross, amount).party(agent.id.to_string());
            let (source, volume) = (statement.id.to_string(), Money::zero(statement.currency));
            let movement = Movement { agent: agent.id, kind, source: &source, volume, money, at };
            enter(engine, &caller.merchant, &mut changes, movement, Some(booking), moment);
        }
    }
    engine.save(caller, "agent_statements.create", statement, changes).await
}

impl AgentStatement {
    fn take_in(&mut self, entry: &AgentEntry, start: Timestamp) {
        let minor = entry.money.minor();
        if entry.created_at < start {
            self.opening += minor;
            return;
        }
        self.volume += entry.volume.minor();
        match entry.kind {
            EntryKind::Commission => {
                self.commission += minor;
                self.sales += 1;
            }
            EntryKind::ClawBack => self.clawed_back += minor,
            EntryKind::Bonus => self.bonus += minor,
            EntryKind::Cap => self.capped += minor,
            EntryKind::Withdrawal | EntryKind::WithdrawalReversal => self.withdrawn += minor,
        }
    }

    /// Adds what the volume earns and takes off what is above the cap.
    fn reward(&mut self, agent: &Agent) {
        self.bonus += agent.bonus.as_ref().map_or(0, |scheme| bonus(scheme, self.volume));
        let earned = self.commission + self.clawed_back + self.bonus;
        self.capped += agent.cap.map_or(0, |cap| (cap - earned).min(0));
        self.closing = self.opening + earned + self.capped + self.withdrawn;
    }
}

/// The first instant of a month in Beijing time and that of the next.
fn bounds(month: &str) -> Result<(Timestamp, Timestamp)> {
    let wrong = || Error::invalid("month", "Must be a month such as `2026-11`.");
    let (year, number) = month.split_once('-').filter(|_| month.len() == 7).ok_or_else(wrong)?;
    let (year, number): (i32, u8) =
        (year.parse().map_err(|_| wrong())?, number.parse().map_err(|_| wrong())?);
    let first = |year, month| {
        let civil = Civil { year, month, day: 1, hour: 0, minute: 0, second: 0, micros: 0 };
        Timestamp::from_civil(civil, BEIJING).map_err(|_| wrong())
    };
    let next = if number == 12 { first(year + 1, 1)? } else { first(year, number + 1)? };
    Ok((first(year, number)?, next))
}

/// A statement named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementById {
    /// The statement.
    pub id: AgentStatementId,
}

/// One statement.
pub async fn retrieve_statement(
    engine: &Engine,
    caller: &Caller,
    input: StatementById,
) -> Result<Shown<AgentStatement>> {
    engine.document(caller.tenant(), input.id).await.map(Shown::of)
}

/// Which statements to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListStatements {
    /// Only of this agent.
    #[serde(default)]
    pub agent_id: Option<AgentId>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this statement.
    #[serde(default)]
    pub starting_after: Option<AgentStatementId>,
    /// Only rows listed before this statement.
    #[serde(default)]
    pub ending_before: Option<AgentStatementId>,
}

/// Statements, newest first.
pub async fn list_statements(
    engine: &Engine,
    caller: &Caller,
    input: ListStatements,
) -> Result<List<Shown<AgentStatement>>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let parent = input.agent_id.map(|agent| agent.to_string());
    let filter = DocumentFilter { parent, ..DocumentFilter::default() };
    let rows = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(Shown::list(&page, rows))
}
