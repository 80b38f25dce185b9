//! The stored cards on the screen: written again when they change, with the focus kept where the payer is.

use super::Shell;
use crate::order::Order;
use crate::session::Session;
use crate::view::View;

/// The ids of the cards that are shown, and the one that the payer is asked about.
pub(super) type Shown = (String, Option<String>);

impl Shell {
    /// Writes them where they changed; what is to have the focus then.
    pub(super) fn draw_cards(&self, session: &Session, view: &View<'_>) -> Option<String> {
        let asked = session.removing.as_deref();
        let stored = session.order.as_ref().map_or(&[][..], Order::stored);
        let mut ids = String::new();
        for card in stored {
            ids.push_str(&card.id);
            ids.push(' ');
        }
        let now = Some((ids, session.removing.clone()));
        if *self.cards.borrow() == now {
            return None;
        }
        let inside = self.root.query_selector(".Stored :focus").is_ok_and(|focus| focus.is_some());
        view.fill_stored(&self.places.body);
        let before = self.cards.replace(now).and_then(|(_, asked)| asked);
        let gone = before.as_ref().is_some_and(|id| !view.order.is_some_and(|order| order.has_card(id)));
        if gone {
            self.places.spoken.set_text_content(Some(&self.texts.say("card_removed")));
        }
        match before {
            // The question that was opened is what the payer goes on with, and the harmless answer comes first.
            before if asked.is_some() && before.as_deref() != asked => Some(focus_on("[data-do=keep]")),
            _ if !inside => None,
            Some(id) if !gone => Some(focus_on(&["[data-value=\"", &id, "\"]"].concat())),
            _ if stored.is_empty() => Some("input:checked".to_owned()),
            _ => Some(focus_on("input:checked")),
        }
    }
}

/// Something in the list that is seen: each method that takes a card has one.
fn focus_on(what: &str) -> String {
    [".Cards:not([hidden]) .Stored ", what].concat()
}
