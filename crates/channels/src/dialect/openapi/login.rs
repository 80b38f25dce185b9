//! Who a payer inside Alipay is (网页授权): the browser goes to Alipay and comes back with a code, without anybody being asked
//! (`auth_base`), and a signed call exchanges the code for the id by which the merchant's app knows the person.
//!
//! The exchange is older than the platform's other methods: in v2 it carries its content as parameters of its own and is
//! answered without a `code`, or by an `error_response`.

use std::time::Duration;

use paycore::channel::{
    Action, Call, Context, DeclineReason as Why, Effect, Fault, Field, FieldKind, Operation, Outcome,
    Refusal, Reply, Settings, SettingsError, Step, Verdict,
};
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use super::{Answer, App};
use crate::dialect::reply::{declined, done};
use crate::dialect::settings::gateway;
use crate::dialect::text::{address, word};

/// The method of the exchange.
pub(super) const TOKEN: &str = "alipay.system.oauth.token";
/// What Alipay adds to the address that the browser comes back to.
const ADDED: &[&str] = &["app_id", "source", "scope", "auth_code", "state", "userOutputs", "alipay_token"];
/// Of a code that is made up, used up or too old. v3 leaves prefixes out.
const SPENT: [&str; 2] = ["isv.code-invalid", "code-invalid"];

pub(crate) const LOGIN_GATEWAY: Field = Field {
    key: "login_gateway",
    kind: FieldKind::Url,
    required: false,
    label: "Sign-in address",
    label_zh: "用户授权地址",
    help: "https://openauth.alipay.com lets payment pages inside Alipay ask who the payer is (`jsapi`); the app needs \
           the capability to learn a member's id. Leave empty and they pay by `wap`.",
    help_zh: "填写 https://openauth.alipay.com 后，支付宝内打开的收款页可静默获取付款人标识并使用 `jsapi`；应用须已开通获取会员信息能力。\
              留空则使用 `wap`。",
};

/// Where payers' browsers go to say who they are, without a slash at its end; none where the merchant does not want it.
pub(super) fn page(settings: &Settings) -> Result<Option<String>, SettingsError> {
    let url = settings.value(LOGIN_GATEWAY.key).map(|url| gateway(LOGIN_GATEWAY.key, url.expose()));
    Ok(url.transpose()?.map(|url| url.trim_end_matches('/').to_owned()))
}

#[derive(Deserialize)]
struct Token {
    open_id: Option<String>,
    user_id: Option<String>,
}

impl App {
    /// The first step of a sign-in or of the exchange of its code.
    pub(crate) fn sign_in(&self, operation: &Operation, cx: &Context<'_>) -> Result<Step, Refusal> {
        let unset = Refusal::Unsupported("telling who a payer is without the setting login_gateway");
        let page = self.login.as_deref().ok_or(unset)?;
        match operation {
            Operation::SignIn(sign_in) => {
                let back = address("return_url", &sign_in.return_url, ADDED)?.as_bytes();
                let (back, state) = (byte_serialize(back).collect::<String>(), &sign_in.state);
                word("state", state, 64, "")?;
                let url = format!(
                    "{page}/oauth2/publicAppAuthorize.htm?app_id={}&scope=auth_base&redirect_uri={back}&state={state}",
                    self.app_id
                );
                Ok(Step::Done(Outcome::new(Verdict::Awaiting(Action::Redirect { url }))))
            }
            Operation::Identify(identify) => {
                word("code", &identify.code, 128, "-_")?;
                let content = json!({"grant_type": "authorization_code", "code": identify.code});
                let (request, timeout) = (self.request(TOKEN, &content, None, cx)?, Duration::from_secs(10));
                Ok(Step::send(Call { stage: 0, request, timeout, effect: Effect::None, identity: None }))
            }
            _ => Err(Refusal::Unsupported("this operation")),
        }
    }

    /// Who the payer is, as the exchange answers.
    pub(crate) fn told(&self, reply: &Reply, cx: &Context<'_>) -> Result<Step, Fault> {
        let token = match self.answer::<Token>(TOKEN, reply, cx)? {
            Answer::Done(token) => token,
            Answer::Refused(refused) if SPENT.contains(&refused.word()) => {
                return done(declined(Why::Expired, &refused.code, &refused.message));
            }
            Answer::Refused(refused) => return Err(refused.unknown()),
            Answer::Waiting(_) => return Err(Fault::Unexpected("it waits for nothing".into())),
        };
        let is_id =
            |id: &String| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        let id = token.open_id.or(token.user_id).filter(is_id);
        let id = id.ok_or_else(|| Fault::Unexpected("neither an open id nor a user's number".into()))?;
        done(Outcome::new(Verdict::Succeeded).channel_id(id))
    }
}
