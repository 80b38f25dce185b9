//! The provider's own way to check what the terminal signed and to sign what it says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use md5::{Digest as _, Md5};
use paycore::crypto::Scheme;

use super::Gateway;
use crate::sandbox::Note;

impl Gateway {
    /// Whether the request carries this terminal's signature over exactly its body.
    pub(super) fn authentic(&self, request: &Request<Bytes>) -> Option<()> {
        let mut given = request.headers().get_all(AUTHORIZATION).iter();
        let (Some(header), None) = (given.next(), given.next()) else { return None };
        let (terminal, sign) = header.to_str().ok()?.split_once(' ')?;
        let mut text = request.body().to_vec();
        text.extend_from_slice(self.terminal_key.as_bytes());
        (terminal == self.terminal_sn && sign == hex(&text)).then_some(())
    }

    /// Whether an address carries this terminal's signature over its other parameters.
    pub(super) fn authentic_page(&self, parameters: &[(String, String)]) -> Option<()> {
        let mut signs = parameters.iter().filter(|(name, _)| name == "sign");
        let (Some((_, sign)), None) = (signs.next(), signs.next()) else { return None };
        let mut rest: Vec<_> = parameters.iter().filter(|(name, _)| name != "sign").collect();
        rest.sort();
        let mut text = String::new();
        for (name, value) in rest {
            text += &format!("{name}={value}&");
        }
        text += &format!("key={}", self.terminal_key);
        (*sign == hex(text.as_bytes()).to_uppercase()).then_some(())
    }

    /// The same at every try.
    pub(super) fn noted(&self, note: &Note) -> Option<Request<Bytes>> {
        let body = note.content.to_string();
        let signature = self.signer.sign(Scheme::RsaSha256, body.as_bytes()).ok()?;
        let request = Request::post(&note.url).header(CONTENT_TYPE, "application/json");
        request.header(AUTHORIZATION, STANDARD.encode(signature)).body(body.into()).ok()
    }
}

fn hex(text: &[u8]) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
