//! What a payment and a refund mean to the chain of agents that sold it.

use super::rules::{Margins, clawed_back, margins, price_at};
use super::{Agent, AgentSale, Rate, SaleKind};
use crate::id::{AgentId, AgentSaleId};
use crate::money::Money;
use crate::order::input::Moment;
use crate::order::{Attempt, Order};
use crate::time::Timestamp;

impl AgentSale {
    /// The sale of an order that was paid just now, to be committed with the payment; nothing where no agent sold it.
    pub fn of(id: AgentSaleId, order: &Order, attempt: &Attempt, at: Moment) -> Option<AgentSale> {
        let agent_id = order.details.agent_id?;
        let money = order.amount(order.captured);
        Some(Self::new(
            (id, SaleKind::Sale),
            order,
            (agent_id, attempt.method.as_str()),
            order.id.to_string(),
            money,
            at,
        ))
    }

    /// What a refund or chargeback of an order takes back, to be committed with it; nothing where no agent sold it.
    pub fn clawed_back(
        id: AgentSaleId,
        order: &Order,
        source: String,
        money: Money,
        at: Moment,
    ) -> Option<AgentSale> {
        let agent_id = order.details.agent_id.filter(|_| money.is_positive())?;
        Some(Self::new((id, SaleKind::ClawBack), order, (agent_id, ""), source, money, at))
    }

    fn new(
        (id, kind): (AgentSaleId, SaleKind),
        order: &Order,
        (agent_id, method): (AgentId, &str),
        source: String,
        money: Money,
        at: Moment,
    ) -> AgentSale {
        AgentSale {
            id,
            version: 0,
            kind,
            source,
            order_id: order.id,
            agent_id,
            method: method.to_owned(),
            money,
            refunded: 0,
            margins: Vec::new(),
            done: false,
            created_at: at.now,
            due_at: at.wall,
        }
    }

    /// The merchant's fee where clearing does not say it: the price of the agent that sold.
    pub fn price(&self, seller: &Agent) -> i64 {
        price_at(&seller.prices, &self.method, self.created_at).map_or(0, |rate| rate.of(self.money.minor()))
    }

    /// Works out what each agent of the chain, the highest first, earns of `fee`. One without a cost price for the product
    /// earns nothing by it.
    pub fn earn(&mut self, chain: &[Agent], fee: i64) {
        let cost = |agent: &Agent| price_at(&agent.costs, &self.method, self.created_at);
        let priced: Vec<(AgentId, Rate)> =
            chain.iter().filter_map(|agent| Some((agent.id, cost(agent)?))).collect();
        let rates: Vec<Rate> = priced.iter().map(|(_, rate)| *rate).collect();
        let Margins { levels, .. } = margins(self.money.minor(), &rates, fee);
        let earned = priced.iter().zip(levels).map(|((agent, _), margin)| (*agent, margin));
        self.margins = earned.filter(|(_, margin)| *margin > 0).collect();
        self.finish();
    }

    /// Works out what each agent gives back because of `back`, and notes it on the sale, so that the next refund takes the
    /// rest and no more.
    pub fn give_back(&mut self, back: &mut AgentSale) {
        let (amount, before) = (self.money.minor(), self.refunded);
        self.refunded = (before + back.money.minor()).min(amount);
        let part =
            |margin: i64| clawed_back(margin, self.refunded, amount) - clawed_back(margin, before, amount);
        back.margins = self.margins.iter().map(|(agent, margin)| (*agent, part(*margin))).collect();
        back.margins.retain(|(_, minor)| *minor > 0);
        back.finish();
    }

    /// Nothing is left to do about it.
    pub fn finish(&mut self) {
        self.done = true;
        self.due_at = Timestamp::ZERO;
    }
}
