//! The merchant's own figures and the list of orders, newest first.

use paycore::time::Timestamp;
use serde_json::{Value, json};

use super::wire::Parameters;
use super::{Order, Panel, Version};
use crate::sandbox::bill::yuan;

const ROWS_MAX: usize = 50;

impl Panel {
    pub(super) fn info(&self, now: Timestamp) -> Value {
        let day = |at: Timestamp| at.beijing()[..10].to_owned();
        let paid: Vec<&Order> = self.orders.values().filter(|order| order.paid.is_some()).collect();
        let today: Vec<&&Order> = paid.iter().filter(|order| order.paid.map(day) == Some(day(now))).collect();
        let sum = |orders: &[&Order]| orders.iter().map(|order| order.fen - order.refunded()).sum::<i64>();
        json!({
            "pid": self.pid.parse::<i64>().unwrap_or_default(),
            "status": 1,
            "pay_status": 1,
            "settle_status": 1,
            "money": yuan(sum(&paid)),
            "settle_type": 1,
            "order_num": self.orders.len(),
            "order_num_today": today.len(),
            "order_money_today": yuan(today.iter().map(|order| order.fen).sum()),
        })
    }

    pub(super) fn list(&self, version: Version, all: &Parameters) -> Value {
        let number = |name: &str| all.get(name).and_then(|text| text.parse::<usize>().ok());
        let limit = number("limit").unwrap_or(10).clamp(1, ROWS_MAX);
        // Version 1 counts pages, version 2 rows.
        let offset = match version {
            Version::V1 => number("page").unwrap_or(1).saturating_sub(1).saturating_mul(limit),
            Version::V2 => number("offset").unwrap_or(0),
        };
        let status = number("status");
        let mut orders: Vec<&Order> = self
            .orders
            .values()
            .filter(|order| status.is_none_or(|status| usize::try_from(order.status()) == Ok(status)))
            .collect();
        orders.sort_by(|one, other| other.trade_no.cmp(&one.trade_no));
        let data: Vec<Value> =
            orders.into_iter().skip(offset).take(limit).map(|order| self.shown(order, version)).collect();
        json!({ "count": data.len(), "data": data })
    }
}
