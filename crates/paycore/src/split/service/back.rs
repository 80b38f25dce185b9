//! What a refund or chargeback takes back from the receivers.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ask, paid, return_event};
use crate::channel::{Fault, Operation, Outcome, Payment, QueryReturn, ReturnShare, Verb, Verdict};
use crate::document::{DocumentFilter, Shown};
use crate::engine::{Caller, Engine, OpenAccount};
use crate::error::Result;
use crate::event::{Booking, Movement, Part};
use crate::exception::ExceptionKind;
use crate::id::{MerchantId, OrderId, ReceiverId, ShareReturnId};
use crate::merchant::Merchant;
use crate::money::Money;
use crate::order::input::Moment;
use crate::order::rules::{LOOKS_BEFORE_EXCEPTION, look_for_unknown};
use crate::page::{List, ListInput};
use crate::split::compile::limits;
use crate::split::reclaim::{returnable, take_back};
use crate::split::reference::numbered;
use crate::split::{Leg, RequestKind, RequestStatus, ShareReturn, Split, SplitStatus, Via};
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// How soon it is looked again while the split itself is at work.
const BUSY: Duration = Duration::from_secs(5);

/// Works on one return.
pub(crate) async fn due(engine: &Engine, tenant: MerchantId, id: ShareReturnId) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let mut back: ShareReturn = engine.document(tenant, id).await?;
    let split = engine.document_by_number::<Split>(tenant, &back.order_id.to_string()).await?;
    let moment = engine.moment(&merchant);
    let Some(split) = split.filter(|_| !back.finished) else {
        // The order was never shared: its payment came late and went back at once.
        back.finished = true;
        return save(engine, &merchant, &mut back, Changes::default(), moment).await;
    };
    match back.split_id {
        None if matches!(split.status, SplitStatus::Waiting | SplitStatus::Sharing) => {
            back.due_at = moment.due_in(BUSY);
            let mut changes = Changes::default();
            changes.put(Put::document(&back));
            engine.commit_or_yield(tenant, changes).await
        }
        None => plan(engine, &merchant, back, split, moment).await,
        Some(_) => follow(engine, &merchant, back, &split).await,
    }
}

async fn save(
    engine: &Engine,
    merchant: &Merchant,
    back: &mut ShareReturn,
    mut changes: Changes,
    moment: Moment,
) -> Result<()> {
    back.finished = back.finished || (back.split_id.is_some() && !back.is_open());
    back.updated_at = moment.now;
    back.due_at = match back.finished {
        true => Timestamp::ZERO,
        false => moment.due_in(look_for_unknown(back.looks)),
    };
    changes.put(Put::document(back));
    engine.commit(merchant.id, changes).await?;
    back.version += 1;
    Ok(())
}

/// Works out who gives back how much from where, and notes it on split and return in one commit.
async fn plan(
    engine: &Engine,
    merchant: &Merchant,
    mut back: ShareReturn,
    mut split: Split,
    moment: Moment,
) -> Result<()> {
    let (_, open) = paid(engine, merchant.id, &split).await?;
    let bounds = limits(&split.channel);
    let (paid_at, can) = (split.paid_at, can_return(&open, &split));
    let legs =
        take_back(&mut split, back.money, |share| can && returnable(bounds, share, paid_at, moment.now));
    let mut changes = Changes::default();
    back.split_id = Some(split.id);
    for mut leg in legs {
        if leg.status.is_some() {
            leg.reference = Some(numbered(&back.id.bare(), back.legs.len() + 1));
            leg.share_reference = shared_by(&split, leg.receiver_id);
        }
        leg.charge(balance(engine, merchant.id, &leg).await?);
        back.legs.push(leg);
        let last = back.legs.len() - 1;
        charge(engine, merchant, &mut back, last, &mut changes, moment);
    }
    split.updated_at = moment.now;
    changes.put(Put::document(&split));
    save(engine, merchant, &mut back, changes, moment).await?;
    follow(engine, merchant, back, &split).await
}

fn can_return(open: &OpenAccount, split: &Split) -> bool {
    let profile = open.channel.as_ref().map(|channel| channel.profile());
    let row = profile.and_then(|profile| profile.capability(&split.method, split.gross.currency()));
    split.via == Some(Via::Channel) && row.is_some_and(|row| row.verbs.contains(&Verb::ReturnShare))
}

/// Our reference of the request by which a receiver got its share.
fn shared_by(split: &Split, receiver: ReceiverId) -> Option<String> {
    let done = split
        .requests
        .iter()
        .filter(|request| request.kind == RequestKind::Share && request.status == RequestStatus::Succeeded);
    let mut named = done.filter(|request| request.shares.iter().any(|(who, _)| *who == receiver));
    named.next_back().map(|request| request.reference.clone())
}

/// What stands on a receiver's account with us, minor units.
async fn balance(engine: &Engine, tenant: MerchantId, leg: &Leg) -> Result<i64> {
    let account = format!("split_payable:{}", leg.receiver_id);
    let rows = engine.store.balances(tenant).await?;
    let own = rows.iter().filter(|row| row.account == account && row.currency == leg.amount.currency());
    Ok(own.map(|row| row.credits - row.debits).sum())
}

