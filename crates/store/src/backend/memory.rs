//! A back end that keeps everything in memory and nothing after the process: for tests, and for a cloud that may forget.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use super::overlay::Overlay;
use super::{Backend, Batch, Snapshot, Visitor};
use crate::error::StoreError;
use crate::scan::Span;

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// An ordered map behind a pointer: a snapshot holds the pointer, and a commit copies the map only if one does.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    committed: RwLock<Arc<Entries>>,
}

impl Memory {
    fn committed(&self) -> Arc<Entries> {
        Arc::clone(&self.committed.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Backend for Memory {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        Ok(Box::new(MemorySnapshot(self.committed())))
    }

    fn begin(&self) -> Result<Box<dyn Batch + '_>, StoreError> {
        let base = MemorySnapshot(self.committed());
        Ok(Box::new(MemoryBatch { memory: self, base, overlay: Overlay::default() }))
    }

    fn compact(&self) -> Result<(), StoreError> {
        // Nothing outlives its removal in memory that this could reach.
        Ok(())
    }
}

struct MemorySnapshot(Arc<Entries>);

impl Snapshot for MemorySnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(key).cloned())
    }

    fn visit(&self, span: &Span, reverse: bool, visitor: &mut Visitor<'_>) -> Result<(), StoreError> {
        if span.is_empty() {
            return Ok(());
        }
        let end = span.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut range = self.0.range::<[u8], _>((Bound::Included(span.start.as_slice()), end));
        while let Some((key, value)) = if reverse { range.next_back() } else { range.next() } {
            if visitor(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

struct MemoryBatch<'m> {
    memory: &'m Memory,
    base: MemorySnapshot,
    overlay: Overlay,
}

impl Snapshot for MemoryBatch<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.overlay.get(&self.base, key)
    }

    fn visit(&self, span: &Span, reverse: bool, visitor: &mut Visitor<'_>) -> Result<(), StoreError> {
        self.overlay.visit(&self.base, span, reverse, visitor)
    }
}

impl Batch for MemoryBatch<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.overlay.put(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), StoreError> {
        self.overlay.delete(key.to_vec());
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let MemoryBatch { memory, base, overlay } = *self;
        // Given back first, or the map would be copied on its account.
        drop(base);
        let mut committed = memory.committed.write().unwrap_or_else(PoisonError::into_inner);
        let entries = Arc::make_mut(&mut committed);
        for (key, change) in overlay.into_changes() {
            match change {
                Some(value) => drop(entries.insert(key, value)),
                None => drop(entries.remove(&key)),
            }
        }
        Ok(())
    }
}
