//! What the widget listens to: its own clicks, the network, the page's coming and going, the card's frame, the clock.

use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, Event, EventTarget, HtmlInputElement, MessageEvent};

use super::{Shell, stream};
use crate::frame::Told;
use crate::json::{Json, object};
use crate::session::{Effect, Input};

/// A listener that is taken off when it is dropped.
pub(super) struct Listener {
    target: Option<EventTarget>,
    name: &'static str,
    timer: Option<(web_sys::Window, i32)>,
    closure: Closure<dyn FnMut(Event)>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let function: &Function = self.closure.as_ref().unchecked_ref();
        if let Some(target) = &self.target {
            let _ = target.remove_event_listener_with_callback(self.name, function);
        }
        if let Some((window, timer)) = &self.timer {
            window.clear_interval_with_handle(*timer);
        }
    }
}

pub(super) fn start(shell: &Rc<Shell>) {
    let window: &EventTarget = &shell.window;
    on(shell, &shell.root, "click", clicked);
    on(shell, &shell.root, "change", changed);
    on(shell, window, "message", told);
    on(shell, window, "online", |shell, _| network(shell, true));
    on(shell, window, "offline", |shell, _| network(shell, false));
    on(shell, window, "pageshow", |shell, _| look_again(shell));
    if let Some(document) = shell.window.document() {
        on(shell, &document, "visibilitychange", |shell, _| look_again(shell));
    }
    every_second(shell);
    if !shell.window.navigator().on_line() {
        network(shell, false);
    }
}

fn on(shell: &Rc<Shell>, target: &EventTarget, name: &'static str, act: fn(&Rc<Shell>, &Event)) {
    let weak = Rc::downgrade(shell);
    let closure: Closure<dyn FnMut(Event)> = Closure::new(move |event: Event| {
        if let Some(shell) = weak.upgrade() {
            act(&shell, &event);
        }
    });
    let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    let listener = Listener { target: Some(target.clone()), name, timer: None, closure };
    shell.listeners.borrow_mut().push(listener);
}

fn every_second(shell: &Rc<Shell>) {
    let weak = Rc::downgrade(shell);
    let closure: Closure<dyn FnMut(Event)> = Closure::new(move |_| {
        if let Some(shell) = weak.upgrade() {
            shell.tick(shell.session.borrow().order.as_ref());
        }
    });
    let function = closure.as_ref().unchecked_ref();
    let timer = shell.window.set_interval_with_callback_and_timeout_and_arguments_0(function, 1_000);
    let timer = timer.ok().map(|timer| (shell.window.clone(), timer));
    shell.listeners.borrow_mut().push(Listener { target: None, name: "", timer, closure });
}

fn clicked(shell: &Rc<Shell>, event: &Event) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(button) = target.and_then(|target| target.closest("[data-do]").ok().flatten()) else { return };
    let value = button.get_attribute("data-value").unwrap_or_default();
    match button.get_attribute("data-do").unwrap_or_default().as_str() {
        "pay" => shell.take(Input::Pay),
        "change" => shell.take(Input::Change),
        "refresh" => shell.take(Input::Refresh),
        "retry" => shell.take(Input::Retry),
        "act" => shell.take(Input::Act),
        "opened" => shell.emit("actionhandled", &object([("type", "app".into())])),
        "copy" => copy(shell, &value),
        "remove" => shell.take(Input::Remove(value)),
        "delete" => shell.take(Input::Delete),
        "keep" => shell.take(Input::Keep),
        _ => {}
    }
}

fn copy(shell: &Shell, value: &str) {
    // A page without permission for the clipboard shows the value to be copied by hand.
    let _ = shell.window.navigator().clipboard().write_text(value);
    shell.places.spoken.set_text_content(Some(&shell.texts.say("copied")));
}

fn changed(shell: &Rc<Shell>, event: &Event) {
    let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
    let Some(input) = input else { return };
    let value = input.value();
    match input.name().as_str() {
        "method" => value.parse().into_iter().for_each(|at| shell.take(Input::Select(at))),
        "save" => shell.take(Input::Save(input.checked().then_some(value))),
        _ => shell.take(Input::Card(Some(value).filter(|id| !id.is_empty()))),
    }
}

fn told(shell: &Rc<Shell>, event: &Event) {
    let told = event.dyn_ref::<MessageEvent>().and_then(|message| {
        let frame = shell.frame.borrow();
        frame.as_ref().and_then(|frame| frame.hear(message))
    });
    let frame = shell.frame.borrow().clone();
    let (Some(told), Some(frame)) = (told, frame) else { return };
    match told {
        Told::Ready => {
            let options = shell.options.borrow();
            let dark = shell.root.host().get_attribute("data-theme").as_deref() == Some("night");
            let variables = options.appearance.variables.iter();
            let variables = variables.map(|(name, value)| (name.clone(), value.as_str().into())).collect();
            frame.tell(object([
                ("type", "init".into()),
                ("clientSecret", options.client_secret.as_str().into()),
                ("locale", shell.texts.tag.as_str().into()),
                ("direction", shell.texts.direction().into()),
                ("dark", dark.into()),
                ("variables", Json::Object(variables)),
            ]));
        }
        Told::Height(pixels) => frame.resize(pixels),
        Told::Change(detail) => shell.emit("change", &detail),
        Told::Submit => shell.take(Input::Pay),
        Told::Token(token) => shell.take(Input::Token(token)),
        Told::NoToken => {
            shell.take(Input::NoToken);
            shell.places.notice.set_text_content(Some(&shell.texts.say("card_check")));
            frame.tell(object([("type", "focus".into())]));
        }
        Told::Other => {}
    }
}

fn network(shell: &Rc<Shell>, there: bool) {
    let offline = &shell.places.offline;
    let _ = if there { offline.set_attribute("hidden", "") } else { offline.remove_attribute("hidden") };
    if there {
        look_again(shell);
        if shell.session.borrow().order.is_some() {
            stream::follow(shell);
        }
    } else {
        shell.places.spoken.set_text_content(Some(&shell.texts.say("offline")));
    }
}

/// A page that was away asks how the order stands: it may have been paid in another tab.
fn look_again(shell: &Rc<Shell>) {
    let hidden = shell.window.document().is_some_and(|document| document.hidden());
    let session = shell.session.borrow();
    let idle = !hidden && !session.is_over() && !session.is_busy();
    drop(session);
    if idle {
        shell.run(Effect::Load);
    }
}
