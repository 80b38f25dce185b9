//! The signatures of both versions, the notification, and the words of the protocol.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use super::{EpayKey, Origin, Protocol};
use crate::crypto::{Keyring, Scheme, Signer, Vault, Verifier};
use crate::currency::Currency;
use crate::id::MerchantId;
use crate::money::Money;
use crate::order::{Attempt, Order};
use crate::secret::{Secret, same};
use crate::time::Timestamp;
use crate::units::UnitRule;

/// Parameters by name, in the order in which they are signed.
pub type Parameters = BTreeMap<String, String>;

/// How amounts are written: yuan with at most two decimals, `1` and `1.0` included.
pub const UNITS: UnitRule = UnitRule::Decimal { places: Some(2) };

/// The protocol's word for what the payer knows.
const TYPES: &[(&str, &str)] =
    &[("alipay", "alipay"), ("wxpay", "wechatpay"), ("qqpay", "qq"), ("bank", "unionpay")];

/// Names that mean something in a request; see [`ambiguous`].
const NAMES: &[&str] = &[
    "act",
    "clientip",
    "device",
    "key",
    "method",
    "money",
    "name",
    "notify_url",
    "out_refund_no",
    "out_trade_no",
    "param",
    "pid",
    "refund_no",
    "return_url",
    "sitename",
    "timestamp",
    "trade_no",
    "type",
];

/// The brands that may pay an order of this `type`; all where it is empty, none where it is not known.
pub fn brands(kind: &str) -> Vec<&'static str> {
    TYPES.iter().filter(|(name, _)| kind.is_empty() || *name == kind).map(|(_, brand)| *brand).collect()
}

/// The `type` of a brand; the brand itself where the protocol has no word for it.
pub fn kind_of(brand: &str) -> &str {
    TYPES.iter().find(|(_, known)| *known == brand).map_or(brand, |(kind, _)| kind)
}

/// The `type` of an order: what the shop asked for, or what the payer chose.
pub fn kind(origin: &Origin, attempt: Option<&Attempt>) -> String {
    match attempt {
        Some(attempt) if origin.kind.is_empty() => kind_of(attempt.method.brand()).to_owned(),
        _ => origin.kind.clone(),
    }
}

/// An amount as the protocol writes it.
pub fn yuan(money: Money) -> String {
    UNITS.to_wire(money).unwrap_or_default()
}

/// Yuan as money: positive and exact, or not at all.
pub fn money(text: &str) -> Option<Money> {
    UNITS.from_wire(text, Currency::CNY).ok().filter(|money| money.is_positive())
}

/// Whether the parameters could be read in a second way under the same signature. The signed text does not say where a
/// value ends, so `a=1&money=0.01` may be one value or two; the payer's browser carries signed requests and could rewrite
/// them. An address may have a `type` in its query, as some shops do: a second reading of it lacks the parameters that
/// are sorted before it.
pub fn ambiguous(parameters: &Parameters) -> bool {
    let smuggles = |name: &str, value: &str| {
        let address = matches!(name, "notify_url" | "return_url");
        let mut inside =
            value.split('&').skip(1).filter_map(|part| part.split_once('=')).map(|(name, _)| name);
        inside.any(|inside| NAMES.contains(&inside) && !(address && inside == "type"))
    };
    parameters.iter().any(|(name, value)| smuggles(name, value) || name.contains(['&', '=']))
}

/// The text that is signed: every parameter with a value, but for the signature and its kind.
fn text(parameters: &Parameters) -> String {
    let mut text = String::with_capacity(512);
    for (name, value) in parameters {
        if value.trim().is_empty() || matches!(name.as_str(), "sign" | "sign_type") {
            continue;
        }
        let joint = if text.is_empty() { "" } else { "&" };
        text.extend([joint, name, "=", value]);
    }
    text
}

/// What a key signs and verifies with, open.
#[derive(Debug)]
pub enum Signing {
    /// The shared key.
    V1(Secret),
    /// Our private key and the shop's public key.
    V2 {
        /// Ours.
        platform: Box<dyn Signer>,
        /// The shop's.
        shop: Box<dyn Verifier>,
    },
}

impl Signing {
    /// Opens a key; `None` where it cannot be opened with the keys at hand.
    pub fn open(
        tenant: MerchantId,
        key: &EpayKey,
        vault: &dyn Vault,
        keyring: &dyn Keyring,
    ) -> Option<Signing> {
        let clear = vault.open(&format!("{tenant}/{}", key.id), &key.sealed_key).ok()?;
        match key.protocol {
            Protocol::V1 => (!clear.is_blank()).then_some(Signing::V1(clear)),
            Protocol::V2 => {
                let shop = keyring.verifier(key.shop_public_key.as_deref()?).ok()?;
                Some(Signing::V2 { platform: keyring.signer(&clear).ok()?, shop })
            }
        }
    }

    /// Whether the shop signed exactly these parameters.
    pub fn verifies(&self, parameters: &Parameters) -> bool {
        let given = |name: &str| parameters.get(name).map_or("", String::as_str);
        let (text, sign) = (text(parameters), given("sign"));
        match self {
            // Shops write the kind in either case, or leave it out; there is only one.
            Signing::V1(key) => {
                let kind = given("sign_type");
                (kind.is_empty() || kind.eq_ignore_ascii_case("MD5"))
                    && same(md5(&text, key).as_bytes(), sign.to_ascii_lowercase().as_bytes())
            }
            Signing::V2 { shop, .. } => {
                let sign = STANDARD.decode(sign).unwrap_or_default();
                given("sign_type") == "RSA" && shop.verify(Scheme::RsaSha256, text.as_bytes(), &sign)
            }
        }
    }

