//! Forms whose fields are signed as sorted `name=value` pairs joined with `&`: Alipay, UnionPay, epay and most
//! gateways after them.
//!
//! The signed text does not say where a value ends, so under one signature `a=1&b=2` may be two fields or one field
//! with a strange value. Everything here makes sure that only one reading is possible, or refuses.

use std::borrow::Cow;

use paycore::channel::Fault;
use url::form_urlencoded::byte_serialize;

/// Far more than any form has.
const FIELDS_MAX: usize = 128;

/// The fields of a form that arrived: decoded, sorted by name, each name once.
pub(crate) struct Form<'a>(Vec<(&'a str, Cow<'a, [u8]>)>);

/// How values that may hold forms of their own are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nesting {
    /// Percent-encoded, as browsers and notifications send forms.
    Escaped,
    /// As they are: `+` is a plus, and what stands in `{}` or `[]` belongs to one value.
    Plain,
}

impl<'a> Form<'a> {
    /// Reads a form. Names are ASCII letters, digits and `_`; every byte of a value has one spelling.
    pub(crate) fn read(body: &'a [u8]) -> Result<Form<'a>, Fault> {
        let pairs = body.split(|byte| *byte == b'&');
        Form::gather(pairs, unescape, |value| !holds_field(value))
    }

    /// As [`Form::read`], of fields that are signed each by itself: a value may then look like several fields.
    pub(crate) fn read_apart(body: &'a [u8]) -> Result<Form<'a>, Fault> {
        Form::gather(body.split(|byte| *byte == b'&'), unescape, |_| true)
    }

    /// Reads a form of UnionPay's kind, where `{a=1&b=2}` is one value. Braces and brackets have to be balanced in every value: one that closes what another opened could be read in two ways.
    pub(crate) fn nested(body: &'a [u8], nesting: Nesting) -> Result<Form<'a>, Fault> {
        let single = |value: &[u8]| {
            let mut outer = outside(value).peekable();
            outer.peek().is_some() && !outer.skip(1).any(begins_field)
        };
        match nesting {
            Nesting::Escaped => Form::gather(body.split(|byte| *byte == b'&'), unescape, single),
            Nesting::Plain => Form::gather(outside(body), |value| Some(Cow::Borrowed(value)), balanced),
        }
    }

    fn gather(
        pairs: impl Iterator<Item = &'a [u8]>,
        decode: impl Fn(&'a [u8]) -> Option<Cow<'a, [u8]>>,
        is_one: impl Fn(&[u8]) -> bool,
    ) -> Result<Form<'a>, Fault> {
        let wrong = |what: &str| Fault::Unexpected(format!("the form: {what}"));
        let mut fields = Vec::with_capacity(32);
        for pair in pairs {
            let equals = pair.iter().position(|b| *b == b'=').ok_or_else(|| wrong("a pair without `=`"))?;
            let name = std::str::from_utf8(&pair[..equals]).unwrap_or_default();
            if name.is_empty() || !name.bytes().all(in_name) || fields.len() == FIELDS_MAX {
                return Err(wrong("a field name"));
            }
            let value = decode(&pair[equals + 1..]).ok_or_else(|| wrong("percent-encoding"))?;
            if !is_one(&value) {
                return Err(wrong("a value that reads as several fields"));
            }
            fields.push((name, value));
        }
        fields.sort_unstable_by_key(|(name, _)| *name);
        if fields.is_empty() || fields.windows(2).any(|two| two[0].0 == two[1].0) {
            return Err(wrong("no field, or one twice"));
        }
        Ok(Form(fields))
    }

    /// The names of all fields, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| *name)
    }

    /// The value of a field, if it is there and is UTF-8.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let index = self.0.binary_search_by_key(&name, |(name, _)| name).ok()?;
        std::str::from_utf8(&self.0[index].1).ok()
    }

    /// The value of a field that must be there and not empty.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Fault> {
        let value = self.field(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Fault::Unexpected(format!("the form: no {name}")))
    }

    /// The text that was signed: every field as it arrived, empty ones too, except those in `without`.
    pub(crate) fn signed_text(&self, without: &[&str]) -> Vec<u8> {
        self.joined(|name, _| !without.contains(&name))
    }

    /// The same where empty fields are not signed.
    pub(crate) fn signed_text_of_present(&self, without: &[&str]) -> Vec<u8> {
        self.joined(|name, value| !without.contains(&name) && !value.is_empty())
    }

    fn joined(&self, signed: impl Fn(&str, &[u8]) -> bool) -> Vec<u8> {
        let mut text = Vec::with_capacity(1024);
        for (name, value) in self.0.iter().filter(|(name, value)| signed(name, value)) {
            let joint: &[u8] = if text.is_empty() { b"" } else { b"&" };
            for part in [joint, name.as_bytes(), b"=", value] {
                text.extend_from_slice(part);
            }
        }
        text
    }
}

/// The text to sign for parameters that are sorted already: those that are not empty, not percent-encoded.
pub(crate) fn text_to_sign(sorted: &[(&str, &str)]) -> String {
    debug_assert!(sorted.is_sorted(), "the caller lists its parameters in order");
    let mut text = String::with_capacity(1024);
    for (name, value) in sorted.iter().filter(|(_, value)| !value.is_empty()) {
        let joint = if text.is_empty() { "" } else { "&" };
        text.extend([joint, name, "=", value]);
    }
    text
}

