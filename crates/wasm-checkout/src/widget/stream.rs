//! Following the order: by a stream of events, and by asking where there is none.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

use super::Shell;
use crate::order::Order;
use crate::session::Input;

/// Seconds between two questions: soon, then less often.
const ASK_AFTER: [i32; 3] = [2, 5, 10];
/// After so many streams that broke at once, or could not be opened, the page asks instead.
const BROKEN_MAX: usize = 3;
/// After so many questions a stream is tried again.
const QUESTIONS: usize = 6;

/// The one stream of a widget.
#[derive(Debug, Default)]
pub(super) struct Control {
    abort: RefCell<Option<AbortController>>,
    /// Counts up when another loop takes over; the older one then ends.
    turn: Cell<u32>,
}

impl Control {
    /// Ends the stream that is open.
    pub(super) fn stop(&self) {
        self.turn.set(self.turn.get() + 1);
        if let Some(abort) = self.abort.borrow_mut().take() {
            abort.abort();
        }
    }
}

/// Follows the order until it is over. A loop that runs already is replaced.
pub(super) fn follow(shell: &Rc<Shell>) {
    shell.stream.stop();
    let (shell, turn) = (Rc::clone(shell), shell.stream.turn.get());
    spawn_local(async move {
        let mut broken = 0;
        while shell.goes_on(turn) {
            if broken < BROKEN_MAX {
                broken = if listen(&shell, turn).await { 0 } else { broken + 1 };
                sleep(&shell, 1).await;
            } else {
                ask(&shell, turn).await;
                broken = 0;
            }
        }
    });
}

impl Shell {
    fn goes_on(&self, turn: u32) -> bool {
        !self.closed.get() && self.stream.turn.get() == turn && !self.session.borrow().is_over()
    }
}

/// Reads one stream to its end; whether anything came of it.
async fn listen(shell: &Rc<Shell>, turn: u32) -> bool {
    let Ok(abort) = AbortController::new() else { return false };
    shell.stream.abort.replace(Some(abort.clone()));
    let known = shell.session.borrow().order.as_ref().map(|order| order.version);
    let Ok(mut stream) = shell.server.events(known, &abort.signal()).await else { return false };
    let mut heard = false;
    while let Some(events) = stream.next().await {
        heard = true;
        for event in events.iter().filter(|event| event.kind == "order") {
            if let Some(order) = Order::read(&event.data).filter(|_| shell.goes_on(turn)) {
                shell.take(Input::Heard(order));
            }
        }
    }
    heard
}

/// Asks how the order stands, a few times.
async fn ask(shell: &Rc<Shell>, turn: u32) {
    for at in 0..QUESTIONS {
        sleep(shell, ASK_AFTER[at.min(ASK_AFTER.len() - 1)]).await;
        if !shell.goes_on(turn) {
            return;
        }
        if let Ok(order) = shell.server.order().await {
            shell.take(Input::Heard(order));
        }
    }
}

async fn sleep(shell: &Shell, seconds: i32) {
    let mut set = |resolve: Function, _: Function| {
        // Without a timer there is nothing to wait for.
        let _ = shell.window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, seconds * 1_000);
    };
    let _ = JsFuture::from(Promise::new(&mut set)).await;
}
