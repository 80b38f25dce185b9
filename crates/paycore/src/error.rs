//! The one error type of paycore's operations. It says whose fault it is, which parameter, whether money may
//! have moved and whether trying again makes sense; the server renders it as RFC 9457 problem+json.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $text:literal $status:literal $title:literal $title_zh:literal;)*) => {
        /// A stable error code. The text never changes once released; titles may be reworded.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl Code {
            /// Every code, for the reference documentation.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];
            /// The code as it stands in `problem+json`.
            pub fn text(self) -> &'static str { match self { $(Code::$name => $text,)* } }
            /// The HTTP status it is answered with.
            pub fn status(self) -> u16 { match self { $(Code::$name => $status,)* } }
            /// A short English title.
            pub fn title(self) -> &'static str { match self { $(Code::$name => $title,)* } }
            /// A short Chinese title.
            pub fn title_zh(self) -> &'static str { match self { $(Code::$name => $title_zh,)* } }
        }
    };
}

codes! {
    /// The body or a parameter is not what the operation takes.
    InvalidRequest "invalid_request" 400 "The request is not valid" "请求无效";
    /// A required parameter is missing.
    MissingParameter "missing_parameter" 400 "A required parameter is missing" "缺少必填参数";
    /// A parameter that the operation does not know.
    UnknownParameter "unknown_parameter" 400 "Unknown parameter" "未知参数";
    /// An amount that is zero, negative, too large or of the wrong form.
    InvalidAmount "invalid_amount" 400 "The amount is not valid" "金额无效";
    /// A currency that is not an active ISO 4217 code, or not the order's.
    InvalidCurrency "invalid_currency" 400 "The currency is not valid" "币种无效";
    /// No `Idempotency-Key` where one is required.
    IdempotencyKeyMissing "idempotency_key_missing" 400 "An Idempotency-Key header is required" "缺少 Idempotency-Key 请求头";
    /// The key is empty, too long or not printable ASCII.
    IdempotencyKeyInvalid "idempotency_key_invalid" 400 "The Idempotency-Key is not valid" "Idempotency-Key 无效";
    /// A version header that names no released version.
    VersionUnknown "version_unknown" 400 "The API version is not known" "API 版本未知";
    /// No key, or one that is unknown, revoked or expired.
    Unauthenticated "unauthenticated" 401 "A valid API key is required" "需要有效的 API 密钥";
    /// The key is good but not allowed to do this.
    Forbidden "forbidden" 403 "The API key may not do this" "该 API 密钥无此权限";
    /// No such object for this merchant.
    NotFound "not_found" 404 "Not found" "未找到";
    /// The path exists but not with this method.
    MethodNotAllowed "method_not_allowed" 405 "Method not allowed" "不支持的请求方法";
    /// The first request with this key is still running.
    IdempotencyInFlight "idempotency_in_flight" 409 "A request with this Idempotency-Key is still running" "相同 Idempotency-Key 的请求正在处理";
    /// The object changed between reading and writing more often than is reasonable.
    Conflict "conflict" 409 "The object was changed at the same time" "对象正被并发修改";
    /// The merchant's own number is already used by another object.
    DuplicateNumber "duplicate_number" 409 "This number is already in use" "该编号已被使用";
    /// The object's state does not allow this.
    StateNotAllowed "state_not_allowed" 409 "The current state does not allow this" "当前状态不允许此操作";
    /// An earlier attempt's outcome is not known yet.
    OutcomeUnknown "outcome_unknown" 409 "An earlier outcome is not known yet" "前一次操作结果未知";
    /// The body is larger than allowed.
    BodyTooLarge "body_too_large" 413 "The request body is too large" "请求体过大";
    /// The body is not `application/json`.
    MediaType "unsupported_media_type" 415 "The body must be application/json" "请求体必须是 application/json";
    /// The same key was used with another body.
    IdempotencyMismatch "idempotency_mismatch" 422 "This Idempotency-Key was used with another request" "该 Idempotency-Key 已用于其他请求";
    /// More would be refunded than was captured.
    RefundExceedsCapture "refund_exceeds_capture" 422 "The refund is larger than what is left to refund" "退款金额超过可退余额";
    /// More would be captured than was authorized.
    CaptureExceedsAuthorization "capture_exceeds_authorization" 422 "The capture is larger than the authorization" "请款金额超过预授权金额";
    /// No configured channel takes this method, currency or amount.
    NoChannel "no_channel" 422 "No channel can take this payment" "没有可用的支付渠道";
    /// The channel's settings are incomplete or wrong.
    ChannelSettings "channel_settings" 422 "The channel's settings are not valid" "渠道配置无效";
    /// The channel refused the request before any money could move.
    ChannelRefused "channel_refused" 422 "The channel cannot do this" "渠道无法执行此操作";
    /// An account does not have what is to be taken from it.
    InsufficientBalance "insufficient_balance" 422 "The balance is not sufficient" "余额不足";
    /// The account is frozen.
    AccountFrozen "account_frozen" 422 "The account is frozen" "账户已冻结";
    /// The booking counts for a date in a closed period.
    BooksClosed "books_closed" 422 "The books are closed for this date" "该日期已关账";
    /// There is no rate between two currencies that may be quoted by.
    NoRate "no_rate" 422 "There is no current exchange rate" "没有有效汇率";
    /// Too many requests.
    RateLimited "rate_limited" 429 "Too many requests" "请求过于频繁";
    /// Something failed on our side; nothing is known to be lost.
    Internal "internal" 500 "Internal error" "内部错误";
    /// The store cannot take writes now.
    Unavailable "unavailable" 503 "Temporarily unavailable" "服务暂不可用";
}

/// Why an operation was refused or failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code:?}: {detail}")]
pub struct Error {
    /// The stable code.
    pub code: Code,
    /// What went wrong and how to mend it, safe to show to the caller.
    pub detail: Cow<'static, str>,
    /// The parameter at fault, as a path such as `line_items[0].quantity`.
    pub param: Option<String>,
    /// The object the error is about, such as the order that already has this number.
    pub object_id: Option<String>,
    /// For the log only; never shown to callers.
    pub internal: Option<String>,
}

/// The result of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with a code and a text for the caller.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Error { code, detail: detail.into(), param: None, object_id: None, internal: None }
    }

    /// A parameter that is not valid.
    pub fn invalid(param: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Self {
        Error::new(Code::InvalidRequest, detail).param(param)
    }

    /// An object that does not exist for this merchant (or belongs to another: the answer is the same).
    pub fn not_found(kind: &'static str, id: impl std::fmt::Display) -> Self {
        Error::new(Code::NotFound, format!("There is no {kind} `{id}` for this merchant."))
    }

    /// A failure on our side. `internal` goes to the log.
    pub fn internal(internal: impl std::fmt::Display) -> Self {
        Error {
            internal: Some(internal.to_string()),
            ..Error::new(Code::Internal, "Something failed on our side. Retry with the same Idempotency-Key.")
        }
    }

    /// Names the parameter at fault.
    #[must_use]
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Names the object the error is about.
    #[must_use]
    pub fn object(mut self, id: impl std::fmt::Display) -> Self {
        self.object_id = Some(id.to_string());
        self
    }

    /// Whether sending the same request again may succeed without any change.
    pub fn retryable(&self) -> bool {
        matches!(
            self.code,
            Code::IdempotencyInFlight
                | Code::Conflict
                | Code::RateLimited
                | Code::Internal
                | Code::Unavailable
                | Code::OutcomeUnknown
        )
    }
}
