//! Clearing: every movement of a merchant's money has exactly one item, of its amount; an item is in one settlement at
//! most, which has counted it, and which converts what it pays whole.

use std::collections::HashMap;

use crate::clearing::{Item, ItemKind};
use crate::document::{Document as _, Record};
use crate::event::Movement;
use crate::id::{EventId, MerchantId, OrderId, RefundId, SettlementId};
use crate::ledger::{Side, Transaction};
use crate::settlement::Settlement;
use crate::time::Timestamp;

/// Whose, which object, and what is wrong with it.
type Found = (MerchantId, String, String);

/// What an item and its journal have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    Order(OrderId),
    Refund(RefundId),
    Event(EventId),
}

/// A number of rows and their sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    rows: i64,
    sum: i128,
}

/// Items first, then journals, which take away what belongs to them: what is left at the end is wrong.
#[derive(Debug, Default)]
pub(super) struct Clearing {
    open: HashMap<(MerchantId, Source), Count>,
    /// When a merchant's first item was made: what moved before has none.
    since: HashMap<MerchantId, Timestamp>,
    /// What settlements have counted, less the items that say they are theirs.
    settled: HashMap<(MerchantId, SettlementId), Count>,
}

impl Count {
    fn add(&mut self, rows: i64, sum: i128) {
        self.rows += rows;
        self.sum += sum;
    }
}

impl Clearing {
    /// Takes a document in; the rule that is broken where it cannot be read, or does not fit together by itself.
    pub(super) fn document(&mut self, tenant: MerchantId, record: &Record) -> Option<(&'static str, Found)> {
        let found = |rule, detail: String| Some((rule, (tenant, record.id.clone(), detail)));
        let read = match record.kind.as_str() {
            Item::KIND => record.read().map(|item: Item| {
                self.item(tenant, &item);
                Ok(())
            }),
            Settlement::KIND => record.read().map(|made: Settlement| {
                self.settlement(tenant, &made);
                made.check_conversion()
            }),
            _ => return None,
        };
        match read {
            Ok(Ok(())) => None,
            Ok(Err(untied)) => found("I8", untied.to_string()),
            Err(error) => found("I30", error.to_string()),
        }
    }

    fn item(&mut self, tenant: MerchantId, item: &Item) {
        let first = self.since.entry(tenant).or_insert(item.created_at);
        *first = (*first).min(item.created_at);
        let (gross, fee) = (i128::from(item.gross.minor()), i128::from(item.fee.minor()));
        if let Some(id) = item.settlement_id {
            self.settled.entry((tenant, id)).or_default().add(-1, fee - gross);
        }
        let source = match (item.kind, item.order_id) {
            (ItemKind::Payment, Some(order)) => Some(Source::Order(order)),
            (ItemKind::Refund, _) => item.source.parse().ok().map(Source::Refund),
            _ => item.source.parse().ok().map(Source::Event),
        };
        if let Some(source) = source {
            self.open.entry((tenant, source)).or_default().add(1, gross);
        }
    }

    fn settlement(&mut self, tenant: MerchantId, made: &Settlement) {
        let items = i64::try_from(made.collected.items).unwrap_or(i64::MAX);
        self.settled.entry((tenant, made.id)).or_default().add(items, i128::from(made.collected.net));
    }

    /// Takes a journal in.
    pub(super) fn transaction(&mut self, tenant: MerchantId, row: &Transaction) {
        let Some((source, sign)) = source(row) else { return };
        if self.since.get(&tenant).is_none_or(|since| row.created_at < *since) {
            return;
        }
        let count = self.open.entry((tenant, source)).or_default();
        count.add(-1, -sign * i128::from(row.money.minor()));
        if *count == Count::default() {
            self.open.remove(&(tenant, source));
        }
    }

    /// What is wrong.
    pub(super) fn finish(self) -> Vec<Found> {
        let open = self.open.into_iter().map(|((tenant, source), Count { rows, sum })| {
            let object = match source {
                Source::Order(id) => id.to_string(),
                Source::Refund(id) => id.to_string(),
                Source::Event(id) => id.to_string(),
            };
            (tenant, object, format!("{rows} items more than movements, {sum} more of money"))
        });
        let settled = self.settled.into_iter().filter(|(_, count)| *count != Count::default());
        let settled = settled.map(|((tenant, id), Count { rows, sum })| {
            (
                tenant,
                id.to_string(),
                format!("counted {rows} items more than are its own, {sum} more of money"),
            )
        });
        open.chain(settled).collect()
    }
}

/// What a journal's item is found by, and whether it is to the merchant's good.
fn source(row: &Transaction) -> Option<(Source, i128)> {
    use Movement as M;
    let event = Source::Event(row.event_id);
    match row.kind {
        M::Payment => row.order_id.map(|order| (Source::Order(order), 1)),
        M::Refund => row.refund_id.map(|refund| (Source::Refund(refund), -1)),
        M::Share | M::ShareCredit | M::Chargeback | M::DisputeFee => Some((event, -1)),
        M::ShareReturn | M::ShareCharge | M::ChargebackReversal => Some((event, 1)),
        M::SettlementCorrection => {
            let is_credit =
                row.entries.iter().any(|e| e.account == "merchant_pending" && e.side == Side::Credit);
            Some((event, if is_credit { 1 } else { -1 }))
        }
        _ => None,
    }
}
