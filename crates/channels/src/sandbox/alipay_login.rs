//! How the simulator tells who a payer inside Alipay is: the page that sends the browser back with a code, and the end of
//! the code. What the exchange says and how it is signed stands with the gateway.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Request, Response};
use paycore::time::Timestamp;

use super::codes::{Codes, Spent, with_query};
use super::respond;
use super::v3::parameter;

/// The method that exchanges a code.
pub(crate) const TOKEN: &str = "alipay.system.oauth.token";
/// Everybody is the same person.
const OPEN_ID: &str = "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5";
/// A code lasts a day.
const GOOD: Duration = Duration::from_secs(86_400);

/// The codes of one app.
#[derive(Debug)]
pub(crate) struct Logins {
    app_id: String,
    codes: Codes,
}

impl Logins {
    pub(crate) fn new(app_id: &str) -> Logins {
        Logins { app_id: app_id.to_owned(), codes: Codes::default() }
    }

    /// Answers the page where browsers say who they are, and nothing else.
    pub(crate) fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Option<Response<Bytes>> {
        let here = request.uri().path() == "/oauth2/publicAppAuthorize.htm";
        if !here || request.method() != Method::GET {
            return None;
        }
        let asked =
            |name: &str| parameter(request.uri().query().unwrap_or_default(), name).unwrap_or_default();
        let (back, state, app_id) = (asked("redirect_uri"), asked("state"), &self.app_id);
        let is_page = back.starts_with("https://") || back.starts_with("http://");
        if asked("app_id") != *app_id || asked("scope") != "auth_base" || !is_page {
            let page = "<!doctype html><meta charset=utf-8><h1>参数错误 · Bad parameters</h1>";
            return Some(respond(400, (CONTENT_TYPE, "text/html; charset=utf-8"), page.to_owned()));
        }
        let code = self.codes.issue(now);
        let added =
            format!("app_id={app_id}&source=alipay_wallet&scope=auth_base&auth_code={code}&state={state}");
        Some(respond(302, (LOCATION, &with_query(&back, &added)), String::new()))
    }

    /// Who somebody is by the code in `grant`, or the gateway's code of why not, with its text.
    pub(crate) fn exchange(
        &mut self,
        grant: impl Fn(&str) -> Option<String>,
        now: Timestamp,
    ) -> Result<[(&'static str, String); 3], (&'static str, &'static str)> {
        if grant("grant_type").as_deref() != Some("authorization_code") {
            return Err(("isv.grant-type-invalid", "授权类型错误"));
        }
        if self.codes.spend(&grant("code").unwrap_or_default(), GOOD, now) != Spent::Good {
            return Err(("isv.code-invalid", "授权码无效"));
        }
        let token = "sandbox-access-token";
        let who = [("open_id", OPEN_ID), ("access_token", token), ("expires_in", "1296000")];
        Ok(who.map(|(name, text)| (name, text.to_owned())))
    }
}
