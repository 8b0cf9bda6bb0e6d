//! Repositories as a whole: listing, making, removing.

use std::sync::Arc;

use rookery_store::{Global, Read, Scan, Starting, Table, Transaction};
use time::OffsetDateTime;

use crate::Registry;
use crate::errors::Error;
use crate::history;
use crate::hooks::{Deleted, Hooks, Origin};
use crate::manifests::tell_deleted;
use crate::names::{RegistryId, Repository};
use crate::tables::{
    ContentKey, Contents, Links, Manifests, References, Repositories, RepositoryKey, RepositoryRow, Tags,
    repository_key,
};
use crate::usage::Ledger;

/// A repository that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryEntry {
    /// The repository.
    pub repository: Repository,
    /// When its first manifest came, or when it was created without one.
    pub created_at: OffsetDateTime,
    /// When a tag or a manifest of it last changed.
    pub updated_at: OffsetDateTime,
}

/// How many repositories are looked at in one snapshot while removing many.
const BATCH: usize = 100;

impl Registry {
    /// Makes an empty repository; says whether there was none.
    pub async fn create_repository(&self, repository: &Repository) -> Result<bool, Error> {
        let (key, now) = (repository_key(repository), self.inner.world.now().into());
        let row = RepositoryRow { created_at: now, updated_at: now };
        let repository = repository.clone();
        let write = move |tx: &mut Transaction<'_>| {
            let made = tx.insert::<Repositories>(&Global, &key, &row)?;
            let mut ledger = Ledger::default();
            ledger.repositories(i64::from(made));
            ledger.post(tx, &repository)?;
            Ok(made)
        };
        self.inner.store.write(write).await
    }

    /// One repository. `None` when it does not exist.
    pub fn repository(&self, repository: &Repository) -> Result<Option<RepositoryEntry>, Error> {
        let row =
            self.inner.store.read(|view| view.get::<Repositories>(&Global, &repository_key(repository)))?;
        Ok(row.map(|row| entry(repository.clone(), &row)))
    }

    /// At most `limit` repositories of a registry after the name `after`, in bytewise order; of one namespace (the part of the
    /// name before the first slash), if one is given.
    pub fn repositories(
        &self,
        registry: &RegistryId,
        namespace: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<RepositoryEntry>, Error> {
        let id = registry.to_string();
        let scan = match namespace {
            Some(namespace) => Scan::all().prefix(&(id.clone(), Starting(&format!("{namespace}/")))),
            None => Scan::all().prefix(id.as_str()),
        };
        let scan: Scan<RepositoryKey> = match after {
            Some(after) => scan.after(&(id, after.to_owned())),
            None => scan,
        };
        let rows = self.inner.store.read(|view| view.scan::<Repositories>(&Global, scan.limit(limit)))?;
        rows.into_iter()
            .map(|((_, name), row)| Ok(entry(Repository::new(registry.clone(), name)?, &row)))
            .collect()
    }

    /// Deletes a repository with all it holds, also blobs that were pushed and never named; says whether there was anything.
    pub async fn delete_repository(&self, repository: &Repository, origin: Origin) -> Result<bool, Error> {
        let (removed, hooks) = (repository.clone(), Arc::clone(&self.inner.hooks));
        self.change([repository], move |tx| remove_repository(tx, &*hooks, &removed, &origin)).await
    }

    /// Deletes every repository of a namespace, one transaction each; says how many there were.
    pub async fn remove_repositories(
        &self,
        registry: &RegistryId,
        namespace: &str,
        origin: Origin,
    ) -> Result<u64, Error> {
        self.remove_all(registry, Some(namespace), origin).await
    }

    /// Deletes all repositories of a registry, one transaction each; says how many there were. The bytes of blobs that nobody
    /// else holds go with the next [`Registry::collect`].
    pub async fn remove_registry(&self, registry: &RegistryId) -> Result<u64, Error> {
        self.remove_all(registry, None, Origin::Internal).await
    }

    async fn remove_all(
        &self,
        registry: &RegistryId,
        namespace: Option<&str>,
        origin: Origin,
    ) -> Result<u64, Error> {
        let mut removed = 0;
        loop {
            let names = self.names_holding_anything(registry, namespace)?;
            if names.is_empty() {
                return Ok(removed);
            }
            for name in names {
                let repository = Repository::new(registry.clone(), name)?;
                removed += u64::from(self.delete_repository(&repository, origin.clone()).await?);
            }
        }
    }

    /// Some repositories with a row of their own or, pushed to but never given a manifest, with a link only.
    fn names_holding_anything(
        &self,
        registry: &RegistryId,
        namespace: Option<&str>,
    ) -> Result<Vec<String>, Error> {
        let mut names: Vec<String> = self
            .repositories(registry, namespace, None, BATCH)?
            .into_iter()
            .map(|entry| entry.repository.name().to_owned())
            .collect();
        if names.is_empty() {
            let scan = Scan::all().prefix(registry.as_str());
            let links = self.inner.store.read(|view| view.scan_keys::<Links>(&Global, scan))?;
            names = links.into_iter().map(|(_, name, _)| name).collect();
            names.dedup();
            if let Some(namespace) = namespace {
                names.retain(|name| name.split_once('/').is_some_and(|(first, _)| first == namespace));
            }
        }
        Ok(names)
    }
}

fn entry(repository: Repository, row: &RepositoryRow) -> RepositoryEntry {
    RepositoryEntry { repository, created_at: row.created_at.into(), updated_at: row.updated_at.into() }
}

fn remove_repository(
    tx: &mut Transaction<'_>,
    hooks: &dyn Hooks,
    repository: &Repository,
    origin: &Origin,
) -> Result<bool, Error> {
    let key = repository_key(repository);
    let mut ledger = Ledger::default();
    let mut removed = clear::<Tags>(tx, &key)?;
    ledger.tags(-signed(removed));
    for (key, row) in tx.scan::<Manifests>(&Global, Scan::all().prefix(&key))? {
        tx.delete::<Manifests>(&Global, &key)?;
        ledger.manifest(-1, row.size);
        removed += 1;
    }
    removed += clear::<Contents>(tx, &key)?;
    for link in tx.scan_keys::<Links>(&Global, Scan::all().prefix(&key))? {
        removed += usize::from(ledger.delete_link(tx, &link)?);
    }
    history::forget(tx, repository)?;
    for reference in tx.scan_keys::<References>(&Global, Scan::all().prefix(&key))? {
        tx.delete::<References>(&Global, &reference)?;
    }
    let known = tx.delete::<Repositories>(&Global, &key)?;
    ledger.repositories(-i64::from(known));
    ledger.post(tx, repository)?;
    let existed = known || removed > 0;
    if existed {
        tell_deleted(tx, hooks, repository, Deleted::Repository, origin)?;
    }
    Ok(existed)
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Deletes the rows of one repository from a table; says how many there were.
fn clear<T>(tx: &mut Transaction<'_>, key: &RepositoryKey) -> Result<usize, Error>
where
    T: Table<Scope = Global, Key = ContentKey>,
{
    let keys = tx.scan_keys::<T>(&Global, Scan::all().prefix(key))?;
    for key in &keys {
        tx.delete::<T>(&Global, key)?;
    }
    Ok(keys.len())
}
