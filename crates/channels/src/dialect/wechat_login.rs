//! Who a payer inside WeChat is (网页授权): the browser goes to WeChat and comes back with a code, without anybody being asked
//! (`snsapi_base`), and the code is exchanged for the openid by which the merchant's app knows the person.
//!
//! The exchange is not signed in either direction; the app's secret goes out with it, and only the connection protects it.

use std::time::Duration;

use bytes::Bytes;
use paycore::channel::{
    Action, Call, Context, DeclineReason as Why, Effect, Fault, Operation, Outcome, Refusal, Reply, Settings,
    SettingsError, Step, Verdict,
};
use paycore::secret::Secret;
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

use crate::dialect::reply::{declined, done};
use crate::dialect::settings::{gateway, letters};
use crate::dialect::text::{address, word};

/// Where the payer's browser goes, and where the code is exchanged.
const PAGE: &str = "https://open.weixin.qq.com";
const API: &str = "https://api.weixin.qq.com";

/// An official account that may ask who a payer is.
#[derive(Debug)]
pub(crate) struct Login {
    appid: String,
    secret: Secret,
    /// What stands in the place of both, without a slash at its end.
    gateway: Option<String>,
}

impl Login {
    /// From the settings `app_secret` and `login_gateway`, for the app whose openids pay; none without a secret.
    pub(crate) fn open(settings: &Settings, appid: &str) -> Result<Option<Login>, SettingsError> {
        let own =
            settings.value("login_gateway").map(|url| gateway("login_gateway", url.expose())).transpose()?;
        let Some(secret) = settings.value("app_secret") else { return Ok(None) };
        let secret = Secret::new(letters("app_secret", secret.expose(), 32)?);
        let own = own.map(|url| url.trim_end_matches('/').to_owned());
        Ok(Some(Login { appid: appid.to_owned(), secret, gateway: own }))
    }

    /// The first step of a sign-in or of the exchange.
    pub(crate) fn first(
        login: Option<&Login>,
        operation: &Operation,
        cx: &Context<'_>,
    ) -> Result<Step, Refusal> {
        let login =
            login.ok_or(Refusal::Unsupported("telling who a payer is without the setting app_secret"))?;
        match operation {
            Operation::SignIn(sign_in) => login.page(&sign_in.return_url, &sign_in.state),
            Operation::Identify(identify) => login.exchange(&identify.code, cx),
            _ => Err(Refusal::Unsupported("this operation")),
        }
    }

    fn page(&self, return_url: &str, state: &str) -> Result<Step, Refusal> {
        let back: String =
            byte_serialize(address("return_url", return_url, &["code", "state"])?.as_bytes()).collect();
        word("state", state, 64, "")?;
        let (base, appid) = (self.gateway.as_deref().unwrap_or(PAGE), &self.appid);
        // WeChat wants these in this order, and the fragment.
        let url = format!(
            "{base}/connect/oauth2/authorize?appid={appid}&redirect_uri={back}&response_type=code\
             &scope=snsapi_base&state={state}#wechat_redirect"
        );
        Ok(Step::Done(Outcome::new(Verdict::Awaiting(Action::Redirect { url }))))
    }

    fn exchange(&self, code: &str, _: &Context<'_>) -> Result<Step, Refusal> {
        word("code", code, 128, "-_")?;
        let (base, appid, secret) =
            (self.gateway.as_deref().unwrap_or(API), &self.appid, self.secret.expose());
        let request = http::Request::get(format!(
            "{base}/sns/oauth2/access_token?appid={appid}&secret={secret}&code={code}&grant_type=authorization_code"
        ));
        let request = request.body(Bytes::new()).map_err(|_| Refusal::Signing)?;
        let timeout = Duration::from_secs(10);
        Ok(Step::send(Call { stage: 0, request, timeout, effect: Effect::None, identity: None }))
    }
}

/// What the exchange answers: who it is, or why not.
#[derive(Deserialize)]
struct Token {
    openid: Option<String>,
    errcode: Option<i64>,
    errmsg: Option<String>,
}

/// Codes that are made up, used up or too old.
const SPENT: [i64; 3] = [40_029, 40_163, 42_003];

/// Who the payer is.
pub(crate) fn told(reply: &Reply) -> Result<Step, Fault> {
    let status = reply.status();
    if status != http::StatusCode::OK {
        return Err(Fault::Unexpected(format!("HTTP status {}", status.as_u16())));
    }
    // Whatever it holds besides stays out of the fault: there is a token in it.
    let token: Token = serde_json::from_slice(reply.body())
        .map_err(|_| Fault::Unexpected("not the answer to the exchange of a code".into()))?;
    if let Some(code) = token.errcode.filter(|code| *code != 0) {
        let message: String = token.errmsg.unwrap_or_default().chars().take(200).collect();
        if SPENT.contains(&code) {
            return done(declined(Why::Expired, &code.to_string(), &message));
        }
        return Err(Fault::Unknown { code: code.to_string(), message });
    }
    let is_id = |id: &String| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    let openid = token.openid.filter(is_id).ok_or_else(|| Fault::Unexpected("no openid".into()))?;
    done(Outcome::new(Verdict::Succeeded).channel_id(openid))
}
