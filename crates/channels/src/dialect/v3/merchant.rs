//! A merchant at such a gateway: for itself (直连商户), or a service provider (服务商) for another.

use std::time::Duration;

use http::Method;
use paycore::channel::{Call, Context, Effect, Fault, References, Refusal, Stage, Step};
use paycore::currency::Currency;
use paycore::money::Money;
use serde_json::{Value, json};

use super::Identity;
use crate::dialect::reply::same;
use crate::dialect::text;

/// The dearest order: the gateways' own libraries hold a total in 32 bits.
const FEN_MAX: i64 = i32::MAX as i64;

/// Who signs, and for whom.
#[derive(Debug)]
pub(crate) struct Merchant {
    pub(crate) identity: Identity,
    pub(crate) appid: String,
    /// The merchant that we act for, when we are a service provider.
    pub(crate) sub: Option<Sub>,
    /// Without a slash at its end.
    pub(crate) gateway: String,
}

/// A merchant that a service provider acts for.
#[derive(Debug)]
pub(crate) struct Sub {
    pub(crate) mchid: String,
    /// Its own app, if the payers come by that.
    pub(crate) appid: Option<String>,
}

impl Merchant {
    /// Both numbers and apps, as orders name them.
    pub(crate) fn who(&self) -> Value {
        let (appid, mchid) = (&self.appid, &self.identity.mchid);
        let Some(sub) = &self.sub else { return json!({"appid": appid, "mchid": mchid}) };
        let mut who = json!({"sp_appid": appid, "sp_mchid": mchid, "sub_mchid": sub.mchid});
        if let Some(appid) = &sub.appid {
            who["sub_appid"] = appid.as_str().into();
        }
        who
    }

    /// A part of a combined payment with whose it is: a merchant by itself, or one that we serve.
    pub(crate) fn part(&self, whose: &str, mut part: Value) -> Value {
        part["mchid"] = whose.into();
        if self.sub.is_some() {
            (part["mchid"], part["sub_mchid"]) = (self.identity.mchid.as_str().into(), whose.into());
        }
        part
    }

    /// The numbers alone.
    pub(crate) fn numbers(&self) -> Value {
        let mchid = &self.identity.mchid;
        match &self.sub {
            None => json!({"mchid": mchid}),
            Some(sub) => json!({"sp_mchid": mchid, "sub_mchid": sub.mchid}),
        }
    }

    /// The numbers as a query of an order has them.
    pub(crate) fn asking(&self) -> String {
        let mchid = &self.identity.mchid;
        match &self.sub {
            None => format!("mchid={mchid}"),
            Some(sub) => format!("sp_mchid={mchid}&sub_mchid={}", sub.mchid),
        }
    }

    /// `sub_mchid` as a parameter of its own, behind `sign`; nothing for a merchant for itself.
    pub(crate) fn asking_for(&self, sign: char) -> String {
        self.sub.as_ref().map_or_else(String::new, |sub| format!("{sign}sub_mchid={}", sub.mchid))
    }

    /// Adds `sub_mchid` to a body, where there is one.
    pub(crate) fn with_sub(&self, mut body: Value) -> Value {
        if let Some(sub) = &self.sub {
            body["sub_mchid"] = sub.mchid.as_str().into();
        }
        body
    }

    /// The payer by the id that our app, or that of the merchant we act for, knows.
    pub(crate) fn payer(&self, openid: &str) -> Value {
        match &self.sub {
            None => json!({"openid": openid}),
            Some(Sub { appid: None, .. }) => json!({"sp_openid": openid}),
            Some(_) => json!({"sub_openid": openid}),
        }
    }

    /// Whether what was said is about us and whom we act for.
    pub(crate) fn is_ours(
        &self,
        appid: Option<&str>,
        mchid: Option<&str>,
        sub_mchid: Option<&str>,
    ) -> Result<(), Fault> {
        same("mchid", mchid, &self.identity.mchid)?;
        // Documented as optional.
        if appid.is_some() {
            same("appid", appid, &self.appid)?;
        }
        match (&self.sub, sub_mchid) {
            (Some(sub), said) => same("sub_mchid", said, &sub.mchid),
            (None, None | Some("")) => Ok(()),
            (None, Some(other)) => Err(Fault::Unacceptable(format!("sub_mchid is {other:?}, not ours"))),
        }
    }

    /// A call that asks.
    pub(crate) fn get(&self, path: &str, stage: Stage, cx: &Context<'_>) -> Result<Step, Refusal> {
        let request = self.identity.request(&self.gateway, Method::GET, path, String::new(), cx)?;
        let timeout = Duration::from_secs(10);
        Ok(Step::send(Call { stage, request, timeout, effect: Effect::None, identity: None }))
    }

    /// A call that does something.
    pub(crate) fn post(
        &self,
        path: &str,
        body: &Value,
        (stage, effect): (Stage, Effect),
        cx: &Context<'_>,
    ) -> Result<Step, Refusal> {
        let request = self.identity.request(&self.gateway, Method::POST, path, body.to_string(), cx)?;
        // A barcode may wait for the bank.
        Ok(Step::send(Call { stage, request, timeout: Duration::from_secs(20), effect, identity: None }))
    }
}

/// A reference as these gateways take it.
pub(crate) fn reference<'a>(param: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    text::reference(param, text, References { min: 6, max: 32 })
}

/// An amount in fen.
pub(crate) fn fen(money: Money) -> Result<i64, Refusal> {
    if money.currency() == Currency::CNY && (1..=FEN_MAX).contains(&money.minor()) {
        return Ok(money.minor());
    }
    Err(Refusal::Amount(format!("{money} is not between 0.01 and 21474836.47 CNY")))
}
