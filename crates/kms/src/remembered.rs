//! Rows of the keys in use as they were last read: a signature of P-256 or four KiB of AES take less time than a look into the store.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;

/// How many rows are kept. Who uses more keys than these at the same time reads some of them again.
const KEPT: usize = 4096;

/// Rows that count for as long as the store has not changed since they were read.
pub(crate) struct Remembered<K, R> {
    rows: Mutex<Rows<K, R>>,
}

struct Rows<K, R> {
    /// How often the store had changed before they were read.
    changes: u64,
    rows: HashMap<K, Arc<R>>,
}

impl<K, R> Default for Remembered<K, R> {
    fn default() -> Self {
        Self { rows: Mutex::new(Rows { changes: 0, rows: HashMap::new() }) }
    }
}

impl<K: Eq + Hash, R> Remembered<K, R> {
    /// The row of `key`, by `read` where it is not known for certain. `changes` is how often the store has changed by now. A row that is
    /// not there is looked for each time.
    pub(crate) fn row<E>(
        &self,
        changes: u64,
        key: K,
        read: impl FnOnce(&K) -> Result<Option<R>, E>,
    ) -> Result<Option<Arc<R>>, E> {
        {
            let remembered = self.rows.lock();
            if remembered.changes == changes
                && let Some(row) = remembered.rows.get(&key)
            {
                return Ok(Some(Arc::clone(row)));
            }
        }
        let Some(row) = read(&key)?.map(Arc::new) else { return Ok(None) };
        let mut remembered = self.rows.lock();
        // What others have read since is newer.
        if remembered.changes <= changes {
            if remembered.changes < changes || remembered.rows.len() >= KEPT {
                remembered.rows.clear();
            }
            remembered.changes = changes;
            remembered.rows.insert(key, Arc::clone(&row));
        }
        Ok(Some(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks at a time when the store has changed so often; tells what it was told, and whether it had to be read.
    fn ask(
        rows: &Remembered<u64, &'static str>,
        changes: u64,
        key: u64,
        now: &'static str,
    ) -> (&'static str, bool) {
        let mut read = false;
        let row = rows.row(changes, key, |_| {
            read = true;
            Ok::<_, ()>(Some(now))
        });
        (*row.unwrap().unwrap(), read)
    }

    #[test]
    fn a_row_is_read_once_for_each_state_of_the_store() {
        let rows = Remembered::default();
        assert_eq!(ask(&rows, 0, 1, "one"), ("one", true));
        assert_eq!(ask(&rows, 0, 1, "unseen"), ("one", false));
        assert_eq!(ask(&rows, 0, 2, "two"), ("two", true));
        assert_eq!(ask(&rows, 1, 1, "changed"), ("changed", true));
        assert_eq!(ask(&rows, 1, 2, "two"), ("two", true), "every row may have changed");
        // Who began before the change does not put back what was.
        assert_eq!(ask(&rows, 0, 1, "one"), ("one", true));
        assert_eq!(ask(&rows, 1, 1, "unseen"), ("changed", false));
    }

    #[test]
    fn what_is_not_there_and_what_failed_is_not_remembered() {
        let rows = Remembered::<u64, &str>::default();
        assert_eq!(rows.row(0, 1, |_| Ok::<_, ()>(None)), Ok(None));
        assert_eq!(rows.row(0, 1, |_| Err("broken")), Err("broken"));
        assert_eq!(ask(&rows, 0, 1, "there"), ("there", true));
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let rows = Remembered::default();
        for key in 0..=KEPT as u64 {
            ask(&rows, 0, key, "row");
        }
        assert_eq!(rows.rows.lock().rows.len(), 1);
    }
}
