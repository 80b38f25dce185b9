//! QQ wallet (QQ 钱包), direct merchant mode, in CNY: QR code, official account inside QQ, app, mini program, and the
//! payer's barcode. The wire is flat XML with an MD5 signature, as WeChat Pay had it before.
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
    Capability, Channel, Context, Driver, Fault, Field, FieldKind, Line, Notice, Operation, Profile,
    References, Refusal, Reply, Settings, SettingsError, Stage, StatementKind, Step, Totals, Verb, Verified,
    simulator as sim,
};
use paycore::crypto::Keyring;
use paycore::currency::Currency;
use paycore::units::UnitRule;

use crate::dialect::capability::cny;
use crate::dialect::settings::field;
use config::Account;

/// The QQ wallet channel.
#[derive(Debug, Clone, Copy)]
pub struct Qq;

impl Driver for Qq {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn open(&self, settings: &Settings, _keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError> {
        Ok(Arc::new(Account::open(settings)?))
    }

    fn notifies(&self, capability: &Capability) -> bool {
        capability.scene != "barcode"
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

    fn reject(&self) -> http::Response<Bytes> {
        notice::answer(http::StatusCode::BAD_REQUEST, "FAIL")
    }

    fn parse(&self, statement: &mut dyn BufRead, each: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
        statement::parse(self, statement, each)
    }
}

const CNY: Currency = Currency::CNY;
const VERBS: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund];
/// The gateway for real money.
const PRODUCTION: &str = "https://qpay.qq.com";
/// The same for calls that need a client certificate.
const PRODUCTION_MUTUAL: &str = "https://api.qpay.qq.com";

const fn scene(scene: &'static str) -> Capability {
    cny("qq", scene, VERBS)
}

static PROFILE: Profile = Profile {
    id: "qq",
    name: "QQ Wallet",
    name_zh: "QQ 钱包",
    capabilities: &[scene("qr"), scene("jsapi"), scene("app"), scene("mini"), scene("barcode")],
    verbs: &[],
    statements: &[StatementKind::Trade],
    units: UnitRule::Minor,
    references: References { min: 1, max: 32 },
    fields: FIELDS,
    sources: &[
        "https://mp.qpay.tenpay.cn/buss/wiki/38/1203",
        "https://mp.qpay.tenpay.cn/buss/wiki/1/1122",
        "https://mp.qpay.tenpay.cn/buss/wiki/1/1126",
        "https://mp.qpay.tenpay.cn/buss/wiki/206/1213",
        "https://github.com/go-pay/gopay",
    ],
};

#[rustfmt::skip] // A table: name and kind, then the help in each language.
static FIELDS: &[Field] = &[
    field("mch_id", FieldKind::Text, true, ["Merchant ID", "商户号",
        "The digits of your merchant number on the QQ wallet merchant platform.",
        "QQ 钱包商户平台中的商户号（数字）。"]),
    field("key", FieldKind::Secret, true, ["API key", "API 密钥",
        "The 32 characters you set on the merchant platform under API security.",
        "商户平台“账户管理 → API 安全”中设置的 32 位密钥。"]),
    field("appid", FieldKind::Text, false, ["App ID", "应用 APPID",
        "The digits of your app on the QQ open platform. Payments inside QQ and from apps need it.",
        "QQ 开放平台或 QQ 互联的应用 APPID（数字），公众号与 App 支付必填。"]),
    field("app_key", FieldKind::Secret, false, ["App key", "应用 APPKEY",
        "The app key of the same app. Only payments from apps need it.",
        "该应用的 APPKEY，仅 App 支付需要。"]),
    field("op_user_id", FieldKind::Text, false, ["Operator", "操作员账号",
        "Who gives money back: the merchant number itself, or an operator that you created there.",
        "退款与撤销的操作员账号，可为商户号本身或自建的操作员。"]),
    field("op_user_passwd", FieldKind::Secret, false, ["Operator's password", "操作员密码",
        "The operator's password in clear; its MD5 digest is sent.",
        "操作员密码明文，发送时使用其 MD5。"]),
    field("client_certificate", FieldKind::PublicKey, false, ["Client certificate", "商户证书",
        "The content of apiclient_cert.pem. Without it nothing can be given back.",
        "商户平台下载的 apiclient_cert.pem 内容，缺少时无法退款或撤销。"]),
    field("client_key", FieldKind::PrivateKey, false, ["Key of the client certificate", "商户证书私钥",
        "The content of apiclient_key.pem.",
        "商户平台下载的 apiclient_key.pem 内容。"]),
    field("gateway", FieldKind::Url, false, ["Gateway", "网关地址",
        "Leave empty for production (https://qpay.qq.com).",
        "生产环境请留空（https://qpay.qq.com）。"]),
    field("mutual_gateway", FieldKind::Url, false, ["Gateway for refunds", "退款网关地址",
        "Leave empty for production (https://api.qpay.qq.com), or where one gateway serves everything.",
        "生产环境或仅有一个网关时请留空（https://api.qpay.qq.com）。"]),
];
