//! Flat XML, `<xml><name>value</name>…</xml>`, signed as sorted `name=value` pairs with a key behind them: WeChat Pay v2,
//! QQ wallet and UnionPay's QR gateway.
//!
//! Of XML only this much is spoken. Everything else (document types, entities, attributes, nesting, processing
//! instructions) is refused at its first byte, and nothing is ever expanded or fetched. The signed text does not say
//! where a value ends, so values that read as several fields are refused in both directions.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use paycore::channel::{Fault, Refusal};
use paycore::secret::Secret;
use quick_xml::Reader;
use quick_xml::events::Event;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// Far more than any document has; refunds and vouchers number their fields.
const FIELDS_MAX: usize = 256;
/// Bytes of a whole document, likewise.
const BYTES_MAX: usize = 64 * 1024;

/// How the signed text becomes a signature. Both are the channel's choice, and both end with the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    /// `sign_type` MD5, the default where none is named.
    Md5,
    /// `sign_type` HMAC-SHA256.
    HmacSha256,
}

impl Hash {
    /// The signature of a text without its key, in upper-case hexadecimal digits.
    fn sign(self, text: &str, key: &Secret) -> String {
        let text = format!("{text}&key={}", key.expose());
        match self {
            Hash::Md5 => hex(&Md5::digest(text.as_bytes())),
            Hash::HmacSha256 => {
                // HMAC takes keys of any length.
                let mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes());
                mac.map(|mac| hex(&mac.chain_update(text.as_bytes()).finalize().into_bytes()))
                    .unwrap_or_default()
            }
        }
    }
}

/// The fields of a document that arrived, sorted by name, each name once, none of them empty: the signature does not
/// cover an empty field, so it counts as absent.
#[derive(Debug)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a document.
    pub(crate) fn read(body: &[u8]) -> Result<Fields, Fault> {
        Fields::read_within(body, &[])
    }

    /// Reads a document in which some fields may stand inside others: inside the first of this list, that inside the
    /// document, or inside the second, that inside the first. They count as if they stood in the document itself, so that
    /// none may be there twice.
    pub(crate) fn read_within(body: &[u8], around: &[&str]) -> Result<Fields, Fault> {
        let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= BYTES_MAX);
        let text = text.ok_or_else(|| wrong("not UTF-8, or too long"))?;
        let mut fields = document(text, around)?;
        fields.sort_unstable();
        if fields.windows(2).any(|two| two[0].0 == two[1].0) {
            return Err(wrong("a field twice"));
        }
        fields.retain(|(_, value)| !value.is_empty());
        if fields.iter().any(|(_, value)| holds_field(value)) {
            return Err(wrong("a value that reads as several fields"));
        }
        Ok(Fields(fields))
    }

    /// The value of a field, if it is there and not empty.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let index = self.0.binary_search_by_key(&name, |(name, _)| name).ok()?;
        Some(&self.0[index].1)
    }

    /// The value of a field that must be there and not empty.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Fault> {
        self.field(name).ok_or_else(|| wrong(&format!("no {name}")))
    }

    /// Whether `sign` is the signature of all other fields.
    pub(crate) fn verify(&self, hash: Hash, key: &Secret) -> Result<(), Fault> {
        let signed = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let expected = hash.sign(&text(signed), key);
        let said = self.field("sign").unwrap_or_default();
        if !key.is_blank() && bool::from(expected.as_bytes().ct_eq(said.as_bytes())) {
            Ok(())
        } else {
            Err(Fault::Signature)
        }
    }
}

