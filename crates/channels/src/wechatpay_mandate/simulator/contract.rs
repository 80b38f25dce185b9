//! Contracts, and the page on which a payer signs, refuses or ends one.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::header::LOCATION;
use http::{Method, Request, Response};
use paycore::channel::simulator::Answer;
use paycore::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Charges;
use super::api::{NO_CONTRACT, answered, understood};
use crate::sandbox::v2::{Content, Error, Merchant, PARAM, Result, refuse, stranger};
use crate::sandbox::wechat_login::OPENID;
use crate::sandbox::xml::{Fields, fields};
use crate::sandbox::{escape, html, respond};

/// How a contract ends, in the provider's numbers.
const BY_PAYER: &str = "2";
const BY_MERCHANT: &str = "3";

/// What the merchant is told: where, what and when.
type Told = (String, Value, Timestamp);

/// All contracts of one merchant's plan.
pub(super) struct Contracts {
    merchant: Merchant,
    plan_id: String,
    base_url: String,
    contracts: BTreeMap<String, Contract>,
    changed: BTreeSet<String>,
    news: Vec<Told>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Contract {
    /// The merchant's number.
    code: String,
    /// The provider's number.
    id: String,
    serial: String,
    display: String,
    notify_url: String,
    signed: Option<Timestamp>,
    /// When it ended, and how.
    ended: Option<(Timestamp, String)>,
    remark: String,
}

impl Contracts {
    pub(super) fn new(merchant: Merchant, plan_id: String, base_url: String) -> Contracts {
        let (contracts, changed, news) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        Contracts { merchant, plan_id, base_url, contracts, changed, news }
    }

    /// The numbers of those that can be charged.
    pub(super) fn active(&self) -> Vec<String> {
        let active = self.contracts.values().filter(|one| one.signed.is_some() && one.ended.is_none());
        active.map(|one| one.id.clone()).collect()
    }

    pub(super) fn take_news(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.news)
    }

    /// Answers what is about contracts, and nothing else.
    pub(super) fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Option<Answer> {
        let path = request.uri().path();
        if let Some(rest) = path.strip_prefix("/payer/") {
            return self.page(request.method(), rest, now).map(Answer::Reply);
        }
        let call = path.strip_prefix("/papay/")?;
        if request.method() == Method::GET {
            let query = request.uri().query().unwrap_or_default().as_bytes();
            let said = url::form_urlencoded::parse(query).into_owned();
            return Some(Answer::Reply(self.browse(call, said.collect(), now)));
        }
        let Some(content) = self.merchant.authentic(request) else { return Some(Answer::Reply(stranger())) };
        let said = self.route(call, &content, now);
        Some(Answer::Reply(self.merchant.signed(answered(said), content.hmac(), now)))
    }

    /// What WeChat does with the parameters that a mini program hands it; `None` where it was asked beforehand.
    pub(super) fn client(&mut self, parameters: &[(String, String)], now: Timestamp) -> Option<Answer> {
        let said: Fields = parameters.iter().cloned().collect();
        said.contains_key("contract_code").then(|| Answer::Reply(self.begin_signed(said, false, now)))
    }

    fn route(&mut self, call: &str, content: &Content, now: Timestamp) -> Result {
        self.merchant.named(content, "appid")?;
        match call {
            "preentrustweb" => {
                let code = self.begin(content, now)?;
                Ok(Some(fields([("pre_entrustweb_id", &format!("sandbox{code}"))])))
            }
            "querycontract" => self.find(content).map(|one| Some(self.shown(one))),
            "deletecontract" => {
                let code = self.find(content)?.code.clone();
                let remark = content.required("contract_termination_remark")?.to_owned();
                refuse([(remark.len() > 256, PARAM)])?;
                self.change(&code, |one| one.remark = remark);
                self.end(&code, BY_MERCHANT, now)?;
                let one = self.contracts.get(&code).ok_or(NO_CONTRACT)?;
                Ok(Some(self.names(one)))
            }
            _ => Err(PARAM),
        }
    }

