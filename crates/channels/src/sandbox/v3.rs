//! How simulators of v3 gateways read requests and refuse them.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request};
use paycore::crypto::{Decrypter, Encryption, Scheme, Signer, Verifier};
use paycore::time::Timestamp;
use serde_json::{Value, json};

/// Why a request is not carried out: status, code, text.
pub(crate) struct Error(pub(crate) u16, pub(crate) &'static str, pub(crate) &'static str);

/// What a request came to; `null` is an empty answer, and nothing when it was carried out and nobody shall hear of it.
pub(crate) type Result<T = Option<Value>> = std::result::Result<T, Error>;

/// Refusals that every part has.
pub(crate) const PARAM: Error = Error(400, "PARAM_ERROR", "参数错误");
pub(crate) const SYSTEM: Error = Error(500, "SYSTEM_ERROR", "系统繁忙，请稍后重试");
pub(crate) const NOT_FOUND: Error = Error(404, "NOT_FOUND", "没有这个接口");

/// A request that does not fit what there is.
pub(crate) const fn invalid(text: &'static str) -> Error {
    Error(400, "INVALID_REQUEST", text)
}

/// The first refusal whose condition holds.
pub(crate) fn refuse<const N: usize>(checks: [(bool, Error); N]) -> Result<()> {
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, error)| Err(error))
}

/// A parameter of a query.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// A request's body, read by JSON pointers.
pub(crate) struct Content(pub(crate) Value);

impl Content {
    /// A text that is there and not empty.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// The rows of a list, none where there is no list.
    pub(crate) fn rows(&self, name: &str) -> Vec<Content> {
        self.0[name].as_array().map_or(&[][..], Vec::as_slice).iter().cloned().map(Content).collect()
    }

    /// The merchants' numbers of the orders that a payment combines.
    pub(crate) fn parts(&self) -> Vec<String> {
        let number = |part: &Content| part.text("/out_trade_no").map(str::to_owned);
        self.rows("sub_orders").iter().filter_map(number).collect()
    }

    /// A payment with parts as if it were one order of this sum.
    pub(crate) fn as_one_order(&self, sum: i64) -> Content {
        let fields = &self.0;
        Content(json!({
            "appid": fields["combine_appid"], "mchid": fields["combine_mchid"], "description": "合单支付",
            "out_trade_no": fields["combine_out_trade_no"], "amount": {"total": sum, "currency": "CNY"},
            "payer": fields["combine_payer_info"], "scene_info": fields["scene_info"],
            "notify_url": fields["notify_url"], "time_expire": fields["time_expire"],
        }))
    }

    /// A whole number.
    pub(crate) fn number(&self, pointer: &str) -> Option<i64> {
        self.0.pointer(pointer).and_then(Value::as_i64)
    }

    /// A text that has to be there.
    pub(crate) fn required(&self, pointer: &str) -> Result<&str> {
        self.text(pointer).ok_or(PARAM)
    }
}

/// Clocks may differ by so many seconds.
const CLOCKS: i64 = 300;

/// Whether a request carries the signature of now over exactly itself, by the scheme of this name, of the merchant with
/// this number and serial number.
pub(crate) fn authentic(
    request: &Request<Bytes>,
    scheme: &str,
    ours: [&str; 2],
    merchant: &dyn Verifier,
    now: Timestamp,
) -> Option<()> {
    let mut given = request.headers().get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (given.next(), given.next()) else { return None };
    let fields = header.to_str().ok()?.strip_prefix(scheme)?.strip_prefix(' ')?;
    let mut values = [None; 5];
    for field in fields.split(',') {
        let (name, value) = field.split_once('=')?;
        let value = value.strip_prefix('"')?.strip_suffix('"')?;
        let names = ["mchid", "nonce_str", "signature", "timestamp", "serial_no"];
        let slot = names.iter().position(|known| *known == name)?;
        if values[slot].replace(value).is_some() {
            return None;
        }
    }
    let [Some(mchid), Some(nonce), Some(signature), Some(timestamp), Some(serial)] = values else {
        return None;
    };
    let seconds: i64 = timestamp.parse().ok()?;
    let in_time = (now.secs() - CLOCKS..=now.secs() + CLOCKS).contains(&seconds);
    let ours = ours == [mchid, serial] && (1..=32).contains(&nonce.len());
    let target = request.uri().path_and_query()?.as_str();
    let mut text = format!("{}\n{target}\n{timestamp}\n{nonce}\n", request.method()).into_bytes();
    text.extend_from_slice(request.body());
    text.push(b'\n');
    let signature = STANDARD.decode(signature).ok()?;
    let signed = merchant.verify(Scheme::RsaSha256, &text, &signature);
    (in_time && ours && signed).then_some(())
}

/// The headers that prove where a body comes from, under the provider's name.
pub(crate) fn proof(
    signer: &dyn Signer,
    [name, serial]: [&str; 2],
    body: &[u8],
    nonce: &str,
    now: Timestamp,
) -> HeaderMap {
    let timestamp = now.secs().to_string();
    let mut text = format!("{timestamp}\n{nonce}\n").into_bytes();
    text.extend_from_slice(body);
    text.push(b'\n');
    let signature = STANDARD.encode(signer.sign(Scheme::RsaSha256, &text).unwrap_or_default());
    let names = ["timestamp", "nonce", "signature", "serial"].map(|part| format!("{name}-{part}"));
    let values = [&timestamp, nonce, &signature, serial];
    let header = |(name, value): (String, &str)| Some((name.parse().ok()?, value.parse().ok()?));
    names.into_iter().zip(values).filter_map(header).collect()
}

/// What the merchant encrypted for us.
pub(crate) fn opened(key: &dyn Decrypter, text: &str) -> Option<String> {
    let clear = key.decrypt(Encryption::RsaOaepSha1, &STANDARD.decode(text).ok()?).ok()?;
    String::from_utf8(clear.to_vec()).ok()
}

/// A certificate in PEM form as `GET /v3/certificates` shows it, sealed.
pub(crate) fn certificates(seal: &Aes256Gcm, pem: &str, serial: &str) -> Value {
    let payload = Payload { msg: pem.as_bytes(), aad: b"certificate" };
    let sealed = seal.encrypt(&Nonce::from(*b"certificate1"), payload).unwrap_or_default();
    json!({"data": [{
        "serial_no": serial,
        "effective_time": "2025-01-01T08:00:00+08:00", "expire_time": "2045-01-01T07:59:59+08:00",
        "encrypt_certificate": {"algorithm": "AEAD_AES_256_GCM", "nonce": "certificate1",
            "associated_data": "certificate", "ciphertext": STANDARD.encode(sealed)},
    }]})
}
