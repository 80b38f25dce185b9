//! Signed requests, replies and notifications, and what they say of trades.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, Request, StatusCode};
use paycore::channel::{Context, Fault, Refusal, Reply};
use paycore::crypto::Scheme;
use paycore::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::config::Account;
use crate::dialect::reply::same;
use crate::dialect::v3::{in_time, nonce, once};

const SCHEME: &str = "LKLAPI-SHA256withRSA";

/// A verified reply.
pub(super) enum Answer {
    Done(Box<Trade>),
    Refused { code: String, message: String },
}

/// What is the same in every reply.
#[derive(Deserialize)]
struct Common {
    code: String,
    msg: Option<String>,
    #[serde(default)]
    resp_data: Value,
}

/// What is said of a trade, each by the calls that say it.
#[derive(Debug, Deserialize)]
pub(super) struct Trade {
    pub(super) merchant_no: Option<String>,
    pub(super) out_trade_no: Option<String>,
    /// The number of a refund goes by either name.
    pub(super) out_refund_order_no: Option<String>,
    pub(super) origin_out_trade_no: Option<String>,
    pub(super) trade_no: Option<String>,
    pub(super) account_type: Option<String>,
    /// What kind of trade it is.
    pub(super) trade_main_type: Option<String>,
    pub(super) trade_state: Option<String>,
    /// The same, in notifications.
    pub(super) trade_status: Option<String>,
    pub(super) trade_state_desc: Option<String>,
    pub(super) total_amount: Option<String>,
    pub(super) refund_amount: Option<String>,
    pub(super) trade_time: Option<String>,
    /// What the payer's wallet needs, by wallet and scene.
    #[serde(default)]
    pub(super) acc_resp_fields: Value,
}

impl Account {
    /// A signed request with the merchant's and terminal's numbers in it.
    pub(super) fn request(
        &self,
        path: &str,
        mut data: Value,
        cx: &Context<'_>,
    ) -> Result<Request<Bytes>, Refusal> {
        data["merchant_no"] = self.merchant_no.as_str().into();
        data["term_no"] = self.term_no.as_str().into();
        let body = json!({"req_time": cx.now.beijing_compact(), "version": "3.0", "req_data": data});
        let (body, timestamp, nonce) = (body.to_string(), cx.now.secs().to_string(), nonce(cx));
        let Account { appid, serial_no, gateway, .. } = self;
        let text = lines(&[appid, serial_no, &timestamp, &nonce], body.as_bytes());
        let signature = self.signer.sign(Scheme::RsaSha256, &text).map_err(|_| Refusal::Signing)?;
        let signature = STANDARD.encode(signature);
        let authorization = format!(
            "{SCHEME} appid=\"{appid}\",serial_no=\"{serial_no}\",timestamp=\"{timestamp}\",\
             nonce_str=\"{nonce}\",signature=\"{signature}\""
        );
        let request = Request::post(format!("{gateway}/api/v3/labs/{path}"))
            .header(AUTHORIZATION, authorization)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header(USER_AGENT, concat!("paycore/", env!("CARGO_PKG_VERSION")));
        request.body(body.into()).map_err(|_| Refusal::Signing)
    }

    /// Verifies and reads the reply to a call. One whose signature is missing or wrong decides nothing.
    pub(super) fn answer(&self, reply: &Reply, cx: &Context<'_>) -> Result<Answer, Fault> {
        if reply.status() != StatusCode::OK {
            return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
        }
        let (headers, body) = (reply.headers(), reply.body());
        let named = |name| once(headers, name);
        let (appid, serial) = (named("lklapi-appid")?, named("lklapi-serial")?);
        let (timestamp, nonce) = (named("lklapi-timestamp")?, named("lklapi-nonce")?);
        let text = lines(&[appid, serial, timestamp, nonce], body);
        self.signed(&text, named("lklapi-signature")?, timestamp, cx.now)?;
        same("appid", Some(appid), &self.appid)?;
        let common: Common = read(body)?;
        if common.code != "BBS00000" {
            let message = common.msg.unwrap_or_default().chars().take(200).collect();
            return Ok(Answer::Refused { code: common.code.chars().take(64).collect(), message });
        }
        serde_json::from_value(common.resp_data)
            .map(Answer::Done)
            .map_err(|error| Fault::Unexpected(format!("resp_data: {error}")))
    }

    /// Verifies a notification, which names neither app nor key.
    pub(super) fn notified(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Fault> {
        let header = once(headers, AUTHORIZATION.as_str())?;
        let fields = header.strip_prefix(SCHEME).and_then(|rest| rest.strip_prefix(' '));
        let mut values = [None; 3];
        for field in fields.ok_or(Fault::Signature)?.split(',') {
            let value = field.trim_start().split_once("=\"");
            let value = value.and_then(|(name, value)| Some((name, value.strip_suffix('"')?)));
            let (name, value) = value.ok_or(Fault::Signature)?;
            let slot = ["timestamp", "nonce_str", "signature"].iter().position(|known| *known == name);
            if values[slot.ok_or(Fault::Signature)?].replace(value).is_some() {
                return Err(Fault::Signature);
            }
        }
        let [Some(timestamp), Some(nonce), Some(signature)] = values else { return Err(Fault::Signature) };
        self.signed(&lines(&[timestamp, nonce], body), signature, timestamp, now)
    }

    fn signed(&self, text: &[u8], signature: &str, timestamp: &str, now: Timestamp) -> Result<(), Fault> {
        let signature = STANDARD.decode(signature).map_err(|_| Fault::Signature)?;
        let current = self.expires.is_none_or(|end| now <= end);
        if !current || !self.platform.verify(Scheme::RsaSha256, text, &signature) {
            return Err(Fault::Signature);
        }
        in_time(timestamp, now)
    }
}

/// Each with a line feed, the body last.
fn lines(head: &[&str], body: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(body.len() + 160);
    for line in head.iter().map(|line| line.as_bytes()).chain([body]) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text
}

pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::Unexpected(format!("the body: {error}")))
}
