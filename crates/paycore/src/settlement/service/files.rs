//! Statements as files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clearing::Item;
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::SettlementId;
use crate::settlement::export::{ExportError, Format, Head, Language};
use crate::settlement::{Plan, Settlement};

/// How many items a file may have: what is made in one answer has to fit in it.
const ITEMS_MAX: u64 = 200_000;

/// What `settlements.export` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportSettlement {
    /// The settlement.
    pub id: SettlementId,
    /// The form of the file.
    pub format: Format,
    /// The language of the file; `en` where absent.
    #[serde(default)]
    pub language: Option<Language>,
}

/// A file. Ask with `Accept: application/octet-stream` to get its bytes alone.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct File {
    /// Always `file`.
    pub object: &'static str,
    /// The name to keep it under.
    pub file_name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes in base 64.
    pub content: String,
}

/// The statement of a closed settlement as a file, with every item.
pub async fn export(engine: &Engine, caller: &Caller, input: ExportSettlement) -> Result<File> {
    let settlement: Settlement = engine.document(caller.tenant(), input.id).await?;
    if settlement.statement.is_none() {
        return Err(
            Error::new(Code::StateNotAllowed, "This settlement is still being made.").object(input.id)
        );
    }
    if settlement.collected.items > ITEMS_MAX {
        let detail = format!("A file has at most {ITEMS_MAX} items; read them by `clearing_items.list`.");
        return Err(Error::invalid("id", detail));
    }
    let plan: Plan = engine.document(caller.tenant(), settlement.plan_id).await?;
    let head = Head {
        merchant: caller.merchant.name.clone(),
        zone: plan.terms.time_zone,
        language: input.language.unwrap_or(Language::English),
        settlement,
    };
    let file_name = format!("{}.{}", head.file_stem(), input.format.extension());
    let exporter = engine.exporter.as_ref().ok_or_else(|| Error::internal("no exporter is wired"))?;
    let mut file = exporter.begin(head, input.format)?;
    engine
        .each_document(caller.tenant(), &DocumentFilter::of(input.id), |item: Item| Ok(file.item(&item)?))
        .await?;
    let content = STANDARD.encode(file.finish()?);
    Ok(File { object: "file", file_name, media_type: input.format.media_type(), content })
}

impl From<ExportError> for Error {
    fn from(error: ExportError) -> Self {
        Error::internal(error)
    }
}
