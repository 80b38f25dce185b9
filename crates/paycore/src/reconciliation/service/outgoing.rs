//! What leaves and a statement may name: payouts, payments to agents, which leave by bank, and shares, which leave within a
//! channel.

use super::payouts::Whose;
use crate::agent::AgentWithdrawal;
use crate::document::DocumentFilter;
use crate::engine::Engine;
use crate::error::Result;
use crate::id::{ChannelAccountId, MerchantId, ReconciliationId, ShareReturnId, SplitId};
use crate::payout::{Beneficiary, Payout, Route};
use crate::reconciliation::Kind;
use crate::reconciliation::matching::Entry;
use crate::reconciliation::side::{
    is_request, payout, payout_of, share, share_return, withdrawal, withdrawal_of,
};
use crate::split::reference::owner;
use crate::split::{RequestKind, RequestStatus, ShareReturn, Split};
use crate::store::Put;
use crate::time::Timestamp;

/// One thing that leaves.
pub(super) enum Outgoing {
    /// A payout of the merchant's money.
    Payout(Box<Payout>),
    /// A payment to an agent. It never comes back: one that was not paid was rejected.
    Agent(Box<AgentWithdrawal>),
    /// A request for shares, by its place in the split.
    Share(Box<Split>, usize),
    /// What a receiver gives back, by its place in the return, with the split it was given by.
    Return(Box<ShareReturn>, Box<Split>, usize),
}

impl Outgoing {
    /// Everything that has this id, a request for shares by the split's id and its place, such as `spl_…:1`; all requests of
    /// a split, or of a return, where the place is left out. Nothing where that is no such id, or nobody's.
    pub(super) async fn of(engine: &Engine, tenant: MerchantId, id: &str) -> Result<Vec<Outgoing>> {
        let (id, place) = id.split_once(':').map_or((id, None), |(id, place)| (id, Some(place)));
        let place = place.and_then(|place| place.parse::<usize>().ok()).map(|place| place.saturating_sub(1));
        if let Ok(id) = id.parse() {
            let found = engine.find_document::<Payout>(tenant, id).await?;
            return Ok(found.into_iter().map(|row| Outgoing::Payout(Box::new(row))).collect());
        }
        if let Ok(id) = id.parse() {
            let found = engine.find_document::<AgentWithdrawal>(tenant, id).await?;
            return Ok(found.into_iter().map(|row| Outgoing::Agent(Box::new(row))).collect());
        }
        if let Ok(id) = id.parse() {
            let found = engine.find_document::<Split>(tenant, id).await?;
            return Ok(found.map_or_else(Vec::new, |split| shares(&split, place)));
        }
        match id.parse::<ShareReturnId>() {
            Ok(id) => returns(engine, tenant, id, place).await,
            Err(_) => Ok(Vec::new()),
        }
    }

