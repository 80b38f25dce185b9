//! Who calls an operation, and under which idempotency key.

use std::sync::Arc;

use serde::Serialize;

use super::json;
use crate::crypto::Vault;
use crate::error::{Code, Error, Result};
use crate::id::MerchantId;
use crate::idempotency::{Answer, Claim, Record};
use crate::merchant::{Merchant, Scope};
use crate::order::input::Moment;
use crate::secret::Secret;

/// The authenticated caller of one operation.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The merchant: every row that is read or written is this tenant's.
    pub merchant: Arc<Merchant>,
    /// For the audit trail: an API key id or a worker's name.
    pub actor: String,
    /// What the caller may do.
    pub scopes: Arc<[Scope]>,
    /// The idempotency key of this call, if it has one.
    pub claim: Option<ClaimKey>,
}

/// An idempotency key with what it was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimKey {
    /// The key.
    pub key: String,
    /// The operation's name.
    pub operation: &'static str,
    /// Hex SHA-256 over operation and input.
    pub request_hash: String,
}

impl ClaimKey {
    /// What a sealed answer is bound to.
    pub(crate) fn binding(&self, caller: &Caller) -> String {
        format!("{}/claim/{}", caller.tenant(), self.key)
    }
}

impl Caller {
    /// A caller with all of a merchant's scopes, for programs that embed the engine.
    pub fn merchant(merchant: Arc<Merchant>) -> Self {
        Caller { merchant, actor: "embedded".into(), scopes: Scope::MERCHANT.into(), claim: None }
    }

    /// The tenant.
    pub fn tenant(&self) -> MerchantId {
        self.merchant.id
    }

    /// Refuses callers without a scope.
    pub fn require(&self, scope: Scope) -> Result<()> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        Err(Error::new(Code::Forbidden, format!("This key lacks the scope `{}`.", scope.text())))
    }

    /// Takes the key before something is sent; [`Caller::close`] answers it later.
    pub(crate) fn open(&self, object_id: impl ToString, moment: Moment) -> Option<Claim> {
        self.claim.as_ref().map(|claim| Claim::Open(record(claim, object_id.to_string(), None, moment)))
    }

    /// Answers the key taken by [`Caller::open`].
    pub(crate) fn close<V: Serialize>(&self, view: &V) -> Option<Claim> {
        self.claim.as_ref().map(|claim| Claim::Close { key: claim.key.clone(), answer: answer(view) })
    }

    /// Takes and answers the key in one commit, where nothing is sent in between.
    pub(crate) fn once<V: Serialize>(
        &self,
        object_id: impl ToString,
        view: &V,
        moment: Moment,
    ) -> Option<Claim> {
        let claim = self.claim.as_ref()?;
        Some(Claim::Open(record(claim, object_id.to_string(), Some(answer(view)), moment)))
    }

    /// The same for an answer that holds a secret: what is remembered is sealed.
    pub(crate) fn once_sealed<V: Serialize>(
        &self,
        object_id: impl ToString,
        view: &V,
        vault: &dyn Vault,
        moment: Moment,
    ) -> Result<Option<Claim>> {
        let Some(claim) = &self.claim else { return Ok(None) };
        let sealed = vault.seal(&claim.binding(self), &Secret::new(json(view))).map_err(Error::internal)?;
        let answer = Answer { status: 200, body: sealed };
        Ok(Some(Claim::Open(record(claim, object_id.to_string(), Some(answer), moment))))
    }
}

fn record(claim: &ClaimKey, object_id: String, answer: Option<Answer>, moment: Moment) -> Record {
    Record {
        key: claim.key.clone(),
        operation: claim.operation.to_owned(),
        request_hash: claim.request_hash.clone(),
        object_id,
        answer,
        created_at: moment.now,
    }
}

fn answer<V: Serialize>(view: &V) -> Answer {
    Answer { status: 200, body: json(view) }
}
