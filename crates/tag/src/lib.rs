//! Tags: keys and values that an account hangs on its resources, and the projects that it groups them in.
//!
//! There is one store of tags: each product keeps those of its own resources, in their rows, and shows them in its own replies; this
//! service reads and writes the same ones through [`Holder`]. Resources of products that keep none are held here. So what
//! `tag:ModifyResourceTags` sets is what `tcr:DescribeInstances` tells and what `qcs:resource_tag` conditions see.

mod actions;
mod error;
mod holder;
mod kind;
mod listed;
mod narrowing;
mod own_resources;
mod paging;
mod projects;
mod resource_name;
mod resource_tags;
mod rules;
mod shown;
mod tag_pairs;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rookery_store::{Store, StoreError};
use rookery_world::World;

pub use self::actions::register;
pub use self::holder::{Change, Holder, HolderError, Outcome, Tag, changed};
pub use self::resource_name::ResourceName;

use self::error::Error;
use self::own_resources::OwnResources;

/// How many tags a resource may have.
pub const TAGS_OF_RESOURCE: usize = 50;

/// The tag service.
pub struct Tags {
    store: Store,
    world: World,
    holders: Vec<Arc<dyn Holder>>,
    own: OwnResources,
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tags").field("holders", &self.holders.len()).finish_non_exhaustive()
    }
}

impl Tags {
    /// A service over the tags that `holders` keep, and over its own rows in `store` for the resources of everybody else.
    #[must_use]
    pub fn new(store: Store, world: World, holders: Vec<Arc<dyn Holder>>) -> Arc<Self> {
        Arc::new(Self { own: OwnResources::new(store.clone()), store, world, holders })
    }

    /// Who keeps the tags of a resource.
    fn holder(&self, resource: &ResourceName) -> &dyn Holder {
        let product = self.holders.iter().find(|holder| holder.holds(resource));
        product.map_or(&self.own as &dyn Holder, |holder| &**holder)
    }

    /// The tags of a resource, by their keys; none where there is no such resource.
    fn tags_of(&self, resource: &ResourceName) -> Result<Vec<Tag>, Error> {
        Ok(self.holder(resource).tags(resource)?.unwrap_or_default())
    }

    /// The tags of a resource, which has to be there where its product knows.
    fn existing(&self, resource: &ResourceName) -> Result<Vec<Tag>, Error> {
        let holder = self.holder(resource);
        match holder.tags(resource)? {
            Some(tags) => Ok(tags),
            None if holder.knows_all() => {
                Err(Error::Resource { name: resource.to_string(), what: "there is no such resource" })
            }
            None => Ok(Vec::new()),
        }
    }

    /// Sets tags on each of some resources, and makes the pairs.
    async fn set_on_all(&self, resources: Vec<ResourceName>, pairs: Vec<Tag>) -> Result<(), Error> {
        let Some(account) = resources.first().map(|resource| resource.account) else { return Ok(()) };
        for resource in resources {
            let change = Change { replace: pairs.clone(), remove: Vec::new(), most: TAGS_OF_RESOURCE };
            self.change(resource, change).await?;
        }
        let now = self.world.unix_seconds();
        self.store.write(move |tx| tag_pairs::make(tx, account, &pairs, now)).await?;
        Ok(())
    }

    /// Changes the tags of a resource.
    async fn change(&self, resource: ResourceName, change: Change) -> Result<(), Error> {
        let name = resource.to_string();
        match self.holder(&resource).change(resource, change).await? {
            Outcome::Changed => Ok(()),
            Outcome::NoResource => Err(Error::Resource { name, what: "there is no such resource" }),
            Outcome::TooMany => Err(Error::ResourceFull { limit: TAGS_OF_RESOURCE }),
        }
    }

    /// Every resource of the account that has tags, by its name.
    fn tagged(&self, account: u64) -> Result<BTreeMap<ResourceName, Vec<Tag>>, Error> {
        let mut tagged = BTreeMap::new();
        for holder in self.holders.iter().map(|holder| &**holder).chain([&self.own as &dyn Holder]) {
            tagged.extend(holder.tagged(account)?.into_iter().filter(|(_, tags)| !tags.is_empty()));
        }
        Ok(tagged)
    }

    /// Every pair of key and value that the account has made or hung somewhere, each with whether it hangs somewhere.
    fn pairs(&self, account: u64) -> Result<BTreeMap<Tag, bool>, Error> {
        let made = self.store.read(|view| tag_pairs::all(view, account)).map_err(Error::from)?;
        let mut pairs: BTreeMap<Tag, bool> = made.into_iter().map(|pair| (pair, false)).collect();
        for tags in self.tagged(account)?.into_values() {
            pairs.extend(tags.into_iter().map(|pair| (pair, true)));
        }
        Ok(pairs)
    }
}

impl From<StoreError> for HolderError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}
