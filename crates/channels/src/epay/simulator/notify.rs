//! Notifications to the merchant, and when they are sent again.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use paycore::time::Timestamp;
use url::form_urlencoded::Serializer;

use super::wire::Parameters;
use super::{Order, Panel, Version};
use crate::sandbox::Note;
use crate::sandbox::bill::yuan;

/// Seconds from one try to the next.
pub(super) const RETRIES: [u64; 5] = [60, 180, 1_200, 3_600, 7_200];

impl Panel {
    /// Tells the merchant that an order is paid, as scripted for its amount.
    pub(super) fn notify(&mut self, key: &str, now: Timestamp) {
        let Some(order) = self.orders.get(key) else { return };
        // What is told is made anew at every try.
        self.notes.tell(order.script(), false, &order.notify_url, &key.into(), now);
    }

    /// What both the merchant's server and the payer's browser bring, signed, as a form.
    pub(super) fn told(&self, order: &Order, now: Timestamp) -> String {
        let mut fields: Parameters = [
            ("pid", self.pid.clone()),
            ("trade_no", order.trade_no.clone()),
            ("out_trade_no", order.out_trade_no.clone()),
            ("type", order.kind.clone()),
            ("name", order.name.clone()),
            ("money", yuan(order.fen)),
            ("trade_status", "TRADE_SUCCESS".to_owned()),
            ("param", order.param.clone()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        if order.version == Version::V2 {
            let paid = order.paid.unwrap_or(order.created);
            fields.extend([
                ("api_trade_no".to_owned(), format!("4200{}", order.trade_no)),
                ("addtime".to_owned(), order.created.beijing()),
                ("endtime".to_owned(), paid.beijing()),
                ("timestamp".to_owned(), now.secs().to_string()),
            ]);
        }
        self.sign(order.version, &mut fields);
        Serializer::new(String::new()).extend_pairs(&fields).finish()
    }

    pub(super) fn request(&self, note: &Note, now: Timestamp) -> Option<Request<Bytes>> {
        let order = self.orders.get(note.content.as_str()?)?;
        let form = self.told(order, now);
        if self.posts {
            let kind = "application/x-www-form-urlencoded; charset=utf-8";
            let request = Request::post(&order.notify_url).header(http::header::CONTENT_TYPE, kind);
            return request.body(Bytes::from(form)).ok();
        }
        let joint = if order.notify_url.contains('?') { '&' } else { '?' };
        Request::get(format!("{}{joint}{form}", order.notify_url)).body(Bytes::new()).ok()
    }
}

/// Only a body of `success` ends a notification before its last try.
pub(super) fn heard(response: &Response<Bytes>) -> bool {
    response.status() == StatusCode::OK && response.body().trim_ascii() == b"success"
}
