//! Who may be paid: entered by one, approved by another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Beneficiary, Route, rules};
use crate::channel::Verb;
use crate::document::DocumentFilter;
use crate::engine::{Caller, Engine};
use crate::error::{Code, Error, Result};
use crate::id::BeneficiaryId;
use crate::order::input::text;
use crate::page::{List, ListInput};
use crate::secret::Secret;
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// What `beneficiaries.create` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBeneficiary {
    /// Who owns the account, as the bank or channel knows the name.
    #[schemars(length(min = 1, max = 140))]
    pub name: String,
    /// The account: its number, IBAN, openid or sign-in. It is sealed and never shown again.
    #[schemars(length(min = 1, max = 128))]
    pub account: String,
    /// Which way the money goes.
    pub route: Route,
}

/// A beneficiary as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Beneficiary")]
pub struct BeneficiaryView {
    /// Its id.
    pub id: BeneficiaryId,
    /// Always `beneficiary`.
    pub object: &'static str,
    /// Who owns the account.
    pub name: String,
    /// The end of the account.
    pub account_hint: String,
    /// Which way the money goes.
    pub route: Route,
    /// Whether payouts can be drafted for it: active, and approved by somebody other than its author.
    pub payable: bool,
    /// Whether it may be used at all.
    pub active: bool,
    /// Who entered it.
    pub created_by: String,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When it was entered.
    pub created_at: Timestamp,
}

impl Beneficiary {
    /// Whether payouts can be drafted for it.
    pub fn is_payable(&self) -> bool {
        self.active && self.approved_by.is_some()
    }

    fn view(&self) -> BeneficiaryView {
        BeneficiaryView {
            id: self.id,
            object: "beneficiary",
            name: self.name.clone(),
            account_hint: self.hint.clone(),
            route: self.route.clone(),
            payable: self.is_payable(),
            active: self.active,
            created_by: self.created_by.clone(),
            approved_by: self.approved_by.clone(),
            created_at: self.created_at,
        }
    }
}

/// Enters a beneficiary. It can be paid once somebody else approved it.
pub async fn create_beneficiary(
    engine: &Engine,
    caller: &Caller,
    input: CreateBeneficiary,
) -> Result<BeneficiaryView> {
    text("name", &input.name, 1, 140)?;
    text("account", &input.account, 1, 128)?;
    check_route(engine, caller, &input.route).await?;
    let moment = engine.moment(&caller.merchant);
    let id = BeneficiaryId::new(moment.now, &*engine.rng);
    let binding = format!("{}/{id}", caller.tenant());
    let sealed = engine.vault.seal(&binding, &Secret::new(input.account.clone())).map_err(Error::internal)?;
    let beneficiary = Beneficiary {
        id,
        version: 0,
        name: input.name,
        route: input.route,
        sealed_account: sealed,
        hint: rules::hint(&input.account),
        active: true,
        created_by: caller.actor.clone(),
        approved_by: None,
        created_at: moment.now,
    };
    commit(engine, caller, &beneficiary, "beneficiaries.create").await
}

/// A channel must be connected and able to transfer.
async fn check_route(engine: &Engine, caller: &Caller, route: &Route) -> Result<()> {
    match route {
        Route::Channel { channel_account_id, .. } => {
            let open = engine.account(caller.tenant(), *channel_account_id).await?;
            let able = engine
                .driver(&open.account.channel)
                .is_some_and(|driver| driver.profile().verbs.contains(&Verb::Transfer));
            if able {
                return Ok(());
            }
            let detail = format!("The channel `{}` makes no transfers.", open.account.channel);
            Err(Error::invalid("route.channel_account_id", detail))
        }
        Route::Bank { bic, clearing, country } => {
            let upper = |text: &str| text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Err(Error::invalid("route.country", "Give an ISO 3166 country such as `CN`."));
            }
            if bic.as_ref().is_some_and(|bic| !matches!(bic.len(), 8 | 11) || !upper(bic)) {
                return Err(Error::invalid("route.bic", "A BIC has 8 or 11 capital letters and digits."));
            }
            let odd = |text: &String| text.len() > 35 || !text.bytes().all(|b| b.is_ascii_alphanumeric());
            if clearing.as_ref().is_some_and(odd) {
                return Err(Error::invalid("route.clearing", "At most 35 letters and digits."));
            }
            Ok(())
        }
    }
}

/// A beneficiary named by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeneficiaryById {
    /// The beneficiary.
    pub id: BeneficiaryId,
}

/// Approves a beneficiary; its author may not.
pub async fn approve_beneficiary(
    engine: &Engine,
    caller: &Caller,
    input: BeneficiaryById,
) -> Result<BeneficiaryView> {
    let mut beneficiary: Beneficiary = engine.document(caller.tenant(), input.id).await?;
    if beneficiary.created_by == caller.actor {
        let detail = "Whoever entered a beneficiary cannot approve it; use the key of somebody else.";
        return Err(Error::new(Code::Forbidden, detail).object(input.id));
    }
    if beneficiary.approved_by.is_none() {
        beneficiary.approved_by = Some(caller.actor.clone());
    }
    commit(engine, caller, &beneficiary, "beneficiaries.approve").await
}

/// Ends a beneficiary: nothing more is paid to it. What was submitted goes on.
pub async fn deactivate_beneficiary(
    engine: &Engine,
    caller: &Caller,
    input: BeneficiaryById,
) -> Result<BeneficiaryView> {
    let mut beneficiary: Beneficiary = engine.document(caller.tenant(), input.id).await?;
    beneficiary.active = false;
    commit(engine, caller, &beneficiary, "beneficiaries.deactivate").await
}

async fn commit(
    engine: &Engine,
    caller: &Caller,
    beneficiary: &Beneficiary,
    action: &'static str,
) -> Result<BeneficiaryView> {
    let moment = engine.moment(&caller.merchant);
    let view = beneficiary.view();
    let id = beneficiary.id.to_string();
    let mut changes = Changes { claim: caller.once(&id, &view, moment), ..Changes::default() };
    changes.audit.push(engine.audit(&caller.actor, action, Some(id), beneficiary.hint.clone(), moment));
    changes.put(Put::document(beneficiary));
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}

/// Which beneficiaries to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListBeneficiaries {
    /// 1 to 100 rows; 20 where absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only rows listed after this one.
    #[serde(default)]
    pub starting_after: Option<BeneficiaryId>,
    /// Only rows listed before this one.
    #[serde(default)]
    pub ending_before: Option<BeneficiaryId>,
}

/// Beneficiaries, newest first.
pub async fn beneficiaries(
    engine: &Engine,
    caller: &Caller,
    input: ListBeneficiaries,
) -> Result<List<BeneficiaryView>> {
    let page = ListInput::new(input.limit, input.starting_after, input.ending_before)?;
    let filter = DocumentFilter::default();
    let rows: Vec<Beneficiary> = engine.documents(caller.tenant(), &filter, &page.fetch()).await?;
    Ok(page.list(rows.iter().map(Beneficiary::view).collect(), |view| view.id.to_string()))
}
