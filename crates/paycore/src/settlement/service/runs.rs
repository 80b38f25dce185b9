//! Runs: the items of a plan are taken a chunk at a time, then the settlement is closed. Every chunk is one commit that
//! checks the versions of plan and settlement, so that a run goes on where it was cut off and two workers never take
//! the same item.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::conversion;
use crate::clearing::Item;
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::event::EventKind;
use crate::exception::ExceptionKind;
use crate::id::{MerchantId, ReserveId, SettlementId, SettlementPlanId};
use crate::ledger::{AccountTerms, Side};
use crate::merchant::Merchant;
use crate::money::Money;
use crate::order::input::Moment;
use crate::settlement::rules::{self, Close, Collected};
use crate::settlement::view::SettlementView;
use crate::settlement::{LineKind, Plan, Reserve, Settlement, SettlementStatus, Trigger};
use crate::store::{Changes, Page, Put};
use crate::time::Timestamp;

/// The account that settlement fills and payouts draw on.
const AVAILABLE: &str = "merchant_available";
/// How many items one commit takes.
const CHUNK: usize = 500;
/// How many commits a worker makes for a plan before others get their turn, and a caller waits for.
const STEPS_MAX: usize = 40;

/// What `settlements.run` and `settlements.preview` take.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSettlement {
    /// The plan.
    pub plan_id: SettlementPlanId,
    /// Whether to take what is not available yet too, for the plan's acceleration fee.
    #[serde(default)]
    pub accelerate: bool,
}

/// Settles what is available now, or everything. A large settlement goes on in the background: see its `progress`.
pub async fn run(engine: &Engine, caller: &Caller, input: RunSettlement) -> Result<SettlementView> {
    let mut run = Run::open(engine, Arc::clone(&caller.merchant), input.plan_id).await?;
    let trigger = trigger(&run.plan, input.accelerate)?;
    let mut settlement = match run.plan.open {
        Some(open) => engine.document(caller.tenant(), open).await?,
        None => run.begin(trigger, run.moment.now).await?.ok_or_else(nothing_to_settle)?,
    };
    run.caller = Some(caller.clone());
    run.advance(&mut settlement, STEPS_MAX).await?;
    Ok(settlement.view(caller.tenant()))
}

/// What `settlements.run` would make, without making it.
pub async fn preview(engine: &Engine, caller: &Caller, input: RunSettlement) -> Result<SettlementView> {
    let run = Run::open(engine, Arc::clone(&caller.merchant), input.plan_id).await?;
    let trigger = trigger(&run.plan, input.accelerate)?;
    let mut settlement = run.fresh(trigger, run.moment.now);
    let filter = pending(&settlement);
    let (currency, until) = (run.plan.currency, settlement.period.until);
    let (terms, collected) = (&run.plan.terms, &mut settlement.collected);
    let add = |item: Item| match item.gross.currency() == currency {
        true => collected.add(&item, terms, until, currency).map_err(Error::from),
        false => Ok(()),
    };
    engine.each_document(caller.tenant(), &filter, add).await?;
    let held = run.held().await?;
    let close = run.close(&settlement, &held)?;
    settlement.close(&close, run.plan.terms.settlement_currency, run.moment.now)?;
    if settlement.status == SettlementStatus::Converting {
        let by = conversion::By { engine, merchant: &run.merchant, moment: run.moment };
        // What will be available then: what is sold comes out of this very settlement.
        let sold = by.sale(&settlement, settlement.sold().minor()).await?;
        settlement.converted(sold.as_ref().map_err(|why| *why), run.moment.now).map_err(Error::internal)?;
    }
    Ok(settlement.preview(caller.tenant()))
}

fn trigger(plan: &Plan, accelerate: bool) -> Result<Trigger> {
    match (accelerate, plan.terms.acceleration) {
        (false, _) => Ok(Trigger::Manual),
        (true, Some(_)) => Ok(Trigger::Accelerated),
        (true, None) => Err(Error::invalid("accelerate", "The plan's terms have no `acceleration`.")),
    }
}

fn nothing_to_settle() -> Error {
    Error::new(Code::StateNotAllowed, "There is nothing to settle now. See `settlements.preview`.")
}

