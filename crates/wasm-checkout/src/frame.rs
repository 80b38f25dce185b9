//! The frame that card data is typed into. It comes from the payment server's origin; what it says is believed only
//! from there, and it never says a card number.

use serde_json::{Value, json};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlIFrameElement, MessageEvent, Window};

use crate::dom::Maker;
use crate::texts::Texts;

/// The frame of one card form.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    element: HtmlIFrameElement,
    origin: String,
}

/// What a frame can say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    Ready,
    Height(u32),
    Change(Value),
    Submit,
    Token(String),
    NoToken,
    Other,
}

impl Frame {
    /// Puts the frame into its place.
    pub(crate) fn mount(make: &Maker, hole: &Element, base: &str, parent: &str, texts: &Texts) -> Option<Frame> {
        let (locale, parent) = (texts.language.tag(), js_sys::encode_uri_component(parent));
        let url = format!("{base}/checkout/card?parent={}&locale={locale}", String::from(parent));
        let part = make.part("iframe", "CardFrame").attr("title", &texts.say("card_frame")).attr("src", &url);
        let element: HtmlIFrameElement = part.attr("allow", "payment").0?.dyn_into().ok()?;
        hole.append_child(&element).ok()?;
        Some(Frame { element, origin: base.to_owned() })
    }

    /// What a message says, if it is this frame's.
    pub(crate) fn hear(&self, message: &MessageEvent) -> Option<Told> {
        let source: Option<Window> = message.source().map(|source| source.unchecked_into());
        if message.origin() != self.origin || source != self.element.content_window() {
            return None;
        }
        let text: String = js_sys::JSON::stringify(&message.data()).ok()?.into();
        let message: Value = serde_json::from_str(&text).ok()?;
        (message["paycore"] == 1).then(|| read(&message))
    }

    /// Sends a message to it and to nobody else.
    pub(crate) fn tell(&self, mut message: Value) {
        message["paycore"] = json!(1);
        let (Some(window), Ok(message)) =
            (self.element.content_window(), js_sys::JSON::parse(&message.to_string()))
        else {
            return;
        };
        // A frame that is gone hears nothing; the payer is asked again by the one that comes next.
        let _ = window.post_message(&message, &self.origin);
    }

    /// Gives it the height it asked for.
    pub(crate) fn resize(&self, pixels: u32) {
        let _ = self.element.style().set_property("block-size", &format!("{}px", pixels.clamp(40, 1_000)));
    }
}

fn read(message: &Value) -> Told {
    match message["type"].as_str().unwrap_or_default() {
        "ready" => Told::Ready,
        "height" => {
            let pixels = message["pixels"].as_u64().and_then(|pixels| u32::try_from(pixels).ok());
            pixels.map_or(Told::Other, Told::Height)
        }
        "change" => Told::Change(json!({
            "complete": message["complete"],
            "empty": message["empty"],
            "brand": message["brand"],
            "error": message["error"],
        })),
        "submit" => Told::Submit,
        "token" => match message["token"].as_str() {
            Some(token) => Told::Token(token.to_owned()),
            None => Told::NoToken,
        },
        "error" => Told::NoToken,
        _ => Told::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_contract_are_read_and_others_say_nothing() {
        for (message, told) in [
            (json!({"type": "ready"}), Told::Ready),
            (json!({"type": "height", "pixels": 210}), Told::Height(210)),
            (json!({"type": "height", "pixels": -1}), Told::Other),
            (json!({"type": "token", "token": "tok_1", "last4": "4242"}), Told::Token("tok_1".into())),
            (json!({"type": "token"}), Told::NoToken),
            (json!({"type": "error", "code": "declined"}), Told::NoToken),
            (json!({"type": "number", "number": "4111"}), Told::Other),
            (json!({}), Told::Other),
        ] {
            assert_eq!(read(&message), told, "{message}");
        }
    }

    #[test]
    fn a_change_passes_on_only_what_the_page_may_know() {
        let message = json!({"type": "change", "complete": true, "brand": "visa", "number": "4111111111111111"});
        let Told::Change(detail) = read(&message) else { panic!("a change") };
        assert_eq!(detail["brand"], "visa");
        assert!(!detail.to_string().contains("4111"));
    }
}
