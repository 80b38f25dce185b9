//! A call: which operation, with what, under which key.

use std::borrow::Cow;

use paycore::catalogue::{self, Input};
use paycore::error::{Code, Error, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::instance::Instance;
use crate::{problem, receive};

/// What a host sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call<'a> {
    /// An operation of the catalogue, or one of this door's own.
    #[serde(borrow)]
    op: Cow<'a, str>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    idempotency_key: Option<Cow<'a, str>>,
}

impl Instance {
    /// Answers one call. What fails in it is an answer too.
    pub(crate) fn call(&self, request: &[u8]) -> Result<String> {
        let answer = read(request).and_then(|call| self.run(self.answer(call)));
        Ok(answer.unwrap_or_else(|error| problem::answer(&error, self.chinese)))
    }

    async fn answer(&self, call: Call<'_>) -> Result<String> {
        let input = call.input.map_or("", RawValue::get);
        match &*call.op {
            "http.receive" => Ok(ok(&receive::receive(self, input).await?, false)),
            "verify" => {
                let report = paycore::verify::run(self.engine.store()).await?;
                Ok(ok(&serde_json::to_string(&report).map_err(Error::internal)?, false))
            }
            name => {
                let operation = catalogue::find(name).ok_or_else(|| {
                    Error::new(Code::NotFound, format!("There is no operation `{name}`.")).param("op")
                })?;
                let caller = self.caller().await?;
                let input = Input::json(input.as_bytes());
                let reply =
                    operation.invoke(&self.engine, caller, input, call.idempotency_key.as_deref()).await?;
                Ok(ok(&reply.body, reply.replayed))
            }
        }
    }
}

fn read(request: &[u8]) -> Result<Call<'_>> {
    serde_json::from_slice(request).map_err(|error| {
        let detail = format!("A call is one JSON object with `op`, `input` and `idempotency_key`: {error}.");
        Error::new(Code::InvalidRequest, detail)
    })
}

/// The answer that holds this JSON text, marked where it was remembered from an earlier call with the same key.
fn ok(json: &str, replayed: bool) -> String {
    let mark = if replayed { r#","replayed":true"# } else { "" };
    format!(r#"{{"ok":{json}{mark}}}"#)
}