/// The parameters that are not empty and their signature, as a form.
pub(crate) fn signed_form(parameters: &[(&str, &str)], sign: &str) -> String {
    let mut form = String::with_capacity(2048);
    for (name, value) in parameters.iter().chain([&("sign", sign)]).filter(|(_, value)| !value.is_empty()) {
        let joint = if form.is_empty() { "" } else { "&" };
        form.extend([joint, name, "="]);
        form.extend(byte_serialize(value.as_bytes()));
    }
    form
}

/// Whether a byte may stand in a name.
pub(crate) fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a value contains `&name=`.
pub(crate) fn holds_field(value: &[u8]) -> bool {
    value.split(|byte| *byte == b'&').skip(1).any(begins_field)
}

fn begins_field(part: &[u8]) -> bool {
    let name = part.iter().take_while(|byte| in_name(**byte)).count();
    name > 0 && part.get(name) == Some(&b'=')
}

/// The parts between those `&` that stand outside of braces and brackets; none where these are not balanced.
fn outside(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = if balanced(text) { Some(text) } else { None };
    let mut depth = 0_i32;
    let parts = text.map(|text| {
        text.split(move |byte| {
            depth += step(*byte);
            *byte == b'&' && depth == 0
        })
    });
    parts.into_iter().flatten()
}

fn balanced(text: &[u8]) -> bool {
    const DEPTH_MAX: usize = 16;
    let mut open = Vec::new();
    for byte in text {
        match byte {
            b'{' | b'[' if open.len() < DEPTH_MAX => open.push(byte + 2),
            b'{' | b'[' => return false,
            b'}' | b']' if open.pop() != Some(*byte) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

/// How much deeper it is behind this byte.
fn step(byte: u8) -> i32 {
    match byte {
        b'{' | b'[' => 1,
        b'}' | b']' => -1,
        _ => 0,
    }
}

/// Percent-decoding with one spelling for each byte: `+` is a space, digits are upper-case, and what is not printable
/// ASCII has to be escaped. `None` for anything else.
fn unescape(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    if text.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    let mut value = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        value.push(match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            b'+' => b' ',
            byte if byte.is_ascii_graphic() => byte,
            _ => return None,
        });
    }
    Some(Cow::Owned(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str) -> Option<String> {
        let form = Form::read(body.as_bytes()).ok()?;
        String::from_utf8(form.signed_text(&["sign"])).ok()
    }

    #[test]
    fn decoded_fields_are_joined_in_the_order_of_their_names() {
        assert_eq!(text("b=%E4%BA%8C&sign=x%3D&a=1+%2B&c=").as_deref(), Some("a=1 +&b=二&c="));
    }

    #[test]
    fn a_form_with_a_second_reading_or_spelling_is_refused() {
        for body in [
            "a=1&a=1",
            "a=1&b=x%26c%3D2",
            "a=%2f",
            "a=%2",
            "a=%",
            "a=%GG",
            "a",
            "=1",
            "a%62=1",
            "a=1&&b=2",
            "",
            "a=\u{e9}",
            "a=1 2",
            "a=1\n",
        ] {
            assert_eq!(text(body), None, "{body}");
        }
        assert_eq!(text("a=x%26+b%3D2&b=R%26D").as_deref(), Some("a=x& b=2&b=R&D"), "no name after the `&`");
    }

    #[test]
    fn empty_parameters_are_neither_signed_nor_sent() {
        let parameters = [("a", "1 &"), ("b", ""), ("c", "二")];
        assert_eq!(text_to_sign(&parameters), "a=1 &&c=二");
        assert_eq!(signed_form(&parameters, "x="), "a=1+%26&c=%E4%BA%8C&sign=x%3D");
    }

    fn nested(body: &str, nesting: Nesting) -> Option<String> {
        let form = Form::nested(body.as_bytes(), nesting).ok()?;
        String::from_utf8(form.signed_text(&["signature"])).ok()
    }

    #[test]
    fn what_stands_in_braces_is_one_value() {
        let plain = "txnTime=1&cardTransData={a=1&b=[2&c=3]}&signature=x&respMsg=成功[00]&sign=a+b==";
        let text = "cardTransData={a=1&b=[2&c=3]}&respMsg=成功[00]&sign=a+b==&txnTime=1";
        assert_eq!(nested(plain, Nesting::Plain).as_deref(), Some(text));
        let escaped = "txnTime=1&cardTransData=%7Ba%3D1%26b%3D%5B2%26c%3D3%5D%7D&sign=a%2Bb%3D%3D\
                       &respMsg=%E6%88%90%E5%8A%9F%5B00%5D";
        assert_eq!(nested(escaped, Nesting::Escaped).as_deref(), Some(text));
    }

    #[test]
    fn a_nested_form_with_two_readings_is_refused() {
        for body in [
            "a=1&a=2",
            "a={b=1",
            "a=1}&b={2",
            "a={1]}",
            "a={1&b=2",
            "a=1&&b=2",
            "a",
            "=1",
            "",
            "a-b=1",
            "a=1&b",
            "<html><body class=\"x\">&nbsp;</body></html>",
        ] {
            assert_eq!(nested(body, Nesting::Plain), None, "{body}");
        }
        for body in ["a=1%26b%3D2", "a=%7B&b=%7D", "a=%7B%26b%3D1&c=2%7D", "a=1+%26B%3D2", "a=%5b"] {
            assert_eq!(nested(body, Nesting::Escaped), None, "{body}");
        }
        assert_eq!(nested(&format!("a={}", "[".repeat(100_000)), Nesting::Plain), None);
    }
}
