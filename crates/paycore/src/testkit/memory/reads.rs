//! The read traits of all slices.

use async_trait::async_trait;

use super::MemoryStore;
use super::table::{Of, Table, record};
use crate::account::{ChannelAccount, ChannelAccounts};
use crate::audit::{Audit, Audits};
use crate::document::{DocumentFilter, Documents, Record as Document};
use crate::epay::{EpayKey, EpayKeys};
use crate::event::{Event, EventFilter, Events};
use crate::exception::{Exception, ExceptionKind, Exceptions};
use crate::id::{
    ApiKeyId, AttemptId, AuditId, ChannelAccountId, DeliveryId, EndpointId, EpayKeyId, EventId, ExceptionId,
    LinkId, MerchantId, OrderId, RefundId, TransactionId,
};
use crate::idempotency::{Idempotency, Record};
use crate::ledger::{Balance, Basis, Books, Ledger, Side, Transaction, TransactionFilter};
use crate::link::{Link, Links};
use crate::merchant::{ApiKey, ApiKeys, Merchant, Merchants};
use crate::order::{Attempt, Order, OrderFilter, Orders};
use crate::refund::{Refund, RefundFilter, Refunds};
use crate::sandbox::{SandboxRecord, Sandboxes};
use crate::store::{Page, Queue, Read};
use crate::time::Timestamp;
use crate::webhook::{Delivery, DeliveryFilter, Endpoint, Webhooks};

/// The rows of a page, newest first. `rows` come in ascending order of id.
fn page<'a, K: ToString + 'a, V: Clone + 'a>(
    rows: impl DoubleEndedIterator<Item = (K, &'a V)>,
    page: &Page,
) -> Vec<V> {
    let inside = |id: String| {
        page.after.as_ref().is_none_or(|after| id < *after)
            && page.before.as_ref().is_none_or(|before| id > *before)
    };
    let rows = rows.filter(|(id, _)| inside(id.to_string())).map(|(_, row)| row.clone());
    if page.before.is_some() {
        let mut nearest: Vec<V> = rows.take(page.limit).collect();
        nearest.reverse();
        return nearest;
    }
    rows.rev().take(page.limit).collect()
}

macro_rules! of {
    ($table:expr, $tenant:expr, $id:ident) => {
        of($table, $tenant, $id::from_bits(0), $id::from_bits(u128::MAX))
    };
}

/// A tenant's rows in ascending order of id.
fn of<K: Ord + Copy, V>(
    table: &Table<Of<K>, V>,
    tenant: MerchantId,
    first: K,
    last: K,
) -> impl DoubleEndedIterator<Item = (K, &V)> {
    table.range((tenant, first)..=(tenant, last)).map(|((_, id), row)| (*id, row))
}

#[async_trait]
impl Orders for MemoryStore {
    async fn order(&self, tenant: MerchantId, id: OrderId) -> Read<Option<Order>> {
        Ok(self.tables().orders.get(&(tenant, id)).cloned())
    }

    async fn order_by_number(&self, tenant: MerchantId, number: &str) -> Read<Option<Order>> {
        let tables = self.tables();
        let id = tables.order_numbers.get(&(tenant, number.to_owned()));
        Ok(id.and_then(|id| tables.orders.get(&(tenant, *id))).cloned())
    }

    async fn orders(&self, tenant: MerchantId, filter: &OrderFilter, at: &Page) -> Read<Vec<Order>> {
        let wanted = |order: &Order| {
            filter.status.is_none_or(|status| order.status == status)
                && filter.number.as_ref().is_none_or(|number| order.number == *number)
        };
        Ok(page(of!(&self.tables().orders, tenant, OrderId).filter(|(_, row)| wanted(row)), at))
    }

    async fn attempt(&self, tenant: MerchantId, id: AttemptId) -> Read<Option<Attempt>> {
        Ok(self.tables().attempts.get(&(tenant, id)).cloned())
    }

    async fn attempt_by_reference(
        &self,
        tenant: MerchantId,
        account: ChannelAccountId,
        reference: &str,
    ) -> Read<Option<Attempt>> {
        let tables = self.tables();
        let id = tables.attempt_references.get(&(tenant, (account, reference.to_owned())));
        Ok(id.and_then(|id| tables.attempts.get(&(tenant, *id))).cloned())
    }

    async fn attempts(&self, tenant: MerchantId, order: OrderId) -> Read<Vec<Attempt>> {
        let tables = self.tables();
        let (first, last) = ((order, AttemptId::from_bits(0)), (order, AttemptId::from_bits(u128::MAX)));
        let ids = of(&tables.order_attempts, tenant, first, last).map(|((_, id), ())| id);
        Ok(ids.filter_map(|id| tables.attempts.get(&(tenant, id)).cloned()).collect())
    }
}

