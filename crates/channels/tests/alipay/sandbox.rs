//! The way from a payment to the page where the payer pays.

use super::*;

/// The same settings, pointed at the simulator.
pub(crate) fn at_the_sandbox(mut settings: Settings) -> Settings {
    settings.set("gateway", format!("{BASE}/gateway.do"));
    settings
}

impl Wire {
    /// Starts a payment and says where the payer goes: the page itself, past the gateway's redirect.
    pub(crate) fn start(&mut self, operation: &Operation) -> String {
        match self.verdict(operation) {
            Verdict::Awaiting(Action::Qr { content }) => {
                // The payer scans it.
                assert_eq!(self.browse("GET", &content).status(), 200);
                content
            }
            Verdict::Awaiting(Action::Redirect { url }) => {
                let response = self.browse("GET", &url);
                assert_eq!(response.status(), 302);
                response.headers()["location"].to_str().unwrap().to_owned()
            }
            other => panic!("{other:?}"),
        }
    }
}
