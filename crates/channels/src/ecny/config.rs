//! Which operators there are, and what a merchant tells us to reach one.

use std::sync::Arc;

use paycore::channel::{Channel, Field, FieldKind, Settings, SettingsError};
use paycore::crypto::Keyring;

use super::cmb;

/// Opens an account with one operator.
type Open = fn(&Settings, &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError>;

/// The operators, by the value of the setting.
const OPERATORS: &[(&str, Open)] = &[("cmb", cmb::open)];

/// Opens an account with the operator that the settings name.
pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError> {
    let wanted = settings.require("operator")?.expose().trim();
    let known = OPERATORS.iter().find(|(name, _)| *name == wanted);
    let (_, open) = known.ok_or_else(|| SettingsError::new("operator", "is not known; `cmb` is"))?;
    open(settings, keyring)
}

pub(super) static FIELDS: &[Field] = &[
    field(
        ("operator", FieldKind::Text, true),
        ("Operator", "运营机构"),
        ("cmb is China Merchants Bank.", "招商银行填 cmb。"),
    ),
    field(
        ("merchant_id", FieldKind::Text, true),
        ("Merchant number", "商户号"),
        ("The operator's number of your contract (merId).", "运营机构分配的商户号（merId）。"),
    ),
    field(
        ("cashier_id", FieldKind::Text, true),
        ("Cashier", "收银员"),
        ("The userId opened for you, at most 10 characters.", "收银员编号（userId），最多 10 位。"),
    ),
    field(
        ("app_id", FieldKind::Text, true),
        ("APP ID", "APP ID"),
        ("Handed out with the APP SECRET when you were connected.", "接入时与 APP SECRET 一同分配。"),
    ),
    field(
        ("app_secret", FieldKind::Secret, true),
        ("APP SECRET", "APP SECRET"),
        ("Goes into each request's digest, never over the wire.", "仅用于计算摘要，不会上送。"),
    ),
    field(
        ("private_key", FieldKind::PrivateKey, true),
        ("Merchant SM2 private key", "商户 SM2 私钥"),
        ("64 hex digits, or PKCS#8.", "64 位十六进制或 PKCS#8 文本。"),
    ),
    field(
        ("operator_public_key", FieldKind::PublicKey, true),
        ("Operator's SM2 public key", "运营机构 SM2 公钥"),
        ("Begins with MFkw. It is not your own public key.", "MFkw 开头，请勿填写商户自己的公钥。"),
    ),
    field(
        ("terminal_no", FieldKind::Text, false),
        ("Terminal number", "受理终端编号"),
        ("At most 32 letters and digits; 00000001 when empty.", "最多 32 位字母数字；留空为 00000001。"),
    ),
    field(
        ("trade_place", FieldKind::Text, false),
        ("Place of trade", "交易地点"),
        ("As reported to the operator; \"线上\" (online) when empty.", "上报的交易地点；留空为“线上”。"),
    ),
    field(
        ("gateway", FieldKind::Url, false),
        ("Gateway", "网关地址"),
        ("Leave empty for production.", "生产环境请留空。"),
    ),
];

type Pair = (&'static str, &'static str);

/// A field from its key, kind and whether it is required, and its label and help in English and Chinese.
const fn field(facts: (&'static str, FieldKind, bool), labels: Pair, help: Pair) -> Field {
    let ((key, kind, required), (label, label_zh), (help, help_zh)) = (facts, labels, help);
    Field { key, kind, required, label, label_zh, help, help_zh }
}
