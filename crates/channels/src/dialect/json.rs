//! The members of a JSON object as the bytes that were sent, for signatures over part of a body. Parsing and writing
//! the part again would lose `\/` escapes, the order of keys or the encoding, and with them the signature.

use std::borrow::Cow;
use std::ops::Range;

use crate::dialect::form::{holds_field, in_name};

/// More than the outermost object of any reply or of its data has.
const MEMBERS_MAX: usize = 128;

/// Finds the members of the object that `body` is: each key without its quotes, and where its value stands. `None`
/// when it is not one object, when a key occurs twice or is written with escapes, which would be a second spelling.
///
/// Only strings and brackets are looked at; values are to be parsed in full afterwards.
pub(crate) fn members(body: &[u8]) -> Option<Vec<(&[u8], Range<usize>)>> {
    let mut scanner = Scanner { body, at: 0, gbk: std::str::from_utf8(body).is_err() };
    let mut members: Vec<(&[u8], Range<usize>)> = Vec::new();
    scanner.token(b'{')?;
    loop {
        scanner.space();
        let quoted = scanner.string()?;
        let key = &body[quoted.start + 1..quoted.end - 1];
        if key.contains(&b'\\')
            || members.len() == MEMBERS_MAX
            || members.iter().any(|(known, _)| *known == key)
        {
            return None;
        }
        scanner.token(b':')?;
        scanner.space();
        members.push((key, scanner.value()?));
        scanner.space();
        match scanner.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    scanner.space();
    (scanner.at == body.len()).then_some(members)
}

/// The members of the object that `body` is, as texts sorted by name, for gateways that sign them like a form. Lists and
/// objects inside are left out, because such gateways do not sign them. `None` where a second reading would have the same
/// signature.
pub(crate) fn flat(body: &[u8]) -> Option<Vec<(&str, Cow<'_, str>)>> {
    let mut values = Vec::new();
    for (name, range) in members(body)? {
        let raw = &body[range];
        let value = match raw.first()? {
            b'"' => Cow::Owned(serde_json::from_slice::<String>(raw).ok()?),
            b'{' | b'[' => continue,
            _ => match serde_json::from_slice(raw).ok()? {
                serde_json::Value::Null | serde_json::Value::Bool(false) => Cow::Borrowed(""),
                serde_json::Value::Bool(true) => Cow::Borrowed("1"),
                // The number as it was sent: `1`, `1.0` and `1.00` are different texts and the same amount.
                serde_json::Value::Number(_) => Cow::Borrowed(std::str::from_utf8(raw).ok()?),
                _ => return None,
            },
        };
        let name = std::str::from_utf8(name).ok()?;
        let in_name = |byte: u8| in_name(byte) || byte.is_ascii_uppercase();
        if name.is_empty() || !name.bytes().all(in_name) || holds_field(value.as_bytes()) {
            return None;
        }
        values.push((name, value));
    }
    values.sort_unstable_by_key(|(name, _)| *name);
    Some(values)
}

struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
    /// In GBK the second byte of a character may be `\` or a bracket, so it has to be skipped with the first.
    gbk: bool,
}

impl Scanner<'_> {
    fn value(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => break,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
        (self.at > start).then_some(start..self.at)
    }

    /// The range of a string, quotes included.
    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        if self.next()? != b'"' {
            return None;
        }
        loop {
            match self.next()? {
                b'"' => return Some(start..self.at),
                b'\\' => self.at += 1,
                0x81..=0xfe if self.gbk => self.at += 1,
                0x00..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn token(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.next()? == byte).then_some(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(body: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
        Some(members(body)?.into_iter().map(|(key, range)| (key, &body[range])).collect())
    }

    #[test]
    fn values_are_found_byte_for_byte() {
        let node = br#"{"q":"https:\/\/q\/","a":"}\"{","n":{"l":[1,"]"]}}"#;
        let body = [br#" {"r": "#, &node[..], br#" ,"sign" : "a\/b=" ,"n":-1e2} "#].concat();
        let expected: Vec<(&[u8], &[u8])> = vec![(b"r", node), (b"sign", br#""a\/b=""#), (b"n", b"-1e2")];
        assert_eq!(values(&body), Some(expected));
    }

    #[test]
    fn a_gbk_character_that_ends_in_a_backslash_does_not_escape_the_quote() {
        // 運 is DF 5C in GBK.
        let body = b"{\"r\":{\"t\":\"\xdf\x5c\"},\"s\":1}";
        let expected: Vec<(&[u8], &[u8])> = vec![(b"r", b"{\"t\":\"\xdf\x5c\"}"), (b"s", b"1")];
        assert_eq!(values(body), Some(expected));
    }

    #[test]
    fn what_is_not_one_plain_object_is_refused() {
        for body in [
            "",
            "{}",
            "[]",
            "1",
            "{\"a\":1",
            "{\"a\":1,}",
            "{\"a\":{}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":1}{}",
            "{\"a\":1,\"a\":2}",
            "{\"\\u0061\":1}",
            "\u{feff}{\"a\":1}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\",
            "{\"a\":]}",
        ] {
            assert_eq!(values(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_flat_object_with_a_second_reading_is_refused() {
        let texts = [r#"{"a":"1&b=2"}"#, r#"{"a&b":"1"}"#, r#"{"a":1,"a":1}"#, r#"{"":1}"#, "[]", ""];
        for body in texts.iter().chain(&[r#"{"a":1e}"#, r#"{"a":01}"#, r#"{"a":tru}"#]) {
            assert!(flat(body.as_bytes()).is_none(), "{body}");
        }
    }
}
