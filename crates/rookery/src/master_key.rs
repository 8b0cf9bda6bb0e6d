//! Which master key the state is sealed under, and how it gets another one.
//!
//! The key is `master.key` in the data directory, or `ROOKERY_MASTER_KEY`. The state notes the fingerprint of its key in the same
//! transaction that seals everything anew, so the two never differ. `rookery state rekey` takes these steps, and may be killed at any
//! point:
//!
//! 1. The new key is kept: as `master.key.next`, or by the user, who has it in `ROOKERY_NEW_MASTER_KEY`.
//! 2. One transaction seals every row's sealed values under it, and notes its fingerprint.
//! 3. Sealed values in files of the data directory follow.
//! 4. `master.key.next` replaces `master.key`; or `master.key` is removed, where the new key is kept by the user.
//! 5. The state's file is written anew, so that nothing under the old key is left in it.
//!
//! Whoever opens the state next finishes what step 2 had decided, or drops a key under which nothing is sealed ([`settle`]).

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rookery_seal::{MASTER_KEY_FILE, Seal, SealError};
use rookery_store::{Global, Read as _, Store, StoreError, Table};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The environment variable with the master key, for those who keep it outside the data directory.
pub(crate) const MASTER_KEY_VARIABLE: &str = "ROOKERY_MASTER_KEY";
/// The environment variable with the key that `rookery state rekey` changes to, for those who keep it outside.
pub(crate) const NEW_MASTER_KEY_VARIABLE: &str = "ROOKERY_NEW_MASTER_KEY";
/// The one key of the table.
const ONLY: &str = "current";

/// The fingerprint of the key that the state is sealed under.
struct MasterKeys;

#[derive(Clone, Serialize, Deserialize)]
struct MasterKeyRow {
    fingerprint: String,
}

impl Table for MasterKeys {
    const NAME: &'static str = "rookery.master-key";
    type Scope = Global;
    type Key = String;
    type Row = MasterKeyRow;
}

/// Why the state cannot be opened with the key at hand, or not be given another one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MasterKeyError {
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    File(#[from] std::io::Error),
    #[error(
        "the state is sealed under the master key {kept}, and {source_name} is the key {given}: give the one that it was sealed under"
    )]
    Other { kept: String, given: String, source_name: &'static str },
    #[error(
        "the state is sealed under the master key {kept}, and there is none: neither {MASTER_KEY_FILE} in the data directory nor {MASTER_KEY_VARIABLE}"
    )]
    Missing { kept: String },
    #[error("{NEW_MASTER_KEY_VARIABLE} is the master key already")]
    Same,
}

/// The key that is given, and where it comes from.
fn given(directory: &Path) -> Result<Option<(Seal, &'static str)>, SealError> {
    match std::env::var(MASTER_KEY_VARIABLE) {
        Ok(key) => Ok(Some((Seal::from_base64(&key)?, MASTER_KEY_VARIABLE))),
        Err(_) => Ok(Seal::current(directory)?.map(|seal| (seal, MASTER_KEY_FILE))),
    }
}

/// The keys that a file of the data directory may be sealed under, where nobody knows what the state says: the given one, and the
/// next one if a change of keys was broken off.
pub(crate) fn candidates(directory: &Path) -> Result<Vec<Seal>, SealError> {
    let given = given(directory)?.map(|(seal, _)| seal);
    Ok([given, Seal::next(directory)?].into_iter().flatten().collect())
}

