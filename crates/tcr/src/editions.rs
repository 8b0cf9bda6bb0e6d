//! What an edition of an instance includes (`tcr.md` §1.1).

use serde::{Deserialize, Serialize};

/// `RegistryType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Edition {
    /// The smallest.
    Basic,
    /// With synchronisation between instances.
    Standard,
    /// With replicas and image signatures.
    Premium,
}

impl Edition {
    /// The edition of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Basic, Self::Standard, Self::Premium].into_iter().find(|edition| edition.name() == name)
    }

    /// The name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Standard => "standard",
            Self::Premium => "premium",
        }
    }

    /// How many namespaces an instance may have.
    pub(crate) fn namespaces(self) -> usize {
        match self {
            Self::Basic => 50,
            Self::Standard => 100,
            Self::Premium => 500,
        }
    }

    /// How many image repositories an instance may have.
    pub(crate) fn repositories(self) -> usize {
        match self {
            Self::Basic => 1000,
            Self::Standard => 3000,
            Self::Premium => 5000,
        }
    }

    /// Whether instances can be synchronised.
    pub(crate) fn synchronises(self) -> bool {
        self != Self::Basic
    }

    /// Whether an instance can have replicas.
    pub(crate) fn replicates(self) -> bool {
        self == Self::Premium
    }

    /// Whether images can be signed.
    pub(crate) fn signs(self) -> bool {
        self == Self::Premium
    }

    /// `EnableCosVersioning` of an instance that was created without a word about it.
    pub(crate) fn versions_by_default(self) -> bool {
        self == Self::Premium
    }
}
