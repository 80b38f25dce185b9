//! UnionPay (中国银联) 5.1.0, 全渠道: the gateway for cards of persons (`unionpay.page`, `unionpay.h5`) and of companies
//! (`unionpay.b2b`), the 云闪付 app (`unionpay.app`), and QR codes both ways (`unionpay.qr`, `unionpay.barcode`), in CNY.
//!
//! What this adapter believes and what it does not is written in the README beside this file.

mod config;
mod decode;
mod encode;
mod notice;
pub mod simulator;
mod statement;

use std::io::BufRead;
use std::sync::Arc;

use bytes::Bytes;
use paycore::channel::{
    Capability, CaptureMode, Channel, Context, Currencies, Driver, Fault, Field, FieldKind, Line, Notice,
    Operation, Profile, References, Refusal, Reply, Settings, SettingsError, Stage, StatementKind, Step,
    Totals, Verb, Verified, simulator as sim,
};
use paycore::crypto::Keyring;
use paycore::currency::Currency;
use paycore::units::UnitRule;

use crate::dialect::reply;
use config::Account;

/// The UnionPay channel.
#[derive(Debug, Clone, Copy)]
pub struct UnionPay;

impl Driver for UnionPay {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn open(&self, settings: &Settings, keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError> {
        Ok(Arc::new(Account::open(settings, keyring)?))
    }

    fn simulator(&self) -> Option<&'static dyn sim::Maker> {
        Some(&simulator::Sandbox)
    }
}

impl Channel for Account {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn encode(&self, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
        encode::first(self, operation, cx)
    }

    fn decode(
        &self,
        operation: &Operation,
        stage: Stage,
        reply: &Reply,
        cx: &Context<'_>,
    ) -> Result<Step, Fault> {
        decode::next(self, operation, stage, reply, cx)
    }

    fn verify(&self, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
        notice::verify(self, notice, cx)
    }

    /// UnionPay's rule: after a notification the outcome is queried, and only that is booked.
    fn confirms(&self) -> bool {
        true
    }

    fn reject(&self) -> http::Response<Bytes> {
        reply::plain(http::StatusCode::BAD_REQUEST, "fail")
    }

    fn parse(&self, statement: &mut dyn BufRead, each: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
        statement::parse(self, statement, each)
    }
}

const CNY: Currency = Currency::CNY;
const UNITS: UnitRule = UnitRule::Minor;
/// The gateway for real money.
const PRODUCTION: &str = "https://gateway.95516.com";
const TAKEN: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Refund, Verb::QueryRefund];
const HELD: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Capture, Verb::Void, Verb::Refund, Verb::QueryRefund];

const fn scene(scene: &'static str, can_hold: bool) -> Capability {
    Capability {
        brand: "unionpay",
        scene,
        currencies: Currencies::Only(&[CNY]),
        countries: &["CN"],
        verbs: if can_hold { HELD } else { TAKEN },
        captures: if can_hold {
            &[CaptureMode::Automatic, CaptureMode::Manual]
        } else {
            &[CaptureMode::Automatic]
        },
        parts_max: 0,
    }
}

static PROFILE: Profile = Profile {
    id: "unionpay",
    name: "UnionPay",
    name_zh: "银联",
    capabilities: &[
        scene("page", true),
        scene("b2b", false),
        scene("h5", true),
        scene("app", true),
        scene("qr", true),
        scene("barcode", true),
    ],
    verbs: &[],
    statements: &[StatementKind::Trade],
    units: UNITS,
    // An order number of UnionPay's has at least 8 characters. Statements hold 32 of it, of which the last six tell a
    // capture from its payment.
    references: References { min: 8, max: 26 },
    fields: FIELDS,
    sources: &[
        "https://open.unionpay.com/tjweb/acproduct/list?apiSvcId=448",
        "https://open.unionpay.com/tjweb/acproduct/list?apiSvcId=468",
        "https://open.unionpay.com/tjweb/support/doc/online/3/113",
        "https://github.com/Javen205/IJPay",
    ],
};

const fn field(key: &'static str, kind: FieldKind, en: [&'static str; 2], zh: [&'static str; 2]) -> Field {
    Field { key, kind, required: false, label: en[0], label_zh: zh[0], help: en[1], help_zh: zh[1] }
}

static FIELDS: &[Field] = &[
    Field {
        required: true,
        ..field(
            "mer_id",
            FieldKind::Text,
            ["Merchant ID", "15 characters, from UnionPay or your acquirer."],
            ["商户号", "银联或收单机构分配的 15 位商户号。"],
        )
    },
    field(
        "sign_method",
        FieldKind::Text,
        [
            "Signature method",
            "01 certificates (default), 11 shared key with SHA-256, 12 shared key with SM3.",
        ],
        ["签名方法", "01 证书签名（默认），11 SHA-256 密钥，12 SM3 密钥。"],
    ),
    field(
        "certificate",
        FieldKind::PublicKey,
        ["Signing certificate", "Method 01: from your .pfx file as PEM (openssl pkcs12 -clcerts -nokeys)."],
        ["商户签名证书", "01 方式：从 .pfx 导出的商户证书（PEM）。"],
    ),
    field(
        "private_key",
        FieldKind::PrivateKey,
        ["Private key", "Method 01: from the same .pfx file (openssl pkcs12 -nocerts -nodes)."],
        ["商户私钥", "01 方式：同一 .pfx 中的私钥（PEM）。"],
    ),
    field(
        "root_certificate",
        FieldKind::PublicKey,
        [
            "UnionPay root certificate",
            "Method 01: acp_prod_root.cer of UnionPay's SDK. All messages lead to it.",
        ],
        ["银联根证书", "01 方式：银联 SDK 的 acp_prod_root.cer，报文须能追溯到它。"],
    ),
    field(
        "middle_certificate",
        FieldKind::PublicKey,
        ["UnionPay intermediate certificate", "Method 01: acp_prod_middle.cer of UnionPay's SDK."],
        ["银联中级证书", "01 方式：银联 SDK 的 acp_prod_middle.cer。"],
    ),
    field(
        "secure_key",
        FieldKind::Secret,
        ["Shared key", "Methods 11 and 12: the key that you share with UnionPay."],
        ["安全密钥", "11、12 方式：与银联约定的安全密钥。"],
    ),
    field(
        "term_id",
        FieldKind::Text,
        ["Terminal ID", "8 characters, for payments by the payer's code; 00000001 when empty."],
        ["终端号", "付款码（被扫）交易上送的 8 位终端号，留空为 00000001。"],
    ),
    field(
        "gateway",
        FieldKind::Url,
        ["Gateway", "Leave empty for production; for tests https://gateway.test.95516.com."],
        ["网关地址", "生产环境请留空；测试环境为 https://gateway.test.95516.com。"],
    ),
];
