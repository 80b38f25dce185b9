//! Operations on evidence.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::dispute::evidence::{FILES_MAX, read};
use crate::dispute::{Dispute, DisputeStatus, Evidence, MediaType};
use crate::document::{DocumentFilter, Shown};
use crate::engine::{Caller, Engine, json};
use crate::error::{Code, Error, Result};
use crate::id::{DisputeId, EvidenceId};
use crate::merchant::rules::hex;
use crate::order::input::text;
use crate::page::List;
use crate::secret::Secret;
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// A file to add.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddEvidence {
    /// The dispute; it must still wait for a response.
    pub id: DisputeId,
    /// What you call it.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// The file as base64: a PDF, PNG, JPEG or plain text, at most 524,288 bytes.
    #[schemars(length(min = 1, max = 699_052))]
    pub content: String,
}

/// A file of evidence, without its content.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Evidence")]
pub struct EvidenceView {
    /// Its id.
    pub id: EvidenceId,
    /// Always `dispute_evidence`.
    pub object: &'static str,
    /// The dispute.
    pub dispute_id: DisputeId,
    /// What the merchant calls it.
    pub name: String,
    /// What it is, told by its content.
    pub media_type: MediaType,
    /// Bytes.
    pub size: usize,
    /// Hex SHA-256 of the bytes.
    pub sha256: String,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A file of evidence with its content.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "EvidenceContent")]
pub struct EvidenceContent {
    /// The file.
    #[serde(flatten)]
    pub evidence: EvidenceView,
    /// Its bytes as base64.
    pub content: String,
}

impl Evidence {
    /// The file as the API shows it.
    pub fn view(&self) -> EvidenceView {
        EvidenceView {
            id: self.id,
            object: "dispute_evidence",
            dispute_id: self.dispute_id,
            name: self.name.clone(),
            media_type: self.media_type,
            size: self.size,
            sha256: self.sha256.clone(),
            created_at: self.created_at,
        }
    }
}

/// Keeps a file for a dispute, sealed.
pub async fn add_evidence(engine: &Engine, caller: &Caller, input: AddEvidence) -> Result<EvidenceView> {
    text("name", &input.name, 1, 100)?;
    let (bytes, media_type) = read("content", &input.content)?;
    let mut dispute: Dispute = engine.document(caller.tenant(), input.id).await?;
    if dispute.status != DisputeStatus::NeedsResponse {
        let detail = format!("The dispute is `{}`; it takes no more evidence.", dispute.status.text());
        return Err(Error::new(Code::StateNotAllowed, detail).object(dispute.id));
    }
    if dispute.evidence.len() >= FILES_MAX {
        let detail = format!("At most {FILES_MAX} files.");
        return Err(Error::new(Code::StateNotAllowed, detail).param("content").object(dispute.id));
    }
    let moment = engine.moment(&caller.merchant);
    let id = EvidenceId::new(moment.now, &*engine.rng);
    let sealed =
        engine.vault.seal(&binding(caller, id), &Secret::new(input.content)).map_err(Error::internal)?;
    let evidence = Evidence {
        id,
        version: 0,
        dispute_id: dispute.id,
        name: input.name,
        media_type,
        size: bytes.len(),
        sha256: hex(&Sha256::digest(&bytes)),
        sealed,
        created_at: moment.now,
    };
    dispute.evidence.push(id);
    dispute.updated_at = moment.now;
    let view = evidence.view();
    let mut changes = Changes { claim: caller.once(id, &view, moment), ..Changes::default() };
    changes.put(Put::document(&dispute)).put(Put::document(&evidence));
    let (object, detail) = (Some(id.to_string()), json(&view.sha256));
    changes.audit.push(engine.audit(&caller.actor, "disputes.add_evidence", object, detail, moment));
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}

/// What makes sealed content unreadable in any other row.
fn binding(caller: &Caller, id: EvidenceId) -> String {
    format!("{}/{id}", caller.tenant())
}

/// A file named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceById {
    /// The file.
    pub id: EvidenceId,
}

/// One file with its content.
pub async fn retrieve_evidence(
    engine: &Engine,
    caller: &Caller,
    input: EvidenceById,
) -> Result<EvidenceContent> {
    let evidence: Evidence = engine.document(caller.tenant(), input.id).await?;
    let clear =
        engine.vault.open(&binding(caller, evidence.id), &evidence.sealed).map_err(Error::internal)?;
    let bytes = STANDARD.decode(clear.expose()).map_err(Error::internal)?;
    if hex(&Sha256::digest(&bytes)) != evidence.sha256 {
        return Err(Error::internal(format!("{} is not what was added", evidence.id)));
    }
    Ok(EvidenceContent { evidence: evidence.view(), content: clear.expose().to_owned() })
}

/// The files of a dispute, newest first.
pub async fn list_evidence(
    engine: &Engine,
    caller: &Caller,
    input: super::DisputeById,
) -> Result<List<EvidenceView>> {
    let dispute: Shown<Dispute> = super::retrieve(engine, caller, input).await?;
    let filter = DocumentFilter::of(dispute.document().id);
    let files: Vec<Evidence> = engine.all_documents(caller.tenant(), &filter).await?;
    let data = files.iter().map(Evidence::view).collect();
    Ok(List { object: "list", data, has_more: false, next_cursor: None })
}
