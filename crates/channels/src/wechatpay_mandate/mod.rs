//! WeChat Pay's mandates (微信支付委托代扣, papay) by its second interface, in CNY: a payer signs a contract once and is charged
//! afterwards without being present. The wire is flat XML and signed addresses, all under one shared key.
//!
//! What this adapter believes and what it does not is written in the README beside this file.

mod config;
mod contract;
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

use crate::dialect::settings::field;
use crate::dialect::v2;
use config::Account;

/// The channel of WeChat Pay's mandates.
#[derive(Debug, Clone, Copy)]
pub struct WechatPayMandate;

impl Driver for WechatPayMandate {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn open(&self, settings: &Settings, _keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError> {
        Ok(Arc::new(Account::open(settings)?))
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
        v2::answer(http::StatusCode::BAD_REQUEST, "FAIL")
    }

    fn parse(&self, file: &mut dyn BufRead, each: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
        statement::parse(self, file, each)
    }
}

const CNY: Currency = Currency::CNY;
/// The gateway for real money.
const PRODUCTION: &str = "https://api.mch.weixin.qq.com";
#[rustfmt::skip]
const VERBS: &[Verb] = &[
    Verb::Pay, Verb::Query, Verb::Refund, Verb::QueryRefund, Verb::SignMandate, Verb::QueryMandate, Verb::RevokeMandate,
];

static PROFILE: Profile = Profile {
    id: "wechatpay_mandate",
    name: "WeChat Pay mandates",
    name_zh: "微信支付委托代扣",
    capabilities: &[Capability {
        brand: "wechatpay",
        scene: "mandate",
        currencies: Currencies::Only(&[CNY]),
        countries: &["CN"],
        verbs: VERBS,
        captures: &[CaptureMode::Automatic],
        parts_max: 0,
    }],
    verbs: &[],
    statements: &[StatementKind::Trade],
    units: UnitRule::Minor,
    references: References { min: 1, max: 32 },
    fields: FIELDS,
    sources: &[
        "https://pay.weixin.qq.com/wiki/doc/api/pap.php?chapter=17_1",
        "https://pay.weixin.qq.com/wiki/doc/api/wxpay_v2/papay/chapter3_8.shtml",
        "https://pay.weixin.qq.com/doc/v2/merchant/4013894074",
        "https://github.com/TheNorthMemory/wechatpay-openapi",
    ],
};

#[rustfmt::skip] // A table: name and kind, then the help in each language.
static FIELDS: &[Field] = &[
    field("mch_id", FieldKind::Text, true, ["Merchant ID", "商户号",
        "The digits of your merchant number on the WeChat Pay merchant platform.",
        "微信支付商户平台中的商户号（数字）。"]),
    field("appid", FieldKind::Text, true, ["App ID", "应用 AppID",
        "Of the official account, app or mini program that is bound to the merchant number (wx…).",
        "与商户号绑定的公众号、App 或小程序的 AppID（wx…）。"]),
    field("key", FieldKind::Secret, true, ["APIv2 key", "APIv2 密钥",
        "The 32 characters you set under API security. It is not the APIv3 key.",
        "在商户平台“API 安全”中设置的 32 位 APIv2 密钥，不是 APIv3 密钥。"]),
    field("plan_id", FieldKind::Text, true, ["Plan ID", "代扣模板 ID",
        "The digits of the deduction plan that WeChat Pay approved for you. Set this account's notification address as the \
         plan's address for terminations.",
        "微信支付审核通过的代扣模板 ID（数字）；请把本账户的通知地址填为该模板的解约回调地址。"]),
    field("client_certificate", FieldKind::PublicKey, false, ["Client certificate", "商户证书",
        "The content of apiclient_cert.pem. Without it nothing is given back.",
        "商户平台下载的 apiclient_cert.pem 内容，缺少时无法退款。"]),
    field("client_key", FieldKind::PrivateKey, false, ["Key of the client certificate", "商户证书私钥",
        "The content of apiclient_key.pem.",
        "商户平台下载的 apiclient_key.pem 内容。"]),
    field("gateway", FieldKind::Url, false, ["Gateway", "网关地址",
        "Leave empty for production (https://api.mch.weixin.qq.com).",
        "生产环境请留空（https://api.mch.weixin.qq.com）。"]),
];
