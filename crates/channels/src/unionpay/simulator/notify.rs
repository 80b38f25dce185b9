//! Notifications to the merchant, and when they are sent again.

use bytes::Bytes;
use http::{Request, Response};
use paycore::time::Timestamp;
use url::form_urlencoded::Serializer;

use super::wire::Fields;
use super::{Deal, Gateway};
use crate::sandbox::Note;

/// Seconds from one try to the next.
pub(super) const RETRIES: [u64; 4] = [60, 120, 240, 300];

impl Gateway {
    /// Tells the merchant that a transaction succeeded, as scripted for the payment's amount.
    pub(super) fn notify(&mut self, key: &str, now: Timestamp) {
        let Some(deal) = self.deals.get(key) else { return };
        let Some(back_url) = &deal.back_url else { return };
        let (script, change) = (self.payment_of(deal).script(), !deal.is_payment());
        // What is told is made anew at every try.
        self.notes.tell(script, change, back_url, &key.into(), now);
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

    pub(super) fn request(&self, note: &Note) -> Option<Request<Bytes>> {
        let deal = self.deals.get(note.content.as_str()?)?;
        let body = Serializer::new(String::new()).extend_pairs(self.news(deal)).finish();
        let kind = "application/x-www-form-urlencoded;charset=UTF-8";
        Request::post(&note.url).header(http::header::CONTENT_TYPE, kind).body(Bytes::from(body)).ok()
    }
}

/// Any answer of 200 or 302 ends a notification before its last try.
pub(super) fn heard(response: &Response<Bytes>) -> bool {
    matches!(response.status().as_u16(), 200 | 302)
}

pub(super) fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
