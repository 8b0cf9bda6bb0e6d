//! Boundaries: the policy that says what a user or a role may do at most.

use rookery_store::{Account, Read};

use crate::cam::changes::{Change, Changed};
use crate::cam::error::Error;
use crate::cam::policies;
use crate::cam::roles::{Roles, Wanted};
use crate::cam::users::{self, Users};

/// A `TargetUin`, which these actions declare as signed.
pub(crate) fn uin(uin: i64) -> Result<u64, Error> {
    u64::try_from(uin).map_err(|_| Error::NoUser { user: uin.to_string() })
}

/// The number of a policy that exists.
pub(crate) fn usable(rows: &impl Read, account: u64, policy: i64) -> Result<u64, Error> {
    let id = u64::try_from(policy).map_err(|_| Error::NoSuchPolicy { id: policy.unsigned_abs() })?;
    policies::get(rows, account, id)?.map(|policy| policy.id).ok_or(Error::NoSuchPolicy { id })
}

/// Sets the boundary of a sub-user, or takes it away.
pub(crate) fn set_of_user(
    change: &mut Change<'_, '_>,
    account: u64,
    target: i64,
    boundary: Option<u64>,
) -> Result<(), Error> {
    let absent = |_| Error::NoTarget { uin: target.unsigned_abs() };
    let uin = u64::try_from(target).map_err(absent)?;
    let mut row = users::get(change.tx, account, uin).map_err(|error| match error {
        Error::NoUser { .. } => Error::NoTarget { uin },
        error => error,
    })?;
    row.boundary = boundary;
    change.tx.put::<Users>(&Account { uin: account }, &uin, &row)?;
    change.note(Changed::User(uin));
    Ok(())
}

/// Sets the boundary of a role, or takes it away. A service-linked role cannot have one.
pub(crate) fn set_of_role(
    change: &mut Change<'_, '_>,
    account: u64,
    wanted: &Wanted,
    boundary: Option<u64>,
) -> Result<(), Error> {
    let (id, mut row) = wanted.find(change.tx, account)?;
    if row.is_linked() {
        return Err(Error::LinkedRoleWithBoundary);
    }
    row.boundary = boundary;
    change.tx.put::<Roles>(&Account { uin: account }, &id, &row)?;
    change.note(Changed::Role(id));
    Ok(())
}

/// A boundary as replies show it; without one, nothing.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) policy_id: Option<i64>,
    pub(crate) policy_name: Option<String>,
    pub(crate) policy_document: Option<String>,
    pub(crate) policy_type: Option<i64>,
    pub(crate) create_mode: Option<i64>,
}

impl Shown {
    pub(crate) fn read(rows: &impl Read, account: u64, boundary: Option<u64>) -> Result<Self, Error> {
        let Some(id) = boundary else { return Ok(Self::default()) };
        // A boundary's policy cannot be deleted, so one that is missing was a preset of a version that is gone.
        let policy = policies::get(rows, account, id)?.ok_or(Error::NoPolicy { id })?;
        Ok(Self {
            policy_id: Some(id.cast_signed()),
            policy_type: Some(policy.kind().cast_signed()),
            policy_name: Some(policy.name),
            policy_document: Some(policy.document),
            create_mode: Some(policies::BY_SYNTAX.cast_signed()),
        })
    }
}
