//! Operations on webhook endpoints, and the two workers of the outbox: making deliveries and sending them.

use std::time::Duration;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::{self, Tried};
use super::{Delivery, DeliveryFilter, DeliveryStatus, Endpoint, Try};
use crate::engine::{Caller, Engine};
use crate::epay::rules as epay;
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventKind};
use crate::id::{DeliveryId, EndpointId, EventId, MerchantId};
use crate::idempotency::Claim;
use crate::merchant::Merchant;
use crate::merchant::rules::new_webhook_secret;
use crate::order::Order;
use crate::order::input::{Moment, url};
use crate::page::{List, ListInput};
use crate::secret::Secret;
use crate::store::{Changes, Put};
use crate::time::Timestamp;

const TIMEOUT: Duration = Duration::from_secs(15);
const ENDPOINTS_MAX: usize = 20;
/// How long the old secret signs on after a roll.
const OVERLAP: Duration = Duration::from_secs(24 * 3600);

/// A webhook endpoint as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "WebhookEndpoint")]
pub struct EndpointView {
    /// Its id.
    pub id: EndpointId,
    /// Always `webhook_endpoint`.
    pub object: &'static str,
    /// Where events are sent.
    pub url: String,
    /// Event types it wants; empty means all.
    pub events: Vec<String>,
    /// Whether deliveries are sent.
    pub enabled: bool,
    /// Until when the previous secret signs too.
    pub previous_secret_until: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The signing secret: only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// A delivery as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
pub struct DeliveryView {
    /// Its id.
    pub id: DeliveryId,
    /// Always `delivery`.
    pub object: &'static str,
    /// The event.
    pub event_id: EventId,
    /// The endpoint; null for an order's own notify URL.
    pub endpoint_id: Option<EndpointId>,
    /// Where it goes.
    pub url: String,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Every try so far, oldest first.
    pub tries: Vec<Try>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it is sent next.
    pub next_at: Option<Timestamp>,
}

impl Endpoint {
    fn view(&self, secret: Option<&Secret>) -> EndpointView {
        EndpointView {
            id: self.id,
            object: "webhook_endpoint",
            url: self.url.clone(),
            events: self.events.clone(),
            enabled: self.enabled,
            previous_secret_until: self.previous_until,
            created_at: self.created_at,
            secret: secret.map(|secret| secret.expose().to_owned()),
        }
    }
}

impl Delivery {
    fn view(&self) -> DeliveryView {
        DeliveryView {
            id: self.id,
            object: "delivery",
            event_id: self.event_id,
            endpoint_id: self.endpoint_id,
            url: self.url.clone(),
            status: self.status,
            tries: self.tries.clone(),
            created_at: self.created_at,
            next_at: (self.due_at != Timestamp::ZERO).then_some(self.due_at),
        }
    }
}

/// What `webhook_endpoints.create` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateEndpoint {
    /// Where events are sent: an absolute address that is reachable from the internet.
    #[schemars(length(max = 2000))]
    pub url: String,
    /// Event types it wants; all where absent or empty.
    #[serde(default)]
    pub events: Vec<EventKind>,
}

/// Adds an endpoint. The answer shows the signing secret, once.
pub async fn create(engine: &Engine, caller: &Caller, input: CreateEndpoint) -> Result<EndpointView> {
    url("url", Some(&input.url))?;
    if engine.store.endpoints(caller.tenant()).await?.len() >= ENDPOINTS_MAX {
        return Err(Error::new(Code::StateNotAllowed, format!("At most {ENDPOINTS_MAX} endpoints.")));
    }
    let moment = engine.moment(&caller.merchant);
    let id = EndpointId::new(moment.now, &*engine.rng);
    let secret = new_webhook_secret(&*engine.rng);
    let endpoint = Endpoint {
        id,
        version: 0,
        url: input.url,
        sealed_secret: seal(engine, caller.tenant(), id, &secret)?,
        sealed_previous: None,
        previous_until: None,
        events: input.events.iter().map(|kind| kind.text().to_owned()).collect(),
        enabled: true,
        created_at: moment.now,
    };
    let view = endpoint.view(Some(&secret));
    let claim = caller.once_sealed(id, &view, &*engine.vault, moment)?;
    write(engine, caller, endpoint, claim, "webhook_endpoints.create", moment).await?;
    Ok(view)
}

fn seal(engine: &Engine, tenant: MerchantId, id: EndpointId, secret: &Secret) -> Result<String> {
    engine.vault.seal(&format!("{tenant}/{id}"), secret).map_err(Error::internal)
}

