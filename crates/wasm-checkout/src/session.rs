//! What the widget decides, as one pure machine: an input and the state go in, the new state and what is to be done come
//! out. The shell around it shows the screen, sends requests and waits; it decides nothing.

use paycore::order::{AttemptStatus, OrderStatus};

use crate::json::{Json, object};
use crate::order::{Action, Form, Order};

/// All that the widget knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Session {
    pub(crate) order: Option<Order>,
    /// The chosen method, by its place in the list.
    pub(crate) selected: usize,
    /// The id of the stored card that is chosen; none where a card is typed.
    pub(crate) card: Option<String>,
    /// The stored card that the payer is asked about before it is deleted.
    pub(crate) removing: Option<String>,
    /// The version of the text by which the payer lets the typed card be kept.
    pub(crate) save: Option<String>,
    /// What was asked of the server and is not answered yet.
    busy: Option<Asked>,
    /// A method to pay by as soon as the attempt that is being given up is over.
    next: Option<String>,
    /// The payer clicked, so that an action that leads elsewhere is carried out at once.
    clicked: bool,
    /// What went wrong with the last request.
    pub(crate) trouble: Option<Trouble>,
    /// Whether the end was told to the page.
    told: Option<OrderStatus>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    /// The card's token, from the frame.
    Token,
    Pay(String),
    Release,
    /// Deletes the stored card.
    Delete(String),
}

