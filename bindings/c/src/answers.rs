//! Answers that are lent to the host. They stay ours until they come back, so that giving one back twice, or giving
//! back something that never was an answer, is noticed instead of corrupting memory.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

static LENT: LazyLock<Mutex<HashMap<usize, Box<[u8]>>>> = LazyLock::new(Mutex::default);

fn lent() -> MutexGuard<'static, HashMap<usize, Box<[u8]>>> {
    LENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps an answer until it comes back, and says where it lies. Answers are never empty.
pub(crate) fn lend(answer: String) -> (*const u8, usize) {
    let answer = answer.into_bytes().into_boxed_slice();
    let (start, length) = (answer.as_ptr(), answer.len());
    lent().insert(start.addr(), answer);
    (start, length)
}

/// Takes an answer back; false where nothing of this start and length is lent out.
pub(crate) fn take_back(start: *const u8, length: usize) -> bool {
    let mut lent = lent();
    let known = lent.get(&start.addr()).is_some_and(|answer| answer.len() == length);
    let answer = known.then(|| lent.remove(&start.addr()));
    drop(lent);
    answer.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_back_once_and_whole() {
        let (start, length) = lend("{}".into());
        assert!(!take_back(start, length + 1));
        assert!(!take_back(start.wrapping_add(1), length - 1));
        assert!(take_back(start, length));
        assert!(!take_back(start, length));
        assert!(!take_back(std::ptr::null(), 0));
    }
}
