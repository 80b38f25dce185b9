//! What the fuzz targets feed directly: the readers of hostile bytes that channels share. Behind a seal or the key of
//! a hash a fuzzer does not reach them.

use super::{form, json, lines, xml, zip};

/// A reader: its name, an honest sample, and what reads.
pub type Reader = (&'static str, &'static [u8], fn(&[u8]));

/// All of them.
pub static READERS: &[Reader] = &[
    ("form", b"gmt=2026-11-23+08%3A00&sign=a%2Bb%3D%3D&subject=%E8%8C%B6&sign_type=RSA2", form),
    ("json", br#"{"a_response":{"code":"10000","url":"http:\/\/x","n":[1,{"b":null}]},"sign":"YQ=="}"#, json),
    ("lines", "账号,金额\r\n`1,`2\n\n#合计\n".as_bytes(), lines),
    ("xml", b"<xml><return_code><![CDATA[SUCCESS]]></return_code><fee>1</fee><sign>C0FFEE</sign></xml>", xml),
    ("zip", ARCHIVE, zip),
];

/// One stored entry, `a.csv`, of the five bytes `1,2,3`.
const ARCHIVE: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\xeb\x4d\x89\x11\x05\0\0\0\x05\0\0\0\x05\0\0\0a.csv1,2,3\
    PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0\xeb\x4d\x89\x11\x05\0\0\0\x05\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a.csv\
    PK\x05\x06\0\0\0\0\x01\0\x01\x003\0\0\0(\0\0\0\0\0";

fn form(bytes: &[u8]) {
    let Ok(form) = form::Form::read(bytes) else { return };
    let signed = form.signed_text(&["sign"]);
    assert!(signed.len() <= bytes.len(), "what is signed is never longer than what was sent");
}

fn json(bytes: &[u8]) {
    for (_, value) in json::members(bytes).unwrap_or_default() {
        assert!(value.start <= value.end && value.end <= bytes.len(), "a member stands inside the body");
    }
}

fn lines(mut bytes: &[u8]) {
    let mut lines = lines::Lines::new(&mut bytes);
    while let Ok(Some(_)) = lines.next() {}
}

fn xml(bytes: &[u8]) {
    let _ = xml::Fields::read(bytes);
}

fn zip(mut bytes: &[u8]) {
    let length = bytes.len();
    let _ = zip::begins(&mut bytes);
    assert_eq!(bytes.len(), length, "a look consumes nothing");
    let _ = zip::entries(&mut bytes, |_, content| {
        // An archive of a few kilobytes may unpack to megabytes, which is for the parsers behind it to bear.
        let mut lines = lines::Lines::new(content);
        while let Ok(Some(_)) = lines.next() {}
        Ok(())
    });
}
