//! Repositories: rows beside the registry's own, for what the registry does not know (descriptions) and for those that
//! nobody has pushed to yet.

use rookery_api::tcr::{ErrorCode, TcrRepositoryInfo};
use rookery_registry::{RegistryId, Repository};
use rookery_store::{Read, Regional, Scan, Starting, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::error::{Counted, Error, Rule};
use crate::instances::Instance;
use crate::moments::Moment;

/// The longest `BriefDescription`, in characters.
const BRIEF: usize = 100;
/// The longest `Description`, in characters.
const FULL: usize = 1000;

const BRIEF_RULE: Rule =
    Rule { english: "must have at most 100 characters", chinese: "长度不能超过100个字符" };
const FULL_RULE: Rule =
    Rule { english: "must have at most 1000 characters", chinese: "长度不能超过1000个字符" };

/// Every repository, by instance and whole name (`library/app`).
pub(crate) struct Repositories;

/// What is kept of a repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RepositoryRow {
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
    pub(crate) brief: String,
    pub(crate) description: String,
}

impl RepositoryRow {
    /// A repository that begins now, without words.
    pub(crate) fn new(now: Moment) -> Self {
        Self { created_at: now, updated_at: now, brief: String::new(), description: String::new() }
    }

    /// The repository as replies show it. `public` is its namespace's.
    pub(crate) fn describe(&self, name: String, public: bool) -> TcrRepositoryInfo {
        let namespace = name.split_once('/').map_or("", |(namespace, _)| namespace).to_owned();
        TcrRepositoryInfo {
            name,
            namespace,
            creation_time: self.created_at.go(),
            public,
            description: self.description.clone(),
            brief_description: self.brief.clone(),
            update_time: self.updated_at.go(),
        }
    }
}

impl Table for Repositories {
    const NAME: &'static str = "tcr.repositories";
    type Scope = Regional;
    type Key = (String, String);
    type Row = RepositoryRow;
}

/// Refuses descriptions that are too long, with the code of the action.
pub(crate) fn check_descriptions(brief: &str, description: &str, code: ErrorCode) -> Result<(), Error> {
    if brief.chars().count() > BRIEF {
        return Err(Error::Invalid { parameter: "BriefDescription", rule: BRIEF_RULE, code });
    }
    if description.chars().count() > FULL {
        return Err(Error::Invalid { parameter: "Description", rule: FULL_RULE, code });
    }
    Ok(())
}

/// The repository of that whole name.
pub(crate) fn find(
    read: &impl Read,
    instance: &Instance,
    name: &str,
) -> Result<Option<RepositoryRow>, StoreError> {
    read.get::<Repositories>(&instance.scope, &(instance.id.as_str(), name))
}

/// As [`find`], refused where there is none.
pub(crate) fn existing(read: &impl Read, instance: &Instance, name: &str) -> Result<RepositoryRow, Error> {
    find(read, instance, name)?.ok_or_else(|| Error::NoRepository { name: name.to_owned() })
}

/// The keys of all repositories of an instance, or of one of its namespaces.
pub(crate) fn scan_of(instance: &Instance, namespace: Option<&str>) -> Scan<(String, String)> {
    match namespace {
        None => Scan::all().prefix(instance.id.as_str()),
        Some(namespace) => Scan::all().prefix(&(instance.id.clone(), Starting(&format!("{namespace}/")))),
    }
}

/// Makes a repository, within the quota of the instance.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    name: &str,
    row: &RepositoryRow,
) -> Result<(), Error> {
    let limit = instance.row.edition.repositories();
    if tx.count::<Repositories>(&instance.scope, scan_of(instance, None))? >= limit {
        let code = ErrorCode::OperationDenied;
        return Err(Error::Quota { counted: Counted::Repositories, limit, code });
    }
    tx.put::<Repositories>(&instance.scope, &(instance.id.clone(), name.to_owned()), row)?;
    Ok(())
}

/// The name that the registry knows a repository by. A name that no repository can have is one that does not exist.
pub(crate) fn registry_name(instance: &Instance, name: &str) -> Result<Repository, Error> {
    Repository::new(RegistryId::new(instance.id.as_str()), name)
        .map_err(|_| Error::NoRepository { name: name.to_owned() })
}

/// `library/app`.
pub(crate) fn whole_name(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}
