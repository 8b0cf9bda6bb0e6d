//! The tags of everything in KMS that can have some, in one place: a row for each resource, made with it and removed with it.
//!
//! The tag service reads and writes them through [`Holder`]. Resources are named by the last
//! segment of their six-segment names: `key/creatorUin/<creator>/<id>`, whatever kind of key it is.

use std::collections::HashSet;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rookery_api::kms::{Tag, TagFilter};
use rookery_store::{Read, Regional, StoreError, Table, Transaction};
use rookery_tag::{Change, Holder, HolderError, Outcome, ResourceName, changed};
use serde::{Deserialize, Serialize};

use crate::Kms;
use crate::data_keys::DataKeys;
use crate::error::{Error, shortened};
use crate::keys::Keys;
use crate::whitebox::WhiteBoxKeys;

/// A tag: a key, which a resource has once, and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTag {
    /// The key.
    pub key: String,
    /// The value; may be empty.
    pub value: String,
}

/// The tags by the names of the resources.
pub(crate) struct Tags;

impl Table for Tags {
    const NAME: &'static str = "kms.tags";
    type Scope = Regional;
    type Key = String;
    type Row = Vec<KeyTag>;
}

/// The name under which the tags of a key are kept, and by which policies know it.
pub(crate) fn resource(creator: u64, id: &str) -> String {
    format!("key/creatorUin/{creator}/{id}")
}

/// `TagCode` of what went well, and the `TagMsg` that goes with it.
pub(crate) fn outcome(tags: &[KeyTag]) -> (u64, String) {
    (0, if tags.is_empty() { "no tags to save" } else { "ok" }.to_owned())
}

/// Reads the tags of something new: no key is empty, and none occurs twice.
pub(crate) fn read(tags: Vec<Tag>) -> Result<Vec<KeyTag>, Error> {
    let mut seen = HashSet::new();
    for tag in &tags {
        if tag.tag_key.is_empty() {
            return Err(Error::value("Tags.TagKey", ""));
        }
        if !seen.insert(&tag.tag_key) {
            return Err(Error::TagKeyRepeated(shortened(&tag.tag_key)));
        }
    }
    Ok(tags.into_iter().map(|tag| KeyTag { key: tag.tag_key, value: tag.tag_value }).collect())
}

/// Whether `tags` pass every filter: each names a key, and values of which one must be the tag's, unless there are none.
pub(crate) fn pass(tags: &[KeyTag], filters: &[TagFilter]) -> bool {
    filters.iter().all(|filter| {
        let values = filter.tag_value.as_deref().unwrap_or_default();
        tags.iter().any(|tag| tag.key == filter.tag_key && (values.is_empty() || values.contains(&tag.value)))
    })
}

/// The tags of a resource; none where there is no such resource.
pub(crate) fn of(
    view: &impl Read,
    scope: &Regional,
    creator: u64,
    id: &str,
) -> Result<Vec<KeyTag>, StoreError> {
    Ok(view.get::<Tags>(scope, resource(creator, id).as_str())?.unwrap_or_default())
}

/// Gives a new resource its tags. This is what makes it a resource that has tags, so it is called also where there are none.
pub(crate) fn attach(
    tx: &mut Transaction<'_>,
    scope: &Regional,
    creator: u64,
    id: &str,
    tags: &Vec<KeyTag>,
) -> Result<(), StoreError> {
    tx.put::<Tags>(scope, &resource(creator, id), tags)
}

/// Removes a resource's tags with it.
pub(crate) fn detach(
    tx: &mut Transaction<'_>,
    scope: &Regional,
    creator: u64,
    id: &str,
) -> Result<bool, StoreError> {
    tx.delete::<Tags>(scope, &resource(creator, id))
}

/// Where a resource is kept, and under which name. Terraform names white-box keys without their creators.
fn place(view: &impl Read, resource: &ResourceName) -> Result<(Regional, String), StoreError> {
    let scope = Regional { uin: resource.account, region: resource.region.clone() };
    let id = resource.id.as_str();
    let creator = if id.contains('/') {
        None
    } else if let Some(key) = view.get::<Keys>(&scope, id)? {
        Some(key.creator)
    } else if let Some(key) = view.get::<WhiteBoxKeys>(&scope, id)? {
        Some(key.creator)
    } else {
        view.get::<DataKeys>(&scope, id)?.map(|key| key.creator)
    };
    let name =
        creator.map_or_else(|| format!("{}/{id}", resource.prefix), |creator| self::resource(creator, id));
    Ok((scope, name))
}

