//! The two kinds of failure that are not an answer.

/// Nothing was sent: the operation cannot be put into this channel's words. Another channel may be tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The channel has no such operation, method or scene.
    #[error("the channel does not support {0}")]
    Unsupported(&'static str),
    /// The amount or currency does not fit the channel.
    #[error("the channel cannot take this amount: {0}")]
    Amount(String),
    /// Another value does not fit; names the parameter of the operation.
    #[error("`{param}` does not fit the channel: {detail}")]
    Parameter {
        /// The field of the operation.
        param: &'static str,
        /// What would fit.
        detail: String,
    },
    /// Signing failed.
    #[error("the request could not be signed")]
    Signing,
}

/// Something arrived (or was lost) that cannot be believed or understood. After a call with `Effect::Money` the
/// outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No usable reply: connect, timeout, reset.
    #[error("no reply: {0}")]
    Transport(String),
    /// A status, code or shape that the channel's documents do not name.
    #[error("the reply is not understood: {0}")]
    Unexpected(String),
    /// The channel said that it does not know or that its system failed.
    #[error("the channel does not know: {code} {message}")]
    Unknown {
        /// The channel's code.
        code: String,
        /// The channel's text.
        message: String,
    },
    /// Missing or wrong signature.
    #[error("the signature does not verify")]
    Signature,
    /// Authentic, but for another account, or outside the accepted time.
    #[error("authentic but not acceptable: {0}")]
    Unacceptable(String),
    /// The channel has no such thing to verify or parse.
    #[error("not supported by the channel")]
    Unsupported,
}
