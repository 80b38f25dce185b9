//! A small map of values that may be two seconds old. A change made by another server takes effect within that.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use crate::time::Timestamp;

const AGE_MAX: Duration = Duration::from_secs(2);
/// When a map has grown to this, it is emptied: simpler than eviction and just as bounded.
const ENTRIES_MAX: usize = 10_000;

pub(super) struct Cache<K, V>(RwLock<HashMap<K, (Timestamp, Arc<V>)>>);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Cache(RwLock::new(HashMap::new()))
    }
}

impl<K: Eq + Hash + Clone, V> Cache<K, V> {
    /// The value, if it is young enough. A clock that went backwards makes it old.
    pub(super) fn fresh(&self, key: &K, now: Timestamp) -> Option<Arc<V>> {
        let map = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (kept, value) = map.get(key)?;
        (*kept <= now && now.since(*kept) < AGE_MAX).then(|| Arc::clone(value))
    }

    /// The value, however old.
    pub(super) fn last(&self, key: &K) -> Option<Arc<V>> {
        let map = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        map.get(key).map(|(_, value)| Arc::clone(value))
    }

    pub(super) fn keep(&self, key: K, value: V, now: Timestamp) -> Arc<V> {
        let value = Arc::new(value);
        let mut map = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if map.len() >= ENTRIES_MAX {
            map.clear();
        }
        map.insert(key, (now, Arc::clone(&value)));
        value
    }

    pub(super) fn forget(&self, key: &K) {
        self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner).remove(key);
    }
}
