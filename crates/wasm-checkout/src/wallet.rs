//! Leaving the page: to a cashier, by a form, or into the wallet in whose browser the page runs.

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{HtmlFormElement, Window};

use crate::dom::Maker;
use crate::order::{is_safe_link, is_web};

/// Sends the browser to an address, if it is one that may be followed.
pub(crate) fn go(window: &Window, url: &str) -> bool {
    is_safe_link(url) && window.location().assign(url).is_ok()
}

/// Posts a form to a cashier.
pub(crate) fn post(make: &Maker, url: &str, fields: &[(String, String)]) -> bool {
    let form = make.part("form", "").attr("method", "post").attr("action", url).attr("hidden", "");
    let inputs = fields.iter().map(|(name, value)| {
        make.part("input", "").attr("type", "hidden").attr("name", name).attr("value", value)
    });
    let (Some(form), Some(body), true) = (form.with_all(inputs).0, make.0.body(), is_web(url)) else {
        return false;
    };
    // A form submits only from inside the document.
    body.append_child(&form).is_ok() && form.unchecked_into::<HtmlFormElement>().submit().is_ok()
}

/// Hands parameters to the wallet whose browser this is; false outside of one. `then` hears the wallet's answer.
pub(crate) fn bridge(
    window: &Window,
    parameters: &[(String, String)],
    then: impl FnOnce() + 'static,
) -> bool {
    let object = Object::new();
    for (name, value) in parameters {
        let _ = Reflect::set(&object, &name.into(), &value.into());
    }
    let heard = Closure::once_into_js(move |_: JsValue| then());
    let call = |owner: &str, function: &str, what: &str| {
        let bridge = Reflect::get(window, &owner.into()).ok()?;
        let function: Function = Reflect::get(&bridge, &function.into()).ok()?.dyn_into().ok()?;
        function.call3(&bridge, &what.into(), &object, &heard).ok()
    };
    call("WeixinJSBridge", "invoke", "getBrandWCPayRequest")
        .or_else(|| call("AlipayJSBridge", "call", "tradePay"))
        .is_some()
}
