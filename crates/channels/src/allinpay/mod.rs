//! Allinpay (通联 收银宝): one acquirer for the wallets of others. QR codes, the wallets' own pages, mini programs and
//! apps, and the payer's barcode. Forms out, flat JSON in, both signed with SM2, RSA (SHA-1, the gateway's only one) or MD5.
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
    Capability, CaptureMode, Channel, Context, Currencies, Driver, Fault, Line, Notice, Operation, Profile,
    References, Refusal, Reply, Settings, SettingsError, Stage, StatementKind, Step, Totals, Verb, Verified,
    simulator as sim,
};
use paycore::crypto::Keyring;
use paycore::currency::Currency;
use paycore::units::UnitRule;

use crate::dialect::reply;
use config::Account;

/// The Allinpay channel.
#[derive(Debug, Clone, Copy)]
pub struct Allinpay;

impl Driver for Allinpay {
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

    fn verify(&self, notice: &Notice, _: &Context<'_>) -> Result<Verified, Fault> {
        notice::verify(self, notice)
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
const VERBS: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund];
/// A barcode payment is decided by the payer's wallet within a minute or so; there is nothing to close.
const BARCODE_VERBS: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Refund, Verb::QueryRefund];

const fn scene(brand: &'static str, scene: &'static str, verbs: &'static [Verb]) -> Capability {
    Capability {
        brand,
        scene,
        currencies: Currencies::Only(&[CNY]),
        countries: &["CN"],
        verbs,
        captures: &[CaptureMode::Automatic],
        parts_max: 0,
    }
}

static PROFILE: Profile = Profile {
    id: "allinpay",
    name: "Allinpay",
    name_zh: "通联支付",
    capabilities: &[
        scene("wechatpay", "qr", VERBS),
        scene("wechatpay", "jsapi", VERBS),
        scene("wechatpay", "mini", VERBS),
        scene("wechatpay", "app", VERBS),
        scene("wechatpay", "barcode", BARCODE_VERBS),
        scene("alipay", "qr", VERBS),
        scene("alipay", "jsapi", VERBS),
        scene("alipay", "app", VERBS),
        scene("alipay", "barcode", BARCODE_VERBS),
        scene("unionpay", "qr", VERBS),
        scene("unionpay", "jsapi", VERBS),
        scene("unionpay", "app", VERBS),
        scene("unionpay", "barcode", BARCODE_VERBS),
        scene("qq", "qr", VERBS),
        scene("qq", "barcode", BARCODE_VERBS),
        scene("ecny", "h5", VERBS),
        scene("ecny", "app", VERBS),
    ],
    verbs: &[],
    statements: &[StatementKind::Trade],
    units: UNITS,
    references: References { min: 1, max: 32 },
    fields: config::FIELDS,
    sources: &[
        "https://prodoc.allinpay.com/doc/273/",
        "https://prodoc.allinpay.com/doc/191/",
        "https://prodoc.allinpay.com/doc/1512/",
        "https://prodoc.allinpay.com/doc/1403/",
        "https://aipboss.allinpay.com/know/devhelp/main.php?pid=15",
        "https://github.com/go-pay/gopay/tree/master/allinpay",
    ],
};