    /// Whether this is the shared key, which version 1 sends as it is to ask about its orders.
    pub fn is_key(&self, given: &str) -> bool {
        matches!(self, Signing::V1(key) if same(given.as_bytes(), key.expose().as_bytes()))
    }

    /// Adds our signature; nothing where the key cannot sign.
    pub fn sign(&self, parameters: &mut Parameters) {
        let text = text(parameters);
        let (kind, sign) = match self {
            Signing::V1(key) => ("MD5", md5(&text, key)),
            Signing::V2 { platform, .. } => {
                let Ok(sign) = platform.sign(Scheme::RsaSha256, text.as_bytes()) else { return };
                ("RSA", STANDARD.encode(sign))
            }
        };
        parameters.extend([("sign".to_owned(), sign), ("sign_type".to_owned(), kind.to_owned())]);
    }
}

fn md5(text: &str, key: &Secret) -> String {
    crate::merchant::rules::hex(&Md5::new().chain_update(text).chain_update(key.expose()).finalize())
}

/// What the shop's server is told of a paid order, and what the payer's browser brings back to the shop.
pub fn paid(origin: &Origin, order: &Order, kind: &str, signing: &Signing, now: Timestamp) -> Parameters {
    let mut parameters: Parameters = [
        ("pid", origin.pid.clone()),
        ("trade_no", order.id.bare()),
        ("out_trade_no", order.number.clone()),
        ("type", kind.to_owned()),
        ("name", order.details.subject.clone()),
        ("money", yuan(order.money)),
        ("trade_status", "TRADE_SUCCESS".to_owned()),
        ("param", origin.param.clone()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    if let Signing::V2 { .. } = signing {
        parameters.insert("addtime".to_owned(), order.created_at.beijing());
        parameters.insert("timestamp".to_owned(), now.secs().to_string());
        if let Some(at) = order.paid_at {
            parameters.insert("endtime".to_owned(), at.beijing());
        }
    }
    signing.sign(&mut parameters);
    parameters
}

/// An address with parameters added to its query.
pub fn with_query(address: &str, parameters: &Parameters) -> String {
    let mut url = address.to_owned();
    let mut joint = if address.contains('?') { '&' } else { '?' };
    for (name, value) in parameters {
        url.push(joint);
        url.push_str(name);
        url.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
                url.push(char::from(byte));
            } else {
                url.push_str(&format!("%{byte:02X}"));
            }
        }
        joint = '&';
    }
    url
}

/// Whether a shop's answer acknowledges a notification.
pub fn acknowledged(body: &[u8]) -> bool {
    body.trim_ascii().eq_ignore_ascii_case(b"success")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_signature_of_version_1_is_the_known_one_and_covers_every_value() {
        // Made with `printf '%s' 'money=1.00&name=茶&pid=1001SECRETKEY' | md5sum`.
        let key = Signing::V1(Secret::new("SECRETKEY"));
        let mut signed = parameters(&[("pid", "1001"), ("name", "茶"), ("money", "1.00"), ("param", "")]);
        key.sign(&mut signed);
        assert_eq!(
            (signed["sign"].as_str(), signed["sign_type"].as_str()),
            ("3af4ef37497341f05f4e36f4fca1e7f0", "MD5")
        );
        assert!(key.verifies(&signed));
        for (name, value) in
            [("money", "1.0"), ("name", ""), ("param", "x"), ("sign_type", "RSA"), ("sign", "")]
        {
            let mut changed = signed.clone();
            changed.insert(name.to_owned(), value.to_owned());
            assert!(!key.verifies(&changed), "{name}={value}");
        }
        assert!(!Signing::V1(Secret::new("SECRETKEX")).verifies(&signed));
        assert!(key.is_key("SECRETKEY") && !key.is_key("secretkey") && !key.is_key(""));
    }

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (text, fen) in [("1", 100), ("1.0", 100), ("1.00", 100), ("0.01", 1), ("88.8", 8_880)] {
            assert_eq!(money(text), Some(Money::new(fen, Currency::CNY)), "{text}");
        }
        for text in
            ["0", "0.00", "-1", "1.001", "1e2", "1,000", " 1", "１", "", "NaN", "99999999999999999999"]
        {
            assert_eq!(money(text), None, "{text}");
        }
    }

    #[test]
    fn a_value_that_reads_as_another_parameter_is_found() {
        let check = |name, value| ambiguous(&parameters(&[(name, value)]));
        for (name, value) in [
            ("name", "tea&money=0.01"),
            ("device", "pc&money=100&name=tea"),
            ("param", "&pid=1"),
            ("notify_url", "https://a.example/?x=1&out_trade_no=2"),
            ("a&b", "1"),
        ] {
            assert!(check(name, value), "{name}={value}");
        }
        for (name, value) in [
            ("name", "R&D tea, a=b"),
            ("notify_url", "https://a.example/?x=1&y=2&type=epay"),
            ("param", "money=1"),
        ] {
            assert!(!check(name, value), "{name}={value}");
        }
    }

    #[test]
    fn a_query_is_added_to_an_address_with_or_without_one() {
        let parameters = parameters(&[("b", "茶 1+1"), ("a", "x")]);
        assert_eq!(
            with_query("https://a.example/n", &parameters),
            "https://a.example/n?a=x&b=%E8%8C%B6%201%2B1"
        );
        assert_eq!(with_query("https://a.example/n?c=d", &parameters)[..28], *"https://a.example/n?c=d&a=x&");
        assert!(acknowledged(b"success\n") && acknowledged(b"SUCCESS") && !acknowledged(b"success!"));
    }
}
