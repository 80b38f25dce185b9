//! Writing one commit, in this order: the claim, the objects as listed, journals, events, audit, balances.

use super::rules::{self, require};
use super::table::{Table, Tables};
use crate::account::ChannelAccount;
use crate::audit::Audit;
use crate::document::Record;
use crate::epay::EpayKey;
use crate::event::Event;
use crate::exception::Exception;
use crate::id::{EventId, MerchantId};
use crate::idempotency::{Answer, Claim};
use crate::ledger::{Entry, Transaction};
use crate::link::Link;
use crate::merchant::{ApiKey, Merchant};
use crate::order::{Attempt, Order};
use crate::refund::Refund;
use crate::sandbox::SandboxRecord;
use crate::store::{Changes, CommitError, Put, Queue};
use crate::time::Timestamp;
use crate::webhook::{Delivery, Endpoint};

type Done = Result<(), CommitError>;

impl Tables {
    /// Applies the changes up to the first error; the caller settles or reverts.
    pub(super) fn apply(&mut self, tenant: MerchantId, changes: Changes) -> Done {
        if let Some(claim) = changes.claim {
            self.claim(tenant, claim)?;
        }
        changes.puts.into_iter().try_for_each(|put| self.put(tenant, put))?;
        let entries: Vec<Entry> = changes.transactions.iter().flat_map(|row| row.entries.clone()).collect();
        changes.transactions.into_iter().try_for_each(|transaction| self.post(tenant, transaction))?;
        changes.events.into_iter().try_for_each(|event| self.publish(tenant, event))?;
        changes.audit.into_iter().try_for_each(|audit| self.audit(tenant, audit))?;
        self.book(tenant, &entries)
    }

    fn claim(&mut self, tenant: MerchantId, claim: Claim) -> Done {
        match claim {
            Claim::Open(record) => {
                let key = (tenant, record.key.clone());
                if self.claims.get(&key).is_some() {
                    return Err(CommitError::Claimed);
                }
                self.claims.put(key, record);
                Ok(())
            }
            Claim::Close { key, answer } => self.answer(tenant, key, answer),
        }
    }

    fn answer(&mut self, tenant: MerchantId, key: String, answer: Answer) -> Done {
        let key = (tenant, key);
        let mut record = self.claims.get(&key).cloned().ok_or(CommitError::Claimed)?;
        if record.answer.is_some() {
            return Err(CommitError::Claimed);
        }
        record.answer = Some(answer);
        self.claims.put(key, record);
        Ok(())
    }

    fn put(&mut self, tenant: MerchantId, put: Put) -> Done {
        match put {
            Put::Order(row) => self.order(tenant, row),
            Put::Attempt(row) => self.attempt(tenant, row),
            Put::Refund(row) => self.refund(tenant, row),
            Put::Merchant(row) => self.merchant(row),
            Put::ApiKey(row) => self.api_key(tenant, row),
            Put::EpayKey(row) => self.epay_key(tenant, row),
            Put::ChannelAccount(row) => self.channel_account(tenant, row),
            Put::Endpoint(row) => self.endpoint(tenant, row),
            Put::Delivery(row) => self.delivery(tenant, row),
            Put::Exception(row) => self.exception(tenant, row),
            Put::Link(row) => self.link(tenant, row),
            Put::Document(row) => self.document(tenant, row),
            Put::AccountTerms(row) => self.account_terms(tenant, row),
            Put::Books(row) => self.close_books(tenant, row),
            Put::EventDispatched(id) => self.dispatched(tenant, id),
            Put::Sandbox(SandboxRecord { account_id, key, value }) => {
                self.sandbox.put((tenant, (account_id, key)), value);
                Ok(())
            }
            Put::HastenDue(by) => self.hasten(tenant, by),
        }
    }

    fn order(&mut self, tenant: MerchantId, mut row: Order) -> Done {
        let old = self.orders.get(&(tenant, row.id));
        let stored = old.map(|old| (old.version, old.number == row.number));
        row.version = next_version(row.version, stored, rules::order(&row))?;
        let old_due = old.map_or(Timestamp::ZERO, |old| old.due_at);
        unique(&mut self.order_numbers, (tenant, row.number.clone()), row.id, "number")?;
        self.requeue(Queue::Orders, tenant, row.id.to_string(), old_due, row.due_at);
        self.orders.put((tenant, row.id), row);
        Ok(())
    }

    fn attempt(&mut self, tenant: MerchantId, mut row: Attempt) -> Done {
        let old = self.attempts.get(&(tenant, row.id));
        let same = |old: &Attempt| {
            (old.order_id, old.account_id, &old.reference) == (row.order_id, row.account_id, &row.reference)
        };
        let stored = old.map(|old| (old.version, same(old)));
        row.version = next_version(row.version, stored, rules::attempt(&row))?;
        let old_due = old.map_or(Timestamp::ZERO, |old| old.due_at);
        let reference = (tenant, (row.account_id, row.reference.clone()));
        unique(&mut self.attempt_references, reference, row.id, "reference")?;
        self.requeue(Queue::Attempts, tenant, row.id.to_string(), old_due, row.due_at);
        self.order_attempts.put((tenant, (row.order_id, row.id)), ());
        self.attempts.put((tenant, row.id), row);
        Ok(())
    }

