//! What a channel's notification of a share does. Nothing it says is believed: what is open is asked about at once instead
//! of at its next turn, and that is noted in the audit trail.

use crate::document::Document;
use crate::engine::{Engine, OpenAccount};
use crate::error::Result;
use crate::id::{MerchantId, ShareReturnId, SplitId};
use crate::merchant::Merchant;
use crate::split::reference::owner;
use crate::split::{RequestStatus, ShareReturn, Split};
use crate::store::{Changes, Put};

/// Hastens the look at the split or the return whose request has this reference. False where the account has no such
/// request.
pub(crate) async fn announced(
    engine: &Engine,
    merchant: &Merchant,
    open: &OpenAccount,
    reference: &str,
) -> Result<bool> {
    let tenant = merchant.id;
    if let Some(mut split) = find::<Split>(engine, tenant, owner::<SplitId>(reference)).await? {
        let named = split.requests.iter().any(|request| request.reference == reference);
        if named && split.account_id == open.account.id {
            let waits = waits(split.requests.iter().map(|request| request.status));
            let now = engine.moment(merchant).wall;
            let later = waits && std::mem::replace(&mut split.due_at, now) > now;
            hasten(engine, merchant, open, later.then_some(&split), reference).await?;
            return Ok(true);
        }
    }
    let Some(mut back) = find::<ShareReturn>(engine, tenant, owner::<ShareReturnId>(reference)).await? else {
        return Ok(false);
    };
    let split = find::<Split>(engine, tenant, back.split_id).await?;
    let named = back.legs.iter().any(|leg| leg.reference.as_deref() == Some(reference));
    if !named || split.is_none_or(|split| split.account_id != open.account.id) {
        return Ok(false);
    }
    let waits = waits(back.legs.iter().filter_map(|leg| leg.status));
    let now = engine.moment(merchant).wall;
    let later = waits && std::mem::replace(&mut back.due_at, now) > now;
    hasten(engine, merchant, open, later.then_some(&back), reference).await?;
    Ok(true)
}

async fn find<T: Document>(engine: &Engine, tenant: MerchantId, id: Option<T::Id>) -> Result<Option<T>> {
    let Some(id) = id else { return Ok(None) };
    let found = engine.store.document(tenant, T::KIND, &id.to_string()).await?;
    Ok(found.map(|record| record.read()).transpose()?)
}

/// Whether something is open that can be asked about. What is being sent at this moment is not disturbed: its answer is on
/// its way.
fn waits(mut requests: impl Iterator<Item = RequestStatus> + Clone) -> bool {
    requests.clone().any(RequestStatus::is_open) && requests.all(|status| status != RequestStatus::Sending)
}

/// Keeps that the object is due. What is final, or due already, is not touched, however often it is told.
async fn hasten<T: Document>(
    engine: &Engine,
    merchant: &Merchant,
    open: &OpenAccount,
    due: Option<&T>,
    reference: &str,
) -> Result<()> {
    let Some(due) = due else { return Ok(()) };
    let (actor, moment) = (format!("channel:{}", open.account.channel), engine.moment(merchant));
    let detail = format!("the channel tells of {reference}, which is asked about now");
    let audit = engine.audit(&actor, "notice.announced", Some(due.id().to_string()), detail, moment);
    let mut changes = Changes { audit: vec![audit], ..Changes::default() };
    changes.put(Put::document(due));
    engine.commit_or_yield(merchant.id, changes).await
}
