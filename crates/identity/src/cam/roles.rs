//! Roles, and the deletions of those that belong to a product.

use rookery_api::cam::{RoleInfo, RoleTags};
use rookery_store::{Account, ErasedIndex, Index, Read, Scan, Table};
use serde::{Deserialize, Serialize};

use crate::cam::attachments::{self, Entity};
use crate::cam::changes::{Change, Changed};
use crate::cam::error::Error;
use crate::cam::numbers::{self, Numbered};
use crate::cam::providers::{OidcProviders, SamlProviders};
use crate::cam::users::Users;
use crate::cam::{documents, moments};

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

/// How many roles an account may have.
pub(crate) const ROLES: usize = 1000;
/// The longest session that a role can allow; one that says 0 sets no limit of its own.
pub(crate) const LONGEST_SESSION: u64 = 43_200;
/// The longest session of a role that was made without a word about it.
pub(crate) const USUAL_SESSION: u64 = 7_200;

impl RoleRow {
    /// Whether it belongs to a product.
    pub(crate) fn is_linked(&self) -> bool {
        matches!(self.kind, RoleKind::ServiceLinked { .. })
    }
}

/// Which role a request means: by number or by name, the number first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The number, as text where it is none.
    Id(String),
    /// The name.
    Name(String),
}

impl Wanted {
    /// The role of `RoleId` and `RoleName`, of which one has to be there.
    pub(crate) fn read(id: Option<String>, name: Option<String>) -> Result<Self, Error> {
        let present = |text: Option<String>| text.filter(|text| !text.is_empty());
        match (present(id), present(name)) {
            (Some(id), _) => Ok(Self::Id(id)),
            (None, Some(name)) => Ok(Self::Name(name)),
            (None, None) => {
                Err(Error::Parameter { parameter: "RoleId", rule: "or `RoleName` must be given" })
            }
        }
    }

    /// The role, with its number.
    pub(crate) fn find(&self, rows: &impl Read, account: u64) -> Result<(u64, RoleRow), Error> {
        let (found, role) = match self {
            Self::Id(id) => {
                let number = id.parse::<u64>().ok();
                let row = number.map(|id| rows.get::<Roles>(&Account { uin: account }, &id)).transpose()?;
                (number.zip(row.flatten()), id)
            }
            Self::Name(name) => {
                let found = rows.find::<ByName>(&(account, name.clone()))?;
                (found.map(|(_, id, row)| (id, row)), name)
            }
        };
        found.ok_or_else(|| Error::NoRole { role: role.clone() })
    }
}

/// Checks that everybody whom a trust policy names can exist: the root, users and providers of this cloud, products by the form of their
/// names. A role that trusts somebody who is not there could be taken over by whoever gets that name later.
pub(crate) fn check_trusted(rows: &impl Read, account: u64, trust: &str) -> Result<(), Error> {
    for (kind, principal) in documents::principals(trust) {
        match kind.as_str() {
            "service" => check_service(&principal)?,
            "federated" => {
                let parts = principal.rsplit_once(':').map(|(_, last)| last);
                let known = match parts.and_then(|last| last.split_once('/')) {
                    Some(("saml-provider", name)) => {
                        rows.contains::<SamlProviders>(&Account { uin: account }, name)?
                    }
                    Some(("oidc-provider", name)) => {
                        rows.contains::<OidcProviders>(&Account { uin: account }, name)?
                    }
                    _ => return Err(Error::PrincipalForm { principal }),
                };
                if !known {
                    return Err(Error::PrincipalNotFound { principal });
                }
            }
            _ => check_identity(rows, account, &principal)?,
        }
    }
    Ok(())
}

