//! The settings of an app: what a form shows, and how the keys are opened.

use paycore::channel::{Field, FieldKind, Settings, SettingsError};
use paycore::crypto::{Keyring, Scheme, Signer};

use super::{App, Protocol, Serials, TheirKey, certificate, login, seal};
use crate::dialect::settings::{digits, gateway, rsa_keys};
use crate::dialect::v3;

/// The gateway for real money.
const PRODUCTION: &str = "https://openapi.alipay.com/gateway.do";

pub(crate) const APP_ID: Field = Field {
    key: "app_id",
    kind: FieldKind::Text,
    required: true,
    label: "App ID",
    label_zh: "应用 APPID",
    help: "The 16 digits of your app in the Alipay open platform console.",
    help_zh: "支付宝开放平台控制台中该应用的 16 位数字 APPID。",
};

pub(crate) const PRIVATE_KEY: Field = Field {
    key: "private_key",
    kind: FieldKind::PrivateKey,
    required: true,
    label: "App private key",
    label_zh: "应用私钥",
    help: "The RSA2 (2048-bit) private key whose public half or certificate request you uploaded for this app.",
    help_zh: "与上传到该应用的公钥或证书请求（CSR）配对的 RSA2（2048 位）应用私钥。",
};

pub(crate) const MODE: Field = Field {
    key: "mode",
    kind: FieldKind::Text,
    required: false,
    label: "Key mode",
    label_zh: "接口加签方式",
    help: "`keys` (as when left empty) or `certificates`, as chosen in the console. Transfers need certificates.",
    help_zh: "与控制台的“接口加签方式”一致：`keys` 为公钥（留空时默认），`certificates` 为公钥证书。转账须使用公钥证书。",
};

pub(crate) const ALIPAY_PUBLIC_KEY: Field = Field {
    key: "alipay_public_key",
    kind: FieldKind::PublicKey,
    required: false,
    label: "Alipay public key",
    label_zh: "支付宝公钥",
    help: "In key mode: shown by the console after you upload your own public key. It is not your app's public key.",
    help_zh: "公钥模式必填：上传应用公钥后控制台显示的支付宝公钥，请勿填写应用公钥。",
};

pub(crate) const APP_CERTIFICATE: Field = Field {
    key: "app_certificate",
    kind: FieldKind::PublicKey,
    required: false,
    label: "App certificate",
    label_zh: "应用公钥证书",
    help: "In certificate mode: the content of appCertPublicKey_….crt.",
    help_zh: "证书模式必填：appCertPublicKey_….crt 文件的内容。",
};

pub(crate) const ALIPAY_CERTIFICATE: Field = Field {
    key: "alipay_certificate",
    kind: FieldKind::PublicKey,
    required: false,
    label: "Alipay certificate",
    label_zh: "支付宝公钥证书",
    help: "In certificate mode: the content of alipayCertPublicKey_RSA2.crt. Put the next one behind it before it changes.",
    help_zh: "证书模式必填：alipayCertPublicKey_RSA2.crt 文件的内容。证书更换前可将新证书追加在后。",
};

pub(crate) const ALIPAY_ROOT_CERTIFICATE: Field = Field {
    key: "alipay_root_certificate",
    kind: FieldKind::PublicKey,
    required: false,
    label: "Alipay root certificates",
    label_zh: "支付宝根证书",
    help: "In certificate mode: the content of alipayRootCert.crt, with all its certificates.",
    help_zh: "证书模式必填：alipayRootCert.crt 文件的全部内容。",
};

pub(crate) const PROTOCOL: Field = Field {
    key: "protocol",
    kind: FieldKind::Text,
    required: false,
    label: "Protocol",
    label_zh: "接口协议",
    help: "`v2` (as when left empty, gateway.do) or `v3` (REST). Everything can be done with either.",
    help_zh: "`v2`（留空时默认，gateway.do）或 `v3`（REST）。两种协议功能相同。",
};

pub(crate) const ENCRYPT_KEY: Field = Field {
    key: "encrypt_key",
    kind: FieldKind::Secret,
    required: false,
    label: "Content encryption key",
    label_zh: "接口内容加密密钥",
    help: "The AES key from the console, if you switched content encryption on.",
    help_zh: "如在控制台开启了接口内容加密，请填写 AES 密钥。",
};

// It is sent with every call and is worth nothing without the app's key, so it is no secret in our sense.
pub(crate) const APP_AUTH_TOKEN: Field = Field {
    key: "app_auth_token",
    kind: FieldKind::Text,
    required: false,
    label: "Authorization token",
    label_zh: "应用授权令牌",
    help: "For service providers: the app_auth_token by which the merchant lets your app act.",
    help_zh: "服务商代商家调用时填写：商家授权后得到的 app_auth_token。",
};

pub(crate) const SELLER_ID: Field = Field {
    key: "seller_id",
    kind: FieldKind::Text,
    required: false,
    label: "Seller ID (PID)",
    label_zh: "卖家支付宝用户号（PID）",
    help: "16 digits beginning with 2088. When set, notifications and statements of other sellers are refused.",
    help_zh: "以 2088 开头的 16 位数字。填写后将拒绝其他卖家的通知与账单；APP 预授权须填写。",
};

