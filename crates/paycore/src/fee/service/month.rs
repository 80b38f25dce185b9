//! The month's end: what was charged provisionally becomes what is due.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::month::{Month, Tally};
use super::super::{Applied, FeeLine, Schedule, Side};
use crate::clearing::{Item, ItemKind, ItemView, number, rules as clearing};
use crate::currency::Currency;
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::{Booking, Event, EventKind, Movement, Part};
use crate::id::{ItemId, MerchantId};
use crate::merchant::Merchant;
use crate::money::Money;
use crate::order::input::Moment;
use crate::store::{Changes, CommitError, Put};
use crate::time::Timestamp;

/// How long after its end a month is settled: what was moved in its last instant is committed by then.
const GRACE: Duration = Duration::from_secs(600);

/// What `fees.true_up` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrueUpMonth {
    /// The merchant.
    pub merchant_id: MerchantId,
    /// The month, such as `2026-11`; it has to be over, where the merchant's clock is.
    pub month: Month,
}

/// What settled a month.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TrueUp {
    /// Always `fee_true_up`.
    pub object: &'static str,
    /// The month.
    pub month: Month,
    /// One item per schedule and currency where there was a difference; the same ones however often it is asked for.
    pub items: Vec<ItemView>,
}

/// Settles a month of a merchant: tiers by volume, packages, minimums and maximums, what rounding left over. Every
/// schedule of prices is settled once; asking again shows what was settled.
pub async fn true_up(engine: &Engine, caller: &Caller, input: TrueUpMonth) -> Result<TrueUp> {
    let (merchant, moment) = super::merchant(engine, input.merchant_id).await?;
    let schedules: Vec<Schedule> = engine.all_documents(merchant.id, &DocumentFilter::default()).await?;
    let mut items = Vec::new();
    for schedule in schedules.iter().filter(|schedule| schedule.side == Side::Price) {
        let Some(zone) = schedule.revisions.last().map(|last| last.terms.utc_offset) else { continue };
        if moment.now < input.month.end(zone).plus(GRACE) {
            let detail = "The month is not over; it can be settled ten minutes after its end.";
            return Err(Error::new(Code::StateNotAllowed, detail).param("month"));
        }
        for (currency, lines) in tally(engine, merchant.id, schedule, input.month, zone).await? {
            let settled = settle(engine, caller, &merchant, schedule, input.month, currency, lines, moment);
            items.push(settled.await?.view());
        }
    }
    Ok(TrueUp { object: "fee_true_up", month: input.month, items })
}

/// The lines that settle a month of one schedule.
async fn tally(
    engine: &Engine,
    tenant: MerchantId,
    schedule: &Schedule,
    month: Month,
    zone: i32,
) -> Result<BTreeMap<Currency, Vec<FeeLine>>> {
    let mut tally = Tally::new(schedule, month);
    let end = month.end(zone);
    engine
        .each_item_since(tenant, month.start(zone), |item| {
            if item.created_at >= end {
                return Ok(ControlFlow::Break(()));
            }
            if let Some(revision) = revision(schedule, &item) {
                tally.add(revision, item.gross, &item.lines).map_err(Error::internal)?;
            }
            Ok(ControlFlow::Continue(()))
        })
        .await?;
    tally.settle().map_err(Error::internal)
}

/// The revision of this schedule that priced a payment, or gave back to its refund.
fn revision(schedule: &Schedule, item: &Item) -> Option<u32> {
    let applied = item.priced_by.filter(|_| clearing::counts(item))?;
    (applied.schedule_id == schedule.id).then_some(applied.revision)
}

/// Commits one item; one that is there already is what was settled.
#[expect(clippy::too_many_arguments, reason = "all that names one item, used once")]
async fn settle(
    engine: &Engine,
    caller: &Caller,
    merchant: &Merchant,
    schedule: &Schedule,
    month: Month,
    currency: Currency,
    lines: Vec<FeeLine>,
    moment: Moment,
) -> Result<Item> {
    let source = format!("{}:{month}:{currency}", schedule.id);
    let number = number(ItemKind::Fee, &source);
    if let Some(settled) = engine.document_by_number(merchant.id, &number).await? {
        return Ok(settled);
    }
    let id = ItemId::new(moment.now, &*engine.rng);
    let mut item = Item::new(id, ItemKind::Fee, source, Money::zero(currency), moment.now);
    item.priced_by = schedule.at(before(month, schedule)).map(|last| applied(schedule, last.number));
    clearing::charge(&mut item, lines, Vec::new()).map_err(Error::internal)?;
    let booking = booking(&item.lines, currency).map_err(Error::internal)?;
    let view = item.view();
    let mut changes = Changes::default();
    let kind = EventKind::FeeTruedUp;
    let event = engine.event(kind, item.id.to_string(), 1, &view, merchant.livemode, moment);
    changes.events.push(Event { booking, ..event });
    let object = Some(item.id.to_string());
    changes.audit.push(engine.audit(&caller.actor, "fees.true_up", object, item.source.clone(), moment));
    changes.put(Put::document(&item));
    match engine.commit(merchant.id, changes).await {
        Ok(()) => Ok(item),
        // Somebody else settled it at the same time.
        Err(CommitError::Duplicate(_)) => {
            let settled = engine.document_by_number(merchant.id, &number).await?;
            settled.ok_or_else(|| CommitError::Stale.into())
        }
        Err(error) => Err(error.into()),
    }
}

fn before(month: Month, schedule: &Schedule) -> Timestamp {
    let zone = schedule.revisions.last().map_or(0, |last| last.terms.utc_offset);
    Timestamp::from_micros(month.end(zone).micros() - 1)
}

fn applied(schedule: &Schedule, revision: u32) -> Applied {
    Applied { schedule_id: schedule.id, revision }
}

/// The books take positive amounts: what is charged and what is given back are parts of their own.
fn booking(lines: &[FeeLine], currency: Currency) -> Result<Option<Booking>, crate::money::MoneyError> {
    let mut booking: Option<Booking> = None;
    for (tax, charged, part) in [
        (false, true, Part::Fee),
        (true, true, Part::Tax),
        (false, false, Part::FeeBack),
        (true, false, Part::TaxBack),
    ] {
        let of_part = lines.iter().filter(|line| line.tax == tax && line.amount.is_positive() == charged);
        let sum = of_part.map(|line| line.amount).try_fold(Money::zero(currency), Money::checked_add)?;
        if !sum.is_zero() {
            let money = if charged { sum } else { sum.checked_neg()? };
            booking = Some(match booking {
                None => Booking::new(Movement::Fee, part, money),
                Some(booking) => booking.with(part, money),
            });
        }
    }
    Ok(booking)
}
