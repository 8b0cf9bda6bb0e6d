//! What registries, namespaces and repositories hold, counted in the transaction that changes it: exact at every moment,
//! and read in one step whatever the size.

use rookery_store::{Global, Read, Scan, Store, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::Registry;
use crate::errors::Error;
use crate::names::{RegistryId, Repository};
use crate::tables::{ContentKey, Holders, LinkRow, Links, Manifests, Repositories, Tags};

/// What a repository, a namespace or a registry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Repositories; of one repository, 1 if it exists.
    pub repositories: u64,
    /// Tags.
    pub tags: u64,
    /// Manifests, tagged or not.
    pub manifests: u64,
    /// Blobs, counted once per repository that holds them.
    pub blobs: u64,
    /// Bytes of those blobs and manifests, as if nothing were shared.
    pub bytes: u64,
}

/// The blobs of a registry, each counted once however many of its repositories hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unique {
    /// How many.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Whose usage is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// A whole registry.
    Registry(&'a RegistryId),
    /// A namespace: the part of a repository's name before the first slash.
    Namespace(&'a RegistryId, &'a str),
    /// One repository.
    Repository(&'a Repository),
}

impl Place<'_> {
    /// No repository's name is empty or ends with a slash, so the three kinds never meet.
    fn key(self) -> (String, String) {
        match self {
            Self::Registry(registry) => (registry.to_string(), String::new()),
            Self::Namespace(registry, namespace) => (registry.to_string(), format!("{namespace}/")),
            Self::Repository(repository) => (repository.registry().to_string(), repository.name().to_owned()),
        }
    }
}

/// The totals of a place, also within a transaction: there they are what the transaction has made of them so far, blobs that
/// were pushed for the manifest under way included. For quotas in [`Hooks`](crate::Hooks).
pub fn usage(read: &impl Read, place: Place<'_>) -> Result<Totals, StoreError> {
    Ok(read.get::<Usage>(&Global, &place.key())?.unwrap_or_default().totals())
}

struct Usage;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct UsageRow {
    repositories: u64,
    tags: u64,
    manifests: u64,
    blobs: u64,
    bytes: u64,
    /// Of a registry only.
    unique_blobs: u64,
    unique_bytes: u64,
}

impl UsageRow {
    fn totals(self) -> Totals {
        let Self { repositories, tags, manifests, blobs, bytes, .. } = self;
        Totals { repositories, tags, manifests, blobs, bytes }
    }
}

impl Table for Usage {
    const NAME: &'static str = "registry.usage";
    type Scope = Global;
    type Key = (String, String);
    type Row = UsageRow;
}

/// Says that the usage has been counted: a state of an older version has none.
struct Counted;

impl Table for Counted {
    const NAME: &'static str = "registry.counted";
    type Scope = Global;
    type Key = String;
    type Row = ();
}

const COUNTED: &str = "usage";

/// What a transaction changes of a repository's usage; posted once, at its end.
#[derive(Debug, Default)]
#[must_use = "what is not posted is not counted"]
pub(crate) struct Ledger {
    repositories: i64,
    tags: i64,
    manifests: i64,
    blobs: i64,
    bytes: i64,
    unique_blobs: i64,
    unique_bytes: i64,
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

impl Ledger {
    pub(crate) fn repositories(&mut self, change: i64) {
        self.repositories += change;
    }

    pub(crate) fn tags(&mut self, change: i64) {
        self.tags += change;
    }

    pub(crate) fn manifest(&mut self, change: i64, size: u64) {
        self.manifests += change;
        self.bytes += change * signed(size);
    }

    /// Links a blob, or writes an existing link anew.
    pub(crate) fn put_link(
        &mut self,
        tx: &mut Transaction<'_>,
        key: &ContentKey,
        row: &LinkRow,
    ) -> Result<(), StoreError> {
        if !tx.contains::<Links>(&Global, key)? {
            self.count_link(tx, key, row.size, 1)?;
        }
        tx.put::<Links>(&Global, key, row)
    }

