//! Requests to the payment server, with `fetch`: headers carry the client secret, so that no address does.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortSignal, Headers, ReadableStreamDefaultReader, RequestCache, RequestCredentials, RequestInit,
    Response, TextDecodeOptions, TextDecoder, Window,
};

use crate::json::Json;
use crate::order::Order;
use crate::session::Trouble;
use crate::sse::{Event, Reader};

/// Where and as whom to ask.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) window: Window,
    /// Origin of the server, without a trailing slash.
    pub(crate) base: String,
    pub(crate) secret: String,
    pub(crate) publishable_key: String,
}

impl Server {
    /// How the order stands.
    pub(crate) async fn order(&self) -> Result<Order, Trouble> {
        order_of(self.send("/order", None, None, None).await?).await
    }

    /// A call that changes something, such as `/order/pay`.
    pub(crate) async fn post(&self, path: &str, body: &Json) -> Result<Order, Trouble> {
        order_of(self.send(path, Some(body.write()), None, None).await?).await
    }

    /// The stream of changes, from the one after `known` on.
    pub(crate) async fn events(&self, known: Option<i64>, signal: &AbortSignal) -> Result<Stream, Trouble> {
        let response = self.send("/order/events", None, known, Some(signal)).await?;
        if !response.ok() {
            return Err(refusal(&response).await);
        }
        let body = response.body().ok_or(Trouble::Network)?;
        let reader = body.get_reader().unchecked_into();
        let decoder = TextDecoder::new().map_err(|_| Trouble::Network)?;
        Ok(Stream { reader, decoder, events: Reader::default() })
    }

    async fn send(
        &self,
        path: &str,
        body: Option<String>,
        known: Option<i64>,
        signal: Option<&AbortSignal>,
    ) -> Result<Response, Trouble> {
        let unsent = |_: JsValue| Trouble::Network;
        let headers = Headers::new().map_err(unsent)?;
        headers.set("authorization", &format!("Bearer {}", self.secret)).map_err(unsent)?;
        if !self.publishable_key.is_empty() {
            headers.set("paycore-publishable-key", &self.publishable_key).map_err(unsent)?;
        }
        if let Some(known) = known {
            headers.set("last-event-id", &known.to_string()).map_err(unsent)?;
        }
        let init = RequestInit::new();
        if let Some(body) = body {
            headers.set("content-type", "application/json").map_err(unsent)?;
            init.set_method("POST");
            init.set_body(&JsValue::from_str(&body));
        }
        init.set_headers(&headers);
        init.set_cache(RequestCache::NoStore);
        init.set_credentials(RequestCredentials::Omit);
        init.set_signal(signal);
        let address = format!("{}/checkout{path}", self.base);
        let answer = JsFuture::from(self.window.fetch_with_str_and_init(&address, &init)).await;
        Ok(answer.map_err(unsent)?.unchecked_into())
    }
}

async fn order_of(response: Response) -> Result<Order, Trouble> {
    if !response.ok() {
        return Err(refusal(&response).await);
    }
    let text = text_of(&response).await.ok_or(Trouble::Network)?;
    Order::read(&text).ok_or_else(|| Trouble::Refused("unreadable".into()))
}

/// The code of an error; what no problem document says is a code by its status.
async fn refusal(response: &Response) -> Trouble {
    let text = text_of(response).await.unwrap_or_default();
    let problem = Json::parse(&text).unwrap_or(Json::Null);
    match problem.get("code").text() {
        // These say that the server is not well; the payer waits as if it had not answered.
        Some("internal" | "unavailable") => Trouble::Network,
        Some(code) => Trouble::Refused(code.to_owned()),
        None => Trouble::Network,
    }
}

async fn text_of(response: &Response) -> Option<String> {
    JsFuture::from(response.text().ok()?).await.ok()?.as_string()
}

/// An open stream of events.
pub(crate) struct Stream {
    reader: ReadableStreamDefaultReader,
    decoder: TextDecoder,
    events: Reader,
}

impl Stream {
    /// The events that arrived next; nothing when the stream has ended, for whatever reason.
    pub(crate) async fn next(&mut self) -> Option<Vec<Event>> {
        let piece = JsFuture::from(self.reader.read()).await.ok()?;
        let bytes = Reflect::get(&piece, &"value".into()).ok()?.dyn_into::<Uint8Array>().ok()?;
        let options = TextDecodeOptions::new();
        options.set_stream(true);
        let text = self.decoder.decode_with_buffer_source_and_options(&bytes, &options).ok()?;
        Some(self.events.take(&text))
    }
}
