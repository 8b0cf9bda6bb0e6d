//! The tags of instances, for the tag service: `instance/<id>`.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rookery_store::{Read, Regional, StoreError};
use rookery_tag::{Change, Holder, HolderError, Outcome, ResourceName, Tag, changed};

use crate::MariaDb;
use crate::instances::Instances;

fn place(resource: &ResourceName) -> Regional {
    Regional { uin: resource.account, region: resource.region.clone() }
}

impl Holder for MariaDb {
    fn holds(&self, resource: &ResourceName) -> bool {
        resource.service == "mariadb" && resource.prefix == "instance"
    }

    fn tags(&self, resource: &ResourceName) -> Result<Option<Vec<Tag>>, HolderError> {
        let row = self.store.read(|view| view.get::<Instances>(&place(resource), resource.id.as_str()))?;
        Ok(row.map(|row| row.tags))
    }

    fn change(&self, resource: ResourceName, change: Change) -> BoxFuture<'_, Result<Outcome, HolderError>> {
        let written = self.store.write(move |tx| {
            let scope = place(&resource);
            let Some(mut row) = tx.get::<Instances>(&scope, &resource.id)? else {
                return Ok(Outcome::NoResource);
            };
            let Some(tags) = changed(row.tags, &change) else { return Ok(Outcome::TooMany) };
            row.tags = tags;
            tx.put::<Instances>(&scope, &resource.id, &row)?;
            Ok::<_, StoreError>(Outcome::Changed)
        });
        async move { Ok(written.await?) }.boxed()
    }

    fn tagged(&self, account: u64) -> Result<Vec<(ResourceName, Vec<Tag>)>, HolderError> {
        let rows = self.store.read(|view| view.scan_account::<Instances>(account))?;
        let named = rows.into_iter().map(|(scope, id, row)| {
            let name = ResourceName {
                service: "mariadb".to_owned(),
                region: scope.region,
                account,
                prefix: "instance".to_owned(),
                id,
            };
            (name, row.tags)
        });
        Ok(named.collect())
    }
}
