//! The shell: it shows what the session decides, sends what it asks for, and brings back what happens.

mod cards;
mod listen;
mod stream;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Function;
use paycore::order::OrderStatus;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement, ShadowRoot, Window};

use crate::dom::{Maker, Part};
use crate::frame::Frame;
use crate::json::{Json, object, push};
use crate::net::Server;
use crate::options::Options;
use crate::order::{Action, Order};
use crate::session::{Effect, Input, Screen, Session, Trouble};
use crate::texts::Texts;
use crate::view::{View, mark_chosen, set_busy};
use crate::wallet;

/// One widget on a page. The loader makes it for each element and calls `close` when the element goes.
#[wasm_bindgen]
pub struct Widget(Rc<Shell>);

pub(crate) struct Shell {
    window: Window,
    make: Maker,
    root: ShadowRoot,
    places: Places,
    texts: Texts,
    options: RefCell<Options>,
    server: Server,
    session: RefCell<Session>,
    shown: RefCell<Option<Screen>>,
    frame: RefCell<Option<Frame>>,
    cards: RefCell<Option<cards::Shown>>,
    emit: Function,
    closed: Cell<bool>,
    /// How far the server's clock is ahead of this machine's, milliseconds.
    skew: Cell<i64>,
    stream: stream::Control,
    listeners: RefCell<Vec<listen::Listener>>,
}

/// The parts of the widget that stay while screens come and go.
struct Places {
    head: Element,
    offline: Element,
    title: Element,
    notice: Element,
    body: Element,
    spoken: Element,
}

#[wasm_bindgen]
impl Widget {
    /// Starts in an empty shadow root. `options` and `texts` are JSON; `emit` hears the name of an event and its detail
    /// as JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(root: ShadowRoot, options: &str, texts: &str, emit: Function) -> Result<Widget, JsValue> {
        let window = web_sys::window().ok_or("no window")?;
        let document = window.document().ok_or("no document")?;
        let options = Options::read(options);
        let texts = Texts::new(&options.language, texts, options.texts.clone());
        let make = Maker(document);
        let places = Places::new(&make, &root, &texts).ok_or("no elements")?;
        let server = Server {
            window: window.clone(),
            base: options.base.clone(),
            secret: options.client_secret.clone(),
            publishable_key: options.publishable_key.clone(),
        };
        let shell = Rc::new(Shell {
            window,
            make,
            root,
            places,
            texts,
            options: RefCell::new(options),
            server,
            session: RefCell::default(),
            shown: RefCell::default(),
            frame: RefCell::default(),
            cards: RefCell::default(),
            emit,
            closed: Cell::new(false),
            skew: Cell::new(0),
            stream: stream::Control::default(),
            listeners: RefCell::default(),
        });
        shell.dress();
        listen::start(&shell);
        shell.draw();
        shell.run(Effect::Load);
        Ok(Widget(shell))
    }

    /// Changes the looks, the wallet's code, or whether there is a button; what was typed and chosen stays.
    pub fn update(&self, options: &str) {
        let new = Options::read(options);
        let mut options = self.0.options.borrow_mut();
        options.appearance = new.appearance;
        options.no_button = new.no_button;
        options.code = new.code;
        drop(options);
        self.0.dress();
        self.0.shown.replace(None);
        self.0.draw();
    }

    /// Pays by the chosen method, as a click on the button does.
    pub fn confirm(&self) {
        self.0.take(Input::Pay);
    }

    /// Carries out what the payer has to do next.
    #[wasm_bindgen(js_name = handleNextAction)]
    pub fn handle_next_action(&self) {
        self.0.take(Input::Act);
    }

    /// Puts the cursor on the first thing to do.
    pub fn focus(&self) {
        self.0.focus("input:checked, [data-do], .Title");
    }

    /// How the order stands, as JSON of what the server said; nothing before it has.
    pub fn status(&self) -> Option<String> {
        self.0.session.borrow().order.as_ref().map(|order| order.status.text().to_owned())
    }

    /// Stops everything; the element is gone.
    pub fn close(&self) {
        self.0.closed.set(true);
        self.0.stream.stop();
        self.0.listeners.borrow_mut().clear();
        self.0.root.set_text_content(None);
    }
}

