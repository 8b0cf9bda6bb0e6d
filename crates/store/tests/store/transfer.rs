//! Export, import, snapshot, restore and reset.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use rookery_store::{Global, Migration, Read, Scan, Store, StoreError, TransferError};
use serde_json::{Value, json};

use crate::notes::{ByOwner, ByTitle, Counters, Notes, at, commit, here, note, stores, wait};

const SCHEMA: &[Migration] = &[Migration { what: "start the count", apply: count_from_one }];

fn count_from_one(tx: &mut rookery_store::Transaction<'_>) -> Result<(), StoreError> {
    tx.put::<Counters>(&Global, &"n".to_owned(), &1)
}

fn filled(store: &Store) {
    commit(store, |tx| {
        tx.put::<Notes>(&here(), &at("a", 1), &note("one", Some(4)))?;
        tx.put::<Notes>(&here(), &at("a", 2), &note("two", None))?;
        tx.put::<Counters>(&Global, &"total".to_owned(), &2)
    });
}

fn assert_filled(store: &Store) {
    let read = store.read(|view| {
        assert_eq!(view.count::<Notes>(&here(), Scan::all())?, 2);
        assert_eq!(view.find::<ByOwner>(&4)?.map(|(_, key, _)| key), Some(at("a", 1)));
        assert_eq!(view.count_index::<ByTitle>(Scan::all())?, 2);
        assert_eq!(view.get::<Counters>(&Global, "total")?, Some(2));
        Ok::<_, StoreError>(())
    });
    read.unwrap();
    // An index that came with the rows is maintained with them.
    let refused = wait(store.write(|tx| tx.put::<Notes>(&here(), &at("b", 1), &note("two", None))));
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
}

fn exported(store: &Store) -> String {
    let mut out = Vec::new();
    let entries = store.export(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count() as u64, entries + 2);
    text
}

#[test]
fn an_export_is_lines_of_json() {
    for (store, _kept) in stores() {
        filled(&store);
        let lines: Vec<Value> =
            exported(&store).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let row = "000000000000000161702d686572650061000000000000000001";
        assert_eq!(lines[0], json!({"rookery_state": 1, "schema": 0}));
        assert_eq!(lines[1], json!({"table": "test.notes", "key": row, "row": {"title": "one", "owner": 4}}));
        assert_eq!(
            lines[3],
            json!({"table": "test.notes", "index": "owner", "key": format!("0000000000000004{row}")})
        );
        assert_eq!(lines[6], json!({"table": "test.notes.counters", "key": "746f74616c00", "row": 2}));
        assert_eq!(lines[7], json!({"entries": 6}));
    }
}

#[test]
fn an_import_makes_the_state_that_was_exported() {
    for (from, _kept) in stores() {
        filled(&from);
        let text = exported(&from);
        for (to, _kept) in stores() {
            commit(&to, |tx| tx.put::<Counters>(&Global, &"gone".to_owned(), &9));
            assert_eq!(wait(to.import(text.as_bytes())).unwrap(), 6);
            assert_filled(&to);
            assert_eq!(exported(&to), text);
        }
    }
}

