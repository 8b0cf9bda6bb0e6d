//! Reading tables, the same from a snapshot and from within a transaction.

use std::ops::ControlFlow;

use crate::backend::{Snapshot, Visitor};
use crate::error::StoreError;
use crate::key::{Key, KeyError, ToKey, decode_whole};
use crate::scan::{Scan, Span};
use crate::scope::{Regional, Scope};
use crate::table::{Index, Table, index_of, rows_in, rows_of};

/// A row of one scope, with its key.
pub type Keyed<T> = (<T as Table>::Key, <T as Table>::Row);

/// A row with the scope and the key it is kept under.
pub type Scoped<T> = (<T as Table>::Scope, <T as Table>::Key, <T as Table>::Row);

/// What is read through: bytes, before any type. Cannot be named outside, so only the store implements [`Read`].
pub trait Raw {
    #[doc(hidden)]
    fn raw(&self) -> Bytes<'_>;
}

/// A state of which bytes can be read.
#[derive(Clone, Copy)]
pub struct Bytes<'b>(pub(crate) &'b dyn Snapshot);

/// A consistent snapshot of the store.
pub struct View<'s> {
    snapshot: Box<dyn Snapshot + 's>,
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").finish_non_exhaustive()
    }
}

impl<'s> View<'s> {
    pub(crate) fn new(snapshot: Box<dyn Snapshot + 's>) -> View<'s> {
        View { snapshot }
    }
}

impl Raw for View<'_> {
    fn raw(&self) -> Bytes<'_> {
        Bytes(&*self.snapshot)
    }
}

impl Read for View<'_> {}

/// Reading, from a [`View`] or a [`Transaction`](crate::Transaction): write `fn find(tx: &impl Read, …)` for both.
pub trait Read: Raw {
    /// The row under `key`.
    fn get<T: Table>(
        &self,
        scope: &T::Scope,
        key: &(impl ToKey<T::Key> + ?Sized),
    ) -> Result<Option<T::Row>, StoreError> {
        let mut stored = rows_in::<T>(scope);
        key.encode_key(&mut stored);
        self.raw().0.get(&stored)?.map(|row| decode_row::<T>(&row)).transpose()
    }

    /// Whether there is a row under `key`; the row is not decoded.
    fn contains<T: Table>(
        &self,
        scope: &T::Scope,
        key: &(impl ToKey<T::Key> + ?Sized),
    ) -> Result<bool, StoreError> {
        let mut stored = rows_in::<T>(scope);
        key.encode_key(&mut stored);
        Ok(self.raw().0.get(&stored)?.is_some())
    }

    /// The rows of one scope, in the order of their keys.
    fn scan<T: Table>(&self, scope: &T::Scope, scan: Scan<T::Key>) -> Result<Vec<Keyed<T>>, StoreError> {
        let root = rows_in::<T>(scope);
        collect(self.raw(), &scan, &root, |key, row| Ok((whole_key::<T>(key)?, decode_row::<T>(row)?)))
    }

    /// The keys of one scope, in order; the rows are not decoded.
    fn scan_keys<T: Table>(&self, scope: &T::Scope, scan: Scan<T::Key>) -> Result<Vec<T::Key>, StoreError> {
        collect(self.raw(), &scan, &rows_in::<T>(scope), |key, _| whole_key::<T>(key))
    }

    /// How many rows [`scan`](Read::scan) would return. Nothing is decoded, but the cost grows with the number.
    fn count<T: Table>(&self, scope: &T::Scope, scan: Scan<T::Key>) -> Result<usize, StoreError> {
        count(self.raw(), &scan, &rows_in::<T>(scope))
    }

    /// The rows of every scope, in the order of scopes and keys.
    fn scan_all<T: Table>(&self) -> Result<Vec<Scoped<T>>, StoreError> {
        collect(self.raw(), &Scan::<T::Key>::default(), &rows_of::<T>(), |key, row| scoped_row::<T>(key, row))
    }

