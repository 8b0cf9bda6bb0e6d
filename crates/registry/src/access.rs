//! The first seam: who may do what. The registry asks, a product answers.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::ops::{BitAnd, BitOr};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::names::{RegistryId, Repository};

/// Where a request is addressed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The repository meant.
    pub repository: Repository,
    /// The leading path segment by which the registry was addressed (`demo` of `demo/library/app`), without a slash, when it
    /// was not addressed by host. Links handed to the client keep it.
    pub prefix: Option<String>,
}

/// A principal that logged in. It travels inside the signed bearer token, so it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The name of the principal, unique within the product; the `sub` claim.
    pub id: String,
    /// Whatever else the product needs to recognise the principal again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

impl Subject {
    /// A subject without attributes.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), attributes: BTreeMap::new() }
    }
}

/// A set of actions on a repository.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Actions(u8);

impl Actions {
    /// No action.
    pub const NONE: Self = Self(0);
    /// Reading manifests, blobs, tags and referrers.
    pub const PULL: Self = Self(1);
    /// Writing blobs, manifests and tags.
    pub const PUSH: Self = Self(2);
    /// Deleting manifests, tags and blobs. Pushing does not imply it.
    pub const DELETE: Self = Self(4);
    /// Every action; what a scope's `*` asks for.
    pub const ALL: Self = Self(7);

    const NAMED: [(Self, &'static str); 3] =
        [(Self::PULL, "pull"), (Self::PUSH, "push"), (Self::DELETE, "delete")];

    /// Whether every action of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the set has no action.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of the actions in the order pull, push, delete.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMED.into_iter().filter(move |(action, _)| self.contains(*action)).map(|(_, name)| name)
    }

    /// The set of the named actions; `*` is every action, an unknown name none.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().fold(Self::NONE, |set, name| {
            if name == "*" {
                return Self::ALL;
            }
            Self::NAMED.iter().find(|(_, known)| *known == name).map_or(set, |(action, _)| set | *action)
        })
    }
}

impl BitOr for Actions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Actions {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Display for Actions {
    /// Comma-separated, as in a scope: `pull,push`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.names().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Actions({self})")
    }
}

/// Why a question of access has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A refusal in words that the client may read: 403 `DENIED`.
    #[error("{0}")]
    Denied(String),
    /// The question could not be decided; the client sees a bare 500.
    #[error("access could not be decided")]
    Undecided(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AccessError {
    /// Wraps whatever kept the product from deciding.
    pub fn undecided(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Undecided(source.into())
    }
}

/// What the registry asks about callers and addresses.
pub trait Access: Send + Sync + 'static {
    /// Which repository a request addresses: by `host` (`demo.<suffix>[:port]`), else by the first segment of `name`
    /// (`demo/library/app`). `name` obeys the repository grammar. `None` = no such registry: 404 `NAME_UNKNOWN`.
    fn locate(&self, host: &str, name: &str) -> Result<Option<Located>, AccessError>;

    /// The registry that `host` alone names; for `/v2/_catalog` and for logins. `None` when the host names none.
    fn locate_host(&self, host: &str) -> Option<RegistryId>;

    /// Whether a client at `peer` may talk to the registry at all (an allow-list of addresses). Asked for each request once
    /// its registry is known; `false` = 403 `DENIED`.
    fn admits(&self, registry: &RegistryId, peer: IpAddr) -> Result<bool, AccessError> {
        let _ = (registry, peer);
        Ok(true)
    }

    /// Checks a user name and password. `registry` is the one named by the host, else the one that all asked scopes agree on,
    /// else `None`. `Ok(None)` = wrong credentials: 401.
    fn authenticate(
        &self,
        registry: Option<&RegistryId>,
        username: &str,
        password: &str,
    ) -> BoxFuture<'_, Result<Option<Subject>, AccessError>>;

    /// Whether what a bearer token says still stands: tokens live for half an hour, and the login behind one, or what its policies
    /// allow at `peer`, may have been taken back since. Asked for each request with a bearer token that allows `actions`, so the
    /// answer has to be quick.
    fn stands(
        &self,
        subject: Option<&Subject>,
        repository: &Repository,
        actions: Actions,
        peer: IpAddr,
    ) -> Result<bool, AccessError> {
        let _ = (subject, repository, actions, peer);
        Ok(true)
    }

    /// Which of the `asked` actions `subject` (`None` = anonymous) at `peer` holds now on `repository`. Actions beyond `asked` are
    /// ignored.
    fn grant(
        &self,
        subject: Option<&Subject>,
        repository: &Repository,
        asked: Actions,
        peer: IpAddr,
    ) -> BoxFuture<'_, Result<Actions, AccessError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_named_in_a_fixed_order() {
        assert_eq!(Actions::from_names(["delete", "pull"]).to_string(), "pull,delete");
        assert_eq!(Actions::from_names(["*"]), Actions::ALL);
        assert_eq!(Actions::from_names(["fly"]), Actions::NONE);
        assert!(Actions::NONE.is_empty() && Actions::NONE.to_string().is_empty());
    }

    #[test]
    fn pushing_does_not_imply_deleting() {
        assert!(!(Actions::PULL | Actions::PUSH).contains(Actions::DELETE));
        assert_eq!(Actions::ALL & Actions::PUSH, Actions::PUSH);
    }
}