    /// Takes a link away; says whether there was one.
    pub(crate) fn delete_link(
        &mut self,
        tx: &mut Transaction<'_>,
        key: &ContentKey,
    ) -> Result<bool, StoreError> {
        let Some(row) = tx.get::<Links>(&Global, key)? else { return Ok(false) };
        tx.delete::<Links>(&Global, key)?;
        self.count_link(tx, key, row.size, -1)?;
        Ok(true)
    }

    /// Counts a link while it is not among the rows.
    fn count_link(
        &mut self,
        tx: &Transaction<'_>,
        (registry, _, digest): &ContentKey,
        size: u64,
        change: i64,
    ) -> Result<(), StoreError> {
        self.blobs += change;
        self.bytes += change * signed(size);
        if tx.find::<Holders>(&(digest.clone(), registry.clone()))?.is_none() {
            self.unique_blobs += change;
            self.unique_bytes += change * signed(size);
        }
        Ok(())
    }

    /// Adds the changes to the rows of the repository, its namespace and its registry.
    pub(crate) fn post(self, tx: &mut Transaction<'_>, repository: &Repository) -> Result<(), StoreError> {
        if !self.changes_anything() {
            return Ok(());
        }
        let registry = repository.registry();
        let places = [
            Place::Registry(registry),
            Place::Namespace(registry, repository.namespace()),
            Place::Repository(repository),
        ];
        for place in places {
            let unique = matches!(place, Place::Registry(_));
            self.post_at(tx, &place.key(), unique)?;
        }
        Ok(())
    }

    fn changes_anything(&self) -> bool {
        let changes =
            [self.repositories, self.tags, self.manifests, self.blobs, self.bytes, self.unique_blobs];
        changes.iter().any(|change| *change != 0)
    }

    fn post_at(
        &self,
        tx: &mut Transaction<'_>,
        key: &(String, String),
        unique: bool,
    ) -> Result<(), StoreError> {
        let row = tx.get::<Usage>(&Global, key)?.unwrap_or_default();
        let counted = UsageRow {
            repositories: row.repositories.saturating_add_signed(self.repositories),
            tags: row.tags.saturating_add_signed(self.tags),
            manifests: row.manifests.saturating_add_signed(self.manifests),
            blobs: row.blobs.saturating_add_signed(self.blobs),
            bytes: row.bytes.saturating_add_signed(self.bytes),
            unique_blobs: row.unique_blobs.saturating_add_signed(if unique { self.unique_blobs } else { 0 }),
            unique_bytes: row.unique_bytes.saturating_add_signed(if unique { self.unique_bytes } else { 0 }),
        };
        if counted == UsageRow::default() {
            tx.delete::<Usage>(&Global, key).map(drop)
        } else {
            tx.put::<Usage>(&Global, key, &counted)
        }
    }
}

impl Registry {
    /// What a repository holds.
    pub fn repository_totals(&self, repository: &Repository) -> Result<Totals, Error> {
        self.totals(Place::Repository(repository))
    }

    /// What a registry holds.
    pub fn registry_totals(&self, registry: &RegistryId) -> Result<Totals, Error> {
        self.totals(Place::Registry(registry))
    }

    /// What a registry, a namespace or a repository holds.
    pub fn totals(&self, place: Place<'_>) -> Result<Totals, Error> {
        Ok(self.inner.store.read(|view| usage(view, place))?)
    }