impl Places {
    fn new(make: &Maker, root: &ShadowRoot, texts: &Texts) -> Option<Places> {
        let place = |tag: &str, class: &str| make.part(tag, class);
        let head = place("div", "Head");
        let offline = place("p", "Notice Offline").attr("hidden", "").text(&texts.say("offline"));
        let title = place("h2", "Title").attr("tabindex", "-1");
        let notice = place("p", "Notice").attr("role", "alert");
        let body = place("div", "Body");
        let spoken = place("div", "Spoken").attr("role", "status").attr("aria-live", "polite");
        let all = [&head, &offline, &title, &notice, &body, &spoken].map(Clone::clone);
        let frame =
            place("section", "Box").attr("lang", &texts.tag).attr("dir", texts.direction()).with_all(all);
        root.append_child(frame.0.as_ref()?).ok()?;
        Some(Places {
            head: head.0?,
            offline: offline.0?,
            title: title.0?,
            notice: notice.0?,
            body: body.0?,
            spoken: spoken.0?,
        })
    }
}

impl Shell {
    /// Takes an input in, shows what follows and does what is to be done.
    pub(crate) fn take(self: &Rc<Self>, input: Input) {
        if self.closed.get() {
            return;
        }
        if let Input::Heard(order) = &input {
            self.skew.set(order.server_time.millis() - now());
        }
        let first = self.session.borrow().order.is_none();
        let effects = self.session.borrow_mut().take(input);
        self.draw();
        for effect in effects {
            self.run(effect);
        }
        if first && self.session.borrow().order.is_some() {
            stream::follow(self);
        }
    }

