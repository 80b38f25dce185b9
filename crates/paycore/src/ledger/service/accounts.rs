//! Operations on accounts: what stands on them, what they may do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::currency::Currency;
use crate::engine::{Caller, Engine};
use crate::error::{Error, Result};
use crate::event::EventKind;
use crate::ledger::{AccountTerms, Balance, Basis, Side, chart};
use crate::order::input::text;
use crate::page::List;
use crate::store::{Changes, Put};
use crate::time::Timestamp;

/// An account of the ledger as the API shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "LedgerAccount")]
pub struct AccountView {
    /// Always `ledger_account`.
    pub object: &'static str,
    /// Its name, such as `merchant_available` or `channel_receivable:alipay`.
    pub account: String,
    /// ISO 4217.
    pub currency: Currency,
    /// Its name for people, in English; empty where the chart of accounts does not have it.
    pub title: &'static str,
    /// In Chinese.
    pub title_zh: &'static str,
    /// The side on which it grows.
    pub side: Side,
    /// What stands on that side beyond the other, minor units; negative where the other has more.
    pub balance: i64,
    /// Sum of all debits, minor units.
    pub debits: i64,
    /// Sum of all credits, minor units.
    pub credits: i64,
    /// By how many minor units debits may exceed credits; null where there is no floor.
    pub overdraft: Option<i64>,
    /// Whether nothing may leave it.
    pub frozen: bool,
}

impl AccountView {
    fn of(balance: &Balance) -> Self {
        let kind = chart::kind(&balance.account);
        let side = kind.map_or(Side::Debit, |kind| kind.side);
        AccountView {
            object: "ledger_account",
            account: balance.account.clone(),
            currency: balance.currency,
            title: kind.map_or("", |kind| kind.title),
            title_zh: kind.map_or("", |kind| kind.title_zh),
            side,
            balance: balance.on(side),
            debits: balance.debits,
            credits: balance.credits,
            overdraft: balance.overdraft,
            frozen: balance.frozen,
        }
    }
}

/// Which instant to look at.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAccounts {
    /// As they stood at this instant, its own bookings included; now where absent. What they may do is always as now.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// With `at`: what the books said then (`booked`), or what they say about then (`effective`).
    #[serde(default)]
    pub basis: Basis,
}

/// All accounts, by name and currency.
pub async fn list(engine: &Engine, caller: &Caller, input: ListAccounts) -> Result<List<AccountView>> {
    let balances = super::balances_of(engine, caller.tenant(), input.at, input.basis).await?;
    let data = balances.iter().map(AccountView::of).collect();
    Ok(List { object: "list", data, has_more: false, next_cursor: None })
}

/// An account, and why its state is to change.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountAndReason {
    /// An account that has a floor, such as `merchant_available`.
    pub account: String,
    /// ISO 4217.
    pub currency: Currency,
    /// Why, 1 to 500 characters.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
}

/// Freezes an account: nothing leaves it until it is unfrozen. Money still comes in.
pub async fn freeze(engine: &Engine, caller: &Caller, input: AccountAndReason) -> Result<AccountView> {
    change(engine, caller, "ledger_accounts.freeze", input, |terms| terms.frozen = true).await
}

/// Frees a frozen account.
pub async fn unfreeze(engine: &Engine, caller: &Caller, input: AccountAndReason) -> Result<AccountView> {
    change(engine, caller, "ledger_accounts.unfreeze", input, |terms| terms.frozen = false).await
}

/// An account, and how far it may fall below zero.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowOverdraft {
    /// An account that has a floor, such as `merchant_available`.
    pub account: String,
    /// ISO 4217.
    pub currency: Currency,
    /// By how many minor units it may fall below zero; 0 for not at all.
    #[schemars(range(min = 0))]
    pub overdraft: i64,
    /// Why, 1 to 500 characters.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
}

/// Sets how far an account may fall below zero.
///
/// # Errors
/// `insufficient_balance` where it is further below already.
pub async fn allow_overdraft(engine: &Engine, caller: &Caller, input: AllowOverdraft) -> Result<AccountView> {
    let AllowOverdraft { account, currency, overdraft, reason } = input;
    if overdraft < 0 {
        return Err(Error::invalid("overdraft", "Must be 0 or more minor units."));
    }
    let input = AccountAndReason { account, currency, reason };
    let set = |terms: &mut AccountTerms| terms.overdraft = Some(overdraft);
    change(engine, caller, "ledger_accounts.allow_overdraft", input, set).await
}

async fn change(
    engine: &Engine,
    caller: &Caller,
    action: &str,
    input: AccountAndReason,
    set: impl FnOnce(&mut AccountTerms) + Send,
) -> Result<AccountView> {
    text("reason", &input.reason, 1, 500)?;
    if !chart::has_floor(&input.account) {
        let names: Vec<&str> = chart::CHART.iter().filter(|kind| kind.floor).map(|kind| kind.name).collect();
        return Err(Error::invalid("account", format!("Must be one of {}.", names.join(", "))));
    }
    let AccountAndReason { account, currency, reason } = input;
    let found = engine.balance(caller.tenant(), &account, currency).await?;
    let mut terms = AccountTerms {
        account,
        currency,
        version: found.version,
        overdraft: found.overdraft,
        frozen: found.frozen,
    };
    set(&mut terms);
    let after = Balance { overdraft: terms.overdraft, frozen: terms.frozen, ..found };
    let view = AccountView::of(&after);
    let moment = engine.moment(&caller.merchant);
    let object = format!("{}/{}", terms.account, terms.currency.code());
    let mut changes = Changes { claim: caller.once(&object, &view, moment), ..Changes::new() };
    let (kind, sequence) = (EventKind::LedgerAccountUpdated, terms.version + 1);
    let livemode = caller.merchant.livemode;
    changes.events.push(engine.event(kind, object.clone(), sequence, &view, livemode, moment));
    changes.audit.push(engine.audit(&caller.actor, action, Some(object), reason, moment));
    changes.put(Put::AccountTerms(terms));
    engine.commit(caller.tenant(), changes).await?;
    Ok(view)
}
