//! The C door to paycore: five symbols, bytes in and bytes out, an engine inside.
//!
//! A call is one JSON object that names an operation of the catalogue, and so is its answer:
//!
//! ```json
//! {"op": "orders.create", "input": {"amount": 1234, "currency": "CNY", "subject": "Tea", "method": "alipay.qr"},
//!  "idempotency_key": "order-1"}
//! {"ok": {"id": "ord_…", "status": "pending", "next_action": {"type": "qr", "content": "…"}}}
//! {"error": {"code": "invalid_amount", "status": 400, "param": "amount", "title": "…", "detail": "…"}}
//! ```
//!
//! Nothing a host does may bring the process down: panics are caught, handles and answers are looked up before they
//! are believed, and wrong use is an answer like any other. What cannot be checked from inside (that a pointer leads
//! to as many bytes as it says) is all that is left to the caller.

#![deny(unsafe_op_in_unsafe_fn)]

mod answers;
mod call;
mod handles;
mod instance;
mod problem;
mod receive;

use std::panic::{AssertUnwindSafe, catch_unwind};

use paycore::error::{Code, Error};

/// The version of this interface. It changes when a symbol, its arguments or the shape of calls and answers do in
/// a way that old callers would not understand.
pub const PAYCORE_ABI: u32 = 1;
/// The largest configuration or call.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;
/// What `paycore_close` and `paycore_free` return when they did what was asked.
const DONE: i32 = 0;
/// What they return when there is nothing of that name: it never was, or it is gone already.
const UNKNOWN: i32 = 1;

/// The version of this interface, to be compared with the `PAYCORE_ABI` that a program was compiled with.
#[unsafe(no_mangle)]
pub extern "C" fn paycore_abi() -> u32 {
    PAYCORE_ABI
}

/// Opens an engine and returns its handle, or 0. After 0, `paycore_call` with the handle 0 on the same thread
/// answers with the reason.
///
/// `config` is one JSON object of `length` bytes; all its members may be left out:
/// `store` ("memory", "sqlite:PATH" or "postgres://…"), `root_keys` ("name:base64 of 32 bytes", needed unless the
/// store is memory), `sandbox` (true: simulated providers, no real money), `public_url`, `allow` (networks that may
/// be called although they are not public), `http` (whether plain http may be called), `workers` (whether this
/// process sends webhooks and asks for unknown outcomes), `language` ("en" or "zh", of error titles).
///
/// # Safety
/// `config` must be NULL or lead to `length` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn paycore_open(config: *const u8, length: usize) -> u64 {
    // SAFETY: the caller vouches for `config` and `length` as this function asks.
    let config = unsafe { bytes(config, length) };
    let opened = guarded(|| instance::Instance::open(config?)).map(handles::insert);
    opened.unwrap_or_else(|error| {
        handles::remember_failure(error);
        0
    })
}

/// Calls an operation and returns the answer: `answer_length` bytes of JSON, to be given back to `paycore_free`.
/// Blocks until the answer is there. Any thread may call, also several at once with the same handle.
///
/// NULL comes back only where `answer_length` is NULL, and nothing is done then.
///
/// # Safety
/// `request` must be NULL or lead to `length` readable bytes; `answer_length` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn paycore_call(
    handle: u64,
    request: *const u8,
    length: usize,
    answer_length: *mut usize,
) -> *const u8 {
    if answer_length.is_null() {
        return std::ptr::null();
    }
    // SAFETY: the caller vouches for `request` and `length` as this function asks.
    let request = unsafe { bytes(request, length) };
    let answer = guarded(|| handles::find(handle)?.call(request?))
        .unwrap_or_else(|error| problem::answer(&error, false));
    let (start, length) = answers::lend(answer);
    // SAFETY: it is not NULL, and the caller vouches that it is writable.
    unsafe { answer_length.write(length) };
    start
}

/// Gives an answer back. Returns 0, or 1 where these are not the start and length of an answer that is lent out: then
/// nothing happens.
#[unsafe(no_mangle)]
pub extern "C" fn paycore_free(answer: *const u8, length: usize) -> i32 {
    let returned = guarded(|| Ok(answers::take_back(answer, length)));
    if returned.unwrap_or(false) { DONE } else { UNKNOWN }
}

/// Closes an engine. Calls that are under way on other threads are finished first by those threads; later ones find
/// nothing. Returns 0, or 1 where no engine has this handle: then nothing happens.
#[unsafe(no_mangle)]
pub extern "C" fn paycore_close(handle: u64) -> i32 {
    let closed = guarded(|| Ok(handles::remove(handle)));
    if closed.unwrap_or(false) { DONE } else { UNKNOWN }
}

/// Borrows what the host passed, for the length of one call.
///
/// # Safety
/// `start` must be NULL or lead to `length` readable bytes that stay as they are during the call.
unsafe fn bytes<'a>(start: *const u8, length: usize) -> Result<&'a [u8], Error> {
    if start.is_null() {
        return Err(Error::new(Code::InvalidRequest, "The address of the bytes is NULL."));
    }
    if length > REQUEST_BYTES_MAX {
        let detail = format!("At most {REQUEST_BYTES_MAX} bytes can be passed at once.");
        return Err(Error::new(Code::BodyTooLarge, detail));
    }
    // SAFETY: not NULL; the caller vouches for the rest.
    Ok(unsafe { std::slice::from_raw_parts(start, length) })
}

/// Runs what the host asked for; a panic becomes an error and goes no further.
fn guarded<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Error::internal("a panic reached the door")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let result: Result<(), Error> = guarded(|| panic!("on purpose"));
        assert_eq!(result.unwrap_err().code, Code::Internal);
    }

    #[test]
    fn null_and_absurd_lengths_are_errors() {
        let code = |start, length| {
            // SAFETY: both are refused before anything is read.
            unsafe { bytes(start, length) }.unwrap_err().code
        };
        assert_eq!(code(std::ptr::null(), 0), Code::InvalidRequest);
        assert_eq!(code(std::ptr::null(), 10), Code::InvalidRequest);
        assert_eq!(code([0u8].as_ptr(), usize::MAX), Code::BodyTooLarge);
    }
}