pub(crate) const MINI_APP_ID: Field = Field {
    key: "mini_app_id",
    kind: FieldKind::Text,
    required: false,
    label: "Mini program ID",
    label_zh: "小程序 APPID",
    help: "The app ID of the mini program where payers are, when it is not the app above.",
    help_zh: "付款人所在小程序的 APPID，与上面的应用不同时填写。",
};

pub(crate) const GATEWAY: Field = Field {
    key: "gateway",
    kind: FieldKind::Url,
    required: false,
    label: "Gateway",
    label_zh: "网关地址",
    help: "Leave empty for production (https://openapi.alipay.com/gateway.do). v3 is found beside it.",
    help_zh: "生产环境请留空（https://openapi.alipay.com/gateway.do），v3 地址由此推出。",
};

impl App {
    /// Reads the settings of an app and opens its keys.
    pub(crate) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<App, SettingsError> {
        let app_id = digits("app_id", settings.require("app_id")?.expose(), 10..=32)?;
        let gateway = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        let certificates = chosen(settings, "mode", ["keys", "certificates"])? == 1;
        let protocol = [Protocol::V2, Protocol::V3][chosen(settings, "protocol", ["v2", "v3"])?];
        let signer = keyring.signer(settings.require("private_key")?);
        let signer = signer.map_err(|error| SettingsError::new("private_key", error))?;
        let (theirs, certificates) = if certificates {
            let (theirs, serials) = certified(settings, keyring, signer.as_ref())?;
            (theirs, Some(serials))
        } else {
            let (_, verifier) = rsa_keys(settings, keyring, ("private_key", "alipay_public_key"))?;
            (vec![TheirKey { serial: None, verifier, expires: None }], None)
        };
        let seal = settings.value("encrypt_key").map(|key| {
            seal::Seal::new(key)
                .ok_or_else(|| SettingsError::new("encrypt_key", "must be the base64 of 16 bytes"))
        });
        let token = settings.value("app_auth_token").map(|token| v3::word("app_auth_token", token.expose()));
        let (seal, app_auth_token, login) = (seal.transpose()?, token.transpose()?, login::page(settings)?);
        Ok(App { app_id, gateway, protocol, signer, theirs, certificates, seal, app_auth_token, login })
    }

    /// Whether it has certificates: some methods ask for them.
    pub(crate) fn certified(&self) -> bool {
        self.certificates.is_some()
    }

    /// The app's number.
    pub(crate) fn id(&self) -> &str {
        &self.app_id
    }
}

/// Which of two words a setting is; the first when it is left empty.
fn chosen(settings: &Settings, field: &str, words: [&'static str; 2]) -> Result<usize, SettingsError> {
    let text = settings.text(field, words[0]).trim();
    let wrong = || SettingsError::new(field, format!("must be `{}` or `{}`", words[0], words[1]));
    words.iter().position(|word| *word == text).ok_or_else(wrong)
}

/// The gateway's keys out of its certificates, which have to lead to a root, and the numbers we name ours by.
fn certified(
    settings: &Settings,
    keyring: &dyn Keyring,
    signer: &dyn Signer,
) -> Result<(Vec<TheirKey>, Serials), SettingsError> {
    const THEIRS: &str = "alipay_certificate";
    let load = |field| certificate::read(field, settings.require(field)?.expose());
    let (ours, all, roots) = (load("app_certificate")?, load(THEIRS)?, load("alipay_root_certificate")?);
    let probe = b"whose certificate is this";
    let key = certificate::public_key(&ours[0]).and_then(|key| keyring.verifier(&key).ok());
    let signed = signer.sign(Scheme::RsaSha256, probe).ok().zip(key);
    if !signed.is_some_and(|(signature, key)| key.verify(Scheme::RsaSha256, probe, &signature)) {
        return Err(SettingsError::new("app_certificate", "is not the certificate of the private key"));
    }
    let root = certificate::root_serial(&roots);
    if root.is_empty() {
        return Err(SettingsError::new("alipay_root_certificate", "holds no root that signs with RSA"));
    }
    let mut theirs = Vec::new();
    // The file also holds the authority that issued the certificate.
    for leaf in all.iter().filter(|one| !certificate::is_authority(one, &all)) {
        if !certificate::leads_to_root(leaf, &all, &roots, keyring) {
            return Err(SettingsError::new(THEIRS, "was not issued by one of the root certificates"));
        }
        let mut with_key = settings.clone();
        with_key.set(THEIRS, certificate::public_key(leaf).unwrap_or_default());
        let (_, verifier) = rsa_keys(&with_key, keyring, ("private_key", THEIRS))?;
        let (serial, expires) = (certificate::serial(leaf), certificate::expires(leaf));
        theirs.push(TheirKey { serial: Some(serial), verifier, expires: Some(expires) });
    }
    if theirs.is_empty() {
        return Err(SettingsError::new(THEIRS, "holds no certificate of the gateway"));
    }
    Ok((theirs, Serials { app: certificate::serial(&ours[0]), root }))
}
