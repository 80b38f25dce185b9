//! What browsers report of payment pages: what the page's policy kept away, scripts that are not in the page's inventory,
//! and headers that came differently from how they were sent (PCI DSS 6.4.3 and 11.6.1). Anybody can send a report, so it
//! is small, rare, and believed to nothing but that somebody should look: it is logged, and kept as an alert of the merchant
//! whose page it was.

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::IntoResponse;
use axum::routing::post;
use http::{Method, StatusCode};
use paycore::error::{Code, Error, Result};
use paycore::id::MerchantId;
use paycore::page_alert::{Finding, Kind, service as page_alerts};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::http::{App, door_answered, other_methods, whole_body};
use crate::limit::Limiter;
use crate::listen::Peer;
use crate::pay::{header, parameter};
use crate::problem::Refused;

const REPORT_BYTES_MAX: usize = 16 * 1024;
/// Findings that are read of one report.
const FINDINGS_MAX: usize = 10;
/// Reports of one address per second, and at once: a page in trouble sends a handful.
const PER_SECOND: u32 = 1;
const BURST: u32 = 20;

/// Adds the address of reports.
pub(super) fn add(router: Router, app: &Arc<App>) -> Router {
    let app = Arc::clone(app);
    let limiter = Arc::new(Limiter::new(PER_SECOND, BURST));
    let taken = post(move |request: Request| {
        let (app, limiter) = (Arc::clone(&app), Arc::clone(&limiter));
        async move {
            let answer = take(&app, limiter.as_ref().as_ref(), request).await;
            let response = match answer {
                Ok(()) => StatusCode::NO_CONTENT.into_response(),
                Err(error) => Refused::from(error).into_response(),
            };
            // A report proves nothing of whose page it is from: no line of the log names a merchant for it.
            door_answered(response, "checkout", None)
        }
    });
    router.route("/checkout/report", taken.fallback(other_methods(&[&Method::POST])))
}

fn merchant(request: &Request) -> Option<MerchantId> {
    parameter(request.uri().query().unwrap_or_default().as_bytes(), "merchant")?.parse().ok()
}

async fn take(app: &App, limiter: Option<&Limiter>, request: Request) -> Result<()> {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|peer| peer.0.0.ip().to_string());
    if let Some(limiter) = limiter {
        let left = limiter.take(&Sha256::digest(peer.unwrap_or_default().as_bytes()).into());
        left.refused().map_or(Ok(()), Err)?;
    }
    let kind = header(request.headers(), "content-type").split(';').next().unwrap_or_default().to_owned();
    if !matches!(kind.as_str(), "application/csp-report" | "application/reports+json" | "application/json") {
        let detail = "Send a report as `application/reports+json` or `application/csp-report`.";
        return Err(Error::new(Code::MediaType, detail));
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let page = parameter(query.as_bytes(), "page").unwrap_or_default();
    let tenant = merchant(&request);
    let body = whole_body(request, REPORT_BYTES_MAX).await?.into_body();
    let report: Value =
        serde_json::from_slice(&body).map_err(|error| Error::invalid("body", error.to_string()))?;
    for finding in findings(&report, &page) {
        tracing::warn!(
            target: "paycore::page",
            kind = finding.kind.text(), page = finding.page, directive = finding.directive, source = finding.source,
            "a payment page reported something unexpected",
        );
        if let Some(tenant) = tenant {
            keep(app, tenant, finding).await?;
        }
    }
    Ok(())
}

/// Keeps a finding, where there is such a merchant.
async fn keep(app: &App, tenant: MerchantId, finding: Finding) -> Result<()> {
    match page_alerts::report(&app.engine, tenant, finding).await {
        Err(error) if error.code != Code::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What a report says, in either of the two forms that browsers send, or our own page's.
fn findings(report: &Value, page: &str) -> Vec<Finding> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let old = &report["csp-report"];
    if old.is_object() {
        let directive =
            [&old["effective-directive"], &old["violated-directive"]].into_iter().find(|v| v.is_string());
        let directive = directive.map(text).unwrap_or_default();
        return vec![Finding::new(Kind::PolicyViolation, page, &directive, &text(&old["blocked-uri"]))];
    }
    let one = std::slice::from_ref(report);
    let rows = report.as_array().map_or(one, Vec::as_slice);
    let read = |row: &Value| {
        let body = &row["body"];
        match row["type"].as_str() {
            Some("csp-violation") => Some(Finding::new(
                Kind::PolicyViolation,
                page,
                &text(&body["effectiveDirective"]),
                &text(&body["blockedURL"]),
            )),
            Some("paycore-script") => {
                Some(Finding::new(Kind::UnexpectedScript, page, "script", &text(&body["source"])))
            }
            Some("paycore-header") => {
                Some(Finding::new(Kind::ChangedHeader, page, &text(&body["header"]), &text(&body["state"])))
            }
            _ => None,
        }
    };
    rows.iter().filter_map(read).take(FINDINGS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_of_browsers_and_our_own_are_read() {
        let old = json!({"csp-report": {"violated-directive": "script-src 'self'", "blocked-uri": "inline"}});
        let new = json!([{"type": "csp-violation", "body": {"effectiveDirective": "script-src", "blockedURL": "inline"}}]);
        assert_eq!(findings(&old, "pay"), findings(&new, "pay"));
        let own = json!([{"type": "paycore-script", "body": {"source": "https://evil.example/x.js"}}, {"type": "crash"}]);
        let found = findings(&own, "pay");
        assert_eq!(
            (found.len(), found[0].kind, found[0].source.as_str()),
            (1, Kind::UnexpectedScript, "https://evil.example/x.js")
        );
        let header = json!([{"type": "paycore-header", "body": {"header": "content-security-policy", "state": "missing"}}]);
        let found = findings(&header, "card");
        assert_eq!(
            (found[0].kind, found[0].directive.as_str(), found[0].source.as_str()),
            (Kind::ChangedHeader, "content-security-policy", "missing")
        );
        for strange in [json!(null), json!(7), json!([]), json!({"type": "deprecation"})] {
            assert!(findings(&strange, "pay").is_empty(), "{strange}");
        }
        let many = json!(vec![own[0].clone(); 50]);
        assert_eq!(findings(&many, "pay").len(), FINDINGS_MAX);
    }
}
