//! Lakala open platform (拉卡拉开放平台), aggregated collection (聚合扫码), in CNY: QR codes for Alipay and UnionPay, the
//! wallets' own pages, mini programs and apps, and the payer's barcode of any wallet, the digital yuan among them.
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
use config::Account;

/// The Lakala channel.
#[derive(Debug, Clone, Copy)]
pub struct Lakala;

impl Driver for Lakala {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn open(&self, settings: &Settings, keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError> {
        Ok(Arc::new(Account::open(settings, keyring)?))
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
        notice::rejection()
    }

    fn parse(&self, _: &mut dyn BufRead, _: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
        statement::parse()
    }
}

const CNY: Currency = Currency::CNY;
const VERBS: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund];
const UNITS: UnitRule = UnitRule::Minor;
/// The gateway for real money.
const PRODUCTION: &str = "https://s2.lakala.com";

const fn scene(brand: &'static str, scene: &'static str) -> Capability {
    cny(brand, scene, VERBS)
}

static PROFILE: Profile = Profile {
    id: "lakala",
    name: "Lakala",
    name_zh: "拉卡拉",
    capabilities: &[
        scene("alipay", "qr"),
        scene("alipay", "jsapi"),
        scene("alipay", "barcode"),
        scene("wechatpay", "jsapi"),
        scene("wechatpay", "mini"),
        scene("wechatpay", "app"),
        scene("wechatpay", "barcode"),
        scene("unionpay", "qr"),
        scene("unionpay", "jsapi"),
        scene("unionpay", "barcode"),
        scene("ecny", "barcode"),
    ],
    verbs: &[],
    statements: &[],
    units: UNITS,
    // A revocation has a number of its own, made by one more character.
    references: References { min: 6, max: 31 },
    fields: FIELDS,
    sources: &[
        "https://o.lakala.com/#/home/document/detail?id=113",
        "https://o.lakala.com/#/home/document/detail?id=116",
        "https://github.com/zkmio/lakala-sdk",
    ],
};

#[rustfmt::skip] // A table: name and kind, then the help in each language.
static FIELDS: &[Field] = &[
    field("appid", FieldKind::Text, true, ["App ID", "接入方 AppID",
        "Assigned by Lakala when you were admitted, such as OP00000003.",
        "拉卡拉开放平台分配的 AppID，例如 OP00000003。"]),
    field("serial_no", FieldKind::Text, true, ["Your certificate's serial", "接入方证书序列号",
        "The serial number of the certificate you uploaded, in hexadecimal.",
        "您上传的接入方证书的序列号（十六进制）。"]),
    field("private_key", FieldKind::PrivateKey, true, ["Your private key", "接入方私钥",
        "The private key that belongs to your certificate.",
        "与接入方证书配对的私钥。"]),
    field("platform_key", FieldKind::PublicKey, true, ["Lakala's certificate", "拉卡拉平台证书",
        "The content of the certificate (lkl-apigw….cer, PEM) that Lakala signs with, or its public key.",
        "拉卡拉平台证书（lkl-apigw….cer，PEM 格式）的内容，或其公钥。"]),
    field("merchant_no", FieldKind::Text, true, ["Merchant number", "商户号",
        "The merchant number (merchant_no) at Lakala.",
        "拉卡拉分配的商户号（merchant_no）。"]),
    field("term_no", FieldKind::Text, true, ["Terminal number", "终端号",
        "The terminal number (term_no) for scan payments.",
        "拉卡拉分配的扫码业务终端号（term_no）。"]),
    field("request_ip", FieldKind::Text, true, ["Your server's address", "服务器 IP",
        "The public IP address your server calls from; Lakala asks for it with every trade.",
        "您的服务器出口 IP，拉卡拉风控要求每笔交易上送。"]),
    field("sub_appid", FieldKind::Text, false, ["WeChat app ID", "微信 AppID",
        "Of your official account, mini program or app; needed for WeChat Pay other than by barcode.",
        "公众号、小程序或应用的 AppID；除付款码外的微信支付场景必填。"]),
    field("gateway", FieldKind::Url, false, ["Gateway", "网关地址",
        "Leave empty for production (https://s2.lakala.com); https://test.wsmsd.cn/sit is for tests.",
        "生产环境请留空（https://s2.lakala.com）；测试环境为 https://test.wsmsd.cn/sit。"]),
];
