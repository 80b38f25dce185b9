//! The frame that card data is typed into. It comes from the payment server's origin; what it says is believed only
//! from there, and it never says a card number.

use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlIFrameElement, MessageEvent, Window};

use crate::dom::Maker;
use crate::json::{Json, object};
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
    Change(Json),
    Submit,
    Token(String),
    NoToken,
    Other,
}

impl Frame {
    /// Puts the frame into its place.
    pub(crate) fn mount(
        make: &Maker,
        hole: &Element,
        base: &str,
        parent: &str,
        texts: &Texts,
    ) -> Option<Frame> {
        let (locale, parent) = (&texts.tag, js_sys::encode_uri_component(parent));
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
        let message = Json::parse(&text)?;
        (message.get("paycore").integer() == Some(1)).then(|| read(&message))
    }

    /// Sends a message to it and to nobody else.
    pub(crate) fn tell(&self, message: Json) {
        let Json::Object(mut members) = message else { return };
        members.push(("paycore".to_owned(), Json::Number("1".to_owned())));
        let message = js_sys::JSON::parse(&Json::Object(members).write());
        let (Some(window), Ok(message)) = (self.element.content_window(), message) else {
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

fn read(message: &Json) -> Told {
    match message.get("type").text().unwrap_or_default() {
        "ready" => Told::Ready,
        "height" => {
            let pixels = message.get("pixels").integer().and_then(|pixels| u32::try_from(pixels).ok());
            pixels.map_or(Told::Other, Told::Height)
        }
        "change" => {
            let told = ["complete", "empty", "brand", "error"].map(|name| (name, message.get(name).clone()));
            Told::Change(object(told))
        }
        "submit" => Told::Submit,
        "token" => match message.get("token").text() {
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

    fn told(json: &str) -> Told {
        read(&Json::parse(json).unwrap())
    }

    #[test]
    fn messages_of_the_contract_are_read_and_others_say_nothing() {
        for (message, expected) in [
            (r#"{"type": "ready"}"#, Told::Ready),
            (r#"{"type": "height", "pixels": 210}"#, Told::Height(210)),
            (r#"{"type": "height", "pixels": -1}"#, Told::Other),
            (r#"{"type": "token", "token": "tok_1", "last4": "4242"}"#, Told::Token("tok_1".into())),
            (r#"{"type": "token"}"#, Told::NoToken),
            (r#"{"type": "error", "code": "declined"}"#, Told::NoToken),
            (r#"{"type": "number", "number": "4111"}"#, Told::Other),
            ("{}", Told::Other),
        ] {
            assert_eq!(told(message), expected, "{message}");
        }
    }

    #[test]
    fn a_change_passes_on_only_what_the_page_may_know() {
        let message =
            r#"{"type": "change", "complete": true, "brand": "visa", "number": "4111111111111111"}"#;
        let Told::Change(detail) = told(message) else { panic!("a change") };
        assert_eq!(detail.get("brand").text(), Some("visa"));
        assert!(!detail.write().contains("4111"));
    }
}
