//! User groups and who is in them. Groups hold users only, so they cannot contain each other.

use rookery_store::{Account, ErasedIndex, Index, Table};
use serde::{Deserialize, Serialize};

/// Groups by their number.
pub(crate) struct Groups;

impl Table for Groups {
    const NAME: &'static str = "cam.groups";
    type Scope = Account;
    /// The `GroupId`.
    type Key = u64;
    type Row = GroupRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByName];
}

/// A group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GroupRow {
    pub(crate) name: String,
    pub(crate) remark: String,
    pub(crate) created_at: i64,
}

/// By the account and the name.
pub(crate) struct ByName;

impl Index for ByName {
    type Table = Groups;
    type Value = (u64, String);
    const NAME: &'static str = "name";
    const UNIQUE: bool = true;

    fn value(scope: &Account, _: &u64, row: &GroupRow) -> Option<(u64, String)> {
        Some((scope.uin, row.name.clone()))
    }
}

/// Members, by the group's number and the user's `Uin`.
pub(crate) struct Memberships;

impl Table for Memberships {
    const NAME: &'static str = "cam.memberships";
    type Scope = Account;
    type Key = (u64, u64);
    /// When the user came in.
    type Row = i64;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByMember];
}

/// By the user's `Uin`.
pub(crate) struct ByMember;

impl Index for ByMember {
    type Table = Memberships;
    type Value = u64;
    const NAME: &'static str = "member";
    const UNIQUE: bool = false;

    fn value(_: &Account, key: &(u64, u64), _: &i64) -> Option<u64> {
        Some(key.1)
    }
}
