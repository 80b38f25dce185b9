//! What the pages say. The words they share with the widget are the widget's own files; what only a page says stands in
//! `words.json`. A merchant's own words come before both.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use paycore::branding::Look;
use paycore::branding::rules::LANGUAGES;
use paycore::channel::Method;

use crate::problem::weight;

type Words = BTreeMap<String, String>;

macro_rules! widget_texts {
    ($($tag:literal),*) => {
        &[$(($tag, include_str!(concat!("../../../wasm-checkout/js/texts/", $tag, ".json")))),*]
    };
}

const WIDGET: &[(&str, &str)] =
    widget_texts!["zh-CN", "zh-TW", "en", "ja", "ko", "es", "pt-BR", "fr", "de", "ar"];
const PAGES: &str = include_str!("words.json");
const ENGLISH: &str = "en";

/// All words by language, read once.
static ALL: LazyLock<BTreeMap<&'static str, Words>> = LazyLock::new(|| {
    let pages: BTreeMap<String, Words> = serde_json::from_str(PAGES).expect("the words are a table of texts");
    let read = |&(tag, json): &(&'static str, &str)| {
        let mut words: Words =
            serde_json::from_str(json).expect("the texts of the widget are a table of texts");
        let own = pages.iter().filter_map(|(key, row)| Some((key.clone(), row.get(tag)?.clone())));
        words.extend(own);
        (tag, words)
    };
    WIDGET.iter().map(read).collect()
});

/// The words of one payer's language.
#[derive(Debug, Clone)]
pub struct Texts {
    /// The BCP 47 tag, for the `lang` attribute.
    pub tag: &'static str,
    own: Words,
}

impl Texts {
    /// The language that was asked for, or the best that the browser speaks, or English.
    pub fn of(headers: &HeaderMap, asked: Option<&str>) -> Texts {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let tag = asked.and_then(known).or_else(|| best(accepted.unwrap_or_default())).unwrap_or(ENGLISH);
        Texts { tag, own: Words::new() }
    }

    /// The same with a merchant's own words.
    pub fn with(mut self, look: &Look) -> Texts {
        self.own = look.texts.get(self.tag).cloned().unwrap_or_default();
        self
    }

    /// A merchant's own words, for the widget.
    pub fn own(&self) -> &Words {
        &self.own
    }

    /// The direction for the `dir` attribute.
    pub fn direction(&self) -> &'static str {
        if self.tag == "ar" { "rtl" } else { "ltr" }
    }

    /// Whether it is Chinese, for texts that there are in two languages only.
    pub fn chinese(&self) -> bool {
        self.tag.starts_with("zh")
    }

    /// The text of a key. English stands in for what a language lacks, and the key itself for what nobody says; both
    /// are excluded by a test.
    pub fn say<'t>(&'t self, key: &'t str) -> &'t str {
        self.find(key).or_else(|| ALL[ENGLISH].get(key).map(String::as_str)).unwrap_or(key)
    }

    /// The text with the word in braces replaced.
    pub fn fill(&self, key: &str, value: &str) -> String {
        let text = self.say(key);
        // An amount or a Latin name inside of Arabic keeps its own order of characters.
        let (open, close) = if self.direction() == "rtl" { ("\u{2068}", "\u{2069}") } else { ("", "") };
        match (text.find('{'), text.find('}')) {
            (Some(from), Some(to)) if from < to => {
                [&text[..from], open, value, close, &text[to + 1..]].concat()
            }
            _ => text.to_owned(),
        }
    }

    /// What payers call the brand of a method.
    pub fn brand(&self, method: &Method) -> String {
        let brand = method.brand();
        self.find(&format!("brand_{brand}")).map_or_else(|| titled(brand), str::to_owned)
    }

    /// What a method is like here.
    pub fn hint(&self, method: &Method) -> &str {
        self.say(match (method.brand(), method.scene()) {
            ("card", _) | (_, "card") => "hint_card",
            (_, "qr") => "hint_qr",
            (_, "jsapi") => "hint_wallet",
            _ => "hint_page",
        })
    }

    /// Why it was declined, for the payer.
    pub fn reason(&self, reason: &str) -> &str {
        self.find(&format!("reason_{reason}")).unwrap_or_else(|| self.say("reason_generic"))
    }

    /// Why the server refused, for the payer.
    pub fn refusal(&self, code: &str) -> &str {
        self.find(&format!("refused_{code}")).unwrap_or_else(|| self.say("refused"))
    }

    fn find(&self, key: &str) -> Option<&str> {
        self.own.get(key).or_else(|| ALL[self.tag].get(key)).map(String::as_str)
    }
}

