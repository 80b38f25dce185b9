//! The list of methods: radio buttons, so that arrow keys and screen readers know them.

use web_sys::{Element, HtmlInputElement};

use crate::dom::Part;
use crate::order::{Form, Method};
use crate::view::View;

use wasm_bindgen::JsCast as _;

impl View<'_> {
    pub(super) fn choose(&self) -> (String, Vec<Part>) {
        let title = self.texts.say("choose_title");
        let Some(order) = self.order.filter(|order| !order.methods.is_empty()) else {
            return (title, vec![self.note("nothing")]);
        };
        let mut group = self.make.part("fieldset", "Methods");
        group = group.with(self.make.part("legend", "Spoken").text(&title));
        for (at, way) in order.methods.iter().enumerate() {
            group = group.with(self.row(at, way));
            if way.form == Form::Card {
                group = group.with(self.cards(at));
            }
        }
        let mut parts = vec![group];
        if self.button {
            let label = self.texts.fill("pay", &order.price());
            parts.push(self.make.button("pay", &label, false));
        }
        (title, parts)
    }

    fn row(&self, at: usize, way: &Method) -> Part {
        let name = self.make.part("span", "MethodName").text(&self.texts.brand_of(&way.method));
        self.radio("method", &at.to_string(), name, &self.texts.say(hint(way)))
    }

    /// One of several to choose from. `mark_chosen` says which is.
    pub(super) fn radio(&self, group: &str, value: &str, name: Part, hint: &str) -> Part {
        let input =
            self.make.part("input", "").attr("type", "radio").attr("name", group).attr("value", value);
        let hint = self.make.part("span", "MethodHint").text(hint);
        self.make.part("label", "Method").with(input).with(name).with(hint)
    }
}

fn hint(way: &Method) -> &'static str {
    match (way.form, way.method.split('.').nth(1).unwrap_or_default()) {
        (Form::Card, _) | (_, "card") => "hint_card",
        (_, "qr") => "hint_qr",
        (_, "jsapi") => "hint_wallet",
        _ => "hint_page",
    }
}

/// Shows which method and which card is chosen, without touching what was typed into a frame.
pub(crate) fn mark_chosen(root: &Element, selected: usize, card: Option<&str>) {
    let selected = selected.to_string();
    each(root, ".Method", &|row| {
        let Ok(Some(input)) = row.query_selector("input") else { return };
        let Some(input) = input.dyn_ref::<HtmlInputElement>() else { return };
        let chosen = if input.name() == "method" { &selected } else { card.unwrap_or_default() };
        let is = input.value() == chosen;
        input.set_checked(is);
        let _ = row.class_list().toggle_with_force("Method--selected", is);
    });
    each(root, ".Cards", &|cards| {
        show(cards, cards.get_attribute("data-at").is_some_and(|at| at == selected));
    });
    each(root, ".Typed", &|typed| show(typed, card.is_none()));
}

fn show(element: &Element, is: bool) {
    let _ = if is { element.remove_attribute("hidden") } else { element.set_attribute("hidden", "") };
}

/// A button that waits keeps its focus, which a disabled one would lose.
pub(crate) fn set_busy(root: &Element, busy: bool, label: &str) {
    each(root, "[data-do]", &|button| {
        let _ = button.set_attribute("aria-disabled", if busy { "true" } else { "false" });
    });
    each(root, "[data-do=pay]", &|button| button.set_text_content(Some(label)));
    each(root, "input", &|input| {
        if let Some(input) = input.dyn_ref::<HtmlInputElement>() {
            input.set_disabled(busy && !input.checked());
        }
    });
}

pub(super) fn each(root: &Element, selector: &str, act: &dyn Fn(&Element)) {
    let Ok(found) = root.query_selector_all(selector) else { return };
    for at in 0..found.length() {
        if let Some(element) = found.item(at).and_then(|node| node.dyn_into::<Element>().ok()) {
            act(&element);
        }
    }
}
