//! What shops and payers do.

use bytes::Bytes;
use serde_json::{Value, json};

use super::world::{SimulationError, World};
use crate::catalogue::{self, Input};
use crate::channel::{Capability, CaptureMode, Driver};
use crate::currency::Currency;
use crate::error::{Code, Error};
use crate::sandbox;

/// One thing that somebody is going to do.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// A shop makes an order.
    Order { shop: usize },
    /// A payer opens what was shown and pays, or gives up.
    Payer { shop: usize, url: String, pays: bool },
    /// A shop calls an operation about an order, perhaps twice with the same key.
    Call { shop: usize, operation: &'static str, input: Value, key: String },
}

/// A way to pay.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    method: String,
    currency: Currency,
    /// Whether it can be captured later.
    manual: bool,
}

/// Every method of the drivers that no card has to be typed for and no mandate signed, in CNY where it takes that.
pub(super) fn offers(drivers: &[&'static dyn Driver]) -> Vec<Offer> {
    let capabilities = drivers.iter().flat_map(|driver| driver.profile().capabilities);
    let offer = |of: &Capability| Offer {
        method: format!("{}.{}", of.brand, of.scene),
        currency: of.currencies.usual(),
        manual: of.captures.contains(&CaptureMode::Manual),
    };
    capabilities.filter(|of| of.brand != "card" && of.scene != "mandate").map(offer).collect()
}

impl World {
    pub(super) async fn act(&mut self, deed: Deed) -> Result<(), SimulationError> {
        match deed {
            Deed::Order { shop } => self.make_order(shop).await,
            Deed::Payer { shop, url, pays } => self.payer(shop, &url, pays).await,
            Deed::Call { shop, operation, input, key } => {
                self.call(shop, operation, &input, &key).await.map(drop)
            }
        }
    }

    async fn make_order(&mut self, shop: usize) -> Result<(), SimulationError> {
        let offer = self.roll(self.offers.len() as u64);
        let Offer { method, currency, manual } = self.offers[usize::try_from(offer).unwrap_or(0)].clone();
        let manual = manual && self.roll(3) == 0;
        let mut input = json!({
            "amount": self.amount(), "currency": currency, "subject": "Tea 茶叶", "method": method,
            "expires_in": 60 + self.roll(7200),
            "capture_method": if manual { "manual" } else { "automatic" },
            "payer": {"id": "payer-1", "ip": "203.0.113.7", "auth_code": "134500000000000001"},
            "return_url": "https://shop.test/thanks",
        });
        if self.roll(4) == 0 {
            input["out_trade_no"] = format!("N{}", self.roll(1_000_000_000)).into();
        }
        let key = format!("order-{}", self.dice.next_u64());
        let Some(order) = self.call(shop, "orders.create", &input, &key).await? else { return Ok(()) };
        if self.roll(5) == 0 {
            self.again_with_the_same_key(shop, &input, &key, &order).await?;
        }
        self.plan_follow_ups(shop, &order, manual);
        Ok(())
    }

    /// One in five amounts asks the simulators for trouble (see the sandbox page).
    fn amount(&self) -> i64 {
        let any = i64::try_from(self.roll(9_000)).unwrap_or(0);
        let thousands = i64::try_from(1 + self.roll(5)).unwrap_or(1) * 10_000;
        match self.roll(5) {
            0 => thousands + 9_000 + i64::try_from(self.roll(11)).unwrap_or(0),
            _ => thousands + any,
        }
    }

    async fn again_with_the_same_key(
        &mut self,
        shop: usize,
        input: &Value,
        key: &str,
        first: &Value,
    ) -> Result<(), SimulationError> {
        match self.call(shop, "orders.create", input, key).await? {
            Some(second) if second == *first => Ok(()),
            other => {
                Err(SimulationError(format!("the same key answered differently: {first} and {other:?}")))
            }
        }
    }

    fn plan_follow_ups(&mut self, shop: usize, order: &Value, manual: bool) {
        let id = order["id"].clone();
        let url = order["next_action"]["content"].as_str().or_else(|| order["next_action"]["url"].as_str());
        if let Some(url) = url.filter(|_| self.roll(10) < 8) {
            let (delay, pays) = (1 + self.roll(600), self.roll(20) > 0);
            self.later(delay, Deed::Payer { shop, url: url.to_owned(), pays });
        }
        if manual {
            let amount = order["amount"].as_i64().unwrap_or(2);
            let (operation, input) = match self.roll(4) {
                0 => ("orders.void", json!({"id": id})),
                1 => ("orders.capture", json!({"id": id, "amount": amount / 2})),
                _ => ("orders.capture", json!({"id": id})),
            };
            self.plan_call(shop, operation, input, 600);
        }
        if self.roll(10) == 0 {
            self.plan_call(shop, "orders.close", json!({"id": id}), 300);
        }
        for _ in 0..self.roll(3) {
            let part = 1 + i64::try_from(self.roll(30_000)).unwrap_or(0);
            self.plan_call(shop, "refunds.create", json!({"order_id": id, "amount": part}), 20_000);
        }
    }

    fn plan_call(&mut self, shop: usize, operation: &'static str, input: Value, within: u64) {
        let (delay, key) = (self.roll(within), format!("{operation}-{}", self.dice.next_u64()));
        let repeats = 1 + self.roll(2);
        for n in 0..repeats {
            let deed = Deed::Call { shop, operation, input: input.clone(), key: key.clone() };
            self.later(delay + n, deed);
        }
    }

    /// The answer, or nothing where the engine said no for a reason that belongs to the game.
    async fn call(
        &mut self,
        shop: usize,
        operation: &str,
        input: &Value,
        key: &str,
    ) -> Result<Option<Value>, SimulationError> {
        let operation =
            catalogue::find(operation).ok_or_else(|| SimulationError("unknown operation".into()))?;
        let caller = self.shops[shop].caller.clone();
        let body = input.to_string();
        let reply = operation.invoke(&self.engine, caller, Input::json(body.as_bytes()), Some(key)).await;
        match reply {
            Ok(reply) => Ok(serde_json::from_str(&reply.body).ok()),
            Err(error) if is_expected(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The payer's browser: it follows one redirect, as from a signed page link to the cashier.
    async fn payer(&mut self, shop: usize, url: &str, pays: bool) -> Result<(), SimulationError> {
        let Some(landing) = self.browse(shop, http::Method::GET, url).await? else { return Ok(()) };
        let target =
            landing.headers().get("location").and_then(|l| l.to_str().ok()).unwrap_or(url).to_owned();
        let button = if pays { "pay" } else { "cancel" };
        let target = target.split('?').next().unwrap_or(&target).trim_end_matches('/').to_owned();
        self.browse(shop, http::Method::POST, &format!("{target}/{button}")).await.map(drop)
    }

    async fn browse(
        &mut self,
        _: usize,
        method: http::Method,
        url: &str,
    ) -> Result<Option<http::Response<Bytes>>, SimulationError> {
        let uri: http::Uri = url.parse().map_err(|_| SimulationError(format!("not an address: {url}")))?;
        let Some((account, path)) = self.engine.hub().addressed(&uri) else { return Ok(None) };
        let mut request = http::Request::new(Bytes::new());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|_| SimulationError(format!("not a path: {path}")))?;
        match sandbox::service::handle(&self.engine, account, &request).await? {
            crate::channel::simulator::Answer::Reply(reply) => Ok(Some(reply)),
            crate::channel::simulator::Answer::Silence => Ok(None),
        }
    }
}

/// Refusals that follow from what people do, not from a fault.
fn is_expected(error: &Error) -> bool {
    matches!(
        error.code,
        Code::StateNotAllowed
            | Code::OutcomeUnknown
            | Code::RefundExceedsCapture
            | Code::CaptureExceedsAuthorization
            | Code::DuplicateNumber
            | Code::IdempotencyInFlight
    )
}
