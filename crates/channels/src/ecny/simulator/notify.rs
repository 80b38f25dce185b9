//! Notifications to the merchant, and when they are sent again.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use paycore::time::Timestamp;
use url::form_urlencoded::Serializer;

use super::Bank;
use super::wire::{Texts, joined};
use crate::sandbox::Note;

/// Seconds from one try to the next, as the bank publishes them.
pub(super) const RETRIES: [u64; 15] =
    [15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600];

impl Bank {
    /// Tells the merchant that an order was paid or a refund given, as scripted for its amount.
    pub(super) fn notify(&mut self, key: &str, refund: Option<&str>, now: Timestamp) {
        let Some(order) = self.orders.get(key) else { return };
        let given = order.refunds.iter().find(|given| Some(given.order_id.as_str()) == refund);
        let (content, notify_url) = match given {
            Some(refund) => {
                let mut content = self.refund_standing(refund);
                content["refundState"] = "S".into();
                (content, refund.notify_url.clone())
            }
            None => (self.standing(order), order.notify_url.clone()),
        };
        if !notify_url.is_empty() {
            self.notes.tell(order.script(), given.is_some(), &notify_url, &content, now);
        }
    }

    pub(super) fn request(&self, note: &Note) -> Option<Request<Bytes>> {
        let fixed = [("encoding", "UTF-8"), ("signMethod", "02"), ("version", "0.0.1")];
        let content = note.content.to_string();
        let all = fixed.into_iter().chain([("biz_content", content.as_str())]);
        let mut fields: Texts = all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let sign = self.sign(&joined(&fields));
        fields.insert("sign".to_owned(), sign);
        Request::post(&note.url)
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .body(Bytes::from(Serializer::new(String::new()).extend_pairs(&fields).finish()))
            .ok()
    }

    /// Only a signed answer with SUCCESS twice ends a notification before its last try.
    pub(super) fn acknowledged(&self, response: &Response<Bytes>) -> bool {
        let Ok(texts) = serde_json::from_slice::<Texts>(response.body()) else { return false };
        let twice =
            ["returnCode", "respCode"].iter().all(|name| texts.get(*name).is_some_and(|w| w == "SUCCESS"));
        response.status() == StatusCode::OK && twice && self.merchant_signed(&texts)
    }
}
