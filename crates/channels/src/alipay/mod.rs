//! Alipay (支付宝) OpenAPI v2: `gateway.do` with RSA2 signatures. First scenes: the cashier page for desktop
//! browsers (`alipay.page`) and the QR code the payer scans (`alipay.qr`), in CNY.
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
    Capability, CaptureMode, Channel, Context, Currencies, Driver, Fault, Field, FieldKind, Line, Notice,
    Operation, Profile, References, Refusal, Reply, Settings, SettingsError, Stage, Step, Totals, Verb,
    Verified, simulator as sim,
};
use paycore::crypto::Keyring;
use paycore::currency::Currency;
use paycore::units::UnitRule;

use crate::dialect::reply;
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
const UNITS: UnitRule = UnitRule::Decimal { places: Some(2) };
const VERBS: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund];
/// The gateway for real money.
const PRODUCTION: &str = "https://openapi.alipay.com/gateway.do";

const fn scene(scene: &'static str) -> Capability {
    Capability {
        brand: "alipay",
        scene,
        currencies: Currencies::Only(&[CNY]),
        countries: &["CN"],
        verbs: VERBS,
        captures: &[CaptureMode::Automatic],
        parts_max: 0,
    }
}

static PROFILE: Profile = Profile {
    id: "alipay",
    name: "Alipay",
    name_zh: "支付宝",
    capabilities: &[scene("page"), scene("qr")],
    verbs: &[],
    statements: &[],
    units: UNITS,
    references: References { min: 1, max: 32 },
    fields: FIELDS,
    sources: &[
        "https://opendocs.alipay.com/common/057k53",
        "https://opendocs.alipay.com/common/02mse7",
        "https://opendocs.alipay.com/open/59da99d0_alipay.trade.page.pay",
        "https://opendocs.alipay.com/open/8ad49e4a_alipay.trade.precreate",
        "https://opendocs.alipay.com/open/8c776df6_alipay.trade.fastpay.refund.query",
    ],
};

static FIELDS: &[Field] = &[
    Field {
        key: "app_id",
        kind: FieldKind::Text,
        required: true,
        label: "App ID",
        label_zh: "应用 APPID",
        help: "The 16 digits of your app in the Alipay open platform console.",
        help_zh: "支付宝开放平台控制台中该应用的 16 位数字 APPID。",
    },
    Field {
        key: "private_key",
        kind: FieldKind::PrivateKey,
        required: true,
        label: "App private key",
        label_zh: "应用私钥",
        help: "The RSA2 (2048-bit) private key whose public half you uploaded for this app.",
        help_zh: "与上传到该应用的公钥配对的 RSA2（2048 位）应用私钥。",
    },
    Field {
        key: "alipay_public_key",
        kind: FieldKind::PublicKey,
        required: true,
        label: "Alipay public key",
        label_zh: "支付宝公钥",
        help: "Shown by the console after you upload your own public key. It is not your app's public key.",
        help_zh: "上传应用公钥后控制台显示的支付宝公钥，请勿填写应用公钥。",
    },
    Field {
        key: "seller_id",
        kind: FieldKind::Text,
        required: false,
        label: "Seller ID (PID)",
        label_zh: "卖家支付宝用户号（PID）",
        help: "16 digits beginning with 2088. When set, notifications and statements of other sellers are refused.",
        help_zh: "以 2088 开头的 16 位数字。填写后将拒绝其他卖家的通知与账单。",
    },
    Field {
        key: "gateway",
        kind: FieldKind::Url,
        required: false,
        label: "Gateway",
        label_zh: "网关地址",
        help: "Leave empty for production (https://openapi.alipay.com/gateway.do).",
        help_zh: "生产环境请留空（https://openapi.alipay.com/gateway.do）。",
    },
];
