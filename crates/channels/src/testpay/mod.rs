//! Testpay: paycore's own test channel. A real wire protocol (JSON over HTTP, signed in both directions with
//! HMAC-SHA256), so that the sandbox, the benchmark and the simulation walk the same path as a real channel.
//! The protocol is described in the README of this folder.

mod config;
mod decode;
mod encode;
mod notice;
mod simulator;
mod statement;

use std::io::BufRead;
use std::sync::Arc;

use bytes::Bytes;
use paycore::channel::{
    Capability, CaptureMode, Channel, Context, Currencies, Driver, Fault, Field, FieldKind, Line, Notice,
    Operation, Profile, References, Refusal, Reply, Settings, SettingsError, Stage, Step, Totals, Verb,
    Verified, simulator::Maker,
};
use paycore::crypto::Keyring;
use paycore::units::UnitRule;

use config::Account;

/// The test channel.
#[derive(Debug, Clone, Copy)]
pub struct Testpay;

impl Driver for Testpay {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn open(&self, settings: &Settings, _keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError> {
        Ok(Arc::new(Account::read(settings)?))
    }

    fn sandbox_only(&self) -> bool {
        true
    }

    fn simulator(&self) -> Option<&'static dyn Maker> {
        Some(&simulator::TestpayMaker)
    }
}

impl Channel for Account {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn encode(&self, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
        encode::encode(self, operation, cx)
    }

    fn decode(
        &self,
        operation: &Operation,
        stage: Stage,
        reply: &Reply,
        cx: &Context<'_>,
    ) -> Result<Step, Fault> {
        decode::decode(self, operation, stage, reply, cx)
    }

    fn verify(&self, notice: &Notice, cx: &Context<'_>) -> Result<Verified, Fault> {
        notice::verify(self, notice, cx)
    }

    fn reject(&self) -> http::Response<Bytes> {
        notice::reject()
    }

    fn parse(&self, statement: &mut dyn BufRead, each: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
        statement::parse(statement, each)
    }
}

const ALL_VERBS: &[Verb] =
    &[Verb::Pay, Verb::Query, Verb::Close, Verb::Capture, Verb::Void, Verb::Refund, Verb::QueryRefund];

/// A payment that waits for its payer is closed instead of voided.
const PAYER_VERBS: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund];

static PROFILE: Profile = Profile {
    id: "testpay",
    name: "Testpay",
    name_zh: "测试支付",
    capabilities: &[
        row(["testpay", "card"], ALL_VERBS, &[CaptureMode::Automatic, CaptureMode::Manual]),
        row(["testpay", "qr"], PAYER_VERBS, &[CaptureMode::Automatic]),
        row(["testpay", "page"], PAYER_VERBS, &[CaptureMode::Automatic]),
        row(["card", "web"], ALL_VERBS, &[CaptureMode::Automatic, CaptureMode::Manual]),
    ],
    verbs: &[],
    statements: &[],
    units: UnitRule::Minor,
    references: References { min: 1, max: 32 },
    fields: &[
        Field {
            key: "account",
            kind: FieldKind::Text,
            required: true,
            label: "Account",
            label_zh: "账户",
            help: "The name of the Testpay account: letters, digits, `_` and `-`, at most 64. The sandbox makes one for you.",
            help_zh: "Testpay 账户名：字母、数字、`_`、`-`，最多 64 个字符。沙箱会自动生成。",
        },
        Field {
            key: "secret",
            kind: FieldKind::Secret,
            required: true,
            label: "Secret",
            label_zh: "密钥",
            help: "Signs requests and notifications: at least 32 characters. The sandbox makes one for you.",
            help_zh: "用于请求和通知签名，至少 32 个字符。沙箱会自动生成。",
        },
        Field {
            key: "base_url",
            kind: FieldKind::Url,
            required: true,
            label: "Base URL",
            label_zh: "接口地址",
            help: "Where the Testpay simulator is reached, such as https://sandbox.example.com/testpay.",
            help_zh: "Testpay 模拟服务的地址，例如 https://sandbox.example.com/testpay。",
        },
    ],
    sources: &["https://github.com/paycore/paycore/blob/main/crates/channels/src/testpay/README.md"],
};

const fn row(of: [&'static str; 2], verbs: &'static [Verb], captures: &'static [CaptureMode]) -> Capability {
    let ([brand, scene], currencies) = (of, Currencies::Any);
    Capability { brand, scene, currencies, countries: &[], verbs, captures, parts_max: 0 }
}
