//! What the widget says, in ten languages, with the merchant's own words in their place where there are any.

mod outcomes;
mod steps;

use std::collections::HashMap;

pub(crate) use outcomes::OUTCOMES;
pub(crate) use steps::STEPS;

/// A language of the widget, in the order of the columns of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    ZhCn,
    ZhTw,
    En,
    Ja,
    Ko,
    Es,
    PtBr,
    Fr,
    De,
    Ar,
}

use Language::{Ar, De, En, Es, Fr, Ja, Ko, PtBr, ZhCn, ZhTw};

/// A key and its text in each language.
pub(crate) type Row = (&'static str, [&'static str; 10]);

const LANGUAGES: [(Language, &str); 10] = [
    (ZhCn, "zh-CN"),
    (ZhTw, "zh-TW"),
    (En, "en"),
    (Ja, "ja"),
    (Ko, "ko"),
    (Es, "es"),
    (PtBr, "pt-BR"),
    (Fr, "fr"),
    (De, "de"),
    (Ar, "ar"),
];

impl Language {
    /// The language for a tag, or for the first of the browser's own that is known where the tag is `auto`.
    pub(crate) fn choose(tag: &str, browser: &[String]) -> Language {
        let wanted = if tag.is_empty() || tag.eq_ignore_ascii_case("auto") { None } else { Self::of(tag) };
        wanted.or_else(|| browser.iter().find_map(|tag| Self::of(tag))).unwrap_or(En)
    }

    /// Reads a BCP 47 tag by its language, and Chinese by its script or region.
    fn of(tag: &str) -> Option<Language> {
        let tag = tag.to_ascii_lowercase().replace('_', "-");
        let mut parts = tag.split('-');
        Some(match parts.next()? {
            "zh" if parts.any(|part| matches!(part, "tw" | "hk" | "mo" | "hant")) => ZhTw,
            "zh" => ZhCn,
            "en" => En,
            "ja" => Ja,
            "ko" => Ko,
            "es" => Es,
            "pt" => PtBr,
            "fr" => Fr,
            "de" => De,
            "ar" => Ar,
            _ => return None,
        })
    }

    /// The tag for the `lang` attribute.
    pub(crate) fn tag(self) -> &'static str {
        LANGUAGES[self as usize].1
    }

    /// The direction for the `dir` attribute.
    pub(crate) fn direction(self) -> &'static str {
        if self == Ar { "rtl" } else { "ltr" }
    }

    /// What payers call a brand.
    pub(crate) fn brand(self, brand: &str) -> String {
        let names = BRANDS.iter().find(|(id, _)| *id == brand).map(|(_, names)| names);
        match (names, self) {
            (Some(names), ZhCn) => names[0].to_owned(),
            (Some(names), ZhTw) => names[1].to_owned(),
            (Some(names), _) => names[2].to_owned(),
            (None, _) => {
                let mut letters = brand.replace('_', " ");
                if let Some(first) = letters.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                letters
            }
        }
    }
}

/// Brands by the names people know them by: simplified Chinese, traditional Chinese, Latin.
const BRANDS: &[(&str, [&str; 3])] = &[
    ("alipay", ["支付宝", "支付寶", "Alipay"]),
    ("wechatpay", ["微信支付", "微信支付", "WeChat Pay"]),
    ("unionpay", ["云闪付", "雲閃付", "UnionPay"]),
    ("qq", ["QQ 钱包", "QQ 錢包", "QQ Wallet"]),
    ("ecny", ["数字人民币", "數字人民幣", "e-CNY"]),
    ("douyinpay", ["抖音支付", "抖音支付", "Douyin Pay"]),
    ("card", ["银行卡", "信用卡／金融卡", "Card"]),
    ("testpay", ["测试支付", "測試支付", "Testpay"]),
    ("applepay", ["Apple Pay", "Apple Pay", "Apple Pay"]),
    ("googlepay", ["Google Pay", "Google Pay", "Google Pay"]),
    ("paypal", ["PayPal", "PayPal", "PayPal"]),
    ("pix", ["Pix", "Pix", "Pix"]),
    ("sepa", ["SEPA", "SEPA", "SEPA"]),
    ("jd", ["京东支付", "京東支付", "JD Pay"]),
];

/// The words of one language, with the merchant's in their place.
#[derive(Debug, Clone)]
pub(crate) struct Texts {
    pub(crate) language: Language,
    own: HashMap<String, String>,
}