/// The document of these fields with their signature. Empty fields are neither signed nor sent.
///
/// Refuses a field whose value cannot be written, or would read as several fields in the signed text.
pub(crate) fn signed(fields: &[(&'static str, &str)], hash: Hash, key: &Secret) -> Result<String, Refusal> {
    let mut sorted: Vec<_> = fields.iter().copied().filter(|(_, value)| !value.is_empty()).collect();
    sorted.sort_unstable();
    debug_assert!(sorted.windows(2).all(|two| two[0].0 != two[1].0), "the caller names a field once");
    for (name, value) in &sorted {
        let detail = match value.chars().find(|sign| !in_value(*sign)) {
            Some(_) => "must be without control characters",
            None if holds_field(value) => "must not contain `&`, a name and `=`",
            None => continue,
        };
        return Err(Refusal::Parameter { param: name, detail: detail.into() });
    }
    let sign = signature(&sorted, hash, key);
    let mut document = String::with_capacity(1024);
    document.push_str("<xml>");
    for (name, value) in sorted.iter().chain([&("sign", sign.as_str())]) {
        document.extend(["<", name, ">"]);
        write(&mut document, value);
        document.extend(["</", name, ">"]);
    }
    document.push_str("</xml>");
    Ok(document)
}

/// The signature of fields that are handed to the payer's client rather than sent as a document.
pub(crate) fn signature(fields: &[(&str, &str)], hash: Hash, key: &Secret) -> String {
    let mut sorted: Vec<_> = fields.iter().copied().filter(|(_, value)| !value.is_empty()).collect();
    sorted.sort_unstable();
    hash.sign(&text(sorted.into_iter()), key)
}

/// Plain numbers and words as they are, everything else as character data, whose end is the only thing to watch.
fn write(document: &mut String, value: &str) {
    if value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        document.push_str(value);
        return;
    }
    document.push_str("<![CDATA[");
    document.push_str(&value.replace("]]>", "]]]]><![CDATA[>"));
    document.push_str("]]>");
}

/// The signed text of sorted fields, none of them empty, without the key.
fn text<'a>(sorted: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::with_capacity(1024);
    for (name, value) in sorted.filter(|(name, _)| *name != "sign") {
        let joint = if text.is_empty() { "" } else { "&" };
        text.extend([joint, name, "=", value]);
    }
    text
}

/// The fields in the order of the document, empty ones too.
fn document(text: &str, around: &[&str]) -> Result<Vec<(String, String)>, Fault> {
    let mut reader = Reader::from_str(text);
    let mut next = || reader.read_event().map_err(|error| wrong(&error.to_string()));
    loop {
        match next()? {
            // Any encoding but UTF-8 would have shown before this, or names itself wrongly.
            Event::Decl(declaration) if is_plain(&declaration) => {}
            Event::Text(space) if is_space(&space) => {}
            Event::Start(root) if &*root == "xml" => break,
            _ => return Err(wrong("something before the document")),
        }
    }
    let mut fields: Vec<(String, String)> = Vec::with_capacity(32);
    let (mut open, mut within) = (false, 0);
    loop {
        let event = next()?;
        if let (true, Some((_, value))) = (open, fields.last_mut()) {
            match event {
                Event::Text(text) => value.push_str(&text),
                Event::CData(data) => value.push_str(&data),
                Event::GeneralRef(entity) => value.push(character(&entity)?),
                // The reader has compared its name.
                Event::End(_) if value.chars().all(in_value) => open = false,
                _ => return Err(wrong("a field that is not plain text")),
            }
            continue;
        }
        let (name, ends) = match event {
            Event::Text(space) if is_space(&space) => continue,
            Event::End(_) if within == 0 => break,
            Event::End(_) => {
                within -= 1;
                continue;
            }
            // Only inside the one before it in the list.
            Event::Start(name) if around.get(within) == Some(&&*name) => {
                within += 1;
                continue;
            }
            Event::Start(name) => (name, false),
            Event::Empty(name) => (name, true),
            _ => return Err(wrong("something between the fields")),
        };
        if !is_name(&name) || fields.len() == FIELDS_MAX {
            return Err(wrong("a field name, an attribute, or too many fields"));
        }
        fields.push((name.to_string(), String::new()));
        open = !ends;
    }
    loop {
        match next()? {
            Event::Text(space) if is_space(&space) => {}
            Event::Eof => return Ok(fields),
            _ => return Err(wrong("something behind the document")),
        }
    }
}

/// The five characters that XML names itself.
fn character(entity: &str) -> Result<char, Fault> {
    match entity {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(wrong("an entity")),
    }
}

fn is_plain(declaration: &str) -> bool {
    let declaration = declaration.to_ascii_lowercase();
    declaration.len() <= 64 && (!declaration.contains("encoding") || declaration.contains("utf-8"))
}

fn is_space(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace())
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(in_name)
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Of the control characters only those that XML leaves as they are.
fn in_value(sign: char) -> bool {
    !sign.is_control() || matches!(sign, '\t' | '\n')
}

