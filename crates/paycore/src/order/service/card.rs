//! The card of a payment: found, checked and taken before the payment starts, found again where it is sent again.

use crate::channel::card::{Card, Initiator, Usage};
use crate::channel::{Method, Operation};
use crate::engine::{Engine, OpenAccount};
use crate::error::{Code, Error, Result};
use crate::id::{AttemptId, CardId, CardTokenId};
use crate::merchant::Merchant;
use crate::order::input::{Moment, text};
use crate::order::{Attempt, AttemptCard, Order};
use crate::store::{Changes, Put};
use crate::vault::{CardToken, Consent, Keep, StoredCard};

use super::PayOrder;

/// The card that a payer or merchant chose.
#[derive(Debug, Clone)]
pub(crate) enum Chosen {
    /// One that was typed for the order; with `save` it is kept, by the consent of that version.
    Typed { token: CardTokenId, save: Option<String> },
    /// One that the merchant keeps.
    Stored { card: CardId, initiator: Initiator },
}

impl PayOrder {
    /// The chosen card, if any, or the parameter that is not right.
    pub(super) fn card(&self) -> Result<Option<Chosen>> {
        if let Some(version) = &self.save {
            text("save", version, 1, 64)?;
            if self.card_token.is_none() {
                return Err(Error::invalid("save", "Only a card of `card_token` can be kept."));
            }
        }
        match (self.card, self.card_token) {
            (Some(_), Some(_)) => Err(Error::invalid("card", "Give either `card` or `card_token`.")),
            (Some(card), None) => {
                Ok(Some(Chosen::Stored { card, initiator: self.initiator.unwrap_or_default() }))
            }
            (None, _) if self.initiator == Some(Initiator::Merchant) => {
                Err(Error::invalid("initiator", "Only a stored card is paid with while its holder is away."))
            }
            (None, Some(token)) => Ok(Some(Chosen::Typed { token, save: self.save.clone() })),
            (None, None) => Ok(None),
        }
    }
}

/// A card on its way into a payment: what the channel gets, what the attempt says of it, and the row it came from.
#[derive(Debug)]
pub(super) struct Taken {
    card: Card,
    shown: AttemptCard,
    row: Option<Put>,
}

impl Taken {
    /// Hands the card to the request, and the row it came from to the commit that makes the attempt durable.
    pub(super) fn hand_over(self, attempt: &mut Attempt, changes: &mut Changes) -> Box<Card> {
        attempt.card = Some(self.shown);
        changes.puts.extend(self.row);
        Box::new(self.card)
    }
}

/// Puts the card into the request that starts the payment.
pub(super) fn put(operation: &mut Operation, card: Option<Box<Card>>) {
    if let Operation::Pay(pay) = operation {
        pay.card = card;
    }
}

/// Finds the chosen card and checks that it may pay this order now. Nothing is written yet.
pub(super) async fn take(
    engine: &Engine,
    merchant: &Merchant,
    (order, method): (&Order, &Method),
    chosen: Option<Chosen>,
    (open, attempt): (&OpenAccount, AttemptId),
    moment: Moment,
) -> Result<Option<Taken>> {
    match (chosen, method.takes_card()) {
        (None, false) => Ok(None),
        (None, true) => {
            let detail = "This method is paid with a card: give `card_token` or `card`.";
            Err(Error::new(Code::MissingParameter, detail).param("card_token"))
        }
        (Some(Chosen::Typed { .. }), false) => {
            Err(Error::invalid("card_token", "This method takes no card."))
        }
        (Some(Chosen::Stored { .. }), false) => Err(Error::invalid("card", "This method takes no card.")),
        (Some(Chosen::Typed { token, save }), true) => {
            typed(engine, merchant, order, (token, save), attempt, moment).await.map(Some)
        }
        (Some(Chosen::Stored { card, initiator }), true) => {
            stored(engine, merchant, order, (card, initiator), open, moment).await.map(Some)
        }
    }
}

