//! The frame that all pages for payers have: head, sheet, and the headers that keep strangers out.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use paycore::branding::rules::Color;
use paycore::branding::{Logo, Look};
use paycore::error::{Error, Result};
use paycore::merchant::Merchant;

use super::texts::Texts;
use crate::checkout::assets;
use crate::http::{NOSNIFF, door_answered};

const REPORTING_ENDPOINTS: HeaderName = HeaderName::from_static("reporting-endpoints");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// The script that watches a page's scripts and headers.
pub const WATCH: &str = "/pay/assets/watch.js";

/// The widget's loader: its pinned address and its hash, where this program was built with the widget.
static WIDGET: LazyLock<Option<(String, String)>> = LazyLock::new(|| {
    let list: serde_json::Value = serde_json::from_slice(assets::file("integrity.json")?).ok()?;
    let files = list["files"].as_array()?;
    let loader = files.iter().find(|file| file["name"] == "paycore.js")?;
    let address = format!("/checkout/{}/paycore.js", assets::build_hash()?);
    Some((address, loader["integrity"].as_str()?.to_owned()))
});

/// The address of the widget's loader with its hash.
pub fn widget() -> Option<(&'static str, &'static str)> {
    WIDGET.as_ref().map(|(address, integrity)| (address.as_str(), integrity.as_str()))
}

/// A page on its way.
#[derive(Debug)]
pub struct Sheet<'a> {
    /// `pay`, `link` or `receipt`: what reports name it.
    pub page: &'static str,
    /// The title of the window.
    pub title: &'a str,
    /// The payer's language.
    pub texts: &'a Texts,
    /// Whose page it is; none where nothing is known yet.
    pub merchant: Option<&'a Merchant>,
    /// What it looks like.
    pub look: &'a Look,
    /// Whether the widget takes over where scripts run.
    pub widget: bool,
    /// Seconds until a browser without scripts looks again.
    pub refresh: Option<u32>,
    /// A script of ours that this page needs beside `page.js`.
    pub script: Option<&'static str>,
    /// What stands in the sheet.
    pub body: String,
}

impl Sheet<'_> {
    /// The answer.
    pub fn answer(self, status: u16) -> Response {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let guards = guards(self.page, self.merchant, self.look);
        let html = self.html(&guards);
        let mut response =
            (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], Body::from(html)).into_response();
        response.headers_mut().extend(guards);
        door_answered(response, "page", self.merchant.map(|merchant| merchant.id))
    }

    fn html(&self, guards: &HeaderMap) -> String {
        let mut head = String::new();
        let mut expected = vec!["/pay/assets/page.js".to_owned()];
        let _ = write!(head, "<link rel=\"stylesheet\" href=\"/pay/assets/page.css\">{}", colors(self.look));
        if let Some(seconds) = self.refresh {
            // Where scripts run, the page looks itself and is not torn from under the payer's fingers.
            let _ = write!(head, "<noscript><meta http-equiv=\"refresh\" content=\"{seconds}\"></noscript>");
        }
        if let Some((address, integrity)) = widget().filter(|_| self.widget) {
            let _ = write!(
                head,
                "<script src=\"{address}\" integrity=\"{integrity}\" crossorigin=\"anonymous\" async></script>"
            );
            expected.push(address.to_owned());
        }
        if let Some(name) = self.script {
            let _ = write!(head, "<script src=\"/pay/assets/{name}.js\" defer></script>");
            expected.push(format!("/pay/assets/{name}.js"));
        }
        let inventory = inventory(&expected, &report_address(self.page, self.merchant), guards);
        format!(
            "<!doctype html><html lang=\"{tag}\" dir=\"{direction}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"robots\" content=\"noindex\"><meta name=\"color-scheme\" content=\"light dark\">\
             <title>{title}</title>{inventory}{head}<script src=\"/pay/assets/page.js\" type=\"module\"></script></head>\
             <body data-refresh=\"{refresh}\"><main class=\"Sheet Sheet--{page}\">{body}</main></body></html>",
            tag = self.texts.tag,
            direction = self.texts.direction(),
            title = escape(self.title),
            refresh = self.refresh.map_or_else(String::new, |seconds| seconds.to_string()),
            page = self.page,
            body = self.body,
        )
    }
}

/// What a page is made with, for the script that watches it: the paths of its scripts, where to report what is not among
/// them, and the headers that it was sent with.
pub fn inventory(scripts: &[String], report: &str, sent: &HeaderMap) -> String {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let sent: serde_json::Map<String, serde_json::Value> =
        sent.iter().map(|(name, value)| (name.to_string(), text(value).into())).collect();
    format!(
        "<meta name=\"paycore-scripts\" content=\"{WATCH} {}\"><meta name=\"paycore-report\" content=\"{}\">\
         <meta name=\"paycore-headers\" content=\"{}\"><script src=\"{WATCH}\" defer></script>",
        escape(&scripts.join(" ")),
        escape(report),
        escape(&serde_json::Value::Object(sent).to_string())
    )
}

/// The style sheet of a merchant's own colours.
fn colors(look: &Look) -> String {
    let part = |name: &str, color: &Option<String>| {
        color.as_ref().map(|color| format!("{name}={}", color.trim_start_matches('#')))
    };
    let wanted: Vec<String> =
        [part("p", &look.color_primary), part("b", &look.color_background)].into_iter().flatten().collect();
    if wanted.is_empty() {
        return String::new();
    }
    format!("<link rel=\"stylesheet\" href=\"/pay/assets/colors.css?{}\">", wanted.join("&amp;"))
}

