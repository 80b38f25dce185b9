//! e-CNY (数字人民币). There is no public interface of the central bank: a merchant signs up with an operator
//! (运营机构) and speaks that operator's protocol. Which one is the setting `operator`; each is one folder here and one
//! row of the table in `config.rs`. The first is China Merchants Bank's 聚合收单 (`cmb`).
//!
//! What this adapter believes and what nobody could verify is written in the README beside this file.

mod cmb;
mod config;
mod decode;
mod encode;
mod notice;
pub mod simulator;
mod statement;

use std::sync::Arc;

use paycore::channel::{
    Capability, Channel, Driver, Profile, References, Settings, SettingsError, Verb, simulator as sim,
};
use paycore::crypto::Keyring;
use paycore::currency::Currency;
use paycore::units::UnitRule;

use crate::dialect::capability::cny;

/// The e-CNY channel.
#[derive(Debug, Clone, Copy)]
pub struct Ecny;

impl Driver for Ecny {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn open(&self, settings: &Settings, keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError> {
        config::open(settings, keyring)
    }

    fn simulator(&self) -> Option<&'static dyn sim::Maker> {
        Some(&simulator::Sandbox)
    }
}

const CNY: Currency = Currency::CNY;
const UNITS: UnitRule = UnitRule::Minor;
const VERBS: &[Verb] = &[Verb::Pay, Verb::Query, Verb::Close, Verb::Refund, Verb::QueryRefund];

const fn scene(scene: &'static str) -> Capability {
    cny("ecny", scene, VERBS)
}

static PROFILE: Profile = Profile {
    id: "ecny",
    name: "e-CNY",
    name_zh: "数字人民币",
    capabilities: &[scene("qr"), scene("app"), scene("h5"), scene("mini")],
    verbs: &[],
    statements: &[],
    units: UNITS,
    references: References { min: 1, max: 32 },
    fields: config::FIELDS,
    sources: &[
        "https://openhome.cmbchina.com/paypoly/home",
        "https://github.com/go-pay/gopay/tree/master/cmbpay",
        "https://developer.huawei.com/consumer/cn/doc/harmonyos-guides/payment-ecny-payment",
    ],
};
