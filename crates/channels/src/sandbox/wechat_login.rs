//! How simulators tell who a payer inside WeChat is: the page that sends the browser back with a code, and the exchange of
//! the code. A code is good once and for five minutes, and lost when the simulator ends.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Request, Response};
use paycore::channel::Settings;
use paycore::time::{Rng, Timestamp};
use serde_json::{Value, json};

use super::codes::{Codes, Spent, with_query};
use super::v3::parameter;
use super::{drawn, respond};

/// Everybody is the same person.
pub(crate) const OPENID: &str = "oUpF8uSandboxPayer";
const GOOD: Duration = Duration::from_secs(300);

/// The codes of one app.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    appid: String,
    /// Empty where the merchant has none to sign in with.
    secret: String,
    codes: Codes,
}

impl Logins {
    /// What both sides have to know, for the sandbox at this address.
    pub(crate) fn provision(ours: &mut Settings, theirs: &mut Settings, base_url: &str, rng: &dyn Rng) {
        let secret = drawn("", "0123456789abcdef", 32, rng);
        theirs.set("app_secret", secret.as_str());
        ours.set("app_secret", secret);
        ours.set("login_gateway", base_url);
    }

    pub(crate) fn open(theirs: &Settings, appid: &str) -> Logins {
        let secret = theirs.value("app_secret").map(|secret| secret.expose().to_owned()).unwrap_or_default();
        Logins { appid: appid.to_owned(), secret, codes: Codes::default() }
    }

    /// Answers what is about signing in, and nothing else.
    pub(crate) fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Option<Response<Bytes>> {
        let query = request.uri().query().unwrap_or_default();
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/connect/oauth2/authorize") => Some(self.authorize(query, now)),
            (&Method::GET, "/sns/oauth2/access_token") => {
                let kind = (CONTENT_TYPE, "text/plain");
                Some(respond(200, kind, self.exchange(query, now).to_string()))
            }
            _ => None,
        }
    }

    fn authorize(&mut self, query: &str, now: Timestamp) -> Response<Bytes> {
        let asked = |name: &str| parameter(query, name).unwrap_or_default();
        let (back, state) = (asked("redirect_uri"), asked("state"));
        let is_page = back.starts_with("https://") || back.starts_with("http://");
        let asks = asked("response_type") == "code" && asked("scope") == "snsapi_base";
        if asked("appid") != self.appid || !asks || !is_page || self.secret.is_empty() {
            let page = "<!doctype html><meta charset=utf-8><h1>参数错误 · Bad parameters</h1>";
            return respond(400, (CONTENT_TYPE, "text/html; charset=utf-8"), page.to_owned());
        }
        let code = self.codes.issue(now);
        respond(302, (LOCATION, &with_query(&back, &format!("code={code}&state={state}"))), String::new())
    }

    fn exchange(&mut self, query: &str, now: Timestamp) -> Value {
        let asked = |name: &str| parameter(query, name).unwrap_or_default();
        let wrong = |code: i64, text: &str| json!({"errcode": code, "errmsg": text});
        if asked("appid") != self.appid {
            return wrong(40_013, "invalid appid");
        }
        if asked("secret") != self.secret || self.secret.is_empty() {
            return wrong(40_125, "invalid appsecret");
        }
        if asked("grant_type") != "authorization_code" {
            return wrong(40_002, "invalid grant_type");
        }
        match self.codes.spend(&asked("code"), GOOD, now) {
            Spent::Good => json!({
                "access_token": "sandbox-access-token", "expires_in": 7200, "refresh_token": "sandbox-refresh-token",
                "openid": OPENID, "scope": "snsapi_base",
            }),
            Spent::Late => wrong(42_003, "code expired"),
            Spent::Unknown => wrong(40_029, "invalid code"),
        }
    }
}
