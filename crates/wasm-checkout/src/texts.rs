//! What the widget says: the words of one language, with the merchant's own in their place where there are any. The
//! languages stand in `js/texts`, one file each, of which a payer loads one.

use crate::json::Json;
use crate::options::texts;
use crate::order::Card;

/// The words of one language.
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts {
    /// The BCP 47 tag, for the `lang` attribute.
    pub(crate) tag: String,
    words: Vec<(String, String)>,
    own: Vec<(String, String)>,
}

impl Texts {
    /// Reads a file of `js/texts`.
    pub(crate) fn new(tag: &str, json: &str, own: Vec<(String, String)>) -> Self {
        let words = texts(&Json::parse(json).unwrap_or(Json::Null));
        Texts { tag: tag.to_owned(), words, own }
    }

    /// The direction for the `dir` attribute.
    pub(crate) fn direction(&self) -> &'static str {
        if self.tag == "ar" { "rtl" } else { "ltr" }
    }

    /// The text of a key; the key itself shows up where the language lacks it, which a test excludes.
    pub(crate) fn say(&self, key: &str) -> String {
        self.find(key).unwrap_or(key).to_owned()
    }

    /// The text with the word in braces replaced.
    pub(crate) fn fill(&self, key: &str, value: &str) -> String {
        self.put(&self.say(key), value)
    }

    fn put(&self, text: &str, value: &str) -> String {
        match (text.find('{'), text.find('}')) {
            // An amount or a Latin name inside of Arabic keeps its own order of characters.
            (Some(from), Some(to)) if from < to && self.direction() == "rtl" => {
                [&text[..from], "\u{2068}", value, "\u{2069}", &text[to + 1..]].concat()
            }
            (Some(from), Some(to)) if from < to => [&text[..from], value, &text[to + 1..]].concat(),
            _ => text.to_owned(),
        }
    }

    /// What payers call the brand of a method.
    pub(crate) fn brand_of(&self, method: &str) -> String {
        self.named("brand_", method.split('.').next().unwrap_or_default())
    }

    /// A card as payers know theirs.
    pub(crate) fn card(&self, card: &Card) -> String {
        [&self.named("network_", &card.brand), " •••• ", &card.last4].concat()
    }

    /// The text that asks whether a card may be kept, and its version. A merchant's own words count where they say which
    /// version they are, because that is kept as what the payer agreed to.
    pub(crate) fn consent(&self, merchant: &str, version: &str) -> (String, String) {
        let own = look_up(&self.own, "keep_card_version").zip(look_up(&self.own, "keep_card"));
        let shown = own.or_else(|| Some(version).zip(look_up(&self.words, "keep_card")));
        let (version, text) = shown.unwrap_or_default();
        (self.put(text, merchant), version.to_owned())
    }

    /// The name of something, or its word written like one.
    fn named(&self, kind: &str, word: &str) -> String {
        match self.find(&[kind, word].concat()) {
            Some(name) => name.to_owned(),
            None => {
                let mut name = word.replace('_', " ");
                if let Some(first) = name.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                name
            }
        }
    }

    /// Why it was declined, for the payer.
    pub(crate) fn reason(&self, reason: &str) -> String {
        self.find(&["reason_", reason].concat()).map_or_else(|| self.say("reason_generic"), str::to_owned)
    }

    /// Why the server refused, for the payer.
    pub(crate) fn refusal(&self, code: &str) -> String {
        self.find(&["refused_", code].concat()).map_or_else(|| self.say("refused"), str::to_owned)
    }

    fn find(&self, key: &str) -> Option<&str> {
        look_up(&self.own, key).or_else(|| look_up(&self.words, key))
    }
}

