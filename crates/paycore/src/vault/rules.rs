//! Pure decisions about tokens and stored cards: what may be typed, how it is sealed, what it may be used for.

use std::fmt::Display;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{
    CardStatus, CardToken, CardTokenView, CardView, Consent, Keep, KeptCard, NetworkToken, ProvisionedToken,
    StoredCard, TokenStatus, TypedCard,
};
use crate::channel::card::number::{self, Problem};
use crate::channel::card::{Card, Usage};
use crate::channel::{CardFace, Expiry};
use crate::crypto::{SealError, Vault};
use crate::error::{Code, Error, Result};
use crate::id::{AttemptId, CardId, CardTokenId, ChannelAccountId, MerchantId, OrderId};
use crate::merchant::rules::hex;
use crate::order::AttemptStatus;
use crate::order::input::{Moment, text};
use crate::secret::Secret;
use crate::time::Timestamp;

/// How long a token may be used.
pub const TOKEN_LIFE: Duration = Duration::from_secs(3_600);
/// Cards that may be typed for one order: enough for every mistake of a payer, too few to try out stolen numbers.
pub const TOKENS_MAX: usize = 20;
/// How long until a worker looks at a used token again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How long until it looks first: most payments are decided by then.
const LOOK_FIRST: Duration = Duration::from_secs(2);

/// What a network token is bound to in the place of the customer.
pub(super) const NETWORK_TOKEN: &str = "network_token";

/// Whose row something is sealed for: the same text does not open in any other.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// The merchant.
    pub tenant: MerchantId,
    /// Whether real money moves.
    pub livemode: bool,
}

impl Owner {
    /// What a value is bound to: merchant, mode, row, and what the row belongs to.
    pub(super) fn binding(self, row: impl Display, parent: impl Display) -> String {
        let mode = if self.livemode { "live" } else { "test" };
        format!("{}/{mode}/{row}/{parent}", self.tenant)
    }
}

/// What is sealed of a card.
#[derive(Deserialize)]
pub struct Sealed {
    number: Secret,
    #[serde(default)]
    holder: Option<Secret>,
}

/// A card that was typed right.
pub struct Typed {
    /// The digits.
    pub number: Secret,
    /// The month it is good for.
    pub expiry: Expiry,
    /// The security code.
    pub cvc: Option<Secret>,
    /// The name on the card.
    pub holder: Option<Secret>,
}

impl TypedCard {
    /// The card, or the first parameter that is not right. No error repeats what was typed.
    pub fn check(&self, now: Timestamp) -> Result<Typed> {
        number::check(self.number.expose()).map_err(|problem| wrong("number", problem.text()))?;
        let number = number::digits(self.number.expose()).map(Secret::new);
        let number = number.ok_or_else(|| wrong("number", Problem::NotANumber.text()))?;
        let expiry =
            Expiry::new(self.exp_month, self.exp_year).ok_or_else(|| wrong("exp_month", "not_a_number"))?;
        if expiry.is_over(now) {
            return Err(wrong("exp_month", "expired"));
        }
        let brand = number::brand(number.expose());
        if let Some(cvc) = &self.cvc {
            check_cvc(cvc.expose(), brand.map(|brand| brand.cvc_len))?;
        }
        let holder = self.holder.clone().filter(|holder| !holder.is_blank());
        if let Some(holder) = &holder {
            text("holder", holder.expose(), 1, 100)?;
        }
        Ok(Typed { number, expiry, cvc: self.cvc.clone(), holder })
    }
}

fn wrong(param: &'static str, word: &'static str) -> Error {
    Error::invalid(param, format!("Is not that of a card that can be paid with: {word}."))
}

fn check_cvc(cvc: &str, length: Option<usize>) -> Result<()> {
    let fits = length.map_or((3..=4).contains(&cvc.len()), |length| cvc.len() == length);
    match cvc.bytes().all(|byte| byte.is_ascii_digit()) {
        false => Err(wrong("cvc", Problem::NotANumber.text())),
        true if !fits => Err(wrong("cvc", Problem::Incomplete.text())),
        true => Ok(()),
    }
}

/// What a merchant's key of fingerprints is bound to.
pub(super) fn key_binding(tenant: MerchantId) -> String {
    format!("{tenant}/fingerprint")
}

/// Tells equal numbers of one merchant apart from all others, and says nothing about them without the key.
pub fn fingerprint(key: &Secret, number: &Secret) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).map_err(Error::internal)?;
    mac.update(number.expose().as_bytes());
    Ok(hex(&mac.finalize().into_bytes()[..16]))
}

fn seal(vault: &dyn Vault, binding: &str, number: &Secret, holder: Option<&Secret>) -> Result<String> {
    #[derive(Serialize)]
    struct Clear<'a> {
        number: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        holder: Option<&'a str>,
    }
    let clear = Clear { number: number.expose(), holder: holder.map(Secret::expose) };
    let clear = Secret::new(serde_json::to_string(&clear).map_err(Error::internal)?);
    vault.seal(binding, &clear).map_err(Error::internal)
}

