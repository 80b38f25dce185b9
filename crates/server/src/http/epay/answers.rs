//! Answers in the protocol's own form: JSON, in version 2 signed, and pages for browsers.

use axum::response::Response;
use http::header::{CONTENT_TYPE, LOCATION};
use paycore::epay::Protocol;
use paycore::epay::rules::{Parameters, Signing};
use paycore::time::Timestamp;
use serde_json::{Map, Value};

use super::{No, cashier, respond};

/// The members of an answer.
pub(super) type Members = Map<String, Value>;

/// What goes back.
pub(super) enum Answer {
    /// A redirect.
    Go(String),
    /// A JSON object.
    Json(Members),
    /// A page that says what went wrong.
    Page(No),
}

impl Answer {
    /// It was done. Version 1 says 1 for that, version 2 says 0.
    pub(super) fn done(
        protocol: Protocol,
        mut members: Members,
        signing: &Signing,
        now: Timestamp,
    ) -> Answer {
        members.insert("code".into(), i64::from(protocol == Protocol::V1).into());
        members.entry("msg").or_insert_with(|| "success".into());
        signed(protocol, members, Some(signing), now)
    }

    /// It was not done. Version 2 signs that too, once it is known who asks.
    pub(super) fn refused(
        protocol: Protocol,
        page: bool,
        no: &No,
        signing: Option<&Signing>,
        now: Timestamp,
    ) -> Answer {
        if page {
            return Answer::Page(no.clone());
        }
        let members = [("code".to_owned(), Value::from(-1)), ("msg".to_owned(), Value::from(no.text()))];
        signed(protocol, members.into_iter().collect(), signing, now)
    }

    pub(super) fn into_response(self) -> Response {
        match self {
            Answer::Go(url) => respond(302, &[(LOCATION, &url)], ""),
            Answer::Page(no) => cashier::message(&no.zh, &no.en),
            Answer::Json(members) => {
                let kind = (CONTENT_TYPE, "application/json; charset=utf-8");
                respond(200, &[kind], Value::Object(members).to_string())
            }
        }
    }
}

/// Texts and numbers are signed; lists are not, by the protocol.
fn signed(protocol: Protocol, mut members: Members, signing: Option<&Signing>, now: Timestamp) -> Answer {
    if let (Protocol::V2, Some(signing)) = (protocol, signing) {
        members.insert("timestamp".into(), now.secs().to_string().into());
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let mut texts: Parameters =
            members.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect();
        signing.sign(&mut texts);
        for name in ["sign", "sign_type"] {
            members.extend(texts.remove(name).map(|text| (name.to_owned(), text.into())));
        }
    }
    Answer::Json(members)
}
