//! The settings of one merchant, read once, and its signatures.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use paycore::channel::{Field, FieldKind, Settings, SettingsError};
use paycore::crypto::{Keyring, Scheme, Signer, Verifier};
use paycore::secret::{Secret, same};

use crate::dialect::settings::{digits, field, gateway, keys};

/// The gateway for real money.
const PRODUCTION: &str = "https://vsp.allinpay.com/apiweb";
/// The name under which the platform signs with SM2. We sign under our app id.
const PLATFORM: &str = "Allinpay";

/// One merchant's app with Allinpay.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) cusid: String,
    pub(super) appid: String,
    pub(super) orgid: Option<String>,
    pub(super) sub_appid: Option<String>,
    pub(super) term_no: String,
    /// Without a slash at its end.
    pub(super) gateway: String,
    keys: Keys,
}

/// How both ends sign.
#[derive(Debug)]
enum Keys {
    Rsa(Box<dyn Signer>, Box<dyn Verifier>),
    Sm2(Box<dyn Signer>, Box<dyn Verifier>),
    Md5(Secret),
}

impl Account {
    pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Account, SettingsError> {
        let word = |field: &str, text: &str, max: usize| {
            let text = text.trim();
            let plain = (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
            let wrong = || SettingsError::new(field, format!("must be 1 to {max} ASCII letters and digits"));
            if plain { Ok(text.to_owned()) } else { Err(wrong()) }
        };
        let optional =
            |field: &str, max| settings.value(field).map(|t| word(field, t.expose(), max)).transpose();
        let gateway = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        Ok(Account {
            cusid: word("cusid", settings.require("cusid")?.expose(), 15)?,
            appid: digits("appid", settings.require("appid")?.expose(), 1..=8)?,
            orgid: optional("orgid", 15)?,
            sub_appid: optional("sub_appid", 32)?,
            term_no: word("term_no", settings.text("term_no", "00000001"), 8)?,
            gateway: gateway.trim_end_matches('/').to_owned(),
            keys: Keys::open(settings, keyring)?,
        })
    }

    /// Where statements are asked for.
    pub(super) fn files(&self) -> String {
        match self.gateway.as_str() {
            PRODUCTION => "https://cus.allinpay.com/cusapi".to_owned(),
            other => format!("{}/cusapi", other.trim_end_matches("/apiweb")),
        }
    }

    /// The value of `signtype`.
    pub(super) fn sign_type(&self) -> &'static str {
        match self.keys {
            Keys::Rsa(..) => "RSA",
            Keys::Sm2(..) => "SM2",
            Keys::Md5(_) => "MD5",
        }
    }

    /// Our signature over a text of sorted pairs.
    pub(super) fn sign(&self, text: &str) -> Option<String> {
        let signature = match &self.keys {
            Keys::Rsa(signer, _) => signer.sign(Scheme::RsaSha1, text.as_bytes()),
            Keys::Sm2(signer, _) => signer.sign_as(Scheme::Sm2Sm3, &self.appid, text.as_bytes()),
            Keys::Md5(key) => return Some(digest(text, key)),
        };
        signature.ok().map(|signature| STANDARD.encode(signature))
    }

    /// Whether the platform signed a text of sorted pairs.
    pub(super) fn verifies(&self, text: &str, sign: &str) -> bool {
        let signature = STANDARD.decode(sign).unwrap_or_default();
        match &self.keys {
            Keys::Rsa(_, verifier) => verifier.verify(Scheme::RsaSha1, text.as_bytes(), &signature),
            Keys::Sm2(_, verifier) => {
                verifier.verify_as(Scheme::Sm2Sm3, PLATFORM, text.as_bytes(), &signature)
            }
            Keys::Md5(key) => same(digest(text, key).as_bytes(), sign.as_bytes()),
        }
    }
}

