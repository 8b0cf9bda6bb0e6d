//! A bounded map that forgets what has not been asked for lately.

use std::collections::HashMap;
use std::hash::Hash;

use parking_lot::Mutex;

/// Two generations of entries: when the young one is full it becomes the old one, and what was old is forgotten. An entry
/// that is asked for moves back among the young, so at most twice the capacity is kept and hot entries stay.
pub(crate) struct Generations<K, V> {
    capacity: usize,
    entries: Mutex<Entries<K, V>>,
}

struct Entries<K, V> {
    young: HashMap<K, (V, usize)>,
    old: HashMap<K, (V, usize)>,
    weight: usize,
}

impl<K: Eq + Hash + Clone, V: Clone> Generations<K, V> {
    /// `capacity` is the weight of one generation.
    pub(crate) fn new(capacity: usize) -> Self {
        let entries = Entries { young: HashMap::new(), old: HashMap::new(), weight: 0 };
        Self { capacity, entries: Mutex::new(entries) }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let mut entries = self.entries.lock();
        if let Some((value, _)) = entries.young.get(key) {
            return Some(value.clone());
        }
        let (value, weight) = entries.old.remove(key)?;
        entries.insert(self.capacity, key.clone(), value.clone(), weight);
        Some(value)
    }

    /// Inserts an entry of weight one.
    pub(crate) fn insert(&self, key: K, value: V) {
        self.insert_weighing(key, value, 1);
    }

    /// Inserts an entry, unless it alone would fill a generation.
    pub(crate) fn insert_weighing(&self, key: K, value: V, weight: usize) {
        if weight <= self.capacity {
            self.entries.lock().insert(self.capacity, key, value, weight);
        }
    }

    pub(crate) fn remove(&self, key: &K) {
        let mut entries = self.entries.lock();
        if let Some((_, weight)) = entries.young.remove(key) {
            entries.weight -= weight;
        }
        entries.old.remove(key);
    }
}

impl<K: Eq + Hash, V> Entries<K, V> {
    fn insert(&mut self, capacity: usize, key: K, value: V, weight: usize) {
        if self.weight + weight > capacity {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += weight;
        if let Some((_, replaced)) = self.young.insert(key, (value, weight)) {
            self.weight -= replaced;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_asked_for_stays() {
        let cache = Generations::new(2);
        cache.insert("hot", 0);
        for cold in ["a", "b", "c", "d", "e"] {
            cache.insert(cold, 1);
            assert_eq!(cache.get(&"hot"), Some(0), "after {cold}");
        }
        assert_eq!(cache.get(&"a"), None);
        cache.remove(&"hot");
        assert_eq!(cache.get(&"hot"), None);
    }

    #[test]
    fn what_is_too_heavy_is_not_kept() {
        let cache = Generations::new(10);
        cache.insert_weighing(1, (), 11);
        assert_eq!(cache.get(&1), None);
    }

    proptest! {
        #[test]
        fn the_weight_is_bounded(entries in prop::collection::vec((0_u8..20, 0_usize..12), 0..200)) {
            let cache = Generations::new(10);
            for (key, weight) in entries {
                cache.insert_weighing(key, weight, weight);
                let kept = cache.entries.lock();
                prop_assert_eq!(kept.weight, kept.young.values().map(|(_, weight)| weight).sum::<usize>());
                prop_assert!(kept.weight <= 10 && kept.old.values().map(|(_, weight)| weight).sum::<usize>() <= 10);
            }
        }
    }
}
