//! The checks at the end: the store's own invariants, and the store against the channels' books.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::Relaxed;

use sha2::{Digest, Sha256};

use super::world::{SimulationError, World};
use crate::merchant::rules::hex;
use crate::order::AttemptStatus;
use crate::refund::RefundStatus;
use crate::verify::{self, Violation};
use crate::webhook::DeliveryStatus;

/// Everything that is not true now that the world is at rest.
pub(super) async fn check(world: &World) -> Result<Vec<Violation>, SimulationError> {
    let report = verify::run(&*world.store).await.map_err(|error| SimulationError(error.to_string()))?;
    let mut found = report.violations;
    at_rest(world, &mut found);
    for (number, shop) in world.shops.iter().enumerate() {
        for account in &shop.accounts {
            against_the_book(world, number, *account, &mut found);
        }
    }
    told(world, &mut found);
    Ok(found)
}

fn broken(found: &mut Vec<Violation>, rule: &'static str, object: impl ToString, detail: String) {
    found.push(Violation { rule, merchant: String::new(), object: object.to_string(), detail });
}

/// I18: after the channels answer again, nothing stays unknown and no order waits beyond its time.
fn at_rest(world: &World, found: &mut Vec<Violation>) {
    let all = world.store.snapshot();
    for (_, attempt) in &all.attempts {
        if attempt.status.is_open() && attempt.status != AttemptStatus::Authorized {
            broken(found, "I18", attempt.id, format!("still `{}`", attempt.status.text()));
        }
    }
    for (_, refund) in all.refunds.iter().filter(|(_, refund)| refund.status.is_open()) {
        broken(found, "I18", refund.id, format!("still `{}`", refund.status.text()));
    }
    for (_, order) in &all.orders {
        if !order.status.is_final() && order.authorized == 0 {
            broken(found, "I18", order.id, format!("still `{}`", order.status.text()));
        }
    }
}

/// I11, I14 and I19: what the channel took and gave back is what the store says, reference by reference.
fn against_the_book(
    world: &World,
    shop: usize,
    account: crate::id::ChannelAccountId,
    found: &mut Vec<Violation>,
) {
    let all = world.store.snapshot();
    let tenant = world.shops[shop].caller.tenant();
    let mut theirs: BTreeMap<(String, Option<String>), i64> = BTreeMap::new();
    for line in world.engine.hub().book(account) {
        *theirs.entry((line.reference, line.refund)).or_default() += line.money.minor();
    }
    let mut ours: BTreeMap<(String, Option<String>), i64> = BTreeMap::new();
    let mut references = BTreeMap::new();
    let channel = all.channel_accounts.iter().find(|(_, row)| row.id == account).map(|(_, row)| &row.channel);
    let driver = channel.and_then(|channel| world.engine.driver(channel));
    let number =
        |refund: &str| driver.map_or_else(|| refund.to_owned(), |driver| driver.refund_number(refund));
    for (_, attempt) in all.attempts.iter().filter(|(t, a)| *t == tenant && a.account_id == account) {
        references.insert(attempt.id, attempt.reference.clone());
        if attempt.status == AttemptStatus::Succeeded {
            let minor = if attempt.capturing > 0 { attempt.capturing } else { attempt.money.minor() };
            ours.insert((attempt.reference.clone(), None), minor);
        }
    }
    for (_, refund) in all.refunds.iter().filter(|(_, refund)| refund.status == RefundStatus::Succeeded) {
        if let Some(reference) = references.get(&refund.attempt_id) {
            ours.insert((reference.clone(), Some(number(&refund.reference))), refund.money.minor());
        }
    }
    for key in theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
        let (theirs, ours) = (theirs.get(key), ours.get(key));
        if theirs != ours {
            let name = channel.map_or("?", String::as_str);
            let status = all.attempts.iter().find(|(t, a)| *t == tenant && a.reference == key.0);
            let status = status.map_or("no attempt", |(_, attempt)| attempt.status.text());
            let detail =
                format!("{name} says {theirs:?}, the store {ours:?} (refund {:?}, attempt {status})", key.1);
            broken(found, "I19", &key.0, detail);
        }
    }
}

/// I22 and I23: every event was delivered, with the same bytes every time.
fn told(world: &World, found: &mut Vec<Violation>) {
    let all = world.store.snapshot();
    let accepted = world.receivers.accepted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let shops: BTreeSet<_> = world.shops.iter().map(|shop| shop.caller.tenant()).collect();
    for (_, event) in all.events.iter().filter(|(tenant, _)| shops.contains(tenant)) {
        if accepted.get(&event.id.to_string()).map(AsRef::as_ref) != Some(event.body.as_bytes()) {
            broken(found, "I23", event.id, "was never delivered as it is".into());
        }
    }
    for (_, delivery) in all.deliveries.iter().filter(|(_, d)| d.status != DeliveryStatus::Succeeded) {
        broken(found, "I23", delivery.id, format!("is `{}`", delivery.status.text()));
    }
    let changed = world.receivers.changed_bodies.load(Relaxed);
    if changed > 0 {
        broken(found, "I23", "deliveries", format!("{changed} repeated with another body"));
    }
}

/// Hex SHA-256 over every event in order of commit.
pub(super) fn trace_hash(world: &World) -> String {
    let mut hash = Sha256::new();
    for (tenant, event) in world.store.snapshot().events {
        let line = format!(
            "{tenant} {} {} {} {}\n",
            event.kind.text(),
            event.object_id,
            event.sequence,
            event.created_at.micros()
        );
        hash.update(line);
    }
    hex(&hash.finalize())
}
