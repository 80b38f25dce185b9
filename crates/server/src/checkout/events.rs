//! The stream of an order's changes, as server-sent events.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use paycore::checkout::Checkout;
use paycore::error::Result;
use paycore::link::rules::Opener;

use super::{Visit, header};
use crate::http::App;

/// How long between two looks at the order.
const LOOK: Duration = Duration::from_millis(700);
/// Proxies cut connections that are silent for half a minute.
const PING: Duration = Duration::from_secs(15);
/// A stream ends after this; the browser opens the next one.
const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// One browser that listens.
struct Listener {
    app: Arc<App>,
    checkout: Checkout,
    opener: Opener,
    /// The version it knows.
    known: Option<i64>,
    silent: Duration,
    age: Duration,
    over: bool,
}

pub(super) async fn stream(visit: Visit) -> Result<Response> {
    let known = header(visit.request.headers(), "last-event-id").parse().ok();
    let Visit { app, checkout, opener, .. } = visit;
    let listener =
        Listener { app, checkout, opener, known, silent: Duration::ZERO, age: Duration::ZERO, over: false };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, std::convert::Infallible>(event), listener))
    });
    let mut response = Body::from_stream(events).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // Some proxies hold answers back to send more at once.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

impl Listener {
    /// The next piece of the stream; nothing at its end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.over {
            return None;
        }
        loop {
            if self.known != Some(self.checkout.order.version) {
                return Some(self.change());
            }
            if self.checkout.is_over() {
                self.over = true;
                return Some("event: end\ndata: {}\n\n".into());
            }
            if self.age >= LIFETIME || !self.wait().await {
                self.over = true;
                return Some("retry: 1000\n\n".into());
            }
            if self.silent >= PING {
                self.silent = Duration::ZERO;
                return Some(": ping\n\n".into());
            }
            // A store that cannot answer now is asked again: the stream says only what is known.
            if let Ok(fresh) = self.checkout.again(&self.app.engine).await {
                self.checkout = fresh;
            }
        }
    }

    fn change(&mut self) -> Bytes {
        let version = self.checkout.order.version;
        self.known = Some(version);
        self.silent = Duration::ZERO;
        let view = self.checkout.view(&self.app.engine, self.opener);
        let json = serde_json::to_string(&view).expect("a view is a plain struct with string keys");
        format!("id: {version}\nevent: order\ndata: {json}\n\n").into()
    }

    /// Waits for the time of the next look; false when the server stops.
    async fn wait(&mut self) -> bool {
        self.silent += LOOK;
        self.age += LOOK;
        tokio::select! {
            () = self.app.stop.cancelled() => false,
            () = tokio::time::sleep(LOOK) => true,
        }
    }
}
