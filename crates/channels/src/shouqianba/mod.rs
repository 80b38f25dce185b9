//! Shouqianba (收钱吧), aggregated collection, in CNY: QR codes, the wallets' own pages and mini programs, a page inside
//! WeChat, and the payer's barcode of any wallet. Requests are signed with MD5 and a terminal's key, replies not at all,
//! notifications with RSA.
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
use http::StatusCode;
use paycore::channel::{
    Capability, Channel, Context, Driver, Fault, Field, FieldKind, Line, Notice, Operation, Profile,
    References, Refusal, Reply, Settings, SettingsError, Stage, Step, Totals, Verb, Verified,
    simulator as sim,
};
use paycore::crypto::Keyring;
use paycore::currency::Currency;
use paycore::units::UnitRule;

use crate::dialect::capability::cny;
use crate::dialect::reply::plain;
use crate::dialect::settings::field;
use config::Account;

/// The Shouqianba channel.
#[derive(Debug, Clone, Copy)]
pub struct Shouqianba;

impl Driver for Shouqianba {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn open(&self, settings: &Settings, keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError> {
        Ok(Arc::new(Account::open(settings, keyring)?))
    }

    fn signs_replies(&self) -> bool {
        false
    }

    fn refund_number(&self, reference: &str) -> String {
        encode::number(reference)
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
        _: &Context<'_>,
    ) -> Result<Step, Fault> {
        decode::next(self, operation, stage, reply)
    }

    fn verify(&self, notice: &Notice, _: &Context<'_>) -> Result<Verified, Fault> {
        notice::verify(self, notice)
    }

    fn reject(&self) -> http::Response<Bytes> {
        plain(StatusCode::FORBIDDEN, "fail")
    }

    fn parse(&self, _: &mut dyn BufRead, _: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
        statement::parse()
    }
}

const CNY: Currency = Currency::CNY;
const VERBS: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund];
const UNITS: UnitRule = UnitRule::Minor;
/// The gateways for real money.
const PRODUCTION: &str = "https://api.shouqianba.com";
const PRODUCTION_WAP: &str = "https://m.wosai.cn/qr/gateway";

const fn scene(brand: &'static str, scene: &'static str) -> Capability {
    cny(brand, scene, VERBS)
}

static PROFILE: Profile = Profile {
    id: "shouqianba",
    name: "Shouqianba",
    name_zh: "收钱吧",
    capabilities: &[
        scene("alipay", "qr"),
        scene("alipay", "jsapi"),
        scene("alipay", "barcode"),
        scene("wechatpay", "qr"),
        scene("wechatpay", "jsapi"),
        scene("wechatpay", "mini"),
        scene("wechatpay", "wap"),
        scene("wechatpay", "barcode"),
        scene("unionpay", "qr"),
        scene("unionpay", "barcode"),
    ],
    verbs: &[],
    statements: &[],
    units: UNITS,
    references: References { min: 6, max: 32 },
    fields: FIELDS,
    sources: &["https://doc.shouqianba.com/", "https://github.com/WoSai/shouqianba-doc"],
};

#[rustfmt::skip] // A table: name and kind, then the help in each language.
static FIELDS: &[Field] = &[
    field("terminal_sn", FieldKind::Text, true, ["Terminal number", "终端号",
        "The number (terminal_sn) that the activation of the terminal answered.",
        "激活终端时返回的终端号（terminal_sn）。"]),
    field("terminal_key", FieldKind::Secret, true, ["Terminal key", "终端密钥",
        "The key (terminal_key) of the activation or of the last check-in. Each check-in makes a new one: set it here.",
        "激活或最近一次签到返回的终端密钥（terminal_key）；每次签到后密钥会更换，请同步更新。"]),
    field("public_key", FieldKind::PublicKey, false, ["Shouqianba public key", "收钱吧公钥",
        "The key that notifications are verified with. Without it they are not believed, and payments are asked for.",
        "用于验证回调通知的收钱吧公钥；不填写则不信任通知，改为主动查询。"]),
    field("operator", FieldKind::Text, false, ["Operator", "操作员",
        "The name that stands with the trades, paycore when empty.",
        "交易上显示的操作员，留空为 paycore。"]),
    field("gateway", FieldKind::Url, false, ["Gateway", "网关地址",
        "Leave empty for production (https://api.shouqianba.com).",
        "生产环境请留空（https://api.shouqianba.com）。"]),
    field("wap_gateway", FieldKind::Url, false, ["Page gateway", "跳转支付网关",
        "Where payers are sent inside WeChat; leave empty for production (https://m.wosai.cn/qr/gateway).",
        "微信内跳转支付地址，生产环境请留空（https://m.wosai.cn/qr/gateway）。"]),
];
