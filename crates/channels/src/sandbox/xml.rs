//! Flat XML as simulators read and write it.

use std::collections::BTreeMap;

/// What a document says.
pub(crate) type Fields = BTreeMap<String, String>;

/// Names and values as fields.
pub(crate) fn fields<const N: usize>(pairs: [(&str, &str); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(crate) fn write(fields: &Fields) -> String {
    let filled = fields.iter().filter(|(_, value)| !value.is_empty());
    let cell = |(name, value): (&String, &String)| format!("<{name}><![CDATA[{value}]]></{name}>");
    format!("<xml>{}</xml>", filled.map(cell).collect::<String>())
}

/// Reads what merchants' libraries write: elements one after the other, plain or as character data.
pub(crate) fn read(document: &str) -> Option<Fields> {
    let mut rest = document.trim().strip_prefix("<xml>")?.strip_suffix("</xml>")?.trim_start();
    let mut fields = Fields::new();
    while !rest.is_empty() {
        let (name, after) = rest.strip_prefix('<')?.split_once('>')?;
        let end = format!("</{name}>");
        let mut value = String::new();
        rest = after;
        while !rest.starts_with(&end) {
            if let Some(data) = rest.strip_prefix("<![CDATA[") {
                let (data, after) = data.split_once("]]>")?;
                value += data;
                rest = after;
            } else {
                let length = rest.find('<').filter(|length| *length > 0)?;
                value += &unescape(&rest[..length]);
                rest = &rest[length..];
            }
        }
        rest = rest[end.len()..].trim_start();
        let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !word || fields.insert(name.to_owned(), value).is_some() {
            return None;
        }
    }
    Some(fields)
}

fn unescape(text: &str) -> String {
    let escapes =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    escapes.iter().fold(text.to_owned(), |text, (escaped, sign)| text.replace(escaped, sign))
}
