//! `RoleArn`: which role is meant.

use rookery_store::{Account as Scope, Read, StoreError};

use crate::cam::roles::{ByName, RoleKind, RoleRow, Roles};

/// A role that was found.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) account: u64,
    pub(crate) id: u64,
    pub(crate) row: RoleRow,
}

impl Role {
    /// The name by which permission is asked: `qcs::cam::uin/<account>:roleName/<name>`, however the request wrote it.
    pub(crate) fn resource(&self) -> String {
        format!("qcs::cam::uin/{}:roleName/{}", self.account, self.row.name)
    }
}

/// What a `RoleArn` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RoleArn<'a> {
    account: u64,
    /// Whether it says that the role is a product's.
    of_service: bool,
    role: By<'a>,
}

#[derive(Debug, PartialEq, Eq)]
enum By<'a> {
    Id(u64),
    Name(&'a str),
}

impl<'a> RoleArn<'a> {
    /// Reads `qcs::cam::uin/<uin>:roleName/<name>`, `…:role/<id>`, `…:role/tencentcloudServiceRole/<id>` and
    /// `…:role/tencentcloudServiceRoleName/<name>`.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (account, role) = text.strip_prefix("qcs::cam::uin/")?.split_once(':')?;
        let account = account.parse().ok()?;
        let (kind, rest) = role.split_once('/')?;
        let (of_service, role) = match (kind, rest.split_once('/')) {
            ("roleName", None) => (false, By::Name(rest)),
            ("role", None) => (false, By::Id(rest.parse().ok()?)),
            ("role", Some(("tencentcloudServiceRole", id))) => (true, By::Id(id.parse().ok()?)),
            ("role", Some(("tencentcloudServiceRoleName", name))) => (true, By::Name(name)),
            _ => return None,
        };
        Some(Self { account, of_service, role })
    }

    /// The role.
    pub(crate) fn find(&self, view: &impl Read) -> Result<Option<Role>, StoreError> {
        let account = self.account;
        let found = match self.role {
            By::Id(id) => view.get::<Roles>(&Scope { uin: account }, &id)?.map(|row| (id, row)),
            By::Name(name) => view.find::<ByName>(&(account, name.to_owned()))?.map(|(_, id, row)| (id, row)),
        };
        let found =
            found.filter(|(_, row)| !self.of_service || matches!(row.kind, RoleKind::ServiceLinked { .. }));
        Ok(found.map(|(id, row)| Role { account, id, row }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_named_in_four_ways() {
        let arn = |of_service, role| Some(RoleArn { account: 1, of_service, role });
        for (text, expected) in [
            ("qcs::cam::uin/1:roleName/deploy", arn(false, By::Name("deploy"))),
            ("qcs::cam::uin/1:role/4611686018427397919", arn(false, By::Id(4_611_686_018_427_397_919))),
            ("qcs::cam::uin/1:role/tencentcloudServiceRole/7", arn(true, By::Id(7))),
            ("qcs::cam::uin/1:role/tencentcloudServiceRoleName/x", arn(true, By::Name("x"))),
            ("", None),
            ("deploy", None),
            ("qcs::cam::uin/x:roleName/deploy", None),
            ("qcs::cam::uin/1:role/deploy", None),
            ("qcs::cam::uin/1:roleName/a/b", None),
            ("qcs::cam::uin/1:user/2", None),
            ("qcs::sts::uin/1:roleName/deploy", None),
        ] {
            assert_eq!(RoleArn::parse(text), expected, "{text}");
        }
    }
}