fn open(vault: &dyn Vault, binding: &str, sealed: &str) -> Result<Sealed, SealError> {
    let clear = vault.open(binding, sealed)?;
    serde_json::from_str(clear.expose()).map_err(|_| SealError::Unopened)
}

impl CardToken {
    /// A token for a card that was typed for an order.
    pub fn new(
        (id, order_id): (CardTokenId, OrderId),
        typed: &Typed,
        fingerprint: String,
        (vault, owner): (&dyn Vault, Owner),
        moment: Moment,
    ) -> Result<CardToken> {
        let expires_at = moment.now.plus(TOKEN_LIFE);
        Ok(CardToken {
            id,
            version: 0,
            order_id,
            face: CardFace::of(typed.number.expose()),
            expiry: typed.expiry,
            fingerprint,
            sealed: Some(seal(vault, &owner.binding(id, order_id), &typed.number, typed.holder.as_ref())?),
            has_cvc: typed.cvc.is_some(),
            status: TokenStatus::Unused,
            attempt_id: None,
            keep: None,
            expires_at,
            created_at: moment.now,
            due_at: moment.due(expires_at),
        })
    }

    /// The token as the card fields are told of it.
    pub fn view(&self) -> CardTokenView {
        let (id, face, expires_at) = (self.id, self.face.clone(), self.expires_at);
        CardTokenView { object: "card_token", id, face, expires_at }
    }

    /// Whether it may start a payment of this order now. One of another order does not exist for it.
    pub fn check(&self, order: OrderId, now: Timestamp) -> Result<()> {
        let refused = |detail: &'static str| {
            Err(Error::new(Code::StateNotAllowed, detail).param("card_token").object(self.id))
        };
        match self.status {
            _ if self.order_id != order => Err(Error::not_found("card token", self.id).param("card_token")),
            TokenStatus::Unused if now < self.expires_at => Ok(()),
            TokenStatus::Unused => refused("The card was typed too long ago; let the payer type it again."),
            _ => refused("A card token pays once, and this one did; let the payer type the card again."),
        }
    }

    /// Takes it for an attempt.
    pub fn take(&mut self, attempt: AttemptId, keep: Option<Keep>, moment: Moment) {
        self.status = TokenStatus::Used;
        self.attempt_id = Some(attempt);
        self.keep = keep;
        self.due_at = moment.due_in(LOOK_FIRST);
    }

    /// The card, with the security code where it is still there.
    pub fn card(&self, vault: &dyn Vault, owner: Owner, cvc: Option<Secret>) -> Result<Card> {
        let sealed = self.sealed.as_deref().ok_or_else(|| Error::internal("a token that is over"))?;
        let binding = owner.binding(self.id, self.order_id);
        let Sealed { number, holder } = open(vault, &binding, sealed).map_err(Error::internal)?;
        let usage = Usage::Typed { keep: self.keep.is_some() };
        Ok(Card::new(number, self.expiry, usage).holder(holder).cvc(cvc))
    }

    /// What a worker does with it: nothing yet while its payment is open, else its end.
    pub fn end(&mut self, attempt: Option<AttemptStatus>, moment: Moment) -> Ended {
        let ended = match (self.status, attempt) {
            (TokenStatus::Unused, _) if moment.now < self.expires_at => {
                self.due_at = moment.due(self.expires_at);
                return Ended::NotYet;
            }
            (TokenStatus::Used, Some(status)) => match paid(status) {
                None => {
                    self.due_at = moment.due_in(LOOK_AGAIN);
                    return Ended::NotYet;
                }
                Some(true) => self.keep.take().map_or(Ended::Wiped, Ended::Kept),
                Some(false) => Ended::Wiped,
            },
            _ => Ended::Wiped,
        };
        self.status = TokenStatus::Over;
        self.due_at = Timestamp::ZERO;
        ended
    }
}

/// What becomes of a token. Where it ended the caller takes the sealed number out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It is still wanted.
    NotYet,
    /// It is over.
    Wiped,
    /// It is over and its card is to be kept.
    Kept(Keep),
}

/// Whether an attempt was accepted by the card's bank; none while that is open and the request may be sent again.
fn paid(status: AttemptStatus) -> Option<bool> {
    match status {
        AttemptStatus::Sending
        | AttemptStatus::Unknown
        | AttemptStatus::Awaiting
        | AttemptStatus::Pending
        | AttemptStatus::Closing => None,
        AttemptStatus::Declined | AttemptStatus::Closed => Some(false),
        AttemptStatus::Authorized
        | AttemptStatus::Capturing
        | AttemptStatus::Voiding
        | AttemptStatus::Succeeded => Some(true),
    }
}

