//! Who the payer is, as the wallet knows them in whose browser a page is open: where the page sends the browser to, and
//! what the code means that it comes back with. See ADR 21.

use crate::channel::{Action, Identify, Method, Operation, Outcome, SignIn, Step, Verb, Verdict};
use crate::currency::Currency;
use crate::engine::{Engine, OpenAccount};
use crate::error::{Code, Error, Result};
use crate::link::rules;
use crate::merchant::Merchant;
use crate::time::Timestamp;

/// Where an account sends a browser so that the wallet tells who the payer is; none where it cannot ask.
pub(crate) fn address(
    engine: &Engine,
    open: &OpenAccount,
    return_url: &str,
    now: Timestamp,
) -> Result<Option<String>> {
    let verbs = open.channel.as_ref().map_or(&[][..], |channel| channel.profile().verbs);
    if !verbs.contains(&Verb::SignIn) {
        return Ok(None);
    }
    let sign_in = SignIn { return_url: return_url.to_owned(), state: "paycore".to_owned() };
    match engine.encode(open, &Operation::SignIn(sign_in), now) {
        Ok(Step::Done(Outcome { verdict: Verdict::Awaiting(Action::Redirect { url }), .. })) => Ok(Some(url)),
        Ok(other) => Err(Error::internal(format!("a sign-in that is {other:?}"))),
        // The account lacks the settings to ask with; the channel then says what it misses when it is to be paid.
        Err(_) => Ok(None),
    }
}

/// Where the payer's browser has to go first; none where the method needs no payer or its channel cannot tell.
pub(crate) async fn first(
    engine: &Engine,
    merchant: &Merchant,
    (method, currency): (&Method, Currency),
    return_url: &str,
) -> Result<Option<String>> {
    let Some(open) = account(engine, merchant, method, currency).await? else { return Ok(None) };
    address(engine, &open, return_url, engine.moment(merchant).now)
}

/// Who the payer is, from the code that the wallet sent along.
pub(crate) async fn identify(
    engine: &Engine,
    merchant: &Merchant,
    (method, currency): (&Method, Currency),
    code: &str,
) -> Result<String> {
    let Some(open) = account(engine, merchant, method, currency).await? else {
        return Err(Error::invalid("code", "This method does not ask who the payer is."));
    };
    let identify = Operation::Identify(Identify { code: code.to_owned() });
    let outcome = engine.ask(&open, &identify, engine.moment(merchant).now).await;
    let told = outcome.ok().filter(|outcome| outcome.verdict == Verdict::Succeeded);
    told.and_then(|outcome| outcome.channel_id).ok_or_else(|| {
        let detail = "The wallet did not say who you are; open this page again. 钱包未告知付款人身份，请重新打开本页。";
        Error::new(Code::Unavailable, detail)
    })
}

/// The account that takes this method inside a wallet, if its channel can tell who the payer is.
async fn account(
    engine: &Engine,
    merchant: &Merchant,
    method: &Method,
    currency: Currency,
) -> Result<Option<OpenAccount>> {
    if !rules::names_payer(method) {
        return Ok(None);
    }
    let accounts = engine.accounts(merchant.id).await?;
    let takes = |open: &&OpenAccount| {
        let profile = open.channel.as_ref().map(|channel| channel.profile());
        open.account.enabled && profile.is_some_and(|profile| profile.capability(method, currency).is_some())
    };
    let tells = |open: &&OpenAccount| {
        open.channel.as_ref().is_some_and(|channel| channel.profile().verbs.contains(&Verb::Identify))
    };
    Ok(accounts.iter().find(takes).filter(tells).cloned())
}
