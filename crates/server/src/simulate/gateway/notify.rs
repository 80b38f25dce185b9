//! The provider's notifications, sent over the network when they are due.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use paycore::channel::simulator::Notification;
use paycore::transport::guard::GuardPolicy;
use paycore::transport::reqwest::ReqwestTransport;
use paycore::transport::{Transport as _, TransportError};
use serde_json::{Map, Value, json};

use super::Gateway;

/// How often the provider is asked whether something is due.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends notifications.
pub(super) struct Notifier {
    transport: ReqwestTransport,
    /// Where every notification goes, if not where it is addressed.
    instead: Option<Uri>,
}

impl Notifier {
    pub(super) fn new(instead: Option<Uri>) -> Result<Notifier, Box<dyn std::error::Error>> {
        if instead.as_ref().is_some_and(|uri| uri.authority().is_none() || uri.scheme().is_none()) {
            return Err(
                "`--notify-url` is to be a whole address, such as http://127.0.0.1:8000/notify. 须为完整地址。"
                    .into(),
            );
        }
        // Whoever starts a gateway on a development machine has receivers on it.
        let allow = ["0.0.0.0/0".parse()?, "::/0".parse()?].into();
        Ok(Notifier { transport: ReqwestTransport::new(GuardPolicy { allow, http: true })?, instead })
    }

    /// Sends what is due, for ever. A slow receiver holds up nobody else.
    pub(super) async fn run(self, gateway: Arc<Gateway>) {
        let notifier = Arc::new(self);
        loop {
            let now = gateway.now();
            let due = {
                let mut simulator = gateway.simulator();
                let any = simulator.next_due().is_some_and(|at| at <= now);
                if any { simulator.due(now) } else { Vec::new() }
            };
            for notification in due {
                let (notifier, gateway) = (Arc::clone(&notifier), Arc::clone(&gateway));
                tokio::spawn(async move { notifier.send(&gateway, notification).await });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn send(&self, gateway: &Gateway, notification: Notification) {
        let Notification { id, mut request } = notification;
        if let Some(instead) = &self.instead {
            *request.uri_mut() = readdressed(instead, request.uri());
        }
        let answer = self.transport.send(request.clone(), TIMEOUT).await;
        let line = record(id, &request, &answer, gateway);
        gateway.simulator().notified(id, answer.as_ref().ok(), gateway.now());
        gateway.sent().push(line);
    }
}

/// Another address with the query of the original: some providers say everything in the query.
fn readdressed(instead: &Uri, original: &Uri) -> Uri {
    let Some(query) = original.query() else { return instead.clone() };
    let joint = if instead.query().is_some() { '&' } else { '?' };
    format!("{instead}{joint}{query}").parse().unwrap_or_else(|_| instead.clone())
}

fn record(
    id: u64,
    request: &Request<Bytes>,
    answer: &Result<http::Response<Bytes>, TransportError>,
    gateway: &Gateway,
) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), Value::from(text(value.as_bytes())))
    };
    let headers: Map<String, Value> = request.headers().iter().map(header).collect();
    let answered = match answer {
        Ok(response) => json!({"status": response.status().as_u16(), "body": text(response.body())}),
        Err(error) => json!({"error": error.to_string()}),
    };
    json!({
        "id": id, "at": gateway.now().to_rfc3339_seconds(0), "method": request.method().as_str(),
        "url": request.uri().to_string(), "headers": headers, "body": text(request.body()), "answer": answered,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_address_keeps_what_is_said_in_the_query() {
        let to = |instead: &str, original: &str| {
            readdressed(&instead.parse().unwrap(), &original.parse().unwrap()).to_string()
        };
        assert_eq!(to("http://b/n", "http://a/m?x=1"), "http://b/n?x=1");
        assert_eq!(to("http://b/n?y=2", "http://a/m?x=1"), "http://b/n?y=2&x=1");
        assert_eq!(to("http://b/n", "http://a/m"), "http://b/n");
    }

    #[test]
    fn half_an_address_is_refused() {
        assert!(Notifier::new(Some("/notify".parse().unwrap())).is_err());
        assert!(Notifier::new(Some("http://127.0.0.1:1/notify".parse().unwrap())).is_ok());
    }
}
