//! Signed notifications to the merchant, and when they are sent again.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use paycore::time::Timestamp;
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use super::api::{given, shown};
use super::{Acquirer, Refund};
use crate::sandbox::Note;

/// Seconds from one try to the next: three more at most. Only their number is documented.
pub(super) const RETRIES: [u64; 3] = [5, 30, 120];

impl Acquirer {
    /// Tells the merchant of a payment, as scripted for its amount.
    pub(super) fn tell_payment(&mut self, key: &str, now: Timestamp) {
        let Some(order) = self.orders.get(key) else { return };
        let mut told = shown(order, "");
        // What an answer calls the trade's type, a notification calls the transaction's.
        if let Some(kind) = told.as_object_mut().and_then(|told| told.remove("trade_type")) {
            told["trans_type"] = kind;
        }
        told["notify_type"] = 1.into();
        let (script, Some(url)) = (order.script(), order.notify_url.clone()) else { return };
        let content = self.content(key, told);
        self.notes.tell(script, false, &url, &content, now);
    }

    pub(super) fn tell_refund(&mut self, key: &str, refund: &Refund, url: Option<&str>, now: Timestamp) {
        let (Some(order), Some(url)) = (self.orders.get(key), url) else { return };
        let (script, mut told) = (order.script(), given(refund, ""));
        told["org_req_seq_id"] = key.into();
        let content = self.content(&refund.number, told);
        self.notes.tell(script, true, url, &content, now);
    }

    /// The number of the request, which has to come back, and the signed form.
    fn content(&self, number: &str, mut told: Value) -> Value {
        told["huifu_id"] = self.sys_id.as_str().into();
        let data = told.to_string();
        let escaped = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let body = format!("sign={}&resp_data={}", escaped(&self.sign(&data)), escaped(&data));
        json!({"number": number, "body": body})
    }
}

/// The same at every try.
pub(super) fn request(note: &Note) -> Option<Request<Bytes>> {
    let body = note.content["body"].as_str()?.to_owned();
    let kind = "application/x-www-form-urlencoded;charset=UTF-8";
    Request::post(&note.url).header(CONTENT_TYPE, kind).body(Bytes::from(body)).ok()
}

/// Only 200 with the words that repeat the number ends a notification before its last try.
pub(super) fn heard(note: &Note, response: &Response<Bytes>) -> bool {
    let words = format!("RECV_ORD_ID_{}", note.content["number"].as_str().unwrap_or_default());
    response.status() == 200 && response.body().as_ref() == words.as_bytes()
}
