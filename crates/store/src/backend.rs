//! The seam to what keeps the bytes: one ordered map of byte strings, read through snapshots, written in batches.
//!
//! Tables, scopes and indexes are all made of key prefixes (see `table`), so this is all that a back end has to
//! do, and the suite in `suite` is all that it has to pass.

pub(crate) mod embedded;
pub(crate) mod memory;
pub(crate) mod overlay;
#[cfg(test)]
mod suite;

use std::ops::ControlFlow;

use crate::error::StoreError;
use crate::scan::Span;

/// What a back end hands out entries to; it says whether it wants the next one.
pub(crate) type Visitor<'v> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'v;

/// One durable ordered map of byte strings.
pub(crate) trait Backend: Send + Sync + 'static {
    /// A state with every commit that returned before this call. From its first read on, later commits do not change it.
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError>;

    /// Begins a batch. There is one at a time: the store has one writer.
    fn begin(&self) -> Result<Box<dyn Batch + '_>, StoreError>;

    /// Gives up the space of what was removed or replaced, so that nothing of it is left.
    fn compact(&self) -> Result<(), StoreError>;
}

/// A consistent state that can be read.
pub(crate) trait Snapshot {
    /// The value of `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Shows the entries of `span` to `visitor`, ascending or, with `reverse`, descending, until it breaks off.
    fn visit(&self, span: &Span, reverse: bool, visitor: &mut Visitor<'_>) -> Result<(), StoreError>;

    /// How many entries `span` has. A back end that can tell without showing each does so.
    fn count(&self, span: &Span) -> Result<usize, StoreError> {
        let mut number = 0;
        self.visit(span, false, &mut |_, _| {
            number += 1;
            ControlFlow::Continue(())
        })?;
        Ok(number)
    }
}

/// Changes that become visible and durable together. Dropped without a commit, it has changed nothing.
pub(crate) trait Batch: Snapshot {
    /// Sets `key`.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// Removes `key`, if it is there.
    fn delete(&mut self, key: &[u8]) -> Result<(), StoreError>;

    /// Makes the changes visible; returns when they are durable.
    fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
