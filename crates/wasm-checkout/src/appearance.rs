//! What a merchant may change about the looks: a theme, variables, and rules for named parts. Everything becomes one
//! style sheet of the widget's own; a value that could reach beyond its declaration is left out.

use crate::json::Json;
use crate::options::texts;

/// The page's wishes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Appearance {
    /// `default`, `night`, `flat` or `auto`, which is `night` where the payer's system is dark.
    pub(crate) theme: String,
    /// Such as `colorPrimary`.
    pub(crate) variables: Vec<(String, String)>,
    /// By part, such as `.Button`, then by property, such as `borderColor`.
    pub(crate) rules: Vec<(String, Vec<(String, String)>)>,
}

/// Variables as pages write them, and the custom properties they set.
const VARIABLES: &[(&str, &str)] = &[
    ("colorPrimary", "--primary"),
    ("colorOnPrimary", "--on-primary"),
    ("colorText", "--text"),
    ("colorMuted", "--muted"),
    ("colorBackground", "--background"),
    ("colorSurface", "--surface"),
    ("colorBorder", "--border"),
    ("colorDanger", "--danger"),
    ("colorSuccess", "--success"),
    ("radius", "--radius"),
    ("spacing", "--space"),
    ("fontFamily", "--font"),
    ("fontSize", "--size"),
    ("fontWeight", "--weight"),
];
/// Parts that rules may name.
const PARTS: &[&str] = &[
    ".Box",
    ".Sandbox",
    ".Subject",
    ".Amount",
    ".Title",
    ".Note",
    ".Notice",
    ".Method",
    ".Method--selected",
    ".MethodName",
    ".MethodHint",
    ".Button",
    ".Button--quiet",
    ".Code",
    ".Countdown",
    ".Number",
    ".Row",
];

impl Appearance {
    /// Reads the page's wishes.
    pub(crate) fn read(json: &Json) -> Appearance {
        let rules = json.get("rules").members().iter();
        Appearance {
            theme: json.get("theme").string().unwrap_or_default(),
            variables: texts(json.get("variables")),
            rules: rules.map(|(part, declarations)| (part.clone(), texts(declarations))).collect(),
        }
    }

    /// The style sheet that follows the widget's own.
    pub(crate) fn css(&self) -> String {
        let mut css = String::from(":host{");
        for (name, value) in self.variables.iter().filter(|(_, value)| is_harmless(value)) {
            if let Some((_, property)) = VARIABLES.iter().find(|(known, _)| known == name) {
                declare(&mut css, property, value);
            }
        }
        css.push('}');
        for (part, declarations) in self.rules.iter().filter(|(part, _)| PARTS.contains(&part.as_str())) {
            css.push_str(part);
            css.push('{');
            for (name, value) in declarations.iter().filter(|(_, value)| is_harmless(value)) {
                if name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                    declare(&mut css, &hyphenated(name), value);
                }
            }
            css.push('}');
        }
        css
    }

    /// The theme to show, given what the payer's system prefers.
    pub(crate) fn theme(&self, dark: bool) -> &str {
        match self.theme.as_str() {
            "night" => "night",
            "flat" => "flat",
            "auto" | "" if dark => "night",
            _ => "default",
        }
    }
}

fn declare(css: &mut String, property: &str, value: &str) {
    for part in [property, ":", value, ";"] {
        css.push_str(part);
    }
}

/// Nothing that ends a declaration, loads something or hides text in an escape.
fn is_harmless(value: &str) -> bool {
    let plain =
        value.chars().all(|c| !c.is_control() && !matches!(c, ';' | '{' | '}' | '@' | '<' | '>' | '\\'));
    let lower = value.to_ascii_lowercase();
    let loads = ["url", "image", "expression", "/*", "//"].iter().any(|word| holds(&lower, word));
    plain && !loads && value.len() <= 200
}

/// Whether a text holds a word. The search of the standard library would be the largest function of the widget.
fn holds(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|part| part == word.as_bytes())
}

/// `borderColor` as `border-color`.
fn hyphenated(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn css(json: &str) -> String {
        Appearance::read(&Json::parse(json).unwrap()).css()
    }

    #[test]
    fn variables_and_rules_become_a_style_sheet() {
        let json = r##"{"variables": {"colorPrimary": "#0a0", "unknown": "1"}, "rules": {".Button": {"borderColor": "red"}}}"##;
        assert_eq!(css(json), ":host{--primary:#0a0;}.Button{border-color:red;}");
    }

    #[test]
    fn what_could_reach_further_is_left_out() {
        for value in ["red;} * {x", "url(https://a)", "a\\3b", "</style>", "image-set('a')", "/*", "@import"]
        {
            let json =
                serde_json::json!({"variables": {"colorText": value}, "rules": {".Row": {"color": value}}});
            assert_eq!(css(&json.to_string()), ":host{}.Row{}", "{value}");
        }
        assert_eq!(
            css(r#"{"rules": {"body": {"color": "red"}, ".Row": {"co:lor": "red"}}}"#),
            ":host{}.Row{}"
        );
    }

    #[test]
    fn auto_follows_the_system_and_a_named_theme_does_not() {
        let theme = |name: &str, dark| {
            Appearance { theme: name.into(), ..Appearance::default() }.theme(dark).to_owned()
        };
        assert_eq!(
            [theme("auto", true), theme("", true), theme("auto", false)],
            ["night", "night", "default"]
        );
        assert_eq!(
            [theme("flat", true), theme("default", true), theme("night", false)],
            ["flat", "default", "night"]
        );
    }
}