async fn typed(
    engine: &Engine,
    merchant: &Merchant,
    order: &Order,
    (id, save): (CardTokenId, Option<String>),
    attempt: AttemptId,
    moment: Moment,
) -> Result<Taken> {
    let found = engine.document::<CardToken>(merchant.id, id).await;
    let mut token = found.map_err(|error| error.param("card_token"))?;
    token.check(order.id, moment.now)?;
    let cvc = engine.cvcs.look(id, moment.wall);
    if token.has_cvc && cvc.is_none() {
        // It is never written, and this server was started since, or another one was told it.
        let detail = "The security code is not held any more; let the payer type the card again.";
        return Err(Error::new(Code::StateNotAllowed, detail).param("card_token").object(id));
    }
    token.take(attempt, save.map(|version| keep(order, version, moment)).transpose()?, moment);
    let (vault, owner) = engine.cards_of(merchant);
    let card = token.card(vault, owner, cvc)?;
    let shown = AttemptCard { token_id: Some(id), card_id: None, initiator: None, face: token.face.clone() };
    Ok(Taken { card, shown, row: Some(Put::document(&token)) })
}

fn keep(order: &Order, version: String, moment: Moment) -> Result<Keep> {
    let customer = order.details.customer.clone().ok_or_else(|| {
        Error::invalid("save", "A card is kept for a customer: set `customer` when you create the order.")
    })?;
    Ok(Keep { customer, consent: Consent { version, at: moment.now } })
}

async fn stored(
    engine: &Engine,
    merchant: &Merchant,
    order: &Order,
    (id, initiator): (CardId, Initiator),
    open: &OpenAccount,
    moment: Moment,
) -> Result<Taken> {
    let found = engine.document::<StoredCard>(merchant.id, id).await;
    let mut stored = found.map_err(|error| error.param("card"))?;
    stored.check(order.details.customer.as_deref(), moment.now)?;
    let before = stored.clone();
    let cards = engine.cards_of(merchant);
    let card = stored.card(cards, open.account.id, Usage::Stored(initiator), moment.now)?;
    // A cryptogram that goes with this payment is not there for another; else the card stays as it is, so that two
    // orders may be paid with it at once.
    let row = (stored != before).then(|| Put::document(&stored));
    let (card_id, face) = (Some(id), stored.face.clone());
    Ok(Taken { card, shown: AttemptCard { token_id: None, card_id, initiator: Some(initiator), face }, row })
}

/// Wipes the security code of a payment that has started.
pub(super) fn started(engine: &Engine, attempt: &Attempt) {
    if let Some(token) = attempt.card.as_ref().and_then(|card| card.token_id) {
        engine.cvcs.forget(token);
    }
}

/// Puts the card into a request that is sent again, without the security code, which is gone. False where the number is
/// gone too, so that the payment cannot be sent again.
pub(crate) async fn again(
    engine: &Engine,
    merchant: &Merchant,
    attempt: &Attempt,
    operation: &mut Operation,
) -> Result<bool> {
    let (Operation::Pay(pay), Some(shown)) = (operation, &attempt.card) else { return Ok(true) };
    let (vault, owner) = engine.cards_of(merchant);
    let card = match (shown.token_id, shown.card_id) {
        (Some(token), _) => {
            let token: CardToken = engine.document(merchant.id, token).await?;
            if token.sealed.is_none() {
                return Ok(false);
            }
            token.card(vault, owner, None)?
        }
        (None, Some(card)) => {
            let mut stored: StoredCard = engine.document(merchant.id, card).await?;
            if stored.sealed.is_none() {
                return Ok(false);
            }
            let usage = Usage::Stored(shown.initiator.unwrap_or_default());
            stored.card((vault, owner), attempt.account_id, usage, attempt.created_at)?
        }
        (None, None) => return Err(Error::internal("an attempt with a card that is nobody's")),
    };
    pay.card = Some(Box::new(card));
    Ok(true)
}
