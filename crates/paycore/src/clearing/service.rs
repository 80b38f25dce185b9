//! Clearing in the commit that moves the money, and operations on items.

use std::ops::ControlFlow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Item, ItemKind, ItemView, number, rules};
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::event::{Booking, Event, Movement, Part};
use crate::id::{AttemptId, ItemId, MerchantId, OrderId, RefundId, SettlementId};
use crate::money::Money;
use crate::page::{List, ListInput};
use crate::refund::{Refund, RefundFilter, RefundStatus};
use crate::store::{Changes, CommitError, Page, Put, StoreError};
use crate::time::Timestamp;

/// How many rows are read at once where all are wanted.
const ROWS: usize = 100;

/// Clears what the changes move: every payment and refund gets its item, and its booking the fee, tax and cost of it.
pub(crate) async fn clear(
    engine: &Engine,
    tenant: MerchantId,
    changes: &mut Changes,
) -> Result<(), CommitError> {
    let mut items = Vec::new();
    let mut others = Vec::new();
    for event in &changes.events {
        let Some(booking) = &event.booking else { continue };
        let item = match booking.movement {
            Movement::Payment => payment(engine, tenant, event, booking, &changes.puts).await?,
            Movement::Refund => refund(engine, tenant, event, booking, &changes.puts).await?,
            _ => {
                // It is booked as it is: there is no fee on it.
                others.extend(other(engine, event, booking)?);
                continue;
            }
        };
        items.push((event.id, item));
    }
    for (event_id, item) in items {
        let event = changes.events.iter_mut().find(|event| event.id == event_id);
        if let Some(booking) = event.and_then(|event| event.booking.as_mut()) {
            add_parts(booking, &item);
        }
        changes.put(Put::document(&item));
    }
    changes.puts.extend(others.iter().map(Put::document));
    Ok(())
}

async fn payment(
    engine: &Engine,
    tenant: MerchantId,
    event: &Event,
    booking: &Booking,
    puts: &[Put],
) -> Result<Item, CommitError> {
    let attempt = puts.iter().find_map(|put| match put {
        Put::Attempt(attempt) if Some(attempt.order_id) == booking.order_id => Some(attempt),
        _ => None,
    });
    // Every payment is committed with its attempt; were one not, its money would still be cleared once.
    let source = attempt.map_or(event.id.to_string(), |attempt| attempt.id.to_string());
    let item = Item {
        order_id: booking.order_id,
        channel: booking.channel.clone(),
        method: attempt.map(|attempt| attempt.method.to_string()),
        ..bare(engine, ItemKind::Payment, source, gross(booking)?, event)
    };
    let schedules = engine.schedules(tenant).await.map_err(commit_error)?;
    Ok(rules::priced(item, &schedules))
}

async fn refund(
    engine: &Engine,
    tenant: MerchantId,
    event: &Event,
    booking: &Booking,
    puts: &[Put],
) -> Result<Item, CommitError> {
    let refund = puts.iter().find_map(|put| match put {
        Put::Refund(refund) if Some(refund.id) == booking.refund_id => Some(refund),
        _ => None,
    });
    let source = booking.refund_id.map_or(event.id.to_string(), |id| id.to_string());
    let negative = gross(booking)?.checked_neg().map_err(broken)?;
    let item = Item {
        order_id: booking.order_id,
        channel: booking.channel.clone(),
        ..bare(engine, ItemKind::Refund, source, negative, event)
    };
    let Some(refund) = refund else { return Ok(item) };
    let paid = number(ItemKind::Payment, &refund.attempt_id.to_string());
    let found = engine.document_by_number::<Item>(tenant, &paid).await.map_err(commit_error)?;
    // A payment from before there was clearing has no item, and nothing to give back.
    let Some(payment) = found else { return Ok(item) };
    let returned = returned_before(engine, tenant, refund).await?;
    Ok(rules::refunded(item, &payment, returned))
}

/// The item of a movement that is neither a payment nor a refund; its source is the event's object and the event's number
/// there, because a dispute may come back more than once.
fn other(engine: &Engine, event: &Event, booking: &Booking) -> Result<Option<Item>, CommitError> {
    let Some(movement) = rules::other_movement(booking.movement) else { return Ok(None) };
    let source = format!("{}#{}", event.object_id, event.sequence);
    let bare = bare(engine, movement.kind(), source, gross(booking)?, event);
    let item = Item { order_id: booking.order_id, channel: booking.channel.clone(), ..bare };
    movement.cleared(item).map(Some).map_err(broken)
}

/// What of the attempt's money other refunds had given back. Every refund's success changes the order too, so that of two
/// at the same time one is stale and counts again.
async fn returned_before(engine: &Engine, tenant: MerchantId, refund: &Refund) -> Result<i64, CommitError> {
    let filter = RefundFilter { order_id: Some(refund.order_id) };
    let mut page = Page { limit: ROWS, after: None, before: None };
    let mut sum = 0_i64;
    loop {
        let rows = engine.store.refunds(tenant, &filter, &page).await?;
        let returned = rows.iter().filter(|other| {
            other.id != refund.id
                && other.attempt_id == refund.attempt_id
                && other.status == RefundStatus::Succeeded
        });
        sum += returned.map(|other| other.money.minor()).sum::<i64>();
        match rows.last().filter(|_| rows.len() == ROWS) {
            Some(last) => page.after = Some(last.id.to_string()),
            None => return Ok(sum),
        }
    }
}