impl Texts {
    pub(crate) fn new(language: Language, own: HashMap<String, String>) -> Self {
        Texts { language, own }
    }

    /// The text of a key; the key itself shows up where a table lacks it, which a test excludes.
    pub(crate) fn say(&self, key: &str) -> String {
        if let Some(own) = self.own.get(key) {
            return own.clone();
        }
        let row = STEPS.iter().chain(OUTCOMES).find(|(known, _)| *known == key);
        row.map_or(key, |(_, texts)| texts[self.language as usize]).to_owned()
    }

    /// The text with the word in braces replaced.
    pub(crate) fn fill(&self, key: &str, value: &str) -> String {
        let text = self.say(key);
        match (text.find('{'), text.find('}')) {
            (Some(from), Some(to)) if from < to => format!("{}{value}{}", &text[..from], &text[to + 1..]),
            _ => text,
        }
    }

    /// What payers call the brand of a method.
    pub(crate) fn brand_of(&self, method: &str) -> String {
        self.language.brand(method.split('.').next().unwrap_or_default())
    }

    /// Why it was declined, for the payer.
    pub(crate) fn reason(&self, reason: &str) -> String {
        self.known(&format!("reason_{reason}"), "reason_generic")
    }

    /// Why the server refused, for the payer.
    pub(crate) fn refusal(&self, code: &str) -> String {
        self.known(&format!("refused_{code}"), "refused")
    }

    fn known(&self, key: &str, otherwise: &str) -> String {
        let there = OUTCOMES.iter().any(|(known, _)| *known == key) || self.own.contains_key(key);
        self.say(if there { key } else { otherwise })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = &'static Row> {
        STEPS.iter().chain(OUTCOMES)
    }

    #[test]
    fn every_key_stands_once_and_says_something_in_every_language() {
        let mut keys: Vec<_> = all().map(|(key, _)| *key).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
        for (key, texts) in all() {
            assert!(texts.iter().all(|text| !text.trim().is_empty()), "{key}");
        }
    }

    #[test]
    fn every_language_has_the_same_place_to_fill() {
        let place = |text: &str| text.find('{').map(|from| text[from..=text.find('}').unwrap()].to_owned());
        for (key, texts) in all() {
            let english = place(texts[En as usize]);
            assert!(texts.iter().all(|text| place(text) == english), "{key}");
        }
    }

    #[test]
    fn columns_are_where_their_languages_are() {
        assert!(LANGUAGES.iter().enumerate().all(|(at, (language, _))| *language as usize == at));
        let texts = |language| Texts::new(language, HashMap::new()).say("done_title");
        assert_eq!((texts(ZhCn).as_str(), texts(En).as_str(), texts(De).as_str()), ("支付成功", "Paid", "Bezahlt"));
    }

    #[test]
    fn a_language_is_chosen_from_the_tag_or_from_the_browser() {
        let browser = ["nl".to_owned(), "pt-PT".to_owned()];
        for (tag, expected) in [
            ("zh", ZhCn),
            ("zh-Hans-SG", ZhCn),
            ("zh-Hant", ZhTw),
            ("zh_HK", ZhTw),
            ("EN-gb", En),
            ("ar-EG", Ar),
            ("auto", PtBr),
            ("", PtBr),
            ("tlh", PtBr),
        ] {
            assert_eq!(Language::choose(tag, &browser), expected, "{tag}");
        }
        assert_eq!(Language::choose("auto", &[]), En);
        assert_eq!((Ar.direction(), PtBr.tag(), En.direction()), ("rtl", "pt-BR", "ltr"));
    }

    #[test]
    fn a_merchants_own_words_come_first_and_strangers_have_a_reason_all_the_same() {
        let own = HashMap::from([("pay".to_owned(), "Donate {amount}".to_owned())]);
        let texts = Texts::new(En, own);
        assert_eq!(texts.fill("pay", "¥1.00"), "Donate ¥1.00");
        assert_eq!(texts.reason("solar_flare"), texts.say("reason_generic"));
        assert_ne!(texts.reason("limit"), texts.say("reason_generic"));
        assert_eq!((texts.brand_of("alipay.qr").as_str(), texts.brand_of("new_bank.web").as_str()), ("Alipay", "New bank"));
    }
}
