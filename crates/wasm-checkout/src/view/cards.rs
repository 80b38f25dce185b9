//! What stands below a method that takes a card: the stored cards of the customer, and the fields for another one.

use web_sys::Element;

use super::choose::each;
use crate::dom::Part;
use crate::order::{Card, Order};
use crate::view::View;

impl View<'_> {
    /// The place of the stored cards, and what belongs to a card that is typed.
    pub(super) fn cards(&self, at: usize) -> Part {
        let typed = self.make.part("div", "Typed").with(self.make.part("div", "Frame")).with(self.consent());
        let stored = self.make.part("div", "Stored");
        self.make.part("div", "Cards").attr("data-at", &at.to_string()).with(stored).with(typed)
    }

    /// Asks whether the typed card may be kept, where it can be. The box carries the version of the text beside it.
    fn consent(&self) -> Part {
        let Some(cards) = self.order.and_then(|order| order.cards.as_ref()) else { return Part(None) };
        let (text, version) = self.texts.consent(self.merchant(), &cards.consent_version);
        let input = self.make.part("input", "").attr("type", "checkbox").attr("name", "save");
        let input = input.attr("value", &version);
        let input = if self.save { input.attr("checked", "") } else { input };
        self.make.part("label", "Consent").with(input).with(self.make.part("span", "").text(&text))
    }

    /// Writes the stored cards into their places.
    pub(crate) fn fill_stored(&self, root: &Element) {
        each(root, ".Cards", &|cards| {
            let Ok(Some(place)) = cards.query_selector(".Stored") else { return };
            place.set_text_content(None);
            // A group of its own for each method: radio buttons of one name exclude each other.
            let group = ["card", &cards.get_attribute("data-at").unwrap_or_default()].concat();
            Part(Some(place)).with(self.stored(&group));
        });
    }

    fn stored(&self, group: &str) -> Part {
        let stored = self.order.map_or(&[][..], Order::stored);
        if stored.is_empty() {
            return Part(None);
        }
        let mut list = self.make.part("fieldset", "Methods");
        list = list.with(self.make.part("legend", "Spoken").text(&self.texts.say("card_stored")));
        for card in stored {
            list = self.add(list, group, card);
        }
        let other = self.make.part("span", "MethodName").text(&self.texts.say("card_other"));
        list.with(self.radio(group, "", other, ""))
    }

    /// Adds one to the list, and the question that is asked once more before it is deleted.
    fn add(&self, list: Part, group: &str, card: &Card) -> Part {
        let name = self.texts.card(card);
        let shown = self.make.part("span", "MethodName").with(self.make.part("bdi", "").text(&name));
        let remove = self.make.button("remove", "✕", true).attr("data-value", &card.id);
        let remove = remove.attr("aria-label", &self.texts.fill("card_remove", &name));
        let radio = self.radio(group, &card.id, shown, &self.texts.fill("card_expires", &card.expiry));
        let list = list.with(self.make.part("div", "Kept").with(radio).with(remove));
        if self.removing != Some(&card.id) {
            return list;
        }
        let question = self.texts.fill("card_sure", &name);
        let delete = self.make.button("delete", &self.texts.say("card_delete"), false);
        let keep = self.make.button("keep", &self.texts.say("card_keep"), true);
        let sure = self.make.part("div", "Sure").attr("role", "group").attr("aria-label", &question);
        let sure = sure.with(self.make.part("p", "Note").text(&question));
        list.with(sure.with(self.make.part("div", "Kept").with(delete).with(keep)))
    }
}
