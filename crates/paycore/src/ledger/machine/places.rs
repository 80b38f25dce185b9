//! Where ids stand. A ledger finds an id for every transfer, so this is most of what it costs in memory and in time.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Finds the place of an id in a list. Only places are kept, four bytes each; the ids are those of the list, which the
/// caller reads with `id_at`. A smaller table misses the processor's cache less often.
#[derive(Debug, Default)]
pub(super) struct Places {
    table: HashTable<u32>,
    /// Seeded anew for each machine, so that nobody can choose ids that all meet in one place.
    hasher: DefaultHashBuilder,
}

impl Places {
    /// The place of an id.
    pub(super) fn find(&self, id: u128, id_at: impl Fn(u32) -> u128) -> Option<u32> {
        self.table.find(self.hasher.hash_one(id), |&at| id_at(at) == id).copied()
    }

    /// Adds an id that was not found. It may not stand in the list yet; all others do.
    pub(super) fn insert(&mut self, id: u128, at: u32, id_at: impl Fn(u32) -> u128) {
        let hasher = &self.hasher;
        self.table.insert_unique(hasher.hash_one(id), at, |&at| hasher.hash_one(id_at(at)));
    }

    /// Takes the id of a place out.
    pub(super) fn remove(&mut self, id: u128, at: u32) {
        if let Ok(found) = self.table.find_entry(self.hasher.hash_one(id), |&other| other == at) {
            found.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn an_id_is_found_until_it_is_taken_out() {
        let ids: Vec<u128> = (0..1_000).map(|at| at * 0x1_0000_0000_0001).collect();
        let (mut places, id_at) = (Places::default(), |at: u32| ids[at as usize]);
        for (at, &id) in (0..).zip(&ids) {
            assert_eq!(places.find(id, id_at), None);
            places.insert(id, at, id_at);
        }
        places.remove(ids[7], 7);
        for (at, &id) in (0..).zip(&ids) {
            assert_eq!(places.find(id, id_at), (at != 7).then_some(at));
        }
    }
}