/// `qcs::cam::uin/<account>:root`, `…:uin/<sub-user>`, or `…:root/<account>`: an account of this cloud and what is in it.
fn check_identity(rows: &impl Read, account: u64, principal: &str) -> Result<(), Error> {
    let segments: Vec<_> = principal.split(':').collect();
    let [_, _, _, _, owner, last] = segments.as_slice() else {
        return Err(Error::PrincipalForm { principal: principal.to_owned() });
    };
    let owner = owner.strip_prefix("uin/").and_then(|uin| uin.parse::<u64>().ok());
    let owner = owner.ok_or_else(|| Error::PrincipalForm { principal: principal.to_owned() })?;
    let known = owner == account
        && match last.split_once('/') {
            None if *last == "root" || *last == "*" => true,
            Some(("root", uin)) => uin.parse() == Ok(owner),
            Some(("uin", uin)) => match uin.parse::<u64>() {
                Ok(uin) => uin == owner || rows.contains::<Users>(&Account { uin: account }, &uin)?,
                Err(_) => uin == "*",
            },
            Some(("role", id)) => match id.parse::<u64>() {
                Ok(id) => rows.contains::<Roles>(&Account { uin: account }, &id)?,
                Err(_) => false,
            },
            Some(("roleName", name)) => rows.find::<ByName>(&(account, name.to_owned()))?.is_some(),
            _ => return Err(Error::PrincipalForm { principal: principal.to_owned() }),
        };
    if known { Ok(()) } else { Err(Error::PrincipalNotFound { principal: principal.to_owned() }) }
}

/// `cvm.qcloud.com`, `cls.cloud.tencent.com`: which products there are is not known here, so the form decides.
pub(crate) fn check_service(service: &str) -> Result<(), Error> {
    let product = [".qcloud.com", ".cloud.tencent.com", ".tencentcloudapi.com", ".tencentcloud.com"]
        .iter()
        .find_map(|suffix| service.strip_suffix(suffix));
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if product.is_some_and(|product| product.split('.').all(is_label)) {
        Ok(())
    } else {
        Err(Error::NoService { service: service.to_owned() })
    }
}

/// A role as replies have it.
pub(crate) fn info(account: u64, id: u64, row: RoleRow) -> RoleInfo {
    let role_type = if row.is_linked() { "service_linked" } else { "user" };
    RoleInfo {
        role_id: id.to_string(),
        role_arn: Some(format!("qcs::cam::uin/{account}:roleName/{}", row.name)),
        role_name: row.name,
        policy_document: row.trust,
        description: row.description,
        add_time: moments::local(row.created_at),
        update_time: moments::local(row.updated_at),
        console_login: u64::from(row.console_login),
        role_type: Some(role_type.to_owned()),
        session_duration: Some(row.session_duration),
        // A deletion is carried out at once, so no role that can be read is being deleted.
        deletion_task_id: None,
        tags: Some(row.tags.into_iter().map(|(key, value)| RoleTags { key, value }).collect()),
    }
}

/// A longest session that can be asked for.
pub(crate) fn session_duration(seconds: u64) -> Result<u64, Error> {
    if seconds <= LONGEST_SESSION {
        Ok(seconds)
    } else {
        Err(Error::Parameter { parameter: "SessionDuration", rule: "must be between 0 and 43,200" })
    }
}

/// Adds a role and gives its number.
pub(crate) fn create(change: &mut Change<'_, '_>, account: u64, row: &RoleRow) -> Result<u64, Error> {
    let scope = Account { uin: account };
    if change.tx.find::<ByName>(&(account, row.name.clone()))?.is_some() {
        return Err(Error::RoleNameTaken { name: row.name.clone() });
    }
    if change.tx.count::<Roles>(&scope, Scan::all())? >= ROLES {
        return Err(Error::RolesFull { limit: ROLES });
    }
    let id = numbers::next(change.tx, Numbered::Role)?;
    change.tx.put::<Roles>(&scope, &id, row)?;
    change.note(Changed::Role(id));
    Ok(id)
}

/// Changes a role.
pub(crate) fn update(
    change: &mut Change<'_, '_>,
    account: u64,
    wanted: &Wanted,
    now: i64,
    apply: impl FnOnce(&mut RoleRow) -> Result<(), Error>,
) -> Result<(), Error> {
    let (id, mut row) = wanted.find(change.tx, account)?;
    apply(&mut row)?;
    row.updated_at = now;
    change.tx.put::<Roles>(&Account { uin: account }, &id, &row)?;
    change.note(Changed::Role(id));
    Ok(())
}

/// Takes a role away with what is attached to it.
pub(crate) fn remove(change: &mut Change<'_, '_>, account: u64, id: u64) -> Result<(), Error> {
    attachments::detach_all(change, account, Entity::Role(id))?;
    change.tx.delete::<Roles>(&Account { uin: account }, &id)?;
    change.note(Changed::Role(id));
    Ok(())
}
