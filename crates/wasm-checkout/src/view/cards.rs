//! What stands below a method that takes a card: the stored cards of the customer, and the fields for another one.

use web_sys::Element;

use super::choose::each;
use crate::dom::Part;
use crate::order::Card;
use crate::view::View;

impl View<'_> {
    /// The place of the stored cards, and what belongs to a card that is typed.
    pub(super) fn cards(&self, at: usize) -> Part {
        let typed = self.make.part("div", "Typed").with(self.make.part("div", "Frame"));
        let typed = typed.with_all(self.consent());
        let stored = self.make.part("div", "Stored");
        self.make.part("div", "Cards").attr("data-at", &at.to_string()).with_all([stored, typed])
    }

    /// Asks whether the typed card may be kept, where it can be. The box carries the version of the text beside it.
    fn consent(&self) -> Option<Part> {
        let cards = self.order?.cards.as_ref()?;
        let (text, version) = self.texts.consent(self.merchant(), &cards.consent_version);
        let input = self.make.part("input", "").attr("type", "checkbox").attr("name", "save");
        let input = input.attr("value", &version);
        let input = if self.save { input.attr("checked", "") } else { input };
        Some(self.make.part("label", "Consent").with_all([input, self.make.part("span", "").text(&text)]))
    }

    /// Writes the stored cards into their places.
    pub(crate) fn fill_stored(&self, root: &Element) {
        each(root, ".Cards", |cards| {
            let Ok(Some(place)) = cards.query_selector(".Stored") else { return };
            place.set_text_content(None);
            // A group of its own for each method: radio buttons of one name exclude each other.
            let group = ["card", &cards.get_attribute("data-at").unwrap_or_default()].concat();
            Part(Some(place)).with_all(self.stored(&group));
        });
    }

    fn stored(&self, group: &str) -> Option<Part> {
        let stored = self.order.map(|order| order.stored()).filter(|stored| !stored.is_empty())?;
        let list = self.make.part("fieldset", "Methods");
        let list = list.with(self.make.part("legend", "Spoken").text(&self.texts.say("card_stored")));
        let list = list.with_all(stored.iter().flat_map(|card| self.stored_card(group, card)));
        let other = self.make.part("span", "MethodName").text(&self.texts.say("card_other"));
        Some(list.with(self.radio(group, "", other, "")))
    }

    fn stored_card(&self, group: &str, card: &Card) -> Vec<Part> {
        let name = self.texts.card(card);
        let shown = self.make.part("span", "MethodName").with(self.make.part("bdi", "").text(&name));
        let remove = self.make.button("remove", "✕", true).attr("data-value", &card.id);
        let remove = remove.attr("aria-label", &self.texts.fill("card_remove", &name));
        let radio = self.radio(group, &card.id, shown, &self.texts.fill("card_expires", &card.expiry));
        let mut parts = vec![self.make.part("div", "Kept").with_all([radio, remove])];
        if self.removing == Some(&card.id) {
            parts.push(self.sure(&self.texts.fill("card_sure", &name)));
        }
        parts
    }

    /// Asks once more before a card is deleted.
    fn sure(&self, question: &str) -> Part {
        let buttons = [
            self.make.button("delete", &self.texts.say("card_delete"), false),
            self.make.button("keep", &self.texts.say("card_keep"), true),
        ];
        let buttons = self.make.part("div", "Kept").with_all(buttons);
        let group = self.make.part("div", "Sure").attr("role", "group").attr("aria-label", question);
        group.with_all([self.make.part("p", "Note").text(question), buttons])
    }
}