fn look_up<'r>(rows: &'r [(String, String)], key: &str) -> Option<&'r str> {
    rows.iter().find(|(known, _)| known == key).map(|(_, text)| text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::tests::card;

    const LANGUAGES: &[(&str, &str)] = &[
        ("en", include_str!("../js/texts/en.json")),
        ("zh-CN", include_str!("../js/texts/zh-CN.json")),
        ("zh-TW", include_str!("../js/texts/zh-TW.json")),
        ("ja", include_str!("../js/texts/ja.json")),
        ("ko", include_str!("../js/texts/ko.json")),
        ("es", include_str!("../js/texts/es.json")),
        ("pt-BR", include_str!("../js/texts/pt-BR.json")),
        ("fr", include_str!("../js/texts/fr.json")),
        ("de", include_str!("../js/texts/de.json")),
        ("ar", include_str!("../js/texts/ar.json")),
    ];

    fn of(tag: &str) -> Texts {
        let (tag, json) = LANGUAGES.iter().find(|(known, _)| *known == tag).unwrap();
        Texts::new(tag, json, Vec::new())
    }

    #[test]
    fn every_language_says_everything_with_the_same_place_to_fill() {
        let place = |text: &str| text.find('{').map(|from| text[from..=text.find('}').unwrap()].to_owned());
        let english = of("en");
        for (tag, _) in LANGUAGES {
            let texts = of(tag);
            assert_eq!(texts.words.len(), english.words.len(), "{tag}");
            for (key, text) in &texts.words {
                let original = english.find(key).unwrap_or_else(|| panic!("{tag}: {key} is not in English"));
                assert!(!text.trim().is_empty() && place(text) == place(original), "{tag}: {key}");
            }
        }
    }

    #[test]
    fn every_key_the_views_ask_for_is_there() {
        let english = of("en");
        for source in [
            include_str!("view.rs"),
            include_str!("view/act.rs"),
            include_str!("view/cards.rs"),
            include_str!("view/choose.rs"),
            include_str!("view/outcome.rs"),
            include_str!("widget.rs"),
            include_str!("widget/cards.rs"),
            include_str!("widget/listen.rs"),
        ] {
            for call in ["say(\"", "fill(\"", "note(\"", "shop(\""] {
                for rest in source.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap();
                    assert!(english.find(key).is_some(), "{key}");
                }
            }
        }
    }

    #[test]
    fn a_card_has_the_name_its_payer_knows() {
        let named = |tag: &str, brand: &str| of(tag).card(&Card { brand: brand.into(), ..card() });
        assert_eq!(named("en", "visa"), "Visa •••• 4242");
        assert_eq!(named("de", "amex"), "American Express •••• 4242");
        assert_eq!(
            (named("zh-CN", "unionpay"), named("fr", "jcb")),
            ("银联 •••• 4242".into(), "JCB •••• 4242".into())
        );
    }

    #[test]
    fn consent_to_other_words_has_another_version() {
        let asks = |own: &[(&str, &str)]| {
            let own = own.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
            Texts { own, ..of("en") }.consent("Shop", "2026-11")
        };
        let (text, version) = asks(&[]);
        assert!(text.contains("Shop") && version == "2026-11", "{text}");
        assert_eq!(
            asks(&[("keep_card", "Yes!")]),
            (text, version),
            "their text without its version is not shown"
        );
        let own = asks(&[("keep_card", "Keep it, {merchant}"), ("keep_card_version", "shop-1")]);
        assert_eq!(own, ("Keep it, Shop".into(), "shop-1".into()));
    }

    #[test]
    fn a_merchants_own_words_come_first_and_strangers_have_a_reason_all_the_same() {
        let own = vec![("pay".to_owned(), "Donate {amount}".to_owned())];
        let texts = Texts { own, ..of("en") };
        assert_eq!(texts.fill("pay", "¥1.00"), "Donate ¥1.00");
        assert_eq!(texts.reason("solar_flare"), texts.say("reason_generic"));
        assert_ne!(texts.reason("limit"), texts.say("reason_generic"));
        assert_eq!(
            (texts.brand_of("alipay.qr").as_str(), texts.brand_of("new_bank.web").as_str()),
            ("Alipay", "New bank")
        );
        assert_eq!((of("ar").direction(), of("zh-CN").say("done_title").as_str()), ("rtl", "支付成功"));
    }
}
