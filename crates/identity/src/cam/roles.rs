//! Roles, and the deletions of those that belong to a product.

use rookery_store::{Account, ErasedIndex, Index, Table};
use serde::{Deserialize, Serialize};

/// Roles by their number.
pub(crate) struct Roles;

impl Table for Roles {
    const NAME: &'static str = "cam.roles";
    type Scope = Account;
    /// The `RoleId`.
    type Key = u64;
    type Row = RoleRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByName];
}

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RoleRow {
    pub(crate) name: String,
    pub(crate) description: String,
    /// The trust policy: who may assume it.
    pub(crate) trust: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) console_login: bool,
    /// The longest session, in seconds.
    pub(crate) session_duration: u64,
    pub(crate) kind: RoleKind,
    /// The policy that limits what the role may do.
    pub(crate) boundary: Option<u64>,
    /// Tags, by their keys in order.
    pub(crate) tags: Vec<(String, String)>,
}

/// Whose a role is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RoleKind {
    /// Made by the account.
    User,
    /// Made for products, which alone may assume it; its policy is theirs.
    ServiceLinked {
        /// The products, as `scf.qcloud.com`.
        services: Vec<String>,
    },
}

/// By the account and the name.
pub(crate) struct ByName;

impl Index for ByName {
    type Table = Roles;
    type Value = (u64, String);
    const NAME: &'static str = "name";
    const UNIQUE: bool = true;

    fn value(scope: &Account, _: &u64, row: &RoleRow) -> Option<(u64, String)> {
        Some((scope.uin, row.name.clone()))
    }
}

/// Deletions of service-linked roles, by the number of the task.
pub(crate) struct RoleDeletions;

impl Table for RoleDeletions {
    const NAME: &'static str = "cam.role-deletions";
    type Scope = Account;
    /// The `DeletionTaskId`.
    type Key = String;
    type Row = RoleDeletionRow;
}

/// A deletion that has been carried out. One that is refused is refused at once and leaves no row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RoleDeletionRow {
    pub(crate) role_name: String,
    pub(crate) services: Vec<String>,
    pub(crate) at: i64,
}
