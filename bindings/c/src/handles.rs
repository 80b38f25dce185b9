//! Handles: numbers that are looked up before they are believed. None is ever used twice.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use paycore::error::{Code, Error};

use crate::instance::Instance;

static OPEN: LazyLock<Mutex<HashMap<u64, Arc<Instance>>>> = LazyLock::new(Mutex::default);
static NEXT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// Why the last open on this thread failed.
    static FAILURE: RefCell<Option<Error>> = const { RefCell::new(None) };
}

fn open() -> MutexGuard<'static, HashMap<u64, Arc<Instance>>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives an engine its handle.
pub(crate) fn insert(instance: Instance) -> u64 {
    let handle = NEXT.fetch_add(1, Ordering::Relaxed);
    open().insert(handle, Arc::new(instance));
    handle
}

/// Keeps the reason for whoever asks for it by the handle 0.
pub(crate) fn remember_failure(error: Error) {
    FAILURE.with_borrow_mut(|failure| *failure = Some(error));
}

/// The engine of a handle, kept alive while it is used.
pub(crate) fn find(handle: u64) -> Result<Arc<Instance>, Error> {
    if let Some(instance) = open().get(&handle) {
        return Ok(Arc::clone(instance));
    }
    let failure = FAILURE.with_borrow(Clone::clone).filter(|_| handle == 0);
    Err(failure.unwrap_or_else(|| {
        Error::new(Code::InvalidRequest, format!("There is no open engine with the handle {handle}."))
            .param("handle")
    }))
}

/// Forgets a handle; false where there is none. The engine ends with the last call that uses it.
pub(crate) fn remove(handle: u64) -> bool {
    let instance = open().remove(&handle);
    instance.is_some()
}