#[test]
fn a_snapshot_restores_the_state_on_any_back_end() {
    let directory = tempfile::tempdir().unwrap();
    for (number, (from, _kept)) in stores().into_iter().enumerate() {
        filled(&from);
        let path = directory.path().join(number.to_string());
        fs::write(directory.path().join(format!("{number}.part")), "left by an interrupted one").unwrap();
        from.snapshot(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = from.snapshot(&path);
        assert!(
            matches!(again, Err(TransferError::Io(error)) if error.kind() == io::ErrorKind::AlreadyExists)
        );

        commit(&from, |tx| tx.delete::<Notes>(&here(), &at("a", 1)).map(drop));
        wait(from.restore(&path)).unwrap();
        assert_filled(&from);
        for (to, _kept) in stores() {
            commit(&to, |tx| tx.put::<Counters>(&Global, &"gone".to_owned(), &9));
            wait(to.restore(&path)).unwrap();
            assert_filled(&to);
            assert_eq!(exported(&to), exported(&from));
        }
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing but the snapshots is left");
}

#[test]
fn a_reset_leaves_nothing() {
    for (store, _kept) in stores() {
        filled(&store);
        wait(store.reset()).unwrap();
        assert_eq!(exported(&store), "{\"rookery_state\":1,\"schema\":0}\n{\"entries\":0}\n");
        filled(&store);
        assert_filled(&store);
    }
}

#[test]
fn what_is_older_is_migrated_and_what_is_newer_refused() {
    let old = Store::in_memory();
    filled(&old);
    let new = Store::in_memory_with(SCHEMA);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old");
    old.snapshot(&path).unwrap();

    for restored in [false, true] {
        wait(new.reset()).unwrap();
        assert_eq!(new.read(|view| view.get::<Counters>(&Global, "n")).unwrap(), None);
        if restored {
            wait(new.restore(&path)).unwrap();
        } else {
            wait(new.import(exported(&old).as_bytes())).unwrap();
        }
        assert_filled(&new);
        assert_eq!(new.read(|view| view.get::<Counters>(&Global, "n")).unwrap(), Some(1));
    }

    let path = directory.path().join("new");
    new.snapshot(&path).unwrap();
    let refused = [wait(old.restore(&path)), wait(old.import(exported(&new).as_bytes())).map(drop)];
    assert!(
        refused
            .into_iter()
            .all(|refused| matches!(refused, Err(TransferError::Newer { found: 1, known: 0 })))
    );
    assert_filled(&old);
}

#[test]
fn a_malformed_import_is_refused_and_changes_nothing() {
    let header = r#"{"rookery_state":1,"schema":0}"#;
    let row = r#"{"table":"t","key":"00","row":1}"#;
    for (text, at) in [
        (String::new(), 1),
        ("no JSON\n".to_owned(), 1),
        (r#"{"rookery_state":2,"schema":0}"#.to_owned(), 1),
        (header.to_owned(), 1),
        (format!("{header}\n{row}\n"), 2),
        (format!("{header}\n{row}\n{}", r#"{"entries":2}"#), 3),
        (format!("{header}\n{}\n{row}", r#"{"entries":0}"#), 3),
        (format!("{header}\n{}\n", r#"{"table":"t","key":"0","row":1}"#), 2),
        (format!("{header}\n{}\n", r#"{"table":"T","key":"00","row":1}"#), 2),
        (format!("{header}\n{}\n", r#"{"table":"t","index":"","key":"00"}"#), 2),
        (format!("{header}\n{}\n", r#"{"table":"t","index":"i","key":"00","row":1}"#), 2),
        (format!("{header}\n{}\n", r#"{"table":"t","key":"00"}"#), 2),
        (format!("{header}\n{}\n", r#"{"table":"t","key":"00","row":1,"more":1}"#), 2),
        (format!("{header}\n{}\n", r#"{"table":"t","key":"00","row":{]}"#), 2),
    ] {
        for (store, _kept) in stores() {
            filled(&store);
            let refused = wait(store.import(text.as_bytes()));
            assert!(
                matches!(refused, Err(TransferError::Malformed { line, .. }) if line == at),
                "{text}: {refused:?}"
            );
            assert_filled(&store);
        }
    }
}

#[test]
fn a_file_that_is_no_snapshot_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("text");
    fs::write(&text, "no snapshot".repeat(99)).unwrap();
    for (store, _kept) in stores() {
        filled(&store);
        for path in [text.clone(), directory.path().join("absent")] {
            let refused = wait(store.restore(&path));
            assert!(matches!(refused, Err(TransferError::Store(StoreError::Backend(_)))));
        }
        assert_filled(&store);
    }
    assert!(!directory.path().join("absent").exists());
}

#[test]
fn an_export_that_cannot_be_written_fails() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let failed = Store::in_memory().export(&mut Full);
    assert!(matches!(failed, Err(TransferError::Io(error)) if error.kind() == io::ErrorKind::StorageFull));
}

#[test]
fn a_row_or_an_index_that_is_not_what_its_type_says_is_damaged() {
    let header = r#"{"rookery_state":1,"schema":0}"#;
    let key = "000000000000000161702d686572650061000000000000000001";
    for (store, _kept) in stores() {
        let import = |line: String| {
            let text = format!("{header}\n{line}\n{}\n", r#"{"entries":1}"#);
            wait(store.import(text.as_bytes())).unwrap();
        };
        import(format!(r#"{{"table":"test.notes","key":"{key}","row":{{"title":7}}}}"#));
        let row = store.read(|view| view.get::<Notes>(&here(), &at("a", 1))).map(drop);
        let rows = store.read(|view| view.scan::<Notes>(&here(), Scan::all())).map(drop);
        let put = wait(store.write(|tx| tx.put::<Notes>(&here(), &at("a", 1), &note("new", None))));
        for damaged in [row, rows, put] {
            assert!(matches!(damaged, Err(StoreError::Damaged { table, .. }) if table == "test.notes"));
        }

        import(format!(r#"{{"table":"test.notes","key":"{key}00","row":{{"title":"a"}}}}"#));
        let key_too_long = store.read(|view| view.scan_keys::<Notes>(&here(), Scan::all()));
        assert!(matches!(key_too_long, Err(StoreError::Damaged { .. })));

        import(format!(r#"{{"table":"test.notes","index":"owner","key":"0000000000000004{key}"}}"#));
        let dangling = store.read(|view| view.find::<ByOwner>(&4)).map(drop);
        assert!(matches!(dangling, Err(StoreError::Damaged { .. })));

        // A field that has a default may be missing.
        import(format!(r#"{{"table":"test.notes","key":"{key}","row":{{"title":"old"}}}}"#));
        let row = store.read(|view| view.get::<Notes>(&here(), &at("a", 1))).unwrap();
        assert_eq!(row, Some(note("old", None)));
    }
}

/// A table whose keys say everything.
struct Marks;

impl rookery_store::Table for Marks {
    const NAME: &'static str = "test.marks";
    type Scope = Global;
    type Key = String;
    type Row = ();
}

#[test]
fn a_row_that_holds_nothing_comes_back() {
    for (store, _kept) in stores() {
        commit(&store, |tx| tx.put::<Marks>(&Global, &"here".to_owned(), &()));
        let text = exported(&store);
        let fresh = Store::in_memory();
        wait(fresh.import(text.as_bytes())).unwrap();
        assert!(fresh.read(|view| view.contains::<Marks>(&Global, "here")).unwrap());
    }
}
