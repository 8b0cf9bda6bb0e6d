//! Custom policies and the versions of their text. Presets are no rows: see [`presets`](crate::cam::presets).

use rookery_store::{Account, ErasedIndex, Index, Table};
use serde::{Deserialize, Serialize};

/// Policies by their number.
pub(crate) struct Policies;

impl Table for Policies {
    const NAME: &'static str = "cam.policies";
    type Scope = Account;
    /// The `PolicyId`.
    type Key = u64;
    type Row = PolicyRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByName];
}

/// A custom policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PolicyRow {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) alias: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    /// The version in force.
    pub(crate) default_version: u64,
    /// The number of the version that was made last; numbers are not given again.
    pub(crate) last_version: u64,
    /// Tags, by their keys in order.
    #[serde(default)]
    pub(crate) tags: Vec<(String, String)>,
}

/// By the account and the name.
pub(crate) struct ByName;

impl Index for ByName {
    type Table = Policies;
    type Value = (u64, String);
    const NAME: &'static str = "name";
    const UNIQUE: bool = true;

    fn value(scope: &Account, _: &u64, row: &PolicyRow) -> Option<(u64, String)> {
        Some((scope.uin, row.name.clone()))
    }
}

/// Texts, by the policy's number and the version's.
pub(crate) struct PolicyVersions;

impl Table for PolicyVersions {
    const NAME: &'static str = "cam.policy-versions";
    type Scope = Account;
    type Key = (u64, u64);
    type Row = PolicyVersionRow;
}

/// A text of a policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PolicyVersionRow {
    /// The document as it was given, decoded where it came URL-encoded.
    pub(crate) document: String,
    pub(crate) created_at: i64,
}
