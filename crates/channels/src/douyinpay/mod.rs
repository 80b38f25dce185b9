//! Douyin Pay (抖音支付), direct merchant mode, in CNY: QR code (Native), browser outside the app (H5), page inside the
//! app (JSAPI), mini program and app. Its interface was made after WeChat Pay API v3, with names of its own.
//!
//! What this adapter believes and what it does not is written in the README beside this file.

mod config;
mod decode;
mod encode;
mod envelope;
mod notice;
pub mod simulator;
mod statement;

use std::io::BufRead;
use std::sync::Arc;

use bytes::Bytes;
use paycore::channel::{
    Capability, Channel, Context, Driver, Fault, Field, FieldKind, Line, Notice, Operation, Profile,
    References, Refusal, Reply, Settings, SettingsError, Stage, Step, Totals, Verb, Verified,
    simulator as sim,
};
use paycore::crypto::Keyring;
use paycore::currency::Currency;
use paycore::units::UnitRule;

use crate::dialect::capability::cny;
use crate::dialect::settings::field;
use crate::dialect::v3::rejection;
use config::Account;

/// The Douyin Pay channel.
#[derive(Debug, Clone, Copy)]
pub struct DouyinPay;

impl Driver for DouyinPay {
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

    fn reject(&self) -> http::Response<Bytes> {
        rejection()
    }

    fn parse(&self, _: &mut dyn BufRead, _: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
        statement::parse()
    }
}

const CNY: Currency = Currency::CNY;
const VERBS: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund];
/// The gateway for real money.
const PRODUCTION: &str = "https://api.douyinpay.com";

const fn scene(scene: &'static str) -> Capability {
    cny("douyinpay", scene, VERBS)
}

static PROFILE: Profile = Profile {
    id: "douyinpay",
    name: "Douyin Pay",
    name_zh: "抖音支付",
    capabilities: &[scene("qr"), scene("h5"), scene("jsapi"), scene("mini"), scene("app")],
    verbs: &[],
    statements: &[],
    units: UnitRule::Minor,
    references: References { min: 6, max: 32 },
    fields: FIELDS,
    sources: &[
        "https://pay.douyinpay.com/wiki/",
        "https://github.com/douyinpay/douyinpay-java",
        "https://github.com/douyinpay/douyinpay-python",
        "https://github.com/go-pay/gopay/tree/main/douyin",
    ],
};

#[rustfmt::skip] // A table: name and kind, then the help in each language.
static FIELDS: &[Field] = &[
    field("mchid", FieldKind::Text, true, ["Merchant ID", "商户号",
        "The digits of your merchant number on the Douyin Pay merchant platform.",
        "抖音支付商家平台中的商户号（数字）。"]),
    field("appid", FieldKind::Text, true, ["App ID", "应用 AppID",
        "Of the app, website or mini program that is bound to the merchant number.",
        "与商户号绑定的应用、网站或小程序的 AppID。"]),
    field("serial_no", FieldKind::Text, true, ["Merchant certificate serial", "商户证书序列号",
        "The serial number of your merchant API certificate, under key management.",
        "商家平台“密钥管理”中商户 API 证书的序列号。"]),
    field("private_key", FieldKind::PrivateKey, true, ["Merchant private key", "商户私钥",
        "The private key that belongs to the merchant API certificate.",
        "与商户 API 证书配对的私钥。"]),
    field("encrypt_key", FieldKind::Secret, true, ["Interface encryption key", "接口加密密钥",
        "The 32 characters under key management; notifications are sealed with it.",
        "“密钥管理”中的接口加密密钥（32 个字符），用于解密通知。"]),
    field("platform_certificate", FieldKind::PublicKey, true, ["Platform certificate", "抖音支付平台证书",
        "One or several platform certificates in PEM form, to be replaced before they run out.",
        "一个或多个 PEM 格式的平台证书；请在过期前更换。"]),
    field("gateway", FieldKind::Url, false, ["Gateway", "网关地址",
        "Leave empty for production (https://api.douyinpay.com).",
        "生产环境请留空（https://api.douyinpay.com）。"]),
];
