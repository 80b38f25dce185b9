//! The month's end: what was charged provisionally becomes what is due.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::month::{Month, Tally};
use super::super::{FeeLine, Schedule, Side};
use crate::clearing::{Item, ItemKind, ItemView, number, rules as clearing};
use crate::currency::Currency;
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::{Booking, Event, EventKind, Movement, Part};
use crate::id::{FeeScheduleId, ItemId, MerchantId};
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

/// From when a month may be settled.
pub(super) fn settled_from(month: Month, utc_offset: i32) -> Timestamp {
    month.end(utc_offset).plus(GRACE)
}

/// Settles a month of a merchant: tiers by volume, packages, minimums and maximums, what rounding left over. Every
/// schedule of prices is settled once; asking again shows what was settled. Workers do it by themselves when a month is
/// over; this is for not waiting for them.
pub async fn true_up(engine: &Engine, caller: &Caller, input: TrueUpMonth) -> Result<TrueUp> {
    let (merchant, moment) = super::merchant(engine, input.merchant_id).await?;
    let schedules: Vec<Schedule> = engine.all_documents(merchant.id, &DocumentFilter::default()).await?;
    let mut items = Vec::new();
    for schedule in schedules.iter().filter(|schedule| schedule.side == Side::Price) {
        if moment.now < settled_from(input.month, schedule.utc_offset()) {
            let detail = "The month is not over; it can be settled ten minutes after its end.";
            return Err(Error::new(Code::StateNotAllowed, detail).param("month"));
        }
        let end = MonthEnd {
            engine,
            merchant: &merchant,
            actor: &caller.actor,
            schedule,
            month: input.month,
            moment,
        };
        items.extend(end.settle().await?.iter().map(Item::view));
    }
    Ok(TrueUp { object: "fee_true_up", month: input.month, items })
}

/// A schedule whose month is over: settles it and waits for the next one.
pub(crate) async fn due(engine: &Engine, tenant: MerchantId, id: FeeScheduleId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let moment = engine.moment(&merchant);
    let mut schedule: Schedule = engine.document(tenant, id).await?;
    let month = schedule.settling;
    if moment.now >= settled_from(month, schedule.utc_offset()) {
        let end = MonthEnd {
            engine,
            merchant: &merchant,
            actor: "month's end",
            schedule: &schedule,
            month,
            moment,
        };
        end.settle().await?;
        schedule.settling = month.next();
    }
    schedule.due_at = moment.due(settled_from(schedule.settling, schedule.utc_offset()));
    let mut changes = Changes::default();
    changes.put(Put::document(&schedule));
    Ok(engine.commit(tenant, changes).await?)
}

/// The end of one month of one schedule.
struct MonthEnd<'a> {
    engine: &'a Engine,
    merchant: &'a Merchant,
    actor: &'a str,
    schedule: &'a Schedule,
    month: Month,
    moment: Moment,
}

impl MonthEnd<'_> {
    /// One item per currency in which something is to be settled, made now or before.
    async fn settle(&self) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for (currency, lines) in self.tally().await? {
            items.push(self.item(currency, lines).await?);
        }
        Ok(items)
    }

    /// The lines that settle the month.
    async fn tally(&self) -> Result<BTreeMap<Currency, Vec<FeeLine>>> {
        let mut tally = Tally::new(self.schedule, self.month);
        let zone = self.schedule.utc_offset();
        let (start, end) = (self.month.start(zone), self.month.end(zone));
        self.engine
            .each_item_since(self.merchant.id, start, |item| {
                if item.created_at >= end {
                    return Ok(ControlFlow::Break(()));
                }
                if let Some(revision) = revision(self.schedule, &item) {
                    tally.add(revision, item.gross, &item.lines).map_err(Error::internal)?;
                }
                Ok(ControlFlow::Continue(()))
            })
            .await?;
        tally.settle().map_err(Error::internal)
    }

    /// Commits one item; one that is there already is what was settled.
    async fn item(&self, currency: Currency, lines: Vec<FeeLine>) -> Result<Item> {
        let source = format!("{}:{}:{currency}", self.schedule.id, self.month);
        let number = number(ItemKind::Fee, &source);
        if let Some(settled) = self.engine.document_by_number(self.merchant.id, &number).await? {
            return Ok(settled);
        }
        let id = ItemId::new(self.moment.now, &*self.engine.rng);
        let mut item = Item::new(id, ItemKind::Fee, source, Money::zero(currency), self.moment.now);
        let closing = self.schedule.at(self.month.last_instant(self.schedule.utc_offset()));
        item.priced_by = closing.map(|revision| self.schedule.applied(revision));
        clearing::charge(&mut item, lines, Vec::new()).map_err(Error::internal)?;
        match self.engine.commit(self.merchant.id, self.changes(&item)?).await {
            Ok(()) => Ok(item),
            // Somebody else settled it at the same time.
            Err(CommitError::Duplicate(_)) => {
                let settled = self.engine.document_by_number(self.merchant.id, &number).await?;
                settled.ok_or_else(|| CommitError::Stale.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn changes(&self, item: &Item) -> Result<Changes> {
        let (engine, moment) = (self.engine, self.moment);
        let booking = booking(&item.lines, item.gross.currency()).map_err(Error::internal)?;
        let (kind, id, livemode) = (EventKind::FeeTruedUp, item.id.to_string(), self.merchant.livemode);
        let event = engine.event(kind, id.clone(), 1, &item.view(), livemode, moment);
        let mut changes = Changes::default();
        changes.events.push(Event { booking, ..event });
        changes.audit.push(engine.audit(self.actor, "fees.true_up", Some(id), item.source.clone(), moment));
        changes.put(Put::document(item));
        Ok(changes)
    }
}

/// The revision of this schedule that priced a payment, or gave back to its refund.
fn revision(schedule: &Schedule, item: &Item) -> Option<u32> {
    let applied = item.priced_by.filter(|_| clearing::counts(item))?;
    (applied.schedule_id == schedule.id).then_some(applied.revision)
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