/// The workers' step: makes the settlements whose cut-off has passed, one after the other, and goes on with one that
/// was begun.
pub async fn due(engine: &Engine, tenant: MerchantId, id: SettlementPlanId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let now = engine.moment(&merchant).now;
    match settle_until(engine, merchant, id, now).await {
        Ok(_) => Ok(()),
        // Somebody else is at it: whoever came first has written when the plan is due next.
        Err(error) if error.code == Code::Conflict => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes every scheduled settlement of a plan up to an instant; how many were closed, and whether all are done.
pub async fn settle_until(
    engine: &Engine,
    merchant: Arc<Merchant>,
    id: SettlementPlanId,
    until: Timestamp,
) -> Result<(usize, bool)> {
    let mut run = Run::open(engine, merchant, id).await?;
    let (mut closed, mut steps) = (0, 0);
    while steps < STEPS_MAX {
        let settlement = match (run.plan.open, run.plan.next_run) {
            (Some(open), _) => Some(engine.document(run.merchant.id, open).await?),
            (None, Some(at)) if run.plan.active && at <= until => run.begin(Trigger::Scheduled, at).await?,
            _ => {
                run.remind().await?;
                run.reschedule().await?;
                return Ok((closed, true));
            }
        };
        steps += match settlement {
            Some(mut settlement) => {
                let taken = run.advance(&mut settlement, STEPS_MAX - steps).await?;
                closed += usize::from(settlement.status != SettlementStatus::Collecting);
                taken
            }
            None => 1,
        };
    }
    run.reschedule().await?;
    Ok((closed, false))
}

/// A run over one plan.
pub struct Run<'a> {
    engine: &'a Engine,
    merchant: Arc<Merchant>,
    moment: Moment,
    plan: Plan,
    /// Whose idempotency key the close answers.
    caller: Option<Caller>,
    /// Whether the plan has been written since it was read or moved on, and with it when it is due next.
    written: bool,
    /// The items that were read to count them, where they are all there are.
    counted: Option<Vec<Item>>,
}

impl<'a> Run<'a> {
    async fn open(engine: &'a Engine, merchant: Arc<Merchant>, id: SettlementPlanId) -> Result<Run<'a>> {
        let plan = engine.document(merchant.id, id).await?;
        let moment = engine.moment(&merchant);
        Ok(Run { engine, merchant, moment, plan, caller: None, written: false, counted: None })
    }

    /// A settlement that takes what is available at `until`; none where there is nothing to do, which moves a scheduled
    /// plan on to its next run.
    async fn begin(&mut self, trigger: Trigger, until: Timestamp) -> Result<Option<Settlement>> {
        let mut settlement = self.fresh(trigger, until);
        let (found, more) = self.count(&settlement).await?;
        if found == 0 && !self.has_more_to_do(until).await? {
            if trigger == Trigger::Scheduled {
                self.pass(until);
            }
            return Ok(None);
        }
        settlement.items_expected = found;
        if more {
            // It takes more than one commit: whoever finds the plan goes on with this settlement.
            self.plan.open = Some(settlement.id);
        }
        self.plan.sequence += 1;
        Ok(Some(settlement))
    }

    fn fresh(&self, trigger: Trigger, until: Timestamp) -> Settlement {
        let plan = &self.plan;
        let period = plan.terms.period(plan.settled_until, until);
        let number = match trigger {
            Trigger::Scheduled => format!("{}:{}", plan.currency, period.through),
            Trigger::Manual | Trigger::Accelerated => {
                format!("{}:{}:{}", plan.currency, period.through, plan.sequence + 1)
            }
        };
        Settlement {
            id: SettlementId::new(self.moment.now, &*self.engine.rng),
            version: 0,
            plan_id: plan.id,
            number,
            currency: plan.currency,
            status: SettlementStatus::Collecting,
            trigger,
            period,
            collected: Collected::default(),
            items_expected: 0,
            statement: None,
            carried_for: None,
            conversion: None,
            transfer_fee_payer: plan.terms.transfer_fee.payer,
            payout_id: None,
            corrections: Vec::new(),
            sequence: 0,
            created_at: self.moment.now,
            closed_at: None,
            due_at: Timestamp::ZERO,
        }
    }

    /// How many items there are, and whether they are more than one commit takes.
    async fn count(&mut self, settlement: &Settlement) -> Result<(u64, bool)> {
        self.counted = None;
        let filter = pending(settlement);
        let first: Vec<Item> = self.engine.documents(self.merchant.id, &filter, &page(None)).await?;
        let currency = self.plan.currency;
        if first.len() < CHUNK {
            let ours = first.iter().filter(|item| item.gross.currency() == currency).count();
            self.counted = Some(first);
            return Ok((ours as u64, false));
        }
        let mut found = 0;
        let count = |item: Item| {
            found += u64::from(item.gross.currency() == currency);
            Ok(())
        };
        self.engine.each_document(self.merchant.id, &filter, count).await?;
        Ok((found, true))
    }

    /// Whether there is something to do without any item: a balance that can be paid, or a reserve that is due.
    async fn has_more_to_do(&self, until: Timestamp) -> Result<bool> {
        let plan = &self.plan;
        if plan.terms.hold.is_none() && plan.carried > 0 && plan.carried >= plan.terms.minimum(plan.currency)
        {
            return Ok(true);
        }
        if plan.reserved.is_empty() {
            return Ok(false);
        }
        let filter = DocumentFilter { until: Some(until), ..self.held_filter() };
        let due: Vec<Reserve> =
            self.engine.documents(self.merchant.id, &filter, &Page { limit: 1, ..page(None) }).await?;
        Ok(!due.is_empty())
    }

    /// Takes chunk after chunk and closes after the last; how many commits it made.
    async fn advance(&mut self, settlement: &mut Settlement, steps_max: usize) -> Result<usize> {
        let mut cursor = None;
        for step in 1..=steps_max.max(1) {
            let filter = pending(settlement);
            let mut items: Vec<Item> = match self.counted.take() {
                Some(items) => items,
                None => self.engine.documents(self.merchant.id, &filter, &page(cursor)).await?,
            };
            let is_last = items.len() < CHUNK;
            cursor = items.last().map(|item| item.id.to_string());
            items.retain(|item| item.gross.currency() == self.plan.currency);
            for item in &mut items {
                settlement.collected.add(
                    item,
                    &self.plan.terms,
                    settlement.period.until,
                    self.plan.currency,
                )?;
                item.settlement_id = Some(settlement.id);
            }
            let mut changes = Changes::default();
            changes.puts.extend(items.iter().map(Put::document));
            if is_last {
                self.finish(settlement, &mut changes).await?;
            }
            self.write(settlement, changes).await?;
            if is_last {
                return Ok(step);
            }
        }
        Ok(steps_max)
    }

    /// Commits a step; plan and settlement are written with every one, so that only one worker gets anywhere.
    async fn write(&mut self, settlement: &mut Settlement, mut changes: Changes) -> Result<()> {
        self.plan.schedule(self.moment);
        changes.put(Put::document(&*settlement)).put(Put::document(&self.plan));
        self.engine.commit(self.merchant.id, changes).await?;
        settlement.version += 1;
        self.plan.version += 1;
        self.written = true;
        Ok(())
    }

    fn held_filter(&self) -> DocumentFilter {
        DocumentFilter { parent: Some(self.plan.id.to_string()), ..DocumentFilter::status("held") }
    }

    /// The reserves that still hold something: at most one per settlement and kind within the longest time.
    async fn held(&self) -> Result<Vec<Reserve>> {
        if self.plan.reserved.is_empty() {
            return Ok(Vec::new());
        }
        self.engine.all_documents(self.merchant.id, &self.held_filter()).await
    }

    fn close(&self, settlement: &Settlement, held: &[Reserve]) -> Result<Close> {
        let period = settlement.period;
        let until = (period.through, period.until);
        Ok(rules::close(&self.plan, &settlement.collected, held, settlement.trigger, until)?)
    }

    /// Adds to the last commit what closes the settlement.
    async fn finish(&mut self, settlement: &mut Settlement, changes: &mut Changes) -> Result<()> {
        let held = self.held().await?;
        let close = self.close(settlement, &held)?;
        self.put_reserves(settlement.id, held, &close, changes);
        settlement.close(&close, self.plan.terms.settlement_currency, self.moment.now)?;
        let was_negative = self.plan.negative_since.is_some();
        self.plan.closed(&close, close.statement.amount(LineKind::Sales), settlement.period.through);
        self.plan.open = None;
        self.plan.last = Some(settlement.id);
        if settlement.trigger == Trigger::Scheduled {
            self.plan.settled_until = Some(settlement.period.until);
            self.plan.next_run = self.plan.terms.next_run(settlement.period.until);
        }
        self.tell(settlement, &close, was_negative, changes);
        if was_negative && close.negative_since.is_none() {
            self.tell_of_plan(EventKind::SettlementPlanRecovered, changes);
        }
        let available = self.overdraw(rules::drawn(&close, settlement.collected.net), changes).await?;
        if settlement.status == SettlementStatus::Converting {
            let by = conversion::By { engine: self.engine, merchant: &self.merchant, moment: self.moment };
            by.convert(settlement, available, changes).await?;
        }
        if let Some(caller) = &self.caller {
            changes.claim = caller.once(settlement.id, &settlement.view(self.merchant.id), self.moment);
        }
        Ok(())
    }

    fn put_reserves(&self, into: SettlementId, held: Vec<Reserve>, close: &Close, changes: &mut Changes) {
        for mut reserve in held {
            let released = close.moves.released.iter().find(|(id, ..)| *id == reserve.id);
            if let Some((.., amount)) = released {
                reserve.left -= amount;
                reserve.released.push((into, *amount));
                changes.put(Put::document(&reserve));
            }
        }
        for (kind, amount, release_at) in &close.moves.held {
            changes.put(Put::document(&Reserve {
                id: ReserveId::new(self.moment.now, &*self.engine.rng),
                version: 0,
                plan_id: self.plan.id,
                kind: *kind,
                settlement_id: into,
                money: Money::new(*amount, self.plan.currency),
                left: *amount,
                release_at: *release_at,
                released: Vec::new(),
                created_at: self.moment.now,
            }));
        }
    }

    /// Events with their bookings; a balance that has become negative is put before a person.
    fn tell(&self, settlement: &mut Settlement, close: &Close, was_negative: bool, changes: &mut Changes) {
        let booking = rules::booking(close, settlement.collected.net);
        let mut event = |kind, booking| {
            settlement.sequence += 1;
            let about = (settlement.id.to_string(), settlement.sequence);
            let view = settlement.view(self.merchant.id);
            let event = self.engine.object_event(kind, about, &view, booking, &self.merchant, self.moment);
            changes.events.push(event);
        };
        event(EventKind::SettlementClosed, booking);
        if close.negative_since.is_some() {
            event(EventKind::SettlementNegative, None);
        }
        if close.negative_since.is_some() && !was_negative {
            let owed = Money::new(-close.statement.closing, self.plan.currency);
            let detail = format!("The merchant owes {owed} after settlement {}.", settlement.number);
            let object = settlement.id.to_string();
            let kind = ExceptionKind::NegativeBalance;
            self.engine.exception(changes, kind, object, detail, &self.merchant, self.moment);
        }
    }

    /// An event about the plan itself.
    fn tell_of_plan(&mut self, kind: EventKind, changes: &mut Changes) {
        self.plan.events += 1;
        let about = (self.plan.id.to_string(), self.plan.events);
        let view = self.plan.view();
        changes.events.push(self.engine.object_event(kind, about, &view, None, &self.merchant, self.moment));
    }

    /// Tells the merchant of a debt that has come to 7, 14 or 30 days. Runs that were due are made before, so that nobody is
    /// told of a debt that is paid already.
    async fn remind(&mut self) -> Result<()> {
        let Some(days) = self.plan.notice_due(self.moment.now) else { return Ok(()) };
        self.plan.overdue_days = days;
        let mut changes = Changes::default();
        self.tell_of_plan(EventKind::SettlementPlanOverdue, &mut changes);
        self.store_plan_with(changes).await
    }

    /// What is taken back may be more than is available: the account is let go as far below zero as that, and no further,
    /// so that nothing else can draw on it; and it gets its floor back once it has recovered. Answers what is available
    /// after, nothing of a frozen account.
    async fn overdraw(&mut self, drawn: i64, changes: &mut Changes) -> Result<i64> {
        let found = self.engine.balance(self.merchant.id, AVAILABLE, self.plan.currency).await?;
        let (before, granted) = (found.on(Side::Credit), self.plan.overdraft);
        let after = before - drawn;
        let available = if found.frozen { 0 } else { after };
        let overdraft = match found.overdraft {
            Some(overdraft) if after < 0 && -after > overdraft => -after,
            Some(overdraft) if granted > 0 && overdraft == granted && before >= 0 && after >= 0 => 0,
            _ => return Ok(available),
        };
        self.plan.overdraft = overdraft;
        changes.put(Put::AccountTerms(AccountTerms {
            account: AVAILABLE.to_owned(),
            currency: self.plan.currency,
            version: found.version,
            overdraft: Some(overdraft),
            frozen: found.frozen,
        }));
        Ok(available)
    }

    /// Moves on to the next run without a settlement. Whatever is written next writes it too.
    fn pass(&mut self, until: Timestamp) {
        self.plan.settled_until = Some(until);
        self.plan.next_run = self.plan.terms.next_run(until);
        self.written = false;
    }

    /// Leaves the plan in the queue for its next run.
    async fn reschedule(&mut self) -> Result<()> {
        if self.written { Ok(()) } else { self.store_plan_with(Changes::default()).await }
    }

    async fn store_plan_with(&mut self, mut changes: Changes) -> Result<()> {
        self.plan.schedule(self.moment);
        changes.put(Put::document(&self.plan));
        self.engine.commit(self.merchant.id, changes).await?;
        self.plan.version += 1;
        self.written = true;
        Ok(())
    }
}

/// What a settlement takes: items that nobody holds and nobody has taken, available at its end, or all of them.
fn pending(settlement: &Settlement) -> DocumentFilter {
    let until = (settlement.trigger != Trigger::Accelerated).then_some(settlement.period.until);
    DocumentFilter { until, ..DocumentFilter::status("pending") }
}

fn page(after: Option<String>) -> Page {
    Page { limit: CHUNK, after, before: None }
}
