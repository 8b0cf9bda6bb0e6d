//! The tables that the tests keep, and a store of each back end.

use std::collections::BTreeMap;

use rookery_store::{Account, ErasedIndex, Global, Index, Regional, Store, Table};
use serde::{Deserialize, Serialize};

/// A note in a book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) owner: Option<u64>,
}

/// Notes, by book and number.
pub(crate) struct Notes;

impl Table for Notes {
    const NAME: &'static str = "test.notes";
    type Scope = Regional;
    type Key = (String, u64);
    type Row = Note;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByTitle, &ByOwner];
}

/// In one account and region, no two notes have the same title.
pub(crate) struct ByTitle;

impl Index for ByTitle {
    type Table = Notes;
    type Value = (u64, String, String);
    const NAME: &'static str = "title";
    const UNIQUE: bool = true;

    fn value(scope: &Regional, _: &(String, u64), row: &Note) -> Option<Self::Value> {
        Some((scope.uin, scope.region.clone(), row.title.clone()))
    }
}

/// Notes without an owner are not in it.
pub(crate) struct ByOwner;

impl Index for ByOwner {
    type Table = Notes;
    type Value = u64;
    const NAME: &'static str = "owner";
    const UNIQUE: bool = false;

    fn value(_: &Regional, _: &(String, u64), row: &Note) -> Option<u64> {
        row.owner
    }
}

/// An index that its table does not declare.
pub(crate) struct Forgotten;

impl Index for Forgotten {
    type Table = Notes;
    type Value = String;
    const NAME: &'static str = "forgotten";
    const UNIQUE: bool = false;

    fn value(_: &Regional, _: &(String, u64), row: &Note) -> Option<String> {
        Some(row.title.clone())
    }
}

/// Settings of an account, by name.
pub(crate) struct Settings;

impl Table for Settings {
    const NAME: &'static str = "test.settings";
    type Scope = Account;
    type Key = String;
    type Row = String;
}

/// Numbers of the whole cloud, by name. The name of the table continues that of another.
pub(crate) struct Counters;

impl Table for Counters {
    const NAME: &'static str = "test.notes.counters";
    type Scope = Global;
    type Key = String;
    type Row = u64;
}

/// Rows that JSON cannot hold where the map is not empty: its keys are no strings.
pub(crate) struct Unwritable;

impl Table for Unwritable {
    const NAME: &'static str = "test.unwritable";
    type Scope = Global;
    type Key = u64;
    type Row = BTreeMap<(u64, u64), u64>;
}

pub(crate) fn note(title: &str, owner: Option<u64>) -> Note {
    Note { title: title.to_owned(), owner }
}

pub(crate) fn here() -> Regional {
    region(1, "ap-here")
}

pub(crate) fn region(uin: u64, region: &str) -> Regional {
    Regional { uin, region: region.to_owned() }
}

pub(crate) fn at(book: &str, number: u64) -> (String, u64) {
    (book.to_owned(), number)
}

/// A store of each back end, with what keeps its directory.
pub(crate) fn stores() -> Vec<(Store, Option<tempfile::TempDir>)> {
    let directory = tempfile::tempdir().unwrap();
    vec![(Store::in_memory(), None), (Store::open(directory.path()).unwrap(), Some(directory))]
}

/// Waits for a future on this thread.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Runs a transaction that has to succeed, and waits for it.
pub(crate) fn commit(
    store: &Store,
    f: impl Fn(&mut rookery_store::Transaction<'_>) -> Result<(), rookery_store::StoreError> + Send + 'static,
) {
    wait(store.write(f)).unwrap();
}
