//! QR codes.

use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder};

/// The quiet zone that scanners want around a code, in modules.
const MARGIN: usize = 4;

/// A QR code as SVG, at the middle level of error correction.
pub(crate) fn svg(content: &str) -> Option<String> {
    if content.is_empty() {
        return None;
    }
    let code = QRBuilder::new(content).ecl(ECL::M).build().ok()?;
    Some(SvgBuilder::default().margin(MARGIN).to_str(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_svg_that_holds_no_text_of_its_content() {
        let svg = svg("https://qr.example/\"><script>alert(1)</script>").unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
        assert!(!svg.contains("script") && !svg.contains("example"));
    }

    #[test]
    fn codes_of_different_contents_differ_and_of_the_same_do_not() {
        assert_eq!(svg("a"), svg("a"));
        assert_ne!(svg("a"), svg("b"));
    }

    #[test]
    fn nothing_and_too_much_give_no_code() {
        assert_eq!(svg(""), None);
        assert!(svg(&"x".repeat(1024)).is_some());
        assert_eq!(svg(&"x".repeat(8_000)), None);
    }
}