async fn write(
    engine: &Engine,
    caller: &Caller,
    endpoint: Endpoint,
    claim: Option<Claim>,
    action: &str,
    moment: Moment,
) -> Result<()> {
    let mut changes = Changes { claim, ..Changes::default() };
    changes.audit.push(engine.audit(
        &caller.actor,
        action,
        Some(endpoint.id.to_string()),
        String::new(),
        moment,
    ));
    changes.put(Put::Endpoint(endpoint));
    engine.commit(caller.tenant(), changes).await.map_err(Error::from)
}

/// No parameters.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEndpoints {}

/// All endpoints, newest first.
pub async fn list(engine: &Engine, caller: &Caller, _: ListEndpoints) -> Result<List<EndpointView>> {
    let rows = engine.store.endpoints(caller.tenant()).await?;
    let data = rows.iter().map(|row| row.view(None)).collect();
    Ok(List { object: "list", data, has_more: false, next_cursor: None })
}

/// An endpoint named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointById {
    /// The endpoint.
    pub id: EndpointId,
}

/// What `webhook_endpoints.update` takes. Absent parameters stay as they are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateEndpoint {
    /// The endpoint.
    pub id: EndpointId,
    /// Where events are sent.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub url: Option<String>,
    /// Event types it wants; empty means all.
    #[serde(default)]
    pub events: Option<Vec<EventKind>>,
    /// Whether deliveries are sent.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// Changes an endpoint.
pub async fn update(engine: &Engine, caller: &Caller, input: UpdateEndpoint) -> Result<EndpointView> {
    url("url", input.url.as_deref())?;
    let mut endpoint = find(engine, caller, input.id).await?;
    endpoint.url = input.url.unwrap_or(endpoint.url);
    endpoint.enabled = input.enabled.unwrap_or(endpoint.enabled);
    if let Some(events) = input.events {
        endpoint.events = events.iter().map(|kind| kind.text().to_owned()).collect();
    }
    let view = endpoint.view(None);
    let moment = engine.moment(&caller.merchant);
    let claim = caller.once(endpoint.id, &view, moment);
    write(engine, caller, endpoint, claim, "webhook_endpoints.update", moment).await?;
    Ok(view)
}

/// Replaces the signing secret. For a day both sign, so that no receiver sees a delivery it cannot verify.
pub async fn roll_secret(engine: &Engine, caller: &Caller, input: EndpointById) -> Result<EndpointView> {
    let mut endpoint = find(engine, caller, input.id).await?;
    let moment = engine.moment(&caller.merchant);
    let secret = new_webhook_secret(&*engine.rng);
    let sealed = seal(engine, caller.tenant(), endpoint.id, &secret)?;
    endpoint.sealed_previous = Some(std::mem::replace(&mut endpoint.sealed_secret, sealed));
    endpoint.previous_until = Some(moment.now.plus(OVERLAP));
    let view = endpoint.view(Some(&secret));
    let claim = caller.once_sealed(endpoint.id, &view, &*engine.vault, moment)?;
    write(engine, caller, endpoint, claim, "webhook_endpoints.roll_secret", moment).await?;
    Ok(view)
}

async fn find(engine: &Engine, caller: &Caller, id: EndpointId) -> Result<Endpoint> {
    engine.store.endpoint(caller.tenant(), id).await?.ok_or_else(|| Error::not_found("webhook endpoint", id))
}

/// Which deliveries to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDeliveries {
    /// Only of this event.
    #[serde(default)]
    pub event_id: Option<EventId>,
    /// Only to this endpoint.
    #[serde(default)]
    pub endpoint_id: Option<EndpointId>,
    /// Only in this state.
    #[serde(default)]
    pub status: Option<DeliveryStatus>,
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this delivery.
    #[serde(default)]
    pub starting_after: Option<DeliveryId>,
    /// Only rows listed before this delivery.
    #[serde(default)]
    pub ending_before: Option<DeliveryId>,
}

/// The delivery log, newest first.
pub async fn deliveries(
    engine: &Engine,
    caller: &Caller,
    input: ListDeliveries,
) -> Result<List<DeliveryView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter =
        DeliveryFilter { event_id: input.event_id, endpoint_id: input.endpoint_id, status: input.status };
    let rows = engine.store.deliveries(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(page.list(rows.iter().map(Delivery::view).collect(), |view| view.id.to_string()))
}

/// A delivery named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryById {
    /// The delivery.
    pub id: DeliveryId,
}