    /// The blobs of a registry without counting any of them twice.
    pub fn registry_unique(&self, registry: &RegistryId) -> Result<Unique, Error> {
        let key = Place::Registry(registry).key();
        let row = self.inner.store.read(|view| view.get::<Usage>(&Global, &key))?.unwrap_or_default();
        Ok(Unique { blobs: row.unique_blobs, bytes: row.unique_bytes })
    }
}

/// Counts everything anew where nothing was counted before. The work of one transaction.
pub(crate) async fn count_once(store: &Store) -> Result<(), StoreError> {
    if store.read(|view| view.contains::<Counted>(&Global, COUNTED))? {
        return Ok(());
    }
    store.write(recount).await
}

fn recount(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    for key in tx.scan_keys::<Usage>(&Global, Scan::all())? {
        tx.delete::<Usage>(&Global, &key)?;
    }
    for (registry, name) in tx.scan_keys::<Repositories>(&Global, Scan::all())? {
        post_row(tx, registry, name, |ledger| ledger.repositories(1))?;
    }
    for (registry, name, _) in tx.scan_keys::<Tags>(&Global, Scan::all())? {
        post_row(tx, registry, name, |ledger| ledger.tags(1))?;
    }
    for ((registry, name, _), row) in tx.scan::<Manifests>(&Global, Scan::all())? {
        post_row(tx, registry, name, |ledger| ledger.manifest(1, row.size))?;
    }
    // The holders of one blob follow each other, so the first of a registry is the one that is counted as unique.
    let mut last = None;
    for (_, (registry, name, digest), row) in tx.scan_index::<Holders>(Scan::all())? {
        let holder = (digest, registry.clone());
        let first = last.as_ref() != Some(&holder);
        last = Some(holder);
        post_row(tx, registry, name, |ledger| {
            ledger.blobs += 1;
            ledger.bytes += signed(row.size);
            if first {
                ledger.unique_blobs += 1;
                ledger.unique_bytes += signed(row.size);
            }
        })?;
    }
    tx.put::<Counted>(&Global, &COUNTED.to_owned(), &())
}

fn post_row(
    tx: &mut Transaction<'_>,
    registry: String,
    name: String,
    count: impl FnOnce(&mut Ledger),
) -> Result<(), StoreError> {
    // A name that breaks the grammar was never written; it would have nothing to be counted under.
    let Ok(repository) = Repository::new(RegistryId::new(registry), name) else { return Ok(()) };
    let mut ledger = Ledger::default();
    count(&mut ledger);
    ledger.post(tx, &repository)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::tables::{Moment, content_key};
    use time::OffsetDateTime;

    fn repository(registry: &str, name: &str) -> Repository {
        Repository::new(RegistryId::new(registry), name).expect("valid")
    }

    fn link(tx: &mut Transaction<'_>, repository: &Repository, content: &[u8]) -> Result<(), StoreError> {
        let row = LinkRow { size: content.len() as u64, linked_at: Moment::from(OffsetDateTime::UNIX_EPOCH) };
        let mut ledger = Ledger::default();
        ledger.put_link(tx, &content_key(repository, Digest::sha256(content).as_str()), &row)?;
        ledger.post(tx, repository)
    }

    fn rows(store: &Store) -> Vec<((String, String), UsageRow)> {
        store.read(|view| view.scan::<Usage>(&Global, Scan::all())).expect("read")
    }

    #[tokio::test]
    async fn counting_on_the_way_is_counting_anew() {
        let store = Store::in_memory();
        let (one, two, other) =
            (repository("a", "ns/one"), repository("a", "ns/two"), repository("b", "ns/one"));
        let write = {
            let (one, two, other) = (one.clone(), two.clone(), other.clone());
            move |tx: &mut Transaction<'_>| {
                for repository in [&one, &two, &other] {
                    link(tx, repository, b"shared")?;
                }
                link(tx, &one, b"own")?;
                link(tx, &one, b"own")
            }
        };
        store.write::<_, StoreError, _>(write).await.expect("written");
        let registry = RegistryId::new("a");
        let totals = |place| store.read(|view| usage(view, place)).expect("read");
        assert_eq!(totals(Place::Registry(&registry)), Totals { blobs: 3, bytes: 15, ..Totals::default() });
        assert_eq!(totals(Place::Namespace(&registry, "ns")), totals(Place::Registry(&registry)));
        assert_eq!(totals(Place::Repository(&two)), Totals { blobs: 1, bytes: 6, ..Totals::default() });
        let counted = rows(&store);
        assert_eq!((counted[0].1.unique_blobs, counted[0].1.unique_bytes), (2, 9));
        count_once(&store).await.expect("counted");
        assert_eq!(rows(&store), counted);
        let take = move |tx: &mut Transaction<'_>| {
            for repository in [&one, &two, &other] {
                for content in [&b"shared"[..], b"own"] {
                    let mut ledger = Ledger::default();
                    ledger.delete_link(tx, &content_key(repository, Digest::sha256(content).as_str()))?;
                    ledger.post(tx, repository)?;
                }
            }
            Ok(())
        };
        store.write::<_, StoreError, _>(take).await.expect("taken");
        assert_eq!(rows(&store), Vec::new());
    }
}
