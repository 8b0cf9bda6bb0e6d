//! What the transactions of one commit have changed so far, handed to the back end at its end: a row that many of them change is
//! written once, and rows are written in the order of their keys.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::backend::overlay::Overlay;
use crate::backend::{Batch, Snapshot, Visitor};
use crate::error::StoreError;
use crate::scan::Span;

/// Bytes of changes that are held back at most: more are handed to the back end before the end.
const HELD_BACK: usize = 4 * 1024 * 1024;

/// How many values, and how many spans, are remembered from reads.
const REMEMBERED: usize = 512;
/// The longest value that is remembered.
const LONGEST: usize = 4096;
/// How many entries of a span are remembered at most: the few that an index has for a value, or that there are none.
const ENTRIES: usize = 8;

/// The changes of a group, and what was read below them: its transactions ask for the same rows again and again.
#[derive(Default)]
pub(crate) struct Group {
    changes: Overlay,
    /// Bytes of what was added to the changes.
    weight: usize,
    changed: bool,
    remembered: Remembered,
}

/// What a group of transactions changed.
pub(crate) enum Changed {
    Something,
    Nothing,
}

/// A batch under the changes of its group.
pub(crate) struct Layered<'g> {
    changes: &'g Overlay,
    below: Below<'g>,
}

impl Group {
    /// What the next transaction of the group sees.
    pub(crate) fn over<'g>(&'g self, batch: &'g dyn Batch) -> Layered<'g> {
        Layered { changes: &self.changes, below: Below { batch, remembered: &self.remembered } }
    }

    /// Adds what a transaction has changed.
    pub(crate) fn add(&mut self, changes: Overlay, batch: &mut dyn Batch) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.changed = true;
        self.weight += changes.weight();
        self.changes.add(changes);
        if self.weight > HELD_BACK { self.hand_over(batch) } else { Ok(()) }
    }

    /// Commits the changes, if there are any.
    pub(crate) fn commit(mut self, mut batch: Box<dyn Batch + '_>) -> Result<Changed, StoreError> {
        if !self.changed {
            return Ok(Changed::Nothing);
        }
        self.hand_over(&mut *batch)?;
        batch.commit().map(|()| Changed::Something)
    }

    fn hand_over(&mut self, batch: &mut dyn Batch) -> Result<(), StoreError> {
        self.weight = 0;
        // It was of the batch as it was before.
        self.remembered = Remembered::default();
        std::mem::take(&mut self.changes).apply(batch)
    }
}

impl Snapshot for Layered<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.changes.get(&self.below, key)
    }

    fn visit(&self, span: &Span, reverse: bool, visitor: &mut Visitor<'_>) -> Result<(), StoreError> {
        self.changes.visit(&self.below, span, reverse, visitor)
    }
}

/// What was read of a batch that nobody changes meanwhile.
#[derive(Default)]
struct Remembered {
    values: RefCell<HashMap<Vec<u8>, Option<Vec<u8>>>>,
    spans: RefCell<HashMap<(Span, bool), Rc<Seen>>>,
}

/// The first entries of a span.
#[derive(Default)]
struct Seen {
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether there are no others.
    all: bool,
}

/// A batch, and what is remembered of it.
struct Below<'g> {
    batch: &'g dyn Batch,
    remembered: &'g Remembered,
}

