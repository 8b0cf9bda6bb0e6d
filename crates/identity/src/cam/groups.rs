//! User groups and who is in them. Groups hold users only, so they cannot contain each other.

use rookery_api::cam::{GroupInfo, GroupMemberInfo};
use rookery_store::{Account, ErasedIndex, Index, Read, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::cam::error::Error;
use crate::cam::{moments, users};

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

/// How many groups an account may have.
pub(crate) const GROUPS: usize = 300;
/// How many users a group may have.
pub(crate) const USERS: usize = 100;
/// How many groups a user may be in.
pub(crate) const GROUPS_OF_USER: usize = 10;

/// The group of that number.
pub(crate) fn get(rows: &impl Read, account: u64, id: u64) -> Result<GroupRow, Error> {
    rows.get::<Groups>(&Account { uin: account }, &id)?.ok_or(Error::NoGroup { id })
}

/// The members of a group, with when they came in.
pub(crate) fn members(rows: &impl Read, account: u64, id: u64) -> Result<Vec<(u64, i64)>, StoreError> {
    let members = rows.scan::<Memberships>(&Account { uin: account }, Scan::all().prefix(&id))?;
    Ok(members.into_iter().map(|((_, uin), at)| (uin, at)).collect())
}

/// The groups of a user.
pub(crate) fn of_user(rows: &impl Read, uin: u64) -> Result<Vec<u64>, StoreError> {
    let memberships = rows.find_all::<ByMember>(&uin, usize::MAX)?;
    Ok(memberships.into_iter().map(|(_, (group, _), _)| group).collect())
}

/// A group, as listings have it.
pub(crate) fn info(id: u64, row: GroupRow) -> GroupInfo {
    GroupInfo {
        group_id: id,
        group_name: row.name,
        create_time: moments::local(row.created_at),
        remark: row.remark,
    }
}

/// The members of a group, as replies have them.
pub(crate) fn member_infos(rows: &impl Read, account: u64, id: u64) -> Result<Vec<GroupMemberInfo>, Error> {
    members(rows, account, id)?
        .into_iter()
        .map(|(uin, _)| {
            let user = users::get(rows, account, uin)?;
            Ok(GroupMemberInfo {
                uid: user.uid,
                uin,
                name: user.name,
                phone_num: user.phone,
                country_code: user.country_code,
                // Nothing here sends the message that would verify them.
                phone_flag: 0,
                email: user.email,
                email_flag: 0,
                user_type: 1,
                create_time: moments::local(user.created_at),
                is_receiver_owner: 0,
                remark: Some(user.remark),
            })
        })
        .collect()
}
