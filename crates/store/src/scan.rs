//! Which keys a scan returns, and in what order.

use std::marker::PhantomData;

use crate::key::{Key, Prefix, ToKey, after_prefix};

/// Which keys of type `K` a scan returns, and in what order: by default all of them, ascending.
///
/// `from`, `after`, `skip` and `limit` follow the direction of the scan: with `reverse`, `after(key)` continues below
/// the key. The cost follows what is skipped and returned, not the size of the table.
#[derive(Debug)]
pub struct Scan<K> {
    prefix: Vec<u8>,
    start: Option<Start>,
    pub(crate) skip: usize,
    pub(crate) limit: Option<usize>,
    pub(crate) reverse: bool,
    key: PhantomData<fn(K)>,
}

#[derive(Debug, Clone)]
struct Start {
    key: Vec<u8>,
    inclusive: bool,
}

impl<K> Clone for Scan<K> {
    fn clone(&self) -> Self {
        Scan { prefix: self.prefix.clone(), start: self.start.clone(), key: PhantomData, ..*self }
    }
}

impl<K> Default for Scan<K> {
    fn default() -> Self {
        Scan { prefix: Vec::new(), start: None, skip: 0, limit: None, reverse: false, key: PhantomData }
    }
}

impl<K: Key> Scan<K> {
    /// All keys, ascending.
    #[must_use]
    pub fn all() -> Self {
        Scan::default()
    }

    /// Only keys whose first part is `prefix`: the first members of a tuple, or how a string begins
    /// ([`Starting`](crate::Starting)).
    #[must_use]
    pub fn prefix<P: Prefix<K> + ?Sized>(mut self, prefix: &P) -> Self {
        self.prefix.clear();
        prefix.encode_prefix(&mut self.prefix);
        self
    }

    /// Only keys that follow `key`, which need not exist, in the direction of the scan.
    #[must_use]
    pub fn after<Q: ToKey<K> + ?Sized>(self, key: &Q) -> Self {
        self.starting(key, false)
    }

    /// Only `key` and the keys that follow it in the direction of the scan.
    #[must_use]
    pub fn from<Q: ToKey<K> + ?Sized>(self, key: &Q) -> Self {
        self.starting(key, true)
    }

    /// At most `limit` keys.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Leaves out the first `skip` keys.
    #[must_use]
    pub fn skip(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    /// From the highest key down.
    #[must_use]
    pub fn reverse(mut self) -> Self {
        self.reverse = true;
        self
    }

    fn starting<Q: ToKey<K> + ?Sized>(mut self, key: &Q, inclusive: bool) -> Self {
        let mut bytes = Vec::new();
        key.encode_key(&mut bytes);
        self.start = Some(Start { key: bytes, inclusive });
        self
    }

    /// Only the entries whose key is `key` (of an index: all entries of one value).
    pub(crate) fn exactly<Q: ToKey<K> + ?Sized>(key: &Q) -> Self {
        let mut scan = Scan::default();
        key.encode_key(&mut scan.prefix);
        scan
    }

    /// The span of stored keys under `root`, which the table and the scope make.
    pub(crate) fn span(&self, root: &[u8]) -> Span {
        let under = |tail: &[u8]| [root, tail].concat();
        let mut span = Span::under(under(&self.prefix));
        if let Some(start) = &self.start {
            let key = under(&start.key);
            // Keys are self-delimiting, so what begins with a whole key is that key (or an index's entry for it).
            match (self.reverse, start.inclusive) {
                (false, true) => span.raise(Some(key)),
                (false, false) => span.raise(after_prefix(&key)),
                (true, true) => span.lower(after_prefix(&key)),
                (true, false) => span.lower(Some(key)),
            }
        }
        span
    }
}

/// A half-open span of stored keys: `start` and above, below `end`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    pub(crate) start: Vec<u8>,
    /// `None`: no upper end.
    pub(crate) end: Option<Vec<u8>>,
}

impl Span {
    /// Everything that begins with `prefix`.
    pub(crate) fn under(prefix: Vec<u8>) -> Span {
        let end = after_prefix(&prefix);
        Span { start: prefix, end }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    fn raise(&mut self, start: Option<Vec<u8>>) {
        match start {
            Some(start) => self.start = start.max(std::mem::take(&mut self.start)),
            // Nothing lies above: the span becomes empty.
            None => self.end = Some(self.start.clone()),
        }
    }

    fn lower(&mut self, end: Option<Vec<u8>>) {
        let Some(end) = end else { return };
        self.end = Some(match self.end.take() {
            Some(old) => old.min(end),
            None => end,
        });
    }
}
