//! Reading a body: all of it, and never more than allowed.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt as _;
use paycore::error::{Code, Error, Result};

/// How long a refused body may go on arriving.
const LINGER: Duration = Duration::from_secs(10);

/// The whole body, or an error as soon as it is known to be larger than `max` bytes.
pub(super) async fn read(mut body: Body, max: usize) -> Result<Bytes> {
    if body.size_hint().lower() > max as u64 {
        return Err(too_large(body, max));
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(Error::new(Code::InvalidRequest, "The body did not arrive whole."));
        };
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > max {
            return Err(too_large(body, max));
        }
        // Most bodies are one frame, which is then not copied.
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    Ok([first, rest.freeze()].concat().into())
}

/// Refuses a body. What a client still sends of it is thrown away for a while, up to twice of what is allowed: one that
/// sends everything before it reads would be told that the connection broke, and not why.
fn too_large(mut body: Body, max: usize) -> Error {
    tokio::spawn(tokio::time::timeout(LINGER, async move {
        let mut left = max.saturating_mul(2);
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    }));
    Error::new(Code::BodyTooLarge, format!("The body may have at most {max} bytes."))
}

/// Refuses a body that does not say it is JSON.
pub(super) fn require_json(headers: &HeaderMap) -> Result<()> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = value.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Error::new(Code::MediaType, "Send the body as JSON with `Content-Type: application/json`."))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http::HeaderValue;

    use super::*;

    fn streamed(chunks: &[&'static str]) -> Body {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok::<_, Infallible>(*chunk)).collect();
        Body::from_stream(stream::iter(chunks))
    }

    #[tokio::test]
    async fn a_body_is_read_whole_up_to_the_limit() {
        assert_eq!(read(streamed(&["ab", "c", "de"]), 5).await.unwrap(), "abcde");
        assert_eq!(read(Body::empty(), 5).await.unwrap(), "");
        assert_eq!(read(streamed(&["ab", "cdef"]), 5).await.unwrap_err().code, Code::BodyTooLarge);
        assert_eq!(read(Body::from("abcdef"), 5).await.unwrap_err().code, Code::BodyTooLarge);
    }

    #[test]
    fn only_json_is_json() {
        let check = |text: &'static str| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(text))]);
            require_json(&headers).is_ok()
        };
        assert!(check("application/json") && check("Application/JSON; charset=utf-8"));
        assert!(!check("text/json") && !check("application/jsonx") && !check(""));
        assert!(require_json(&HeaderMap::new()).is_err());
    }
}