#[async_trait]
impl Refunds for MemoryStore {
    async fn refund(&self, tenant: MerchantId, id: RefundId) -> Read<Option<Refund>> {
        Ok(self.tables().refunds.get(&(tenant, id)).cloned())
    }

    async fn refund_by_reference(
        &self,
        tenant: MerchantId,
        account: ChannelAccountId,
        reference: &str,
    ) -> Read<Option<Refund>> {
        let tables = self.tables();
        let id = tables.refund_references.get(&(tenant, reference.to_owned()));
        let refund = id.and_then(|id| tables.refunds.get(&(tenant, *id)));
        let through = |refund: &&Refund| {
            let attempt = tables.attempts.get(&(tenant, refund.attempt_id));
            attempt.is_some_and(|attempt| attempt.account_id == account)
        };
        Ok(refund.filter(through).cloned())
    }

    async fn refund_by_number(&self, tenant: MerchantId, number: &str) -> Read<Option<Refund>> {
        let tables = self.tables();
        let id = tables.refund_numbers.get(&(tenant, number.to_owned()));
        Ok(id.and_then(|id| tables.refunds.get(&(tenant, *id))).cloned())
    }

    async fn refunds(&self, tenant: MerchantId, filter: &RefundFilter, at: &Page) -> Read<Vec<Refund>> {
        let wanted = |refund: &Refund| filter.order_id.is_none_or(|order| refund.order_id == order);
        Ok(page(of!(&self.tables().refunds, tenant, RefundId).filter(|(_, row)| wanted(row)), at))
    }
}

#[async_trait]
impl Ledger for MemoryStore {
    async fn transaction(&self, tenant: MerchantId, id: TransactionId) -> Read<Option<Transaction>> {
        Ok(self.tables().transactions.get(&(tenant, id)).cloned())
    }

    async fn transactions(
        &self,
        tenant: MerchantId,
        filter: &TransactionFilter,
        at: &Page,
    ) -> Read<Vec<Transaction>> {
        let wanted = |row: &Transaction| {
            filter.order_id.is_none_or(|order| row.order_id == Some(order))
                && filter.kind.is_none_or(|kind| row.kind == kind)
        };
        Ok(page(of!(&self.tables().transactions, tenant, TransactionId).filter(|(_, row)| wanted(row)), at))
    }

    async fn booked_after(
        &self,
        tenant: MerchantId,
        position: i64,
        limit: usize,
    ) -> Read<Vec<(i64, Transaction)>> {
        let tables = self.tables();
        let Some(first) = position.checked_add(1) else { return Ok(Vec::new()) };
        let events = tables.events.range((tenant, first)..=(tenant, i64::MAX));
        let booked = events.filter_map(|(_, event)| {
            let id = tables.booked.get(&(tenant, event.id))?;
            Some((event.position, tables.transactions.get(&(tenant, *id))?.clone()))
        });
        Ok(booked.take(limit).collect())
    }

    async fn balances(&self, tenant: MerchantId) -> Read<Vec<Balance>> {
        let tables = self.tables();
        let own = tables.balances.iter().filter(|((owner, _), _)| *owner == tenant);
        let mut balances: Vec<Balance> = own.map(|(_, balance)| balance.clone()).collect();
        // The type's own order is not the order of codes.
        balances.sort_by(|a, b| (&a.account, a.currency.code()).cmp(&(&b.account, b.currency.code())));
        Ok(balances)
    }

    async fn balances_at(&self, tenant: MerchantId, at: Timestamp, basis: Basis) -> Read<Vec<Balance>> {
        let mut balances = self.balances(tenant).await?;
        balances.iter_mut().for_each(|balance| (balance.debits, balance.credits) = (0, 0));
        let tables = self.tables();
        let own = of!(&tables.transactions, tenant, TransactionId).map(|(_, row)| row);
        let counts = own.filter(|row| match basis {
            Basis::Booked => row.created_at <= at,
            Basis::Effective => row.effective_at <= at,
        });
        for entry in counts.flat_map(|row| &row.entries) {
            let (account, currency) = (&entry.account, entry.money.currency());
            let balance = balances.iter_mut().find(|row| (&row.account, row.currency) == (account, currency));
            let Some(balance) = balance else { continue };
            match entry.side {
                Side::Debit => balance.debits += entry.money.minor(),
                Side::Credit => balance.credits += entry.money.minor(),
            }
        }
        Ok(balances)
    }

    async fn books(&self, tenant: MerchantId) -> Read<Books> {
        Ok(self.tables().books.get(&tenant).copied().unwrap_or_default())
    }
}

#[async_trait]
impl Events for MemoryStore {
    async fn event(&self, tenant: MerchantId, id: EventId) -> Read<Option<Event>> {
        Ok(self.tables().event(tenant, id).cloned())
    }

