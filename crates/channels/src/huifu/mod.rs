//! Huifu Dougong (汇付斗拱): one acquirer for Alipay, WeChat Pay, UnionPay QR and e-CNY, in CNY. The payer scans a code,
//! pays inside a wallet, or shows a barcode.
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
    Channel, Context, Driver, Fault, Field, FieldKind, Line, Notice, Operation, Profile, References, Refusal,
    Reply, Settings, SettingsError, Stage, Step, Totals, Verb, Verified, simulator as sim,
};
use paycore::crypto::Keyring;
use paycore::currency::Currency;
use paycore::units::UnitRule;

use crate::dialect::capability::cny;
use crate::dialect::{reply, settings::field};
use config::Account;

/// The Huifu channel.
#[derive(Debug, Clone, Copy)]
pub struct Huifu;

impl Driver for Huifu {
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
        reply::plain(http::StatusCode::BAD_REQUEST, "fail")
    }

    fn parse(&self, statement: &mut dyn BufRead, each: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
        statement::parse(statement, each)
    }
}

const CNY: Currency = Currency::CNY;
const UNITS: UnitRule = UnitRule::Decimal { places: Some(2) };
/// The gateway for real money.
const PRODUCTION: &str = "https://api.huifu.com";

const CLOSABLE: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund];
const OPEN_ENDED: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Refund, Verb::QueryRefund];

static PROFILE: Profile = Profile {
    id: "huifu",
    name: "Huifu Dougong",
    name_zh: "汇付斗拱",
    capabilities: &[
        cny("alipay", "qr", CLOSABLE),
        cny("alipay", "jsapi", CLOSABLE),
        cny("alipay", "mini", CLOSABLE),
        cny("alipay", "barcode", CLOSABLE),
        cny("wechatpay", "jsapi", CLOSABLE),
        cny("wechatpay", "mini", CLOSABLE),
        cny("wechatpay", "app", CLOSABLE),
        cny("wechatpay", "barcode", CLOSABLE),
        cny("unionpay", "qr", OPEN_ENDED),
        cny("unionpay", "barcode", OPEN_ENDED),
        cny("ecny", "qr", OPEN_ENDED),
        cny("ecny", "barcode", OPEN_ENDED),
    ],
    verbs: &[],
    statements: &[],
    units: UNITS,
    references: References { min: 1, max: 64 },
    fields: FIELDS,
    sources: &[
        "https://paas.huifu.com/open/doc/api/#/smzf/api_jhzs",
        "https://paas.huifu.com/open/doc/guide/#/api_v2jqyq",
        "https://github.com/huifurepo/dg-payment-skills",
        "https://pypi.org/project/dg-sdk/",
    ],
};

#[rustfmt::skip] // A table: name and kind, then the help in each language.
static FIELDS: &[Field] = &[
    field("sys_id", FieldKind::Text, true, ["System ID", "系统号",
        "The Huifu ID of whoever calls: the merchant's own, or the channel partner's it belongs to (6666…).",
        "调用方的 huifu_id：直连商户为商户自身，渠道商为渠道商的号（6666 开头）。"]),
    field("product_id", FieldKind::Text, true, ["Product ID", "产品号",
        "The product number that Huifu assigned, such as YYZY.",
        "汇付分配的产品号，如 YYZY。"]),
    field("huifu_id", FieldKind::Text, false, ["Merchant's Huifu ID", "商户号",
        "Who receives the money. Leave empty where it is the system ID.",
        "收款商户的 huifu_id，与系统号相同时留空。"]),
    field("private_key", FieldKind::PrivateKey, true, ["Private key", "商户私钥",
        "The RSA key whose public half you uploaded to the Huifu console.",
        "与上传到汇付控台的公钥配对的 RSA 私钥。"]),
    field("huifu_public_key", FieldKind::PublicKey, true, ["Huifu's public key", "汇付公钥",
        "Shown by the console. It is not the public half of your own key.",
        "控台显示的汇付公钥，请勿填写自己的公钥。"]),
    field("wx_appid", FieldKind::Text, false, ["WeChat app ID", "微信 AppID",
        "Of the official account or mini program that the openids of payers belong to (wx…).",
        "付款人 openid 所属公众号或小程序的 AppID（wx…）。"]),
    field("gateway", FieldKind::Url, false, ["Gateway", "网关地址",
        "Leave empty for production (https://api.huifu.com).",
        "生产环境请留空（https://api.huifu.com）。"]),
];