/// Sends a delivery again, now, whatever became of it before.
pub async fn resend(engine: &Engine, caller: &Caller, input: DeliveryById) -> Result<DeliveryView> {
    let found = engine.store.delivery(caller.tenant(), input.id).await?;
    let mut delivery = found.ok_or_else(|| Error::not_found("delivery", input.id))?;
    let moment = engine.moment(&caller.merchant);
    delivery.status = DeliveryStatus::Pending;
    delivery.due_at = moment.wall;
    let view = delivery.view();
    let mut changes = Changes { claim: caller.once(delivery.id, &view, moment), ..Changes::default() };
    changes.audit.push(engine.audit(
        &caller.actor,
        "deliveries.resend",
        Some(delivery.id.to_string()),
        String::new(),
        moment,
    ));
    changes.put(Put::Delivery(delivery));
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}

/// Makes the deliveries of some events of one merchant, in one commit.
pub(crate) async fn dispatch(engine: &Engine, tenant: MerchantId, events: &[Event]) -> Result<()> {
    let merchant = engine.merchant(tenant).await?;
    let moment = engine.moment(&merchant);
    let endpoints = engine.store.endpoints(tenant).await?;
    let mut changes = Changes::default();
    for event in events {
        for endpoint in endpoints.iter().filter(|endpoint| rules::wants(endpoint, event)) {
            let delivery = new_delivery(engine, event, Some(endpoint.id), endpoint.url.clone(), moment);
            changes.put(Put::Delivery(delivery));
        }
        if let Some(address) = &event.notify_url {
            changes.put(Put::Delivery(new_delivery(engine, event, None, address.clone(), moment)));
        }
        changes.put(Put::EventDispatched(event.id));
    }
    // Another worker made them meanwhile; what was not its work comes due again.
    engine.commit_or_yield(tenant, changes).await
}

fn new_delivery(
    engine: &Engine,
    event: &Event,
    endpoint: Option<EndpointId>,
    url: String,
    at: Moment,
) -> Delivery {
    Delivery {
        id: DeliveryId::new(at.now, &*engine.rng),
        version: 0,
        event_id: event.id,
        endpoint_id: endpoint,
        url,
        status: DeliveryStatus::Pending,
        tries: Vec::new(),
        created_at: at.now,
        due_at: at.wall,
    }
}

/// Sends one delivery that is due.
pub(crate) async fn send(engine: &Engine, tenant: MerchantId, id: DeliveryId) -> Result<()> {
    let Some(mut delivery) = engine.store.delivery(tenant, id).await? else { return Ok(()) };
    let merchant = engine.merchant(tenant).await?;
    let endpoint = match delivery.endpoint_id {
        Some(id) => engine.store.endpoint(tenant, id).await?,
        None => None,
    };
    let stopped =
        delivery.endpoint_id.is_some() && !endpoint.as_ref().is_some_and(|endpoint| endpoint.enabled);
    if stopped || delivery.status != DeliveryStatus::Pending {
        if stopped {
            delivery.status = DeliveryStatus::Failed;
        }
        delivery.due_at = Timestamp::ZERO;
        return finish(engine, tenant, delivery, None).await;
    }
    let Some(event) = engine.store.event(tenant, delivery.event_id).await? else { return Ok(()) };
    let tried = match paid_shop(engine, tenant, &delivery, &event).await? {
        Some(order) => tell_shop(engine, &merchant, &delivery, &order).await?,
        None => {
            let secrets = secrets(engine, &merchant, endpoint.as_ref())?;
            try_once(engine, &delivery, &event, &secrets).await
        }
    };
    let gone = rules::record(&mut delivery, tried, engine.wall(), &*engine.rng);
    let disabled = endpoint.filter(|_| gone).map(|endpoint| Endpoint { enabled: false, ..endpoint });
    finish(engine, tenant, delivery, disabled).await
}

async fn finish(
    engine: &Engine,
    tenant: MerchantId,
    delivery: Delivery,
    disabled: Option<Endpoint>,
) -> Result<()> {
    let mut changes = Changes::default();
    changes.put(Put::Delivery(delivery));
    if let Some(endpoint) = disabled {
        changes.put(Put::Endpoint(endpoint));
    }
    // Somebody resent or changed it meanwhile: their row has its own schedule.
    engine.commit_or_yield(tenant, changes).await
}

fn secrets(engine: &Engine, merchant: &Merchant, endpoint: Option<&Endpoint>) -> Result<Vec<Secret>> {
    let Some(endpoint) = endpoint else {
        let own =
            engine.vault.open(&merchant.id.to_string(), &merchant.sealed_secret).map_err(Error::internal)?;
        return Ok(vec![own]);
    };
    let binding = format!("{}/{}", merchant.id, endpoint.id);
    let mut secrets = vec![engine.vault.open(&binding, &endpoint.sealed_secret).map_err(Error::internal)?];
    let overlap = endpoint.previous_until.is_some_and(|until| engine.moment(merchant).now < until);
    if let Some(sealed) = endpoint.sealed_previous.as_ref().filter(|_| overlap) {
        secrets.push(engine.vault.open(&binding, sealed).map_err(Error::internal)?);
    }
    Ok(secrets)
}

