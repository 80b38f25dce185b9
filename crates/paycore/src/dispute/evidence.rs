//! Evidence: files of a few harmless kinds, told by their content and not by their name. They are kept sealed and given
//! back as text in JSON only, so that no browser ever runs one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::id::{DisputeId, EvidenceId};
use crate::time::Timestamp;

/// Bytes of one file at most.
pub const SIZE_MAX: usize = 512 * 1024;
/// Files of one dispute at most.
pub const FILES_MAX: usize = 20;

/// A file that speaks for the merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its id.
    pub id: EvidenceId,
    /// 0 before it is first stored, then +1 per change.
    #[serde(skip)]
    pub version: i64,
    /// The dispute.
    pub dispute_id: DisputeId,
    /// What the merchant calls it, 1 to 100 characters.
    pub name: String,
    /// What it is.
    pub media_type: MediaType,
    /// Bytes.
    pub size: usize,
    /// Hex SHA-256 of the bytes.
    pub sha256: String,
    /// The bytes as base64, sealed for this tenant and id.
    pub sealed: String,
    /// When it was added.
    pub created_at: Timestamp,
}

/// The kinds of files that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MediaType {
    /// PDF.
    #[serde(rename = "application/pdf")]
    Pdf,
    /// PNG.
    #[serde(rename = "image/png")]
    Png,
    /// JPEG.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// Text in UTF-8 without control characters.
    #[serde(rename = "text/plain")]
    Text,
}

impl MediaType {
    /// What these bytes are, if they are anything that is taken.
    pub fn of(bytes: &[u8]) -> Option<MediaType> {
        const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
        match bytes {
            _ if bytes.starts_with(b"%PDF-") => Some(MediaType::Pdf),
            _ if bytes.starts_with(PNG) => Some(MediaType::Png),
            [0xff, 0xd8, 0xff, ..] => Some(MediaType::Jpeg),
            _ => is_text(bytes).then_some(MediaType::Text),
        }
    }
}

/// Whether it is plain text, and not the beginning of something that a program would take for more.
fn is_text(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    let opens = text.trim_start_matches('\u{feff}').trim_start();
    !opens.is_empty() && !opens.starts_with(['<', '{']) && !opens.starts_with("#!") && !text.contains(control)
}

fn too_large(param: &str) -> Error {
    Error::invalid(param.to_owned(), format!("The file may have at most {SIZE_MAX} bytes."))
}

/// Reads a file from its base64 text: the bytes and what they are.
pub fn read(param: &str, base64: &str) -> Result<(Vec<u8>, MediaType)> {
    // Four characters hold three bytes: what is longer cannot be within the limit and is not decoded.
    if base64.len() > SIZE_MAX.div_ceil(3) * 4 {
        return Err(too_large(param));
    }
    let bytes = STANDARD.decode(base64).map_err(|_| {
        Error::invalid(param.to_owned(), "Must be base64 with the standard alphabet and padding.")
    })?;
    if bytes.len() > SIZE_MAX {
        return Err(too_large(param));
    }
    let media_type = MediaType::of(&bytes).ok_or_else(|| {
        let detail =
            "Must be a PDF, a PNG, a JPEG or plain text in UTF-8; told by the content, not by the name.";
        Error::new(Code::MediaType, detail).param(param)
    })?;
    Ok((bytes, media_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_content_says() {
        let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0];
        let cases: &[(&[u8], Option<MediaType>)] = &[
            (b"%PDF-1.7\n", Some(MediaType::Pdf)),
            (b"\x89PNG\r\n\x1a\n....", Some(MediaType::Png)),
            (&jpeg, Some(MediaType::Jpeg)),
            ("已签收 signed for\n".as_bytes(), Some(MediaType::Text)),
            (b"", None),
            (b"<svg onload=alert(1)>", None),
            (b"\xef\xbb\xbf <html>", None),
            (b"#!/bin/sh", None),
            (b"PK\x03\x04", None),
            (b"MZ\x90\x00", None),
            (b"\x7fELF", None),
            (b"GIF89a\x01\x00", None),
            (b"\xff\xfet\x00", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(MediaType::of(bytes), *expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_too_large_or_not_base64_is_refused_by_name() {
        let fits = STANDARD.encode(vec![b'a'; SIZE_MAX]);
        assert_eq!(read("content", &fits).unwrap().0.len(), SIZE_MAX);
        for over in [SIZE_MAX + 1, SIZE_MAX + 2, SIZE_MAX * 2] {
            let error = read("content", &STANDARD.encode(vec![b'a'; over])).unwrap_err();
            assert_eq!((error.code, error.param.as_deref()), (Code::InvalidRequest, Some("content")));
        }
        assert_eq!(read("content", "%%%").unwrap_err().code, Code::InvalidRequest);
        assert_eq!(read("content", "UEsDBA==").unwrap_err().code, Code::MediaType);
    }
}
