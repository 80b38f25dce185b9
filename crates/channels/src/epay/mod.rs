//! 易支付 (epay): the protocol that Chinese payment panels share, V1 with MD5 and V2 with RSA, in CNY. The payer pays by
//! Alipay, WeChat Pay, QQ Wallet or UnionPay, on the panel's own page or by a QR code.
//!
//! What this adapter believes and what it does not is written in the README beside this file.

mod config;
mod decode;
mod encode;
mod envelope;
mod fields;
mod notice;
pub mod simulator;
mod statement;

use std::io::BufRead;
use std::sync::Arc;

use bytes::Bytes;
use paycore::channel::{
    Capability, Channel, Context, Driver, Fault, Line, Notice, Operation, Profile, References, Refusal,
    Reply, Settings, SettingsError, Stage, Step, Totals, Verb, Verified, simulator as sim,
};
use paycore::crypto::Keyring;
use paycore::currency::Currency;
use paycore::units::UnitRule;

use crate::dialect::capability::cny;
use crate::dialect::reply;
use config::{Account, Keys};

/// The epay channel.
#[derive(Debug, Clone, Copy)]
pub struct Epay;

impl Driver for Epay {
    fn profile(&self) -> &'static Profile {
        &V2
    }

    fn open(&self, settings: &Settings, keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError> {
        Ok(Arc::new(Account::open(settings, keyring)?))
    }

    fn simulator(&self) -> Option<&'static dyn sim::Maker> {
        Some(&simulator::Sandbox)
    }
}

impl Channel for Account {
    /// What the version of this account can do: V1 knows neither closing nor a refund that can be repeated safely.
    fn profile(&self) -> &'static Profile {
        match self.keys {
            Keys::V1(_) => &V1,
            Keys::V2 { .. } => &V2,
        }
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
const REFERENCES: References = References { min: 1, max: 32 };

/// What the payer knows, and the protocol's word for it.
const TYPES: &[(&str, &str)] =
    &[("alipay", "alipay"), ("wechatpay", "wxpay"), ("qq", "qqpay"), ("unionpay", "bank")];

const fn table(verbs: &'static [Verb]) -> [Capability; 8] {
    [
        cny("alipay", "page", verbs),
        cny("alipay", "qr", verbs),
        cny("wechatpay", "page", verbs),
        cny("wechatpay", "qr", verbs),
        cny("qq", "page", verbs),
        cny("qq", "qr", verbs),
        cny("unionpay", "page", verbs),
        cny("unionpay", "qr", verbs),
    ]
}

const fn profile(capabilities: &'static [Capability]) -> Profile {
    Profile {
        id: "epay",
        name: "epay",
        name_zh: "易支付",
        capabilities,
        verbs: &[],
        statements: &[],
        units: UNITS,
        references: REFERENCES,
        fields: fields::FIELDS,
        sources: &[
            "https://pypi.org/project/epay-sdk/",
            "https://github.com/Calcium-Ion/go-epay",
            "https://github.com/assimon/dujiaoka",
        ],
    }
}

static V1: Profile = profile(const { &table(&[Verb::Pay, Verb::Query]) });
static V2: Profile =
    profile(const { &table(&[Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund]) });
