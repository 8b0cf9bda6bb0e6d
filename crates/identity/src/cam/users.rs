//! Sub-users of an account.

use rookery_store::{Account, ErasedIndex, Index, Read, Table};
use serde::{Deserialize, Serialize};

use crate::cam::error::Error;
use crate::cam::passwords::PasswordHash;
use crate::cam::settings::MfaFlags;

/// Sub-users by their `Uin`.
pub(crate) struct Users;

impl Table for Users {
    const NAME: &'static str = "cam.users";
    type Scope = Account;
    /// The `Uin`.
    type Key = u64;
    type Row = UserRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByName, &ByUin, &ByUid];
}

/// A sub-user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UserRow {
    pub(crate) name: String,
    pub(crate) uid: u64,
    pub(crate) remark: String,
    /// Whether the user may log in to the console.
    pub(crate) console_login: bool,
    /// Whether the user has to choose another password at the next log-in.
    pub(crate) need_reset_password: bool,
    pub(crate) phone: String,
    pub(crate) country_code: String,
    pub(crate) email: String,
    pub(crate) created_at: i64,
    /// The present password first, then those that it replaced, as far as the rules forbid to use them again.
    pub(crate) passwords: Vec<PasswordHash>,
    /// The policy that limits what the user may do.
    pub(crate) boundary: Option<u64>,
    /// Which proofs a log-in and a sensitive operation ask for.
    #[serde(default)]
    pub(crate) mfa: MfaFlags,
    /// Tags, by their keys in order.
    #[serde(default)]
    pub(crate) tags: Vec<(String, String)>,
}

/// By the account and the name.
pub(crate) struct ByName;

impl Index for ByName {
    type Table = Users;
    type Value = (u64, String);
    const NAME: &'static str = "name";
    const UNIQUE: bool = true;

    fn value(scope: &Account, _: &u64, row: &UserRow) -> Option<(u64, String)> {
        Some((scope.uin, row.name.clone()))
    }
}

/// By the number alone, whatever the account.
pub(crate) struct ByUin;

impl Index for ByUin {
    type Table = Users;
    type Value = u64;
    const NAME: &'static str = "uin";
    const UNIQUE: bool = true;

    fn value(_: &Account, uin: &u64, _: &UserRow) -> Option<u64> {
        Some(*uin)
    }
}

/// By the `Uid`.
pub(crate) struct ByUid;

impl Index for ByUid {
    type Table = Users;
    type Value = u64;
    const NAME: &'static str = "uid";
    const UNIQUE: bool = true;

    fn value(_: &Account, _: &u64, row: &UserRow) -> Option<u64> {
        Some(row.uid)
    }
}

/// The sub-user of that number.
pub(crate) fn get(rows: &impl Read, account: u64, uin: u64) -> Result<UserRow, Error> {
    rows.get::<Users>(&Account { uin: account }, &uin)?.ok_or_else(|| Error::NoUser { user: uin.to_string() })
}

/// The sub-user of that name, with its number.
pub(crate) fn named(rows: &impl Read, account: u64, name: &str) -> Result<(u64, UserRow), Error> {
    let found = rows.find::<ByName>(&(account, name.to_owned()))?;
    found.map(|(_, uin, row)| (uin, row)).ok_or_else(|| Error::NoUser { user: name.to_owned() })
}

/// The sub-user of that `Uin`, or of that `Uid`.
pub(crate) fn either(
    rows: &impl Read,
    account: u64,
    uin: Option<u64>,
    uid: Option<u64>,
) -> Result<(u64, UserRow), Error> {
    // Some clients send 0 for what is not said.
    match (uin.filter(|uin| *uin != 0), uid.filter(|uid| *uid != 0)) {
        (Some(uin), _) => Ok((uin, get(rows, account, uin)?)),
        (None, Some(uid)) => {
            let found = rows.find::<ByUid>(&uid)?.filter(|(scope, ..)| scope.uin == account);
            found.map(|(_, uin, row)| (uin, row)).ok_or_else(|| Error::NoUser { user: uid.to_string() })
        }
        (None, None) => Err(Error::NeitherUinNorUid),
    }
}

/// How many sub-users an account may have.
pub(crate) const MOST: usize = 1000;
