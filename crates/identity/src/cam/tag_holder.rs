//! The tags of users, policies and roles, for the tag service.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rookery_store::{Account, Read, Scan};
use rookery_tag::{Holder, HolderError, Outcome, ResourceName, Tag, changed};

use crate::Cam;
use crate::cam::changes::{Change, Changed};
use crate::cam::error::Error;
use crate::cam::policies::Policies;
use crate::cam::roles::Roles;
use crate::cam::users::Users;

/// What carries tags.
#[derive(Clone, Copy)]
enum Tagged {
    User(u64),
    Policy(u64),
    Role(u64),
}

impl Tagged {
    /// What a name means. Regions are not looked at: Terraform names some where CAM has none.
    fn read(resource: &ResourceName) -> Option<Self> {
        let id = resource.id.rsplit('/').next()?.parse().ok()?;
        match resource.prefix.as_str() {
            "uin" => Some(Self::User(id)),
            "policy" | "policyid" => Some(Self::Policy(id)),
            "role" => Some(Self::Role(id)),
            _ => None,
        }
    }

    fn tags(self, rows: &impl Read, scope: Account) -> Result<Option<Vec<Tag>>, rookery_store::StoreError> {
        Ok(match self {
            Self::User(uin) => rows.get::<Users>(&scope, &uin)?.map(|row| row.tags),
            Self::Policy(id) => rows.get::<Policies>(&scope, &id)?.map(|row| row.tags),
            Self::Role(id) => rows.get::<Roles>(&scope, &id)?.map(|row| row.tags),
        })
    }

    fn apply(
        self,
        change: &mut Change<'_, '_>,
        scope: Account,
        wanted: &rookery_tag::Change,
    ) -> Result<Outcome, Error> {
        let Some(tags) = self.tags(change.tx, scope)? else { return Ok(Outcome::NoResource) };
        let Some(tags) = changed(tags, wanted) else { return Ok(Outcome::TooMany) };
        match self {
            Self::User(uin) => {
                if let Some(row) = change.tx.get::<Users>(&scope, &uin)? {
                    change.tx.put::<Users>(&scope, &uin, &crate::cam::users::UserRow { tags, ..row })?;
                }
                change.note(Changed::User(uin));
            }
            Self::Policy(id) => {
                if let Some(row) = change.tx.get::<Policies>(&scope, &id)? {
                    change.tx.put::<Policies>(
                        &scope,
                        &id,
                        &crate::cam::policies::PolicyRow { tags, ..row },
                    )?;
                }
            }
            Self::Role(id) => {
                if let Some(row) = change.tx.get::<Roles>(&scope, &id)? {
                    change.tx.put::<Roles>(&scope, &id, &crate::cam::roles::RoleRow { tags, ..row })?;
                }
                change.note(Changed::Role(id));
            }
        }
        Ok(Outcome::Changed)
    }
}

impl Holder for Cam {
    fn holds(&self, resource: &ResourceName) -> bool {
        resource.service == "cam"
            && matches!(resource.prefix.as_str(), "uin" | "policy" | "policyid" | "role")
    }

    fn known_as(&self, resource: ResourceName) -> Result<ResourceName, HolderError> {
        let (prefix, id) = match Tagged::read(&resource) {
            Some(Tagged::User(uin)) => ("uin", uin),
            Some(Tagged::Policy(id)) => ("policyid", id),
            Some(Tagged::Role(id)) => ("role", id),
            None => return Ok(resource),
        };
        let (region, prefix, id) = (String::new(), prefix.to_owned(), id.to_string());
        Ok(ResourceName { region, prefix, id, ..resource })
    }

    fn tags(&self, resource: &ResourceName) -> Result<Option<Vec<Tag>>, HolderError> {
        let Some(tagged) = Tagged::read(resource) else { return Ok(None) };
        Ok(self.store.read(|view| tagged.tags(view, Account { uin: resource.account }))?)
    }

    fn change(
        &self,
        resource: ResourceName,
        wanted: rookery_tag::Change,
    ) -> BoxFuture<'_, Result<Outcome, HolderError>> {
        async move {
            let Some(tagged) = Tagged::read(&resource) else { return Ok(Outcome::NoResource) };
            let scope = Account { uin: resource.account };
            let outcome =
                Cam::change(self, scope.uin, move |change| tagged.apply(change, scope, &wanted)).await;
            outcome.map_err(|error| HolderError(error.to_string()))
        }
        .boxed()
    }

    fn tagged(&self, account: u64) -> Result<Vec<(ResourceName, Vec<Tag>)>, HolderError> {
        let scope = Account { uin: account };
        let (users, policies, roles) = self.store.read(|view| {
            let users = view.scan::<Users>(&scope, Scan::all())?;
            let policies = view.scan::<Policies>(&scope, Scan::all())?;
            Ok::<_, rookery_store::StoreError>((users, policies, view.scan::<Roles>(&scope, Scan::all())?))
        })?;
        let name = |prefix: &str, id: u64| ResourceName {
            service: "cam".to_owned(),
            region: String::new(),
            account,
            prefix: prefix.to_owned(),
            id: id.to_string(),
        };
        let users = users.into_iter().map(|(uin, row)| (name("uin", uin), row.tags));
        let policies = policies.into_iter().map(|(id, row)| (name("policy", id), row.tags));
        let roles = roles.into_iter().map(|(id, row)| (name("role", id), row.tags));
        Ok(users.chain(policies).chain(roles).collect())
    }
}