    /// A browser opens a signed address.
    fn browse(&mut self, page: &str, said: Fields, now: Timestamp) -> Response<Bytes> {
        match page {
            "entrustweb" => self.begin_signed(said, false, now),
            "h5entrustweb" if said.get("clientip").is_some_and(|ip| !ip.is_empty()) => {
                self.begin_signed(said, true, now)
            }
            _ => trouble("参数错误 · Wrong parameters"),
        }
    }

    fn begin_signed(&mut self, said: Fields, hmac: bool, now: Timestamp) -> Response<Bytes> {
        let content = Content(said);
        if content.0.get("sign") != Some(&self.merchant.sign(&content.0, hmac)) {
            return trouble("签名错误 · Wrong signature");
        }
        let named = self.merchant.named(&content, "appid");
        match named.and_then(|()| self.begin(&content, now)) {
            Ok(code) => respond(303, (LOCATION, &format!("{}/payer/{code}", self.base_url)), String::new()),
            Err(Error(code, text)) => trouble(&format!("{code} {text}")),
        }
    }

    /// Takes a contract in that is to be signed; one that is known stays as it is.
    fn begin(&mut self, content: &Content, now: Timestamp) -> Result<String> {
        let (code, serial) = (content.required("contract_code")?, content.required("request_serial")?);
        let (display, notify_url) =
            (content.required("contract_display_account")?, content.required("notify_url")?);
        let stamp: Option<i64> = content.required("timestamp")?.parse().ok();
        refuse([
            (content.required("plan_id")? != self.plan_id, Error("PARAM_ERROR", "模板不存在")),
            (code.len() > 32 || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()), PARAM),
            (serial.parse::<i64>().is_err() || display.len() > 32 || stamp.is_none(), PARAM),
            (notify_url.len() > 256 || !notify_url.starts_with("http"), PARAM),
        ])?;
        if self.contracts.contains_key(code) {
            return Ok(code.to_owned());
        }
        let (day, number) = (now.beijing_compact(), self.contracts.len() + 1);
        let contract = Contract {
            code: code.to_owned(),
            id: format!("Wx{}{number:012}", &day[..8]),
            serial: serial.to_owned(),
            display: display.to_owned(),
            notify_url: notify_url.to_owned(),
            signed: None,
            ended: None,
            remark: String::new(),
        };
        self.contracts.insert(code.to_owned(), contract);
        self.changed.insert(code.to_owned());
        Ok(code.to_owned())
    }

    /// By the provider's number first, then by the merchant's. One that nobody signed yet is none.
    fn find(&self, content: &Content) -> Result<&Contract> {
        refuse([(content.required("version")? != "1.0", PARAM)])?;
        let found = match content.text("contract_id") {
            Some(id) => self.contracts.values().find(|one| one.id == id),
            None => {
                refuse([(content.required("plan_id")? != self.plan_id, NO_CONTRACT)])?;
                self.contracts.get(content.required("contract_code")?)
            }
        };
        found.filter(|one| one.signed.is_some()).ok_or(NO_CONTRACT)
    }

    fn names(&self, one: &Contract) -> Fields {
        fields([("contract_code", &one.code), ("plan_id", &self.plan_id), ("contract_id", &one.id)])
    }

    fn shown(&self, one: &Contract) -> Fields {
        let mut said = self.names(one);
        said.extend(fields([
            ("contract_state", if one.ended.is_some() { "1" } else { "0" }),
            ("contract_display_account", &one.display),
            ("request_serial", &one.serial),
            ("openid", OPENID),
        ]));
        let time = |at: Timestamp| at.beijing()[..19].to_owned();
        said.extend(one.signed.map(|at| ("contract_signed_time".to_owned(), time(at))));
        if let Some((at, mode)) = &one.ended {
            said.extend(fields([
                ("contract_terminated_time", &time(*at)),
                ("contract_termination_mode", mode),
                ("contract_termination_remark", &one.remark),
            ]));
        }
        said
    }

    /// Answers `/payer/{code}` and its buttons; nothing where there is no such contract.
    fn page(&mut self, method: &Method, rest: &str, now: Timestamp) -> Option<Response<Bytes>> {
        let (code, action) = rest.split_once('/').unwrap_or((rest, ""));
        let one = self.contracts.get(code)?;
        let open = one.signed.is_none();
        match (method, action) {
            (&Method::POST, "sign") if open => self.sign(code, now),
            (&Method::POST, "end") if !open => drop(self.end(code, BY_PAYER, now)),
            // A payer who refuses leaves the contract open and may come back.
            (&Method::GET, "") | (&Method::POST, "cancel" | "sign" | "end") => {}
            _ => return Some(trouble("没有这个页面 · No such page")),
        }
        self.contracts.get(code).map(page)
    }

    fn sign(&mut self, code: &str, now: Timestamp) {
        self.change(code, |one| one.signed = Some(now));
        self.tell(code, "ADD", now);
    }

    /// Ends a contract, once.
    fn end(&mut self, code: &str, how: &str, now: Timestamp) -> Result<()> {
        let one = self.contracts.get(code).ok_or(NO_CONTRACT)?;
        refuse([(one.ended.is_some(), Error("CONTRACT_TERMINATED", "协议已解约"))])?;
        self.change(code, |one| one.ended = Some((now, how.to_owned())));
        self.tell(code, "DELETE", now);
        Ok(())
    }

    fn tell(&mut self, code: &str, change: &str, now: Timestamp) {
        let Some(one) = self.contracts.get(code) else { return };
        let mut told = self.names(one);
        told.extend(understood("SUCCESS"));
        told.extend(fields([
            ("change_type", change),
            ("openid", OPENID),
            ("request_serial", &one.serial),
            ("operate_time", &now.beijing()[..19]),
        ]));
        told.extend(one.ended.iter().map(|(_, how)| ("contract_termination_mode".to_owned(), how.clone())));
        let told = told.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        self.news.push((one.notify_url.clone(), told, now));
    }

    fn change(&mut self, code: &str, change: impl FnOnce(&mut Contract)) {
        if let Some(one) = self.contracts.get_mut(code) {
            change(one);
            self.changed.insert(code.to_owned());
        }
    }

    pub(super) fn changed(&mut self) -> Vec<(String, String)> {
        let record = |code: String| {
            let text = serde_json::to_string(self.contracts.get(&code)?).ok()?;
            Some((format!("contract/{code}"), text))
        };
        std::mem::take(&mut self.changed).into_iter().filter_map(record).collect()
    }

    /// Whether a record is one of these.
    pub(super) fn restore(&mut self, key: &str, value: &str) -> bool {
        let Some(code) = key.strip_prefix("contract/") else { return false };
        if let Ok(one) = serde_json::from_str(value) {
            self.contracts.insert(code.to_owned(), one);
        }
        true
    }
}

fn trouble(text: &str) -> Response<Bytes> {
    html::<Charges>(400, &format!("<h1>{}</h1>", escape(text)))
}

fn page(one: &Contract) -> Response<Bytes> {
    let (code, display) = (escape(&one.code), escape(&one.display));
    let choice = match (one.signed, &one.ended) {
        // Relative to this page, so that the simulator may be mounted anywhere.
        (None, _) => format!(
            "<form method=post action='{code}/sign'><button>同意并签约 Agree and sign</button></form>\
             <form method=post action='{code}/cancel'><button class=quiet>不同意 Refuse</button></form>"
        ),
        (Some(_), None) => format!(
            "<p class=state>已签约 · Signed</p>\
             <form method=post action='{code}/end'><button class=quiet>解约 End it</button></form>"
        ),
        (Some(_), Some(_)) => "<p class=state>已解约 · Ended</p>".to_owned(),
    };
    let asked = "允许商户按约定自动扣款 · Let the shop charge you";
    html::<Charges>(200, &format!("<h1>{asked}</h1><p>{display}</p>{choice}<p class=note>{code}</p>"))
}