    async fn events(
        &self,
        tenant: MerchantId,
        filter: &EventFilter,
        after: i64,
        limit: usize,
    ) -> Read<Vec<Event>> {
        let tables = self.tables();
        let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
        let wanted = |event: &&Event| {
            filter.kind.is_none_or(|kind| event.kind == kind)
                && filter.object_id.as_ref().is_none_or(|object| event.object_id == *object)
        };
        let rows = tables.events.range((tenant, first)..=(tenant, i64::MAX)).map(|(_, event)| event);
        Ok(rows.filter(wanted).take(limit).cloned().collect())
    }

    async fn due_events(&self, now: Timestamp, limit: usize) -> Read<Vec<(MerchantId, Event)>> {
        let tables = self.tables();
        let due = tables.waiting(Queue::Events, now).take(limit);
        Ok(due
            .filter_map(|(tenant, id, _)| Some((tenant, tables.event(tenant, id.parse().ok()?)?.clone())))
            .collect())
    }
}

#[async_trait]
impl Merchants for MemoryStore {
    async fn merchant(&self, id: MerchantId) -> Read<Option<Merchant>> {
        Ok(self.tables().merchants.get(&id).cloned())
    }

    async fn merchants(&self, at: &Page) -> Read<Vec<Merchant>> {
        Ok(page(self.tables().merchants.iter(), at))
    }
}

#[async_trait]
impl EpayKeys for MemoryStore {
    async fn epay_key_by_pid(&self, pid: &str) -> Read<Option<(MerchantId, EpayKey)>> {
        let tables = self.tables();
        let key = tables.epay_pids.get(&pid.to_owned());
        Ok(key.and_then(|key| tables.epay_keys.get(key).map(|row| (key.0, row.clone()))))
    }

    async fn epay_key(&self, tenant: MerchantId, id: EpayKeyId) -> Read<Option<EpayKey>> {
        Ok(self.tables().epay_keys.get(&(tenant, id)).cloned())
    }

    async fn epay_keys(&self, tenant: MerchantId) -> Read<Vec<EpayKey>> {
        let tables = self.tables();
        Ok(of!(&tables.epay_keys, tenant, EpayKeyId).map(|(_, row)| row.clone()).rev().collect())
    }
}

#[async_trait]
impl ApiKeys for MemoryStore {
    async fn api_key_by_hash(&self, hash: &str) -> Read<Option<(MerchantId, ApiKey)>> {
        let tables = self.tables();
        let key = tables.key_hashes.get(&hash.to_owned());
        Ok(key.and_then(|key| tables.api_keys.get(key).map(|row| (key.0, row.clone()))))
    }

    async fn api_key(&self, tenant: MerchantId, id: ApiKeyId) -> Read<Option<ApiKey>> {
        Ok(self.tables().api_keys.get(&(tenant, id)).cloned())
    }

    async fn api_keys(&self, tenant: MerchantId, at: &Page) -> Read<Vec<ApiKey>> {
        Ok(page(of!(&self.tables().api_keys, tenant, ApiKeyId), at))
    }
}

#[async_trait]
impl ChannelAccounts for MemoryStore {
    async fn channel_account(
        &self,
        tenant: MerchantId,
        id: ChannelAccountId,
    ) -> Read<Option<ChannelAccount>> {
        Ok(self.tables().channel_accounts.get(&(tenant, id)).cloned())
    }

    async fn channel_accounts(&self, tenant: MerchantId) -> Read<Vec<ChannelAccount>> {
        let tables = self.tables();
        let rows = of!(&tables.channel_accounts, tenant, ChannelAccountId);
        let mut accounts: Vec<ChannelAccount> = rows.map(|(_, row)| row.clone()).collect();
        accounts.sort_by_key(|account| (account.priority, account.id));
        Ok(accounts)
    }

    async fn channel_account_tenant(&self, id: ChannelAccountId) -> Read<Option<MerchantId>> {
        Ok(self.tables().account_tenants.get(&id).copied())
    }
}

#[async_trait]
impl Documents for MemoryStore {
    async fn document(&self, tenant: MerchantId, kind: &str, id: &str) -> Read<Option<Document>> {
        let found = self.tables().documents.get(&(tenant, id.to_owned())).cloned();
        Ok(found.filter(|row| row.kind == kind))
    }

    async fn document_by_number(
        &self,
        tenant: MerchantId,
        kind: &str,
        number: &str,
    ) -> Read<Option<Document>> {
        let tables = self.tables();
        let id = tables.document_numbers.get(&(tenant, (kind.to_owned(), number.to_owned())));
        Ok(id.and_then(|id| tables.documents.get(&(tenant, id.clone()))).cloned())
    }

