//! Replies: carried out, or refused with a code and a text.

use http::StatusCode;
use paycore::channel::{Context, Fault, Reply};
use paycore::time::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Identity;

/// A verified reply.
pub(crate) enum Answer<T> {
    /// Carried out, with what was said about it.
    Done(T),
    /// Not carried out, or not yet, for a reason that the documents name.
    Refused(Refused),
}

impl<T> Answer<T> {
    /// What was said, seen otherwise.
    pub(crate) fn map<U>(self, see: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Answer::Done(said) => Answer::Done(see(said)),
            Answer::Refused(refused) => Answer::Refused(refused),
        }
    }
}

/// Why a request was not carried out.
#[derive(Debug, Deserialize)]
pub(crate) struct Refused {
    code: String,
    message: String,
}

impl Refused {
    /// The code without underscores: `ORDER_NOT_EXIST` and `ORDERNOTEXIST` are both documented for the same thing.
    pub(crate) fn code(&self) -> String {
        self.code.replace('_', "")
    }

    /// The gateway's own code and text.
    pub(crate) fn text(self) -> (String, String) {
        (self.code.chars().take(64).collect(), self.message.chars().take(200).collect())
    }

    /// As an answer that settles nothing.
    pub(crate) fn unknown(self) -> Fault {
        let (code, message) = self.text();
        Fault::Unknown { code, message }
    }
}

impl Identity {
    /// Verifies and reads the reply to a call. An error whose signature is missing or wrong comes back as a fault with
    /// its text: whoever sits on the line could have written it, so it decides nothing.
    pub(crate) fn answer<T: DeserializeOwned>(
        &self,
        reply: &Reply,
        cx: &Context<'_>,
    ) -> Result<Answer<T>, Fault> {
        let verified = self.verify(reply.headers(), reply.body(), cx.now);
        let status = reply.status();
        let empty = reply.body().is_empty();
        if status == StatusCode::OK && !empty {
            verified?;
            return Ok(Answer::Done(read(reply.body())?));
        }
        // Some say so in one way, some in the other.
        if matches!(status, StatusCode::OK | StatusCode::NO_CONTENT) && empty {
            verified?;
            return Ok(Answer::Done(read(b"null")?));
        }
        let Ok(refused) = serde_json::from_slice::<Refused>(reply.body()) else {
            return Err(Fault::Unexpected(format!("HTTP status {}", status.as_u16())));
        };
        // 202 says that it is under way. A failure of the server itself is no answer, whatever its code.
        let definite = status == StatusCode::ACCEPTED
            || status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
        if verified.is_err() || !definite {
            return Err(refused.unknown());
        }
        Ok(Answer::Refused(refused))
    }
}

/// JSON in which every key we read occurs once.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::Unexpected(format!("the body: {error}")))
}

/// An instant that may be missing or empty.
pub(crate) fn instant(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    Timestamp::parse(text).map(Some).map_err(|_| Fault::Unexpected(format!("{name} {text:?}")))
}
