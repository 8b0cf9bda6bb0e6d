//! Opening a state: what stays, who is kept out, and how an older one is brought up to date.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rookery_store::{Account, Global, Migration, OpenError, Read, STATE_FILE, Scan, Store, StoreError};
use serde_json::{Value, json};

use crate::notes::{ByOwner, ByTitle, Counters, Notes, Settings, at, commit, here, note, stores, wait};

/// The titles were called names; then owners were numbers one lower.
const RENAMED: Migration = Migration {
    what: "call names titles",
    apply: |tx| {
        tx.rewrite_rows("test.notes", |row| {
            if let Value::Object(fields) = row
                && let Some(name) = fields.remove("name")
            {
                fields.insert("title".to_owned(), name);
            }
        })?;
        tx.reindex::<Notes>()
    },
};
const RENUMBERED: Migration = Migration {
    what: "count owners from 1",
    apply: |tx| {
        for (scope, key, mut row) in tx.scan_all::<Notes>()? {
            row.owner = row.owner.map(|owner| owner + 1);
            tx.put::<Notes>(&scope, &key, &row)?;
        }
        tx.drop_table("test.notes.counters")
    },
};
const FAILING: Migration = Migration {
    what: "give every note the same title",
    apply: |tx| {
        tx.rewrite_rows("test.notes", |row| row["title"] = json!("same"))?;
        tx.reindex::<Notes>()
    },
};

fn counter(store: &Store) -> Option<u64> {
    store.read(|view| view.get::<Counters>(&Global, "n")).unwrap()
}

/// A state at schema version 0, with notes whose titles are still called names.
fn old_state(directory: &Path) {
    let lines = [
        json!({"rookery_state": 1, "schema": 0}),
        // Account 1, region "ap-here"; book "a", notes 1 and 2.
        json!({"table": "test.notes", "key": "000000000000000161702d686572650061000000000000000001", "row": {"name": "one", "owner": 4}}),
        json!({"table": "test.notes", "key": "000000000000000161702d686572650061000000000000000002", "row": {"name": "two"}}),
        json!({"entries": 2}),
    ];
    let lines = lines.map(|line| format!("{line}\n")).concat();
    let store = Store::open(directory).unwrap();
    assert_eq!(wait(store.import(lines.as_bytes())).unwrap(), 2);
    commit(&store, |tx| tx.put::<Counters>(&Global, &"n".to_owned(), &1));
}

#[test]
fn what_was_written_is_there_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let inner = directory.path().join("made/on/the/way");
    for n in 1..4 {
        let store = Store::open(&inner).unwrap();
        assert_eq!(counter(&store), (n > 1).then(|| n - 1));
        commit(&store, move |tx| tx.put::<Counters>(&Global, &"n".to_owned(), &n));
    }
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&inner), mode(&inner.join(STATE_FILE))), (0o700, 0o600));
    let mut files: Vec<_> = fs::read_dir(&inner).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["state.lock", STATE_FILE], "a closed state is one file, beside its lock");
}

#[test]
fn a_state_that_is_open_is_held() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let clone = store.clone();
    drop(store);
    let refused = Store::open(directory.path());
    assert!(matches!(refused, Err(OpenError::Held { path }) if path == directory.path()));
    drop(clone);
    assert_eq!(counter(&Store::open(directory.path()).unwrap()), None);
}

#[test]
fn what_is_no_state_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(STATE_FILE), "not a state, but longer than the header of one".repeat(9))
        .unwrap();
    assert!(matches!(Store::open(directory.path()), Err(OpenError::Unreadable { .. })));

    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(Store::open(&file), Err(OpenError::Io { path, .. }) if path == file));
}

#[test]
fn migrations_are_taken_once_and_in_order() {
    let directory = tempfile::tempdir().unwrap();
    old_state(directory.path());
    let up_to_date = |store: &Store| {
        let rows = store.read(|view| view.scan::<Notes>(&here(), Scan::all())).unwrap();
        assert_eq!(rows, [(at("a", 1), note("one", Some(5))), (at("a", 2), note("two", None))]);
        let owned = store.read(|view| view.find::<ByOwner>(&5)).unwrap();
        assert_eq!(owned.map(|(_, key, _)| key), Some(at("a", 1)));
        assert_eq!(store.read(|view| view.count_index::<ByTitle>(Scan::all())).unwrap(), 2);
        assert_eq!(counter(store), None, "its table was dropped");
    };
    up_to_date(&Store::open_with(directory.path(), &[RENAMED, RENUMBERED]).unwrap());
    up_to_date(&Store::open_with(directory.path(), &[RENAMED, RENUMBERED]).unwrap());
    // From version 2 on only the third is taken, which refuses this state.
    let failed = Store::open_with(directory.path(), &[RENAMED, RENUMBERED, FAILING]);
    assert!(matches!(
        failed,
        Err(OpenError::Migration { version: 3, source: StoreError::Conflict { index: "title", .. }, .. })
    ));
    up_to_date(&Store::open_with(directory.path(), &[RENAMED, RENUMBERED]).unwrap());
}

#[test]
fn a_migration_that_fails_leaves_the_state_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    old_state(directory.path());
    let failed = Store::open_with(directory.path(), &[RENAMED, FAILING]);
    assert!(matches!(failed, Err(OpenError::Migration { version: 2, .. })));
    let store = Store::open(directory.path()).unwrap();
    let unreadable = store.read(|view| view.get::<Notes>(&here(), &at("a", 1)));
    assert!(matches!(unreadable, Err(StoreError::Damaged { .. })), "the name is not yet a title");
    assert_eq!(counter(&store), Some(1));
}

#[test]
fn a_newer_state_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open_with(directory.path(), &[RENAMED, RENUMBERED]).unwrap());
    let refused = Store::open_with(directory.path(), &[RENAMED]);
    assert!(matches!(refused, Err(OpenError::Newer { found: 2, known: 1, .. })));
    assert!(Store::open_with(directory.path(), &[RENAMED, RENUMBERED]).is_ok());
}

#[test]
fn every_row_of_every_table_is_shown_and_rewritten_or_none_is() {
    for (store, _directory) in stores() {
        commit(&store, |tx| {
            tx.put::<Notes>(&here(), &at("a", 1), &note("one", Some(4)))?;
            tx.put::<Settings>(&Account { uin: 1 }, &"s".to_owned(), &"kept".to_owned())?;
            tx.put::<Counters>(&Global, &"n".to_owned(), &1)
        });
        // The last row is refused: nothing is kept.
        let refused = wait(store.write(|tx| {
            let mut left = 2;
            tx.rewrite_every_row(|row| {
                *row = if row.is_number() { json!(7) } else { row.clone() };
                left -= 1;
                if left < 0 { Err(StoreError::Closed) } else { Ok(()) }
            })
        }));
        assert!(refused.is_err() && counter(&store) == Some(1));

        commit(&store, |tx| {
            tx.rewrite_every_row(|row| {
                if row.is_number() {
                    *row = json!(7);
                }
                Ok(())
            })
        });
        assert_eq!(counter(&store), Some(7));
        store.compact().unwrap();
        assert_eq!(counter(&store), Some(7));
        let found =
            store.read(|view| view.find::<ByTitle>(&(1, "ap-here".to_owned(), "one".to_owned()))).unwrap();
        assert_eq!(found.map(|(_, key, _)| key), Some(at("a", 1)));
    }
}
