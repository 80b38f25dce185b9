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
                let hole = self.make.part("div", "Frame").attr("data-card", &at.to_string());
                group = group.with(if at == self.selected { hole } else { hole.attr("hidden", "") });
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
        let selected = at == self.selected;
        let input = self.make.part("input", "").attr("type", "radio").attr("name", "method");
        let input = input.attr("value", &at.to_string());
        let input = if selected { input.attr("checked", "") } else { input };
        let class = if selected { "Method Method--selected" } else { "Method" };
        self.make
            .part("label", class)
            .with(input)
            .with(self.make.part("span", "MethodName").text(&self.texts.brand_of(&way.method)))
            .with(self.make.part("span", "MethodHint").text(&self.texts.say(hint(way))))
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

/// Shows which method is chosen, without touching what was typed into a frame.
pub(crate) fn mark_selected(root: &Element, selected: usize) {
    each(root, ".Method", |at, row| {
        let _ = row.class_list().toggle_with_force("Method--selected", at == selected);
        if let Ok(Some(input)) = row.query_selector("input")
            && let Some(input) = input.dyn_ref::<HtmlInputElement>()
        {
            input.set_checked(at == selected);
        }
    });
    each(root, ".Frame", |_, hole| {
        let own = hole.get_attribute("data-card").is_some_and(|at| at == selected.to_string());
        let _ = if own { hole.remove_attribute("hidden") } else { hole.set_attribute("hidden", "") };
    });
}

/// A button that waits keeps its focus, which a disabled one would lose.
pub(crate) fn set_busy(root: &Element, busy: bool, label: &str) {
    each(root, "[data-do=pay]", |_, button| {
        let _ = button.set_attribute("aria-disabled", if busy { "true" } else { "false" });
        button.set_text_content(Some(label));
    });
    each(root, "input", |_, input| {
        if let Some(input) = input.dyn_ref::<HtmlInputElement>() {
            input.set_disabled(busy && !input.checked());
        }
    });
}

fn each(root: &Element, selector: &str, mut act: impl FnMut(usize, &Element)) {
    let Ok(found) = root.query_selector_all(selector) else { return };
    for at in 0..found.length() {
        if let Some(element) = found.item(at).and_then(|node| node.dyn_into::<Element>().ok()) {
            act(at as usize, &element);
        }
    }
}
