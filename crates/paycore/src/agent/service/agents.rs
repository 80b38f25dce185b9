//! Operations on agents.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::agent::rules::{check_bonus, check_prices};
use crate::agent::{Agent, AgentEntry, Bonus, DEPTH_DEFAULT, DEPTH_MAX, Price, Withholding};
use crate::document::{DocumentFilter, Shown};
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::{AgentEntryId, AgentId};
use crate::order::input::{AMOUNT_MAX, optional, text};
use crate::page::{List, ListInput};
use crate::split::WHOLE;
use crate::store::Changes;
use crate::time::Timestamp;

/// A new agent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAgent {
    /// What people call it.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// The agent above it; none for one directly below you.
    #[serde(default)]
    pub parent_id: Option<AgentId>,
    /// What it pays, by product and date.
    #[schemars(length(max = 500))]
    pub costs: Vec<Price>,
    /// What is charged where it sold, by product and date; for payments whose booking shows no fee.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub prices: Vec<Price>,
    /// The most it earns in a month, minor units of the statement's currency.
    #[serde(default)]
    #[schemars(range(min = 0, max = 99_999_999_999_999_i64))]
    pub cap: Option<i64>,
    /// What it earns on top for volume.
    #[serde(default)]
    pub bonus: Option<Bonus>,
    /// What is withheld when it is paid out.
    #[serde(default)]
    pub withholding: Withholding,
    /// Levels the tree may have, 1 to 5; 3 where absent. Long chains of commission are what pyramid selling (传销) is
    /// judged by.
    #[serde(default)]
    #[schemars(range(min = 1, max = 5))]
    pub depth_max: Option<usize>,
}

/// Makes an agent.
pub async fn create(engine: &Engine, caller: &Caller, input: CreateAgent) -> Result<Shown<Agent>> {
    text("name", &input.name, 1, 100)?;
    let depth = input.depth_max.unwrap_or(DEPTH_DEFAULT);
    if !(1..=DEPTH_MAX).contains(&depth) {
        return Err(Error::invalid("depth_max", format!("Must be 1 to {DEPTH_MAX}.")));
    }
    let parent = match input.parent_id {
        Some(id) => {
            Some(engine.document::<Agent>(caller.tenant(), id).await.map_err(|e| e.param("parent_id"))?)
        }
        None => None,
    };
    let level = parent.as_ref().map_or(1, |parent| parent.level + 1);
    if level > depth {
        let detail = format!("The agent would stand on level {level}; at most {depth} are allowed here.");
        return Err(Error::new(Code::StateNotAllowed, detail).param("parent_id"));
    }
    let moment = engine.moment(&caller.merchant);
    let agent = Agent {
        id: AgentId::new(moment.now, &*engine.rng),
        version: 0,
        name: input.name,
        parent_id: input.parent_id,
        level,
        costs: input.costs,
        prices: input.prices,
        cap: input.cap,
        bonus: input.bonus,
        withholding: input.withholding,
        enabled: true,
        created_at: moment.now,
        updated_at: moment.now,
    };
    check(&agent, parent.as_ref())?;
    engine.save(caller, "agents.create", agent, Changes::default()).await
}

fn check_cap(cap: Option<i64>) -> Result<()> {
    match cap {
        Some(cap) if !(0..=AMOUNT_MAX).contains(&cap) => {
            Err(Error::invalid("cap", format!("Must be 0 to {AMOUNT_MAX} minor units.")))
        }
        _ => Ok(()),
    }
}

fn check(agent: &Agent, parent: Option<&Agent>) -> Result<()> {
    check_prices("costs", &agent.costs)?;
    check_prices("prices", &agent.prices)?;
    agent.bonus.as_ref().map_or(Ok(()), check_bonus)?;
    check_cap(agent.cap)?;
    if let Withholding::Flat { millionths } = agent.withholding
        && !(1..=WHOLE).contains(&millionths)
    {
        return Err(Error::invalid("withholding.millionths", "Must be 1 to 1000000; 1000000 is everything."));
    }
    let Some(parent) = parent else { return Ok(()) };
    for (index, price) in agent.costs.iter().enumerate() {
        let same = |above: &&Price| above.product == price.product && above.from <= price.from;
        let above = parent.costs.iter().filter(same).max_by_key(|above| above.from);
        if above.is_some_and(|above| above.rate.millionths > price.rate.millionths) {
            let detail = "Must not be below what the agent above pays; it would lose by every sale.";
            return Err(Error::invalid(format!("costs[{index}].rate.millionths"), detail));
        }
    }
    Ok(())
}

