//! What gateways of the v3 kind sign and seal.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;

/// The four headers, named after the provider, that prove where a body comes from: signed with this key of the
/// provider's settings, which has this serial number.
pub fn proof(provider: &str, [key, serial]: [&str; 2], timestamp: &str, body: &[u8]) -> HeaderMap {
    let signer = NativeKeyring.signer(settings("theirs.json").value(key).unwrap()).unwrap();
    let text = [timestamp.as_bytes(), b"\nnonce\n", body, b"\n"].concat();
    let signature = STANDARD.encode(signer.sign(Scheme::RsaSha256, &text).unwrap());
    let values = [timestamp, "nonce", &signature, serial];
    let names = ["timestamp", "nonce", "signature", "serial"].map(|name| format!("{provider}-{name}"));
    names.iter().zip(values).map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

/// Asserts that what the client of this scene is handed is signed by the merchant, and gives its `package` and how many
/// parameters there are.
pub fn assert_client_parameters_signed(pay: &Operation, scene: &str) -> (String, usize) {
    let (signed, sign) = match scene {
        "app" => (["appid", "timestamp", "noncestr", "prepayid"], "sign"),
        _ => (["appId", "timeStamp", "nonceStr", "package"], "paySign"),
    };
    let parameters = client_parameters(pay, "prepay");
    let value = |name: &str| &parameters.iter().find(|(known, _)| known == name).unwrap().1;
    let text: String = signed.iter().map(|name| format!("{}\n", value(name))).collect();
    let signature = STANDARD.decode(value(sign)).unwrap();
    let theirs = settings("theirs.json");
    let merchant = NativeKeyring.verifier(theirs.text("merchant_public_key", "")).unwrap();
    assert!(merchant.verify(Scheme::RsaSha256, text.as_bytes(), &signature), "{scene}: {text}");
    (value("package").clone(), parameters.len())
}

/// The body of a notification with this resource, sealed with this key of the provider's settings, and this change to
/// its envelope.
pub fn sealed_body(key: &str, event: &str, clear: &Value, change: impl FnOnce(&mut Value)) -> String {
    let seal = Aes256Gcm::new_from_slice(settings("theirs.json").text(key, "").as_bytes()).unwrap();
    let text = clear.to_string();
    let payload = Payload { msg: text.as_bytes(), aad: b"aad" };
    let ciphertext = STANDARD.encode(seal.encrypt(&Nonce::from(*b"twelve bytes"), payload).unwrap());
    let mut body = json!({
        "id": "1", "create_time": "2026-11-23T08:09:55+08:00", "resource_type": "encrypt-resource",
        "event_type": event, "summary": "",
        "resource": {"original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "ciphertext": ciphertext,
            "associated_data": "aad", "nonce": "twelve bytes"},
    });
    change(&mut body);
    body.to_string()
}

/// Asserts that an authentic notification counts only with the envelope as it was sealed.
pub fn assert_broken_seals_refused(verify: impl Fn(fn(&mut Value)) -> Result<Vec<Report>, Fault>) {
    assert!(verify(|_| {}).is_ok());
    let broken: [fn(&mut Value); 12] = [
        |body| body["resource"]["nonce"] = "eleven byte".into(),
        |body| body["resource"]["nonce"] = "thirteen byte".into(),
        |body| body["resource"]["nonce"] = "".into(),
        |body| body["resource"]["nonce"] = "十二字节".into(),
        |body| body["resource"]["nonce"] = "another nonc".into(),
        |body| body["resource"]["associated_data"] = "transaction".into(),
        |body| body["resource"]["associated_data"] = Value::Null,
        |body| body["resource"]["ciphertext"] = "AAAA".into(),
        |body| body["resource"]["ciphertext"] = "".into(),
        |body| body["resource"]["algorithm"] = "AEAD_SM4_GCM".into(),
        |body| body["resource_type"] = "clear-resource".into(),
        |body| body["event_type"] = "TRANSACTION.FAIL".into(),
    ];
    for (number, change) in broken.into_iter().enumerate() {
        assert!(verify(change).is_err(), "{number}");
    }
}

/// A notification with this body and these headers.
pub fn posted_with(headers: HeaderMap, body: impl Into<Bytes>) -> Notice {
    let mut notice = posted(body);
    *notice.headers_mut() = headers;
    notice
}