    async fn documents(
        &self,
        tenant: MerchantId,
        kind: &str,
        filter: &DocumentFilter,
        at: &Page,
    ) -> Read<Vec<Document>> {
        let wanted = |row: &Document| {
            row.kind == kind
                && (filter.parent.is_none() || filter.parent == row.parent)
                && filter.status.as_ref().is_none_or(|status| *status == row.status)
                && filter.until.is_none_or(|until| row.at <= until)
        };
        let tables = self.tables();
        let own = tables.documents.range((tenant, String::new())..);
        let own = own.take_while(|((owner, _), _)| *owner == tenant).filter(|(_, row)| wanted(row));
        let rows: Vec<_> = own.map(|((_, id), row)| (id, row)).collect();
        Ok(page(rows.into_iter(), at))
    }
}

#[async_trait]
impl Links for MemoryStore {
    async fn link(&self, tenant: MerchantId, id: LinkId) -> Read<Option<Link>> {
        Ok(self.tables().links.get(&(tenant, id)).cloned())
    }

    async fn link_tenant(&self, id: LinkId) -> Read<Option<MerchantId>> {
        Ok(self.tables().link_tenants.get(&id).copied())
    }

    async fn links(&self, tenant: MerchantId, at: &Page) -> Read<Vec<Link>> {
        let tables = self.tables();
        Ok(page(of!(&tables.links, tenant, LinkId), at))
    }
}

#[async_trait]
impl Webhooks for MemoryStore {
    async fn endpoint(&self, tenant: MerchantId, id: EndpointId) -> Read<Option<Endpoint>> {
        Ok(self.tables().endpoints.get(&(tenant, id)).cloned())
    }

    async fn endpoints(&self, tenant: MerchantId) -> Read<Vec<Endpoint>> {
        let tables = self.tables();
        Ok(of!(&tables.endpoints, tenant, EndpointId).rev().map(|(_, row)| row.clone()).collect())
    }

    async fn delivery(&self, tenant: MerchantId, id: DeliveryId) -> Read<Option<Delivery>> {
        Ok(self.tables().deliveries.get(&(tenant, id)).cloned())
    }

    async fn deliveries(
        &self,
        tenant: MerchantId,
        filter: &DeliveryFilter,
        at: &Page,
    ) -> Read<Vec<Delivery>> {
        let wanted = |row: &Delivery| {
            filter.event_id.is_none_or(|event| row.event_id == event)
                && filter.endpoint_id.is_none_or(|endpoint| row.endpoint_id == Some(endpoint))
                && filter.status.is_none_or(|status| row.status == status)
        };
        Ok(page(of!(&self.tables().deliveries, tenant, DeliveryId).filter(|(_, row)| wanted(row)), at))
    }
}

#[async_trait]
impl Exceptions for MemoryStore {
    async fn exception(&self, tenant: MerchantId, id: ExceptionId) -> Read<Option<Exception>> {
        Ok(self.tables().exceptions.get(&(tenant, id)).cloned())
    }

    async fn open_exception(
        &self,
        tenant: MerchantId,
        kind: ExceptionKind,
        object_id: &str,
    ) -> Read<Option<Exception>> {
        Ok(self.tables().open_exception(tenant, kind, object_id).cloned())
    }

    async fn exceptions(&self, tenant: MerchantId, open: bool, at: &Page) -> Read<Vec<Exception>> {
        let wanted = |row: &Exception| !open || row.resolved_at.is_none();
        Ok(page(of!(&self.tables().exceptions, tenant, ExceptionId).filter(|(_, row)| wanted(row)), at))
    }
}

#[async_trait]
impl Audits for MemoryStore {
    async fn audits(&self, tenant: MerchantId, at: &Page) -> Read<Vec<Audit>> {
        Ok(page(of!(&self.tables().audits, tenant, AuditId), at))
    }
}

#[async_trait]
impl Idempotency for MemoryStore {
    async fn claim(&self, tenant: MerchantId, key: &str) -> Read<Option<Record>> {
        Ok(self.tables().claims.get(&(tenant, key.to_owned())).cloned())
    }
}

#[async_trait]
impl Sandboxes for MemoryStore {
    async fn sandbox_records(
        &self,
        tenant: MerchantId,
        account: ChannelAccountId,
    ) -> Read<Vec<SandboxRecord>> {
        let tables = self.tables();
        let rows = tables.sandbox.range((tenant, (account, String::new()))..);
        let rows = rows.take_while(|((owner, (of, _)), _)| *owner == tenant && *of == account);
        Ok(rows.map(|row| record(row).1).collect())
    }

    async fn sandbox_accounts(&self) -> Read<Vec<(MerchantId, ChannelAccountId)>> {
        let tables = self.tables();
        let simulated = tables.channel_accounts.iter().filter(|(_, row)| row.sealed_simulator.is_some());
        Ok(simulated.map(|(key, _)| *key).collect())
    }
}
