//! When keys were used last. The moment is kept in memory and written down once a minute at most, so that a request does not wait for
//! the disk; a crash loses less than a minute of it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::RwLock;
use rookery_store::{Account, Read, Store, StoreError, Table};

use crate::cam::access_keys::AccessKeys;

/// The UNIX second of the last use that was written down, by SecretId.
pub(crate) struct KeyUses;

impl Table for KeyUses {
    const NAME: &'static str = "cam.key-uses";
    type Scope = Account;
    type Key = String;
    type Row = i64;
}

/// How many seconds may pass before a later use is written down.
const WRITTEN_EVERY: i64 = 60;

/// The uses since the start of the process.
#[derive(Default)]
pub(crate) struct UsesInMemory {
    uses: RwLock<HashMap<String, Use>>,
}

/// The UNIX seconds of the use of one key. Requests that come at once only read the map.
struct Use {
    last: AtomicI64,
    /// Of the last use that was handed to the store.
    written: AtomicI64,
}

impl Use {
    /// Takes a use down; whether it is to be written.
    fn note(&self, now: i64) -> bool {
        self.last.fetch_max(now, Ordering::Relaxed);
        let written = self.written.load(Ordering::Relaxed);
        let claim = || self.written.compare_exchange(written, now, Ordering::Relaxed, Ordering::Relaxed);
        now - written >= WRITTEN_EVERY && claim().is_ok()
    }
}

impl UsesInMemory {
    /// A key has signed a request at `now`.
    pub(crate) fn note(&self, store: &Store, account: u64, secret_id: &str, now: i64) {
        let known = self.uses.read().get(secret_id).map(|used| used.note(now));
        let due = known.unwrap_or_else(|| match self.uses.write().entry(secret_id.to_owned()) {
            Entry::Occupied(used) => used.get().note(now),
            Entry::Vacant(place) => {
                place.insert(Use { last: AtomicI64::new(now), written: AtomicI64::new(now) });
                true
            }
        });
        if due && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (store, scope, id) = (store.clone(), Account { uin: account }, secret_id.to_owned());
            runtime.spawn(async move {
                let written = store.write(move |tx| {
                    // The key may have been deleted since.
                    if tx.contains::<AccessKeys>(&scope, id.as_str())? {
                        tx.put::<KeyUses>(&scope, &id, &now)?;
                    }
                    Ok::<_, StoreError>(())
                });
                let written = written.await;
                if let Err(error) = written {
                    tracing::warn!(%error, "the last use of a key could not be written down");
                }
            });
        }
    }

    /// When a key was used last.
    pub(crate) fn last(
        &self,
        rows: &impl Read,
        scope: Account,
        secret_id: &str,
    ) -> Result<Option<i64>, StoreError> {
        let remembered = self.uses.read().get(secret_id).map(|used| used.last.load(Ordering::Relaxed));
        let written = rows.get::<KeyUses>(&scope, secret_id)?;
        Ok(remembered.max(written))
    }

    /// A key has ended.
    pub(crate) fn forget(&self, secret_id: &str) {
        self.uses.write().remove(secret_id);
    }
}

#[cfg(test)]
mod tests {
    use rookery_seal::Seal;

    use super::*;
    use crate::cam::access_keys::Fresh;

    #[tokio::test]
    async fn the_last_use_is_known_at_once_and_after_a_restart() {
        let (store, scope) = (Store::in_memory(), Account { uin: 1 });
        let key = Fresh::make(&Seal::ephemeral().unwrap(), 1, String::new(), 0).unwrap().row().1;
        store.write(move |tx| tx.put::<AccessKeys>(&scope, &"AKID1".to_owned(), &key)).await.unwrap();
        let uses = UsesInMemory::default();
        let last = |uses: &UsesInMemory| store.read(|view| uses.last(view, scope, "AKID1")).unwrap();
        assert_eq!(last(&uses), None);
        uses.note(&store, 1, "AKID1", 100);
        uses.note(&store, 1, "AKID1", 130);
        assert_eq!(last(&uses), Some(130));
        // Writers queue in order, so behind this write the one that was noted first is done.
        tokio::task::yield_now().await;
        store.write(|_| Ok::<_, StoreError>(())).await.unwrap();
        assert_eq!(last(&UsesInMemory::default()), Some(100), "the second is not due yet");
        uses.forget("AKID1");
        assert_eq!(last(&uses), Some(100));
    }

    #[tokio::test]
    async fn nothing_is_written_of_a_key_that_is_gone() {
        let (store, uses) = (Store::in_memory(), UsesInMemory::default());
        uses.note(&store, 1, "AKID1", 100);
        tokio::task::yield_now().await;
        store.write(|_| Ok::<_, StoreError>(())).await.unwrap();
        let written = store.read(|view| view.get::<KeyUses>(&Account { uin: 1 }, "AKID1")).unwrap();
        assert_eq!(written, None);
    }
}
