//! The cloud tags of instances and namespaces, for the tag service: `instance/<id>` and `repository/<instance>/<namespace>`.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rookery_store::{Read, Regional, StoreError};
use rookery_tag::{Change, Holder, HolderError, Outcome, ResourceName, Tag, changed};

use crate::Tcr;
use crate::cloud_tags::CloudTags;
use crate::instances::{self, Instance, Instances};
use crate::namespaces::{self, NamespaceRow, Namespaces};

/// What carries tags.
enum Tagged {
    Instance(Instance),
    Namespace(Instance, String, NamespaceRow),
}

impl Tagged {
    fn find(rows: &impl Read, resource: &ResourceName) -> Result<Option<Self>, StoreError> {
        let (id, namespace) = match (resource.prefix.as_str(), resource.id.split_once('/')) {
            ("instance", None) => (resource.id.as_str(), None),
            ("repository", Some((id, namespace))) => (id, Some(namespace)),
            _ => return Ok(None),
        };
        let place = Regional { uin: resource.account, region: resource.region.clone() };
        let Some(instance) = instances::find(rows, id)?.filter(|instance| instance.scope == place) else {
            return Ok(None);
        };
        let Some(name) = namespace else { return Ok(Some(Self::Instance(instance))) };
        let row = namespaces::find(rows, &instance, name)?;
        Ok(row.map(|row| Self::Namespace(instance, name.to_owned(), row)))
    }

    fn tags(&self) -> Vec<Tag> {
        match self {
            Self::Instance(instance) => instance.row.tags.pairs(),
            Self::Namespace(_, _, row) => row.tags.pairs(),
        }
    }
}

impl Holder for Tcr {
    /// What Terraform calls `instance/<id>#<account>` or `repository/<id>#<namespace>#<number>` are its own names of accounts and rules,
    /// which no action of this product gives tags.
    fn holds(&self, resource: &ResourceName) -> bool {
        resource.service == "tcr"
            && matches!(resource.prefix.as_str(), "instance" | "repository")
            && !resource.id.contains('#')
    }

    fn tags(&self, resource: &ResourceName) -> Result<Option<Vec<Tag>>, HolderError> {
        Ok(self.store.read(|view| Tagged::find(view, resource))?.map(|tagged| tagged.tags()))
    }

    fn change(&self, resource: ResourceName, change: Change) -> BoxFuture<'_, Result<Outcome, HolderError>> {
        let written = self.store.write(move |tx| {
            let Some(tagged) = Tagged::find(tx, &resource)? else { return Ok(Outcome::NoResource) };
            let Some(tags) = changed(tagged.tags(), &change) else { return Ok(Outcome::TooMany) };
            let tags = CloudTags::from_pairs(tags);
            match tagged {
                Tagged::Instance(mut instance) => {
                    instance.row.tags = tags;
                    instance.put(tx)?;
                }
                Tagged::Namespace(instance, name, row) => {
                    let row = NamespaceRow { tags, ..row };
                    tx.put::<Namespaces>(&instance.scope, &(instance.id, name), &row)?;
                }
            }
            Ok::<_, StoreError>(Outcome::Changed)
        });
        async move { Ok(written.await?) }.boxed()
    }

    fn tagged(&self, account: u64) -> Result<Vec<(ResourceName, Vec<Tag>)>, HolderError> {
        let (instances, namespaces) = self.store.read(|view| {
            Ok::<_, StoreError>((
                view.scan_account::<Instances>(account)?,
                view.scan_account::<Namespaces>(account)?,
            ))
        })?;
        let name = |region: String, prefix: &str, id: String| ResourceName {
            service: "tcr".to_owned(),
            region,
            account,
            prefix: prefix.to_owned(),
            id,
        };
        let instances = instances
            .into_iter()
            .map(|(scope, id, row)| (name(scope.region, "instance", id), row.tags.pairs()));
        let namespaces = namespaces.into_iter().map(|(scope, (id, namespace), row)| {
            (name(scope.region, "repository", format!("{id}/{namespace}")), row.tags.pairs())
        });
        Ok(instances.chain(namespaces).collect())
    }
}
