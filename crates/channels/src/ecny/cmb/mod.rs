//! China Merchants Bank's 聚合收单 (polypay): JSON over POST, SM2 signatures with SM3 over sorted `name=value` pairs.

mod config;
mod decode;
mod encode;
mod envelope;
mod notice;

use std::io::BufRead;
use std::sync::Arc;

use bytes::Bytes;
use paycore::channel::{
    Channel, Context, Fault, Line, Notice, Operation, Profile, Refusal, Reply, Settings, SettingsError,
    Stage, Step, Totals, Verified,
};
use paycore::crypto::Keyring;

use super::statement;
use config::Account;

pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError> {
    Ok(Arc::new(Account::open(settings, keyring)?))
}

impl Channel for Account {
    fn profile(&self) -> &'static Profile {
        &super::PROFILE
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
        notice::answer(self, "FAIL")
    }

    fn parse(&self, _: &mut dyn BufRead, _: &mut dyn FnMut(Line)) -> Result<Totals, Fault> {
        statement::parse()
    }
}
