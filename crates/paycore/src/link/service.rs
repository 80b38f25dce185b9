//! Operations on payment links.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Link, LinkDetails};
use crate::channel::Method;
use crate::currency::Currency;
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::id::LinkId;
use crate::idempotency::Claim;
use crate::order::Metadata;
use crate::order::input::{self, Moment};
use crate::page::{List, ListInput};
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// The longest a link may live that has an end: ten years.
const LIFETIME_MAX: u64 = 10 * 366 * 24 * 3600;

/// A payment link as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "PaymentLink")]
pub struct LinkView {
    /// Its id.
    pub id: LinkId,
    /// Always `payment_link`.
    pub object: &'static str,
    /// Its address: print it as a QR code, or send it.
    pub url: String,
    /// What is to be paid, minor units; null where the payer types it.
    pub amount: Option<i64>,
    /// The currency.
    pub currency: Currency,
    /// The most a payer may type, minor units.
    pub amount_max: Option<i64>,
    /// What the payer sees.
    pub subject: String,
    /// Whether one payment ends it.
    pub single_use: bool,
    /// The methods it offers; empty means all that the merchant's channels take.
    pub methods: Vec<Method>,
    /// Where its orders' events are sent besides the endpoints.
    pub notify_url: Option<String>,
    /// Where the payer's browser goes afterwards.
    pub return_url: Option<String>,
    /// The merchant's notes, copied to its orders.
    pub metadata: Metadata,
    /// Whether it can be paid.
    pub enabled: bool,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Link {
    fn view(&self, engine: &Engine) -> LinkView {
        let details = self.details.clone();
        LinkView {
            id: self.id,
            object: "payment_link",
            url: engine.link_url(self.id),
            amount: self.amount,
            currency: self.currency,
            amount_max: details.amount_max,
            subject: details.subject,
            single_use: details.single_use,
            methods: details.methods,
            notify_url: details.notify_url,
            return_url: details.return_url,
            metadata: details.metadata,
            enabled: self.enabled,
            expires_at: self.expires_at,
            created_at: self.created_at,
        }
    }
}

/// What `payment_links.create` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateLink {
    /// What is to be paid, minor units; left out, the payer types it.
    #[serde(default)]
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub amount: Option<i64>,
    /// ISO 4217 code, such as `CNY`.
    pub currency: Currency,
    /// The most a payer may type, minor units; only without `amount`.
    #[serde(default)]
    #[schemars(range(min = 1, max = 99_999_999_999_999_i64))]
    pub amount_max: Option<i64>,
    /// What the payer sees, 1 to 127 characters.
    #[schemars(length(min = 1, max = 127))]
    pub subject: String,
    /// Whether one payment ends it, as for one bill; otherwise it can be paid any number of times, as a code on the
    /// counter.
    #[serde(default)]
    pub single_use: bool,
    /// The methods to offer; all that your channels take where absent or empty.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub methods: Vec<Method>,
    /// Events of its orders are sent here besides your endpoints.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub notify_url: Option<String>,
    /// Where the payer's browser goes afterwards.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub return_url: Option<String>,
    /// Your notes, copied to its orders: at most 49 keys.
    #[serde(default)]
    pub metadata: Metadata,
    /// Seconds until it stops working; it does not stop where absent.
    #[serde(default)]
    #[schemars(range(min = 60, max = 316_224_000))]
    pub expires_in: Option<u64>,
}

/// Creates a payment link.
pub async fn create(engine: &Engine, caller: &Caller, input: CreateLink) -> Result<LinkView> {
    let moment = engine.moment(&caller.merchant);
    let link = input.open(LinkId::new(moment.now, &*engine.rng), moment)?;
    let view = link.view(engine);
    let claim = caller.once(link.id, &view, moment);
    write(engine, caller, link, claim, "payment_links.create", moment).await?;
    Ok(view)
}