/// Books what comes from a receiver's balance and what it owes: the account may turn, and what it gets next pays it off.
fn charge(
    engine: &Engine,
    merchant: &Merchant,
    back: &mut ShareReturn,
    index: usize,
    changes: &mut Changes,
    moment: Moment,
) {
    let leg = &back.legs[index];
    let who = leg.receiver_id;
    let money = Money::new(leg.from_balance + leg.owed, leg.amount.currency());
    if money.is_positive() {
        let booking = Booking::new(Movement::ShareCharge, Part::Gross, money).order(back.order_id);
        let booking = (who, booking.party(who.to_string()));
        changes.events.push(return_event(engine, back, booking, merchant, moment));
    }
}

/// Sends what was never sent, and asks about what is open.
async fn follow(engine: &Engine, merchant: &Merchant, mut back: ShareReturn, split: &Split) -> Result<()> {
    let (attempt, open) = paid(engine, merchant.id, split).await?;
    let first = back.looks == 0;
    back.looks += 1;
    for index in 0..back.legs.len() {
        if !back.legs[index].status.is_some_and(RequestStatus::is_open) {
            continue;
        }
        let moment = engine.moment(merchant);
        let Some((send, query)) = operations(&back.legs[index], attempt.payment()) else { continue };
        // A return that may have been sent is asked about first; what the channel does not know is sent again.
        let sent = !first || back.legs[index].status != Some(RequestStatus::Sending);
        let mut news = match sent {
            true => ask(engine, &open, &query, moment).await,
            false => Ok(Outcome::new(Verdict::Absent)),
        };
        if matches!(&news, Ok(outcome) if outcome.verdict == Verdict::Absent) {
            news = ask(engine, &open, &send, moment).await;
        }
        hear(engine, merchant, (&mut back, split), index, news).await?;
    }
    if back.looks == LOOKS_BEFORE_EXCEPTION && back.is_open() {
        let (kind, object) = (ExceptionKind::Unresolved, back.id.to_string());
        let mut changes = Changes::default();
        engine.exception(
            &mut changes,
            kind,
            object,
            "a return of a share is open".into(),
            merchant,
            engine.moment(merchant),
        );
        engine.commit(merchant.id, changes).await?;
    }
    Ok(())
}

fn operations(leg: &Leg, payment: Payment) -> Option<(Operation, Operation)> {
    let (reference, share) = (leg.reference.clone()?, leg.share_reference.clone()?);
    let receiver = leg.account.as_ref()?.receiver();
    let money = Money::new(leg.from_channel, leg.amount.currency());
    let query =
        QueryReturn { reference: reference.clone(), share: share.clone(), payment: payment.clone(), money };
    let description = "退款回退 refund".to_owned();
    let send = ReturnShare { reference, share, payment, receiver, money, description };
    Some((Operation::ReturnShare(send), Operation::QueryReturn(query)))
}

/// Takes in one answer, with its booking, in one commit.
async fn hear(
    engine: &Engine,
    merchant: &Merchant,
    (back, split): (&mut ShareReturn, &Split),
    index: usize,
    news: Result<Outcome, Fault>,
) -> Result<()> {
    let moment = engine.moment(merchant);
    let mut changes = Changes::default();
    let wanted = Money::new(back.legs[index].from_channel, back.legs[index].amount.currency());
    match news {
        Ok(outcome)
            if outcome.verdict == Verdict::Succeeded && outcome.money.is_none_or(|money| money == wanted) =>
        {
            back.legs[index].status = Some(RequestStatus::Succeeded);
            back.legs[index].fault = None;
            let booking = Booking::new(Movement::ShareReturn, Part::Gross, wanted).order(back.order_id);
            let booking = (back.legs[index].receiver_id, booking.channel(split.channel.clone()));
            changes.events.push(return_event(engine, back, booking, merchant, moment));
        }
        Ok(Outcome { verdict: Verdict::Declined(no), .. }) => {
            let standing = balance(engine, merchant.id, &back.legs[index]).await?;
            back.legs[index].declined(format!("{} {}", no.code, no.message), standing);
            charge(engine, merchant, back, index, &mut changes, moment);
        }
        Ok(Outcome { verdict: Verdict::Pending, .. }) => {
            back.legs[index].status = Some(RequestStatus::Pending)
        }
        Ok(outcome) => back.legs[index].fault = Some(format!("the channel says {:?}", outcome.verdict)),
        Err(fault) => {
            back.legs[index].fault = Some(fault.to_string());
            if back.legs[index].status == Some(RequestStatus::Sending) {
                back.legs[index].status = Some(RequestStatus::Unknown);
            }
        }
    }
    save(engine, merchant, back, changes, moment).await
}

/// A return named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareReturnById {
    /// The return.
    pub id: ShareReturnId,
}

/// One return.
pub async fn retrieve_return(
    engine: &Engine,
    caller: &Caller,
    input: ShareReturnById,
) -> Result<Shown<ShareReturn>> {
    engine.document(caller.tenant(), input.id).await.map(Shown::of)
}

/// Which returns to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListShareReturns {
    /// Only of this order.
    #[serde(default)]
    pub order_id: Option<OrderId>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this return.
    #[serde(default)]
    pub starting_after: Option<ShareReturnId>,
    /// Only rows listed before this return.
    #[serde(default)]
    pub ending_before: Option<ShareReturnId>,
}

/// Returns, newest first.
pub async fn list_returns(
    engine: &Engine,
    caller: &Caller,
    input: ListShareReturns,
) -> Result<List<Shown<ShareReturn>>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let parent = input.order_id.map(|order| order.to_string());
    let filter = DocumentFilter { parent, ..DocumentFilter::default() };
    let rows = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(Shown::list(&page, rows))
}
