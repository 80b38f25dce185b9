//! Operations on a merchant's branding.

use super::{Branding, BrandingView, Logo, Look, NUMBER, RetrieveBranding, UpdateBranding};
use crate::engine::{Caller, Engine};
use crate::error::Result;
use crate::id::{BrandingId, MerchantId};
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// What the merchant's pages look like; ours where nothing was said.
pub async fn look(engine: &Engine, tenant: MerchantId) -> Result<Look> {
    let found: Option<Branding> = engine.document_by_number(tenant, NUMBER).await?;
    Ok(found.map(|branding| branding.look).unwrap_or_default())
}

/// The caller's branding.
pub async fn retrieve(engine: &Engine, caller: &Caller, _: RetrieveBranding) -> Result<BrandingView> {
    let found: Option<Branding> = engine.document_by_number(caller.tenant(), NUMBER).await?;
    Ok(match found {
        Some(branding) => view(engine, caller, branding.look, Some(branding.updated_at)),
        None => view(engine, caller, Look::default(), None),
    })
}

/// Replaces the caller's branding.
pub async fn update(engine: &Engine, caller: &Caller, input: UpdateBranding) -> Result<BrandingView> {
    let look = input.look(caller.merchant.livemode)?;
    let moment = engine.moment(&caller.merchant);
    let found: Option<Branding> = engine.document_by_number(caller.tenant(), NUMBER).await?;
    let (id, version) = match found {
        Some(known) => (known.id, known.version),
        None => (BrandingId::new(moment.now, &*engine.rng), 0),
    };
    let branding = Branding { id, version, look, updated_at: moment.now };
    let mut changes = Changes::default();
    changes.put(Put::document(&branding));
    changes.audit.push(engine.audit(
        &caller.actor,
        "branding.update",
        Some(id.to_string()),
        String::new(),
        moment,
    ));
    let view = view(engine, caller, branding.look, Some(moment.now));
    changes.claim = caller.once(id, &view, moment);
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}

fn view(engine: &Engine, caller: &Caller, look: Look, updated_at: Option<Timestamp>) -> BrandingView {
    let logo_url = look.logo.map(|logo| match logo {
        Logo::Address(address) => address,
        Logo::Image { .. } => engine.logo_url(caller.tenant()),
    });
    BrandingView {
        object: "branding",
        color_primary: look.color_primary,
        color_background: look.color_background,
        logo_url,
        note: look.note,
        texts: look.texts,
        frame_ancestors: look.frame_ancestors,
        updated_at,
    }
}
