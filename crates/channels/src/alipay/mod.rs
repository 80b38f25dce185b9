//! Alipay (支付宝) over its open platform, by protocol v2 (`gateway.do`) or v3 (REST), with plain keys or certificates:
//! the cashier in browsers, apps, mini programs and shops, pre-authorization, shares (分账), transfers and statements,
//! in CNY. How the platform signs, frames and encrypts is `dialect::openapi`; here stands what is said.
//!
//! What this adapter believes and what it does not is written in the README beside this file.

mod config;
mod decode;
mod encode;
mod notice;
pub mod simulator;
mod statement;

use std::io::BufRead;
use std::sync::Arc;

use bytes::Bytes;
use paycore::channel::{
    Capability, CaptureMode, Channel, Context, Currencies, Driver, Fault, Field, Line, Notice, Operation,
    Profile, Refusal, Reply, Settings, SettingsError, Stage, StatementKind, Step, Totals, Verb, Verified,
    simulator as sim,
};
use paycore::crypto::Keyring;
use paycore::currency::Currency;

use crate::dialect::openapi::content::{REFERENCES, UNITS};
use crate::dialect::{openapi, reply};
use config::Account;

/// The Alipay channel.
#[derive(Debug, Clone, Copy)]
pub struct Alipay;

impl Driver for Alipay {
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
        statement::parse(self, statement, each)
    }
}

const CNY: Currency = Currency::CNY;
/// What can be done with every payment.
#[rustfmt::skip]
const VERBS: &[Verb] = &[
    Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund,
    Verb::Share, Verb::QueryShare, Verb::Release, Verb::ReturnShare, Verb::QueryReturn,
];
/// And with one that was pre-authorized.
#[rustfmt::skip]
const HELD: &[Verb] = &[
    Verb::Pay, Verb::Query, Verb::Close, Verb::Capture, Verb::Void, Verb::Refund, Verb::QueryRefund,
    Verb::Share, Verb::QueryShare, Verb::Release, Verb::ReturnShare, Verb::QueryReturn,
];
/// What can be done apart from payments.
#[rustfmt::skip]
const OTHERS: &[Verb] = &[
    Verb::BindReceiver, Verb::UnbindReceiver, Verb::Transfer, Verb::QueryTransfer, Verb::SignIn, Verb::Identify,
];

const fn scene(scene: &'static str, held: bool) -> Capability {
    const BOTH: &[CaptureMode] = &[CaptureMode::Automatic, CaptureMode::Manual];
    Capability {
        brand: "alipay",
        scene,
        currencies: Currencies::Only(&[CNY]),
        countries: &["CN"],
        verbs: if held { HELD } else { VERBS },
        captures: if held { BOTH } else { &[CaptureMode::Automatic] },
        parts_max: 0,
    }
}

static PROFILE: Profile = Profile {
    id: "alipay",
    name: "Alipay",
    name_zh: "支付宝",
    capabilities: &[
        scene("page", false),
        scene("wap", false),
        scene("app", true),
        scene("qr", true),
        scene("jsapi", false),
        scene("mini", false),
        scene("barcode", true),
    ],
    verbs: OTHERS,
    statements: &[StatementKind::Trade, StatementKind::Funds],
    units: UNITS,
    references: REFERENCES,
    fields: FIELDS,
    sources: &[
        "https://opendocs.alipay.com/common/057k53",
        "https://opendocs.alipay.com/common/02mse7",
        "https://opendocs.alipay.com/open-v3/054kaq",
        "https://opendocs.alipay.com/open-v3/054l3e",
        "https://opendocs.alipay.com/open/59da99d0_alipay.trade.page.pay",
        "https://opendocs.alipay.com/open/8ad49e4a_alipay.trade.precreate",
        "https://opendocs.alipay.com/open/8c776df6_alipay.trade.fastpay.refund.query",
        "https://opendocs.alipay.com/open/c3b24498_alipay.trade.order.settle",
        "https://opendocs.alipay.com/open/c21931d6_alipay.trade.royalty.relation.bind",
        "https://opendocs.alipay.com/open/05nai1",
    ],
};

static FIELDS: &[Field] = &[
    openapi::APP_ID,
    openapi::PRIVATE_KEY,
    openapi::MODE,
    openapi::ALIPAY_PUBLIC_KEY,
    openapi::APP_CERTIFICATE,
    openapi::ALIPAY_CERTIFICATE,
    openapi::ALIPAY_ROOT_CERTIFICATE,
    openapi::PROTOCOL,
    openapi::ENCRYPT_KEY,
    openapi::APP_AUTH_TOKEN,
    openapi::SELLER_ID,
    openapi::MINI_APP_ID,
    openapi::GATEWAY,
    openapi::LOGIN_GATEWAY,
];
