//! API keys, of root accounts and of sub-users, their secrets sealed.

use rookery_gateway::{Caller, Principal};
use rookery_seal::{Seal, Sealed};
use rookery_store::{Account, Read, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::cam::changes::{Change, Changed};
use crate::cam::error::Error;
use crate::cam::key_uses::KeyUses;
use crate::cam::passwords::NoSalt;
use crate::cam::users::Users;
use crate::root_key::RootKey;

/// API keys by their SecretId.
pub(crate) struct AccessKeys;

impl Table for AccessKeys {
    const NAME: &'static str = "identity.keys";
    type Scope = Account;
    /// The SecretId.
    type Key = String;
    type Row = AccessKeyRow;
}

/// A key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccessKeyRow {
    /// The identity within the account that the key belongs to: the account's number for its root.
    pub(crate) uin: u64,
    pub(crate) secret: Sealed,
    pub(crate) created_at: i64,
    /// Whether it opens anything.
    #[serde(default = "active")]
    pub(crate) active: bool,
    #[serde(default)]
    pub(crate) description: String,
    /// Whether it is the key that a root was given at the start, not one that it made itself.
    #[serde(default)]
    pub(crate) given: bool,
}

fn active() -> bool {
    true
}

/// Where a key's secret is sealed for.
pub(crate) fn seal_context(secret_id: &str) -> String {
    format!("identity/key/{secret_id}")
}

/// The keys of one identity, oldest first; a root's begin with the one that it was given.
pub(crate) fn of(
    rows: &impl Read,
    account: u64,
    uin: u64,
) -> Result<Vec<(String, AccessKeyRow)>, StoreError> {
    let mut keys = rows.scan::<AccessKeys>(&Account { uin: account }, Scan::all())?;
    keys.retain(|(_, row)| row.uin == uin);
    keys.sort_by_key(|(_, row)| (!row.given, row.created_at));
    Ok(keys)
}

/// How many keys an identity may have.
const MOST: usize = 2;

/// A key that is made and not kept yet: its id, its secret, and its row.
pub(crate) struct Fresh {
    pub(crate) id: String,
    pub(crate) secret: Zeroizing<String>,
    row: AccessKeyRow,
}

impl Fresh {
    /// Makes a key for `uin`.
    pub(crate) fn make(seal: &Seal, uin: u64, description: String, now: i64) -> Result<Self, Error> {
        let key = RootKey::generate().map_err(|_| NoSalt)?;
        let row = AccessKeyRow {
            uin,
            secret: seal.seal(&seal_context(&key.secret_id), key.secret_key.as_bytes())?,
            created_at: now,
            active: true,
            description,
            given: false,
        };
        Ok(Self { id: key.secret_id, secret: key.secret_key, row })
    }

    /// What [`keep`] needs of it.
    pub(crate) fn row(&self) -> (String, AccessKeyRow) {
        (self.id.clone(), self.row.clone())
    }
}

/// Keeps a fresh key, unless its identity has as many as it may have.
pub(crate) fn keep(
    change: &mut Change<'_, '_>,
    account: u64,
    (id, row): &(String, AccessKeyRow),
) -> Result<(), Error> {
    if of(change.tx, account, row.uin)?.len() >= MOST {
        return Err(Error::KeysFull);
    }
    change.tx.put::<AccessKeys>(&Account { uin: account }, id, row)?;
    change.note(Changed::Key(id.clone()));
    Ok(())
}

/// Takes a key away, with what is known of its use.
pub(crate) fn remove(change: &mut Change<'_, '_>, account: u64, id: &str) -> Result<(), Error> {
    let (scope, id) = (Account { uin: account }, id.to_owned());
    change.tx.delete::<AccessKeys>(&scope, &id)?;
    change.tx.delete::<KeyUses>(&scope, &id)?;
    change.note(Changed::Key(id));
    Ok(())
}

/// The identity whose keys a call is about: `TargetUin`, else the caller itself. A sub-user may not touch the root's; who has no keys of
/// its own has to name somebody.
pub(crate) fn target(rows: &impl Read, caller: &Caller, named: Option<u64>) -> Result<u64, Error> {
    let account = caller.account.uin;
    let own = match caller.principal {
        Principal::Root | Principal::User { .. } => Some(caller.uin()),
        _ => None,
    };
    let target = named.filter(|uin| *uin != 0).or(own).ok_or(Error::KeyOfTemporary)?;
    if target == account {
        return if caller.principal == Principal::Root { Ok(target) } else { Err(Error::KeyOfRoot) };
    }
    if rows.contains::<Users>(&Account { uin: account }, &target)? {
        Ok(target)
    } else {
        Err(Error::NoTarget { uin: target })
    }
}

/// The key of that id, which has to be `uin`'s.
pub(crate) fn get(rows: &impl Read, account: u64, uin: u64, id: &str) -> Result<AccessKeyRow, Error> {
    let row = rows.get::<AccessKeys>(&Account { uin: account }, id)?;
    let row = row.ok_or_else(|| Error::NoKey { id: id.to_owned() })?;
    if row.uin == uin { Ok(row) } else { Err(Error::KeyOfAnother) }
}