impl Snapshot for Below<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(known) = self.remembered.values.borrow().get(key) {
            return Ok(known.clone());
        }
        let found = self.batch.get(key)?;
        let mut values = self.remembered.values.borrow_mut();
        if values.len() < REMEMBERED && found.as_ref().is_none_or(|value| value.len() <= LONGEST) {
            values.insert(key.to_vec(), found.clone());
        }
        Ok(found)
    }

    fn visit(&self, span: &Span, reverse: bool, visitor: &mut Visitor<'_>) -> Result<(), StoreError> {
        let place = (span.clone(), reverse);
        let seen = self.remembered.spans.borrow().get(&place).cloned();
        let known = seen.is_some();
        let seen = seen.unwrap_or_default();
        for (key, value) in &seen.entries {
            if visitor(key, value).is_break() {
                return Ok(());
            }
        }
        if seen.all {
            return Ok(());
        }
        let (mut shown, mut first, mut all) = (0, Vec::new(), true);
        self.batch.visit(span, reverse, &mut |key, value| {
            shown += 1;
            if shown <= ENTRIES && value.len() <= LONGEST {
                first.push((key.to_vec(), value.to_vec()));
            }
            if shown <= seen.entries.len() {
                return ControlFlow::Continue(());
            }
            let flow = visitor(key, value);
            all = flow.is_continue();
            flow
        })?;
        let mut spans = self.remembered.spans.borrow_mut();
        if first.len() == shown && (known || spans.len() < REMEMBERED) {
            spans.insert(place, Rc::new(Seen { entries: first, all }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::backend::Backend as _;
    use crate::backend::memory::Memory;

    /// What a visitor that takes `limit` entries is shown.
    fn shown(snapshot: &dyn Snapshot, span: &Span, reverse: bool, limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut entries = Vec::new();
        snapshot
            .visit(span, reverse, &mut |key, value| {
                entries.push((key.to_vec(), value.to_vec()));
                if entries.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
            .unwrap();
        entries
    }

    #[derive(Debug, Clone)]
    enum Step {
        Get(u8),
        Visit(u8, Option<u8>, bool, usize),
        Change(Vec<(u8, Option<u8>)>),
        HandOver,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let key = 0_u8..24;
        let change = (key.clone(), prop::option::of(any::<u8>()));
        let step = prop_oneof![
            4 => key.clone().prop_map(Step::Get),
            8 => (key.clone(), prop::option::of(key), any::<bool>(), 1_usize..14)
                .prop_map(|(start, end, reverse, limit)| Step::Visit(start, end, reverse, limit)),
            2 => prop::collection::vec(change, 1..5).prop_map(Step::Change),
            1 => Just(Step::HandOver),
        ];
        prop::collection::vec(step, 1..40)
    }

    proptest! {
        #[test]
        fn a_group_reads_as_if_each_change_had_been_handed_over(
            first in prop::collection::btree_map(0_u8..24, any::<u8>(), 0..24),
            steps in steps(),
        ) {
            let (memory, model) = (Memory::default(), Memory::default());
            for backend in [&memory, &model] {
                let mut batch = backend.begin().unwrap();
                for (key, value) in &first {
                    batch.put(&[*key], &[*value]).unwrap();
                }
                batch.commit().unwrap();
            }
            let (mut batch, mut plain) = (memory.begin().unwrap(), model.begin().unwrap());
            let mut group = Group::default();
            for step in steps {
                match step {
                    Step::Get(key) => {
                        prop_assert_eq!(group.over(&*batch).get(&[key]).unwrap(), plain.get(&[key]).unwrap());
                    }
                    Step::Visit(start, end, reverse, limit) => {
                        let span = Span { start: vec![start], end: end.map(|end| vec![end]) };
                        let seen = shown(&group.over(&*batch), &span, reverse, limit);
                        prop_assert_eq!(seen, shown(&*plain, &span, reverse, limit));
                    }
                    Step::Change(changes) => {
                        let mut overlay = Overlay::default();
                        for (key, value) in changes {
                            if let Some(value) = value {
                                overlay.put(vec![key], vec![value]);
                                plain.put(&[key], &[value]).unwrap();
                            } else {
                                overlay.delete(vec![key]);
                                plain.delete(&[key]).unwrap();
                            }
                        }
                        group.add(overlay, &mut *batch).unwrap();
                    }
                    Step::HandOver => group.hand_over(&mut *batch).unwrap(),
                }
            }
            group.commit(batch).unwrap();
            plain.commit().unwrap();
            let everything = Span { start: Vec::new(), end: None };
            let [kept, expected] = [&memory, &model]
                .map(|backend| shown(&*backend.snapshot().unwrap(), &everything, false, usize::MAX));
            prop_assert_eq!(kept, expected);
        }
    }

    #[test]
    fn what_is_too_much_to_hold_back_is_handed_over_early() {
        let memory = Memory::default();
        let mut batch = memory.begin().unwrap();
        let mut group = Group::default();
        for key in 0..3_u8 {
            let mut changes = Overlay::default();
            changes.put(vec![key], vec![key; HELD_BACK / 2]);
            group.add(changes, &mut *batch).unwrap();
        }
        assert!(batch.get(&[1]).unwrap().is_some() && batch.get(&[2]).unwrap().is_none());
        for key in 0..3 {
            let value = group.over(&*batch).get(&[key]).unwrap();
            assert_eq!(value.map(|value| value.len()), Some(HELD_BACK / 2));
        }
        group.commit(batch).unwrap();
        assert!(memory.snapshot().unwrap().get(&[2]).unwrap().is_some());
    }
}