    fn run(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Emit(name, detail) => self.emit(name, &detail),
            Effect::Act(action) => self.act(&action),
            Effect::Tokenize => match &*self.frame.borrow() {
                Some(frame) => {
                    frame.tell(object([("type", "tokenize".into()), ("id", Json::Number("1".into()))]))
                }
                None => spawn_take(self, Input::NoToken),
            },
            Effect::Load => self.ask(|server| async move { server.order().await }),
            Effect::Pay { method, after, with } => {
                let mut body = Vec::new();
                push(&mut body, "method", Json::Text(method));
                push(&mut body, "after", after.as_deref().into());
                let code = self.options.borrow().code.clone();
                if !code.is_empty() {
                    push(&mut body, "code", Json::Text(code));
                }
                for (name, value) in with {
                    push(&mut body, name, Json::Text(value));
                }
                self.post("/order/pay", Json::Object(body));
            }
            Effect::Release { attempt_id } => {
                self.post("/order/release", object([("attempt_id", attempt_id.as_str().into())]));
            }
            Effect::Delete { card_id } => {
                self.post("/cards/delete", object([("card_id", card_id.as_str().into())]));
            }
        }
    }

    fn post(self: &Rc<Self>, path: &'static str, body: Json) {
        self.ask(|server| async move { server.post(path, &body).await });
    }

    fn ask<F>(self: &Rc<Self>, question: impl FnOnce(Server) -> F)
    where
        F: Future<Output = Result<Order, Trouble>> + 'static,
    {
        let (shell, asked) = (Rc::clone(self), question(self.server.clone()));
        spawn_local(async move {
            let input = match asked.await {
                Ok(order) => Input::Heard(order),
                Err(trouble) => Input::Failed(trouble),
            };
            shell.take(input);
        });
    }

    fn act(self: &Rc<Self>, action: &Action) {
        let done = match action {
            Action::Redirect { url } => wallet::go(&self.window, url),
            Action::Form { url, fields } => wallet::post(&self.make, url, fields),
            Action::App { url } => wallet::go(&self.window, url),
            Action::Client { parameters } => match action.deep_link() {
                Some(url) => wallet::go(&self.window, url),
                None => {
                    let shell = Rc::clone(self);
                    wallet::bridge(&self.window, parameters, move || shell.run(Effect::Load))
                }
            },
            _ => return,
        };
        if done {
            self.emit("actionhandled", &object([("type", action.kind().into())]));
        } else if let Screen::Act { method, .. } = self.session.borrow().screen() {
            let text = self.texts.fill("wallet_missing", &self.texts.brand_of(&method));
            self.places.notice.set_text_content(Some(&text));
        }
    }

    pub(crate) fn emit(&self, name: &str, detail: &Json) {
        // A listener of the page that throws must not stop the payment.
        let _ = self.emit.call2(&JsValue::NULL, &name.into(), &detail.write().into());
    }

    fn dress(&self) {
        let options = self.options.borrow();
        let dark = self.window.match_media("(prefers-color-scheme: dark)").ok().flatten();
        let theme = options.appearance.theme(dark.is_some_and(|query| query.matches())).to_owned();
        let _ = self.root.host().set_attribute("data-theme", &theme);
        let sheets = js_sys::Array::new();
        for text in [include_str!("../js/style.css"), &options.appearance.css()] {
            if let Ok(sheet) = web_sys::CssStyleSheet::new()
                && sheet.replace_sync(text).is_ok()
            {
                sheets.push(&sheet);
            }
        }
        let _ = js_sys::Reflect::set(&self.root, &"adoptedStyleSheets".into(), &sheets);
    }

    /// Shows the session. A screen that stays is not touched but for what changes in it, so that focus and what was
    /// typed stay too.
    fn draw(self: &Rc<Self>) {
        let session = self.session.borrow();
        let screen = session.screen();
        let view = View {
            make: &self.make,
            texts: &self.texts,
            order: session.order.as_ref(),
            removing: session.removing.as_deref(),
            save: session.save.is_some(),
            button: !self.options.borrow().no_button,
            touch: self.window.navigator().max_touch_points() > 0,
        };
        if self.shown.borrow().as_ref() != Some(&screen) {
            let inside = self.root.active_element().is_some();
            let (title, parts) = view.draw(&screen);
            self.frame.replace(None);
            self.cards.replace(None);
            self.places.title.set_text_content(Some(&title));
            self.places.spoken.set_text_content(Some(&title));
            self.places.body.set_text_content(None);
            Part(Some(self.places.body.clone())).with_all(parts);
            if inside {
                self.focus(".Title");
            }
            self.shown.replace(Some(screen.clone()));
        }
        self.head(session.order.as_ref());
        let trouble = session.trouble.as_ref().filter(|_| !matches!(screen, Screen::Broken(_)));
        let notice = trouble.map(|trouble| view.trouble(trouble)).or_else(|| view.declined(&screen));
        self.places.notice.set_text_content(notice.as_deref());
        if screen == Screen::Choose {
            self.draw_choice(&session, &view);
        }
        self.tick(session.order.as_ref());
    }

    fn draw_choice(self: &Rc<Self>, session: &Session, view: &View<'_>) {
        let focus = self.draw_cards(session, view);
        mark_chosen(&self.places.body, session.selected, session.card.as_deref());
        let price = session.order.as_ref().map(Order::price).unwrap_or_default();
        let starting = session.is_starting();
        let label = if starting { self.texts.say("paying") } else { self.texts.fill("pay", &price) };
        set_busy(&self.places.body, session.is_busy(), &label);
        if let Some(focus) = focus {
            self.focus(&focus);
        }
        let hole = ".Cards:not([hidden]) .Typed:not([hidden]) .Frame:empty";
        let hole = self.places.body.query_selector(hole).ok().flatten();
        if let Some(hole) = hole {
            let parent = self.window.location().origin().unwrap_or_default();
            let frame = Frame::mount(&self.make, &hole, &self.server.base, &parent, &self.texts);
            self.frame.replace(frame);
        }
    }

    fn head(&self, order: Option<&Order>) {
        let Some(order) = order else { return };
        if self.places.head.has_child_nodes() {
            return;
        }
        if !order.livemode {
            let sandbox = self.make.part("p", "Sandbox").text(&self.texts.say("sandbox"));
            if let Some(sandbox) = sandbox.0 {
                let _ = self.places.head.before_with_node_1(&sandbox);
            }
        }
        let subject = self.make.part("p", "Subject").text(&format!("{} · {}", order.merchant, order.subject));
        let amount = self.make.part("bdi", "Amount").text(&order.price());
        Part(Some(self.places.head.clone())).with_all([subject, amount]);
    }

    /// Writes the time that is left.
    pub(crate) fn tick(&self, order: Option<&Order>) {
        let place = self.places.body.query_selector(".Countdown").ok().flatten();
        let (Some(place), Some(order)) = (place, order) else { return };
        if !matches!(order.status, OrderStatus::Pending | OrderStatus::Processing) {
            return;
        }
        let left = (order.expires_at.millis() - now() - self.skew.get()).max(0) / 1_000;
        place.set_text_content(Some(&self.texts.fill("expires_in", &clock(left))));
    }

    pub(crate) fn focus(&self, selector: &str) {
        let found = self.root.query_selector(selector).ok().flatten();
        if let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            // What cannot take the focus leaves it where it is.
            let _ = element.focus();
        }
    }
}

/// Takes an input in after the current one is through.
fn spawn_take(shell: &Rc<Shell>, input: Input) {
    let shell = Rc::clone(shell);
    spawn_local(async move { shell.take(input) });
}

/// `1:05`, or `2:00:00` from an hour on.
fn clock(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Milliseconds since the epoch, by this machine.
fn now() -> i64 {
    js_sys::Date::now() as i64
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn the_time_left_is_written_like_a_clock() {
        for (seconds, text) in [(0, "0:00"), (65, "1:05"), (3_599, "59:59"), (7_200, "2:00:00")] {
            assert_eq!(clock(seconds), text);
        }
    }
}