/// An agent named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentById {
    /// The agent.
    pub id: AgentId,
}

/// One agent.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: AgentById) -> Result<Shown<Agent>> {
    engine.document(caller.tenant(), input.id).await.map(Shown::of)
}

/// Which agents to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAgents {
    /// Only those directly below this one.
    #[serde(default)]
    pub parent_id: Option<AgentId>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this agent.
    #[serde(default)]
    pub starting_after: Option<AgentId>,
    /// Only rows listed before this agent.
    #[serde(default)]
    pub ending_before: Option<AgentId>,
}

/// Agents, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListAgents) -> Result<List<Shown<Agent>>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let parent = input.parent_id.map(|parent| parent.to_string());
    let filter = DocumentFilter { parent, ..DocumentFilter::default() };
    let rows = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(Shown::list(&page, rows))
}

/// What to change of an agent. What is absent stays.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateAgent {
    /// The agent.
    pub id: AgentId,
    /// What people call it.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    /// Cost prices to add; they begin now or later, so that no past sale is priced anew.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub costs: Vec<Price>,
    /// Prices to add, in the same way.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub prices: Vec<Price>,
    /// The most it earns in a month, minor units.
    #[serde(default)]
    #[schemars(range(min = 0, max = 99_999_999_999_999_i64))]
    pub cap: Option<i64>,
    /// What it earns on top for volume.
    #[serde(default)]
    pub bonus: Option<Bonus>,
    /// What is withheld when it is paid out.
    #[serde(default)]
    pub withholding: Option<Withholding>,
    /// Whether new orders may name it.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// Changes an agent.
pub async fn update(engine: &Engine, caller: &Caller, input: UpdateAgent) -> Result<Shown<Agent>> {
    optional("name", input.name.as_deref(), 100)?;
    check_cap(input.cap)?;
    input.bonus.as_ref().map_or(Ok(()), check_bonus)?;
    let mut agent: Agent = engine.document(caller.tenant(), input.id).await?;
    let parent = match agent.parent_id {
        Some(id) => Some(engine.document::<Agent>(caller.tenant(), id).await?),
        None => None,
    };
    let now = engine.moment(&caller.merchant).now;
    agent.name = input.name.unwrap_or(agent.name);
    future("costs", &input.costs, now)?;
    future("prices", &input.prices, now)?;
    agent.costs.extend(input.costs);
    agent.prices.extend(input.prices);
    agent.cap = input.cap.or(agent.cap);
    agent.bonus = input.bonus.or(agent.bonus);
    agent.withholding = input.withholding.unwrap_or(agent.withholding);
    agent.enabled = input.enabled.unwrap_or(agent.enabled);
    agent.updated_at = now;
    check(&agent, parent.as_ref())?;
    engine.save(caller, "agents.update", agent, Changes::default()).await
}

fn future(param: &str, prices: &[Price], now: Timestamp) -> Result<()> {
    match prices.iter().position(|price| price.from < now) {
        Some(index) => Err(Error::invalid(format!("{param}[{index}].from"), "Must not be in the past.")),
        None => Ok(()),
    }
}

/// Which movements to list.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEntries {
    /// The agent.
    pub id: AgentId,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this movement.
    #[serde(default)]
    pub starting_after: Option<AgentEntryId>,
    /// Only rows listed before this movement.
    #[serde(default)]
    pub ending_before: Option<AgentEntryId>,
}

/// The movements on an agent's account, newest first.
pub async fn entries(
    engine: &Engine,
    caller: &Caller,
    input: ListEntries,
) -> Result<List<Shown<AgentEntry>>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let agent: Agent = engine.document(caller.tenant(), input.id).await?;
    let rows = engine.documents(caller.tenant(), &DocumentFilter::of(agent.id), &page.fetch()).await?;
    Ok(Shown::list(&page, rows))
}
