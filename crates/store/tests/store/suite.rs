//! What a store does, on every back end.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::notes::{
    ByOwner, ByTitle, Counters, Forgotten, Notes, Settings, Unwritable, at, commit, here, note, region,
    stores, wait,
};
use rookery_store::{Account, Global, Read, Scan, Starting, Store, StoreError, Transaction, View};

fn view<T>(store: &Store, f: impl FnOnce(&View<'_>) -> Result<T, StoreError>) -> T {
    store.read(f).unwrap()
}

/// Notes 1 to 4 of book "a", 1 and 2 of "b", 1 of "ab".
fn fill(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    for (book, last) in [("b", 2), ("a", 4), ("ab", 1)] {
        for number in 1..=last {
            let note = note(&format!("{book} {number}"), (number > 1).then_some(number));
            tx.put::<Notes>(&here(), &at(book, number), &note)?;
        }
    }
    Ok(())
}

#[test]
fn a_row_is_read_back_replaced_and_removed() {
    for (store, _kept) in stores() {
        let mine = Account { uin: 7 };
        let (first, again, replaced) = wait(store.write(move |tx| {
            let name = "quota".to_owned();
            let first = tx.insert::<Settings>(&mine, &name, &"10".to_owned())?;
            let again = tx.insert::<Settings>(&mine, &name, &"11".to_owned())?;
            tx.put::<Settings>(&mine, &"other".to_owned(), &"x".to_owned())?;
            tx.put::<Settings>(&mine, &"other".to_owned(), &"y".to_owned())?;
            Ok::<_, StoreError>((first, again, tx.get::<Settings>(&mine, "other")?))
        }))
        .unwrap();
        assert_eq!((first, again, replaced.as_deref()), (true, false, Some("y")));
        assert_eq!(view(&store, |view| view.get::<Settings>(&mine, "quota")).as_deref(), Some("10"));
        assert!(view(&store, |view| view.contains::<Settings>(&mine, "quota")));

        let removed = wait(store.write(move |tx| {
            let name = "quota".to_owned();
            Ok::<_, StoreError>((tx.delete::<Settings>(&mine, &name)?, tx.delete::<Settings>(&mine, &name)?))
        }));
        assert_eq!(removed.unwrap(), (true, false));
        assert_eq!(view(&store, |view| view.get::<Settings>(&mine, "quota")), None);
        assert_eq!(view(&store, |view| view.scan_keys::<Settings>(&mine, Scan::all())), ["other"]);
    }
}

#[test]
fn every_change_is_counted_and_nothing_else() {
    for (store, _kept) in stores() {
        let before = store.changes();
        let count = || store.changes() - before;
        view(&store, |view| view.scan_all::<Notes>());
        let read = wait(store.write(|tx| tx.get::<Counters>(&Global, "total")));
        assert_eq!((read.unwrap(), count()), (None, 0));
        commit(&store, |tx| tx.put::<Counters>(&Global, &"total".to_owned(), &1));
        assert_eq!(count(), 1);
        let failed = wait(store.write(|tx| {
            tx.put::<Counters>(&Global, &"total".to_owned(), &2)?;
            Err::<(), _>(StoreError::Closed)
        }));
        assert!(failed.is_err() && count() == 1);
        wait(store.reset()).unwrap();
        assert_eq!(count(), 2);
    }
}

#[test]
fn scopes_and_tables_are_kept_apart() {
    for (store, _kept) in stores() {
        commit(&store, |tx| {
            let homes = [region(1, "b"), region(1, "a"), region(2, "a"), region(256, "a")];
            for (number, home) in (0..).zip(&homes) {
                tx.put::<Notes>(home, &at("book", number), &note("same title", None))?;
            }
            tx.put::<Counters>(&Global, &"total".to_owned(), &4)?;
            for uin in [1, 2] {
                tx.put::<Settings>(&Account { uin }, &"name".to_owned(), &uin.to_string())?;
            }
            Ok(())
        });
        assert_eq!(
            view(&store, |view| view.scan_keys::<Notes>(&region(1, "a"), Scan::all())),
            [at("book", 1)]
        );
        assert_eq!(view(&store, |view| view.count::<Notes>(&region(3, "a"), Scan::all())), 0);
        let scopes = |rows: Vec<(_, _, _)>| rows.into_iter().map(|(scope, ..)| scope).collect::<Vec<_>>();
        assert_eq!(
            scopes(view(&store, |view| view.scan_all::<Notes>())),
            [region(1, "a"), region(1, "b"), region(2, "a"), region(256, "a")]
        );
        assert_eq!(
            scopes(view(&store, |view| view.scan_account::<Notes>(1))),
            [region(1, "a"), region(1, "b")]
        );
        assert_eq!(view(&store, |view| view.scan_all::<Counters>()), [(Global, "total".to_owned(), 4)]);
        let two = Account { uin: 2 };
        assert_eq!(view(&store, |view| view.get::<Settings>(&two, "name")).as_deref(), Some("2"));
    }
}

#[test]
fn a_scan_selects_orders_and_pages() {
    for (store, _kept) in stores() {
        commit(&store, fill);
        let keys = |scan: Scan<(String, u64)>| {
            let keys = view(&store, |view| view.scan_keys::<Notes>(&here(), scan.clone()));
            let rows = view(&store, |view| view.scan::<Notes>(&here(), scan.clone()));
            assert_eq!(view(&store, |view| view.count::<Notes>(&here(), scan)), keys.len());
            assert!(rows.iter().all(|((book, number), row)| row.title == format!("{book} {number}")));
            assert_eq!(rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), keys);
            keys.into_iter().map(|(book, number)| format!("{book}{number}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(keys(Scan::all()), "a1 a2 a3 a4 ab1 b1 b2");
        assert_eq!(keys(Scan::all().reverse()), "b2 b1 ab1 a4 a3 a2 a1");
        assert_eq!(keys(Scan::all().prefix("a")), "a1 a2 a3 a4");
        assert_eq!(keys(Scan::all().prefix("")), "");
        assert_eq!(keys(Scan::all().prefix("a").after(&at("a", 2))), "a3 a4");
        assert_eq!(keys(Scan::all().prefix("a").from(&at("a", 2)).limit(2)), "a2 a3");
        assert_eq!(keys(Scan::all().prefix("a").reverse().after(&at("a", 3))), "a2 a1");
        assert_eq!(keys(Scan::all().prefix("a").reverse().from(&at("a", 3)).skip(1)), "a2 a1");
        assert_eq!(keys(Scan::all().prefix("a").after(&at("b", 1))), "");
        assert_eq!(keys(Scan::all().prefix("b").after(&at("a", 1))), "b1 b2");
        assert_eq!(keys(Scan::all().after(&at("aa", 9)).limit(2)), "ab1 b1");
        assert_eq!(keys(Scan::all().from(&at("b", u64::MAX))), "");
        assert_eq!(keys(Scan::all().skip(5).limit(9)), "b1 b2");
        assert_eq!(keys(Scan::all().skip(7)), "");
        assert_eq!(keys(Scan::all().limit(0)), "");
    }
}

#[test]
fn a_scan_finds_strings_by_how_they_begin() {
    for (store, _kept) in stores() {
        let mine = Account { uin: 1 };
        commit(&store, move |tx| {
            ["library/a", "library/b", "library", "libraries", "\u{10FFFF}"]
                .iter()
                .try_for_each(|name| tx.put::<Settings>(&mine, &(*name).to_owned(), &String::new()))
        });
        let names = |start: &str| {
            view(&store, |view| view.scan_keys::<Settings>(&mine, Scan::all().prefix(&Starting(start))))
        };
        assert_eq!(names("library/"), ["library/a", "library/b"]);
        assert_eq!(names("librar").len(), 4);
        assert_eq!(names("\u{10FFFF}"), ["\u{10FFFF}"]);
        assert_eq!(names("").len(), 5);
    }
}

#[test]
fn an_index_finds_rows_and_orders_them() {
    for (store, _kept) in stores() {
        commit(&store, fill);
        let title = |text: &str| (1, "ap-here".to_owned(), text.to_owned());
        let (scope, key, row) = view(&store, |view| view.find::<ByTitle>(&title("a 3"))).unwrap();
        assert_eq!((scope, key, row), (here(), at("a", 3), note("a 3", Some(3))));
        assert!(view(&store, |view| view.find::<ByTitle>(&title("a"))).is_none());
        assert!(view(&store, |view| view.find::<ByTitle>(&(2, "ap-here".into(), "a 3".into()))).is_none());

        let keys = |rows: Vec<(_, _, _)>| rows.into_iter().map(|(_, key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys(view(&store, |view| view.find_all::<ByOwner>(&2, 9))), [at("a", 2), at("b", 2)]);
        assert_eq!(keys(view(&store, |view| view.find_all::<ByOwner>(&2, 1))), [at("a", 2)]);
        assert_eq!(
            keys(view(&store, |view| view.scan_index::<ByOwner>(Scan::all().reverse()))),
            [at("a", 4), at("a", 3), at("b", 2), at("a", 2)]
        );
        assert_eq!(
            keys(view(&store, |view| view.scan_index::<ByOwner>(Scan::all().after(&2)))),
            [at("a", 3), at("a", 4)]
        );
        assert_eq!(
            keys(view(&store, |view| view.scan_index::<ByOwner>(Scan::all().reverse().after(&3)))),
            [at("b", 2), at("a", 2)]
        );
        let of_account = (1, "ap-here".to_owned());
        assert_eq!(
            view(&store, |view| view.count_index::<ByTitle>(Scan::all().prefix(&of_account).skip(2))),
            5
        );
    }
}

#[test]
fn an_index_follows_its_rows() {
    for (store, _kept) in stores() {
        commit(&store, fill);
        commit(&store, |tx| {
            // The title moves to another row within one transaction, and the owner changes or goes.
            tx.put::<Notes>(&here(), &at("a", 1), &note("changed", Some(9)))?;
            tx.put::<Notes>(&here(), &at("b", 1), &note("a 1", None))?;
            tx.put::<Notes>(&here(), &at("a", 4), &note("a 4", None))?;
            assert!(tx.delete::<Notes>(&here(), &at("a", 2))?);
            assert_eq!(tx.find_all::<ByOwner>(&2, 9)?.len(), 1);
            Ok(())
        });
        let title = |text: &str| {
            let value = (1, "ap-here".to_owned(), text.to_owned());
            view(&store, |view| view.find::<ByTitle>(&value)).map(|(_, key, _)| key)
        };
        assert_eq!(title("a 1"), Some(at("b", 1)));
        assert_eq!(title("changed"), Some(at("a", 1)));
        assert_eq!(title("a 2"), None);
        assert_eq!(title("b 1"), None);
        let owners = view(&store, |view| view.scan_index::<ByOwner>(Scan::all()));
        let owners: Vec<_> = owners.into_iter().map(|(_, key, row)| (key, row.owner)).collect();
        assert_eq!(owners, [(at("b", 2), Some(2)), (at("a", 3), Some(3)), (at("a", 1), Some(9))]);
    }
}

#[test]
fn a_unique_index_refuses_and_changes_nothing() {
    for (store, _kept) in stores() {
        commit(&store, fill);
        let refused = wait(store.write(|tx| {
            tx.put::<Notes>(&here(), &at("new", 1), &note("new", None))?;
            tx.put::<Notes>(&here(), &at("new", 2), &note("a 3", Some(2)))
        }));
        assert!(matches!(refused, Err(StoreError::Conflict { table: "test.notes", index: "title" })));
        assert!(!view(&store, |view| view.contains::<Notes>(&here(), &at("new", 1))));

        // A closure that handles the refusal keeps the rest, and nothing of the refused step.
        commit(&store, |tx| {
            assert!(tx.put::<Notes>(&here(), &at("a", 1), &note("a 3", Some(2))).is_err());
            tx.put::<Notes>(&here(), &at("new", 1), &note("new", None))
        });
        assert_eq!(view(&store, |view| view.get::<Notes>(&here(), &at("a", 1))), Some(note("a 1", None)));
        assert_eq!(view(&store, |view| view.find_all::<ByOwner>(&2, 9)).len(), 2);
        assert!(view(&store, |view| view.contains::<Notes>(&here(), &at("new", 1))));

        // Elsewhere the title is free, and a row may keep its own.
        commit(&store, |tx| {
            tx.put::<Notes>(&region(1, "ap-there"), &at("a", 1), &note("a 3", None))?;
            tx.put::<Notes>(&here(), &at("a", 3), &note("a 3", None))
        });
    }
}

#[test]
fn an_index_that_is_not_declared_is_refused() {
    for (store, _kept) in stores() {
        let found = store.read(|view| view.find::<Forgotten>("a"));
        assert!(matches!(
            found.map(drop),
            Err(StoreError::Undeclared { table: "test.notes", index: "forgotten" })
        ));
        let counted = store.read(|view| view.count_index::<Forgotten>(Scan::all()));
        assert!(matches!(counted, Err(StoreError::Undeclared { .. })));
    }
}

#[test]
fn a_transaction_sees_its_own_changes() {
    for (store, _kept) in stores() {
        commit(&store, fill);
        commit(&store, |tx| {
            tx.delete::<Notes>(&here(), &at("a", 2))?;
            tx.put::<Notes>(&here(), &at("a", 0), &note("zero", None))?;
            tx.put::<Notes>(&here(), &at("a", 9), &note("nine", None))?;
            tx.put::<Notes>(&here(), &at("a", 3), &note("three", None))?;
            let titles = |tx: &Transaction<'_>, scan: Scan<(String, u64)>| {
                let rows = tx.scan::<Notes>(&here(), scan.prefix("a"))?;
                Ok::<_, StoreError>(rows.into_iter().map(|(_, row)| row.title).collect::<Vec<_>>())
            };
            assert_eq!(titles(tx, Scan::all())?, ["zero", "a 1", "three", "a 4", "nine"]);
            assert_eq!(titles(tx, Scan::all().reverse())?, ["nine", "a 4", "three", "a 1", "zero"]);
            assert_eq!(titles(tx, Scan::all().limit(1))?, ["zero"]);
            assert_eq!(titles(tx, Scan::all().reverse().limit(2))?, ["nine", "a 4"]);
            assert_eq!(tx.count::<Notes>(&here(), Scan::all())?, 8);
            Ok(())
        });
    }
}

#[test]
fn what_fails_keeps_nothing_and_the_others_everything() {
    #[derive(Debug)]
    enum Refused {
        Odd(u64),
        Store,
    }
    impl From<StoreError> for Refused {
        fn from(_: StoreError) -> Refused {
            Refused::Store
        }
    }
    for (store, _kept) in stores() {
        let results = wait(async {
            let mut writes = tokio::task::JoinSet::new();
            // More than the queue holds, so that some wait for room in it.
            for number in 0..3000_u64 {
                let store = store.clone();
                writes.spawn(async move {
                    store
                        .write(move |tx| {
                            let total = tx.get::<Counters>(&Global, "total")?.unwrap_or(0);
                            tx.put::<Counters>(&Global, &"total".to_owned(), &(total + 1))?;
                            tx.put::<Notes>(&here(), &at("a", number), &note(&number.to_string(), None))?;
                            if number % 3 == 1 { Err(Refused::Odd(number)) } else { Ok(number) }
                        })
                        .await
                });
            }
            writes.join_all().await
        });
        let (kept, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(kept.len(), 2000);
        assert!(refused.iter().all(|result| matches!(result, Err(Refused::Odd(number)) if number % 3 == 1)));
        assert_eq!(view(&store, |view| view.get::<Counters>(&Global, "total")), Some(2000));
        let numbers = view(&store, |view| view.scan_keys::<Notes>(&here(), Scan::all()));
        assert_eq!(numbers.len(), 2000);
        assert!(numbers.iter().all(|(_, number)| number % 3 != 1));
    }
}

#[test]
fn a_panic_is_an_error_and_the_store_works_on() {
    for (store, _kept) in stores() {
        let panicked = wait(store.write(|tx| -> Result<(), StoreError> {
            tx.put::<Counters>(&Global, &"n".to_owned(), &1)?;
            panic!("at {}", 7)
        }));
        assert!(matches!(panicked, Err(StoreError::Panicked(message)) if message == "at 7"));
        let panicked = wait(store.write(|_| -> Result<(), StoreError> { panic!("plain") }));
        assert!(matches!(panicked, Err(StoreError::Panicked(message)) if message == "plain"));
        assert_eq!(view(&store, |view| view.get::<Counters>(&Global, "n")), None);
        commit(&store, |tx| tx.put::<Counters>(&Global, &"n".to_owned(), &2));
        assert_eq!(view(&store, |view| view.get::<Counters>(&Global, "n")), Some(2));
    }
}

#[test]
fn a_view_does_not_change_and_holds_up_no_writer() {
    for (store, _kept) in stores() {
        commit(&store, fill);
        view(&store, |before| {
            assert_eq!(before.count::<Notes>(&here(), Scan::all())?, 7);
            commit(&store, |tx| tx.delete::<Notes>(&here(), &at("a", 1)).map(drop));
            assert!(before.contains::<Notes>(&here(), &at("a", 1))?);
            assert_eq!(before.count::<Notes>(&here(), Scan::all())?, 7);
            assert_eq!(view(&store, |after| after.count::<Notes>(&here(), Scan::all())), 6);
            Ok(())
        });
    }
}

#[test]
fn a_write_that_nobody_waits_for_is_finished() {
    for (store, _kept) in stores() {
        {
            let write = pin!(store.write(|tx| tx.put::<Counters>(&Global, &"n".to_owned(), &1)));
            // In memory it may be done already; either way it has been handed in.
            let polled: Poll<Result<(), StoreError>> = write.poll(&mut Context::from_waker(Waker::noop()));
            assert!(!matches!(polled, Poll::Ready(Err(_))));
        }
        let seen = wait(store.write(|tx| tx.get::<Counters>(&Global, "n")));
        assert_eq!(seen.unwrap(), Some(1));
    }
}

#[test]
fn a_row_that_json_cannot_hold_is_refused() {
    for (store, _kept) in stores() {
        let refused = wait(store.write(|tx| tx.put::<Unwritable>(&Global, &1, &[((1, 2), 3)].into())));
        assert!(matches!(refused, Err(StoreError::Unwritable { table: "test.unwritable", .. })));
        assert_eq!(view(&store, |view| view.count::<Unwritable>(&Global, Scan::all())), 0);
    }
}

#[test]
fn the_last_handle_may_be_dropped_by_a_transaction() {
    for (store, _kept) in stores() {
        let inner = store.clone();
        let write = store.write(move |_| inner.read(|view| view.count::<Counters>(&Global, Scan::all())));
        assert_eq!(wait(write).unwrap(), 0);
        drop(store);
    }
}
