//! WeChat Pay (微信支付) API v3 in CNY, for merchants and for service providers (服务商): QR code (Native), browser outside
//! the app (H5), official account (JSAPI), mini program, app, and the payer's barcode (付款码); sharing (分账), transfers to
//! persons (商家转账) and both daily bills.
//!
//! What this adapter believes and what it does not is written in the README beside this file.

mod config;
mod decode;
mod encode;
mod notice;
pub mod simulator;

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
use crate::dialect::v3::{PARTS_MAX, rejection};
use crate::dialect::wechat_bill;
use config::Account;

/// The WeChat Pay channel.
#[derive(Debug, Clone, Copy)]
pub struct WechatPay;

impl Driver for WechatPay {
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
        rejection()
    }

    fn parse(&self, statement: &mut dyn BufRead, each: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
        let sub = self.merchant.sub.as_ref().map(|sub| sub.mchid.as_str());
        wechat_bill::parse(&self.merchant.identity.mchid, sub, statement, each)
    }
}

const CNY: Currency = Currency::CNY;
#[rustfmt::skip]
const VERBS: &[Verb] = &[
    Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund,
    Verb::Share, Verb::QueryShare, Verb::Release, Verb::ReturnShare, Verb::QueryReturn,
];
/// What can be done apart from payments.
#[rustfmt::skip]
const OTHERS: &[Verb] = &[
    Verb::Transfer, Verb::QueryTransfer, Verb::BindReceiver, Verb::UnbindReceiver, Verb::SignIn, Verb::Identify,
];
/// The gateway for real money.
const PRODUCTION: &str = "https://api.mch.weixin.qq.com";

const fn scene(scene: &'static str, parts_max: usize) -> Capability {
    Capability {
        brand: "wechatpay",
        scene,
        currencies: Currencies::Only(&[CNY]),
        countries: &["CN"],
        verbs: VERBS,
        captures: &[CaptureMode::Automatic],
        parts_max,
    }
}

#[rustfmt::skip]
static CAPABILITIES: &[Capability] = &[
    scene("qr", PARTS_MAX), scene("h5", PARTS_MAX), scene("jsapi", PARTS_MAX), scene("mini", PARTS_MAX),
    scene("app", PARTS_MAX), scene("barcode", 0),
];

static PROFILE: Profile = Profile {
    id: "wechatpay",
    name: "WeChat Pay",
    name_zh: "微信支付",
    capabilities: CAPABILITIES,
    verbs: OTHERS,
    statements: &[StatementKind::Trade, StatementKind::Funds],
    units: UnitRule::Minor,
    references: References { min: 6, max: 32 },
    fields: FIELDS,
    sources: &[
        "https://pay.weixin.qq.com/doc/v3/merchant/4012525182",
        "https://pay.weixin.qq.com/doc/v3/merchant/4013070356",
        "https://pay.weixin.qq.com/doc/v3/merchant/4012382150",
        "https://pay.weixin.qq.com/doc/v3/merchant/4012556398",
        "https://pay.weixin.qq.com/docs/merchant/apis/code-payment-v3/direct/reverse.html",
        "https://pay.weixin.qq.com/docs/merchant/apis/bill-download/trade-bill/get-trade-bill.html",
        "https://pay.weixin.qq.com/doc/v3/merchant/4012716434",
        "https://github.com/TheNorthMemory/wechatpay-openapi",
    ],
};

#[rustfmt::skip] // A table: name and kind, then the help in each language.
static FIELDS: &[Field] = &[
    field("mchid", FieldKind::Text, true, ["Merchant ID", "商户号",
        "The digits of your merchant number on the WeChat Pay merchant platform.",
        "微信支付商户平台中的商户号（数字）。"]),
    field("appid", FieldKind::Text, true, ["App ID", "应用 AppID",
        "Of the official account, mini program or app that is bound to the merchant number (wx…).",
        "与商户号绑定的公众号、小程序或移动应用的 AppID（wx…）。"]),
    field("sub_mchid", FieldKind::Text, false, ["Sub-merchant ID", "特约商户号",
        "Only for service providers: the number of the merchant you act for. Merchant ID and App ID are then your own.",
        "仅服务商填写：您所服务的特约商户的商户号；此时商户号与 AppID 填写服务商自己的。"]),
    field("sub_appid", FieldKind::Text, false, ["Sub-merchant's app ID", "特约商户 AppID",
        "Only for service providers whose payers come by the sub-merchant's own app.",
        "仅服务商填写：支付用户来自特约商户自己的公众号、小程序或 App 时填写其 AppID。"]),
    field("serial_no", FieldKind::Text, true, ["Merchant certificate serial", "商户证书序列号",
        "The serial number of your merchant API certificate, 40 hexadecimal digits.",
        "商户 API 证书的序列号，40 位十六进制。"]),
    field("private_key", FieldKind::PrivateKey, true, ["Merchant private key", "商户私钥",
        "The content of apiclient_key.pem that belongs to the merchant API certificate.",
        "与商户 API 证书配对的 apiclient_key.pem 内容。"]),
    field("apiv3_key", FieldKind::Secret, true, ["APIv3 key", "APIv3 密钥",
        "The 32 characters you set under API security on the merchant platform.",
        "在商户平台“API 安全”中设置的 32 个字符的 APIv3 密钥。"]),
    field("public_key_id", FieldKind::Text, false, ["WeChat Pay public key ID", "微信支付公钥 ID",
        "Begins with PUB_KEY_ID_. Needed together with the public key, unless you use a platform certificate.",
        "以 PUB_KEY_ID_ 开头，与微信支付公钥一同填写；使用平台证书时可不填。"]),
    field("public_key", FieldKind::PublicKey, false, ["WeChat Pay public key", "微信支付公钥",
        "The content of pub_key.pem from the merchant platform. It is not your own public key.",
        "商户平台下载的 pub_key.pem 内容，请勿填写自己的公钥。"]),
    field("platform_certificate", FieldKind::PublicKey, false, ["Platform certificate", "微信支付平台证书",
        "Older merchants: one or several platform certificates in PEM form. With a public key both are believed.",
        "老商户使用：一个或多个 PEM 格式的平台证书；与公钥同时填写时两者都会被信任。"]),
    field("platform_root", FieldKind::PublicKey, false, ["Root certificate", "平台根证书",
        "Optional with platform certificates: only those that this root (Tenpay.com Root CA) issued are taken.",
        "使用平台证书时可选：仅信任由该根证书（Tenpay.com Root CA）签发的平台证书。"]),
    field("app_secret", FieldKind::Secret, false, ["App secret", "AppSecret",
        "Of the same official account, 32 characters: tells who a payer inside WeChat is. The account has to list the \
         domain of the payment page as one for web authorization.",
        "同一公众号的 AppSecret（32 位），用于在微信内识别付款用户；须在公众号后台把收款页域名设为网页授权域名。"]),
    field("login_gateway", FieldKind::Url, false, ["Gateway for signing in", "网页授权网关地址",
        "Leave empty for production (https://open.weixin.qq.com and https://api.weixin.qq.com).",
        "生产环境请留空（https://open.weixin.qq.com 与 https://api.weixin.qq.com）。"]),
    field("store_id", FieldKind::Text, false, ["Shop number", "门店编号",
        "Your own number of the shop, sent with barcode payments.",
        "商户自定义的门店编号，付款码支付时上送。"]),
    field("gateway", FieldKind::Url, false, ["Gateway", "网关地址",
        "Leave empty for production (https://api.mch.weixin.qq.com).",
        "生产环境请留空（https://api.mch.weixin.qq.com）。"]),
];
