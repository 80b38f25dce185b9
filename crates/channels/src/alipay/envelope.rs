//! The frame around every reply: `{"<method>_response":{…},"sign":"…"}`. The signature covers the bytes of the
//! inner object exactly as sent, with its `\/` escapes and in its own encoding, so the object is cut out of the
//! reply by scanning and is parsed only after its signature has been checked.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::GB18030;
use paycore::channel::{Fault, Reply};
use paycore::crypto::Scheme;
use serde::Deserialize;

use super::config::Account;

/// What the replies to all our calls may hold. Every value is text; a number in its place is not understood.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    pub(super) code: String,
    pub(super) msg: String,
    pub(super) sub_code: Option<String>,
    pub(super) sub_msg: Option<String>,
    pub(super) out_trade_no: Option<String>,
    pub(super) trade_no: Option<String>,
    pub(super) trade_status: Option<String>,
    pub(super) total_amount: Option<String>,
    pub(super) trans_currency: Option<String>,
    pub(super) send_pay_date: Option<String>,
    pub(super) qr_code: Option<String>,
    pub(super) fund_change: Option<String>,
    pub(super) refund_fee: Option<String>,
    pub(super) out_request_no: Option<String>,
    pub(super) refund_amount: Option<String>,
    pub(super) refund_status: Option<String>,
    pub(super) gmt_refund_pay: Option<String>,
}

impl Node {
    /// The channel's own code and text, as an answer that settles nothing.
    pub(super) fn unknown(self) -> Fault {
        let code = self.sub_code.unwrap_or(self.code);
        let message = self.sub_msg.unwrap_or(self.msg);
        Fault::Unknown { code: code.chars().take(64).collect(), message: message.chars().take(200).collect() }
    }
}

/// Cuts out, verifies and reads the answer to `method`. An error without a signature comes back as a fault with
/// its text: whoever sits on the line could have written it, so it decides nothing.
pub(super) fn open(account: &Account, method: &str, reply: &Reply) -> Result<Node, Fault> {
    if reply.status() != http::StatusCode::OK {
        return Err(Fault::Unexpected(format!("HTTP status {}", reply.status().as_u16())));
    }
    let body = reply.body();
    let frame =
        Frame::cut(body, method).ok_or_else(|| Fault::Unexpected("not Alipay's JSON frame".into()))?;
    let node = &body[frame.node];
    let Some(sign) = frame.sign else {
        let node = read(node)?;
        return Err(if node.code == "10000" { Fault::Signature } else { node.unknown() });
    };
    let sign: Cow<'_, str> = serde_json::from_slice(&body[sign]).map_err(|_| Fault::Signature)?;
    let signature = STANDARD.decode(sign.as_bytes()).map_err(|_| Fault::Signature)?;
    if !account.verifier.verify(Scheme::RsaSha256, node, &signature) {
        return Err(Fault::Signature);
    }
    let node = read(node)?;
    if frame.error { Err(node.unknown()) } else { Ok(node) }
}

fn read(node: &[u8]) -> Result<Node, Fault> {
    let text = match std::str::from_utf8(node) {
        Ok(text) => Cow::Borrowed(text),
        // Asked for UTF-8, Alipay still answers in GBK at times.
        Err(_) => GB18030
            .decode_without_bom_handling_and_without_replacement(node)
            .ok_or_else(|| Fault::Unexpected("neither UTF-8 nor GB18030".into()))?,
    };
    serde_json::from_str(&text).map_err(|error| Fault::Unexpected(format!("the signed object: {error}")))
}

/// Where the signed object and its signature stand in a reply.
struct Frame {
    node: Range<usize>,
    sign: Option<Range<usize>>,
    /// Whether the object is the gateway's general `error_response`.
    error: bool,
}

impl Frame {
    /// `None` when the body is not one object with exactly one response node, or says anything twice.
    fn cut(body: &[u8], method: &str) -> Option<Frame> {
        let mut scanner = Scanner { body, at: 0, gbk: std::str::from_utf8(body).is_err() };
        let mut seen: Vec<&[u8]> = Vec::new();
        let (mut node, mut sign, mut error) = (None, None, false);
        scanner.members(|key, value| {
            if seen.contains(&key) || seen.len() == 16 {
                return None;
            }
            seen.push(key);
            match key {
                b"sign" => sign = Some(value),
                _ if key.ends_with(b"_response") => {
                    error = key == b"error_response";
                    let ours = error || answers(key, method);
                    if !ours || node.replace(value).is_some() {
                        return None;
                    }
                }
                _ => {}
            }
            Some(())
        })?;
        Some(Frame { node: node?, sign, error })
    }
}

