//! What requests about several keys share.

use std::collections::HashSet;

use rookery_api::kms::MemberAccount;

use crate::error::{Error, shortened};
use crate::keys::KeyId;

/// How many keys one request can name.
pub(crate) const BATCH_LIMIT: usize = 100;

/// How many keys a page has if nothing is said.
const DEFAULT_LIMIT: u64 = 10;
/// How many keys a page has at most.
const MAXIMUM_LIMIT: u64 = 200;

/// Which part of a list is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    pub(crate) offset: usize,
    pub(crate) limit: usize,
}

impl Page {
    /// Reads `Offset` (0 if absent) and `Limit` (10 if absent; 0 asks for the total alone).
    pub(crate) fn read(offset: Option<u64>, limit: Option<u64>) -> Result<Self, Error> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if limit > MAXIMUM_LIMIT {
            return Err(Error::value("Limit", &limit));
        }
        // An offset beyond the address space lies behind every list.
        let position = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(Self { offset: position(offset.unwrap_or_default()), limit: position(limit) })
    }
}

/// Reads `Role`: whether keys that users made are asked for (0, also if absent) or keys that other products made for them (1).
pub(crate) fn asks_for_users_keys(role: Option<u64>) -> Result<bool, Error> {
    match role.unwrap_or_default() {
        0 => Ok(true),
        1 => Ok(false),
        other => Err(Error::value("Role", &other)),
    }
}

/// Refuses the id of an HSM cluster: there are none. An empty one asks for no cluster.
pub(crate) fn refuse_hsm_cluster(id: Option<&str>) -> Result<(), Error> {
    match id {
        None | Some("") => Ok(()),
        Some(id) => Err(Error::UnknownHsmCluster(shortened(id))),
    }
}

/// Reads the ids of a batch: 1 to 100, none of them twice.
pub(crate) fn batch(ids: &[String]) -> Result<Vec<KeyId>, Error> {
    if !(1..=BATCH_LIMIT).contains(&ids.len()) {
        return Err(Error::IdCount(ids.len()));
    }
    let ids: Vec<_> = ids.iter().map(|id| KeyId::parse(id)).collect::<Result<_, _>>()?;
    let mut seen = HashSet::new();
    match ids.iter().find(|id| !seen.insert(*id)) {
        Some(repeated) => Err(Error::KeyIdRepeated(repeated.clone())),
        None => Ok(ids),
    }
}

/// Refuses another account than the caller's own.
pub(crate) fn refuse_member(member: Option<&MemberAccount>) -> Result<(), Error> {
    if member.is_some() { Err(Error::MemberAccounts) } else { Ok(()) }
}

/// Reads a description of at most `limit` bytes.
pub(crate) fn description(text: Option<String>, limit: usize) -> Result<String, Error> {
    let text = text.unwrap_or_default();
    if text.len() > limit { Err(Error::DescriptionTooLong(limit)) } else { Ok(text) }
}
