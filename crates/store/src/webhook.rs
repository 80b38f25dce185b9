//! Endpoints and deliveries.

use async_trait::async_trait;
use paycore::id::{DeliveryId, EndpointId, MerchantId};
use paycore::store::{Page, Read};
use paycore::webhook::{Delivery, DeliveryFilter, DeliveryStatus, Endpoint, Webhooks};

use crate::read::{Row, Select, Value};
use crate::sql_store::{Driver, SqlStore};
use crate::statement::Statement;
use crate::write::{Expect, Rows, Write};

pub(crate) const INSERT_ENDPOINT: Write = Write {
    sql: "INSERT INTO endpoints (merchant_id, id, version, url, sealed_secret, sealed_previous, previous_until, \
          events, enabled, created_at) VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9, $10)",
    types: "ttitttitii",
    expect: Expect::OneOrStale,
};

pub(crate) const UPDATE_ENDPOINT: Write = Write {
    sql: "UPDATE endpoints SET version = version + 1, url = $4, sealed_secret = $5, sealed_previous = $6, \
          previous_until = $7, events = $8, enabled = $9, created_at = $10 \
          WHERE merchant_id = $1 AND id = $2 AND version = $3",
    types: INSERT_ENDPOINT.types,
    expect: Expect::OneOrStale,
};

pub(crate) const INSERT_DELIVERY: Write = Write {
    sql: "INSERT INTO deliveries (merchant_id, id, version, event_id, endpoint_id, url, status, tries, created_at, \
          due_at) VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9, $10)",
    types: "ttitttttii",
    expect: Expect::OneOrStale,
};

pub(crate) const UPDATE_DELIVERY: Write = Write {
    sql: "UPDATE deliveries SET version = version + 1, url = $6, status = $7, tries = $8, created_at = $9, \
          due_at = $10 WHERE merchant_id = $1 AND id = $2 AND version = $3 AND event_id = $4 \
          AND coalesce(endpoint_id, '') = coalesce($5, '')",
    types: INSERT_DELIVERY.types,
    expect: Expect::OneOrStale,
};

/// The columns of an endpoint as [`endpoint`] reads them.
macro_rules! endpoints {
    ($($rest:literal)*) => {
        concat!("SELECT merchant_id, id, version, url, sealed_secret, sealed_previous, previous_until, events, \
                 enabled, created_at FROM endpoints ", $($rest)*)
    };
}

/// The columns of a delivery as [`delivery`] reads them.
macro_rules! deliveries {
    ($($rest:literal)*) => {
        concat!("SELECT merchant_id, id, version, event_id, endpoint_id, url, status, tries, created_at, due_at \
                 FROM deliveries ", $($rest)*)
    };
}

pub(crate) const SCAN_DELIVERIES: &str =
    deliveries!("WHERE (merchant_id, id) > ($1, $2) ORDER BY merchant_id, id LIMIT $3");

/// The row of an endpoint.
pub(crate) fn write_endpoint(rows: &mut Rows, endpoint: &Endpoint) {
    let statement = if endpoint.version == 0 { Statement::EndpointInsert } else { Statement::EndpointUpdate };
    rows.step(statement)
        .id(endpoint.id)
        .int(endpoint.version)
        .text(&endpoint.url)
        .text(&endpoint.sealed_secret);
    rows.maybe_text(endpoint.sealed_previous.as_deref()).maybe_time(endpoint.previous_until);
    rows.json(&endpoint.events).flag(endpoint.enabled).time(endpoint.created_at);
}

/// The row of a delivery.
pub(crate) fn write_delivery(rows: &mut Rows, delivery: &Delivery) {
    let statement = if delivery.version == 0 { Statement::DeliveryInsert } else { Statement::DeliveryUpdate };
    rows.step(statement).id(delivery.id).int(delivery.version).id(delivery.event_id);
    rows.maybe_id(delivery.endpoint_id)
        .text(&delivery.url)
        .text(delivery.status.text())
        .json(&delivery.tries);
    rows.time(delivery.created_at).time(delivery.due_at);
}

fn endpoint(row: &mut Row<'_>) -> Read<(MerchantId, Endpoint)> {
    let tenant = row.parse()?;
    let endpoint = Endpoint {
        id: row.parse()?,
        version: row.int()?,
        url: row.string()?,
        sealed_secret: row.string()?,
        sealed_previous: row.maybe_string()?,
        previous_until: row.maybe_time()?,
        events: row.json()?,
        enabled: row.flag()?,
        created_at: row.time()?,
    };
    Ok((tenant, endpoint))
}

/// A delivery with its tenant.
pub(crate) fn delivery(row: &mut Row<'_>) -> Read<(MerchantId, Delivery)> {
    let tenant = row.parse()?;
    let delivery = Delivery {
        id: row.parse()?,
        version: row.int()?,
        event_id: row.parse()?,
        endpoint_id: row.maybe_parse()?,
        url: row.string()?,
        status: row.word(DeliveryStatus::parse)?,
        tries: row.json()?,
        created_at: row.time()?,
        due_at: row.time()?,
    };
    Ok((tenant, delivery))
}

#[async_trait]
impl<D: Driver> Webhooks for SqlStore<D> {
    async fn endpoint(&self, tenant: MerchantId, id: EndpointId) -> Read<Option<Endpoint>> {
        let select = Select::new(endpoints!("WHERE merchant_id = $1 AND id = $2"));
        self.own(select.bind(Value::id(tenant)).bind(Value::id(id)), endpoint).await
    }

    async fn endpoints(&self, tenant: MerchantId) -> Read<Vec<Endpoint>> {
        let select = Select::new(endpoints!("WHERE merchant_id = $1 ORDER BY id DESC"));
        self.own_list(select.bind(Value::id(tenant)), endpoint).await
    }

    async fn delivery(&self, tenant: MerchantId, id: DeliveryId) -> Read<Option<Delivery>> {
        let select = Select::new(deliveries!("WHERE merchant_id = $1 AND id = $2"));
        self.own(select.bind(Value::id(tenant)).bind(Value::id(id)), delivery).await
    }

    async fn deliveries(
        &self,
        tenant: MerchantId,
        filter: &DeliveryFilter,
        page: &Page,
    ) -> Read<Vec<Delivery>> {
        let select = Select::new(deliveries!("WHERE merchant_id = $1")).bind(Value::id(tenant));
        let select = select
            .and(" AND event_id = ", filter.event_id.map(Value::id))
            .and(" AND endpoint_id = ", filter.endpoint_id.map(Value::id))
            .and(" AND status = ", filter.status.map(DeliveryStatus::text));
        self.own_list(select.page(page), delivery).await
    }
}
