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
    Channel, Context, Driver, Fault, Line, Notice, Operation, Profile, References, Refusal, Reply, Settings,
    SettingsError, Stage, StatementKind, Step, Totals, Verb, Verified, simulator as sim,
};
use paycore::crypto::Keyring;
use paycore::currency::Currency;
use paycore::units::UnitRule;

use crate::dialect::capability::cny;
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

static PROFILE: Profile = Profile {
    id: "allinpay",
    name: "Allinpay",
    name_zh: "通联支付",
    capabilities: &[
        cny("wechatpay", "qr", VERBS),
        cny("wechatpay", "jsapi", VERBS),
        cny("wechatpay", "mini", VERBS),
        cny("wechatpay", "app", VERBS),
        cny("wechatpay", "barcode", BARCODE_VERBS),
        cny("alipay", "qr", VERBS),
        cny("alipay", "jsapi", VERBS),
        cny("alipay", "app", VERBS),
        cny("alipay", "barcode", BARCODE_VERBS),
        cny("unionpay", "qr", VERBS),
        cny("unionpay", "jsapi", VERBS),
        cny("unionpay", "app", VERBS),
        cny("unionpay", "barcode", BARCODE_VERBS),
        cny("qq", "qr", VERBS),
        cny("qq", "barcode", BARCODE_VERBS),
        cny("ecny", "h5", VERBS),
        cny("ecny", "app", VERBS),
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
