//! What is kept of a report: words that we know and addresses without what could be anybody's.

use sha2::{Digest as _, Sha256};

use super::{Finding, Kind};
use crate::merchant::rules::hex;

/// Pages that send reports.
const PAGES: &[&str] = &["pay", "link", "receipt", "cashier", "card"];
/// Directives of our policies, and what the page says of its own inventory: scripts and headers.
const DIRECTIVES: &[&str] = &[
    "script",
    "script-src",
    "script-src-elem",
    "script-src-attr",
    "style-src",
    "style-src-elem",
    "style-src-attr",
    "connect-src",
    "frame-src",
    "img-src",
    "form-action",
    "frame-ancestors",
    "base-uri",
    "default-src",
    "content-security-policy",
    "reporting-endpoints",
    "x-frame-options",
    "x-content-type-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-resource-policy",
    "cache-control",
];
/// What browsers name in the place of an address, and our pages of a header.
const SOURCES: &[&str] =
    &["inline", "eval", "wasm-eval", "data", "blob", "self", "trusted-types-policy", "missing", "changed"];
const SOURCE_LEN_MAX: usize = 200;

impl Finding {
    /// What is kept of a report.
    pub fn new(kind: Kind, page: &str, directive: &str, source: &str) -> Finding {
        Finding {
            kind,
            page: known(PAGES, page),
            // Older browsers send the whole directive with its sources.
            directive: known(DIRECTIVES, directive.split(' ').next().unwrap_or_default()),
            source: plain(source),
        }
    }

    /// What makes two reports the same.
    pub fn number(&self) -> String {
        let text = [self.kind.text(), &self.page, &self.directive, &self.source].join("\n");
        hex(&Sha256::digest(text.as_bytes())[..16])
    }
}

fn known(words: &[&str], word: &str) -> String {
    words.iter().find(|known| **known == word).copied().unwrap_or("other").to_owned()
}

/// An address without query, fragment and user, or a known word.
fn plain(source: &str) -> String {
    if SOURCES.contains(&source) {
        return source.to_owned();
    }
    let address = source.split(['?', '#']).next().unwrap_or_default();
    let parsed: Option<http::Uri> = address.parse().ok();
    let Some(parsed) = parsed.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https" | "ws" | "wss")))
    else {
        // Extensions and other schemes: the scheme says enough.
        let scheme = address.split(':').next().unwrap_or_default();
        let word = !scheme.is_empty() && scheme.len() <= 30 && scheme.len() < address.len();
        let fits = scheme.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        return if word && fits { format!("{scheme}:") } else { "other".to_owned() };
    };
    let host = parsed.authority().map(|to| to.as_str().rsplit('@').next().unwrap_or_default().to_owned());
    let text = format!(
        "{}://{}{}",
        parsed.scheme_str().unwrap_or_default(),
        host.unwrap_or_default(),
        parsed.path()
    );
    text.chars().take(SOURCE_LEN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_source_names_nobody() {
        for (source, kept) in [
            ("inline", "inline"),
            ("https://evil.example/a.js?card=4242#x", "https://evil.example/a.js"),
            ("https://user:pass@evil.example/a.js", "https://evil.example/a.js"),
            ("chrome-extension://abc/x.js", "chrome-extension:"),
            ("data:text/javascript,alert(1)", "data:"),
            ("4242424242424242", "other"),
            ("<script>", "other"),
            ("missing", "missing"),
            ("", "other"),
        ] {
            assert_eq!(plain(source), kept, "{source}");
        }
        assert_eq!(plain(&format!("https://a.example/{}", "x".repeat(500))).len(), SOURCE_LEN_MAX);
    }

    #[test]
    fn the_same_report_has_the_same_number_and_unknown_words_are_others() {
        let finding = |directive, source| Finding::new(Kind::PolicyViolation, "pay", directive, source);
        let (one, two) = (finding("script-src 'self'", "inline"), finding("script-src", "inline"));
        assert_eq!(one.number(), two.number());
        assert_ne!(one.number(), finding("script-src", "eval").number());
        let strange = Finding::new(Kind::UnexpectedScript, "admin", "4242", "inline");
        assert_eq!((strange.page.as_str(), strange.directive.as_str()), ("other", "other"));
    }
}