/// Brands whose names are not their words with a capital.
const NAMES: &[(&str, &str)] = &[
    ("alipayhk", "AlipayHK"),
    ("kakaopay", "Kakao Pay"),
    ("tng", "TNG eWallet"),
    ("gcash", "GCash"),
    ("truemoney", "TrueMoney"),
];

fn titled(brand: &str) -> String {
    if let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == brand) {
        return (*name).to_owned();
    }
    let mut name = brand.replace('_', " ");
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

/// Our language for a tag: by its language, and Chinese by its script or region.
fn known(tag: &str) -> Option<&'static str> {
    let tag = tag.trim().to_ascii_lowercase().replace('_', "-");
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    if language == "zh" {
        let old = parts.any(|part| matches!(part, "tw" | "hk" | "mo" | "hant"));
        return Some(if old { "zh-TW" } else { "zh-CN" });
    }
    LANGUAGES.iter().find(|known| known.split('-').next() == Some(language)).copied()
}

/// The heaviest language of the header that we have; the first named where two are equal.
fn best(header: &str) -> Option<&'static str> {
    let mut best = (0, None);
    for choice in header.split(',').take(20) {
        let mut parts = choice.split(';').map(str::trim);
        let Some(tag) = parts.next().and_then(known) else { continue };
        let thousandths = parts.find_map(|part| part.strip_prefix("q=")).map_or(1_000, weight);
        if thousandths > best.0 {
            best = (thousandths, Some(tag));
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_word_is_said_in_every_language_with_the_same_place_to_fill() {
        let pages: BTreeMap<String, Words> = serde_json::from_str(PAGES).unwrap();
        let place = |text: &str| text.find('{').map(|from| text[from..=text.find('}').unwrap()].to_owned());
        for (key, row) in &pages {
            assert_eq!(row.len(), LANGUAGES.len(), "{key}");
            for language in LANGUAGES {
                let text = row.get(*language).unwrap_or_else(|| panic!("{key} in {language}"));
                assert!(!text.trim().is_empty() && place(text) == place(&row["en"]), "{language}: {key}");
            }
        }
    }

    #[test]
    fn every_key_the_pages_ask_for_is_said() {
        for source in [
            include_str!("view.rs"),
            include_str!("html.rs"),
            include_str!("receipt.rs"),
            include_str!("visit.rs"),
            include_str!("../landing/page.rs"),
            include_str!("texts.rs"),
        ] {
            for call in ["say(\"", "fill(\"", "label(\""] {
                for rest in source.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap();
                    assert!(ALL[ENGLISH].contains_key(key), "{key}");
                }
            }
        }
    }

    #[test]
    fn a_payer_reads_the_best_language_there_is() {
        let texts = |header: &'static str, asked| {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, http::HeaderValue::from_static(header))]);
            Texts::of(&headers, asked).tag
        };
        for (header, asked, tag) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", None, "zh-CN"),
            ("zh-Hant-HK", None, "zh-TW"),
            ("sv, pt;q=0.5, en;q=0.4", None, "pt-BR"),
            ("sv", None, "en"),
            ("", None, "en"),
            ("en", Some("ar-EG"), "ar"),
            ("de", Some("auto"), "de"),
            ("de;q=0.2, fr;q=0.9", None, "fr"),
        ] {
            assert_eq!(texts(header, asked), tag, "{header} {asked:?}");
        }
        let arabic = Texts::of(&HeaderMap::new(), Some("ar"));
        assert_eq!(arabic.direction(), "rtl");
        assert!(arabic.fill("pay", "¥1.00").contains("\u{2068}¥1.00\u{2069}"));
    }

    #[test]
    fn brands_have_the_names_that_payers_know() {
        let texts = Texts::of(&HeaderMap::new(), Some("zh"));
        let brand = |method: &str| texts.brand(&method.parse().unwrap());
        assert_eq!(
            [brand("alipay.qr"), brand("tng.qr"), brand("new_bank.web")],
            ["支付宝", "TNG eWallet", "New bank"]
        );
    }
}
