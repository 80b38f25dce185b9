//! What of WeChat Pay (微信支付) only its second interface has, in CNY: payments by face (刷脸支付) and red packets (现金红包).
//! The wire is flat XML with a signature under one shared key, as QQ wallet has it too; whatever pays out or gives back
//! wants a client certificate besides. Everything else of WeChat Pay is in `wechatpay`, by v3.
//!
//! What this adapter believes and what it does not is written in the README beside this file.

mod config;
mod decode;
mod encode;
mod packet;
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

use crate::dialect::reply::plain;
use crate::dialect::settings::field;
use crate::dialect::wechat_bill;
use config::Account;

/// The WeChat Pay v2 channel.
#[derive(Debug, Clone, Copy)]
pub struct WechatPayV2;

impl Driver for WechatPayV2 {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn open(&self, settings: &Settings, _keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError> {
        Ok(Arc::new(Account::open(settings)?))
    }

    /// A face is charged or refused at once, and nobody reports it.
    fn notifies(&self, _capability: &Capability) -> bool {
        false
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

    fn verify(&self, _notice: &Notice, _cx: &Context<'_>) -> Result<Verified, Fault> {
        Err(Fault::Unsupported)
    }

    fn reject(&self) -> http::Response<Bytes> {
        plain(http::StatusCode::BAD_REQUEST, "FAIL")
    }

    fn parse(&self, statement: &mut dyn BufRead, each: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
        let sub = self.sub.as_ref().map(|(mch_id, _)| mch_id.as_str());
        wechat_bill::parse(&self.party.mch_id, sub, statement, each)
    }
}

const CNY: Currency = Currency::CNY;
/// The gateway for real money.
const PRODUCTION: &str = "https://api.mch.weixin.qq.com";
/// The same for the devices that read faces.
const PRODUCTION_FACE: &str = "https://payapp.weixin.qq.com";

static PROFILE: Profile = Profile {
    id: "wechatpay_v2",
    name: "WeChat Pay v2",
    name_zh: "微信支付 APIv2",
    capabilities: &[Capability {
        brand: "wechatpay",
        scene: "face",
        currencies: Currencies::Only(&[CNY]),
        countries: &["CN"],
        verbs: &[Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund],
        captures: &[CaptureMode::Automatic],
        parts_max: 0,
    }],
    verbs: &[Verb::Transfer, Verb::QueryTransfer, Verb::AuthorizeDevice, Verb::SignIn, Verb::Identify],
    statements: &[StatementKind::Trade],
    units: UnitRule::Minor,
    // A red packet's number has at most 28 characters.
    references: References { min: 1, max: 28 },
    fields: FIELDS,
    sources: &[
        "https://pay.weixin.qq.com/wiki/doc/api/tools/cash_coupon.php?chapter=13_4&index=3",
        "https://pay.weixin.qq.com/wiki/doc/api/tools/cash_coupon.php?chapter=13_6&index=5",
        "https://pay.weixin.qq.com/wiki/doc/wxfacepay/develop/android/facepay.html",
        "https://github.com/TheNorthMemory/wechatpay-openapi",
    ],
};

#[rustfmt::skip] // A table: name and kind, then the help in each language.
static FIELDS: &[Field] = &[
    field("mch_id", FieldKind::Text, true, ["Merchant ID", "商户号",
        "The digits of your merchant number on the WeChat Pay merchant platform.",
        "微信支付商户平台中的商户号（数字）。"]),
    field("appid", FieldKind::Text, true, ["App ID", "应用 AppID",
        "Of the official account or mini program that is bound to the merchant number (wx…).",
        "与商户号绑定的公众号或小程序的 AppID（wx…）。"]),
    field("key", FieldKind::Secret, true, ["APIv2 key", "APIv2 密钥",
        "The 32 characters you set under API security. It is not the APIv3 key.",
        "在商户平台“API 安全”中设置的 32 位 APIv2 密钥，不是 APIv3 密钥。"]),
    field("sub_mch_id", FieldKind::Text, false, ["Sub-merchant ID", "特约商户号",
        "Only for service providers: the number of the merchant you act for.",
        "仅服务商填写：您所服务的特约商户的商户号。"]),
    field("sub_appid", FieldKind::Text, false, ["Sub-merchant's app ID", "特约商户 AppID",
        "Only for service providers whose payers come by the sub-merchant's own app.",
        "仅服务商填写：支付用户来自特约商户自己的公众号或小程序时填写。"]),
    field("send_name", FieldKind::Text, false, ["Sender of red packets", "红包发送者名称",
        "Who a red packet is from, as the person reads it: at most ten Chinese characters. Without it none is sent.",
        "用户看到的红包发送者名称，最多 10 个汉字；不填则不能发红包。"]),
    field("app_secret", FieldKind::Secret, false, ["App secret", "AppSecret",
        "Of the same official account, 32 characters: tells who a payer inside WeChat is. The account has to list the \
         domain of the payment page as one for web authorization.",
        "同一公众号的 AppSecret（32 位），用于在微信内识别付款用户；须在公众号后台把收款页域名设为网页授权域名。"]),
    field("login_gateway", FieldKind::Url, false, ["Gateway for signing in", "网页授权网关地址",
        "Leave empty for production (https://open.weixin.qq.com and https://api.weixin.qq.com).",
        "生产环境请留空（https://open.weixin.qq.com 与 https://api.weixin.qq.com）。"]),
    field("client_certificate", FieldKind::PublicKey, false, ["Client certificate", "商户证书",
        "The content of apiclient_cert.pem. Without it nothing is given back or paid out.",
        "商户平台下载的 apiclient_cert.pem 内容，缺少时无法退款、撤销或发红包。"]),
    field("client_key", FieldKind::PrivateKey, false, ["Key of the client certificate", "商户证书私钥",
        "The content of apiclient_key.pem.",
        "商户平台下载的 apiclient_key.pem 内容。"]),
    field("gateway", FieldKind::Url, false, ["Gateway", "网关地址",
        "Leave empty for production (https://api.mch.weixin.qq.com).",
        "生产环境请留空（https://api.mch.weixin.qq.com）。"]),
    field("face_gateway", FieldKind::Url, false, ["Gateway for face devices", "刷脸设备网关地址",
        "Leave empty for production (https://payapp.weixin.qq.com), or where one gateway serves everything.",
        "生产环境或仅有一个网关时请留空（https://payapp.weixin.qq.com）。"]),
];
