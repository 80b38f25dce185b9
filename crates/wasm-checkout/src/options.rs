//! What the page asks of the widget, as JSON from the loader.

use crate::appearance::Appearance;
use crate::json::Json;

/// The wishes of the page. A name that is not known is skipped, so that a newer page works with an older widget.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Options {
    /// Opens the order.
    pub(crate) client_secret: String,
    /// Says whose page this is.
    pub(crate) publishable_key: String,
    /// The language that was chosen, a BCP 47 tag.
    pub(crate) language: String,
    /// The payment server's origin, without a trailing slash.
    pub(crate) base: String,
    pub(crate) appearance: Appearance,
    /// The merchant's own words, by key.
    pub(crate) texts: Vec<(String, String)>,
    /// What a wallet sent the page back with, to learn who the payer is.
    pub(crate) code: String,
    /// Whether there is no button to pay in the widget, because the page has its own.
    pub(crate) no_button: bool,
}

impl Options {
    /// Reads the loader's JSON; what cannot be read is as if it were not there.
    pub(crate) fn read(json: &str) -> Options {
        let json = Json::parse(json).unwrap_or(Json::Null);
        let text = |name: &str| json.get(name).string().unwrap_or_default();
        Options {
            client_secret: text("clientSecret"),
            publishable_key: text("publishableKey"),
            language: text("language"),
            base: text("base"),
            appearance: Appearance::read(json.get("appearance")),
            texts: texts(json.get("texts")),
            code: text("code"),
            no_button: json.get("noButton").bool().unwrap_or_default(),
        }
    }
}

/// The members of an object that are texts.
pub(crate) fn texts(json: &Json) -> Vec<(String, String)> {
    json.members().iter().filter_map(|(name, value)| Some((name.clone(), value.string()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_and_what_is_strange_is_skipped() {
        let options = Options::read(
            r#"{"clientSecret": "cs_test_1", "language": "de", "base": 1, "texts": {"pay": "Buy", "x": 1}, "code": "c1", "noButton": true, "new": {}}"#,
        );
        assert_eq!((options.client_secret.as_str(), options.no_button), ("cs_test_1", true));
        assert_eq!(options.code, "c1");
        assert_eq!((options.language.as_str(), options.base.as_str()), ("de", ""));
        assert_eq!(options.texts, [("pay".to_owned(), "Buy".to_owned())]);
        assert_eq!(Options::read("nonsense"), Options::default());
    }
}