/// Whether `key` is `alipay_trade_query_response` for `alipay.trade.query`.
fn answers(key: &[u8], method: &str) -> bool {
    key.strip_suffix(b"_response").is_some_and(|name| {
        name.len() == method.len()
            && name.iter().zip(method.bytes()).all(|(k, m)| *k == m || (*k == b'_' && m == b'.'))
    })
}

/// Finds the members of the top-level object without interpreting them. Inner objects are parsed in full later;
/// here only their strings and brackets matter.
struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
    /// In GBK the second byte of a character may be `\` or a bracket, so it has to be skipped with the first.
    gbk: bool,
}

impl<'a> Scanner<'a> {
    fn members(&mut self, mut each: impl FnMut(&'a [u8], Range<usize>) -> Option<()>) -> Option<()> {
        self.space();
        self.expect(b'{')?;
        loop {
            self.space();
            let key = self.string()?;
            let name = &self.body[key.start + 1..key.end - 1];
            // An escape in a key would be a second spelling of the same key.
            if name.contains(&b'\\') {
                return None;
            }
            self.space();
            self.expect(b':')?;
            self.space();
            let value = self.value()?;
            each(name, value)?;
            self.space();
            match self.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        self.space();
        (self.at == self.body.len()).then_some(())
    }

    fn value(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        match self.peek()? {
            b'"' => return self.string(),
            b'{' | b'[' => self.nested()?,
            _ => {
                while !matches!(self.peek()?, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n') {
                    self.at += 1;
                }
            }
        }
        (self.at > start).then_some(start..self.at)
    }

    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// The range of a string, quotes included.
    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        self.expect(b'"')?;
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

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(body: &[u8]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
        let frame = Frame::cut(body, "alipay.trade.query")?;
        Some((body[frame.node].to_vec(), frame.sign.map(|sign| body[sign].to_vec())))
    }

    #[test]
    fn the_signed_object_is_cut_out_byte_for_byte() {
        let node = br#"{"qr_code":"https:\/\/q\/","a":"}\"{","n":{"l":[1,"]"]}}"#;
        let body = [br#" {"alipay_trade_query_response": "#, &node[..], br#" ,"sign" : "a\/b="} "#].concat();
        assert_eq!(cut(&body), Some((node.to_vec(), Some(br#""a\/b=""#.to_vec()))));
    }

    #[test]
    fn a_gbk_character_that_ends_in_a_backslash_does_not_escape_the_quote() {
        // 運 is DF 5C in GBK.
        let node = b"{\"sub_msg\":\"\xdf\x5c\"}";
        let body = [b"{\"alipay_trade_query_response\":", &node[..], b",\"sign\":\"x\"}"].concat();
        assert_eq!(cut(&body), Some((node.to_vec(), Some(b"\"x\"".to_vec()))));
    }

    #[test]
    fn a_frame_that_could_be_read_in_two_ways_is_refused() {
        for body in [
            r#"{"alipay_trade_query_response":{},"sign":"x","sign":"y"}"#,
            r#"{"alipay_trade_query_response":{},"alipay_trade_query_response":{},"sign":"x"}"#,
            r#"{"alipay_trade_query_response":{},"error_response":{},"sign":"x"}"#,
            r#"{"alipay_trade_query_response":{},"alipay_trade_pay_response":{},"sign":"x"}"#,
            r#"{"alipay_trade_query_response":{},"si\u0067n":"x"}"#,
            r#"{"alipay_trade_close_response":{},"sign":"x"}"#,
            r#"{"alipay_trade_query_response":{},"sign":"x"}{}"#,
            r#"{"alipay_trade_query_response":{},"sign":"x""#,
            r#"{"alipay_trade_query_response":{"#,
            r#"[{"alipay_trade_query_response":{},"sign":"x"}]"#,
            "\u{feff}{\"alipay_trade_query_response\":{},\"sign\":\"x\"}",
            r#"{"sign":"x"}"#,
            "{}",
            "",
        ] {
            assert_eq!(cut(body.as_bytes()), None, "{body}");
        }
    }
}
