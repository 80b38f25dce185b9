//! From a screen to elements. Nothing here listens or decides: a click comes back by the `data-do` of its button.

mod act;
mod cards;
mod choose;
mod outcome;

use crate::dom::{Maker, Part};
use crate::order::Order;
use crate::session::{Screen, Trouble};
use crate::texts::Texts;

pub(crate) use choose::{mark_chosen, set_busy};

/// All that a view is made from.
pub(crate) struct View<'a> {
    pub(crate) make: &'a Maker,
    pub(crate) texts: &'a Texts,
    pub(crate) order: Option<&'a Order>,
    /// The stored card that the payer is asked about before it is deleted.
    pub(crate) removing: Option<&'a str>,
    /// Whether the payer lets the typed card be kept.
    pub(crate) save: bool,
    /// Whether the widget has a button of its own; otherwise the page calls `confirm`.
    pub(crate) button: bool,
    /// A phone or tablet, where a code cannot be scanned from its own screen.
    pub(crate) touch: bool,
}

impl View<'_> {
    /// Title for the heading and for the voice, and what stands below it.
    pub(crate) fn draw(&self, screen: &Screen) -> (String, Vec<Part>) {
        match screen {
            Screen::Loading => (self.texts.say("loading"), vec![self.spin()]),
            Screen::Broken(trouble) => self.broken(trouble),
            Screen::Choose => self.choose(),
            Screen::Act { method, action } => self.act(method, action),
            Screen::Working => (self.texts.say("working_title"), vec![self.spin(), self.note("working")]),
            Screen::Releasing => (self.texts.say("releasing"), vec![self.spin()]),
            ended => self.outcome(ended),
        }
    }

    fn broken(&self, trouble: &Trouble) -> (String, Vec<Part>) {
        let why = self.make.part("p", "Note").text(&self.trouble(trouble));
        let retry = self.make.button("retry", &self.texts.say("retry"), false);
        (self.texts.say("broken_title"), vec![why, retry])
    }

    /// What a trouble is called.
    pub(crate) fn trouble(&self, trouble: &Trouble) -> String {
        match trouble {
            Trouble::Network => self.texts.say("network"),
            Trouble::Refused(code) => self.texts.refusal(code),
        }
    }

    /// Why the last try was declined, while another can be made. The list may have been there all along, so that this is
    /// no part of it.
    pub(crate) fn declined(&self, screen: &Screen) -> Option<String> {
        let decline = self.order.and_then(|order| order.decline.as_deref());
        decline.filter(|_| *screen == Screen::Choose).map(|reason| self.texts.reason(reason))
    }

    fn spin(&self) -> Part {
        self.make.part("div", "Spin").attr("aria-hidden", "true")
    }

    fn note(&self, key: &str) -> Part {
        self.make.part("p", "Note").text(&self.texts.say(key))
    }

    fn merchant(&self) -> &str {
        self.order.map_or("", |order| &order.merchant)
    }
}
