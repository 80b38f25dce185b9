//! The operation catalogue: one row per operation. The HTTP routes, `openapi.json`, the C door, the command line
//! and the reference documentation are all made from these rows, so that no door can say something else.

mod decode;
mod render;
mod rows;

use std::future::Future;
use std::pin::Pin;

use schemars::{Schema, SchemaGenerator};
use sha2::{Digest, Sha256};

pub use decode::Input;
pub use rows::CATALOGUE;

use crate::engine::{Caller, ClaimKey, Engine};
use crate::error::{Code, Error, Result};
use crate::idempotency::{Answer, Claim, Record};
use crate::merchant::Scope;
use crate::merchant::rules::hex;
use crate::store::Changes;

/// One operation.
pub struct Operation {
    /// Such as `orders.create`.
    pub name: &'static str,
    /// HTTP method.
    pub method: http::Method,
    /// Path with parameters in braces, such as `/v1/orders/{id}/close`.
    pub path: &'static str,
    /// One English sentence.
    pub summary: &'static str,
    /// The same in Chinese.
    pub summary_zh: &'static str,
    /// What a key needs to call it.
    pub scope: Scope,
    /// Whether it changes anything; such calls take an `Idempotency-Key`.
    pub mutates: bool,
    /// Whether money may move because of it; such calls must have an `Idempotency-Key`.
    pub moves_money: bool,
    /// Whether the input holds a whole file, so that it may be larger than other inputs.
    pub takes_file: bool,
    /// Whether the answer holds a secret that is shown once, so that what is remembered of it is sealed.
    pub secret_answer: bool,
    /// An input that works in a fresh sandbox, as JSON; path parameters included.
    pub example: &'static str,
    /// JSON Schema of the input, path and query parameters included.
    pub input: fn(&mut SchemaGenerator) -> Schema,
    /// JSON Schema of the answer.
    pub output: fn(&mut SchemaGenerator) -> Schema,
    call: CallFn,
}

type CallFn = for<'a> fn(
    &'a Engine,
    &'a Caller,
    serde_json::Deserializer<serde_json::de::SliceRead<'a>>,
) -> Running<'a>;
type Running<'a> = Pin<Box<dyn Future<Output = Result<String>> + Send + 'a>>;

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operation").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The answer of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The JSON body.
    pub body: String,
    /// Whether it was remembered from an earlier call with the same key.
    pub replayed: bool,
}

/// A request that stays open longer than this was cut off (the server stopped): its key is answered from the
/// object it made. Longer than any operation takes.
const INTERRUPTED_AFTER: std::time::Duration = std::time::Duration::from_secs(45);
const KEY_LEN_MAX: usize = 255;

/// The operation with a name.
pub fn find(name: &str) -> Option<&'static Operation> {
    CATALOGUE.iter().find(|operation| operation.name == name)
}

impl Operation {
    /// Checks scope and key, answers repeated calls from memory, and runs the operation once.
    pub async fn invoke(
        &self,
        engine: &Engine,
        caller: Caller,
        input: Input<'_>,
        key: Option<&str>,
    ) -> Result<Reply> {
        caller.require(self.scope)?;
        let body = input.into_json(self)?;
        let mut caller = caller;
        if self.mutates {
            caller.claim = self.claim_key(key, &body)?;
        }
        // An operation that moves money takes the key in its first commit, before anything is sent: a repeat shows
        // there, and a new request does not pay for a look at keys it does not find.
        if !self.moves_money
            && let Some(repeated) = self.repeated(engine, &caller).await?
        {
            return Ok(repeated);
        }
        let deserializer = serde_json::Deserializer::from_slice(&body);
        match (self.call)(engine, &caller, deserializer).await {
            Ok(body) => Ok(Reply { body, replayed: false }),
            // Whatever went wrong on our side is said; anything else may be so because the request is a repeat.
            Err(error) if error.code.status() >= 500 => Err(error),
            Err(error) => self.repeated(engine, &caller).await?.ok_or(error),
        }
    }

    /// The answer to a key that is known already.
    async fn repeated(&self, engine: &Engine, caller: &Caller) -> Result<Option<Reply>> {
        let Some(claim) = &caller.claim else { return Ok(None) };
        match engine.store.claim(caller.tenant(), &claim.key).await? {
            Some(record) => self.repeat(engine, caller, claim, record).await.map(Some),
            None => Ok(None),
        }
    }

    fn claim_key(&self, key: Option<&str>, body: &[u8]) -> Result<Option<ClaimKey>> {
        let Some(key) = key else {
            if !self.moves_money {
                return Ok(None);
            }
            let detail = "Send an `Idempotency-Key` header: any text that is new for every new request, such as a \
                          UUID. Repeating the request with the same key is then safe.";
            return Err(Error::new(Code::IdempotencyKeyMissing, detail).param("Idempotency-Key"));
        };
        if key.is_empty() || key.len() > KEY_LEN_MAX || !key.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
            let detail = format!("Must be 1 to {KEY_LEN_MAX} printable ASCII characters without spaces.");
            return Err(Error::new(Code::IdempotencyKeyInvalid, detail).param("Idempotency-Key"));
        }
        let mut hash = Sha256::new();
        hash.update(self.name.as_bytes());
        hash.update([0]);
        hash.update(body);
        Ok(Some(ClaimKey { key: key.to_owned(), operation: self.name, request_hash: hex(&hash.finalize()) }))
    }

    async fn repeat(
        &self,
        engine: &Engine,
        caller: &Caller,
        claim: &ClaimKey,
        record: Record,
    ) -> Result<Reply> {
        if record.request_hash != claim.request_hash {
            let detail =
                "This Idempotency-Key was used with another request. Use a new key for a new request.";
            return Err(Error::new(Code::IdempotencyMismatch, detail).param("Idempotency-Key"));
        }
        let body = match record.answer {
            Some(answer) if self.secret_answer => {
                let clear =
                    engine.vault.open(&claim.binding(caller), &answer.body).map_err(Error::internal)?;
                clear.expose().to_owned()
            }
            Some(answer) => answer.body,
            None => {
                let now = engine.moment(&caller.merchant).now;
                if now.since(record.created_at) < INTERRUPTED_AFTER {
                    let detail = "The first request with this key is still running; retry in a moment.";
                    return Err(Error::new(Code::IdempotencyInFlight, detail).object(&record.object_id));
                }
                answer_interrupted(engine, caller, claim, &record).await?
            }
        };
        Ok(Reply { body, replayed: true })
    }
}

/// Answers a key whose request was cut off, from the object it had made, and remembers the answer.
async fn answer_interrupted(
    engine: &Engine,
    caller: &Caller,
    claim: &ClaimKey,
    record: &Record,
) -> Result<String> {
    let body = render::object(engine, caller, &record.object_id).await?;
    let answer = Answer { status: 200, body: body.clone() };
    let claim = Some(Claim::Close { key: claim.key.clone(), answer });
    engine.commit(caller.tenant(), Changes { claim, ..Changes::default() }).await?;
    Ok(body)
}
