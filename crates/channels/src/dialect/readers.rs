//! What the fuzz targets feed directly: the readers of hostile bytes that channels share. Behind a seal or the key of
//! a hash a fuzzer does not reach them.

use super::{acp, archive, chain, fixed, form, json, lines, xml, zip};

/// A reader: its name, an honest sample, and what reads.
pub type Reader = (&'static str, &'static [u8], fn(&[u8]));

/// All of them.
pub static READERS: &[Reader] = &[
    (
        "acp",
        b"bizType=000201&reqReserved={a=1&b=[2]}&respCode=00&respMsg=ok&signMethod=01&signature=YQ==",
        acp,
    ),
    ("archive", ARCHIVE, archive),
    ("chain", include_bytes!("../unionpay/fixtures/keys/sign.der"), chain),
    ("fixed", b"S22 00010000000 C000000001234\nS30 00010000000 D000000000005\r\n", fixed),
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

/// The answers and notifications of UnionPay, and a file inside them.
fn acp(bytes: &[u8]) {
    for nesting in [form::Nesting::Plain, form::Nesting::Escaped] {
        let Ok(form) = form::Form::nested(bytes, nesting) else { continue };
        assert!(
            form.signed_text(&["signature"]).len() <= bytes.len(),
            "what is signed is no longer than the message"
        );
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = acp::unpacked(text);
    }
}

fn archive(mut bytes: &[u8]) {
    let _ = archive::rows(&mut bytes, (1, &[]), |cells| {
        assert!(!cells.is_empty(), "a row has a cell");
        Ok(Some(()))
    });
}

/// A certificate inside a message, in either form.
fn chain(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).ok();
    let read = text.and_then(|text| chain::Certificate::read(text).ok());
    let Some(certificate) = read.or_else(|| chain::Certificate::from_der(bytes)) else { return };
    assert!(certificate.serial().bytes().all(|digit| digit.is_ascii_digit()), "a serial number is a number");
    let _ = (certificate.public_key(), certificate.common_name());
    let _ = certificate.in_force(paycore::time::Timestamp::ZERO);
}

fn fixed(mut bytes: &[u8]) {
    let _ = fixed::rows(&mut bytes, &[3, 11, 13], |[kind, number, amount]| {
        assert_eq!((kind.len(), number.len(), amount.len()), (3, 11, 13), "fields have their widths");
        let _ = (fixed::text(kind), fixed::digits(number), fixed::signed(amount), fixed::is_nothing(amount));
        Some(())
    });
}

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