/// Whether a value contains `&name=`.
fn holds_field(value: &str) -> bool {
    value.split('&').skip(1).any(|part| {
        let name = part.bytes().take_while(|byte| in_name(*byte)).count();
        name > 0 && part.as_bytes().get(name) == Some(&b'=')
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn wrong(what: &str) -> Fault {
    Fault::Unexpected(format!("the XML document: {what}"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 5] = ["appid", "attach", "body", "detail", "total_fee"];

    fn key() -> Secret {
        Secret::new("192006250b4c09247ec02edce69f6a2d")
    }

    #[test]
    fn the_published_example_has_the_published_signatures() {
        // The worked example of the v2 signature documentation.
        let fields = [
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "10000100"),
            ("device_info", "1000"),
            ("body", "test"),
            ("nonce_str", "ibuaiVcKdpRxkhJA"),
        ];
        assert_eq!(signature(&fields, Hash::Md5, &key()), "9A0A8659F005D6984697E2CA0A9CF3B7");
        let hmac = "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6";
        assert_eq!(signature(&fields, Hash::HmacSha256, &key()), hmac);
    }

    #[test]
    fn what_providers_send_is_read() {
        let body = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\r\n<xml>\n  <a><![CDATA[1 < 2]]></a>\r\n\t<b>x&amp;y&lt;</b>\
            <c/><d></d><e><![CDATA[]]]]><![CDATA[>]]></e>\n</xml>\n";
        let fields = Fields::read(body.as_bytes()).expect("it is flat");
        let values = ["a", "b", "c", "d", "e"].map(|name| fields.field(name));
        assert_eq!(values, [Some("1 < 2"), Some("x&y<"), None, None, Some("]]>")]);
    }

    #[test]
    fn anything_but_a_flat_document_is_refused() {
        for body in [
            "",
            "x",
            "<xml>",
            "<xml><a>1</a>",
            "<xml><a>1</b></xml>",
            "<xml><a>1</a><a>1</a></xml>",
            "<xml><a/><a>1</a></xml>",
            "<xml><a><b>1</b></a></xml>",
            "<xml><a b=\"1\">1</a></xml>",
            "<xml a=\"1\"><a>1</a></xml>",
            "<root><a>1</a></root>",
            "<xml/>",
            "<xml><a>1</a></xml><xml></xml>",
            "<xml><a>1</a></xml>x",
            "x<xml><a>1</a></xml>",
            "<xml>x<a>1</a></xml>",
            "<xml><![CDATA[x]]><a>1</a></xml>",
            "<xml><!-- x --><a>1</a></xml>",
            "<xml><a>1<!-- x --></a></xml>",
            "<xml><?php x ?><a>1</a></xml>",
            "<xml><a>&x;</a></xml>",
            "<xml><a>&#65;</a></xml>",
            "<xml><a>&</a></xml>",
            "<xml><a>1\r</a></xml>",
            "<xml><a>\u{0}</a></xml>",
            "<xml><n:a>1</n:a></xml>",
            "<xml><名>1</名></xml>",
            "<xml><a>1&amp;b=2</a></xml>",
            "<xml><a><![CDATA[1&b=2]]></a></xml>",
            "<!DOCTYPE xml><xml><a>1</a></xml>",
            "<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><xml><a>&x;</a></xml>",
            "<!DOCTYPE xml SYSTEM \"http://127.0.0.1/x.dtd\"><xml><a>1</a></xml>",
            "<!DOCTYPE xml [<!ENTITY % p SYSTEM \"http://127.0.0.1/x\">%p;]><xml><a>1</a></xml>",
            "<?xml version=\"1.0\" encoding=\"GBK\"?><xml><a>1</a></xml>",
        ] {
            assert!(Fields::read(body.as_bytes()).is_err(), "{body}");
        }
        let wide: Vec<u8> = "<xml><a>1</a></xml>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(Fields::read(&wide).is_err());
        assert!(Fields::read(b"<xml><a>\xff</a></xml>").is_err());
    }

    #[test]
    fn fields_stand_inside_others_only_where_that_is_known() {
        let body = b"<xml><a>1</a><list> <info><b>2</b></info></list><c>3</c></xml>";
        let fields = Fields::read_within(body, &["list", "info"]).expect("as deep as the list");
        assert_eq!(["a", "b", "c"].map(|name| fields.field(name)), [Some("1"), Some("2"), Some("3")]);
        assert!(Fields::read(body).is_err());
        for wrong in [
            "<xml><list><info><b>1</b></info><info><b>2</b></info></list></xml>",
            "<xml><list><list><b>1</b></list></list></xml>",
            "<xml><info><b>1</b></info></xml>",
            "<xml><list><info><b>1</b></list></info></xml>",
            "<xml><list b=\"1\"><a>1</a></list></xml>",
            "<xml><list>x</list></xml>",
            "<xml><list><a>1</a></xml>",
        ] {
            assert!(Fields::read_within(wrong.as_bytes(), &["list", "info"]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hostile_documents_are_refused_at_once() {
        let laughs: String =
            (1..100).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
        let many = |what: &dyn Fn(usize) -> String, count| (0..count).map(what).collect::<String>();
        for body in [
            format!("<!DOCTYPE xml [<!ENTITY l0 \"ha\">{laughs}]><xml><a>&l99;</a></xml>"),
            format!("<xml><a {}>1</a></xml>", many(&|n| format!("b{n}=\"1\" "), 100_000)),
            format!("<xml><a {}>1</a></xml>", many(&|n| format!("b{n}=\"1\" "), 5_000)),
            format!("<xml {}><a>1</a></xml>", many(&|n| format!("xmlns:b{n}=\"1\" "), 3_000)),
            "<xml>".repeat(100_000),
            "<xml>".repeat(10_000),
            format!("<xml>{}</xml>", many(&|n| format!("<a{n}>1</a{n}>"), 4_000)),
            format!("<xml><a>{}</a></xml>", "x".repeat(8 << 20)),
            format!("<xml><a>{}</a></xml>", "&amp;b=".repeat(9_000)),
            format!("<xml><a>{}", "<![CDATA[".repeat(7_000)),
        ] {
            let begin = Instant::now();
            assert!(Fields::read(body.as_bytes()).is_err(), "{}", &body[..40]);
            assert!(begin.elapsed() < Duration::from_millis(50), "{:?} for {}", begin.elapsed(), &body[..40]);
        }
    }

    #[test]
    fn a_signature_in_another_spelling_or_under_an_empty_key_is_refused() {
        let document = signed(&[("a", "1"), ("b", "x y")], Hash::Md5, &key()).expect("it can be written");
        let check =
            |body: &str, key: &Secret| Fields::read(body.as_bytes()).and_then(|f| f.verify(Hash::Md5, key));
        assert_eq!(check(&document, &key()), Ok(()));
        let (before, sign) = document.split_once("<sign>").expect("signed");
        for wrong in [
            format!("{before}<sign>{}", sign.to_lowercase()),
            format!("{before}</xml>"),
            format!("{before}<sign></sign></xml>"),
            format!("{before}<sign> {sign}"),
            document.replace("<a>1", "<a>2"),
            document.replace("<a>1</a>", "<a>1</a><c>1</c>"),
        ] {
            assert_eq!(check(&wrong, &key()), Err(Fault::Signature), "{wrong}");
        }
        let empty = Secret::new("");
        let keyless = signed(&[("a", "1")], Hash::Md5, &empty).expect("it can be written");
        assert_eq!(check(&keyless, &empty), Err(Fault::Signature));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_verifies(
            values in prop::array::uniform5(r#"([a-z0-9<>&;=\]\[!\-CDAT"' \t\n红]|\]\]>|</xml>|<!\[CDATA\[|&amp;){0,24}"#),
            hmac in any::<bool>(),
        ) {
            let hash = if hmac { Hash::HmacSha256 } else { Hash::Md5 };
            let ours: Vec<_> = NAMES.into_iter().zip(values.iter().map(String::as_str)).collect();
            match signed(&ours, hash, &key()) {
                Err(_) => prop_assert!(values.iter().any(|value| holds_field(value))),
                Ok(document) => {
                    let theirs = Fields::read(document.as_bytes()).expect("what we write is flat");
                    prop_assert_eq!(theirs.verify(hash, &key()), Ok(()));
                    for (name, value) in ours {
                        prop_assert_eq!(theirs.field(name).unwrap_or_default(), value);
                    }
                }
            }
        }

        #[test]
        fn a_signed_text_has_one_reading_only(
            these in prop::array::uniform3("[ab&=1]{0,6}"),
            those in prop::array::uniform3("[ab&=1]{0,6}"),
        ) {
            let read = |values: &[String; 3]| {
                let [a, b, c] = values.each_ref().map(|value| value.replace('&', "&amp;"));
                Fields::read(format!("<xml><a>{a}</a><b>{b}</b><c>{c}</c></xml>").as_bytes()).ok()
            };
            if let (Some(one), Some(other)) = (read(&these), read(&those)) {
                let joined = |fields: &Fields| text(fields.0.iter().map(|(n, v)| (n.as_str(), v.as_str())));
                prop_assert_eq!(joined(&one) == joined(&other), one.0 == other.0);
            }
        }

        #[test]
        fn no_bytes_are_too_strange(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Fields::read(&body);
        }
    }
}