/// The custom properties that two colours of a merchant set; `page.css` uses them.
pub fn color_sheet(primary: Option<Color>, background: Option<Color>) -> String {
    let mut css = String::new();
    if let Some(ground) = background {
        let _ = write!(css, ":root{{--ground:{}}}", ground.css());
    }
    if let Some(color) = primary {
        let night = color.at_night();
        let _ = write!(css, ":root{{--primary:{};--on-primary:{}}}", color.css(), color.ink().css());
        let _ = write!(
            css,
            "@media(prefers-color-scheme:dark){{:root{{--primary:{};--on-primary:{}}}}}",
            night.css(),
            night.ink().css()
        );
    }
    if background.is_some() {
        css.push_str("@media(prefers-color-scheme:dark){:root{--ground:#0e1217}}");
    }
    css
}

/// Sends the browser on, and remembers nothing.
pub fn see(url: &str) -> Result<Response> {
    let location = HeaderValue::from_str(url).map_err(|_| Error::internal("an address that is no header"))?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().extend(guards("pay", None, &Look::default()));
    Ok(door_answered(response, "page", None))
}

fn report_address(page: &str, merchant: Option<&Merchant>) -> String {
    match merchant {
        Some(merchant) => format!("/checkout/report?page={page}&merchant={}", merchant.id),
        None => format!("/checkout/report?page={page}"),
    }
}

/// What the browser holds the page to: our own scripts and styles and nothing inline, frames by those the merchant
/// named, no address told to where the payer goes next.
fn guards(page: &str, merchant: Option<&Merchant>, look: &Look) -> HeaderMap {
    let logo = match &look.logo {
        Some(Logo::Address(address)) => address.split('/').take(3).collect::<Vec<_>>().join("/"),
        _ => String::new(),
    };
    let framing = page == "pay" && !look.frame_ancestors.is_empty();
    let ancestors = if framing { look.frame_ancestors.join(" ") } else { "'none'".to_owned() };
    let report = report_address(page, merchant);
    // Only the page that holds the widget compiles a module.
    let module = if page == "pay" { " 'wasm-unsafe-eval'" } else { "" };
    let policy = format!(
        "default-src 'none'; script-src 'self'{module}; style-src 'self'; connect-src 'self'; frame-src \
         'self'; img-src 'self' data: {logo}; base-uri 'none'; form-action 'self' https:; frame-ancestors {ancestors}; \
         report-uri {report}; report-to policy"
    );
    let endpoint = format!("policy=\"{report}\"");
    let mut headers = HeaderMap::new();
    for (name, value) in [(CONTENT_SECURITY_POLICY, policy), (REPORTING_ENDPOINTS, endpoint)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    if !framing {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static("camera=(), microphone=(), geolocation=()"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers
}

/// The merchant's logo and name, and a word where no real money moves.
pub fn shop(merchant: &Merchant, look: &Look, texts: &Texts) -> String {
    let mut head = String::new();
    if !merchant.livemode {
        let _ = write!(head, "<p class=\"Sandbox\">{}</p>", escape(texts.say("sandbox")));
    }
    let logo = match &look.logo {
        Some(Logo::Address(address)) => Some(address.clone()),
        Some(Logo::Image { content, .. }) => Some(logo_address(merchant, content)),
        None => None,
    };
    // The name stands beside it: the picture says nothing more to those who do not see it.
    let logo = logo.map_or_else(String::new, |address| {
        format!("<img class=\"Logo\" src=\"{}\" alt=\"\" width=\"40\" height=\"40\">", escape(&address))
    });
    let _ = write!(head, "<p class=\"Shop\">{logo}<span>{}</span></p>", escape(&merchant.name));
    head
}

/// Where an uploaded logo is shown from. The end tells one picture from the next.
fn logo_address(merchant: &Merchant, content: &str) -> String {
    let hash = <sha2::Sha256 as sha2::Digest>::digest(content.as_bytes());
    format!("/pay/logo/{}?v={}", merchant.id, paycore::merchant::rules::hex(&hash[..6]))
}

/// A link that looks like a button.
pub fn button(address: &str, label: &str, quiet: bool) -> String {
    let class = if quiet { "Button Button--quiet" } else { "Button" };
    format!("<a class=\"{class}\" href=\"{}\">{}</a>", escape(address), escape(label))
}

/// Text that is not ours, made harmless.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_what_the_branding_allows_and_nothing_inline() {
        let look = Look {
            logo: Some(Logo::Address("https://cdn.example/a/logo.png?x=1".into())),
            frame_ancestors: vec!["https://shop.example".into()],
            ..Look::default()
        };
        let policy = |page: &str, look: &Look| {
            let headers = guards(page, None, look);
            let framed = !headers.contains_key(X_FRAME_OPTIONS);
            (headers[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned(), framed)
        };
        let (pay, framed) = policy("pay", &look);
        assert!(
            pay.contains("img-src 'self' data: https://cdn.example;") && !pay.contains("unsafe-inline"),
            "{pay}"
        );
        assert!(pay.contains("frame-ancestors https://shop.example;") && framed, "{pay}");
        let (receipt, framed) = policy("receipt", &look);
        assert!(
            receipt.contains("script-src 'self';") && receipt.contains("frame-ancestors 'none';"),
            "{receipt}"
        );
        assert!(!framed);
    }

    #[test]
    fn colours_have_an_ink_and_a_night() {
        let css = color_sheet(Color::parse("#0b5fb8"), Color::parse("#fff8e7"));
        assert!(
            css.starts_with(":root{--ground:#fff8e7}:root{--primary:#0b5fb8;--on-primary:#ffffff}"),
            "{css}"
        );
        assert!(css.contains("prefers-color-scheme:dark"), "{css}");
        assert_eq!(color_sheet(None, None), "");
    }
}
