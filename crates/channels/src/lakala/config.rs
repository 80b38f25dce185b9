//! The settings of one Lakala merchant, read once.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paycore::channel::{Settings, SettingsError};
use paycore::crypto::{Keyring, Signer, Verifier};
use paycore::time::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::{DecodePem as _, Encode as _};

use super::PRODUCTION;
use crate::dialect::settings::{gateway, rsa_keys};
use crate::dialect::v3::word;

/// One terminal of a merchant, its keys open.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) appid: String,
    pub(super) serial_no: String,
    pub(super) merchant_no: String,
    pub(super) term_no: String,
    pub(super) request_ip: IpAddr,
    pub(super) sub_appid: Option<String>,
    /// Without a slash at its end.
    pub(super) gateway: String,
    pub(super) signer: Box<dyn Signer>,
    pub(super) platform: Box<dyn Verifier>,
    /// The end of Lakala's certificate, if one was given.
    pub(super) expires: Option<Timestamp>,
}

impl Account {
    pub(super) fn open(settings: &Settings, keyring: &dyn Keyring) -> Result<Account, SettingsError> {
        let required = |field: &str| word(field, settings.require(field)?.expose());
        settings.require("private_key")?;
        let (key, expires) = public_key(settings.require("platform_key")?.expose())?;
        let mut with_key = settings.clone();
        with_key.set("platform_key", key);
        let (signer, platform) = rsa_keys(&with_key, keyring, ("private_key", "platform_key"))?;
        let request_ip = settings.require("request_ip")?.expose().trim().parse();
        let sub_appid = settings.value("sub_appid");
        let gateway = gateway("gateway", settings.text("gateway", PRODUCTION))?;
        Ok(Account {
            appid: required("appid")?,
            serial_no: required("serial_no")?,
            merchant_no: required("merchant_no")?,
            term_no: required("term_no")?,
            request_ip: request_ip.map_err(|_| SettingsError::new("request_ip", "must be an IP address"))?,
            sub_appid: sub_appid.map(|text| word("sub_appid", text.expose())).transpose()?,
            gateway: gateway.trim_end_matches('/').to_owned(),
            signer,
            platform,
            expires,
        })
    }
}

/// The public key of a certificate with the certificate's end, or a bare key as it is.
fn public_key(text: &str) -> Result<(String, Option<Timestamp>), SettingsError> {
    if !text.contains("BEGIN CERTIFICATE") {
        return Ok((text.to_owned(), None));
    }
    let wrong = || SettingsError::new("platform_key", "must be a certificate or public key in PEM form");
    let certificate = Certificate::from_pem(text.trim()).map_err(|_| wrong())?;
    let certificate = certificate.tbs_certificate();
    let key = certificate.subject_public_key_info().to_der().map_err(|_| wrong())?;
    let end = certificate.validity().not_after.to_unix_duration();
    Ok((STANDARD.encode(key), Some(Timestamp::ZERO.plus(end))))
}
