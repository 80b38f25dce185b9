//! What a branding may say: colours that can be read, images that are images, origins that are origins.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Logo, Look, UpdateBranding, Words};
use crate::error::{Error, Result};
use crate::order::input::{optional, text};

/// The languages of the payment pages.
pub const LANGUAGES: &[&str] = &["zh-CN", "zh-TW", "en", "ja", "ko", "es", "pt-BR", "fr", "de", "ar"];
/// The text of our pages where the payer's system is light.
pub const INK: Color = Color(0x1c, 0x24, 0x30);
/// The ground where the payer's system is dark.
pub const NIGHT: Color = Color(0x17, 0x1c, 0x24);
/// The ground of the sheet where the payer's system is light.
pub const PAPER: Color = Color(0xff, 0xff, 0xff);
const LOGO_BYTES_MAX: usize = 32 * 1024;
const WORDS_MAX: usize = 100;

/// A colour of a screen: red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub u8, pub u8, pub u8);

impl Color {
    /// Reads `#rrggbb`.
    pub fn parse(value: &str) -> Option<Color> {
        let digits = value.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |from: usize| u8::from_str_radix(&digits[from..from + 2], 16).ok();
        let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        plain.then(|| Some(Color(part(0)?, part(2)?, part(4)?)))?
    }

    /// `#rrggbb`.
    pub fn css(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    /// How bright it is to the eye, in millionths of white: the relative luminance of WCAG 2, with a polynomial in the
    /// place of its curve, which is off by less than half a percent of white.
    fn luminance(self) -> i64 {
        let linear = |channel: u8| {
            let v = i64::from(channel) * 1_000 / 255;
            (12_523 * v + 682_171 * v * v / 1_000 + 305_306 * v * v / 1_000 * v / 1_000) / 1_000
        };
        (212_600 * linear(self.0) + 715_200 * linear(self.1) + 72_200 * linear(self.2)) / 1_000_000
    }

    /// The contrast of two colours in hundredths: 100 for equals, 2,100 for black on white.
    pub fn contrast(self, other: Color) -> i64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 50_000) * 100 / (a.min(b) + 50_000)
    }

    /// White or nearly black, whichever is easier to read on this colour.
    pub fn ink(self) -> Color {
        if self.contrast(PAPER) >= 450 { PAPER } else { Color(0x10, 0x14, 0x1a) }
    }

    /// The same colour, mixed with white until it can be read on a dark ground.
    pub fn at_night(self) -> Color {
        let mix = |part: u8, tenths: u16| (u16::from(part) + (255 - u16::from(part)) * tenths / 10) as u8;
        let lighter = |tenths| Color(mix(self.0, tenths), mix(self.1, tenths), mix(self.2, tenths));
        (0..10).map(lighter).find(|color| color.contrast(NIGHT) >= 450).unwrap_or(PAPER)
    }
}

impl UpdateBranding {
    /// What it says, or the first parameter that is not right. Plain http may only frame a sandbox, for a page that is
    /// still being built.
    pub fn look(self, livemode: bool) -> Result<Look> {
        let background = color("color_background", self.color_background.as_deref())?;
        readable("color_background", background, INK, 450, "our dark text", "lighter")?;
        let primary = color("color_primary", self.color_primary.as_deref())?;
        readable("color_primary", primary, PAPER, 300, "the white sheet", "darker")?;
        optional("note", self.note.as_deref(), 200)?;
        check_texts(&self.texts)?;
        check_origins(&self.frame_ancestors, livemode)?;
        let logo = match (self.logo_url, self.logo) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid("logo", "Give either `logo` or `logo_url`, not both."));
            }
            (Some(address), None) => Some(address_of_logo(address)?),
            (None, Some(content)) => Some(image(content)?),
            (None, None) => None,
        };
        Ok(Look {
            color_primary: primary.map(Color::css),
            color_background: background.map(Color::css),
            logo,
            note: self.note,
            texts: self.texts,
            frame_ancestors: self.frame_ancestors,
        })
    }
}