impl CreateLink {
    fn open(self, id: LinkId, moment: Moment) -> Result<Link> {
        input::plausible("amount", self.amount)?;
        input::plausible("amount_max", self.amount_max)?;
        if self.amount.is_some() && self.amount_max.is_some() {
            return Err(Error::invalid(
                "amount_max",
                "Only a link whose amount the payer types has a limit.",
            ));
        }
        input::text("subject", &self.subject, 1, 127)?;
        input::check_metadata(&self.metadata)?;
        if self.metadata.len() > 49 || self.metadata.contains_key(super::rules::NOTE) {
            let detail = "At most 49 keys, none of them `payment_link`, which its orders get.";
            return Err(Error::invalid("metadata", detail));
        }
        input::url("notify_url", self.notify_url.as_deref())?;
        input::url("return_url", self.return_url.as_deref())?;
        if self.methods.len() > 20 {
            return Err(Error::invalid("methods", "At most 20 methods can be offered."));
        }
        if self.expires_in.is_some_and(|seconds| !(60..=LIFETIME_MAX).contains(&seconds)) {
            return Err(Error::invalid("expires_in", "Must be 60 to 316224000 seconds."));
        }
        let lifetime = self.expires_in.map(std::time::Duration::from_secs);
        Ok(Link {
            id,
            version: 0,
            amount: self.amount,
            currency: self.currency,
            enabled: true,
            details: LinkDetails {
                subject: self.subject,
                single_use: self.single_use,
                amount_max: self.amount_max,
                methods: self.methods,
                notify_url: self.notify_url,
                return_url: self.return_url,
                metadata: self.metadata,
            },
            expires_at: lifetime.map(|lifetime| moment.now.plus(lifetime)),
            created_at: moment.now,
        })
    }
}

async fn write(
    engine: &Engine,
    caller: &Caller,
    link: Link,
    claim: Option<Claim>,
    action: &str,
    moment: Moment,
) -> Result<()> {
    let mut changes = Changes { claim, ..Changes::default() };
    let object = Some(link.id.to_string());
    changes.audit.push(engine.audit(&caller.actor, action, object, String::new(), moment));
    changes.put(Put::Link(link));
    engine.commit(caller.tenant(), changes).await.map_err(Error::from)
}

/// Which payment links to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListLinks {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this link.
    #[serde(default)]
    pub starting_after: Option<LinkId>,
    /// Only rows listed before this link.
    #[serde(default)]
    pub ending_before: Option<LinkId>,
}

/// Payment links, newest first.
pub async fn list(engine: &Engine, caller: &Caller, input: ListLinks) -> Result<List<LinkView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let rows = engine.store.links(caller.tenant(), &page.fetch()).await?;
    let views = rows.iter().map(|row| row.view(engine)).collect();
    Ok(page.list(views, |view: &LinkView| view.id.to_string()))
}

/// A payment link named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkById {
    /// The link.
    pub id: LinkId,
}

/// One payment link.
pub async fn retrieve(engine: &Engine, caller: &Caller, input: LinkById) -> Result<LinkView> {
    Ok(find(engine, caller, input.id).await?.view(engine))
}

/// What `payment_links.update` takes. Absent parameters stay as they are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateLink {
    /// The link.
    pub id: LinkId,
    /// Whether it can be paid.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// What the payer sees, 1 to 127 characters.
    #[serde(default)]
    #[schemars(length(min = 1, max = 127))]
    pub subject: Option<String>,
}

/// Changes a payment link: its text, on or off. What is to be paid never changes: a printed code keeps its price.
pub async fn update(engine: &Engine, caller: &Caller, input: UpdateLink) -> Result<LinkView> {
    input.subject.as_deref().map_or(Ok(()), |subject| input::text("subject", subject, 1, 127))?;
    let mut link = find(engine, caller, input.id).await?;
    link.details.subject = input.subject.unwrap_or(link.details.subject);
    link.enabled = input.enabled.unwrap_or(link.enabled);
    let moment = engine.moment(&caller.merchant);
    let view = link.view(engine);
    let claim = caller.once(link.id, &view, moment);
    write(engine, caller, link, claim, "payment_links.update", moment).await?;
    Ok(view)
}

async fn find(engine: &Engine, caller: &Caller, id: LinkId) -> Result<Link> {
    engine.store.link(caller.tenant(), id).await?.ok_or_else(|| Error::not_found("payment link", id))
}
