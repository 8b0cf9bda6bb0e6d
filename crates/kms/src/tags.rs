//! The tags of everything in KMS that can have some, in one place: a row for each resource, made with it and removed with it.
//!
//! A tag service reads and writes them through [`Kms::tags`], [`Kms::set_tags`] and [`Kms::tagged`]. Resources are named by the last
//! segment of their six-segment names: `key/creatorUin/<creator>/<id>`, whatever kind of key it is.

use std::collections::HashSet;

use rookery_api::kms::{Tag, TagFilter};
use rookery_store::{Read, Regional, Scan, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::Kms;
use crate::error::{Error, shortened};

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

impl Kms {
    /// The tags of a resource, which may be none; `None` where there is no such resource.
    pub fn tags(&self, scope: &Regional, resource: &str) -> Result<Option<Vec<KeyTag>>, Error> {
        Ok(self.store.read(|view| view.get::<Tags>(scope, resource))?)
    }

    /// Gives a resource these tags instead of those it has. Says whether there is such a resource.
    pub async fn set_tags(
        &self,
        scope: Regional,
        resource: String,
        tags: Vec<KeyTag>,
    ) -> Result<bool, Error> {
        self.store
            .write(move |tx| {
                let exists = tx.contains::<Tags>(&scope, resource.as_str())?;
                if exists {
                    tx.put::<Tags>(&scope, &resource, &tags)?;
                }
                Ok::<_, StoreError>(exists)
            })
            .await
            .map_err(Error::from)
    }

    /// Every resource of an account in a region that can have tags, with those it has, in the order of the names.
    pub fn tagged(&self, scope: &Regional) -> Result<Vec<(String, Vec<KeyTag>)>, Error> {
        Ok(self.store.read(|view| view.scan::<Tags>(scope, Scan::all()))?)
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
    async fn another_product_reads_and_writes_the_tags_of_what_exists() {
        let scene = Scene::new();
        let id = scene.create("release", ECC).await;
        let name = resource(ACCOUNT.uin, &id);
        assert_eq!(scene.kms.tags(&scene.scope(), &name).unwrap(), Some(Vec::new()));
        let tags = read(vec![tag("team", "build")]).unwrap();
        assert!(scene.kms.set_tags(scene.scope(), name.clone(), tags.clone()).await.unwrap());
        assert_eq!(scene.kms.tags(&scene.scope(), &name).unwrap(), Some(tags.clone()));
        assert_eq!(scene.kms.tagged(&scene.scope()).unwrap(), [(name, tags.clone())]);

        assert!(!scene.kms.set_tags(scene.scope(), "key/none".to_owned(), tags).await.unwrap());
        assert_eq!(scene.kms.tags(&scene.scope(), "key/none").unwrap(), None);
        let elsewhere = Regional { region: "ap-beijing".to_owned(), ..scene.scope() };
        assert!(scene.kms.tagged(&elsewhere).unwrap().is_empty());
    }
}