fn pairs(tags: Vec<KeyTag>) -> Vec<(String, String)> {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

impl Holder for Kms {
    fn holds(&self, resource: &ResourceName) -> bool {
        resource.service == "kms" && resource.prefix == "key"
    }

    fn known_as(&self, resource: ResourceName) -> Result<ResourceName, HolderError> {
        let (_, name) = self.store.read(|view| place(view, &resource))?;
        let id = name.split_once('/').map_or(resource.id.clone(), |(_, id)| id.to_owned());
        Ok(ResourceName { id, ..resource })
    }

    fn tags(&self, resource: &ResourceName) -> Result<Option<Vec<(String, String)>>, HolderError> {
        let tags = self.store.read(|view| {
            let (scope, name) = place(view, resource)?;
            view.get::<Tags>(&scope, name.as_str())
        })?;
        Ok(tags.map(pairs))
    }

    fn change(&self, resource: ResourceName, change: Change) -> BoxFuture<'_, Result<Outcome, HolderError>> {
        let written = self.store.write(move |tx| {
            let (scope, name) = place(tx, &resource)?;
            let Some(tags) = tx.get::<Tags>(&scope, name.as_str())? else { return Ok(Outcome::NoResource) };
            let Some(tags) = changed(pairs(tags), &change) else { return Ok(Outcome::TooMany) };
            let tags = tags.into_iter().map(|(key, value)| KeyTag { key, value }).collect();
            tx.put::<Tags>(&scope, &name, &tags)?;
            Ok::<_, StoreError>(Outcome::Changed)
        });
        async move { Ok(written.await?) }.boxed()
    }

    fn tagged(&self, account: u64) -> Result<Vec<(ResourceName, Vec<(String, String)>)>, HolderError> {
        let rows = self.store.read(|view| view.scan_account::<Tags>(account))?;
        let named =
            rows.into_iter().filter(|(_, _, tags)| !tags.is_empty()).filter_map(|(scope, name, tags)| {
                let (prefix, id) = name.split_once('/')?;
                let resource = ResourceName {
                    service: "kms".to_owned(),
                    region: scope.region,
                    account,
                    prefix: prefix.to_owned(),
                    id: id.to_owned(),
                };
                Some((resource, pairs(tags)))
            });
        Ok(named.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{ACCOUNT, ECC, Scene};

    fn tag(key: &str, value: &str) -> Tag {
        Tag { tag_key: key.to_owned(), tag_value: value.to_owned() }
    }

    #[test]
    fn repeated_and_empty_keys_are_refused() {
        assert!(
            matches!(read(vec![tag("a", "1"), tag("a", "2")]), Err(Error::TagKeyRepeated(key)) if key == "a")
        );
        assert!(matches!(read(vec![tag("", "1")]), Err(Error::InvalidValue { .. })));
        let tags = read(vec![tag("a", "1"), tag("b", "")]).unwrap();
        assert_eq!((outcome(&tags), outcome(&[])), ((0, "ok".to_owned()), (0, "no tags to save".to_owned())));
    }

    #[test]
    fn filters_hold_together_and_their_values_are_alternatives() {
        let tags = read(vec![tag("team", "build"), tag("stage", "test")]).unwrap();
        let filter = |key: &str, values: Option<&[&str]>| TagFilter {
            tag_key: key.to_owned(),
            tag_value: values.map(|values| values.iter().map(|value| (*value).to_owned()).collect()),
        };
        for (filters, passed) in [
            (vec![], true),
            (vec![filter("team", None)], true),
            (vec![filter("team", Some(&[]))], true),
            (vec![filter("team", Some(&["release", "build"])), filter("stage", Some(&["test"]))], true),
            (vec![filter("team", Some(&["build"])), filter("stage", Some(&["live"]))], false),
            (vec![filter("owner", None)], false),
        ] {
            assert_eq!(pass(&tags, &filters), passed, "{filters:?}");
        }
    }

    #[tokio::test]
    async fn the_tag_service_reads_and_writes_the_tags_of_what_exists() {
        let scene = Scene::new();
        let id = scene.create("release", ECC).await;
        let name = |region: &str, id: String| ResourceName {
            service: "kms".to_owned(),
            region: region.to_owned(),
            account: ACCOUNT.uin,
            prefix: "key".to_owned(),
            id,
        };
        let key = name(&scene.scope().region, format!("creatorUin/{}/{id}", ACCOUNT.uin));
        let holder: &dyn Holder = scene.kms.as_ref();
        assert!(
            holder.holds(&key) && !holder.holds(&ResourceName { prefix: "alias".to_owned(), ..key.clone() })
        );
        let short = name(&key.region, id.clone());
        assert_eq!(holder.known_as(short.clone()).unwrap(), key);
        assert_eq!(holder.tags(&key).unwrap(), Some(Vec::new()));
        assert!(holder.tagged(ACCOUNT.uin).unwrap().is_empty(), "it has none yet");

        let tags = vec![("team".to_owned(), "build".to_owned())];
        let change = Change { replace: tags.clone(), remove: Vec::new(), most: 1 };
        assert_eq!(holder.change(key.clone(), change.clone()).await.unwrap(), Outcome::Changed);
        assert_eq!(holder.tags(&key).unwrap(), Some(tags.clone()));
        assert_eq!(holder.tags(&short).unwrap(), Some(tags.clone()));
        assert_eq!(holder.tagged(ACCOUNT.uin).unwrap(), [(key.clone(), tags)]);
        let more = Change { replace: vec![("stage".to_owned(), "test".to_owned())], ..change.clone() };
        assert_eq!(holder.change(key.clone(), more).await.unwrap(), Outcome::TooMany);

        for nobody in [name("ap-beijing", key.id), name(&key.region, "none".to_owned())] {
            assert_eq!(holder.change(nobody.clone(), change.clone()).await.unwrap(), Outcome::NoResource);
            assert_eq!(holder.tags(&nobody).unwrap(), None);
        }
        assert!(holder.tagged(ACCOUNT.uin + 1).unwrap().is_empty());
    }
}
