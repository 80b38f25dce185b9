//! Tables that can take back what was written since they were last settled.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

use super::Snapshot;
use crate::account::ChannelAccount;
use crate::audit::Audit;
use crate::currency::Currency;
use crate::document::Record as Document;
use crate::epay::EpayKey;
use crate::event::Event;
use crate::exception::{Exception, ExceptionKind};
use crate::id::{
    ApiKeyId, AttemptId, AuditId, ChannelAccountId, DeliveryId, EndpointId, EpayKeyId, EventId, ExceptionId,
    LinkId, MerchantId, OrderId, RefundId, TransactionId,
};
use crate::idempotency::Record;
use crate::ledger::{Balance, Books, Transaction};
use crate::link::Link;
use crate::merchant::{ApiKey, Merchant};
use crate::order::{Attempt, Order};
use crate::refund::Refund;
use crate::sandbox::SandboxRecord;
use crate::webhook::{Delivery, Endpoint};

/// Rows by key, with the old rows of what was written since the last `settle` or `revert`.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    rows: BTreeMap<K, V>,
    undo: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table { rows: BTreeMap::new(), undo: Vec::new() }
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    pub(super) fn range(&self, keys: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.range(keys)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    pub(super) fn put(&mut self, key: K, row: V) {
        let old = self.rows.insert(key.clone(), row);
        self.undo.push((key, old));
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some(old) = self.rows.remove(key) {
            self.undo.push((key.clone(), Some(old)));
        }
    }

    fn settle(&mut self) {
        self.undo.clear();
    }

    fn revert(&mut self) {
        for (key, old) in self.undo.drain(..).rev() {
            match old {
                Some(old) => self.rows.insert(key, old),
                None => self.rows.remove(&key),
            };
        }
    }
}

/// A tenant and something of it.
pub(super) type Of<K> = (MerchantId, K);
/// Queue, due time in microseconds, tenant, id as text.
pub(super) type DueKey = (u8, i64, MerchantId, String);

macro_rules! tables {
    ($($name:ident: $key:ty => $row:ty,)*) => {
        /// Every table and every index.
        #[derive(Debug, Default)]
        pub(super) struct Tables { $(pub(super) $name: Table<$key, $row>,)* }

        impl Tables {
            /// What was written stays.
            pub(super) fn settle(&mut self) { $(self.$name.settle();)* }
            /// What was written since the last settling never was.
            pub(super) fn revert(&mut self) { $(self.$name.revert();)* }
        }
    };
}

tables! {
    merchants: MerchantId => Merchant,
    api_keys: Of<ApiKeyId> => ApiKey,
    key_hashes: String => Of<ApiKeyId>,
    epay_keys: Of<EpayKeyId> => EpayKey,
    epay_pids: String => Of<EpayKeyId>,
    channel_accounts: Of<ChannelAccountId> => ChannelAccount,
    account_tenants: ChannelAccountId => MerchantId,
    orders: Of<OrderId> => Order,
    order_numbers: Of<String> => OrderId,
    attempts: Of<AttemptId> => Attempt,
    attempt_references: Of<(ChannelAccountId, String)> => AttemptId,
    order_attempts: Of<(OrderId, AttemptId)> => (),
    refunds: Of<RefundId> => Refund,
    refund_numbers: Of<String> => RefundId,
    refund_references: Of<String> => RefundId,
    transactions: Of<TransactionId> => Transaction,
    booked: Of<EventId> => TransactionId,
    balances: Of<(String, Currency)> => Balance,
    frozen_debits: Of<(String, Currency)> => i64,
    reversals: Of<TransactionId> => TransactionId,
    books: MerchantId => Books,
    events: Of<i64> => Event,
    event_positions: Of<EventId> => i64,
    event_sequences: Of<(String, i64)> => i64,
    endpoints: Of<EndpointId> => Endpoint,
    deliveries: Of<DeliveryId> => Delivery,
    exceptions: Of<ExceptionId> => Exception,
    open_exceptions: Of<(ExceptionKindKey, String)> => ExceptionId,
    links: Of<LinkId> => Link,
    link_tenants: LinkId => MerchantId,
    documents: Of<String> => Document,
    document_numbers: Of<(String, String)> => String,
    audits: Of<AuditId> => Audit,
    claims: Of<String> => Record,
    sandbox: Of<(ChannelAccountId, String)> => String,
    due: DueKey => (),
}

/// The kind's word: kinds themselves have no order.
pub(super) type ExceptionKindKey = &'static str;

impl Tables {
    pub(super) fn open_exception(
        &self,
        tenant: MerchantId,
        kind: ExceptionKind,
        object: &str,
    ) -> Option<&Exception> {
        let id = self.open_exceptions.get(&(tenant, (kind.text(), object.to_owned())))?;
        self.exceptions.get(&(tenant, *id))
    }

    pub(super) fn event(&self, tenant: MerchantId, id: EventId) -> Option<&Event> {
        let position = self.event_positions.get(&(tenant, id))?;
        self.events.get(&(tenant, *position))
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        fn rows<K: Ord + Clone, V: Clone>(table: &Table<Of<K>, V>) -> Vec<(MerchantId, V)> {
            table.iter().map(|((tenant, _), row)| (*tenant, row.clone())).collect()
        }
        Snapshot {
            merchants: self.merchants.iter().map(|(id, row)| (*id, row.clone())).collect(),
            api_keys: rows(&self.api_keys),
            epay_keys: rows(&self.epay_keys),
            channel_accounts: rows(&self.channel_accounts),
            orders: rows(&self.orders),
            attempts: rows(&self.attempts),
            refunds: rows(&self.refunds),
            transactions: rows(&self.transactions),
            balances: rows(&self.balances),
            books: self.books.iter().map(|(id, row)| (*id, *row)).collect(),
            events: rows(&self.events),
            endpoints: rows(&self.endpoints),
            deliveries: rows(&self.deliveries),
            exceptions: rows(&self.exceptions),
            links: rows(&self.links),
            documents: rows(&self.documents),
            audits: rows(&self.audits),
            claims: rows(&self.claims),
            sandbox_records: self.sandbox.iter().map(record).collect(),
        }
    }
}

/// A simulator's record with its tenant.
pub(super) fn record(
    ((tenant, (account_id, key)), value): (&Of<(ChannelAccountId, String)>, &String),
) -> (MerchantId, SandboxRecord) {
    (*tenant, SandboxRecord { account_id: *account_id, key: key.clone(), value: value.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revert_restores_what_was_there_before_several_writes_to_the_same_key() {
        let mut table = Table::default();
        table.put(1, "kept");
        table.settle();
        table.put(1, "first");
        table.put(1, "second");
        table.remove(&1);
        table.put(2, "new");
        table.revert();
        assert_eq!(table.iter().collect::<Vec<_>>(), [(&1, &"kept")]);
    }
}