fn color(param: &str, value: Option<&str>) -> Result<Option<Color>> {
    let Some(value) = value else { return Ok(None) };
    let color = Color::parse(value);
    color.map(Some).ok_or_else(|| Error::invalid(param.to_owned(), "Must be a colour such as `#0b5fb8`."))
}

/// Refuses a colour that is hard to see beside another.
fn readable(
    param: &str,
    color: Option<Color>,
    beside: Color,
    least: i64,
    what: &str,
    mend: &str,
) -> Result<()> {
    let Some(contrast) = color.map(|color| color.contrast(beside)).filter(|contrast| *contrast < least)
    else {
        return Ok(());
    };
    let decimal = |hundredths: i64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
    let detail = format!(
        "Its contrast to {what} is {} to 1; at least {} to 1 is needed. Take a {mend} one.",
        decimal(contrast),
        decimal(least)
    );
    Err(Error::invalid(param.to_owned(), detail))
}

fn address_of_logo(address: String) -> Result<Logo> {
    let wrong = || Error::invalid("logo_url", "Must be an absolute https address without user information.");
    let uri: http::Uri = address.parse().map_err(|_| wrong())?;
    let plain = uri.authority().is_some_and(|to| !to.host().is_empty() && !to.as_str().contains('@'));
    // It stands in a header, where these separate.
    let safe = !address.contains([';', ',', '\'', '"', ' ']);
    if uri.scheme_str() == Some("https") && plain && safe && address.len() <= 2_000 {
        Ok(Logo::Address(address))
    } else {
        Err(wrong())
    }
}

fn image(content: String) -> Result<Logo> {
    let wrong = |detail: &'static str| Error::invalid("logo", detail);
    let bytes = STANDARD.decode(&content).map_err(|_| wrong("Must be the file in standard base64."))?;
    if bytes.len() > LOGO_BYTES_MAX {
        return Err(wrong("Must be at most 32 KiB; make the image smaller."));
    }
    // What it is, is told by its first bytes. Pictures that can hold scripts, such as SVG, are not taken.
    let media_type = match bytes.as_slice() {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        _ => return Err(wrong("Must be a PNG, JPEG or WebP image.")),
    };
    Ok(Logo::Image { media_type: media_type.to_owned(), content })
}

fn check_texts(words: &Words) -> Result<()> {
    if words.values().map(|words| words.len()).sum::<usize>() > WORDS_MAX {
        return Err(Error::invalid("texts", "At most 100 texts."));
    }
    for (language, words) in words {
        let param = format!("texts.{language}");
        if !LANGUAGES.contains(&language.as_str()) {
            let detail = format!("The languages are {}.", LANGUAGES.join(", "));
            return Err(Error::invalid(param, detail));
        }
        for (key, value) in words {
            let plain = key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if key.is_empty() || key.len() > 40 || !plain {
                return Err(Error::invalid(param, "Keys are lower-case words such as `done_title`."));
            }
            text(&format!("{param}.{key}"), value, 1, 300)?;
        }
    }
    Ok(())
}

fn check_origins(origins: &[String], livemode: bool) -> Result<()> {
    if origins.len() > 10 {
        return Err(Error::invalid("frame_ancestors", "At most 10 origins."));
    }
    for (index, origin) in origins.iter().enumerate() {
        if !is_origin(origin, livemode) {
            let detail = "Must be an https origin such as `https://shop.example`, without a path.";
            return Err(Error::invalid(format!("frame_ancestors[{index}]"), detail));
        }
    }
    Ok(())
}