/// The order that a delivery to an order's own address is about, if a shop made it by the epay door.
async fn paid_shop(
    engine: &Engine,
    tenant: MerchantId,
    delivery: &Delivery,
    event: &Event,
) -> Result<Option<Order>> {
    if delivery.endpoint_id.is_some() || event.kind != EventKind::OrderSucceeded {
        return Ok(None);
    }
    let Ok(id) = event.object_id.parse() else { return Ok(None) };
    Ok(engine.store.order(tenant, id).await?.filter(|order| order.details.epay.is_some()))
}

/// Tells the shop in the words and with the signature of its protocol, freshly signed each time. Only its word
/// `success` counts as heard.
async fn tell_shop(
    engine: &Engine,
    merchant: &Merchant,
    delivery: &Delivery,
    order: &Order,
) -> Result<Tried> {
    let started = engine.wall();
    let request = notification(engine, merchant, delivery, order).await?;
    let result = match request {
        Ok(request) => engine.outbound.send(request, TIMEOUT).await.map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    let ended = engine.wall();
    let latency_ms = i64::try_from(ended.since(started).as_millis()).unwrap_or(i64::MAX);
    let (status, error) = match result {
        Ok(reply) if reply.status().is_success() && !epay::acknowledged(reply.body()) => {
            (None, Some("answered without the word `success`".to_owned()))
        }
        Ok(reply) => (Some(reply.status().as_u16()), None),
        Err(error) => (None, Some(error)),
    };
    Ok(Tried { entry: Try { at: started, status, error, latency_ms }, retry_after: None })
}

/// The request that tells a shop of its paid order, or why there is none.
async fn notification(
    engine: &Engine,
    merchant: &Merchant,
    delivery: &Delivery,
    order: &Order,
) -> Result<Result<http::Request<Bytes>, String>> {
    let Some(origin) = &order.details.epay else { return Ok(Err("not an order of a shop".into())) };
    let found = engine.store.epay_key_by_pid(&origin.pid).await?;
    let key = found.filter(|(tenant, key)| *tenant == merchant.id && key.revoked_at.is_none());
    let signing =
        key.and_then(|(tenant, key)| epay::Signing::open(tenant, &key, &*engine.vault, &*engine.keyring));
    let Some(signing) = signing else { return Ok(Err("the shop's epay key was revoked".into())) };
    let attempt = match order.attempt_id {
        Some(id) => engine.store.attempt(merchant.id, id).await?,
        None => None,
    };
    let kind = epay::kind(origin, attempt.as_ref());
    let parameters = epay::paid(origin, order, &kind, &signing, engine.wall());
    let request = http::Request::get(epay::with_query(&delivery.url, &parameters))
        .header("user-agent", concat!("paycore/", env!("CARGO_PKG_VERSION")))
        .body(Bytes::new());
    Ok(request.map_err(|error| error.to_string()))
}

async fn try_once(engine: &Engine, delivery: &Delivery, event: &Event, secrets: &[Secret]) -> Tried {
    let started = engine.wall();
    let signature = rules::signatures(secrets, &event.id.to_string(), started, &event.body);
    let request = http::Request::post(&delivery.url)
        .header("content-type", "application/json")
        .header("user-agent", concat!("paycore/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", event.id.to_string())
        .header("webhook-timestamp", started.secs().to_string())
        .header("webhook-signature", signature)
        .body(Bytes::from(event.body.clone()));
    let result = match request {
        Ok(request) => engine.outbound.send(request, TIMEOUT).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let ended = engine.wall();
    let latency_ms = i64::try_from(ended.since(started).as_millis()).unwrap_or(i64::MAX);
    let (status, error, retry_after) = match result {
        Ok(reply) => (Some(reply.status().as_u16()), None, retry_after(reply.headers())),
        Err(error) => (None, Some(error), None),
    };
    Tried { entry: Try { at: started, status, error, latency_ms }, retry_after }
}

fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds.min(24 * 3600)))
}

/// The secret that signs deliveries to orders' own notify URLs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NotifySecret {
    /// Always `notify_secret`.
    pub object: &'static str,
    /// `whsec_…`.
    pub secret: String,
}

/// Shows the secret that signs deliveries to orders' own notify URLs.
pub async fn notify_secret(engine: &Engine, caller: &Caller, _: ListEndpoints) -> Result<NotifySecret> {
    let secret = secrets(engine, &caller.merchant, None)?.remove(0);
    Ok(NotifySecret { object: "notify_secret", secret: secret.expose().to_owned() })
}
