//! Notifications to the merchant, and when they are sent again.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use paycore::channel::simulator::Notification;
use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

use super::wire::Fields;
use super::{Deal, Gateway};

/// Minutes from one try to the next.
const RETRY_MINUTES: [u64; 4] = [1, 2, 4, 5];

/// One notification until it is acknowledged or given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    /// When it is sent next.
    pub(super) at: Timestamp,
    tries: usize,
    back_url: String,
    /// Of which transaction.
    order_id: String,
}

impl Gateway {
    /// Tells the merchant that a transaction succeeded, as scripted for the payment's amount.
    pub(super) fn notify(&mut self, key: &str, now: Timestamp) {
        let Some(deal) = self.deals.get(key) else { return };
        let Some(back_url) = deal.back_url.clone() else { return };
        let (copies, at) = match (self.payment_of(deal).script(), deal.is_payment()) {
            (9004, true) => (3, now),
            (9005, true) => (1, now.plus(Duration::from_secs(3_600))),
            (9008, _) => return,
            _ => (1, now),
        };
        for _ in 0..copies {
            self.last_note += 1;
            let id = self.last_note;
            let note = Note { id, at, tries: 0, back_url: back_url.clone(), order_id: key.to_owned() };
            self.notes.insert(id, note);
            self.outbox.insert((at, id));
            self.changed.insert(format!("note/{id}"));
        }
    }

    /// What is said of a transaction that succeeded, in notifications and on the way back to the shop.
    pub(super) fn news(&self, deal: &Deal) -> Fields {
        let mut fields = self.facts(deal);
        fields.extend([("respCode", "00"), ("respMsg", "Success!")].map(owned));
        self.seal.sign(fields)
    }

    /// What queries and notifications have in common.
    pub(super) fn facts(&self, deal: &Deal) -> Fields {
        let done = deal.done.map(Timestamp::beijing_compact).unwrap_or_default();
        let fen = deal.fen.to_string();
        let mut facts = Fields::from_iter(
            [
                ("version", "5.1.0"),
                ("encoding", "UTF-8"),
                ("accessType", "0"),
                ("merId", &self.mer_id),
                ("txnType", &deal.kind.0),
                ("txnSubType", &deal.kind.1),
                ("bizType", &deal.biz_type),
                ("orderId", &deal.order_id),
                ("txnTime", &deal.txn_time),
                ("txnAmt", &fen),
                ("currencyCode", "156"),
                ("queryId", &deal.query_id),
            ]
            .map(owned),
        );
        if !done.is_empty() {
            facts.extend(
                [
                    ("traceNo", &deal.query_id[15..]),
                    ("traceTime", &done[4..]),
                    ("settleDate", &done[4..8]),
                    ("settleAmt", &fen),
                    ("settleCurrencyCode", "156"),
                    ("accNo", "6216***********0018"),
                ]
                .map(owned),
            );
        }
        facts
    }

    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Notification> {
        let mut due = Vec::new();
        while self.outbox.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, id)) = self.outbox.pop_first() else { break };
            let Some(note) = self.notes.get(&id) else { continue };
            let Some(deal) = self.deals.get(&note.order_id) else { continue };
            let body = Serializer::new(String::new()).extend_pairs(self.news(deal)).finish();
            let request = Request::post(&note.back_url)
                .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded;charset=UTF-8")
                .body(Bytes::from(body));
            due.extend(request.ok().map(|request| Notification { id, request }));
        }
        due
    }

    /// Any answer of 200 or 302 ends a notification before its last try.
    pub(super) fn answered(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        let Some(note) = self.notes.get_mut(&id) else { return };
        let heard = response.is_some_and(|response| matches!(response.status().as_u16(), 200 | 302));
        match RETRY_MINUTES.get(note.tries) {
            Some(minutes) if !heard => {
                note.tries += 1;
                note.at = now.plus(Duration::from_secs(minutes * 60));
                self.outbox.insert((note.at, id));
            }
            _ => drop(self.notes.remove(&id)),
        }
        self.changed.insert(format!("note/{id}"));
    }
}

pub(super) fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