/// Scheme, host and perhaps a port, and nothing that could be more than that in a header.
pub fn is_origin(origin: &str, livemode: bool) -> bool {
    let secure = origin.strip_prefix("https://");
    let Some(host) = secure.or_else(|| origin.strip_prefix("http://").filter(|_| !livemode)) else {
        return false;
    };
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
    let named = !name.is_empty() && name.len() <= 253 && name.bytes().all(fits);
    named && !port.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(a: &str, b: &str) -> i64 {
        Color::parse(a).unwrap().contrast(Color::parse(b).unwrap())
    }

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        assert_eq!((contrast("#000000", "#ffffff"), contrast("#777777", "#777777")), (2_100, 100));
        // Known pairs, to within 5 hundredths: #767676 is the lightest grey that passes 4.5 on white.
        for (a, b, known) in
            [("#767676", "#ffffff", 454), ("#0b5fb8", "#ffffff", 630), ("#ff0000", "#ffffff", 400)]
        {
            let found = contrast(a, b);
            assert!((found - known).abs() <= 12, "{a} on {b}: {found}, {known} is known");
        }
        for wrong in ["", "#fff", "0b5fb8", "#0b5fbg", "#+b5fb8", "#0b5fb8 ", "red"] {
            assert_eq!(Color::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_colour_has_an_ink_and_a_night() {
        for r in (0..=255).step_by(51) {
            for g in (0..=255).step_by(51) {
                for b in (0..=255).step_by(51) {
                    let color = Color(r, g, b);
                    assert!(color.contrast(color.ink()) >= 450, "{}", color.css());
                    let night = color.at_night();
                    assert!(
                        night.contrast(NIGHT) >= 450 && night.contrast(night.ink()) >= 450,
                        "{}",
                        color.css()
                    );
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_contrast() {
        let input = UpdateBranding { color_primary: Some("#ffee00".into()), ..UpdateBranding::default() };
        let error = input.look(true).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("color_primary"));
        assert!(
            error.detail.contains("at least 3.00 to 1") && error.detail.contains("darker"),
            "{}",
            error.detail
        );
        let input = UpdateBranding { color_background: Some("#333333".into()), ..UpdateBranding::default() };
        assert_eq!(input.look(true).unwrap_err().param.as_deref(), Some("color_background"));
        let input = UpdateBranding { color_primary: Some("#0B5FB8".into()), ..UpdateBranding::default() };
        assert_eq!(input.look(true).unwrap().color_primary.as_deref(), Some("#0b5fb8"));
    }

    #[test]
    fn only_origins_may_frame_and_plain_http_only_a_sandbox() {
        for (origin, live, sandbox) in [
            ("https://shop.example", true, true),
            ("https://shop.example:8443", true, true),
            ("http://localhost:3000", false, true),
            ("https://shop.example/", false, false),
            ("https://*.shop.example", false, false),
            ("https://a b", false, false),
            ("https://a;script-src *", false, false),
            ("https://", false, false),
            ("https://a:0", false, false),
            ("'self'", false, false),
            ("*", false, false),
        ] {
            assert_eq!((is_origin(origin, true), is_origin(origin, false)), (live, sandbox), "{origin}");
        }
    }

    #[test]
    fn a_logo_is_an_image_or_an_https_address() {
        let look = |logo: Option<&[u8]>, url: Option<&str>| {
            let logo = logo.map(|bytes| STANDARD.encode(bytes));
            UpdateBranding { logo, logo_url: url.map(str::to_owned), ..UpdateBranding::default() }.look(true)
        };
        assert!(look(Some(b"\x89PNG\r\n\x1a\n..."), None).unwrap().logo.is_some());
        for wrong in [&b"<svg onload=alert(1)>"[..], b"GIF89a", b""] {
            assert_eq!(look(Some(wrong), None).unwrap_err().param.as_deref(), Some("logo"));
        }
        assert_eq!(look(Some(&[0xff; 40_000]), None).unwrap_err().param.as_deref(), Some("logo"));
        assert!(look(None, Some("https://shop.example/logo.png")).is_ok());
        for wrong in
            ["http://shop.example/l.png", "https://a@b/", "https://a/;script-src", "data:image/png,x"]
        {
            assert_eq!(look(None, Some(wrong)).unwrap_err().param.as_deref(), Some("logo_url"), "{wrong}");
        }
        assert!(look(Some(b"\xff\xd8\xff"), Some("https://a/")).is_err());
    }
}
