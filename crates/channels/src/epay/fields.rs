//! The settings of an account, for forms and the reference.

use paycore::channel::{Field, FieldKind};

pub(super) static FIELDS: &[Field] = &[
    required(
        "protocol",
        FieldKind::Text,
        ["Protocol version", "协议版本"],
        [
            "v2 (RSA signatures) wherever the panel offers it; v1 (MD5) only where it does not.",
            "平台支持时请填 v2（RSA 签名）；仅当平台只有旧接口时填 v1（MD5）。",
        ],
    ),
    required(
        "gateway",
        FieldKind::Url,
        ["Gateway", "接口地址"],
        [
            "The address of the panel, as its API page shows it, without submit.php or the like.",
            "平台“API 信息”页显示的接口地址，不带 submit.php 等文件名。",
        ],
    ),
    required(
        "pid",
        FieldKind::Text,
        ["Merchant ID (pid)", "商户 ID（pid）"],
        ["Your number at the panel.", "平台分配的商户 ID。"],
    ),
    of_version(
        "key",
        FieldKind::Secret,
        ["Merchant key (v1)", "商户密钥（v1）"],
        [
            "The MD5 key of version 1. Version 2 does not use it and accepts nothing signed with it.",
            "v1 的 MD5 密钥。v2 不使用此密钥，也不接受用它签名的内容。",
        ],
    ),
    of_version(
        "private_key",
        FieldKind::PrivateKey,
        ["Merchant private key (v2)", "商户私钥（v2）"],
        [
            "The RSA private key (at least 2048 bits) whose public half the panel has of you.",
            "与平台登记的商户公钥配对的 RSA 私钥（至少 2048 位）。",
        ],
    ),
    of_version(
        "platform_public_key",
        FieldKind::PublicKey,
        ["Platform public key (v2)", "平台公钥（v2）"],
        [
            "The panel's RSA public key from its API page. It is not your own public key.",
            "平台“API 信息”页显示的平台公钥，请勿填写商户公钥。",
        ],
    ),
];

type Texts = [&'static str; 2];

const fn required(key: &'static str, kind: FieldKind, labels: Texts, helps: Texts) -> Field {
    Field { required: true, ..of_version(key, kind, labels, helps) }
}

/// A setting that only one of the versions needs.
const fn of_version(key: &'static str, kind: FieldKind, labels: Texts, helps: Texts) -> Field {
    let ([label, label_zh], [help, help_zh]) = (labels, helps);
    Field { key, kind, required: false, label, label_zh, help, help_zh }
}
