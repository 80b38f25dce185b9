//! Notifications to the merchant, and when they are sent again.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use paycore::channel::simulator::Notification;
use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

use super::Gateway;
use super::wire::{Parameters, joined, yuan};

/// Minutes from one try to the next.
const RETRY_MINUTES: [u64; 7] = [4, 10, 10, 60, 120, 360, 900];

/// One notification until it is acknowledged or given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    /// When it is sent next.
    pub(super) at: Timestamp,
    tries: usize,
    notify_url: String,
    /// Everything but the time of sending and the signature.
    fields: Parameters,
}

impl Gateway {
    /// Tells the merchant how a trade stands, or of a refund, as scripted for its amount.
    pub(super) fn notify(&mut self, key: &str, refund: Option<&str>, now: Timestamp) {
        let Some(trade) = self.trades.get(key) else { return };
        let Some(notify_url) = trade.notify_url.clone() else { return };
        let (copies, at) = match (trade.script(), refund) {
            (9004, None) => (3, now),
            (9005, None) => (1, now.plus(Duration::from_secs(3_600))),
            (9008, _) => return,
            _ => (1, now),
        };
        let fields = self.fields(key, refund);
        for _ in 0..copies {
            self.last_note += 1;
            let id = self.last_note;
            let (notify_url, fields) = (notify_url.clone(), fields.clone());
            self.notes.insert(id, Note { id, at, tries: 0, notify_url, fields });
            self.outbox.insert((at, id));
            self.changed.insert(format!("note/{id}"));
        }
    }

    fn fields(&self, key: &str, refund: Option<&str>) -> Parameters {
        let trade = &self.trades[key];
        if let (Some(hold), None) = (&trade.hold, trade.paid) {
            return self.hold_fields(trade, hold);
        }
        let part = refund.unwrap_or(trade.status());
        let mut fields = vec![
            ("app_id", self.app_id.clone()),
            ("charset", "utf-8".to_owned()),
            ("gmt_create", trade.created.beijing()),
            ("notify_id", format!("{}{part}", trade.trade_no)),
            ("notify_type", "trade_status_sync".to_owned()),
            ("out_trade_no", trade.out_trade_no.clone()),
            ("seller_id", self.seller_id.clone()),
            ("subject", trade.subject.clone()),
            ("total_amount", yuan(trade.fen)),
            ("trade_no", trade.trade_no.clone()),
            ("trade_status", trade.status().to_owned()),
            ("version", "1.0".to_owned()),
            ("fund_bill_list", format!(r#"[{{"amount":"{}","fundChannel":"PCREDIT"}}]"#, yuan(trade.fen))),
        ];
        fields.extend(trade.paid.map(|at| ("gmt_payment", at.beijing())));
        fields.extend(trade.closed.map(|at| ("gmt_close", at.beijing())));
        if let Some(refund) = trade.refunds.iter().find(|given| Some(given.request_no.as_str()) == refund) {
            fields.extend([
                ("gmt_refund", format!("{}.000", refund.at.beijing())),
                ("out_biz_no", refund.request_no.clone()),
                ("refund_fee", yuan(trade.refunded())),
            ]);
        }
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Everything to be sent by now. It is on its way until [`Gateway::answered`] hears of it.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Notification> {
        let later = self.outbox.split_off(&(now, u64::MAX));
        let ids = std::mem::replace(&mut self.outbox, later).into_iter().map(|(_, id)| id);
        ids.filter_map(|id| Some(Notification { id, request: self.request(self.notes.get(&id)?, now)? }))
            .collect()
    }

    fn request(&self, note: &Note, now: Timestamp) -> Option<Request<Bytes>> {
        let mut fields = note.fields.clone();
        fields.insert("notify_time".to_owned(), now.beijing());
        let sign = self.sign(&joined(&fields, &[]));
        let body = Serializer::new(String::new())
            .extend_pairs(&fields)
            .append_pair("sign_type", "RSA2")
            .append_pair("sign", &sign)
            .finish();
        Request::post(&note.notify_url)
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .body(Bytes::from(body))
            .ok()
    }

    /// Only a body of exactly `success` ends a notification before its last try.
    pub(super) fn answered(&mut self, id: u64, response: Option<&Response<Bytes>>, now: Timestamp) {
        let Some(note) = self.notes.get_mut(&id) else { return };
        let heard = response.is_some_and(|r| r.status() == StatusCode::OK && r.body().as_ref() == b"success");
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
