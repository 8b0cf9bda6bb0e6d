//! What happens to keys by itself, by the world's clock: deletion after the window, expiry of imported material, rotation.
//!
//! Every action first does what is due, so that nobody sees a key as it no longer should be. [`Kms::run_timers`] does it where nobody
//! asks for anything, so that what is to be gone is gone. What is due is found by an index, and is done in the transaction that finds it.

use std::sync::Arc;
use std::time::Duration;

use rookery_store::{Read, Regional, Scan, StoreError, Transaction};
use tokio::sync::watch;

use crate::Kms;
use crate::data_keys;
use crate::envelope::SymmetricKey;
use crate::error::Error;
use crate::keys::{self, ByDue, Key, KeyId, Keys, Versions};
use crate::states::KeyState;

/// How many keys are dealt with in one transaction.
const BATCH: usize = 100;
/// How often the clock is looked at where nobody asks.
const PULSE: Duration = Duration::from_mins(1);
pub(crate) const DAY: u64 = 24 * 60 * 60;

/// When something is due next, in UNIX seconds.
pub(crate) struct Due {
    keys: Option<u64>,
    data_keys: Option<u64>,
}

impl Kms {
    /// The world's time, in UNIX seconds.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.world.unix_seconds()).unwrap_or_default()
    }

    /// Does, until `stop` turns true or its sender is gone, what is due by the world's clock. Failures are logged and tried again.
    pub async fn run_timers(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let passes = async {
            loop {
                if let Err(error) = self.settle().await {
                    tracing::error!(%error, "what is due on keys failed; it will be tried again");
                }
                tokio::time::sleep(PULSE).await;
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => {}
            () = passes => {}
        }
    }

    /// Does what is due by now. Mostly that is nothing, which one look at the store tells.
    pub(crate) async fn settle(&self) -> Result<(), Error> {
        let now = self.now();
        let due = self.due.row(self.store.changes(), (), |()| {
            self.store.read(|view| {
                let (keys, data_keys) = (next_due(view)?, data_keys::next_due(view)?);
                Ok::<_, Error>(Some(Due { keys, data_keys }))
            })
        })?;
        let by_now = |next: Option<u64>| next.is_some_and(|next| next <= now);
        let (keys, data_keys) = due.map_or((false, false), |due| (by_now(due.keys), by_now(due.data_keys)));
        if keys {
            self.settle_keys(now).await?;
        }
        if data_keys {
            self.settle_data_keys(now).await?;
        }
        Ok(())
    }

    async fn settle_keys(&self, now: u64) -> Result<(), Error> {
        loop {
            let seal = self.seal.clone();
            let (done, unusable) = self
                .store
                .write(move |tx| {
                    let keys = tx.scan_index::<ByDue>(due(now).limit(BATCH))?;
                    let done = keys.len() < BATCH;
                    let mut unusable = Vec::new();
                    for (scope, id, key) in keys {
                        let id = KeyId::parse(&id)?;
                        if settle_key(tx, &seal, &scope, &id, key, now)? {
                            unusable.push((scope, id));
                        }
                    }
                    Ok::<_, Error>((done, unusable))
                })
                .await?;
            for (scope, id) in unusable {
                self.forget(&scope, &id);
            }
            if done {
                return Ok(());
            }
        }
    }
}

/// The keys on which something is due by `now`, the latest first.
fn due(now: u64) -> Scan<u64> {
    Scan::all().from(&now).reverse()
}

/// When the next key is due.
fn next_due(view: &impl Read) -> Result<Option<u64>, StoreError> {
    let first = view.scan_index::<ByDue>(Scan::all().limit(1))?;
    Ok(first.into_iter().find_map(|(_, _, key)| key.due()))
}

/// Does what is due on one key, after which nothing is by `now`. Says whether its material is gone.
fn settle_key(
    tx: &mut Transaction<'_>,
    seal: &rookery_seal::Seal,
    scope: &Regional,
    id: &KeyId,
    mut key: Key,
    now: u64,
) -> Result<bool, Error> {
    if key.state == KeyState::PendingDelete {
        keys::remove(tx, scope, id.as_str(), &key)?;
        return Ok(true);
    }
    let expired = key.imported.as_mut().filter(|imported| imported.present);
    if let Some(imported) = expired {
        imported.present = false;
        if key.state != KeyState::Disabled {
            key.state = KeyState::PendingImport;
        }
        keys::remove_versions(tx, scope, id.as_str())?;
        tx.put::<Keys>(scope, &id.to_string(), &key)?;
        return Ok(true);
    }
    rotate(tx, seal, scope, id, &mut key, now)?;
    tx.put::<Keys>(scope, &id.to_string(), &key)?;
    Ok(false)
}

/// Gives a symmetric key new material, by which it encrypts as soon as the caller has written the key. What was encrypted before stays
/// readable.
pub(crate) fn rotate(
    tx: &mut Transaction<'_>,
    seal: &rookery_seal::Seal,
    scope: &Regional,
    id: &KeyId,
    key: &mut Key,
    now: u64,
) -> Result<(), Error> {
    let cipher = key.cipher.ok_or(Error::Damaged("a key that rotates has no cipher"))?;
    key.version = key.version.checked_add(1).ok_or(Error::Damaged("a key has too many versions"))?;
    let version = SymmetricKey::generate(cipher, seal, id, key.version)?;
    tx.put::<Versions>(scope, &(id.to_string(), u64::from(key.version)), &version)?;
    key.last_rotated = Some(now);
    if let Some(rotation) = &mut key.rotation {
        rotation.next = now + rotation.days * DAY;
    }
    Ok(())
}
