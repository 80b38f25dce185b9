//! QR codes.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};

/// The quiet zone that scanners want around a code, in modules.
const MARGIN: i32 = 4;

/// Black shapes on white, as one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawing {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// The `d` of an SVG path.
    pub(crate) path: String,
}

impl Drawing {
    /// The drawing as SVG text.
    pub(crate) fn svg(&self) -> String {
        let Drawing { width, height, path } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" shape-rendering=\"crispEdges\">\
             <path d=\"M0 0h{width}v{height}h-{width}z\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
        )
    }
}

/// A QR code at the middle level of error correction, with its quiet zone.
pub(crate) fn drawing(content: &str) -> Option<Drawing> {
    if content.is_empty() {
        return None;
    }
    // As bytes, which addresses are in any case: what finds texts of digits or capitals alone is large and hardly ever used.
    let code = QrCode::encode_binary(content.as_bytes(), QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let end = (x..code.size()).find(|x| !code.get_module(*x, y)).unwrap_or(code.size());
            if end > x {
                let run = end - x;
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + MARGIN, y + MARGIN);
            }
            x = end.max(x + 1);
        }
    }
    let side = usize::try_from(code.size() + 2 * MARGIN).ok()?;
    Some(Drawing { width: side, height: side, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_svg_that_holds_no_text_of_its_content() {
        let svg = drawing("https://qr.example/\"><script>alert(1)</script>").unwrap().svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
        assert!(!svg.contains("script") && !svg.contains("example"));
    }

    #[test]
    fn codes_of_different_contents_differ_and_of_the_same_do_not() {
        assert_eq!(drawing("a"), drawing("a"));
        assert_ne!(drawing("a"), drawing("b"));
    }

    #[test]
    fn the_three_corner_marks_are_where_scanners_look_for_them() {
        let code = drawing("a").unwrap();
        assert_eq!((code.width, code.height), (29, 29), "version 1 has 21 modules");
        for mark in ["M4 4h7v1h-7z", "M18 4h7v1h-7z", "M4 18h7v1h-7z", "M4 24h7v1h-7z"] {
            assert!(code.path.contains(mark), "{mark} in {}", code.path);
        }
    }

    #[test]
    fn nothing_and_too_much_give_no_code() {
        assert_eq!(drawing(""), None);
        assert!(drawing(&"x".repeat(1024)).is_some());
        assert_eq!(drawing(&"x".repeat(8_000)), None);
    }
}