/// Why a request did not do what was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No answer came: the request may have been carried out.
    Network,
    /// The server refused, with the code of its error.
    Refused(String),
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "made, handed over and taken apart at once")]
pub(crate) enum Input {
    /// The server told how the order stands.
    Heard(Order),
    /// A request was not answered or refused.
    Failed(Trouble),
    /// The payer chose a method.
    Select(usize),
    /// The payer chose a stored card, or to type one.
    Card(Option<String>),
    /// The payer lets the typed card be kept, by the text of this version, or does not.
    Save(Option<String>),
    /// The payer wants a stored card gone.
    Remove(String),
    /// And means it.
    Delete,
    /// Or does not.
    Keep,
    /// The payer wants to pay by it.
    Pay,
    /// The frame gave a token for the card.
    Token(String),
    /// The frame could not.
    NoToken,
    /// The payer wants another method.
    Change,
    /// The payer wants a fresh code.
    Refresh,
    /// The payer wants to try again what failed.
    Retry,
    /// The page wants the next action carried out.
    Act,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Ask how the order stands.
    Load,
    /// Ask the card's frame for a token.
    Tokenize,
    /// Start a payment. `with` has what the contract wants beside method and last attempt, name and value.
    Pay { method: String, after: Option<String>, with: Vec<(&'static str, String)> },
    /// Delete a stored card.
    Delete { card_id: String },
    /// Give an attempt up.
    Release { attempt_id: String },
    /// Send the browser on, or open the wallet.
    Act(Action),
    /// Tell the page.
    Emit(&'static str, Json),
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Screen {
    /// Nothing is known yet.
    Loading,
    /// It could not be loaded.
    Broken(Trouble),
    /// The list of methods.
    Choose,
    /// The payer has something to do.
    Act { method: String, action: Action },
    /// The channel works on it.
    Working,
    /// An attempt is being given up.
    Releasing,
    /// Paid.
    Done,
    /// Reserved; the merchant takes it later, which is done as far as the payer is concerned.
    Authorized,
    /// Given back.
    Refunded,
    /// Declined with no other method left.
    Failed { reason: Option<String> },
    /// Too late.
    Expired,
    /// Closed by the merchant.
    Closed,
}

impl Session {
    /// What to show.
    pub(crate) fn screen(&self) -> Screen {
        let Some(order) = &self.order else {
            return match &self.trouble {
                Some(trouble) => Screen::Broken(trouble.clone()),
                None => Screen::Loading,
            };
        };
        match order.status {
            OrderStatus::Succeeded => Screen::Done,
            OrderStatus::Authorized => Screen::Authorized,
            OrderStatus::Refunded | OrderStatus::PartiallyRefunded => Screen::Refunded,
            OrderStatus::Failed => Screen::Failed { reason: order.decline.clone() },
            OrderStatus::Closed if order.server_time >= order.expires_at => Screen::Expired,
            OrderStatus::Closed => Screen::Closed,
            OrderStatus::Pending | OrderStatus::Processing => self.open_screen(order),
        }
    }

    fn open_screen(&self, order: &Order) -> Screen {
        let Some(attempt) = order.open_attempt() else { return Screen::Choose };
        if self.busy == Some(Asked::Release) || attempt.status == AttemptStatus::Closing {
            return Screen::Releasing;
        }
        match &order.next_action {
            Some(action) => Screen::Act { method: attempt.method.clone(), action: action.clone() },
            None => Screen::Working,
        }
    }

    /// Whether a request is under way, so that nothing else can be asked.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.is_some()
    }

    /// Whether a payment is being started.
    pub(crate) fn is_starting(&self) -> bool {
        matches!(self.busy, Some(Asked::Token | Asked::Pay(_)))
    }

    /// Whether nothing can change any more.
    pub(crate) fn is_over(&self) -> bool {
        self.order.as_ref().is_some_and(|order| order.status.is_final() && order.open_attempt().is_none())
    }

    /// Takes an input in.
    pub(crate) fn take(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Heard(order) => self.heard(order),
            Input::Failed(trouble) => self.failed(trouble),
            Input::Select(at) => self.select(at),
            Input::Card(card) => self.choose_card(card),
            Input::Save(version) => {
                self.save = version;
                Vec::new()
            }
            Input::Remove(card) => self.remove(Some(card)),
            Input::Keep => self.remove(None),
            Input::Delete => self.delete(),
            Input::Pay => self.pay(),
            Input::Token(token) if self.busy == Some(Asked::Token) => self.pay_typed(token),
            Input::NoToken if self.busy == Some(Asked::Token) => {
                self.busy = None;
                Vec::new()
            }
            Input::Token(_) | Input::NoToken => Vec::new(),
            Input::Change => self.release(None),
            Input::Refresh => {
                let method =
                    self.order.as_ref().and_then(Order::open_attempt).map(|open| open.method.clone());
                self.release(method)
            }
            Input::Retry => {
                self.trouble = None;
                vec![Effect::Load]
            }
            Input::Act => match self.screen() {
                Screen::Act { action, .. } => vec![Effect::Act(action)],
                _ => Vec::new(),
            },
        }
    }

    fn heard(&mut self, order: Order) -> Vec<Effect> {
        // The stream and the answers to requests overtake each other; the newer one counts.
        if self.order.as_ref().is_some_and(|known| known.version > order.version) {
            return Vec::new();
        }
        let first = self.order.is_none();
        if first || self.selected >= order.methods.len() {
            let last = order.attempt.as_ref().map(|attempt| attempt.method.as_str());
            self.selected =
                order.methods.iter().position(|way| Some(way.method.as_str()) == last).unwrap_or_default();
        }
        // One click is enough for who comes back. A card that goes is not replaced by one that the payer did not choose.
        let preferred =
            if first { order.stored().first().map(|card| card.id.clone()) } else { self.card.take() };
        self.card = preferred.filter(|id| order.has_card(id));
        self.removing = self.removing.take().filter(|id| order.has_card(id));
        let answered = match &self.busy {
            Some(Asked::Token) => false,
            Some(Asked::Pay(_)) => {
                order.open_attempt().is_some() || order.status.is_final() || self.moved(&order)
            }
            Some(Asked::Release) => order.open_attempt().is_none() || self.moved(&order),
            Some(Asked::Delete(card)) => !order.has_card(card) || self.moved(&order),
            None => true,
        };
        if answered {
            self.busy = None;
            // A refusal is read until something changes; an order that is heard at all ends every other trouble.
            let stays = matches!(self.trouble, Some(Trouble::Refused(_))) && !first && !self.moved(&order);
            self.trouble = self.trouble.take().filter(|_| stays);
        }
        self.order = Some(order);
        let mut effects = Vec::new();
        if first {
            effects.push(Effect::Emit("ready", object([])));
        }
        effects.extend(self.go_on());
        effects.extend(self.end());
        effects
    }

    /// Whether the order is another than the known one.
    fn moved(&self, order: &Order) -> bool {
        self.order.as_ref().is_some_and(|known| known.version < order.version)
    }

    /// What follows by itself: the payment that waited for another attempt to be over, or the way to the cashier.
    fn go_on(&mut self) -> Vec<Effect> {
        match self.screen() {
            Screen::Choose if self.busy.is_none() => match self.next.take() {
                Some(method) => self.start_by(method, Vec::new()),
                None => Vec::new(),
            },
            Screen::Act { action, .. } if self.clicked && self.busy.is_none() => {
                self.clicked = false;
                let leads_away = matches!(
                    action,
                    Action::Redirect { .. }
                        | Action::Form { .. }
                        | Action::Client { .. }
                        | Action::App { .. }
                );
                if leads_away { vec![Effect::Act(action)] } else { Vec::new() }
            }
            _ => Vec::new(),
        }
    }

    /// Tells the page once how it ended.
    fn end(&mut self) -> Option<Effect> {
        let order = self.order.as_ref()?;
        let (name, more) = match self.screen() {
            Screen::Done | Screen::Authorized | Screen::Refunded => ("complete", None),
            Screen::Failed { reason } => ("failed", Some(reason.unwrap_or_else(|| "generic".into()))),
            Screen::Expired => ("failed", Some("expired".into())),
            Screen::Closed => ("failed", Some("closed".into())),
            _ => return None,
        };
        if self.told.replace(order.status) == Some(order.status) {
            return None;
        }
        self.next = None;
        let (id, status) = (order.id.as_str().into(), order.status.text().into());
        let detail = match more {
            Some(reason) => {
                object([("order_id", id), ("status", status), ("reason", reason.as_str().into())])
            }
            None => object([("order_id", id), ("status", status)]),
        };
        Some(Effect::Emit(name, detail))
    }

    fn failed(&mut self, trouble: Trouble) -> Vec<Effect> {
        let asked = self.busy.take();
        self.clicked = false;
        self.next = None;
        let first = self.order.is_none() && self.trouble.is_none();
        self.trouble = Some(trouble.clone());
        if first {
            let code = match &trouble {
                Trouble::Network => "network",
                Trouble::Refused(code) => code,
            };
            return vec![Effect::Emit("loaderror", object([("code", code.into())]))];
        }
        // What was asked may have been done: only the server knows.
        if asked.is_some() { vec![Effect::Load] } else { Vec::new() }
    }

    fn select(&mut self, at: usize) -> Vec<Effect> {
        let Some(way) = self.order.as_ref().and_then(|order| order.methods.get(at)) else {
            return Vec::new();
        };
        let complete = way.form == Form::None || self.card.is_some();
        let detail = object([("method", way.method.as_str().into()), ("complete", complete.into())]);
        self.selected = at;
        self.removing = None;
        self.trouble = None;
        vec![Effect::Emit("change", detail)]
    }

    fn choose_card(&mut self, card: Option<String>) -> Vec<Effect> {
        self.card = card.filter(|id| self.has_card(id));
        self.select(self.selected)
    }

    fn has_card(&self, id: &str) -> bool {
        self.order.as_ref().is_some_and(|order| order.has_card(id))
    }

    fn remove(&mut self, card: Option<String>) -> Vec<Effect> {
        if !self.is_busy() {
            self.removing = card.filter(|id| self.has_card(id));
        }
        Vec::new()
    }

    fn delete(&mut self) -> Vec<Effect> {
        let Some(card_id) = self.removing.clone().filter(|_| !self.is_busy()) else { return Vec::new() };
        self.busy = Some(Asked::Delete(card_id.clone()));
        self.trouble = None;
        vec![Effect::Delete { card_id }]
    }

    fn pay(&mut self) -> Vec<Effect> {
        if self.is_busy() || self.screen() != Screen::Choose {
            return Vec::new();
        }
        let Some(order) = &self.order else { return Vec::new() };
        let Some(way) = order.methods.get(self.selected) else { return Vec::new() };
        let submit = Effect::Emit("submit", object([("method", way.method.as_str().into())]));
        let with = match (way.form, &self.card) {
            (Form::Card, None) => {
                self.busy = Some(Asked::Token);
                self.trouble = None;
                return vec![submit, Effect::Tokenize];
            }
            (Form::Card, Some(card)) => vec![("card", card.clone())],
            (Form::None, _) => Vec::new(),
        };
        let mut effects = vec![submit];
        effects.extend(self.start(with));
        effects
    }

    fn pay_typed(&mut self, token: String) -> Vec<Effect> {
        let mut with = vec![("card_token", token)];
        // Who cannot keep a card is not asked to, and a tick of before says nothing.
        let asked = self.order.as_ref().is_some_and(|order| order.cards.is_some());
        with.extend(self.save.clone().filter(|_| asked).map(|version| ("save", version)));
        self.start(with)
    }

    fn start(&mut self, with: Vec<(&'static str, String)>) -> Vec<Effect> {
        let way = self.order.as_ref().and_then(|order| order.methods.get(self.selected));
        match way.map(|way| way.method.clone()) {
            Some(method) => self.start_by(method, with),
            None => Vec::new(),
        }
    }

    fn start_by(&mut self, method: String, with: Vec<(&'static str, String)>) -> Vec<Effect> {
        let after = self.order.as_ref().and_then(Order::after).map(str::to_owned);
        self.busy = Some(Asked::Pay(method.clone()));
        self.clicked = true;
        self.removing = None;
        self.trouble = None;
        vec![Effect::Pay { method, after, with }]
    }

    fn release(&mut self, then: Option<String>) -> Vec<Effect> {
        let open = self.order.as_ref().and_then(Order::open_attempt);
        let Some(attempt) = open.filter(|_| !self.is_busy()) else { return Vec::new() };
        let attempt_id = attempt.id.clone();
        self.busy = Some(Asked::Release);
        self.next = then;
        self.trouble = None;
        vec![Effect::Release { attempt_id }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::tests::{card, sample};
    use crate::order::{Attempt, Card, Cards};

    fn order(
        version: i64,
        status: OrderStatus,
        attempt: Option<AttemptStatus>,
        action: Option<Action>,
    ) -> Order {
        let attempt =
            attempt.map(|status| Attempt { id: "att_1".into(), method: "alipay.qr".into(), status });
        Order { version, status, attempt, next_action: action, ..sample() }
    }

    fn qr() -> Option<Action> {
        Some(Action::Qr { content: "https://qr.example".into() })
    }

    fn loaded(order: Order) -> Session {
        let mut session = Session::default();
        assert!(matches!(session.take(Input::Heard(order))[0], Effect::Emit("ready", _)));
        session
    }

    fn pays(effects: &[Effect]) -> usize {
        effects.iter().filter(|effect| matches!(effect, Effect::Pay { .. })).count()
    }

    #[test]
    fn every_state_of_an_order_has_its_screen() {
        use {AttemptStatus as A, OrderStatus as O};
        let act = Screen::Act { method: "alipay.qr".into(), action: qr().unwrap() };
        for (status, attempt, action, screen) in [
            (O::Pending, None, None, Screen::Choose),
            (O::Pending, Some(A::Declined), None, Screen::Choose),
            (O::Pending, Some(A::Closed), None, Screen::Choose),
            (O::Pending, Some(A::Awaiting), qr(), act),
            (O::Pending, Some(A::Closing), None, Screen::Releasing),
            (O::Processing, Some(A::Unknown), None, Screen::Working),
            (O::Authorized, Some(A::Authorized), None, Screen::Authorized),
            (O::Succeeded, Some(A::Succeeded), None, Screen::Done),
            (O::Failed, Some(A::Declined), None, Screen::Failed { reason: None }),
            (O::Closed, None, None, Screen::Closed),
            (O::Refunded, None, None, Screen::Refunded),
        ] {
            let session = loaded(order(1, status, attempt, action));
            assert_eq!(session.screen(), screen, "{status:?} {attempt:?}");
        }
        let late = Order { server_time: sample().expires_at, ..order(1, O::Closed, None, None) };
        assert_eq!(loaded(late).screen(), Screen::Expired);
    }

    #[test]
    fn two_clicks_are_one_payment_and_it_names_the_last_attempt() {
        let mut session = loaded(order(1, OrderStatus::Pending, Some(AttemptStatus::Declined), None));
        let first = session.take(Input::Pay);
        assert_eq!((pays(&first), pays(&session.take(Input::Pay))), (1, 0));
        let Some(Effect::Pay { after, .. }) = first.last() else { panic!("a payment") };
        assert_eq!(after.as_deref(), Some("att_1"));
    }

    #[test]
    fn a_lost_answer_is_asked_for_before_anything_is_paid_again() {
        let mut session = loaded(order(1, OrderStatus::Pending, None, None));
        session.take(Input::Pay);
        assert_eq!(session.take(Input::Failed(Trouble::Network)), [Effect::Load]);
        let heard =
            session.take(Input::Heard(order(2, OrderStatus::Pending, Some(AttemptStatus::Awaiting), qr())));
        assert!(heard.is_empty() && matches!(session.screen(), Screen::Act { .. }));
        assert_eq!(pays(&session.take(Input::Pay)), 0);
    }

    #[test]
    fn another_method_waits_until_the_first_attempt_is_given_up() {
        let mut session = loaded(order(1, OrderStatus::Pending, Some(AttemptStatus::Awaiting), qr()));
        assert_eq!(session.take(Input::Refresh), [Effect::Release { attempt_id: "att_1".into() }]);
        assert_eq!(session.screen(), Screen::Releasing);
        let closing = order(2, OrderStatus::Pending, Some(AttemptStatus::Closing), None);
        assert_eq!(pays(&session.take(Input::Heard(closing))), 0);
        let closed = order(3, OrderStatus::Pending, Some(AttemptStatus::Closed), None);
        assert_eq!(pays(&session.take(Input::Heard(closed))), 1);
    }

    #[test]
    fn what_was_paid_meanwhile_is_not_paid_again() {
        let mut session = loaded(order(1, OrderStatus::Pending, Some(AttemptStatus::Awaiting), qr()));
        session.take(Input::Refresh);
        let paid = order(2, OrderStatus::Succeeded, Some(AttemptStatus::Succeeded), None);
        let effects = session.take(Input::Heard(paid.clone()));
        assert!(pays(&effects) == 0 && matches!(effects[..], [Effect::Emit("complete", _)]), "{effects:?}");
        assert!(session.take(Input::Heard(paid)).is_empty(), "the end is told once");
        assert!(session.is_over());
    }

    #[test]
    fn a_browser_is_sent_on_after_a_click_and_not_after_coming_back() {
        let away = Action::Redirect { url: "https://pay.example".into() };
        let waiting = order(2, OrderStatus::Pending, Some(AttemptStatus::Awaiting), Some(away.clone()));
        let again = loaded(waiting.clone()).take(Input::Heard(waiting.clone()));
        assert!(!again.contains(&Effect::Act(away.clone())));
        let mut session = loaded(order(1, OrderStatus::Pending, None, None));
        session.take(Input::Pay);
        assert_eq!(session.take(Input::Heard(waiting)), [Effect::Act(away)]);
    }

    #[test]
    fn old_news_does_not_undo_newer() {
        let mut session = loaded(order(5, OrderStatus::Succeeded, Some(AttemptStatus::Succeeded), None));
        assert!(session.take(Input::Heard(order(4, OrderStatus::Pending, None, None))).is_empty());
        assert_eq!(session.screen(), Screen::Done);
    }

    #[test]
    fn a_card_is_paid_only_with_its_token() {
        let mut session = loaded(order(1, OrderStatus::Pending, None, None));
        session.take(Input::Select(1));
        assert!(matches!(session.take(Input::Pay)[..], [Effect::Emit("submit", _), Effect::Tokenize]));
        assert!(session.take(Input::NoToken).is_empty() && !session.is_busy());
        assert!(session.take(Input::Token("tok_0".into())).is_empty(), "nobody asked for it");
        session.take(Input::Pay);
        let effects = session.take(Input::Token("tok_1".into()));
        assert_eq!(paid_with(&effects), [("card_token", "tok_1".to_owned())]);
    }

    /// An order of a customer with these stored cards, with the method for cards chosen.
    fn of_customer(version: i64, cards: &[&str]) -> Order {
        let stored = cards.iter().map(|id| Card { id: (*id).into(), ..card() }).collect();
        let cards = Some(Cards { consent_version: "2026-11".into(), stored });
        Order { cards, ..order(version, OrderStatus::Pending, None, None) }
    }

    fn with_cards(cards: &[&str]) -> Session {
        let mut session = loaded(of_customer(1, cards));
        session.take(Input::Select(1));
        session
    }

    fn paid_with(effects: &[Effect]) -> Vec<(&'static str, String)> {
        let Some(Effect::Pay { with, .. }) = effects.last() else { panic!("a payment: {effects:?}") };
        with.clone()
    }

    #[test]
    fn a_stored_card_pays_by_one_click_and_the_first_is_chosen() {
        let mut session = with_cards(&["card_1", "card_2"]);
        let effects = session.take(Input::Pay);
        assert_eq!(paid_with(&effects), [("card", "card_1".to_owned())]);
        assert_eq!((effects.len(), pays(&session.take(Input::Pay))), (2, 0));

        let mut session = with_cards(&["card_1", "card_2"]);
        let told = session.take(Input::Card(Some("card_2".into())));
        let [Effect::Emit("change", detail)] = &told[..] else { panic!("{told:?}") };
        assert_eq!(detail.get("complete").bool(), Some(true));
        assert_eq!(paid_with(&session.take(Input::Pay)), [("card", "card_2".to_owned())]);
    }

    #[test]
    fn a_stored_card_goes_with_no_other_method_and_nobody_elses_is_chosen() {
        let mut session = with_cards(&["card_1"]);
        session.take(Input::Card(Some("card_9".into())));
        assert_eq!(session.card, None);
        session.take(Input::Card(Some("card_1".into())));
        session.take(Input::Select(0));
        assert_eq!(paid_with(&session.take(Input::Pay)), []);
    }

    #[test]
    fn a_typed_card_is_kept_only_by_consent_and_only_for_a_customer() {
        for (cards, agreed, kept) in [
            (Some(&[][..]), true, true),
            (Some(&["card_1"][..]), true, true),
            (Some(&[][..]), false, false),
            (None, true, false),
        ] {
            let mut session = with_cards(cards.unwrap_or_default());
            if cards.is_none() {
                session = loaded(order(1, OrderStatus::Pending, None, None));
                session.take(Input::Select(1));
            }
            session.take(Input::Card(None));
            session.take(Input::Save(Some("2026-11".into())));
            if !agreed {
                session.take(Input::Save(None));
            }
            assert!(matches!(session.take(Input::Pay)[..], [_, Effect::Tokenize]));
            let with = paid_with(&session.take(Input::Token("tok_1".into())));
            let save = with.iter().find(|(name, _)| *name == "save").map(|(_, version)| version.as_str());
            assert_eq!((save, with[0].0), (kept.then_some("2026-11"), "card_token"), "{cards:?} {agreed}");
        }
        let mut session = with_cards(&["card_1"]);
        session.take(Input::Save(Some("2026-11".into())));
        assert_eq!(paid_with(&session.take(Input::Pay)).len(), 1, "what is kept already is not kept again");
    }

    #[test]
    fn a_card_is_deleted_after_a_second_word_and_no_other_takes_its_place() {
        let mut session = with_cards(&["card_1", "card_2"]);
        assert!(session.take(Input::Delete).is_empty(), "nobody was asked");
        session.take(Input::Remove("card_1".into()));
        session.take(Input::Keep);
        assert!(session.take(Input::Delete).is_empty() && session.removing.is_none());
        session.take(Input::Remove("card_1".into()));
        assert_eq!(session.take(Input::Delete), [Effect::Delete { card_id: "card_1".into() }]);
        assert!(session.take(Input::Delete).is_empty() && pays(&session.take(Input::Pay)) == 0);
        session.take(Input::Heard(of_customer(1, &["card_1", "card_2"])));
        assert!(session.is_busy() && !session.is_starting(), "the answer is not this one");
        session.take(Input::Heard(of_customer(1, &["card_2"])));
        assert_eq!((session.is_busy(), &session.removing, &session.card), (false, &None, &None));
        assert_eq!(session.screen(), Screen::Choose);
    }

    #[test]
    fn a_question_about_a_card_ends_with_what_the_payer_does_next() {
        for next in [Input::Select(0), Input::Card(Some("card_2".into())), Input::Pay] {
            let mut session = with_cards(&["card_1", "card_2"]);
            session.take(Input::Remove("card_1".into()));
            session.take(next);
            assert_eq!(session.removing, None);
        }
    }

    #[test]
    fn a_deletion_without_an_answer_is_looked_after() {
        let mut session = with_cards(&["card_1"]);
        session.take(Input::Remove("card_1".into()));
        session.take(Input::Delete);
        assert_eq!(session.take(Input::Failed(Trouble::Network)), [Effect::Load]);
        session.take(Input::Heard(of_customer(1, &["card_1"])));
        assert_eq!(session.take(Input::Delete), [Effect::Delete { card_id: "card_1".into() }]);
    }

    #[test]
    fn a_refusal_is_shown_until_something_changes() {
        let mut session = with_cards(&["card_1"]);
        session.take(Input::Pay);
        let refused = Trouble::Refused("invalid_input".into());
        assert_eq!(session.take(Input::Failed(refused.clone())), [Effect::Load]);
        session.take(Input::Heard(of_customer(1, &[])));
        assert_eq!((session.trouble.as_ref(), &session.card), (Some(&refused), &None));
        session.take(Input::Heard(of_customer(2, &[])));
        assert_eq!(session.trouble, None);
    }

    #[test]
    fn a_page_that_cannot_load_says_so_and_tries_again() {
        let mut session = Session::default();
        let effects = session.take(Input::Failed(Trouble::Refused("unauthenticated".into())));
        assert!(matches!(effects[..], [Effect::Emit("loaderror", _)]));
        assert!(matches!(session.screen(), Screen::Broken(_)));
        assert_eq!(session.take(Input::Retry), [Effect::Load]);
    }
}
