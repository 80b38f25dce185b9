//! I36: the journal against the hashes that were kept of it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::document::{Document as _, Record};
use crate::event::Event;
use crate::id::{EventId, MerchantId, TransactionId};
use crate::ledger::Transaction;
use crate::ledger::seal::{Hash, Seal, canonical};

/// Something that is not as it was sealed: whose, which object, what about it.
pub(super) type Found = (MerchantId, String, String);

/// Where a merchant's chain ends: keep the hash outside, and cutting the end off does not go unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The number of the last seal.
    pub number: i64,
    /// How many transactions are sealed.
    pub rows: u64,
    /// The last hash.
    pub hash: Hash,
    /// The position in the stream of events up to which everything booked is sealed.
    pub through: i64,
}

/// Collects seals, then transactions, then events. Memory grows with the sealed transactions, about 120 bytes each.
#[derive(Debug, Default)]
pub(super) struct Seals {
    /// Hashes kept outside that were not met yet.
    anchors: HashSet<Hash>,
    heads: BTreeMap<MerchantId, Head>,
    /// Of every sealed transaction the hash before it and its own.
    expected: HashMap<(MerchantId, TransactionId), (Hash, Hash)>,
    /// Transactions that no seal has, by their events.
    unsealed: HashMap<(MerchantId, EventId), TransactionId>,
}

impl Seals {
    pub(super) fn new(anchors: &[Hash]) -> Self {
        Seals { anchors: anchors.iter().copied().collect(), ..Seals::default() }
    }

    /// Takes a document in; any but a seal is none of ours.
    pub(super) fn document(&mut self, tenant: MerchantId, record: &Record) -> Option<Found> {
        if record.kind != Seal::KIND {
            return None;
        }
        let broken = |detail: &str| Some((tenant, record.id.clone(), detail.to_owned()));
        let Ok(seal) = record.read::<Seal>() else { return broken("the seal cannot be read") };
        let before = self.heads.get(&tenant).copied();
        let (number, hash) = before.map_or((0, Hash::default()), |head| (head.number, head.hash));
        let rows = before.map_or(0, |head| head.rows) + seal.rows.len() as u64;
        let mut previous = seal.previous;
        let mut twice = false;
        for row in &seal.rows {
            let hashes = (previous, row.hash);
            twice |= self.expected.insert((tenant, row.transaction_id), hashes).is_some();
            previous = row.hash;
            self.anchors.remove(&row.hash);
        }
        self.heads.insert(tenant, Head { number: seal.number, rows, hash: seal.hash, through: seal.through });
        if (seal.number, seal.previous) != (number + 1, hash) {
            return broken("the seal does not follow the one before");
        }
        if previous != seal.hash {
            return broken("the seal's hash is not that of its last row");
        }
        if twice {
            return broken("a transaction is sealed twice");
        }
        None
    }

    pub(super) fn transaction(&mut self, tenant: MerchantId, transaction: &Transaction) -> Option<Found> {
        match self.expected.remove(&(tenant, transaction.id)) {
            Some((previous, hash)) if previous.then(&canonical(tenant, transaction)) != hash => {
                Some((tenant, transaction.id.to_string(), "it is not what was sealed".into()))
            }
            Some(_) => None,
            None => {
                if self.heads.contains_key(&tenant) {
                    self.unsealed.insert((tenant, transaction.event_id), transaction.id);
                }
                None
            }
        }
    }

    pub(super) fn event(&mut self, tenant: MerchantId, event: &Event) -> Option<Found> {
        let id = self.unsealed.remove(&(tenant, event.id))?;
        let head = self.heads.get(&tenant)?;
        (event.position <= head.through).then(|| {
            (tenant, id.to_string(), "it stands among sealed transactions and is not one of them".into())
        })
    }

    /// What is left over, the hashes kept outside that were not met, and where the chains end.
    pub(super) fn finish(self) -> (Vec<Found>, Vec<Hash>, BTreeMap<MerchantId, Head>) {
        let gone = self.expected.into_keys().map(|(tenant, id)| (tenant, id, "it was sealed and is gone"));
        let loose = self.unsealed.into_iter();
        let loose = loose.map(|((tenant, _), id)| (tenant, id, "it books an event that does not exist"));
        let mut found: Vec<Found> = gone
            .chain(loose)
            .map(|(tenant, id, detail)| (tenant, id.to_string(), detail.to_owned()))
            .collect();
        found.sort();
        (found, self.anchors.into_iter().collect(), self.heads)
    }
}
