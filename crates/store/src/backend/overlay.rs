//! Changes kept in memory over a state that they do not touch.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use super::{Batch, Snapshot, Visitor};
use crate::error::StoreError;
use crate::scan::Span;

/// Changes over a state: what was put, and (`None`) what was deleted.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Overlay {
    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.changes.insert(key, Some(value));
    }

    pub(crate) fn delete(&mut self, key: Vec<u8>) {
        self.changes.insert(key, None);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(crate) fn into_changes(self) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        self.changes
    }

    /// Adds later changes.
    pub(crate) fn add(&mut self, later: Overlay) {
        self.changes.extend(later.changes);
    }

    /// The bytes of keys and values.
    pub(crate) fn weight(&self) -> usize {
        self.changes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum()
    }

    /// Hands the changes over to a batch.
    pub(crate) fn apply(self, batch: &mut dyn Batch) -> Result<(), StoreError> {
        for (key, change) in self.changes {
            match change {
                Some(value) => batch.put(&key, &value)?,
                None => batch.delete(&key)?,
            }
        }
        Ok(())
    }

    /// As [`Snapshot::get`], of `base` under these changes.
    pub(crate) fn get<S: Snapshot + ?Sized>(
        &self,
        base: &S,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        match self.changes.get(key) {
            Some(change) => Ok(change.clone()),
            None => base.get(key),
        }
    }

    /// As [`Snapshot::visit`], of `base` under these changes.
    pub(crate) fn visit<S: Snapshot + ?Sized>(
        &self,
        base: &S,
        span: &Span,
        reverse: bool,
        visitor: &mut Visitor<'_>,
    ) -> Result<(), StoreError> {
        if span.is_empty() {
            return Ok(());
        }
        let end = span.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let range = self.changes.range::<[u8], _>((Bound::Included(span.start.as_slice()), end));
        if reverse {
            merge(range.rev(), base, span, true, visitor)
        } else {
            merge(range, base, span, false, visitor)
        }
    }
}

/// Shows the entries of `base` and the changes as one, in the order in which both come.
fn merge<'c, S: Snapshot + ?Sized>(
    changes: impl Iterator<Item = (&'c Vec<u8>, &'c Option<Vec<u8>>)>,
    base: &S,
    span: &Span,
    reverse: bool,
    visitor: &mut Visitor<'_>,
) -> Result<(), StoreError> {
    let mut changes = changes.peekable();
    let mut flow = ControlFlow::Continue(());
    base.visit(span, reverse, &mut |key, value| {
        let precedes = |changed: &[u8]| if reverse { changed > key } else { changed < key };
        while let Some((changed, change)) = changes.next_if(|(changed, _)| precedes(changed)) {
            flow = change.as_ref().map_or(ControlFlow::Continue(()), |value| visitor(changed, value));
            if flow.is_break() {
                return flow;
            }
        }
        flow = match changes.next_if(|(changed, _)| changed.as_slice() == key) {
            Some((_, Some(value))) => visitor(key, value),
            Some((_, None)) => ControlFlow::Continue(()),
            None => visitor(key, value),
        };
        flow
    })?;
    if flow.is_continue() {
        for (changed, change) in changes {
            if let Some(value) = change
                && visitor(changed, value).is_break()
            {
                break;
            }
        }
    }
    Ok(())
}