    /// By its reference on a statement.
    pub(super) async fn named(engine: &Engine, tenant: MerchantId, reference: &str) -> Result<Vec<Outgoing>> {
        if is_request(reference) {
            return requested(engine, tenant, reference).await;
        }
        if let Some(id) = payout_of(reference) {
            let found = Self::of(engine, tenant, &id.to_string()).await?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        match withdrawal_of(reference) {
            Some(id) => Self::of(engine, tenant, &id.to_string()).await,
            None => Ok(Vec::new()),
        }
    }

    /// The shares of a payment, or what came back of them, by our reference of the payment.
    pub(super) async fn of_payment(
        engine: &Engine,
        tenant: MerchantId,
        account: ChannelAccountId,
        reference: &str,
        is_back: bool,
    ) -> Result<Vec<Outgoing>> {
        let attempt = engine.store.attempt_by_reference(tenant, account, reference).await?;
        let Some(order) = attempt.map(|attempt| attempt.order_id.to_string()) else { return Ok(Vec::new()) };
        if !is_back {
            let found = engine.document_by_number::<Split>(tenant, &order).await?;
            return Ok(found.map_or_else(Vec::new, |split| shares(&split, None)));
        }
        let all: Vec<ShareReturn> = engine.all_documents(tenant, &DocumentFilter::of(order)).await?;
        let mut found = Vec::new();
        for back in all {
            found.extend(returns(engine, tenant, back.id, None).await?);
        }
        Ok(found)
    }

    /// Whether its own state does not deny that its money moved. Only of requests within a split or return there is a doubt.
    pub(super) fn may_have_moved(&self) -> bool {
        match self {
            Outgoing::Payout(_) | Outgoing::Agent(_) => true,
            Outgoing::Share(split, at) => split.requests[*at].status == RequestStatus::Succeeded,
            Outgoing::Return(back, _, at) => back.legs[*at].status == Some(RequestStatus::Succeeded),
        }
    }

    /// Its id.
    pub(super) fn id(&self) -> String {
        match self {
            Outgoing::Payout(row) => row.id.to_string(),
            Outgoing::Agent(row) => row.id.to_string(),
            Outgoing::Share(split, at) => format!("{}:{}", split.id, at + 1),
            Outgoing::Return(back, _, at) => format!("{}:{}", back.id, at + 1),
        }
    }

    /// What a row of it is, given that it went out or came back.
    pub(super) fn kind(&self, is_back: bool) -> Kind {
        match (self, is_back) {
            (Outgoing::Share(..), _) => Kind::Share,
            (Outgoing::Return(..), _) => Kind::ShareReturn,
            (_, false) => Kind::Payout,
            (_, true) => Kind::PayoutReturn,
        }
    }

    /// The run that has found this of it.
    pub(super) fn found_by(&self, is_back: bool) -> Option<ReconciliationId> {
        match (self, is_back) {
            (Outgoing::Payout(row), false) => row.reconciled,
            (Outgoing::Payout(row), true) => row.return_reconciled,
            (Outgoing::Agent(row), false) => row.reconciled,
            (Outgoing::Agent(_), true) => None,
            (Outgoing::Share(split, at), _) => split.requests[*at].reconciled,
            (Outgoing::Return(back, _, at), _) => back.legs[*at].reconciled,
        }
    }

    /// Notes who has found it going out and coming back; false where nothing is new.
    pub(super) fn mark(&mut self, [out, back]: [Option<ReconciliationId>; 2]) -> bool {
        let put = |mark: &mut Option<ReconciliationId>, now| std::mem::replace(mark, now) != now;
        match self {
            Outgoing::Payout(row) => put(&mut row.reconciled, out) | put(&mut row.return_reconciled, back),
            Outgoing::Agent(row) => put(&mut row.reconciled, out),
            Outgoing::Share(split, at) => put(&mut split.requests[*at].reconciled, out),
            Outgoing::Return(row, _, at) => put(&mut row.legs[*at].reconciled, back),
        }
    }

    /// Writes it.
    pub(super) fn put(&self) -> Put {
        match self {
            Outgoing::Payout(row) => Put::document(&**row),
            Outgoing::Agent(row) => Put::document(&**row),
            Outgoing::Share(split, _) => Put::document(&**split),
            Outgoing::Return(back, ..) => Put::document(&**back),
        }
    }

    /// The reference of the batch that it left with; empty without one.
    pub(super) fn batch(&self) -> String {
        match self {
            Outgoing::Payout(row) => row.batch_id.map_or_else(String::new, |batch| batch.bare()),
            _ => String::new(),
        }
    }

    /// Hands its row to a function.
    pub(super) fn with_entry<T>(
        &self,
        is_back: bool,
        batch: &str,
        at: Timestamp,
        then: impl FnOnce(&Entry<'_>) -> T,
    ) -> T {
        let kind = self.kind(is_back);
        match self {
            Outgoing::Payout(row) => then(&payout(row, kind, batch, at)),
            Outgoing::Agent(row) => then(&withdrawal(row, kind, &row.id.bare(), at)),
            Outgoing::Share(split, place) => then(&share(split, &split.requests[*place], at)),
            Outgoing::Return(back, split, place) => {
                let leg = &back.legs[*place];
                let given =
                    split.requests.iter().find(|by| Some(&by.reference) == leg.share_reference.as_ref());
                let channel_id = given.and_then(|request| request.channel_id.as_deref());
                then(&share_return(leg, channel_id.unwrap_or_default(), at))
            }
        }
    }

    /// Whether it left by that way.
    pub(super) async fn is_of(&self, engine: &Engine, tenant: MerchantId, whose: Whose) -> Result<bool> {
        let (row, account) = match (self, whose) {
            (Outgoing::Payout(row), Whose::Bank) => return Ok(row.channel.is_none()),
            (Outgoing::Agent(_), _) => return Ok(whose == Whose::Bank),
            (Outgoing::Share(split, _) | Outgoing::Return(_, split, _), _) => {
                return Ok(whose == Whose::Account(split.account_id));
            }
            (Outgoing::Payout(row), Whose::Account(account)) => (row, account),
        };
        let to: Beneficiary = engine.document(tenant, row.beneficiary_id).await?;
        Ok(matches!(to.route, Route::Channel { channel_account_id, .. } if channel_account_id == account))
    }
}

/// The requests of a split that give shares: all, or the one at a place.
fn shares(split: &Split, place: Option<usize>) -> Vec<Outgoing> {
    let wanted =
        |at: &usize| place.is_none_or(|place| place == *at) && split.requests[*at].kind == RequestKind::Share;
    (0..split.requests.len()).filter(wanted).map(|at| Outgoing::Share(Box::new(split.clone()), at)).collect()
}

/// What is taken back through the channel: all of a return, or at a place of it.
async fn returns(
    engine: &Engine,
    tenant: MerchantId,
    id: ShareReturnId,
    place: Option<usize>,
) -> Result<Vec<Outgoing>> {
    let Some(back) = engine.find_document::<ShareReturn>(tenant, id).await? else { return Ok(Vec::new()) };
    let Some(split) = back.split_id else { return Ok(Vec::new()) };
    let split: Split = engine.document(tenant, split).await?;
    let wanted = |at: &usize| place.is_none_or(|place| place == *at) && back.legs[*at].reference.is_some();
    let of = |at| Outgoing::Return(Box::new(back.clone()), Box::new(split.clone()), at);
    Ok((0..back.legs.len()).filter(wanted).map(of).collect())
}

/// The request with this reference, which names its split or its return.
async fn requested(engine: &Engine, tenant: MerchantId, reference: &str) -> Result<Vec<Outgoing>> {
    if let Some(id) = owner::<SplitId>(reference)
        && let Some(split) = engine.find_document::<Split>(tenant, id).await?
    {
        let at = split.requests.iter().position(|request| request.reference == reference);
        return Ok(at.map_or_else(Vec::new, |at| shares(&split, Some(at))));
    }
    let Some(id) = owner::<ShareReturnId>(reference) else { return Ok(Vec::new()) };
    let all = returns(engine, tenant, id, None).await?;
    let is_it = |one: &Outgoing| match one {
        Outgoing::Return(back, _, at) => back.legs[*at].reference.as_deref() == Some(reference),
        _ => false,
    };
    Ok(all.into_iter().filter(is_it).collect())
}
