//! Resources whose products keep no tags: their tags are rows here. Whether such a resource exists is not known.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rookery_store::{Account, Read, Scan, Store, StoreError, Table};

use crate::holder::{Change, Holder, HolderError, Outcome, Tag, changed};
use crate::resource_name::ResourceName;

/// Tags, by service, region, and the last segment.
struct ResourceTags;

impl Table for ResourceTags {
    const NAME: &'static str = "tag.resources";
    type Scope = Account;
    type Key = (String, String, String);
    type Row = Vec<Tag>;
}

fn key(resource: &ResourceName) -> (String, String, String) {
    let last = format!("{}/{}", resource.prefix, resource.id);
    (resource.service.clone(), resource.region.clone(), last)
}

pub(crate) struct OwnResources {
    store: Store,
}

impl OwnResources {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Holder for OwnResources {
    fn holds(&self, _: &ResourceName) -> bool {
        true
    }

    fn knows_all(&self) -> bool {
        false
    }

    fn tags(&self, resource: &ResourceName) -> Result<Option<Vec<Tag>>, HolderError> {
        let scope = Account { uin: resource.account };
        Ok(self.store.read(|view| view.get::<ResourceTags>(&scope, &key(resource)))?)
    }

    fn change(&self, resource: ResourceName, change: Change) -> BoxFuture<'_, Result<Outcome, HolderError>> {
        let scope = Account { uin: resource.account };
        let written = self.store.write(move |tx| {
            let key = key(&resource);
            let tags = tx.get::<ResourceTags>(&scope, &key)?.unwrap_or_default();
            let Some(tags) = changed(tags, &change) else { return Ok(Outcome::TooMany) };
            if tags.is_empty() {
                tx.delete::<ResourceTags>(&scope, &key)?;
            } else {
                tx.put::<ResourceTags>(&scope, &key, &tags)?;
            }
            Ok::<_, StoreError>(Outcome::Changed)
        });
        async move { Ok(written.await?) }.boxed()
    }

    fn tagged(&self, account: u64) -> Result<Vec<(ResourceName, Vec<Tag>)>, HolderError> {
        let rows =
            self.store.read(|view| view.scan::<ResourceTags>(&Account { uin: account }, Scan::all()))?;
        let named = rows.into_iter().filter_map(|((service, region, last), tags)| {
            let (prefix, id) = last.split_once('/')?;
            let (prefix, id) = (prefix.to_owned(), id.to_owned());
            Some((ResourceName { service, region, account, prefix, id }, tags))
        });
        Ok(named.collect())
    }
}
