//! Notifications from channels: verified, bound to what we asked for, committed, and only then acknowledged.

use bytes::Bytes;

use crate::channel::{Context, Fault, Notice, Report, Subject};
use crate::dispute::service as disputes;
use crate::engine::{Engine, OpenAccount};
use crate::error::{Error, Result};
use crate::id::{ChannelAccountId, MerchantId};
use crate::merchant::Merchant;
use crate::order::sweep::{self, Disbelief};
use crate::split::service as splits;
use crate::store::Changes;

/// Takes in one notification for a channel account and gives the response the channel expects. An unknown account
/// is `NotFound`; a store that cannot write is an error, so that the channel tries again.
pub async fn receive(
    engine: &Engine,
    account: ChannelAccountId,
    notice: &Notice,
) -> Result<http::Response<Bytes>> {
    let tenant = engine.store.channel_account_tenant(account).await?;
    let tenant = tenant.ok_or_else(|| Error::not_found("channel account", account))?;
    let merchant = engine.merchant(tenant).await?;
    let open = engine.account(tenant, account).await?;
    let Some(channel) = open.channel.clone() else {
        return Err(Error::internal("the channel account's settings are not valid"));
    };
    let now = engine.moment(&merchant).now;
    let cx = Context { now, rng: &*engine.rng, notify_url: &open.notify_url };
    let verified = match channel.verify(notice, &cx) {
        Ok(verified) => verified,
        Err(fault) => {
            refuse(engine, &merchant, &open, &fault.to_string(), None).await?;
            return Ok(channel.reject());
        }
    };
    for report in verified.reports {
        let reference = report.reference.clone();
        if let Err(why) = believe(engine, &merchant, &open, report).await? {
            refuse(engine, &merchant, &open, &why.to_string(), Some(reference)).await?;
            return Ok(channel.reject());
        }
    }
    Ok(verified.reply)
}

async fn believe(
    engine: &Engine,
    merchant: &Merchant,
    open: &OpenAccount,
    report: Report,
) -> Result<Result<(), Fault>> {
    let unbound = || {
        Fault::Unacceptable(
            "no payment, refund, transfer, share or mandate of this account has the reference".into(),
        )
    };
    match report.subject {
        Subject::Payment => Ok(match sweep::report(engine, merchant, open, report).await? {
            Ok(()) => Ok(()),
            Err(Disbelief::Unbound) => Err(unbound()),
            Err(Disbelief::Mismatch(detail)) => Err(Fault::Unacceptable(detail)),
            Err(Disbelief::Unconfirmed(fault)) => Err(fault),
        }),
        Subject::Refund => {
            let known = crate::refund::service::report(engine, merchant, open, report).await?;
            Ok(known.and_then(|known| if known { Ok(()) } else { Err(unbound()) }))
        }
        Subject::Transfer => {
            let known = crate::payout::service::report(engine, merchant, open, report).await?;
            Ok(known.and_then(|known| if known { Ok(()) } else { Err(unbound()) }))
        }
        Subject::Dispute(case) => {
            let Some(news) = disputes::News::of(case, &report.outcome) else {
                return Ok(Err(Fault::Unexpected("what it says of the dispute".into())));
            };
            let known = disputes::report(engine, merchant, open, &report.reference, news).await?;
            Ok(if known { Ok(()) } else { Err(unbound()) })
        }
        Subject::Mandate => {
            let known = crate::mandate::service::report(engine, merchant, open, report).await?;
            Ok(known.and_then(|known| if known { Ok(()) } else { Err(unbound()) }))
        }
        Subject::Share | Subject::ShareReturn => {
            let known = splits::announced(engine, merchant, open, &report.reference).await?;
            Ok(if known { Ok(()) } else { Err(unbound()) })
        }
    }
}

/// Leaves one row in the audit trail. The reference is ours or authentic; nothing else of the notice is kept.
async fn refuse(
    engine: &Engine,
    merchant: &Merchant,
    open: &OpenAccount,
    why: &str,
    reference: Option<String>,
) -> Result<()> {
    let tenant: MerchantId = merchant.id;
    let actor = format!("channel:{}", open.account.channel);
    let moment = engine.moment(merchant);
    let object = reference.or_else(|| Some(open.account.id.to_string()));
    let audit = engine.audit(&actor, "notice.refused", object, why.chars().take(500).collect(), moment);
    engine.commit(tenant, Changes { audit: vec![audit], ..Changes::default() }).await?;
    Ok(())
}