impl StoredCard {
    /// The card of a token that has paid, sealed anew for its own row.
    pub fn keep(
        id: CardId,
        token: &CardToken,
        keep: Keep,
        (vault, owner): (&dyn Vault, Owner),
        now: Timestamp,
    ) -> Result<StoredCard> {
        let sealed = token.sealed.as_deref().ok_or_else(|| Error::internal("a token that is over"))?;
        let opened =
            open(vault, &owner.binding(token.id, token.order_id), sealed).map_err(Error::internal)?;
        let binding = owner.binding(id, &keep.customer);
        Ok(StoredCard {
            id,
            version: 0,
            sealed: Some(seal(vault, &binding, &opened.number, opened.holder.as_ref())?),
            customer: keep.customer,
            face: token.face.clone(),
            expiry: token.expiry,
            fingerprint: token.fingerprint.clone(),
            network_token: None,
            consent: keep.consent,
            status: CardStatus::Active,
            created_at: now,
            deleted_at: None,
        })
    }

    /// Takes in the card of a token that has paid and is kept already: the month and the consent are the newer ones.
    pub fn renew(&mut self, token: &CardToken, consent: Consent) {
        self.expiry = self.expiry.max(token.expiry);
        self.consent = consent;
    }

    /// Whether this customer's order may be paid with it now.
    pub fn check(&self, customer: Option<&str>, now: Timestamp) -> Result<()> {
        let refused = |detail: &'static str| {
            Err(Error::new(Code::StateNotAllowed, detail).param("card").object(self.id))
        };
        if customer != Some(self.customer.as_str()) {
            let detail = "The card is another customer's: set `customer` of the order to the card's.";
            return Err(Error::invalid("card", detail).object(self.id));
        }
        match self.status {
            CardStatus::Deleted => refused("The card was deleted."),
            CardStatus::Active if self.expiry.is_over(now) => refused("The card has expired."),
            CardStatus::Active => Ok(()),
        }
    }

    /// The card for a payment through an account: the network token that was provisioned through it, else the number.
    /// A cryptogram is taken out: it goes with one payment.
    pub fn card(
        &mut self,
        (vault, owner): (&dyn Vault, Owner),
        account: ChannelAccountId,
        usage: Usage,
        now: Timestamp,
    ) -> Result<Card> {
        let usable = |token: &&mut NetworkToken| token.account_id == account && !token.expiry.is_over(now);
        if let Some(token) = self.network_token.as_mut().filter(usable) {
            let binding = owner.binding(self.id, NETWORK_TOKEN);
            let number = vault.open(&binding, &token.sealed).map_err(Error::internal)?;
            let cryptogram = token.sealed_cryptogram.take();
            let cryptogram = cryptogram.map(|sealed| vault.open(&binding, &sealed)).transpose();
            let cryptogram = cryptogram.map_err(Error::internal)?;
            return Ok(Card::network_token(number, cryptogram, token.expiry, usage));
        }
        let sealed = self.sealed.as_deref().ok_or_else(|| Error::internal("a card that was deleted"))?;
        let binding = owner.binding(self.id, &self.customer);
        let Sealed { number, holder } = open(vault, &binding, sealed).map_err(Error::internal)?;
        Ok(Card::new(number, self.expiry, usage).holder(holder))
    }

    /// Takes a network token in, in the place of one that was there.
    pub fn provision(&mut self, token: &ProvisionedToken, vault: &dyn Vault, owner: Owner) -> Result<()> {
        let binding = owner.binding(self.id, NETWORK_TOKEN);
        let seal = |secret: &Secret| vault.seal(&binding, secret).map_err(Error::internal);
        self.network_token = Some(NetworkToken {
            account_id: token.account_id,
            last4: CardFace::of(token.number.expose()).last4,
            expiry: token.expiry,
            sealed: seal(&token.number)?,
            sealed_cryptogram: token.cryptogram.as_ref().map(seal).transpose()?,
        });
        Ok(())
    }

    /// Deletes what can be paid with. What remains says that there was a card and by which consent.
    pub fn delete(&mut self, now: Timestamp) {
        self.status = CardStatus::Deleted;
        self.sealed = None;
        self.network_token = None;
        self.deleted_at.get_or_insert(now);
    }

    /// The card as the API shows it.
    pub fn view(&self) -> CardView {
        CardView {
            id: self.id,
            object: "card",
            customer: self.customer.clone(),
            face: self.face.clone(),
            exp_month: self.expiry.month,
            exp_year: self.expiry.year,
            fingerprint: self.fingerprint.clone(),
            network_token: self.network_token.is_some(),
            consent: self.consent.clone(),
            status: self.status,
            created_at: self.created_at,
            deleted_at: self.deleted_at,
        }
    }

    /// The card as its customer's browser sees it.
    pub fn kept(&self) -> KeptCard {
        let Expiry { year, month } = self.expiry;
        KeptCard { id: self.id, face: self.face.clone(), exp_month: month, exp_year: year }
    }
}

/// A merchant's reference of a customer.
pub fn check_customer(param: &str, customer: &str) -> Result<()> {
    crate::order::input::number_of(param, customer).map(drop)
}