fn bare(engine: &Engine, kind: ItemKind, source: String, gross: Money, event: &Event) -> Item {
    Item::new(ItemId::new(event.created_at, &*engine.rng), kind, source, gross, event.created_at)
}

fn gross(booking: &Booking) -> Result<Money, CommitError> {
    booking.part(Part::Gross).ok_or_else(|| CommitError::Broken("a movement without its gross amount".into()))
}

/// Fee, tax and cost as the books take them: positive amounts, the movement says which way.
fn add_parts(booking: &mut Booking, item: &Item) {
    let currency = item.gross.currency();
    let fee = item.fee.minor() - item.tax.minor();
    for (part, minor) in [(Part::Fee, fee), (Part::Tax, item.tax.minor()), (Part::Cost, item.cost.minor())] {
        if minor != 0 {
            booking.parts.push((part, Money::new(minor.abs(), currency)));
        }
    }
}

fn commit_error(error: Error) -> CommitError {
    CommitError::Store(StoreError(error.internal.unwrap_or_else(|| error.detail.into_owned())))
}

fn broken(error: impl std::fmt::Display) -> CommitError {
    CommitError::Broken(error.to_string())
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// Waits for its settlement.
    Pending,
    /// Held back from settlement.
    Held,
    /// Part of a settlement.
    Settled,
}

impl ItemStatus {
    fn text(self) -> &'static str {
        match self {
            ItemStatus::Pending => "pending",
            ItemStatus::Held => "held",
            ItemStatus::Settled => "settled",
        }
    }
}

/// Which clearing items to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListItems {
    /// All of this order, payments before refunds, in one part.
    #[serde(default)]
    pub order_id: Option<OrderId>,
    /// Only in this state.
    #[serde(default)]
    pub status: Option<ItemStatus>,
    /// Only of this settlement.
    #[serde(default)]
    pub settlement_id: Option<SettlementId>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this item.
    #[serde(default)]
    pub starting_after: Option<ItemId>,
    /// Only rows listed before this item.
    #[serde(default)]
    pub ending_before: Option<ItemId>,
}

/// Clearing items, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListItems) -> Result<List<ItemView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    if let Some(order) = input.order_id {
        let data = of_order(engine, caller.tenant(), order).await?;
        return Ok(List { object: "list", data, has_more: false, next_cursor: None });
    }
    let filter = DocumentFilter {
        status: input.status.map(|status| status.text().to_owned()),
        parent: input.settlement_id.map(|id| id.to_string()),
        ..DocumentFilter::default()
    };
    let rows: Vec<Item> = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(page.list(rows.iter().map(Item::view).collect(), |view: &ItemView| view.id.to_string()))
}

/// The items of an order are found by their sources: its attempts and its refunds.
async fn of_order(engine: &Engine, tenant: MerchantId, order: OrderId) -> Result<Vec<ItemView>> {
    engine.store.order(tenant, order).await?.ok_or_else(|| Error::not_found("order", order))?;
    let attempts = engine.store.attempts(tenant, order).await?;
    let paid = attempts
        .iter()
        .map(|attempt| attempt.id)
        .map(|id: AttemptId| number(ItemKind::Payment, &id.to_string()));
    let mut numbers: Vec<String> = paid.collect();
    let filter = RefundFilter { order_id: Some(order) };
    let mut page = Page { limit: ROWS, after: None, before: None };
    loop {
        let rows = engine.store.refunds(tenant, &filter, &page).await?;
        numbers.extend(
            rows.iter().map(|row| row.id).map(|id: RefundId| number(ItemKind::Refund, &id.to_string())),
        );
        match rows.last().filter(|_| rows.len() == ROWS) {
            Some(last) => page.after = Some(last.id.to_string()),
            None => break,
        }
    }
    let mut views = Vec::new();
    for number in numbers {
        views.extend(engine.document_by_number::<Item>(tenant, &number).await?.map(|item| item.view()));
    }
    Ok(views)
}

/// A clearing item named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemById {
    /// The item.
    pub id: ItemId,
}

/// One clearing item.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: ItemById) -> Result<ItemView> {
    Ok(engine.document::<Item>(caller.tenant(), input.id).await?.view())
}

impl Engine {
    /// Hands over a merchant's items in the order in which they were cleared, from an instant on, until `each` breaks off.
    pub(crate) async fn each_item_since(
        &self,
        tenant: MerchantId,
        since: Timestamp,
        mut each: impl FnMut(Item) -> Result<ControlFlow<()>> + Send,
    ) -> Result<()> {
        // An id begins with its milliseconds, so that this one stands before all of its instant.
        let first = ItemId::from_bits(u128::try_from(since.millis()).unwrap_or(0) << 80);
        let mut page = Page { limit: ROWS, after: None, before: Some(first.to_string()) };
        loop {
            let rows: Vec<Item> = self.documents(tenant, &DocumentFilter::default(), &page).await?;
            let newest = rows.first().filter(|_| rows.len() == ROWS).map(|row| row.id.to_string());
            // The rows nearest to the cursor, listed newest first.
            for row in rows.into_iter().rev() {
                if each(row)?.is_break() {
                    return Ok(());
                }
            }
            match newest {
                Some(newest) => page.before = Some(newest),
                None => return Ok(()),
            }
        }
    }
}
