//! The whole conformance suite in every protocol and mode: the sandbox's own settings differ in a word or two.

use std::sync::Arc;

use paycore::channel::simulator::{Maker, Provision, Simulator};
use paycore::channel::{Profile, Settings, SettingsError};
use paycore::crypto::{KeyError, Keyring};
use paycore::testkit::channel_conformance::{Options, run};
use paycore::time::Rng;
use paycore_channels::alipay::simulator::Sandbox;

use super::*;

/// Alipay with some settings changed, and whether contents are encrypted.
struct Variant(&'static [(&'static str, &'static str)], bool);

static KEYS: Variant = Variant(&[("mode", "keys")], false);
static REST: Variant = Variant(&[("protocol", "v3")], false);
static SEALED: Variant = Variant(&[("app_auth_token", "202212BBd64b2be8afd4b6c8468cf585bd05E50")], true);
static SEALED_REST: Variant = Variant(
    &[("mode", "keys"), ("protocol", "v3"), ("app_auth_token", "202212BBd64b2be8afd4b6c8468cf585bd05E50")],
    true,
);

impl Driver for Variant {
    fn profile(&self) -> &'static Profile {
        Alipay.profile()
    }

    fn open(&self, settings: &Settings, keyring: &dyn Keyring) -> Result<Arc<dyn Channel>, SettingsError> {
        Alipay.open(settings, keyring)
    }

    fn simulator(&self) -> Option<&'static dyn Maker> {
        let all = [&KEYS, &REST, &SEALED, &SEALED_REST];
        all.into_iter().find(|one| std::ptr::eq(*one, self)).map(|one| one as &dyn Maker)
    }
}

impl Maker for Variant {
    fn provision(&self, base: &str, keyring: &dyn Keyring, rng: &dyn Rng) -> Result<Provision, KeyError> {
        let mut provision = Sandbox.provision(base, keyring, rng)?;
        for (name, value) in self.0 {
            provision.ours.set(*name, *value);
        }
        if self.1 {
            let key = provision.theirs.text("aes_key", "").to_owned();
            provision.ours.set("encrypt_key", key);
        }
        Ok(provision)
    }

    fn open(&self, theirs: &Settings, keyring: &dyn Keyring) -> Result<Box<dyn Simulator>, KeyError> {
        Sandbox.open(theirs, keyring)
    }
}

fn conforms(driver: &dyn Driver) {
    let readme = String::from_utf8(fixture("../README.md")).unwrap();
    let report = run(driver, &NativeKeyring, &Options { seed: 20_261_123, exhaustive: false, readme });
    let failures: Vec<_> = report.failures().collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(report.checks() > 10_000);
}

#[test]
fn v2_with_certificates_conforms() {
    conforms(&Alipay);
}

#[test]
fn v2_with_plain_keys_conforms() {
    conforms(&KEYS);
}

#[test]
fn v3_with_certificates_conforms() {
    conforms(&REST);
}

#[test]
fn v2_for_a_service_provider_with_encrypted_contents_conforms() {
    conforms(&SEALED);
}

#[test]
fn v3_for_a_service_provider_with_encrypted_contents_and_plain_keys_conforms() {
    conforms(&SEALED_REST);
}
