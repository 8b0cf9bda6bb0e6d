//! Which policy is attached to which user, group or role.

use rookery_store::{Account, ErasedIndex, Index, Table};
use serde::{Deserialize, Serialize};

/// What a policy is attached to. The numbers are those of `RelatedType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entity {
    /// A sub-user, by its `Uin`.
    User(u64),
    /// A group, by its number.
    Group(u64),
    /// A role, by its number.
    Role(u64),
}

impl Entity {
    /// `1` for a user, `2` for a group, `3` for a role.
    pub(crate) fn kind(self) -> u64 {
        match self {
            Self::User(_) => 1,
            Self::Group(_) => 2,
            Self::Role(_) => 3,
        }
    }

    /// The number.
    pub(crate) fn id(self) -> u64 {
        match self {
            Self::User(id) | Self::Group(id) | Self::Role(id) => id,
        }
    }

    /// The key under which the attachment of `policy` is kept.
    pub(crate) fn key(self, policy: u64) -> (u64, u64, u64) {
        (self.kind(), self.id(), policy)
    }

    /// The entity of a kept key.
    pub(crate) fn of(key: (u64, u64, u64)) -> Option<Self> {
        match key.0 {
            1 => Some(Self::User(key.1)),
            2 => Some(Self::Group(key.1)),
            3 => Some(Self::Role(key.1)),
            _ => None,
        }
    }
}

/// Attachments, by the kind of the entity, its number, and the policy's number.
pub(crate) struct Attachments;

impl Table for Attachments {
    const NAME: &'static str = "cam.attachments";
    type Scope = Account;
    type Key = (u64, u64, u64);
    type Row = AttachmentRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByPolicy];
}

/// An attachment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AttachmentRow {
    pub(crate) at: i64,
    /// The account of who attached it.
    pub(crate) by_account: u64,
    /// Who attached it.
    pub(crate) by: u64,
}

/// By the account and the policy's number; a preset is attached in many accounts.
pub(crate) struct ByPolicy;

impl Index for ByPolicy {
    type Table = Attachments;
    type Value = (u64, u64);
    const NAME: &'static str = "policy";
    const UNIQUE: bool = false;

    fn value(scope: &Account, key: &(u64, u64, u64), _: &AttachmentRow) -> Option<(u64, u64)> {
        Some((scope.uin, key.2))
    }
}