/// The key that the state in `store` is sealed under, provided that it is the given one. A state without a note takes the given key.
pub(crate) async fn seal(directory: &Path, store: &Store) -> Result<Seal, MasterKeyError> {
    let kept = noted(store)?;
    if let Some(done) = settle(directory, kept.as_deref())? {
        tracing::warn!("{done}");
        store.compact()?;
    }
    match (kept, given(directory)?) {
        (Some(kept), None) => Err(MasterKeyError::Missing { kept }),
        (Some(kept), Some((seal, source_name))) if kept != seal.fingerprint() => {
            Err(MasterKeyError::Other { kept, given: seal.fingerprint().to_owned(), source_name })
        }
        (Some(_), Some((seal, _))) => Ok(seal),
        (None, given) => {
            let seal = match given {
                Some((seal, _)) => seal,
                None => Seal::open_or_create(directory)?,
            };
            let row = MasterKeyRow { fingerprint: seal.fingerprint().to_owned() };
            store.write(move |tx| tx.put::<MasterKeys>(&Global, &ONLY.to_owned(), &row)).await?;
            Ok(seal)
        }
    }
}

fn noted(store: &Store) -> Result<Option<String>, StoreError> {
    let row = store.read(|view| view.get::<MasterKeys>(&Global, ONLY))?;
    Ok(row.map(|row| row.fingerprint))
}

/// Brings a change of keys to its end that was broken off: to the new key if the state is sealed under it, back to the old one
/// otherwise. Says what it did.
fn settle(directory: &Path, kept: Option<&str>) -> Result<Option<&'static str>, MasterKeyError> {
    let Some(next) = Seal::next(directory)? else { return Ok(None) };
    if kept != Some(next.fingerprint()) {
        Seal::discard_next(directory)?;
        return Ok(Some(
            "a change of the master key had been broken off before anything was changed: the key is the old one",
        ));
    }
    if let Some(former) = Seal::current(directory)? {
        reseal_files(directory, &former, &next)?;
    }
    Seal::adopt_next(directory)?;
    Ok(Some(
        "a change of the master key had been broken off after the state was changed: the key is the new one, in master.key",
    ))
}

/// What a change of keys did.
#[derive(Debug)]
pub(crate) struct Rekeyed {
    /// How many sealed values of the state are under the new key.
    pub(crate) values: u64,
    /// The new key.
    pub(crate) fingerprint: String,
    /// Whether the new key is in the environment; otherwise it is in `master.key`.
    pub(crate) in_environment: bool,
}

/// Where the new key comes from.
pub(crate) enum NewKey {
    /// A random one, kept in the data directory.
    File,
    /// The user's.
    Environment(Seal),
}

impl NewKey {
    /// The key in the environment, or a random one where there is none.
    pub(crate) fn from_environment() -> Result<Self, SealError> {
        match std::env::var(NEW_MASTER_KEY_VARIABLE) {
            Ok(key) => Seal::from_base64(&key).map(Self::Environment),
            Err(_) => Ok(Self::File),
        }
    }
}

/// Seals everything in a state and its data directory under a new key. What a former run with the same new key had done is not done
/// again.
pub(crate) async fn rekey(directory: &Path, store: &Store, new: NewKey) -> Result<Rekeyed, MasterKeyError> {
    let kept = noted(store)?;
    if let Some(done) = settle(directory, kept.as_deref())? {
        tracing::warn!("{done}");
        store.compact()?;
    }
    let (old, new, in_environment) = match new {
        NewKey::Environment(new) if kept.as_deref() == Some(new.fingerprint()) => {
            // A former run got as far as the state; what is left are the files, and the former key in one.
            let old = Seal::current(directory)?.ok_or(MasterKeyError::Same)?;
            (old, new, true)
        }
        NewKey::Environment(new) => (seal(directory, store).await?, new, true),
        NewKey::File => (seal(directory, store).await?, Seal::prepare_next(directory)?, false),
    };
    let values = reseal_state(store, &old, &new).await?;
    finish(directory, &old, &new, in_environment)?;
    store.compact()?;
    Ok(Rekeyed { values, fingerprint: new.fingerprint().to_owned(), in_environment })
}

