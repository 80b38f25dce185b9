//! The members of a JSON object as the bytes that were sent, for signatures over part of a body. Parsing and writing
//! the part again would lose `\/` escapes, the order of keys or the encoding, and with them the signature.

use std::ops::Range;

/// More than the outermost object of any reply has.
const MEMBERS_MAX: usize = 16;

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
}