    fn refund(&mut self, tenant: MerchantId, mut row: Refund) -> Done {
        let old = self.refunds.get(&(tenant, row.id));
        let identity =
            |row: &Refund| (row.order_id, row.attempt_id, row.number.clone(), row.reference.clone());
        let stored = old.map(|old| (old.version, identity(old) == identity(&row)));
        row.version = next_version(row.version, stored, rules::refund(&row))?;
        let old_due = old.map_or(Timestamp::ZERO, |old| old.due_at);
        unique(&mut self.refund_numbers, (tenant, row.number.clone()), row.id, "number")?;
        unique(&mut self.refund_references, (tenant, row.reference.clone()), row.id, "reference")?;
        self.requeue(Queue::Refunds, tenant, row.id.to_string(), old_due, row.due_at);
        self.refunds.put((tenant, row.id), row);
        Ok(())
    }

    fn merchant(&mut self, mut row: Merchant) -> Done {
        let old = self.merchants.get(&row.id);
        let stored = old.map(|old| (old.version, old.livemode == row.livemode));
        let clock = row.clock_offset == 0 || (row.clock_offset > 0 && !row.livemode);
        row.version = next_version(row.version, stored, require(clock, "merchants.clock_offset"))?;
        self.merchants.put(row.id, row);
        Ok(())
    }

    fn api_key(&mut self, tenant: MerchantId, mut row: ApiKey) -> Done {
        let old = self.api_keys.get(&(tenant, row.id));
        row.version = next_version(row.version, old.map(|old| (old.version, old.hash == row.hash)), Ok(()))?;
        unique(&mut self.key_hashes, row.hash.clone(), (tenant, row.id), "hash")?;
        self.api_keys.put((tenant, row.id), row);
        Ok(())
    }

    fn epay_key(&mut self, tenant: MerchantId, mut row: EpayKey) -> Done {
        let old = self.epay_keys.get(&(tenant, row.id));
        let same = |old: &EpayKey| (&old.pid, old.protocol) == (&row.pid, row.protocol);
        row.version = next_version(row.version, old.map(|old| (old.version, same(old))), Ok(()))?;
        unique(&mut self.epay_pids, row.pid.clone(), (tenant, row.id), "pid")?;
        self.epay_keys.put((tenant, row.id), row);
        Ok(())
    }

    fn channel_account(&mut self, tenant: MerchantId, mut row: ChannelAccount) -> Done {
        let old = self.channel_accounts.get(&(tenant, row.id));
        let stored = old.map(|old| (old.version, old.channel == row.channel));
        row.version = next_version(row.version, stored, Ok(()))?;
        unique(&mut self.account_tenants, row.id, tenant, "id")?;
        self.channel_accounts.put((tenant, row.id), row);
        Ok(())
    }

    fn endpoint(&mut self, tenant: MerchantId, mut row: Endpoint) -> Done {
        let old = self.endpoints.get(&(tenant, row.id));
        row.version = next_version(row.version, old.map(|old| (old.version, true)), Ok(()))?;
        self.endpoints.put((tenant, row.id), row);
        Ok(())
    }

    fn link(&mut self, tenant: MerchantId, mut row: Link) -> Done {
        let old = self.links.get(&(tenant, row.id));
        let same = |old: &Link| (old.amount, old.currency) == (row.amount, row.currency);
        let rules = require(row.amount.is_none_or(|amount| amount > 0), "links.amount");
        row.version = next_version(row.version, old.map(|old| (old.version, same(old))), rules)?;
        unique(&mut self.link_tenants, row.id, tenant, "id")?;
        self.links.put((tenant, row.id), row);
        Ok(())
    }

    fn document(&mut self, tenant: MerchantId, mut row: Record) -> Done {
        let old = self.documents.get(&(tenant, row.id.clone()));
        let same = |old: &Record| (&old.kind, &old.number) == (&row.kind, &row.number);
        let rules = require(row.due_at.micros() >= 0, "documents.counters");
        row.version = next_version(row.version, old.map(|old| (old.version, same(old))), rules)?;
        let old_due = old.map_or(Timestamp::ZERO, |old| old.due_at);
        if let Some(number) = &row.number {
            let key = (tenant, (row.kind.clone(), number.clone()));
            unique(&mut self.document_numbers, key, row.id.clone(), "number")?;
        }
        self.requeue(Queue::Documents, tenant, row.id.clone(), old_due, row.due_at);
        self.documents.put((tenant, row.id.clone()), row);
        Ok(())
    }

