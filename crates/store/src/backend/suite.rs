//! What every back end has to do, tested on each.

use std::ops::ControlFlow;

use super::embedded::Embedded;
use super::memory::Memory;
use super::{Backend, Snapshot};
use crate::scan::Span;

fn on_each(test: impl Fn(&dyn Backend)) {
    test(&Memory::default());
    let directory = tempfile::tempdir().unwrap();
    test(&Embedded::open(&directory.path().join("state"), None).unwrap());
}

fn fill(backend: &dyn Backend, keys: &[&[u8]]) {
    let mut batch = backend.begin().unwrap();
    for key in keys {
        batch.put(key, &[b"of ", *key].concat()).unwrap();
    }
    batch.commit().unwrap();
}

fn keys(snapshot: &dyn Snapshot, start: &[u8], end: Option<&[u8]>, reverse: bool) -> Vec<Vec<u8>> {
    let span = Span { start: start.to_vec(), end: end.map(<[u8]>::to_vec) };
    let mut keys = Vec::new();
    snapshot
        .visit(&span, reverse, &mut |key, value| {
            assert_eq!(value, [b"of ", key].concat());
            keys.push(key.to_vec());
            ControlFlow::Continue(())
        })
        .unwrap();
    keys
}

#[test]
fn spans_are_half_open_and_ordered_by_bytes() {
    on_each(|backend| {
        fill(backend, &[b"b", b"", b"a", b"a\0", b"a\xFF", b"\xFF\xFF"]);
        let snapshot = backend.snapshot().unwrap();
        let all: [&[u8]; 6] = [b"", b"a", b"a\0", b"a\xFF", b"b", b"\xFF\xFF"];
        assert_eq!(keys(&*snapshot, b"", None, false), all);
        let mut reversed = all;
        reversed.reverse();
        assert_eq!(keys(&*snapshot, b"", None, true), reversed);
        assert_eq!(keys(&*snapshot, b"a", Some(b"b"), false), all[1..4]);
        assert_eq!(keys(&*snapshot, b"a", Some(b"b"), true), reversed[2..5]);
        assert!(keys(&*snapshot, b"b", Some(b"a"), false).is_empty());
        for (start, end, number) in [(&b""[..], None, 6), (b"a", None, 5), (b"a", Some(&b"b"[..]), 3)] {
            let span = Span { start: start.to_vec(), end: end.map(<[u8]>::to_vec) };
            assert_eq!(snapshot.count(&span).unwrap(), number, "{start:?}");
        }
    });
}

#[test]
fn a_visitor_that_breaks_off_sees_no_more() {
    on_each(|backend| {
        fill(backend, &[b"a", b"b", b"c"]);
        for reverse in [false, true] {
            let mut seen = 0;
            let mut visitor = |_: &[u8], _: &[u8]| {
                seen += 1;
                if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let all = Span { start: Vec::new(), end: None };
            backend.snapshot().unwrap().visit(&all, reverse, &mut visitor).unwrap();
            assert_eq!(seen, 2);
        }
    });
}

#[test]
fn a_batch_sees_itself_and_is_seen_when_committed() {
    on_each(|backend| {
        fill(backend, &[b"a", b"b"]);
        let mut batch = backend.begin().unwrap();
        batch.delete(b"a").unwrap();
        batch.delete(b"never there").unwrap();
        batch.put(b"c", b"of c").unwrap();
        assert_eq!(batch.get(b"a").unwrap(), None);
        assert_eq!(keys(&*batch, b"", None, false), [b"b", b"c"]);
        assert_eq!(keys(&*batch, b"", None, true), [b"c", b"b"]);
        assert_eq!(batch.count(&Span { start: Vec::new(), end: None }).unwrap(), 2);
        assert_eq!(keys(&*backend.snapshot().unwrap(), b"", None, false), [b"a", b"b"]);
        batch.commit().unwrap();
        assert_eq!(keys(&*backend.snapshot().unwrap(), b"", None, false), [b"b", b"c"]);
    });
}

#[test]
fn an_abandoned_batch_has_changed_nothing() {
    on_each(|backend| {
        fill(backend, &[b"a"]);
        let mut batch = backend.begin().unwrap();
        batch.put(b"b", b"of b").unwrap();
        batch.delete(b"a").unwrap();
        drop(batch);
        assert_eq!(keys(&*backend.snapshot().unwrap(), b"", None, false), [b"a"]);
        fill(backend, &[b"c"]);
        assert_eq!(keys(&*backend.snapshot().unwrap(), b"", None, false), [b"a", b"c"]);
    });
}

#[test]
fn a_snapshot_stays_as_it_was_first_read() {
    on_each(|backend| {
        fill(backend, &[b"a"]);
        let before = backend.snapshot().unwrap();
        assert_eq!(before.get(b"a").unwrap().unwrap(), b"of a");
        fill(backend, &[b"b"]);
        assert_eq!(before.get(b"b").unwrap(), None);
        assert_eq!(keys(&*before, b"", None, false), [b"a"]);
        assert_eq!(keys(&*backend.snapshot().unwrap(), b"", None, false), [b"a", b"b"]);
    });
}

#[test]
fn a_visitor_may_read_on() {
    on_each(|backend| {
        fill(backend, &[b"a", b"b", b"c"]);
        let snapshot = backend.snapshot().unwrap();
        let mut seen = Vec::new();
        let all = Span { start: Vec::new(), end: None };
        snapshot
            .visit(&all, false, &mut |key, _| {
                seen.push((snapshot.get(key).unwrap(), keys(&*snapshot, key, None, false).len()));
                ControlFlow::Continue(())
            })
            .unwrap();
        let of = |key: &[u8]| Some([b"of ", key].concat());
        assert_eq!(seen, [(of(b"a"), 3), (of(b"b"), 2), (of(b"c"), 1)]);
    });
}