/// Step 2.
async fn reseal_state(store: &Store, old: &Seal, new: &Seal) -> Result<u64, MasterKeyError> {
    let (old, new) = (old.clone(), new.clone());
    store
        .write(move |tx| {
            let mut values = 0;
            tx.rewrite_every_row(|row| {
                values += old.reseal(&new, row)?;
                Ok::<_, MasterKeyError>(())
            })?;
            let row = MasterKeyRow { fingerprint: new.fingerprint().to_owned() };
            tx.put::<MasterKeys>(&Global, &ONLY.to_owned(), &row)?;
            Ok(values)
        })
        .await
}

/// Steps 3 and 4.
fn finish(directory: &Path, old: &Seal, new: &Seal, in_environment: bool) -> Result<(), MasterKeyError> {
    reseal_files(directory, old, new)?;
    if in_environment {
        Seal::discard_current(directory)?;
    } else {
        Seal::adopt_next(directory)?;
    }
    Ok(())
}

/// Seals anew what is sealed in the JSON files of a data directory. One that opens under neither key is left as it is: whoever wrote
/// it writes it again.
fn reseal_files(directory: &Path, old: &Seal, new: &Seal) -> Result<(), MasterKeyError> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if !path.is_file() || path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let Ok(before) = serde_json::from_slice::<Value>(&fs::read(&path)?) else { continue };
        let mut after = before.clone();
        if old.reseal(new, &mut after).is_err() || after == before {
            continue;
        }
        let draft = directory.join(format!(".{name}.draft"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(after.to_string().as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rookery_seal::Sealed;

    use super::*;

    struct Secrets;

    impl Table for Secrets {
        const NAME: &'static str = "test.secrets";
        type Scope = Global;
        type Key = String;
        type Row = Sealed;
    }

    const FILE: &str = "kept.json";

    /// A data directory with a secret in the state and one in a file.
    async fn furnished(directory: &Path) -> Store {
        let store = Store::open(directory).unwrap();
        let seal = seal(directory, &store).await.unwrap();
        let sealed = seal.seal("state", b"secret").unwrap();
        store.write(move |tx| tx.put::<Secrets>(&Global, &"one".to_owned(), &sealed)).await.unwrap();
        let kept = serde_json::json!({ "key": seal.seal("file", b"secret").unwrap() });
        fs::write(directory.join(FILE), kept.to_string()).unwrap();
        store
    }

    /// Whether both secrets open with `seal`.
    fn opens(directory: &Path, store: &Store, seal: &Seal) -> bool {
        let row = store.read(|view| view.get::<Secrets>(&Global, "one")).unwrap().unwrap();
        let file: Value = serde_json::from_slice(&fs::read(directory.join(FILE)).unwrap()).unwrap();
        let file: Sealed = serde_json::from_value(file["key"].clone()).unwrap();
        seal.open("state", &row).is_ok() && seal.open("file", &file).is_ok()
    }

    #[tokio::test]
    async fn everything_opens_with_the_new_key_alone() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let store = furnished(directory).await;
        let old = Seal::current(directory).unwrap().unwrap();
        let rekeyed = rekey(directory, &store, NewKey::File).await.unwrap();
        let new = seal(directory, &store).await.unwrap();
        assert_eq!(
            (rekeyed.values, &*rekeyed.fingerprint, rekeyed.in_environment),
            (1, new.fingerprint(), false)
        );
        assert!(opens(directory, &store, &new) && new.fingerprint() != old.fingerprint());
        assert!(!opens(directory, &store, &old));
    }

    #[tokio::test]
    async fn nothing_under_the_old_key_is_left_in_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let store = furnished(directory).await;
        let row = || {
            let sealed = store.read(|view| view.get::<Secrets>(&Global, "one")).unwrap().unwrap();
            serde_json::to_value(sealed).unwrap()["sealed"].as_str().unwrap().to_owned()
        };
        let held = |text: &str| {
            let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
            let mut states =
                files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("state."));
            states.any(|path| {
                fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
            })
        };
        let before = row();
        assert!(held(&before));
        rekey(directory, &store, NewKey::File).await.unwrap();
        assert!(held(&row()) && !held(&before));
    }

    /// Every point at which the command can be killed, as the number of steps that were taken.
    #[tokio::test]
    async fn whatever_step_was_the_last_the_state_opens_with_the_key_that_settling_tells() {
        for steps in 0..=3 {
            let directory = tempfile::tempdir().unwrap();
            let directory = directory.path();
            let store = furnished(directory).await;
            let old = Seal::current(directory).unwrap().unwrap();
            let new = Seal::prepare_next(directory).unwrap();
            if steps >= 1 {
                reseal_state(&store, &old, &new).await.unwrap();
            }
            if steps >= 2 {
                reseal_files(directory, &old, &new).unwrap();
            }
            if steps >= 3 {
                Seal::adopt_next(directory).unwrap();
            }
            // What asks without the state, as `rookery env` does, has a key that opens the file.
            let file: Value = serde_json::from_slice(&fs::read(directory.join(FILE)).unwrap()).unwrap();
            let file: Sealed = serde_json::from_value(file["key"].clone()).unwrap();
            assert!(
                candidates(directory).unwrap().iter().any(|seal| seal.open("file", &file).is_ok()),
                "{steps}"
            );

            let expected = if steps == 0 { &old } else { &new };
            let opened = seal(directory, &store).await.unwrap();
            assert_eq!(opened.fingerprint(), expected.fingerprint(), "{steps}");
            assert!(opens(directory, &store, &opened) && Seal::next(directory).unwrap().is_none(), "{steps}");
        }
    }

    #[tokio::test]
    async fn a_key_of_the_users_takes_the_files_place_also_where_that_was_broken_off() {
        for broken_off in [false, true] {
            let directory = tempfile::tempdir().unwrap();
            let directory = directory.path();
            let store = furnished(directory).await;
            let old = Seal::current(directory).unwrap().unwrap();
            let new = Seal::ephemeral().unwrap();
            if broken_off {
                reseal_state(&store, &old, &new).await.unwrap();
                let refusal = seal(directory, &store).await.unwrap_err();
                assert!(matches!(refusal, MasterKeyError::Other { kept, .. } if kept == new.fingerprint()));
            }
            let rekeyed = rekey(directory, &store, NewKey::Environment(new.clone())).await.unwrap();
            assert!(rekeyed.in_environment && rekeyed.values == 1);
            assert!(opens(directory, &store, &new) && Seal::current(directory).unwrap().is_none());
            let refusal = rekey(directory, &store, NewKey::Environment(new)).await.unwrap_err();
            assert!(matches!(refusal, MasterKeyError::Same));
            // No other key is made where the one is not at hand.
            assert!(matches!(seal(directory, &store).await, Err(MasterKeyError::Missing { .. })));
            assert!(Seal::current(directory).unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn a_state_of_another_key_is_left_alone() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = furnished(one.path()).await;
        let own = Seal::current(one.path()).unwrap().unwrap();
        Seal::open_or_create(other.path()).unwrap();
        for refusal in [
            seal(other.path(), &store).await.err(),
            rekey(other.path(), &store, NewKey::File).await.err(),
            rekey(other.path(), &store, NewKey::Environment(Seal::ephemeral().unwrap())).await.err(),
        ] {
            assert!(matches!(refusal, Some(MasterKeyError::Other { kept, .. }) if kept == own.fingerprint()));
        }
        assert!(opens(one.path(), &store, &own));
    }

    #[tokio::test]
    async fn a_value_that_opens_under_no_key_stops_the_change_before_anything_is_changed() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let store = furnished(directory).await;
        let foreign = Seal::ephemeral().unwrap().seal("elsewhere", b"secret").unwrap();
        store.write(move |tx| tx.put::<Secrets>(&Global, &"two".to_owned(), &foreign)).await.unwrap();
        let refusal = rekey(directory, &store, NewKey::File).await.unwrap_err();
        assert!(matches!(refusal, MasterKeyError::Seal(SealError::Closed)));
        let old = seal(directory, &store).await.unwrap();
        assert!(opens(directory, &store, &old));
    }
}