impl Keys {
    fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Keys, SettingsError> {
        let names = ("private_key", "platform_public_key");
        match settings.text("sign_type", "RSA").trim() {
            "RSA" => {
                keys(settings, keyring, names, Scheme::RsaSha1).map(|(ours, theirs)| Keys::Rsa(ours, theirs))
            }
            "SM2" => {
                keys(settings, keyring, names, Scheme::Sm2Sm3).map(|(ours, theirs)| Keys::Sm2(ours, theirs))
            }
            "MD5" => Ok(Keys::Md5(settings.require("md5_key")?.clone())),
            _ => Err(SettingsError::new("sign_type", "must be RSA, SM2 or MD5")),
        }
    }
}

/// The MD5 of the pairs with the key as one more, in its place by the alphabet, in upper case.
fn digest(text: &str, key: &Secret) -> String {
    let (mut hash, mut key_to_come) = (Md5::new(), true);
    let mut joint = "";
    let own = ["key=", key.expose().trim()];
    for pair in text.split('&') {
        // What goes on with a name is a pair; what does not is the rest of a value.
        if key_to_come && pair.split_once('=').is_some_and(|(name, _)| name > "key") {
            hash.update(joint);
            own.iter().for_each(|part| hash.update(part));
            (joint, key_to_come) = ("&", false);
        }
        hash.update(joint);
        hash.update(pair);
        joint = "&";
    }
    if key_to_come {
        hash.update(joint);
        own.iter().for_each(|part| hash.update(part));
    }
    hash.finalize().iter().fold(String::with_capacity(32), |mut hex, byte| {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}

#[rustfmt::skip] // A table: name and kind, then the help in each language.
pub(super) static FIELDS: &[Field] = &[
    field("cusid", FieldKind::Text, true, ["Merchant number", "商户号",
        "The merchant number (cusid), at most 15 characters.",
        "通联分配的商户号（cusid），最多 15 位。"]),
    field("appid", FieldKind::Text, true, ["App ID", "应用 APPID",
        "The app number from the merchant console, at most 8 digits.",
        "收银宝商户后台的应用 APPID，最多 8 位数字。"]),
    field("orgid", FieldKind::Text, false, ["Organisation", "集团/代理商号",
        "Only where an organisation signs for the merchant.",
        "仅集团或代理商模式需要。"]),
    field("sign_type", FieldKind::Text, false, ["Signature", "签名方式",
        "RSA (when empty), SM2 (advised) or MD5 (discouraged), as set in the merchant console.",
        "与商户后台一致：RSA（留空）、SM2（推荐）或 MD5（不推荐）。"]),
    field("private_key", FieldKind::PrivateKey, false, ["Your private key", "商户私钥",
        "RSA (2048 bits) or SM2; its public half is set in the merchant console. For RSA and SM2.",
        "RSA（2048 位）或 SM2 私钥，公钥配置在商户后台；RSA、SM2 方式必填。"]),
    field("platform_public_key", FieldKind::PublicKey, false, ["Allinpay's public key", "通联公钥",
        "Shown in the merchant console for the same kind of signature. For RSA and SM2.",
        "商户后台显示的同类通联平台公钥；RSA、SM2 方式必填。"]),
    field("md5_key", FieldKind::Secret, false, ["MD5 key", "MD5 密钥",
        "The key set in the merchant console, where the signature is MD5.",
        "商户后台设置的交易密钥，仅 MD5 方式需要。"]),
    field("sub_appid", FieldKind::Text, false, ["WeChat app ID", "微信 AppID",
        "Of your official account, mini program or app, for WeChat Pay inside them.",
        "公众号、小程序或应用的 AppID，微信场景使用。"]),
    field("term_no", FieldKind::Text, false, ["Terminal number", "终端号",
        "Of the device that scans barcodes; 00000001 when empty.",
        "被扫收款的终端号；留空为 00000001。"]),
    field("gateway", FieldKind::Url, false, ["Gateway", "网关地址",
        "Leave empty for production; https://syb-test.allinpay.com/apiweb is for tests.",
        "生产环境请留空；测试环境为 https://syb-test.allinpay.com/apiweb。"]),
];
