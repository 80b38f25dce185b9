//! Antom, the international gateway of Ant (AMS, Alipay+): one cashier for the wallets of many countries, each in its
//! own currency.
//!
//! What this adapter believes and what it does not is written in the README beside this file.

mod config;
mod decode;
mod encode;
mod envelope;
mod notice;
mod seal;
pub mod simulator;
mod statement;

use std::io::BufRead;
use std::sync::Arc;

use bytes::Bytes;
use paycore::channel::{
    Capability, CaptureMode, Channel, Context, Currencies, Driver, Fault, Field, FieldKind, Line, Notice,
    Operation, Profile, References, Refusal, Reply, Settings, SettingsError, Stage, Step, Totals, Verb,
    Verified, simulator as sim,
};
use paycore::crypto::Keyring;
use paycore::currency::Currency;
use paycore::units::UnitRule;

use crate::dialect::settings::field;
use config::Account;

/// The Antom channel.
#[derive(Debug, Clone, Copy)]
pub struct Antom;

impl Driver for Antom {
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

    /// A cancellation may overtake a payment whose notification is still on its way.
    fn confirms(&self) -> bool {
        true
    }

    fn reject(&self) -> http::Response<Bytes> {
        notice::reject()
    }

    fn parse(&self, _: &mut dyn BufRead, _: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
        statement::parse()
    }
}

const VERBS: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund];
/// Digits of minor units, as ISO 4217 counts them.
const UNITS: UnitRule = UnitRule::Minor;
/// The gateway for real money in Asia.
const PRODUCTION: &str = "https://open-sea-global.alipay.com";

/// The wallets, and what Antom calls them.
const METHODS: &[(&str, &str)] = &[
    ("alipayhk", "ALIPAY_HK"),
    ("kakaopay", "KAKAOPAY"),
    ("tng", "TNG"),
    ("gcash", "GCASH"),
    ("truemoney", "TRUEMONEY"),
    ("alipay", "ALIPAY_CN"),
];

/// A wallet that takes `only` these currencies from payers at `home` in these countries.
const fn wallet(brand: &'static str, only: &'static [Currency], home: &'static [&'static str]) -> Capability {
    let (currencies, captures) = (Currencies::Only(only), &[CaptureMode::Automatic]);
    Capability { brand, scene: "page", currencies, countries: home, verbs: VERBS, captures, parts_max: 0 }
}

/// What Chinese payers are charged in; their wallet turns it into yuan.
const ABROAD: &[Currency] = &[
    Currency::USD,
    Currency::EUR,
    Currency::GBP,
    Currency::HKD,
    Currency::JPY,
    Currency::SGD,
    Currency::AUD,
    Currency::CAD,
    Currency::CHF,
    Currency::NZD,
];

static PROFILE: Profile = Profile {
    id: "antom",
    name: "Antom",
    name_zh: "安通环球（Antom）",
    capabilities: &[
        wallet("alipayhk", &[Currency::HKD], &["HK"]),
        wallet("kakaopay", &[Currency::KRW], &["KR"]),
        wallet("tng", &[Currency::MYR], &["MY"]),
        wallet("gcash", &[Currency::PHP], &["PH"]),
        wallet("truemoney", &[Currency::THB], &["TH"]),
        wallet("alipay", ABROAD, &["CN"]),
    ],
    verbs: &[],
    statements: &[],
    units: UNITS,
    references: References { min: 1, max: 64 },
    fields: FIELDS,
    sources: &[
        "https://docs.antom.com/ac/ams/api_fund",
        "https://docs.antom.com/ac/ams/payment_cashier",
        "https://docs.antom.com/ac/ams/paymentri_online",
        "https://docs.antom.com/ac/ams/paymentc_online",
        "https://docs.antom.com/ac/ams/paymentrn_online",
        "https://docs.antom.com/ac/ams/ir_online",
        "https://github.com/alipay/global-open-sdk-python",
    ],
};

#[rustfmt::skip] // A table: name and kind, then the help in each language.
static FIELDS: &[Field] = &[
    field("client_id", FieldKind::Text, true, ["Client ID", "客户端 ID",
        "From the Antom Dashboard; ids that begin with SANDBOX_ belong to the sandbox.",
        "Antom Dashboard 中的 Client ID；以 SANDBOX_ 开头的属于沙箱。"]),
    field("private_key", FieldKind::PrivateKey, true, ["Merchant private key", "商户私钥",
        "The private half of the RSA key whose public half you uploaded.",
        "已上传公钥所对应的 RSA 私钥。"]),
    field("antom_public_key", FieldKind::PublicKey, true, ["Antom public key", "Antom 公钥",
        "Shown beside your own after you uploaded yours; not your own.",
        "上传商户公钥后显示的 Antom 公钥（不是商户公钥）。"]),
    field("key_version", FieldKind::Text, false, ["Key version", "密钥版本",
        "Of your own key; leave empty for 1.",
        "商户密钥的版本；留空为 1。"]),
    field("antom_key_version", FieldKind::Text, false, ["Antom key version", "Antom 密钥版本",
        "Of Antom's key; leave empty for 1.",
        "Antom 密钥的版本；留空为 1。"]),
    field("settlement_currency", FieldKind::Text, false, ["Settlement currency", "结算币种",
        "Needed where you have contracted several, such as USD.",
        "签约多个结算币种时必填，如 USD。"]),
    field("gateway", FieldKind::Url, false, ["Gateway", "网关地址",
        "Leave empty for https://open-sea-global.alipay.com; North America and Europe have their own.",
        "留空为 https://open-sea-global.alipay.com；北美与欧洲另有地址。"]),
];
