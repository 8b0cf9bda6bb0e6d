//! Tables, their indexes, and where both lie in the one ordered map that a back end keeps.
//!
//! ```text
//! <table> 00 <scope> <key>                          → the row, JSON
//! <table> 01 <index> 00 <value> <scope> <key>       → nothing
//! 00 <name>                                         → what the store keeps for itself
//! ```
//!
//! Names consist of `a-z 0-9 . _ -`, so no name holds the bytes 00 and 01 that end one.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::marker::PhantomData;

use crate::key::Key;
use crate::scan::Span;
use crate::scope::Scope;

/// Ends a table's name before a row, and an index's name before a value.
pub(crate) const ROWS: u8 = 0x00;
/// Ends a table's name before the name of an index.
pub(crate) const INDEXES: u8 = 0x01;

/// A table: rows of one type, ordered by scope and key.
pub trait Table: Sized + 'static {
    /// The name, unique in the store: the product, a dot, and what the rows are, for instance `tcr.namespaces`.
    /// `a-z 0-9 . _ -` only, which is checked when the code is compiled.
    const NAME: &'static str;
    /// To whom a row belongs.
    type Scope: Scope;
    /// What names a row within its scope, and orders it.
    type Key: Key;
    /// What is kept.
    type Row: Serialize + DeserializeOwned;
    /// Every index of the table. An index that is missing here is not maintained, and reading it is an error.
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[];
}

/// The rows of a table, whatever they are: for a [`Migration`](crate::Migration) of rows that former versions wrote. No index is
/// maintained, so one that changes what an index is made of has to [`reindex`](crate::Transaction::reindex).
#[derive(Debug)]
pub struct Untyped<T>(PhantomData<T>);

impl<T: Table> Table for Untyped<T> {
    const NAME: &'static str = T::NAME;
    type Scope = T::Scope;
    type Key = T::Key;
    type Row = Value;
}

/// A secondary index: finds rows by a value that follows from them.
///
/// Index values are global: where they should be told apart by scope, put the scope into the value.
/// Where the value of rows that are already stored would change with a new version of the code, a
/// [`Migration`](crate::Migration) has to call [`reindex`](crate::Transaction::reindex).
pub trait Index: 'static {
    /// The table whose rows it finds.
    type Table: Table;
    /// What rows are found by.
    type Value: Key;
    /// The name, unique among the indexes of the table; written as a table's name.
    const NAME: &'static str;
    /// Whether two rows may not have the same value.
    const UNIQUE: bool;

    /// The value of a row; `None` keeps the row out of the index.
    fn value(
        scope: &<Self::Table as Table>::Scope,
        key: &<Self::Table as Table>::Key,
        row: &<Self::Table as Table>::Row,
    ) -> Option<Self::Value>;
}

/// An [`Index`] of the table `T` without the type of its value. Every index is one.
pub trait ErasedIndex<T: Table>: Sync {
    /// The index's name.
    fn name(&self) -> &'static str;
    /// Whether two rows may not have the same value.
    fn unique(&self) -> bool;
    /// Appends the encoding of the row's value to `out`; `false` if the row has none.
    fn encode_value(&self, scope: &T::Scope, key: &T::Key, row: &T::Row, out: &mut Vec<u8>) -> bool;
}

impl<I: Index + Sync> ErasedIndex<I::Table> for I {
    fn name(&self) -> &'static str {
        const { assert!(is_name(I::NAME), "an index's name consists of a-z 0-9 . _ -") };
        I::NAME
    }

    fn unique(&self) -> bool {
        I::UNIQUE
    }

    fn encode_value(
        &self,
        scope: &<I::Table as Table>::Scope,
        key: &<I::Table as Table>::Key,
        row: &<I::Table as Table>::Row,
        out: &mut Vec<u8>,
    ) -> bool {
        I::value(scope, key, row).inspect(|value| value.encode(out)).is_some()
    }
}

/// Whether `name` may name a table or an index.
pub(crate) const fn is_name(name: &str) -> bool {
    let mut rest = name.as_bytes();
    while let [first, tail @ ..] = rest {
        if !matches!(first, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-') {
            return false;
        }
        rest = tail;
    }
    !name.is_empty()
}

/// The rows and index entries of all tables. Below them, whose names begin with a printable character, lies only what the store keeps
/// for itself.
pub(crate) fn every_table() -> Span {
    Span { start: vec![ROWS + 1], end: None }
}

/// The name at the front of a stored key, the byte that ends it, and what follows.
pub(crate) fn split_name(stored: &[u8]) -> Option<(&str, u8, &[u8])> {
    let end = stored.iter().position(|byte| matches!(*byte, ROWS | INDEXES))?;
    let (name, rest) = stored.split_at_checked(end)?;
    let (kind, rest) = rest.split_first()?;
    Some((std::str::from_utf8(name).ok()?, *kind, rest))
}

/// Where the rows of table `T` begin.
pub(crate) fn rows_of<T: Table>() -> Vec<u8> {
    const { assert!(is_name(T::NAME), "a table's name consists of a-z 0-9 . _ -") };
    rows_named(T::NAME)
}

/// Where the rows of the table called `name` begin.
pub(crate) fn rows_named(name: &str) -> Vec<u8> {
    // Room for a scope and a key of usual size, so that appending them does not allocate again.
    let mut out = Vec::with_capacity(name.len() + 96);
    out.extend(name.as_bytes());
    out.push(ROWS);
    out
}

/// Where the rows of table `T` in one scope begin.
pub(crate) fn rows_in<T: Table>(scope: &T::Scope) -> Vec<u8> {
    let mut out = rows_of::<T>();
    scope.encode(&mut out);
    out
}

/// Where all indexes of the table called `table` begin.
pub(crate) fn indexes_of(table: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(table.len() + 96);
    out.extend(table.as_bytes());
    out.push(INDEXES);
    out
}

/// Where the entries of an index begin.
pub(crate) fn index_of(table: &str, index: &str) -> Vec<u8> {
    let mut out = indexes_of(table);
    out.extend(index.as_bytes());
    out.push(ROWS);
    out
}
