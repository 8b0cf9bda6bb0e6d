//! Writing: rows and their index entries, kept apart until the whole transaction succeeds.

use std::ops::ControlFlow;

use serde_json::Value;

use crate::backend::overlay::Overlay;
use crate::backend::{Snapshot, Visitor};
use crate::error::StoreError;
use crate::key::ToKey;
use crate::read::{Bytes, Raw, Read, decode_row, visit_all};
use crate::scan::Span;
use crate::table::{
    ErasedIndex, ROWS, Table, every_table, index_of, indexes_of, rows_in, rows_named, rows_of, split_name,
};

/// A transaction: reads see the state and what the transaction itself has changed so far.
///
/// Nothing reaches the store unless the whole closure succeeds, so a step that failed, and whose error the closure
/// handles, has changed nothing either.
pub struct Transaction<'b> {
    changes: Changes<'b>,
}

impl std::fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

/// A state with the changes of one transaction over it.
struct Changes<'b> {
    base: &'b dyn Snapshot,
    overlay: Overlay,
}

impl Snapshot for Changes<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.overlay.get(self.base, key)
    }

    fn visit(&self, span: &Span, reverse: bool, visitor: &mut Visitor<'_>) -> Result<(), StoreError> {
        self.overlay.visit(self.base, span, reverse, visitor)
    }
}

impl Raw for Transaction<'_> {
    fn raw(&self) -> Bytes<'_> {
        Bytes(&self.changes)
    }
}

impl Read for Transaction<'_> {}