    /// The rows of one account in every region, in the order of regions and keys.
    fn scan_account<T: Table<Scope = Regional>>(&self, uin: u64) -> Result<Vec<Scoped<T>>, StoreError> {
        let root = rows_of::<T>();
        let mut account = root.clone();
        uin.encode(&mut account);
        let mut rows = Vec::new();
        visit_all(self.raw(), &Span::under(account), |key, row| {
            rows.push(scoped_row::<T>(tail(key, &root), row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The first row whose value in the index `I` is `value`: of a unique index, the only one.
    fn find<I: Index>(
        &self,
        value: &(impl ToKey<I::Value> + ?Sized),
    ) -> Result<Option<Scoped<I::Table>>, StoreError> {
        Ok(self.find_all::<I>(value, 1)?.pop())
    }

    /// The rows whose value in the index `I` is `value`, at most `limit`, in the order of their scopes and keys.
    fn find_all<I: Index>(
        &self,
        value: &(impl ToKey<I::Value> + ?Sized),
        limit: usize,
    ) -> Result<Vec<Scoped<I::Table>>, StoreError> {
        self.scan_index::<I>(Scan::exactly(value).limit(limit))
    }

    /// The rows in the order of an index: by its value, then by their scopes and keys. Rows without a value are left out.
    fn scan_index<I: Index>(&self, scan: Scan<I::Value>) -> Result<Vec<Scoped<I::Table>>, StoreError> {
        declared::<I>()?;
        let root = index_of(I::Table::NAME, I::NAME);
        let keys = collect(self.raw(), &scan, &root, |mut entry, _| {
            I::Value::decode(&mut entry).map_err(damaged::<I::Table>)?;
            Ok(entry.to_vec())
        })?;
        let rows = rows_of::<I::Table>();
        let resolve = |key: Vec<u8>| {
            let row = self.raw().0.get(&[rows.as_slice(), key.as_slice()].concat())?;
            let row = row.ok_or_else(|| StoreError::Damaged {
                table: I::Table::NAME.to_owned(),
                what: format!("the index {} names a row that is not there", I::NAME),
            })?;
            scoped_row::<I::Table>(&key, &row)
        };
        keys.into_iter().map(resolve).collect()
    }

    /// How many rows [`scan_index`](Read::scan_index) would return.
    fn count_index<I: Index>(&self, scan: Scan<I::Value>) -> Result<usize, StoreError> {
        declared::<I>()?;
        count(self.raw(), &scan, &index_of(I::Table::NAME, I::NAME))
    }
}

/// Refuses an index that its table does not maintain.
fn declared<I: Index>() -> Result<(), StoreError> {
    if I::Table::INDEXES.iter().any(|index| index.name() == I::NAME) {
        return Ok(());
    }
    Err(StoreError::Undeclared { table: I::Table::NAME, index: I::NAME })
}

/// What follows `root` in a stored key. Every visited key lies under the root.
fn tail<'k>(key: &'k [u8], root: &[u8]) -> &'k [u8] {
    key.strip_prefix(root).unwrap_or_default()
}

/// The entries under `root` that `scan` selects, each without the root and as `decode` makes it.
fn collect<K: Key, O>(
    raw: Bytes<'_>,
    scan: &Scan<K>,
    root: &[u8],
    mut decode: impl FnMut(&[u8], &[u8]) -> Result<O, StoreError>,
) -> Result<Vec<O>, StoreError> {
    let mut out = Vec::new();
    select(raw, scan, root, |key, value| {
        out.push(decode(key, value)?);
        Ok(())
    })?;
    Ok(out)
}

fn count<K: Key>(raw: Bytes<'_>, scan: &Scan<K>, root: &[u8]) -> Result<usize, StoreError> {
    let within = scan.span(root);
    if scan.limit.is_none() && !within.is_empty() {
        return Ok(raw.0.count(&within)?.saturating_sub(scan.skip));
    }
    let mut number = 0;
    select(raw, scan, root, |_, _| {
        number += 1;
        Ok(())
    })?;
    Ok(number)
}

fn select<K: Key>(
    raw: Bytes<'_>,
    scan: &Scan<K>,
    root: &[u8],
    mut each: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (mut skip, mut left) = (scan.skip, scan.limit.unwrap_or(usize::MAX));
    if left == 0 {
        return Ok(());
    }
    visit(raw, &scan.span(root), scan.reverse, |key, value| {
        if skip > 0 {
            skip -= 1;
            return Ok(ControlFlow::Continue(()));
        }
        each(tail(key, root), value)?;
        left -= 1;
        Ok(if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })
}

/// Every entry of `span`, ascending.
pub(crate) fn visit_all<E: From<StoreError>>(
    raw: Bytes<'_>,
    span: &Span,
    mut each: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    visit(raw, span, false, |key, value| each(key, value).map(ControlFlow::Continue))
}

/// [`Snapshot::visit`] with a visitor that can fail.
fn visit<E: From<StoreError>>(
    raw: Bytes<'_>,
    span: &Span,
    reverse: bool,
    mut each: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    if span.is_empty() {
        return Ok(());
    }
    let mut failure = None;
    let visitor: &mut Visitor<'_> = &mut |key, value| match each(key, value) {
        Ok(flow) => flow,
        Err(error) => {
            failure = Some(error);
            ControlFlow::Break(())
        }
    };
    raw.0.visit(span, reverse, visitor)?;
    failure.map_or(Ok(()), Err)
}

fn scoped_row<T: Table>(mut key: &[u8], row: &[u8]) -> Result<Scoped<T>, StoreError> {
    let scope = T::Scope::decode(&mut key).map_err(damaged::<T>)?;
    Ok((scope, whole_key::<T>(key)?, decode_row::<T>(row)?))
}

fn whole_key<T: Table>(key: &[u8]) -> Result<T::Key, StoreError> {
    decode_whole(key).map_err(damaged::<T>)
}

fn damaged<T: Table>(error: KeyError) -> StoreError {
    StoreError::Damaged { table: T::NAME.to_owned(), what: error.to_string() }
}

/// A stored row as its type.
pub(crate) fn decode_row<T: Table>(row: &[u8]) -> Result<T::Row, StoreError> {
    serde_json::from_slice(row)
        .map_err(|error| StoreError::Damaged { table: T::NAME.to_owned(), what: format!("a row: {error}") })
}
