//! Which policy is attached to which user, group or role.

use rookery_api::cam::AttachPolicyInfo;
use rookery_gateway::{Caller, Principal};
use rookery_store::{Account, ErasedIndex, Index, Read, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::cam::changes::{Change, Changed};
use crate::cam::error::Error;
use crate::cam::moments;
use crate::cam::policies::{self, Policy};
use crate::cam::roles::Roles;
use crate::cam::users::Users;

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
    /// Who attached it: a user's number, or a role's.
    pub(crate) by: u64,
    /// Whether a role did.
    #[serde(default)]
    pub(crate) by_role: bool,
}

impl AttachmentRow {
    /// An attachment that `caller` makes.
    pub(crate) fn by(caller: &Caller, now: i64) -> Self {
        let role = match &caller.principal {
            Principal::Role { id, .. } => id.parse().ok(),
            _ => None,
        };
        Self {
            at: now,
            by_account: caller.account.uin,
            by: role.unwrap_or_else(|| caller.uin()),
            by_role: role.is_some(),
        }
    }
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

/// How many policies an identity may have.
const MOST: usize = 200;

impl Entity {
    /// What a change of its attachments is told as.
    pub(crate) fn changed(self) -> Changed {
        match self {
            Self::User(uin) => Changed::User(uin),
            Self::Group(id) => Changed::Group(id),
            Self::Role(id) => Changed::Role(id),
        }
    }
}

/// Attaches a policy, which has to exist. One that is attached already stays as it is: clients repeat the call.
pub(crate) fn attach(
    change: &mut Change<'_, '_>,
    account: u64,
    entity: Entity,
    policy: u64,
    row: &AttachmentRow,
) -> Result<(), Error> {
    let scope = Account { uin: account };
    let key = entity.key(policy);
    if change.tx.contains::<Attachments>(&scope, &key)? {
        return Ok(());
    }
    if of(change.tx, account, entity)?.len() >= MOST {
        return Err(Error::AttachmentsFull { limit: MOST });
    }
    change.tx.put::<Attachments>(&scope, &key, row)?;
    change.note(entity.changed());
    Ok(())
}

/// Detaches a policy. One that is not attached is no error: what was asked for is so.
pub(crate) fn detach(
    change: &mut Change<'_, '_>,
    account: u64,
    entity: Entity,
    policy: u64,
) -> Result<(), Error> {
    if change.tx.delete::<Attachments>(&Account { uin: account }, &entity.key(policy))? {
        change.note(entity.changed());
    }
    Ok(())
}

/// Detaches everything from an entity that ends.
pub(crate) fn detach_all(change: &mut Change<'_, '_>, account: u64, entity: Entity) -> Result<(), Error> {
    for (policy, _) in of(change.tx, account, entity)? {
        detach(change, account, entity, policy)?;
    }
    Ok(())
}

/// The policies of an entity, by their numbers.
pub(crate) fn of(
    rows: &impl Read,
    account: u64,
    entity: Entity,
) -> Result<Vec<(u64, AttachmentRow)>, StoreError> {
    let scan = Scan::all().prefix(&(entity.kind(), entity.id()));
    let attachments = rows.scan::<Attachments>(&Account { uin: account }, scan)?;
    Ok(attachments.into_iter().map(|((_, _, policy), row)| (policy, row)).collect())
}

/// The entities that have a policy.
pub(crate) fn to(
    rows: &impl Read,
    account: u64,
    policy: u64,
) -> Result<Vec<(Entity, AttachmentRow)>, StoreError> {
    let attachments = rows.find_all::<ByPolicy>(&(account, policy), usize::MAX)?;
    Ok(attachments.into_iter().filter_map(|(_, key, row)| Some((Entity::of(key)?, row))).collect())
}

/// How many users and roles have the policy as their boundary.
pub(crate) fn boundaries(rows: &impl Read, account: u64, policy: u64) -> Result<usize, StoreError> {
    let scope = Account { uin: account };
    let users = rows.scan::<Users>(&scope, Scan::all())?;
    let roles = rows.scan::<Roles>(&scope, Scan::all())?;
    Ok(users.iter().filter(|(_, row)| row.boundary == Some(policy)).count()
        + roles.iter().filter(|(_, row)| row.boundary == Some(policy)).count())
}

/// The policies of an entity as listings have them, in the order of their numbers.
pub(crate) fn infos(
    rows: &impl Read,
    account: u64,
    entity: Entity,
) -> Result<Vec<(Policy, AttachmentRow)>, StoreError> {
    let mut infos = Vec::new();
    for (id, row) in of(rows, account, entity)? {
        // A preset of a version of this program that is gone is attached to nobody any more.
        infos.extend(policies::get(rows, account, id)?.map(|policy| (policy, row)));
    }
    Ok(infos)
}

/// An attached policy as the listings of users and groups have it.
pub(crate) fn info((policy, row): (Policy, AttachmentRow)) -> AttachPolicyInfo {
    AttachPolicyInfo {
        policy_id: policy.id,
        policy_type: policy.kind_name().to_owned(),
        policy_name: policy.name,
        add_time: moments::local(row.at),
        create_mode: policies::BY_SYNTAX,
        remark: policy.description,
        operate_owner_uin: Some(row.by_account.to_string()),
        operate_uin: Some(row.by.to_string()),
        operate_uin_type: Some(u64::from(row.by_role)),
        deactived: 0,
        deactived_detail: Vec::new(),
    }
}