impl<'b> Transaction<'b> {
    pub(crate) fn over(base: &'b dyn Snapshot) -> Transaction<'b> {
        Transaction { changes: Changes { base, overlay: Overlay::default() } }
    }

    pub(crate) fn into_overlay(self) -> Overlay {
        self.changes.overlay
    }

    /// Sets the row under `key`, whether there was one or not.
    ///
    /// Where another row has the same value in a unique index: [`StoreError::Conflict`], and nothing has changed.
    pub fn put<T: Table>(&mut self, scope: &T::Scope, key: &T::Key, row: &T::Row) -> Result<(), StoreError> {
        let stored = stored_key::<T>(scope, key);
        let bytes = serde_json::to_vec(row)
            .map_err(|error| StoreError::Unwritable { table: T::NAME, what: error.to_string() })?;
        if !T::INDEXES.is_empty() {
            self.move_entries::<T>(scope, key, &stored, Some(row))?;
        }
        self.changes.overlay.put(stored, bytes);
        Ok(())
    }

    /// Sets the row under `key` unless there is one already; says whether it did.
    pub fn insert<T: Table>(
        &mut self,
        scope: &T::Scope,
        key: &T::Key,
        row: &T::Row,
    ) -> Result<bool, StoreError> {
        if self.contains::<T>(scope, key)? {
            return Ok(false);
        }
        self.put::<T>(scope, key, row)?;
        Ok(true)
    }

    /// Removes the row under `key`; says whether there was one.
    pub fn delete<T: Table>(&mut self, scope: &T::Scope, key: &T::Key) -> Result<bool, StoreError> {
        if !self.contains::<T>(scope, key)? {
            return Ok(false);
        }
        let stored = stored_key::<T>(scope, key);
        if !T::INDEXES.is_empty() {
            self.move_entries::<T>(scope, key, &stored, None)?;
        }
        self.changes.overlay.delete(stored);
        Ok(true)
    }

    /// Writes the entries of every index of `T` again, from the rows: for a migration that adds an index, or after
    /// which rows have other values in one.
    pub fn reindex<T: Table>(&mut self) -> Result<(), StoreError> {
        self.clear(&Span::under(indexes_of(T::NAME)))?;
        for (scope, key, row) in self.scan_all::<T>()? {
            let suffix = key_suffix::<T>(&stored_key::<T>(&scope, &key));
            for index in T::INDEXES {
                if let Some(entry) = Entry::of(*index, &scope, &key, &row) {
                    self.admit::<T>(*index, &entry, &suffix)?;
                    self.changes.overlay.put(entry.under(&suffix), Vec::new());
                }
            }
        }
        Ok(())
    }

    /// Shows every row of the table called `table` to `change` as JSON, and keeps what it makes of it: for migrations,
    /// which cannot read the rows as a type that has moved on. Where index values change, [`reindex`](Self::reindex)
    /// has to follow.
    pub fn rewrite_rows(
        &mut self,
        table: &str,
        mut change: impl FnMut(&mut Value),
    ) -> Result<(), StoreError> {
        let damaged = |error: serde_json::Error| StoreError::Damaged {
            table: table.to_owned(),
            what: format!("a row: {error}"),
        };
        let mut rewritten = Vec::new();
        visit_all(self.raw(), &Span::under(rows_named(table)), |key, row| {
            let before: Value = serde_json::from_slice(row).map_err(damaged)?;
            let mut after = before.clone();
            change(&mut after);
            if after != before {
                rewritten.push((key.to_vec(), serde_json::to_vec(&after).map_err(damaged)?));
            }
            Ok::<_, StoreError>(())
        })?;
        for (key, row) in rewritten {
            self.changes.overlay.put(key, row);
        }
        Ok(())
    }

    /// Shows every row of every table to `change` as JSON, and keeps what it makes of it: for what concerns the state as a whole and
    /// knows no tables. No index value may change.
    pub fn rewrite_every_row<E>(
        &mut self,
        mut change: impl FnMut(&mut Value) -> Result<(), E>,
    ) -> Result<(), E>
    where
        E: From<StoreError>,
    {
        let mut rewritten = Vec::new();
        visit_all(self.raw(), &every_table(), |stored, value| {
            let damaged = |what: &str| StoreError::Damaged {
                table: String::from_utf8_lossy(stored).into_owned(),
                what: what.to_owned(),
            };
            let (_, kind, _) = split_name(stored).ok_or_else(|| damaged("no table's name"))?;
            if kind != ROWS {
                return Ok(());
            }
            let mut row: Value = serde_json::from_slice(value).map_err(|_| damaged("a row is no JSON"))?;
            let before = row.clone();
            change(&mut row)?;
            if row != before {
                let row = serde_json::to_vec(&row).map_err(|_| damaged("a row cannot be written"))?;
                rewritten.push((stored.to_vec(), row));
            }
            Ok::<_, E>(())
        })?;
        for (key, row) in rewritten {
            self.changes.overlay.put(key, row);
        }
        Ok(())
    }

    /// Removes every row and every index entry of the table called `table`: for migrations.
    pub fn drop_table(&mut self, table: &str) -> Result<(), StoreError> {
        self.clear(&Span::under(rows_named(table)))?;
        self.clear(&Span::under(indexes_of(table)))
    }

    /// Removes everything in `span`.
    pub(crate) fn clear(&mut self, span: &Span) -> Result<(), StoreError> {
        let mut keys = Vec::new();
        visit_all(self.raw(), span, |key, _| {
            keys.push(key.to_vec());
            Ok::<_, StoreError>(())
        })?;
        for key in keys {
            self.changes.overlay.delete(key);
        }
        Ok(())
    }

    /// Sets a stored key, without any table.
    pub(crate) fn put_raw(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.changes.overlay.put(key, value);
    }

    /// Moves the index entries of the row stored under `stored` to the values of `row` (`None`: removes them), after
    /// checking that every unique index admits it.
    fn move_entries<T: Table>(
        &mut self,
        scope: &T::Scope,
        key: &T::Key,
        stored: &[u8],
        row: Option<&T::Row>,
    ) -> Result<(), StoreError> {
        let suffix = key_suffix::<T>(stored);
        let old = self.changes.get(stored)?.map(|bytes| decode_row::<T>(&bytes)).transpose()?;
        let mut moves = Vec::new();
        for index in T::INDEXES {
            let before = old.as_ref().and_then(|row| Entry::of(*index, scope, key, row));
            let after = row.and_then(|row| Entry::of(*index, scope, key, row));
            if before == after {
                continue;
            }
            if let Some(entry) = &after {
                self.admit::<T>(*index, entry, &suffix)?;
            }
            moves.push((before, after));
        }
        for (before, after) in moves {
            if let Some(entry) = before {
                self.changes.overlay.delete(entry.under(&suffix));
            }
            if let Some(entry) = after {
                self.changes.overlay.put(entry.under(&suffix), Vec::new());
            }
        }
        Ok(())
    }

    /// Refuses a value that another row has in a unique index.
    fn admit<T: Table>(
        &self,
        index: &dyn ErasedIndex<T>,
        entry: &Entry,
        suffix: &[u8],
    ) -> Result<(), StoreError> {
        if !index.unique() {
            return Ok(());
        }
        let mut taken = false;
        let own = entry.under(suffix);
        self.changes.visit(&Span::under(entry.0.clone()), false, &mut |found, _| {
            taken = found != own;
            if taken { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if taken { Err(StoreError::Conflict { table: T::NAME, index: index.name() }) } else { Ok(()) }
    }
}

/// Where a value's entries in an index begin; an entry goes on with the scope and the key of its row.
#[derive(Debug, PartialEq, Eq)]
struct Entry(Vec<u8>);

impl Entry {
    fn of<T: Table>(
        index: &dyn ErasedIndex<T>,
        scope: &T::Scope,
        key: &T::Key,
        row: &T::Row,
    ) -> Option<Entry> {
        let mut out = index_of(T::NAME, index.name());
        index.encode_value(scope, key, row, &mut out).then_some(Entry(out))
    }

    fn under(&self, suffix: &[u8]) -> Vec<u8> {
        [self.0.as_slice(), suffix].concat()
    }
}

fn stored_key<T: Table>(scope: &T::Scope, key: &T::Key) -> Vec<u8> {
    let mut stored = rows_in::<T>(scope);
    key.encode_key(&mut stored);
    stored
}

/// The scope and the key, as they end a stored key.
fn key_suffix<T: Table>(stored: &[u8]) -> Vec<u8> {
    stored.strip_prefix(rows_of::<T>().as_slice()).unwrap_or_default().to_vec()
}