    fn delivery(&mut self, tenant: MerchantId, mut row: Delivery) -> Done {
        let old = self.deliveries.get(&(tenant, row.id));
        let same = |old: &Delivery| (old.event_id, old.endpoint_id) == (row.event_id, row.endpoint_id);
        let rules = require(row.due_at.micros() >= 0, "deliveries.counters");
        row.version = next_version(row.version, old.map(|old| (old.version, same(old))), rules)?;
        let old_due = old.map_or(Timestamp::ZERO, |old| old.due_at);
        self.requeue(Queue::Deliveries, tenant, row.id.to_string(), old_due, row.due_at);
        self.deliveries.put((tenant, row.id), row);
        Ok(())
    }

    fn exception(&mut self, tenant: MerchantId, mut row: Exception) -> Done {
        let old = self.exceptions.get(&(tenant, row.id));
        let same = |old: &Exception| (old.kind, &old.object_id) == (row.kind, &row.object_id);
        row.version = next_version(row.version, old.map(|old| (old.version, same(old))), Ok(()))?;
        let open = (tenant, (row.kind.text(), row.object_id.clone()));
        if row.resolved_at.is_none() {
            unique(&mut self.open_exceptions, open, row.id, "exception")?;
        } else if self.open_exceptions.get(&open) == Some(&row.id) {
            self.open_exceptions.remove(&open);
        }
        self.exceptions.put((tenant, row.id), row);
        Ok(())
    }

    /// Only an event that still waits can be dispatched: a worker that comes late must not make its
    /// deliveries a second time.
    fn dispatched(&mut self, tenant: MerchantId, id: EventId) -> Done {
        match self.event(tenant, id) {
            Some(event) if event.due_at.micros() > 0 => {
                self.set_event_due(tenant, id, Timestamp::ZERO);
                Ok(())
            }
            _ => Err(CommitError::Stale),
        }
    }

    /// Moves an event's place in its queue; an unknown event has none.
    pub(super) fn set_event_due(&mut self, tenant: MerchantId, id: EventId, due_at: Timestamp) {
        let Some(mut event) = self.event(tenant, id).cloned() else { return };
        let old = std::mem::replace(&mut event.due_at, due_at);
        self.events.put((tenant, event.position), event);
        self.requeue(Queue::Events, tenant, id.to_string(), old, due_at);
    }

    fn post(&mut self, tenant: MerchantId, row: Transaction) -> Done {
        require(row.money.is_positive(), "transactions.amount")?;
        if self.transactions.get(&(tenant, row.id)).is_some() {
            return Err(CommitError::Duplicate("id"));
        }
        if self.books.get(&tenant).is_some_and(|books| row.effective_at < books.closed_until) {
            return Err(CommitError::Closed);
        }
        require(row.effective_at <= row.created_at, "transactions.effective")?;
        unique(&mut self.booked, (tenant, row.event_id), row.id, "event_id")?;
        if let Some(reversed) = row.reverses {
            unique(&mut self.reversals, (tenant, reversed), row.id, "reverses")?;
        }
        self.transactions.put((tenant, row.id), row);
        Ok(())
    }

    fn publish(&mut self, tenant: MerchantId, mut row: Event) -> Done {
        require(row.sequence >= 1 && row.due_at.micros() >= 0, "events.counters")?;
        let last = self.events.range((tenant, 0)..=(tenant, i64::MAX)).next_back();
        row.position = last.map_or(0, |((_, position), _)| *position) + 1;
        row.booking = None;
        if self.event_positions.get(&(tenant, row.id)).is_some() {
            return Err(CommitError::Duplicate("id"));
        }
        let sequence = (tenant, (row.object_id.clone(), row.sequence));
        unique(&mut self.event_sequences, sequence, row.position, "sequence")?;
        self.event_positions.put((tenant, row.id), row.position);
        self.requeue(Queue::Events, tenant, row.id.to_string(), Timestamp::ZERO, row.due_at);
        self.events.put((tenant, row.position), row);
        Ok(())
    }

    fn audit(&mut self, tenant: MerchantId, row: Audit) -> Done {
        if self.audits.get(&(tenant, row.id)).is_some() {
            return Err(CommitError::Duplicate("id"));
        }
        self.audits.put((tenant, row.id), row);
        Ok(())
    }
}

/// The version to write. `stored` is the version that is there and whether the fields that make up the
/// object's identity, which never change, are the same. `rules` are the row's own: an object that changed is
/// stale before it is broken, a new one is broken before it is a duplicate.
fn next_version(read: i64, stored: Option<(i64, bool)>, rules: Done) -> Result<i64, CommitError> {
    match (read, stored) {
        (0, None) => rules.map(|()| 1),
        (0, Some(_)) => rules.and(Err(CommitError::Duplicate("id"))),
        (read, Some((version, true))) if read == version => rules.map(|()| version + 1),
        _ => Err(CommitError::Stale),
    }
}

/// Puts the row unless another is there.
fn unique<K: Ord + Clone, V: PartialEq>(table: &mut Table<K, V>, key: K, row: V, what: &'static str) -> Done {
    match table.get(&key) {
        Some(there) if *there == row => Ok(()),
        Some(_) => Err(CommitError::Duplicate(what)),
        None => {
            table.put(key, row);
            Ok(())
        }
    }
}
